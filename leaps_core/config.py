"""Everything that decides what a run does, in one validated object.

The page's sliders, the command line's flags, a run's JSON and the API are all generated from
`SynthesisConfig`: to add a setting, add a field here and use it where it acts.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from .errors import ConfigError, brief, did_you_mean

_BUNDLED = "bundled:"


def _field(
    default: Any, text: str, *, unit: str = "", live: bool = False, step: float | None = None, log: bool = False, **limits: Any
) -> Any:
    """A field with what a person needs to set it: its meaning, unit, range, slider step, whether it acts while a run is
    going on (`live`), and whether its slider is logarithmic (`log`), from `step` on."""
    return Field(
        default,
        description=text,
        allow_inf_nan=None if not isinstance(default, float) else False,
        json_schema_extra={"unit": unit, "live": live, "step": step, "log": log},
        **limits,
    )


def bundled_stimulus(seed: int, action: str = "") -> str:
    """The name of a bundled clip as a stimulus: bundled:SEED, of the run's action; bundled:SEED/ACTION, of another one."""
    return f"{_BUNDLED}{seed}/{action}" if action else f"{_BUNDLED}{seed}"


class SynthesisConfig(BaseModel):
    """The settings of one run. Immutable; raises `ConfigError` for an unknown field or a value out of range.

    Fields marked *live* may change between steps through `Control`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="Key of the model to invert (the command `models` lists them).")
    action: str = Field(description="Label of the action to synthesize, as the model's world names it.")
    stimuli: tuple[str, ...] = _field(
        (bundled_stimulus(0),),
        "Real clips that prime the run: files, or bundled:SEED for a bundled clip of the action (bundled:SEED/ACTION: of "
        "another). Several are averaged. None at all: unprimed.",
    )
    stimulus_start: float = _field(0.0, "Where in an uploaded video the stimulus starts.", unit="s", ge=0)
    begin_at: Literal["noise", "stimulus"] = _field(
        "noise",
        "Where the clip begins: at noise; or at the first stimulus, at full size, which changes until the model sees the "
        "action in it (a counterfactual).",
    )
    verifier: str = _field(
        "auto", "Batch-norm network whose statistics the clip should match: a key, auto, self (the model itself), or none."
    )
    judge: str = _field("auto", "Network that only scores the clip: a key, auto (the world's own), or none.")
    frame_verifier: str = _field(
        "none", "Network of pictures whose statistics each frame should have, as photographs do: a key, or none."
    )
    object_judge: str = _field(
        "auto", "Network of pictures that is asked, at the end, which objects it sees: a key, auto (if it is here), or none."
    )

    precision: Literal["float32", "bfloat16", "auto"] = _field(
        "float32",
        "Number format in which the networks compute: bfloat16 has fewer digits; auto: bfloat16 where the device is much "
        "faster with it. A run's record says which it was.",
    )
    steps: int = _field(160, "Optimisation steps.", ge=1, le=20_000)
    seed: int = _field(0, "Same seed, same clip.", ge=0, le=2**31 - 1)
    frames: int = _field(0, "Length of the clip; 0: the model's own.", unit="frames", ge=0, le=128)
    size: int = _field(0, "Height and width of the clip; 0: the model's own.", unit="px", ge=0, le=448)
    coarse: float = _field(0.5, "Share of the steps spent below the full size first.", step=0.05, ge=0, le=1)
    sizes: int = _field(
        2, "How many sizes the clip grows through: half and whole, or 3/7, 5/7 and whole, and so on.", step=1, ge=2, le=6
    )

    canvas: Literal["fourier", "pixels"] = _field(
        "fourier", "How the clip is stored: Fourier coefficients of decorrelated colours, or plain pixels (the paper's)."
    )
    decay: float = _field(
        1.5,
        "How steeply the Fourier canvas falls with frequency, as 1 / f^decay: less gives finer detail, more gives softness.",
        step=0.1,
        ge=0,
        le=3,
    )
    flat_below: float = _field(
        1.0,
        "Below so many cycles per picture the Fourier canvas falls no further: more gives one scene of parts instead of broad "
        "light and shade.",
        unit="cycles",
        log=True,
        step=1.5,
        ge=1,
        le=32,
    )
    learning_rate: float = _field(0.04, "Adam's step size at its peak.", live=True, log=True, step=0.001, ge=0.0, le=1.0)
    min_learning_rate: float = _field(
        0.002, "Learning rate at the end of the cosine decay (never above learning_rate).", ge=0, le=1
    )
    warmup_steps: int = _field(10, "Steps in which the learning rate rises.", unit="steps", ge=0, le=10_000)
    beta_1: float = _field(0.9, "Adam's memory of the gradient.", ge=0, le=0.9999)
    beta_2: float = _field(0.99, "Adam's memory of the squared gradient.", ge=0, le=0.9999)

    evidence: float = _field(
        0.0,
        "Weight of the evidence for the action, which goes on when the model is sure (cross entropy ends there).",
        live=True,
        log=True,
        step=0.01,
        ge=0,
        le=10,
    )
    evidence_form: Literal["margin", "logit"] = _field(
        "margin", "What is evidence: how far the action's logit is above all others together, or the logit itself."
    )
    evidence_last: float = _field(
        1.0,
        "Share of the evidence that is left in the steps at the full size: there the others make natural what it has drawn.",
        step=0.05,
        ge=0,
        le=1,
    )
    r: float = _field(0.0005, "Weight of both regularizers.", live=True, log=True, step=0.0001, ge=0, le=0.1)
    coherence: float = _field(1.0, "Weight of temporal coherence, times r.", live=True, log=True, step=0.01, ge=0, le=100)
    diversity: float = _field(
        1.0, "Weight of feature diversity (the verifier's statistics), times r.", live=True, log=True, step=0.1, ge=0, le=10
    )
    diversity_form: Literal["paper", "relative"] = _field(
        "paper",
        "How the statistics are compared: in their own units (the paper's), or relative to each channel's spread, so that a "
        "weight means the same for every network.",
    )
    verify_every: int = _field(
        1,
        "The verifier looks at every so many-th step, and its term's gradient counts as often then.",
        unit="steps",
        step=1,
        ge=1,
        le=10,
    )
    naturalness: float = _field(
        0.5, "Weight of the frame verifier's statistics (relative).", live=True, log=True, step=0.05, ge=0, le=10
    )
    frames_verified: int = _field(
        0,
        "How many frames the frame verifier looks at in each step, spread evenly, others in the next step; 0: all.",
        unit="frames",
        ge=0,
        le=128,
    )
    margin: float | None = _field(
        None,
        "How far distant frames must differ; empty (null): as far as they do in the stimulus (1 if unprimed).",
        ge=0,
        le=1000,
    )
    lambda_1: float = _field(1.0, "Priming weight of the first layer.", live=True, log=True, step=0.05, ge=0, le=4)
    lambda_L: float = _field(0.5, "Priming weight of the last layer.", live=True, log=True, step=0.05, ge=0, le=4)
    priming_share: int = _field(
        100, "Share of the layers that are primed, from the first on.", unit="%", live=True, step=20, ge=0, le=100
    )
    smoothness: float = _field(
        0.4,
        "Penalty on differences between neighbouring pixels, in space and in time.",
        live=True,
        log=True,
        step=0.1,
        ge=0,
        le=10,
    )
    motion_speed: float = _field(
        0.8,
        "Slow (small) or fast (large) motion; at 0.8, clips move about as much as real ones.",
        unit="×",
        live=True,
        log=True,
        step=0.1,
        ge=0.1,
        le=10,
    )
    nearness: float = _field(
        0.0, "Weight of staying near the first stimulus, pixel by pixel.", live=True, log=True, step=0.01, ge=0, le=100
    )
    norm: float = _field(
        0.0,
        "Penalty on the length of the normalised clip (the paper's code: 0.005).",
        live=True,
        log=True,
        step=0.001,
        ge=0,
        le=1,
    )

    views: int = _field(1, "How many random views of the clip each step looks at.", ge=1, le=16)
    jitter: float = _field(
        0.12, "Random shift of each step's view, as a share of the size.", live=True, step=0.01, ge=0, le=0.5
    )
    jitter_time: int = _field(
        1, "Random shift in time, up to so many frames.", unit="frames", live=True, log=True, step=0.5, ge=0, le=32
    )
    zoom: float = _field(0.15, "Random zoom, up to this share.", live=True, step=0.01, ge=0, le=0.5)
    zoom_in: float = _field(
        0.0,
        "Random zoom into the middle on top of it, up to this share: what matters has to be there.",
        live=True,
        step=0.05,
        ge=0,
        le=2,
    )
    rotate: float = _field(8.0, "Random rotation, up to this angle.", unit="°", live=True, step=1, ge=0, le=45)
    noise: float = _field(
        0.2,
        "Largest noise added to a view (standard deviation); less while the model is unsure.",
        live=True,
        step=0.01,
        ge=0,
        le=0.5,
    )
    colour: float = _field(
        0.3,
        "Largest random change of a view's contrast and colours; less while the model is unsure.",
        live=True,
        step=0.01,
        ge=0,
        le=0.5,
    )
    flip: bool = _field(
        False, "Mirror each view at random (the paper does; where left and right differ, it ghosts).", live=True
    )

    device: Literal["auto", "cpu", "cuda", "mps"] = _field("auto", "Where to compute.")

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**{current_name(name): value for name, value in values.items()})
        except ValidationError as error:
            raise ConfigError(_explain(error)) from None

    def replace(self, **changes: Any) -> SynthesisConfig:
        """A copy with some fields changed, validated again. Raises `ConfigError`."""
        return SynthesisConfig(**{**self.model_dump(), **{current_name(name): value for name, value in changes.items()}})


RENAMED = {"floor": "min_learning_rate", "warmup": "warmup_steps"}
"""Settings that had another name once: it is still read, from the JSON of earlier runs and from flags."""
CHOSEN = frozenset({"model", "action", "seed"})
"""Settings that are each run's own: neither a model's record nor a study's settings of all runs can have them."""
NETWORKS = ("model", "verifier", "judge")
"""The networks that may take part in a run, by their settings' names: the inverted one, the one whose batch-norm statistics
the clip should match, and the one that only scores."""
FRAME_NETWORKS = ("frame_verifier", "object_judge")
"""Networks of pictures that may take part beside these, which look at each frame by itself."""
STEERING = (
    "r",
    "coherence",
    "diversity",
    "evidence",
    "naturalness",
    "lambda_1",
    "lambda_L",
    "priming_share",
    "smoothness",
    "learning_rate",
    "motion_speed",
)
"""The settings with a slider of their own in the page; all are live."""


def current_name(name: str) -> str:
    """What a setting is called now; any other name as it is."""
    return RENAMED.get(name, name)


LONGEST_SEED = 9
"""Digits of a bundled stimulus' seed, which has to fit a signed number of 32 bits."""


def bundled_seed(stimulus: str) -> int | None:
    """The seed in bundled:SEED or bundled:SEED/ACTION; None for a file. Raises `ConfigError` where SEED is no number."""
    name = stimulus.removeprefix(_BUNDLED)
    if name == stimulus:
        return None
    seed = name.partition("/")[0]
    if not seed.isdecimal() or len(seed) > LONGEST_SEED:
        raise ConfigError(
            f"“{stimulus[:40]}” is no stimulus; expected bundled:SEED, as bundled:0, with {LONGEST_SEED} digits at most, or a "
            "video file."
        )
    return int(seed)


def bundled_action(stimulus: str, action: str) -> str:
    """The action that a bundled stimulus shows: its own in bundled:SEED/ACTION, else the run's, `action`; of a file, that."""
    return (stimulus.startswith(_BUNDLED) and stimulus.partition("/")[2]) or action


FIELDS: dict[str, FieldInfo] = dict(SynthesisConfig.model_fields)
"""Every setting by name; `.description`, `.default`, `info(name)` for range, unit and step."""


def info(name: str) -> dict[str, Any]:
    """Range and unit of a field: keys `min`, `max` (None where open), `unit`, `step`, `live`, `log`, `default`, `text`.

    Raises `ConfigError` for an unknown name.
    """
    name = current_name(name)
    if name not in FIELDS:
        raise _unknown(name)
    field = FIELDS[name]
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    limits = {kind: getattr(rule, kind) for rule in field.metadata for kind in ("ge", "gt", "le", "lt") if hasattr(rule, kind)}
    return {
        "min": limits.get("ge", limits.get("gt")),
        "max": limits.get("le", limits.get("lt")),
        "unit": extra.get("unit", ""),
        "step": extra.get("step"),
        "live": extra.get("live", False),
        "log": extra.get("log", False),
        "default": None if field.is_required() else field.default,
        "text": field.description or "",
    }


LIVE_SETTINGS = tuple(name for name in FIELDS if info(name)["live"])
"""The settings that may change while a run is going on."""


MOST_FINDINGS = 3
"""Of more findings at once only the first ones are told."""


def _explain(error: ValidationError) -> str:
    """Pydantic's findings as sentences: what was given, what is expected."""
    sentences, unknown, found = list[str](), list[str](), error.errors()
    for item in found[:MOST_FINDINGS]:
        name = ".".join(str(part) for part in item["loc"][:1])
        if item["type"] == "extra_forbidden":
            unknown.append(name)
        elif item["type"] == "missing":
            sentences.append(f"“{name}” is missing: {FIELDS[name].description}")
        else:
            sentences.append(f"“{name}” is {brief(repr(item['input']))}; {_expected(name, item['msg'])}.")
    sentences += [str(_unknown(*unknown))] if unknown else []
    more = len(found) - MOST_FINDINGS
    return " ".join(sentences) + (f" And {more} more." if more > 0 else "")


def _unknown(*names: str) -> ConfigError:
    listed = "” or “".join(map(brief, names))
    return ConfigError(f"There is no setting “{listed}”.{did_you_mean(names[0], FIELDS)} Known: {', '.join(FIELDS)}.")


def _expected(name: str, message: str) -> str:
    facts = info(name)
    if facts["min"] is None or facts["max"] is None:
        return message[0].lower() + message[1:]
    return f"expected a number from {facts['min']} to {facts['max']} {facts['unit']}".rstrip()
