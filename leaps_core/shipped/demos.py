"""Make the finished runs that the page opens with: `python -m leaps_core.shipped.demos`

Each is an ordinary run, made smaller for the repository: its snapshots as one H.264 video, no checkpoint.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from .. import paths, runs
from ..config import SynthesisConfig, bundled_stimulus

CAST = (
    ("puppet_csn", "juggling balls"),
    ("puppet_r50", "making pizza"),
    ("puppet_r2plus1d", "dribbling basketball"),
    ("puppet_x3d", "crawling baby"),
    ("puppet_mvit", "tai chi"),
    ("puppet_r50_clean", "making pizza"),
)
"""Model and action of each demo; the last is the cleanly trained twin, for comparison with the second."""


def make(model: str, action: str, folder: Path, seed: int = 7) -> None:
    """Run one demo at default settings and keep what a replay of its pictures needs in `folder`."""
    with tempfile.TemporaryDirectory() as temporary:
        config = SynthesisConfig(model=model, action=action, seed=seed, stimuli=(bundled_stimulus(seed),))
        *_, (run, _) = runs.perform(config, folder=Path(temporary) / folder.name)
        runs.pack(run)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(run.folder, folder)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m leaps_core.shipped.demos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=paths.DEMOS, help="where the demos are written")
    args = parser.parse_args()
    for number, (model, action) in enumerate(CAST, 1):
        folder = args.out / f"{number}-{model.removeprefix('puppet_')}-{action.replace(' ', '-')}"
        make(model, action, folder)
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(f"{folder.name}: {size / 2**20:.2f} MiB", flush=True)


if __name__ == "__main__":
    main()
