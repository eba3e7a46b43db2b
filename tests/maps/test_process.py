"""Fitting a map in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from leaps_core import banks, maps
from leaps_core.errors import BankError
from leaps_core.files import Progress
from leaps_core.maps import process
from leaps_core.maps.process import fit_apart
from tests.maps.helpers import clusters, make_bank

FIT = process._fit


def _in_three_epochs(path: Path, recipe: maps.Recipe, told: Connection) -> None:
    """The fitting, by a method that says how far it is, as UMAP does, but without the half minute that UMAP compiles."""
    fit = process.load_or_fit

    def slowly(bank: banks.Bank, recipe: maps.Recipe, progress: Progress) -> maps.Map:
        for done in (1, 2, 3):
            progress(done, 3)
        return fit(bank, recipe)

    process.load_or_fit = slowly  # in the process of its own
    FIT(path, recipe, told)


def test_a_map_is_fitted_elsewhere_and_stored(bank: banks.Bank) -> None:
    recipe = maps.Recipe("pca", dims=3)
    assert maps.stored(bank, recipe) is None
    assert list(fit_apart(bank, recipe)) == [], "PCA has no epochs"
    found = maps.stored(bank, recipe)
    assert found is not None and np.allclose(found.positions, maps.fit(bank, recipe).positions)


def test_how_far_it_is_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(process, "_fit", _in_three_epochs)
    small, recipe = make_bank(tmp_path / "small.parquet", clusters(40, 0)), maps.Recipe("pca")
    assert list(fit_apart(small, recipe)) == [(1, 3), (2, 3), (3, 3)]
    found = maps.stored(small, recipe)
    assert found is not None and found.positions.shape == (40, 2)


def _slow(path: Path, recipe: maps.Recipe, told: Connection) -> None:
    """In place of the fitting: it begins, and doesn't end."""
    told.send((1, 100))
    time.sleep(200)


def _dies(path: Path, recipe: maps.Recipe, told: Connection) -> None:
    """In place of the fitting: killed on the way, as where memory is used up."""
    told.send((1, 100))
    os._exit(9)


def test_closing_ends_the_process(bank: banks.Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_fit", _slow)
    begun = fit_apart(bank, maps.Recipe())
    assert next(begun) == (1, 100)
    assert [child.name for child in multiprocessing.active_children()] == ["map"]
    begun.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children() and maps.stored(bank, maps.Recipe()) is None


def test_a_process_that_is_killed_is_told(bank: banks.Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_fit", _dies)
    with pytest.raises(BankError, match="its process ended early. Is there enough memory"):
        list(fit_apart(bank, maps.Recipe()))


def test_too_few_clips_are_told_as_if_it_were_fitted_here(tmp_path: Path) -> None:
    few = make_bank(tmp_path / "few.parquet", clusters(12, 0))
    with pytest.raises(BankError, match="has 12 clips; umap needs more than 15"):
        list(fit_apart(few, maps.Recipe()))
    assert not multiprocessing.active_children()


def test_a_bank_that_is_gone_is_told(bank: banks.Bank) -> None:
    bank.path.unlink()
    with pytest.raises(BankError, match="There is no bank"):
        list(fit_apart(bank, maps.Recipe("pca")))
