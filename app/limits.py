"""What a public server allows its visitors, by environment variables. A personal page has no limits but the machine's."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leaps_core.errors import LeapsError
from leaps_core.inversion.plan import Plan

from .texts import count, say

PREFIX = "LEAPS_LIMIT_"


class LimitError(LeapsError):
    """More was asked for than this server allows."""


class Limits(BaseModel):
    """Each field is read from LEAPS_LIMIT_ and its name in capitals, as LEAPS_LIMIT_STEPS=200. None, or the word “none”: there
    is no such limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runs: int | None = Field(default=2, ge=1, description="runs of a visitor that are going on or waiting at once")
    daily: int | None = Field(default=None, ge=1, description="runs of a visitor in 24 hours")
    queue: int | None = Field(default=100, ge=1, description="runs of all visitors that are going on or waiting at once")
    steps: int | None = Field(default=None, ge=1, description="steps of a run")
    pixels: int | None = Field(default=None, ge=1, description="frames × height × width of a clip")
    minutes: float | None = Field(
        default=None, gt=0, description="minutes of a run; one that takes longer is stopped, and kept"
    )
    upload: float = Field(default=200, gt=0, description="megabytes of a file that is uploaded")
    disk: float | None = Field(default=None, gt=0, description="gigabytes of visitors' runs; the oldest go first")
    grace: float = Field(default=20, ge=0, description="seconds until the run of a page that was closed is stopped")

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Limits:
        """Those that the environment says. Raises `LimitError` for what is no limit."""
        given = {name: environment[PREFIX + name.upper()] for name in cls.model_fields if PREFIX + name.upper() in environment}
        known = {PREFIX + name.upper() for name in cls.model_fields}
        if unknown := sorted(name for name in environment if name.startswith(PREFIX) and name not in known):
            raise LimitError(f"There is no limit {unknown[0]}. Known: {', '.join(sorted(known))}.")
        try:
            return cls(**{name: None if value.strip().lower() == "none" else value for name, value in given.items()})  # type: ignore[arg-type]
        except ValidationError as error:
            item = error.errors()[0]
            name = str(item["loc"][0])
            raise LimitError(
                f"{PREFIX}{name.upper()} is “{given[name]}”: {item['msg'][0].lower() + item['msg'][1:]}. It is how many "
                f"{cls.model_fields[name].description}."
            ) from None

    @classmethod
    def personal(cls) -> Limits:
        """None at all: the page is one person's, on their own machine."""
        return cls(runs=None, queue=None)

    def check(self, plan: Plan) -> None:
        """Raises `LimitError` if a run asks for more than a run may have."""
        (t, h, w), config = plan.shape, plan.config
        asked = {"steps": config.steps, "pixels": t * h * w, "minutes": plan.estimate.seconds / 60}
        for name, value in asked.items():
            most = getattr(self, name)
            if most is not None and value > most:
                raise LimitError(
                    say(
                        "A run on this server has at most {most}; this one would have {asked}. {advice} On a machine of your "
                        "own there is no limit.",
                        most=_words(name, most),
                        asked=_words(name, value),
                        advice=say(_ADVICE[name]),
                    )
                )

    def told(self) -> str:
        """All that a visitor should know of them before they are hit, in a sentence or two; "" where there are none."""
        facts = [_words(name, most) for name in ("steps", "pixels", "minutes") if (most := getattr(self, name)) is not None]
        said = [say("On this server a run has at most {facts}.", facts=", ".join(facts))] if facts else []
        counts = [say("runs at once: {count}", count=self.runs)] if self.runs and (facts or self.daily) else []
        counts += [say("runs in 24 hours: {count}", count=self.daily)] if self.daily else []
        said += [say("For each visitor, {counts}.", counts=", ".join(counts))] if counts else []
        return " ".join(said)


def _words(name: str, value: float) -> str:
    return f"{count(round(value))} {say(name)}" if name != "minutes" else f"{value:.3g} {say('minutes')}"


_ADVICE = {
    "steps": "Choose fewer steps.",
    "pixels": "Choose fewer frames or a smaller size.",
    "minutes": "Choose fewer steps, a smaller size or a smaller model.",
}
