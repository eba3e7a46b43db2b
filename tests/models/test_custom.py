"""Models of one's own: Python files, exported and scripted networks with a record. The examples of docs/custom-models.md
run."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from leaps_core import SynthesisConfig, models, synthesize
from leaps_core.errors import ConfigError, ModelError
from leaps_core.models import custom
from leaps_core.models.inspection import inspect
from tests.models.documented import EXAMPLES, ROOT, exported, record, scripted

pytestmark = pytest.mark.usefixtures("own_registry")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(EXAMPLES[0][1], "utf-8")
    return path


def steps(key: str, **settings: object) -> list[object]:
    return list(synthesize(SynthesisConfig(**{"model": key, "action": "waving", "steps": 2, **settings})))


def test_a_python_file_registers_a_model(mine: Path) -> None:
    custom.load(mine)
    step = steps("mine", stimuli=())[-1]
    assert step.clip.shape == (1, 3, 8, 64, 64) and step.embedding.shape == (16,)  # type: ignore[attr-defined]
    assert models.spec("mine").can_verify and models.labels("my actions") == ("jumping", "running", "waving")


def test_an_exported_network_is_tapped_and_agrees(tmp_path: Path) -> None:
    network = exported(tmp_path)
    custom.load(record(tmp_path, "exported.toml", EXAMPLES[3][1]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # its copies are whole
        loaded = models.load("exported")
    clip = torch.rand(1, 3, 8, 64, 64, requires_grad=True)
    seen = loaded.observe(clip)
    assert torch.allclose(seen.logits, network(loaded.normalise(clip)), atol=1e-6)
    inner = network.stem(loaded.normalise(clip))  # type: ignore[operator]
    assert torch.allclose(seen.features[0], inner.mean((2, 3, 4)), atol=1e-6) and seen.temporal is not None
    stimulus = np.random.default_rng(0).integers(0, 256, (1, 8, 64, 64, 3), np.uint8)
    [*_, last] = synthesize(SynthesisConfig(model="exported", action="waving", steps=2), stimulus=stimulus)
    assert {"cross_entropy", "priming", "coherence"} <= last.losses.keys()
    with pytest.raises(ConfigError, match="takes 64 only"):
        steps("exported", size=96)


def test_a_scripted_network_has_neither_priming_nor_coherence_and_says_so(tmp_path: Path) -> None:
    custom.load(scripted(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, *_, last = steps("scripted", stimuli=())
    assert last.losses.keys() == {"cross_entropy", "smoothness"}  # type: ignore[attr-defined]
    assert any("neither priming nor temporal coherence" in notice for notice in first.notices)  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="no layer for embeddings"):
        models.load("scripted").embed(torch.rand(1, 3, 8, 64, 64))


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_network_of_very_few_frames_is_inverted_as_any_other(mine: Path, frames: int) -> None:
    mine.write_text(EXAMPLES[0][1].replace("frames=8", f"frames={frames}"), "utf-8")
    custom.load(mine)
    assert steps("mine", stimuli=())[-1].clip.shape[2] == frames  # type: ignore[attr-defined]


def test_a_file_may_import_the_one_beside_it_also_when_it_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    record(tmp_path, "sibling_a.py", "NAME = 'with a sibling'\n")
    record(tmp_path, "sibling_b.py", "LAYERS = 1\n")
    code = EXAMPLES[0][1].replace("import torch", "import sibling_a\nimport torch", 1)
    assert "super().__init__()" in code
    code = code.replace("super().__init__()", "super().__init__()\n        import sibling_b; assert sibling_b.LAYERS", 1)
    custom.load(record(tmp_path, "siblings.py", code))
    assert models.network("mine") is not None


def test_a_builder_that_looks_at_values_is_inspected(mine: Path) -> None:
    code = EXAMPLES[0][1].replace("super().__init__()", "super().__init__()\n        torch.linspace(0, 1, 3)[1].item()", 1)
    mine.write_text(code, "utf-8")
    custom.load(mine)
    assert inspect(models.spec("mine")).taps


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("bad.py", "1 / 0", r"bad\.py can't be loaded: ZeroDivisionError: division by zero"),
        ("bad.py", "def (", r"SyntaxError"),
        ("bad.toml", "frames = ", r"bad\.toml can't be loaded: TOMLDecodeError"),
        ("bad.toml", "fames = 8", r"unknown field “fames”.*frames"),
        ("bad.toml", "frames = 8", r"network bad\.pt2 is not there"),
        ("bad.toml", 'file = "../there.pt2"', r"names \.\./there\.pt2, which doesn't lie.*Put it beside bad"),
        ("bad.toml", 'file = "there.pt2"\nlabels = "/etc/hostname"', r"names /etc/hostname, which doesn't lie"),
        ("bad.toml", 'file = "bad.py"', r"expected file = \"NAME\.pt2\""),
        ("bad.toml", 'file = "there.ts"\ntaps = "block"\nlabels = ["a"]', r"there\.ts is TorchScript.*leave taps"),
        (
            "bad.toml",
            'file = "there.pt2"\nframes = "many"\nsize = 64\ntaps = ""\nembedding_layer = ""\nlabels = ["a"]',
            r"“frames”: input should be a valid integer",
        ),
        ("bad.toml", 'file = "there.pt2"\nframes = 8\nsize = 64\ntaps = ""\nembedding_layer = ""', r"has no labels yet"),
    ],
)
def test_bad_files_are_told(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    (tmp_path / "bad.py").touch()
    for network in ("there.pt2", "there.ts"):
        (tmp_path / network).touch()
    with pytest.raises(ModelError, match=sentence):
        custom.load(record(tmp_path, name, text))


def test_a_record_brings_settings_of_its_own(tmp_path: Path) -> None:
    exported(tmp_path)
    [settings] = [text for _, text in EXAMPLES if text.startswith("[settings]")]
    custom.load(record(tmp_path, "exported.toml", EXAMPLES[3][1] + settings))
    config = models.configure("exported", "waving")
    assert (config.evidence, config.r, config.steps) == (0.5, 0.02, 200)
    assert models.configure("exported", "waving", name="quick").evidence == 0.5, "a quick look has them, too"
    with pytest.raises(ModelError, match="has settings that can't be: There is no setting “evidense”. Did you mean “evidence”"):
        custom.load(record(tmp_path, "exported.toml", EXAMPLES[3][1] + settings.replace("evidence", "evidense")))
    with pytest.raises(ModelError, match="has settings that can't be: .*steps"):
        custom.load(record(tmp_path, "exported.toml", EXAMPLES[3][1] + settings.replace("200", '"many"')))
    with pytest.raises(ModelError, match="has “warmup” among its settings, which is called warmup_steps now"):
        custom.load(record(tmp_path, "exported.toml", EXAMPLES[3][1] + settings + "warmup = 3\n"))
    with pytest.raises(ModelError, match="has “seed” among its settings, which is chosen for each run"):
        custom.load(record(tmp_path, "exported.toml", EXAMPLES[3][1] + settings + "seed = 3\n"))


def test_a_network_that_can_not_be_built_is_told(tmp_path: Path) -> None:
    (tmp_path / "exported.pt2").write_bytes(b"no network")
    custom.load(record(tmp_path, "exported.toml", EXAMPLES[3][1]))
    with pytest.raises(ModelError, match="“exported” can't be built: "):
        models.load("exported")


def test_the_folder_is_read_and_one_bad_file_harms_no_other(mine: Path) -> None:
    (mine.parent / "models").mkdir()
    mine.rename(mine.parent / "models" / "mine.py")
    record(mine.parent / "models", "broken.py", "1 / 0")
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from leaps_core import cli; sys.exit(cli.main(['models']))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"LEAPS_HOME": str(mine.parent), "PATH": "/usr/bin:/bin"},
        check=True,
    )
    assert re.search(r"^mine +My network", done.stdout, re.M) and "broken.py can't be loaded: ZeroDivisionError" in done.stderr
