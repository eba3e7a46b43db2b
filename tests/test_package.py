"""The wheel: built, installed beside the packages that it needs, and used from a folder that has nothing to do with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
from pathlib import Path

import pytest

import leaps_core
from tests.conftest import ROOT, free_port

pytest.importorskip("pip", reason="this environment has no pip to build a wheel with")
pytest.importorskip("hatchling", reason="hatchling is not installed")


@pytest.fixture(scope="module")
def leaps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `leaps` of an environment that has the wheel, and this environment's packages."""
    folder = tmp_path_factory.mktemp("package")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = [*pip, "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run(build, check=True, timeout=240, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("leaps_explorer-*.whl")
    venv.create(folder / "env", symlinks=True)
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    (packages / "those-it-needs.pth").write_text(sysconfig.get_path("purelib"))
    python, command = (folder / "env" / "bin" / name for name in ("python", "leaps"))
    install = [*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, timeout=120, stdout=subprocess.DEVNULL)
    return command


def ask(leaps: Path, folder: Path, *arguments: str) -> str:
    """What a command prints, run from a folder of its own."""
    done = subprocess.run(
        [leaps, *arguments], cwd=folder, env=_environment(folder), capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_is_what_runs_and_says_its_version(leaps: Path, tmp_path: Path) -> None:
    assert ask(leaps, tmp_path, "--version").split() == ["leaps", leaps_core.__version__]
    code = "import app, leaps_core; print(app.__file__, leaps_core.__file__)"
    found = subprocess.run([leaps.parent / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert all(str(leaps.parents[1]) in path for path in found.stdout.split()), found.stdout


def test_a_clip_is_synthesized_from_any_folder(leaps: Path, tmp_path: Path) -> None:
    quick = ("--steps", "2", "--set", "frames=4", "size=32", "judge=none", "verifier=none")
    said = ask(leaps, tmp_path, "synth", "--model", "puppet_csn", "--action", "tai chi", *quick)
    run = Path(said.splitlines()[-1])
    assert run.parent == tmp_path / "home" / "runs" and (run / "clip.mp4").stat().st_size > 0
    assert "demo 3-csn-juggling-balls" in ask(leaps, tmp_path, "runs"), "the shipped runs are in the wheel"


def test_the_page_starts_from_any_folder(leaps: Path, tmp_path: Path) -> None:
    port = free_port()
    with (tmp_path / "log").open("w+") as log:
        page = subprocess.Popen(
            [leaps, "page", "--port", str(port)], cwd=tmp_path, env=_environment(tmp_path), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            end = time.monotonic() + 240  # s; a shared machine may be slow
            while (html := _answer(f"http://127.0.0.1:{port}/")) is None:
                assert page.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
                time.sleep(0.2)
            assert "LEAPS Explorer" in html
            page.send_signal(signal.SIGINT)
            assert page.wait(60) == 0
        finally:
            page.kill()
    assert "Traceback" not in (tmp_path / "log").read_text()


def _answer(url: str) -> str | None:
    try:
        return urllib.request.urlopen(url, timeout=5).read().decode()
    except OSError:
        return None


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "GRADIO_SERVER_PORT")}
    return {**kept, "LEAPS_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
