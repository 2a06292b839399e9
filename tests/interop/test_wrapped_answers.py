"""npm openid-client and jose verify and decrypt what a house signs and encrypts, and encrypt a request to it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey, RSAKey
from msgspec import structs

from innkeeper.issuer.store.sqlite import SqliteStore
from tests.inn import Inn
from tests.interop.houses import CONCIERGE, SCOPES

pytestmark = pytest.mark.interop

ROOT = Path(__file__).parents[2]
SIGNING = ECKey.generate_key("P-256", {"kid": "signing", "alg": "ES256", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "enc"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "enc"})


@pytest.fixture(scope="module")
def sealed(house: Inn) -> str:
    """The concierge's twin, which has everything signed and most encrypted: what its program is told, as JSON."""
    httpx2.get(f"{house.url}/jwks").raise_for_status()  # it answers: the state is there
    asyncio.run(_register(house))
    decrypting = [
        {**key.as_dict(private=True), "alg": alg} for key, alg in ((RSA, "RSA-OAEP-256"), (EC, "ECDH-ES+A256KW"))
    ]
    told = {**CONCIERGE._asdict(), "client_id": "sealed", "key": SIGNING.as_dict(private=True)}
    return json.dumps({**told, "decrypting": decrypting, "issuer": house.url, "scope": SCOPES})


async def _register(house: Inn) -> None:
    store = SqliteStore(house.folder / ".innkeeper" / "innkeeper.db")
    try:
        realm = store.realm("native")
        concierge = await realm.client("concierge")
        assert concierge is not None
        twin = structs.replace(
            concierge,
            id="sealed",
            name="Sealed",
            jwks=tuple(dict(one.as_dict(private=False)) for one in (SIGNING, RSA, EC)),
            id_token_alg="PS256",
            id_token_encrypted_response_alg="RSA-OAEP-256",
            id_token_encrypted_response_enc="A256GCM",
            userinfo_signed_response_alg="ES256",
            userinfo_encrypted_response_alg="ECDH-ES+A256KW",
            userinfo_encrypted_response_enc="A256GCM",
            authorization_signed_response_alg="ES384",
            authorization_encrypted_response_alg="ECDH-ES+A256KW",
            authorization_encrypted_response_enc="A256GCM",
            introspection_signed_response_alg="RS256",
        )
        await realm.put_client(twin)
    finally:
        store.close()


@pytest.mark.parametrize("case", ["answers", "request"])
def test_every_answer_is_verified_and_decrypted_by_an_outside_library(
    case: str, house: Inn, sealed: str, run_node: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    ran = run_node("wrapped.js", case, sealed, sys.executable, str(ROOT))
    assert ran.returncode == 0, ran.stderr
    seen: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert "failed" not in seen, seen["failed"]
    assert seen["back"] == ["response"]
    assert seen["parts"] == 5
    assert (seen["identity"]["sub"], seen["identity"]["aud"]) == ("guest-204", "sealed")
    assert seen["person"]["email"] == "guest@hotel.example"
    assert (seen["looked"]["active"], seen["looked"]["sub"]) == (True, "guest-204")
