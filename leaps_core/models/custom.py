"""Custom models: the files in LEAPS_HOME/models, and those that are named with --models FILE.

    *.py     is run; it calls `models.register(spec, build)`
    *.toml   is the record of a network that was saved beside it: file = "NAME.pt2" (torch.export) or "NAME.ts" (TorchScript)

These files are code. Only what the owner of the machine put there is ever loaded, never what a visitor sends.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from .. import paths
from ..errors import LeapsError, ModelError
from .registry import register
from .spec import ModelSpec

if TYPE_CHECKING:
    from torch import nn

EXPORTED, SCRIPTED = (".pt2",), (".ts", ".torchscript", ".pt")
CLOSED = (
    "It is a TorchScript file, which doesn't show its layers: there is neither priming nor temporal "
    "coherence. A file of torch.export (.pt2) shows them."
)
_OUTSIDE = {"file", "labels"}


def load_folder() -> list[str]:
    """Register all models in the folder, by name; returns a sentence for each file that can't be loaded."""
    failures = []
    for path in sorted(paths.own_models().glob("*.py")) + sorted(paths.own_models().glob("*.toml")):
        try:
            load(path)
        except ModelError as error:
            failures.append(str(error))
    return failures


def load(path: str | Path) -> None:
    """Register the models of one file. Raises `ModelError` for a file that is none, or that fails."""
    path = paths.given(path).absolute()
    if path.suffix not in (".py", ".toml") or not path.is_file():
        raise ModelError(
            f"{path} is no file of models; expected a Python file that calls register, or a record (*.toml) "
            "beside an exported network. docs/custom-models.md shows both."
        )
    try:
        _run(path) if path.suffix == ".py" else _register(path)
    except LeapsError as error:
        raise ModelError(f"{path.name} can't be loaded: {error}") from error
    except Exception as error:  # it is anybody's code
        raise ModelError(f"{path.name} can't be loaded: {type(error).__name__}: {error}") from error


def _run(path: Path) -> None:
    name = f"leaps_own_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    if str(path.parent) not in sys.path:  # it may import the file beside it, now or when it is built
        sys.path.append(str(path.parent))
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _register(path: Path) -> None:
    record = tomllib.loads(path.read_text("utf-8"))
    known = {field.name for field in dataclasses.fields(ModelSpec)} | _OUTSIDE
    if unknown := sorted(record.keys() - known):
        raise ModelError(f"it has the unknown field “{unknown[0]}”. Known: {', '.join(sorted(known))}.")
    file = _beside(path, str(record.pop("file", path.with_suffix(".pt2").name)))
    if not file.is_file() or file.suffix not in EXPORTED + SCRIPTED:
        raise ModelError(
            f'its network {file.name} is not there, or none; expected file = "NAME.pt2" (torch.export) or '
            '"NAME.ts" (TorchScript).'
        )
    labels = _labels(record.pop("labels", None), path)
    closed = file.suffix in SCRIPTED
    if closed and (record.get("taps") or record.get("embedding_layer")):
        raise ModelError(
            f"its network {file.name} is TorchScript, which doesn't show its modules: leave taps and "
            "embedding_layer out, or export it as a .pt2."
        )
    record = (
        {
            "key": path.stem,
            "name": path.stem,
            "family": "own",
            "world": path.stem,
            "batch_norm": False,
            "fixed": ("frames", "size"),
        }
        | ({"taps": "", "embedding_layer": "", "caution": CLOSED} if closed else {})
        | record
    )
    try:
        spec = TypeAdapter(ModelSpec).validate_python(record)
    except ValidationError as error:
        raise ModelError(
            " ".join(f"“{item['loc'][0]}”: {item['msg'][0].lower() + item['msg'][1:]}." for item in error.errors())
        ) from None
    register(spec, lambda: _scripted(file) if closed else _exported(file), labels)


def _beside(record: Path, name: str) -> Path:
    """A file that a record names: in its folder, or in one below. Raises `ModelError` for any other."""
    found = Path(os.path.normpath(record.parent / name))
    if not found.is_relative_to(record.parent):
        raise ModelError(f"it names {name}, which doesn't lie in its own folder. Put it beside {record.name}.")
    return found


def _labels(given: Any, record: Path) -> tuple[str, ...] | None:
    """Labels as a list, or as the name of a file with one a line."""
    if isinstance(given, str):
        given = [line for line in _beside(record, given).read_text("utf-8").splitlines() if line.strip()]
    return None if given is None else tuple(map(str, given))


def _exported(file: Path) -> nn.Module:
    """A network that `torch.export.save` wrote, with the modules that it had, so that they can be tapped."""
    import torch

    with torch.device("cpu"):  # it can't be read onto "meta"
        network = torch.export.unflatten(torch.export.load(file))
    for part in network.modules():
        graph = getattr(part, "graph", None)
        for node in graph.nodes if isinstance(graph, torch.fx.Graph) else ():
            node.meta.clear()  # what tracing noted there can't be copied
    return network


def _scripted(file: Path) -> nn.Module:
    import torch

    return torch.jit.load(file, map_location="cpu")
