"""PyTorch and the default model are loaded in the background, so that the page answers at once."""

from __future__ import annotations

import logging
import threading
import time

from leaps_core import models
from leaps_core.errors import LeapsError

from .texts import say
from .widgets import line

log = logging.getLogger(__name__)
_done = threading.Event()
_problem = ""


def default_model() -> models.ModelSpec:
    """The model that the page begins with: the first that can be inverted."""
    return next(spec for spec in models.specs() if spec.role == "model")


def begin() -> None:
    """Starts loading; returns at once."""
    threading.Thread(target=_load, name="preload", daemon=True).start()


def ready() -> bool:
    """Whether loading has ended (even if it failed: then a run will say why)."""
    return _done.is_set()


def report() -> dict[str, str]:
    """The status line while nothing runs."""
    if not ready():
        return line("loading", say("PyTorch and the first model; finished runs can be looked at meanwhile"))
    if _problem:
        return line("error", _problem)
    return line("ready", say("choose an action and press Start"))


def _load() -> None:
    global _problem
    begun = time.monotonic()
    try:
        from leaps_core.inversion import loop  # noqa: F401  (imports torch, which takes seconds)

        model = default_model()
        config = models.configure(model.key, models.labels(model.world)[0])
        for spec in models.resolve(config).networks.values():
            models.load(spec.key, config.device, config.precision)  # as a run will ask for it
        log.info("Ready after %.1f s", time.monotonic() - begun)
    except LeapsError as error:
        _problem = str(error)
    except Exception:
        log.exception("Loading failed")
        _problem = say("The model can't be loaded; the server's log says why.")
    finally:
        _done.set()
