"""Settings that suit a model: those found for its family and in its own record, a quick look, and the paper's.

The fields' own defaults are LEAPS with the bundled networks, which were trained robustly. A network as published is fooled
by them: it is sure of a clip in which nobody sees anything (docs/real.md). So settings belong to the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any, Literal, get_args

from ..config import FIELDS, SynthesisConfig
from ..errors import ConfigError, ModelError, did_you_mean
from . import registry
from .spec import ModelSpec
from .worlds import PUPPETS

Preset = Literal["recommended", "quick", "paper"]
PRESETS: tuple[str, ...] = get_args(Preset)
PUPPET: dict[str, dict[str, Any]] = {
    "recommended": {"precision": "auto", "evidence": 1.0, "verify_every": 2},
    "quick": {"steps": 40, "learning_rate": 0.12},
}
"""Robust networks of the bundled world. Few steps have to be large ones, and a verifier that looks at every second step does
as well as one that looks at each (docs/quality.md)."""
_SHARED: dict[str, Any] = {
    "precision": "auto",
    "stimuli": (),
    "frame_verifier": "efficientnet_lite0",
    "steps": 130,
    "coarse": 0.77,
    "sizes": 3,
    "flat_below": 4.0,
    "learning_rate": 0.05,
    "min_learning_rate": 0.003,
    "evidence": 1.0,
    "evidence_last": 0.15,
    "diversity_form": "relative",
    "naturalness": 2.0,
    "frames_verified": 4,
    "smoothness": 1.0,
    "motion_speed": 0.25,
    "zoom": 0.0,
    "zoom_in": 0.6,
    "noise": 0.0,
    "colour": 0.0,
}
_QUICK: dict[str, Any] = {"steps": 36, "coarse": 1.0}
"""All steps below the full size."""
CONVOLUTIONAL: dict[str, dict[str, Any]] = {
    "recommended": _SHARED | {"verifier": "self", "r": 0.05, "diversity": 6.0, "coherence": 0.06},
    "quick": _QUICK,
}
"""Published networks with batch norm, which verify themselves; found on I3D."""
ATTENTION: dict[str, dict[str, Any]] = {"recommended": _SHARED | {"verifier": "none"}, "quick": _QUICK}
"""Published networks without batch norm. Carried over from I3D, but for what such a network lacks; none was tried."""
FOUND_ON = "i3d"
UNTRIED = (
    "Its recommended settings were found on another network (I3D) and not tried on this one. If nothing can be seen, begin "
    "with evidence, r and smoothness."
)
"""What the page and `inspect` say of a model whose own settings nobody has looked for."""
PAPER: dict[str, Any] = {
    "canvas": "pixels",
    "learning_rate": 0.6,
    "min_learning_rate": 0.005,
    "warmup_steps": 100,
    "beta_1": 0.5,
    "beta_2": 0.9,
    "steps": 2000,
    "coarse": 0.0,
    "sizes": 2,
    "evidence": 0.0,
    "evidence_last": 1.0,
    "frame_verifier": "none",
    "diversity_form": "paper",
    "views": 1,
    "coherence": 1.0,
    "diversity": 1.0,
    "smoothness": 0.0,
    "margin": 1.0,
    "begin_at": "noise",
    "nearness": 0.0,
    "motion_speed": 1.0,
    "priming_share": 100,
    "norm": 0.005,
    "jitter": round(30 / 224, 3),
    "jitter_time": 0,
    "zoom": 0.0,
    "zoom_in": 0.0,
    "rotate": 0.0,
    "noise": 0.0,
    "colour": 0.0,
    "flip": True,
}
"""The paper's mode: plain pixels, its optimiser and transforms; r and λ come from the model's row of Table S1."""
_SHIPPED = (*PUPPET.values(), *CONVOLUTIONAL.values(), *ATTENTION.values(), PAPER, ("r", "lambda_1", "lambda_L"))
"""Names of all that these set, the paper's row among them."""


def preset(spec: ModelSpec, name: str = "recommended") -> dict[str, Any]:
    """A preset of a model, for `config.replace(**...)`: every setting that any preset sets, so that the one before leaves
    nothing behind. Raises `ConfigError` for an unknown preset, `ModelError` where the paper has no settings for the model."""
    if name not in PRESETS:
        raise ConfigError(f"There is no preset “{name}”.{did_you_mean(name, PRESETS)} Known: {', '.join(PRESETS)}.")
    if name == "paper":
        return plain() | paper_settings(spec)
    recommended = plain() | _family(spec)["recommended"] | spec.settings
    return recommended | _family(spec)["quick"] if name == "quick" else recommended


def plain() -> dict[str, Any]:
    """The fields' own defaults, of every setting that some preset sets: what every model's settings were once."""
    touched = chain(*_SHIPPED, *(spec.settings for spec in registry.specs()))
    return {field: FIELDS[field].default for field in touched}


def untried(spec: ModelSpec) -> str:
    """What to say where a model's settings were found on another one; "" where they were found for it, or for its kind."""
    return "" if _family(spec) is PUPPET or spec.key == FOUND_ON or spec.settings else UNTRIED


def configure(model: str, action: str, settings: Mapping[str, Any] | None = None, name: str = "recommended") -> SynthesisConfig:
    """The config of a run with the settings that suit the model, and then those given. Raises `LeapsError`."""
    chosen = preset(registry.spec(model), name)
    return SynthesisConfig(**{"model": model, "action": action, **chosen, **(settings or {})})


def paper_settings(spec: ModelSpec) -> dict[str, Any]:
    """The paper's mode with the model's row of Table S1, for `config.replace(**...)`; bundled models have rows of their own in
    its manner. Raises `ModelError` where there is no row."""
    if spec.paper is None:
        raise ModelError(f"The paper has no settings for “{spec.key}”.")
    return PAPER | {"r": spec.paper.r, "lambda_1": spec.paper.lambda_1, "lambda_L": spec.paper.lambda_L}


def _family(spec: ModelSpec) -> dict[str, dict[str, Any]]:
    if spec.world == PUPPETS or spec.robust:
        return PUPPET
    return CONVOLUTIONAL if spec.batch_norm else ATTENTION
