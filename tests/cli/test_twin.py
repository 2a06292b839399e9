"""``innkeeper twin run`` and ``trust``, as a person types them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from tests.inn import Inn, free_port, open_inn

INNKEEPER = str(Path(sys.executable).with_name("innkeeper"))
CLIENTS = tomllib.loads(files("innkeeper.cli").joinpath("twin_trust.toml").read_text("utf-8"))


def told(inn: Inn, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "INNKEEPER_PORT": str(inn.port),
        "INNKEEPER_TLS_PORT": str(inn.tls_port),
        "INNKEEPER_STATE": str(inn.folder / ".innkeeper"),
    }
    return subprocess.run(
        [INNKEEPER, "twin", *words],
        cwd=inn.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def closed(tmp_path: Path) -> Inn:
    return Inn(free_port(), tmp_path, free_port())


def test_trust_says_for_every_kind_of_program_how_and_installs_nothing(tmp_path: Path) -> None:
    with open_inn(tmp_path) as inn:
        told(inn, "run", "--", "true")
    said = told(inn, "trust")
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[0] == f"# {CLIENTS['python']['title']}"
    assert said.stdout.count(str(inn.authority)) >= len(CLIENTS)
    assert told(inn, "trust", "go").stdout.startswith(
        f"# {CLIENTS['go']['title']}\nexport SSL_CERT_FILE={inn.authority}\n"
    )


def test_trust_before_there_is_an_authority_says_what_makes_one(closed: Inn) -> None:
    said = told(closed, "trust")
    assert (said.returncode, said.stderr.count("\n")) == (2, 1)
    assert "innkeeper up makes it" in said.stderr


def test_run_opens_an_inn_where_none_is_open_and_closes_it_again(closed: Inn) -> None:
    script = "import os; print(os.environ['HTTPS_PROXY'].startswith('http://127.0.0.1:')); raise SystemExit(3)"
    said = told(closed, "run", "--entra", "--", sys.executable, "-c", script)
    assert (said.returncode, said.stdout) == (3, "True\n"), said.stderr
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", closed.port), timeout=5)


def test_run_says_which_hosts_it_refused(closed: Inn) -> None:
    script = "import urllib.request as u\ntry: u.urlopen('https://example.com')\nexcept OSError: pass"
    said = told(closed, "run", "--refuse-others", sys.executable, "-c", script)
    assert said.returncode == 0
    assert said.stderr == "innkeeper: refused a connection to example.com, which is no host of a twin\n"


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (("run", "--", "no-such-program"), 2, "cannot run 'no-such-program': No such file or directory"),
        (("run", "--host", "x.auth.eu-west-1.amazoncognito.com", "true"), 2, "--host goes with --names"),
    ],
)
def test_what_cannot_be_run_is_one_clear_line(closed: Inn, words: tuple[str, ...], code: int, line: str) -> None:
    said = told(closed, *words)
    assert said.returncode == code
    assert line in said.stderr
    assert said.stderr.count("\n") == 1
