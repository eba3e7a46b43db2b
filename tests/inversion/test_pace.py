"""What earlier runs took says what later ones will take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leaps_core.inversion import pace
from leaps_core.inversion.plan import make_plan
from tests.inversion.helpers import config


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    return tmp_path


def test_the_newest_run_counts_for_half() -> None:
    first = make_plan(config()).estimate
    pace.learn(config(), 10.0, 40.0)
    assert make_plan(config()).estimate.seconds == pytest.approx(4 * first.seconds)
    assert make_plan(config()).estimate.steps_per_second == pytest.approx(first.steps_per_second / 4)
    pace.learn(config(), 10.0, 10.0)
    assert pace.pace(config()) == pytest.approx(2)


def test_formats_have_their_own_pace_and_auto_takes_the_likelier() -> None:
    assert pace.pace(config(precision="auto")) == 1
    pace.learn(config(precision="float32"), 10.0, 20.0)
    assert pace.pace(config(precision="auto")) == pytest.approx(2) and pace.pace(config(precision="bfloat16")) == 1
    pace.learn(config(precision="bfloat16"), 10.0, 5.0)
    assert pace.pace(config(precision="auto")) == pytest.approx(0.5)
    assert pace.pace(config(precision="float32", model="tiny_judge")) == pytest.approx(2), "as the others"


def test_short_runs_and_nonsense_teach_nothing(home: Path) -> None:
    pace.learn(config(), 10.0, 1.0)
    assert not (home / "pace.json").exists()
    for text in ("[]", "{", '{"tiny float32": "x"}', '{"tiny float32": -1}', '{"tiny float32": 1e9}', '{"tiny float32": null}'):
        (home / "pace.json").write_text(text)
        assert pace.pace(config()) == 1
    pace.learn(config(), 1.0, 1e6)
    assert json.loads((home / "pace.json").read_text()) == {"tiny float32": pytest.approx(50)}


def test_a_home_that_cant_be_written_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "file"))
    pace.learn(config(), 10.0, 40.0)
    assert pace.pace(config()) == 1
