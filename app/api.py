"""The page's HTTP interface: start a run, ask for news, steer, pause, resume, stop, look at its clip.

from gradio_client import Client
client = Client("http://127.0.0.1:7860")
mine = client.predict({"model": "puppet_csn", "action": "juggling balls", "steps": 60}, api_name="/run")
client.predict(mine["visitor"], mine["run"], api_name="/news")
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from leaps_core import models, video
from leaps_core.config import SynthesisConfig
from leaps_core.errors import ConfigError, RunError, brief

from . import controls, stage, start, views
from .jobs import Job
from .session import refused
from .views import JOBS


def publish() -> None:
    """Adds the interface to the page that is being built."""
    gr.api(refused(run), api_name="run", queue=False)
    gr.api(refused(news), api_name="news", queue=False)
    gr.api(refused(act), api_name="act", queue=False)
    gr.api(refused(steer), api_name="steer", queue=False)
    gr.api(refused(clip), api_name="clip", queue=False)


def run(settings: dict, visitor: str = "") -> dict:
    """Starts a run; settings are those of the config, the rest is what suits the model. Gives the names under which it can be
    asked for. If nobody asks for it for two minutes, it is stopped (see `act`)."""
    given = SynthesisConfig(**_checked(settings))  # tells what is missing or wrong
    config = models.configure(given.model, given.action, settings)
    controls.check_bundled(config)
    visitor = visitor or secrets.token_urlsafe(24)
    return {"visitor": visitor, "run": start.new(views.owner_of(visitor), controls.plan(config)).id}


def steer(visitor: str, run: str, settings: dict) -> dict:
    """Changes live settings of a run that is going on, from its next step on."""
    job = _find(visitor, run)
    job.control.set(**_checked(settings))
    return news(visitor, run)


def clip(visitor: str, run: str, step: int = -1) -> dict:
    """The newest snapshot of a run that is not newer than a step (-1: its newest): frames in one picture, row by row."""
    found = views.find(run, views.owner_of(visitor))
    at, frames, row = found.snapshot(found.config.steps if step < 0 else step) if found else (0, None, None)
    if frames is None:
        raise RunError(f"There is no clip of a run “{run}” of yours here yet.")
    return {"step": at, "numbers": row, **video.sprite(frames)}


def news(visitor: str, run: str) -> dict:
    """How far a run is: its status, the numbers of its newest step, and the final ones."""
    job = _find(visitor, run)
    return {
        **stage.report(job),
        "place": JOBS.place(job),
        "wait": round(JOBS.wait(job), 1) if JOBS.place(job) else 0,
        "newest": job.metrics[-1] if job.metrics else None,
        "final": job.step.final if job.step else None,
    }


def act(visitor: str, run: str, action: str) -> dict:
    """Pauses, resumes, stops or keeps a run: action is “pause”, “resume”, “stop” or “keep”. One that is kept goes on when
    nobody asks for it."""
    commands: dict[str, Callable[[Job], None]] = {"pause": JOBS.pause, "resume": JOBS.resume, "stop": JOBS.stop}
    commands["keep"] = partial(JOBS.keep, on=True)
    if action not in commands:
        raise RunError(f"There is no “{action}”. Known: {', '.join(commands)}.")
    commands[action](_find(visitor, run))
    return news(visitor, run)


def _checked(settings: object) -> dict[str, Any]:
    """Settings as they came. Raises `ConfigError` where they are no object."""
    if not isinstance(settings, dict):
        raise ConfigError(f'Expected settings as a JSON object, such as {{"coherence": 0.5}}, got {brief(repr(settings))}.')
    return settings


def _find(visitor: str, run: str) -> Job:
    job = JOBS.get(run, views.owner_of(visitor))
    if job is None:
        raise RunError(f"There is no run “{run}” of yours going on here.")
    return job
