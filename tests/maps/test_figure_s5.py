"""The two arms of Figure S5."""

from __future__ import annotations

from leaps_core.config import SynthesisConfig
from leaps_core.maps.figure_s5 import ARMS, COLOURS, LEAPS, WITHOUT, arm

CONFIG = SynthesisConfig(model="m", action="a")


def test_a_run_belongs_to_the_arm_of_its_settings() -> None:
    assert list(ARMS) == [WITHOUT, LEAPS] and set(ARMS) < set(COLOURS)
    for name, share in ARMS.items():
        assert arm(CONFIG.replace(diversity=share)) == name
    assert arm(CONFIG.replace(verifier="none")) == arm(CONFIG.replace(r=0.0)) == WITHOUT
