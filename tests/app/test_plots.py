"""The plots: what they show of a run, and how little they send."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from PIL import ImageColor

from app import plots
from leaps_core.inversion.terms import TERMS, Term
from leaps_core.studies import pictures


def rows(count: int) -> list[dict[str, Any]]:
    """Figures of a run with a judge at every tenth step."""
    return [
        {
            "step": step,
            "weighted": {"cross_entropy": 3 / step, "priming": 0.5, "coherence": 0.0},
            "probabilities": {"model": step / count, "verifier": None, "judge": 0.25 if step % 10 == 0 else None},
        }
        for step in range(1, count + 1)
    ]


def figure(plot: Any) -> dict[str, Any]:
    return dict(json.loads(plot.plot))


def trace(drawn: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in drawn["data"] if item["name"] == name)


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2 of two colours, as CSS has them."""

    def light(colour: str) -> float:
        parts = [part / 255 for part in ImageColor.getrgb(colour)[:3]]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_lines_are_told_from_a_light_and_from_a_dark_page() -> None:
    used = {*plots.COLOUR_OF.values(), *plots.COLOURS, *(one.colour for one in TERMS), Term("own", lambda seen: None).colour}
    for colour in used | set(pictures.COLOURS):
        assert all(contrast(colour, page) >= 3 for page in ("#f8fafc", "#020617")), colour


def test_thin_keeps_the_ends_and_at_most_so_many() -> None:
    thinned = plots.thin(range(1000), 200)
    assert len(thinned) == 200 and thinned[0] == 0 and thinned[-1] == 999
    assert plots.thin([1, 2]) == [1, 2]


def test_long_runs_are_sent_as_200_points() -> None:
    drawn = figure(plots.losses(rows(5000), total=5000))
    assert {len(item["x"]) for item in drawn["data"]} == {200}
    assert drawn["data"][0]["x"][-1] == 5000


def test_every_present_term_has_a_line_and_no_other() -> None:
    drawn = figure(plots.losses(rows(20), total=20))
    assert [item["name"] for item in drawn["data"]] == ["classification", "priming", "coherence"]


def test_a_term_of_zero_is_a_gap_on_the_logarithmic_axis() -> None:
    drawn = figure(plots.losses(rows(20), total=20))
    assert set(trace(drawn, "coherence")["y"]) == {None}


def test_a_term_below_zero_goes_on_as_a_dotted_line() -> None:
    turning = [row | {"weighted": {"evidence": 10.0 - row["step"]}} for row in rows(20)]
    drawn = figure(plots.losses(turning, total=20))
    above, below = trace(drawn, "evidence"), trace(drawn, "−evidence")
    assert above["y"] == [*range(9, 0, -1), *[None] * 11] and below["y"] == [*[None] * 10, *range(1, 11)]
    assert (above["line"]["color"], above["line"].get("dash"), below["line"]["dash"]) == (below["line"]["color"], None, "dot")


def test_compared_losses_are_on_a_linear_axis_once_one_is_below_zero() -> None:
    falling = [row | {"weighted": {"evidence": 10.0 - row["step"]}} for row in rows(20)]
    drawn = figure(plots.together([("a", rows(20)), ("b", falling)], 20))
    assert drawn["data"][1]["y"] == [*range(9, -11, -1)] and drawn["layout"]["yaxis"].get("type") != "log"
    assert figure(plots.together([("a", rows(20))], 20))["layout"]["yaxis"]["type"] == "log"


def test_numbers_of_the_logarithmic_axis_do_not_touch() -> None:
    for low, step in ((0.3, 1), (1e-4, 1), (1e-7, 2), (5e-324, 65)):
        sinking = [row | {"weighted": {"cross_entropy": max(low, 3 * 0.01 ** row["step"])}} for row in rows(200)]
        drawn = figure(plots.losses([*sinking, sinking[0] | {"weighted": {"cross_entropy": low}}], total=200))
        assert drawn["layout"]["yaxis"]["dtick"] == step
    assert figure(plots.losses([]))["layout"]["yaxis"]["dtick"] == 1


def test_absent_networks_are_blank_and_never_zero() -> None:
    drawn = figure(plots.probabilities(rows(20), total=20))
    assert [item["name"] for item in drawn["data"]] == ["model", "judge"]
    judge = trace(drawn, "judge")
    assert judge["mode"] == "markers" and judge["x"] == [10, 20] and judge["y"] == [25.0, 25.0]


def test_moved_sliders_are_marked_and_labelled() -> None:
    changes = [{"step": 50, "field": "r", "value": 0.01}, {"step": 90, "field": "priming_share", "value": 40}]
    layout = figure(plots.losses(rows(100), changes, 100, cursor=7))["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [7, 50, 90]
    assert [note["text"] for note in layout["annotations"]] == ["Regularizers (r) 0.01", "Share of primed layers 40"]


def test_a_drag_leaves_one_mark_where_it_ended() -> None:
    drag = [{"step": step, "field": "r", "value": step / 1000} for step in (50, 51, 52)]
    other = [{"step": 51, "field": "smoothness", "value": 2.0}, {"step": 80, "field": "r", "value": 0.0}]
    kept = plots.marks([*drag, *other], 100)
    assert [(change["field"], change["step"]) for change in kept] == [("smoothness", 51), ("r", 52), ("r", 80)]


def test_the_cursor_is_hidden_until_it_is_set() -> None:
    shapes = figure(plots.losses(rows(3), total=3))["layout"]["shapes"]
    assert shapes[0]["visible"] is False


def test_plots_of_a_run_without_steps_are_empty() -> None:
    assert figure(plots.losses([]))["data"] == [] == figure(plots.probabilities([]))["data"]


def test_background_is_left_to_the_page() -> None:
    drawn = figure(plots.losses(rows(3), total=3))
    assert drawn["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
    assert drawn["layout"]["title"]["text"] and drawn["layout"]["xaxis"]["title"]["text"] == "step"


def test_when_tells_shares_per_frame() -> None:
    drawn = figure(plots.when(np.array([0.0, 0.1, 0.3]), np.array([0.5, 0.25, 0.25])))
    assert trace(drawn, "what changes")["y"] == [0, 25, 75] and trace(drawn, "what changes")["x"] == [1, 2, 3]
    assert trace(drawn, "where the model looks")["y"] == [50, 25, 25]
    assert len(figure(plots.when(np.zeros(3), None))["data"]) == 1
    assert drawn["layout"]["xaxis"]["title"]["text"] == "frame" and "%" in drawn["layout"]["yaxis"]["title"]["text"]
