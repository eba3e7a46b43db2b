"""Banks of real clips as they lie on disk: what they hold, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaps_core import banks, models, video
from leaps_core.banks.bank import COLUMNS
from leaps_core.banks.clips import PUPPET_SEED
from leaps_core.errors import BankError
from leaps_core.puppets import render_clip


def test_rows_are_read_in_the_order_asked(puppets: banks.Bank) -> None:
    assert np.array_equal(puppets.rows([7, 2, 7]), puppets.embeddings[[7, 2, 7]])
    assert len(set(puppets.sample(5).tolist())) == 5 and np.array_equal(puppets.sample(5), puppets.sample(5))
    assert not np.array_equal(puppets.sample(5, 0), puppets.sample(5, 1))
    assert np.array_equal(puppets.sample(99), np.arange(20))


def test_puppets_are_drawn_when_looked_at(puppets: banks.Bank) -> None:
    sheet = puppets.preview(4)
    assert sheet == video.sprite(render_clip(puppets.labels[4], PUPPET_SEED + 4)) and sheet["n"] == 16
    assert puppets.poster(4).startswith("data:image/webp;base64,") and puppets.poster(4) != puppets.poster(5)
    with pytest.raises(BankError, match="no clip 20"):
        puppets.poster(20)


def test_a_bank_knows_its_model_and_weights(puppets: banks.Bank) -> None:
    puppets.check(models.spec("tiny"))
    with pytest.raises(BankError, match="is of “tiny”, not of “tiny_verifier”"):
        puppets.check(models.spec("tiny_verifier"))
    with pytest.raises(BankError, match="other weights"):
        puppets.check(models.spec("tiny"), "0" * 16)


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
    for name in COLUMNS:
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


def _rewritten(path: Path, change: Callable[[Any], Any], out: Path | None = None) -> None:
    """The bank with its table changed, and the same facts in its footer."""
    import pyarrow.parquet as pq

    facts = {b"leaps": pq.read_metadata(path).metadata[b"leaps"]}
    pq.write_table(change(pq.read_table(path)).replace_schema_metadata(facts), out or path)


def test_clips_without_pictures_are_told(puppets: banks.Bank) -> None:
    bank = banks.Bank(puppets.path, puppets.facts | {"puppets": False})
    for look in (bank.poster, bank.preview):
        with pytest.raises(BankError, match=f"has no {look.__name__} of clip 3. Build it again"):
            look(3)
