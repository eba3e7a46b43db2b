"""A run on disk: perform, list, open, resume, replay, compare, delete.

A run's folder holds run.json (config, changes, versions, final figures), metrics.jsonl (a line a step), snapshots.npz,
stimulus.npz, clip.npz, clip.mp4, clip.webp and checkpoint.pt. Each file but metrics.jsonl appears complete or not at
all. While a run is being written, its process holds the folder's lock. Importing this module does not import torch.
"""

from __future__ import annotations

import errno
import io
import json
import logging
import math
import os
import platform
import re
import shutil
import tempfile
import uuid
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from . import video
from .config import LIVE, SynthesisConfig, bundled_seed
from .errors import LeapsError, RunError, VideoError
from .puppets import render_clip

if TYPE_CHECKING:
    from .synthesis import Control, Step

log = logging.getLogger(__name__)

PACKED = "snapshots.mp4"
"""Where a packed run keeps the pictures of its snapshots, one after the other."""
DEMOS = Path(__file__).resolve().parent.parent / "assets" / "demos"
"""The finished runs that are shipped; never written to, never deleted."""


def home() -> Path:
    """Where runs are kept: the environment variable LEAPS_HOME, or ~/.leaps. Runs lie in its folder `runs`."""
    return Path(os.environ.get("LEAPS_HOME") or "~/.leaps").expanduser()


class Snapshots(NamedTuple):
    """Moments of a run: clips uint8 (N, T, H, W, 3), all of the final size; steps (N,); embeddings (N, D)."""

    clips: np.ndarray
    steps: np.ndarray
    embeddings: np.ndarray


@dataclass
class Run:
    """A run's folder. Pictures and figures are read when asked for and not kept; `RunError` where they are missing.

    `record` is what run.json says. `legs` in it are the stretches that led to the clip: each ran to step `to` of a
    schedule of `total` steps; a run that was never resumed has one.
    """

    folder: Path
    record: dict[str, Any]
    config: SynthesisConfig

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """The run in `folder`. Reads run.json only. Raises `RunError` if there is none, or it can't be understood."""
        folder = Path(folder)
        record = _read_json(folder / "run.json")
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
        if wrong:
            raise RunError(f"{folder / 'run.json'} is not a run's: “{wrong[0]}” is missing or of the wrong kind.")
        return cls(folder, record, _config(record["config"], folder / "run.json"))

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def owner(self) -> str:
        """Who made it; "" on one's own machine."""
        return str(self.record["owner"])

    @property
    def demo(self) -> bool:
        """Whether it is one of the shipped runs."""
        return self.folder.resolve().parent == DEMOS.resolve()

    @property
    def status(self) -> str:
        """running, done, stopped or failed. A run whose process has died is failed."""
        said = str(self.record["status"])
        return "failed" if said == "running" and not _in_use(self.folder) else said

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
        """The figures of the finished clip (see `Step.final`); None if it was not finished properly."""
        return self.record["final"]

    @property
    def done(self) -> int:
        """Steps done, as far as they are saved."""
        return int(self.record["legs"][-1]["to"]) if self.record["legs"] else 0

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """A dict a step: step, seconds, losses, weighted, probabilities, top5. Empty before the first step."""
        try:
            lines = (self.folder / "metrics.jsonl").read_text("utf-8", errors="replace").splitlines()
        except OSError:
            return []
        return [line for line in map(_parsed, lines) if isinstance(line, dict)]

    @property
    def snapshots(self) -> Snapshots:
        """All snapshots at once (see `Snapshots`); of a packed run (see `pack`) slightly lossy."""
        steps, embeddings = (self._array("snapshots.npz", name) for name in ("steps", "embeddings"))
        packed = self.folder / PACKED
        if not packed.exists():
            return Snapshots(self._array("snapshots.npz", "clips"), steps, embeddings)
        t, size = self.clip.shape[:2]
        frames = video.read(packed, len(steps) * t, size).frames
        return Snapshots(frames.reshape(len(steps), t, size, size, 3), steps, embeddings)

    @property
    def stimulus(self) -> np.ndarray:
        """The clips that primed it: uint8 (N, T, H, W, 3); N = 0 if unprimed. Of a packed run, drawn anew."""
        if (self.folder / PACKED).exists() and not (self.folder / "stimulus.npz").exists():
            t, size = self.clip.shape[:2]
            return np.stack([render_clip(self.config.action, seed, t, size) for seed in _bundled(self.config)])
        return self._array("stimulus.npz", "clips")

    @property
    def clip(self) -> np.ndarray:
        """The final clip: uint8 (T, H, W, 3)."""
        return self._array("clip.npz", "frames")

    @property
    def tensor(self) -> np.ndarray:
        """The final clip as it was optimised: float32 (3, T, H, W) in [0, 1]."""
        return self._array("clip.npz", "clip")

    def checkpoint(self) -> dict[str, Any]:
        """What `synthesize` needs to go on. Raises `RunError` if it is missing or damaged. Imports torch."""
        import torch

        path = self.folder / "checkpoint.pt"
        if not path.is_file():
            raise RunError(f"The run “{self.id}” has no checkpoint, so it can't go on; replay it instead.")
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise RunError(f"{path} is damaged, so the run can't go on; replay it instead.") from error

    def _array(self, file: str, name: str) -> np.ndarray:
        try:
            with np.load(self.folder / file) as arrays:
                return arrays[name]
        except FileNotFoundError:
            raise RunError(f"The run “{self.id}” has no {file}.") from None
        except KeyError:
            raise RunError(f"{file} of the run “{self.id}” has no “{name}”; the demos' have the frames only.") from None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise RunError(f"{file} of the run “{self.id}” is damaged ({error}).") from error


# ------------------------------------------------------------------------------------------------ find, delete, compare


def list_runs(demos: bool = True, owner: str | None = None) -> list[Run]:
    """Own runs, then the demos, each newest first. Reads run.json only; broken folders are skipped and logged.

    owner: only this owner's runs (and the demos); None: everybody's.
    """
    own = [run for run in _opened(home() / "runs") if owner is None or run.owner == owner]
    return own + (_opened(DEMOS) if demos else [])


def find(name: str, owner: str | None = None) -> Run:
    """The run with this id. Raises `RunError` if there is none that `owner` may see (None: may see all)."""
    for parent in (home() / "runs", DEMOS):
        # an id never leads out of its folder, neither by “..” nor by a link
        if name and name == Path(name).name and (parent / name).resolve().parent == parent.resolve():
            if (parent / name / "run.json").is_file():
                run = Run.open(parent / name)
                if owner is None or run.demo or run.owner == owner:
                    return run
    raise RunError(f"There is no run “{name}” here. `python -m leaps_core runs` lists them.")


def delete(run: Run, owner: str | None = None) -> None:
    """Delete a run's folder. Raises `RunError` for a demo, another's run (owner None: anybody's is fine), a run that
    is going on, and whatever lies outside of the runs' folder."""
    if run.demo:
        raise RunError(f"“{run.id}” is a demo; demos can't be deleted.")
    if owner is not None and run.owner != owner:
        raise RunError(f"The run “{run.id}” belongs to somebody else.")
    runs = home() / "runs"
    if run.folder.is_symlink() or run.folder.resolve().parent != runs.resolve():
        raise RunError(f"{run.folder} lies outside of {runs}; delete it by hand.")
    lock = _locked(run.folder)
    gone = runs / f".deleted-{uuid.uuid4().hex}"
    try:
        os.replace(run.folder, gone)  # renamed first: a half-deleted run must never be listed
    except OSError as error:
        raise _explained(error, run.folder) from error
    finally:
        lock.release()
    shutil.rmtree(gone, ignore_errors=True)


def pack(run: Run) -> None:
    """Make a finished run small enough to ship: its snapshots become one H.264 video, and what only a resume needs is
    dropped. It can still be shown, scrubbed and replayed. Raises `RunError` where something of it is missing."""
    shots, frames = run.snapshots, run.clip
    n, t, *_ = shots.clips.shape
    video.write_mp4(shots.clips.reshape(n * t, *shots.clips.shape[2:]), run.folder / PACKED, fps=n * t / 16, crf=30)
    _save_arrays(run.folder / "snapshots.npz", steps=shots.steps, embeddings=shots.embeddings.astype(np.float16))
    _save_arrays(run.folder / "clip.npz", frames=frames)
    drawn = ("stimulus.npz",) if 0 < len(run.stimulus) == len(_bundled(run.config)) == len(run.config.stimuli) else ()
    for name in ("checkpoint.pt", ".lock", *drawn):
        (run.folder / name).unlink(missing_ok=True)


def compare(a: Run, b: Run) -> dict[str, Any]:
    """What sets two runs apart; pairs are (a's, b's).

    settings: {name: pair} of those that differ; changes: (only a's, only b's); final: {figure: pair} of all;
    difference: mean absolute difference of the clips' pixels, 0 to 1, None if their shapes differ or one has no clip.
    """
    first, second = a.config.model_dump(), b.config.model_dump()
    finals = a.final or {}, b.final or {}
    return {
        "settings": {name: (first[name], second[name]) for name in first if first[name] != second[name]},
        "changes": ([c for c in a.changes if c not in b.changes], [c for c in b.changes if c not in a.changes]),
        "final": {name: tuple(final.get(name) for final in finals) for name in {**finals[0], **finals[1]}},
        "difference": _difference(a, b),
    }


def from_json(text_or_path: str | Path) -> tuple[SynthesisConfig, list[dict[str, Any]]]:
    """Config and changes to run it again, from a run.json (its text, its path, or its run's folder).

    The JSON of a bare config will do, too. Raises `RunError` for anything else, `ConfigError` for a change that is out
    of range.
    """
    if isinstance(text_or_path, str) and text_or_path.lstrip().startswith("{"):
        where, record = "The JSON", _parsed(text_or_path)
    else:
        path = Path(text_or_path)
        path = path / "run.json" if path.is_dir() else path
        where, record = str(path), _read_json(path)
    if not isinstance(record, dict):
        raise RunError(f"{where} can't be read as JSON; expected a run.json.")
    changes = record.get("changes", []) if "config" in record else []
    if not isinstance(changes, list) or not all(_is_change(change) for change in changes):
        raise RunError(f"{where} has changes that can't be read; expected {{step, field, value}} of live settings.")
    config = _config(record.get("config", record), where)
    for change in changes:
        config.but(**{change["field"]: change["value"]})
    return config, changes


# ---------------------------------------------------------------------------------------------- perform, resume, replay


def perform(
    config: SynthesisConfig,
    control: Control | None = None,
    *,
    folder: str | Path | None = None,
    owner: str = "",
    checkpoint: dict[str, Any] | None = None,
    stimulus: np.ndarray | None = None,
) -> Generator[tuple[Run, Step]]:
    """`synthesize`, with everything written to a run's folder; yields (run, step).

    folder: new or empty; None: a new one in `home()/runs`. checkpoint: of `Control.checkpoint()`, to branch off from
    there. stimulus: uint8 (N, T, H, W, 3) instead of config.stimuli. However the run ends (done, stopped, Ctrl-C, an
    error, the iterator closed), what was made is saved. Raises `RunError` if it can't be written (a full disk ends the
    run, once what fits is saved) or memory is too small, and what `synthesize` raises.
    """
    from . import models
    from .synthesis import stimulus_clips

    notices: Iterable[str] = ()
    cast = models.choose(config)
    models.ready(cast)
    spec = cast.model
    if stimulus is None:
        stimulus, notices = stimulus_clips(config, spec)
    check_memory(config)
    run, lock = _create(config, folder, owner, notices, branched=checkpoint is not None)
    legs = [{"to": config.steps, "total": config.steps}]
    yield from _go(run, lock, control, legs, stimulus, checkpoint)


def resume(run: Run, steps: int | None = None, control: Control | None = None) -> Generator[tuple[Run, Step]]:
    """Go on from the run's checkpoint, in the same folder; yields like `perform`.

    steps: how many more; None: what a stopped run has left. control: a new one; earlier changes last, as the checkpoint
    holds them. Raises `RunError` for a demo, a complete run without `steps`, and a run without a checkpoint.
    """
    if run.demo:
        raise RunError(f"“{run.id}” is a demo; replay it to make one of your own.")
    more = run.config.steps - run.done if steps is None else steps
    if more < 1:
        raise RunError(f"The run “{run.id}” is complete ({run.done} steps); say how many more steps it should do.")
    config = run.config.but(steps=run.done + more)
    check_memory(config)
    lock = _locked(run.folder)
    try:
        checkpoint, stimulus = run.checkpoint(), run.stimulus
        earlier = Run.open(run.folder).record
    except BaseException:
        lock.release()
        raise
    changes = [change for change in earlier["changes"] if change["step"] <= run.done]
    notices = list(dict.fromkeys([*earlier["notices"], *_other_weights(run)]))
    run.config, run.record = (
        config,
        {**earlier, "config": config.model_dump(mode="json"), "changes": changes, "notices": notices},
    )
    legs = [*earlier["legs"], {"to": config.steps, "total": config.steps}]
    yield from _go(run, lock, control, legs, stimulus, checkpoint, earlier=earlier)


def replay(
    run: Run, folder: str | Path | None = None, control: Control | None = None, owner: str = ""
) -> Generator[tuple[Run, Step]]:
    """Do the run again in a new folder: same config, stimulus and changes; on the same machine the same clip, bit for
    bit. Yields like `perform`. control: made as `Control(run.changes)`. A run that was resumed or stopped is done
    again as it was. Raises `RunError` if the run branched off from another run's checkpoint."""
    if run.record.get("branched"):
        raise RunError(f"The run “{run.id}” began at another run's checkpoint, so it can't be replayed.")
    stimulus = run.stimulus
    check_memory(run.config)
    new, lock = _create(run.config, folder, owner, [*run.notices, *_other_weights(run)], branched=False)
    legs = run.record["legs"] or [{"to": run.config.steps, "total": run.config.steps}]
    yield from _go(new, lock, control, legs, stimulus, changes=run.changes)


def _go(
    run: Run,
    lock: FileLock,
    control: Control | None,
    legs: list[dict[str, int]],
    stimulus: np.ndarray,
    checkpoint: dict[str, Any] | None = None,
    changes: Iterable[dict[str, Any]] = (),
    earlier: dict[str, Any] | None = None,
) -> Generator[tuple[Run, Step]]:
    """Perform the legs, write everything, and raise at most once, at the end. earlier: the record of a resumed run,
    whose legs are done already."""
    from .synthesis import Control

    control = control or Control(changes)
    writer = _Writer(run, lock, control, legs, earlier)
    problem: BaseException | None = None
    try:
        writer.begin(stimulus)
        with closing(
            _steps(run.config, control, legs[len(earlier["legs"]) if earlier else 0 :], stimulus, checkpoint)
        ) as steps:
            for step in steps:
                writer.add(step)
                yield run, step
        status = "stopped" if writer.index < run.config.steps else "done"
    except (KeyboardInterrupt, GeneratorExit) as error:
        status, problem = "stopped", error
    except Exception as error:
        status, problem = "failed", _explained(error, run.folder)
    failure = writer.finish(status, problem)
    if failure and not isinstance(problem, Exception):
        raise failure
    if problem:
        raise problem


def _steps(
    config: SynthesisConfig,
    control: Control,
    legs: list[dict[str, int]],
    stimulus: np.ndarray,
    checkpoint: dict[str, Any] | None,
) -> Generator[Step]:
    """The steps of all legs. A leg that is not the last is left at its step `to`; its checkpoint starts the next."""
    from .synthesis import synthesize

    for number, leg in enumerate(legs, start=1):
        with closing(synthesize(config.but(steps=leg["total"]), control, stimulus=stimulus, checkpoint=checkpoint)) as loop:  # type: ignore[type-var]
            for step in loop:
                if step.index == leg["to"] < leg["total"] and number == len(legs):
                    control.stop()  # as the person did then: the loop gives the final figures and ends
                yield step
                if step.index == leg["to"] and number < len(legs):
                    break
        if control.state == "stopped":
            return
        checkpoint = control.checkpoint()


# -------------------------------------------------------------------------------------------------------------- writing


class _Writer:
    """Writes one run. `begin` once, `add` each step, `finish` however it ends; it owns the folder's lock until then."""

    def __init__(
        self, run: Run, lock: FileLock, control: Control, legs: list[dict[str, int]], earlier: dict[str, Any] | None
    ) -> None:
        self.run, self.lock, self.control, self.legs, self.earlier = run, lock, control, legs, earlier
        self.kept_changes = run.changes
        self.first = self.index = run.done
        self.last: Step | None = None
        self.steps: list[int] = []
        self.embeddings: list[np.ndarray] = []

    def begin(self, stimulus: np.ndarray) -> None:
        """Say that the run is going on, and lay out what grows with it."""
        self.run.record.pop("error", None)
        self._save_record("running")
        if not self.earlier:
            _save_arrays(self.run.folder / "stimulus.npz", clips=stimulus)
        lines = [line for line in self.run.metrics if line["step"] <= self.first]
        _save(self.run.folder / "metrics.jsonl", "".join(map(_line, lines)).encode())
        # unbuffered: a line is there for other readers at once, and a full disk shows where it can be handled
        self.metrics = open(self.run.folder / "metrics.jsonl", "ab", buffering=0)
        # snapshots wait on the disk, not in memory; the file has no name, so even a killed process leaves none
        self.waiting = tempfile.TemporaryFile(dir=self.run.folder)

    def add(self, step: Step) -> None:
        """Write what one step brings. The last step of a stopped run repeats an index and brings `final`."""
        if self.last is None:
            notices = list(dict.fromkeys([*self.run.notices, *step.notices]))
            self.run.record.update(_circumstances(step, self.run.config), notices=notices)
        if step.index > self.index:
            self.metrics.write(
                _line(
                    {
                        "step": step.index,
                        "seconds": step.seconds,
                        "losses": step.losses,
                        "weighted": step.weighted,
                        "probabilities": step.probabilities,
                        "top5": step.top5,
                    }
                ).encode()
            )
        if (step.snapshot or step.final is not None) and step.index > (self.steps or [self.first])[-1]:
            np.save(self.waiting, step.frames)
            self.steps.append(step.index)
            self.embeddings.append(np.asarray(step.embedding, np.float32))
        self.index, self.last = step.index, step
        self.run.record["final"] = step.final
        if self._changes() != self.run.changes:
            self._save_record("running")

    def finish(self, status: str, problem: BaseException | None = None) -> Exception | None:
        """Save all that can be saved. Returns the first reason why something could not be."""
        try:
            if self.last is None:
                return self._undo()
            if isinstance(problem, Exception):
                status, self.run.record["error"] = "failed", str(problem)
            # snapshots first: whether or not they fit, the space that they waited in is free afterwards
            failures = [
                failure
                for job in (
                    self._save_snapshots,
                    self._close,
                    self._save_checkpoint,
                    self._save_clip,
                    self._save_mp4,
                    self._save_webp,
                    partial(self._save_record, status),
                )
                if (failure := _attempt(job, self.run.folder))
            ]
            if failures:
                self.run.record.setdefault("error", str(failures[0]))
                _attempt(partial(self._save_record, "failed"), self.run.folder)
            return failures[0] if failures else None
        finally:
            with suppress(Exception):
                self._close()
            self.lock.release()

    def _undo(self) -> Exception | None:
        """Not one step was made: a new folder goes away, a resumed run stays what it was."""
        if self.earlier is None:
            shutil.rmtree(self.run.folder, ignore_errors=True)
            return None
        self.run.record = self.earlier
        return _attempt(lambda: self._save_record(self.run.record["status"]), self.run.folder)

    def _close(self) -> None:
        self.metrics.close()
        self.waiting.close()

    def _changes(self) -> list[dict[str, Any]]:
        return self.kept_changes + [change for change in self.control.changes if change not in self.kept_changes]

    def _save_record(self, status: str) -> None:
        self.run.record.update(status=status, changes=self._changes())
        text = json.dumps(self.run.record, indent=1, ensure_ascii=False, default=float)
        _save(self.run.folder / "run.json", (text + "\n").encode())

    def _save_snapshots(self) -> None:
        """Earlier snapshots and new ones, all of the final size; one at a time, as together they may not fit memory."""
        assert self.last is not None
        path, shape = self.run.folder / "snapshots.npz", self.last.frames.shape
        steps, embeddings = list(self.steps), list(self.embeddings)
        kept = 0
        if self.earlier and path.exists():
            with np.load(path) as old:
                kept = int((old["steps"] <= self.first).sum())
                steps, embeddings = [*old["steps"][:kept], *steps], [*old["embeddings"][:kept], *embeddings]
        self.waiting.seek(0)
        waiting = (np.load(self.waiting) for _ in self.steps)
        clips = chain(islice(_stored_clips(path), kept), waiting) if kept else waiting
        with _replacing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with archive.open("clips.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array_header_1_0(
                    file,
                    {  # type: ignore[arg-type]
                        "descr": "|u1",
                        "fortran_order": False,
                        "shape": (len(steps), *shape),
                    },
                )
                for clip in clips:
                    file.write((clip if clip.shape == shape else video.resample(clip, *shape[:2])).tobytes())
            for name, rows in (("steps", np.asarray(steps, np.int64)), ("embeddings", np.asarray(embeddings))):
                with archive.open(f"{name}.npy", "w") as file:
                    np.lib.format.write_array(file, rows)  # type: ignore[arg-type]

    def _save_clip(self) -> None:
        assert self.last is not None
        _save_arrays(self.run.folder / "clip.npz", frames=self.last.frames, clip=self.last.clip[0].cpu().numpy())

    def _save_mp4(self) -> None:
        assert self.last is not None
        video.write_mp4(self.last.frames, self.run.folder / "clip.mp4")

    def _save_webp(self) -> None:
        assert self.last is not None
        video.write_webp(self.last.frames, self.run.folder / "clip.webp")

    def _save_checkpoint(self) -> None:
        import torch

        file = io.BytesIO()  # torch tells a full disk from its other errors only by their text
        torch.save(self.control.checkpoint(), file)
        _save(self.run.folder / "checkpoint.pt", file.getvalue())
        past = [leg for leg in self.legs if leg["to"] < self.index]
        self.run.record["legs"] = [*past, {"to": self.index, "total": self.legs[len(past)]["total"]}]


def _create(
    config: SynthesisConfig, folder: str | Path | None, owner: str, notices: Iterable[str], branched: bool
) -> tuple[Run, FileLock]:
    """A new run and the lock of its folder; nothing but the lock is in it yet."""
    path = Path(folder).absolute() if folder is not None else None
    try:
        if path and path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise RunError(f"{path} is in use; a run's folder must be new or empty.")
        if path:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path = _new_folder(config)
        lock = _locked(path)
    except OSError as error:
        raise _explained(error, path or home()) from error
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
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "torchvision", "numpy")},
        },
    }
    return Run(path, record, config), lock


def _new_folder(config: SynthesisConfig) -> Path:
    """A folder that nobody else has, even if two runs begin in the same second."""
    words = f"{datetime.now():%Y%m%d-%H%M%S} {config.action} {config.model} {config.seed}"
    name = re.sub(r"[^a-z0-9_]+", "-", words.lower())
    runs = home() / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        folder = runs / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError("count() does not end")


def _circumstances(step: Step, config: SynthesisConfig) -> dict[str, Any]:
    """Where the run computes, as with another device or other threads the clip differs in the last bits; and with which
    weights, as only then its embeddings can be compared with those of real clips."""
    import torch

    from . import models

    return {
        "device": str(step.clip.device),
        "threads": torch.get_num_threads(),
        "weights": models.fingerprint(models.spec(config.model)),
    }


def _other_weights(run: Run) -> list[str]:
    """What there is to say if the model has other weights by now than when the run was made."""
    from . import models

    spec = models.spec(run.config.model)
    known = run.record.get("weights")
    if not known or models.state(spec) == "download" or models.fingerprint(spec) == known:
        return []
    return [f"“{spec.key}” has other weights than when this run was first made: the clip will not be the same."]


def check_memory(config: SynthesisConfig) -> None:
    """Refuse before anything is begun: a machine that runs out of memory stalls, or kills the process."""
    from .models.adapter import pick_device
    from .synthesis import estimate

    needed, free = estimate(config)["memory"], _free_memory(pick_device(config.device).type)
    if needed > free:
        raise RunError(
            f"The run needs about {needed / 2**30:.1f} GiB of memory, {free / 2**30:.1f} GiB are free. "
            "Choose fewer frames, a smaller size or a smaller model, or close other programs."
        )


def _free_memory(device: str) -> int:
    """Bytes, of the graphics card for cuda, else of the machine or the container."""
    import psutil
    import torch

    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    available = psutil.virtual_memory().available
    left = _container_memory(Path("/sys/fs/cgroup"))
    return available if left is None else min(available, left)


def _container_memory(cgroup: Path) -> int | None:
    """What a container has left of its limit (cgroup 2), in bytes; None where there is no limit. Files that are only kept
    in memory because nobody else needs it count as free."""
    try:
        limit, used = (int((cgroup / name).read_text()) for name in ("memory.max", "memory.current"))
        kept = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())["inactive_file"]
    except (OSError, ValueError, KeyError):  # no cgroup 2, or “max”
        return None
    return max(0, limit - used + int(kept))


def _locked(folder: Path) -> FileLock:
    """The folder's lock, taken. Raises `RunError` if somebody else is writing there."""
    lock = FileLock(folder / ".lock", thread_local=False)  # a page may begin a run in one thread and end it in another
    try:
        lock.acquire(timeout=1)  # s; somebody may just be looking whether the run is alive
    except Timeout:
        raise RunError(f"{folder} is being written at this moment; wait until that run ends, or stop it.") from None
    return lock


def _in_use(folder: Path) -> bool:
    lock = FileLock(folder / ".lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` when all went well."""
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _save(path: Path, data: bytes) -> None:
    with _replacing(path) as part:
        part.write_bytes(data)


def _save_arrays(path: Path, **arrays: np.ndarray) -> None:
    with _replacing(path) as part, open(part, "wb") as file:  # a name would get .npz appended
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _attempt(job: Callable[[], None], folder: Path) -> Exception | None:
    try:
        job()
    except Exception as error:
        return _explained(error, folder)
    return None


def _explained(error: Exception, folder: Path) -> Exception:
    """The error as a person should read it; one that no person can cause stays as it is."""
    cause = error.__cause__ if isinstance(error, VideoError) and isinstance(error.__cause__, OSError) else error
    if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
        told = RunError(
            f"The disk of {folder} is full. What fitted is saved; free some space, or choose another "
            "folder (--out, LEAPS_HOME)."
        )
    elif isinstance(cause, OSError):
        told = RunError(f"{folder} can't be used: {cause.strerror or cause}. Choose another (--out, LEAPS_HOME).")
    elif isinstance(cause, MemoryError) or re.search("out of memory|can't allocate memory", str(cause)):
        told = RunError("Memory is used up. Choose fewer frames, a smaller size or a smaller model.")
    else:
        return error
    told.__cause__ = error
    return told


# -------------------------------------------------------------------------------------------------------------- reading


def _opened(parent: Path) -> list[Run]:
    """The runs in a folder, newest first."""
    runs = []
    for path in parent.glob("[!.]*/run.json"):
        try:
            runs.append(Run.open(path.parent))
        except LeapsError as error:
            log.warning("Skipped a run: %s", error)
    return sorted(runs, key=lambda run: (run.record["created"], run.id), reverse=True)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        record = _parsed(path.read_text("utf-8", errors="replace"))
    except OSError as error:
        raise RunError(f"{path} can't be read: {error.strerror}.") from None
    if not isinstance(record, dict):
        raise RunError(f"{path} is damaged: it can't be read as JSON.")
    return record


def _parsed(text: str) -> Any:
    """What the JSON says; None if it is none (the last line of a killed run, a file of another kind)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, default=float) + "\n"


def _config(values: Any, where: str | Path) -> SynthesisConfig:
    if not isinstance(values, dict):
        raise RunError(f"{where} has no settings.")
    try:
        return SynthesisConfig(**values)
    except LeapsError as error:
        raise RunError(f"{where} has settings that can't be used: {error}") from None


def _is_change(change: Any) -> bool:
    return (
        isinstance(change, dict) and isinstance(change.get("step"), int) and change.get("field") in LIVE and "value" in change
    )


def _bundled(config: SynthesisConfig) -> list[int]:
    """Seeds of those stimuli that are bundled clips."""
    return [seed for name in config.stimuli if (seed := bundled_seed(name)) is not None]


def _stored_clips(path: Path) -> Iterator[np.ndarray]:
    """The clips of a snapshots.npz one by one, uint8 (T, H, W, 3)."""
    with zipfile.ZipFile(path) as archive, archive.open("clips.npy") as file:
        np.lib.format.read_magic(file)  # type: ignore[arg-type]
        (number, *shape), _, _ = np.lib.format.read_array_header_1_0(file)  # type: ignore[arg-type]
        for _ in range(number):
            yield np.frombuffer(file.read(math.prod(shape)), np.uint8).reshape(shape)


def _difference(a: Run, b: Run) -> float | None:
    try:
        first, second = a.clip, b.clip
    except RunError:
        return None
    if first.shape != second.shape:
        return None
    return float(np.abs(first.astype(np.float32) - second).mean() / 255)
