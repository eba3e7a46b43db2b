"""Carrying out a study: whole, in pieces, with runs that fail."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from torch import Tensor

from leaps_core import machine, models
from leaps_core.errors import LeapsError, RunError
from leaps_core.inversion import loop
from leaps_core.inversion.plan import make_plan
from leaps_core.inversion.terms import Term
from leaps_core.runs import Run, writer
from leaps_core.studies import carry, kept, numbers
from leaps_core.studies.report import Report, done, values
from leaps_core.studies.study import Asked, Study, Trial
from tests.tiny import QUICK, TinyNet

pytestmark = pytest.mark.usefixtures("own_home")
ASKED = Asked(("tiny",), ("bowling",), seeds=2, settings={**QUICK, "steps": 2})


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "home"))


def trials(asked: Asked, rows: Sequence[dict[str, Any]]) -> list[Trial]:
    """A run per seed, and one more when these are there, as a search has it."""
    seeds = [*asked.range, *([asked.range.stop] if len(rows) >= asked.seeds else [])]
    return [
        Trial(
            {"model": "tiny", "action": "bowling", "seed": s},
            models.configure("tiny", "bowling", {"seed": s, **asked.settings}),
        )
        for s in seeds
    ]


def read(asked: Asked, rows: Sequence[dict[str, Any]]) -> Report:
    return Report([{"n": len(done(rows)), "p": numbers.mean(values(done(rows), "p_model"))}])


STUDY = Study("trial", "Trial", "None.", trials, read, {})


def test_a_study_goes_its_whole_way(tmp_path: Path) -> None:
    told: list[kept.Progress] = []
    report, notes = carry.carry_out(STUDY, ASKED, tmp_path / "s", progress=told.append)
    assert report.table[0]["n"] == 3 and not notes
    assert [(one.done, one.total) for one in told] == [(0, 2), (2, 2), (2, 3), (3, 3), (3, 3)]
    assert told[2].left and told[-1].left == 0
    rows = parquet.read_table(tmp_path / "s" / "clips.parquet").to_pylist()
    assert [row["seed"] for row in rows] == [7000, 7001, 7002] and len(rows[0]["classes_judge"]) == 16
    assert sum(rows[0]["classes_model"]) == pytest.approx(1, abs=1e-4)
    run = Run.open(tmp_path / "s" / "runs" / rows[0]["run"])
    assert run.status == "done" and run.config.seed == 7000 and run.clip.shape == (8, 32, 32, 3)
    assert json.loads((tmp_path / "s" / "progress.json").read_text())["done"] == 3


def test_a_study_that_was_stopped_goes_on_and_ends_as_it_would_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(progress: kept.Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    monkeypatch.setattr(carry, "BATCH", 1)
    with pytest.raises(KeyboardInterrupt):
        carry.carry_out(STUDY, ASKED, tmp_path / "s", progress=stop)
    made: list[list[int]] = []
    real = carry.make
    monkeypatch.setattr(carry, "make", lambda work: (made.append([one.config.seed for one in work[0]]), real(work))[1])
    carry.carry_out(STUDY, ASKED, tmp_path / "s")
    assert made == [[7001], [7002]], "the first is finished"
    carry.carry_out(STUDY, ASKED, tmp_path / "whole")
    one, other = ((tmp_path / name / "table.md").read_text() for name in ("s", "whole"))
    assert one == other


def test_one_that_goes_on_computes_in_the_format_in_which_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for picked in ("float32", "bfloat16"):
        monkeypatch.setattr(machine, "pick_precision", lambda name, device, picked=picked: picked if name == "auto" else name)
        carry.carry_out(STUDY, ASKED, tmp_path / "s")
        (row,) = (path for path in (tmp_path / "s" / "rows").iterdir() if f"-{ASKED.range.stop}-" in path.name)
        run = Run.open(tmp_path / "s" / "runs" / row.stem)
        assert run.config.precision == "float32"
        row.unlink()


def test_who_takes_part_is_decided_before_the_work_is_handed_out() -> None:
    config = models.configure("tiny", "bowling", {"steps": 2, "verifier": "auto"})
    found = carry.decided(config, "float32")
    cast = models.resolve(config)
    assert cast.verifier and found.verifier == cast.verifier.key and cast.judge and found.judge == cast.judge.key
    assert found.precision == "float32" and "auto" not in (found.frame_verifier, found.object_judge)
    said = config.replace(verifier="self", judge="none", precision="bfloat16")
    found = carry.decided(said, "float32")
    assert (found.verifier, found.judge, found.precision) == ("self", "none", "bfloat16"), "what was asked for stays"


def test_a_search_that_goes_on_finds_all_of_its_earlier_points(tmp_path: Path) -> None:
    def one_more(asked: Asked, rows: Sequence[dict[str, Any]]) -> list[Trial]:
        return trials(replace(asked, seeds=min(len(rows) + 1, 4)), ())

    search = replace(STUDY, trials=one_more)

    def stop(progress: kept.Progress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry.carry_out(search, ASKED, tmp_path / "s", progress=stop)
    report, _ = carry.carry_out(search, ASKED, tmp_path / "s")
    assert report.table[0]["n"] == 4
    again, _ = carry.carry_out(search, ASKED, tmp_path / "s")
    assert again.table == report.table, "asked once more, it says the same"


def test_a_run_that_fails_is_a_row_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Term("bad", lambda seen: seen.clip.sum() * (float("nan") if seen.settings.seed == 7001 else 0.0))
    monkeypatch.setattr(loop, "TERMS", (*loop.TERMS, bad))
    report, _ = carry.carry_out(STUDY, ASKED, tmp_path / "s")
    rows = parquet.read_table(tmp_path / "s" / "clips.parquet").to_pylist()
    assert [row["status"] for row in rows] == ["done", "failed", "done"] and "“bad” became nan" in rows[1]["error"]
    assert report.table[0]["n"] == 2 and "Seeds: 7000 to 7001." in report.claims
    assert "1 of 3 runs failed, and are left out" in report.claims[-1]
    *_, heads, _, lost = (tmp_path / "s" / "table.md").read_text("utf-8").splitlines()
    assert heads.startswith("| model |") and "| 7001 |" in lost and "“bad” became nan" in lost
    monkeypatch.setattr(loop, "TERMS", loop.TERMS[:-1])
    again, _ = carry.carry_out(STUDY, ASKED, tmp_path / "s")
    assert again.table[0]["n"] == 3 and not any("failed" in claim for claim in again.claims), "the next one tries it again"


def test_runs_whose_workers_are_lost_for_good_are_rows_that_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def each(work: Any, items: Any, engine: Any, lost: Any) -> Any:
        for number, item in enumerate(items):
            yield item, lost(item, "A piece was lost.") if number else work(item)

    monkeypatch.setattr(carry, "BATCH", 1)
    monkeypatch.setattr(carry.fleet, "each", each)
    report, _ = carry.carry_out(STUDY, ASKED, tmp_path / "s")
    assert report.table[0]["n"] == 2 and [row["error"] for row in report.failed] == ["A piece was lost."]


def test_what_pytorch_raises_is_a_row_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(seen: Any) -> Any:
        raise RuntimeError("no kernel for this")

    monkeypatch.setattr(loop, "TERMS", (*loop.TERMS, Term("bad", broken)))
    report, _ = carry.carry_out(STUDY, ASKED, tmp_path / "s")
    assert {row["error"] for row in report.failed} == {"RuntimeError: no kernel for this"}
    told = report.markdown
    assert "3 of 3 runs failed" in told and told.count("RuntimeError: no kernel for this") == 3


def test_what_pytorch_raises_while_a_clip_is_judged_is_a_row_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(run: Run) -> dict[str, Any]:
        raise RuntimeError("not enough memory")

    monkeypatch.setattr(carry.scores, "of", broken)
    report, _ = carry.carry_out(STUDY, ASKED, tmp_path / "s")
    assert {row["error"] for row in report.failed} == {"RuntimeError: not enough memory"}


def test_that_diversity_took_no_part_is_told(tmp_path: Path) -> None:
    alone = replace(ASKED, settings={**ASKED.settings, "verifier": "none"})
    said = "R_feat took no part in runs of Tiny, as no network with batch norm verified them."
    for asked, told in ((ASKED, False), (alone, True)):
        report, _ = carry.carry_out(STUDY, asked, tmp_path / str(told))
        assert (said in report.claims) == told


def test_what_a_killed_process_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry.tempfile, "gettempdir", lambda: str(tmp_path))
    left, ours = (tmp_path / f"{carry.PLACE}{number}-abc" for number in (2**22 + 1, os.getpid()))
    left.mkdir()
    (left / "clip.npz").write_bytes(b"half")
    ours.mkdir()
    carry.carry_out(STUDY, ASKED, tmp_path / "s")
    assert ours.exists() and not left.exists()


def test_on_a_full_disk_a_study_ends_and_goes_on_when_there_is_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = writer.Writer._save_clip

    def full(self: writer.Writer) -> None:
        if self.run.config.seed == 7001:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self)

    with monkeypatch.context() as patched:
        patched.setattr(writer.Writer, "_save_clip", full)
        with pytest.raises(RunError, match="disk of .* is full"):
            carry.carry_out(STUDY, ASKED, tmp_path / "s")
    report, _ = carry.carry_out(STUDY, ASKED, tmp_path / "s")
    assert report.table[0]["n"] == 3 and not any("failed" in claim for claim in report.claims)


def test_what_can_be_made_in_one_batch_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def trial(**settings: Any) -> Trial:
        return Trial(settings, models.configure("tiny", "bowling", {**QUICK, **settings}))

    first = [trial(seed=seed) for seed in range(6)]
    others = [
        trial(steps=4),
        trial(r=0.05),
        trial(verifier="none"),
        replace(trial(seed=9), work=dict),
        trial(verifier="none", seed=1),
    ]
    broken = replace(trial(seed=7), config=trial().config.replace(verifier="nobody"))
    found = carry.batches([*first, *others, broken])
    assert found == [tuple(first[:4]), (*first[4:], others[1]), (others[0],), (others[2], others[4]), (others[3],), (broken,)]
    plan = make_plan(first[0].config)
    monkeypatch.setattr(carry, "MEMORY", 2.5 * plan.estimate.memory)
    assert [len(batch) for batch in carry.batches(first)] == [2, 2, 2]
    monkeypatch.setattr(carry, "MEMORY", 0)
    assert [len(batch) for batch in carry.batches(first)] == [1] * 6


def test_where_a_batch_cant_be_made_each_run_is_made_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Alone(TinyNet):
        def forward(self, x: Tensor) -> Tensor:
            assert len(x) == 1, "exported for one clip"
            return super().forward(x)

    models.register(models.spec("tiny"), lambda: Alone(1))
    report, notes = carry.carry_out(STUDY, ASKED, tmp_path / "s")
    assert report.table[0]["n"] == 3 and not notes
    monkeypatch.setattr(machine, "free_memory", lambda device: 1.5 * make_plan(trials(ASKED, ())[0].config).estimate.memory)
    report, notes = carry.carry_out(STUDY, replace(ASKED, first_seed=8000), tmp_path / "t")
    assert report.table[0]["n"] == 3 and not notes


def test_what_cant_be_is_told_before_any_run(tmp_path: Path) -> None:
    broken = replace(ASKED, settings={"steps": 0})
    with pytest.raises(LeapsError, match="steps"):
        carry.carry_out(STUDY, broken, tmp_path / "s")
    assert not (tmp_path / "s").exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="can't be used"):
        carry.carry_out(STUDY, ASKED, tmp_path / "file")


def test_weights_that_are_missing_are_told_before_any_run(tmp_path: Path) -> None:
    lacking = next(spec.key for spec in models.specs() if models.state(spec) == "download" and spec.world == "kinetics400")

    def of_it(asked: Asked, rows: Sequence[dict[str, Any]]) -> list[Trial]:
        return [Trial({"seed": 1}, models.configure(lacking, "bowling", {"frame_verifier": "none", "verifier": "none"}))]

    with pytest.raises(LeapsError, match="download"):
        carry.carry_out(replace(STUDY, trials=of_it), ASKED, tmp_path / "s")
    assert not (tmp_path / "s").exists()
