"""Cores, memory and devices, those of a container included."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from leaps_core import machine
from leaps_core.errors import LeapsError


@pytest.mark.parametrize(("quota", "expected"), [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1), ("", None)])
def test_a_containers_cores_count(quota: str, expected: int | None, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    everything = machine.cores(tmp_path / "none")
    assert machine.cores(tmp_path / "cpu.max") == (expected or everything) and everything >= 1


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    assert machine._container_memory(tmp_path) is None
    for name, text in (("memory.max", "max\n"), ("memory.current", "700\n"), ("memory.stat", "anon 600\ninactive_file 90\n")):
        (tmp_path / name).write_text(text)
    assert machine._container_memory(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    assert machine._container_memory(tmp_path) == 390


def test_free_memory_is_the_containers_where_that_is_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_container_memory", lambda cgroup: None)
    whole = machine.free_memory("cpu")
    assert whole > 1_000_000
    monkeypatch.setattr(machine, "_container_memory", lambda cgroup: 390)
    assert machine.free_memory("cpu") == 390
    monkeypatch.setattr(machine, "_container_memory", lambda cgroup: 10**18)
    assert machine.free_memory("cpu") < 10**18


def test_the_fastest_device_is_picked_and_one_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.pick_device("cpu") == torch.device("cpu")
    for cuda, mps, expected in ((True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda cuda=cuda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda mps=mps: mps)
        assert machine.pick_device("auto") == torch.device(expected)
    for name in ("cuda", "mps"):
        with pytest.raises(LeapsError, match=f"no {name} device. Use device=auto"):
            machine.pick_device(name)
