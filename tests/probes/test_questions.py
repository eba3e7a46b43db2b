"""Counter-questions: what is shown, and what networks answer."""

from __future__ import annotations

import numpy as np
import pytest

from leaps_core import models, video
from leaps_core.config import SynthesisConfig
from leaps_core.probes import questions

CLIP = np.arange(8, dtype=np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 3), np.uint8) * 20


def shown(question: str) -> list[int]:
    """The brightness of the frames that are shown."""
    return (questions.QUESTIONS[question](CLIP)[:, 0, 0, 0] // 20).tolist()


def test_the_frames_of_each_question() -> None:
    assert shown("as it is") == list(range(8)) and shown("played backwards") == list(range(8))[::-1]
    assert sorted(shown("shuffled")) == list(range(8)) and shown("shuffled") not in (list(range(8)), list(range(8))[::-1])
    assert shown("shuffled") == shown("shuffled") and shown("frozen") == [4] * 8
    alone = questions.QUESTIONS["one frame only"](CLIP)
    assert (alone[4] == CLIP[4]).all() and (np.delete(alone, 4, 0) == questions.GREY).all()
    assert CLIP[0].max() == 0, "the clip stays as it was"


def test_networks_answer_with_the_action_and_their_best() -> None:
    config = SynthesisConfig(model="tiny", action="bowling", judge="none", verifier="none")
    found = questions.ask(config, CLIP)
    assert list(found) == list(questions.QUESTIONS)
    network, labels = models.load("tiny"), models.labels("puppets")
    for question, change in questions.QUESTIONS.items():
        p = network(network.fit(video.to_tensor(change(CLIP)))).softmax(1)[0]
        answer = found[question]["model"]
        assert answer.action == pytest.approx(float(p[labels.index("bowling")]), abs=1e-5)
        assert answer.best == labels[int(p.argmax())] and answer.of_best == pytest.approx(float(p.max()), abs=1e-5)
        assert "judge" in found[question], "whoever took part in the run, the world's judge is asked"


def test_the_verifier_and_the_judge_that_a_run_names_are_asked() -> None:
    run = SynthesisConfig(model="tiny", action="bowling", verifier="puppet_csn", judge="tiny_judge")
    assert {role: record.key for role, record in questions.cast(run).networks.items()} == {
        "model": "tiny",
        "verifier": "puppet_csn",
        "judge": "tiny_judge",
    }
    nobody = questions.cast(run.replace(verifier="self", judge="none"))
    assert nobody == questions.cast(run.replace(verifier="auto", judge="auto")) and nobody.judge
