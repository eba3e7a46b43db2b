"""Work on this machine and on a cluster: the same results, whoever is lost."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leaps_core import fleet
from leaps_core.errors import ConfigError, LeapsError
from leaps_core.fleet import Engine


def squared(number: int) -> int:
    """Work that is quickly done."""
    if number < 0:
        raise LeapsError(f"{number} has no root.")
    return number * number


def dies(number: int) -> None:
    """Work that no process outlives."""
    os.kill(os.getpid(), signal.SIGKILL)


def where(number: int) -> tuple[int, str | None]:
    """Who does the work, and on which graphics card."""
    return os.getpid(), os.environ.get("CUDA_VISIBLE_DEVICES")


def told(place: Path) -> tuple[int, int, int]:
    """Who does the work, after telling that it has begun: the process, its threads, how often it was begun."""
    import torch

    with (place / "begun").open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not (place / "go on").exists():
        time.sleep(0.05)
    return os.getpid(), torch.get_num_threads(), len((place / "begun").read_text().splitlines())


def test_this_process_works_one_after_the_other_and_takes_what_it_can_do() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(3):
            taken.append(number)
            yield number

    done = fleet.each(squared, items(), Engine())
    assert next(done) == (0, 0) and taken == [0]
    assert list(done) == [(1, 1), (2, 4)]
    with pytest.raises(LeapsError, match="-1 has no root"):
        list(fleet.each(squared, [-1], Engine()))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"name": "rey"}, "no engine “rey”. Did you mean “ray”"),
        ({"address": "somewhere:1"}, "the engine is local. Choose --engine ray"),
    ],
)
def test_what_no_engine_is_is_told(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Engine(**asked)


def test_without_ray_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(LeapsError, match="Ray is not installed: pip install -r requirements-cluster.txt"):
        next(fleet.each(squared, [1], Engine("ray")))


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "127.0.0.1:none"])
def test_an_address_where_nobody_is_is_told_at_once(address: str) -> None:
    pytest.importorskip("ray")
    begun = time.monotonic()
    with pytest.raises(LeapsError, match=f"no Ray cluster at “{address}”"):
        next(fleet.each(squared, [1], Engine("ray", address)))
    assert time.monotonic() - begun < 20


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers on loopback with a core each, and a thread for PyTorch; what they import includes these tests."""
    ray = pytest.importorskip("ray")
    import torch
    from ray.cluster_utils import Cluster

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    root = str(Path(__file__).parents[1])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([root, *([before] if before else [])])
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    workers = [made.add_node(num_cpus=1) for _ in range(2)]
    made.wait_for_nodes()
    ray.init(address=made.address, log_to_driver=False, logging_level=40)
    yield made, workers
    ray.shutdown()
    made.shutdown()
    torch.set_num_threads(threads)
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def test_a_cluster_gives_the_same_and_raises_the_same(cluster: Any) -> None:
    assert sorted(fleet.each(squared, range(5), Engine("ray"))) == [(n, n * n) for n in range(5)]
    with pytest.raises(LeapsError, match="-1 has no root"):
        list(fleet.each(squared, [3, -1], Engine("ray")))


def test_a_worker_of_a_graphics_card_does_one_piece(cluster: Any) -> None:
    made, _ = cluster
    card = made.add_node(num_cpus=1, num_gpus=1)
    made.wait_for_nodes()
    try:
        found = [place for _, place in fleet.each(where, range(3), Engine("ray"))]
        assert len({process for process, _ in found}) == 3 and {card for _, card in found} == {"0"}
    finally:
        made.remove_node(card)
    found = [place for _, place in fleet.each(where, range(6), Engine("ray"))]
    assert len({process for process, _ in found}) < 6, "others go on"


def test_the_piece_of_a_killed_worker_is_done_again(cluster: Any, tmp_path: Path) -> None:
    def kill() -> None:
        while not (tmp_path / "begun").exists():
            time.sleep(0.05)
        os.kill(int((tmp_path / "begun").read_text().split()[0]), signal.SIGKILL)
        (tmp_path / "go on").touch()

    killer = threading.Thread(target=kill)
    killer.start()
    ((_, (process, threads, begun)),) = fleet.each(told, [tmp_path], Engine("ray"))
    killer.join()
    assert begun == 2 and process != int((tmp_path / "begun").read_text().split()[0])
    assert threads == 1


def test_a_piece_that_is_lost_again_and_again_is_told_or_made_a_result_of(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "RETRIES", 1)
    with pytest.raises(LeapsError, match="was lost 2 times"):
        list(fleet.each(dies, [1], Engine("ray")))
    ((item, said),) = fleet.each(dies, [1], Engine("ray"), lambda item, why: f"{item}: {why}")
    assert item == 1 and said.startswith("1: A piece of the work was lost 2 times: ")


def test_a_study_on_a_cluster_that_loses_a_machine_has_the_same_table(cluster: Any, tmp_path: Path) -> None:
    from leaps_core.studies import carry, kept, priming_share
    from leaps_core.studies.study import Asked

    # a bundled network, as workers know no tiny ones; two steps of small clips
    quick = {"steps": 2, "frames": 8, "size": 64}
    asked = Asked(("puppet_csn",), ("bowling",), seeds=2, settings=quick)
    made, workers = cluster
    lost: list[bool] = []

    def lose(progress: kept.Progress) -> None:
        if progress.done and not lost:
            lost.append(True)
            made.remove_node(workers[0], allow_graceful=False)

    report, _ = carry.carry_out(priming_share.STUDY, asked, tmp_path / "cluster", Engine("ray"), lose)
    here, _ = carry.carry_out(priming_share.STUDY, asked, tmp_path / "here")
    assert lost and report.markdown == here.markdown and len(report.table) == len(priming_share.SHARES)
    for path in sorted((tmp_path / "here" / "rows").iterdir()):
        one, other = (_plain(folder / "rows" / path.name) for folder in (tmp_path / "here", tmp_path / "cluster"))
        assert one == other, "bit for bit"


def test_a_bank_from_a_cluster_is_the_one_from_here(cluster: Any, tmp_path: Path) -> None:
    from leaps_core import banks

    plan = banks.plan_puppets(24)
    there = banks.build(plan, "puppet_csn", tmp_path / "there.parquet", engine=Engine("ray"))
    here = banks.build(plan, "puppet_csn", tmp_path / "here.parquet")
    assert there.labels.tolist() == here.labels.tolist() and there.sources == here.sources
    assert there.embeddings.tobytes() == here.embeddings.tobytes(), "bit for bit"
    assert there.poster(23) == here.poster(23) and there.facts["weights"] == here.facts["weights"]


def _plain(path: Path) -> dict[str, Any]:
    row = json.loads(path.read_text())
    assert row["status"] == "done"
    return {name: value for name, value in row.items() if name != "seconds"}
