"""The clip player's sheets."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from app import player


def _picture(track: dict[str, object]) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(str(track["src"]).split(",", 1)[1]))))


def test_a_sheet_holds_every_frame_in_its_place() -> None:
    clip = np.zeros((6, 32, 48, 3), np.uint8) + np.arange(0, 240, 40, dtype=np.uint8)[:, None, None, None]
    track = player.track("clip", "bowling", clip, "step 3")
    assert (track["id"], track["label"], track["note"]) == ("clip", "bowling", "step 3")
    assert (track["n"], track["w"], track["h"]) == (6, 48, 32)
    picture, cols = _picture(track), track["cols"]
    for i in range(6):
        y, x = 32 * (i // cols) + 16, 48 * (i % cols) + 24
        assert picture[y, x].astype(int) == pytest.approx([40 * i] * 3, abs=6)


def test_large_clips_are_shown_smaller() -> None:
    track = player.track("clip", "bowling", np.zeros((2, 448, 448, 3), np.uint8))
    assert (track["n"], track["w"], track["h"]) == (2, player.MAX_SIZE, player.MAX_SIZE)


def test_without_a_clip_the_frame_is_empty_and_what_is_kept_is_not_sent() -> None:
    assert player.track("clip", "bowling", None)["src"] is None
    assert "src" not in player.kept("stimulus", "stimulus")
    assert player.tracks(player.kept("a", "b"), strip="a") == {"tracks": [{"id": "a", "label": "b", "note": ""}], "strip": "a"}
