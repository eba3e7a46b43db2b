"""Writing banks: that a stopped build goes on to the same one, and what is refused."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from leaps_core import banks
from leaps_core.banks import embed, write
from leaps_core.errors import BankError
from tests.banks.helpers import FACTS, columns


def test_a_bank_begun_for_something_else_is_refused(puppets: banks.Bank, tmp_path: Path) -> None:
    with pytest.raises(BankError, match="another bank"):
        banks.build(banks.plan_puppets(21), "tiny", puppets.path)
    begun = tmp_path / "b.parquet"
    (tmp_path / "b.parquet.parts").mkdir()
    (tmp_path / "b.parquet.parts" / "plan.json").write_text("{}")
    with pytest.raises(BankError, match="parts of another bank"):
        banks.build(banks.plan_puppets(4), "tiny", begun)


def test_a_folder_is_no_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (Path("."), tmp_path):
        with pytest.raises(BankError, match="is a folder; expected a file"):
            banks.assemble(folder, FACTS, 1, lambda numbers: (columns(np.zeros((1, 4)), ["a"]), []))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e5])
def test_embeddings_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    vectors = np.zeros((3, 4))
    vectors[1, 2] = value
    with pytest.raises(BankError, match="embedding of b is not a number"):
        banks.assemble(tmp_path / "a.parquet", FACTS, 3, lambda numbers: (columns(vectors, ["a", "b", "c"]), []))


@pytest.mark.slow
def test_all_of_kinetics_fits_without_memory(tmp_path: Path) -> None:
    """240,000 × 2,048 made-up vectors, about 1 GB on disk, are built and sampled within 0.4 GB of memory."""

    def make(numbers: range) -> tuple[dict[str, object], list[tuple[str, str]]]:
        vectors = np.random.default_rng(numbers.start).random((len(numbers), 2048), np.float32)
        return columns(vectors, [str(i) for i in numbers]), []

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bank = banks.assemble(tmp_path / "kinetics.parquet", FACTS, 240_000, make)
    chosen = bank.sample(2_000)
    found = bank.rows(chosen)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB
    assert len(bank) == 240_000 and found.shape == (2_000, 2048)
    first = int(chosen[7]) // write.PART * write.PART
    again = np.random.default_rng(first).random((min(write.PART, 240_000 - first), 2048), np.float32)[chosen[7] - first]
    assert np.allclose(found[7], again, atol=5e-4)
    assert grown < 400_000, f"{grown / 1000:.0f} MB"


def test_an_interrupted_build_goes_on_to_the_same_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "PART", 4)
    plan = banks.plan_puppets(14)
    whole = banks.build(plan, "tiny", tmp_path / "whole.parquet")
    real, calls = embed._embed, []

    def stops(key, device, clips):  # type: ignore[no-untyped-def]
        calls.append(len(clips))
        if len(calls) in (2, 4):
            raise KeyboardInterrupt
        return real(key, device, clips)

    monkeypatch.setattr(embed, "_embed", stops)
    out = tmp_path / "again.parquet"
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            banks.build(plan, "tiny", out)
        with pytest.raises(BankError, match="not finished"):
            banks.Bank.open(out)
    banks.build(plan, "tiny", out)
    assert calls == [4, 4, 4, 4, 4, 2], "no part is made twice"
    assert out.read_bytes() == whole.path.read_bytes()
    assert not out.with_name("again.parquet.parts").exists()
    assert banks.build(plan, "tiny", out).facts == whole.facts and len(calls) == 6, "a complete bank is left as it is"
