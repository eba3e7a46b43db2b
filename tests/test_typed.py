"""What README and docs say to type, typed as it stands there, line by line, in a folder that has what they speak of. A line
that takes longer is left with Ctrl-C: it has to end as one that a person leaves."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from leaps_core import models, video
from leaps_core.puppets import render_clip
from tests.conftest import ROOT, examples
from tests.test_docs import blocks

PATIENCE = 20
"""s that a line is given before it is left."""
PROGRAM = re.compile(r"(?:\w+=\S+ )*(?:\.venv/bin/)?python ")
FAR = re.compile(r"x3d_m|slow_r50|--engine ray|--address|LEAPS_HOME=/srv")
"""What no test has: weights from the internet, a cluster (test_fleet.py has one of its own), a server's folder."""
OTHERS = {"make", "pip", "docker", ".venv/bin/hf", "ray", "srun", "head", "sleep", "export"}
"""Programs that are not ours. `make setup`, `test`, `lint` and `types` are what CI runs."""
ACTIONS = ("crawling baby", "dribbling basketball", "juggling balls", "playing trumpet", "tai chi")
QUICK = ("README.md",)


def lines(block: str) -> list[str]:
    """Those that are typed."""
    return [line for line in block.splitlines() if PROGRAM.search(line) and not FAR.search(line)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's folder, as the docs take it, with a home of its own in it."""
    place = tmp_path_factory.mktemp("typed")
    for name in ("app.py", "app", "assets", "leaps_core", "tests"):
        (place / name).symlink_to(ROOT / name)
    (place / ".venv").symlink_to(sys.prefix)
    return place


@pytest.fixture(scope="module")
def place(checkout: Path) -> Path:
    """The same with the videos, runs and files that the docs speak of."""
    place = checkout
    home = place / "home" / ".leaps"
    (home / "models").mkdir(parents=True)
    (home / "models" / "mine.py").write_text(examples("docs/custom-models.md", "python")[0])
    for label in ACTIONS:
        for seed in range(10 if label == "tai chi" else 5):  # as many as Figure S5 needs
            for folder in ("DIR", "MORE"):
                path = place / folder / label / f"{seed}.mp4"
                path.parent.mkdir(parents=True, exist_ok=True)
                video.write_mp4(render_clip(label, seed + 10 * (folder == "MORE"), 16, 64), path)
    shutil.copy(place / "DIR" / "juggling balls" / "0.mp4", place / "juggling.mp4")
    shutil.copy(place / "DIR" / "tai chi" / "0.mp4", place / "video.mp4")
    (place / "kinetics" / "train").mkdir(parents=True)
    rows = ["label,youtube_id,time_start,time_end,split"]
    for number, (label, seed) in enumerate(itertools.product(ACTIONS, range(5))):
        shutil.copy(place / "DIR" / label / f"{seed}.mp4", place / "kinetics" / "train" / f"id{number}_000000_000010.mp4")
        rows.append(f"{label},id{number},0,10,train")
    (place / "train.csv").write_text("\n".join(rows))
    out = home / "runs" / "ID"
    said = typed(
        place, f'python -m leaps_core synth --model puppet_x3d --action "juggling balls" --set steps=20 --out {out}', 240
    )
    for name in ("A", "B"):
        shutil.copytree(out, home / "runs" / name)
    for name in ("run.json", "stimulus.npz"):
        shutil.copy(out / name, place / name)
    assert "juggling balls" in said
    return place


def typed(place: Path, line: str, patience: float) -> str:
    """What is said by a line that is typed there; left after so many seconds."""
    bin = Path(sys.prefix) / "bin"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LEAPS_", "GRADIO_SERVER", "PYTEST"))}
    torch = env.get("TORCH_HOME") or str(Path.home() / ".cache" / "torch")  # where real weights are, if they are here
    env |= {"HOME": str(place / "home"), "PATH": f"{bin}:{env['PATH']}", "TORCH_HOME": torch}
    log = place / "said.txt"
    with log.open("w") as said:
        shell = subprocess.Popen(["bash", "-ec", line], cwd=place, env=env, stdout=said, stderr=said, start_new_session=True)
        left = False
        try:
            shell.wait(patience)
        except subprocess.TimeoutExpired:
            left = True
            os.killpg(shell.pid, signal.SIGINT)
            try:
                shell.wait(90)
            finally:
                if shell.poll() is None:
                    os.killpg(shell.pid, signal.SIGKILL)
    told = log.read_text()
    assert "Traceback" not in told, told
    assert shell.returncode in ((0, 130, -signal.SIGINT) if left else (0,)), (line, shell.returncode, told)
    return told


@pytest.mark.timeout(1800, method="thread")
@pytest.mark.parametrize(
    ("page", "block"),
    [
        pytest.param(page, block, id=f"{page}-{number}", marks=[] if page in QUICK else pytest.mark.slow)
        for number, (page, block) in enumerate(blocks())
        if lines(block)
    ],
)
def test_what_the_docs_say_can_be_typed(checkout: Path, request: pytest.FixtureRequest, page: str, block: str) -> None:
    place = checkout if page in QUICK else request.getfixturevalue("place")
    for line in lines(block):
        if "i3d" in line and "download" not in line and models.state(models.spec("i3d")) == "download":
            pytest.skip("the weights of “i3d” are not on this machine: `python -m leaps_core download i3d` gets them")
        typed(place, line, 280 if re.search(r"leaps_core (embed|map|download) ", line) else PATIENCE)  # others need it


def test_hardly_a_line_is_left_out() -> None:
    every = [line for _, block in blocks() for line in block.splitlines() if line.strip() and not line.startswith("#")]
    ours = [line for line in every if PROGRAM.search(line)]
    assert {re.split(r"[ =]", line)[0] for line in every if line not in ours} <= OTHERS
    assert len([line for line in ours if not FAR.search(line)]) >= 35 and len([line for line in ours if FAR.search(line)]) <= 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "code"), [(page, code) for page in ("README.md", "CONTRIBUTING.md") for code in examples(page, "python")]
)
def test_python_runs_to_its_end(place: Path, page: str, code: str) -> None:
    (place / "example.py").write_text(code)
    assert len(typed(place, "python example.py", 280).splitlines()) > 100, "it tells of each step"
