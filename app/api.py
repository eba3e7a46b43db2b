"""The page's HTTP interface: start a run, ask for news, pause, resume, stop.

from gradio_client import Client
client = Client("http://127.0.0.1:7860")
mine = client.predict({"model": "puppet_csn", "action": "juggling balls", "steps": 60}, api_name="/run")
client.predict(mine["visitor"], mine["run"], api_name="/news")
"""

from __future__ import annotations

import secrets

import gradio as gr

from leaps_core import models
from leaps_core.config import SynthesisConfig
from leaps_core.errors import RunError

from . import controls, stage, start, views
from .jobs import Job
from .session import refused
from .views import JOBS


def publish() -> None:
    """Adds the interface to the page that is being built."""
    gr.api(refused(run), api_name="run", queue=False)
    gr.api(refused(news), api_name="news", queue=False)
    gr.api(refused(act), api_name="act", queue=False)


def run(settings: dict, visitor: str = "") -> dict:
    """Starts a run; settings are those of the config, the rest is what suits the model. Gives the names under which it can be
    asked for."""
    given = SynthesisConfig(**settings)  # tells what is missing or wrong
    config = models.configure(given.model, given.action, settings)
    controls.check_bundled(config)
    visitor = visitor or secrets.token_urlsafe(24)
    return {"visitor": visitor, "run": start.new(views.owner_of(visitor), controls.plan(config)).id}


def news(visitor: str, run: str) -> dict:
    """How far a run is: its status, the numbers of its newest step, and the final ones."""
    job = _find(visitor, run)
    return {
        **stage.report(job),
        "place": JOBS.place(job),
        "newest": job.metrics[-1] if job.metrics else None,
        "final": job.step.final if job.step else None,
    }


def act(visitor: str, run: str, action: str) -> dict:
    """Pauses, resumes or stops a run: action is “pause”, “resume” or “stop”."""
    commands = {"pause": JOBS.pause, "resume": JOBS.resume, "stop": JOBS.stop}
    if action not in commands:
        raise RunError(f"There is no “{action}”. Known: {', '.join(commands)}.")
    commands[action](_find(visitor, run))
    return news(visitor, run)


def _find(visitor: str, run: str) -> Job:
    job = JOBS.get(run, views.owner_of(visitor))
    if job is None:
        raise RunError(f"There is no run “{run}” of yours going on here.")
    return job
