"""The page's teaching texts, kept as Markdown: each file holds sections, `## key: Title` and a paragraph or more."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Section(NamedTuple):
    """A title for a label and a text for a student."""

    title: str
    text: str


@cache
def sections(name: str) -> dict[str, Section]:
    """All sections of the file `name`.md by their keys."""
    whole = (Path(__file__).parent / f"{name}.md").read_text(encoding="utf-8")
    found = re.split(r"^## (\w+): (.+)$", whole, flags=re.MULTILINE)[1:]
    return {key: Section(title.strip(), text.strip()) for key, title, text in zip(*[iter(found)] * 3, strict=True)}
