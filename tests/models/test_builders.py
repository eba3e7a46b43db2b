"""The networks of the libraries, as they are built here."""

from __future__ import annotations

import pytest
import torch

from leaps_core.models.builders import BUILDERS
from leaps_core.puppets.zoo import RECIPES, build


@pytest.mark.parametrize("name", BUILDERS)
def test_builders_give_logits_at_any_size(name: str) -> None:
    recipe = next(recipe for recipe in RECIPES.values() if recipe.builder == name)
    torch.manual_seed(0)
    network = build(recipe).eval()
    with torch.no_grad():
        for t, size in ((8, 4 * recipe.size_step), (16, 8 * recipe.size_step)):
            logits = network(torch.rand(2, 3, t, size, size))
            assert logits.shape == (2, 16) and not torch.allclose(logits.sum(1), torch.ones(2), atol=1e-3), "no softmax"


def test_builders_keep_the_published_depth_unless_told() -> None:
    blocks = [name for name, _ in BUILDERS["resnet3d"](16, 8).named_modules() if name.split(".")[-2:-1] == ["res_blocks"]]
    assert len(blocks) == 3 + 4 + 6 + 3, "R50 has 17 taps with its stem"
