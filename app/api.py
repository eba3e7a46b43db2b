"""The page's HTTP interface, and its MCP tools: what can be inverted, start a run, ask for news, steer, pause, resume, stop,
look at its clip, have its files. docs/api.md has examples."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from leaps_core import models, video
from leaps_core.config import SynthesisConfig
from leaps_core.errors import ConfigError, RunError, brief

from . import controls, downloads, stage, start, views
from .jobs import Job
from .session import refused
from .views import JOBS

FILE = {"_type": "gradio.FileData"}
"""What tells Gradio that an object of an answer, or of a request, is a file."""


def publish() -> None:
    """Adds the interface to the page that is being built."""
    for function in (known, run, news, act, steer, clip, file):
        gr.api(refused(function), api_name=function.__name__, queue=False)


def known() -> list[dict]:
    """Models that can be inverted here and the actions that each knows."""
    chosen = [spec for spec in models.specs() if spec.role == "model" and models.state(spec) != "download"]
    return [
        {
            "model": spec.key,
            "name": spec.name,
            "world": spec.world,
            "frames": spec.frames,
            "size": spec.size,
            "actions": list(models.labels(spec.world)),
        }
        for spec in chosen
    ]


def run(settings: dict, visitor: str = "", video: gr.FileData | None = None) -> dict:
    """Starts a run: a clip comes out of noise until a video classifier sees an action in it. If nobody asks for it for two
    minutes, it is stopped (see `act`).

    Args:
        settings: model and action (see `known`); others as the config has them, as steps or seed; the rest suits the model.
        visitor: a secret of yours from an earlier answer, which your runs belong to; empty: a new one.
        video: a file of yours that primes it instead of bundled clips.

    Returns:
        visitor and run, by which it can be asked for.
    """
    given = SynthesisConfig(**_checked(settings))  # tells what is missing or wrong
    config = models.configure(given.model, given.action, settings)
    controls.check_bundled(config)
    if video is not None:
        config = config.replace(stimuli=(_uploaded(video),))
    visitor = visitor or secrets.token_urlsafe(24)
    return {"visitor": visitor, "run": start.new(views.owner_of(visitor), controls.plan(config)).id}


def steer(visitor: str, run: str, settings: dict) -> dict:
    """Changes live settings of a run that is going on, from its next step on.

    Args:
        visitor: the secret that the run belongs to.
        run: its id.
        settings: for example {"coherence": 0}.
    """
    job = _find(visitor, run)
    job.control.set(**_checked(settings))
    return news(visitor, run)


def clip(visitor: str, run: str, step: int = -1) -> dict:
    """A snapshot of a run: all frames in one picture (`src`, a data address), row by row, in `cols` columns of `w` x `h` px.

    Args:
        visitor: the secret that the run belongs to.
        run: its id.
        step: the newest snapshot that is not newer; -1: the newest of all.
    """
    found = views.find(run, views.owner_of(visitor))
    at, frames, row = found.snapshot(found.config.steps if step < 0 else step) if found else (0, None, None)
    if frames is None:
        raise RunError(f"There is no clip of a run “{run}” of yours here yet.")
    return {"step": at, "numbers": row, **video.sprite(frames)}


def file(visitor: str, run: str, kind: str) -> gr.FileData:
    """A file of a run.

    Args:
        visitor: the secret that the run belongs to.
        run: its id.
        kind: "mp4" or "webp", the clip; "npz", its numbers; "json", its settings; "html", one page with all of it; "film.mp4",
            "film.webp" or "film.gif", from noise to clip.
    """
    found = views.on_disk(run, views.owner_of(visitor))
    if found is None:
        raise RunError("The run has no files yet.")
    path = downloads.save(found, kind)
    return {"path": str(path), "orig_name": path.name, "meta": FILE}  # type: ignore[return-value]  # as Gradio sends it


def news(visitor: str, run: str) -> dict:
    """How far a run is: its state, the numbers of its newest step, and the final ones.

    Args:
        visitor: the secret that the run belongs to.
        run: its id.
    """
    job = _find(visitor, run)
    said = stage.report(job)
    return {
        "state": said["state"],
        "text": said["text"],
        "place": JOBS.place(job),
        "wait": round(JOBS.wait(job), 1) if JOBS.place(job) else 0,
        "newest": job.metrics[-1] if job.metrics else None,
        "final": job.step.final if job.step else None,
    }


def act(visitor: str, run: str, action: str) -> dict:
    """Pauses, resumes, stops or keeps a run.

    Args:
        visitor: the secret that the run belongs to.
        run: its id.
        action: "pause", "resume", "stop", or "keep": then it goes on when nobody asks for it.
    """
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


def _uploaded(sent: Any) -> str:
    """Where an uploaded file lies; Gradio has checked that it is one, if it says so. Raises `ConfigError`."""
    match sent:
        case {"path": str(path), "meta": {"_type": kind}} if kind == FILE["_type"]:
            return path
    raise ConfigError(f"Expected an uploaded file, such as handle_file(“own.mp4”) gives, got {brief(repr(sent))}.")


def _find(visitor: str, run: str) -> Job:
    job = JOBS.get(run, views.owner_of(visitor))
    if job is None:
        raise RunError(f"There is no run “{run}” of yours going on here.")
    return job
