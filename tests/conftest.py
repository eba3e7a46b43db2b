"""Very small networks among the models, a registry of one test's own, and a running page with a real browser, for the tests
that need them."""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # side by side, teams of threads would wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from leaps_core import models, video  # noqa: E402
from leaps_core.models import loading, registry, weights  # noqa: E402
from tests import tiny  # noqa: E402  (imports torch)

ROOT = Path(__file__).parents[1]


def examples(page: str, language: str) -> list[str]:
    """The code blocks of a page of the docs."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)


def pytest_configure() -> None:
    """A shell's background job ignores Ctrl-C, and so would the pages and command lines that tests start from it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """A thread that a failed test left waiting keeps Python from ending; after a minute it is told and cut off. One of several
    workers waits for the others, and is ended by xdist."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        faulthandler.dump_traceback_later(60, exit=True, file=sys.__stderr__)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where tests run side by side: all of a file by one worker, and all browser tests by one, as they share a page."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]

    config.option.loadscopereorder = False  # the browser tests begin, then as collected
    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def tiny_models() -> None:
    """The networks of `tests.tiny` among the models, for all tests."""
    tiny.register()


@pytest.fixture(scope="session", autouse=True)
def nobodys_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A LEAPS_HOME of the tests', so that they neither see nor touch what a person has; tests that leave something have their
    own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEAPS_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def decoding_here() -> Iterator[None]:
    """Videos are decoded in this process again, whatever command of a test turned that off."""
    yield
    video.isolate(False)


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that a test registers, loads or gives weights to are gone after it."""
    models.specs()  # all that registers by itself has done so
    for name in ("_specs", "_builders", "_labels"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    for name in ("_providers", "_failures"):
        monkeypatch.setattr(registry, name, list(getattr(registry, name)))
    monkeypatch.setattr(loading, "_loaded", dict(loading._loaded))
    monkeypatch.setattr(weights, "_given", dict(weights._given))


@pytest.fixture(scope="session")
def app_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page of `app_url` keeps its files; its LEAPS_HOME is the folder `leaps` in it."""
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="session")
def app_url(app_home: Path) -> Iterator[str]:
    """The address of a page with runs of its own; fails if anything went wrong on the server."""
    with serve(app_home) as (url, _):
        yield url


@contextmanager
def serve(
    home: Path,
    port: int = 0,
    *,
    personal: bool = False,
    mcp: bool = False,
    start: Sequence[str] = (sys.executable, "tests/browser/serve.py"),
    **variables: str,
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A page with runs of its own, at a port (0: any), with some variables of the environment: its address and its process;
    fails if anything goes wrong on the server."""
    port = port or free_port()
    env = {
        **os.environ,
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(home / "gradio"),
        "GRADIO_HEARTBEAT_INTERVAL": "1",
        "LEAPS_HOME": str(home / "leaps"),
        "TORCH_HOME": str(home / "torch"),
        # two threads that wait for each other beside Chromium, on two cores, once took ten times as long
        "OMP_NUM_THREADS": "1",
        **variables,
    }
    url = f"http://127.0.0.1:{port}/"
    with open(home / "page.log", "w+", encoding="utf-8") as log:
        command = [*start, *["--personal"] * personal, *["--mcp"] * mcp]
        server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(server, url, home / "page.log")
            yield url, server
        finally:
            server.kill()
            server.wait(20)
    said = (home / "page.log").read_text("utf-8")
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Chromium, without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    from benchmarks.page import chromium

    path = chromium()
    if path is None:
        pytest.skip("Chromium is not installed; apt-get install chromium")
    with playwright.sync_playwright() as driver:
        window = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield window
        window.close()


@pytest.fixture
def page(browser: object, app_url: str) -> Iterator[object]:
    """The page, opened; the test fails on a console error, a failed answer, or a request to another host."""
    playwright = pytest.importorskip("playwright.sync_api")
    # clips that play all the time would take a third of a core from whatever runs beside
    calm = {"viewport": {"width": 1440, "height": 900}, "accept_downloads": True, "reduced_motion": "reduce"}
    context = browser.new_context(**calm)  # type: ignore[attr-defined]
    context.set_default_timeout(120_000)  # ms; a shared machine may be slow
    page, wrong = context.new_page(), []
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda answer: answer.status >= 400 and wrong.append(f"{answer.status} {answer.url}"))
    page.on(
        "request",
        lambda asked: (
            asked.url.startswith(("http", "ws"))
            and not asked.url.startswith(app_url)
            and wrong.append(f"another host: {asked.url}")
        ),
    )
    page.goto(app_url)
    playwright.expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled(timeout=120_000)
    yield page
    found = list(wrong)  # before the page is closed, which cuts its connections
    context.close()
    assert not found, found


def _wait(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + 280  # s; a shared machine may be slow
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(log.read_text("utf-8"))
        try:
            urllib.request.urlopen(url + "config", timeout=2)
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail("The page does not answer.\n" + log.read_text("utf-8"))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
