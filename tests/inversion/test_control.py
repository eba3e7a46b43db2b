"""Steering a run: what may change, pauses, stops."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from leaps_core.config import LIVE_SETTINGS
from leaps_core.errors import ConfigError
from leaps_core.inversion import lane
from leaps_core.inversion.control import Control
from leaps_core.inversion.loop import synthesize
from tests.inversion.helpers import config, run


@pytest.mark.parametrize("name", [name for name in LIVE_SETTINGS if name != "naturalness"])  # that one is in test_networks.py
def test_every_live_setting_acts_from_the_next_step_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "STRENGTH_EXPONENT", 0)  # noise and colours show, though the tiny model is never sure
    value = {
        "flip": True,
        "priming_share": 50,
        "jitter_time": 4,
        "rotate": 20.0,
        "noise": 0.4,
        "colour": 0.4,
        "zoom": 0.3,
        "zoom_in": 1.0,
        "jitter": 0.3,
        "motion_speed": 3.0,
        "learning_rate": 0.4,
        "r": 0.05,
        "norm": 0.5,
    }.get(name, 4.0)
    control, clips = Control(), []
    for step in synthesize(config(steps=14, coarse=0.0), control):
        clips.append(step.clip)
        if step.index == 4:
            control.set(**{name: value})
    plain = [step.clip for step in run(steps=14, coarse=0.0)]
    assert all(torch.equal(a, b) for a, b in zip(clips[:4], plain[:4], strict=True))
    assert not torch.equal(clips[-1], plain[-1])
    assert control.changes == [{"step": 5, "field": name, "value": value}]


def test_changes_replayed_give_the_same_clip() -> None:
    control, last = Control(), None
    for last in synthesize(config(steps=8), control):
        if last.index == 3:
            control.set(learning_rate=0.3)
        if last.index == 6:
            control.set(motion_speed=2.0, r=0.02)
    again = Control(control.changes)
    assert last is not None and torch.equal(last.clip, run(again, steps=8)[-1].clip)
    assert again.changes == control.changes


def test_control_refuses_what_cannot_change() -> None:
    control = Control()
    for bad in ({"steps": 10}, {"r": float("nan")}, {"r": 99.0}, {"colourfulness": 1.0}):
        with pytest.raises(ConfigError):
            control.set(**bad)


def test_pause_holds_and_resume_goes_on() -> None:
    control, seen = Control(), []
    control.pause()
    thread = threading.Thread(target=lambda: seen.extend(synthesize(config(), control)), daemon=True)
    thread.start()
    time.sleep(0.5)
    assert not seen
    control.resume()
    thread.join(30)
    assert len(seen) == 6 and seen[-1].seconds < 0.4 + seen[-1].index


@pytest.mark.parametrize("when", [1, 3])
def test_stop_ends_with_figures(when: int) -> None:
    control, steps = Control(), []
    for step in synthesize(config(), control):
        steps.append(step)
        if step.index == when:
            control.stop()
    assert steps[-1].index == when and steps[-1].final is not None and steps[-1].probabilities["judge"] is not None


def test_stop_while_paused() -> None:
    control = Control()
    stream = synthesize(config(), control)
    next(stream)
    control.pause()
    threading.Timer(0.2, control.stop).start()
    assert [step.final is not None for step in stream] == [True]
