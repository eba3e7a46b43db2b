"""Published networks compute what their authors' code computes, and take their authors' files.

The fixtures hold logits and inner statistics of the published implementations for weights made from the tensors' names
(parity_fill.py). Those weights are written in the published container, and go through the project's own loader.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from leaps_core import models, video
from leaps_core.models.adapter import VideoModel
from leaps_core.models.worlds import listed
from tests.models.parity_fill import fill_state_dict, fill_tensor, make_input

DATA = Path(__file__).parents[1] / "data" / "parity"
FIXTURES = {
    "csn_r50": "csn_r50",
    "mvitv2_b_32x3": "mvitv2_b",
    "mvitv2_s_16x4": "mvitv2_s",
    "rev_mvit_b_16x4": "rev_mvit_b",
    "swin_t": "swin_t",
    "timesformer": "timesformer",
    "uniformerv2_b_16_8": "uniformerv2_b16_8",
    "uniformerv2_l_14_8": "uniformerv2_l14_8",
    "uniformerv2_l_14_16": "uniformerv2_l14_16",
}
"""Each fixture's model."""
TOLERANCE = 1e-4
"""Of the logits' standard deviation."""
UNIFORMER = [
    "conv1",
    "ln_pre",
    *(f"transformer.resblocks.{i}" for i in (0, 5, 7, 11)),
    *(f"transformer.dec.{i}" for i in range(4)),
    "transformer.proj.0",
]
WHERE = {
    "csn_r50": [
        "blocks.0.activation",
        "blocks.0",
        "blocks.1.res_blocks.0",
        *(f"blocks.{i}" for i in range(1, 5)),
        "blocks.5.pool",
    ],
    "mvitv2_b": ["network.conv_proj", *(f"network.blocks.{i}" for i in (0, 1, 2, 5, 12, 20, 21, 23)), "network.norm"],
    "mvitv2_s": ["network.conv_proj", *(f"network.blocks.{i}" for i in (0, 1, 3, 8, 13, 14, 15)), "network.norm"],
    "rev_mvit_b": ["patch_embed", *(f"rev_backbone.layers.{i}" for i in (0, 1, 2, 3, 13, 14, 15)), "norm"],
    "swin_t": ["patch_embed", *(f"features.{i}" for i in range(7)), "norm"],
    "timesformer": [
        "network.timesformer.embeddings.patch_embeddings",
        *(f"network.timesformer.encoder.layer.{i}" for i in (0, 1, 5, 8, 11)),
        "network.timesformer.layernorm",
    ],
    "uniformerv2_b16_8": [f"backbone.{name}" for name in UNIFORMER],
    "uniformerv2_l14_8": [
        f"backbone.{name}"
        for name in (*UNIFORMER[:2], *(f"transformer.resblocks.{i}" for i in (0, 11, 19, 23)), *UNIFORMER[6:])
    ],
}
"""The modules whose outputs a fixture's `intermediates` describe, in its order."""


WHERE["uniformerv2_l14_16"] = WHERE["uniformerv2_l14_8"]


SMALL = [
    (name, run)
    for name in FIXTURES
    for run in range(len(json.loads((DATA / f"{name}.json").read_text()).get("extra_runs", [])))
]


@lru_cache(1)  # the large ones take GB
def load(name: str, folder: Path) -> tuple[dict[str, Any], VideoModel]:
    """A fixture, and the project's model with the fixture's weights, read from a file in the published format."""
    fixture = json.loads((DATA / f"{name}.json").read_text())
    tensors: dict[str, Any] = fill_state_dict(fixture["state_dict"])
    for buffer, facts in fixture["untouched_buffers"].items():
        tensors[buffer] = torch.zeros(facts["shape"], dtype=getattr(torch, facts["dtype"]))
    key = fixture["checkpoint_container_key"]
    path = folder / "published.pth"
    torch.save({"epoch": 200, key: tensors, "cfg": "TRAIN: {}"} if key else tensors, path)
    spec = models.spec(FIXTURES[name])
    model = VideoModel(spec, models.network(spec.key), path)
    path.unlink()
    return fixture, model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where checkpoints are written."""
    return tmp_path_factory.mktemp("published")


def expected(fixture: dict[str, Any], run: dict[str, Any]) -> np.ndarray:
    """A run's logits in the alphabetical order of the world."""
    logits = np.array(run["logits"])
    if fixture["model"].startswith("uniformerv2"):
        rows = listed("kinetics400_uniformerv2")
        return logits[[rows.index(label) for label in models.labels("kinetics400")]]
    return logits


def error(model: VideoModel, fixture: dict[str, Any], run: dict[str, Any]) -> float:
    """The largest difference of the logits, in their standard deviations."""
    with torch.no_grad():
        logits = model.network(make_input(run["input_shape"]))[0].numpy()
    return float(np.abs(logits - expected(fixture, run)).max() / run["logits_std"])


def test_the_rule_is_the_one_that_made_the_fixtures() -> None:
    fixture = json.loads((DATA / "csn_r50.json").read_text())
    for name, values in fixture["fill_check"].items():
        assert np.allclose(fill_tensor(name, fixture["state_dict"][name]).flatten()[:4], values, atol=1e-6)
    assert np.allclose(make_input(fixture["input_shape"]).flatten()[:4], fixture["input_check"], atol=1e-6)


@pytest.mark.parametrize(("name", "run"), SMALL)
def test_other_sizes(name: str, run: int, folder: Path) -> None:
    fixture, model = load(name, folder)
    found = error(model, fixture, fixture["extra_runs"][run])
    print(f"{name} {fixture['extra_runs'][run]['input_shape']}: {found:.1e}")
    assert found <= TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", FIXTURES)
def test_native_size(name: str, folder: Path) -> None:
    fixture, model = load(name, folder)
    found: dict[str, tuple[float, float]] = {}
    for where in WHERE[FIXTURES[name]]:

        def see(module: torch.nn.Module, inputs: Any, output: Any, where: str = where) -> None:
            value = output[0] if isinstance(output, tuple) else output
            found[where] = value.mean().item(), value.std(correction=0).item()

        model.network.get_submodule(where).register_forward_hook(see)
    difference = error(model, fixture, fixture)
    print(f"{name} {fixture['input_shape']}: {difference:.1e}")
    for where, given in zip(WHERE[FIXTURES[name]], fixture["intermediates"], strict=True):
        assert found[where] == pytest.approx((given["mean"], given["std"]), abs=TOLERANCE * given["std"]), given["where"]
    assert difference <= TOLERANCE
    assert sum(weight.numel() for weight in model.parameters()) == fixture["params"] == model.spec.params


@pytest.mark.parametrize("case", ["T=16", "T=10"])
def test_i3d_computes_what_its_publisher_computes_with_the_real_weights(case: str) -> None:
    if models.state(models.spec("i3d")) == "download":
        pytest.skip("the weights of “i3d” are not on this machine: `python -m leaps_core download i3d` gets them")
    wanted = json.loads((DATA / "i3d.json").read_text("utf-8"))[case]
    pixels = np.random.default_rng(7).random((1, int(case[2:]), 224, 224, 3), dtype=np.float32)
    model = models.load("i3d", "cpu")
    clip = torch.from_numpy(pixels).permute(0, 4, 1, 2, 3)  # the publisher's input is 2 · clip − 1, as the model normalises
    with torch.no_grad():
        seen = model.observe(clip)
    logits = np.array(wanted["logits"])
    assert np.abs(seen.logits[0].numpy() - logits).max() < TOLERANCE * logits.std()
    for name, features in zip(model.taps, seen.features, strict=True):
        tap = np.array(wanted["taps"][name])
        assert np.abs(features[0].numpy() - tap).max() < TOLERANCE * tap.std(), name


@pytest.mark.parametrize("key", ["efficientnet_lite0", "efficientnet_lite1"])
def test_networks_of_pictures_name_a_drawn_traffic_light_with_the_real_weights(key: str) -> None:
    if models.state(models.spec(key)) == "download":
        pytest.skip(f"the weights of “{key}” are not on this machine: `python -m leaps_core download {key}` gets them")
    picture = np.full((240, 240, 3), (150, 190, 230), np.uint8)
    cv2.rectangle(picture, (85, 20), (155, 220), (25, 25, 25), -1)
    for y, colour in ((55, (220, 30, 30)), (120, (70, 60, 20)), (185, (20, 70, 40))):
        cv2.circle(picture, (120, y), 28, colour, -1, cv2.LINE_AA)
    model = models.load(key, "cpu")
    with torch.no_grad():
        p = model(model.fit(video.to_tensor(np.stack([picture] * 4)))).softmax(1)[0]
    assert models.labels("imagenet1k")[int(p.argmax())] == "traffic light" and p.max() > 0.1
