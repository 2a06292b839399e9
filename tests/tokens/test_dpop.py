"""DPoP proofs (RFC 9449): what one proves, and every way in which one does not."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from innkeeper.keys import jwk, jws
from innkeeper.keys.proofs import read_proof
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import Page
from innkeeper.tokens import dpop

NOW = 1_800_000_000
URL = "https://issuer.example/token"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
SAID: dict[str, Any] = {"jti": "j-1", "htm": "POST", "htu": URL, "iat": NOW}


def shown(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    document = jwk.public_document(key.public_key(), "", "ES256")
    return {name: document[name] for name in ("kty", "crv", "x", "y")}


def proof(claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, signed_by: Any = KEY) -> str:
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": shown(KEY), **(header or {})}
    body = msgspec.json.encode({**SAID, **(claims or {})})
    return jws.compact(jws.encode_header(head).encode(), body, signed_by, "ES256")


def judged(text: str | None, **facts: Any) -> Page | None:
    case = dpop.Case(**{"proof": read_proof(text), "method": "POST", "url": URL, "now": NOW, **facts})
    trail = dpop.judge(case)
    return trail.refusal.page if trail.refusal else None


def test_a_proof_made_for_the_request_proves_it() -> None:
    assert judged(proof()) is None
    assert read_proof(proof()).thumbprint == jwk.thumbprint(shown(KEY))


def test_the_example_of_the_specification_is_read_and_its_key_known() -> None:
    example = (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo"
        "RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19."
        "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0"
        "IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
    )
    read = read_proof(example)
    assert (read.problem, read.thumbprint) == ("", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
    at = {"method": "POST", "url": "https://server.example.com/token", "now": 1562262616}
    assert judged(example, **at) is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "not a token",
        f"{proof()}, {proof()}",
        proof(header={"typ": "JWT"}),
        proof(header={"alg": "none"}),
        proof(header={"alg": "HS256"}),
        proof(header={"jwk": None}),
        proof(header={"jwk": {**shown(KEY), "d": "c2VjcmV0"}}),
        proof(header={"jwk": shown(OTHER)}),
        proof(signed_by=OTHER),
        proof({"jti": None}),
        proof({"jti": ""}),
        proof({"htm": None}),
        proof({"htu": 7}),
        proof({"iat": "now"}),
        proof({"htm": "GET"}),
        proof({"htm": "post"}),
        proof({"htu": "https://issuer.example/userinfo"}),
        proof({"htu": "http://issuer.example/token"}),
        proof({"htu": "https://issuer.example:8443/token"}),
        proof({"htu": "https://[broken"}),
        proof({"iat": NOW - 301}),
        proof({"iat": NOW + 61}),
    ],
)
def test_a_proof_with_one_thing_wrong_proves_nothing(text: str | None) -> None:
    assert judged(text) is dpop.PROOF_WRONG


@pytest.mark.parametrize(
    "url", [f"{URL}?a=b", f"{URL}#f", "HTTPS://Issuer.Example/token", "https://issuer.example:443/token"]
)
def test_an_address_may_be_spelt_differently_where_it_means_the_same(url: str) -> None:
    assert judged(proof({"htu": url})) is None


def test_a_used_proof_proves_nothing() -> None:
    assert judged(proof(), replayed=True) is dpop.PROOF_WRONG


def test_a_nonce_is_wanted_where_it_is_demanded_and_must_be_ours_where_it_is_sent() -> None:
    nonces = frozenset({"n-1"})
    assert judged(proof(), nonce_required=True, nonces=nonces) is dpop.NONCE_NEEDED
    assert judged(proof({"nonce": "n-0"}), nonces=nonces) is dpop.NONCE_NEEDED
    assert judged(proof({"nonce": "n-1"}), nonce_required=True, nonces=nonces) is None
    for strange in ([], {}, ["n-1"], 1, True):
        assert judged(proof({"nonce": strange}), nonces=nonces) is dpop.NONCE_NEEDED


def test_beside_an_access_token_the_proof_names_its_hash_and_is_by_its_key() -> None:
    token = "an.access.token"
    ath = base64url.encode_text(sha256(token.encode()).digest())
    thumbprint = jwk.thumbprint(shown(KEY))
    assert judged(proof({"ath": ath}), access_token=token, bound_to=thumbprint) is None
    assert judged(proof(), access_token=token, bound_to=thumbprint) is dpop.PROOF_WRONG
    assert judged(proof({"ath": ath[:-1] + "A"}), access_token=token, bound_to=thumbprint) is dpop.PROOF_WRONG
    stolen = jwk.thumbprint(shown(OTHER))
    assert judged(proof({"ath": ath}), access_token=token, bound_to=stolen) is dpop.OTHER_KEY
