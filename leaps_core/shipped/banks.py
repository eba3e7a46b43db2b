"""Make the banks that are shipped, and their maps: `python -m leaps_core.shipped.banks`

For each bundled model 1,600 clips of the puppet world, 100 per action, drawn from seeds that neither training nor stimuli
use, and its UMAP and PCA maps in two and three dimensions. A stopped build goes on when the command is given again; after
new weights it builds again what they made.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from .. import banks, maps, models, paths
from ..errors import exit_code

COUNT = 1600


def make(key: str, folder: Path, count: int = COUNT) -> banks.Bank:
    """The bank of one model, and its maps beside it. One of other weights is replaced."""
    path = folder / f"{key}.parquet"
    if path.exists() and banks.Bank.open(path).facts["weights"] != models.fingerprint(models.spec(key)):
        for old in (path, *folder.glob(f"{key}.*.npz")):
            old.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    with tqdm(total=count, desc=key, disable=None) as bar:
        bank = banks.build(banks.plan_puppets(count), key, path, lambda done, _: bar.update(done - bar.n))
    for method in maps.METHODS:
        for dims in (2, 3):
            recipe = maps.Recipe(method, dims=dims)
            if maps.stored(bank, recipe) is None:
                maps.store(maps.fit(bank, recipe), bank, beside=True)
    return bank


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m leaps_core.shipped.banks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", metavar="KEY", help="models (default: all bundled ones)")
    parser.add_argument("--out", type=paths.given, default=paths.BANKS, help="where the banks are written")
    parser.add_argument("--count", type=int, default=COUNT, help=f"clips per bank (default: {COUNT})")
    args = parser.parse_args()
    for key in args.models or [spec.key for spec in models.specs() if models.state(spec) == "bundled"]:
        make(key, args.out, args.count)
    sizes = {path.name: path.stat().st_size for path in sorted(args.out.iterdir()) if path.is_file()}
    print("\n".join(f"{size / 1e6:7.2f} MB  {name}" for name, size in sizes.items()))
    print(f"{sum(sizes.values()) / 1e6:7.2f} MB  in all", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(exit_code(main))
