"""The page's HTTP interface: start a run, ask for news, pause, resume, stop.

from gradio_client import Client
client = Client("http://127.0.0.1:7860")
mine = client.predict({"model": "puppet_csn", "action": "juggling balls", "steps": 60}, api_name="/run")
client.predict(mine["visitor"], mine["run"], api_name="/news")
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from leaps_core import runs
from leaps_core.config import SynthesisConfig
from leaps_core.errors import LeapsError, RunError

from . import controls, stage, views
from .jobs import Job
from .views import JOBS


def publish() -> None:
    """Adds the interface to the page that is being built."""
    gr.api(_told(run), api_name="run", queue=False)
    gr.api(_told(news), api_name="news", queue=False)
    gr.api(_told(act), api_name="act", queue=False)


def run(settings: dict, visitor: str = "") -> dict:
    """Starts a run; settings are those of the config. Gives the names under which it can be asked for."""
    config = SynthesisConfig(**settings)
    controls.check_bundled(config)
    visitor = visitor or secrets.token_urlsafe(24)
    return {"visitor": visitor, "run": begin(views.owner_of(visitor), config).id}


def news(visitor: str, run: str) -> dict:
    """How far a run is: its status, the figures of its newest step, and the final ones."""
    job = _find(visitor, run)
    return {
        **stage.report(job),
        "place": JOBS.place(job),
        "newest": job.metrics[-1] if job.metrics else None,
        "final": job.step.final if job.step else None,
    }


def act(visitor: str, run: str, action: str) -> dict:
    """Pauses, resumes or stops a run: action is “pause”, “resume” or “stop”."""
    acts = {"pause": JOBS.pause, "resume": JOBS.resume, "stop": JOBS.stop}
    if action not in acts:
        raise RunError(f"There is no “{action}”. Known: {', '.join(acts)}.")
    acts[action](_find(visitor, run))
    return news(visitor, run)


def begin(owner: str, config: SynthesisConfig, changes: Any = ()) -> Job:
    """Queues a new run. Raises `LeapsError`."""
    from leaps_core import Control

    controls.check(config)
    return JOBS.start(owner, config, Control(changes), lambda control: runs.perform(config, control, owner=owner))


def _find(visitor: str, run: str) -> Job:
    job = JOBS.get(run, views.owner_of(visitor))
    if job is None:
        raise RunError(f"There is no run “{run}” of yours going on here.")
    return job


def _told(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def tells(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except LeapsError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return tells
