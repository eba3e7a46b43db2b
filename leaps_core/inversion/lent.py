"""Runs on a graphics card that is lent for seconds, as Hugging Face's ZeroGPU does: the process itself has none, but a function
that the package `spaces` wraps is done by a worker that has one, for as long as was asked for.

So a run is made in chunks, each from where the one before ended. They make the steps that one go would have made, bit for bit;
what a person moves acts from the next chunk on, and so do pause and stop. Anywhere else, `synthesize` is the loop's. Importing
this module imports neither torch nor `spaces`.
"""

from __future__ import annotations

import math
import pickle
import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from .. import machine, models
from ..errors import LeapsError, RunError
from .control import Control
from .plan import Plan

if TYPE_CHECKING:
    from .step import Step

MOST = 10.0
"""Seconds for which the card is asked for, at most."""
LOADING = 3.0
"""Those that a worker may need to begin and to read its networks."""
SPARE = 2.0
"""Those that are left when a chunk ends: no step takes longer."""


def synthesize(plan: Plan, control: Control, checkpoint: dict[str, Any] | None, until: int) -> Generator[Step]:
    """The steps of a run up to step `until`, as the loop's `synthesize` yields them; on a lent card where there is one. What
    its lender refuses (a visitor has had their share) is a `RunError`."""
    from .loop import synthesize as loop  # torch

    if not machine.lends(plan.config.device):
        yield from loop(plan, control, checkpoint=checkpoint)
        return
    # a worker that is forked off while another thread reads the networks' code would wait for ever
    for record in plan.cast.networks.values():
        models.load(record.key, precision=plan.config.precision)
    step: Step | None = None
    pace, done = math.inf, int(checkpoint["done"]) if checkpoint else 0
    while done < until:
        control.wait()
        if control.state == "stopped" and step is not None:
            break
        begun = step.seconds if step else 0.0
        for found, kept in _borrow(_chunk, plan, control.ahead(done), checkpoint, until, pace):
            if kept is not None:
                checkpoint = kept
                control.keep(kept)
            if isinstance(found, LeapsError):
                raise found
            step = found
            control.skip(step.index)
            yield step
        assert step is not None and step.index > done
        done, pace = step.index, (step.seconds - begun) / (step.index - done)
    if control.state == "stopped" and step is not None and step.final is None:
        for found, _ in _borrow(_ended, plan, step):
            yield found


def prepare() -> None:
    """Tell the lender what there will be to do, which it wants to know before the page is up. Without one, nothing."""
    if machine.lends("auto"):
        for work in (_chunk, _ended):
            _lent(work)


def _chunk(
    plan: Plan, changes: list[dict[str, Any]], checkpoint: dict[str, Any] | None, until: int, pace: float
) -> Iterator[bytes]:
    """In a worker: steps until the time is up. With the last one, or what went wrong, the checkpoint to go on from."""
    from .loop import synthesize as loop

    machine.borrow()
    begun, control = time.monotonic(), Control(changes)
    try:
        with closing(loop(plan, control, checkpoint=checkpoint)) as steps:  # type: ignore[type-var]
            for step in steps:
                over = step.index >= until or time.monotonic() - begun > MOST - SPARE
                yield _packed(step, control.checkpoint() if over else None)
                if over:
                    return
    except LeapsError as error:  # the lender itself would pass on no more than its name
        yield _packed(error, control.checkpoint() if control.kept else None)


def _ended(plan: Plan, step: Step) -> Iterator[bytes]:
    """In a worker: a step once more, with the scores of the clip."""
    from .lane import ended
    from .networks import Networks

    machine.borrow()
    networks = Networks.load(plan)
    yield _packed(ended(replace(step, clip=step.clip.to(networks.model.mean.device)), networks), None)


def _seconds(plan: Plan, given: object, checkpoint: dict[str, Any] | None = None, until: int = 0, pace: float = 0.0) -> int:
    """How long a piece of work of these arguments may take; a chunk's steps by the pace so far (seconds a step)."""
    left = until - (int(checkpoint["done"]) if checkpoint else 0)
    return math.ceil(min(MOST, LOADING + SPARE + left * pace))


def _borrow(work: Callable[..., Iterator[bytes]], *arguments: Any) -> Iterator[Any]:
    """What a worker gives, piece by piece."""
    try:
        with closing(_lent(work)(*arguments)) as pieces:  # type: ignore[type-var]
            for piece in pieces:
                yield pickle.loads(piece)  # noqa: S301  (this program packed it)
    except Exception as error:
        said = re.sub(r"<[^>]*>", "", str(getattr(error, "message", error))).strip() or type(error).__name__
        raise RunError(
            f"The graphics card that is lent here can't be had: {said} What was made is kept. Go on later, or take device=cpu."
        ) from error


@cache
def _lent(work: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
    import spaces

    return spaces.GPU(duration=_seconds)(work)  # type: ignore[no-any-return]


def _packed(found: Step | LeapsError, checkpoint: dict[str, Any] | None) -> bytes:
    """A step, or what went wrong, with all tensors in this machine's own memory; as bytes, since torch would send tensors from
    process to process by shared memory, of which a container may have little."""
    if not isinstance(found, LeapsError):
        found = replace(found, clip=found.clip.cpu())
    return pickle.dumps((found, _on_cpu(checkpoint)))


def _on_cpu(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _on_cpu(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_on_cpu(part) for part in value]
    return value.cpu() if hasattr(value, "cpu") else value
