"""What changes from step to step, and going on from a checkpoint."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from leaps_core import models
from leaps_core.errors import LeapsError, RunError
from leaps_core.inversion.control import Control
from leaps_core.inversion.loop import synthesize
from leaps_core.inversion.plan import make_plan
from leaps_core.inversion.state import State
from leaps_core.inversion.transforms import transform
from tests.inversion.helpers import config


def test_a_stopped_run_goes_on_from_its_checkpoint_as_if_never_stopped(tmp_path) -> None:  # type: ignore[no-untyped-def]
    asked = config(steps=10, verify_every=2)
    whole = list(synthesize(asked))
    for stop in (2, 7):  # in the coarse part, and after it, where the verifier doesn't look at the next step
        control = Control()
        for step in synthesize(asked, control):
            if step.index == stop:
                control.stop()
        torch.save(control.checkpoint(), tmp_path / "checkpoint.pt")
        checkpoint = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
        rest = list(synthesize(asked, checkpoint=checkpoint))
        assert [step.index for step in rest] == list(range(stop + 1, 11))
        told = [[step.losses | step.probabilities for step in steps] for steps in (rest, whole[stop:])]
        assert told[0] == told[1]
        assert torch.equal(rest[-1].clip, whole[-1].clip)


def test_changes_before_a_checkpoint_are_not_applied_again() -> None:
    control, changes = Control(), [{"step": 2, "field": "r", "value": 0.01}, {"step": 7, "field": "r", "value": 0.02}]
    *_, step = synthesize(config(steps=10), Control(changes))
    whole = step.clip
    first = Control(changes)
    for step in synthesize(config(steps=10), first):
        if step.index == 4:
            first.stop()
    control = Control(changes)
    *_, last = synthesize(config(steps=10), control, checkpoint=first.checkpoint())
    assert torch.equal(last.clip, whole) and control.changes == changes


def test_a_coarse_run_resumed_to_fewer_steps_still_ends_at_full_size() -> None:
    control = Control()
    for step in synthesize(config(steps=20), control):
        if step.index == 6:
            control.stop()
    *_, last = synthesize(config(steps=8), checkpoint=control.checkpoint())
    assert last.index == 8 and last.clip.shape[-1] == 32


def test_a_checkpoint_stays_as_it_was_while_the_run_goes_on() -> None:
    control = Control()
    stream = synthesize(config(), control)
    next(stream)
    held = control.checkpoint()
    before = held["values"].clone()
    next(stream)
    assert torch.equal(held["values"], before) and held["done"] == 1


def test_a_finished_run_cannot_go_on_without_more_steps() -> None:
    control = Control()
    list(synthesize(config(), control))
    with pytest.raises(RunError, match="6 steps"):
        list(synthesize(config(), checkpoint=control.checkpoint()))
    assert len(list(synthesize(config(steps=9), checkpoint=control.checkpoint()))) == 3


def fresh(**settings: object) -> State:
    return State(make_plan(config(steps=12, **settings)), models.load("tiny"))


def go_on(state: State, steps: int) -> None:
    """Some steps towards a grey clip, as seen in random views."""
    for _ in range(steps):
        view = transform(state.canvas(), state.settings, state.generator, state.confidence)
        state.loss({"all": (view - 0.3).square().mean()}).backward()
        state.descend(dict)
        state.trust(0.5)


@pytest.mark.parametrize("canvas", ["fourier", "pixels"])
def test_a_state_that_is_loaded_goes_on_as_the_one_that_was_kept(canvas: str) -> None:
    one = fresh(canvas=canvas)
    go_on(one, 3)
    one.grow((8, 32, 32))
    one.change({"motion_speed": 2.0, "learning_rate": 0.1})
    go_on(one, 2)
    kept = one.state_dict()
    other = fresh(canvas=canvas, learning_rate=0.3)  # that setting is live: the checkpoint holds what it had become
    other.load_state_dict(kept)
    assert (other.done, other.shape, other.confidence) == (5, (8, 32, 32), one.confidence) and 0 < one.confidence < 0.5
    assert other.settings == one.settings
    for state in (one, other):
        go_on(state, 4)
    assert torch.equal(one.canvas(), other.canvas()) and torch.equal(one.generator.get_state(), other.generator.get_state())
    assert one.confidence == other.confidence and one.done == other.done == 9
    again = fresh(canvas=canvas)
    again.load_state_dict(kept)
    assert again.done == 5 and not torch.equal(again.canvas(), one.canvas()), "what was kept stays as it was"


def test_checkpoints_of_earlier_versions_are_read() -> None:
    state = fresh()
    go_on(state, 2)
    kept = state.state_dict()
    earlier = {name: value for name, value in kept.items() if name != "confidence"}
    for checkpoint, expected in ((earlier | {"sureness": 0.25}, 0.25), (kept, state.confidence), (earlier, 1.0)):
        other = fresh()
        other.load_state_dict(checkpoint)
        assert other.confidence == expected and torch.equal(other.canvas(), state.canvas())


def test_a_loss_that_is_no_number_is_told() -> None:
    state = fresh()
    before = state.canvas.values.detach().clone()
    sound = state.canvas().mean()
    with pytest.raises(LeapsError, match="term “coherence” became nan at step 1. Lower the learning rate"):
        state.loss({"smoothness": sound, "coherence": sound * float("nan")})

    def both() -> dict[str, Tensor]:
        return {"sound": state.canvas().mean(), "fixed": torch.ones(()), "endless": (state.canvas() * 0).sum().sqrt()}

    state.loss(both()).backward()  # the last is 0, with a slope of 0 · ∞
    with pytest.raises(LeapsError, match="gradient of “endless” is no number at step 1, though the terms are"):
        state.descend(both)
    with pytest.raises(LeapsError, match="gradient of one of sound is no number"):
        state.descend(lambda: {"sound": state.canvas().mean()})
    assert state.done == 0 and torch.equal(state.canvas.values, before)
