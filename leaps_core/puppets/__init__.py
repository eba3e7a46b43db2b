"""A small procedural world of articulated puppets that perform sixteen Kinetics-400 actions.

``render_clip`` draws one clip, ``ACTIONS`` lists the labels. Drawing needs NumPy and OpenCV only.

How the parts fit together::

    actions/     (phase, style) -> a Pose and the parts of the props, in body units
    figure.py    Pose + Build + Look -> the parts of a dressed body
    scene.py     seed -> backdrop, light, camera path (blind to the action)
    render.py    projects the parts, paints them far to near over the backdrop
"""

from .render import ACTIONS, render_clip

__all__ = ["ACTIONS", "render_clip"]
