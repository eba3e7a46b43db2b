"""What surrounds the figure: backdrops, people's looks, light and camera, all drawn from the seed alone.

Nothing here knows which action is performed, so no backdrop, colour or camera move can give one away.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .figure import HAIR_STYLES, Colour, Look, shade

BACKDROP = 320
"""Side of the square backdrop in pixels, at every clip size: the same scene whatever the resolution."""

MARGIN = 1.4
"""The backdrop's side in frame heights; the surplus is room for the camera to move."""

SKINS: tuple[Colour, ...] = ((255, 219, 185), (241, 194, 150), (224, 172, 115), (198, 134, 84), (141, 88, 52), (96, 60, 40))
HAIRS: tuple[Colour, ...] = ((40, 30, 28), (86, 54, 34), (150, 96, 48), (222, 186, 104), (160, 66, 36), (170, 170, 176))
VIVID: tuple[Colour, ...] = (
    (222, 52, 56),
    (245, 140, 40),
    (250, 210, 60),
    (70, 176, 84),
    (36, 168, 176),
    (52, 104, 214),
    (134, 76, 190),
    (232, 92, 160),
    (245, 245, 240),
    (38, 42, 56),
    (28, 62, 110),
    (112, 30, 44),
)


@dataclass(frozen=True)
class Style:
    """Free variation of a motion: ``vigour`` scales its size (0.85..1.15), ``quirks`` are uniform in 0..1.

    ``accents`` are three different colours for props, each in contrast with the backdrop.
    """

    vigour: float
    quirks: tuple[float, float, float, float]
    accents: tuple[Colour, Colour, Colour]


@dataclass(frozen=True)
class CameraPath:
    """A slow pan and zoom with a little hand shake, over clip time ``u`` in 0..1; lengths in frame heights.

    The distribution of paths is the same played backwards, so the camera cannot tell the arrow of time.
    """

    pan: tuple[float, float]
    zoom: float
    shake: float
    tempo: tuple[float, float]
    phase: tuple[float, float]

    def at(self, u: float) -> tuple[float, float, float]:
        """Offset right, offset down and magnification at time ``u``."""
        dx, dy = (
            pan * (u - 0.5) + self.shake * math.sin(math.tau * (tempo * (u - 0.5) + phase))
            for pan, tempo, phase in zip(self.pan, self.tempo, self.phase)
        )
        return dx, dy, 1.0 + self.zoom * (u - 0.5)


@dataclass(frozen=True)
class Scene:
    """One drawn setting.

    ``backdrop`` is uint8 (BACKDROP, BACKDROP, 3); ``light`` holds the colours, 0..2 with 1 neutral, of a
    linear gradient from one side to the other at ``light_angle`` radians; ``shadow`` is 0..1.
    """

    backdrop: np.ndarray
    kind: str
    look: Look
    style: Style
    girth: float
    light: tuple[np.ndarray, np.ndarray]
    light_angle: float
    shadow: float
    camera: CameraPath

    def gain(self, size: int) -> np.ndarray:
        """The light as uint8 (size, size, 3) with 128 neutral."""
        axis = np.linspace(-0.5, 0.5, size)
        ramp = 0.5 + axis[None] * math.cos(self.light_angle) + axis[:, None] * math.sin(self.light_angle)
        start, end = self.light
        return np.clip(128 * (start + (end - start) * ramp[..., None]), 0, 255).astype(np.uint8)


def make_scene(seed: int) -> Scene:
    """The setting of ``seed``: the same for every action, clip length and size."""
    rng = np.random.default_rng([seed & 0xFFFFFFFFFFFFFFFF, 2024])
    kind = list(BACKDROPS)[rng.integers(len(BACKDROPS))]
    backdrop = paint_backdrop(kind, rng)
    middle = backdrop[BACKDROP // 5 : -BACKDROP // 5, BACKDROP // 4 : -BACKDROP // 4]
    behind = np.array(cv2.mean(middle)[:3])
    cast = rng.uniform(0.93, 1.07, 3)
    level, slope = rng.uniform(0.85, 1.15), rng.uniform(0.0, 0.3)
    return Scene(
        backdrop=backdrop,
        kind=kind,
        look=_make_look(rng, behind),
        style=_make_style(rng, behind),
        girth=rng.uniform(0.88, 1.18),
        light=(cast * (level - slope / 2), cast * (level + slope / 2)),
        light_angle=rng.uniform(0, math.tau),
        shadow=rng.uniform(0.2, 0.5),
        camera=CameraPath(
            pan=tuple(rng.uniform(-0.06, 0.06, 2) * (1, 0.5)),
            zoom=rng.uniform(-0.08, 0.08),
            shake=rng.uniform(0.0, 0.005),
            tempo=tuple(rng.uniform(1.0, 3.0, 2)),
            phase=tuple(rng.uniform(0, 1, 2)),
        ),
    )


def _standing_out(rng: np.random.Generator, behind: np.ndarray, count: int) -> list[Colour]:
    """``count`` different vivid colours, those too close to the colour ``behind`` left out."""
    order = [VIVID[i] for i in rng.permutation(len(VIVID))]
    # A stable sort on "too close" keeps the order random among the colours that do stand out.
    order.sort(key=lambda c: math.dist(c, behind) < 115)
    return order[:count]


def _make_look(rng: np.random.Generator, behind: np.ndarray) -> Look:
    shirt, trousers, shoes, hat = _standing_out(rng, behind, 4)
    hair_style = HAIR_STYLES[rng.choice(len(HAIR_STYLES), p=(0.36, 0.24, 0.14, 0.08, 0.18))]
    return Look(
        skin=SKINS[rng.integers(len(SKINS))],
        hair=HAIRS[rng.integers(len(HAIRS))],
        shirt=shirt,
        trousers=trousers,
        shoes=shoes,
        hat=hat,
        hair_style=hair_style,
        long_sleeves=bool(rng.random() < 0.4),
        shorts=bool(rng.random() < 0.35),
        stripe=bool(rng.random() < 0.35),
    )


def _make_style(rng: np.random.Generator, behind: np.ndarray) -> Style:
    vigour, quirks = rng.uniform(0.85, 1.15), tuple(rng.random(4))
    first, second, third = _standing_out(rng, behind, 3)
    return Style(vigour, quirks, (first, second, third))


# --- backdrops ------------------------------------------------------------------------------------------

Painter = Callable[[np.ndarray, int, np.random.Generator], None]


def paint_backdrop(kind: str, rng: np.random.Generator) -> np.ndarray:
    """A backdrop of ``kind`` (a key of ``BACKDROPS``) with clutter, uint8 (BACKDROP, BACKDROP, 3).

    Its contrast is lowered and its detail blurred a little, so that the figure before it stays readable.
    """
    image = np.empty((BACKDROP, BACKDROP, 3), np.uint8)
    horizon = int(rng.uniform(0.52, 0.68) * BACKDROP)
    BACKDROPS[kind](image, horizon, rng)
    for _ in range(rng.integers(1, 5)):
        CLUTTER[rng.integers(len(CLUTTER))](image, horizon, rng)
    soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 2.4))
    mean, contrast = np.array(cv2.mean(soft)[:3]), rng.uniform(0.5, 0.8)
    # Pulling the mean away from mid-grey leaves room for clothes that are clearly lighter or darker.
    target = mean + (22 if mean.mean() > 122 else -22)
    levels = np.arange(256)[:, None]
    table = np.clip((levels - mean) * contrast + target, 0, 255).astype(np.uint8)
    return cv2.LUT(soft, table[None])


def _colour(levels: np.ndarray) -> Colour:
    red, green, blue = (int(c) for c in np.clip(levels, 0, 255))
    return red, green, blue


def _tint(rng: np.random.Generator, low: int, high: int) -> Colour:
    """A muted colour with a brightness in ``low..high``."""
    return _colour(rng.uniform(low, high) + rng.uniform(-32, 32, 3))


def _wall(rng: np.random.Generator) -> Colour:
    """A wall's colour: light or dark, seldom in between, where clothes would not stand out."""
    return _tint(rng, 165, 225) if rng.random() < 0.62 else _tint(rng, 45, 100)


def _box(image: np.ndarray, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
    cv2.rectangle(image, (int(left), int(top)), (int(right), int(bottom)), colour, -1)


def _planks(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    floor = _tint(rng, 70, 190)
    image[horizon:] = floor
    vanishing, step = rng.uniform(0, BACKDROP), rng.uniform(24, 60)
    for x in np.arange(-BACKDROP, 2 * BACKDROP, step):
        start = (int(vanishing + 0.5 * (x - vanishing)), horizon)
        cv2.line(image, start, (int(x), BACKDROP), shade(floor, 0.84), 2)


def _speckle(image: np.ndarray, rng: np.random.Generator, strength: float, grain: int) -> None:
    noise = rng.normal(0, strength, (grain, grain, 1)).astype(np.float32)
    smooth = cv2.resize(noise, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_CUBIC)
    cv2.add(image, cv2.cvtColor(smooth, cv2.COLOR_GRAY2RGB), dst=image, dtype=cv2.CV_8U)


def _room(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    wall = _wall(rng)
    image[:] = wall
    _planks(image, horizon, rng)
    _box(image, 0, horizon - 6, BACKDROP, horizon, shade(wall, 0.75))
    for x in (rng.uniform(10, 110), rng.uniform(180, 260)):
        width, top = rng.uniform(36, 70), rng.uniform(40, 90)
        _box(image, x - 4, top - 4, x + width + 4, top + 74, shade(wall, 1.5))
        _box(image, x, top, x + width, top + 70, (170, 205, 235) if rng.random() < 0.6 else _tint(rng, 60, 200))
        _box(image, x + width / 2 - 1, top, x + width / 2 + 1, top + 70, shade(wall, 1.5))


def _park(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    dusk = rng.random() < 0.35
    sky, grass = ((70, 66, 110), (40, 70, 48)) if dusk else ((176, 212, 240), (128, 180, 92))
    ramp = np.linspace(1.0, 1.25, BACKDROP)[:, None]
    image[:] = np.clip(np.array(sky) * ramp, 0, 255).astype(np.uint8)[:, None]
    image[horizon:] = grass
    for _ in range(rng.integers(3, 8)):
        x, r = rng.uniform(0, BACKDROP), rng.uniform(20, 46)
        foot = horizon + rng.uniform(-4, 14)
        _box(image, x - r / 8, foot - 1.5 * r, x + r / 8, foot, (98, 70, 48))
        leaf = shade(grass, rng.uniform(0.6, 0.95))
        for dx, dy in ((0, -2.3), (-0.5, -1.7), (0.5, -1.7)):
            cv2.circle(image, (int(x + dx * r), int(foot + dy * r)), int(0.75 * r), leaf, -1)
    _speckle(image, rng, 7, 80)


def _gym(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    wall, band = _wall(rng), _tint(rng, 60, 200)
    image[:] = wall
    _planks(image, horizon, rng)
    top = rng.uniform(60, 130)
    _box(image, 0, top, BACKDROP, top + rng.uniform(12, 36), band)
    line = horizon + int(rng.uniform(14, 60))
    cv2.line(image, (0, line), (BACKDROP, line + int(rng.uniform(-20, 20))), (235, 235, 225), 3)
    for x in np.arange(rng.uniform(0, 60), BACKDROP, rng.uniform(60, 110)):
        _box(image, x, 0, x + 6, horizon, shade(wall, 0.85))


def _bricks(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    red = rng.random() < 0.6
    brick = _colour(_tint(rng, 60, 110) + np.array((50, 0, -10))) if red else _tint(rng, 170, 220)
    image[:] = shade(brick, 1.25)
    height, width = 14, 34
    for row in range(horizon // height + 1):
        for x in range(-(row % 2) * width // 2, BACKDROP, width):
            _box(image, x + 1, row * height + 1, x + width - 2, row * height + height - 2, shade(brick, rng.uniform(0.85, 1.0)))
    image[horizon:] = _tint(rng, 80, 180)
    _speckle(image, rng, 5, 80)


def _stripes(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    first = _wall(rng)
    second = shade(first, rng.uniform(0.7, 0.88))
    angle, period = rng.uniform(0, math.pi), rng.uniform(18, 50)
    y, x = np.ogrid[:BACKDROP, :BACKDROP]
    image[:] = first
    image[(x * math.cos(angle) + y * math.sin(angle)) % period < period / 2] = second
    if rng.random() < 0.6:
        _planks(image, horizon, rng)


def _checker(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    first = _wall(rng)
    second = shade(first, rng.uniform(0.72, 0.88))
    cell = int(rng.integers(14, 40))
    y, x = np.ogrid[:BACKDROP, :BACKDROP]
    image[:] = first
    image[(x // cell + y // cell) % 2 == 0] = second
    if rng.random() < 0.6:
        image[horizon:] = _tint(rng, 70, 190)


def _noise(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    image[:] = _wall(rng)
    image[horizon:] = _tint(rng, 70, 190)
    _speckle(image, rng, 20, int(rng.integers(6, 60)))
    _speckle(image, rng, 8, 120)


def _street(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    night = rng.random() < 0.4
    image[:] = (46, 50, 84) if night else (190, 216, 236)
    x = -rng.uniform(0, 40)
    while x < BACKDROP:
        width, top = rng.uniform(46, 92), rng.uniform(10, 110)
        house = _tint(rng, 50, 90) if night else _tint(rng, 150, 215)
        _box(image, x, top, x + width, horizon, house)
        pane = (236, 206, 120) if night else shade(house, 0.72)
        for wy in np.arange(top + 12, horizon - 20, 26):
            for wx in np.arange(x + 9, x + width - 14, 22):
                _box(image, wx, wy, wx + 10, wy + 14, pane)
        x += width
    image[horizon:] = (88, 90, 98)
    _box(image, 0, horizon, BACKDROP, horizon + 10, (160, 158, 152))


BACKDROPS: dict[str, Painter] = {
    "room": _room,
    "park": _park,
    "gym": _gym,
    "bricks": _bricks,
    "stripes": _stripes,
    "checker": _checker,
    "noise": _noise,
    "street": _street,
}


# --- clutter: props that stand still, with any action ---------------------------------------------------


def _spot(horizon: int, rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.uniform(20, BACKDROP - 20)), int(horizon + rng.uniform(4, 40))


def _crates(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    x, y = _spot(horizon, rng)
    side, colour = rng.uniform(24, 60), _tint(rng, 60, 210)
    _box(image, x, y - side, x + 1.3 * side, y, colour)
    _box(image, x, y - side, x + 1.3 * side, y - 0.8 * side, shade(colour, 1.3))


def _loose_ball(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    x, y = _spot(horizon, rng)
    r, colour = int(rng.uniform(7, 18)), VIVID[rng.integers(len(VIVID))]
    cv2.circle(image, (x, y - r), r, colour, -1, cv2.LINE_AA)
    cv2.ellipse(image, (x, y - r), (r // 2, r), 20, 0, 360, shade(colour, 0.6), 2, cv2.LINE_AA)


def _loose_wheel(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    x, y = _spot(horizon, rng)
    r = int(rng.uniform(14, 34))
    cv2.circle(image, (x, y - r), r, (50, 50, 56), 4, cv2.LINE_AA)
    for a in np.arange(0, math.pi, math.pi / 4) + rng.uniform(0, 1):
        d = np.array((math.cos(a), math.sin(a))) * r
        cv2.line(image, (int(x - d[0]), int(y - r - d[1])), (int(x + d[0]), int(y - r + d[1])), (150, 150, 156), 2)


def _plant(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    x, y = _spot(horizon, rng)
    _box(image, x - 10, y - 22, x + 10, y, (176, 98, 64))
    for a in np.linspace(-1.1, 1.1, 7):
        tip = (int(x + 50 * math.sin(a)), int(y - 22 - 50 * math.cos(a) * rng.uniform(0.7, 1.1)))
        cv2.line(image, (x, y - 22), tip, (62, 130, 70), 7, cv2.LINE_AA)


def _picture(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    x, y = rng.uniform(10, 270), rng.uniform(20, max(horizon - 90, 30))
    w, h = rng.uniform(26, 60, 2)
    _box(image, x - 4, y - 4, x + w + 4, y + h + 4, _tint(rng, 40, 120))
    _box(image, x, y, x + w, y + h, _tint(rng, 90, 230))


def _bench(image: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    x, y = _spot(horizon, rng)
    w, colour = rng.uniform(50, 100), _tint(rng, 50, 180)
    _box(image, x, y - 30, x + w, y - 22, colour)
    for leg in (x + 6, x + w - 12):
        _box(image, leg, y - 22, leg + 6, y, shade(colour, 0.7))


CLUTTER: tuple[Painter, ...] = (_crates, _loose_ball, _loose_wheel, _plant, _picture, _bench)
