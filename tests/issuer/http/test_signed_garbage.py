"""Garbage that is well signed, or well-formed JSON: claims of every kind where one kind is expected, at every endpoint that
reads them. A caller gets a client error at worst; nothing fails inside.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.keys import jwk
from innkeeper.keys.jws import compact
from innkeeper.protocol import base64url
from tests.issuer.house import ASKED, ORIGIN, VERIFIER, Answer, Asked, House, posted
from tests.issuer.http.test_garbage import is_proper, requests
from tests.issuer.signing import CALLBACK, assertion_claims, bank, by_key, proves, request_claims, settings_for
from tests.issuer.visitor import Visitor
from tests.keys.keyring import private_key

PROFILES = ("oauth21", "oidc-certification", "fapi2-security", "fapi2-message-signing")
GRANTS = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "device_code",
    "token_exchange",
    "ciba",
    "jwt_bearer",
)

bounded = settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(
        ["", "\0", "code", "openid", ORIGIN, CALLBACK, "https://[::1", "none", "S256", "x" * 3000, "\ud800"]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)


@pytest.fixture(scope="module", params=PROFILES)
def strict(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of each profile, open for registration, behind a proxy that tells of certificates."""
    base = settings_for(request.param, bank(grants=GRANTS))
    server = replace(base.server, trusted_proxies=["127.0.0.1"], client_certificate_header="Client-Cert")
    made = House(
        tmp_path_factory.mktemp("strict"),
        replace(base, server=server, registration=replace(base.registration, mode="open", documents="off")),
    )
    yield made
    made.close()


@pytest.fixture(autouse=True)
def nothing_fails_inside(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    failed = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert [(one.getMessage(), one.exc_info and one.exc_info[1]) for one in failed] == []


def signed(claims: dict[str, Any], header: dict[str, Any]) -> str:
    """Any claims under any header, signed with the client's key all the same."""
    body = json.dumps(claims).encode()
    head = base64url.encode(json.dumps(header).encode())
    return compact(head, body, private_key("ES256"), "ES256")


def some(good: dict[str, Any], *more: str) -> st.SearchStrategy[dict[str, Any]]:
    """Good claims, of which a few are replaced by anything."""
    names = st.sampled_from([*good, *more])
    return st.dictionaries(names, values, max_size=3).map(lambda wrong: {**good, **wrong})


def heads(typ: str) -> st.SearchStrategy[dict[str, Any]]:
    good = {"alg": "ES256", "kid": "ES256", "typ": typ}
    return st.dictionaries(st.sampled_from(["kid", "typ", "cty", "jwk", "x5c", "zip"]), values, max_size=1).map(
        lambda wrong: {**good, **wrong}
    )


def proper(answer: Answer, asked: object) -> None:
    to = answer.header("location")
    if to is None or not to.startswith("https://bank.example/"):
        assert is_proper(answer, asked)


@given(st.data())
@bounded
def test_a_request_object_of_anything(strict: House, data: st.DataObject) -> None:
    more = ("response_mode", "prompt", "max_age", "claims", "authorization_details", "resource", "acr_values", "login_hint",
            "id_token_hint", "dpop_jkt", "ui_locales", "display", "request", "request_uri", "sub")  # fmt: skip
    claims = data.draw(some(request_claims(strict), *more))
    packed = signed(claims, data.draw(heads("oauth-authz-req+jwt")))
    form = {"client_id": "bank", "request": packed}
    answer = strict.post("/par", {**form, **by_key(strict, "bank")})
    proper(answer, claims)
    if answer.status == 201:
        sent = urlencode({"client_id": "bank", "request_uri": answer.json["request_uri"]})
        proper(Visitor(strict).get(f"/authorize?{sent}"), claims)
    plain = {"redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
    proper(Visitor(strict).get(f"/authorize?{urlencode({**plain, **form})}"), claims)


@given(st.data())
@bounded
def test_an_assertion_of_anything(strict: House, data: st.DataObject) -> None:
    claims = data.draw(some(assertion_claims(strict, "bank"), "nbf", "foo"))
    assertion = signed(claims, data.draw(heads("JWT")))
    for path in ("/token", "/par", "/introspect", "/revoke", "/bc-authorize", "/device_authorization"):
        form = {"client_id": "bank", "grant_type": "client_credentials", "token": "x", **proves(assertion)}
        proper(strict.post(path, form), claims)


@given(st.data())
@bounded
def test_a_proof_of_anything(strict: House, data: st.DataObject) -> None:
    document = jwk.public_document(private_key("ES256").public_key(), "", "ES256")
    shown = {name: document[name] for name in ("kty", "crv", "x", "y")}
    good = {
        "jti": data.draw(st.text(min_size=1, max_size=5)),
        "htm": "POST",
        "htu": f"{ORIGIN}/token",
        "iat": strict.clock(),
    }
    claims = data.draw(some(good, "ath", "nonce", "exp", "nbf"))
    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": data.draw(st.one_of(st.just(shown), some(shown), values))}
    form = {"grant_type": "client_credentials", **by_key(strict, "bank")}
    proper(strict.post("/token", form, dpop=signed(claims, header)), claims)
    assert strict.get("/userinfo", authorization="DPoP x", dpop=signed(claims, header)).status == 401


@given(values, values)
@bounded
def test_json_of_anything_in_a_parameter(strict: House, claims: object, details: object) -> None:
    sent = {**ASKED, "client_id": "bank", "redirect_uri": CALLBACK, "claims": json.dumps(claims)}
    more = {"authorization_details": json.dumps(details)}
    proper(strict.post("/par", {**sent, **more, **by_key(strict, "bank")}), sent)
    proper(Visitor(strict).get(f"/authorize?{urlencode(sent)}"), sent)
    for grant in ("client_credentials", "authorization_code", "refresh_token"):
        form = {"grant_type": grant, "code": "x", "refresh_token": "x", "code_verifier": VERIFIER, **more}
        proper(strict.post("/token", {**form, **by_key(strict, "bank")}), form)


@given(st.dictionaries(st.text(max_size=12), values, max_size=4), st.data())
@bounded
def test_a_registration_of_anything(strict: House, odd: dict[str, Any], data: st.DataObject) -> None:
    from innkeeper.issuer.core.client_metadata import Metadata

    names = st.sampled_from([*Metadata.__struct_fields__, "client_name#fr", "software_statement"])
    wish = {"redirect_uris": [CALLBACK], **odd, **data.draw(st.dictionaries(names, values, max_size=3))}
    # Nobody is asked for documents on the network: those have tests of their own.
    wish = {name: value for name, value in wish.items() if name != "sector_identifier_uri"}
    more = data.draw(st.dictionaries(names, values, max_size=2))
    strict.clock.move(600)  # so that nobody registers too often
    asking = posted("/register", {}, content_type="application/json")._replace(chunks=(json.dumps(wish).encode(),))
    answer = strict.ask(asking)
    proper(answer, wish)
    if answer.status == 201:
        path = answer.json["registration_client_uri"].removeprefix(ORIGIN)
        bearer = {"authorization": f"Bearer {answer.json['registration_access_token']}"}
        assert strict.get(path, **bearer).status == 200
        changed = {**wish, "client_id": answer.json["client_id"], **more}
        body = json.dumps(changed).encode()
        head = (("content-type", "application/json"), ("authorization", bearer["authorization"]))
        proper(strict.ask(Asked("PUT", path, b"", head, (body,))), changed)


@given(st.data())
@settings(bounded, max_examples=8)
def test_garbage_at_every_endpoint_of_every_profile(strict: House, data: st.DataObject) -> None:
    for path in sorted(one for one in strict.issuer.site._endpoints if not one.startswith("/static/")):
        asked = data.draw(requests(path.replace("*", "x")), label=path)
        proper(strict.ask(asked), asked)
