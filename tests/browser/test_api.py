"""The page's HTTP interface, and what it refuses."""

from __future__ import annotations

import ast
import asyncio
import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from app.downloads import KINDS
from leaps_core import runs
from leaps_core.puppets import render_clip
from leaps_core.video import read, write_mp4
from tests.conftest import examples, serve

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


def test_what_is_known_can_be_run(client: Client) -> None:
    found = {one["model"]: one for one in ask(client, api_name="/known")}
    assert {"tiny", "puppet_csn"} <= set(found) and "tiny_far" not in found and "puppet_judge" not in found
    assert "bowling" in found["tiny"]["actions"] and found["tiny"]["frames"] == 8


def test_the_example_of_the_docs_runs(app_url: str) -> None:
    example = examples("docs/api.md", "python")[0].replace("http://127.0.0.1:7860", app_url)
    found: dict[str, Any] = {}
    exec(example.replace('"steps": 60', '"steps": 3'), found)  # noqa: S102
    assert found["news"]["state"] == "done" and found["clip"]["src"].startswith("data:image/webp") and found["clip"]["n"] == 16
    assert "puppet_csn" in [one["model"] for one in found["known"]]
    assert Path(found["mp4"]).name == "leaps-juggling-balls.mp4" and read(found["mp4"], 16, 112).frames.shape[0] == 16


def test_an_own_video_is_the_stimulus_as_the_docs_say(app_url: str, client: Client, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    clip = render_clip("juggling balls", 3, 16, 112)
    write_mp4(clip, tmp_path / "own.mp4")
    found: dict[str, Any] = {"client": client}
    exec(examples("docs/api.md", "python")[1].replace('"steps": 60', '"steps": 2'), found)  # noqa: S102
    mine = found["mine"]
    wait(client, mine, lambda news: news["state"] == "done")
    saved = {kind: ask(client, mine["visitor"], mine["run"], kind, api_name="/file") for kind in KINDS}
    assert json.loads(Path(saved["json"]).read_text("utf-8"))["config"]["stimuli"] == ["own.mp4"]
    assert all(Path(path).name == f"leaps-juggling-balls.{kind}" for kind, path in saved.items())
    with pytest.raises(AppError, match="no run"):
        ask(client, "somebody else", mine["run"], "mp4", api_name="/file")
    with pytest.raises(AppError, match="can't be saved as 'exe'"):
        ask(client, mine["visitor"], mine["run"], "exe", api_name="/file")


def test_a_file_that_was_not_uploaded_is_no_stimulus(app_url: str, tmp_path: Path) -> None:
    assert "Expected an uploaded file" in forged(app_url, {"path": "/etc/passwd"})["error"]
    told = "not uploaded by a user(.|\n)*127.0.0.1 failed validation"  # by Gradio, which writes it to the server's log
    with pytest.raises(AssertionError, match=told), serve(tmp_path) as (url, _):
        for path in ("/etc/passwd", "http://127.0.0.1:1/own.mp4"):
            forged(url, {"path": path, "meta": {"_type": "gradio.FileData"}})


def forged(url: str, video: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request for a run with something as its stimulus."""
    data = json.dumps({"data": [{"model": "tiny", "action": "bowling"}, "", video]}).encode()
    request = urllib.request.Request(f"{url}gradio_api/run/run", data, {"Content-Type": "application/json"})  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=ANSWER)  # noqa: S310
    return dict(json.loads(refused.value.read()))


def test_the_same_as_mcp_tools(tmp_path: Path) -> None:
    mcp = pytest.importorskip("mcp", reason="mcp is not installed; requirements-mcp.txt")
    streams = pytest.importorskip("mcp.client.streamable_http")

    async def use(url: str) -> dict[str, Any]:
        async with (
            streams.streamablehttp_client(f"{url}gradio_api/mcp/", timeout=ANSWER) as (read, write, _),
            mcp.ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            assert {name.removeprefix("leaps_") for name in tools} == {"known", "run", "news", "act", "steer", "clip", "file"}
            assert "model and action" in str(tools["run"].inputSchema)

            async def call(name: str, **values: Any) -> dict[str, Any]:
                answer = await session.call_tool(name, values)
                assert not answer.isError, answer
                return dict(ast.literal_eval(answer.content[0].text))  # as Gradio writes them

            mine = await call("run", settings={"model": "tiny", "action": "bowling", "steps": 3})
            for _ in range(600):
                news = await call("news", **mine)
                if news["state"] == "done":
                    break
                await asyncio.sleep(0.2)
            file = await session.call_tool("file", {**mine, "kind": "mp4"})
            return news | await call("clip", **mine) | {"file": file}

    with serve(tmp_path, mcp=True) as (url, _):
        for _ in range(10 * ANSWER):  # Gradio's own requests behind a tool wait for some seconds only
            if json.loads(urllib.request.urlopen(f"{url}healthz").read())["ready"]:  # noqa: S310
                break
            time.sleep(0.1)
        with ThreadPoolExecutor(1) as other:  # in this one, playwright may have a loop of its own
            found = other.submit(asyncio.run, use(url)).result()
        with urllib.request.urlopen(found["file"].content[0].text) as answer:  # noqa: S310
            (tmp_path / "clip.mp4").write_bytes(answer.read())
    assert read(tmp_path / "clip.mp4", 8, 64).frames.shape == (8, 64, 64, 3)
    assert found["state"] == "done" and 0 <= found["final"]["model"] <= 1 and found["src"].startswith("data:image/webp")


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
