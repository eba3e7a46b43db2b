"""Starting the page: `leaps page`, `python -m leaps_core page`, or `python app.py`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from importlib import util
from pathlib import Path
from typing import Any

from leaps_core import cli, models, video
from leaps_core.cli.parser import Parser, add
from leaps_core.errors import LeapsError
from leaps_core.inversion import lent

from . import texts
from .limits import Limits


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts the page with a command's arguments (None: the process's own). Returns the exit code."""
    keep_on_a_space()
    return cli.main(["page", *(sys.argv[1:] if arguments is None else arguments)], more=[add_command])


def add_command(menu: Any) -> None:
    """Adds the command `page` to the command line's menu."""
    parser: Parser = add(menu, "page", _launch, "start the page, in which all of this can be done in a browser")
    host = "0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1"
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", host), help=f"default: {host}")
    port = int(os.environ.get("GRADIO_SERVER_PORT", 7860))
    parser.add_argument("--port", type=int, default=port, help=f"default: {port}")
    parser.add_argument(
        "--personal",
        action="store_true",
        help="the page is one person's: it shares its runs with the command line, and has no limits. Without it, each visitor "
        "sees only their own, and environment variables may limit them (docs/security.md)",
    )
    parser.add_argument(
        "--language",
        default=os.environ.get("LEAPS_LANGUAGE", texts.ENGLISH),
        help=f"of the page: {', '.join(texts.LANGUAGES)} (default: {texts.ENGLISH}, or LEAPS_LANGUAGE)",
    )
    parser.add_argument(
        "--mcp", action="store_true", help="also serve the HTTP interface as MCP tools, for agents (docs/api.md)"
    )


def _launch(options: argparse.Namespace) -> None:
    """Launches, then loads the models while the page already answers."""
    if options.mcp and not util.find_spec("mcp"):
        raise LeapsError("--mcp needs the package mcp: pip install -r requirements-mcp.txt.")
    texts.speak(options.language)
    limits = Limits.personal() if options.personal else Limits.of()
    _check_free(options.host, options.port)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("app", "leaps_core"):
        logging.getLogger(name).setLevel(logging.INFO)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported, which then asks nobody
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ["NO_PROXY"] = ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1,localhost")))
    if not options.personal:  # a job has two cores; PyTorch, once loaded, would take all of them
        os.environ.setdefault("OMP_NUM_THREADS", "2")
    from . import page, preload, views  # gradio

    for sentence in models.failures():
        print(f"LEAPS Explorer: {sentence}", flush=True)
    views.PERSONAL = options.personal
    views.JOBS.limits = limits
    video.isolate()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        built = page.build()
        lent.prepare()
        built.launch(
            server_name=options.host,
            server_port=options.port,
            prevent_thread_lock=True,
            mcp_server=options.mcp,
            **page.options(limits.upload),
        )
        print(f"LEAPS Explorer: http://{options.host}:{options.port}", flush=True)
        preload.begin()
        built.block_thread()  # until Ctrl-C
    except KeyboardInterrupt:  # or earlier
        pass
    finally:
        views.JOBS.close()


def keep_on_a_space(storage: Path = Path("/data")) -> None:
    """On a Space with persistent storage, keeps runs and downloaded weights there, unless its variables name other folders."""
    if "SPACE_ID" in os.environ and os.access(storage, os.W_OK):
        for name, folder in (("LEAPS_HOME", "leaps"), ("TORCH_HOME", "torch"), ("HF_HOME", "huggingface")):
            os.environ.setdefault(name, str(storage / folder))


def _check_free(host: str, port: int) -> None:
    """Raises `LeapsError` if the page can't listen there: now, and not once everything is loaded."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except (OSError, OverflowError) as error:
        raise LeapsError(
            f"The page can't be at the address {host}, port {port}: {error}. Choose another --port, or --host."
        ) from error
