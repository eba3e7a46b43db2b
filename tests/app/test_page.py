"""The page as a whole, before it is launched."""

from __future__ import annotations

import inspect

from gradio.queueing import Queue

from app import page


def test_gradios_idle_queue_sleeps() -> None:
    assert "sleep(self.sleep_when_free)" in inspect.getsource(Queue.start_processing), "Gradio has another name for it now"
    assert page.build()._queue.sleep_when_free == page.QUEUE_SLEEP
