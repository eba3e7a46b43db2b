"""The page's texts, and their other languages: the same sections, the same things to do, nothing that is left of earlier."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import controls, guide, texts, widgets
from app.lessons import lessons
from app.limits import Limits
from leaps_core import models
from leaps_core.config import FIELDS, info
from leaps_core.errors import ConfigError
from leaps_core.studies import catalogue
from tests.conftest import ROOT

OTHERS = [language for language in texts.LANGUAGES if language != texts.ENGLISH]
FILES = sorted(path.stem for path in texts.HERE.glob("*.md"))
APP = texts.HERE.parent
MARKED = [words for path in sorted((APP / "web").iterdir()) for words in re.findall("⟦(.+?)⟧", path.read_text("utf-8"))]
BUTTONS = ("Button", "UploadButton", "DownloadButton", "Accordion", "Tab")


@pytest.fixture(params=OTHERS)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    texts.speak(request.param)
    yield request.param
    texts.speak(texts.ENGLISH)


def test_german_is_there() -> None:
    assert OTHERS == ["de"]
    with pytest.raises(ConfigError, match="doesn't speak “dd”. It speaks en, de"):
        texts.speak("dd")


@pytest.mark.parametrize("name", FILES)
def test_a_language_has_the_same_sections(name: str, language: str) -> None:
    there = texts._sections(texts.HERE / language / f"{name}.md")
    texts.speak(texts.ENGLISH)
    english = texts.sections(name)
    assert list(there) == list(english)
    for key, section in there.items():
        assert section.text != english[key].text or not section.text, key
        marks = re.compile(r"`[^`]+`|\{\w+\}|<span class=[^>]+>")
        assert sorted(marks.findall(section.text)) == sorted(marks.findall(english[key].text)), key


def test_lessons_do_the_same_in_every_language(language: str) -> None:
    other = lessons()
    texts.speak(texts.ENGLISH)
    english = lessons()
    assert list(other) == list(english)
    for key, lesson in other.items():
        twin = english[key]
        assert lesson.title != twin.title and (lesson.minutes, lesson.about) == (twin.minutes, twin.about)
        assert [(one.command, one.words) for one in lesson.doings] == [(one.command, one.words) for one in twin.doings], key
        assert [answer.right for answer in lesson.answers] == [answer.right for answer in twin.answers], key
        assert lesson.text.count("$") == twin.text.count("$"), key


def test_the_guided_run_does_the_same_in_every_language(language: str) -> None:
    other = [(stop.step, stop.settings, stop.doing.command, stop.doing.words) for stop in guide.stops()]
    texts.speak(texts.ENGLISH)
    assert other == [(stop.step, stop.settings, stop.doing.command, stop.doing.words) for stop in guide.stops()]


def test_every_word_that_is_translated_stands_in_the_code(language: str) -> None:
    known = texts._words(language)
    code = (
        {
            node.value
            for folder in (APP, ROOT / "leaps_core")  # states of a run, what is said of models and of a closer look
            for path in folder.rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        | set(MARKED)
        | set(map(texts.bare, FIELDS))
    )
    assert set(known) <= code, set(known) - code
    names = re.compile(r"\{\w+\}")
    assert all(sorted(names.findall(words)) == sorted(names.findall(said)) for words, said in known.items())
    assert texts.say("{time} left", time="5 s") == "noch 5 s"
    assert texts.say("Delete") == known["Delete"] != "Delete" and texts.say("no such word") == "no such word"


def test_what_stands_on_widgets_can_be_said_in_every_language(language: str) -> None:
    known, bare = texts._words(language), []
    unknown = [words for words in MARKED if words not in known]
    for path in (*APP.rglob("*.py"), *(ROOT / "leaps_core" / "probes").rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
            said = [value.value for value in call.args[:1] if isinstance(value, ast.Constant)]
            if getattr(call.func, "id", getattr(call.func, "attr", "")) == "say":
                unknown += [words for words in said if words not in known]
            if isinstance(call.func, ast.Attribute) and call.func.attr in BUTTONS:
                bare += [words for words in said if isinstance(words, str)]
            bare += [key.value.value for key in call.keywords if key.arg == "label" and isinstance(key.value, ast.Constant)]
    assert (unknown, bare) == ([], [])
    texts.speak(texts.ENGLISH)
    unsaid = [name for name in FIELDS if name not in texts.sections("settings")]
    assert not {words for name in unsaid for words in (texts.bare(name), info(name)["text"])} - set(known)
    assert not [said for words, said in known.items() if words in MARKED and set(said) & set("'\"<\\$`")], (
        "they stand in scripts"
    )


def test_models_limits_and_lists_are_told_in_every_language(language: str) -> None:
    told = controls.model_facts("puppet_csn"), Limits(steps=20, daily=3).told(), controls.model_choices()[-1][0]
    texts.speak(texts.ENGLISH)
    english = controls.model_facts("puppet_csn"), Limits(steps=20, daily=3).told(), controls.model_choices()[-1][0]
    texts.speak(language)
    assert [len(re.findall(r"\d+", text)) for text in told] == [len(re.findall(r"\d+", text)) for text in english]
    assert all(other not in text for other, text in zip(("weights", "most", "download"), told, strict=True)), told
    records = [text for spec in models.specs() for text in (spec.about, spec.caution) if spec.role in ("model", "judge")]
    records += [text for study in catalogue.STUDIES.values() for text in (study.title, study.about)]
    assert not set(filter(None, records)) - set(texts._words(language))


def test_what_may_be_chosen_is_told_in_every_language(language: str) -> None:
    known = widgets.named(["none", "puppet_csn", ("Words", "key")])
    assert known[1:] == [("puppet_csn", "puppet_csn"), ("Words", "key")] and known[0][1] == "none" != known[0][0]


def test_braces_in_what_others_wrote_are_left_alone(language: str) -> None:
    assert texts.say("my {own} model") == "my {own} model"


def test_what_a_language_lacks_stays_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "HERE", tmp_path)
    monkeypatch.setattr(texts, "LANGUAGES", ("en", "xx"))
    for folder in (tmp_path, tmp_path / "xx", tmp_path / "lessons"):
        folder.mkdir(exist_ok=True)
    (tmp_path / "a.md").write_text("## one: One\n\nFirst.\n\n## two: Two\n\nSecond.\n")
    (tmp_path / "xx" / "a.md").write_text("## two: Zwo\n\nZweites.\n")
    (tmp_path / "lessons" / "1.md").write_text("")
    texts.speak("xx")
    try:
        assert [section.title for section in texts.sections("a").values()] == ["One", "Zwo"]
        assert texts.files("lessons") == [tmp_path / "lessons" / "1.md"] and texts.say("Start") == "Start"
    finally:
        texts.speak(texts.ENGLISH)
