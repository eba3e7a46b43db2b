"""From an action's label and a seed to the pixels of a clip."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from ..errors import LeapsError
from .actions import CATALOGUE, Action, Beat, Moment
from .figure import ADULT, BABY, Build, Part, Shape, Vec, dress, shade, stout
from .scene import BACKDROP, MARGIN, Scene, make_scene

ACTIONS: tuple[str, ...] = tuple(sorted(CATALOGUE))
"""The Kinetics-400 labels that can be rendered."""

SUPERSAMPLING = 2
SUBPIXEL_BITS = 3
MIN_SIZE = 16


def render_clip(action: str, seed: int, frames: int = 16, size: int = 112) -> np.ndarray:
    """A clip of a puppet performing ``action``, about two seconds long whatever the number of frames.

    The clip depends on nothing but the arguments; another ``frames`` or ``size`` resamples the same scene,
    and the same ``seed`` gives every action the same people, colours, backdrop and light.

    Args:
        action: one of ``ACTIONS``.
        seed: any integer.
        frames: number of frames T >= 1; the first and last are the ends of the same time span.
        size: height and width of the square frames in pixels, >= 16.

    Returns:
        RGB video, uint8 of shape (frames, size, size, 3).

    Raises:
        LeapsError: for an unknown action, or ``frames`` or ``size`` too small.
    """
    if action not in CATALOGUE:
        raise LeapsError(f"unknown action {action!r}; the known ones are: {', '.join(ACTIONS)}")
    if frames < 1:
        raise LeapsError(f"a clip needs at least 1 frame, not {frames}")
    if size < MIN_SIZE:
        raise LeapsError(f"frames need a size of at least {MIN_SIZE} pixels, not {size}")
    shoot = _plan(CATALOGUE[action], seed)
    times = np.linspace(0.0, 1.0, frames) if frames > 1 else np.array([0.5])
    gain = shoot.scene.gain(size)
    return np.stack([_frame(shoot, float(u), size, gain) for u in times])


@dataclass(frozen=True)
class View:
    """Orthographic projection of body space to the frame; pixels = points @ matrix.T + offset."""

    matrix: np.ndarray
    offset: np.ndarray
    toward: Vec
    pixels_per_unit: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixel positions (N, 2), x right and y down, of ``points`` (N, 3)."""
        return points @ self.matrix.T + self.offset


@dataclass(frozen=True)
class Shoot:
    """One clip's fixed choices: who plays what, from where it is seen, and when it starts.

    ``scale`` is frame heights per body unit; ``anchor`` is where the body origin is, in frame heights from
    the top left corner; angles in radians; ``flip`` is 1 or -1.
    """

    action: Action
    scene: Scene
    build: Build
    yaw: float
    pitch: float
    flip: float
    scale: float
    anchor: tuple[float, float]
    cycles: float
    start: float

    def moment(self, u: float) -> Moment:
        """What happens at clip time ``u`` in 0..1 (of the motion, before it is played backwards)."""
        return self.action.motion(Beat(self.start + self.cycles * u, u, self.cycles, self.scene.style))

    def view(self, u: float, pixels: int) -> View:
        """The camera at time ``u`` for a canvas of ``pixels`` on a side."""
        dx, dy, zoom = self.scene.camera.at(u)
        cy, sy = math.cos(self.yaw), math.sin(self.yaw)
        cp, sp = math.cos(self.pitch), math.sin(self.pitch)
        right = np.array((self.flip * cy, 0.0, self.flip * sy))
        toward = np.array((-sy * cp, sp, cy * cp))
        down = np.array((-sy * sp, -cp, cy * sp))
        k = self.scale * zoom * pixels
        centre = np.array(self.anchor) - 0.5
        offset = (centre * zoom + 0.5 + (dx, dy)) * pixels
        return View(np.stack((right, down)) * k, offset, toward, k)


def _plan(action: Action, seed: int) -> Shoot:
    scene = make_scene(seed)
    rng = np.random.default_rng([seed & 0xFFFFFFFFFFFFFFFF, 7])
    views = action.yaws
    low, high = views[int(rng.random() * len(views))]
    yaw = low + (high - low) * rng.random()
    pitch = action.pitch[0] + (action.pitch[1] - action.pitch[0]) * rng.random()
    half_width, bottom, top = action.box
    # The limit leaves a rim for the camera's pan, zoom and shake.
    scale = rng.uniform(0.82, 1.0) * 0.93 / max(top - bottom, 2 * half_width)
    sides = max(0.5 - 0.04 - scale * half_width, 0.0)
    slack = max(0.95 - scale * (top - bottom), 0.0)
    x = 0.5 + sides * rng.uniform(-1, 1)
    y = 0.97 + scale * bottom - slack * rng.uniform(0, 0.8)
    cycles = action.cycles[0] + (action.cycles[1] - action.cycles[0]) * rng.random()
    return Shoot(
        action=action,
        scene=scene,
        build=BABY if action.baby else stout(ADULT, scene.girth),
        yaw=math.radians(yaw),
        pitch=math.radians(pitch),
        flip=1.0 if rng.random() < 0.5 else -1.0,
        scale=scale,
        anchor=(x, y),
        cycles=cycles,
        start=rng.random(),
    )


def _frame(shoot: Shoot, u: float, size: int, gain: np.ndarray) -> np.ndarray:
    if shoot.action.backwards:
        u = 1.0 - u
    pixels = SUPERSAMPLING * size
    moment, view = shoot.moment(u), shoot.view(u, pixels)
    # Backdrop and shadow are soft: made at the final size and merely repeated, they cost a quarter.
    behind = _backdrop(shoot, moment, u, view, size)
    if moment.ground is not None:
        _cast_shadow(behind, view, moment.ground, shoot.scene.shadow)
    canvas = cv2.resize(behind, (pixels, pixels), interpolation=cv2.INTER_NEAREST)
    paint(canvas, dress(moment.pose, shoot.build, shoot.scene.look) + moment.props, view)
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return cv2.multiply(small, gain, scale=1 / 128)


def _backdrop(shoot: Shoot, moment: Moment, u: float, view: View, size: int) -> np.ndarray:
    """The backdrop as the camera sees it, mirrored at its borders where the world scrolls past them."""
    dx, dy, zoom = shoot.scene.camera.at(u)
    scroll = view.matrix @ moment.scroll / SUPERSAMPLING
    k = zoom * MARGIN * size / BACKDROP
    centre = size / 2 - k * BACKDROP / 2
    matrix = np.array([[k, 0, centre + dx * size + scroll[0]], [0, k, centre + dy * size + scroll[1]]])
    return cv2.warpAffine(shoot.scene.backdrop, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _cast_shadow(behind: np.ndarray, view: View, ground: Vec, strength: float) -> None:
    """Darken a soft ellipse on the floor around ``ground``; ``behind`` is not supersampled, ``view`` is."""
    x, y = view.project(ground[None])[0] / SUPERSAMPLING
    rx, ry = (part * view.pixels_per_unit / SUPERSAMPLING for part in (0.3, 0.075))
    size = behind.shape[0]
    left, right = max(int(x - rx), 0), min(int(x + rx), size)
    top, bottom = max(int(y - ry), 0), min(int(y + ry), size)
    if left >= right or top >= bottom:
        return
    across = (np.arange(left, right, dtype=np.float32) - x) / rx
    along = (np.arange(top, bottom, dtype=np.float32) - y) / ry
    inside = np.clip(1 - across[None] ** 2 - along[:, None] ** 2, 0, 1)
    patch = behind[top:bottom, left:right]
    patch[:] = patch * (1 - np.float32(strength) * np.sqrt(inside))[..., None]


# --- painting -------------------------------------------------------------------------------------------

RIM = 0.02
"""Thickness of the dark rim around shapes, in body units (split between both sides)."""


def paint(canvas: np.ndarray, parts: list[Part], view: View) -> None:
    """Paint ``parts`` onto ``canvas`` (uint8 RGB, in place), the farthest first."""
    parts = sorted(parts, key=lambda part: float(part.at @ view.toward) + part.bias)
    points = view.project(np.concatenate([shape.points for part in parts for shape in part.shapes]))
    grid = np.rint(points * (1 << SUBPIXEL_BITS)).astype(np.int32)
    k, position = view.pixels_per_unit, 0
    for part in parts:
        placed: list[tuple[Shape, np.ndarray]] = []
        for shape in part.shapes:
            placed.append((shape, grid[position : position + len(shape.points)]))
            position += len(shape.points)
        for shape, pts in placed:
            if shape.edge:
                _draw(canvas, pts, shape, shade(shape.colour, 0.42), (shape.width + RIM) * k)
        for shape, pts in placed:
            _draw(canvas, pts, shape, shade(shape.colour, 0.8) if shape.sheen else shape.colour, shape.width * k)
            if shape.sheen:
                shift = np.int32(-0.1 * shape.width * k * (1 << SUBPIXEL_BITS))
                _draw(canvas, pts + shift, shape, shape.colour, 0.7 * shape.width * k)


def _draw(canvas: np.ndarray, pts: np.ndarray, shape: Shape, colour: tuple[int, int, int], width: float) -> None:
    thickness = max(int(width + 0.5), 1)
    if len(pts) == 1:
        radius = max(int(width / 2 * (1 << SUBPIXEL_BITS)), 1)
        cv2.circle(canvas, (int(pts[0, 0]), int(pts[0, 1])), radius, colour, -1, cv2.LINE_8, SUBPIXEL_BITS)
        return
    if shape.filled:
        cv2.fillPoly(canvas, [pts], colour, cv2.LINE_8, SUBPIXEL_BITS)
        if thickness == 1:
            return
    cv2.polylines(canvas, [pts], shape.filled, colour, thickness, cv2.LINE_8, SUBPIXEL_BITS)
