"""The order of the rooms: who may import whom; and how long a file and a function may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import rooms

ROOT = Path(__file__).parents[1]
MODULES = rooms.modules(ROOT)
SOURCES = {str(path.relative_to(ROOT)): path for path in rooms.sources(ROOT, "leaps_core", "app", "benchmarks")}
BY_NAME = {"leaps_core/__init__.py": {"import_module"}, "leaps_core/puppets/train.py": {"run_module"}}
"""Where a module may be found by a string: the lazy names of the package, and the documented old address of the training."""


@pytest.mark.parametrize("name", MODULES)
def test_nobody_imports_from_a_room_above(name: str) -> None:
    assert not rooms.upward(name, MODULES)


@pytest.mark.parametrize("part", ["leaps_core", "app"])
def test_there_are_no_circles(part: str) -> None:
    assert not [circle for circle in rooms.circles(MODULES) if circle[0].split(".")[0] == part]


@pytest.mark.parametrize("file", SOURCES)
def test_modules_are_not_found_by_their_names(file: str) -> None:
    found = {call.rpartition(" ")[2] for call in rooms.found_by_name(SOURCES[file])}
    assert found <= BY_NAME.get(file, set())


@pytest.mark.parametrize("file", SOURCES)
def test_files_and_functions_are_short(file: str) -> None:
    assert not rooms.too_long(SOURCES[file])


def test_every_room_is_there_and_every_module_in_one() -> None:
    top = {name.split(".")[1] for name in MODULES if name.count(".") and name.startswith("leaps_core.")} - {"__main__"}
    assert top == set(rooms.ROOMS) - {"app", "starters"}
    assert set(rooms.STARTERS) <= set(MODULES)


def test_every_lazy_name_has_a_home() -> None:
    assert set(rooms.homes(MODULES).values()) <= set(MODULES) and len(rooms.homes(MODULES)) > 10


# ------------------------------------------------------------------------------------------------- what these tests find


def tree(root: Path, **texts: str) -> dict[str, Path]:
    """A small checkout; `a__b="..."` is the file a/b.py."""
    for name in ("leaps_core", "leaps_core/models", "leaps_core/runs", "app"):
        (root / name).mkdir(exist_ok=True)
        (root / name / "__init__.py").touch()
    for name, text in texts.items():
        (root / f"{name.replace('__', '/')}.py").write_text(text)
    (root / "leaps_core" / "__init__.py").write_text('_HOMES = {"Run": "runs"}\n')
    return rooms.modules(root)


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("leaps_core__config", "from .runs import Run", 1),
        ("leaps_core__config", "from . import runs", 1),
        ("leaps_core__config", "import leaps_core.runs.record as x", 1),
        ("leaps_core__config", "from leaps_core import Run", 1),
        ("leaps_core__config", "def late():\n    from .models.spec import Spec", 2),
        ("leaps_core__config", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .runs.record import Run", 3),
        ("leaps_core__models__spec", "from ..runs.record import Run", 1),
        ("leaps_core__models__spec", "from app import views", 1),
    ],
)
def test_an_import_upward_is_found_wherever_it_stands(tmp_path: Path, file: str, text: str, line: int) -> None:
    others = {"leaps_core__runs__record": "", "leaps_core__models__spec": "", "app__views": ""}
    known = tree(tmp_path, **{**others, file: text})
    (found,) = rooms.upward(file.replace("__", "."), known)
    assert f".py:{line}: {file.replace('__', '.')}" in found and "which is above it" in found


def test_imports_downward_and_beside_are_fine(tmp_path: Path) -> None:
    texts = {
        "leaps_core__config": "from .errors import E\nimport os.path\nfrom pathlib import Path",
        "leaps_core__errors": "",
        "leaps_core__models__spec": "from . import other\nfrom .. import config\nfrom leaps_core import __version__",
        "leaps_core__models__other": "",
        "app__views": "from leaps_core import Run, models\nfrom . import jobs",
        "app__jobs": "from leaps_core.runs.record import Run",
        "leaps_core__runs__record": "from ..models.spec import Spec",
        "app": "from app.views import main",
    }
    known = tree(tmp_path, **texts)
    assert not [line for name in known for line in rooms.upward(name, known)] and not rooms.circles(known)
    assert {name for name, _ in rooms.imports("app.views", known)} == {"leaps_core.runs", "leaps_core.models", "app.jobs"}
    assert [name for name, _ in rooms.imports("leaps_core.models.spec", known)] == [
        "leaps_core.models.other",
        "leaps_core.config",
        "leaps_core",
    ]


def test_circles_are_found_also_through_a_package(tmp_path: Path) -> None:
    known = tree(
        tmp_path,
        leaps_core__models__a="from .b import x",
        leaps_core__models__b="def late():\n    from .a import y",
        leaps_core__runs__one="from .. import runs",
        app__views="from . import jobs",
        app__jobs="import app.views",
    )
    (tmp_path / "leaps_core" / "runs" / "__init__.py").write_text("from .one import z")
    assert rooms.circles(known) == [
        ["app.jobs", "app.views"],
        ["leaps_core.models.a", "leaps_core.models.b"],
        ["leaps_core.runs", "leaps_core.runs.one"],
    ]


def test_imports_by_name_are_found(tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_text("import importlib, runpy\nimportlib.import_module('a')\n__import__('b')\nrunpy.run_path('c')\n")
    assert [call.rpartition(" ")[2] for call in rooms.found_by_name(path)] == ["import_module", "__import__", "run_path"]


def test_no_stub_lies_beside_the_code() -> None:
    import app.main  # noqa: F401, PLC0415  # Gradio writes one for every class that is made from a component of its own

    assert not list(ROOT.glob("app/**/*.pyi"))


def test_long_functions_are_found_unless_they_say_why(tmp_path: Path) -> None:
    path, body = tmp_path / "file.py", "    x = 1\n" * 50
    path.write_text(f"def long():\n{body}")
    assert rooms.too_long(path) == [f"{path}:1: long has 51 lines"]
    for reason in ("def long():  # long: a table\n", 'def long():\n    """What it does."""\n    # long: a table\n'):
        path.write_text(reason + body)
        assert not rooms.too_long(path)
    path.write_text(f"def long():\n    # long:\n{body}")
    assert rooms.too_long(path), "a reason is needed"
    path.write_text("x = 1\n" * 401)
    assert rooms.too_long(path) == [f"{path} has 401 lines"]
