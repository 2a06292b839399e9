"""Authorization responses in a JWT (JARM): codes and errors alike, signed for one client, however they travel."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe as peer_jwe
from joserfc import jws as peer_jws
from joserfc.jwk import ECKey, KeySet
from msgspec.structs import replace

from innkeeper.issuer.core.profiles import FAPI_MESSAGE_SIGNING, JWT_MODES
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.wrapping import NO_KEY
from innkeeper.keys.ring import SIGNING_ALGORITHMS
from tests.issuer.house import ASKED, ORIGIN, Answer, House
from tests.issuer.visitor import SHOP, Form, Visitor, redeem

Change = Callable[..., Client]
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLISHED = (dict(ECKey(KEY, KEY).as_dict(private=False, kid="e", use="enc")),)


@pytest.fixture
def shop(house: House) -> Iterator[Change]:
    """Changes what the shop registered, and puts it back afterwards."""
    realm = house.issuer.realm
    before = house.run(realm.client("shop"))
    assert before is not None

    def put(client: Client) -> Client:
        house.run(realm.store.put_client(client))
        house.run(realm.reload())
        return client

    yield lambda **changes: put(replace(before, **changes))
    put(before)


def response(answer: Answer, mode: str) -> str:
    """The one parameter that came back, where the mode puts it."""
    if mode == "form_post.jwt":
        assert 'action="https://shop.example/callback"' in answer.text
        fields = {name: unescape(value) for name, value in Form(answer).hidden.items()}
    else:
        parts = urlsplit(answer.location)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == ASKED["redirect_uri"]
        there, empty = (parts.fragment, parts.query) if mode == "fragment.jwt" else (parts.query, parts.fragment)
        assert empty == ""
        fields = {name: values[0] for name, values in parse_qs(there, strict_parsing=True).items()}
    assert set(fields) == {"response"}
    return fields["response"]


def verified(house: House, token: str, alg: str = "RS256") -> dict[str, Any]:
    keys = KeySet.import_key_set(house.get("/jwks").json)
    claims: dict[str, Any] = json.loads(peer_jws.deserialize_compact(token, keys, algorithms=[alg]).payload)
    return claims


@pytest.mark.parametrize("mode", JWT_MODES)
def test_a_code_travels_in_a_signed_jwt(house: House, mode: str) -> None:
    visitor = Visitor(house)
    visitor.code()
    claims = verified(house, response(visitor.authorize(response_mode=mode), mode))
    assert set(claims) == {"iss", "aud", "exp", "code", "state"}
    assert (claims["iss"], claims["aud"], claims["state"]) == (ORIGIN, "shop", "s-1")
    assert claims["exp"] == house.clock() + 600
    assert redeem(house, claims["code"]).status == 200


@pytest.mark.parametrize("mode", JWT_MODES)
def test_an_error_travels_in_a_signed_jwt(house: House, mode: str) -> None:
    claims = verified(house, response(Visitor(house).authorize(response_mode=mode, prompt="none"), mode))
    assert claims["error"] == "login_required"
    assert set(claims) == {"iss", "aud", "exp", "error", "error_description", "state"}


def test_a_person_who_says_no_is_told_in_a_jwt_too(house: House) -> None:
    visitor = Visitor(house)
    answer = visitor.submit(visitor.authorize(response_mode="jwt"), decision="cancel")
    assert verified(house, response(answer, "jwt"))["error"] == "access_denied"


def test_a_request_without_state_is_answered_without(house: House) -> None:
    answer = Visitor(house).authorize(response_mode="jwt", prompt="none", state=None)
    assert "state" not in verified(house, response(answer, "jwt"))


def test_the_usual_response_has_no_jwt(house: House) -> None:
    assert set(Visitor(house).authorize(prompt="none").sent_back) == {"error", "error_description", "state", "iss"}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", SIGNING_ALGORITHMS)
def test_a_response_is_signed_with_the_algorithm_that_was_registered(house: House, shop: Change, alg: str) -> None:
    shop(authorization_signed_response_alg=alg)
    answer = Visitor(house).authorize(response_mode="query.jwt", prompt="none")
    assert verified(house, response(answer, "query.jwt"), alg)["aud"] == "shop"


def test_a_response_is_encrypted_where_that_was_registered(house: House, shop: Change) -> None:
    shop(jwks=PUBLISHED, authorization_encrypted_response_alg="ECDH-ES", authorization_encrypted_response_enc="A256GCM")
    token = response(Visitor(house).authorize(response_mode="query.jwt", prompt="none"), "query.jwt")
    opened = peer_jwe.decrypt_compact(token, ECKey(KEY, KEY), algorithms=["ECDH-ES", "A256GCM"])
    assert opened.plaintext is not None
    assert verified(house, opened.plaintext.decode())["error"] == "login_required"


def test_a_response_that_cannot_be_encrypted_goes_nowhere(house: House, shop: Change) -> None:
    shop(jwks=(), authorization_encrypted_response_alg="ECDH-ES")
    answer = Visitor(house).authorize(response_mode="query.jwt", prompt="none")
    assert answer.status == 400
    assert 'id="error-page"' in answer.text
    assert house.last.refusal is not None
    assert house.last.refusal.page is NO_KEY


def test_a_response_jwt_is_no_id_token_and_no_access_token(house: House) -> None:
    visitor = Visitor(house)
    visitor.code()
    token = response(visitor.authorize(response_mode="jwt"), "jwt")
    assert house.get("/userinfo", authorization=f"Bearer {token}").status == 401
    assert house.post("/introspect", {"token": token, **SHOP}).json == {"active": False}
    hinted = visitor.authorize(prompt="none", id_token_hint=token)
    assert hinted.sent_back["error"] == "login_required"


def test_a_profile_of_jwts_alone_answers_in_the_usual_one(house: House, shop: Change) -> None:
    shop(profile=FAPI_MESSAGE_SIGNING.name)
    for mode in (None, "query", "fragment", "jwt"):
        answer = Visitor(house).authorize(response_mode=mode)
        assert "error" in verified(house, response(answer, "query.jwt"), "ES256")


@pytest.mark.parametrize("mode", ["", "JWT", "query.jwt ", "web_message", "jwt.query", "form_post.jwt.jwt", ".jwt"])
def test_an_unknown_mode_is_refused_in_the_usual_one(house: House, mode: str) -> None:
    answer = Visitor(house).authorize(response_mode=mode, prompt="none")
    assert answer.sent_back["error"] == ("invalid_request" if mode else "login_required")
