"""What the hands do before the chest: clapping, drumming, eating, cooking, playing."""

from __future__ import annotations

import math

from ..figure import SIDES, UP, Colour, Part, Vec, arc, dot, pair, plate, shade, standing, stroke, unit, vec
from .base import TAU, Beat, Moment, bob


def _before_chest(beat: Beat, spread: tuple[float, float], lift: tuple[float, float]) -> Moment:
    """Hands ``spread`` left and right of, and ``lift`` above, one shared rest point before the chest."""
    a, b = beat.style.quirks[:2]
    rest = vec(0, 0.655 + 0.07 * a, 0.22 + 0.04 * b)
    hands = pair(rest + vec(side * spread[i], lift[i], 0) for i, side in enumerate(SIDES))
    elbows = (vec(1, -0.7, -0.3), vec(-1, -0.7, -0.3))
    pose = standing(hands, pelvis=bob(beat), lean=vec(0.015 * beat.swing(0.5), 0, 0), elbows=elbows)
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
