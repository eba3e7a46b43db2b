"""What the page says until PyTorch and the first model are there."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app import preload
from leaps_core import models
from leaps_core.errors import ModelError
from leaps_core.inversion.networks import Networks
from leaps_core.inversion.plan import make_plan
from leaps_core.models import loading


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(preload, "_done", threading.Event())
    monkeypatch.setattr(preload, "_problem", "")
    yield


def test_it_begins_with_a_model_that_can_be_inverted() -> None:
    assert preload.default_model().role == "model" and models.state(preload.default_model()) == "bundled"


def test_loading_then_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    load = models.load
    monkeypatch.setattr(loading, "_loaded", {})
    monkeypatch.setattr(models, "load", lambda key, *how: (loaded.append(key), load(key, *how))[1])
    assert preload.report()["state"] == "loading" and not preload.ready()
    preload._load()
    assert preload.ready() and preload.report()["state"] == "ready"
    model = preload.default_model()
    assert loaded[0] == model.key and len(loaded) == 3, "the model, its verifier and the judge"
    before = dict(loading._loaded)
    Networks.load(make_plan(models.configure(model.key, models.labels(model.world)[0])))
    assert loading._loaded.keys() == before.keys(), "a run finds them as it needs them"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ModelError("These weights are damaged."), "These weights are damaged."),
        (ValueError("shapes"), "The model can't be loaded; the server's log"),
    ],
)
def test_a_failure_is_told(error: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(key: str, *how: str) -> None:
        raise error

    monkeypatch.setattr(models, "load", fail)
    preload._load()
    assert preload.ready(), "a run may be tried, and says what is wrong"
    assert preload.report()["state"] == "error" and sentence in preload.report()["text"]
