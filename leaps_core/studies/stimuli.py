"""Which real clips prime the runs of a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import models, video
from ..config import SynthesisConfig, bundled_stimulus
from ..errors import RunError
from .study import Asked, Trial

FOUR = ("juggling balls", "crawling baby", "dribbling basketball", "playing trumpet")
"""The actions of the paper's figures."""
EIGHT = (*FOUR, "making pizza", "tai chi", "bowling", "side kick")
"""Those, and four more that the bundled world has, two of them with an object."""
THE_PAPERS: dict[str, Any] = {"evidence": 0.0, "frame_verifier": "none"}
"""Settings that leave out the terms that the paper's loss doesn't have, smoothness aside."""
UNREGULARIZED: dict[str, Any] = {"coherence": 0.0, "diversity": 0.0, **THE_PAPERS}
"""Settings that leave cross entropy and priming alone, smoothness aside."""
APART = 1000
"""Bundled clips that a seed may use: two seeds share none."""


def config(asked: Asked, model: str, action: str, seed: int, count: int = 1, **settings: Any) -> SynthesisConfig:
    """A run of the study: the settings that suit the model, the seed, `count` stimuli of its own, then
    `settings`, and what was asked for. Raises `LeapsError`."""
    primed = {} if "stimuli" in settings else {"stimuli": stimuli(asked, action, seed, count)}
    given = {"seed": seed, **primed, **settings, **asked.settings}
    return models.configure(model, action, given)


def stimuli(asked: Asked, action: str, seed: int, count: int = 1) -> tuple[str, ...]:
    """So many clips that prime a run: bundled ones, or those of the folder that was given, from another one on for each seed.
    None in a world that has neither: such a run is unprimed. Raises `RunError` for more than there are."""
    if asked.stimuli is None:
        if asked.world != models.PUPPETS:
            return ()
        return tuple(bundled_stimulus(seed * APART + i) for i in range(count))
    found = videos_of(asked.stimuli, action)
    if len(found) < count:
        raise RunError(
            f"{asked.stimuli} holds {len(found)} videos of “{action}”; {count} are needed. They are named after the action "
            f"({action.replace(' ', '_')}.mp4), or lie in a folder of its name."
        )
    first = seed - asked.first_seed
    return tuple(str(found[(first + i) % len(found)].absolute()) for i in range(count))


def repeated(asked: Asked) -> str:
    """Which videos prime the runs of more than one seed, as a sentence; empty where none does."""
    if asked.stimuli is None:
        return ""
    few = {action: len(videos_of(asked.stimuli, action)) for action in asked.actions}
    told = ", ".join(f"{action}: {count}" for action, count in few.items() if 0 < count < asked.seeds)
    return f"There are fewer videos than the {asked.seeds} seeds ({told}): some prime several runs." if told else ""


def varied(asked: Asked, column: str, arms: Callable[[str], Mapping[Any, dict[str, Any]]]) -> list[Trial]:
    """Runs of each model, seed and action, once for each of the model's `arms`: what stands in the `column`, and settings."""
    return [
        Trial({"model": model, column: arm, "action": action, "seed": seed}, config(asked, model, action, seed, **settings))
        for model in asked.models
        for seed in asked.range
        for action in asked.actions
        for arm, settings in arms(model).items()
    ]


def most(asked: Asked, action: str) -> int:
    """How many clips there are to prime an action with."""
    if asked.stimuli is None:
        return APART if asked.world == models.PUPPETS else 0
    return len(videos_of(asked.stimuli, action))


def need(asked: Asked, study: str, count: int = 1) -> None:
    """Raises `RunError` unless there are so many clips to prime each action with."""
    for action in asked.actions:
        if (there := most(asked, action)) < count:
            lacking = "is no real clip" if not there else f"are {there} real clips, not {count},"
            raise RunError(
                f"The study “{study}” primes its runs, and there {lacking} of “{action}”. Give --stimuli DIR, a folder of "
                f"videos named after their actions ({action.replace(' ', '_')}.mp4)."
            )


def videos_of(folder: Path, action: str) -> list[Path]:
    """The videos of an action in a folder, by name: ACTION.mp4, ACTION_2.mp4, or ACTION/anything.mp4; _ may stand for
    spaces."""
    if not folder.is_dir():
        raise RunError(f"{folder} is no folder; expected one of videos named after their actions.")
    inside = [part for part in folder.iterdir() if part.is_dir() and part.name.replace("_", " ") == action]
    here = [path for path in folder.iterdir() if path.is_file() and _names(path.stem, action)]
    found = [*here, *(path for part in inside for path in part.iterdir())]
    films = [path for path in found if path.suffix.lower() in video.EXTENSIONS]
    return sorted(films, key=lambda path: (path.parent != folder, path))


def _names(stem: str, action: str) -> bool:
    rest = stem.replace("_", " ").removeprefix(action)
    return rest != stem.replace("_", " ") and (not rest or rest.strip(" -").isdecimal())
