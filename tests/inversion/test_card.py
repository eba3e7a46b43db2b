"""On a graphics card: everything is where it belongs, and the numbers are the processor's. With a card that isn't there."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from leaps_core import machine, models, video
from leaps_core.inversion.control import Control
from leaps_core.inversion.loop import synthesize, synthesize_together
from leaps_core.inversion.plan import make_plan
from leaps_core.inversion.step import Step
from leaps_core.probes import questions
from leaps_core.probes.changes import survived
from leaps_core.probes.gradient import sensitivity
from leaps_core.puppets import render_clip
from tests import card, tiny


@pytest.fixture(autouse=True)
def cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """device=cuda is the card of the tests."""
    monkeypatch.setattr(machine, "pick_device", lambda name: card.PLACE if name == "cuda" else torch.device("cpu"))
    monkeypatch.setattr(machine, "free_memory", lambda device: 2**34)


SETTINGS: dict[str, Any] = tiny.QUICK | {"precision": "float32"}


def made(device: str, given: dict[str, Any], **more: Any) -> list[Step]:
    """The steps of a run."""
    config = models.configure("tiny", "bowling", SETTINGS | given | {"device": device})
    return list(synthesize(config, **more))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"verifier": "self", "diversity_form": "relative", "views": 2, "flip": True, "zoom_in": 0.3, "rotate": 5.0},
        {"canvas": "pixels", "norm": 0.01, "nearness": 0.1, "evidence_form": "logit"},
        {"begin_at": "stimulus", "nearness": 1.0, "coarse": 0.0},
        {"stimuli": (), "verifier": "none", "sizes": 2, "coarse": 0.7, "motion_speed": 0.5},
        {"noise": 0.2, "colour": 0.3, "margin": 2.0, "priming_share": 50},
    ],
    ids=lambda given: " ".join(given) or "as usual",
)
def test_a_run_on_a_card_is_the_processors(given: dict[str, Any]) -> None:
    plain = made("cpu", given)
    with card.there():
        found = made("cuda", given)
    assert [step.losses for step in found] == [step.losses for step in plain]
    assert all(step.clip.device == card.PLACE for step in found) and found[-1].final is not None
    assert (video.to_frames(found[-1].clip) == plain[-1].frames).all()


def test_it_goes_on_there_from_a_checkpoint_of_the_processor() -> None:
    begun = Control()
    for step in synthesize(models.configure("tiny", "bowling", SETTINGS | {"steps": 5}), begun):
        if step.index == 2:
            break
    plain = made("cpu", {"steps": 5}, checkpoint=begun.checkpoint())
    with card.there():
        found = made("cuda", {"steps": 5}, checkpoint=begun.checkpoint())
    assert [step.index for step in found] == [3, 4, 5]
    assert [step.losses for step in found] == [step.losses for step in plain]


def test_who_looks_at_a_clip_there() -> None:
    config = models.configure("tiny", "bowling", SETTINGS)
    clip = render_clip("bowling", 1, frames=8, size=32)
    found: list[list[Any]] = []
    for device in ("cpu", "cuda"):
        with card.there():
            model = models.load("tiny", device)
            said = questions.ask(config.replace(device=device), clip)
            tensor = video.to_tensor(clip).to(model.mean.device)
            lasting = survived(lambda seen, model=model: questions.logits(model, seen), tensor, 2)
            found.append([said, lasting, sensitivity("tiny", 2, clip, device).tolist(), model.embed(tensor).tolist()])
    assert found[0] == found[1]


def test_several_together() -> None:
    each = [models.configure("tiny", "bowling", SETTINGS | {"seed": seed, "device": "cuda"}) for seed in range(2)]
    with card.there():
        plans = list(map(make_plan, each))
        steps = [list(run) for run in synthesize_together(plans, [Control(), Control()])]
    assert [some[-1].index for some in steps] == [3, 3]


def test_what_is_elsewhere_is_found() -> None:
    with card.there(), pytest.raises(RuntimeError, match="one of"):
        torch.ones(3).to(card.PLACE) + torch.ones(3)
