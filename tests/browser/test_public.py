"""The page as strangers find it: limits, walls, and what they may send."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.browser.proxy import below
from tests.browser.test_api import ANSWER, ask, wait
from tests.browser.test_page import LONG, WAIT, _prepare, _start, _state, opened
from tests.conftest import serve

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).parents[2]
PIP = ("-m", "pip", "install", "-qq", "--no-cache-dir")
LENDER = Path(__file__).parents[1] / "lender"
"""Where there is a stand-in of the package `spaces`, from which Gradio learns of new code, and which lends graphics cards."""
RUN = {"model": "tiny", "action": "bowling"}


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a page with limits, and its home."""
    home = tmp_path_factory.mktemp("public")
    limits = {"LEAPS_LIMIT_STEPS": "19000", "LEAPS_LIMIT_DAILY": "2", "LEAPS_LIMIT_UPLOAD": "0.1"}
    with serve(home, **limits) as (url, _):
        yield url, home


@pytest.fixture(scope="module")
def client(public: tuple[str, Path]) -> Iterator[Client]:
    made = Client(public[0], verbose=False, httpx_kwargs={"timeout": ANSWER})
    yield made
    made.close()


def test_programs_steer_and_look_and_let_a_run_go_on(client: Client) -> None:
    mine = ask(client, {**RUN, "steps": 19_000}, api_name="/run")
    me = (mine["visitor"], mine["run"])
    wait(client, mine, lambda news: news["newest"] is not None)
    assert ask(client, *me, "keep", api_name="/act")["state"] == "running"
    ask(client, *me, {"coherence": 0.25}, api_name="/steer")
    with pytest.raises(AppError, match="expected a number"):
        ask(client, *me, {"coherence": -1}, api_name="/steer")
    with pytest.raises(AppError, match="seed"):
        ask(client, *me, {"seed": 3}, api_name="/steer")
    shown = ask(client, *me, -1, api_name="/clip")
    assert shown["step"] >= 1 and shown["n"] >= 1 and shown["src"].startswith("data:image/webp") and shown["numbers"]["losses"]
    ask(client, *me, "stop", api_name="/act")
    wait(client, mine, lambda news: news["state"] == "stopped")
    with pytest.raises(AppError, match="no clip of a run"):
        ask(client, "somebody else", mine["run"], -1, api_name="/clip")


@pytest.mark.parametrize("settings", [["tiny"], "tiny", 3, None])
def test_settings_that_are_no_object_are_told_so(client: Client, settings: Any) -> None:
    with pytest.raises(AppError, match="Expected settings as a JSON object"):
        ask(client, settings, api_name="/run")


def test_limits_hold_for_programs_and_are_told(client: Client) -> None:
    with pytest.raises(AppError, match="at most 19,000 steps; this one would have 19,001 steps. Choose fewer"):
        ask(client, {**RUN, "steps": 19_001}, api_name="/run")
    mine = ask(client, {**RUN, "steps": 1}, api_name="/run")
    ask(client, {**RUN, "steps": 1}, mine["visitor"], api_name="/run")
    with pytest.raises(AppError, match="The most runs that you may (have going on|begin in 24 hours): 2"):
        ask(client, {**RUN, "steps": 1}, mine["visitor"], api_name="/run")


def test_only_what_belongs_to_a_visitor_is_served(client: Client, public: tuple[str, Path]) -> None:
    url, home = public
    mine = ask(client, {**RUN, "steps": 1}, api_name="/run")
    wait(client, mine, lambda news: news["final"] is not None)
    (folder, *_) = (home / "leaps" / "runs").iterdir()
    for path in (
        folder / "run.json",
        folder / "checkpoint.pt",
        Path("/etc/passwd"),
        home / "page.log",
        Path("app.py").absolute(),
    ):
        for way in (f"gradio_api/file={path}", f"file={path}", f"gradio_api/file=../../..{path}", f"static/../../..{path}"):
            answer = httpx.get(url + way)
            assert answer.status_code in (403, 404) and "root:" not in answer.text and "created" not in answer.text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("poll", [[], {}, "x", 3, [], 4]),
        ("poll", ["../../etc", "../../etc/passwd", None, None, None, None]),
        ("news", ["a", {"b": []}]),
        ("clip", ["a", "..", "x"]),
        ("steer", ["a", "b", 3]),
        ("run", ["x", 3]),
        ("run", [["model"]]),
        ("start", [None] * 3),
    ],
)
def test_nonsense_is_answered_without_traces_and_paths(public: tuple[str, Path], name: str, data: list[Any]) -> None:
    url, home = public
    answer = httpx.post(f"{url}gradio_api/run/{name}", json={"data": data, "session_hash": "x"}, timeout=ANSWER)
    said = answer.text
    for secret in ("Traceback", "site-packages", 'File "', str(home), str(Path.cwd()), ".py"):
        assert secret not in said, said
    log = home / "page.log"
    with log.open("r+") as file:  # the page's log has what the visitor doesn't see; the fixture would take it for a failure
        file.truncate(0)


def test_it_answers_while_a_run_goes_on_and_says_who_may_frame_it(client: Client, public: tuple[str, Path]) -> None:
    url, _ = public
    mine = ask(client, {**RUN, "steps": 19_000}, api_name="/run")
    wait(client, mine, lambda news: news["newest"] is not None)
    begun = time.perf_counter()
    answer = httpx.get(url + "healthz")
    assert json.loads(answer.text)["running"] >= 1 and time.perf_counter() - begun < 2
    assert "frame-ancestors 'self'" in httpx.get(url).headers["content-security-policy"]
    assert httpx.get(url + "metrics").status_code == 404
    ask(client, mine["visitor"], mine["run"], "stop", api_name="/act")


def test_what_is_too_large_is_refused(public: tuple[str, Path]) -> None:
    answer = httpx.post(f"{public[0]}gradio_api/upload", files={"files": ("a.mp4", b"0" * 200_000)}, timeout=ANSWER)
    assert answer.status_code == 413


def test_a_frame_without_storage_works(browser: Any, public: tuple[str, Path]) -> None:
    """As in a Space, in a browser that lets frames store nothing."""
    from playwright.sync_api import expect

    lacking = (
        "for (const store of ['localStorage', 'sessionStorage']) Object.defineProperty(window, store, "
        "{configurable: true, get() { throw new DOMException('denied', 'SecurityError'); }});"
    )
    with opened(browser, public[0], lacking) as page:
        start = page.get_by_role("button", name="Start", exact=True)
        expect(start).to_be_enabled(timeout=119_000)
        expect(page.locator("#estimate")).to_contain_text("On this server a run has at most 19,000 steps")
        start.click()
        expect(page.locator("#status b")).to_have_text("running", timeout=119_000)
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.locator("#status b")).to_have_text("stopped", timeout=60_000)


def test_two_pages_of_a_visitor_go_their_own_ways(browser: Any, app_url: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    step = "parseInt(document.querySelector('#status').textContent.match(/step (\\d+)/)?.[1] || 0)"
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(app_url)
        _prepare(page, steps=LONG)
    _start(first)
    _state(first, "running")
    _start(second)
    _state(second, "queued")
    before = first.evaluate(step)
    first.wait_for_function(f"before => {step} > before", arg=before, timeout=WAIT)
    _state(first, "running")

    first.get_by_role("button", name="Stop", exact=True).click()
    _state(first, "stopped")
    _state(second, "running")
    second.get_by_role("button", name="Stop", exact=True).click()
    _state(second, "stopped")
    context.close()


def test_it_works_below_a_path_of_another_server(browser: Any, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    with serve(tmp_path, GRADIO_ROOT_PATH="/leaps") as (own, _), below("/leaps", own) as url:
        assert json.loads(httpx.get(url + "healthz", timeout=ANSWER).text)["status"] == "ok"
        context, wrong = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce"), []
        page = context.new_page()
        page.on("response", lambda answer: answer.status >= 400 and wrong.append(f"{answer.status} {answer.url}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request", lambda asked: asked.url.startswith("http") and not asked.url.startswith(url) and wrong.append(asked.url)
        )
        page.goto(url)
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled(timeout=WAIT)
        _prepare(page, steps=LONG)
        _start(page)
        _state(page, "running")
        page.get_by_role("button", name="Stop", exact=True).click()
        _state(page, "stopped")
        with page.expect_download() as saved:
            page.get_by_role("button", name="mp4", exact=True).click()
        assert saved.value.path().stat().st_size > 1000
        found = list(wrong)
        context.close()
        assert not found, found


def test_a_run_that_fails_says_so(browser: Any, public: tuple[str, Path]) -> None:
    from playwright.sync_api import expect

    url, home = public
    folder = home / "leaps" / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    folder.rename(home / "earlier runs")
    folder.write_text("no folder")
    page = browser.new_page()
    page.goto(url)
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_enabled(timeout=120_000)
    start.click()
    expect(page.locator("#status b")).to_have_text("error", timeout=60_000)
    expect(page.locator(".toast-body.warning")).to_contain_text("… can't be used: File exists.")
    assert str(home) not in page.content()
    page.close()
    folder.unlink()
    (home / "earlier runs").rename(folder)


def test_a_space_finds_all_that_it_needs_and_may_be_framed_by_hugging_face_only(tmp_path: Path) -> None:
    """The variables that a Space sets; nothing else is told to `python app.py`."""
    variables = {"SPACE_ID": "someone/leaps", "SPACE_HOST": "someone-leaps.hf.space", "SPACE_AUTHOR_NAME": "someone"}
    with serve(tmp_path, **variables, SYSTEM="spaces", PYTHONPATH=str(LENDER)) as (url, _):
        answer = httpx.get(url, timeout=ANSWER)
        framed = answer.headers["content-security-policy"]
        assert answer.status_code == 200 and "frame-ancestors 'self' https://huggingface.co" in framed
        assert httpx.get(f"{url}healthz", timeout=ANSWER).status_code == 200
        client = Client(url, verbose=False, httpx_kwargs={"timeout": ANSWER})
        mine = ask(client, {**RUN, "steps": 3}, api_name="/run")
        wait(client, mine, lambda news: news["state"] == "done")
        client.close()
        assert not any(tmp_path.glob("torch/**/*.*")), "it fetched weights that nobody asked for"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_space_is_built_from_the_repository_as_it_is(tmp_path: Path) -> None:
    """A clone; its Python, with requirements.txt and what the builder adds of Gradio in it, starts app.py and makes a
    run."""
    clone, readme = tmp_path / "clone", (ROOT / "README.md").read_text("utf-8")
    asked = re.search(r'^python_version: "([\d.]+)"$', readme, re.MULTILINE)
    gradio = re.search(r"^sdk_version: ([\d.]+)$", readme, re.MULTILINE)
    assert asked and gradio
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"  # whose own python3.12 may refuse
    python = next(iter(map(str, pyenv.glob(f"{asked[1]}.*/bin/python"))), None) or shutil.which(f"python{asked[1]}")
    if python is None:
        pytest.skip(f"there is no Python {asked[1]} here")
    there = tmp_path / "venv" / "bin" / "python"
    for command in (
        ["git", "clone", "-q", str(ROOT), str(clone)],
        [python, "-m", "venv", str(tmp_path / "venv")],
        [str(there), *PIP, "-r", str(clone / "requirements.txt"), f"gradio[oauth,mcp]=={gradio[1]}", "uvicorn>=0.14.0"],
    ):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stderr[-2000:]
    variables = {"SPACE_ID": "someone/leaps", "SPACE_HOST": "someone-leaps.hf.space"}
    with serve(tmp_path, start=(str(there), str(clone / "app.py")), **variables, SYSTEM="spaces", PYTHONPATH=str(LENDER)) as (
        url,
        _,
    ):
        client = Client(url, verbose=False, httpx_kwargs={"timeout": ANSWER})
        mine = ask(client, {"model": "puppet_csn", "action": "bowling", "steps": 3}, api_name="/run")
        assert wait(client, mine, lambda news: news["state"] == "done")["final"]["judge"] is not None
        client.close()


def test_a_space_to_which_a_card_is_lent_steers_a_run_between_chunks(tmp_path: Path) -> None:
    variables = {"SPACE_ID": "someone/leaps", "SPACES_ZERO_GPU": "true"}
    with serve(tmp_path, **variables, SYSTEM="spaces", PYTHONPATH=str(LENDER)) as (url, _):
        client = Client(url, verbose=False, httpx_kwargs={"timeout": ANSWER})
        mine = ask(client, {**RUN, "steps": 19_000}, api_name="/run")
        me = (mine["visitor"], mine["run"])
        wait(client, mine, lambda news: news["newest"] is not None)
        ask(client, *me, {"coherence": 0.0}, api_name="/steer")
        wait(client, mine, lambda news: news["newest"]["weighted"]["coherence"] == 0)
        ask(client, *me, "stop", api_name="/act")
        wait(client, mine, lambda news: news["state"] == "stopped" and news["final"] is not None)
        client.close()
