"""What the widgets of a page say."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.settings_panel import SettingsPanel


def said(panel: SettingsPanel, told: dict[Any, Any], before: list[Any] | None = None) -> list[Any]:
    """What the settings' widgets say after an answer, in the order of `panel.inputs`."""
    values = dict(zip(panel.inputs, before or [part.value for part in panel.inputs], strict=True))
    for part, value in values.items():
        update = told.get(part, {})
        if isinstance(update, gr.components.Component):
            update = update.constructor_args
        values[part] = update.get("value", value) if isinstance(update, dict) else update
    return list(values.values())
