"""Errors that a person can cause, and the names that were meant."""

from __future__ import annotations

from leaps_core import errors
from leaps_core.errors import LeapsError, brief, did_you_mean


def test_all_are_of_one_kind() -> None:
    found = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(found) == 6 and all(issubclass(kind, LeapsError) for kind in found)


def test_a_near_name_is_asked_for_and_a_strange_one_is_not() -> None:
    assert did_you_mean("bowlin", ("tai chi", "bowling")) == " Did you mean “bowling”?"
    assert did_you_mean("bowlin", iter(["bowling"])) == " Did you mean “bowling”?", "any names that can be gone through"
    assert did_you_mean("zzz", ("tai chi", "bowling")) == did_you_mean("bowling", ()) == ""


def test_what_cant_be_seen_is_shown_and_what_nobody_reads_is_cut() -> None:
    assert str(LeapsError("“a\nb\x1b[31m\u202egnp\udcff” is é 龍 🎺")) == "“a�b�[31m�gnp�” is é 龍 🎺"
    assert str(LeapsError()) == "" and len(str(LeapsError("x" * 10**6))) < 2100
    assert brief("short") == "short" and brief("x" * 10**6) == "x" * 80 + " …"
