"""Who takes part in a run: the inverted model, the verifier and the judge, resolved from a config's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..config import NETWORKS, SynthesisConfig
from ..errors import ModelError, did_you_mean
from ..paths import PROGRAM
from . import registry, weights
from .loading import state
from .spec import ModelSpec


@dataclass(frozen=True)
class Cast:
    """Who takes part in a run: the inverted model, the verifier and the judge (None: none); and the class of the action."""

    model: ModelSpec
    verifier: ModelSpec | None
    judge: ModelSpec | None
    class_index: int
    notices: tuple[str, ...] = ()

    @property
    def networks(self) -> dict[str, ModelSpec]:
        """Those that take part, by their names in `config.NETWORKS`."""
        return {name: record for name in NETWORKS if (record := getattr(self, name)) is not None}


def resolve(config: SynthesisConfig) -> Cast:
    """Resolve a config's names: "auto" verifier is the model's default one or the leanest other batch-norm model of
    its world whose weights are on this machine, "auto" judge the world's own.

    Raises `ModelError` for unknown keys and actions, a judge as model or verifier, a verifier without batch norm or
    equal to the model or in need of more frames than the clip has, or a verifier or judge of another world.
    """
    model, notices = registry.spec(config.model), []
    if model.role == "judge":
        raise ModelError(f"“{model.key}” is the judge: it only scores, and can't be inverted. Choose another model.")
    actions = registry.labels(model.world)
    if config.action not in actions:
        raise ModelError(
            f"“{model.key}” knows no action “{config.action}”.{did_you_mean(config.action, actions)} "
            f"`{PROGRAM} actions {model.key}` lists all {len(actions)}."
        )
    if model.caution:
        notices.append(model.caution)
    verifier = _verifier(config.verifier, model, config.frames or model.frames)
    judge = _judge(config.judge, model, verifier)
    if verifier is None:
        notices.append("No verifier: feature diversity is left out.")
    if judge is None:
        notices.append("No judge: the clip is not scored by an independent network.")
    return Cast(model, verifier, judge, actions.index(config.action), tuple(notices))


def require_weights(cast: Cast) -> None:
    """Raises `ModelError`, which says how to get them, if weights of anyone in the cast are not on this machine."""
    for record in cast.networks.values():
        weights.path(record)


def paper_settings(spec: ModelSpec) -> dict[str, Any]:
    """The paper's mode for `config.replace(**...)`: plain pixels, its optimiser and transforms, and the model's row of
    Table S1 (of its family's published network). Raises `ModelError` where the paper has no row."""
    if spec.paper is None:
        raise ModelError(f"The paper has no settings for “{spec.key}”.")
    return {
        "canvas": "pixels",
        "learning_rate": 0.6,
        "min_learning_rate": 0.005,
        "warmup_steps": 100,
        "beta_1": 0.5,
        "beta_2": 0.9,
        "steps": 2000,
        "coarse": 0.0,
        "coherence": 1.0,
        "diversity": 1.0,
        "smoothness": 0.0,
        "margin": 1.0,
        "motion_speed": 1.0,
        "priming_share": 100,
        "norm": 0.005,
        "jitter": round(30 / 224, 3),
        "jitter_time": 0,
        "zoom": 0.0,
        "rotate": 0.0,
        "noise": 0.0,
        "colour": 0.0,
        "flip": True,
        "r": spec.paper.r,
        "lambda_1": spec.paper.lambda_1,
        "lambda_L": spec.paper.lambda_L,
    }


def _verifier(name: str, model: ModelSpec, frames: int) -> ModelSpec | None:
    if name == "none":
        return None
    if name == "auto":
        default = next((other for other in registry.specs() if other.key == model.default_verifier), None)
        if default:
            return default
        able = [
            other
            for other in _able(model)
            if other.robust >= model.robust and other.min_frames <= frames and state(other) != "download"
        ]
        return min(
            able,
            key=lambda other: (other.step_ms or other.gmacs or float("inf")) / (other.frames * other.size**2),
            default=None,
        )
    verifier = registry.spec(name)
    if verifier.role == "judge":
        raise ModelError(f"“{name}” is the judge and never takes part in an optimisation. Choose another verifier, or none.")
    if verifier.key == model.key:
        raise ModelError(f"“{name}” is the inverted model itself. The verifier must be another model, or none.")
    if verifier.world != model.world:
        raise ModelError(
            f"“{name}” knows the world {verifier.world}, “{model.key}” knows {model.world}. "
            "Choose a verifier of the same world, or none."
        )
    if frames < verifier.min_frames:
        raise ModelError(
            f"The clip has {frames} frames; “{name}” needs {verifier.min_frames} or more. "
            "Choose another verifier, or none, or more frames."
        )
    if not verifier.batch_norm:
        able_keys = [other.key for other in _able(model)]
        raise ModelError(
            f"“{name}” has no batch norm, whose statistics a verifier gives. Able: {', '.join(able_keys)}, or none."
        )
    return verifier


def _able(model: ModelSpec) -> list[ModelSpec]:
    """The models of the same world that can verify this one."""
    return [other for other in registry.specs() if other.can_verify and other.world == model.world and other.key != model.key]


def _judge(name: str, model: ModelSpec, verifier: ModelSpec | None) -> ModelSpec | None:
    if name == "none":
        return None
    if name == "auto":
        return next((other for other in registry.specs() if other.role == "judge" and other.world == model.world), None)
    judge = registry.spec(name)
    if judge.world != model.world:
        raise ModelError(
            f"“{name}” knows the world {judge.world}, “{model.key}” knows {model.world}. "
            "Choose a judge of the same world, or none."
        )
    if judge.key in (model.key, verifier.key if verifier else None):
        raise ModelError(f"“{name}” takes part in the run and can't judge it. Choose another judge, or none.")
    return judge
