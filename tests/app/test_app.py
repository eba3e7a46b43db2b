"""The page as a whole, before it is launched."""

from __future__ import annotations

import inspect

from gradio.queueing import Queue

import app


def test_gradios_idle_queue_sleeps() -> None:
    assert "sleep(self.sleep_when_free)" in inspect.getsource(Queue.start_processing), "Gradio has another name for it now"
    assert app.build()._queue.sleep_when_free == app.QUEUE_SLEEP
