"""compare: one action through several models or settings."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from typing import Any

from .. import models, paths, runs
from ..config import info
from ..errors import RunError
from ..inversion.control import Control
from ..paths import PROGRAM, given
from ..runs import comparison
from .follow import watch
from .models import download
from .parser import add
from .synth import setting, stimuli_of


def add_commands(menu: Any) -> None:
    """The command compare."""
    parser = add(
        menu,
        "compare",
        compare_models,
        "run one action through several models or settings",
        f"""examples:
  {PROGRAM} compare puppet_csn puppet_r50 puppet_x3d --action "juggling balls"
  {PROGRAM} compare puppet_csn --action "tai chi" --vary coherence=0,1,10
  {PROGRAM} compare i3d --action "playing trumpet" --stimulus trumpet.mp4 --download

Writes comparison.png (the stimulus, then one row per model, as in the paper's Figures S1 to S4) and comparison.mp4 (all in
step). The runs are kept like all others. The last line printed is the folder of both.""",
    )
    parser.add_argument("keys", metavar="MODEL", nargs="+", help=f"keys of `{PROGRAM} models`")
    parser.add_argument("--action", metavar="LABEL", required=True, help="action to make; all models have to know it")
    parser.add_argument("--vary", metavar="FIELD=V1,V2", help="a setting and the values of it to compare")
    parser.add_argument("--stimulus", metavar="FILE", nargs="+", help="as for synth; the same for all")
    parser.add_argument("--verifier", metavar="KEY", help="as for synth (default: each model's own)")
    parser.add_argument("--steps", metavar="N", type=int, help=f"optimisation steps (default: {info('steps')['default']})")
    parser.add_argument("--seed", metavar="S", type=int, help="seed of all (default: 0)")
    parser.add_argument(
        "--preset", choices=models.PRESETS, default="recommended", help="settings of each model (default: recommended)"
    )
    parser.add_argument("--download", action="store_true", help="fetch the weights that are missing")
    parser.add_argument("--set", metavar="FIELD=VALUE", nargs="+", action="extend", default=[], help="any other setting")
    parser.add_argument(
        "--out", metavar="DIR", type=given, help="where both are written (default: a new folder in LEAPS_HOME/comparisons)"
    )


def compare_models(options: argparse.Namespace) -> int:
    """One action through several models or settings, one after another, and the figure."""
    from .. import video
    from ..runs import figure

    field, values = _values(options.vary) if options.vary else ("", [])
    asked = {name: value for name in ("verifier", "steps", "seed") if (value := getattr(options, name)) is not None}
    if options.stimulus is not None:
        asked["stimuli"] = stimuli_of(options.stimulus)
    asked.update(map(setting, options.set))
    if options.download:
        for key in options.keys:
            download(models.missing(models.configure(key, options.action, asked, options.preset)))
    plans = comparison.variants(options.keys, options.action, asked, field, values, options.preset)
    names = comparison.differences([plan.config for plan in plans])
    out = options.out or paths.home() / "comparisons" / f"{datetime.now():%Y%m%d-%H%M%S}"
    made: list[tuple[str, runs.Run]] = []
    for name, one in zip(names, plans, strict=True):
        print(f"{name} ({len(made) + 1} of {len(plans)})", file=sys.stderr)
        control = Control()
        run, interrupted = watch(runs.perform(one, control), control)
        if run is None or interrupted:
            print("leaps: stopped; the runs that were finished are kept", file=sys.stderr)
            return 130
        made.append((name, run))
        print(f"{name}: {comparison.note(run.final)}: {run.folder}")
    entries = figure.entries(made)
    try:
        out.mkdir(parents=True, exist_ok=True)
        figure.picture(options.action, entries).save(out / "comparison.png")
    except OSError as error:
        raise RunError(f"{out} can't be written: {error.strerror or error}. Choose another --out.") from error
    video.write_mp4(figure.film(options.action, entries), out / "comparison.mp4")
    print(out)
    return 0


def _values(text: str) -> tuple[str, list[Any]]:
    """FIELD=VALUE,VALUE,..."""
    name, _, rest = text.partition("=")
    return name, [setting(f"{name}={value}")[1] for value in rest.split(",")] if rest else [setting(text)[1]]
