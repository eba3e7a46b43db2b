"""The clip player: a canvas in the browser draws from one sheet of frames, so a clip is replaced without flicker."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from leaps_core import video

from .theme import web

MAX_SIZE = 224
"""Larger clips are shown at this size, in px; downloads have them whole."""


def track(name: str, label: str, clip: np.ndarray | None, note: str = "", known: bool = False) -> dict[str, Any]:
    """One clip of the player, uint8 (T, H, W, 3), with a label and a note below it; None: an empty frame. known: the browser
    has its picture already."""
    picture = {} if known else {"src": None} if clip is None else sheet(clip)
    return {**kept(name, label, note), **picture}


def kept(name: str, label: str, note: str = "") -> dict[str, Any]:
    """A track whose picture the browser already has."""
    return {"id": name, "label": label, "note": note}


def sheet(clip: np.ndarray, size: int = MAX_SIZE) -> dict[str, Any]:
    """A clip's frames in one picture of at most this size per frame (see `video.sprite`)."""
    large = max(clip.shape[1:3]) > size
    return video.sprite(video.resample(clip, len(clip), size) if large else clip)


def tracks(*items: dict[str, Any], strip: str | None = None) -> dict[str, Any]:
    """What a player shows: its tracks, and the name of the one whose frames make the film strip."""
    return {"tracks": list(items), "strip": strip}


def player(**options: Any) -> gr.HTML:
    """A player; its value is made by `tracks`."""
    return gr.HTML(
        {},
        html_template=web("player.html"),
        css_template=web("player.css"),
        js_on_load=web("player.js"),
        apply_default_css=False,
        **options,
    )
