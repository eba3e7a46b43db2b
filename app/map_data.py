"""What the map shows: which banks there are, where their clips lie, and where runs travel among them."""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from leaps_core import banks, maps, models, paths, runs, video
from leaps_core.errors import BankError, LeapsError
from leaps_core.files import Progress
from leaps_core.maps import figure_s5, metrics
from leaps_core.maps.process import fit_apart

from .texts import count, say
from .views import View
from .widgets import model_name

MOST_UPLOADED = 250_000
"""Clips that an opened file may hold: one more than all of Kinetics-400 would be fine, a stranger's billion would not."""
FAR = 0.99
"""A step is far from all real clips where this share of them have a nearer neighbour of their own."""
OWN = "#16a34a"
"""Colour of a visitor's own videos."""
SOME = 200
"""Clips of a class that are looked at to find a place for its name."""

_opened: dict[str, Path] = {}
_fitting = threading.Semaphore(1)
_positions: OrderedDict[tuple[str, maps.Recipe, bytes], tuple[list[float], bool]] = OrderedDict()


def choices() -> list[tuple[str, str]]:
    """(label, key) of the banks that everybody may see."""
    return [(title(path), key) for key, path in _known().items()]


def title(path: Path) -> str:
    """A bank's name, and whose clips it holds."""
    try:
        bank = banks.Bank.open(path)
    except LeapsError:
        return say("{bank} · can't be read", bank=path.stem)
    clips = say("{count} clips", count=count(len(bank)))
    return f"{model_name(bank.facts['model'])} · {clips} · {say('puppets, not Kinetics') if bank.puppets else bank.name}"


def take(file: str) -> str:
    """The key of a bank that a visitor opened. Raises `BankError` if it is none."""
    bank = banks.Bank.open(file)
    if len(bank) > MOST_UPLOADED:
        sizes = {"count": count(len(bank)), "most": count(MOST_UPLOADED)}
        raise BankError(say("The bank has {count} clips; at most {most} can be opened here.", **sizes))
    key = secrets.token_urlsafe(12)
    _opened[key] = Path(file)
    return key


def find(key: str | None) -> banks.Bank:
    """The bank of a key. Raises `BankError`."""
    path = _opened.get(key or "") or _known().get(key or "")
    if path is None:
        raise BankError(say("This bank is not here any more. Choose another."))
    return banks.Bank.open(path)


def default(model: str | None) -> str | None:
    """The first bank of a model; else the first at all; None: there is none."""
    known = _known()
    for key, path in known.items():
        try:
            if banks.Bank.open(path).facts["model"] == model:
                return key
        except LeapsError:
            continue
    return next(iter(known), None)


def atlas(key: str | None, recipe: maps.Recipe) -> maps.Atlas | None:
    """A bank with its map, kept for the next time; None: it was not fitted yet. Raises `BankError`."""
    bank = find(key)
    return _atlas(bank.path, bank.facts["digest"], recipe) if maps.stored(bank, recipe) is not None else None


def fit(bank: banks.Bank, recipe: maps.Recipe, tell: Progress = lambda done, total: None) -> Iterator[str]:
    """Fits a map in a process of its own, one at a time, so that nobody else waits; yields how far it is, and tells it.

    Raises `BankError`.
    """
    while not _fitting.acquire(timeout=1):
        yield say("waiting for another one")
    try:
        if maps.stored(bank, recipe) is None:  # the other one may have been the same
            if recipe.method == "umap":
                yield say("UMAP takes a while to compile")
            for done, total in fit_apart(bank, recipe):
                tell(done, total)
                yield f"{100 * done / (total or 1):.0f} %"
    finally:
        _fitting.release()


def base(found: maps.Atlas, key: str) -> dict[str, Any]:
    """What the browser needs to draw the real clips: once per map, whatever is highlighted or travels on it."""
    layout, labels = found.map, found.bank.labels[found.map.numbers]
    classes = sorted(set(labels.tolist()))
    index = {label: i for i, label in enumerate(classes)}
    axes = [
        say("component {number}, {share} of the variance", number=i + 1, share=f"{share:.0%}")
        for i, share in enumerate([] if layout.explained is None else layout.explained.tolist())
    ]
    return {
        "key": f"{key} {layout.recipe.name} {found.bank.facts['digest']}",
        "bank": key,
        "axes": axes,
        "classes": classes,
        "numbers": layout.numbers.tolist(),
        "labels": [index[label] for label in labels.tolist()],
        "positions": np.round(layout.positions.T, 3).tolist(),
        "places": _places(layout.positions, labels, classes),
    }


def _places(positions: np.ndarray, labels: np.ndarray, classes: list[str]) -> list[list[float]]:
    """Where each class has its name: at that one of its clips (of `SOME`, evenly drawn) from which the others are nearest, so
    that it stands on an island and never between two."""
    found = []
    for label in classes:
        mine = positions[labels == label]
        some = mine[:: -(-len(mine) // SOME)]
        found.append(some[np.linalg.norm(some[:, None] - some, axis=2).sum(1).argmin()])
    return np.round(np.asarray(found, float), 3).tolist()


def fits(view: View, bank: banks.Bank) -> bool:
    """Whether a run may appear on a bank: only on one of its own model and weights."""
    return view.config.model == bank.facts["model"] and view.weights == bank.facts["weights"]


def made_by(run: runs.Run, bank: banks.Bank) -> bool:
    """Whether a run on disk may appear on a bank."""
    return run.config.model == bank.facts["model"] and run.weights == bank.facts["weights"]


def trail(found: maps.Atlas, view: View, name: str) -> dict[str, Any]:
    """Where a run was at its snapshots: its steps, their positions, and which of them are far from all real clips."""
    arm, placed = figure_s5.arm(view.config), _placed(found, [embedding for _, embedding in view.journey])
    return {
        "id": view.key,
        "name": name,
        "arm": arm,
        "colour": figure_s5.COLOURS[arm],
        "steps": [step for step, _ in view.journey],
        "positions": [list(axis) for axis in zip(*(at for at, _ in placed))],
        "far": [far for _, far in placed],
    }


def seen(bank: banks.Bank, view: View, clip: np.ndarray) -> np.ndarray:
    """What the bank's model sees in a finished clip, uint8 (T, H, W, 3), without the random transforms of a step: (1, D).

    Raises `BankError` where the model has other weights by now than those that made bank and run.
    """
    bank.check(models.spec(view.config.model))
    return _seen(view.config.model, view.weights, clip.tobytes(), clip.shape)


def own_clip(bank: banks.Bank, file: str) -> np.ndarray:
    """A visitor's video as the bank's model takes it, uint8 (T, H, W, 3). Raises `LeapsError`."""
    spec = models.spec(bank.facts["model"])
    bank.check(spec)
    return _own_clip(file, spec)


def own_video(found: maps.Atlas, file: str) -> np.ndarray:
    """What the bank's model sees in a visitor's video, (D,). Raises `LeapsError`."""
    clip = own_clip(found.bank, file)
    return _seen(found.bank.facts["model"], found.bank.facts["weights"], clip.tobytes(), clip.shape)[0]


def stops(found: maps.Atlas, files: Sequence[str]) -> list[dict[str, Any]]:
    """Where a visitor's videos lie: trails of one point (see `trail`); none on a bank that other weights have made."""
    try:
        placed = _placed(found, [own_video(found, file) for file in files])
    except BankError:
        return []
    return [
        {
            "id": f"video:{i}",
            "name": Path(file).stem,
            "arm": "video",
            "colour": OWN,
            "steps": [0],
            "positions": [[axis] for axis in position],
            "far": [far],
        }
        for i, (file, (position, far)) in enumerate(zip(files, placed, strict=True))
    ]


def table(found: maps.Atlas, shown: Sequence[tuple[str, View]], files: Sequence[str]) -> Iterator[maps.Point]:
    """What lies on a map besides real clips, for its table: each snapshot of the shown runs, and a visitor's videos."""
    for _, view in shown:
        for (step, _), (position, _) in zip(view.journey, _placed(found, [vector for _, vector in view.journey]), strict=True):
            yield "step", step, view.config.action, view.key, position
    for i, stop in enumerate(stops(found, files)):
        yield "video", i, "", stop["name"], [axis[0] for axis in stop["positions"]]


def nearest(found: maps.Atlas, vector: np.ndarray, leave: int = -1, count: int = 5) -> list[int]:
    """The numbers of the real clips nearest to one (D,) in the original space; leave: not this one."""
    numbers, _ = found.nearest(vector[None], min(count + 1, len(found.map.numbers)))
    return [int(number) for number in numbers[0] if number != leave][:count]


def metrics_table(found: maps.Atlas, ended: Sequence[tuple[str, View]]) -> str:
    """The metrics of finished runs in the original space, as Markdown tables; what can't be said is told in a sentence."""
    real, labels = _real(found), found.bank.labels[found.map.numbers]
    heads = map(say, ("run", "distance to the centre", "neighbours of its class"))
    lines = [f"| {' | '.join(heads)} |", "| --- | --- | --- |"]
    sets: dict[tuple[str, str], list[np.ndarray]] = {}
    notes: list[str] = []
    for name, view in ended:
        action = view.config.action
        if action not in labels:
            notes.append(say("The bank holds no real clip of “{action}”. Use a bank that has some.", action=action))
            continue
        try:
            point = seen(found.bank, view, view.clips[-1])
        except LeapsError as error:
            notes.append(str(error))
            continue
        sets.setdefault((action, figure_s5.arm(view.config)), []).append(point[0])
        distance = _words(notes, "{:.2f}", metrics.centroid_distance, point, real[labels == action])
        share = _words(notes, "{:.0%}", metrics.neighbour_share, point, real, labels, action, min(10, len(real)))
        lines.append(f"| {name} | {distance} | {share} |")
    rows = []
    for (action, which), points in sets.items():
        if len(points) > 1:
            both = np.stack(points), real[labels == action]
            cells = (
                _words(notes, "{:.2f}", metrics.relative_spread, *both),
                _words(notes, "{:.2f} | {:.2f}", metrics.density_coverage, *both),
                _words(notes, "{:.3g}", lambda made, mine: _frechet(notes, made, mine), *both),
            )
            rows.append(f"| {action}, {say(which)} ({len(points)}) | {' | '.join(cells)} |")
    if rows:
        heads = map(say, ("set", "spread", "density", "coverage", "Fréchet"))
        lines += ["", f"| {' | '.join(heads)} |", "| --- | --- | --- | --- | --- |", *rows]
    return "\n".join([*(lines if len(lines) > 2 else []), "", *dict.fromkeys(filter(None, notes))])


def _words(notes: list[str], form: str, metric: Callable[..., Any], *args: Any) -> str:
    """One or more numbers in words; dashes for what can't be computed, with a note of why."""
    try:
        return form.format(*np.atleast_1d(metric(*args)))
    except BankError as error:
        notes.append(str(error))
        return re.sub("{.*?}", "–", form)


def _frechet(notes: list[str], made: np.ndarray, real: np.ndarray) -> float:
    value, warning = metrics.frechet(made, real)
    notes.append(warning)
    return value


def _placed(found: maps.Atlas, vectors: Sequence[np.ndarray]) -> list[tuple[list[float], bool]]:
    """The position of each vector, and whether it is far from all real clips; known ones are not computed anew."""
    keys = [(str(found.bank.facts["digest"]), found.map.recipe, vector.tobytes()) for vector in vectors]
    known = {key: position for key in keys if (position := _positions.get(key))}
    new = [i for i, key in enumerate(keys) if key not in known]
    if new:
        points = np.stack([vectors[i] for i in new])
        far = found.nearest(points, 1)[1][:, 0] > _reach(found)
        for i, position, alone in zip(new, np.round(found.project(points).astype(float), 3).tolist(), far.tolist()):
            known[keys[i]] = _positions[keys[i]] = (position, alone)
        while len(_positions) > 4096:
            _positions.popitem(last=False)
    return [known[key] for key in keys]


def _known() -> dict[str, Path]:
    return {f"{'bundled' if path.parent == paths.BANKS else 'own'}/{path.stem}": path for path in banks.found()}


@lru_cache(maxsize=3)
def _atlas(path: Path, digest: str, recipe: maps.Recipe) -> maps.Atlas:
    bank = banks.Bank.open(path)
    layout = maps.stored(bank, recipe)
    assert layout is not None
    return maps.Atlas(bank, layout)


@lru_cache(maxsize=8)
def _reach_of(path: Path, digest: str, recipe: maps.Recipe) -> float:
    found = _atlas(path, digest, recipe)
    some = np.random.default_rng(0).permutation(len(found.vectors))[:200]
    return float(np.quantile(metrics.nearest(found.vectors[some], found.vectors, 2)[1][:, 1], FAR))


def _reach(found: maps.Atlas) -> float:
    """How far a real clip may be from its nearest other one (of 200 that were drawn)."""
    return _reach_of(found.bank.path, found.bank.facts["digest"], found.map.recipe)


@lru_cache(maxsize=2)
def _real_of(path: Path, digest: str, numbers: bytes) -> np.ndarray:
    return banks.Bank.open(path).rows(np.frombuffer(numbers, np.int64))


def _real(found: maps.Atlas) -> np.ndarray:
    return _real_of(found.bank.path, found.bank.facts["digest"], found.map.numbers.astype(np.int64).tobytes())


@lru_cache(maxsize=256)
def _seen(key: str, weights: str, frames: bytes, shape: tuple[int, ...]) -> np.ndarray:
    return models.load(key).embed(video.to_tensor(np.frombuffer(frames, np.uint8).reshape(shape)))


@lru_cache(maxsize=32)
def _own_clip(file: str, spec: models.ModelSpec) -> np.ndarray:
    return banks.read(Path(file), spec)


def name_of(run: runs.Run) -> str:
    """A run's name in lists."""
    when = f"{run.created:%m-%d %H:%M}"
    return f"{run.config.action} · {say('seed {seed}', seed=run.config.seed)} · {say('demo') if run.demo else when}"
