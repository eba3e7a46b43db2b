"""What stands between the page and the web: headers of every answer, scripts that run before Gradio's, a health check, metrics.

A layer around Gradio's application, so that it answers even while events wait.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import preload
from .theme import web
from .views import JOBS

FRAMES = "'self' https://huggingface.co https://*.hf.space"
"""Pages that may show this one in a frame; LEAPS_FRAMES names others."""
OF_A_SPACE = "https://huggingface.co https://fonts.googleapis.com https://fonts.gstatic.com"
"""Where Gradio's page asks for its fonts and its owner, in a Space and nowhere else."""


def headers() -> dict[str, str]:
    """What every answer says. Gradio and Plotly write scripts and styles into the page and make functions of text; nothing else
    is loaded, from nowhere but here."""
    own = "'self'" + f" {OF_A_SPACE}" * ("SPACE_ID" in os.environ)
    policy = {
        "default-src": f"{own} data: blob:",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src": f"{own} 'unsafe-inline'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": os.environ.get("LEAPS_FRAMES", FRAMES),
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "cross-origin-opener-policy": "same-origin",
    }


def middleware() -> list[Middleware]:
    """The layer, as an application takes it."""
    return [Middleware(Walls)]


class Walls:
    """The layer itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.headers = app, {name.encode(): value.encode() for name, value in headers().items()}
        self.head = f"<head><script>{web('storage.js')}{web('clock.js')}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers /healthz and /metrics; every other answer is Gradio's. The page gets its first scripts: Gradio's `head` comes
        when some of its own have run."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        path = scope["path"].removeprefix(scope.get("root_path", ""))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in self.headers]
                message["headers"] = [*kept, *self.headers.items()]
            await send(message)

        async def with_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [pair for pair in message["headers"] if pair[0] != b"content-length"]
            else:
                message["body"] = message.get("body", b"").replace(b"<head>", self.head, 1)
            await with_headers(message)

        if scope["method"] in ("GET", "HEAD") and path in ANSWERS and (found := ANSWERS[path]()) is not None:
            kind, text = found
            start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]}
            await with_headers(start)
            await with_headers({"type": "http.response.body", "body": text.encode()})
            return
        try:
            await self.app(scope, receive, with_head if path in ("", "/") else with_headers)
        except RuntimeError as error:
            # A stream of messages that nobody waits for any more (the visitor left, or the server was begun again): Gradio
            # says so in the stream and then raises a 404, though its answer has begun.
            if not (path.endswith("/queue/data") and isinstance(error.__cause__, HTTPException)):
                raise
            await with_headers({"type": "http.response.body", "body": b""})


def health() -> tuple[str, str]:
    """Whether it is up, and whether models are loaded."""
    return "application/json", json.dumps({"status": "ok", "ready": preload.ready(), **JOBS.counts()})


def metrics() -> tuple[str, str] | None:
    """Numbers for Prometheus, if LEAPS_METRICS is 1: runs by status, steps of all, memory, open files. Nothing of anyone."""
    if os.environ.get("LEAPS_METRICS") != "1":
        return None
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    class Collector:
        def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
            jobs = GaugeMetricFamily("leaps_jobs", "Runs that are going on, waiting or paused", labels=["status"])
            ended = CounterMetricFamily("leaps_runs", "Runs that ended", labels=["status"])
            for family, counts in ((jobs, JOBS.counts()), (ended, JOBS.ended)):
                for status, count in counts.items():
                    family.add_metric([status], count)
            yield from (jobs, ended)
            yield CounterMetricFamily("leaps_steps", "Steps of all runs", value=JOBS.steps)

    registry = CollectorRegistry()
    registry.register(Collector())  # type: ignore[arg-type]
    ProcessCollector(registry=registry)
    return CONTENT_TYPE_LATEST, generate_latest(registry).decode()


ANSWERS: dict[str, Callable[[], tuple[str, str] | None]] = {"/healthz": health, "/metrics": metrics}
