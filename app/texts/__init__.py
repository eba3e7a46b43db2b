"""The page's texts, kept as Markdown: each file holds sections, `## key: Title` and a paragraph or more.

English lies here, other languages in folders of theirs: the same files, and words.md with what the page says in few words. What
a language doesn't have stays English.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from leaps_core.errors import ConfigError, did_you_mean

HERE = Path(__file__).parent
ENGLISH = "en"
LANGUAGES = (ENGLISH, *sorted(path.parent.name for path in HERE.glob("*/words.md")))
_spoken = ENGLISH


class Section(NamedTuple):
    """A title for a label and a text for a student."""

    title: str
    text: str


def speak(language: str) -> None:
    """From now on texts are in this language of `LANGUAGES`; what is built already stays as it is. Raises `ConfigError`."""
    global _spoken
    if language not in LANGUAGES:
        raise ConfigError(
            f"The page doesn't speak “{language}”.{did_you_mean(language, LANGUAGES)} It speaks {', '.join(LANGUAGES)}."
        )
    _spoken = language


def spoken() -> str:
    """The language of the texts."""
    return _spoken


def say(words: str, **values: object) -> str:
    """What the page says in few words, given in English; `values` take the places of their names."""
    said = _words(_spoken).get(words, words)
    return said.format(**values) if values else said


def count(number: int) -> str:
    """A number of things, its thousands told apart as in the language."""
    return f"{number:,}".replace(",", say(","))


def sections(name: str) -> dict[str, Section]:
    """All sections of the file `name`.md by their keys."""
    return _sections(HERE / f"{name}.md") | (_sections(_own(_spoken) / f"{name}.md") if _spoken != ENGLISH else {})


def called(setting: str) -> str:
    """What a setting is called."""
    section = sections("settings").get(setting)
    return section.title if section else say(bare(setting))


def bare(setting: str) -> str:
    """The English name of a setting that no text explains."""
    return setting.replace("_", " ").capitalize()


def files(folder: str) -> list[Path]:
    """The files of a folder, in the language of the texts where there is one of that name."""
    return _files(HERE / folder, _own(_spoken) / folder)


def _own(language: str) -> Path:
    return HERE if language == ENGLISH else HERE / language


@cache
def _files(english: Path, own: Path) -> list[Path]:
    return [own / path.name if (own / path.name).is_file() else path for path in sorted(english.glob("*.md"))]


@cache
def _sections(path: Path) -> dict[str, Section]:
    if not path.is_file():
        return {}
    found = re.split(r"^## (\w+): (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {key: Section(title.strip(), text.strip()) for key, title, text in zip(*[iter(found)] * 3, strict=True)}


@cache
def _words(language: str) -> dict[str, str]:
    path = _own(language) / "words.md"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return dict(found.groups() for line in lines if (found := re.match(r"- (.+?) = (.+)$", line)))  # type: ignore[misc]
