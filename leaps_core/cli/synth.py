"""synth: making a clip."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import models, runs
from ..config import FIELDS, bundled_seed, current_name, info
from ..errors import ConfigError, did_you_mean
from ..inversion.control import Control
from ..inversion.plan import make_plan
from ..models import weights
from ..paths import PROGRAM, given
from .models import download
from .parser import add

if TYPE_CHECKING:
    import numpy as np


from .follow import follow


def synth(options: argparse.Namespace) -> int:
    """Make a clip."""
    (config, changes, legs), stimulus = _asked(options)
    if options.weights:
        weights.give(config.model, options.weights)
    if options.download:
        download(models.missing(config))
    plan = make_plan(config, stimulus)
    control = Control(changes)
    return follow(runs.perform(plan, control, folder=options.out, legs=legs), control)


def _asked(options: argparse.Namespace) -> tuple[runs.Again, np.ndarray | None]:
    """The config that the options ask for; for --again its changes, its legs and, where its folder has it, its stimulus."""
    flags = {name: getattr(options, name) for name in ("model", "action", "verifier", "steps", "seed")}
    asked = {name: value for name, value in flags.items() if value is not None}
    if options.stimulus is not None:
        asked["stimuli"] = stimuli_of(options.stimulus)
    asked.update(map(setting, options.set))
    stimulus = None
    if options.again is None:
        missing = [f"--{name}" for name in ("model", "action") if name not in asked]
        if missing:
            raise ConfigError(
                f"{' and '.join(missing)} missing: say which model to invert and which action to make "
                f"(`{PROGRAM} models`, `{PROGRAM} actions MODEL`)."
            )
        found = runs.Again(models.configure(asked["model"], asked["action"]))
    else:
        found = runs.from_json(options.again)
        beside = options.again if options.again.is_dir() else options.again.parent
        kept = (beside / "stimulus.npz").is_file() and "stimuli" not in asked
        stimulus = runs.Run.open(beside).stimulus if kept else None
    config = found.config
    if options.preset:
        config = config.replace(**models.preset(models.spec(asked.get("model", config.model)), options.preset))
    config = config.replace(**asked)
    legs = () if "steps" in asked else found.legs
    return runs.Again(config, found.changes, legs), stimulus


def stimuli_of(names: Sequence[str]) -> tuple[str, ...]:
    """Files become absolute, so that the run can be done again from anywhere."""
    if "none" in names and len(names) > 1:
        raise ConfigError(f"--stimulus is {' '.join(names)}; expected files, or none alone.")
    return (
        ()
        if list(names) == ["none"]
        else tuple(name if bundled_seed(name) is not None else str(given(name).absolute()) for name in names)
    )


def setting(text: str) -> tuple[str, Any]:
    """FIELD=VALUE; the value is JSON if it can be read so, else a word."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--set is {text!r}; expected FIELD=VALUE, for example --set learning_rate=0.05.")
    name = current_name(name)
    if name not in FIELDS:
        raise ConfigError(f"There is no setting “{name}”.{did_you_mean(name, FIELDS)} `{PROGRAM} synth --help` lists them.")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value


def add_commands(menu: Any) -> None:
    """The command synth."""
    parser = add(
        menu,
        "synth",
        synth,
        "make a clip: invert a model",
        f"""examples:
  {PROGRAM} synth --model MODEL --action "playing trumpet"
  {PROGRAM} synth --model MODEL --action "tai chi" --stimulus mine.mp4 --steps 400 --seed 3
  {PROGRAM} synth --model MODEL --action bowling --stimulus none --set r=0.01 smoothness=2 canvas=pixels
  {PROGRAM} synth --model i3d --action "juggling balls" --download    a Kinetics network, fetched first
  {PROGRAM} synth --again run.json --seed 1           the same settings and changes, another seed

Ctrl-C stops and saves. The last line printed is the run's folder.

settings for --set, with the defaults that the bundled models use (others have their own: --preset):
{_settings()}""",
    )
    parser.add_argument("--model", metavar="KEY", help=f"model to invert (`{PROGRAM} models`)")
    parser.add_argument("--action", metavar="LABEL", help=f"action to make (`{PROGRAM} actions MODEL`)")
    parser.add_argument(
        "--stimulus",
        metavar="FILE",
        nargs="+",
        help="videos that prime it, bundled:SEED for bundled clips of the action (default: bundled:0), or none",
    )
    parser.add_argument("--verifier", metavar="KEY", help="batch-norm model that checks it, auto (default), or none")
    parser.add_argument("--weights", metavar="FILE", type=given, help="the model's weights, instead of downloaded ones")
    parser.add_argument("--steps", metavar="N", type=int, help=f"optimisation steps (default: {info('steps')['default']})")
    parser.add_argument("--seed", metavar="S", type=int, help="same seed, same clip (default: 0)")
    parser.add_argument(
        "--set", metavar="FIELD=VALUE", nargs="+", action="extend", default=[], help="any other setting; see below"
    )
    parser.add_argument(
        "--preset",
        choices=models.PRESETS,
        help="settings that suit the model: recommended (the default), quick (half a minute), or the paper's (slow)",
    )
    parser.add_argument("--paper", action="store_const", const="paper", dest="preset", help="the same as --preset paper")
    parser.add_argument("--download", action="store_true", help="fetch the weights that are missing first")
    parser.add_argument(
        "--out", metavar="DIR", type=given, help="the run's folder, new or empty (default: a new one in LEAPS_HOME/runs)"
    )
    parser.add_argument(
        "--again",
        metavar="RUN.JSON",
        type=given,
        help="take settings and changes from a run's JSON; other options override them",
    )


def _settings() -> str:
    """Every setting with default, range and meaning, for --help."""
    lines = []
    for name in FIELDS:
        facts = info(name)
        if name in ("model", "action"):
            continue
        limits = f" [{facts['min']} to {facts['max']}{' ' + facts['unit'] if facts['unit'] else ''}]"
        default = facts["default"] if isinstance(facts["default"], str) else json.dumps(facts["default"])
        text = f"{name}={default}".ljust(26) + (limits if facts["max"] is not None else "") + " " + facts["text"]
        lines.append(textwrap.fill(text, 118, initial_indent="  ", subsequent_indent=" " * 29))
    return "\n".join(lines)
