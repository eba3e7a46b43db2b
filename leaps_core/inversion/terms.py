"""Which terms the loss has: their names, weights, and how plots show them. The only place that knows.

Importing this module does not import torch, as the page reads the table, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config import SynthesisConfig
from ..errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from .objective import Seen


@dataclass(frozen=True)
class Term:
    """One term of the loss.

    `value` gives its raw scalar (mean over the batch) from what was seen in a step, or None where a run has no such term.
    `weight` is what it is multiplied with: a number, or a function of the live settings. `label` and `colour` are for
    plots.
    """

    name: str
    value: Callable[[Seen], Tensor | None]
    weight: float | Callable[[SynthesisConfig], float] = 1.0
    label: str = ""
    colour: str = "#5b9a0b"

    def weight_in(self, settings: SynthesisConfig) -> float:
        """Its weight under these settings."""
        return self.weight(settings) if callable(self.weight) else self.weight


TERMS = (
    Term("cross_entropy", lambda seen: seen.cross_entropy(), 1.0, "classification", "#0d9488"),
    Term("evidence", lambda seen: seen.evidence(), lambda s: s.evidence, "evidence", "#0284c7"),
    Term("priming", lambda seen: seen.priming(), 1.0, "priming", "#d97706"),
    Term("coherence", lambda seen: seen.coherence(), lambda s: s.r * s.coherence, "coherence", "#3b82f6"),
    Term("diversity", lambda seen: seen.diversity(), lambda s: s.r * s.diversity, "diversity", "#ec4899"),
    Term("naturalness", lambda seen: seen.naturalness(), lambda s: s.naturalness, "frame verifier", "#16a34a"),
    Term("smoothness", lambda seen: seen.smoothness(), lambda s: s.smoothness, "smoothness", "#8b5cf6"),
    Term("nearness", lambda seen: seen.nearness(), lambda s: s.nearness, "nearness to the stimulus", "#f43f5e"),
    Term("norm", lambda seen: seen.norm(), lambda s: s.norm, "norm", "#64748b"),
)
"""The terms of LEAPS, in the order in which they are added (see objective.py)."""


def term(name: str) -> Term:
    """A term of the table by its name; of any other name, one that plots can show."""
    return next((one for one in TERMS if one.name == name), Term(name, lambda seen: None, label=name))


def has_diversity(config: SynthesisConfig) -> bool:
    """Whether feature diversity (R_feat) takes part in a run of this config, given a verifier that can serve."""
    return config.verifier != "none" and term("diversity").weight_in(config) > 0


def evaluate(terms: Sequence[Term], seen: Seen) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The terms that this step has, by name: raw, and weighted, which sum to the loss. Raises `ConfigError` for a custom term
    that isn't one number."""
    raw = {one.name: value for one in terms if (value := one.value(seen)) is not None}
    for name, value in raw.items():
        if getattr(value, "shape", None) != ():
            got = f"a tensor of shape {tuple(value.shape)}" if hasattr(value, "shape") else f"a {type(value).__name__}"
            raise ConfigError(f"The term “{name}” gives {got}; expected a tensor of one number, such as a mean.")
    weights = {one.name: one.weight_in(seen.settings) for one in terms}
    return raw, {name: weights[name] * value for name, value in raw.items()}
