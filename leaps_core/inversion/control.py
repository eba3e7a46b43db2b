"""Steering a run from another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from ..config import LIVE_SETTINGS, SynthesisConfig
from ..errors import ConfigError, RunError


class Control:
    """Steers a running synthesis from another thread: pause, stop, and new values of the live settings.

    `changes` replays earlier changes: each {"step", "field", "value"} acts before the step of that number.
    """

    def __init__(self, changes: Iterable[dict[str, Any]] = ()) -> None:
        self._condition = threading.Condition()
        self._state = "running"
        self._pending: dict[str, Any] = {}
        self._replayed: list[dict[str, Any]] = []
        self._applied: list[dict[str, Any]] = []
        self._checkpoint: dict[str, Any] | None = None
        self.replay(changes)

    @property
    def state(self) -> str:
        """ "running", "paused" or "stopped"."""
        return self._state

    @property
    def changes(self) -> list[dict[str, Any]]:
        """Every change so far: {"step": before which step, "field", "value"}."""
        return list(self._applied)

    def set(self, /, **fields: Any) -> None:
        """Change live settings from the next step on. Raises `ConfigError` for others, and for values out of range."""
        for name in fields:
            if name not in LIVE_SETTINGS:
                raise ConfigError(f"“{name}” can't change while a run is going on. These can: {', '.join(LIVE_SETTINGS)}.")
        SynthesisConfig(model="any", action="any", **fields)
        with self._condition:
            self._pending.update(fields)

    def replay(self, changes: Iterable[dict[str, Any]]) -> None:
        """Make these changes, too, each {"step", "field", "value"} before the step of that number; no change twice."""
        with self._condition:
            self._replayed += [change for change in changes if change not in self._replayed]
            self._replayed.sort(key=lambda change: change["step"])

    def pause(self) -> None:
        """Hold before the next step."""
        self._become("paused")

    def resume(self) -> None:
        """Go on after a pause."""
        self._become("running")

    def stop(self) -> None:
        """End after the current step; the clip so far is the result."""
        self._become("stopped")

    def keep(self, checkpoint: dict[str, Any]) -> None:
        """Remember where the run is; the loop does so after each step."""
        self._checkpoint = checkpoint

    def forget(self) -> None:
        """The run is over, and its checkpoint on the disk."""
        self._checkpoint = None

    @property
    def kept(self) -> bool:
        """Whether there is anything to go on from."""
        return self._checkpoint is not None

    def checkpoint(self) -> dict[str, Any]:
        """All that it takes to go on later: tensors and numbers only. Raises `RunError` before the first step."""
        if self._checkpoint is None:
            raise RunError("There is nothing to go on from yet: the run has made no step.")
        return self._checkpoint

    def _become(self, state: str) -> None:
        with self._condition:
            if self._state != "stopped":
                self._state = state
                self._condition.notify_all()

    def wait(self) -> float:
        """Block while paused; the seconds spent so."""
        start = time.perf_counter()
        with self._condition:
            while self._state == "paused":
                self._condition.wait()
        return time.perf_counter() - start

    def skip(self, done: int) -> None:
        """Count replayed changes up to step `done` as applied: a checkpoint already holds them."""
        with self._condition:
            self._applied += [change for change in self._replayed if change["step"] <= done]
            self._replayed = [change for change in self._replayed if change["step"] > done]

    def ahead(self, done: int) -> list[dict[str, Any]]:
        """The changes that act from the step after `done` on, for whoever makes the next steps elsewhere: those that are due,
        which count as applied, and those that are to be replayed later (see `skip`)."""
        self.skip(done)
        due = self.take(done + 1)
        with self._condition:
            now = [{"step": done + 1, "field": name, "value": value} for name, value in due.items()]
            return now + list(self._replayed)

    def take(self, step: int) -> dict[str, Any]:
        """The changes that act before `step`, replayed ones first."""
        with self._condition:
            due: dict[str, Any] = {}
            while self._replayed and self._replayed[0]["step"] <= step:
                change = self._replayed.pop(0)
                due[change["field"]] = change["value"]
            due.update(self._pending)
            self._pending.clear()
            self._applied += [{"step": step, "field": name, "value": value} for name, value in due.items()]
            return due
