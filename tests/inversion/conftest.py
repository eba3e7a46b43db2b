"""Random clips that do not depend on which tests ran before."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    """The same ones for a test, whatever ran before it."""
    torch.manual_seed(0)
