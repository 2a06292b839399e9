"""idpyoidc, unmodified: it finds a house, registers itself, and gets a person's signed claims."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from idpyoidc.client.rp_handler import RPHandler  # type: ignore[import-untyped]

from tests.inn import Inn
from tests.interop.visitor import sent_back

pytestmark = pytest.mark.interop

BASE = "http://127.0.0.1:9099"
KEYS = ({"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]})
PKCE = {
    "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
    "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
}


def party(house: Inn, method: str, algorithm: str, **preference: Any) -> RPHandler:
    wishes = {
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "token_endpoint_auth_methods_supported": [method],
        "id_token_signing_alg_values_supported": [algorithm],
        **preference,
    }
    client = {
        "client_type": "oidc",
        "issuer": house.url,
        "redirect_uris": [f"{BASE}/callback"],
        "preference": wishes,
        "client_authn_methods": [method, "bearer_header"],
        "add_ons": {"pkce": PKCE},
    }
    return RPHandler(BASE, client_configs={"": client}, key_conf={"key_defs": [*KEYS]})


def signed_in(rp: RPHandler, house: Inn) -> dict[str, Any]:
    """What the library made of the answers: it has registered, been sent back, redeemed the code, asked for claims."""
    back = sent_back(rp.begin(house.url))
    found: dict[str, Any] = rp.finalize(house.url, dict(parse_qsl(urlsplit(back).query)))
    assert "error" not in found, found
    return found


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_it_registers_itself_and_signs_a_guest_in(method: str, algorithm: str, house: Inn) -> None:
    rp = party(house, method, algorithm)
    found = signed_in(rp, house)
    client = rp.issuer2rp[house.url].get_context()
    assert (client.claims.get_usage("token_endpoint_auth_method"), found["issuer"]) == (method, house.url)
    assert (found["id_token"]["sub"], found["id_token"]["aud"]) == ("guest-204", [client.get_client_id()])
    assert found["id_token"].jws_header["alg"] == algorithm
    assert (found["userinfo"]["sub"], found["userinfo"]["email"]) == ("guest-204", "guest@hotel.example")


def test_its_own_default_wishes_are_met(house: Inn) -> None:
    rp = RPHandler(BASE, key_conf={"key_defs": [*KEYS]})
    rp.client_configs[""] |= {"redirect_uris": [f"{BASE}/callback"]}
    assert signed_in(rp, house)["id_token"]["sub"] == "guest-204"


def test_parties_at_one_host_know_a_person_by_one_name_of_their_own(house: Inn) -> None:
    parties = [party(house, "client_secret_basic", "RS256", subject_types_supported=["pairwise"]) for _ in range(2)]
    subjects = {signed_in(one, house)["userinfo"]["sub"] for one in parties}
    assert len(subjects) == 1
    assert subjects != {"guest-204"}
