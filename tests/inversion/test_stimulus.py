"""The real clips that prime a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leaps_core import models
from leaps_core.config import SynthesisConfig
from leaps_core.errors import ConfigError
from leaps_core.inversion.stimulus import stimulus_clips
from leaps_core.models import catalogue
from leaps_core.puppets import render_clip
from leaps_core.video import write_mp4
from tests.inversion.helpers import config

SPECS = {spec.key: spec for spec, _ in catalogue.MODELS}


def test_stimuli_are_sampled_as_the_model_was_trained(tmp_path: Path) -> None:
    """A video of 10 s whose grey value is its time: frames lie stride/30 s apart, or are spread over all of it."""
    grey = np.arange(0, 250, 2, dtype=np.uint8)  # 125 frames, 12.5 a second: 25 a second of time
    write_mp4(np.broadcast_to(grey[:, None, None, None], (125, 64, 64, 3)).copy(), tmp_path / "time.mp4", fps=12.5)
    for key, apart in (("x3d_xs", 12 / 30), ("slow_r50", 8 / 30), ("uniformerv2_b16_8", 10 / 8)):
        config = SynthesisConfig(model=key, action="zumba", stimuli=(str(tmp_path / "time.mp4"),))
        clips, notices = stimulus_clips(config, SPECS[key])
        seconds = clips[0].mean((1, 2, 3)) / 25
        assert len(seconds) == SPECS[key].frames and np.allclose(np.diff(seconds), apart, atol=0.15), key
        assert abs((seconds[-1] - seconds[0]) / (len(seconds) - 1) - apart) < 0.05
        assert any("apart" in notice for notice in notices) == bool(SPECS[key].stride)


def test_a_bundled_clip_of_another_action_is_that_one() -> None:
    made = config(stimuli=("bundled:3/tai chi", "bundled:3"))
    clips, _ = stimulus_clips(made, models.spec("tiny"))
    assert np.array_equal(clips[0], render_clip("tai chi", 3, 8, 32)) and np.array_equal(
        clips[1], render_clip("bowling", 3, 8, 32)
    )
    with pytest.raises(ConfigError, match="No bundled clip shows “tai chee”. Did you mean “tai chi”"):
        stimulus_clips(config(stimuli=("bundled:3/tai chee",)), models.spec("tiny"))
