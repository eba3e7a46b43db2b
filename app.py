"""Starts the page: python app.py [--host HOST] [--port PORT] [--personal]."""

from __future__ import annotations

import argparse
import os
import signal

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported, which then asks nobody
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ["NO_PROXY"] = ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1,localhost")))

import app  # noqa: E402  (the package of this name, which Python prefers to this file)
from leaps_core import models  # noqa: E402
from leaps_core.errors import LeapsError  # noqa: E402
from leaps_core.models import own  # noqa: E402


def main() -> None:
    """Launches, then loads the models while the page already answers."""
    parser = argparse.ArgumentParser(description="Invert video models in the browser.")
    on_space = "SPACE_ID" in os.environ
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0" if on_space else "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("GRADIO_SERVER_PORT", 7860)))
    parser.add_argument(
        "--personal",
        action="store_true",
        help="the page is one person's: it shares its runs with the command line. Without it, each visitor sees only their own",
    )
    parser.add_argument(
        "--models",
        metavar="FILE",
        nargs="+",
        default=[],
        help="files of models of one's own; those in LEAPS_HOME/models are always there",
    )
    arguments = parser.parse_args()
    try:
        for file in arguments.models:
            own.load(file)
    except LeapsError as error:
        parser.error(str(error))
    for sentence in models.failures():
        print(f"LEAPS Explorer: {sentence}", flush=True)
    app.views.PERSONAL = arguments.personal
    if not arguments.personal:  # a job has two cores; PyTorch, once loaded, would take all of them
        os.environ.setdefault("OMP_NUM_THREADS", "2")
    page = app.build()
    page.launch(server_name=arguments.host, server_port=arguments.port, prevent_thread_lock=True, **app.options())
    print(f"LEAPS Explorer: http://{arguments.host}:{arguments.port}", flush=True)
    app.warmup.begin()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    page.block_thread()  # until Ctrl-C
    app.views.JOBS.close()


if __name__ == "__main__":
    main()
