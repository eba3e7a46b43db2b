"""Models as they are loaded: frozen, shared, anew where their file is another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from leaps_core import models
from leaps_core.errors import ModelError
from leaps_core.models import loading

CLIP = torch.rand(2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))


def test_loaded_models_are_frozen_and_share_tensors_but_not_modules() -> None:
    one, other = models.load("tiny"), models.load("tiny")
    assert not one.training and not any(p.requires_grad for p in one.parameters())
    assert one.network.stem is not other.network.stem
    assert one.network.stem.weight.data_ptr() == other.network.stem.weight.data_ptr()
    assert torch.equal(one(CLIP), other(CLIP))
    one.requires_grad_(True)
    assert not any(p.requires_grad for model in (other, models.load("tiny")) for p in model.parameters())


def test_models_that_are_not_here_say_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert models.state(models.spec("x3d_xs")) == "download"
    with pytest.raises(ModelError, match="download x3d_xs"):
        models.load("x3d_xs")


def test_fingerprints_tell_weights_apart() -> None:
    first, second = (models.fingerprint(models.spec(key)) for key in ("tiny", "tiny_verifier"))
    assert first != second and first == models.fingerprint(models.spec("tiny"))


def test_a_file_that_was_replaced_is_loaded_anew(caches: Path, published: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "leaps" / "weights"
    folder.mkdir(parents=True)
    before = []
    for content in (published, published, _other(published, tmp_path)):
        (folder / "x3d_xs.pth").write_bytes(content)
        spec, found = models.spec("x3d_xs"), models.load("x3d_xs", "cpu")
        before.append((models.fingerprint(spec), found.get_parameter("network.blocks.5.proj.bias").sum().item()))
    assert before[0] == before[1] and before[2][0] != before[0][0] and before[2][1] == pytest.approx(before[0][1] + 400)
    assert sum(key == "x3d_xs" for key, *_ in loading._loaded) == 1, "the old ones are forgotten"


def _other(published: bytes, folder: Path) -> bytes:
    (folder / "other").write_bytes(published)
    state = torch.load(folder / "other", weights_only=True)
    state["model_state"]["blocks.5.proj.bias"] += 1
    torch.save(state, folder / "other")
    return (folder / "other").read_bytes()
