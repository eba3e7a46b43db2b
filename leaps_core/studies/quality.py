"""How good are the inversions? `python -m leaps_core study quality --world puppets`

Inverts every action on every robust bundled model at its recommended settings and lets the judge, which never took part, name
the action. So that the figure means something, the judge and the verifier also score real clips, real clips with
shuffled frames, inversions of the cleanly trained twin, noise, and adversarial noise (noise that a model is made to
believe in, without priming, regularizers or transforms). Prints a Markdown table, and writes docs/quality.json and
docs/pictures/contact_sheet.webp.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import models, video
from ..config import NETWORKS, SynthesisConfig, bundled_stimulus
from ..puppets import ACTIONS, render_clip
from .common import Inversion, invert
from .pictures import sheet

SEED = 6100
"""First seed of the scored runs and their stimuli; settings were chosen on others (below 100), and scored before on 6000 on."""
ADVERSARIAL: dict[str, Any] = {
    "canvas": "pixels",
    "stimuli": (),
    "verifier": "none",
    "coarse": 0.0,
    "learning_rate": 0.02,
    "steps": 60,
    "r": 0.0,
    "evidence": 0.0,
    "smoothness": 0.0,
    "jitter": 0.0,
    "jitter_time": 0,
    "zoom": 0.0,
    "rotate": 0.0,
    "noise": 0.0,
    "colour": 0.0,
}
"""Settings that turn an inversion into an adversarial example on noise."""


def study(
    cache: Path, settings: dict[str, Any], first_seed: int, actions: tuple[str, ...] = ACTIONS, keys: list[str] | None = None
) -> dict[str, Any]:
    """Invert `actions` on the robust bundled models (or `keys`) and summarise: judge's, verifier's and model's top-1
    share and mean probability, by model and in all. Clips stay in `cache`, so that a stopped study goes on."""
    keys = keys or robust()
    table: dict[str, Any] = {}
    everything: list[tuple[str, Inversion]] = []
    for key in keys:
        mine = []
        for i, action in enumerate(actions):
            one = invert(config(key, action, first_seed + i, settings), cache)
            mine.append((action, one))
            print(
                f"{key:20s} {action:22s} judge {one.scores['judge']:.2f} ({one.scores['judge_top1']}), "
                f"verifier {one.scores['verifier'] or 0:.2f}, {one.scores['seconds']:.0f} s",
                flush=True,
            )
        table[key] = summary(mine)
        everything += mine
    table["all"] = summary(everything)
    return table


def robust() -> list[str]:
    """Keys of the robust bundled models."""
    return [spec.key for spec in models.specs() if spec.robust and spec.role == "model" and spec.world == models.PUPPETS]


def config(key: str, action: str, seed: int, settings: dict[str, Any]) -> SynthesisConfig:
    """A run at the settings that suit the model, primed by the bundled clip of the same seed."""
    return models.configure(key, action, {"seed": seed, "stimuli": (bundled_stimulus(seed),), **settings})


def summary(results: list[tuple[str, Inversion]]) -> dict[str, Any]:
    """Top-1 shares and mean probabilities of (action, inversion) pairs."""
    row: dict[str, Any] = {"clips": len(results)}
    for part in reversed(NETWORKS):
        known = [(action, one) for action, one in results if one.scores[part] is not None]
        hits = [one.scores[f"{part}_top1"] == action for action, one in known]
        row[f"{part}_top1"] = round(float(np.mean(hits)), 4) if known else None
        row[part] = round(float(np.mean([one.scores[part] for _, one in known])), 4) if known else None
    row["seconds"] = round(float(np.mean([one.scores["seconds"] for _, one in results])), 1)
    row["seconds_longest"] = round(max(one.scores["seconds"] for _, one in results), 1)
    return row


def adversarial(cache: Path, first_seed: int, verifier: str) -> dict[str, Any]:
    """Judge and verifier on noise that the 3-D ResNet is made to believe in; no verifier takes part in that."""
    row = study(cache, ADVERSARIAL, first_seed, keys=["puppet_r50"])["all"]
    clips = [
        (action, invert(config("puppet_r50", action, first_seed + i, ADVERSARIAL), cache).frames)
        for i, action in enumerate(ACTIONS)
    ]
    return row | _scores(clips, {"verifier": models.load(verifier)})


def references(first_seed: int, verifier: str) -> dict[str, Any]:
    """Judge and verifier on clips that nobody optimised: real, frame-shuffled, and noise. 160 clips each."""
    rng = np.random.default_rng(first_seed)
    real = [(action, render_clip(action, first_seed + 500 + i)) for i, action in enumerate(ACTIONS * 10)]
    shuffled = [(action, frames[rng.permutation(len(frames))]) for action, frames in real]
    noise = [(action, rng.integers(0, 256, frames.shape, np.uint8)) for action, frames in real]
    judge = next(spec.key for spec in models.specs() if spec.role == "judge" and spec.world == models.PUPPETS)
    networks = {"judge": models.load(judge), "verifier": models.load(verifier)}
    return {
        name: _scores(clips, networks)
        for name, clips in (("real clips", real), ("real clips, frames shuffled", shuffled), ("noise", noise))
    }


@torch.no_grad()
def _scores(clips: list[tuple[str, np.ndarray]], networks: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"clips": len(clips)}
    for part, network in networks.items():
        p = torch.cat([network(video.to_tensor(frames)).softmax(1) for _, frames in clips])
        wanted = torch.tensor([ACTIONS.index(action) for action, _ in clips])
        row[f"{part}_top1"] = round((p.argmax(1) == wanted).float().mean().item(), 4)
        row[part] = round(p.gather(1, wanted[:, None]).mean().item(), 4)
    return row


def contact_sheet(cache: Path, first_seed: int, settings: dict[str, Any]) -> Any:
    """One row per action: the stimulus, and one column per robust model, as a picture."""
    specs = [models.spec(key) for key in robust()]
    rows = []
    for i, action in enumerate(ACTIONS):
        clips = [render_clip(action, first_seed + i)]
        clips += [invert(config(spec.key, action, first_seed + i, settings), cache).frames for spec in specs]
        rows.append((action, clips))
    return sheet(rows, ["stimulus", *(spec.name.removeprefix("Puppet ") for spec in specs)])


def markdown(table: dict[str, Any]) -> str:
    """The table as Markdown."""

    def cell(value: Any) -> str:
        return "–" if value is None else f"{value:.0%}"

    lines = [
        "| clips | n | judge top-1 | judge | verifier top-1 | verifier | model top-1 | s per clip (longest) |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in table.items():
        seconds = f"{row['seconds']} ({row['seconds_longest']})" if "seconds" in row else "–"
        cells = [cell(row.get(part)) for part in ("judge_top1", "judge", "verifier_top1", "verifier", "model_top1")]
        lines.append(f"| {name} | {row['clips']} | {' | '.join(cells)} | {seconds} |")
    return "\n".join(lines)


def whole(cache: Path, docs: Path) -> dict[str, Any]:
    """The whole study: the table, which is also written, as is the contact sheet."""
    table = study(cache, {}, SEED)
    twin = [spec.key for spec in models.specs() if spec.key.endswith("_clean")]
    table["inversions of the clean twin"] = study(cache, {}, SEED, keys=twin)["all"]
    verifier: str = models.resolve(config("puppet_r50", ACTIONS[0], SEED, {})).verifier.key  # type: ignore[union-attr]
    table["adversarial noise"] = adversarial(cache, SEED, verifier)
    table |= references(SEED, verifier)
    (docs / "pictures").mkdir(parents=True, exist_ok=True)
    (docs / "quality.json").write_text(json.dumps(table, indent=1) + "\n")
    contact_sheet(cache, SEED, {}).save(docs / "pictures" / "contact_sheet.webp", quality=85)
    return table
