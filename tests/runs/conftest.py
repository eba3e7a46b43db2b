"""The made-up engine, and the real one with a network small enough for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from leaps_core import models
from leaps_core.config import SynthesisConfig
from leaps_core.inversion import loop
from leaps_core.inversion import plan as planning
from tests.runs import engine as made_up

REAL = loop.synthesize, planning.stimulus_clips


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_registry: None) -> Path:
    """A LEAPS_HOME of one's own, and the made-up engine in place of the real one."""
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "home"))
    for key, role in (("tiny", "model"), ("verifies", "model"), ("judges", "judge")):
        models.register(replace(made_up.SPEC, key=key, role=role), lambda: torch.nn.Identity(), ("bowling", "tai chi"))
    monkeypatch.setattr(loop, "synthesize", made_up.synthesize)
    monkeypatch.setattr(planning, "stimulus_clips", made_up.stimulus_clips)
    return tmp_path / "home"


@pytest.fixture
def engine(home: Path, monkeypatch: pytest.MonkeyPatch) -> SynthesisConfig:
    """The real engine again, and settings for it."""
    monkeypatch.setattr(loop, "synthesize", REAL[0])
    monkeypatch.setattr(planning, "stimulus_clips", REAL[1])

    def build() -> torch.nn.Module:
        torch.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Conv3d(3, 4, 3, padding=1),
            torch.nn.BatchNorm3d(4),
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool3d(1),
            torch.nn.Flatten(),
            torch.nn.Linear(4, len(models.labels("puppets"))),
        )

    record = replace(made_up.SPEC, key="little", world="puppets", taps="0|2", embedding_layer="2", size=16, size_step=4)
    models.register(record, build)
    settings = {"model": "little", "verifier": "none", "judge": "none", "steps": 8, "seed": 1, "device": "cpu"}
    return SynthesisConfig(action=models.labels("puppets")[0], **settings)
