"""The page as a whole, before it is launched."""

from __future__ import annotations

import inspect
import re

import gradio as gr
import gradio.routes
from gradio.queueing import Queue

from app import page


def test_gradios_idle_queue_sleeps() -> None:
    assert "sleep(self.sleep_when_free)" in inspect.getsource(Queue.start_processing), "Gradio has another name for it now"
    assert page.build()._queue.sleep_when_free == page.QUEUE_SLEEP


def test_every_control_links_to_its_lesson() -> None:
    controls = (gr.Checkbox, gr.Dropdown, gr.Number, gr.Radio, gr.Slider, gr.Textbox)
    parts = [part for part in page.build().blocks.values() if isinstance(part, controls) and part.visible != "hidden"]
    alone = [part.elem_id or part.label for part in parts if not re.search(r"\(Lesson \d+\.\)$", part.info or "")]
    # neither how a clip is made nor how it is shown
    assert sorted(alone) == ["Save it as", "address", "keep", "lesson", "lesson-check", "note"] and len(parts) > 70


def test_messages_of_a_visitor_who_left_are_deleted_once_or_twice() -> None:
    assert "del blocks._queue.pending_messages_per_session[session_hash]" in inspect.getsource(gradio.routes)
    pending = page.build()._queue.pending_messages_per_session
    pending["anna"] = pending["ben"] = "message"
    for _ in range(2):
        del pending["anna"]
    assert list(pending) == ["ben"] and pending.max_size == page.VISITORS
