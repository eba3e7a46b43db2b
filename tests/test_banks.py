"""Banks of real clips: what they hold, that a stopped build goes on to the same bank, and what they refuse."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaps_core import banks, embed, models, runs, video
from leaps_core.errors import BankError
from leaps_core.puppets import render_clip
from tests import tiny

tiny.register()


@pytest.fixture
def puppets(tmp_path: Path) -> banks.Bank:
    return embed.build(embed.plan_puppets(20), "tiny", tmp_path / "puppets.parquet")


def test_rows_are_read_in_the_order_asked(puppets: banks.Bank) -> None:
    assert np.array_equal(puppets.rows([7, 2, 7]), puppets.embeddings[[7, 2, 7]])
    assert len(set(puppets.sample(5).tolist())) == 5 and np.array_equal(puppets.sample(5), puppets.sample(5))
    assert not np.array_equal(puppets.sample(5, 0), puppets.sample(5, 1))
    assert np.array_equal(puppets.sample(99), np.arange(20))


def test_puppets_are_drawn_when_looked_at(puppets: banks.Bank) -> None:
    sheet = puppets.preview(4)
    assert sheet == video.sprite(render_clip(puppets.labels[4], embed.PUPPET_SEED + 4)) and sheet["n"] == 16
    assert puppets.poster(4).startswith("data:image/webp;base64,") and puppets.poster(4) != puppets.poster(5)
    with pytest.raises(BankError, match="no clip 20"):
        puppets.poster(20)


def test_a_bank_begun_for_something_else_is_refused(puppets: banks.Bank, tmp_path: Path) -> None:
    with pytest.raises(BankError, match="another bank"):
        embed.build(embed.plan_puppets(21), "tiny", puppets.path)
    begun = tmp_path / "b.parquet"
    (tmp_path / "b.parquet.parts").mkdir()
    (tmp_path / "b.parquet.parts" / "plan.json").write_text("{}")
    with pytest.raises(BankError, match="parts of another bank"):
        embed.build(embed.plan_puppets(4), "tiny", begun)


def test_a_bank_knows_its_model_and_weights(puppets: banks.Bank) -> None:
    puppets.check(models.spec("tiny"))
    with pytest.raises(BankError, match="is of “tiny”, not of “tiny_verifier”"):
        puppets.check(models.spec("tiny_verifier"))
    with pytest.raises(BankError, match="other weights"):
        puppets.check(models.spec("tiny"), "0" * 16)


def test_fingerprints_tell_weights_apart() -> None:
    first, second = (models.fingerprint(models.spec(key)) for key in ("tiny", "tiny_verifier"))
    assert first != second and first == models.fingerprint(models.spec("tiny"))


def test_a_run_knows_the_weights_that_made_it(tmp_path: Path) -> None:
    from leaps_core import SynthesisConfig

    config = SynthesisConfig(model="tiny", action="bowling", steps=1, verifier="none", judge="none")
    *_, (run, _) = runs.perform(config, folder=tmp_path / "run")
    assert runs.Run.open(run.folder).record["weights"] == models.fingerprint(models.spec("tiny"))


@pytest.mark.parametrize("share", [0.2, 0.9])
def test_half_a_bank_is_refused(puppets: banks.Bank, share: float) -> None:
    whole = puppets.path.read_bytes()
    puppets.path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(BankError, match="only half of one"):
        banks.Bank.open(puppets.path)


def test_a_damaged_column_is_told(puppets: banks.Bank) -> None:
    whole = bytearray(puppets.path.read_bytes())
    whole[4 : len(whole) // 3] = bytes(len(whole) // 3 - 4)
    puppets.path.write_bytes(whole)
    with pytest.raises(BankError):
        _ = puppets.embeddings, puppets.labels, puppets.sources


def test_foreign_parquet_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(BankError, match="no bank"):
        banks.Bank.open(tmp_path / "a.parquet")
    with pytest.raises(BankError, match="There is no bank"):
        banks.Bank.open(tmp_path / "b.parquet")


def test_banks_that_lack_a_column_are_refused(puppets: banks.Bank) -> None:
    for name in banks.COLUMNS:
        _rewritten(puppets.path, lambda table, name=name: table.drop_columns([name]), puppets.path.with_name("b.parquet"))
        with pytest.raises(BankError, match="no bank" if name == "embedding" else f"lacks the columns {name};"):
            banks.Bank.open(puppets.path.with_name("b.parquet"))


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_embeddings_that_are_no_numbers_are_refused_when_read(puppets: banks.Bank, value: float) -> None:
    import pyarrow as pa

    vectors = puppets.embeddings.astype(np.float16)
    vectors[7, 3] = value
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    _rewritten(puppets.path, lambda table: table.set_column(table.schema.get_field_index("embedding"), "embedding", column))
    bank = banks.Bank.open(puppets.path)
    for read in (lambda: bank.embeddings, lambda: bank.rows([1, 7]), lambda: list(bank.batches())):
        with pytest.raises(BankError, match="embeddings that are not numbers. Build it again"):
            read()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e5])
def test_embeddings_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    vectors = np.zeros((3, 4))
    vectors[1, 2] = value
    with pytest.raises(BankError, match="embedding of b is not a number"):
        banks.assemble(tmp_path / "a.parquet", FACTS, 3, lambda numbers: (_columns(vectors, ["a", "b", "c"]), []))


def test_importing_needs_neither_torch_nor_pyarrow() -> None:
    code = (
        "import sys, leaps_core.banks, leaps_core.embed, leaps_core.maps, leaps_core.metrics; "
        "assert not {'torch', 'pyarrow', 'umap', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


@pytest.mark.slow
def test_all_of_kinetics_fits_without_memory(tmp_path: Path) -> None:
    """240,000 × 2,048 made-up vectors, about 1 GB on disk, are built and sampled within 0.4 GB of memory."""

    def make(numbers: range) -> tuple[dict[str, object], list[tuple[str, str]]]:
        vectors = np.random.default_rng(numbers.start).random((len(numbers), 2048), np.float32)
        return _columns(vectors, [str(i) for i in numbers]), []

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bank = banks.assemble(tmp_path / "kinetics.parquet", FACTS, 240_000, make)
    chosen = bank.sample(2_000)
    found = bank.rows(chosen)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB
    assert len(bank) == 240_000 and found.shape == (2_000, 2048)
    first = int(chosen[7]) // banks.PART * banks.PART
    again = np.random.default_rng(first).random((min(banks.PART, 240_000 - first), 2048), np.float32)[chosen[7] - first]
    assert np.allclose(found[7], again, atol=5e-4)
    assert grown < 400_000, f"{grown / 1000:.0f} MB"


FACTS = {"model": "tiny", "weights": "0" * 16, "world": "puppets", "layer": "block2", "puppets": False}


def _rewritten(path: Path, change: Callable[[Any], Any], out: Path | None = None) -> None:
    """The bank with its table changed, and the same facts in its footer."""
    import pyarrow.parquet as pq

    facts = {b"leaps": pq.read_metadata(path).metadata[b"leaps"]}
    pq.write_table(change(pq.read_table(path)).replace_schema_metadata(facts), out or path)


def _columns(vectors: np.ndarray, sources: list[str]) -> dict[str, object]:
    return {"label": ["bowling"] * len(vectors), "source": sources, "embedding": vectors}
