"""Pictures of what sliders do."""

from __future__ import annotations

import gradio as gr

from app import controls, previews
from leaps_core.config import FIELDS, STEERING


def test_pictures_are_of_sliders_only() -> None:
    assert previews.picture("coherence").startswith("data:image/webp;base64,")
    for name in ("../models/puppet_csn", "seed", None, 3, ["r"]):
        assert previews.picture(name) == ""
    known = previews.value("puppet_csn")["known"]
    assert set(known.values()) <= set(STEERING) and known["Coherence"] == "coherence"


def test_sliders_are_marked_at_the_recommended_and_the_papers_value_of_the_model() -> None:
    marks = previews.value("puppet_csn")["marks"]
    assert marks["Regularizers (r)"] == {"recommended": FIELDS["r"].default, "paper": 0.001}
    assert previews.value("puppet_r50_clean")["marks"]["Regularizers (r)"]["paper"] == 0.0075
    assert previews.value("i3d")["marks"]["Diversity"] == {"recommended": 6.0}, "the paper has no row for it"
    assert {controls.label(name) for name in controls.ORDER if isinstance(controls.widget(name), gr.Slider | gr.HTML)} == set(
        marks
    )
    assert len(marks) > 20 and marks[controls.label("jitter")] == {"recommended": FIELDS["jitter"].default, "paper": 0.134}
