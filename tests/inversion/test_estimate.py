"""What a run will take."""

from __future__ import annotations

from leaps_core.inversion.plan import make_plan
from tests.inversion.helpers import config


def test_estimate_grows_with_the_work() -> None:
    small, large = make_plan(config()).estimate, make_plan(config(steps=60, size=64)).estimate
    assert large.seconds > 10 * small.seconds and large.memory > small.memory


def test_a_part_of_each_step_costs_the_same_at_any_size() -> None:
    full, half, quarter = (make_plan(config(size=size)).estimate.seconds for size in (64, 48, 32))
    assert 0.25 * full < quarter < half < full
