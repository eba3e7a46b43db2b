"""What makes a run again: from its record, from its JSON, from a text of somebody else's."""

import json

import numpy as np
import pytest

from leaps_core import runs
from leaps_core.errors import LeapsError, RunError
from leaps_core.inversion.control import Control
from tests.runs.engine import config, made, stopped

pytestmark = pytest.mark.usefixtures("home")


def test_json_alone_is_enough_to_do_it_again(tmp_path):
    changes = [{"step": 2, "field": "r", "value": 0.02}]
    run = made(runs.perform(config(), Control(changes)))
    text = (run.folder / "run.json").read_text()
    assert runs.from_json(text) == runs.from_json(run.folder) == runs.from_json(run.folder / "run.json")
    again, found, legs = runs.from_json(text)
    assert (again, found, legs) == (config(), changes, ())
    assert np.array_equal(made(runs.perform(again, Control(found))).tensor, run.tensor)
    assert runs.from_json(config().model_dump_json()) == (config(), [], [])


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"config": 3}',
        '{"model": "tiny", "action": "a", "steps": 0}',
        '{"model": "tiny", "action": "a", "nonsense": 1}',
        "{" + "[" * 100_000,
        '{"config": {"model": "a", "action": "b"}, "changes": [{"step": 1}]}',
        '{"config": {"model": "a", "action": "b"}, "changes": [{"step": 1, "field": "seed", "value": 1}]}',
        '{"config": {"model": "a", "action": "b"}, "changes": [{"step": 1, "field": "r", "value": 9}]}',
        '{"config": {"model": "a", "action": "b"}, "legs": 3}',
        '{"config": {"model": "a", "action": "b"}, "legs": [3]}',
        '{"config": {"model": "a", "action": "b"}, "status": "running", "planned": [3]}',
        '{"config": {"model": "a", "action": "b"}, "legs": [{"to": 2, "total": true}]}',
        '{"config": {"model": "a", "action": "b", "steps": 3}, "legs": [{"to": 4, "total": 3}]}',
    ],
)
def test_other_json_is_refused(text):
    with pytest.raises(LeapsError):
        runs.from_json(text)


def test_a_text_from_outside_leads_to_no_file(tmp_path):
    run = made(runs.perform(config()))
    assert runs.from_text((run.folder / "run.json").read_text()) == (config(), [], ())
    for text in (str(run.folder), str(run.folder / "run.json"), "", "[]", "null", "\x00"):
        with pytest.raises(RunError, match="can't be read as JSON; expected a run.json"):
            runs.from_text(text)


def test_the_json_of_a_run_that_was_stopped_and_went_on_makes_it_again():
    run = stopped(4)
    parts = runs.from_text((run.folder / "run.json").read_text())
    assert parts.legs == [{"to": 4, "total": 6}]
    again = made(runs.perform(parts.config, legs=parts.legs))
    assert (again.status, again.done) == ("stopped", 4) and np.array_equal(again.tensor, run.tensor)
    longer = run.longer(3)
    run = made(runs.resume(run, 3))
    assert longer == run.again == runs.from_json(run.folder) and longer.legs == [{"to": 4, "total": 6}, {"to": 7, "total": 7}]
    again = made(runs.perform(longer.config, legs=longer.legs))
    assert again.done == 7 and np.array_equal(again.tensor, run.tensor)


@pytest.mark.parametrize(
    ("status", "legs", "whole"),
    [
        ("done", [[6, 6]], []),
        ("stopped", [[4, 6]], [[4, 6]]),
        ("running", [[4, 6]], []),
        ("failed", [[4, 6]], []),
        ("running", [[2, 6], [3, 3], [5, 6]], [[2, 6], [3, 3], [6, 6]]),
    ],
)
def test_of_a_run_that_was_not_to_end_there_all_steps_are_made_again(status, legs, whole):
    text = {
        "config": config().model_dump(mode="json"),
        "status": status,
        "legs": [dict(zip(("to", "total"), leg)) for leg in legs],
    }
    assert [[leg["to"], leg["total"]] for leg in runs.from_text(json.dumps(text)).legs] == whole


def test_legs_have_to_be_of_possible_lengths():
    text = {"config": config().model_dump(mode="json"), "legs": [{"to": 1, "total": 99_999}, {"to": 6, "total": 6}]}
    with pytest.raises(LeapsError, match="steps"):
        runs.from_text(json.dumps(text))
