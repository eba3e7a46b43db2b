"""Articulated figures: poses, two-bone limbs and the shapes that dress them.

Body space is right-handed and measured in *body units* (a standing adult is 1.0 high):
``x`` points to the figure's left, ``y`` up, ``z`` the way the figure faces; the floor is ``y = 0``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

Vec = np.ndarray
"""A point or direction, float64 of shape (3,)."""

Colour = tuple[int, int, int]
"""Red, green, blue in 0..255."""

LEFT, RIGHT = 1.0, -1.0
"""Sign of ``x`` on either side of the body; limbs are always listed left first."""

SIDES = (LEFT, RIGHT)


def vec(x: float, y: float, z: float) -> Vec:
    """A vector from its three components."""
    return np.array((x, y, z), dtype=np.float64)


UP, FORWARD = vec(0, 1, 0), vec(0, 0, 1)


def pair(points: Iterable[Vec]) -> tuple[Vec, Vec]:
    """The two ``points`` as (left, right)."""
    left, right = points
    return left, right


def unit(v: Vec) -> Vec:
    """``v`` at length one (a zero vector stays zero)."""
    return v / (math.sqrt(float(v @ v)) or 1.0)


@lru_cache(maxsize=4096)
def shade(colour: Colour, factor: float) -> Colour:
    """``colour`` darkened (factor < 1) or lightened towards white (factor > 1, up to 2)."""
    lift = max(factor - 1.0, 0.0)
    red, green, blue = (int(c * min(factor, 1.0) + (255 - c) * lift) for c in colour)
    return red, green, blue


@dataclass(slots=True)
class Shape:
    """One painted primitive: a dot (one point), a stroke (several) or, if ``filled``, a polygon.

    ``points`` is (N, 3) in body units; ``width`` is the stroke's full thickness or the dot's diameter.
    ``edge`` draws a darker rim around it, ``sheen`` a lighter second tone on the side of the light.
    """

    points: np.ndarray
    colour: Colour
    width: float = 0.0
    filled: bool = False
    edge: bool = True
    sheen: bool = True


@dataclass(slots=True)
class Part:
    """Shapes painted together (all rims below all fills) at the depth of the point ``at`` plus ``bias``."""

    shapes: list[Shape]
    at: Vec
    bias: float = 0.0


def dot(centre: Vec, diameter: float, colour: Colour, *, edge: bool = True, sheen: bool = True) -> Shape:
    """A ball."""
    return Shape(centre[None], colour, diameter, edge=edge, sheen=sheen)


def stroke(points: list[Vec], width: float, colour: Colour, *, edge: bool = True, sheen: bool = False) -> Shape:
    """A round-ended line through ``points``."""
    return Shape(np.array(points), colour, width, edge=edge, sheen=sheen)


def plate(points: list[Vec] | np.ndarray, colour: Colour, *, width: float = 0.0, edge: bool = True) -> Shape:
    """A filled polygon, its corners rounded by ``width``."""
    return Shape(np.asarray(points), colour, width, filled=True, edge=edge, sheen=False)


def arc(centre: Vec, u: Vec, v: Vec, start: float = 0.0, stop: float = math.tau, count: int = 25) -> np.ndarray:
    """Points (count, 3) of ``centre + u cos a + v sin a`` for angles ``start..stop`` in radians."""
    angle = np.linspace(start, stop, count)[:, None]
    return centre + u * np.cos(angle) + v * np.sin(angle)


@dataclass(frozen=True)
class Build:
    """Proportions in body units; limb radii are half thicknesses."""

    head: float = 0.092
    shoulder: float = 0.118
    hip: float = 0.062
    trunk: float = 0.062
    upper_arm: float = 0.165
    forearm: float = 0.155
    thigh: float = 0.245
    shin: float = 0.235
    arm_radius: float = 0.034
    leg_radius: float = 0.047
    hand: float = 0.036


ADULT = Build()
BABY = Build(
    head=0.165,
    shoulder=0.11,
    hip=0.085,
    trunk=0.105,
    upper_arm=0.16,
    forearm=0.15,
    thigh=0.17,
    shin=0.17,
    arm_radius=0.05,
    leg_radius=0.062,
    hand=0.05,
)


def stout(build: Build, factor: float) -> Build:
    """``build`` with its girth, not its bone lengths, scaled by ``factor`` (about 0.85..1.2)."""
    return replace(
        build,
        trunk=build.trunk * factor,
        hip=build.hip * factor,
        shoulder=build.shoulder * (1 + factor) / 2,
        arm_radius=build.arm_radius * factor,
        leg_radius=build.leg_radius * factor,
    )


@dataclass(frozen=True)
class Look:
    """Everything worn, and the colours of skin and hair. ``hair_style`` is one of ``HAIR_STYLES``."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    hat: Colour
    hair_style: str
    long_sleeves: bool
    shorts: bool
    stripe: bool


HAIR_STYLES = ("short", "long", "bun", "bald", "cap")


@dataclass
class Pose:
    """Joint positions in body units; pairs are (left, right).

    ``hands`` and ``feet`` are wrist and ankle targets (a target out of reach stretches the limb straight);
    ``elbows`` and ``knees`` are the directions in which those joints bend. ``twist`` and ``hip_twist`` turn
    shoulders and hips about the vertical, in radians. ``face`` is where the head looks.
    """

    pelvis: Vec
    chest: Vec
    head: Vec
    hands: tuple[Vec, Vec]
    feet: tuple[Vec, Vec]
    elbows: tuple[Vec, Vec] = field(default_factory=lambda: (vec(0.6, -1, -0.5), vec(-0.6, -1, -0.5)))
    knees: tuple[Vec, Vec] = field(default_factory=lambda: (vec(0.25, 0, 1), vec(-0.25, 0, 1)))
    twist: float = 0.0
    hip_twist: float = 0.0
    face: Vec = field(default_factory=lambda: FORWARD)
    crown: Vec = field(default_factory=lambda: UP)


def standing(
    hands: tuple[Vec, Vec],
    feet: tuple[Vec, Vec] | None = None,
    *,
    pelvis: Vec | None = None,
    lean: Vec | None = None,
    **rest: Any,
) -> Pose:
    """An upright pose: ``lean`` shifts the chest (and, half again as far, the head) from above ``pelvis``."""
    feet = feet or (vec(0.085, 0.035, 0), vec(-0.085, 0.035, 0))
    pelvis = vec(0, 0.5, 0) if pelvis is None else pelvis
    lean = vec(0, 0, 0) if lean is None else lean
    return Pose(pelvis, pelvis + vec(0, 0.275, 0) + lean, pelvis + vec(0, 0.41, 0.012) + 1.45 * lean, hands, feet, **rest)


def two_bones(root: Vec, target: Vec, upper: float, lower: float, bend: Vec) -> tuple[Vec, Vec]:
    """Middle joint and end of a two-bone limb from ``root`` towards ``target``, bent towards ``bend``."""
    reach = target - root
    far = math.sqrt(float(reach @ reach))
    distance = min(max(far, abs(upper - lower) + 1e-3), (upper + lower) * 0.999)
    along = reach / (far or 1.0)
    foot = (upper**2 - lower**2 + distance**2) / (2 * distance)
    height = math.sqrt(max(upper**2 - foot**2, 0.0))
    aside = unit(bend - along * float(bend @ along))
    return root + along * foot + aside * height, root + along * distance


def _across(angle: float, half_width: float, side: float) -> Vec:
    return vec(side * half_width * math.cos(angle), 0.0, -side * half_width * math.sin(angle))


def dress(pose: Pose, build: Build, look: Look) -> list[Part]:
    """The parts of a whole body in ``pose``."""
    parts = _trunk(pose, build, look) + _head(pose, build, look)
    for i, side in enumerate(SIDES):
        shoulder = pose.chest + _across(pose.twist, build.shoulder, side)
        parts.append(_arm(shoulder, pose.hands[i], pose.elbows[i], build, look))
        hip = pose.pelvis + _across(pose.hip_twist, build.hip, side)
        parts.append(_leg(hip, pose.feet[i], pose.knees[i], build, look))
    return parts


def _trunk(pose: Pose, build: Build, look: Look) -> list[Part]:
    spine = pose.chest - pose.pelvis
    inset = 0.8 * build.shoulder
    shoulders = [pose.chest - 0.08 * spine + _across(pose.twist, inset, side) for side in SIDES]
    hips = [pose.pelvis + 0.02 * spine + _across(pose.hip_twist, 0.75 * build.hip, side) for side in SIDES]
    girth = 2 * build.trunk
    shapes = [
        stroke([pose.chest, pose.chest + 0.75 * (pose.head - pose.chest)], 0.075, shade(look.skin, 0.82)),
        plate([shoulders[0], shoulders[1], hips[1], hips[0]], look.shirt, width=girth),
    ]
    if look.stripe:
        wider = 1 + 0.55 * build.trunk / inset
        band = [
            wider * end + (1 - wider) * (pose.chest + pose.pelvis) / 2
            for end in (0.55 * s + 0.45 * h for s, h in zip(shoulders, hips))
        ]
        shapes.append(stroke(band, 0.5 * girth, shade(look.shirt, 1.55), edge=False))
    shapes.append(stroke(hips, girth, look.trousers))
    return [Part(shapes, (pose.chest + pose.pelvis) / 2)]


def _head(pose: Pose, build: Build, look: Look) -> list[Part]:
    """Skull, face and hair as spheres: what faces away from the viewer is painted first and gets covered."""
    ahead, up = unit(pose.face), pose.crown
    side = vec(up[1] * ahead[2] - up[2] * ahead[1], up[2] * ahead[0] - up[0] * ahead[2], up[0] * ahead[1] - up[1] * ahead[0])
    points, features = _head_model(look)
    placed = pose.head + points @ (build.head * np.array((side, up, ahead)))
    parts, i = [], 0
    for shape in features:
        stop = i + len(shape.points)
        moved = Shape(placed[i + 1 : stop + 1], shape.colour, shape.width * build.head, edge=shape.edge, sheen=shape.sheen)
        # The face yields to the hair only when clearly turned away: a pure profile must not flicker.
        parts.append(Part([moved], placed[i], 0.06 if i else 0.06 + 0.07 * build.head))
        i = stop + 1
    return parts


@lru_cache(maxsize=64)
def _head_model(look: Look) -> tuple[np.ndarray, list[Shape]]:
    """The head's features in head radii, facing +z: all points, and the shapes they belong to.

    Each shape's points are preceded by the point that decides how near the shape is to the viewer.
    """
    on, ink = vec, (45, 32, 30)
    model: list[tuple[Vec, Shape]] = [(on(0, 0, 0.1), dot(on(0, -0.11, 0.18), 1.8, look.skin))]
    for x in SIDES:
        model.append((on(0.2 * x, 0, 0.08), dot(on(0.94 * x, -0.12, 0), 0.4, look.skin)))
        model.append((on(0.36 * x, 0, 1), dot(on(0.36 * x, 0.02, 0.95), 0.3, ink, edge=False, sheen=False)))
    model.append((on(0, 0, 1), dot(on(0, -0.2, 1.08), 0.3, shade(look.skin, 0.8), edge=False, sheen=False)))
    mouth = [on(-0.25, -0.52, 0.86), on(0, -0.6, 0.92), on(0.25, -0.52, 0.86)]
    model.append((on(0, 0, 1), stroke(mouth, 0.16, (150, 52, 52), edge=False)))
    if look.hair_style != "bald":
        model += _hair(look)
    points = [np.vstack((at[None], shape.points)) for at, shape in model]
    return np.concatenate(points), [shape for _, shape in model]


def _hair(look: Look) -> list[tuple[Vec, Shape]]:
    on = vec
    hair = look.hat if look.hair_style == "cap" else look.hair
    fringe = [on(-0.62, 0.56, 0.45), on(0, 0.78, 0.5), on(0.62, 0.56, 0.45)]
    model = [(on(0, 0, -0.1), dot(on(0, 0.2, -0.2), 2.02, hair)), (on(0, 0, 0.45), stroke(fringe, 0.55, hair, edge=False))]
    if look.hair_style == "cap":
        peak = [on(-0.3, 0.45, 0.9), on(0, 0.45, 1.3), on(0.3, 0.45, 0.9)]
        model.append((on(0, 0, 1), stroke(peak, 0.28, shade(hair, 0.75))))
    elif look.hair_style == "long":
        locks = [on(-0.45, 0, -0.5), on(-0.4, -1.1, -0.6), on(0.4, -1.1, -0.6), on(0.45, 0, -0.5)]
        model.append((on(0, 0, -0.6), stroke(locks, 0.9, hair)))
    elif look.hair_style == "bun":
        model.append((on(0, 0, -0.5), dot(on(0, 1.15, -0.45), 0.9, hair)))
    return model


def _arm(shoulder: Vec, target: Vec, bend: Vec, build: Build, look: Look) -> Part:
    elbow, wrist = two_bones(shoulder, target, build.upper_arm, build.forearm, bend)
    thick = 2 * build.arm_radius
    sleeve = shade(look.shirt, 0.86)
    hand = wrist + 0.5 * build.hand * unit(wrist - elbow)
    shapes = [
        stroke([elbow, wrist], 0.86 * thick, sleeve if look.long_sleeves else look.skin, sheen=True),
        stroke([shoulder, elbow], thick, sleeve, sheen=True),
        dot(hand, 2 * build.hand, look.skin),
    ]
    return Part(shapes, (elbow + wrist) / 2, 0.03)


def _leg(hip: Vec, target: Vec, bend: Vec, build: Build, look: Look) -> Part:
    knee, ankle = two_bones(hip, target, build.thigh, build.shin, bend)
    thick = 2 * build.leg_radius
    shin = unit(ankle - knee)
    toes = unit(FORWARD - shin * float(shin[2]) + 0.25 * unit(bend))
    shapes = [
        stroke([ankle + 0.012 * shin, ankle + 0.012 * shin + 0.075 * toes], 0.062, look.shoes),
        stroke([knee, ankle], 0.8 * thick, look.skin if look.shorts else look.trousers, sheen=True),
        stroke([hip, knee], thick, look.trousers, sheen=True),
    ]
    return Part(shapes, (hip + 2 * knee + ankle) / 4, -0.03)
