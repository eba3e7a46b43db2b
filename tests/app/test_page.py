"""The page as a whole, before it is launched."""

from __future__ import annotations

import inspect

import gradio.routes
from gradio.queueing import Queue

from app import page


def test_gradios_idle_queue_sleeps() -> None:
    assert "sleep(self.sleep_when_free)" in inspect.getsource(Queue.start_processing), "Gradio has another name for it now"
    assert page.build()._queue.sleep_when_free == page.QUEUE_SLEEP


def test_messages_of_a_visitor_who_left_are_deleted_once_or_twice() -> None:
    assert "del blocks._queue.pending_messages_per_session[session_hash]" in inspect.getsource(gradio.routes)
    pending = page.build()._queue.pending_messages_per_session
    pending["anna"] = pending["ben"] = "message"
    for _ in range(2):
        del pending["anna"]
    assert list(pending) == ["ben"] and pending.max_size == page.VISITORS
