"""Real clips into a bank: which of their frames a model sees, and what it makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leaps_core import banks, models, video
from leaps_core.banks import embed
from leaps_core.banks.bank import PREVIEW_FRAMES
from leaps_core.banks.clips import PUPPET_SEED
from leaps_core.puppets import ACTIONS, render_clip


def test_embeddings_are_the_models_own(tmp_path: Path) -> None:
    puppets = banks.build(banks.plan_puppets(20), "tiny", tmp_path / "puppets.parquet")
    spec = models.spec("tiny")
    clip = render_clip(ACTIONS[3], PUPPET_SEED + 3, spec.frames, spec.size)
    seen = models.load("tiny").observe(video.to_tensor(clip)).embedding
    assert seen is not None
    assert puppets.embeddings.dtype == np.float32 and puppets.embeddings.shape == (20, 10)
    assert np.allclose(puppets.embeddings[3], seen[0], rtol=2e-3, atol=1e-3)
    assert puppets.labels[3] == ACTIONS[3] and puppets.puppets


def test_a_tree_of_videos_becomes_a_bank(videos: Path, tmp_path: Path) -> None:
    (videos / "tai chi").rename(videos / "tai_chi")
    bank = banks.build(banks.plan_folder(videos), "tiny", tmp_path / "a.parquet")
    assert sorted(zip(bank.labels.tolist(), bank.sources, strict=True)) == [
        *(("bowling", f"bowling/{i}.mp4") for i in (0, 2, 4)),
        *(("tai chi", f"tai_chi/{i}.mp4") for i in (1, 3, 5)),
    ]
    assert [source for source, _ in bank.facts["skipped"]] == ["bowling/broken.mp4"]
    sheet = bank.preview(0)
    assert sheet["n"] == PREVIEW_FRAMES and not bank.puppets
    assert bank.poster(0).startswith("data:image/webp;base64,") and bank.poster(0) != bank.poster(1)


def test_videos_are_sampled_as_the_model_was_trained_from_the_middle(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"  # 3 s, 8 frames/s; a frame's grey is 80 for each second
    video.write_mp4(np.repeat(np.arange(0, 240, 10, dtype=np.uint8), 32 * 32 * 3).reshape(24, 32, 32, 3), film, fps=8)
    spec = replace(models.spec("tiny"), stride=2)  # 8 frames, 2/30 s apart: 0.53 s

    def seconds(stride: int = 2, start: float = 0.0, span: float | None = None) -> tuple[float, float]:
        frames = embed._frames(banks.Clip("bowling", "film", film, start, span), replace(spec, stride=stride))
        assert frames.shape == (8, 32, 32, 3)
        return float(frames[0].mean() / 80), float(frames[-1].mean() / 80)

    assert seconds() == pytest.approx((1.25, 1.625), abs=0.03), "the middle of the film"
    assert seconds(stride=0) == pytest.approx((0.125, 2.75), abs=0.03), "all of it"
    assert seconds(stride=99) == pytest.approx((0.125, 2.75), abs=0.03), "no more than there is"
    assert seconds(start=1, span=1) == pytest.approx((1.25, 1.625), abs=0.03), "the middle of the clip's part"
    assert seconds(start=2) == pytest.approx((2.25, 2.625), abs=0.03), "the middle of the rest"
    assert seconds(start=2, span=9) == pytest.approx((2.25, 2.625), abs=0.03), "a part that ends after the film"
    assert seconds(span=0.25) == pytest.approx((0, 0.125), abs=0.03), "no more than is the clip's"


def test_long_films_are_seen_in_their_middle_and_broken_ones_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, spec = np.random.default_rng(0).integers(0, 255, (24, 32, 32, 3), np.uint8), models.spec("tiny")
    film[8:16] //= 8
    video.write_mp4(film, tmp_path / "film.mp4", fps=8)  # 3 s, the second one dark
    _remux(tmp_path / "film.mp4", tmp_path / "film.mkv")
    whole = (tmp_path / "film.mkv").read_bytes()
    (tmp_path / "film.mkv").write_bytes(whole[: len(whole) // 4])
    frames = banks.read(tmp_path / "film.mkv", replace(spec, stride=1))
    assert len({frame.tobytes() for frame in frames}) > 1, "not its last frame again and again"
    monkeypatch.setattr(video, "MAX_SECONDS", 1.0)
    assert banks.read(tmp_path / "film.mp4", spec).mean() < 30


def test_a_picture_and_a_film_that_is_still_are_read(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (40, 40), (200, 0, 0)).save(tmp_path / "a.png")
    video.write_mp4(np.full((24, 32, 32, 3), 90, np.uint8), tmp_path / "still.mp4")
    spec = replace(models.spec("tiny"), stride=2)
    assert (banks.read(tmp_path / "a.png", spec) == (200, 0, 0)).all()
    assert banks.read(tmp_path / "still.mp4", spec).mean() == pytest.approx(90, abs=3)


def _remux(source: Path, out: Path) -> None:
    """The same film in another container."""
    import av

    with av.open(str(source)) as old, av.open(str(out), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
