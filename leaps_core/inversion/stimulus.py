"""The real clips that prime a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .. import video
from ..config import SynthesisConfig, bundled_action, bundled_seed
from ..errors import ConfigError, did_you_mean
from ..models import PUPPETS, ModelSpec
from ..models.shapes import clip_shape
from ..puppets import ACTIONS, render_clip


def stimulus_clips(config: SynthesisConfig, spec: ModelSpec) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read `config.stimuli` as uint8 (N, T, H, W, 3), and what there is to say about them. Raises `LeapsError`."""
    frames, size, _ = clip_shape(config, spec)
    clips, notices = [], []
    for stimulus in config.stimuli:
        seed = bundled_seed(stimulus)
        if seed is not None:
            if spec.world != PUPPETS:
                notices.append(f"There are no bundled clips of the world {spec.world}.")
                continue
            clips.append(render_clip(_known(bundled_action(stimulus, config.action)), seed, frames, size))
        else:
            span = spec.span(frames)
            read = video.read(stimulus, frames, size, start=config.stimulus_start, span=span)
            clips.append(read.frames)
            notices += read.notices
            if span and read.duration - config.stimulus_start > span:
                notices.append(
                    f"“{spec.key}” was trained on frames {spec.stride}/30 s apart: {span:.1f} s of "
                    f"“{Path(stimulus).name}” are used. Choose another start to use another part."
                )
    return np.stack(clips) if clips else np.zeros((0, frames, size, size, 3), np.uint8), tuple(notices)


def _known(action: str) -> str:
    """An action that the bundled world shows. Raises `ConfigError` for another."""
    if action not in ACTIONS:
        raise ConfigError(f"No bundled clip shows “{action}”.{did_you_mean(action, ACTIONS)} Known: {', '.join(ACTIONS)}.")
    return action
