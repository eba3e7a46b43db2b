"""The page's HTTP interface, and what it refuses."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from leaps_core import runs
from tests.conftest import serve

pytestmark = pytest.mark.timeout(600)
ANSWER = 240  # s; the first one waits for PyTorch, on a shared machine that may be slow


@pytest.fixture(scope="module")
def client(app_url: str) -> Iterator[Client]:
    made = Client(app_url, verbose=False, httpx_kwargs={"timeout": ANSWER})
    yield made
    made.close()


def test_a_run_from_start_to_stop(client: Client) -> None:
    mine = ask(client, {"model": "tiny", "action": "bowling", "steps": 20_000}, api_name="/run")
    news = wait(client, mine, lambda news: news["newest"] is not None)
    assert news["state"] == "running" and news["newest"]["step"] >= 1
    assert ask(client, mine["visitor"], mine["run"], "pause", api_name="/act")["state"] == "paused"
    ask(client, mine["visitor"], mine["run"], "stop", api_name="/act")
    assert 0 <= wait(client, mine, lambda news: news["state"] == "stopped")["final"]["model"] <= 1


def test_a_stranger_learns_nothing(client: Client) -> None:
    mine = ask(client, {"model": "tiny", "action": "bowling", "steps": 1}, api_name="/run")
    with pytest.raises(AppError, match="no run"):
        ask(client, "somebody else", mine["run"], api_name="/news")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"model": "tiny", "action": "flying"}, "knows no action"),
        ({"model": "tiny", "action": "bowling", "r": "NaN"}, "expected a number"),
        ({"model": "tiny", "action": "bowling", "steps": 0}, "expected a number"),
        ({"model": "tiny_judge", "action": "bowling"}, "is the judge"),
        ({"model": "tiny", "action": "bowling", "stimuli": ["/etc/passwd"]}, "does not hold"),
        ({"model": "tiny"}, "“action” is missing"),
        ({"model": "tiny", "action": "bowling", "colour_of_hat": 1}, "no setting"),
    ],
)
def test_bad_settings_are_refused_with_a_sentence(client: Client, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AppError, match=sentence):
        ask(client, settings, api_name="/run")


def test_ctrl_c_saves_the_run_that_is_going_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(tmp_path) as (url, server):
        client = Client(url, verbose=False, httpx_kwargs={"timeout": ANSWER})
        mine = ask(client, {"model": "tiny", "action": "bowling", "steps": 20_000}, api_name="/run")
        wait(client, mine, lambda news: news["newest"] is not None)
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "leaps"))
    (folder,) = (tmp_path / "leaps" / "runs").iterdir()
    run = runs.Run.open(folder)
    assert run.status == "stopped" and 0 < run.done < 20_000 and run.clip.any() and run.checkpoint()


def ask(client: Client, *values: Any, api_name: str) -> Any:
    """The answer, or an error after a while: `Client.predict` would wait for ever."""
    return client.submit(*values, api_name=api_name).result(timeout=ANSWER)


def wait(client: Client, mine: dict[str, str], enough: Any) -> dict[str, Any]:
    """Ask for news until they are enough."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        news = ask(client, mine["visitor"], mine["run"], api_name="/news")
        if enough(news):
            return dict(news)
        time.sleep(0.5)
    raise AssertionError(f"it did not happen: {news}")
