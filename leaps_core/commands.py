"""What each command of the command line does: takes parsed options, prints, and returns an exit code (None: 0).

Results go to stdout, progress and notes to stderr. Raises `LeapsError` for what a person can mend.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import shlex
import signal
import sys
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from . import models, runs
from .config import FIELDS, SynthesisConfig
from .errors import ConfigError, RunError
from .models import weights
from .models.spec import ModelSpec

if TYPE_CHECKING:
    import numpy as np

    from .synthesis import Control, Step

PROGRAM = "python -m leaps_core"


def synth(options: argparse.Namespace) -> int:
    """Make a clip."""
    config, changes, stimulus = _asked(options)
    if options.weights:
        weights.give(config.model, options.weights)
    models.choose(config)
    from .synthesis import Control

    control = Control(changes)
    return _follow(runs.perform(config, control, folder=options.out, stimulus=stimulus), control)


def compare_models(options: argparse.Namespace) -> int:
    """One action through several models or settings, one after another, and the figure."""
    from . import compare, video
    from .synthesis import Control

    field, values = _values(options.vary) if options.vary else ("", [])
    asked = {name: value for name in ("verifier", "steps", "seed") if (value := getattr(options, name)) is not None}
    if options.stimulus is not None:
        asked["stimuli"] = _stimuli(options.stimulus)
    asked.update(map(_setting, options.set))
    config = SynthesisConfig(**{"model": options.keys[0], "action": options.action, **asked})
    configs = compare.variants(config, options.keys, field, values)
    names = compare.differences(configs)
    out = Path(options.out) if options.out else runs.home() / "comparisons" / f"{datetime.now():%Y%m%d-%H%M%S}"
    made: list[tuple[str, runs.Run]] = []
    for name, one in zip(names, configs, strict=True):
        print(f"{name} ({len(made) + 1} of {len(configs)})", file=sys.stderr)
        control = Control()
        run, interrupted = _watch(runs.perform(one, control), control)
        if run is None or interrupted:
            print("leaps: stopped; the runs that were finished are kept", file=sys.stderr)
            return 130
        made.append((name, run))
        print(f"{name}: {compare.note(run.final)}: {run.folder}")
    entries = compare.entries(made)
    try:
        out.mkdir(parents=True, exist_ok=True)
        compare.picture(options.action, entries).save(out / "comparison.png")
    except OSError as error:
        raise RunError(f"{out} can't be written: {error.strerror or error}. Choose another --out.") from error
    video.write_mp4(compare.film(options.action, entries), out / "comparison.mp4")
    print(out)
    return 0


def list_models(options: argparse.Namespace) -> None:
    """All models, as a table or as JSON."""
    specs = models.specs()
    if options.json:
        print(json.dumps([_facts(spec) for spec in specs], indent=1, ensure_ascii=False))
        return
    rows = [
        (
            spec.key,
            spec.name,
            spec.world,
            f"{spec.frames}×{spec.size}²",
            _millions(spec.params),
            _percent(spec.accuracy),
            "yes" if spec.robust else "no",
            "yes" if spec.can_verify else "no",
            spec.role,
            models.state(spec),
        )
        for spec in specs
    ]
    _table(("key", "name", "world", "clip", "params", "accuracy", "robust", "can verify", "role", "weights"), rows)
    for sentence in models.failures():
        print(f"note: {sentence}", file=sys.stderr)


def list_actions(options: argparse.Namespace) -> None:
    """The labels that a model knows."""
    for label in models.labels(models.spec(options.model).world):
        print(label)


def download(options: argparse.Namespace) -> None:
    """Fetch the weights of models; prints their files."""
    from tqdm import tqdm

    for spec in [models.spec(key) for key in options.models]:
        if models.state(spec) == "download":
            print(
                f"{spec.name}, licence: {spec.licence}{' (no commercial use)' if 'NC' in spec.licence else ''}", file=sys.stderr
            )
        with tqdm(desc=spec.key, unit="B", unit_scale=True, dynamic_ncols=True, leave=False) as bar:

            def progress(done: int, total: int | None, bar: tqdm[NoReturn] = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            path = weights.download(spec, progress)
        print(path)


def inspect_model(options: argparse.Namespace) -> None:
    """A model's taps, and where priming ends; or all its modules."""
    spec = models.spec(options.model)
    from .models import inspection

    if options.all:
        _list_modules(spec, inspection.layers(spec, options.frames, options.size))
        return
    report = inspection.inspect(spec, options.frames, options.size)
    print(
        f"{spec.name}: {report.parameters / 1e6:.2f} M parameters, clip {'×'.join(map(str, report.clip))}, weights "
        f"{models.state(spec)}; shapes are the same with any weights"
    )
    if spec.caution:
        print(f"note: {spec.caution}")
    if report.taps:
        primed = {report.primed(share): f"priming ends here at {share} %" for share in (20, 40, 60, 80, 100)}
        _table(
            ("tap", "layer", "output", "channels", "moments", "λ (this layer)", ""),
            [
                (
                    str(index),
                    tap.name,
                    "×".join(map(str, tap.shape)),
                    str(tap.channels),
                    str(tap.moments),
                    f"{tap.weight:.3f}",
                    primed.get(index, ""),
                )
                for index, tap in enumerate(report.taps, 1)
            ],
        )
    else:
        print(f"no taps{'' if report.modules else ', as it shows no modules'}: neither priming nor temporal coherence")
    where = f"{spec.embedding_layer}, {report.embedding} channels" if spec.embedding_layer else "none"
    print(f"embeddings: {where}; batch norms: {report.batch_norms}")


def _list_modules(spec: ModelSpec, shapes: dict[str, tuple[int, ...]]) -> None:
    """Every module that a clip goes through, in the order in which they end."""
    if not shapes:
        print(f"“{spec.key}” shows none of its modules, so nothing can be tapped and there are no embeddings.")
        return
    _table(
        ("module", "output", ""),
        [
            (
                name,
                "×".join(map(str, shape)) or "no tensor",
                ", ".join(["tap"] * bool(re.fullmatch(spec.taps, name)) + ["embeddings"] * (name == spec.embedding_layer)),
            )
            for name, shape in shapes.items()
        ],
    )


def list_runs(options: argparse.Namespace) -> None:
    """Own runs, then the demos, each newest first."""
    found = runs.list_runs()
    if not found:
        print(f"No runs yet. Make one: {PROGRAM} synth --help", file=sys.stderr)
        return
    _table(
        ("id", "status", "action", "model", "steps", "model says", "verifier", "judge"),
        [
            (
                "demo " * run.demo + run.id,
                run.status,
                run.config.action,
                run.config.model,
                f"{run.done}/{run.config.steps}",
                *_says(run.final),
            )
            for run in found
        ],
    )


def show_run(options: argparse.Namespace) -> None:
    """A run's settings, changes and figures."""
    run = _run(options.id)
    defaults = {name: field.default for name, field in FIELDS.items()}
    settings = {name: value for name, value in run.config.model_dump().items() if value != defaults[name]}
    lines = {
        "run": run.id,
        "status": run.status,
        "made": run.record["created"][:19].replace("T", " ") + " UTC",
        "steps done": run.done,
        "steps": run.config.steps,
        **settings,
        **_figures(run.final or {}),
    }
    for name, value in lines.items():
        print(f"{name:<18} {_word(value)}")
    for change in run.changes:
        print(f"{'changed':<18} {change['field']} = {change['value']} at step {change['step']}")
    for notice in [*run.notices, *filter(None, [run.record.get("error")])]:
        print(f"{'note':<18} {notice}")
    print(run.folder)


def compare_runs(options: argparse.Namespace) -> None:
    """Where two runs differ."""
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
    print(
        "The clips can't be compared: their shapes differ, or one is missing."
        if alike is None
        else f"The clips' pixels differ by {100 * alike:.2f} % on average."
        if alike
        else "The clips are the same."
    )


def delete_run(options: argparse.Namespace) -> None:
    """Delete a run."""
    run = _run(options.id)
    runs.delete(run)
    print(f"deleted {run.folder}")


def resume_run(options: argparse.Namespace) -> int:
    """Go on with a run."""
    run = _run(options.id)
    from .synthesis import Control

    control = Control()
    return _follow(runs.resume(run, options.steps, control), control)


def replay_run(options: argparse.Namespace) -> int:
    """Do a run again."""
    run = _run(options.id)
    from .synthesis import Control

    control = Control(run.changes)
    return _follow(runs.replay(run, options.out, control), control)


def embed_clips(options: argparse.Namespace) -> None:
    """Make a bank."""
    from tqdm import tqdm

    from . import embed

    if options.puppets is not None:
        plan = embed.plan_puppets(options.puppets)
    elif options.labels:
        plan = embed.plan_csv(Path(options.videos), Path(options.labels))
    else:
        plan = embed.plan_folder(Path(options.videos))
    with tqdm(total=len(plan.clips), unit=" clips", disable=None) as bar:
        bank = embed.build(plan, options.model, Path(options.out), lambda done, _: bar.update(done - bar.n))
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


def lay_out(options: argparse.Namespace) -> None:
    """Fit the map of a bank."""
    from . import banks, maps

    bank = banks.Bank.open(options.bank)
    recipe = maps.Recipe(options.method, options.metric, options.dims, options.neighbours, seed=options.seed)
    if maps.stored(bank, recipe) is None:
        print("fitting; the first UMAP of a process takes a while to compile", file=sys.stderr, flush=True)
    found = maps.chart(bank, recipe, lambda share: print(f"\rfitted {100 * share:.0f} %", end="", file=sys.stderr, flush=True))
    print(f"\r{len(found.places)} of {len(bank)} clips are on the map {recipe.name}.", file=sys.stderr)
    if options.csv:
        maps.write_csv(maps.Atlas(bank, found), Path(options.csv))
        print(options.csv)


def study_embedding(options: argparse.Namespace) -> None:
    """Figure S5."""
    from .studies import embedding

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
                dict(map(_setting, options.set)),
                stimuli,
            )
        )
    )


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
            raise ConfigError(
                f"{' and '.join(missing)} missing: say which model to invert and which action to make "
                f"(`{PROGRAM} models`, `{PROGRAM} actions MODEL`)."
            )
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
    return (
        ()
        if list(names) == ["none"]
        else tuple(name if name.startswith("bundled:") else str(Path(name).expanduser().absolute()) for name in names)
    )


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


def _values(text: str) -> tuple[str, list[Any]]:
    """FIELD=VALUE,VALUE,..."""
    name, _, rest = text.partition("=")
    return name, [_setting(f"{name}={value}")[1] for value in rest.split(",")] if rest else [_setting(text)[1]]


def _follow(steps: Generator[tuple[runs.Run, Step]], control: Control) -> int:
    """Show a synthesis on stderr until it ends; its folder is the last line on stdout."""
    run, interrupted = _watch(steps, control)
    if run is None:
        print("leaps: stopped before the first step; nothing was made", file=sys.stderr)
        return 130
    print(run.config.action + ": model {}, verifier {}, judge {}".format(*_says(run.final)))
    if interrupted and run.status == "stopped":
        print(
            f"leaps: stopped and saved at step {run.done} of {run.config.steps}; to go on: {PROGRAM} runs resume "
            f"{shlex.quote(_name(run))}",
            file=sys.stderr,
        )
    print(run.folder)
    return 130 if interrupted else 0


def _watch(steps: Generator[tuple[runs.Run, Step]], control: Control) -> tuple[runs.Run | None, bool]:
    """Show a synthesis on stderr until it ends: its run (None: there was no step), and whether Ctrl-C ended it."""
    from tqdm import tqdm

    bar: tqdm[NoReturn] | None = None
    run: runs.Run | None = None
    with _stops_on_interrupt(control) as interrupted, ExitStack() as shown, closing(steps), suppress(KeyboardInterrupt):
        for run, step in steps:
            if bar is None:
                for notice in run.notices:
                    print("note:", notice, file=sys.stderr)
                bar = shown.enter_context(
                    tqdm(total=step.total, initial=step.index - 1, unit="step", dynamic_ncols=True, mininterval=0.3)
                )
            bar.set_postfix_str(_losses(step), refresh=False)
            bar.update(step.index - bar.n)
    return run, interrupted.is_set() or run is None


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
    names = (
        "key",
        "name",
        "family",
        "world",
        "role",
        "can_verify",
        "robust",
        "accuracy",
        "params",
        "frames",
        "size",
        "licence",
        "about",
    )
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
    return {
        f"{name} says" if name in ("model", "verifier", "judge") else name: _percent(value)
        if name in ("model", "verifier", "judge")
        else _word(value)
        for name, value in final.items()
    }


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
