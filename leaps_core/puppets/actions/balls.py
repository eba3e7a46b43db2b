"""What is done with balls."""

from __future__ import annotations

import math

from ..figure import LEFT, RIGHT, Part, Shape, Vec, arc, dot, plate, standing, stroke, unit, vec
from .base import TAU, Beat, Moment, bob, smooth, through


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
        pelvis=bob(beat, 0.006),
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
