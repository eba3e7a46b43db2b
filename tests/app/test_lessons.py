"""Lessons: what their files hold, and that everything in them can be done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app import lessons, texts
from leaps_core import paths
from leaps_core.config import FIELDS, LIVE_SETTINGS
from leaps_core.errors import ConfigError
from leaps_core.inversion.plan import make_plan

ALL = list(lessons.lessons().values())
TEXTS = Path(texts.__file__).parent


def test_there_are_eleven_of_three_to_eight_minutes() -> None:
    assert len(ALL) == 11 and all(3 <= lesson.minutes <= 8 for lesson in ALL)
    assert len({lesson.title for lesson in ALL}) == 11


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.key)
def test_each_asks_first_has_something_to_do_and_a_check(lesson: lessons.Lesson) -> None:
    assert lesson.text.startswith("**") and "?**" in lesson.text.splitlines()[0], "a question first"
    assert 1 <= len(lesson.doings) <= lessons.MOST_DOINGS and all(doing.text and doing.title for doing in lesson.doings)
    assert any(doing.command == "run" for doing in lesson.doings), "with the real engine"
    assert lesson.question.endswith("?") and len(lesson.answers) == 3
    assert sum(answer.right for answer in lesson.answers) == 1 and all(answer.why for answer in lesson.answers)
    right = next(answer for answer in lesson.answers if answer.right)
    assert lesson.told(right.text) == f"**Right.** {right.why}" and lesson.told(None) == ""
    wrong = next(answer for answer in lesson.answers if not answer.right)
    assert lesson.told(wrong.text).startswith("**Not quite.**")
    assert lesson.text.count("$") % 2 == 0 and set(lesson.about) <= {*FIELDS, "timeline", "compare", "map", "studies"}


@pytest.mark.parametrize(
    "doing", [pytest.param(doing, id=f"{lesson.key}: {doing.title}") for lesson in ALL for doing in lesson.doings]
)
def test_everything_can_be_done(doing: lessons.Doing) -> None:
    if doing.command == "run":
        plan = make_plan(doing.config)
        assert plan.config.steps <= 600 and plan.cast.model.weights is not None, "with bundled networks only"
    elif doing.command == "steer":
        assert doing.settings and set(doing.settings) <= set(LIVE_SETTINGS)
    elif doing.command == "open":
        assert (paths.DEMOS / doing.words[0]).is_dir()
    elif doing.command == "tab":
        assert doing.words[0] in ("compare", "runs", "map", "studies")


def test_a_setting_finds_its_lesson() -> None:
    found = lessons.of_setting("coherence")
    assert found is not None and found.key == "05-coherence" and found.number == 5
    assert [name for name in FIELDS if lessons.of_setting(name) is None] == [], "every control links to its lesson"


def test_tabs_lead_to_lessons_that_there_are() -> None:
    for folder in (TEXTS, TEXTS / "de"):
        found = [re.findall(r"\[\w+ (\d+)\]\(#lesson-([\w-]+)\)", path.read_text("utf-8")) for path in folder.glob("*.md")]
        links = [link for page in found for link in page]
        assert len(links) >= 5 and all(lessons.lessons()[key].number == int(number) for number, key in links), folder


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# Title\n\n## do: It\n`look`\nx\n", "no title, minutes"),
        ("# A\nminutes: 3\nabout:\n\n## do: It\n`jump`\nx\n", "begins with none of"),
    ],
)
def test_a_file_with_mistakes_is_told(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "bad.md").write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        lessons._read(tmp_path / "bad.md", 1)
