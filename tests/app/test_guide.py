"""The guided run: what is written down can be done, in order."""

from __future__ import annotations

from app import guide
from leaps_core.config import FIELDS, LIVE_SETTINGS
from leaps_core.inversion.control import Control


def test_it_begins_stops_in_order_and_leaves_the_sliders_where_they_were() -> None:
    stops, config = guide.stops(), guide.config()
    assert stops[0].step == 0 and not stops[0].settings
    steps = [stop.step for stop in stops]
    assert steps == sorted(set(steps)) and steps[-1] < config.steps
    last = {name: value for stop in stops for name, value in stop.settings.items()}
    assert set(last) <= set(LIVE_SETTINGS)
    assert last == {name: getattr(config, name) for name in last} == {name: FIELDS[name].default for name in last}
    for stop in stops[1:]:
        assert stop.settings and "Resume" in stop.doing.text


def test_what_is_moved_at_a_stop_acts_from_the_next_step_on() -> None:
    control = Control(guide.changes())
    stop = guide.stops()[1]
    assert control.take(stop.step) == {}
    assert control.take(stop.step + 1) == stop.settings
