"""The sixteen actions: each a function from a moment of the clip to a pose and the props around it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from leaps_core.puppets.figure import (
    LEFT,
    RIGHT,
    SIDES,
    UP,
    Colour,
    Part,
    Pose,
    Shape,
    Vec,
    arc,
    dot,
    pair,
    plate,
    shade,
    standing,
    stroke,
    unit,
    vec,
)
from leaps_core.puppets.scene import Style

TAU = math.tau


@dataclass(frozen=True)
class Beat:
    """A moment: ``phase`` in cycles of the action, ``u`` the clip's time in 0..1.

    ``cycles`` is the phase that the whole clip spans.
    """

    phase: float
    u: float
    cycles: float
    style: Style

    def swing(self, per_cycle: float = 1.0, shift: float = 0.0) -> float:
        """A sine of the phase in -1..1; ``shift`` in cycles."""
        return math.sin(TAU * (self.phase * per_cycle + shift))


@dataclass
class Moment:
    """What there is to see at one moment, in body units.

    ``scroll`` is how far the world behind has moved; ``ground`` is the spot under which the shadow lies.
    """

    pose: Pose
    props: list[Part] = field(default_factory=list)
    scroll: Vec = field(default_factory=lambda: vec(0, 0, 0))
    ground: Vec | None = field(default_factory=lambda: vec(0, 0, 0))


@dataclass(frozen=True)
class Action:
    """How an action is played and filmed.

    ``yaws`` are the ranges of camera angles in degrees (0 sees the front, 90 the side), ``cycles`` the range
    of repetitions in a clip, ``box`` the half width, bottom and top, in body units, that must stay in frame.
    ``backwards`` plays the motion, and the camera, from end to start.
    """

    motion: Callable[[Beat], Moment]
    yaws: tuple[tuple[float, float], ...]
    cycles: tuple[float, float]
    box: tuple[float, float, float]
    pitch: tuple[float, float] = (4.0, 14.0)
    baby: bool = False
    backwards: bool = False


def smooth(x: float) -> float:
    """The smoothstep of ``x`` clipped to 0..1."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def through(t: float, *keys: tuple[float, Any]) -> Any:
    """The value at time ``t`` of an eased path through ``(time, value)`` keys (floats or vectors)."""
    if t <= keys[0][0]:
        return keys[0][1]
    for (start, before), (stop, after) in pairwise(keys):
        if t <= stop:
            return before + (after - before) * smooth((t - start) / (stop - start))
    return keys[-1][1]


def _bob(beat: Beat, amount: float = 0.012) -> Vec:
    return vec(0, 0.488 + amount * beat.swing(2), 0)


# --- hands before the chest: clapping and air drumming --------------------------------------------------


def _before_chest(beat: Beat, spread: tuple[float, float], lift: tuple[float, float]) -> Moment:
    """Hands ``spread`` left and right of, and ``lift`` above, one shared rest point before the chest."""
    a, b = beat.style.quirks[:2]
    rest = vec(0, 0.655 + 0.07 * a, 0.22 + 0.04 * b)
    hands = pair(rest + vec(side * spread[i], lift[i], 0) for i, side in enumerate(SIDES))
    elbows = (vec(1, -0.7, -0.3), vec(-1, -0.7, -0.3))
    pose = standing(hands, pelvis=_bob(beat), lean=vec(0.015 * beat.swing(0.5), 0, 0), elbows=elbows)
    return Moment(pose)


def clapping(beat: Beat) -> Moment:
    """Palms part and meet, level."""
    gap = 0.035 + 0.105 * beat.style.vigour * (1 - beat.swing()) * 0.95
    return _before_chest(beat, (gap, gap), (0.0, 0.0))


def air_drumming(beat: Beat) -> Moment:
    """Fists beat up and down in turn on drums that are not there."""
    lift = 0.14 * beat.style.vigour * beat.swing()
    spread = 0.045 + 0.09 * beat.style.quirks[2]
    return _before_chest(beat, (spread, spread), (lift, -lift))


# --- one rope, two directions: climbing and abseiling ---------------------------------------------------

STRIDE = 0.3
"""Body heights gained per cycle on the rope."""


def on_a_rope(beat: Beat) -> Moment:
    """Hand over hand up a hanging rope; abseiling is this motion played backwards.

    Part of the rise shows as the body rising in the frame, the rest as the rope and the world sinking.
    """
    p, q = beat.phase, beat.style.quirks
    height = STRIDE * beat.cycles * (beat.u - 0.5)
    followed = (0.15 + 0.4 * q[0]) * height
    body = vec(0.02 * beat.swing(0.5), 0.48 + height - followed, -0.02)

    def grip(shift: float, reach: float) -> float:
        """Height above the body of a limb that holds the rope half a cycle, then moves up it."""
        t = (p + shift) % 1.0
        return reach * (0.5 - t / 0.5 if t < 0.5 else smooth((t - 0.5) / 0.5) - 0.5)

    rope_z = 0.15
    hands = pair(body + vec(0.012 * s, 0.44 + grip(sh, STRIDE * 0.75), rope_z + 0.02) for s, sh in ((LEFT, 0.0), (RIGHT, 0.5)))
    feet = pair(body + vec(0.03 * s, -0.29 + grip(sh, STRIDE * 0.55), rope_z - 0.02) for s, sh in ((LEFT, 0.5), (RIGHT, 0.0)))
    pose = standing(
        hands,
        feet,
        pelvis=body,
        lean=vec(0, 0, 0.05),
        knees=(vec(1, 0.3, 0.8), vec(-1, 0.3, 0.8)),
        elbows=(vec(1, -0.6, 0), vec(-1, -0.6, 0)),
        face=unit(vec(0, 0.35, 1)),
    )
    return Moment(pose, [_rope(rope_z, -followed)], scroll=vec(0, -followed, 0), ground=None)


def _rope(z: float, offset: float) -> Part:
    """A rope from top to bottom of the frame whose twist is fixed to the world, moved up by ``offset``."""
    shapes = [stroke([vec(0, -1.5, z), vec(0, 3, z)], 0.042, (214, 178, 116))]
    pitch = 0.15
    for k in range(-8, 18):
        y = k * pitch + offset % (2 * pitch)
        dark = (120, 82, 44) if k % 2 else (188, 60, 44)
        shapes.append(stroke([vec(-0.018, y - 0.018, z), vec(0.018, y + 0.018, z)], 0.024, dark, edge=False))
    return Part(shapes, vec(0, 0.6, z), -0.02)


# --- balls ----------------------------------------------------------------------------------------------


def juggling_balls(beat: Beat) -> Moment:
    """The three-ball cascade: a ball is thrown from the inside, flies over the head, lands on the outside."""
    held, rise = 0.16, 0.46 + 0.12 * beat.style.quirks[0]
    flight = 0.5 - held
    level, z = 0.6, 0.2
    inner, outer = 0.07, 0.23

    def hand(side: float) -> Vec:
        t = (beat.phase + (0.0 if side == LEFT else 0.5)) % (1 / 3)
        if t < held:
            return vec(side * through(t, (0, outer), (held, inner)), level - 0.05 * math.sin(math.pi * t / held), z)
        back = (t - held) / (1 / 3 - held)
        return vec(side * (inner + (outer - inner) * smooth(back)), level, z)

    def ball(k: int) -> Vec:
        q = (beat.phase + k / 3) % 1.0
        side, t = (LEFT, q) if q < 0.5 else (RIGHT, q - 0.5)
        if t < held:
            return hand(side) + vec(0, 0.055, 0.02)
        f = (t - held) / flight
        return vec(side * (inner - (inner + outer) * f), level + 0.055 + rise * 4 * f * (1 - f), z + 0.02)

    balls = [
        Part([dot(ball(k), 0.115, colour)], ball(k), 0.05)
        for k, colour in enumerate(((235, 60, 60), (255, 214, 50), (60, 130, 240)))
    ]
    pose = standing(
        (hand(LEFT), hand(RIGHT)),
        pelvis=_bob(beat, 0.006),
        face=unit(vec(0, 0.4, 1)),
        elbows=(vec(0.5, -1, -0.6), vec(-0.5, -1, -0.6)),
    )
    return Moment(pose, balls)


def dribbling_basketball(beat: Beat) -> Moment:
    """A ball between the right hand and the floor, under gravity."""
    r = 0.115
    q = beat.phase % 1.0
    above = abs(2 * q - 1)
    top = 0.48 + 0.1 * beat.style.quirks[0]
    centre = vec(-0.2, r + (top - r) * (1 - (1 - above) ** 2), 0.2)
    push = max(centre[1] + r + 0.03, 0.5)
    hand = vec(-0.2, push, 0.18)
    spin = beat.phase * 0.6
    pose = standing(
        (vec(0.26, 0.62 + 0.02 * beat.swing(), 0.16), hand),
        (vec(0.12, 0.035, 0.12), vec(-0.1, 0.035, -0.12)),
        pelvis=vec(0, 0.44 + 0.02 * math.cos(TAU * q), 0),
        lean=vec(-0.03, 0, 0.07),
        elbows=(vec(1, -0.5, -0.5), vec(-1, -0.2, -0.8)),
        face=unit(vec(-0.3, -0.2, 1)),
    )
    return Moment(pose, [_basketball(centre, r, spin)])


def _basketball(centre: Vec, r: float, spin: float) -> Part:
    seam = (74, 36, 18)
    shapes = [dot(centre, 2 * r, (238, 124, 40))]
    c, s = math.cos(TAU * spin), math.sin(TAU * spin)
    axes = (vec(1, 0, 0), vec(0, c, s), vec(0, -s, c))
    for i in range(3):
        u, v = axes[i] * r * 0.97, axes[(i + 1) % 3] * r * 0.97
        shapes.append(Shape(arc(centre, u, v, count=17), seam, 0.014, edge=False, sheen=False))
    return Part(shapes, centre, 0.04)


def bowling(beat: Beat) -> Moment:
    """A short run-up, a pendulum swing of the right arm, and the ball rolls into the pins."""
    u = min(1.0, beat.u * (0.92 + 0.16 * beat.style.quirks[0]) + 0.04)
    release, strike, pins_z = 0.44, 0.8, 0.54
    z = through(u, (0.0, -0.72), (0.4, -0.45), (1.0, -0.42))
    crouch = through(u, (0.05, 0.0), (release, 0.11), (0.75, 0.1), (1.0, 0.03))
    pelvis = vec(0, 0.49 - crouch, z)
    angle = through(u, (0.0, 0.9), (0.12, 0.7), (0.29, -1.25), (release, 0.45), (0.58, 1.9), (1.0, 1.5))
    lean = vec(0, -0.25 * crouch, 0.04 + 1.1 * crouch)
    shoulder = pelvis + vec(-0.12, 0.275, 0) + lean
    right = shoulder + 0.3 * vec(0, -math.cos(angle), math.sin(angle))
    left = pelvis + vec(0.3, 0.28 - crouch, 0.02)
    feet = (
        vec(0.07, 0.035, through(u, (0.0, -0.85), (0.15, -0.6), (0.24, -0.6), (0.4, -0.22))),
        vec(
            -0.08,
            0.035 + 0.05 * math.sin(math.pi * smooth((u - 0.12) / 0.14)),
            through(u, (0.0, -0.66), (0.14, -0.66), (0.26, -0.5), (0.32, -0.5), (0.46, -0.82)),
        ),
    )
    r = 0.075
    rolled = min(max((u - release) / (strike - release), 0.0), 1.4)
    if u < release:
        ball = right + 0.07 * unit(right - shoulder)
    else:
        start = pelvis[2] + 0.2
        ball = vec(-0.12, r + 0.06 * (1 - smooth(rolled / 0.15)), start + (pins_z - start) * rolled)
    pose = standing((left, right), feet, pelvis=pelvis, lean=lean, elbows=(vec(0, -1, -0.4), vec(0, -0.2, -1)))
    hit = smooth((u - strike + 0.02) / 0.14)
    props = [
        _pin(vec(x, 0, pins_z + dz), hit * (0.9 + 0.5 * dz * 8))
        for x, dz in ((-0.12, 0.02), (-0.19, 0.1), (-0.05, 0.1), (-0.12, 0.18), (-0.24, 0.18))
    ]
    spin = rolled * 2.2
    hole = ball + 0.8 * r * vec(0.5, math.cos(TAU * spin), -math.sin(TAU * spin))
    colour = (56, 70, 190) if beat.style.quirks[1] < 0.5 else (176, 34, 60)
    props.append(Part([dot(ball, 2 * r, colour)], ball, 0.04))
    props.append(Part([dot(hole, 0.04, (20, 20, 30), edge=False, sheen=False)], hole, 0.05))
    lane = [vec(0.12, 0, -0.95), vec(-0.36, 0, -0.95), vec(-0.36, 0, 0.9), vec(0.12, 0, 0.9)]
    props.append(Part([plate(lane, (222, 180, 122))], vec(0, -3, -3)))
    return Moment(pose, props, ground=vec(0, 0, z))


def _pin(foot: Vec, fall: float) -> Part:
    """A pin on ``foot``; ``fall`` tips it away from the player, 1 lying flat."""
    tip = min(fall, 1.0) * math.pi / 2
    up = vec(0.35 * math.sin(tip), math.cos(tip), math.sin(tip))
    foot = foot + vec(0, 0.035, 0.1 * fall)
    white = (250, 248, 240)
    return Part(
        [
            stroke([foot, foot + 0.07 * up], 0.078, white),
            stroke([foot + 0.07 * up, foot + 0.19 * up], 0.05, white),
            stroke([foot + 0.135 * up, foot + 0.14 * up], 0.045, (214, 40, 44), edge=False),
        ],
        foot,
    )


# --- on the floor, on wheels ----------------------------------------------------------------------------


def crawling_baby(beat: Beat) -> Moment:
    """Hands and knees; a hand moves together with the opposite knee."""
    p, stride = beat.phase, 0.2 * beat.style.vigour
    speed = stride * 1.1
    z = speed * beat.cycles * (beat.u - 0.5)
    sway = 0.02 * beat.swing()

    def step(shift: float) -> tuple[float, float]:
        """How far ahead of its rest a limb is, and how high: half a cycle planted, half in the air."""
        t = (p + shift) % 1.0
        if t < 0.5:
            return stride * (0.5 - 2 * t), 0.0
        return stride * (2 * t - 1.5), 0.085 * math.sin(TAU * (t - 0.5))

    hands, feet = [], []
    for side, shift in ((LEFT, 0.0), (RIGHT, 0.5)):
        ahead, lift = step(shift)
        hands.append(vec(0.11 * side, 0.045 + lift, z + 0.25 + ahead))
        ahead, lift = step(shift + 0.5)
        feet.append(vec(0.09 * side, 0.05 + 0.5 * lift, z - 0.38 + 0.8 * ahead))
    pelvis = vec(sway, 0.235, z - 0.19)
    chest = vec(-sway, 0.31 + 0.01 * beat.swing(2), z + 0.15)
    head = chest + vec(0.5 * sway, 0.13 + 0.012 * beat.swing(2, 0.2), 0.165)
    pose = Pose(
        pelvis,
        chest,
        head,
        pair(hands),
        pair(feet),
        face=unit(vec(0.15 * beat.swing(0.5), 0.05, 1)),
        knees=(vec(0, -1, 0.9),) * 2,
        elbows=(vec(0.6, 0, -1), vec(-0.6, 0, -1)),
        twist=0.12 * beat.swing(),
        hip_twist=-0.15 * beat.swing(),
    )
    nappy = Part([dot(pelvis + vec(0, 0.01, -0.02), 0.29, (248, 248, 244))], pelvis, -0.01)
    return Moment(pose, [nappy], ground=vec(0, 0, z))


def riding_a_bike(beat: Beat) -> Moment:
    """A rider on a bicycle; the camera rides along, wholly or in part."""
    q = beat.style.quirks
    travel = (0.9 + 0.5 * q[0]) * (beat.u - 0.5)
    z = (1 - q[1]) * 0.32 * (beat.u - 0.5)
    r = 0.225
    wheels = (vec(0, r, z - 0.34), vec(0, r, z + 0.37))
    crank, seat, neck = vec(0, 0.24, z - 0.04), vec(0, 0.6, z - 0.17), vec(0, 0.61, z + 0.27)
    bar = vec(0, 0.69, z + 0.25)
    turn = TAU * beat.phase
    pedals = pair(crank + vec(0.07 * s, 0.09 * s * math.cos(turn), 0.09 * s * math.sin(turn)) for s in SIDES)
    colour = beat.style.accents[0]
    pelvis = seat + vec(0.008 * beat.swing(), 0.05, 0.01)
    chest = pelvis + vec(0, 0.235, 0.15)
    pose = Pose(
        pelvis,
        chest,
        chest + vec(0, 0.13, 0.06 + 0.006 * beat.swing(2)),
        pair(bar + vec(0.14 * s, 0.02, 0.0) for s in SIDES),
        pair(p + vec(0.02 * s, 0.035, -0.03) for p, s in zip(pedals, SIDES)),
        elbows=(vec(0.7, -1, -0.2), vec(-0.7, -1, -0.2)),
        knees=(vec(0.1, 0.5, 1), vec(-0.1, 0.5, 1)),
    )
    props = [_wheel(w, r, travel / r * 0.9) for w in wheels]
    tube = 0.036
    props.append(
        Part(
            [
                stroke([wheels[0], crank, neck, seat + vec(0, -0.05, 0.02), wheels[0]], tube, colour),
                stroke([crank, seat], tube, colour),
                stroke([wheels[1], neck, bar], tube, colour),
                stroke([seat + vec(0, 0, -0.07), seat + vec(0, 0.005, 0.06)], 0.05, (40, 36, 40)),
                stroke([bar + vec(0.14, 0, 0), bar + vec(-0.14, 0, 0)], 0.034, (60, 60, 66)),
            ],
            crank + vec(0, 0.1, 0),
            -0.01,
        )
    )
    for pedal, side in zip(pedals, SIDES):
        arm = stroke([crank + vec(0.05 * side, 0, 0), pedal], 0.03, (190, 190, 196))
        props.append(Part([arm, stroke([pedal + vec(0, 0, -0.03), pedal + vec(0, 0, 0.03)], 0.034, (30, 30, 34))], pedal, 0.0))
    return Moment(pose, props, scroll=vec(0, 0, z - travel), ground=vec(0, 0, z))


def _wheel(hub: Vec, r: float, angle: float) -> Part:
    u, v = vec(0, 0, r), vec(0, r, 0)
    shapes = [Shape(arc(hub, u, v, count=31), (44, 44, 50), 0.042, sheen=False)]
    for k in range(5):
        a = TAU * k / 5 - angle
        rim = hub + u * math.cos(a) + v * math.sin(a)
        shapes.append(stroke([hub, rim], 0.015, (214, 214, 220), edge=False))
    reflector = hub + 0.62 * (u * math.cos(-angle) + v * math.sin(-angle))
    shapes.append(dot(reflector, 0.06, (255, 176, 40), edge=False, sheen=False))
    return Part(shapes, hub, -0.02)


# --- food, music, combat --------------------------------------------------------------------------------


def eating_watermelon(beat: Beat) -> Moment:
    """A wedge of watermelon goes to the mouth, stays for a bite, and comes down."""
    near = 0.5 + 0.5 * math.tanh(2.2 * beat.swing()) / math.tanh(2.2)
    low, high = vec(0, 0.6, 0.3), vec(0, 0.8, 0.19)
    centre = low + (high - low) * near
    tilt = 0.5 * near - 0.1
    r = 0.205
    flat, down = vec(r, 0, 0), r * vec(0, -math.cos(tilt), math.sin(tilt))
    bite = near > 0.75
    hands = pair(centre + 0.75 * flat * s + 0.62 * down for s in SIDES)
    pose = standing(
        hands,
        pelvis=vec(0, 0.49, 0),
        lean=vec(0, 0, 0.02 + 0.015 * near),
        elbows=(vec(1, -0.9, 0.1), vec(-1, -0.9, 0.1)),
        face=unit(vec(0, -0.15 * near, 1)),
    )
    pose.head = pose.head + vec(0, 0.008 * beat.swing(4) if bite else 0.0, 0.015 * near)
    shapes = [
        plate(arc(centre, flat, down, 0, math.pi), (46, 128, 58)),
        plate(arc(centre, 0.9 * flat, 0.9 * down, 0, math.pi), (226, 244, 206), edge=False),
        plate(arc(centre, 0.82 * flat, 0.82 * down, 0, math.pi), (236, 62, 74), edge=False),
    ]
    for x, y in ((-0.5, 0.22), (-0.18, 0.28), (0.16, 0.24), (0.48, 0.2), (-0.3, 0.52), (0.02, 0.58), (0.32, 0.5)):
        seed = centre + x * flat + y * down
        shapes.append(stroke([seed, seed + 0.09 * down], 0.022, (40, 20, 20), edge=False))
    return Moment(pose, [Part(shapes, centre + 0.4 * down, 0.01)])


def making_pizza(beat: Beat) -> Moment:
    """Behind a table: sauce is spread in circles, toppings are placed, or the dough is tossed."""
    toss = beat.style.quirks[0] > 0.6
    top = 0.5
    disc, r = vec(0, top + 0.025, 0.36), 0.21
    u, v = vec(r, 0, 0), vec(0, 0, r)
    held: Part | None = None
    if toss:
        up = max(0.0, beat.swing())
        disc = vec(0, 0.66 + 0.48 * up, 0.3)
        spin = TAU * 0.35 * beat.phase
        tilt = 0.35 * beat.swing(1, 0.25)
        u, v = r * vec(math.cos(spin), 0, math.sin(spin)), r * vec(-math.sin(spin), tilt, math.cos(spin))
        lift = 0.14 * max(0.0, beat.swing(1, 0.06)) + 0.04 * min(0.0, beat.swing())
        hands = pair(vec(0.13 * s, 0.64 + lift, 0.27) for s in SIDES)
        face = unit(vec(0, 0.5 * up, 1))
    else:
        circle = 0.11 * beat.style.vigour
        lift = max(0.0, beat.swing(1, 0.3))
        hands = (
            vec(0.17, top + 0.07 + 0.22 * lift, 0.34 - 0.1 * lift),
            disc + vec(-0.05 + circle * math.cos(TAU * beat.phase), 0.06, circle * beat.swing()),
        )
        tip = hands[1] + vec(0.02, -0.035, 0.03)
        held = Part(
            [stroke([hands[1] + vec(-0.03, 0.1, 0), tip], 0.024, (200, 204, 210)), dot(tip, 0.055, (172, 30, 26))], tip, 0.03
        )
        face = unit(vec(0, -0.35, 1))
    pose = standing(
        hands,
        pelvis=vec(0, 0.5, 0),
        lean=vec(0.02 * beat.swing(), 0, 0.05),
        face=face,
        elbows=(vec(1, -0.6, -0.3), vec(-1, -0.6, -0.3)),
    )
    props = [_table(top), _pizza(disc, u, v)]
    if held:
        props.append(held)
    return Moment(pose, props)


def _table(top: float) -> Part:
    w, near, far, wood = 0.44, 0.62, 0.15, (184, 128, 78)
    surface = [vec(-w, top, far), vec(w, top, far), vec(w, top, near), vec(-w, top, near)]
    shapes = [
        stroke([vec(x, top, z), vec(x, 0.02, z)], 0.05, shade(wood, 0.7))
        for z in (far + 0.03, near - 0.03)
        for x in (-w + 0.03, w - 0.03)
    ]
    apron = [vec(-w, top, near), vec(w, top, near), vec(w, top - 0.09, near), vec(-w, top - 0.09, near)]
    ends = [
        plate([vec(x, top, far), vec(x, top, near), vec(x, top - 0.09, near), vec(x, top - 0.09, far)], shade(wood, 0.75))
        for x in (-w, w)
    ]
    return Part([*shapes, *ends, plate(apron, shade(wood, 0.82)), plate(surface, wood)], vec(0, top, 0.17), 0.0)


def _pizza(centre: Vec, u: Vec, v: Vec) -> Part:
    shapes = [
        plate(arc(centre, u, v), (232, 190, 120), width=0.03),
        plate(arc(centre, 0.84 * u, 0.84 * v), (206, 52, 34), edge=False),
        plate(arc(centre, 0.7 * u, 0.7 * v), (248, 214, 110), edge=False),
    ]
    toppings: tuple[tuple[float, float, Colour], ...] = (
        (0.4, 0.25, (176, 36, 36)),
        (-0.35, 0.35, (176, 36, 36)),
        (-0.1, -0.4, (176, 36, 36)),
        (0.45, -0.35, (62, 140, 60)),
        (-0.48, -0.15, (62, 140, 60)),
        (0.05, 0.1, (62, 140, 60)),
    )
    for a, b, colour in toppings:
        spot = centre + a * u + b * v
        shapes.append(plate(arc(spot, 0.15 * u, 0.15 * v, count=9), colour, edge=False))
    return Part(shapes, centre, 0.02)


def playing_trumpet(beat: Beat) -> Moment:
    """Body swaying, the bell bobbing, the right hand's fingers on the valves."""
    sway = 0.045 * beat.style.vigour * beat.swing(0.5, 0.1)
    tilt = 0.05 + 0.24 * beat.style.vigour * beat.swing()
    pelvis = vec(0.4 * sway, 0.49 + 0.01 * beat.swing(2), 0)
    lean = vec(sway, 0, -0.02 - 0.03 * beat.swing())
    pose = standing(
        (UP, UP), pelvis=pelvis, lean=lean, face=unit(vec(0, 0.3 * tilt, 1)), elbows=(vec(0.8, -1, 0), vec(-0.8, -1, 0))
    )
    mouth = pose.head + vec(0, -0.045, 0.1)
    along = unit(vec(0, math.sin(tilt), math.cos(tilt)))
    above = unit(UP - along * float(along[1]))
    pose.hands = (
        mouth + 0.17 * along - 0.045 * above + vec(0.03, 0, 0),
        mouth + 0.2 * along - 0.01 * above + vec(-0.045, 0, 0),
    )
    return Moment(pose, _trumpet(mouth, along, above, beat))


def _trumpet(mouth: Vec, along: Vec, above: Vec, beat: Beat) -> list[Part]:
    gold, side = (252, 200, 56), vec(1, 0, 0)
    bell = mouth + 0.44 * along
    loop = [mouth + a * along + b * above for a, b in ((0.14, 0), (0.12, -0.07), (0.3, -0.07), (0.32, 0))]
    flare = [mouth + 0.29 * along, bell + 0.085 * above, bell - 0.085 * above]
    shapes = [
        stroke(loop, 0.026, shade(gold, 0.85)),
        stroke([mouth, bell - 0.06 * along], 0.032, gold),
        plate(flare, gold, width=0.012),
        plate(arc(bell, 0.085 * side, 0.088 * above), shade(gold, 0.72), width=0.012),
        plate(arc(bell, 0.045 * side, 0.048 * above), (96, 62, 20), edge=False),
    ]
    for k in range(3):
        foot = mouth + (0.19 + 0.035 * k) * along
        press = 0.02 * max(0.0, beat.swing(2, k / 3))
        shapes.append(stroke([foot - 0.05 * above, foot + (0.055 - press) * above], 0.02, (255, 232, 150)))
    return [Part(shapes, mouth + 0.3 * along, 0.02)]


def side_kick(beat: Beat) -> Moment:
    """The knee is drawn up, the leg shoots out sideways at hip height and returns."""
    t = beat.phase % 1.0
    ground, chamber = vec(0.12, 0.035, 0.02), vec(0.12, 0.4, 0.14)
    out = vec(0.56, 0.5 + 0.09 * beat.style.quirks[0], 0.02)
    foot = through(t, (0.0, ground), (0.2, chamber), (0.42, out), (0.52, out), (0.72, chamber), (0.95, ground))
    weight = through(t, (0.0, 0.0), (0.2, 0.5), (0.42, 1.0), (0.52, 1.0), (0.72, 0.5), (0.95, 0.0))
    hop = 0.008 * beat.swing(2)
    pelvis = vec(-0.05 * weight - 0.01, 0.475 + 0.02 * weight + hop, 0)
    pose = standing(
        (pelvis + vec(0.12 - 0.06 * weight, 0.27, 0.19), pelvis + vec(-0.1 - 0.16 * weight, 0.25 - 0.06 * weight, 0.17)),
        (foot, vec(-0.1, 0.035, -0.02)),
        pelvis=pelvis,
        lean=vec(-0.17 * weight, -0.03 * weight, 0),
        elbows=(vec(1, -1, 0), vec(-1, -1, 0)),
        knees=(vec(0.7, 0.8, 0.8), vec(-0.3, 0, 1)),
        face=unit(vec(0.9, 0, 0.8)),
    )
    return Moment(pose)


def tai_chi(beat: Beat) -> Moment:
    """A wide, low stance: the weight shifts and the arms sweep slow circles, half a turn apart."""
    shift = 0.11 * beat.style.vigour * beat.swing()
    low = 0.4 + 0.025 * beat.swing(2)
    turn = TAU * beat.phase
    pelvis = vec(shift, low, 0)
    hands = pair(
        vec(
            shift + 0.19 * s + 0.15 * math.cos(turn + a),
            low + 0.28 + 0.18 * math.sin(turn + a),
            0.16 + 0.06 * math.cos(turn + a),
        )
        for s, a in ((LEFT, 0.0), (RIGHT, math.pi))
    )
    pose = standing(
        hands,
        (vec(0.25, 0.035, 0), vec(-0.25, 0.035, 0)),
        pelvis=pelvis,
        lean=vec(0.2 * shift, 0, 0),
        knees=(vec(1, 0, 0.7), vec(-1, 0, 0.7)),
        elbows=(vec(1, -0.8, -0.2), vec(-1, -0.8, -0.2)),
        face=unit(vec(2.5 * shift, 0, 1)),
        twist=1.5 * shift,
    )
    return Moment(pose)


# --- hoop and rope --------------------------------------------------------------------------------------


def hula_hooping(beat: Beat) -> Moment:
    """The hips circle, the hoop follows half a turn behind and tilts as it goes round."""
    turn = TAU * beat.phase
    c, s = math.cos(turn), math.sin(turn)
    hips = 0.045 * beat.style.vigour
    pelvis = vec(hips * c, 0.49, hips * s)
    arms = 0.72 + 0.2 * beat.style.quirks[0]
    hands = pair(vec(0.33 * d, arms + 0.03 * d * c, 0.04) for d in SIDES)
    pose = standing(
        hands, pelvis=pelvis, lean=vec(-1.2 * hips * c, 0, -1.2 * hips * s), elbows=(vec(0.2, -1, -0.4), vec(-0.2, -1, -0.4))
    )
    r, tilt = 0.29, 0.3
    centre = vec(-0.15 * c, 0.56, -0.15 * s)
    u, v = r * vec(1, tilt * c, 0), r * vec(0, tilt * s, 1)
    first, second = beat.style.accents[:2]
    props, count = [], 16
    for k in range(count):
        points = arc(centre, u, v, TAU * k / count - turn, TAU * (k + 1) / count - turn, 4)
        colour = first if k % 4 < 2 else second
        # Beside the body the hoop is neither behind nor before it: depth is decided arc by arc.
        props.append(Part([Shape(points, colour, 0.045, sheen=False)], points[1]))
    return Moment(pose, props)


def skipping_rope(beat: Beat) -> Moment:
    """The rope swings over the head and under the feet; the jump meets it at the bottom."""
    turn = TAU * beat.phase
    jump = 0.11 * max(0.0, math.cos(turn) * 0.9 + 0.1)
    crouch = 0.03 * max(0.0, -math.cos(turn))
    body = vec(0, 0.49 + jump - crouch, 0)
    hands = pair(body + vec(0.27 * s, 0.06 + 0.015 * math.cos(turn), 0.08 + 0.03 * math.sin(turn)) for s in SIDES)
    feet = pair(vec(0.06 * s, 0.035 + jump, -0.02) for s in SIDES)
    pose = standing(hands, feet, pelvis=body, elbows=(vec(0.5, -0.4, -1), vec(-0.5, -0.4, -1)))
    swing = vec(0, -math.cos(turn), math.sin(turn))
    middle = (hands[0] + hands[1]) / 2
    radius = 0.58 - 0.04 * math.cos(turn)
    colour = beat.style.accents[0]
    props, count = [], 20
    angles = np.linspace(0, math.pi, count + 1)
    # Wider than the hands and flat in the middle, as a rope under centrifugal pull is.
    across = 0.27 * np.cos(angles) + 0.1 * np.sin(2 * angles)
    points = [middle + vec(x, 0, 0) + swing * radius * math.sin(a) ** 0.7 for x, a in zip(across, angles)]
    for k in range(0, count, 2):
        part = stroke(points[k : k + 3], 0.032, colour)
        props.append(Part([part], points[k + 1]))
    for hand, side in zip(hands, SIDES):
        grip = hand + vec(0.06 * side, 0, 0)
        props.append(Part([stroke([hand, grip], 0.042, (60, 40, 36))], grip, 0.02))
    return Moment(pose, props)


FRONT_OR_OBLIQUE = ((-15.0, 15.0), (20.0, 45.0))
SIDE, OBLIQUE = ((72.0, 100.0),), ((35.0, 65.0),)
ROPE_VIEWS = ((15.0, 75.0), (75.0, 105.0), (110.0, 165.0))

CATALOGUE: dict[str, Action] = {
    "abseiling": Action(on_a_rope, ROPE_VIEWS, (1.5, 2.2), (0.4, -0.12, 1.26), backwards=True),
    "air drumming": Action(air_drumming, FRONT_OR_OBLIQUE, (1.6, 2.6), (0.34, -0.02, 1.04)),
    "bowling": Action(bowling, ((65.0, 95.0), (50.0, 70.0)), (1.0, 1.0), (0.88, -0.12, 1.02)),
    "clapping": Action(clapping, FRONT_OR_OBLIQUE, (1.6, 2.6), (0.34, -0.02, 1.04)),
    "climbing a rope": Action(on_a_rope, ROPE_VIEWS, (1.5, 2.2), (0.4, -0.12, 1.26)),
    "crawling baby": Action(crawling_baby, SIDE + OBLIQUE, (1.5, 2.4), (0.72, -0.1, 0.7), baby=True),
    "dribbling basketball": Action(dribbling_basketball, ((-35.0, 35.0), *SIDE), (1.7, 2.5), (0.38, -0.03, 1.03)),
    "eating watermelon": Action(eating_watermelon, FRONT_OR_OBLIQUE, (1.2, 2.0), (0.34, -0.02, 1.04)),
    "hula hooping": Action(hula_hooping, ((-60.0, 60.0),), (1.5, 2.4), (0.5, -0.02, 1.04), pitch=(9.0, 18.0)),
    "juggling balls": Action(juggling_balls, ((-25.0, 25.0),), (0.8, 1.3), (0.36, -0.02, 1.28)),
    "making pizza": Action(making_pizza, ((-20.0, 20.0), (20.0, 40.0)), (1.3, 2.2), (0.5, -0.24, 1.12), pitch=(20.0, 28.0)),
    "playing trumpet": Action(playing_trumpet, ((35.0, 60.0), *SIDE), (1.2, 2.2), (0.46, -0.02, 1.04)),
    "riding a bike": Action(riding_a_bike, (*SIDE, (50.0, 70.0)), (1.1, 1.9), (0.74, -0.06, 1.14)),
    "side kick": Action(side_kick, ((-30.0, 30.0),), (1.2, 2.0), (0.58, -0.02, 1.03)),
    "skipping rope": Action(skipping_rope, ((-20.0, 20.0), (20.0, 45.0)), (1.5, 2.4), (0.52, -0.1, 1.3)),
    "tai chi": Action(tai_chi, ((-40.0, 40.0),), (0.7, 1.2), (0.54, -0.02, 1.0)),
}
"""Every action by its Kinetics-400 label, sorted."""
