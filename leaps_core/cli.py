"""The command line: `python -m leaps_core --help`. Whatever the page does can be done here, without a browser.

Errors that a person can cause are one line on stderr and exit code 2; a run that Ctrl-C stopped is saved, code 130.
Nothing but a synthesis imports torch.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import shlex
import signal
import sys
import textwrap
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from . import models, runs
from .config import FIELDS, SynthesisConfig, info
from .errors import ConfigError, LeapsError, RunError
from .models import own, weights
from .models.spec import ModelSpec

if TYPE_CHECKING:
    import numpy as np

    from .synthesis import Control, Step

PROGRAM = "python -m leaps_core"


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
    except KeyboardInterrupt:
        print("leaps: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


# ------------------------------------------------------------------------------------------------------------- commands


def _synth(options: argparse.Namespace) -> int:
    config, changes, stimulus = _asked(options)
    if options.weights:
        weights.give(config.model, options.weights)
    models.choose(config)
    from .synthesis import Control

    control = Control(changes)
    return _follow(runs.perform(config, control, folder=options.out, stimulus=stimulus), control)


def _models(options: argparse.Namespace) -> None:
    specs = models.specs()
    if options.json:
        print(json.dumps([_facts(spec) for spec in specs], indent=1, ensure_ascii=False))
        return
    rows = [(spec.key, spec.name, spec.world, f"{spec.frames}×{spec.size}²", _millions(spec.params),
             _percent(spec.accuracy), "yes" if spec.robust else "no", "yes" if spec.can_verify else "no", spec.role,
             models.state(spec)) for spec in specs]
    _table(("key", "name", "world", "clip", "params", "accuracy", "robust", "can verify", "role", "weights"), rows)
    for sentence in models.failures():
        print(f"note: {sentence}", file=sys.stderr)


def _actions(options: argparse.Namespace) -> None:
    for label in models.labels(models.spec(options.model).world):
        print(label)


def _download(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    for spec in [models.spec(key) for key in options.models]:
        if models.state(spec) == "download":
            print(f"{spec.name}, licence: {spec.licence}"
                  f"{' (no commercial use)' if 'NC' in spec.licence else ''}", file=sys.stderr)
        with tqdm(desc=spec.key, unit="B", unit_scale=True, dynamic_ncols=True, leave=False) as bar:
            def progress(done: int, total: int | None, bar: tqdm[NoReturn] = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            path = weights.download(spec, progress)
        print(path)


def _inspect(options: argparse.Namespace) -> None:
    spec = models.spec(options.model)
    from .models.inspection import inspect

    report = inspect(spec, options.frames, options.size)
    print(f"{spec.name}: {report.parameters / 1e6:.2f} M parameters, clip {'×'.join(map(str, report.clip))}, weights "
          f"{models.state(spec)}; shapes are the same with any weights")
    if spec.caution:
        print(f"note: {spec.caution}")
    primed = {report.primed(share): f"priming ends here at {share} %" for share in (20, 40, 60, 80, 100)}
    _table(("tap", "layer", "output", "channels", "moments", "λ (this layer)", ""),
           [(str(index), tap.name, "×".join(map(str, tap.shape)), str(tap.channels), str(tap.moments),
             f"{tap.weight:.3f}", primed.get(index, "")) for index, tap in enumerate(report.taps, 1)])
    print(f"embeddings: {spec.embedding_layer}, {report.embedding} channels; batch norms: {report.batch_norms}")


def _runs(options: argparse.Namespace) -> None:
    found = runs.list_runs()
    if not found:
        print(f"No runs yet. Make one: {PROGRAM} synth --help", file=sys.stderr)
        return
    _table(("id", "status", "action", "model", "steps", "model says", "verifier", "judge"),
           [("demo " * run.demo + run.id, run.status, run.config.action, run.config.model,
             f"{run.done}/{run.config.steps}", *_says(run.final)) for run in found])


def _show(options: argparse.Namespace) -> None:
    run = _run(options.id)
    defaults = {name: field.default for name, field in FIELDS.items()}
    settings = {name: value for name, value in run.config.model_dump().items() if value != defaults[name]}
    lines = {"run": run.id, "status": run.status, "made": run.record["created"][:19].replace("T", " ") + " UTC",
             "steps done": run.done, "steps": run.config.steps, **settings, **_figures(run.final or {})}
    for name, value in lines.items():
        print(f"{name:<18} {_word(value)}")
    for change in run.changes:
        print(f"{'changed':<18} {change['field']} = {change['value']} at step {change['step']}")
    for notice in [*run.notices, *filter(None, [run.record.get("error")])]:
        print(f"{'note':<18} {notice}")
    print(run.folder)


def _compare(options: argparse.Namespace) -> None:
    a, b = _run(options.a), _run(options.b)
    found = runs.compare(a, b)
    rows = [(name, *map(_word, pair)) for name, pair in found["settings"].items()]
    for column, changes in enumerate(found["changes"]):
        for change in changes:
            cells = ["", ""]
            cells[column] = str(change["value"])
            rows.append((f"{change['field']} at step {change['step']}", *cells))
    sides = [_figures({name: pair[side] for name, pair in found["final"].items()}) for side in (0, 1)]
    rows += [(name, sides[0][name], sides[1][name]) for name in sides[0]]
    _table(("", a.id, b.id), rows)
    alike = found["difference"]
    print("The clips can't be compared: their shapes differ, or one is missing." if alike is None else
          f"The clips' pixels differ by {100 * alike:.2f} % on average." if alike else "The clips are the same.")


def _delete(options: argparse.Namespace) -> None:
    run = _run(options.id)
    runs.delete(run)
    print(f"deleted {run.folder}")


def _resume(options: argparse.Namespace) -> int:
    run = _run(options.id)
    from .synthesis import Control

    control = Control()
    return _follow(runs.resume(run, options.steps, control), control)


def _replay(options: argparse.Namespace) -> int:
    run = _run(options.id)
    from .synthesis import Control

    control = Control(run.changes)
    return _follow(runs.replay(run, options.out, control), control)


def _embed(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from . import banks

    if options.puppets is not None:
        plan = banks.plan_puppets(options.puppets)
    elif options.labels:
        plan = banks.plan_csv(Path(options.videos), Path(options.labels))
    else:
        plan = banks.plan_folder(Path(options.videos))
    with tqdm(total=len(plan.clips), unit=" clips", disable=None) as bar:
        bank = banks.build(plan, options.model, Path(options.out), lambda done, _: bar.update(done - bar.n))
    for source, why in bank.facts["skipped"]:
        print(f"skipped {source}: {why}", file=sys.stderr)
    classes = sorted(set(bank.labels.tolist()))
    strange = set(classes) - set(models.labels(bank.facts["world"]))
    if strange:
        print(f"note: “{options.model}” knows no action named {', '.join(sorted(strange)[:5])}"
              f"{' and more' * (len(strange) > 5)}; its runs can't be compared with these clips.", file=sys.stderr)
    print(f"{len(bank)} clips of {len(classes)} classes, {len(bank.facts['skipped'])} skipped", file=sys.stderr)
    print(bank.path)


def _map(options: argparse.Namespace) -> None:
    from . import banks, maps

    bank = banks.Bank.open(options.bank)
    recipe = maps.Recipe(options.method, options.metric, options.dims, options.neighbours, seed=options.seed)
    if maps.stored(bank, recipe) is None:
        print("fitting; the first UMAP of a process takes a while to compile", file=sys.stderr, flush=True)
    found = maps.chart(bank, recipe, lambda share: print(f"\rfitted {100 * share:.0f} %", end="", file=sys.stderr, flush=True))
    print(f"\r{len(found.places)} of {len(bank)} clips are on the map {recipe.name}; the page shows it.", file=sys.stderr)
    if options.csv:
        maps.write_csv(maps.Atlas(bank, found), Path(options.csv))
        print(options.csv)


def _study_embedding(options: argparse.Namespace) -> None:
    from .studies import embedding

    own, judges = (Path(path) if path else None for path in (options.bank, options.judge_bank))
    print(embedding.markdown(embedding.study(options.action, options.model, options.n, Path(options.cache),
                                             Path(options.docs), own, judges, dict(map(_setting, options.set)))))


# ---------------------------------------------------------------------------------------------------------- a synthesis


def _asked(options: argparse.Namespace) -> tuple[SynthesisConfig, list[dict[str, Any]], np.ndarray | None]:
    """The config that the options ask for; for --again its changes and, where its folder has it, its stimulus."""
    flags = {name: getattr(options, name) for name in ("model", "action", "verifier", "steps", "seed")}
    asked = {name: value for name, value in flags.items() if value is not None}
    if options.stimulus is not None:
        asked["stimuli"] = _stimuli(options.stimulus)
    asked.update(map(_setting, options.set))
    changes: list[dict[str, Any]] = []
    stimulus = None
    if options.again is None:
        missing = [f"--{name}" for name in ("model", "action") if name not in asked]
        if missing:
            raise ConfigError(f"{' and '.join(missing)} missing: say which model to invert and which action to make "
                              f"(`{PROGRAM} models`, `{PROGRAM} actions MODEL`).")
        config = SynthesisConfig(model=asked["model"], action=asked["action"])
    else:
        config, changes = runs.from_json(Path(options.again))
        beside = Path(options.again) if Path(options.again).is_dir() else Path(options.again).parent
        kept = (beside / "stimulus.npz").is_file() and "stimuli" not in asked
        stimulus = runs.Run.open(beside).stimulus if kept else None
    if options.paper:
        config = config.but(**models.paper_settings(models.spec(asked.get("model", config.model))))
    return config.but(**asked), changes, stimulus


def _stimuli(names: Sequence[str]) -> tuple[str, ...]:
    """Files become absolute, so that the run can be done again from anywhere."""
    if "none" in names and len(names) > 1:
        raise ConfigError(f"--stimulus is {' '.join(names)}; expected files, or none alone.")
    return () if list(names) == ["none"] else tuple(
        name if name.startswith("bundled:") else str(Path(name).expanduser().absolute()) for name in names)


def _setting(text: str) -> tuple[str, Any]:
    """FIELD=VALUE; the value is JSON if it can be read so, else a word."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--set is {text!r}; expected FIELD=VALUE, for example --set learning_rate=0.05.")
    if name not in FIELDS:
        raise ConfigError(f"There is no setting “{name}”.{_near(name, FIELDS)} `{PROGRAM} synth --help` lists them.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _follow(steps: Generator[tuple[runs.Run, Step]], control: Control) -> int:
    """Show a synthesis on stderr until it ends; its folder is the last line on stdout."""
    from tqdm import tqdm

    bar: tqdm[NoReturn] | None = None
    run: runs.Run | None = None
    with _stops_on_interrupt(control) as interrupted, ExitStack() as shown, closing(steps), suppress(KeyboardInterrupt):
        for run, step in steps:
            if bar is None:
                for notice in run.notices:
                    print("note:", notice, file=sys.stderr)
                bar = shown.enter_context(tqdm(total=step.total, initial=step.index - 1, unit="step",
                                               dynamic_ncols=True, mininterval=0.3))
            bar.set_postfix_str(_losses(step), refresh=False)
            bar.update(step.index - bar.n)
    if bar is None or run is None:
        print("leaps: stopped before the first step; nothing was made", file=sys.stderr)
        return 130
    print(run.config.action + ": model {}, verifier {}, judge {}".format(*_says(run.final)))
    if interrupted.is_set() and run.status == "stopped":
        print(f"leaps: stopped and saved at step {run.done} of {run.config.steps}; to go on: {PROGRAM} runs resume "
              f"{shlex.quote(_name(run))}", file=sys.stderr)
    print(run.folder)
    return 130 if interrupted.is_set() else 0


@contextmanager
def _stops_on_interrupt(control: Control) -> Iterator[threading.Event]:
    """The first Ctrl-C ends the run after its step, with its final figures; a second one ends it at once.

    Yields the event that there was one."""
    interrupted = threading.Event()

    def stop(*_: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nleaps: stopping and saving ... (Ctrl-C again: at once)", file=sys.stderr)
        control.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


# ------------------------------------------------------------------------------------------------------------- to words


def _facts(spec: ModelSpec) -> dict[str, Any]:
    names = ("key", "name", "family", "world", "role", "can_verify", "robust", "accuracy", "params", "frames", "size",
             "licence", "about")
    return {**{name: getattr(spec, name) for name in names}, "state": models.state(spec)}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns, each as wide as its widest cell."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _millions(number: int | None) -> str:
    return "–" if number is None else f"{number / 1e6:.2f} M"


def _says(final: dict[str, Any] | None) -> list[str]:
    """The action's probability in the final clip by model, verifier and judge."""
    return [_percent((final or {}).get(who)) for who in ("model", "verifier", "judge")]


def _figures(final: dict[str, Any]) -> dict[str, str]:
    """Final figures as words, by names that no setting has."""
    return {f"{name} says" if name in ("model", "verifier", "judge") else name:
            _percent(value) if name in ("model", "verifier", "judge") else _word(value)
            for name, value in final.items()}


def _word(value: Any) -> str:
    if isinstance(value, tuple | list):
        return " ".join(map(str, value)) or "none"
    return f"{value:.4g}" if isinstance(value, float) else "–" if value is None else str(value)


def _losses(step: Step) -> str:
    terms = " ".join(f"{name} {value:.3g}" for name, value in step.weighted.items())
    return f"loss {sum(step.weighted.values()):.3g} = {terms}"


def _near(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f" Did you mean “{close[0]}”?" if close else ""


def _run(name: str) -> runs.Run:
    """The run of an id, or of a folder."""
    if (Path(name) / "run.json").is_file():
        return runs.Run.open(Path(name).absolute())
    try:
        return runs.find(name)
    except RunError as error:
        raise RunError(f"{error}{_near(name, [run.id for run in runs.list_runs()])}") from None


def _name(run: runs.Run) -> str:
    """What `_run` finds it by."""
    return run.id if run.folder.parent == runs.home().absolute() / "runs" else str(run.folder)


# --------------------------------------------------------------------------------------------------------------- parser


class _Parser(argparse.ArgumentParser):
    """Argparse, with errors in one line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"leaps: {message} (`{self.prog} --help` tells more)\n")


def _parser() -> _Parser:
    parser = _Parser(prog=PROGRAM, description="Invert video classifiers: make the clip that a model takes for an "
                     "action, and see what it learned.", epilog=f"""examples:
  {PROGRAM} models                                    which models there are
  {PROGRAM} actions MODEL                             what MODEL can tell apart
  {PROGRAM} synth --model MODEL --action "juggling balls"
  {PROGRAM} runs                                      what was made so far
  python app.py                                                  all of this in a browser

Runs are kept in LEAPS_HOME (now {runs.home()}).""")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_synth(commands)
    command = _add(commands, "models", _models, "list the models", "what the columns mean:\n"
                   "  robust      trained against noise and adversarial examples: its inversions can be read\n"
                   "  can verify  has batch norm, so it may be another model's --verifier\n"
                   "  role        a judge only scores; it is never inverted and never verifies\n"
                   "  weights     bundled: shipped; cached, local: on this machine; download: to be fetched first\n"
                   f"              (`{PROGRAM} download MODEL`)")
    command.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    command = _add(commands, "actions", _actions, "list the actions that a model knows",
                   f"example:\n  {PROGRAM} actions MODEL | grep ball")
    command.add_argument("model", metavar="MODEL", help=f"a key of `{PROGRAM} models`")
    command = _add(commands, "inspect", _inspect, "show a model's layers, which are tapped, and where priming ends",
                   f"example:\n  {PROGRAM} inspect MODEL --frames 8 --size 128")
    command.add_argument("model", metavar="MODEL", help=f"a key of `{PROGRAM} models`")
    command.add_argument("--frames", metavar="N", type=int, default=0, help="frames of the clip (default: the model's own)")
    command.add_argument("--size", metavar="PX", type=int, default=0, help="its height and width (default: the model's own)")
    command = _add(commands, "download", _download, "fetch published weights", f"""example:
  {PROGRAM} download x3d_xs slow_r50

They go to the usual caches (torch's hub folder, Hugging Face's hub cache); what broke off is taken up again.
Prints the files.""")
    command.add_argument("models", metavar="MODEL", nargs="+", help=f"keys of `{PROGRAM} models`")
    _add_runs(commands)
    _add_banks(commands)
    _add_studies(commands)
    return parser


def _add(commands: Any, name: str, command: Any, text: str, epilog: str = "") -> _Parser:
    parser: _Parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=epilog)
    parser.set_defaults(command=command)
    parser.add_argument("--models", dest="own", metavar="FILE", nargs="+", default=argparse.SUPPRESS,
                        help="files of models of one's own (docs/own-models.md); those in LEAPS_HOME/models are always there")
    return parser


def _add_synth(commands: Any) -> None:
    parser = _add(commands, "synth", _synth, "make a clip: invert a model", f"""examples:
  {PROGRAM} synth --model MODEL --action "playing trumpet"
  {PROGRAM} synth --model MODEL --action "tai chi" --stimulus mine.mp4 --steps 400 --seed 3
  {PROGRAM} synth --model MODEL --action bowling --stimulus none --set r=0.01 smoothness=2 canvas=pixels
  {PROGRAM} synth --again run.json --seed 1           the same settings and changes, another seed

Ctrl-C stops and saves. The last line printed is the run's folder.

settings for --set, with their defaults:
{_settings()}""")
    parser.add_argument("--model", metavar="KEY", help=f"model to invert (`{PROGRAM} models`)")
    parser.add_argument("--action", metavar="LABEL", help=f"action to make (`{PROGRAM} actions MODEL`)")
    parser.add_argument("--stimulus", metavar="FILE", nargs="+", help="videos that prime it, bundled:SEED for bundled "
                        "clips of the action (default: bundled:0), or none")
    parser.add_argument("--verifier", metavar="KEY", help="batch-norm model that checks it, auto (default), or none")
    parser.add_argument("--weights", metavar="FILE", help="the model's weights, instead of downloaded ones")
    parser.add_argument("--steps", metavar="N", type=int,
                        help=f"optimisation steps (default: {info('steps')['default']})")
    parser.add_argument("--seed", metavar="S", type=int, help="same seed, same clip (default: 0)")
    parser.add_argument("--set", metavar="FIELD=VALUE", nargs="+", action="extend", default=[],
                        help="any other setting; see below")
    parser.add_argument("--paper", action="store_true", help="the paper's settings for this model (slow)")
    parser.add_argument("--out", metavar="DIR", help="the run's folder, new or empty (default: a new one in "
                        "LEAPS_HOME/runs)")
    parser.add_argument("--again", metavar="RUN.JSON", help="take settings and changes from a run's JSON; other "
                        "options override them")


def _add_runs(commands: Any) -> None:
    parser = _add(commands, "runs", _runs, "list, show, compare, resume, replay and delete runs", f"""examples:
  {PROGRAM} runs                                      all runs, newest first
  {PROGRAM} runs show ID
  {PROGRAM} runs resume ID --steps 100

ID is a run's id, or its folder.""")
    inner = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command, text in (("show", _show, "show a run's settings and figures"),
                                ("delete", _delete, "delete a run for good"),
                                ("resume", _resume, "go on where a run ended, in its folder"),
                                ("replay", _replay, "do a run again, changes included: the same clip, bit for bit")):
        added = _add(inner, name, command, text, f"example:\n  {PROGRAM} runs {name} ID")
        added.add_argument("id", metavar="ID", help="a run's id, or its folder")
        if name == "resume":
            added.add_argument("--steps", metavar="N", type=int, help="how many more steps (default: what a stopped "
                               "run has left)")
        if name == "replay":
            added.add_argument("--out", metavar="DIR", help="the new run's folder, new or empty")
    added = _add(inner, "compare", _compare, "show where two runs differ", f"example:\n  {PROGRAM} runs compare A B")
    added.add_argument("a", metavar="A", help="a run's id, or its folder")
    added.add_argument("b", metavar="B", help="another run's id, or its folder")


def _add_banks(commands: Any) -> None:
    parser = _add(commands, "embed", _embed, "make a bank: what a model sees in many real clips", f"""examples:
  {PROGRAM} embed --videos DIR --model KEY --out bank.parquet                  DIR/label/clip.mp4
  {PROGRAM} embed --videos DIR --labels train.csv --model KEY --out bank.parquet
  {PROGRAM} embed --puppets 1600 --model KEY --out bank.parquet                drawn clips of the bundled world

A build that was stopped goes on when the same command is given again. Files that can't be read are skipped and listed.
The page finds banks in LEAPS_HOME/banks (now {runs.home() / "banks"}).""")
    clips = parser.add_mutually_exclusive_group(required=True)
    clips.add_argument("--videos", metavar="DIR", help="folder of videos: DIR/label/clip.mp4, or any with --labels")
    clips.add_argument("--puppets", metavar="N", type=int, help="draw N clips of the bundled world instead")
    parser.add_argument("--labels", metavar="CSV", help="official Kinetics table: label, youtube_id, time_start, time_end, "
                        "split")
    parser.add_argument("--model", metavar="KEY", required=True, help=f"whose embeddings (`{PROGRAM} models`)")
    parser.add_argument("--out", metavar="FILE", required=True, help="the bank, ending in .parquet")
    parser = _add(commands, "map", _map, "lay a bank out in two or three dimensions", f"""example:
  {PROGRAM} map bank.parquet --method umap --dims 2

The map is kept beside the bank; the page shows it at once.""")
    parser.add_argument("bank", metavar="BANK", help=f"a file made by `{PROGRAM} embed`")
    parser.add_argument("--method", choices=("umap", "pca"), default="umap", help="default: umap")
    parser.add_argument("--metric", choices=("cosine", "euclidean"), default="cosine", help="default: cosine")
    parser.add_argument("--dims", type=int, choices=(2, 3), default=2, help="dimensions (default: 2)")
    parser.add_argument("--neighbours", metavar="K", type=int, default=15, help="UMAP's neighbours (default: 15)")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="same seed, same map (default: 0)")
    parser.add_argument("--csv", metavar="FILE", help="also write it as a table")


def _add_studies(commands: Any) -> None:
    parser = _add(commands, "study", None, "do the paper's experiments again", f"""example:
  {PROGRAM} study embedding --action "tai chi" --model KEY --n 32""")
    inner = parser.add_subparsers(title="studies", metavar="STUDY", required=True)
    added = _add(inner, "embedding", _study_embedding, "Figure S5: where LEAPS's clips lie among real ones, with R_feat and "
                 "without", f"""example:
  {PROGRAM} study embedding --action "tai chi" --model KEY --n 32

A study that was stopped goes on where it was when the same command is given again.""")
    added.add_argument("--action", metavar="LABEL", required=True, help=f"`{PROGRAM} actions MODEL` lists them")
    added.add_argument("--model", metavar="KEY", required=True, help="model to invert")
    added.add_argument("--n", metavar="N", type=int, default=32, help="seeds in each arm (default: 32)")
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
