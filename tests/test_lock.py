"""The locked requirements: the pinned versions, each with its hashes."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def pins(file: str) -> dict[str, str]:
    """Versions by the names of packages, as package indexes compare them."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_what_is_pinned_is_locked() -> None:
    locked = pins("requirements.lock")
    assert len(pins("requirements.txt")) > 20 and pins("requirements.txt").items() <= locked.items()
    pinned = pins("constraints.txt")
    assert {name: version for name, version in locked.items() if name in pinned and pinned[name] != version} == {}


def test_a_space_may_add_gradios_extras() -> None:
    locked = pins("requirements.lock")
    for extra in ("oauth", "mcp"):
        asked = [Requirement(text) for text in requires("gradio") or ()]
        wanted = [one for one in asked if one.marker and one.marker.evaluate({"extra": extra})]
        assert wanted and not [str(one) for one in wanted if one.name in locked and locked[one.name] not in one.specifier]


def test_every_package_has_its_hashes_and_no_index_is_named() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert len(blocks) == len(pins("requirements.lock")) > 100
    assert not [block for block in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}", block)]
    assert "://" not in text and "--index" not in text


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_spaces_python_can_have_every_pinned_package(tmp_path: Path) -> None:
    """Of each there is a wheel for the Python that the README's first lines name; but for pytorchvideo, pure Python, which
    a Space's builder builds."""
    asked = re.search(r'^python_version: "([\d.]+)"$', (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert asked
    lines = [f"{name}=={version}" for name, version in pins("requirements.txt").items() if name != "pytorchvideo"]
    (tmp_path / "wanted.txt").write_text("\n".join(lines))
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--python-version", asked[1], "--target", str(tmp_path / "there"), "-r", str(tmp_path / "wanted.txt")]
    found = subprocess.run(command, capture_output=True, text=True)
    if "No matching distribution" not in found.stderr and found.returncode:
        pytest.skip(f"there is no package index: {found.stderr[-300:]}")
    assert found.returncode == 0, found.stderr[-2000:]
