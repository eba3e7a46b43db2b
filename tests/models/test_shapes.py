"""Which clips a model takes, and how far priming reaches into it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leaps_core import SynthesisConfig
from leaps_core.errors import ConfigError
from leaps_core.models import catalogue
from leaps_core.models.shapes import clip_shape, growth, layer_weights, primed_taps

SPECS = {spec.key: spec for spec, _ in catalogue.MODELS}


@pytest.mark.parametrize(
    ("key", "settings", "reason"),
    [
        ("vivit_b", {"frames": 16}, "takes 32 only"),
        ("uniformerv2_b16_8", {"size": 112}, "takes 224 only"),
        ("mvitv2_s", {"frames": 7}, "multiples of 2"),
        ("x3d_l", {"size": 300}, "multiples of 32"),
        ("swin_t", {"size": 32}, "from 64 on"),
    ],
)
def test_clips_that_an_architecture_can_not_take_are_refused(key: str, settings: dict[str, int], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        clip_shape(SynthesisConfig(model=key, action="zumba", **settings), SPECS[key])


def test_own_sizes_are_allowed_and_fixed_ones_never_coarse() -> None:
    for spec in SPECS.values():
        shape = clip_shape(SynthesisConfig(model=spec.key, action="any"), spec)
        assert shape == (spec.frames, spec.size, spec.size)
        assert (growth(shape, spec, 2) == [shape]) == ("size" in spec.fixed)


def test_layer_weights_run_from_first_to_last_of_all_taps() -> None:
    assert layer_weights(5, 1.0, 0.2) == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2])
    assert layer_weights(5, 1.0, 0.2, share=60) == pytest.approx([1.0, 0.8, 0.6])
    assert layer_weights(1, 0.7, 0.1) == [0.7]
    assert layer_weights(17, 1.0, 0.1, share=20) == pytest.approx([1.0, 1 - 0.9 / 16, 1 - 1.8 / 16])
    assert layer_weights(4, 1.0, 0.1, share=20) == []


def test_a_share_of_the_taps_is_rounded_down() -> None:
    assert [primed_taps(taps, share) for taps, share in ((3, 20), (3, 40), (17, 60), (5, 100), (5, 0))] == [0, 1, 10, 5, 0]


def test_clips_grow_in_equal_steps_from_about_half_or_less() -> None:
    tiny = replace(SPECS["swin_t"], size_step=8)
    starts = [growth((8, size, size), tiny, 2)[0] for size in (64, 40, 24, 16)]
    assert starts == [(8, 32, 32), (8, 16, 16), (8, 16, 16), (8, 16, 16)]
    assert [shape[1] for shape in growth((16, 224, 224), SPECS["i3d"], 3)] == [96, 160, 224]
    assert [shape[1] for shape in growth((8, 160, 160), tiny, 4)] == [64, 96, 128, 160]
    assert [shape[1] for shape in growth((8, 24, 24), tiny, 6)] == [16, 24]  # no size twice
