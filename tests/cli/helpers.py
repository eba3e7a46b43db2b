"""Two very small networks and a judge, in this process or in another; and what is seen of an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from leaps_core import models

ROOT = Path(__file__).parents[2]


def register():
    """Two very small networks that know the bundled world."""
    import torch
    from torch import nn

    def build():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv3d(3, 4, 3, padding=1),
            nn.BatchNorm3d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool3d(1),
            nn.Flatten(),
            nn.Linear(4, len(models.labels("puppets"))),
        )

    models.specs()
    for key in ("little", "other"):
        models.register(
            models.ModelSpec(
                key=key,
                name=key.title(),
                family="Test",
                world="puppets",
                frames=4,
                size=16,
                size_step=4,
                taps="0|2",
                embedding_layer="2",
                default_verifier="other",
            ),
            build,
        )
    models.register(
        models.ModelSpec(
            key="referee",
            name="Referee",
            family="Test",
            world="puppets",
            frames=4,
            size=16,
            taps="0",
            embedding_layer="0",
            role="judge",
            accuracy=0.975,
            params=123_456,
        ),
        build,
    )


def in_a_process(arguments, **options):
    """A real process with the small networks."""
    code = (
        "import sys; from leaps_core import cli; from tests.cli import helpers; "
        "helpers.register(); sys.exit(cli.main(sys.argv[1:]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **options,
    )


def refused(result, *words):
    """Whether a command ended in one line on stderr that has all words, and code 2."""
    code, out, err = result
    assert code == 2 and out == [] and err.startswith("leaps: ") and err.count("\n") == 1, result
    for word in words:
        assert word in err, err
    return True
