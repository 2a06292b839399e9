"""``innkeeper up`` over TLS: the same house at https://localhost, for clients that call no issuer over http."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.inn import Inn, free_port, open_inn, opened_by

INNKEEPER = str(Path(sys.executable).with_name("innkeeper"))
DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture(scope="module")
def inn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inn]:
    with open_inn(tmp_path_factory.mktemp("tls")) as opened:
        fetched(opened, opened.url + DISCOVERY)
        yield opened


def fetched(inn: Inn, url: str, form: bytes | None = None) -> dict[str, Any]:
    with urllib.request.urlopen(url, data=form, timeout=10, context=trusting(inn, url)) as got:
        document: dict[str, Any] = json.load(got)
        return document


def trusting(inn: Inn, url: str) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=str(inn.authority)) if url.startswith("https:") else None


@pytest.mark.parametrize("over_tls", [True, False], ids=["https", "http"])
def test_each_address_is_its_own_issuer(inn: Inn, over_tls: bool) -> None:
    url = inn.tls_url if over_tls else inn.url
    document = fetched(inn, url + DISCOVERY)
    assert document["issuer"] == url
    assert {value.partition("/")[0] for name, value in document.items() if name.endswith("_endpoint")} == {
        "https:" if over_tls else "http:"
    }


def test_a_client_gets_a_token_over_tls_that_names_the_https_issuer(inn: Inn) -> None:
    form = b"grant_type=client_credentials&client_id=concierge&client_secret=concierge-secret&scope=gym:enter"
    token = fetched(inn, fetched(inn, inn.tls_url + DISCOVERY)["token_endpoint"], form)["access_token"]
    told = subprocess.run(
        [INNKEEPER, "explain", "-", "--json"],
        input=token,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SSL_CERT_FILE": str(inn.authority)},
    )
    assert inn.tls_url in told.stdout, told


def test_a_stranger_does_not_trust_it(inn: Inn) -> None:
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(inn.tls_url + DISCOVERY, timeout=10)


def test_the_tour_answers_over_tls_too(inn: Inn) -> None:
    with urllib.request.urlopen(inn.tls_url, timeout=10, context=trusting(inn, inn.tls_url)) as got:
        assert got.status == 200


def started(inn: Inn, **told: str) -> subprocess.CompletedProcess[str]:
    """``innkeeper up`` that is expected to end by itself."""
    environment = {"INNKEEPER_PORT": str(inn.port), "INNKEEPER_STATE": str(inn.folder / "state"), **told}
    return subprocess.run(
        [INNKEEPER, "up"],
        cwd=inn.folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_tls_port_that_was_asked_for_and_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = started(Inn(free_port(), tmp_path), INNKEEPER_TLS_PORT=str(port))
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert f"port {port} on 127.0.0.1 is in use" in ended.stderr


def test_without_a_tls_port_there_is_none(tmp_path: Path) -> None:
    inn = Inn(free_port(), tmp_path)
    told = {"INNKEEPER_PORT": str(inn.port), "INNKEEPER_STATE": str(tmp_path / ".innkeeper"), "INNKEEPER_TLS_PORT": "0"}
    with opened_by([INNKEEPER, "up"], inn, told):
        assert fetched(inn, inn.url + DISCOVERY)["issuer"] == inn.url
    assert "over TLS" not in (tmp_path / "inn.log").read_text("utf-8")
    assert not inn.authority.exists()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"INNKEEPER_TLS_PORT": "abc"}, "INNKEEPER_TLS_PORT='abc': it must be a number"),
        ({"INNKEEPER_TLS_PORT": "70000"}, "port 70000: a port is a number from 1 to 65535"),
    ],
)
def test_a_wrong_tls_port_is_one_clear_line(tmp_path: Path, told: dict[str, str], said: str) -> None:
    ended = started(Inn(free_port(), tmp_path), **told)
    assert (ended.returncode, ended.stderr) == (2, f"innkeeper up: {said}\n")
