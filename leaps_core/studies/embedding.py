"""Figure S5: do LEAPS's clips lie among the real ones? `python -m leaps_core study embedding --action "tai chi" --model KEY`

Two arms of the same seeds: LEAPS, and LEAPS without feature diversity (R_feat). Seed i is primed by the same clip in both: the
bundled clip i, or the i-th of a folder of videos (--stimuli), which models of other worlds than the puppets need.
The paper claims that both lie within the real clips of the class, and that LEAPS spreads wider. Both are checked in the space
of the inverted model, which the clips were optimised in, and in the judge's, which took no part. For scale, the stimuli
themselves, which are real clips that are not in the bank, are measured, too.

Writes docs/embedding-ACTION-MODEL.json and docs/pictures/embedding-ACTION-MODEL.png, and prints a Markdown table.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from .. import banks, maps, models, video
from ..config import bundled_stimulus
from ..errors import BankError, ConfigError
from ..inversion.stimulus import stimulus_clips
from ..maps import metrics
from ..maps.figure_s5 import ARMS, COLOURS, LEAPS, WITHOUT
from .common import invert

FEWEST = 10
"""Real clips of the action that measuring takes."""
QUANTILE = 0.95
"""A clip is inside where it is no farther from the class's centre than this share of the real clips."""
RESAMPLES = 2000


@dataclass(frozen=True)
class Space:
    """The embeddings of one network: the bank's, with their labels, and those of each set of clips."""

    name: str
    real: np.ndarray
    labels: np.ndarray
    sets: dict[str, np.ndarray]


def priming(world: str, action: str, count: int, folder: Path | None) -> list[str]:
    """What primes each seed: the folder's videos by name, without one the bundled clips. Raises `BankError` for too few."""
    if folder is not None:
        files = banks.files_in(folder)
        if len(files) < count:
            raise BankError(
                f"{folder} holds {len(files)} videos; {count} seeds take one each. Add videos of “{action}”, or "
                f"give --n {len(files)}."
            )
        return [str(path.absolute()) for path in files[:count]]
    if world != models.PUPPETS:
        raise BankError(
            f"No clips of the world {world} are bundled to prime with. Give --stimuli DIR, a folder of {count} "
            f"videos of “{action}”."
        )
    return [bundled_stimulus(seed) for seed in range(count)]


def make(model: str, action: str, stimuli: list[str], cache: Path, settings: dict[str, Any]) -> dict[str, list[np.ndarray]]:
    """The frames of the stimuli, and of both arms that they prime; what was made before comes from the cache.

    Raises `LeapsError` for a stimulus that can't be read, before anything is made.
    """
    configs = [
        models.configure(model, action, {**settings, "seed": seed, "stimuli": (stimulus,)})
        for seed, stimulus in enumerate(stimuli)
    ]
    sets = {"stimuli": [stimulus_clips(config, models.spec(model))[0][0] for config in configs]}
    sets |= {arm: [] for arm in ARMS}
    for config, (arm, share) in tqdm(
        [(config, arm) for config in configs for arm in ARMS.items()], unit=" clips", disable=None
    ):
        sets[arm].append(invert(config.replace(diversity=share * config.diversity), cache).frames)
    return sets


def see(key: str, sets: dict[str, list[np.ndarray]], bank: banks.Bank) -> Space:
    """What a network sees in each set. Raises `BankError` if the bank is not of this network."""
    bank.check(models.spec(key))
    network = models.load(key)
    seen = {
        name: np.concatenate([network.embed(network.fit(video.to_tensor(clip))) for clip in frames])
        for name, frames in sets.items()
    }
    return Space(key, bank.embeddings, bank.labels, seen)


def check(bank: banks.Bank, action: str) -> None:
    """Raises `BankError` unless a bank has all that `measure` needs, so that nothing is inverted in vain."""
    mine, classes = np.flatnonzero(bank.labels == action), len(set(bank.labels.tolist()))
    if len(mine) < FEWEST or classes < 2:
        raise BankError(
            f"The bank {bank.name} of “{bank.facts['model']}” has {len(mine)} real clips of “{action}” among those "
            f"of {classes} classes; the study needs {FEWEST} or more, and two classes or more. Add clips."
        )
    vectors = bank.rows(mine)
    metrics.centroid_distance(vectors, vectors)


def measure(space: Space, action: str) -> dict[str, Any]:
    """The metrics of each set against the real clips, and whether the claim holds: `inside`, `wider`, `holds`, `sentence`."""
    mine = space.real[space.labels == action]
    limit = float(np.quantile(metrics.centroid_distance(mine, mine), QUANTILE))
    table: dict[str, Any] = {}
    for name, points in space.sets.items():
        distance = metrics.centroid_distance(points, mine)
        density, coverage = metrics.density_coverage(points, mine)
        frechet, warning = metrics.frechet(points, mine)
        table[name] = {
            "clips": len(points),
            "centroid_distance": float(distance.mean()),
            "inside": float((distance <= limit).mean()),
            "neighbour_share": float(metrics.neighbour_share(points, space.real, space.labels, action).mean()),
            "spread": metrics.relative_spread(points, mine),
            "density": density,
            "coverage": coverage,
            "frechet": frechet,
            "frechet_warning": warning,
        }
    low, high = _interval(space.sets[LEAPS], space.sets[WITHOUT])
    leaps, without = table[LEAPS], table[WITHOUT]
    ratio, inside, wider = leaps["spread"] / without["spread"], leaps["inside"] >= 0.5, low > 1
    verdict = (
        "holds"
        if inside and wider
        else "holds in part: inside, but not clearly wider"
        if inside
        else "holds in part: wider, but not inside"
        if wider
        else "does not hold"
    )
    sentence = (
        f"In the space of {space.name}, {leaps['inside']:.0%} of the {leaps['clips']} LEAPS clips "
        f"({without['inside']:.0%} without R_feat, {table['stimuli']['inside']:.0%} of other real clips) are as near "
        f"to the centre of “{action}” as {QUANTILE:.0%} of its {len(mine)} real clips are, and they spread {ratio:.2f} "
        f"times as wide as without R_feat (95 % interval {low:.2f} to {high:.2f}): the paper's claim {verdict} here."
    )
    return {
        "space": space.name,
        "real_clips": len(mine),
        "sets": table,
        "ratio_of_spreads": ratio,
        "interval": [low, high],
        "is_inside": inside,
        "is_wider": wider,
        "holds": inside and wider,
        "sentence": sentence,
    }


def _interval(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """The 95 % bootstrap interval of spread(a) / spread(b), the seeds being drawn for both at once."""
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, len(a), len(a))
        if len(set(drawn.tolist())) > 1:
            ratios.append(metrics.spread(a[drawn]) / max(metrics.spread(b[drawn]), 1e-12))
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)


def picture(spaces: list[Space], action: str) -> Image.Image:
    """UMAP and PCA of the class's real clips and both arms, one row per space. Each is fitted to all that it shows."""
    side, gap, top, scale = 420, 16, 46, 3
    panels = Image.new("RGB", (scale * (2 * side + 3 * gap), scale * (len(spaces) * (side + top) + 2 * gap)), "white")
    draw, font = ImageDraw.Draw(panels), ImageFont.load_default(size=15 * scale)
    for row, space in enumerate(spaces):
        groups = {"real": space.real[space.labels == action], **{arm: space.sets[arm] for arm in ARMS}}
        together = np.concatenate(list(groups.values()))
        for column, method in enumerate(maps.METHODS):
            x0, y0 = (scale * (gap + column * (side + gap)), scale * (row * (side + top) + top))
            places = maps.lay_out(together, maps.Recipe(method, "euclidean", neighbours=min(15, len(together) - 1)))
            low, high = places.min(0), places.max(0)
            dots = x0 + scale * 12 + (places - low) / np.maximum(high - low, 1e-9) * scale * (side - 24)
            dots[:, 1] += y0 - x0
            draw.rectangle((x0, y0, x0 + scale * side, y0 + scale * side), outline="#c9ced6", width=scale)
            draw.text((x0, y0 - scale * 24), f"{method.upper()}, space of {space.name}", "#334155", font)
            at = 0
            for name, points in groups.items():
                for x, y in dots[at : at + len(points)]:
                    radius = scale * (2.2 if name == "real" else 3.4)
                    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=COLOURS[name])
                at += len(points)
    x = scale * gap
    for name in ("real", *ARMS):
        draw.ellipse((x, panels.height - scale * 17, x + scale * 8, panels.height - scale * 9), fill=COLOURS[name])
        words = f"real clips of “{action}”" if name == "real" else name if name == LEAPS else f"LEAPS {name}"
        draw.text((x + scale * 13, panels.height - scale * 22), words, "#334155", font)
        x += scale * 30 + int(draw.textlength(words, font))
    return panels.resize((panels.width // scale, panels.height // scale), Image.Resampling.LANCZOS)


def markdown(found: list[dict[str, Any]]) -> str:
    """The table as Markdown, and the sentences below it."""
    lines = [
        "| space | clips | n | distance to the centre | inside | neighbours of the class | spread | density | coverage | "
        "Fréchet |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in found:
        for name, row in one["sets"].items():
            lines.append(
                f"| {one['space']} | {name} | {row['clips']} | {row['centroid_distance']:.2f} | {row['inside']:.0%} | "
                f"{row['neighbour_share']:.0%} | {row['spread']:.2f} | {row['density']:.2f} | {row['coverage']:.2f} | "
                f"{row['frechet']:.3g}{'*' * bool(row['frechet_warning'])} |"
            )
    warnings = sorted({row["frechet_warning"] for one in found for row in one["sets"].values()} - {""})
    return "\n".join([*lines, "", *(f"\\* {warning}" for warning in warnings), "", *(one["sentence"] for one in found)])


def study(
    action: str,
    model: str,
    count: int,
    cache: Path,
    docs: Path,
    bank: Path | None = None,
    judge_bank: Path | None = None,
    settings: dict[str, Any] | None = None,
    stimuli: Path | None = None,
) -> list[dict[str, Any]]:
    """Run it all; the metrics in the model's space and, where there is a judge, in the judge's. Writes into `docs`.

    Banks: the bundled ones unless others are given; `stimuli`: a folder of videos of the action that prime, instead of bundled
    clips. Raises `LeapsError` before anything is inverted where a bank is missing or lacks what is needed, or where
    stimuli are missing or can't be read.
    """
    settings = settings or {}
    if count < 2:
        raise BankError(f"--n is {count}; a spread takes two clips or more.")
    if own := {"seed", "stimuli", "diversity"} & settings.keys():
        raise ConfigError(f"--set gives {' and '.join(sorted(own))}, which the study chooses for each clip. Leave it out.")
    cast = models.resolve(models.configure(model, action, settings))
    if cast.verifier is None:
        raise BankError(
            f"“{model}” runs without a verifier here, so there is no R_feat to leave out. Choose another "
            "model with batch norm (--set verifier=KEY)."
        )
    primed = priming(cast.model.world, action, count, stimuli)
    used = [(model, banks.Bank.open(bank or banks.bundled(model)))]
    if cast.judge:
        used.append((cast.judge.key, banks.Bank.open(judge_bank or banks.bundled(cast.judge.key))))
    for key, one in used:
        one.check(models.spec(key))
        check(one, action)
    sets = make(model, action, primed, cache, settings)
    spaces = [see(key, sets, one) for key, one in used]
    found = [measure(space, action) for space in spaces]
    name = f"embedding-{action}-{model}".replace(" ", "-")
    (docs / "pictures").mkdir(parents=True, exist_ok=True)
    (docs / f"{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    picture(spaces, action).save(docs / "pictures" / f"{name}.png", optimize=True)
    return found
