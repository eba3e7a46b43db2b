"""study: the paper's experiments."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .. import paths
from ..paths import PROGRAM
from .parser import add
from .synth import setting


def study_embedding(options: argparse.Namespace) -> None:
    """Figure S5."""
    from ..studies import embedding

    own, judges, stimuli = (Path(path) if path else None for path in (options.bank, options.judge_bank, options.stimuli))
    print(
        embedding.markdown(
            embedding.study(
                options.action,
                options.model,
                options.n,
                Path(options.cache),
                Path(options.docs),
                own,
                judges,
                dict(map(setting, options.set)),
                stimuli,
            )
        )
    )


def add_commands(menu: Any) -> None:
    """The command study."""
    parser = add(
        menu,
        "study",
        None,
        "do the paper's experiments again",
        f"""example:
  {PROGRAM} study embedding --action "tai chi" --model KEY --n 32""",
    )
    inner = parser.add_subparsers(title="studies", metavar="STUDY", required=True)
    added = add(
        inner,
        "embedding",
        study_embedding,
        "Figure S5: where LEAPS's clips lie among real ones, with R_feat and without",
        f"""example:
  {PROGRAM} study embedding --action "tai chi" --model KEY --n 32
  {PROGRAM} study embedding --action "tai chi" --model x3d_m --n 32 --bank k400.parquet --stimuli DIR

A study that was stopped goes on where it was when the same command is given again.""",
    )
    added.add_argument("--action", metavar="LABEL", required=True, help=f"`{PROGRAM} actions MODEL` lists them")
    added.add_argument("--model", metavar="KEY", required=True, help="model to invert")
    added.add_argument("--n", metavar="N", type=int, default=32, help="seeds in each arm (default: 32)")
    added.add_argument(
        "--stimuli",
        metavar="DIR",
        help="folder of N videos of the action, not in the bank: the first by name "
        "primes seed 0, and so on (default: bundled clips, which only the puppets' world has)",
    )
    added.add_argument("--bank", metavar="FILE", help="real clips as the model sees them (default: the bundled bank)")
    added.add_argument("--judge-bank", metavar="FILE", help="the same of the judge")
    added.add_argument("--set", metavar="FIELD=VALUE", nargs="+", action="extend", default=[], help="settings of the runs")
    added.add_argument("--cache", metavar="DIR", default=str(paths.studies()), help="where finished clips are kept")
    added.add_argument("--docs", metavar="DIR", default="docs", help="where table and picture are written")
