"""The whole page, tab by tab, and how it is launched."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.utils import LRUCache

from . import api, session, walls
from .session import QUICK
from .tabs import lessons
from .tabs.compare import CompareTab
from .tabs.map import MapTab
from .tabs.runs import RunsTab
from .tabs.studies import StudiesTab
from .tabs.synthesis import SynthesisTab
from .texts import say, spoken
from .theme import THEME, web

QUEUE_SLEEP = 0.05
"""Seconds that Gradio's queue sleeps when it has nothing to begin: its own value on Windows. Elsewhere it is 0.001, and waking
a thousand times a second took a run a sixth of its steps (docs/speed.md). An event waits so much longer at most."""
ASKED = "What does a video classifier remember of an action? Press Start, and watch it come out of the noise."
"""What the page is about, at its top."""
RELOADED = """(visitor, key) => {
  const how = performance.getEntriesByType('navigation')[0]?.type, last = sessionStorage.getItem('leaps-address');
  sessionStorage.setItem('leaps-address', location.search);
  document.getElementById('controls').inert = true;
  return [visitor, key, window === top ? how === 'reload' || how === 'back_forward' : last === location.search]; }"""
"""A script that says what `SynthesisTab.load` wants to know of the browser. A frame, as in a Space, isn't told that the page
around it was reloaded: there the same address in the same window has to do. Until the controls are filled nothing can be chosen
there: it would be overwritten."""
FILLED = "() => { document.getElementById('controls').inert = false; }"
"""A script for what follows `SynthesisTab.load`, even if that fails."""
VISITORS = 2000
"""For how many visitors messages are kept, those of the longest silent going first: Gradio's own value."""


class Pending(LRUCache[str, Any]):
    """The messages that wait for each visitor. One who leaves while two streams are open has them deleted twice: for Gradio
    6.31 an error, after which a heartbeat goes on for ever."""

    def __delitem__(self, visitor: str) -> None:
        if visitor in self:
            super().__delitem__(visitor)


def build() -> gr.Blocks:
    """The whole page, not yet launched."""
    with gr.Blocks(title="LEAPS Explorer", fill_width=True, delete_cache=(3600, 86_400), analytics_enabled=False) as page:
        shared = session.build()
        gr.HTML(f"<h1>LEAPS Explorer</h1><p>{say(ASKED)}</p>", elem_id="head", apply_default_css=False)
        with gr.Tabs() as tabs:
            with gr.Tab(say("Synthesis"), id="synthesis"):
                synthesis = SynthesisTab(shared)
            with gr.Tab(say("Compare"), id="compare") as tab:
                CompareTab(shared, tab)
            with gr.Tab(say("Runs"), id="runs") as tab:
                RunsTab(shared, synthesis, tabs, tab)
            with gr.Tab(say("Map"), id="map") as tab:
                MapTab(shared, tab)
            with gr.Tab(say("Studies"), id="studies") as tab:
                StudiesTab(tab)
        synthesis.tray.render()
        lessons.wire(shared, synthesis, tabs)
        api.publish()
        here = [shared.visitor, shared.key, gr.Checkbox(visible="hidden")]
        page.load(synthesis.load, here, synthesis.outputs, js=RELOADED, **QUICK).then(js=FILLED, **QUICK)
        page.unload(synthesis.unload)
    page.queue(max_size=32, default_concurrency_limit=8)
    page._queue.sleep_when_free = QUEUE_SLEEP
    page._queue.pending_messages_per_session = Pending(VISITORS)
    return page


def options(upload: float = 200) -> dict[str, Any]:
    """What `launch` has to be told. upload: megabytes of the largest file."""
    return {
        "theme": THEME,
        "css": web("page.css") + web("plots.css"),
        "js": web("page.js"),
        "head": f"<script>document.documentElement.lang = '{spoken()}'</script>",  # Gradio itself says English, once it begins
        "max_file_size": int(upload * 1e6),
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": ["api"],
        "quiet": True,
        "app_kwargs": {"middleware": walls.middleware()},
    }
