"""Figure S5: do LEAPS's clips lie among the real ones?

Two arms of the same seeds and stimuli: LEAPS, and LEAPS without feature diversity (R_feat). They are measured in the space of
the inverted model, which the clips were optimised in, and in the judge's, which took no part (`maps/figure_s5.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from .. import banks, maps, models, video
from ..errors import BankError, RunError
from ..maps import figure_s5
from ..maps.figure_s5 import ARMS, COLOURS, LEAPS, STIMULI
from ..runs import Run
from . import numbers, pictures, stimuli
from .report import Report, Row, done, first_clips, grouped, values
from .study import Asked, Study, Trial


def _trials(asked: Asked, rows: Sequence[Row]) -> list[Trial]:
    if asked.seeds < 2:
        raise RunError(f"--seeds is {asked.seeds}; a spread takes two clips or more.")
    stimuli.need(asked, STUDY.name, count=asked.seeds)
    found, used = [], set[str]()
    for model in asked.models:
        spaces = _spaces(asked, model)
        used |= {bank.facts["model"] for bank in spaces.values()}
        also = partial(seen, {name: bank.facts["model"] for name, bank in spaces.items()})
        for action in asked.actions:
            for bank in spaces.values():
                figure_s5.check(bank, action)
        for trial in stimuli.varied(replace(asked, models=(model,)), "arm", lambda _: {arm: {} for arm in ARMS}):
            share = ARMS[trial.at["arm"]]
            found.append(Trial(trial.at, trial.config.replace(diversity=share * trial.config.diversity), also=also))
    if left := {bank.facts["model"] for bank in map(banks.Bank.open, asked.banks)} - used:
        raise BankError(f"A bank of “{min(left)}” was given, which is neither a model here nor a judge. Leave it out.")
    return found


def _spaces(asked: Asked, model: str) -> dict[str, banks.Bank]:
    """The banks of the inverted model and, where there is one, of the judge: those that were given, else the bundled ones.
    Raises `LeapsError` where one is missing or is of other weights, and for a run that has no R_feat to leave out."""
    cast = models.resolve(models.configure(model, asked.actions[0], asked.settings))
    if cast.verifier is None:
        raise BankError(
            f"“{model}” runs without a verifier here, so there is no R_feat to leave out. Choose another model with batch "
            "norm (--set verifier=KEY)."
        )
    given = {bank.facts["model"]: bank for bank in map(banks.Bank.open, asked.banks)}
    found = {}
    for name, record in (("model", cast.model), ("judge", cast.judge)):
        if record is not None:
            bank = given[record.key] if record.key in given else banks.Bank.open(banks.bundled(record.key))
            bank.check(record)
            found[name] = bank
    return found


def seen(networks: Mapping[str, str], run: Run) -> Row:
    """Where networks (their keys, by name) see a run's clip and what primed it: embedding_NAME and stimulus_NAME."""
    row = {}
    for name, key in networks.items():
        network = models.load(key, run.config.device)
        for what, clip in (("embedding", run.clip), ("stimulus", run.stimulus[0])):
            vector = network.embed(network.fit(video.to_tensor(clip).to(network.mean.device)))[0]
            row[f"{what}_{name}"] = [round(float(value), 5) for value in vector]
    return row


def _read(asked: Asked, rows: Sequence[Row]) -> Report:
    table, claims, warnings, figures = [], [], set[str](), dict[str, Any]()
    for (model, action), own in grouped(done(rows), "model", "action").items():
        pairs = [some for some in grouped(own, "seed").values() if len(some) == len(ARMS)]  # one of them may have failed
        if len(pairs) < 2:
            continue
        arms = {arm: [row for some in pairs for row in some if row["arm"] == arm] for arm in ARMS}
        for name, bank in _spaces(asked, model).items():
            sets = {STIMULI: np.array(values(arms[LEAPS], f"stimulus_{name}"))}
            sets |= {arm: np.array(values(arms[arm], f"embedding_{name}")) for arm in ARMS}
            found, space = figure_s5.measure(bank, action, sets), models.spec(bank.facts["model"]).name
            table += [_row(model, action, space, kind, one) for kind, one in found.sets.items()]
            claims.append(_claim(space, action, found))
            warnings |= {f"Fréchet: {one['warning']}" for one in found.sets.values() if one["warning"]}
            if sum(row["model"] == model and row["action"] == action for row in rows) == len(ARMS) * asked.seeds:
                # UMAP takes a while: once, at the end, of those that didn't fail
                groups = {"real": bank.rows(np.flatnonzero(bank.labels == action)), **sets}
                figures[f"{action}-{model}-{name}".replace(" ", "-")] = _map(action, space, groups)
    return Report(table, [*claims, *sorted(warnings)], figures, first_clips(rows, "arm"))


def _row(model: str, action: str, space: str, kind: str, one: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": model,
        "action": action,
        "space": space,
        "clips": kind,
        "n": len(one["distance"]),
        "distance to the centre": numbers.mean(one["distance"].tolist()),
        "inside": numbers.share(one["inside"].tolist()),
        "neighbours of the class": numbers.mean(one["neighbours"].tolist(), percent=True),
        "spread": one["spread"],
        "density": one["density"],
        "coverage": one["coverage"],
        "Fréchet": one["frechet"],
    }


def _claim(space: str, action: str, found: figure_s5.Measured) -> str:
    inside = {kind: f"{one['inside'].mean():.0%}" for kind, one in found.sets.items()}
    low, high = found.interval
    return (
        f"In the space of {space}, {inside[LEAPS]} of {len(found.sets[LEAPS]['inside'])} LEAPS clips "
        f"({inside[figure_s5.WITHOUT]} without R_feat, {inside[STIMULI]} of other real clips) are as near to the centre of "
        f"“{action}” as {figure_s5.QUANTILE:.0%} of its {found.real} real clips are, and they spread {found.ratio:.2f} times "
        f"as wide as without R_feat (95 % interval {low:.2f} to {high:.2f}): the paper's claim {found.verdict} here."
    )


def _map(action: str, space: str, groups: dict[str, np.ndarray]) -> Any:
    """UMAP and PCA of real and synthesized clips, each fitted to all that it shows."""
    together, ends = np.concatenate(list(groups.values())), np.cumsum([len(points) for points in groups.values()])[:-1]
    panels = {}
    for method in maps.METHODS:
        places = maps.lay_out(together, maps.Recipe(method, "euclidean", neighbours=min(15, len(together) - 1)))
        panels[method.upper()] = dict(zip(groups, np.split(places, ends), strict=True))
    return pictures.places(f"“{action}” in the space of {space}", panels, COLOURS)


STUDY = Study(
    "embedding",
    "Where clips lie among real ones",
    "Do synthesized clips lie among the real ones of their class, and wider than without R_feat? The paper's Figure S5. It "
    "takes a bank of real clips of each model: the bundled ones, or --bank FILE.",
    _trials,
    _read,
    {models.PUPPETS: ("tai chi",)},
    usual={"seeds": 32},
    own=frozenset({"stimuli", "diversity"}),
)
