"""Links that bring their settings along: `?model=puppet_csn&action=bowling&r=0.002` opens the page with these in its controls,
here or on another server that has the model; `&run=ID` puts that run on the stage, too, if the visitor may see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from leaps_core import models
from leaps_core.cli.synth import setting
from leaps_core.config import FIELDS, SynthesisConfig, bundled_seed

from . import controls

MAIN = ("model", "action")


def query(config: SynthesisConfig) -> str:
    """The part of a link after its question mark: what differs from the settings that suit the model. A video of the visitor's
    own can't travel in a link, and is left out."""
    said, usual = config.model_dump(mode="json"), models.configure(config.model, config.action).model_dump(mode="json")
    said["stimuli"] = [stimulus for stimulus in config.stimuli if bundled_seed(stimulus) is not None]
    own = {name: value for name, value in said.items() if name not in MAIN and value != usual[name]}
    words = {name: value if isinstance(value, str) else json.dumps(value) for name, value in own.items()}
    return urlencode({name: said[name] for name in MAIN} | words)


def read(params: Mapping[str, str]) -> SynthesisConfig | None:
    """What a link asks for; None: it asks for nothing. Words that are no settings are passed over, as others add some of their
    own. Raises `LeapsError`."""
    if any(name not in params for name in MAIN):
        return None
    known = [f"{name}={value}" for name, value in params.items() if name in FIELDS and name not in MAIN]
    config = models.configure(params["model"], params["action"], dict(map(setting, known)))
    controls.check_bundled(config)
    return config
