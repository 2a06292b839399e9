"""``pip install innkeeper`` is the guard and the client: with nothing but the core's own dependencies at hand they work."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import innkeeper

GUARD = """
import time
from cryptography.hazmat.primitives.asymmetric import ec
from innkeeper.guard import Guard, Verified
from innkeeper.keys import jwk, jws
from innkeeper.protocol.exchange import json_reply
from innkeeper.tokens.access import build
import msgspec

issuer, api, key, now = "https://issuer.example", "https://api.example", ec.generate_private_key(ec.SECP256R1()), 1_800_000_000
keys = {"keys": [jwk.public_document(key.public_key(), "k1", "ES256")], "issuer": issuer, "jwks_uri": issuer + "/jwks"}
said = build(issuer=issuer, subject="a", audience=[api], client_id="b", now=now, lifetime=60, jti="c")
header = jws.encode_header({"alg": "ES256", "typ": "at+jwt", "kid": "k1"})
token = jws.compact(header.encode(), msgspec.json.encode(said), key, "ES256")
guard = Guard(issuer, api, clock=lambda: now, fetch_blocking=lambda url: json_reply(keys))
print(type(guard.verify_blocking(token)).__name__, type(guard.verify_blocking(token[:-4] + "AAAA")).__name__)
"""
CLIENT = """
import innkeeper.client
extras = set()
for name in innkeeper.client.__all__:
    try: getattr(innkeeper.client, name)
    except ModuleNotFoundError as missing: extras.add(missing.name)
print(*sorted(extras))
"""


def closure(name: str, seen: set[str]) -> Iterator[str]:
    """A distribution and whatever it cannot do without; extras are left out."""
    if name.lower() in seen:
        return
    seen.add(name.lower())
    yield name
    for text in importlib.metadata.requires(name) or ():
        one = Requirement(text)
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            yield from closure(one.name, seen)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what ``pip install innkeeper`` brings, and nothing else."""
    folder = tmp_path_factory.mktemp("core")
    for name in closure("innkeeper", set()):
        for file in importlib.metadata.files(name) or ():
            top, site = file.parts[0], importlib.metadata.distribution(name).locate_file("")
            if top not in {"..", "__pycache__"} and not (folder / top).exists():
                (folder / top).symlink_to(Path(str(site)) / top)
    if not (folder / "innkeeper").exists():
        (folder / "innkeeper").symlink_to(Path(innkeeper.__file__).parent)
    return folder


def ran(core: Path, program: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(core)!r})\n{program}"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_guard_verifies_with_the_core_alone(core: Path) -> None:
    guard = ran(core, GUARD)
    assert guard.stdout.split() == ["Verified", "Refused"], guard.stderr


def test_the_client_is_whole_with_the_core_alone_but_for_what_extras_name(core: Path) -> None:
    client = ran(core, CLIENT)
    assert set(client.stdout.split()) <= {"aiohttp", "httpx", "keyring", "requests"}, client.stderr
    assert not client.stderr


@pytest.mark.parametrize("module", ["uvicorn", "starlette", "typer", "jinja2", "alembic"])
def test_the_parts_of_the_server_are_not_there(core: Path, module: str) -> None:
    assert "ModuleNotFoundError" in ran(core, f"import {module}").stderr


def test_the_command_line_says_which_extra_it_needs(core: Path) -> None:
    told = ran(core, "from innkeeper.cli import main; sys.exit(main(['token', '--client-id', 'a']))")
    assert told.returncode == 2
    assert "innkeeper[cli]" in told.stderr
    assert "Traceback" not in told.stderr
