"""What stands between the page and the web."""

from __future__ import annotations

import json

import gradio as gr
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app import walls
from app.views import JOBS

OURS = {
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
}


def client(**kwargs: str) -> TestClient:
    """Some application behind the walls."""

    def answer(request: object) -> PlainTextResponse:
        return PlainTextResponse("here", headers={"X-Content-Type-Options": "other", "X-Own": "1"})

    return TestClient(Starlette(routes=[Route("/page", answer)], middleware=walls.middleware()), **kwargs)  # type: ignore[arg-type]


def test_every_answer_has_the_headers() -> None:
    for path, status in (("/page", 200), ("/nowhere", 404), ("/healthz", 200)):
        answer = client().get(path)
        assert answer.status_code == status and set(answer.headers) >= OURS and len(OURS) == 5
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    answer = client().get("/page")
    assert answer.text == "here" and answer.headers["x-own"] == "1"


def test_the_page_gets_its_first_scripts_before_any_other() -> None:
    html = "<html><head><script>first()</script></head><body>a “page”</body></html>"
    routes = [Route("/", lambda request: HTMLResponse(html)), Route("/other", lambda request: HTMLResponse(html))]
    here = TestClient(Starlette(routes=routes, middleware=walls.middleware()))
    head, first, rest = here.get("/").text.partition("first()")
    assert first + rest == html[html.index("first()") :] and here.get("/other").text == html
    assert head.count("<head>") == 1 and "localStorage" in head and "setTimeout" in head


def test_who_may_frame_the_page_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "frame-ancestors 'self' https://huggingface.co" in walls.headers()["content-security-policy"]
    monkeypatch.setenv("LEAPS_FRAMES", "https://school.example")
    assert client().get("/page").headers["content-security-policy"].endswith("frame-ancestors https://school.example")


def test_nothing_is_loaded_from_elsewhere_but_what_a_space_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = walls.headers()["content-security-policy"].partition("; object-src")[0]
    assert "https" not in loaded
    monkeypatch.setenv("SPACE_ID", "someone/leaps")
    loaded = walls.headers()["content-security-policy"].partition("; object-src")[0]
    assert "default-src 'self' https://huggingface.co" in loaded and "script-src 'self' 'unsafe-inline'" in loaded


def test_health_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JOBS, "counts", lambda: {"running": 1, "waiting": 2, "paused": 0})
    for answer in (client().get("/healthz"), client(root_path="/leaps").get("/leaps/healthz")):
        said = json.loads(answer.text)
        assert said.pop("ready") in (True, False)
        assert said == {"status": "ok", "running": 1, "waiting": 2, "paused": 0}
    assert client().post("/healthz").status_code == 404


def test_metrics_are_off_until_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert client().get("/metrics").status_code == 404
    monkeypatch.setenv("LEAPS_METRICS", "1")
    monkeypatch.setattr(JOBS, "counts", lambda: {"running": 1, "waiting": 2, "paused": 0})
    monkeypatch.setattr(JOBS, "ended", {"done": 5})
    monkeypatch.setattr(JOBS, "steps", 77)
    said = client().get("/metrics").text
    for line in (
        'leaps_jobs{status="waiting"} 2.0',
        'leaps_runs_total{status="done"} 5.0',
        "leaps_steps_total 77.0",
        "process_resident_memory_bytes ",
    ):
        assert f"\n{line}" in said


def test_a_stream_that_nobody_waits_for_ends_without_an_error() -> None:
    with gr.Blocks() as page:
        gr.Textbox()
    page.queue()
    page.is_running = True
    here = TestClient(gr.routes.App.create_app(page, app_kwargs={"middleware": walls.middleware()}))
    answer = here.get("/gradio_api/queue/data", params={"session_hash": "gone"})
    assert answer.status_code == 200 and '"session_not_found":true' in answer.text


def test_other_errors_are_not_swallowed() -> None:
    def fail(request: object) -> PlainTextResponse:
        raise RuntimeError("something else")

    routes = [Route("/gradio_api/queue/data", fail)]
    with pytest.raises(RuntimeError, match="something else"):
        TestClient(Starlette(routes=routes, middleware=walls.middleware())).get("/gradio_api/queue/data")
