"""Real clips into a bank: which clips a plan holds, that a stopped build goes on to the same bank, and what is refused."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from leaps_core import banks, embed, maps, models, video
from leaps_core.cli import main
from leaps_core.errors import BankError
from leaps_core.puppets import ACTIONS, render_clip
from tests import tiny

tiny.register()


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Six readable clips of two labels, and one that isn't a video."""
    for i in range(6):
        path = tmp_path / "videos" / ("bowling", "tai chi")[i % 2] / f"{i}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        video.write_mp4(render_clip(ACTIONS[i], i, 8, 64), path)
    (tmp_path / "videos" / "bowling" / "broken.mp4").write_bytes(b"no video")
    return tmp_path / "videos"


def test_embeddings_are_the_models_own(tmp_path: Path) -> None:
    puppets = embed.build(embed.plan_puppets(20), "tiny", tmp_path / "puppets.parquet")
    spec = models.spec("tiny")
    clip = render_clip(ACTIONS[3], embed.PUPPET_SEED + 3, spec.frames, spec.size)
    seen = models.load("tiny").observe(video.to_tensor(clip)).embedding
    assert seen is not None
    assert puppets.embeddings.dtype == np.float32 and puppets.embeddings.shape == (20, 10)
    assert np.allclose(puppets.embeddings[3], seen[0], rtol=2e-3, atol=1e-3)
    assert puppets.labels[3] == ACTIONS[3] and puppets.puppets


def test_a_tree_of_videos_becomes_a_bank(videos: Path, tmp_path: Path) -> None:
    (videos / "tai chi").rename(videos / "tai_chi")
    bank = embed.build(embed.plan_folder(videos), "tiny", tmp_path / "a.parquet")
    assert sorted(zip(bank.labels.tolist(), bank.sources, strict=True)) == [
        *(("bowling", f"bowling/{i}.mp4") for i in (0, 2, 4)),
        *(("tai chi", f"tai_chi/{i}.mp4") for i in (1, 3, 5)),
    ]
    assert [source for source, _ in bank.facts["skipped"]] == ["bowling/broken.mp4"]
    sheet = bank.preview(0)
    assert sheet["n"] == banks.PREVIEW_FRAMES and not bank.puppets
    assert bank.poster(0).startswith("data:image/webp;base64,") and bank.poster(0) != bank.poster(1)


def test_videos_are_sampled_as_the_model_was_trained_from_the_middle(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"  # 3 s, 8 frames/s; a frame's grey is 80 for each second
    video.write_mp4(np.repeat(np.arange(0, 240, 10, dtype=np.uint8), 32 * 32 * 3).reshape(24, 32, 32, 3), film, fps=8)
    spec = replace(models.spec("tiny"), stride=2)  # 8 frames, 2/30 s apart: 0.53 s

    def seconds(stride: int = 2, start: float = 0.0, span: float | None = None) -> tuple[float, float]:
        frames = embed._frames(embed.Clip("bowling", "film", film, start, span), replace(spec, stride=stride))
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
    frames = embed.read(tmp_path / "film.mkv", replace(spec, stride=1))
    assert len({frame.tobytes() for frame in frames}) > 1, "not its last frame again and again"
    monkeypatch.setattr(video, "MAX_SECONDS", 1.0)
    assert embed.read(tmp_path / "film.mp4", spec).mean() < 30


def test_a_picture_and_a_film_that_is_still_are_read(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (40, 40), (200, 0, 0)).save(tmp_path / "a.png")
    video.write_mp4(np.full((24, 32, 32, 3), 90, np.uint8), tmp_path / "still.mp4")
    spec = replace(models.spec("tiny"), stride=2)
    assert (embed.read(tmp_path / "a.png", spec) == (200, 0, 0)).all()
    assert embed.read(tmp_path / "still.mp4", spec).mean() == pytest.approx(90, abs=3)


def test_kinetics_tables_name_cut_and_whole_videos(videos: Path, tmp_path: Path) -> None:
    (videos / "bowling" / "0.mp4").rename(videos / "abc_000002_000012.mp4")
    film = np.concatenate([np.full((16, 32, 32, 3), level, np.uint8) for level in (0, 255)])
    video.write_mp4(film, videos / "whole.mp4", fps=8)
    table = tmp_path / "train.csv"
    table.write_text(
        "label,youtube_id,time_start,time_end,split\nbowling,abc,2,12,train\nbowling,whole,0,2,train\n"
        "tai chi,whole,2,4,train\ntai chi,lost,1,11,train\ntai chi,whole,2,4,train\n",
        "utf-8",
    )
    plan = embed.plan_csv(videos, table)
    assert plan.skipped == (("lost_1_11", "no file"), ("whole.mp4 from 2 s", "a copy of whole.mp4 from 2 s"))
    bank = embed.build(plan, "tiny", tmp_path / "a.parquet")
    assert bank.labels.tolist() == ["bowling", "bowling", "tai chi"]
    assert bank.sources == ["abc_000002_000012.mp4", "whole.mp4 from 0 s", "whole.mp4 from 2 s"]
    dark, bright = (models.load("tiny").observe(torch.full((1, 3, 8, 32, 32), level)).embedding for level in (0.0, 1.0))
    assert np.abs(bank.embeddings[1] - dark.numpy()).max() < 0.1 < np.abs(bank.embeddings[2] - dark.numpy()).max()
    assert np.abs(bank.embeddings[2] - bright.numpy()).max() < 0.1


def test_an_interrupted_build_goes_on_to_the_same_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banks, "PART", 4)
    plan = embed.plan_puppets(14)
    whole = embed.build(plan, "tiny", tmp_path / "whole.parquet")
    real, calls = embed._embed, []

    def stops(network, clips):  # type: ignore[no-untyped-def]
        calls.append(len(clips))
        if len(calls) in (2, 4):
            raise KeyboardInterrupt
        return real(network, clips)

    monkeypatch.setattr(embed, "_embed", stops)
    out = tmp_path / "again.parquet"
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            embed.build(plan, "tiny", out)
        with pytest.raises(BankError, match="not finished"):
            banks.Bank.open(out)
    embed.build(plan, "tiny", out)
    assert calls == [4, 4, 4, 4, 4, 2], "no part is made twice"
    assert out.read_bytes() == whole.path.read_bytes()
    assert not out.with_name("again.parquet.parts").exists()
    assert embed.build(plan, "tiny", out).facts == whole.facts and len(calls) == 6, "a complete bank is left as it is"


def test_bad_folders_are_refused(videos: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BankError, match="holds no videos"):
        embed.plan_folder(empty)
    with pytest.raises(BankError, match="is no folder"):
        embed.plan_folder(tmp_path / "nowhere")
    with pytest.raises(BankError, match="none in folders named after their labels"):
        embed.plan_folder(videos / "bowling")
    (videos / "bowling" / "broken.mp4").rename(empty / "broken.mp4")
    (tmp_path / "unreadable" / "x").mkdir(parents=True)
    (empty / "broken.mp4").rename(tmp_path / "unreadable" / "x" / "broken.mp4")
    with pytest.raises(BankError, match="None of the 1 clips could be read.*broken"):
        embed.build(embed.plan_folder(tmp_path / "unreadable"), "tiny", tmp_path / "c.parquet")


def test_copies_are_left_out_and_contradictions_refused(videos: Path) -> None:
    whole = (videos / "bowling" / "0.mp4").read_bytes()
    (videos / "bowling" / "copy.mp4").write_bytes(whole)
    plan = embed.plan_folder(videos)
    assert ("bowling/copy.mp4", "a copy of bowling/0.mp4") in plan.skipped and len(plan.clips) == 7
    (videos / "tai chi" / "copy.mp4").write_bytes(whole)
    with pytest.raises(BankError, match="two labels.*bowling.*tai chi"):
        embed.plan_folder(videos)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "no table of Kinetics clips"),
        ("", "no table of Kinetics clips"),
        ("label,youtube_id,time_start,time_end\nbowling,zzz,1,2\n", "None of the 1 rows"),
        ("label,youtube_id,time_start,time_end\nbowling,zzz,one,2\n", "line 2: the times are 'one'"),
    ],
)
def test_bad_tables_are_refused(videos: Path, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BankError, match=sentence):
        embed.plan_csv(videos, tmp_path / "t.csv")


def test_from_a_folder_of_videos_to_a_map_by_two_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for label in ("bowling", "tai chi"):
        (tmp_path / "videos" / label).mkdir(parents=True)
        for i in range(3):
            video.write_mp4(render_clip(label, i, 8, 64), tmp_path / "videos" / label / f"{i}.mp4")
    bank, table = tmp_path / "mine.parquet", tmp_path / "map.csv"
    assert main(["embed", "--videos", str(tmp_path / "videos"), "--model", "tiny", "--out", str(bank)]) == 0
    assert main(["map", str(bank), "--neighbours", "3", "--csv", str(table)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(bank), str(table)]
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert [(row["kind"], row["label"], row["source"]) for row in rows] == [
        ("real", label, f"{label}/{i}.mp4") for label in ("bowling", "tai chi") for i in range(3)
    ]
    assert len({(row["x"], row["y"]) for row in rows}) == 6 and np.isfinite([float(row["x"]) for row in rows]).all()
    chart = maps.stored(banks.Bank.open(bank), maps.Recipe(neighbours=3))
    assert chart is not None and np.allclose(chart.places[:, 0], [float(row["x"]) for row in rows], rtol=1e-3)


def test_embed_on_the_command_line(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bank.parquet"
    assert main(["embed", "--videos", str(videos), "--model", "tiny", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(out) and "skipped bowling/broken.mp4" in said.err and "6 clips of 2 classes" in said.err
    assert main(["embed", "--puppets", "5", "--model", "tiny", "--out", str(tmp_path / "p.parquet")]) == 0
    assert main(["embed", "--videos", str(tmp_path / "no"), "--model", "tiny", "--out", str(out)]) == 2
    assert "is no folder" in capsys.readouterr().err


def _remux(source: Path, out: Path) -> None:
    """The same film in another container."""
    import av

    with av.open(str(source)) as old, av.open(str(out), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
