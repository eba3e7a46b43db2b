"""Pictures of what sliders do."""

from __future__ import annotations

from app import previews
from leaps_core.config import STEERING


def test_pictures_are_of_sliders_only() -> None:
    assert previews.picture("coherence").startswith("data:image/webp;base64,")
    for name in ("../models/puppet_csn", "seed", None, 3, ["r"]):
        assert previews.picture(name) == ""
    card = previews.build()
    assert set(card.value["known"].values()) <= set(STEERING) and card.value["known"]["Coherence"] == "coherence"
