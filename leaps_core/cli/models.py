"""models, actions, inspect, download: what can be inverted."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from .. import models
from ..models import ModelSpec, weights
from ..paths import PROGRAM
from .parser import add
from .words import millions, percent, table


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
            millions(spec.params),
            percent(spec.accuracy),
            "yes" if spec.robust else "no",
            "yes" if spec.can_verify else "no",
            spec.role,
            models.state(spec),
        )
        for spec in specs
    ]
    table(("key", "name", "world", "clip", "params", "accuracy", "robust", "can verify", "role", "weights"), rows)
    for sentence in models.failures():
        print(f"note: {sentence}", file=sys.stderr)


def list_actions(options: argparse.Namespace) -> None:
    """The labels that a model knows."""
    for label in models.labels(models.spec(options.model).world):
        print(label)


def fetch(options: argparse.Namespace) -> None:
    """Fetch the weights of models; prints their files."""
    print(*download([models.spec(key) for key in options.models]), sep="\n")


def download(specs: Iterable[ModelSpec]) -> list[Path]:
    """Fetch the weights of models, with a bar for each; their files. Raises `ModelError`."""
    from tqdm import tqdm

    files = []
    for spec in specs:
        if models.state(spec) == "download":
            print(
                f"{spec.name}, licence: {spec.licence}{' (no commercial use)' if 'NC' in spec.licence else ''}", file=sys.stderr
            )
        with tqdm(desc=spec.key, unit="B", unit_scale=True, dynamic_ncols=True, leave=False) as bar:

            def progress(done: int, total: int | None, bar: tqdm[NoReturn] = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            path = weights.download(spec, progress)
        files.append(path)
    return files


def inspect_model(options: argparse.Namespace) -> None:
    """A model's taps, and where priming ends; or all its modules."""
    spec = models.spec(options.model)
    from ..models import inspection  # torch

    if options.all:
        _list_modules(spec, inspection.layers(spec, options.frames, options.size))
        return
    report = inspection.inspect(spec, options.frames, options.size)
    print(
        f"{spec.name}: {report.parameters / 1e6:.2f} M parameters, clip {'×'.join(map(str, report.clip))}, weights "
        f"{models.state(spec)}; shapes are the same with any weights"
    )
    for note in report.notices:
        print(f"note: {note}")
    if report.taps:
        primed = {report.primed(share): f"priming ends here at {share} %" for share in (20, 40, 60, 80, 100)}
        table(
            ("tap", "layer", "output", "channels", "timesteps", "λ (this layer)", ""),
            [
                (
                    str(index),
                    tap.name,
                    "×".join(map(str, tap.shape)),
                    str(tap.channels),
                    str(tap.timesteps),
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
    table(
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


def add_commands(menu: Any) -> None:
    """The commands models, actions, inspect and download."""
    command = add(
        menu,
        "models",
        list_models,
        "list the models",
        "what the columns mean:\n"
        "  robust      trained against noise and adversarial examples: its inversions can be read\n"
        "  can verify  has batch norm, so it may be another model's --verifier\n"
        "  role        a judge only scores; it is never inverted and never verifies\n"
        "  weights     bundled: shipped; cached, local: on this machine; download: to be fetched first\n"
        f"              (`{PROGRAM} download MODEL`)",
    )
    command.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    command = add(
        menu, "actions", list_actions, "list the actions that a model knows", f"example:\n  {PROGRAM} actions MODEL | grep ball"
    )
    command.add_argument("model", metavar="MODEL", help=f"a key of `{PROGRAM} models`")
    command = add(
        menu,
        "inspect",
        inspect_model,
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
    command = add(
        menu,
        "download",
        fetch,
        "fetch published weights",
        f"""example:
  {PROGRAM} download x3d_xs slow_r50

They go to the usual caches (torch's hub folder, Hugging Face's hub cache); what broke off is taken up again.
Prints the files.""",
    )
    command.add_argument("models", metavar="MODEL", nargs="+", help=f"keys of `{PROGRAM} models`")
