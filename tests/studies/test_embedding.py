"""Figure S5 on tiny networks, and whether its verdict follows the points."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leaps_core import embed, models
from leaps_core.cli import main
from leaps_core.errors import BankError
from leaps_core.studies import banks as bundle
from leaps_core.studies import embedding
from tests import tiny

tiny.register()


def space(leaps: float, without: float, shift: float = 0.0) -> embedding.Space:
    """Made-up embeddings: real clips of two classes, and arms of given spreads around the first one's centre."""
    rng = np.random.default_rng(0)
    real = np.concatenate([rng.normal(0, 1, (60, 8)), rng.normal(9, 1, (60, 8))])
    sets = {"stimuli": rng.normal(0, 1, (20, 8)), "without R_feat": shift + rng.normal(0, without, (20, 8)),
            "LEAPS": shift + rng.normal(0, leaps, (20, 8))}
    return embedding.Space("made up", real, np.asarray(["a"] * 60 + ["b"] * 60), sets)


@pytest.mark.parametrize(("leaps", "without", "shift", "verdict"), [
    (0.8, 0.2, 0.0, "claim holds here"), (0.2, 0.8, 0.0, "inside, but not clearly wider"),
    (0.8, 0.2, 30.0, "wider, but not inside"), (0.2, 0.8, 30.0, "does not hold"),
])
def test_the_verdict_follows_the_points(leaps: float, without: float, shift: float, verdict: str) -> None:
    found = embedding.figures(space(leaps, without, shift), "a")
    assert verdict in found["sentence"] and found["holds"] == (verdict == "claim holds here")
    low, high = found["interval"]
    assert low < found["ratio_of_spreads"] < high
    rows = found["sets"]
    assert rows["stimuli"]["inside"] > 0.7 and rows["stimuli"]["neighbour_share"] == 1 and 0.6 < rows["stimuli"]["spread"] < 1.4
    assert (rows["LEAPS"]["density"] == 0) == (shift > 0)


def test_too_few_real_clips_are_told() -> None:
    with pytest.raises(BankError, match="has 0 real clips of “c”"):
        embedding.figures(space(1, 1), "c")


def test_the_study_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("tiny", "tiny_judge"):
        embed.build(embed.plan_puppets(160), key, tmp_path / f"{key}.parquet")
    asked: list[tuple[int, float, Any]] = []
    real = embedding.invert
    monkeypatch.setattr(embedding, "invert", lambda config, cache: (
        asked.append((config.seed, config.diversity, config.stimuli)), real(config, cache))[1])
    own, judge = str(tmp_path / "tiny.parquet"), str(tmp_path / "tiny_judge.parquet")
    command = ["study", "embedding", "--action", "tai chi", "--model", "tiny", "--n", "2", "--bank", own, "--judge-bank", judge,
               "--docs", str(tmp_path), "--cache", str(tmp_path / "cache"),
               "--set", "steps=3", "verifier=tiny_verifier", "judge=tiny_judge"]
    assert main(command) == 0
    assert asked == [(i, share, (f"bundled:{i}",)) for i in range(2) for share in (0.0, 1.0)]
    said = capsys.readouterr().out
    assert said.count("the paper's claim") == 2 and "| tiny_judge | LEAPS | 2 |" in said and "too few for 10 dimensions" in said
    found = json.loads((tmp_path / "embedding-tai-chi-tiny.json").read_text("utf-8"))
    assert [one["space"] for one in found] == ["tiny", "tiny_judge"] and found[0]["real_clips"] == 10
    with Image.open(tmp_path / "pictures" / "embedding-tai-chi-tiny.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(10 ** 6)}
    assert {tuple(bytes.fromhex(embedding.COLOURS[name][1:])) for name in ("real", "without R_feat", "LEAPS")} <= colours
    assert main([judge if word == own else word for word in command]) == 2
    assert "is of “tiny_judge”" in capsys.readouterr().err


@pytest.mark.parametrize(("change", "sentence"), [
    (["--n", "1"], "two clips or more"), (["--set", "verifier=none"], "no R_feat to leave out"),
    (["--bank", "nowhere.parquet"], "There is no bank nowhere.parquet"), (["--action", "flying"], "knows no action"),
])
def test_what_cant_be_is_told_before_anything_is_made(change: list[str], sentence: str, tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "embedding", "--action", "tai chi", "--model", "tiny", "--cache", str(tmp_path), *change]) == 2
    assert sentence in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_shipped_banks_are_made_again_for_new_weights(tmp_path: Path) -> None:
    bank = bundle.make("tiny", tmp_path, 32)
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.parquet", *(
        f"tiny.{method}-cosine-{dims}d.npz" for method in ("umap", "pca") for dims in (2, 3))}
    before = bank.path.stat().st_mtime_ns
    assert bundle.make("tiny", tmp_path, 32).path.stat().st_mtime_ns == before
    models.register(models.spec("tiny"), lambda: tiny.TinyNet(50))
    try:
        assert bundle.make("tiny", tmp_path, 32).facts["weights"] != bank.facts["weights"]
    finally:
        tiny.register()
