"""study: the paper's experiments."""

from __future__ import annotations

import argparse
import sys
import textwrap
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from .. import models, paths
from ..errors import ModelError
from ..paths import PROGRAM, given
from ..studies import catalogue, embedding, grid
from ..studies.study import Asked, Study
from .parser import add, add_engine, engine_of
from .synth import setting


def carry_out(study: Study, options: argparse.Namespace) -> None:
    """One of the catalogue's studies."""
    from tqdm import tqdm

    from ..studies import carry, kept

    asked = Asked(
        tuple(options.model),
        tuple(options.actions),
        options.seeds,
        options.first_seed,
        options.stimuli,
        dict(map(setting, options.set)),
        getattr(options, "budget", 0),
        tuple(getattr(options, "bank", ())),
    )
    engine = engine_of(options)
    folder = options.out or kept.place(study, asked)
    with ExitStack() as shown:
        bars: list[tqdm[NoReturn]] = []

        def show(progress: kept.Progress) -> None:
            if not bars:  # once there is something to show; what is done already took no time
                bars.append(shown.enter_context(tqdm(unit="run", dynamic_ncols=True, initial=progress.done)))
            bars[0].total, bars[0].n = progress.total, progress.done
            bars[0].set_postfix_str(f"{progress.failed} failed" if progress.failed else "")

        report, notes = carry.carry_out(study, asked, folder, engine, show)
    print(report.markdown)
    for note in notes:
        print("note:", note, file=sys.stderr)
    print(folder)


def study_quality(options: argparse.Namespace) -> None:
    """How good the inversions are."""
    if options.world == models.PUPPETS:
        from ..studies import quality

        print(quality.markdown(quality.whole(options.cache, options.docs)))
        return
    from ..studies import real

    world = models.spec(options.model).world
    if world != options.world:
        raise ModelError(f"“{options.model}” knows the world {world}, not {options.world}. Choose another --model or --world.")
    settings = dict(map(setting, options.set))
    actions = tuple(options.actions or real.ACTIONS)
    table = real.study(
        options.model, options.cache, options.docs, options.stimuli, settings, tuple(options.parts or ()), actions
    )
    print(real.markdown(table))


def add_commands(menu: Any) -> None:
    """The command study."""
    parser = add(
        menu,
        "study",
        None,
        "do the paper's experiments again",
        f"""example:
  {PROGRAM} study priming-share --model KEY""",
    )
    inner = parser.add_subparsers(title="studies", metavar="STUDY", required=True)
    for study in catalogue.STUDIES.values():
        _add_study(inner, study)
    _add_quality(inner)


def _add_study(menu: Any, study: Study) -> None:
    added = add(
        menu,
        study.name,
        partial(carry_out, study),
        study.title[0].lower() + study.title[1:],
        f"""{textwrap.fill(study.about, 100)}

examples:
  {PROGRAM} study {study.name} --model KEY
  {PROGRAM} study {study.name} --model KEY --stimuli DIR --seeds 4 --out DIR
  {PROGRAM} study {study.name} --model KEY --engine ray --address HOST:6379      on a cluster (docs/cluster.md)

A study that was stopped goes on where it was when the same command is given again; several machines may work in one folder.""",
    )
    usual = Asked(("",))
    added.add_argument("--model", metavar="KEY", nargs="+", required=True, help=f"models to invert (`{PROGRAM} models`)")
    added.add_argument("--actions", metavar="LABEL", nargs="+", default=[], help="actions (default: the study's own)")
    seeds = study.usual.get("seeds", usual.seeds)
    added.add_argument("--seeds", metavar="N", type=int, default=seeds, help=f"runs of each kind (default: {seeds})")
    added.add_argument("--first-seed", metavar="N", type=int, default=usual.first_seed, help="and of which seeds")
    added.add_argument(
        "--stimuli",
        metavar="DIR",
        type=given,
        help="real videos that prime, named after their actions (tai_chi.mp4, tai_chi_2.mp4, or tai_chi/any.mp4)",
    )
    if study.name == grid.STUDY.name:
        added.add_argument("--budget", metavar="N", type=int, default=0, help="points that TPE may try (default: all of them)")
    if study.name == embedding.STUDY.name:
        added.add_argument(
            "--bank",
            metavar="FILE",
            nargs="+",
            type=given,
            default=[],
            help=f"real clips as the model and its judge see them (`{PROGRAM} embed`; default: the bundled banks)",
        )
    added.add_argument("--set", metavar="FIELD=VALUE", nargs="+", action="extend", default=[], help="settings of all runs")
    added.add_argument("--out", metavar="DIR", type=given, help="the study's folder (default: one in LEAPS_HOME/studies)")
    add_engine(added)


def _add_quality(menu: Any) -> None:
    added = add(
        menu,
        "quality",
        study_quality,
        "how good the inversions are: what others see in them, and what survives changes",
        f"""examples:
  {PROGRAM} study quality --world kinetics400 --model i3d --stimuli DIR
  {PROGRAM} study quality --parts unprimed --actions sailing "playing harp"
  {PROGRAM} study quality --world puppets

DIR holds videos named after their actions, as juggling_balls.mp4. A study that was stopped goes on where it was.""",
    )
    added.add_argument("--world", choices=(models.PUPPETS, "kinetics400"), default="kinetics400", help="of which networks")
    added.add_argument("--model", metavar="KEY", default="i3d", help="model to invert (default: i3d)")
    added.add_argument("--actions", metavar="LABEL", nargs="+", help="some of the study's 24 actions")
    added.add_argument(
        "--stimuli", metavar="DIR", type=given, help="real videos: scored themselves, and priming runs of their actions"
    )
    added.add_argument(
        "--parts", metavar="PART", nargs="+", help="some of: real, unprimed, primed, earlier, ablation (default: all)"
    )
    added.add_argument("--set", metavar="FIELD=VALUE", nargs="+", action="extend", default=[], help="settings of the runs")
    added.add_argument("--cache", metavar="DIR", type=given, default=paths.studies(), help="where finished clips are kept")
    added.add_argument("--docs", metavar="DIR", type=given, default=Path("docs"), help="where table and pictures are written")
