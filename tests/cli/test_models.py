"""Models on the command line: listed, inspected, downloaded, one's own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from leaps_core import models
from leaps_core.cli import main
from leaps_core.models import registry, weights
from tests.cli.helpers import refused
from tests.models.documented import EXAMPLES, exported, record, scripted
from tests.models.downloads import CACHE, Server


@pytest.mark.usefixtures("little_models")
def test_models_as_json_and_as_a_table(leaps):
    code, out, _ = leaps("models", "--json")
    found = {entry["key"]: entry for entry in json.loads("\n".join(out))}
    assert code == 0 and set(found) == {"little", "other", "referee"}
    assert set(found["little"]) >= {
        "key",
        "name",
        "family",
        "world",
        "state",
        "role",
        "can_verify",
        "accuracy",
        "params",
        "robust",
        "size",
        "frames",
    }
    assert found["little"]["state"] in ("bundled", "cached", "local", "download")
    assert (found["little"]["can_verify"], found["referee"]["can_verify"]) == (True, False)
    assert (found["little"]["role"], found["referee"]["role"]) == ("model", "judge")

    code, out, _ = leaps("models")
    assert code == 0 and len(out) == 4
    column = out[0].index("accuracy")
    assert out[3][column:].startswith("97.5 %") and out[1][column:].startswith("–")


@pytest.mark.usefixtures("little_models")
def test_actions_are_one_a_line(leaps):
    assert leaps("actions", "little")[:2] == (0, list(models.labels("puppets")))
    assert refused(leaps("actions", "litle"), "Did you mean “little”?")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(EXAMPLES[0][1], "utf-8")
    return path


def test_the_command_line_takes_files(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["actions", "mine", "--models", str(mine)]) == 0
    assert capsys.readouterr().out.split() == ["jumping", "running", "waving"]
    assert main(["inspect", "mine", "--models", str(mine.parent / "none.py")]) == 2
    assert "none.py is no file of models" in capsys.readouterr().err


def inspected(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["inspect", *arguments]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "--all" in arguments or any("found on another network (I3D) and not tried on this one" in line for line in lines)
    return [line for line in lines if "found on another network" not in line]


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


def test_the_command_line_downloads_and_takes_a_file(
    server: Server,
    caches: Path,
    published: bytes,
    tmp_path: Path,
    from_sources: Callable[..., models.ModelSpec],
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = from_sources()
    assert main(["download", "x3d_xs"]) == 2
    said = capsys.readouterr()
    assert "answers 404" in said.err and said.err.count("leaps:") == 1 and not said.out
    (tmp_path / "mine.pth").write_bytes(published)
    options = [
        "synth",
        "--model",
        "x3d_xs",
        "--action",
        "zumba",
        "--stimulus",
        "none",
        "--steps",
        "1",
        "--set",
        "size=64",
        "coarse=0",
        "frame_verifier=none",
        "--verifier",
        "none",
    ]
    assert main(options) == 2 and "download x3d_xs" in capsys.readouterr().err
    assert main([*options, "--weights", str(tmp_path / "mine.pth")]) == 0
    weights._given.clear()
    server.files["X3D_XS.pyth"] = published
    models.register(replace(spec, licence="CC-BY-NC-4.0"), registry._builders["x3d_xs"])
    capsys.readouterr()
    assert main(["download", "x3d_xs"]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(caches / CACHE / "X3D_XS.pyth") and "no commercial use" in said.err


def test_the_command_line_inspects(caches: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "swin_t", "--frames", "8", "--size", "96"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "not tried on this one" in lines.pop(1)
    assert lines[0].startswith("Video Swin-T") and "28.16 M" in lines[0] and "download" in lines[0]
    assert [line.split()[1] for line in lines[2:4]] == ["patch_embed", "features.0.0"]
    ends = {line.split("ends here at ")[1]: line.split()[0] for line in lines if "ends here" in line}
    assert ends == {"20 %": "2", "40 %": "5", "60 %": "7", "80 %": "10", "100 %": "13"}
    assert "1×4×24×24×96" in lines[2]
    assert main(["inspect", "vivit_b", "--frames", "8"]) == 2 and "32 only" in capsys.readouterr().err
