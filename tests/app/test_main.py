"""Starting the page."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from app.main import keep_on_a_space, main


def test_a_port_that_is_taken_is_one_line_and_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"port {port}" in said and "Choose another --port" in said
    assert main(["--port", "99999"]) == 2


def test_a_spaces_persistent_storage_is_used_where_there_is_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    keep_on_a_space(tmp_path)
    assert not os.environ, "it is no Space"
    os.environ["SPACE_ID"] = "someone/leaps"
    keep_on_a_space(tmp_path / "none")
    assert list(os.environ) == ["SPACE_ID"]
    os.environ["TORCH_HOME"] = "/mine"
    keep_on_a_space(tmp_path)
    assert os.environ["LEAPS_HOME"] == str(tmp_path / "leaps") and os.environ["TORCH_HOME"] == "/mine"
    assert os.environ["HF_HOME"] == str(tmp_path / "huggingface")
