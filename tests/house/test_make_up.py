"""``make up`` serves where it is told to, and lets go of everything when it is stopped."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.inn import Inn, free_port, opened_by

ROOT = Path(__file__).parents[2]
MAKE = ["make", "--no-print-directory", "-C", str(ROOT)]


@pytest.fixture
def inn(tmp_path: Path) -> Inn:
    if subprocess.run([*MAKE, "--question", ".venv/.server"], capture_output=True, check=False).returncode:
        pytest.skip("innkeeper is not installed by make here, so make up would install it first")
    return Inn(free_port(), tmp_path)


@pytest.mark.parametrize("by_variable", [True, False], ids=["make up PORT=", "PORT= make up"])
def test_make_up_serves_at_the_port_and_keeps_the_state_where_told(inn: Inn, by_variable: bool) -> None:
    told = {"PORT": str(inn.port), "STATE": str(inn.folder / "state")}
    arguments = [f"{name}={value}" for name, value in told.items()] if by_variable else []
    with opened_by([*MAKE, "up", *arguments], inn, {} if by_variable else told, stop=signal.SIGTERM):
        assert discovery(inn)["issuer"] == inn.url
        assert any((inn.folder / "state").iterdir())
    with socket.socket() as door:
        assert door.connect_ex(("127.0.0.1", inn.port)) != 0, "the server outlived make"


def discovery(inn: Inn) -> dict[str, object]:
    connection = HTTPConnection("127.0.0.1", inn.port, timeout=10)
    try:
        connection.request("GET", "/.well-known/openid-configuration")
        document: dict[str, object] = json.load(connection.getresponse())
    finally:
        connection.close()
    return document
