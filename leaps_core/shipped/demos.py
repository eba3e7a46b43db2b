"""Make the finished runs that the page opens with: `python -m leaps_core.shipped.demos`

Each is an ordinary run, made smaller for the repository: its snapshots as one H.264 video, no checkpoint. What the networks say
of it (`probes/opinion.py`) lies beside it, so that one can look closer where they are missing.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from .. import models, paths, runs
from ..config import bundled_stimulus
from ..errors import exit_code
from ..probes import opinion

CAST = (
    ("i3d", "playing saxophone", 42),
    ("i3d", "riding elephant", 6006),
    ("puppet_csn", "juggling balls", 7),
    ("puppet_r2plus1d", "dribbling basketball", 7),
    ("puppet_r50", "making pizza", 7),
    ("puppet_x3d", "crawling baby", 7),
    ("puppet_mvit", "tai chi", 7),
    ("puppet_r50_clean", "making pizza", 7),
)
"""Model, action and seed of each demo, the best first; the last is the cleanly trained twin of the fifth, for comparison.
Those of I3D are unprimed: puppets are no prior for it, and real videos of others may not be shipped. The saxophone was made on
one thread (OMP_NUM_THREADS=1): more of them add up in another order, which ends in another saxophone."""


def make(model: str, action: str, folder: Path, seed: int) -> None:
    """Run one demo at the settings that suit the model and keep what a replay of its pictures, and a closer look, need in
    `folder`."""
    own = {"stimuli": (bundled_stimulus(seed),)} if models.spec(model).world == models.PUPPETS else {}
    with tempfile.TemporaryDirectory() as temporary:
        config = models.configure(model, action, {"seed": seed} | own)
        *_, (run, _) = runs.perform(config, folder=Path(temporary) / folder.name)
        runs.pack(run)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(run.folder, folder)
    opinion.keep(runs.Run.open(folder))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m leaps_core.shipped.demos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=paths.given, default=paths.DEMOS, help="where the demos are written")
    parser.add_argument("--only", type=int, nargs="+", help="some of them, by their numbers from 1 on")
    args = parser.parse_args()
    for number, (model, action, seed) in enumerate(CAST, 1):
        if args.only and number not in args.only:
            continue
        folder = args.out / f"{number}-{model.removeprefix('puppet_')}-{action.replace(' ', '-')}"
        make(model, action, folder, seed)
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(f"{folder.name}: {size / 2**20:.2f} MiB", flush=True)


if __name__ == "__main__":
    sys.exit(exit_code(main))
