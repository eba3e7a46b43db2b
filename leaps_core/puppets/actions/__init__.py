"""The sixteen actions by their Kinetics-400 labels."""

from __future__ import annotations

from .balls import bowling, dribbling_basketball, juggling_balls
from .base import Action, Beat, Moment
from .body import crawling_baby, riding_a_bike, side_kick, tai_chi
from .hands import air_drumming, clapping, eating_watermelon, making_pizza, playing_trumpet
from .ropes import hula_hooping, on_a_rope, skipping_rope

__all__ = ["CATALOGUE", "Action", "Beat", "Moment"]
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
