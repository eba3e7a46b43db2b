"""Making runs: `synthesize`, and everything on disk. A new run, more steps of an old one, or one done again.

Importing this module does not import torch.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import files, machine, models, paths
from ..config import SynthesisConfig
from ..errors import LeapsError, RunError
from ..inversion import lent
from ..inversion.control import Control
from ..inversion.estimate import reckon
from ..inversion.pace import learn
from ..inversion.plan import Plan, as_plan, make_plan
from .again import Leg, leg
from .record import INTERRUPTED, LOCK, Run, hold
from .writer import Writer, explained

if TYPE_CHECKING:
    from filelock import FileLock

    from ..inversion.step import Step


def perform(
    config: SynthesisConfig | Plan,
    control: Control | None = None,
    *,
    folder: str | Path | None = None,
    owner: str = "",
    checkpoint: dict[str, Any] | None = None,
    stimulus: np.ndarray | None = None,
    legs: Sequence[Leg] = (),
) -> Generator[tuple[Run, Step]]:
    """`synthesize`, with everything written to a run's folder; yields (run, step).

    config: the settings, or the plan that was made of them. folder: new or empty; None: a new one in LEAPS_HOME/runs.
    checkpoint: of `Control.checkpoint()`, to branch off from there. stimulus: uint8 (N, T, H, W, 3) instead of
    config.stimuli. legs: of a run that was stopped or went on later (`Run.again`), to be made as it was. However the run
    ends (done, stopped, Ctrl-C, an error, the iterator closed), what was made is saved. Raises `RunError` if it can't be
    written (a full disk ends the run, once what fits is saved) or memory is too small, and what `synthesize` raises.
    """
    plan = as_plan(config, stimulus).settled()
    plan.check_memory()
    yield from _perform(plan, control or Control(), folder, owner, checkpoint, legs)


def perform_together(configs: Sequence[SynthesisConfig | Plan], folders: Sequence[Path]) -> list[Run | LeapsError]:
    """Make runs in one batch, each in its folder, with what `perform` writes; the finished runs, or what ended them. Their
    plans can keep each other company (see `Plan.company`). Raises `RunError` where memory is too small for all at once, and
    `LeapsError` where not one of them could be made."""
    from ..inversion.loop import synthesize_together  # torch

    plans, controls = [as_plan(config).settled() for config in configs], [Control() for _ in configs]
    plans[0].check_memory(len(plans))
    together = synthesize_together(plans, controls)
    going = {
        number: _perform(plan, control, folder, steps=steps)
        for number, (plan, control, folder, steps) in enumerate(zip(plans, controls, folders, together, strict=True))
    }
    found: dict[int, Run | LeapsError] = {}
    with ExitStack() as stack:
        for making in going.values():
            stack.enter_context(closing(making))  # Ctrl-C reaches one of them, and ends all
        while going:
            for number, making in list(going.items()):
                try:
                    found[number], _ = next(making)
                except StopIteration:
                    del going[number]
                except LeapsError as error:
                    found[number] = error
                    del going[number]
    failures = [one for one in found.values() if isinstance(one, LeapsError)]
    if len(failures) == len(found):
        raise failures[0]
    return [found[number] for number in range(len(plans))]


def resume(run: Run, steps: int | None = None, control: Control | None = None) -> Generator[tuple[Run, Step]]:
    """Go on from the run's checkpoint, in the same folder; yields like `perform`.

    steps: how many more; None: what a stopped run has left. control: a new one; earlier changes last, as the checkpoint
    holds them. An interrupted run goes on as if nothing had happened: what was changed after its checkpoint is changed again
    at its step, and without a checkpoint it begins anew. Raises `RunError` for a demo, a complete run without `steps`, and any
    other run without a checkpoint.
    """
    if run.demo:
        raise RunError(f"“{run.id}” is a demo; replay it to make one of your own.")
    more = run.config.steps - run.done if steps is None else steps
    if more < 1:
        raise RunError(f"The run “{run.id}” is complete ({run.done} steps); say how many more steps it should do.")
    config, control = run.config.replace(steps=run.done + more), control or Control()
    plan = make_plan(config)
    plan.check_memory()
    earlier = Run.open(run.folder)  # before the lock is taken, as its status depends on that
    interrupted = earlier.status == INTERRUPTED
    lock = hold(run.folder)
    try:
        plan = plan.primed() if interrupted and not earlier.has("stimulus.npz") else plan.with_stimulus(run.stimulus)
        anew = interrupted and not earlier.branched and not earlier.has("checkpoint.pt")
        checkpoint = None if anew else run.checkpoint()
        done = int(checkpoint["done"]) if checkpoint else 0
    except BaseException:
        lock.release()
        raise
    run.go_on(earlier, done, interrupted, config, _other_weights(run))
    if interrupted:
        control.replay(change for change in earlier.changes if change["step"] > done)
    ahead = [one for one in run.record.get("planned", []) if one["to"] > done] or [leg(config)]
    yield from _record(run, lock, control, plan, [*run.legs, *ahead], checkpoint, earlier)


def replay(
    run: Run, folder: str | Path | None = None, control: Control | None = None, owner: str = ""
) -> Generator[tuple[Run, Step]]:
    """Do the run again in a new folder: same config, stimulus and changes; on the same machine the same clip, bit for
    bit. Yields like `perform`. control: made as `Control(run.changes)`. A run that was resumed or stopped is done
    again as it was. Raises `RunError` if the run branched off from another run's checkpoint."""
    if run.branched:
        raise RunError(f"The run “{run.id}” began at another run's checkpoint, so it can't be replayed.")
    plan = make_plan(run.config, run.stimulus)
    plan.check_memory()
    new, lock = _create(run.config, folder, owner, [*run.notices, *_other_weights(run)], branched=False)
    yield from _record(new, lock, control or Control(run.changes), plan, run.again.legs or [leg(run.config)])


def _perform(
    plan: Plan,
    control: Control,
    folder: str | Path | None,
    owner: str = "",
    checkpoint: dict[str, Any] | None = None,
    legs: Sequence[Leg] = (),
    steps: Iterator[Step] | None = None,
) -> Generator[tuple[Run, Step]]:
    """A new run. steps: its steps, where it isn't the only one that is made."""
    run, lock = _create(plan.config, folder, owner, plan.notices, branched=checkpoint is not None)
    yield from _record(run, lock, control, plan, legs or [leg(plan.config)], checkpoint, steps=steps)


def _record(
    run: Run,
    lock: FileLock,
    control: Control,
    plan: Plan,
    legs: Sequence[Leg],
    checkpoint: dict[str, Any] | None = None,
    earlier: Run | None = None,
    steps: Iterator[Step] | None = None,
) -> Generator[tuple[Run, Step]]:
    """Perform the legs, write everything, and raise at most once, at the end. earlier: what a resumed run was, as the record
    says which legs are done already. steps: those of the legs, where they are made elsewhere."""
    if earlier is None and list(legs) != [leg(run.config)]:
        run.record["planned"] = list(legs)  # should it be interrupted
    writer = Writer(run, lock, control, legs, earlier)
    problem: BaseException | None = None
    first = 0.0  # s
    try:
        assert plan.stimulus is not None
        ahead = legs[len(run.legs) :]
        writer.begin(plan.stimulus, checkpoint)
        with closing(steps or _steps(plan, control, ahead, checkpoint)) as making:  # type: ignore[type-var]
            for step in making:
                first = first or step.seconds
                writer.add(step)
                yield run, step
        status = "stopped" if writer.index < run.config.steps else "done"
        if status == "done" and writer.last is not None and not (earlier or checkpoint or steps or len(legs) > 1):
            rest = (writer.last.seconds - first) / max(1, run.config.steps - 1)  # before the first step networks are read
            learn(plan.config, reckon(plan.config, plan.cast, plan.shape).seconds, run.config.steps * rest)
    except (KeyboardInterrupt, GeneratorExit) as error:
        status, problem = "stopped", error
    except Exception as error:
        # where memory ran out, it had seemed to be enough
        status, problem = "failed", explained(error, run.folder, plan.advice(plan.estimate.memory / 2))
    if status == "failed":
        machine.release()
    failure = writer.finish(status, problem)
    if failure and not isinstance(problem, Exception):
        raise failure
    if problem:
        raise problem


def _steps(plan: Plan, control: Control, legs: Sequence[Leg], checkpoint: dict[str, Any] | None) -> Generator[Step]:
    """The steps of all legs. A leg that is not the last is left at its step `to`; its checkpoint starts the next."""
    for number, one in enumerate(legs, start=1):
        with closing(lent.synthesize(plan.with_steps(one["total"]), control, checkpoint, until=one["to"])) as steps:
            for step in steps:
                if step.index == one["to"] < one["total"] and number == len(legs):
                    control.stop()  # as the person did then: the loop gives the final scores and ends
                yield step
                if step.index == one["to"] and number < len(legs):
                    break
        if control.state == "stopped":
            return
        checkpoint = control.checkpoint()


def _create(
    config: SynthesisConfig, folder: str | Path | None, owner: str, notices: Iterable[str], branched: bool
) -> tuple[Run, FileLock]:
    """A new run and the lock of its folder; nothing but the lock is in it yet."""
    path = Path(folder).absolute() if folder is not None else None
    try:
        if path and path.exists() and not (path.is_dir() and all(map(_left_behind, path.iterdir()))):
            raise RunError(f"{path} is in use; a run's folder must be new or empty.")
        if path:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path = _new_folder(config, owner)
        lock = hold(path)
    except OSError as error:
        raise explained(error, path or paths.home()) from error
    return Run.new(path, config, owner, notices, branched), lock


def _left_behind(path: Path) -> bool:
    """Whether it may be what a process left that was killed before there was anything of its run."""
    return path.name == LOCK or files.is_unfinished(path)


def _new_folder(config: SynthesisConfig, owner: str) -> Path:
    """A folder that nobody else has, even if two runs begin in the same second or the clock was put back. Nobody guesses the
    name of a visitor's."""
    words = f"{datetime.now():%Y%m%d-%H%M%S} {config.action} {config.model} {config.seed}"
    if owner:
        words += f" {secrets.token_hex(8)}"
    name = re.sub(r"[^a-z0-9_]+", "-", words.lower())
    runs = paths.own_runs()
    runs.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        folder = runs / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError("count() does not end")


def _other_weights(run: Run) -> list[str]:
    """What there is to say if the model has other weights by now than when the run was made."""
    spec = models.spec(run.config.model)
    if not run.weights or models.state(spec) == "download" or models.fingerprint(spec) == run.weights:
        return []
    return [f"“{spec.key}” has other weights than when this run was first made: the clip will not be the same."]
