"""Values as words, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..config import NETWORKS


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns, each as wide as its widest cell."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def percent(share: float | None) -> str:
    """A probability; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.1f} %"


def millions(number: int | None) -> str:
    """A number of parameters; a dash where it isn't known."""
    return "–" if number is None else f"{number / 1e6:.2f} M"


def says(final: dict[str, Any] | None) -> list[str]:
    """The action's probability in the final clip by model, verifier and judge."""
    return [percent((final or {}).get(who)) for who in NETWORKS]


def scores(final: dict[str, Any]) -> dict[str, str]:
    """Final scores as words, by names that no setting has."""
    return {
        f"{name} says" if name in NETWORKS else name: percent(value) if name in NETWORKS else word(value)
        for name, value in final.items()
    }


def word(value: Any) -> str:
    """Any value; a dash where there is none."""
    if isinstance(value, tuple | list):
        # objects are pairs of name and probability
        said = (f"{item[0]} {percent(item[1])}" if isinstance(item, list | tuple) else str(item) for item in value)
        return ", ".join(said) or "none"
    return f"{value:.4g}" if isinstance(value, float) else "–" if value is None else str(value)
