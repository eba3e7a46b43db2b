"""LEAPS Explorer: invert video classifiers and watch what they learned of an action.

    from leaps_core import SynthesisConfig, synthesize
    for step in synthesize(SynthesisConfig(model="puppet_r50", action="juggling balls")):
        print(step.index, step.probabilities)

Every name is loaded when it is first used: `import leaps_core` alone imports neither torch nor pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .banks import Bank
    from .config import SynthesisConfig
    from .errors import BankError, ConfigError, LeapsError, ModelError, RunError, VideoError
    from .runs import Run
    from .synthesis import Control, Step, synthesize

_HOMES = {
    "SynthesisConfig": "config",
    "LeapsError": "errors",
    "ConfigError": "errors",
    "ModelError": "errors",
    "BankError": "errors",
    "RunError": "errors",
    "VideoError": "errors",
    "Bank": "banks",
    "Run": "runs",
    "Control": "synthesis",
    "Step": "synthesis",
    "synthesize": "synthesis",
}

__all__ = [
    "Bank",
    "BankError",
    "ConfigError",
    "Control",
    "LeapsError",
    "ModelError",
    "Run",
    "RunError",
    "Step",
    "SynthesisConfig",
    "VideoError",
    "synthesize",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
