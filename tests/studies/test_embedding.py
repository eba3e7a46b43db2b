"""Figure S5's study: which runs, and what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaps_core import banks, models, video
from leaps_core.errors import BankError, ConfigError, LeapsError, RunError
from leaps_core.maps import figure_s5
from leaps_core.puppets import render_clip
from leaps_core.studies import carry, embedding
from leaps_core.studies.study import Asked
from tests import tiny

STUDY = embedding.STUDY
SETTINGS: dict[str, Any] = {**tiny.QUICK, "r": 0.01}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Banks of the tiny model and its judge: ten clips of each action."""
    folder = tmp_path_factory.mktemp("banks")
    return tuple(banks.build(banks.plan_puppets(160), key, folder / f"{key}.parquet").path for key in ("tiny", "tiny_judge"))


@pytest.fixture
def asked(files: tuple[Path, ...]) -> Asked:
    return Asked(("tiny",), ("tai chi",), seeds=2, settings=SETTINGS, banks=files)


def test_both_arms_have_the_same_seeds_and_stimuli(asked: Asked) -> None:
    trials = STUDY.trials(asked, ())
    assert [(trial.at["seed"], trial.at["arm"], trial.config.diversity > 0) for trial in trials] == [
        (seed, arm, arm == figure_s5.LEAPS) for seed in (7000, 7001) for arm in figure_s5.ARMS
    ]
    for without, leaps in zip(trials[::2], trials[1::2], strict=True):
        assert without.config == leaps.config.replace(diversity=0.0)
    assert trials[0].config.stimuli != trials[2].config.stimuli


def test_the_study_goes_its_whole_way(asked: Asked, tmp_path: Path) -> None:
    report, notes = carry.carry_out(STUDY, asked, tmp_path / "s")
    assert not [note for note in notes if "failed" in note]
    assert [(row["space"], row["clips"]) for row in report.table] == [
        (models.spec(key).name, kind) for key in ("tiny", "tiny_judge") for kind in (figure_s5.STIMULI, *figure_s5.ARMS)
    ]
    assert all(row["n"] == 2 and row["inside"].n == 2 for row in report.table)
    assert sum("the paper's claim" in claim for claim in report.claims) == 2 and "10 real clips" in report.claims[0]
    assert any("too few for 10 dimensions" in claim for claim in report.claims)
    assert list(report.figures) == ["tai-chi-tiny-model", "tai-chi-tiny-judge"]
    names = {trace.name for trace in report.figures["tai-chi-tiny-model"].data}
    assert names == {"real (10)", "stimuli (2)", "without R_feat (2)", "LEAPS (2)"}
    rows = carry.Kept(tmp_path / "s", STUDY, asked).rows(STUDY.trials(asked, ()))
    network = models.load("tiny")
    seen = network.embed(network.fit(video.to_tensor(render_clip("tai chi", 7000 * 1000, 8, 32))))[0]
    assert rows[0]["stimulus_model"] == pytest.approx(seen.tolist(), abs=0.05 * float(np.abs(seen).max()))
    assert rows[0]["stimulus_model"] == rows[1]["stimulus_model"] != rows[2]["stimulus_model"]
    assert rows[0]["embedding_model"] != rows[1]["embedding_model"]


def test_a_seed_with_a_run_that_failed_is_left_out_of_both_arms(asked: Asked) -> None:
    rng, asked = np.random.default_rng(0), replace(asked, seeds=3)
    rows = [
        {**trial.at, "status": "done", "run": trial.id}
        | {f"{what}_{name}": rng.normal(size=10).tolist() for what in ("embedding", "stimulus") for name in ("model", "judge")}
        for trial in STUDY.trials(asked, ())
    ]
    rows[2]["status"] = "failed"
    report = STUDY.read(asked, rows)
    assert {row["n"] for row in report.table} == {2} and len(report.claims) >= 2
    assert STUDY.read(asked, rows[:4]).markdown.startswith("Nothing is finished")


def test_each_model_takes_its_own_bank(asked: Asked, own_registry: None, tmp_path: Path) -> None:
    models.register(replace(models.spec("tiny"), key="other", name="Other"), lambda: tiny.TinyNet(6))
    bank = banks.build(banks.plan_puppets(160), "other", tmp_path / "other.parquet").path
    both = replace(asked, models=("tiny", "other"), banks=(*asked.banks, bank))
    assert {trial.at["model"] for trial in STUDY.trials(both, ())} == {"tiny", "other"}
    with pytest.raises(BankError, match="a bank of “other” was given".capitalize()):
        STUDY.trials(replace(both, models=("tiny",)), ())


def test_one_arm_alone_says_nothing_yet(asked: Asked) -> None:
    assert STUDY.read(asked, ()).markdown.startswith("Nothing is finished")


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"seeds": 1}, RunError, "two clips or more"),
        ({"settings": {**SETTINGS, "verifier": "none"}}, BankError, "no R_feat to leave out"),
        ({"settings": {**SETTINGS, "judge": "none"}}, BankError, "a bank of “tiny_judge” was given"),
        ({"banks": (Path("nowhere.parquet"),)}, BankError, "There is no bank nowhere.parquet"),
        ({"actions": ("flying",)}, LeapsError, "flying"),
        ({"settings": {**SETTINGS, "diversity": 2}}, ConfigError, "chooses diversity for each of its runs"),
        ({"banks": ()}, BankError, "There is no bank"),
    ],
)
def test_what_cant_be_is_told_before_anything_is_made(
    change: dict[str, Any], error: type[LeapsError], sentence: str, asked: Asked, tmp_path: Path
) -> None:
    with pytest.raises(error, match=f"(?i){sentence}"):
        carry.carry_out(STUDY, replace(asked, **change), tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_small_bank_is_told(asked: Asked, tmp_path: Path) -> None:
    plan = banks.Plan(tuple(banks.Clip("tai chi", str(i), seed=i) for i in range(12)))
    with pytest.raises(BankError, match="among those of 1 classes"):
        STUDY.trials(replace(asked, banks=(banks.build(plan, "tiny", tmp_path / "few.parquet").path, asked.banks[1])), ())


def test_models_of_other_worlds_are_primed_by_as_many_videos(tmp_path: Path, own_registry: None) -> None:
    record = replace(models.spec("tiny"), key="elsewhere", name="Elsewhere", world="elsewhere", paper=None)
    models.register(record, lambda: tiny.TinyNet(6), labels=("juggling", "resting", *(f"action {i}" for i in range(14))))
    models.register(replace(record, key="elsewhere_verifier"), lambda: tiny.TinyNet(7))
    puppets = {"juggling": "juggling balls", "resting": "bowling"}
    for name, label, count, seed in (("real", "juggling", 10, 0), ("real", "resting", 3, 0), ("more", "juggling", 2, 50)):
        (tmp_path / name / label).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            video.write_mp4(render_clip(puppets[label], seed + i, 8, 32), tmp_path / name / label / f"{i}.mp4")
    bank = banks.build(banks.plan_folder(tmp_path / "real"), "elsewhere", tmp_path / "bank.parquet")
    asked = Asked(("elsewhere",), ("juggling",), seeds=2, settings={"steps": 2}, banks=(bank.path,))
    with pytest.raises(RunError, match="there is no real clip of “juggling”. Give --stimuli"):
        STUDY.trials(asked, ())
    asked = replace(asked, stimuli=tmp_path / "more")
    with pytest.raises(RunError, match="there are 2 real clips, not 3, of “juggling”"):
        STUDY.trials(replace(asked, seeds=3), ())
    report, _ = carry.carry_out(STUDY, asked, tmp_path / "s")
    assert [row["space"] for row in report.table] == ["Elsewhere"] * 3 and len(report.claims) == 3
