"""What drives the page in a browser carries the marker `browser`, and comes first, as it takes longest."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("browser")
    items.sort(key=lambda item: "browser" not in item.keywords)  # in a stable order
