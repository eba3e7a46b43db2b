"""How the page looks: colours, fonts, and the folder web with its style sheets and scripts."""

from __future__ import annotations

import re
from pathlib import Path

import gradio as gr

from .texts import say

WEB = Path(__file__).parent / "web"
"""Scripts and style sheets that the browser gets."""

# Only the weights 400 and 700 of the bundled fonts are complete; 600 would mix two typefaces.
THEME = gr.themes.Base(
    primary_hue="teal",
    neutral_hue="slate",
    text_size="sm",
    spacing_size="sm",
    radius_size="md",
    font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
    font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "monospace"],
).set(
    body_background_fill="*neutral_50",
    body_background_fill_dark="*neutral_950",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_700",
    button_primary_text_color="white",
    body_text_color_subdued="*neutral_500",
    block_info_text_color="*neutral_500",
    block_info_text_color_dark="*neutral_400",
)


def web(name: str) -> str:
    """The text of a file in app/web, in the language of the page: what it says stands between ⟦ and ⟧."""
    return re.sub("⟦(.+?)⟧", lambda found: say(found[1]), (WEB / name).read_text(encoding="utf-8"))
