"""A study's folder: who works on what, and what it refuses."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from leaps_core import files, models
from leaps_core.errors import RunError
from leaps_core.studies import kept
from leaps_core.studies.kept import Kept, Made
from leaps_core.studies.report import Report
from leaps_core.studies.study import Asked, Study, Trial

ASKED = Asked(("tiny",), ("bowling",), seeds=3)


def trials(asked: Asked, rows: Sequence[dict[str, Any]] = ()) -> list[Trial]:
    return [
        Trial({"model": "tiny", "action": "bowling", "seed": seed}, models.configure("tiny", "bowling", {"seed": seed}))
        for seed in asked.range
    ]


STUDY = Study("trial", "Trial", "None.", trials, lambda asked, rows: Report([]), {})


def test_trials_have_names_that_say_what_they_are_and_differ() -> None:
    names = [trial.id for trial in trials(ASKED)]
    assert len(set(names)) == 3 and names[0].startswith("tiny-bowling-7000-") and names == [one.id for one in trials(ASKED)]
    other = Trial(trials(ASKED)[0].at, trials(ASKED)[0].config.replace(steps=7))
    assert other.id != names[0]


def test_what_is_kept_is_there_for_the_next_one(tmp_path: Path) -> None:
    first = Kept(tmp_path, STUDY, ASKED)
    one, two, three = trials(ASKED)
    work = [(one,), (two, three)]
    claims = first.claims(work)
    first.keep(next(claims), [Made({"seed": 1}, {"run.json": b"{}"})])
    assert first.has(one) and not first.has(two) and (first.run(one) / "run.json").read_bytes() == b"{}"
    again = Kept(tmp_path, STUDY, ASKED)
    assert again.rows([one, two, three]) == [{"seed": 1, "run": one.id, "folder": str(tmp_path / "runs" / one.id)}]
    assert list(again.claims(work)) == [(two, three)]


def test_a_batch_that_was_half_kept_is_made_again_and_what_was_kept_stays(tmp_path: Path) -> None:
    first = Kept(tmp_path, STUDY, ASKED)
    one, two, _ = trials(ASKED)
    first._keep(one, Made({"seed": 1}, {}))  # and killed
    claims = first.claims([(one, two)])
    first.keep(next(claims), [Made({"seed": 9}, {}), Made({"seed": 2}, {})])
    assert [row["seed"] for row in first.rows([one, two])] == [1, 2] and not list(claims)


def test_a_folder_of_another_study_is_refused(tmp_path: Path) -> None:
    Kept(tmp_path, STUDY, ASKED)
    with pytest.raises(RunError, match="another “seeds” \\(3; asked for: 4\\). Choose another folder"):
        Kept(tmp_path, STUDY, Asked(("tiny",), ("bowling",), seeds=4))
    (tmp_path / "study.json").write_text("{")
    with pytest.raises(RunError, match="study.json can't be read"):
        Kept(tmp_path, STUDY, ASKED)


def test_nobody_works_on_what_another_works_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "WAIT", 0.01)
    mine, theirs = Kept(tmp_path, STUDY, ASKED), Kept(tmp_path, STUDY, ASKED)
    one, two, three = trials(ASKED)
    work = [(one,), (two,), (three,)]
    first, second = mine.claims(work), theirs.claims(work)
    assert (next(first), next(second), next(first)) == ((one,), (two,), (three,))
    assert not list(first), "what is made is kept before it waits for the other, which may wait for it"
    for trial in (one, three):
        mine.keep((trial,), [Made({}, {})])
    ended = threading.Thread(target=lambda: list(mine.claims(work)))  # waits for the other's
    ended.start()
    assert ended.is_alive()
    theirs.keep((two,), [Made({}, {})])
    ended.join(10)
    assert not ended.is_alive() and not list(second)


def test_what_was_let_go_of_is_done_by_another(tmp_path: Path) -> None:
    mine = Kept(tmp_path, STUDY, ASKED)
    (one, *_) = trials(ASKED)
    next(mine.claims([(one,)]))
    assert files.is_locked(tmp_path / "locks" / one.id)
    mine.release()
    assert next(Kept(tmp_path, STUDY, ASKED).claims([(one,)])) == (one,)


def test_where_a_study_lies_depends_on_what_was_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    first, same = kept.place(STUDY, ASKED), kept.place(STUDY, Asked(("tiny",), ("bowling",), seeds=3))
    other = kept.place(STUDY, Asked(("tiny",), ("bowling",), seeds=4))
    assert first == same != other and first.parent == tmp_path / "studies" and first.name.startswith("trial-tiny-")
    assert json.dumps(kept.described(ASKED))
