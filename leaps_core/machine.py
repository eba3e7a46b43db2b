"""What this machine has: cores, memory, devices. torch is imported only where it is asked for devices."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from contextlib import suppress
from functools import lru_cache
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


_borrowed = False
"""Whether this process is a worker that has a lent card."""


def lends(device: str) -> bool:
    """Whether a graphics card is lent to workers of this process for "auto" (ZeroGPU; see inversion/lent.py). The process
    itself has none then, whatever torch says."""
    here = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
    return here and device == "auto" and not _borrowed


def borrow() -> None:
    """Note that this process has the card that is lent."""
    global _borrowed
    _borrowed = True


def pick_device(name: str) -> torch.device:
    """cuda, then mps, then cpu for "auto". Raises `LeapsError` for a device that isn't there."""
    import torch

    cuda = torch.cuda.is_available() and not lends("auto")
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if torch.backends.mps.is_available() else "cpu")
    there = {"cpu": True, "cuda": cuda, "mps": torch.backends.mps.is_available()}
    if not there[name]:
        raise LeapsError(f"This machine has no {name} device. Use device=auto or device=cpu.")
    return torch.device(name)


def pick_precision(name: str, device: str) -> str:
    """float32 or bfloat16: for "auto", bfloat16 where the device computes much faster with it."""
    if name != "auto":
        return name
    place = pick_device(device).type
    if lends(device):  # all cards there are fast with it
        return "bfloat16"
    fast = _bfloat16_pays() if place == "cpu" else place == "cuda" and _has_bfloat16()
    return "bfloat16" if fast else "float32"


def _has_bfloat16() -> bool:
    import torch

    return torch.cuda.is_bf16_supported(including_emulation=False)


@lru_cache(maxsize=1)
def _bfloat16_pays() -> bool:
    """Whether a convolution takes less than three quarters of the time in bfloat16. Measured, in some hundredths of a second: a
    processor may know the format and be slow with it."""
    import torch

    took = {}
    for dtype in (torch.float32, torch.bfloat16):
        x, weight = torch.ones((1, 32, 8, 28, 28), dtype=dtype), torch.ones((32, 32, 3, 3, 3), dtype=dtype)
        x, weight = (part.contiguous(memory_format=torch.channels_last_3d) for part in (x, weight))
        times = []
        with torch.no_grad():
            for _ in range(6):
                begun = time.perf_counter()
                torch.conv3d(x, weight, padding=1)
                times.append(time.perf_counter() - begun)
        took[dtype] = min(times[1:])
    return took[torch.bfloat16] < 0.75 * took[torch.float32]


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
