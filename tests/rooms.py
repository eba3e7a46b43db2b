"""What the modules of a checkout import, found without importing them. Imports inside functions, and those for types, count."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOMS = (
    "errors",
    "paths",
    "files",
    "machine",
    "config",
    "video",
    "puppets",
    "models",
    "fleet",
    "training",
    "inversion",
    "runs",
    "probes",
    "banks",
    "maps",
    "shipped",
    "studies",
    "cli",
    "app",
    "starters",
)
"""From the bottom to the top: a module imports from its own room and from those below."""
STARTERS = ("leaps_core.__main__", "app.py")
LAZY = "leaps_core"
"""The package itself: its names are those of other modules, found when they are first used. It stands outside of the order."""
BY_NAME = {"import_module", "__import__", "run_module", "run_path"}
"""Functions that import what a string names."""


def sources(root: Path, *folders: str) -> list[Path]:
    """Python files in these folders of a checkout, and app.py."""
    found = [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]
    return found + [path for path in [root / "app.py"] if path.is_file() and "app" in folders]


def modules(root: Path) -> dict[str, Path]:
    """The modules of leaps_core and app by their names; a package by that of its folder."""
    return {_name(path.relative_to(root)): path for path in sources(root, "leaps_core", "app")}


def _name(path: Path) -> str:
    if path == Path("app.py"):
        return "app.py"
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> int:
    """How high a module's room is. Raises `ValueError` for one that has no place in the order."""
    if module in STARTERS:
        return ROOMS.index("starters")
    first, *rest = module.split(".")
    return ROOMS.index(first if first == "app" else rest[0])


def imports(name: str, known: dict[str, Path]) -> Iterator[tuple[str, int]]:
    """The known modules that a module imports anywhere, and in which line."""
    path = known[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from ((found, node.lineno) for found in _nearest(alias.name, known))
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                if base == LAZY and full not in known:
                    full = homes(known).get(alias.name, LAZY)
                yield from ((found, node.lineno) for found in _nearest(full, known))


def _nearest(name: str, known: dict[str, Path]) -> Iterator[str]:
    """The module of that name, or the one that has it; none where it is another package's."""
    while name:
        if name in known:
            yield name
            return
        name = name.rpartition(".")[0]


def homes(known: dict[str, Path]) -> dict[str, str]:
    """Where the names of `leaps_core` really are: its table `_HOMES`."""
    for node in ast.parse(known[LAZY].read_text("utf-8")).body if LAZY in known else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES":
            return {name: f"{LAZY}.{home}" for name, home in ast.literal_eval(node.value).items()}
    return {}


def upward(name: str, known: dict[str, Path]) -> list[str]:
    """The imports of a module that lead to a higher room, a line each."""
    if name == LAZY:
        return []
    mine = room(name)
    return [
        f"{known[name]}:{line}: {name} ({ROOMS[mine]}) imports {other} ({ROOMS[room(other)]}), which is above it"
        for other, line in imports(name, known)
        if other != LAZY and room(other) > mine
    ]


def circles(known: dict[str, Path]) -> list[list[str]]:
    """The modules that import one another in a circle, for each circle of them."""
    graph = {name: {other for other, _ in imports(name, known)} - {name} for name in known if name != LAZY}
    reach = {name: _reached(name, graph) for name in graph}
    found = {frozenset(other for other in graph if other in reach[name] and name in reach[other]) for name in graph}
    return sorted(sorted(circle) for circle in found if circle)


def _reached(name: str, graph: dict[str, set[str]]) -> set[str]:
    """All that a module imports, directly or through others; itself, if it is in a circle."""
    seen: set[str] = set()
    ahead = list(graph[name])
    while ahead:
        if (other := ahead.pop()) not in seen:
            seen.add(other)
            ahead += graph.get(other, ())
    return seen


def found_by_name(path: Path) -> list[str]:
    """Calls of functions that import what a string names, as file:line and the function's name."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    called = [(ast.unparse(call.func).rpartition(".")[2], call.lineno) for call in calls]
    return [f"{path}:{line}: {name}" for name, line in called if name in BY_NAME]


def too_long(path: Path, lines_of_file: int = 400, lines_of_function: int = 50) -> list[str]:
    """A file with more lines, or its functions with more, unless a comment `# long: ...` at a function's head says why."""
    text = path.read_text("utf-8")
    lines = text.splitlines()
    found = [f"{path} has {len(lines)} lines"] if len(lines) > lines_of_file else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > lines_of_function and not _explained(node, lines):
                found.append(f"{path}:{node.lineno}: {node.name} has {length} lines")
    return found


def _explained(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> bool:
    """Whether `# long:` with a reason stands between a function's def and its first statement after the docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    head = lines[node.lineno - 1 : body[0].lineno if body else node.end_lineno]
    return any(line.partition("# long:")[2].strip() for line in head)
