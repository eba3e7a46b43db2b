"""The models: their records, where their weights are, and how they are loaded.

Importing this package doesn't import torch; `load` does.
"""

from __future__ import annotations

import difflib
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import SynthesisConfig
from ..errors import LeapsError, ModelError
from .spec import ModelSpec, PaperRow, Source

if TYPE_CHECKING:
    import torch

    from .adapter import VideoModel

__all__ = [
    "Cast",
    "ModelSpec",
    "PaperRow",
    "Source",
    "choose",
    "failures",
    "fingerprint",
    "labels",
    "load",
    "network",
    "paper_settings",
    "ready",
    "register",
    "spec",
    "specs",
    "state",
]

_registry: dict[str, ModelSpec] = {}
_builders: dict[str, Callable[[], torch.nn.Module]] = {}
_labels: dict[str, tuple[str, ...]] = {}
_loaded: dict[tuple[str, str, object], VideoModel] = {}
_failures: list[str] = []
_lock = threading.RLock()


def register(spec: ModelSpec, build: Callable[[], torch.nn.Module], labels: tuple[str, ...] | None = None) -> None:
    """Make a network choosable everywhere. `build()` returns an `nn.Module` that maps a normalised clip
    (B, 3, T, H, W) to logits; weights are loaded from `spec.weights` or `spec.sources`, if given.

    `labels` names the classes of a world that isn't known yet. Raises `ModelError` if they are missing.
    """
    if labels is not None:
        _labels[spec.world] = labels
    if spec.world not in _labels:
        raise ModelError(f"World “{spec.world}” has no labels yet: give labels=(...) when registering “{spec.key}”.")
    with _lock:
        _registry[spec.key], _builders[spec.key] = spec, build
        for key in [key for key in _loaded if key[0] == spec.key]:
            del _loaded[key]


def specs() -> tuple[ModelSpec, ...]:
    """All records, judges included, in the order of registration."""
    _bundled()
    return tuple(_registry.values())


def spec(key: str) -> ModelSpec:
    """The record of one model. Raises `ModelError` that names near and known keys."""
    _bundled()
    if key not in _registry:
        raise ModelError(
            " ".join([f"There is no model “{key}”.{_near(key, _registry)} Known: {', '.join(_registry)}.", *_failures])
        )
    return _registry[key]


def failures() -> tuple[str, ...]:
    """Why files in LEAPS_HOME/models could not be loaded, a sentence each."""
    _bundled()
    return tuple(_failures)


def state(spec: ModelSpec) -> str:
    """Where a model's weights are: "bundled" (shipped), "local" (given by hand), "cached" (downloaded before) or
    "download" (not on this machine)."""
    from . import weights

    return weights.find(spec)[0]


def fingerprint(spec: ModelSpec) -> str:
    """Which weights a model has: 16 hexadecimal digits of the SHA-256 of its file; of its tensors where it has no file,
    which builds it unless it is loaded already. Raises `ModelError` for missing weights."""
    from . import weights

    file = weights.path(spec)
    if file is None:
        with _lock:
            there = next((model.network for (key, *_), model in _loaded.items() if key == spec.key), None)
            state = (there or network(spec.key)).state_dict()
        parts = [part for name in sorted(state) for part in (name.encode(), state[name].cpu().numpy().tobytes())]
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]
    try:
        facts = file.stat()
        return _file_hash(file, facts.st_mtime_ns, facts.st_size)
    except OSError:
        raise ModelError(f"“{spec.key}”: its weights {file.name} are missing.") from None


def labels(world: str) -> tuple[str, ...]:
    """The actions of a world; the index is the class. Raises `ModelError` for an unknown world."""
    _bundled()
    if world not in _labels:
        raise ModelError(f"There is no world “{world}”. Known: {', '.join(_labels)}.")
    return _labels[world]


def load(key: str, device: str = "auto") -> VideoModel:
    """A frozen model in eval mode, ready for one run. Nothing is downloaded. Raises `ModelError`, which says how to get
    weights that are not on this machine.

    Weights are read once a device and shared; each call gives modules of its own, so that the hooks of two runs in
    one process never meet.
    """
    from . import weights
    from .adapter import VideoModel, pick_device

    record, place = spec(key), pick_device(device)
    with _lock:
        path = weights.path(record)
        wanted = (key, str(place), (path, path.stat().st_mtime_ns) if path and path.exists() else None)
        if wanted not in _loaded:  # or the file is another one by now
            for old in [old for old in _loaded if old[:2] == wanted[:2]]:
                del _loaded[old]
            _loaded[wanted] = VideoModel(record, network(key), path).to(place)
        return _loaded[wanted].fork()


def network(key: str) -> torch.nn.Module:
    """A model's network as it is built, with random weights. Raises `ModelError`, also for what goes wrong in a builder."""
    spec(key)
    try:
        return _builders[key]()
    except LeapsError:
        raise
    except Exception as error:  # a builder may be anybody's code
        raise ModelError(f"“{key}” can't be built: {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Cast:
    """Who plays in a run: the inverted model, the verifier and the judge (None: none), and the class index."""

    model: ModelSpec
    verifier: ModelSpec | None
    judge: ModelSpec | None
    action: int
    notices: tuple[str, ...] = ()


def choose(config: SynthesisConfig) -> Cast:
    """Resolve a config's names: "auto" verifier is the model's default one or the leanest other batch-norm model of
    its world whose weights are on this machine, "auto" judge the world's own.

    Raises `ModelError` for unknown keys and actions, a judge as model or verifier, a verifier without batch norm or
    equal to the model or in need of more frames than the clip has, or a verifier or judge of another world.
    """
    model, notices = spec(config.model), []
    if model.role == "judge":
        raise ModelError(f"“{model.key}” is the judge: it only scores, and can't be inverted. Choose another model.")
    actions = labels(model.world)
    if config.action not in actions:
        raise ModelError(
            f"“{model.key}” knows no action “{config.action}”.{_near(config.action, actions)} "
            f"`python -m leaps_core actions {model.key}` lists all {len(actions)}."
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


def ready(cast: Cast) -> None:
    """Raises `ModelError`, which says how to get them, if weights of anyone in the cast are not on this machine."""
    from . import weights

    for record in (cast.model, cast.verifier, cast.judge):
        if record is not None:
            weights.path(record)


def paper_settings(spec: ModelSpec) -> dict[str, Any]:
    """The paper's mode for `config.but(**...)`: plain pixels, its optimiser and transforms, and the model's row of
    Table S1 (of its family's published network). Raises `ModelError` where the paper has no row."""
    if spec.paper is None:
        raise ModelError(f"The paper has no settings for “{spec.key}”.")
    return {
        "canvas": "pixels",
        "learning_rate": 0.6,
        "floor": 0.005,
        "warmup": 100,
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
        if model.default_verifier and model.default_verifier in _registry:
            return _registry[model.default_verifier]
        able = [
            other
            for other in specs()
            if other.can_verify
            and other.robust >= model.robust
            and other.world == model.world
            and other.key != model.key
            and other.min_frames <= frames
            and state(other) != "download"
        ]
        return min(
            able,
            key=lambda other: (other.step_ms or other.gmacs or float("inf")) / (other.frames * other.size**2),
            default=None,
        )
    verifier = spec(name)
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
        able_keys = [
            other.key for other in specs() if other.can_verify and other.world == model.world and other.key != model.key
        ]
        raise ModelError(
            f"“{name}” has no batch norm, whose statistics a verifier gives. Able: {', '.join(able_keys)}, or none."
        )
    return verifier


def _judge(name: str, model: ModelSpec, verifier: ModelSpec | None) -> ModelSpec | None:
    if name == "none":
        return None
    if name == "auto":
        return next((other for other in specs() if other.role == "judge" and other.world == model.world), None)
    judge = spec(name)
    if judge.world != model.world:
        raise ModelError(
            f"“{name}” knows the world {judge.world}, “{model.key}” knows {model.world}. "
            "Choose a judge of the same world, or none."
        )
    if judge.key in (model.key, verifier.key if verifier else None):
        raise ModelError(f"“{name}” takes part in the run and can't judge it. Choose another judge, or none.")
    return judge


@lru_cache(maxsize=64)
def _file_hash(path: Path, changed: int, size: int) -> str:
    from . import weights

    return weights.sha256_of(path)[:16]


def _near(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f" Did you mean “{close[0]}”?" if close else ""


def _bundled() -> None:
    """Register the bundled and the published models at the first look (their builders import torch only when called), and
    one's own."""
    with _lock:
        if "puppets" in _labels:
            return
        from ..puppets import ACTIONS, zoo
        from . import kinetics, own

        _labels["puppets"] = ACTIONS
        for record in zoo.specs():
            register(record, zoo.builder(record.key))
        for world, count in kinetics.WORLDS.items():
            _labels[world] = kinetics.labels(world)
            assert len(_labels[world]) == count
        for record, build in kinetics.MODELS:
            register(record, build)
        _failures.extend(own.load_folder())
