"""A closer look at a finished run: everything of this package, and its files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .. import files, video
from ..errors import ModelError
from ..runs import Run
from ..runs.figure import Entry, film
from . import gradient, motion, opinion
from .questions import Answer


def english(words: str, **values: object) -> str:
    """Words as they stand here, with values in the places of their names."""
    return words.format(**values) if values else words


@dataclass(frozen=True)
class Look:
    """What was found. Clips, uint8 (T, H, W, 3): the `clip`, what changed from frame to frame (`differences`), the optical
    `flow` with the speed of its full colours (`fastest`, px per frame), and where the model looks (`gradient`). `slice`: the
    row `row` of the pixels over time. Per frame, (T,): the mean `change` since the frame before, of the range, and the share
    of the model's `attention` (the gradient), which sums to 1. `since`: what changed since the start, of a clip that began at
    its stimulus. `answers` to the counter-questions, by question and network; `survived`: whether the model still names the
    action, by everyday change.
    Where the networks aren't on this machine, `lacking` says so, and what they would say is left out. `say` puts what is said
    of it into words of another language."""

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
    say: Callable[..., str] = field(default=english, repr=False, compare=False)

    @property
    def markdown(self) -> str:
        """The answers as a table, and a sentence on what they mean; or why there are none."""
        if not self.answers:
            return self.lacking
        networks = list(next(iter(self.answers.values())))
        heads = " | ".join(map(self.say, ("the clip", *networks)))
        lines = [f"| {heads} |", f"| --- |{' --- |' * len(networks)}"]
        for question, said in self.answers.items():
            lines.append(f"| {self.say(question)} | {' | '.join(_told(said[name], self.action) for name in networks)} |")
        alone = "" if len(networks) > 1 else self.say("No other network here knows these actions, so nobody else was asked.")
        return "\n".join([*lines, "", self.sentence, "", self.lasting, "", alone]).rstrip()

    @property
    def lasting(self) -> str:
        """What is left after everyday changes."""
        names, total = ", ".join(map(self.say, self.survived)), len(self.survived)
        lost = [name for name, held in self.survived.items() if not held]
        if not lost:
            said = "After all {total} everyday changes ({names}) the model names “{action}”."
            return self.say(said, total=total, names=names, action=self.action)
        said = "After {held} of {total} everyday changes ({names}) the model names “{action}”."
        told = self.say(said, held=total - len(lost), total=total, names=names, action=self.action)
        return f"{told} {self.say('It does not after: {lost}.', lost=', '.join(map(self.say, lost)))}"

    @property
    def sentence(self) -> str:
        """Whether the model needs the clip's motion."""
        told = {question: said["model"] for question, said in self.answers.items()}
        whole, still = told["as it is"].action, max(told[name].action for name in ("frozen", "one frame only"))
        mixed = min(told[name].action for name in ("played backwards", "shuffled"))
        if whole < 0.2:
            meaning = "The model hardly sees “{action}” in this clip ({whole}), so the other answers say little."
        elif still > whole / 2:
            meaning = (
                "One frame is enough: without any motion the model gives “{action}” {still} (the whole clip: {whole}). What it "
                "knows of this action here is how it looks."
            )
        elif mixed < whole / 2:
            meaning = "Order matters: with its frames in another order the model gives “{action}” {mixed}, as it is {whole}."
        else:
            meaning = (
                "Motion matters, its order does not: a still picture gets {still}, the frames in another order {mixed} or "
                "more, the whole clip {whole}."
            )
        shares = {name: f"{share:.0%}" for name, share in (("whole", whole), ("still", still), ("mixed", mixed))}
        return self.say(meaning, action=self.action, **shares)

    @property
    def entries(self) -> list[Entry]:
        """Its clips, each with a name and a note."""
        white = self.say("white: {share} of the range", share=f"{motion.FULL:.0%}")
        found = [
            Entry(self.action, "", self.clip),
            Entry(self.say("what changes"), white, self.differences),
            Entry(
                self.say("what moves"), self.say("full colour: {speed} px per frame", speed=f"{self.fastest:.1f}"), self.flow
            ),
        ]
        if self.since is not None:
            found.insert(1, Entry(self.say("what changed since the start"), white, self.since))
        if self.gradient is not None:
            found.append(Entry(self.say("where the model looks"), self.say("the gradient"), self.gradient))
        return found

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


def look(run: Run, tell: files.Progress = lambda done, total: None) -> Look:
    """Look closer at a run. Takes two dozen passes through the model, and a few through verifier and judge; of a run that is
    shipped, none. `tell` is told how much of it is done. Raises `LeapsError` where it has no clip, or its model
    can't look at it."""
    config, clip = run.config, run.clip
    apart, (coloured, fastest) = motion.differences(clip), motion.coloured(motion.flow(clip))
    picture, row = motion.through_time(clip)
    since = None
    if config.begin_at == "stimulus" and len(stimulus := run.stimulus):
        since = motion.drawn(motion.changes(clip, video.resample(stimulus[0], *clip.shape[:2])))
    found = Look(config.action, clip, motion.drawn(apart), coloured, fastest, picture, row, apart.mean((1, 2)), since)
    try:
        said = opinion.kept(run) or opinion.ask(run, tell)
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
