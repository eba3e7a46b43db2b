"""Figure S5 on the command line, on tiny networks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from leaps_core import banks, models, video
from leaps_core.cli import main
from leaps_core.maps import figure_s5
from leaps_core.puppets import render_clip
from leaps_core.studies import embedding
from tests import tiny


@pytest.fixture
def own_world(tmp_path: Path, own_registry: None) -> Path:
    """Two models of a world of their own, a bank of videos of the first, and three videos of juggling to prime with."""
    record = replace(models.spec("tiny"), key="elsewhere", name="Elsewhere", world="elsewhere", paper=None)
    labels = ("juggling", "resting", *(f"action {i}" for i in range(14)))
    models.register(record, lambda: tiny.TinyNet(6), labels=labels)
    models.register(replace(record, key="elsewhere_verifier"), lambda: tiny.TinyNet(7))
    puppets = {"juggling": "juggling balls", "resting": "bowling"}
    for name, label, count, seed in (("real", "juggling", 10, 0), ("real", "resting", 3, 0), ("stimuli", "", 3, 50)):
        (tmp_path / name / label).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            frames = render_clip(puppets.get(label, "juggling balls"), seed + i, 8, 32)
            video.write_mp4(frames, tmp_path / name / label / f"{i}.mp4")
    banks.build(banks.plan_folder(tmp_path / "real"), "elsewhere", tmp_path / "bank.parquet")
    return tmp_path


def test_models_of_other_worlds_are_primed_by_a_folder_of_videos(
    own_world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    primed: list[tuple[int, Any]] = []
    real = embedding.invert
    monkeypatch.setattr(
        embedding, "invert", lambda config, cache: (primed.append((config.seed, config.stimuli)), real(config, cache))[1]
    )
    monkeypatch.setattr(embedding, "picture", lambda *_: Image.new("RGB", (8, 8)))
    command = [
        "study",
        "embedding",
        "--action",
        "juggling",
        "--model",
        "elsewhere",
        "--bank",
        str(own_world / "bank.parquet"),
        "--cache",
        str(own_world / "cache"),
        "--docs",
        str(own_world),
        "--set",
        "steps=2",
    ]
    stimuli = ["--stimuli", str(own_world / "stimuli")]
    for more, sentence in (
        (["--n", "2"], "of the world elsewhere are bundled to prime with. Give --stimuli"),
        (["--n", "4", *stimuli], "holds 3 videos; 4 seeds"),
        (["--n", "2", "--stimuli", str(own_world / "no")], "is no folder"),
    ):
        assert main([*command, *more]) == 2 and sentence in capsys.readouterr().err
    assert main([*command, *stimuli, "--n", "2"]) == 0
    assert primed == [(i, (str(own_world / "stimuli" / f"{i}.mp4"),)) for i in range(2) for _ in figure_s5.ARMS]
    (found,) = json.loads((own_world / "embedding-juggling-elsewhere.json").read_text("utf-8"))
    assert found["space"] == "elsewhere" and found["real_clips"] == 10 and found["sets"]["stimuli"]["clips"] == 2

    primed.clear()
    (own_world / "stimuli" / "1.mp4").write_bytes(b"no video")
    assert main([*command, *stimuli, "--n", "2"]) == 2
    assert "“1.mp4” can't be read" in capsys.readouterr().err and not primed


def test_the_study_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("tiny", "tiny_judge"):
        banks.build(banks.plan_puppets(160), key, tmp_path / f"{key}.parquet")
    asked: list[tuple[int, float, Any]] = []
    real = embedding.invert
    monkeypatch.setattr(
        embedding,
        "invert",
        lambda config, cache: (asked.append((config.seed, config.diversity, config.stimuli)), real(config, cache))[1],
    )
    own, judge = str(tmp_path / "tiny.parquet"), str(tmp_path / "tiny_judge.parquet")
    command = [
        "study",
        "embedding",
        "--action",
        "tai chi",
        "--model",
        "tiny",
        "--n",
        "2",
        "--bank",
        own,
        "--judge-bank",
        judge,
        "--docs",
        str(tmp_path),
        "--cache",
        str(tmp_path / "cache"),
        "--set",
        "steps=3",
        "verifier=tiny_verifier",
        "judge=tiny_judge",
    ]
    assert main(command) == 0
    assert asked == [(i, share, (f"bundled:{i}",)) for i in range(2) for share in (0.0, 1.0)]
    said = capsys.readouterr().out
    assert said.count("the paper's claim") == 2 and "| tiny_judge | LEAPS | 2 |" in said and "too few for 10 dimensions" in said
    found = json.loads((tmp_path / "embedding-tai-chi-tiny.json").read_text("utf-8"))
    assert [one["space"] for one in found] == ["tiny", "tiny_judge"] and found[0]["real_clips"] == 10
    with Image.open(tmp_path / "pictures" / "embedding-tai-chi-tiny.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(10**6)}
    assert {tuple(bytes.fromhex(figure_s5.COLOURS[name][1:])) for name in ("real", "without R_feat", "LEAPS")} <= colours
    assert main([judge if word == own else word for word in command]) == 2
    assert "is of “tiny_judge”" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--n", "1"], "two clips or more"),
        (["--set", "verifier=none"], "no R_feat to leave out"),
        (["--bank", "nowhere.parquet"], "There is no bank nowhere.parquet"),
        (["--action", "flying"], "knows no action"),
        (["--set", "seed=3"], "--set gives seed"),
    ],
)
def test_what_cant_be_is_told_before_anything_is_made(
    change: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "embedding", "--action", "tai chi", "--model", "tiny", "--cache", str(tmp_path), *change]) == 2
    assert sentence in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.parametrize("whose", ["model", "judge"])
@pytest.mark.parametrize(
    ("clips", "sentence"),
    [
        ([("tai chi", 12)], "12 real clips of “tai chi” among those of 1 classes"),
        ([("tai chi", 9), ("bowling", 9)], "9 real clips of “tai chi” among those of 2 classes"),
        ([("bowling", 12), ("juggling balls", 2)], "has 0 real clips of “tai chi”"),
        ([("tai chi", None), ("bowling", 3)], "are all the same"),
    ],
)
def test_banks_that_are_too_small_are_told_before_anything_is_made(
    whose: str,
    clips: list[tuple[str, int | None]],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(embedding, "invert", lambda *_: pytest.fail("inverted in vain"))
    plans = [
        banks.Plan(
            tuple(
                banks.Clip(label, str(i), seed=7 if count is None else i) for label, count in some for i in range(count or 12)
            )
        )
        for some in ([("tai chi", 10), ("bowling", 1)], clips)
    ]
    command = [
        "study",
        "embedding",
        "--action",
        "tai chi",
        "--model",
        "tiny",
        "--n",
        "2",
        "--cache",
        str(tmp_path / "cache"),
        "--docs",
        str(tmp_path / "docs"),
        "--set",
        "verifier=tiny_verifier",
        "judge=tiny_judge",
    ]
    for part, key, option in (("model", "tiny", "--bank"), ("judge", "tiny_judge", "--judge-bank")):
        bank = banks.build(plans[part == whose], key, tmp_path / f"{key}.parquet")
        command[2:2] = [option, str(bank.path)]
    assert main(command) == 2
    assert sentence in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.parquet", "tiny_judge.parquet"}, "nothing was made"
