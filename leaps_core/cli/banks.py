"""embed and map: real clips as a model sees them."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .. import banks, maps, models, paths, video
from ..paths import PROGRAM, given
from .parser import add, add_engine, engine_of


def embed_clips(options: argparse.Namespace) -> None:
    """Make a bank."""
    from tqdm import tqdm

    if options.puppets is not None:
        plan = banks.plan_puppets(options.puppets)
    elif options.labels:
        plan = banks.plan_csv(options.videos, options.labels)
    else:
        plan = banks.plan_folder(options.videos)
    video.isolate()  # one file that breaks its decoder down doesn't end the bank
    engine = engine_of(options)
    with tqdm(total=len(plan.clips), unit=" clips", disable=None) as bar:
        bank = banks.build(plan, options.model, options.out, lambda done, _: bar.update(done - bar.n), engine=engine)
    for source, why in bank.facts["skipped"]:
        print(f"skipped {source}: {why}", file=sys.stderr)
    classes = sorted(set(bank.labels.tolist()))
    strange = set(classes) - set(models.labels(bank.facts["world"]))
    if strange:
        print(
            f"note: “{options.model}” knows no action named {', '.join(sorted(strange)[:5])}"
            f"{' and more' * (len(strange) > 5)}; its runs can't be compared with these clips.",
            file=sys.stderr,
        )
    print(f"{len(bank)} clips of {len(classes)} classes, {len(bank.facts['skipped'])} skipped", file=sys.stderr)
    print(bank.path)


def map_bank(options: argparse.Namespace) -> None:
    """Fit the map of a bank."""
    bank = banks.Bank.open(options.bank)
    recipe = maps.Recipe(options.method, options.metric, options.dims, options.neighbours, seed=options.seed)
    if maps.stored(bank, recipe) is None:
        print("fitting; the first UMAP of a process takes a while to compile", file=sys.stderr, flush=True)

    def tell(done: int, total: int | None) -> None:
        print(f"\rfitted {100 * done / (total or 1):.0f} %", end="", file=sys.stderr, flush=True)

    found = maps.load_or_fit(bank, recipe, tell)
    print(f"\r{len(found.positions)} of {len(bank)} clips are on the map {recipe.name}.", file=sys.stderr)
    if options.csv:
        maps.write_csv(maps.Atlas(bank, found), options.csv)
        print(options.csv)


def add_commands(menu: Any) -> None:
    """The commands embed and map."""
    parser = add(
        menu,
        "embed",
        embed_clips,
        "make a bank: what a model sees in many real clips",
        f"""examples:
  {PROGRAM} embed --videos DIR --model KEY --out bank.parquet                  DIR/label/clip.mp4
  {PROGRAM} embed --videos DIR --labels train.csv --model KEY --out bank.parquet
  {PROGRAM} embed --puppets 1600 --model KEY --out bank.parquet                drawn clips of the bundled world

A build that was stopped goes on when the same command is given again. Files that can't be read are skipped and listed.
The page finds banks in LEAPS_HOME/banks (now {paths.own_banks()}).""",
    )
    clips = parser.add_mutually_exclusive_group(required=True)
    clips.add_argument("--videos", metavar="DIR", type=given, help="folder of videos: DIR/label/clip.mp4, or any with --labels")
    clips.add_argument("--puppets", metavar="N", type=int, help="draw N clips of the bundled world instead")
    parser.add_argument(
        "--labels", metavar="CSV", type=given, help="official Kinetics table: label, youtube_id, time_start, time_end, split"
    )
    parser.add_argument("--model", metavar="KEY", required=True, help=f"whose embeddings (`{PROGRAM} models`)")
    parser.add_argument("--out", metavar="FILE", type=given, required=True, help="the bank, ending in .parquet")
    add_engine(parser)
    parser = add(
        menu,
        "map",
        map_bank,
        "lay a bank out in two or three dimensions",
        f"""example:
  {PROGRAM} map bank.parquet --method umap --dims 2

The map is kept beside the bank (of a shipped one, in LEAPS_HOME/maps). The page shows maps with the default neighbours and
seed at once, of banks that are shipped or lie in LEAPS_HOME/banks.""",
    )
    parser.add_argument("bank", metavar="BANK", type=given, help=f"a file made by `{PROGRAM} embed`")
    usual = maps.Recipe()
    for name, choices in (("method", maps.METHODS), ("metric", maps.METRICS), ("dims", maps.DIMS)):
        default: Any = getattr(usual, name)
        parser.add_argument(f"--{name}", choices=choices, type=type(default), default=default, help=f"default: {default}")
    count, seed = usual.neighbours, usual.seed
    parser.add_argument("--neighbours", metavar="K", type=int, default=count, help=f"of UMAP; default: {count}")
    parser.add_argument("--seed", metavar="S", type=int, default=seed, help=f"same seed, same map (default: {seed})")
    parser.add_argument("--csv", metavar="FILE", type=given, help="also write it as a table")
