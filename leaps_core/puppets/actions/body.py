"""What the whole body does: crawling, cycling, fighting, tai chi."""

from __future__ import annotations

import math

from ..figure import LEFT, RIGHT, SIDES, Part, Pose, Shape, Vec, arc, dot, pair, standing, stroke, unit, vec
from .base import TAU, Beat, Moment, through


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
