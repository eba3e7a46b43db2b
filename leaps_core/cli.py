"""The command line: `python -m leaps_core --help`. Whatever the page does can be done here, without a browser.

Its options are here, what they do is in commands.py. Errors that a person can cause are one line on stderr and exit code 2;
a run that Ctrl-C stopped is saved, code 130. torch is imported by those that compute (synth, compare, runs resume and replay,
study, inspect, embed, download).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from . import commands, runs
from .commands import PROGRAM
from .config import FIELDS, info
from .errors import LeapsError
from .models import own


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (None: the process's own arguments). Returns the exit code: 0, 2 for an error that the person
    can mend, 130 after Ctrl-C. Raises `SystemExit` for --help and for arguments that can't be parsed (2)."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    options = _parser().parse_args(arguments)
    try:
        for file in getattr(options, "own", ()):
            own.load(file)
        return int(options.command(options) or 0)
    except LeapsError as error:
        print("leaps:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    except PermissionError as error:
        print(
            f"leaps: {error.filename} can't be used: {error.strerror}. Check its permissions, or choose another.",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("leaps: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


class _Parser(argparse.ArgumentParser):
    """Argparse, with errors in one line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"leaps: {message} (`{self.prog} --help` tells more)\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog=PROGRAM,
        description="Invert video classifiers: make the clip that a model takes for an action, and see what it learned.",
        epilog=f"""examples:
  {PROGRAM} models                                    which models there are
  {PROGRAM} actions MODEL                             what MODEL can tell apart
  {PROGRAM} synth --model MODEL --action "juggling balls"
  {PROGRAM} runs                                      what was made so far
  python app.py                                                  all of this in a browser

Runs are kept in LEAPS_HOME (now {runs.home()}).""",
    )
    menu = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_synth(menu)
    command = _add(
        menu,
        "models",
        commands.list_models,
        "list the models",
        "what the columns mean:\n"
        "  robust      trained against noise and adversarial examples: its inversions can be read\n"
        "  can verify  has batch norm, so it may be another model's --verifier\n"
        "  role        a judge only scores; it is never inverted and never verifies\n"
        "  weights     bundled: shipped; cached, local: on this machine; download: to be fetched first\n"
        f"              (`{PROGRAM} download MODEL`)",
    )
    command.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    command = _add(
        menu,
        "actions",
        commands.list_actions,
        "list the actions that a model knows",
        f"example:\n  {PROGRAM} actions MODEL | grep ball",
    )
    command.add_argument("model", metavar="MODEL", help=f"a key of `{PROGRAM} models`")
    command = _add(
        menu,
        "inspect",
        commands.inspect_model,
        "show a model's layers, which are tapped, and where priming ends",
        f"examples:\n  {PROGRAM} inspect MODEL --frames 8 --size 128\n  {PROGRAM} inspect MODEL --all",
    )
    command.add_argument("model", metavar="MODEL", help=f"a key of `{PROGRAM} models`")
    command.add_argument("--frames", metavar="N", type=int, default=0, help="frames of the clip (default: the model's own)")
    command.add_argument("--size", metavar="PX", type=int, default=0, help="its height and width (default: the model's own)")
    command.add_argument(
        "--all",
        action="store_true",
        help="list every module that is called instead, and what it gives: the names that a record's taps may match",
    )
    command = _add(
        menu,
        "download",
        commands.download,
        "fetch published weights",
        f"""example:
  {PROGRAM} download x3d_xs slow_r50

They go to the usual caches (torch's hub folder, Hugging Face's hub cache); what broke off is taken up again.
Prints the files.""",
    )
    command.add_argument("models", metavar="MODEL", nargs="+", help=f"keys of `{PROGRAM} models`")
    _add_compare(menu)
    _add_runs(menu)
    _add_banks(menu)
    _add_studies(menu)
    return parser


def _add(menu: Any, name: str, command: Any, text: str, epilog: str = "") -> _Parser:
    parser: _Parser = menu.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=epilog)
    parser.set_defaults(command=command)
    parser.add_argument(
        "--models",
        dest="own",
        metavar="FILE",
        nargs="+",
        default=argparse.SUPPRESS,
        help="files of models of one's own (docs/own-models.md); those in LEAPS_HOME/models are always there",
    )
    return parser


def _add_synth(menu: Any) -> None:
    parser = _add(
        menu,
        "synth",
        commands.synth,
        "make a clip: invert a model",
        f"""examples:
  {PROGRAM} synth --model MODEL --action "playing trumpet"
  {PROGRAM} synth --model MODEL --action "tai chi" --stimulus mine.mp4 --steps 400 --seed 3
  {PROGRAM} synth --model MODEL --action bowling --stimulus none --set r=0.01 smoothness=2 canvas=pixels
  {PROGRAM} synth --again run.json --seed 1           the same settings and changes, another seed

Ctrl-C stops and saves. The last line printed is the run's folder.

settings for --set, with their defaults:
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
    parser.add_argument("--weights", metavar="FILE", help="the model's weights, instead of downloaded ones")
    parser.add_argument("--steps", metavar="N", type=int, help=f"optimisation steps (default: {info('steps')['default']})")
    parser.add_argument("--seed", metavar="S", type=int, help="same seed, same clip (default: 0)")
    parser.add_argument(
        "--set", metavar="FIELD=VALUE", nargs="+", action="extend", default=[], help="any other setting; see below"
    )
    parser.add_argument("--paper", action="store_true", help="the paper's settings for this model (slow)")
    parser.add_argument("--out", metavar="DIR", help="the run's folder, new or empty (default: a new one in LEAPS_HOME/runs)")
    parser.add_argument(
        "--again", metavar="RUN.JSON", help="take settings and changes from a run's JSON; other options override them"
    )


def _add_compare(menu: Any) -> None:
    parser = _add(
        menu,
        "compare",
        commands.compare_models,
        "run one action through several models or settings",
        f"""examples:
  {PROGRAM} compare puppet_csn puppet_r50 puppet_x3d --action "juggling balls"
  {PROGRAM} compare puppet_csn --action "tai chi" --vary coherence=0,1,10

Writes comparison.png (a row a model, as in the paper's Figures S1 to S4) and comparison.mp4 (all in step). The runs are kept
like all others. The last line printed is the folder of both.""",
    )
    parser.add_argument("keys", metavar="MODEL", nargs="+", help=f"keys of `{PROGRAM} models`")
    parser.add_argument("--action", metavar="LABEL", required=True, help="action to make; all models have to know it")
    parser.add_argument("--vary", metavar="FIELD=V1,V2", help="a setting and the values of it to compare")
    parser.add_argument("--stimulus", metavar="FILE", nargs="+", help="as for synth; the same for all")
    parser.add_argument("--verifier", metavar="KEY", help="as for synth (default: each model's own)")
    parser.add_argument("--steps", metavar="N", type=int, help=f"optimisation steps (default: {info('steps')['default']})")
    parser.add_argument("--seed", metavar="S", type=int, help="seed of all (default: 0)")
    parser.add_argument("--set", metavar="FIELD=VALUE", nargs="+", action="extend", default=[], help="any other setting")
    parser.add_argument("--out", metavar="DIR", help="where both are written (default: a new folder in LEAPS_HOME/comparisons)")


def _add_runs(menu: Any) -> None:
    parser = _add(
        menu,
        "runs",
        commands.list_runs,
        "list, show, compare, resume, replay and delete runs",
        f"""examples:
  {PROGRAM} runs                                      own runs, then the demos, each newest first
  {PROGRAM} runs show ID
  {PROGRAM} runs resume ID --steps 100

ID is a run's id, or its folder.""",
    )
    inner = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command, text in (
        ("show", commands.show_run, "show a run's settings and figures"),
        ("delete", commands.delete_run, "delete a run for good"),
        ("resume", commands.resume_run, "go on where a run ended, in its folder"),
        ("replay", commands.replay_run, "do a run again, changes included: the same clip, bit for bit"),
    ):
        added = _add(inner, name, command, text, f"example:\n  {PROGRAM} runs {name} ID")
        added.add_argument("id", metavar="ID", help="a run's id, or its folder")
        if name == "resume":
            added.add_argument(
                "--steps", metavar="N", type=int, help="how many more steps (default: what a stopped run has left)"
            )
        if name == "replay":
            added.add_argument("--out", metavar="DIR", help="the new run's folder, new or empty")
    added = _add(
        inner, "compare", commands.compare_runs, "show where two runs differ", f"example:\n  {PROGRAM} runs compare A B"
    )
    added.add_argument("a", metavar="A", help="a run's id, or its folder")
    added.add_argument("b", metavar="B", help="another run's id, or its folder")


def _add_banks(menu: Any) -> None:
    parser = _add(
        menu,
        "embed",
        commands.embed_clips,
        "make a bank: what a model sees in many real clips",
        f"""examples:
  {PROGRAM} embed --videos DIR --model KEY --out bank.parquet                  DIR/label/clip.mp4
  {PROGRAM} embed --videos DIR --labels train.csv --model KEY --out bank.parquet
  {PROGRAM} embed --puppets 1600 --model KEY --out bank.parquet                drawn clips of the bundled world

A build that was stopped goes on when the same command is given again. Files that can't be read are skipped and listed.
The page finds banks in LEAPS_HOME/banks (now {runs.home() / "banks"}).""",
    )
    clips = parser.add_mutually_exclusive_group(required=True)
    clips.add_argument("--videos", metavar="DIR", help="folder of videos: DIR/label/clip.mp4, or any with --labels")
    clips.add_argument("--puppets", metavar="N", type=int, help="draw N clips of the bundled world instead")
    parser.add_argument(
        "--labels", metavar="CSV", help="official Kinetics table: label, youtube_id, time_start, time_end, split"
    )
    parser.add_argument("--model", metavar="KEY", required=True, help=f"whose embeddings (`{PROGRAM} models`)")
    parser.add_argument("--out", metavar="FILE", required=True, help="the bank, ending in .parquet")
    parser = _add(
        menu,
        "map",
        commands.lay_out,
        "lay a bank out in two or three dimensions",
        f"""example:
  {PROGRAM} map bank.parquet --method umap --dims 2

The map is kept beside the bank (of a shipped one, in LEAPS_HOME/maps). The page shows maps with the default neighbours and
seed at once, of banks that are shipped or lie in LEAPS_HOME/banks.""",
    )
    parser.add_argument("bank", metavar="BANK", help=f"a file made by `{PROGRAM} embed`")
    parser.add_argument("--method", choices=("umap", "pca"), default="umap", help="default: umap")
    parser.add_argument("--metric", choices=("cosine", "euclidean"), default="cosine", help="default: cosine")
    parser.add_argument("--dims", type=int, choices=(2, 3), default=2, help="dimensions (default: 2)")
    parser.add_argument("--neighbours", metavar="K", type=int, default=15, help="UMAP's neighbours (default: 15)")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="same seed, same map (default: 0)")
    parser.add_argument("--csv", metavar="FILE", help="also write it as a table")


def _add_studies(menu: Any) -> None:
    parser = _add(
        menu,
        "study",
        None,
        "do the paper's experiments again",
        f"""example:
  {PROGRAM} study embedding --action "tai chi" --model KEY --n 32""",
    )
    inner = parser.add_subparsers(title="studies", metavar="STUDY", required=True)
    added = _add(
        inner,
        "embedding",
        commands.study_embedding,
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
    added.add_argument("--cache", metavar="DIR", default=str(runs.home() / "studies"), help="where finished clips are kept")
    added.add_argument("--docs", metavar="DIR", default="docs", help="where figures and picture are written")


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
