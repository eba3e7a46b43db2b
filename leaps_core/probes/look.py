"""A closer look at a finished run: everything of this package, and its files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .. import files, video
from ..errors import ModelError
from ..runs import Run
from ..runs.figure import Entry, film
from . import gradient, motion, opinion
from .questions import Answer


@dataclass(frozen=True)
class Look:
    """What was found. Clips, uint8 (T, H, W, 3): the `clip`, what changed from frame to frame (`differences`), the optical
    `flow` with the speed of its full colours (`fastest`, px per frame), and where the model looks (`gradient`). `slice`: the
    row `row` of the pixels over time. Per frame, (T,): the mean `change` since the frame before, of the range, and the share
    of the model's `attention` (the gradient), which sums to 1. `since`: what changed since the start, of a clip that began at
    its stimulus. `answers` to the counter-questions, by question and network; `survived`: whether the model still names the
    action, by change that no run makes.
    Where the networks aren't on this machine, `lacking` says so, and what they would say is left out."""

    action: str
    clip: np.ndarray
    differences: np.ndarray
    flow: np.ndarray
    fastest: float
    slice: np.ndarray
    row: int
    change: np.ndarray
    since: np.ndarray | None = None
    gradient: np.ndarray | None = None
    attention: np.ndarray | None = None
    answers: dict[str, dict[str, Answer]] = field(default_factory=dict)
    survived: dict[str, bool] = field(default_factory=dict)
    lacking: str = ""

    @property
    def markdown(self) -> str:
        """The answers as a table, and a sentence on what they mean; or why there are none."""
        if not self.answers:
            return self.lacking
        networks = list(next(iter(self.answers.values())))
        lines = [f"| the clip | {' | '.join(networks)} |", f"| --- |{' --- |' * len(networks)}"]
        for question, said in self.answers.items():
            lines.append(f"| {question} | {' | '.join(_told(said[name], self.action) for name in networks)} |")
        return "\n".join([*lines, "", self.sentence, "", self.lasting])

    @property
    def lasting(self) -> str:
        """What is left after changes that no run makes."""
        names, lost = list(self.survived), [name for name, held in self.survived.items() if not held]
        count = f"{len(names) - len(lost)} of {len(names)}" if lost else f"all {len(names)}"
        but = f" It does not after: {', '.join(lost)}." if lost else ""
        return f"After {count} changes that no run makes ({', '.join(names)}) the model names “{self.action}”.{but}"

    @property
    def sentence(self) -> str:
        """Whether the model needs the clip's motion."""
        told = {question: said["model"] for question, said in self.answers.items()}
        whole, still = told["as it is"].action, max(told[name].action for name in ("frozen", "one frame only"))
        mixed = min(told[name].action for name in ("played backwards", "shuffled"))
        if whole < 0.2:
            return f"The model hardly sees “{self.action}” in this clip ({whole:.0%}), so the other answers say little."
        if still > whole / 2:
            return (
                f"One frame is enough: without any motion the model gives “{self.action}” {still:.0%} (the whole clip: "
                f"{whole:.0%}). What it knows of this action here is how it looks."
            )
        if mixed < whole / 2:
            return (
                f"Order matters: with its frames in another order the model gives “{self.action}” {mixed:.0%}, as it is "
                f"{whole:.0%}."
            )
        return (
            f"Motion matters, its order does not: a still picture gets {still:.0%}, the frames in another order {mixed:.0%} "
            f"or more, the whole clip {whole:.0%}."
        )

    @property
    def entries(self) -> list[Entry]:
        """Its clips, each with a name and a note."""
        found = [
            Entry(self.action, "", self.clip),
            Entry("what changes", f"white: {motion.FULL:.0%} of the range", self.differences),
            Entry("what moves", f"full colour: {self.fastest:.1f} px per frame", self.flow),
        ]
        if self.since is not None:
            found.insert(1, Entry("what changed since the start", found[1].note, self.since))
        return found if self.gradient is None else [*found, Entry("where the model looks", "the gradient", self.gradient)]

    @property
    def strip(self) -> str:
        """The name of the clip whose frames are worth a film strip: what changed."""
        return self.entries[1].name

    def write(self, folder: Path) -> None:
        """Write look.mp4 (the clips side by side), slice.png and look.json into a folder. Raises `OSError`."""
        from PIL import Image

        folder.mkdir(parents=True, exist_ok=True)
        video.write_mp4(film(f"“{self.action}”, a closer look", self.entries), folder / "look.mp4")
        with files.replacing(folder / "slice.png") as part:
            Image.fromarray(self.slice).save(part, "PNG")
        said = {q: {name: answer._asdict() for name, answer in row.items()} for q, row in self.answers.items()}
        found = {"action": self.action, "row": self.row, "fastest": self.fastest, "answers": said, "survived": self.survived}
        found |= {"change": self.change.tolist(), "attention": None if self.attention is None else self.attention.tolist()}
        files.write(folder / "look.json", json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def look(run: Run) -> Look:
    """Look closer at a run. Takes two dozen passes through the model, and a few through verifier and judge; of a run that is
    shipped, none. Raises `LeapsError` where it has no clip, or its model can't look at it."""
    config, clip = run.config, run.clip
    apart, (coloured, fastest) = motion.differences(clip), motion.coloured(motion.flow(clip))
    picture, row = motion.through_time(clip)
    since = None
    if config.begin_at == "stimulus" and len(stimulus := run.stimulus):
        since = motion.drawn(motion.changes(clip, video.resample(stimulus[0], *clip.shape[:2])))
    found = Look(config.action, clip, motion.drawn(apart), coloured, fastest, picture, row, apart.mean((1, 2)), since)
    try:
        said = opinion.kept(run) or opinion.ask(run)
    except ModelError as error:  # not downloaded; a custom model that is not registered any more
        return replace(found, lacking=str(error))
    return replace(
        found,
        gradient=gradient.heat(clip, said.weights),
        attention=said.weights.sum((1, 2)) / max(float(said.weights.sum()), 1e-12),
        answers=said.answers,
        survived=said.survived,
    )


def _told(answer: Answer, action: str) -> str:
    other = "" if answer.best == action else f" ({answer.best} {answer.of_best:.0%})"
    return f"{answer.action:.0%}{other}"
