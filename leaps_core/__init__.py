"""LEAPS Explorer: invert video classifiers and watch what they learned of an action.

    from leaps_core import models, synthesize
    for step in synthesize(models.configure("puppet_r50", "juggling balls")):
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
    from .inversion.control import Control
    from .inversion.loop import synthesize
    from .inversion.plan import Plan, make_plan
    from .inversion.step import Step
    from .inversion.terms import Term
    from .runs import Run

__version__ = "0.2.0"

# The one place where modules are found by their names: so that `import leaps_core` stays quick.
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
    "Control": "inversion.control",
    "Plan": "inversion.plan",
    "make_plan": "inversion.plan",
    "Step": "inversion.step",
    "Term": "inversion.terms",
    "synthesize": "inversion.loop",
}

__all__ = [
    "Bank",
    "BankError",
    "ConfigError",
    "Control",
    "LeapsError",
    "ModelError",
    "Plan",
    "Run",
    "RunError",
    "Step",
    "SynthesisConfig",
    "Term",
    "VideoError",
    "make_plan",
    "synthesize",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
