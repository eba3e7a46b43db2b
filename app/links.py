"""Links that bring their settings along: `?model=puppet_csn&action=bowling&r=0.002` opens the page with these in its controls,
here or on another server that has the model, and with all others as they suit the model; with `&rest=default`, which the page's
own links say, at the fields' own defaults, which later versions don't change. `&run=ID` puts that run on the stage, too, if the
visitor may see it; `&changes=[[9, "r", 0.01]]` has Start make these changes before the steps of these numbers, and
`&legs=[[40, 160]]` end at step 40 of 160, as a run that was stopped did, or go on from one leg to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from leaps_core import models, runs
from leaps_core.cli.synth import setting
from leaps_core.config import FIELDS, SynthesisConfig, bundled_seed
from leaps_core.errors import ConfigError

from . import controls, views
from .views import JOBS, View

MAIN = ("model", "action")
REST = {"rest": "default"}
ROWS = {"changes": ("step", "field", "value"), "legs": ("to", "total")}
"""What each change and each leg says, in the order in which a link has it."""


def query(asked: runs.Again, run: str = "") -> str:
    """The part of a link after its question mark: what differs from the fields' own defaults, what was changed while the run
    went on, and its legs; run: its id, for those who may see it. A video of the visitor's own can't travel in a link, and is
    left out."""
    config = asked.config
    said, usual = (one.model_dump(mode="json") for one in (config, SynthesisConfig(model=config.model, action=config.action)))
    said["stimuli"] = [stimulus for stimulus in config.stimuli if bundled_seed(stimulus) is not None]
    own = {name: value for name, value in said.items() if name not in MAIN and value != usual[name]}
    words = {name: value if isinstance(value, str) else json.dumps(value) for name, value in own.items()}
    for name, rows in (("changes", asked.changes), ("legs", asked.legs)):
        if rows:
            words[name] = json.dumps([[row[key] for key in ROWS[name]] for row in rows])
    if run:
        words["run"] = run
    return urlencode({name: said[name] for name in MAIN} | REST | words)


def asked(params: Mapping[str, str], there: View | None) -> runs.Again | None:
    """What a link asks for. If the run that it puts on the stage is `there`, with that one's own video,
    which didn't travel. None: it asks for nothing. Raises `LeapsError`."""
    if (config := read(params)) is None:
        return None
    found = again(params, config)
    if there is None or query(runs.Again(there.config.replace(precision=config.precision))) != query(runs.Again(config)):
        return found
    return found._replace(config=there.config)


def followed(params: Mapping[str, str], key: str | None, owner: str, again: bool) -> tuple[str | None, Mapping[str, str]]:
    """What an opened page has on its stage, and what of its link is to be followed. again: it was only reloaded, so what came
    onto its stage (`key`) since the link was read stays there: a run that goes on, or another than the link's."""
    job, run = JOBS.get(key, owner), params.get("run")
    there = views.find(run, owner) is not None
    other = key and there and JOBS.run_of(key) != run and views.find(key, owner)
    if again and (other or (job and job.active)):
        return key, {}
    return run if there else key, params


def read(params: Mapping[str, str]) -> SynthesisConfig | None:
    """What a link asks for; None: it asks for nothing. Words that are no settings are passed over, as others add some of their
    own. Raises `LeapsError`."""
    if any(name not in params for name in MAIN):
        return None
    known = [f"{name}={value}" for name, value in params.items() if name in FIELDS and name not in MAIN]
    rest = models.plain() if REST.items() <= params.items() else {}
    config = models.configure(params["model"], params["action"], rest | dict(map(setting, known)))
    controls.check_bundled(config)
    return config


def again(params: Mapping[str, str], config: SynthesisConfig) -> runs.Again:
    """What a link to this config says that makes its run again. Raises `LeapsError`."""
    said = {"config": config.model_dump(mode="json"), "changes": _rows(params, "changes"), "legs": _rows(params, "legs")}
    return runs.from_text(json.dumps(said))


def _rows(params: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    try:
        return [dict(zip(ROWS[name], row, strict=True)) for row in json.loads(params.get(name, "[]"))]
    except (TypeError, ValueError, RecursionError):
        raise ConfigError(f"its {name} can't be read; expected [[{', '.join(ROWS[name])}], ...].") from None
