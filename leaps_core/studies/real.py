"""How good are inversions of a network of real videos? `python -m leaps_core study quality --world kinetics400`

24 actions, half of them with an object that ImageNet knows; three (*juggling balls*, *playing trumpet*, *dribbling basketball*)
were looked at in the first trials, the settings were chosen on none of the others. Four measures:
whether the network still names the action after ten everyday changes (`changes`); whether another network, of
pictures, has an object of the action among its five best guesses; whether other video networks, where any are on this
machine, name the action; and what a person sees: a contact sheet for each half of them. Beside them stand real clips, and clips
made with the defaults that every model once had. Clips stay in a cache, so that a stopped study goes on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import models, video
from ..config import SynthesisConfig
from ..errors import ConfigError, RunError, did_you_mean
from ..models.adapter import VideoModel
from ..probes.changes import CHANGES, survived
from .common import invert
from .numbers import bootstrap, wilson
from .pictures import sheet
from .stimuli import videos_of

SEED = 6000
"""First seed of the scored runs; settings were chosen on others (below 100) and, but for the first trials, on other actions
(`TUNED_ON`)."""
TUNED_ON = (
    "playing accordion",
    "playing cello",
    "riding camel",
    "blowing out candles",
    "playing saxophone",
    "playing drums",
    "golf driving",
    "motorcycling",
    "sled dog racing",
    "milking cow",
    "eating hotdog",
    "playing organ",
    "bench pressing",
    "riding unicycle",
    "snowmobiling",
    "paragliding",
    "playing guitar",
)
WITH_OBJECT = (
    "juggling balls",
    "dribbling basketball",
    "playing trumpet",
    "playing harp",
    "playing violin",
    "playing piano",
    "riding elephant",
    "riding a bike",
    "making pizza",
    "sailing",
    "mowing lawn",
    "ironing",
)
"""Actions of which ImageNet knows an object; the first three are the paper's."""
WITHOUT_OBJECT = (
    "crawling baby",
    "tai chi",
    "arm wrestling",
    "cleaning pool",
    "playing cricket",
    "breakdancing",
    "surfing water",
    "rock climbing",
    "high kick",
    "shaking hands",
    "swimming breast stroke",
    "ice skating",
)
"""Actions of people, mostly; the first is the paper's."""
ACTIONS = (*WITH_OBJECT, *WITHOUT_OBJECT)
GROUPS = {"with object": WITH_OBJECT, "without": WITHOUT_OBJECT}
"""What a contact sheet shows at once."""
BEST = ("playing trumpet", "riding elephant", "mowing lawn", "ironing")
"""Whose clips head the README: chosen by looking at all of them."""
REAL, UNPRIMED, EARLIER = "real clips", "recommended, unprimed", "defaults of before, without evidence"
ABLATED = ("juggling balls", "playing harp", "riding elephant", "sailing", "tai chi", "ice skating")
"""Actions that every arm of the ablation makes."""
ABLATIONS: dict[str, dict[str, Any]] = {
    "without evidence": {"evidence": 0.0},
    "a fifth of the evidence": {"evidence": 0.2},
    "evidence is the logit": {"evidence_form": "logit"},
    "without frame verifier": {"frame_verifier": "none"},
    "without own statistics": {"verifier": "none"},
    "paper's form of diversity": {"diversity_form": "paper", "diversity": 1.0},
    "views as large as small": {"zoom_in": 0.0, "zoom": 0.15},
    "canvas falls from the start": {"flat_below": 1.0},
    "motion speed 0.8": {"motion_speed": 0.8},
    "without coarse steps": {"coarse": 0.0},
    "as much evidence at the end": {"evidence_last": 1.0},
    "decay 1": {"decay": 1.0},
    "two views a step, half the steps": {"views": 2, "steps": 65},
}
"""What is changed of the recommended settings, one at a time."""
PARTS = ("real", "unprimed", "primed", "earlier", "ablation")
"""Of what the study consists: real clips; clips at the recommended settings, unprimed and primed by the real ones; clips at the
settings that every model once had; one setting changed at a time. A row of `ABLATIONS` can be asked for by its name."""
OF_VIDEOS = ("real", "primed")
"""Parts that take real videos."""


@dataclass(frozen=True)
class Scored:
    """One clip, uint8 (T, H, W, 3), and what was found out about it. `row` is what the study writes of it."""

    action: str
    frames: np.ndarray
    row: dict[str, Any]


class Judges:
    """The inverted network, the object judge, and the other video networks of its world that are on this machine."""

    def __init__(self, key: str, verifying: Sequence[str] = ()) -> None:
        """verifying: networks that take part in some run, and so judge none."""
        spec = models.spec(key)
        self.world = spec.world
        self.labels = models.labels(spec.world)
        self.model = models.load(key)
        here = [other for other in models.specs() if models.state(other) != "download"]
        self.objects = next((models.load(other.key) for other in here if other.role == "object_judge"), None)
        self.others = {
            other.key: models.load(other.key)
            for other in here
            if other.role == "model" and other.world == spec.world and other.key not in (key, *verifying)
        }

    @torch.no_grad()
    def look(self, action: str, frames: np.ndarray) -> dict[str, Any]:
        """All measures of one clip, uint8 (T, H, W, 3)."""
        clip, index = video.to_tensor(frames), self.labels.index(action)
        p = self.model(clip).softmax(1)[0]
        row: dict[str, Any] = {
            "action": action,
            "model": p[index].item(),
            "model_top1": self.labels[int(p.argmax())],
            "survived": survived(self.model, clip, index),
            "motion": video.motion(frames),
        }
        for key, other in self.others.items():
            best = other(other.fit(clip)).topk(5).indices[0].tolist()
            row.setdefault("others", {})[key] = {"top1": best[0] == index, "top5": index in best}
        return row | self._objects(action, clip)

    def _objects(self, action: str, clip: torch.Tensor) -> dict[str, Any]:
        judge: VideoModel | None = self.objects
        known = models.objects(action, self.world, judge.spec) if judge else ()
        if judge is None or not known:
            return {}
        names, p = models.labels(judge.spec.world), judge(judge.fit(clip)).softmax(1)[0]
        best = p.topk(5).indices.tolist()
        return {
            "objects": [names[i] for i in best],
            "object_rank": int((p > p[list(known)].max()).sum()) + 1,
            "object_probability": p[list(known)].sum().item(),
            "object_seen": bool(set(best) & set(known)),
        }


def arm(
    judges: Judges,
    key: str,
    actions: Sequence[str],
    settings: dict[str, Any],
    cache: Path,
    stimuli: dict[str, Path] | None = None,
) -> list[Scored]:
    """Invert these actions with the recommended settings and `settings`, each with a seed of its own, and score the clips."""
    found = []
    for action in actions:
        own = {"seed": SEED + ACTIONS.index(action), "stimuli": (str(stimuli[action]),) if stimuli else ()}
        one = invert(models.configure(key, action, own | {"judge": "none"} | settings), cache)
        row = judges.look(action, one.frames) | {"seconds": one.scores["seconds"]}
        found.append(Scored(action, one.frames, row))
        print(_line(action, row), flush=True)
    return found


def real(judges: Judges, key: str, stimuli: dict[str, Path]) -> list[Scored]:
    """The same measures of real clips."""
    spec, found = models.spec(key), []
    for action, path in stimuli.items():
        frames = video.read(path, spec.frames, spec.size, span=spec.span(spec.frames)).frames
        found.append(Scored(action, frames, judges.look(action, frames)))
        print(_line(action, found[-1].row), flush=True)
    return found


def clips_in(folder: Path, actions: Iterable[str]) -> dict[str, Path]:
    """The first video of each of these actions in a folder (see `videos_of`), by action; of those that have one. Raises
    `RunError` for what is no folder."""
    return {action: films[0] for action in actions if (films := videos_of(folder, action))}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One row of the table, of what was found out about its clips: shares with their number, and 95 % intervals."""
    asked = [row["object_seen"] for row in rows if "object_seen" in row]
    lasting = [float(np.mean(list(row["survived"].values()))) for row in rows]
    made = [row["seconds"] for row in rows if "seconds" in row]
    others = sorted({key for row in rows for key in row.get("others", ())})
    return {
        "clips": len(rows),
        "model_top1": float(np.mean([row["model_top1"] == row["action"] for row in rows])),
        "survival": float(np.mean(lasting)),
        # where no clip lost anything, a bootstrap would be sure of it: so many clips of as many, then
        "survival_interval": bootstrap(lasting) if min(lasting) < 1 else wilson(len(lasting), len(lasting)),
        "fails": {name: int(sum(not row["survived"][name] for row in rows)) for name in CHANGES},
        "object_clips": len(asked),
        "object_seen": float(np.mean(asked)) if asked else None,
        "object_interval": wilson(sum(asked), len(asked)) if asked else None,
        "object_ranks": sorted(row["object_rank"] for row in rows if "object_rank" in row),
        "others": {key: float(np.mean([row["others"][key]["top1"] for row in rows])) for key in others},
        "seconds": float(np.mean(made)) if made else None,
        "seconds_longest": max(made) if made else None,
    }


def study(
    key: str,
    cache: Path,
    docs: Path,
    stimuli: Path | None = None,
    settings: dict[str, Any] | None = None,
    parts: Sequence[str] = (),
    actions: Sequence[str] = ACTIONS,
) -> dict[str, Any]:
    """These parts of the study for these actions (none given: all parts; without `stimuli` all that take no videos). Writes
    docs/kinetics.json and contact sheets in docs/pictures. What the file has of other parts and actions stays, if it was made
    with the same settings: the study may be done bit by bit. Raises `LeapsError`."""
    asked: dict[str, tuple[Sequence[str], Sequence[str]]] = {
        "actions": (actions, ACTIONS),
        "parts": (parts, (*PARTS, *ABLATIONS)),
    }
    for kind, (given, known) in asked.items():
        if strange := [name for name in given if name not in known]:
            raise RunError(f"“{strange[0]}” is none of the study's {kind}.{did_you_mean(strange[0], known)}")
    if not stimuli and (lacking := [part for part in parts if part in OF_VIDEOS]):
        raise RunError(
            f"The part “{lacking[0]}” takes real videos. Give --stimuli DIR, a folder of them named after their actions."
        )
    parts = parts or [part for part in PARTS if stimuli or part not in OF_VIDEOS]
    file, config = docs / "kinetics.json", models.configure(key, ACTIONS[0], settings)
    judges = Judges(key, (config.verifier, config.frame_verifier))
    arms = _arms(judges, key, cache, clips_in(stimuli, actions) if stimuli else {}, settings or {}, parts, actions)
    (docs / "pictures").mkdir(parents=True, exist_ok=True)
    made_with = config.model_dump(mode="json")
    before = json.loads(file.read_text("utf-8")) if file.exists() else {}
    rows: dict[str, Any] = before["clips"] if _settings_of(before) == made_with else {}
    for name, clips in arms.items():
        scored = {row["action"]: row for row in (*rows.get(name, ()), *(clip.row for clip in clips))}
        rows[name] = [scored[action] for action in ACTIONS if action in scored]
        for group, members in GROUPS.items():
            # other people's videos are scored, not shown; and a sheet shows all clips of its row, or stays as it was
            if name != REAL and (shown := _whole(clips, rows[name], members)):
                picture = f"kinetics_{name}_{group}.webp".replace(", ", "_").replace(" ", "_")
                contact_sheet(shown).save(docs / "pictures" / picture, quality=80)
    if best := _whole(arms.get(UNPRIMED, ()), rows.get(UNPRIMED, ()), BEST):
        video.write_webp(film(best), docs / "pictures" / "kinetics_best.webp", fps=10)
    table = {name: summary(rows[name]) for name in rows}
    file.write_text(json.dumps({"settings": made_with, "table": table, "clips": rows}, indent=1) + "\n", "utf-8")
    return table


def _whole(clips: Sequence[Scored], rows: Sequence[dict[str, Any]], actions: Collection[str]) -> list[Scored]:
    """The clips of these actions, if they are all that the rows tell of; else none."""
    shown = [clip for clip in clips if clip.action in actions]
    return shown if len(shown) == sum(row["action"] in actions for row in rows) else []


def _settings_of(before: dict[str, Any]) -> dict[str, Any] | None:
    """What was written was made with these settings; those that there weren't yet were as their defaults. None: unknown."""
    try:
        return SynthesisConfig(**before["settings"]).model_dump(mode="json")
    except (KeyError, ConfigError):
        return None


def _arms(
    judges: Judges,
    key: str,
    cache: Path,
    at_hand: dict[str, Path],
    settings: dict[str, Any],
    parts: Sequence[str],
    actions: Sequence[str],
) -> dict[str, list[Scored]]:
    """The clips of these parts, by the name of their row; those that there are any of."""
    few = [action for action in ABLATED if action in actions]
    arms: dict[str, list[Scored]] = {}
    if "real" in parts:
        arms[REAL] = real(judges, key, at_hand)
    if "unprimed" in parts:
        arms[UNPRIMED] = arm(judges, key, actions, settings, cache)
    if "primed" in parts:
        arms["recommended, primed"] = arm(judges, key, list(at_hand), settings, cache, at_hand)
    if "earlier" in parts:
        plain = {**models.plain(), "stimuli": (), "verifier": "none"}
        arms[EARLIER] = arm(judges, key, few, plain | settings, cache)
    for name, changed in ABLATIONS.items():
        if name in parts or "ablation" in parts:
            arms[name] = arm(judges, key, few, settings | changed, cache)
    return {name: clips for name, clips in arms.items() if clips}


def film(clips: Sequence[Scored]) -> np.ndarray:
    """Clips side by side, playing at once: uint8 (T, H, n·W, 3)."""
    return np.concatenate([clip.frames for clip in clips], 2)


def contact_sheet(clips: Sequence[Scored]) -> Any:
    """Eight frames of every clip at 224 px, one row per clip."""
    at = tuple(i / 7 for i in range(8))
    return sheet([(clip.action, [clip.frames]) for clip in clips], ["eight frames of each clip"], at, 224)


def markdown(table: dict[str, Any]) -> str:
    """The table as Markdown."""
    others = sorted({key for row in table.values() for key in row["others"]})
    heads = [
        "clips",
        "n",
        "named",
        "after ten changes (95 %)",
        "object seen (95 %)",
        "object's median rank",
        "s per clip (longest)",
    ]
    heads += [f"named by {key}" for key in others]
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for name, row in table.items():
        seen = "–" if row["object_seen"] is None else _share(row["object_seen"], row["object_interval"])
        seen += f" of {row['object_clips']}" if row["object_clips"] else ""
        rank = f"{np.median(row['object_ranks']):.0f}" if row["object_ranks"] else "–"
        seconds = f"{row['seconds']:.0f} ({row['seconds_longest']:.0f})" if row["seconds"] else "–"
        lasting = _share(row["survival"], row["survival_interval"])
        cells = [name, str(row["clips"]), f"{row['model_top1']:.0%}", lasting, seen, rank, seconds]
        cells += [f"{row['others'][key]:.0%}" if key in row["others"] else "–" for key in others]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _share(value: float, interval: Sequence[float]) -> str:
    return f"{value:.0%} ({interval[0]:.0%} to {interval[1]:.0%})"


def _line(action: str, row: dict[str, Any]) -> str:
    lasting = sum(row["survived"].values())
    seen = f", object at {row['object_rank']} ({', '.join(row['objects'][:3])})" if "objects" in row else ""
    return f"{action:24s} model {row['model']:.2f}, {lasting} of {len(row['survived'])} changes{seen}"
