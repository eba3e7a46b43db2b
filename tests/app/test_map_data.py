"""What the map shows: banks, trails, and which runs belong where."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import map_data, page, views
from app.tabs import map as map_tab
from app.texts import sections
from leaps_core import SynthesisConfig, banks, maps, models, paths, runs, video
from leaps_core.errors import BankError
from leaps_core.maps import figure_s5, metrics
from leaps_core.puppets import render_clip
from tests import tiny

PCA = maps.Recipe("pca", "euclidean")
SETTINGS = {"model": "tiny", "action": "bowling", "steps": 4, "verifier": "tiny_verifier", "judge": "none"}


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A LEAPS_HOME with a bank of 64 puppets and its PCA map, made once, and no bundled banks."""
    home = tmp_path_factory.getbasetemp() / "home-of-places"
    monkeypatch.setenv("LEAPS_HOME", str(home))
    monkeypatch.setattr(paths, "BANKS", home / "none")
    (home / "banks").mkdir(parents=True, exist_ok=True)
    maps.load_or_fit(banks.build(banks.plan_puppets(64), "tiny", home / "banks" / "mine.parquet"), PCA)
    return home


def view(seed: int = 0, **settings: object) -> views.View:
    """A finished run's view."""
    config = SynthesisConfig(**{**SETTINGS, "seed": seed, **settings})
    *_, (run, _) = runs.perform(config)
    return views.of_run(run)


def atlas() -> maps.Atlas:
    found = map_data.atlas("own/mine", PCA)
    assert found is not None
    return found


def test_banks_are_listed_and_say_what_they_hold() -> None:
    assert map_data.choices() == [("Tiny · 64 clips · puppets, not Kinetics", "own/mine")]
    assert map_data.default("tiny") == map_data.default("another") == "own/mine"
    assert map_data.atlas("own/mine", maps.Recipe("umap")) is None, "not fitted yet"
    with pytest.raises(BankError, match="not here any more"):
        map_data.find("own/../../etc/passwd")


def test_an_opened_bank_is_found_by_a_key_that_nobody_can_guess(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "opened.parquet"
    file.write_bytes((home / "banks" / "mine.parquet").read_bytes())
    key = map_data.take(str(file))
    assert len(key) >= 16 and len(map_data.find(key)) == 64 and all(key != known for _, known in map_data.choices())
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(BankError):
        map_data.take(str(tmp_path / "bad.parquet"))


def test_a_map_is_fitted_in_a_process_of_its_own(home: Path) -> None:
    recipe = maps.Recipe("pca", "cosine", 3)
    bank = map_data.find("own/mine")
    for path in home.glob("banks/*cosine-3d.npz"):
        path.unlink()
    said = list(map_data.fit(bank, recipe))
    assert said == [] and maps.stored(bank, recipe) is not None
    (home / "banks" / "few.parquet").unlink(missing_ok=True)
    few = banks.build(banks.plan_puppets(4), "tiny", home / "banks" / "few.parquet")
    with pytest.raises(BankError, match="umap needs more than 15"):
        list(map_data.fit(few, maps.Recipe()))
    few.path.unlink()


def test_the_browser_gets_every_real_clip_once() -> None:
    sent = map_data.base(atlas(), "own/mine")
    assert sent["numbers"] == list(range(64)) and len(sent["positions"]) == 2 and len(sent["positions"][0]) == 64
    assert [sent["classes"][k] for k in sent["labels"]] == atlas().bank.labels.tolist()
    assert "of the variance" in sent["axes"][0]


def test_a_class_has_its_name_on_one_of_its_islands() -> None:
    positions = np.array([[0, 0], [0, 1], [0.4, 0.5], [90, 90], [5, 5]])
    labels = np.array(["a", "a", "a", "a", "b"])
    assert map_data._places(positions, labels, ["a", "b"]) == [[0.4, 0.5], [5, 5]], "not between the two islands of a"


def test_a_run_appears_only_on_banks_of_its_own_model_and_weights() -> None:
    bank, mine = atlas().bank, view()
    assert map_data.fits(mine, bank)
    assert not map_data.fits(replace(mine, weights="0" * 16), bank) and not map_data.fits(replace(mine, weights=""), bank)
    assert not map_data.fits(replace(mine, config=mine.config.replace(model="tiny_verifier", verifier="none")), bank)


def test_arms_are_told_apart() -> None:
    mine = view()
    assert figure_s5.arm(mine.config) == "LEAPS"
    for change in ({"diversity": 0.0}, {"r": 0.0}, {"verifier": "none"}):
        assert figure_s5.arm(mine.config.replace(**change)) == "without R_feat"


def test_a_trail_follows_the_embeddings_of_the_run() -> None:
    mine = view()
    sent = map_data.trail(atlas(), mine, "one")
    assert sent["steps"] == [1, 2, 3, 4] == [step for step, _ in mine.journey]
    wanted = atlas().project(np.stack([embedding for _, embedding in mine.journey]))
    assert np.allclose(np.asarray(sent["positions"]).T, wanted, atol=1e-3)
    real = [(7 + step, vector) for step, vector in enumerate(atlas().bank.embeddings[:3])]
    assert not any(map_data.trail(atlas(), replace(mine, journey=real), "real")["far"])
    away = [(1, mine.journey[0][1] + 1000)]
    assert map_data.trail(atlas(), replace(mine, journey=away), "away")["far"] == [True]


def test_a_running_job_has_its_newest_step_at_the_end_of_its_journey() -> None:
    from app.jobs import Job
    from leaps_core import Control

    config = SynthesisConfig(**{**SETTINGS, "steps": 200})
    control = Control()
    job = Job("me", config, control, lambda control: iter(()))
    for run, step in runs.perform(config, control):
        job.take(run, step)
        if step.index == 8:
            control.stop()
            mine = views.of_job(job)
            assert mine.journey[-1][0] == 8 and np.array_equal(mine.journey[-1][1], step.embedding)
            assert [step for step, _ in mine.journey][:-1] == [step for step, _ in job.snapshots if step < 8]
            assert mine.weights == models.fingerprint(models.spec("tiny"))


def test_neighbours_are_real_clips_of_the_original_space() -> None:
    vectors = atlas().bank.embeddings
    wanted = np.linalg.norm(vectors - vectors[9], axis=1).argsort()[1:6]
    assert map_data.nearest(atlas(), vectors[9], leave=9) == wanted.tolist()


def test_figures_of_runs_and_of_sets() -> None:
    one, two = view(0), view(1)
    said = map_data.metrics_table(atlas(), [("one", one), ("two", two)])
    assert re.search(r"\| one \| \d+\.\d\d \| \d+% \|", said)
    assert re.search(r"\| bowling, LEAPS \(2\) \| \d+\.\d\d \| – \| – \| \S+ \|", said), "what 4 real clips are enough for"
    assert said.count("4 real clips are too few for 5 neighbours each") == 1
    clip = models.load("tiny").observe(__import__("torch").tensor(one.clips[-1]).permute(3, 0, 1, 2)[None] / 255).embedding
    seen = map_data.seen(atlas().bank, one, one.clips[-1])
    assert np.allclose(seen, clip, atol=1e-5)
    real = atlas().bank.embeddings[atlas().bank.labels == "bowling"]
    assert f"| one | {metrics.centroid_distance(seen, real)[0]:.2f} |" in said


def test_each_figure_is_given_where_it_can_be(tmp_path: Path) -> None:
    one, two = view(0), view(1)
    chosen = [number for number, label in enumerate(atlas().bank.labels) if label == "bowling"]
    alone = replace(atlas(), map=replace(atlas().map, numbers=np.asarray(chosen), positions=atlas().map.positions[chosen]))
    said = map_data.metrics_table(alone, [("one", one), ("two", two)])
    assert re.search(r"\| one \| \d+\.\d\d \| – \|", said) and said.count("one class only (bowling)") == 1
    others = replace(one, config=one.config.replace(action="tai chi"))
    said = map_data.metrics_table(alone, [("one", others), ("two", two)])
    assert "| one |" not in said and "| two |" in said and "no real clip of “tai chi”" in said
    assert map_data.metrics_table(alone, [("one", others)]).strip().startswith("The bank holds no real clip of “tai chi”")


@pytest.mark.usefixtures("own_registry")
def test_clips_are_never_seen_by_other_weights_than_made_bank_and_run() -> None:
    one, found = view(), atlas()
    models.register(models.spec("tiny"), lambda: tiny.TinyNet(50))
    with pytest.raises(BankError, match="other weights of “tiny”"):
        map_data.seen(found.bank, one, one.clips[-1])
    said = map_data.metrics_table(found, [("one", one), ("two", one)])
    assert "| one |" not in said and said.count("was made by other weights of “tiny”") == 1


def test_the_table_holds_all_that_lies_on_the_map(tmp_path: Path) -> None:
    mine, file = view(), tmp_path / "mine.mp4"
    video.write_mp4(render_clip("bowling", 7, 8, 32), file)
    rows = list(map_data.table(atlas(), [("one", mine)], [str(file)]))
    assert [row[:4] for row in rows] == [
        *(("step", step, "bowling", mine.key) for step in (1, 2, 3, 4)),
        ("video", 0, "", "mine"),
    ]
    wanted = atlas().project(np.stack([*(vector for _, vector in mine.journey), map_data.own_video(atlas(), str(file))]))
    assert np.allclose([row[4] for row in rows], wanted, atol=1e-3)


def test_own_videos_are_seen_as_the_banks_clips_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(models.spec("tiny"), stride=2)
    monkeypatch.setattr(models, "spec", lambda key: spec)
    film = np.zeros((24, 32, 32, 3), np.uint8)
    film[8:16] = 200  # the middle of three seconds
    video.write_mp4(film, tmp_path / "film.mp4", fps=8)
    assert map_data.own_clip(atlas().bank, str(tmp_path / "film.mp4")).mean() > 180


def test_the_page_says_how_large_a_bank_may_be() -> None:
    assert page.options()["max_file_size"] == 200_000_000 and "up to 200 MB" in sections("map")["open"].text
    assert "`LEAPS_HOME/banks`" in sections("map")["open"].text


def test_posters_of_no_clip_are_empty() -> None:
    assert map_tab.poster(["own/mine", 3]).startswith("data:image/webp;base64,")
    assert map_tab.poster(["own/mine", 64]) == map_tab.poster(["nothing", 1]) == map_tab.poster([]) == ""
    assert map_tab.poster(["own/mine", "x"]) == ""
