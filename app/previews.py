"""What would a slider do? Marks at the recommended and the paper's value; and a small picture of its lowest, usual and highest
value, while pointer or keyboard is on it."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any

import gradio as gr

from leaps_core import models, paths
from leaps_core.config import FIELDS, STEERING
from leaps_core.errors import ModelError

from . import controls
from .texts import sections
from .theme import web


def build() -> gr.HTML:
    """The card, which shows itself beside whatever slider is pointed at."""
    words = sections("about")["previews"]
    return gr.HTML(
        {"known": {}, "marks": {}},  # type: ignore[arg-type]
        html_template=f"<div class='card' role='tooltip' hidden><img alt=''><p><b>{words.title}</b></p><p>{words.text}</p>"
        "</div>",
        css_template=web("previews.css"),
        js_on_load=web("previews.js"),
        apply_default_css=False,
        elem_id="previews",
        server_functions=[picture],
    )


def value(model: str) -> dict[str, Any]:
    """What the card knows of the sliders, by their labels: which have a picture, and the values that are marked for a model."""
    spec = models.spec(model)
    presets = {"recommended": models.preset(spec)}
    with suppress(ModelError):  # the paper has no row for it
        presets["paper"] = models.preset(spec, "paper")
    return {
        "known": {controls.label(name): name for name in STEERING if _file(name).is_file()},
        "marks": {
            controls.label(name): {kind: chosen.get(name, FIELDS[name].default) for kind, chosen in presets.items()}
            for name in filter(controls.has_slider, controls.ORDER)
        },
    }


def picture(name: Any) -> str:
    """The picture of a slider, as a data address; "" where there is none."""
    if name not in STEERING or not _file(name).is_file():
        return ""
    return "data:image/webp;base64," + base64.b64encode(_file(name).read_bytes()).decode()


def _file(name: str) -> Any:
    return paths.ASSETS / "sliders" / f"{name}.webp"
