"""What README and docs say to type can be typed: every command of the program is understood, and Python examples
run."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from app.main import add_command
from leaps_core import cli, models
from tests.conftest import ROOT, examples

PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


PROGRAM = re.compile(r"(?:\w+=\S+ )*(?:\.venv/bin/)?python (?:-m leaps_core|(app\.py))(?: |$)")
"""How a line begins that runs the program, perhaps with variables; app.py is its command `page`."""


NAMES = {"KEY": "puppet_x3d", "NAME": "priming-share"}
"""What is typed where the docs have a word that stands for one."""


def blocks() -> list[tuple[str, str]]:
    """Every shell example, one command per line: page and text."""
    found = [(page, block.replace("\\\n", " ")) for page in PAGES for block in examples(page, "sh")]
    return [(page, re.sub(rf"\b({'|'.join(NAMES)})\b", lambda word: NAMES[word[0]], block)) for page, block in found]


def commands() -> list[tuple[str, str]]:
    """The lines of all shell examples that run the program: page and line."""
    lines = [(page, line.strip()) for page, block in blocks() for line in block.splitlines()]
    return [(page, line) for page, line in lines if PROGRAM.match(line)]


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_is_understood(page: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    start = PROGRAM.match(line)
    assert start
    words = ["page"] * bool(start[1]) + shlex.split(line[start.end() :], comments=True)
    words = words[: words.index("|") if "|" in words else None]
    try:
        cli._parser([add_command]).parse_args(words)
    except SystemExit as left:
        assert not left.code, capsys.readouterr().err


def test_there_are_many() -> None:
    assert len(commands()) > 30 and sum("app.py" in line for _, line in commands()) >= 3


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_python_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = examples(page, "python")
    assert found
    for code in found:
        _runs(code, {}, capsys)


def test_python_with_a_model_of_ones_own_runs(own_registry: None, capsys: pytest.CaptureFixture[str]) -> None:
    model, _, *programs = examples("docs/custom-models.md", "python")
    exec(model, given := {})  # noqa: S102
    given |= {"spec": models.spec("mine"), "build": given["Mine"], "labels": models.labels("my actions")}
    for code in programs:
        _runs(code, given, capsys)


def _runs(code: str, given: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Two of the steps that an example makes and tells of."""
    short, changed = re.subn(r'(configure\("[a-z_]+", "[a-z ]+")\)', r'\1, {"steps": 2})', code)
    assert changed, "or it takes a while"
    exec(short, given)  # noqa: S102
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_an_agent_finds_the_tools_where_the_docs_say() -> None:
    (settings,) = examples("docs/api.md", "json")
    (server,) = json.loads(settings)["mcpServers"].values()
    assert server["url"] in (ROOT / "docs" / "api.md").read_text("utf-8").split("```json")[0]
