"""The small parts of the page that draw themselves in the browser: the run gallery, the top-5 bars, the status line."""

from __future__ import annotations

import html
from abc import ABCMeta
from collections.abc import Iterable, Sequence
from typing import Any

import gradio as gr

from leaps_core import models, runs
from leaps_core.config import NETWORKS, SynthesisConfig
from leaps_core.errors import ModelError

from . import views
from .texts import say, sections
from .theme import web

NOTED = 80
"""Characters of a note that a card shows."""
ORDERS = {
    "": "newest first",
    "action": "by action",
    "model": "by model",
    "judge": "by the judge’s opinion",
    "wall": "a wall: model × action",
}
"""How a gallery's cards can lie, by the name that gallery.js has for it."""


def gallery(**options: Any) -> gr.HTML:
    """Cards of runs; its value is made by `cards`, its event `pick` has the chosen runs' `ids`."""
    choices = "".join(f"<option value='{value}'>{html.escape(say(name))}</option>" for value, name in ORDERS.items())
    words = ("Find runs: action, model, status, note", "Order of the runs", "Pause all clips", "Play all clips")
    find, order, still, moving = (html.escape(say(name), quote=True) for name in words)
    return gr.HTML(
        {},
        html_template=f"<div class='find' hidden><input type='search' placeholder='{find}' aria-label='{find}'>"
        f"<select aria-label='{order}'>{choices}</select>"
        f"<button type='button' class='all' data-still='{still}' data-moving='{moving}'></button></div>"
        "<div class='cards'></div>",
        css_template=web("gallery.css"),
        js_on_load=web("gallery.js"),
        apply_default_css=False,
        **options,
    )


def cards(
    shown: Sequence[runs.Run], most: int = 1, small: bool = False, empty: str = "", chosen: Sequence[str] = ()
) -> dict[str, Any]:
    """What a gallery shows; up to `most` cards can be chosen, and some may be already."""
    return {"cards": [_card(run) for run in shown], "most": most, "small": small, "empty": empty, "chosen": list(chosen)}


def percent(share: float | None) -> str:
    """A probability for people; a network that did not look is blank, not 0 %."""
    return "–" if share is None else f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def scores(config: SynthesisConfig, final: dict[str, Any] | None) -> str:
    """What the networks that took part say of a finished clip; where the object judge sees the action's best object; and whose
    idea of a photograph the clip was drawn towards, as one sees that, too."""
    final = final or {}
    said = [f"{say(network)} {percent(final[network])}" for network in NETWORKS if final.get(network) is not None]
    said = said or [say("no scores")]
    if rank := final.get("object_rank"):
        first = final["objects"][0][0]
        said.append(say("the object judge sees {first} first, the action's object at place {rank}", first=first, rank=rank))
    if config.frame_verifier != "none" and config.naturalness:
        said.append(say("drawn towards photographs by {name}", name=model_name(config.frame_verifier)))
    return " · ".join(said)


def bars() -> gr.HTML:
    """The model's five best guesses; its value: {"rows": [(label, share), ...], "wanted": label}."""
    section = sections("plots")["top5"]
    return gr.HTML(
        {},
        html_template=f"<div class='top5'><h4>{html.escape(section.title)}</h4><ol></ol>"
        f"<p>{html.escape(section.text)}</p></div>",
        css_template=web("bars.css"),
        js_on_load=web("bars.js"),
        apply_default_css=False,
        elem_id="top5",
        min_width=150,
        scale=1,
    )


def line(state: str, *parts: str) -> dict[str, str]:
    """What the status line says: a state, the word for it, and the rest; empty parts are left out."""
    return {"state": state, "word": say(state), "text": " · ".join(filter(None, parts))}


def status() -> gr.HTML:
    """One line on what is going on; its value is made by `line`."""
    return gr.HTML(
        {},
        html_template="<div class='line'><b role='status'></b><span></span></div>",
        css_template=web("status.css"),
        js_on_load=web("status.js"),
        apply_default_css=False,
        elem_id="status",
    )


def _as_sent(self: Any, payload: Any) -> Any:
    """The value as the browser sent it."""
    return payload


def _unchecked(kind: type, name: str) -> Any:
    """A list of choices whose value is checked by whoever takes it. Gradio's own check takes it for wrong while other choices
    are on their way to the browser, and says so with a traceback. (`allow_custom_value` would also take half a word for a
    choice.) Made past Gradio's metaclass, which would write a stub beside this file; Gradio tells kinds apart by `name`."""
    return ABCMeta.__new__(type(kind), name, (kind,), {"preprocess": _as_sent, "is_template": True})


Select, Options = _unchecked(gr.Dropdown, "Select"), _unchecked(gr.Radio, "Options")


def log_slider(minimum: float, maximum: float, step: float, value: float, label: str, info: str) -> gr.HTML:
    """A slider like Gradio's whose way is logarithmic: after `minimum` at its left end come the decades from `step` to
    `maximum`. Its value is a number, whole where `value` is; its event `input` is a person's alone."""
    name, whole = html.escape(label, quote=True), " data-whole" * isinstance(value, int)
    return gr.HTML(
        value,  # type: ignore[arg-type]  # any JSON
        html_template=f"<div class='log' data-min='{minimum}' data-max='{maximum}' data-step='{step}'{whole}>"
        f"<div class='head'><span>{name}</span>"
        f"<input type='number' step='any' aria-label='number input for {name}'></div>"
        f"<p class='info-text'>{html.escape(info)}</p>"
        f"<div class='row'><span>{minimum:g}</span>"
        f"<input type='range' min='0' max='1' step='0.01' aria-label='range slider for {name}'>"
        f"<span>{maximum:g}</span></div></div>",
        css_template=web("slider.css"),
        js_on_load=web("slider.js"),
        apply_default_css=False,
        container=True,
        padding=False,
        min_width=160,
        elem_classes="log-slider",
    )


def named(known: Iterable[Any]) -> list[Any]:
    """What may be chosen, as (words, value), in the page's language."""
    return [(say(one), one) if isinstance(one, str) else one for one in known]


def model_name(key: str) -> str:
    """What a model is called; its key where it isn't here any more."""
    try:
        return models.spec(key).name
    except ModelError:
        return key


def _card(run: runs.Run) -> dict[str, Any]:
    when, model = f"{run.created:%Y-%m-%d %H:%M}", model_name(run.config.model)
    lines = [
        model,
        scores(run.config, run.final),
        say("demo") if run.demo else f"{say(run.status)} · {say('{steps} steps', steps=run.done)} · {when}",
    ]
    if note := run.note:
        lines.append(f"“{note[:NOTED].strip()}{'…' * (len(note) > NOTED)}”")
    changed = (run.folder / "run.json").stat().st_mtime_ns
    order = {"action": run.config.action, "model": model, "judge": (run.final or {}).get("judge")}
    thumb = views.thumbnail(run.folder, changed)
    return {"id": run.id, "title": run.config.action, "lines": lines, "order": order, "thumb": thumb}
