"""How the bundled networks are trained: one recipe each, and a judge that shares nothing with those it scores."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leaps_core.models import bundled
from leaps_core.training.recipes import RECIPES

ROOT = Path(__file__).parents[2]


class Builders:
    """In place of `models.architectures`: what is called there, instead of a network."""

    def __getattr__(self, name: str) -> Callable[..., str]:
        return lambda *_, **__: name


def test_every_bundled_network_has_a_recipe() -> None:
    assert RECIPES.keys() == bundled.RECORDS.keys() == bundled.BUILDERS.keys()
    assert all(recipe.key == key for key, recipe in RECIPES.items())


def test_judge_shares_neither_builder_nor_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "_architectures", Builders)
    builders: dict[str, Any] = {key: build() for key, build in bundled.BUILDERS.items()}
    others = [key for key in RECIPES if key != "puppet_judge"]
    assert bundled.RECORDS["puppet_judge"].role == "judge" and builders["puppet_judge"] == "c3d"
    assert builders["puppet_judge"] not in {builders[key] for key in others}
    assert RECIPES["puppet_judge"].seed not in {RECIPES[key].seed for key in others}


@pytest.mark.parametrize("address", ["leaps_core.training.train", "leaps_core.puppets.train"])
def test_training_has_an_old_address_too(address: str) -> None:
    done = subprocess.run([sys.executable, "-m", address, "--help"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "leaps_core.training.train" in done.stdout and "puppet_judge" in done.stdout
