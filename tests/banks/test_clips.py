"""Which real clips a bank is to hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from leaps_core import banks, models, video
from leaps_core.errors import BankError


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
    plan = banks.plan_csv(videos, table)
    assert plan.skipped == (("lost_1_11", "no file"), ("whole.mp4 from 2 s", "a copy of whole.mp4 from 2 s"))
    bank = banks.build(plan, "tiny", tmp_path / "a.parquet")
    assert bank.labels.tolist() == ["bowling", "bowling", "tai chi"]
    assert bank.sources == ["abc_000002_000012.mp4", "whole.mp4 from 0 s", "whole.mp4 from 2 s"]
    dark, bright = (models.load("tiny").observe(torch.full((1, 3, 8, 32, 32), level)).embedding for level in (0.0, 1.0))
    assert np.abs(bank.embeddings[1] - dark.numpy()).max() < 0.1 < np.abs(bank.embeddings[2] - dark.numpy()).max()
    assert np.abs(bank.embeddings[2] - bright.numpy()).max() < 0.1


def test_bad_folders_are_refused(videos: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BankError, match="holds no videos"):
        banks.plan_folder(empty)
    with pytest.raises(BankError, match="is no folder"):
        banks.plan_folder(tmp_path / "nowhere")
    with pytest.raises(BankError, match="none in folders named after their labels"):
        banks.plan_folder(videos / "bowling")
    (videos / "bowling" / "broken.mp4").rename(empty / "broken.mp4")
    (tmp_path / "unreadable" / "x").mkdir(parents=True)
    (empty / "broken.mp4").rename(tmp_path / "unreadable" / "x" / "broken.mp4")
    with pytest.raises(BankError, match="None of the 1 clips could be read.*broken"):
        banks.build(banks.plan_folder(tmp_path / "unreadable"), "tiny", tmp_path / "c.parquet")


def test_copies_are_left_out_and_contradictions_refused(videos: Path) -> None:
    whole = (videos / "bowling" / "0.mp4").read_bytes()
    (videos / "bowling" / "copy.mp4").write_bytes(whole)
    plan = banks.plan_folder(videos)
    assert ("bowling/copy.mp4", "a copy of bowling/0.mp4") in plan.skipped and len(plan.clips) == 7
    (videos / "tai chi" / "copy.mp4").write_bytes(whole)
    with pytest.raises(BankError, match="two labels.*bowling.*tai chi"):
        banks.plan_folder(videos)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "no table of Kinetics clips"),
        ("", "no table of Kinetics clips"),
        ("label,youtube_id,time_start,time_end\nbowling,zzz,1,2\n", "None of the 1 rows"),
        ("label,youtube_id,time_start,time_end\nbowling,zzz,one,2\n", "line 2: the times are 'one'"),
        ("label,youtube_id,time_start,time_end\nbowling,zzz,1,nan\n", "line 2: the times are '1' and 'nan'"),
        ('label,youtube_id,time_start,time_end\na,zzz,1,2\n"bowling,zzz,1,2\na,zzz,1,2\n', "line 3: a quotation mark"),
    ],
)
def test_bad_tables_are_refused(videos: Path, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BankError, match=sentence):
        banks.plan_csv(videos, tmp_path / "t.csv")


def test_junk_is_left_out_wherever_it_lies(videos: Path) -> None:
    for label in ("bowling", "tai chi"):
        (videos / label / "empty.mp4").write_bytes(b"")
        (videos / label / "._a.mp4").write_bytes(b"\0\5\x16\7 Mac OS X")
    plan = banks.plan_folder(videos)
    empty = [source for source, reason in plan.skipped if "is empty" in reason]
    assert sorted(empty) == ["bowling/empty.mp4", "tai chi/empty.mp4"]
    assert not any("._a" in clip.source for clip in plan.clips) and "._a" not in str(plan.skipped)


def test_links_are_followed_but_not_back_and_splits_are_no_labels(videos: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive" / "train"
    archive.mkdir(parents=True)
    (archive / "tai chi").symlink_to(videos / "tai chi")
    (archive / "bowling").symlink_to(videos / "bowling")
    (videos / "bowling" / "again").symlink_to(tmp_path / "archive")
    plan = banks.plan_folder(tmp_path / "archive")
    assert {clip.label for clip in plan.clips} == {"tai chi", "bowling"}
    assert not any("again" in clip.source for clip in plan.clips)


def test_a_video_wins_over_the_picture_beside_it(videos: Path, tmp_path: Path) -> None:
    (videos / "bowling" / "0.mp4").rename(videos / "abc.mp4")
    Image.new("RGB", (32, 32)).save(videos / "abc.webp")
    (tmp_path / "t.csv").write_text("label,youtube_id,time_start,time_end\nbowling,abc,0,1\n,abc,0,1\n")
    plan = banks.plan_csv(videos, tmp_path / "t.csv")
    assert [clip.source for clip in plan.clips] == ["abc.mp4 from 0 s"]
    assert plan.skipped == (("line 3, abc", "it has no label"),)
