"""A run as it lies on disk: its folder, and what run.json says.

A run's folder holds run.json (config, changes, versions, final scores), metrics.jsonl (one line per step), snapshots.npz (until
it ends, snapshots.part), stimulus.npz, clip.npz, clip.mp4, clip.webp and checkpoint.pt. Importing this module does not import
torch.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from .. import __version__, files, paths, video
from ..config import SynthesisConfig, bundled_action, bundled_seed
from ..errors import RunError
from ..puppets import render_clip
from . import waiting
from .again import Again, Leg, config_of, leg, legs_of, parsed, read_json

PACKED = "snapshots.mp4"
"""Where a packed run keeps the pictures of its snapshots, one after the other."""
INTERRUPTED = "interrupted"
"""The status of a run whose process was killed."""
LOCK = ".lock"
"""The file that is locked while somebody writes in a run's folder."""
NOTE = "note.txt"
"""Where a run keeps what its owner wrote about it."""
MOST_BYTES = 2**33
"""Bytes of the largest arrays that are read: 400 snapshots of 64 frames of 320×320 are 7.9e9."""


class Snapshots(NamedTuple):
    """Snapshots of a run: clips uint8 (N, T, H, W, 3), all of the final size; steps (N,); embeddings (N, D)."""

    clips: np.ndarray
    steps: np.ndarray
    embeddings: np.ndarray


@dataclass
class Run:
    """A run's folder. Pictures and numbers are read when asked for and not kept; `RunError` where they are missing.

    `record` is what run.json says; nobody but this class and the writer looks into it. A run that was never resumed has one
    leg.
    """

    folder: Path
    record: dict[str, Any]
    config: SynthesisConfig

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """The run in `folder`. Reads run.json only. Raises `RunError` if there is none, or it can't be understood."""
        folder = Path(folder)
        record = read_json(folder / "run.json")
        fits = {
            "config": dict,
            "created": str,
            "status": str,
            "owner": str,
            "changes": list,
            "notices": list,
            "legs": list,
            "final": dict | None,
        }
        wrong = [name for name, kind in fits.items() if not isinstance(record.get(name, ...), kind)]
        if not wrong and _time(record["created"]) is None:
            wrong = ["created"]
        if wrong:
            raise RunError(f"{folder / 'run.json'} is not a run's: “{wrong[0]}” is missing or of the wrong kind.")
        return cls(folder, record, config_of(record["config"], folder / "run.json"))

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @classmethod
    def new(cls, folder: Path, config: SynthesisConfig, owner: str, notices: Iterable[str], branched: bool) -> Run:
        """A run that has just begun; nothing of it is on the disk yet. branched: whether it begins at another's checkpoint."""
        record = {
            "created": datetime.now(UTC).isoformat(),
            "status": "running",
            "owner": owner,
            "config": config.model_dump(mode="json"),
            "changes": [],
            "notices": list(notices),
            "legs": [],
            "final": None,
            "branched": branched,
            "versions": {
                "leaps": __version__,
                "python": platform.python_version(),
                **{name: version(name) for name in ("torch", "torchvision", "numpy")},
            },
        }
        return cls(folder, record, config)

    def go_on(self, earlier: Run, done: int, again: bool, config: SynthesisConfig, notices: Iterable[str]) -> None:
        """Become what goes on after step `done` of `earlier`, which is the same run as it lies on disk, with another number of
        steps. again: what was changed after that step will be changed again, and stays noted."""
        past = [leg for leg in earlier.legs if leg["to"] < done]
        total = earlier.legs[len(past)]["total"] if len(earlier.legs) > len(past) else earlier.config.steps
        self.config, self.record = (
            config,
            {
                **earlier.record,
                "config": config.model_dump(mode="json"),
                "changes": [change for change in earlier.changes if again or change["step"] <= done],
                "notices": list(dict.fromkeys([*earlier.notices, *notices])),
                "legs": [*past, {"to": done, "total": total}] if done else [],
            },
        )
        if not again or config.steps != earlier.config.steps:
            self.record.pop("planned", None)

    def save(self, **facts: Any) -> None:
        """Note some facts, and write run.json, whole or not at all. Raises `OSError`."""
        self.record.update(facts)
        files.write(self.folder / "run.json", json.dumps(self.record, indent=1, ensure_ascii=False, default=float) + "\n")

    @property
    def shared(self) -> str:
        """run.json as it may be shown to others: without its owner, and without folders of this machine."""
        stimuli = [name if bundled_seed(name) is not None else Path(name).name for name in self.config.stimuli]
        shown = {**self.record, "owner": "", "config": {**self.record["config"], "stimuli": stimuli}}
        return json.dumps(shown, indent=1)

    @property
    def note(self) -> str:
        """What its owner wrote about it; it stays in this folder, and isn't in `shared`."""
        try:
            return (self.folder / NOTE).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    @property
    def owner(self) -> str:
        """Who made it; "" on a personal machine."""
        return str(self.record["owner"])

    @property
    def created(self) -> datetime:
        """When it was begun (UTC)."""
        return _time(self.record["created"]) or datetime.fromtimestamp(0, UTC)

    @property
    def weights(self) -> str:
        """Which weights the model had (see `models.fingerprint`); "" where it wasn't noted."""
        return str(self.record.get("weights") or "")

    @property
    def error(self) -> str:
        """Why it failed; "" if it didn't."""
        return str(self.record.get("error") or "")

    @property
    def pinned(self) -> bool:
        """Whether it stays when space is made (see `tidy`)."""
        return bool(self.record.get("pinned"))

    @property
    def branched(self) -> bool:
        """Whether it began at another run's checkpoint."""
        return bool(self.record.get("branched"))

    @property
    def legs(self) -> list[Leg]:
        """The stretches that led to the clip."""
        return list(self.record["legs"])

    @property
    def again(self) -> Again:
        """What makes it again; of one that goes on, or was interrupted, as far as it was to go."""
        return Again(self.config, self.changes, legs_of(self.record, self.config))

    def longer(self, steps: int) -> Again:
        """What makes it again once it has gone on for so many more steps."""
        config = self.config.replace(steps=self.done + steps)
        if self.status == INTERRUPTED and config.steps == self.config.steps:
            return self.again
        return Again(config, self.changes, [*self.legs, leg(config)])

    @property
    def demo(self) -> bool:
        """Whether it is one of the shipped runs."""
        return self.folder.resolve().parent == paths.DEMOS.resolve()

    @property
    def status(self) -> str:
        """running, done, stopped, failed; interrupted: the process that made it was killed, and it can go on."""
        said = str(self.record["status"])
        return INTERRUPTED if said == "running" and not files.is_locked(self.folder / LOCK) else said

    @property
    def changes(self) -> list[dict[str, Any]]:
        """What was changed while it ran: [{"step": 40, "field": "r", "value": 0.01}, ...]."""
        return list(self.record["changes"])

    @property
    def notices(self) -> list[str]:
        """What a person should know about it (unprimed, no verifier, ...)."""
        return list(self.record["notices"])

    @property
    def final(self) -> dict[str, Any] | None:
        """The scores of the finished clip (see `Step.final`); None if it was not finished properly."""
        return self.record["final"]

    @property
    def done(self) -> int:
        """Steps done, as far as they are saved."""
        return self.legs[-1]["to"] if self.legs else 0

    def has(self, file: str) -> bool:
        """Whether there is such a file in its folder."""
        return (self.folder / file).is_file()

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """One dict per step: step, seconds, losses, weighted, probabilities, top5. Empty before the first step."""
        try:
            lines = (self.folder / "metrics.jsonl").read_text("utf-8", errors="replace").splitlines()
        except OSError:
            return []
        return [line for line in map(parsed, lines) if isinstance(line, dict)]

    @property
    def snapshots(self) -> Snapshots:
        """All snapshots at once (see `Snapshots`); of a packed run (see `pack`) slightly lossy, of an interrupted run those
        before the process was killed."""
        if self.has(waiting.FILE):
            return self._waiting()
        steps, embeddings = (self._array("snapshots.npz", name) for name in ("steps", "embeddings"))
        if not self.has(PACKED):
            return Snapshots(self._array("snapshots.npz", "clips"), steps, embeddings)
        t, size = self.clip.shape[:2]
        frames = video.read(self.folder / PACKED, len(steps) * t, size).frames
        return Snapshots(frames.reshape(len(steps), t, size, size, 3), steps, embeddings)

    @property
    def stimulus(self) -> np.ndarray:
        """The clips that primed it: uint8 (N, T, H, W, 3); N = 0 if unprimed. Of a packed run, drawn anew."""
        if self.has(PACKED) and not self.has("stimulus.npz"):
            t, size = self.clip.shape[:2]
            return np.stack([render_clip(*drawn, t, size) for drawn in bundled_clips(self.config)])
        return self._array("stimulus.npz", "clips")

    @property
    def clip(self) -> np.ndarray:
        """The final clip, or of a run that has none yet its newest snapshot: uint8 (T, H, W, 3)."""
        if self.has(waiting.FILE) and not self.has("clip.npz"):
            return self.snapshots.clips[-1]
        return self._array("clip.npz", "frames")

    @property
    def tensor(self) -> np.ndarray:
        """The final clip as it was optimised: float32 (3, T, H, W) in [0, 1]."""
        return self._array("clip.npz", "clip")

    def checkpoint(self) -> dict[str, Any]:
        """What `synthesize` needs to go on. Raises `RunError` if it is missing or damaged. Imports torch."""
        import torch

        path = self.folder / "checkpoint.pt"
        if not self.has(path.name):
            raise RunError(f"The run “{self.id}” has no checkpoint, so it can't go on; replay it instead.")
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise RunError(f"{path} is damaged, so the run can't go on; replay it instead.") from error

    def _waiting(self) -> Snapshots:
        """The snapshots of a run that is going on, or was when its process was killed: those of its earlier legs, and those
        that wait."""
        found = [snapshot for snapshot, _ in waiting.read(self.folder / waiting.FILE)]
        if self.has("snapshots.npz"):
            earlier = zip(*(self._array("snapshots.npz", name) for name in ("steps", "embeddings", "clips")), strict=True)
            first = found[0][0] if found else math.inf
            found = [*((int(step), *rest) for step, *rest in earlier if step < first), *found]
        if not found:
            raise RunError(f"The run “{self.id}” has no snapshots yet.")
        t, size = found[-1][2].shape[:2]
        clips = [clip if len(clip[0]) == size else video.resample(clip, t, size) for _, _, clip in found]
        return Snapshots(np.stack(clips), np.array([step for step, _, _ in found]), np.stack([at for _, at, _ in found]))

    def _array(self, file: str, name: str) -> np.ndarray:
        try:
            with files.arrays(self.folder / file, MOST_BYTES) as found:
                return np.asarray(found[name])
        except FileNotFoundError:
            raise RunError(f"The run “{self.id}” has no {file}.") from None
        except KeyError:
            raise RunError(f"{file} of the run “{self.id}” has no “{name}”; the demos' have the frames only.") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{file} of the run “{self.id}” is damaged ({error}).") from error


def _time(text: str) -> datetime | None:
    """A moment in ISO 8601 (UTC, unless it says otherwise); None if it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def bundled_clips(config: SynthesisConfig) -> list[tuple[str, int]]:
    """What those stimuli show that are bundled clips: actions and seeds."""
    found = [(bundled_action(name, config.action), bundled_seed(name)) for name in config.stimuli]
    return [(action, seed) for action, seed in found if seed is not None]


def hold(folder: Path) -> FileLock:
    """The lock of a run's folder, taken. Raises `RunError` if somebody else is writing there."""
    lock = files.lock(folder / LOCK)
    try:
        lock.acquire(timeout=1)  # s; somebody may just be looking whether the run is alive
    except Timeout:
        raise RunError(f"{folder} is being written at this moment; wait until that run ends, or stop it.") from None
    return lock
