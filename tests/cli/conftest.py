"""Running commands: with a LEAPS_HOME of a test's own, and with very small networks as the only models."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaps_core import models, paths
from leaps_core.cli import main
from leaps_core.models import registry
from tests.cli import helpers
from tests.models.downloads import caches, from_sources, published, server  # noqa: F401


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch, own_registry):
    """A LEAPS_HOME of one's own, and no demos."""
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(paths, "DEMOS", tmp_path / "demos")
    return tmp_path / "home"


@pytest.fixture
def little_models(home, monkeypatch):
    """The small networks alone."""
    monkeypatch.setattr(registry, "_specs", {})
    helpers.register()


@pytest.fixture
def action():
    return models.labels("puppets")[0]


@pytest.fixture
def leaps(capsys):
    """Run a command: (exit code, lines on stdout, stderr)."""

    def run(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


@pytest.fixture
def synth(leaps, action, little_models):
    """Make a short run; the folder that was printed."""

    def run(*arguments):
        code, out, err = leaps("synth", "--model", "little", "--action", action, "--steps", 4, *arguments)
        assert code == 0, err
        return Path(out[-1])

    return run
