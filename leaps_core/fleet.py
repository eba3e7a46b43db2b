"""Independent pieces of work, on one machine or many: in this process, or on a Ray cluster (docs/cluster.md).

The same results either way: a worker computes with as many threads as this process has. torch and Ray are imported when work
begins; Ray is an optional requirement (requirements-cluster.txt).
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from . import video
from .errors import ConfigError, LeapsError, did_you_mean
from .models import custom

Item = TypeVar("Item")
Result = TypeVar("Result")

ENGINES = ("local", "ray")
RETRIES = 5
"""How often a piece is done again whose worker, or whose machine, was lost."""
PATIENCE = 5.0
"""How long to wait for an address to answer, s."""
AHEAD = 2
"""Pieces that are handed out for each that can be worked on at once, so that no worker waits for the next."""


@dataclass(frozen=True)
class Engine:
    """Where pieces of work are done. `name`: "local", in this process, one after the other; "ray", by a cluster. `address`: of
    a running cluster, as HOST:6379, ray://HOST:10001 or auto; empty: one of this machine's cores, for as long as the work
    takes. `own`: files of custom models, which every worker loads. Raises `ConfigError` for an unknown name."""

    name: str = "local"
    address: str = ""
    own: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise ConfigError(
                f"There is no engine “{self.name}”.{did_you_mean(self.name, ENGINES)} Known: {', '.join(ENGINES)}."
            )
        if self.address and self.name == "local":
            raise ConfigError(f"The address {self.address} was given, but the engine is local. Choose --engine ray.")


def each(
    work: Callable[[Item], Result], items: Iterable[Item], engine: Engine, lost: Callable[[Item, str], Result] | None = None
) -> Generator[tuple[Item, Result]]:
    """Do `work` on each item; yields every item with its result as soon as it is there, on a cluster in any order. An item is
    taken when there is somebody to work on it soon.

    `work` is a function of a module; on a cluster, items and results are pickled. A worker that is lost (killed, its machine
    gone) costs nothing but time: its piece is done again, `RETRIES` times; then `lost` makes a result of it and of what
    happened, else `LeapsError` is raised. Raises what `work` raises, and `LeapsError` where there is no Ray, or no cluster at
    the address.
    """
    if engine.name == "local":
        yield from ((item, work(item)) for item in items)
        return
    with _cluster(engine.address) as ray, closing(_on_ray(ray, work, iter(items), engine, lost)) as done:
        yield from done


def _on_ray(
    ray: Any, work: Callable[[Item], Result], items: Iterator[Item], engine: Engine, lost: Callable[[Item, str], Result] | None
) -> Generator[tuple[Item, Result]]:
    import torch

    threads = min(torch.get_num_threads(), int(max(_of_nodes(ray, "CPU"), default=1)))
    claims = {"num_cpus": threads, "num_gpus": 1 if sum(_of_nodes(ray, "GPU")) else 0}
    # said here and not by options(): so Ray ends a worker of a GPU after its piece, and the next one can't be left on that GPU
    piece = ray.remote(**claims, max_retries=RETRIES)(_piece)
    waiting: dict[Any, Item] = {}
    try:
        while True:
            room = AHEAD * max(1, sum(int(cores // threads) for cores in _of_nodes(ray, "CPU"))) - len(waiting)
            for item in islice(items, max(0, room)):
                waiting[piece.remote(work, item, threads, engine.own)] = item
            if not waiting:
                return
            for ref in ray.wait(list(waiting), num_returns=1, timeout=10)[0]:
                item = waiting.pop(ref)
                yield item, _result(ray, ref, partial(lost, item) if lost else None)
    finally:
        for ref in waiting:
            ray.cancel(ref, force=True)


def _piece(work: Callable[[Item], Result], item: Item, threads: int, own: tuple[Path, ...]) -> Result:
    """What a worker does: one piece. Networks that it loaded stay for its next one."""
    import torch

    torch.set_num_threads(threads)
    video.isolate()  # one file that breaks its decoder down doesn't end the worker
    for file in own:
        custom.load(file)
    return work(item)


def _result(ray: Any, ref: Any, lost: Callable[[str], Result] | None) -> Any:
    try:
        return ray.get(ref)
    except ray.exceptions.RayTaskError as error:  # what the piece itself raised
        raise error.cause from error
    except ray.exceptions.RayError as error:
        said = f"A piece of the work was lost {RETRIES + 1} times: {error}"
        if lost is not None:
            return lost(said)
        raise LeapsError(said) from error


def _of_nodes(ray: Any, resource: str) -> list[float]:
    """How much of a resource each of the cluster's machines has."""
    return [node["Resources"].get(resource, 0.0) for node in ray.nodes() if node["Alive"]]


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    """The module ray, connected. Raises `LeapsError`."""
    try:
        import ray
    except ImportError:
        raise LeapsError(
            "Ray is not installed: pip install -r requirements-cluster.txt (docs/cluster.md), or take --engine local."
        ) from None
    if ray.is_initialized():  # by the program that calls this
        yield ray
        return
    try:
        _check(address)
        dashboard = None if address else False
        ray.init(address=address or None, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=dashboard)
    except (ConnectionError, ImportError, OSError, ValueError, RuntimeError) as error:
        told = " ".join(str(error).split())[:200]
        raise LeapsError(
            f"There is no Ray cluster at “{address}”: {told}. Start one there (`ray start --head`), or give another --address."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check(address: str) -> None:
    """Raises `OSError` where nobody listens: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
