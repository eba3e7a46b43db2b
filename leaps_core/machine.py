"""What this machine has: cores, memory, devices. torch is imported only where it is asked for devices."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LeapsError

if TYPE_CHECKING:
    import torch


def cores(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """How many cores this process may use: those of its affinity, and no more than its container's quota (cgroup 2)."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        most, period = quota.read_text().split()
        return max(1, min(found, round(int(most) / int(period))))
    except (OSError, ValueError):  # no cgroup 2, or “max”
        return found


def pick_device(name: str) -> torch.device:
    """cuda, then mps, then cpu for "auto". Raises `LeapsError` for a device that isn't there."""
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[name]:
        raise LeapsError(f"This machine has no {name} device. Use device=auto or device=cpu.")
    return torch.device(name)


def free_memory(device: str) -> int:
    """Bytes that are free: of the graphics card for cuda, else of the machine or the container."""
    import psutil

    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    available = int(psutil.virtual_memory().available)
    left = _container_memory(Path("/sys/fs/cgroup"))
    return available if left is None else min(available, left)


def release() -> None:
    """Give back what the process and a graphics card's memory hold for tensors that are gone: glibc keeps it for each thread
    that ever asked for some, which with a thread a run is a gigabyte after a few of them."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _container_memory(cgroup: Path) -> int | None:
    """What a container has left of its limit (cgroup 2), in bytes; None where there is no limit. Files that are only kept
    in memory because nobody else needs it count as free."""
    try:
        limit, used = (int((cgroup / name).read_text()) for name in ("memory.max", "memory.current"))
        kept = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())["inactive_file"]
    except (OSError, ValueError, KeyError):  # no cgroup 2, or “max”
        return None
    return max(0, limit - used + int(kept))
