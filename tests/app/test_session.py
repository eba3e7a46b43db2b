"""What all tabs share: problems become toasts, and everything else stays what it is."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr
import pytest

from app import session
from leaps_core.errors import LeapsError


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []
    monkeypatch.setattr(gr, "Warning", lambda text, **options: told.append(text))
    return told


def test_a_problem_becomes_a_toast_and_changes_nothing(warnings: list[str]) -> None:
    @session.told
    def fails(x: int) -> int:
        raise LeapsError(f"No {x}.")

    assert fails(3) == gr.skip() and warnings == ["No 3."]
    assert session.told(fails.__wrapped__, {"said": ""})(4) == {"said": ""} and warnings.pop() == "No 4.", (
        "or what is asked for"
    )
    assert session.told(lambda x: x + 1)(3) == 4 and len(warnings) == 1


def test_what_was_told_before_a_problem_stays_told(warnings: list[str]) -> None:
    @session.told
    def breaks_off(x: int) -> Iterator[int]:
        yield x
        raise LeapsError("No more.")

    assert list(breaks_off(1)) == [1, gr.skip()] and warnings == ["No more."]


def test_a_bug_is_not_taken_for_a_problem(warnings: list[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        session.told(lambda: 1 / 0)()
    assert not warnings


def test_visitors_keep_their_secret_and_their_run_in_their_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_SECRET", "ours")
    with gr.Blocks():
        built = session.build()
    assert built.visitor.storage_key != built.key.storage_key
    assert built.visitor.secret == built.key.secret == "ours"
    assert not built.timer.active and not built.pulse.active, "nothing is asked before the page is filled"
