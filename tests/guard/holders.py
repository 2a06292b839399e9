"""Holders of keys: who makes DPoP proofs, and tokens bound to their keys."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from innkeeper.guard.credentials import Credentials
from innkeeper.keys import jwk, jws
from innkeeper.tokens import dpop
from tests.guard.world import NOW, claims, forge
from tests.keys.keyring import private_key

URL = "https://hotel.example/gym"
_numbers = itertools.count()


def shown(which: int = 1, alg: str = "ES256") -> dict[str, str]:
    document = jwk.public_document(private_key(alg, which).public_key(), "", alg)
    return {name: value for name, value in document.items() if name in {"kty", "crv", "x", "y", "n", "e"}}


def bound_token(which: int = 1, **more: Any) -> str:
    """A token for whoever has the key number ``which``."""
    return forge(claims(cnf={"jkt": jwk.thumbprint(shown(which))}, jti=f"b{next(_numbers)}", **more))


def proof(
    token: str, method: str = "GET", url: str = URL, which: int = 1, header: dict[str, Any] | None = None, **said: Any
) -> str:
    """A proof for a request; ``...`` leaves a claim out."""
    body = {
        "jti": f"p{next(_numbers)}",
        "htm": method,
        "htu": url,
        "iat": NOW,
        "ath": dpop.token_hash(token),
        **said,
    }
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": shown(which), **(header or {})}
    kept = {name: value for name, value in body.items() if value is not ...}
    return jws.compact(
        jws.encode_header(head).encode(), msgspec.json.encode(kept), private_key("ES256", which), "ES256"
    )


def sent(token: str, *proofs: str, scheme: str = "DPoP", **more: Any) -> Credentials:
    """What a request with a token and these proofs carries."""
    return Credentials((f"{scheme} {token}",), False, proofs, **{"method": "GET", "url": URL, **more})
