"""Models of one's own: Python files, exported and scripted networks with a record. The examples of docs/own-models.md run."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from leaps_core import SynthesisConfig, models, synthesize
from leaps_core.cli import main
from leaps_core.errors import ConfigError, ModelError
from leaps_core.models import own

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "own-models.md").read_text("utf-8"), re.S)


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone afterwards."""
    models.specs()
    for table in ("_registry", "_builders", "_labels", "_loaded"):
        monkeypatch.setattr(models, table, dict(getattr(models, table)))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(EXAMPLES[0][1], "utf-8")
    return path


def record(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def exported(folder: Path) -> torch.nn.Module:
    """The documented network, and its files in `folder`."""
    code = EXAMPLES[0][1] + EXAMPLES[2][1].replace('"exported.pt2"', repr(str(folder / "exported.pt2")))
    torch.manual_seed(0)
    network = runpy.run_path(str(record(folder, "export.py", code)), run_name="example")["network"]
    assert isinstance(network, torch.nn.Module)
    return network


def scripted(folder: Path) -> Path:
    """A record of the documented network as TorchScript, and its files in `folder`."""
    network = exported(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network, torch.rand(1, 3, 8, 64, 64)).save(str(folder / "scripted.ts"))  # type: ignore[no-untyped-call]
    text = EXAMPLES[3][1].replace("exported.pt2", "scripted.ts")
    return record(folder, "scripted.toml", re.sub(r"(taps|embedding_layer) = .*\n", "", text))


def steps(key: str, **settings: object) -> list[object]:
    return list(synthesize(SynthesisConfig(**{"model": key, "action": "waving", "steps": 2, **settings})))


def test_a_python_file_registers_a_model(mine: Path) -> None:
    own.load(mine)
    step = steps("mine", stimuli=())[-1]
    assert step.clip.shape == (1, 3, 8, 64, 64) and step.embedding.shape == (16,)  # type: ignore[attr-defined]
    assert models.spec("mine").can_verify and models.labels("my actions") == ("jumping", "running", "waving")


def test_an_exported_network_is_tapped_and_agrees(tmp_path: Path) -> None:
    network = exported(tmp_path)
    own.load(record(tmp_path, "exported.toml", EXAMPLES[3][1]))
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
    own.load(scripted(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, *_, last = steps("scripted", stimuli=())
    assert last.losses.keys() == {"cross_entropy", "smoothness"}  # type: ignore[attr-defined]
    assert any("neither priming nor temporal coherence" in notice for notice in first.notices)  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="no layer for embeddings"):
        models.load("scripted").embed(torch.rand(1, 3, 8, 64, 64))


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("bad.py", "1 / 0", r"bad\.py can't be loaded: ZeroDivisionError: division by zero"),
        ("bad.py", "def (", r"SyntaxError"),
        ("bad.toml", "frames = ", r"bad\.toml can't be loaded: TOMLDecodeError"),
        ("bad.toml", "fames = 8", r"unknown field “fames”.*frames"),
        ("bad.toml", "frames = 8", r"network bad\.pt2 is not there"),
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
        own.load(record(tmp_path, name, text))


def test_a_network_that_can_not_be_built_is_told(tmp_path: Path) -> None:
    (tmp_path / "exported.pt2").write_bytes(b"no network")
    own.load(record(tmp_path, "exported.toml", EXAMPLES[3][1]))
    with pytest.raises(ModelError, match="“exported” can't be built: "):
        models.load("exported")


def test_the_folder_is_read_and_one_bad_file_harms_no_other(mine: Path) -> None:
    (mine.parent / "models").mkdir()
    mine.rename(mine.parent / "models" / "mine.py")
    record(mine.parent / "models", "broken.py", "1 / 0")
    done = subprocess.run(
        [sys.executable, "-m", "leaps_core", "models"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"LEAPS_HOME": str(mine.parent), "PATH": "/usr/bin:/bin"},
        check=True,
    )
    assert re.search(r"^mine +My network", done.stdout, re.M) and "broken.py can't be loaded: ZeroDivisionError" in done.stderr


def test_the_command_line_takes_files(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["actions", "mine", "--models", str(mine)]) == 0
    assert capsys.readouterr().out.split() == ["jumping", "running", "waving"]
    assert main(["inspect", "mine", "--models", str(mine.parent / "none.py")]) == 2
    assert "none.py is no file of models" in capsys.readouterr().err


def inspected(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["inspect", *arguments]) == 0
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.filterwarnings("ignore:.*torch.jit.load.*")
def test_own_models_of_each_kind_are_inspected(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exported(mine.parent)
    lines = inspected(capsys, "mine", "--models", str(mine))
    assert "0.00 M parameters, clip 8×64×64" in lines[0] and lines[-1] == "embeddings: block, 16 channels; batch norms: 2"
    taps = ["1 stem 1×8×8×32×32 8 8 1.000", "2 block 1×16×4×16×16 16 4 0.500"]
    assert [line.partition(" priming")[0] for line in lines[2:-1]] == taps
    lines = inspected(capsys, "exported", "--models", str(record(mine.parent, "exported.toml", EXAMPLES[3][1])))
    assert [line.partition(" priming")[0] for line in lines[2:-1]] == taps
    lines = inspected(capsys, "scripted", "--models", str(scripted(mine.parent)))
    assert lines[1].startswith("note: It is a TorchScript file")
    assert lines[2:] == [
        "no taps, as it shows no modules: neither priming nor temporal coherence",
        "embeddings: none; batch norms: 0",
    ]


@pytest.mark.filterwarnings("ignore:.*torch.jit.load.*")
def test_all_modules_are_listed_for_those_who_write_taps(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = inspected(capsys, "mine", "--all", "--models", str(mine))
    assert lines[1:] == [
        "stem.0 1×8×8×32×32",
        "stem.1 1×8×8×32×32",
        "stem.2 1×8×8×32×32",
        "stem 1×8×8×32×32 tap",
        "block.0 1×16×4×16×16",
        "block.1 1×16×4×16×16",
        "block.2 1×16×4×16×16",
        "block 1×16×4×16×16 tap, embeddings",
        "head 1×3",
    ]
    for taps, sentence in (("stm", "no module's name matches"), ("stem|head", r"'head' gives 1×3, which .* --all")):
        wrong = record(mine.parent, "wrong.py", mine.read_text("utf-8").replace("stem|block", taps))
        assert main(["inspect", "mine", "--models", str(wrong)]) == 2
        assert re.search(sentence, capsys.readouterr().err)
        assert inspected(capsys, "mine", "--all", "--models", str(wrong))[9].startswith("head 1×3"), "whatever the taps"
    exported(mine.parent)
    lines = inspected(capsys, "exported", "--all", "--models", str(record(mine.parent, "exported.toml", EXAMPLES[3][1])))
    assert {"stem 1×8×8×32×32 tap", "block 1×16×4×16×16 tap, embeddings", "head 1×3"} <= set(lines)
    assert "shows none of its modules" in inspected(capsys, "scripted", "--all", "--models", str(scripted(mine.parent)))[0]
