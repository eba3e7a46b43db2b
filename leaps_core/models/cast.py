"""Who takes part in a run: the inverted model, the verifier and the judge, resolved from a config's names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from .. import paths
from ..config import FRAME_NETWORKS, NETWORKS, SynthesisConfig
from ..errors import ModelError, did_you_mean
from ..paths import PROGRAM
from . import registry, weights
from .loading import state
from .spec import ModelSpec


@dataclass(frozen=True)
class Cast:
    """Who takes part in a run: the inverted model, the verifier (maybe the model itself), the judge, and the two networks
    of pictures (None: none); the class of the action, and the object judge's classes of its `objects`."""

    model: ModelSpec
    verifier: ModelSpec | None
    judge: ModelSpec | None
    class_index: int
    notices: tuple[str, ...] = ()
    frame_verifier: ModelSpec | None = None
    object_judge: ModelSpec | None = None
    objects: tuple[int, ...] = ()

    @property
    def networks(self) -> dict[str, ModelSpec]:
        """Those that take part, by their names in `config.NETWORKS` and `config.FRAME_NETWORKS`."""
        names = (*NETWORKS, *FRAME_NETWORKS)
        return {name: record for name in names if (record := getattr(self, name)) is not None}

    @property
    def optimised(self) -> tuple[ModelSpec, ...]:
        """Those that every step runs, forward and backward: not the judges; the model once, if it verifies itself."""
        found = (self.model, self.verifier, self.frame_verifier)
        return tuple(dict.fromkeys(record for record in found if record is not None))


def resolve(config: SynthesisConfig) -> Cast:
    """Resolve a config's names: "auto" verifier is the model's default one or the leanest other batch-norm model of
    its world whose weights are on this machine, "auto" judge the world's own, "auto" object judge the first one whose
    weights are on this machine.

    Raises `ModelError` for unknown keys and actions, a network in a role that is not its own, a verifier without batch norm
    or in need of more frames than the clip has, or a verifier or judge of another world or one that also takes part.
    """
    model, notices = registry.spec(config.model), []
    if model.role != "model":
        raise ModelError(f"“{model.key}” is {_ROLES[model.role]}, and can't be inverted. Choose another model.")
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
    frame_verifier = _of_frames(config.frame_verifier, "frame_verifier")
    object_judge = _of_frames(config.object_judge, "object_judge")
    known = objects(config.action, model.world, object_judge) if object_judge else ()
    if object_judge and not known:
        if config.object_judge != "auto":
            notices.append(f"“{object_judge.key}” knows no object of “{config.action}”: nobody is asked which objects it sees.")
        object_judge = None
    if frame_verifier:
        notices.append(f"{frame_verifier.name} draws each frame towards photographs: part of what you see is its doing.")
    if verifier is None:
        notices.append("No verifier: feature diversity is left out.")
    if judge is None:
        notices.append("No judge: the clip is not scored by an independent network.")
    return Cast(model, verifier, judge, actions.index(config.action), tuple(notices), frame_verifier, object_judge, known)


@lru_cache
def _table(world: str) -> dict[str, list[str]]:
    path = paths.LABELS / f"{world}_objects.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def objects(action: str, world: str, judge: ModelSpec) -> tuple[int, ...]:
    """The classes of an object judge that belong to an action; none where the table of the world doesn't name any."""
    names = registry.labels(judge.world)
    return tuple(names.index(name) for name in _table(world).get(action, ()) if name in names)


def require_weights(cast: Cast) -> None:
    """Raises `ModelError`, which says how to get them, if weights of anyone in the cast are not on this machine."""
    weights.require(list(dict.fromkeys(cast.networks.values())))


def missing(config: SynthesisConfig) -> tuple[ModelSpec, ...]:
    """Whose weights a run of this config would need, or gladly have, and are not on this machine: those of its cast, and of
    an object judge where "auto" finds none. Raises `ModelError` for what can't be."""
    cast = resolve(config)
    wanted = list(cast.networks.values())
    if config.object_judge == "auto" and cast.object_judge is None:
        judges = [other for other in registry.specs() if other.role == "object_judge"]
        wanted += [other for other in judges[:1] if objects(config.action, cast.model.world, other)]
    return tuple(record for record in dict.fromkeys(wanted) if state(record) == "download")


_ROLES = {
    "judge": "the judge: it only scores",
    "frame_verifier": "a frame verifier: it only says how ordinary single frames are",
    "object_judge": "an object judge: it only names the objects in single frames",
    "model": "a model: it tells the actions of clips",
}
"""What a network of each role is for."""


def _of_frames(name: str, role: str) -> ModelSpec | None:
    """The frame verifier or the object judge of this name."""
    if name == "none":
        return None
    able = [other for other in registry.specs() if other.role == role]
    if name == "auto":
        return next((other for other in able if state(other) != "download"), None)
    found = registry.spec(name)
    if found.role != role:
        others = ", ".join(other.key for other in able)
        raise ModelError(
            f"“{name}” is {_ROLES[found.role]}, so it can't be the {role.replace('_', ' ')}. Able: {others}, or none."
        )
    if role == "frame_verifier" and not found.batch_norm:
        raise ModelError(f"“{name}” has no batch norm, whose statistics a frame verifier gives. Choose another, or none.")
    return found


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
            if other.robust >= model.robust and other.fewest <= frames and state(other) != "download"
        ]
        return min(
            able,
            key=lambda other: (other.step_ms or other.gmacs or float("inf")) / (other.frames * other.size**2),
            default=None,
        )
    verifier = registry.spec(model.key if name == "self" else name)
    if verifier.role == "judge":
        raise ModelError(f"“{name}” is the judge and never takes part in an optimisation. Choose another verifier, or none.")
    if verifier.role != "model":
        raise ModelError(
            f"“{name}” is {_ROLES[verifier.role]}. It may be the {verifier.role}; choose another verifier, or none."
        )
    if verifier.world != model.world:
        raise ModelError(
            f"“{name}” knows the world {verifier.world}, “{model.key}” knows {model.world}. "
            "Choose a verifier of the same world, or none."
        )
    if frames < verifier.fewest:
        raise ModelError(
            f"The clip has {frames} frames; “{name}” needs {verifier.fewest} or more. "
            "Choose another verifier, or none, or more frames."
        )
    if not verifier.batch_norm:
        able_keys = [other.key for other in _able(model)]
        raise ModelError(
            f"“{verifier.key}” has no batch norm, whose statistics a verifier gives. Able: {', '.join(able_keys)}, or none."
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
    if judge.role not in ("judge", "model"):
        raise ModelError(f"“{name}” is {_ROLES[judge.role]}, so it can't be the judge. Choose another judge, or none.")
    if judge.world != model.world:
        raise ModelError(
            f"“{name}” knows the world {judge.world}, “{model.key}” knows {model.world}. "
            "Choose a judge of the same world, or none."
        )
    if judge.key in (model.key, verifier.key if verifier else None):
        raise ModelError(f"“{name}” takes part in the run and can't judge it. Choose another judge, or none.")
    return judge
