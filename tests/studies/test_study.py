"""What may be asked of a study."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaps_core.config import bundled_stimulus
from leaps_core.errors import LeapsError, RunError
from leaps_core.studies import catalogue, stimuli
from leaps_core.studies.study import Asked

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(("tiny", "i3d")), "know the worlds kinetics400, puppets"),
        (Asked(()), r"know the worlds \(none\)"),
        (Asked(("tiny",), seeds=0), "0 seeds and a budget"),
        (Asked(("tiny",), budget=-1), "a budget of -1 were asked for"),
        (Asked(("tiny",), settings={"priming_share": 60}), "chooses priming_share for each of its runs"),
        (Asked(("tiny",), settings={"seed": 1}), "chooses seed"),
        (Asked(("nobody",)), "no model “nobody”"),
        (Asked(("vjepa2_l_ssv2",)), "no actions of its own in the world ssv2"),
    ],
)
def test_what_cant_be_asked_is_told(asked: Asked, said: str) -> None:
    with pytest.raises(LeapsError, match=said):
        catalogue.find("priming-share").completed(asked)


def test_what_is_named_twice_counts_once() -> None:
    asked = catalogue.find("priming-share").completed(Asked(("tiny", "tiny"), ("bowling", "tai chi", "bowling")))
    assert asked.models == ("tiny",) and asked.actions == ("bowling", "tai chi")


def test_a_study_that_compares_models_needs_two() -> None:
    with pytest.raises(RunError, match="needs 2 models or more; 1 was named"):
        catalogue.find("models").completed(Asked(("tiny",)))


def test_unknown_studies_are_told_with_a_guess() -> None:
    with pytest.raises(RunError, match="no study “gird”. Did you mean “grid”"):
        catalogue.find("gird")


@pytest.mark.parametrize("name", [name for name in catalogue.STUDIES if name not in ("models", "transfer", "embedding")])
def test_without_a_clip_to_prime_with_no_study_begins(name: str) -> None:
    study = catalogue.find(name)
    with pytest.raises(RunError, match="no real clip of “juggling balls”. Give --stimuli DIR"):
        study.trials(study.completed(Asked(("i3d",))), ())


def test_seeds_share_no_bundled_clip() -> None:
    asked = Asked(("tiny",), ("bowling",))
    first, second = (stimuli.stimuli(asked, "bowling", seed, 100) for seed in asked.range)
    assert not set(first) & set(second) and first[0] == bundled_stimulus(7000 * stimuli.APART)


def test_videos_that_prime_several_seeds_are_told(tmp_path: Path) -> None:
    for name in ("tai_chi", "bowling", "bowling_2"):
        (tmp_path / f"{name}.mp4").write_bytes(b"")
    asked = Asked(("tiny",), ("tai chi", "bowling"), seeds=2, stimuli=tmp_path)
    assert stimuli.repeated(asked) == "There are fewer videos than the 2 seeds (tai chi: 1): some prime several runs."
    assert stimuli.repeated(Asked(("tiny",), ("tai chi",))) == ""


def test_videos_are_found_by_their_actions(tmp_path: Path) -> None:
    (tmp_path / "tai_chi").mkdir()
    for name in ("tai_chi.mp4", "tai chi_2.mp4", "tai_chi/else.gif", "tai_chi_master.mp4", "tai_chi.txt", "bowling.mp4"):
        (tmp_path / name).write_bytes(b"")
    found = stimuli.videos_of(tmp_path, "tai chi")
    assert [str(path.relative_to(tmp_path)) for path in found] == ["tai chi_2.mp4", "tai_chi.mp4", "tai_chi/else.gif"]
    asked = Asked(("tiny",), ("tai chi",), stimuli=tmp_path)
    assert stimuli.most(asked, "tai chi") == 3 and stimuli.most(asked, "side kick") == 0
    one, two = (stimuli.stimuli(asked, "tai chi", seed)[0] for seed in asked.range)
    assert Path(one).name == "tai chi_2.mp4" and Path(two).name == "tai_chi.mp4", "another one for each seed"
    with pytest.raises(RunError, match="holds 1 videos of “bowling”; 2 are needed"):
        stimuli.stimuli(asked, "bowling", asked.first_seed, 2)
    with pytest.raises(RunError, match="is no folder"):
        stimuli.videos_of(tmp_path / "none", "bowling")


def test_what_was_asked_goes_before_what_a_study_sets() -> None:
    config = stimuli.config(Asked(("tiny",), settings={"steps": 5}), "tiny", "bowling", 1, steps=9, priming_share=40)
    assert (config.steps, config.priming_share, config.seed) == (5, 40, 1)


def test_studies_are_short() -> None:
    for name in ("priming_share", "regularizers", "multi_stimuli", "grid", "across", "counterfactual", "transfer", "embedding"):
        lines = (ROOT / "leaps_core" / "studies" / f"{name}.py").read_text("utf-8").count("\n")
        assert lines < 150, f"{name}.py has {lines} lines"
