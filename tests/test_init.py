"""What `leaps_core` offers, and what importing it and its rooms costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import leaps_core

ROOT = Path(__file__).parents[1]


def test_every_name_that_is_offered_is_there() -> None:
    for name in leaps_core.__all__:
        assert getattr(leaps_core, name).__name__ == name and name in dir(leaps_core)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = leaps_core.nothing


def test_names_that_programs_of_others_import_stay() -> None:
    from leaps_core import Control, Step, SynthesisConfig, banks, errors, models, synthesize, video

    names = (models.register, models.ModelSpec, models.network, models.own.load, video.read, video.probe, banks.Bank)
    assert all(map(callable, (*names, Control, Step, SynthesisConfig, synthesize))) and models.own is models.custom
    assert issubclass(errors.VideoError, errors.LeapsError)


def test_importing_goes_without_torch() -> None:
    code = (
        "import sys; import leaps_core\nfrom leaps_core import LeapsError, SynthesisConfig, Run\n"
        "import leaps_core.cli\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)


def test_importing_video_is_light() -> None:
    code = "import sys, leaps_core.video; print({'torch', 'av', 'cv2', 'PIL'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240, cwd=ROOT)
    assert result.stdout.strip() == "set()"


def test_importing_banks_and_maps_needs_neither_torch_nor_pyarrow() -> None:
    code = (
        "import sys, leaps_core.banks, leaps_core.banks.embed, leaps_core.maps, leaps_core.maps.metrics; "
        "assert not {'torch', 'pyarrow', 'umap', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_importing_what_a_run_is_planned_with_needs_no_torch() -> None:
    names = ("models", "runs", "inversion.plan", "inversion.control", "inversion.schedule", "inversion.terms", "inversion.step")
    code = f"import sys, {', '.join(f'leaps_core.{name}' for name in names)}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)
