"""openid-client and oauth4webapi, unmodified, register clients of their own, and the house knows them from then on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.inn import Inn

pytestmark = pytest.mark.interop

Register = Callable[[str, dict[str, Any]], dict[str, Any]]


@pytest.fixture
def register(house: Inn, run_node: Callable[..., subprocess.CompletedProcess[str]]) -> Register:
    def run(library: str, metadata: dict[str, Any]) -> dict[str, Any]:
        ran = run_node("registration.js", library, house.url, json.dumps(metadata))
        assert ran.returncode == 0, ran.stderr
        document: dict[str, Any] = json.loads(ran.stdout)
        return document

    return run


@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
def test_a_library_registers_a_client_that_can_prove_itself(library: str, register: Register, house: Inn) -> None:
    said = {"redirect_uris": ["https://client.example/cb"], "token_endpoint_auth_method": "client_secret_post"}
    told = register(library, said)
    form = {"client_id": told["client_id"], "client_secret": told["client_secret"], "token": "x"}
    assert httpx2.post(f"{house.url}/introspect", data=form).json() == {"active": False}
    bearer = {"authorization": f"Bearer {told['registration_access_token']}"}
    known = httpx2.get(told["registration_client_uri"], headers=bearer)
    assert known.json()["redirect_uris"] == said["redirect_uris"]
    assert httpx2.delete(told["registration_client_uri"], headers=bearer).status_code == 204
    assert httpx2.post(f"{house.url}/introspect", data=form).status_code == 401


@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
def test_a_library_reads_why_it_was_refused(library: str, register: Register) -> None:
    refused = register(library, {"redirect_uris": ["javascript:alert(1)"], "token_endpoint_auth_method": "none"})
    assert refused == {"error": "invalid_redirect_uri", "status": 400}
