"""Starting the page."""

from __future__ import annotations

import socket

import pytest

from app.main import main


def test_a_port_that_is_taken_is_one_line_and_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"port {port}" in said and "Choose another --port" in said
    assert main(["--port", "99999"]) == 2
