"""The page as `python app.py` starts it, with networks of a few thousand parameters among the models; one of them has to be
downloaded first, from a server in this process, which sends it as soon as there is a file `LET_GO` beside LEAPS_HOME: a test
that looks at a download has all the time it needs."""

import io
import os
import runpy
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[2]
LET_GO = "let-go"


def publish() -> None:
    """Registers `tiny_far`, whose weights lie on the web."""
    import torch

    from leaps_core import models
    from tests import tiny

    file = io.BytesIO()
    torch.save(tiny.TinyNet(5).state_dict(), file)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            while not (Path(os.environ["LEAPS_HOME"]).parent / LET_GO).exists():
                time.sleep(0.1)
            self.send_response(200)
            self.send_header("Content-Length", str(len(file.getvalue())))
            self.end_headers()
            self.wfile.write(file.getvalue())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/tiny_far.pth"
    models.register(
        replace(
            models.spec("tiny"),
            key="tiny_far",
            name="Far away",
            sources=(models.Source(url),),
            licence="CC-BY-NC-4.0",
            download=12_345_678,
        ),
        lambda: tiny.TinyNet(9),
    )


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from leaps_core.runs import writer
    from tests import tiny

    writer.PERIOD = 0.5
    tiny.register()
    publish()
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
