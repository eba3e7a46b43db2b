"""Climbing, abseiling, skipping: what is done with a rope, and with a hoop."""

from __future__ import annotations

import math

import numpy as np

from ..figure import LEFT, RIGHT, SIDES, Part, Shape, arc, pair, standing, stroke, unit, vec
from .base import TAU, Beat, Moment, smooth

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
