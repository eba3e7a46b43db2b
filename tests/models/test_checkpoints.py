"""Files of weights: published ones load, others are refused, and none runs code."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from leaps_core import models
from leaps_core.errors import ModelError
from leaps_core.models import checkpoints
from leaps_core.models.adapter import VideoModel
from leaps_core.models.architectures import builders
from leaps_core.models.spec import ModelSpec
from leaps_core.models.worlds import WORLDS
from tests import tiny
from tests.models.downloads import Hostile


def test_library_networks_load_published_files(tmp_path: Path) -> None:
    """A file in the published format, with random weights, through the project's loader: the library's own logits. The
    clips are the smallest that pass the libraries' heads."""
    from pytorchvideo.models import hub
    from torchvision.models import video as tv

    torch.manual_seed(0)
    mvit = tv.mvit_v2_s()
    mvit.pos_encoding.temporal_size, mvit.pos_encoding.spatial_size = 2, (16, 16)  # of a small clip; its tables are relative
    cases: list[tuple[str, nn.Module, str | None, tuple[int, int, int]]] = [
        ("x3d_xs", hub.x3d_xs(head_activation=None), "model_state", (4, 160, 160)),
        ("x3d_s", hub.x3d_s(head_activation=None), "model_state", (13, 160, 160)),
        ("x3d_m", hub.x3d_m(head_activation=None), "model_state", (16, 193, 193)),
        ("slow_r50", hub.slow_r50(), "model_state", (8, 193, 193)),
        ("r2plus1d_r50", hub.r2plus1d_r50(head_activation=None), "model_state", (13, 193, 193)),
        ("csn_r101", hub.csn_r101(), "model_state", (25, 193, 193)),
        ("r3d_18", tv.r3d_18(), None, (8, 64, 64)),
        ("mc3_18", tv.mc3_18(), None, (8, 64, 64)),
        ("r2plus1d_18", tv.r2plus1d_18(), None, (8, 64, 64)),
        ("s3d", tv.s3d(), None, (13, 209, 209)),
        ("swin_t", tv.swin3d_t(), None, (4, 64, 64)),
        ("mvitv2_s", mvit, None, (4, 64, 64)),
        ("swin_s", tv.swin3d_s(), None, (4, 64, 64)),
        ("swin_b", tv.swin3d_b(), None, (4, 64, 64)),
        ("mvit_v1_b", tv.mvit_v1_b(), None, (16, 224, 224)),
    ]
    for key, library, container, shape in cases:
        for module in library.modules():  # statistics of their own, so that mixed-up norms show
            if isinstance(module, nn.BatchNorm3d):
                module.running_mean.uniform_(-0.2, 0.2)  # type: ignore[union-attr]
                module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
        weights = library.eval().state_dict()
        torch.save(
            {"epoch": 1, container: weights, "optimizer_state": {"state": {}}} if container else weights,
            tmp_path / "published.pth",
        )
        model = VideoModel(models.spec(key), models.network(key), tmp_path / "published.pth")
        clip = torch.randn(1, 3, *shape)
        with torch.no_grad():
            expected, found = library(clip), model.network(clip)
        assert torch.allclose(found, expected, atol=1e-4 * expected.std().item()), key


@pytest.mark.parametrize("key", ["videomae_b", "vivit_b", "vjepa2_l_ssv2", "timesformer"])
def test_hub_files_load_with_their_old_names(key: str, tmp_path: Path) -> None:
    """Small networks of each class: names as the hub's files have them, logits as the library's own class gives them."""
    import transformers

    spec = models.spec(key)
    small: dict[str, Any] = {"hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 2, "image_size": 32}
    if key == "vjepa2_l_ssv2":
        small = {
            "hidden_size": 48,
            "num_attention_heads": 2,
            "num_hidden_layers": 2,
            "crop_size": 32,
            "frames_per_clip": 8,
            "num_pooler_layers": 1,
            "pred_hidden_size": 24,
            "pred_num_attention_heads": 2,
            "pred_num_hidden_layers": 1,
        }
    else:
        small |= {"intermediate_size": 48, "num_frames": 8}
    name, kind = {
        "videomae_b": ("videomae", "VideoMAE"),
        "vivit_b": ("vivit", "Vivit"),
        "vjepa2_l_ssv2": ("vjepa2", "VJEPA2"),
        "timesformer": ("timesformer", "Timesformer"),
    }[key]
    torch.manual_seed(0)
    count = len(WORLDS[spec.world])
    network = getattr(builders, name)(count, **small).eval()
    config = getattr(transformers, f"{kind}Config")(num_labels=count, **small)
    library = getattr(transformers, f"{kind}ForVideoClassification")(config).eval()
    for value in library.parameters():
        nn.init.normal_(value, std=0.1)
    old = {_old(key, name): value.clone() for name, value in library.state_dict().items()}
    save_file(old, tmp_path / "model.safetensors")
    names = models.labels(spec.world)
    turned = list(reversed(range(count)))
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {str(row): names[turned[row]] for row in range(count)}}))
    checkpoints.load(spec, network, tmp_path / "model.safetensors")
    clip = torch.randn(1, 3, 8, 32, 32)
    with torch.no_grad():
        found, expected = network(clip), library(clip.transpose(1, 2)).logits  # frames first
    assert expected.std() > 0.1
    assert torch.allclose(found, expected[:, turned], atol=1e-5), "classes by name, not by place"
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {str(row): f"LABEL_{row}" for row in range(count)}}))
    with pytest.raises(ModelError, match="classes"):
        checkpoints.load(spec, network, tmp_path / "model.safetensors")


def _old(key: str, name: str) -> str:
    """A tensor's name in the files on the hub, of its name in today's classes."""
    pairs = {
        "videomae_b": [
            ("attention.attention.query.bias", "attention.attention.q_bias"),
            ("attention.attention.value.bias", "attention.attention.v_bias"),
        ],
        "vivit_b": [
            ("vivit.layers.", "vivit.encoder.layer."),
            ("attention.q_proj", "attention.attention.query"),
            ("attention.k_proj", "attention.attention.key"),
            ("attention.v_proj", "attention.attention.value"),
            ("attention.o_proj", "attention.output.dense"),
            ("mlp.fc1", "intermediate.dense"),
            ("mlp.fc2", "output.dense"),
        ],
    }.get(key, [])
    for new, old in pairs:
        name = name.replace(new, old)
    return name


def test_files_of_other_models_and_classes_are_refused(tmp_path: Path) -> None:
    path, network = tmp_path / "file.pth", models.network("x3d_xs")
    with pytest.raises(ModelError, match="missing"):
        checkpoints.load(models.spec("x3d_xs"), network, path)
    torch.save({"model_state": models.network("x3d_m").state_dict() | {"blocks.6.weight": torch.zeros(2)}}, path)
    with pytest.raises(ModelError, match=r"1 are left over: blocks\.6\.weight"):
        checkpoints.load(models.spec("x3d_xs"), network, path)
    torch.save({"model_state": models.network("r3d_18").state_dict()}, path)
    with pytest.raises(ModelError, match="another model's file"):
        checkpoints.load(models.spec("x3d_xs"), network, path)
    wide = network.state_dict()
    wide["blocks.5.proj.weight"], wide["blocks.5.proj.bias"] = torch.zeros(600, 2048), torch.zeros(600)
    torch.save({"model_state": wide}, path)
    with pytest.raises(ModelError, match=r"shape 600.*expected 400"):
        checkpoints.load(models.spec("x3d_xs"), network, path)
    torch.save([1, 2], path)
    with pytest.raises(ModelError, match="no tensors"):
        checkpoints.load(models.spec("x3d_xs"), network, path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match="damaged"):
        checkpoints.load(models.spec("x3d_xs"), network, path)


def test_code_in_a_file_is_never_run(tmp_path: Path) -> None:
    torch.save({"model_state": Hostile(tmp_path / "ran")}, tmp_path / "hostile.pth")
    with pytest.raises(ModelError, match=r"refused: .*\(getattr\).* could run code\. .*save the state_dict alone"):
        checkpoints.read(tmp_path / "hostile.pth")
    assert not (tmp_path / "ran").exists()


def test_damaged_files_are_told_whatever_the_reader_trips_over(tmp_path: Path) -> None:
    """torch's reader of the older format raises IndexError, struct.error, EOFError, RuntimeError, AssertionError ..."""
    path = tmp_path / "old.pth"
    torch.save({"epoch": 1, "state_dict": nn.Linear(3, 4).state_dict()}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    assert checkpoints.read(path).keys() == {"weight", "bias"}
    causes = set()
    for length in (0, 1, 18, *range(20, len(whole), 25), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError) as raised:
            checkpoints.read(path)
        cause = raised.value.__cause__
        causes.add(type(cause).__name__)  # a name that is cut off is one that isn't allowed
        said = "refused" if isinstance(cause, UnpicklingError) else "not a checkpoint, or damaged"
        assert said in str(raised.value), length
    assert {"IndexError", "error", "EOFError", "RuntimeError"} <= causes
    path.write_text("<!DOCTYPE html><html>Sign in</html>")
    with pytest.raises(ModelError, match=r"old\.pth is not a checkpoint, or damaged \(it begins neither"):
        checkpoints.read(path)


def test_half_precision_becomes_single(tmp_path: Path) -> None:
    network = models.network("x3d_xs")
    half = {name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()}
    torch.save({"model_state": half}, tmp_path / "half.pth")
    loaded = checkpoints.fit(models.spec("x3d_xs"), network, tmp_path / "half.pth")
    assert {value.dtype for value in loaded.values()} == {torch.float32}


def test_weights_that_do_not_fit_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    spec = ModelSpec("bad", "Bad", "tiny", "puppets", 8, 32, r"stem", "stem", weights=tmp_path / "bad.safetensors")
    with pytest.raises(ModelError, match="missing"):
        VideoModel(spec, tiny.TinyNet(0))
    save_file({"other": torch.zeros(3)}, spec.weights)
    with pytest.raises(ModelError, match="doesn't hold"):
        VideoModel(spec, tiny.TinyNet(0))
    spec.weights.write_bytes(b"not a weights file")
    with pytest.raises(ModelError, match="damaged"):
        VideoModel(spec, tiny.TinyNet(0))


def test_half_precision_weights_load_as_single(tmp_path) -> None:  # type: ignore[no-untyped-def]
    network = tiny.TinyNet(0)
    path = tmp_path / "half.safetensors"
    weights = network.state_dict()
    save_file({name: value.half() if value.is_floating_point() else value for name, value in weights.items()}, path)
    model = VideoModel(ModelSpec("half", "Half", "tiny", "puppets", 8, 32, r"stem", "stem", weights=path), tiny.TinyNet(5))
    assert model.network.stem.weight.dtype == torch.float32
    assert torch.allclose(model.network.stem.weight, network.stem.weight, atol=1e-3)


OWN = ModelSpec("own", "Own", "tiny", "puppets", 8, 32, r"stem", "stem")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda weights: {"model": weights, "epoch": 3, "args": argparse.Namespace(lr=0.1)},
        lambda weights: {"state_dict": weights, "best": np.float64(0.9), "seen": np.int64(3)},
        lambda weights: {f"module.{name}": value for name, value in weights.items()},
        lambda weights: {"model": {f"_orig_mod.module.{name}": value for name, value in weights.items()}},
        lambda weights: {name.replace("block1.", "block1._orig_mod."): value for name, value in weights.items()},
        lambda weights: {"state_dict": {f"network.{name}": value for name, value in weights.items()}, "loops": {"fit": {}}},
        lambda weights: {"model_ema": weights, "epoch": 3},
        lambda weights: {"n_averaged": torch.tensor(3), **{f"module.{name}": value for name, value in weights.items()}},
        lambda weights: {"module": weights, "ds_version": "0.15.1", "optimizer": None},
        lambda weights: {"checkpoint": {"model": weights}, "model": None},
        lambda weights: {"model": weights, "model_ema": {name: 0 * value for name, value in weights.items()}},
        lambda weights: {name: value.bfloat16().float().bfloat16() for name, value in weights.items()},
    ],
    ids="namespace numpy data-parallel compiled part-compiled lightning averaged swa deepspeed nested both bfloat16".split(),
)
def test_what_training_programs_save_is_loaded(tmp_path: Path, wrap: Callable[[dict[str, Tensor]], object]) -> None:
    weights = {
        name: value.bfloat16().float() if value.is_floating_point() else value
        for name, value in tiny.TinyNet(5).state_dict().items()
    }
    torch.save(wrap(weights), tmp_path / "trained.pth")
    network = tiny.TinyNet(6)
    checkpoints.load(OWN, network, tmp_path / "trained.pth")
    found = network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in weights.items() if not name.endswith("tracked"))


def test_a_whole_network_is_refused_with_what_to_do(tmp_path: Path) -> None:
    torch.save(tiny.TinyNet(5), tmp_path / "whole.pth")
    with pytest.raises(ModelError, match=r"tests\.tiny\.TinyNet.*save the state_dict alone: torch\.save"):
        checkpoints.read(tmp_path / "whole.pth")


def test_shards_are_read_as_one_by_their_index_or_any_of_them(tmp_path: Path) -> None:
    weights = tiny.TinyNet(5).state_dict()
    names = sorted(weights)
    files = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for part, file in enumerate(files):
        save_file({name: weights[name] for name in names[part::2]}, tmp_path / file)
    placed = {name: files[place % 2] for place, name in enumerate(names)}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": placed}), "utf-8")
    for file in (*files, "model.safetensors.index.json"):
        assert checkpoints.read(tmp_path / file).keys() == weights.keys()
    (tmp_path / files[1]).unlink()
    with pytest.raises(ModelError, match=rf"{files[1]} is missing"):
        checkpoints.read(tmp_path / files[0])
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": []}', "utf-8")
    with pytest.raises(ModelError, match="is no index of weights; expected JSON with a weight_map"):
        checkpoints.read(tmp_path / "model.safetensors.index.json")
