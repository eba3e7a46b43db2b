"""The examples of docs/custom-models.md, and their files."""

from __future__ import annotations

import re
import runpy
import warnings
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "custom-models.md").read_text("utf-8"), re.S)


def record(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def exported(folder: Path) -> torch.nn.Module:
    """The documented network, and its files in `folder`."""
    code = EXAMPLES[0][1] + EXAMPLES[2][1].replace('"exported.pt2"', repr(str(folder / "exported.pt2")))
    torch.manual_seed(0)
    network = runpy.run_path(str(record(folder, "export.py", code)), run_name="example")["network"]
    assert isinstance(network, torch.nn.Module)
    return network


def scripted(folder: Path) -> Path:
    """A record of the documented network as TorchScript, and its files in `folder`."""
    network = exported(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network, torch.rand(1, 3, 8, 64, 64)).save(str(folder / "scripted.ts"))  # type: ignore[no-untyped-call]
    text = EXAMPLES[3][1].replace("exported.pt2", "scripted.ts")
    return record(folder, "scripted.toml", re.sub(r"(taps|embedding_layer) = .*\n", "", text))
