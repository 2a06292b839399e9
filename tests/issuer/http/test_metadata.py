"""The discovery document beside what the server does: each member is tried, and one that nobody tries is an error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from innkeeper.keys.jws import parse
from tests.issuer.house import ASKED, ORIGIN, VERIFIER, Answer, Asked, House, posted
from tests.issuer.signing import (
    CALLBACK,
    assertion_claims,
    bank,
    by_key,
    dpop,
    read,
    request_claims,
    request_object,
    said,
    settings_for,
)
from tests.issuer.visitor import SHOP, Visitor

PROFILES = ("oauth21", "mcp-2026-07-28", "oidc-certification", "fapi2-security", "fapi2-message-signing")
SIGNERS = ("ES256", "ES384", "EdDSA", "PS256", "RS256")
GRANTS = ("authorization_code", "refresh_token", "client_credentials", "ciba", "device_code", "token_exchange")


class Seen:
    """A house of one profile and the document that it publishes."""

    def __init__(self, house: House, profile: str) -> None:
        self.house = house
        self.profile = profile
        self.document: dict[str, Any] = house.get("/.well-known/openid-configuration").json

    @property
    def fapi(self) -> bool:
        return self.profile.startswith("fapi")

    def asked(self, client_id: str = "bank", **changes: str | None) -> dict[str, str]:
        sent = {**ASKED, "client_id": client_id, "redirect_uri": CALLBACK, **changes}
        return {name: value for name, value in sent.items() if value is not None}

    def pushed(self, client_id: str = "bank", **changes: str | None) -> Answer:
        """A request pushed by a client with a key, signed where that is asked for."""
        sent = self.asked(client_id, **changes)
        if self.profile == "fapi2-message-signing":
            packed = request_object(self.house, **{**sent, "client_id": client_id})
            sent = {"client_id": client_id, "request": packed}
        return self.house.post("/par", {**sent, **by_key(self.house, client_id)})

    def went(self, visitor: Visitor | None = None, **changes: str | None) -> Answer:
        """Where a good request leads in the end."""
        answer = self.pushed(**changes)
        assert answer.status == 201, answer.body
        someone = visitor or Visitor(self.house)
        sent = {"client_id": "bank", "request_uri": answer.json["request_uri"]}
        return someone.through(someone.get(f"/authorize?{urlencode(sent)}"))

    def tokens(self, **changes: str | None) -> dict[str, Any]:
        back = self.went(**changes).sent_back
        code = read(back["response"])["code"] if "response" in back else back["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        answer = self.house.post("/token", {**form, **by_key(self.house, "bank")}, dpop=dpop(self.house, "/token"))
        assert answer.status == 200, answer.body
        document: dict[str, Any] = answer.json
        return document

    def registered(self, **wish: Any) -> Answer:
        asking = posted("/register", {}, content_type="application/json")
        body = json.dumps({"redirect_uris": [CALLBACK], **wish}).encode()
        self.house.clock.move(600)  # so that nobody registers too often
        return self.house.ask(asking._replace(chunks=(body,)))


@pytest.fixture(scope="module", params=PROFILES)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    base = settings_for(request.param, bank(grants=GRANTS), bank("two"))
    settings = replace(base, registration=replace(base.registration, mode="open"))
    made = House(tmp_path_factory.mktemp("metadata"), settings)
    yield Seen(made, request.param)
    made.close()


Witness = Callable[[Seen, Any], None]


def answers(seen: Seen, url: str) -> None:
    """There is an endpoint at the address."""
    assert url.startswith(ORIGIN)
    assert seen.house.get(url).status != 404


def issuer(seen: Seen, value: str) -> None:
    assert read(seen.tokens()["id_token"])["iss"] == value


def scopes(seen: Seen, value: list[str]) -> None:
    for scope in value:
        assert seen.pushed(scope=f"openid {scope}").json.get("error") in (None, "invalid_scope")
    assert seen.went(scope="openid profile").status in (302, 303)


def response_types(seen: Seen, value: list[str]) -> None:
    for kind in ("code", "id_token", "id_token token", "code id_token", "code token", "code id_token token", "none"):
        answer = seen.pushed(response_type=kind)
        assert (answer.json.get("error") == "unsupported_response_type") == (kind not in value), kind


def response_modes(seen: Seen, value: list[str]) -> None:
    for mode in ("query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt", "web_message"):
        assert (seen.pushed(response_mode=mode).status == 201) == (mode in value), mode


def grants(seen: Seen, value: list[str]) -> None:
    known = [*value, "password", "urn:example:magic"]
    for grant in (one for one in known if one != "implicit"):
        answer = seen.house.token({"grant_type": grant, **by_key(seen.house, "two")})
        assert (answer.json.get("error") == "unsupported_grant_type") == (grant not in value), grant
    assert ("implicit" in value) == (seen.profile == "oidc-certification")


def pkce(seen: Seen, value: list[str]) -> None:
    assert value == ["S256"]
    plain = seen.pushed(code_challenge=VERIFIER, code_challenge_method="plain")
    assert plain.json["error"] == "invalid_request"


def methods(seen: Seen, value: list[str]) -> None:
    secret = seen.house.post("/par", {**ASKED, **SHOP}).json
    assert (secret.get("error") == "invalid_client") == ("client_secret_post" not in value)
    assert seen.pushed().status == 201
    for method in ("client_secret_basic", "client_secret_post", "client_secret_jwt", "none", "tls_client_auth"):
        made = seen.registered(token_endpoint_auth_method=method).status
        assert (made == 201) == (method in value), method


def confidential(seen: Seen, value: list[str]) -> None:
    assert "none" not in value
    app = seen.house.post("/introspect", {"client_id": "app", "token": "x"})
    assert app.status in (400, 401)


def assertion_algorithms(seen: Seen, value: list[str]) -> None:
    for alg in SIGNERS:
        answer = seen.house.post("/introspect", {"token": "x", **by_key(seen.house, "bank", alg)})
        assert (answer.status == 200) == (alg in value), alg


def proof_algorithms(seen: Seen, value: list[str]) -> None:
    for alg in SIGNERS:
        form = {"grant_type": "client_credentials", **by_key(seen.house, "bank")}
        answer = seen.house.post("/token", form, dpop=dpop(seen.house, "/token", alg=alg))
        assert (answer.status == 200) == (alg in value), alg


def object_algorithms(seen: Seen, value: list[str]) -> None:
    for alg in SIGNERS:
        packed = request_object(seen.house, alg)
        answer = seen.house.post("/par", {"client_id": "bank", "request": packed, **by_key(seen.house, "bank")})
        assert (answer.status == 201) == (alg in value), alg
    assert ("none" in value) == (seen.profile == "oidc-certification")


def backchannel_algorithms(seen: Seen, value: list[str]) -> None:
    for alg in SIGNERS:
        claims = {**assertion_claims(seen.house, "bank"), "sub": None, "nbf": seen.house.clock(), "scope": "openid"}
        packed = said({**claims, "login_hint": "ada@example.org", "binding_message": "K7"}, alg)
        answer = seen.house.post("/bc-authorize", {"request": packed, **by_key(seen.house, "bank")})
        taken = answer.status == 200 or answer.json["error"] == "access_denied"
        assert taken == (alg in value), (alg, answer.body)


def registers(member: str) -> Witness:
    """Whatever is listed can be registered, and nothing else."""

    def witness(seen: Seen, value: list[str]) -> None:
        for one in [*value, "none", "RSA1_5", "dir", "A128KW", "HS512", "unknown"]:
            extra = {f"{member.removesuffix('_enc')}_alg": "ECDH-ES"} if member.endswith("_enc") else {}
            keys = {"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "use": "enc"}]}}
            listed = "client_secret_basic" in seen.document["token_endpoint_auth_methods_supported"]
            way = {} if listed else {"token_endpoint_auth_method": "private_key_jwt"}
            made = seen.registered(**{**extra, **keys, **way, member: one})
            assert (made.status == 201) == (one in value), (member, one, made.body)

    return witness


def subjects(seen: Seen, value: list[str]) -> None:
    registers("subject_type")(seen, value)


def prompts(seen: Seen, value: list[str]) -> None:
    for prompt in ("none", "login", "consent", "select_account", "create", "unknown"):
        answer = seen.pushed(prompt=prompt)
        assert (answer.status == 201) == (prompt in value), prompt


def acr_values(seen: Seen, value: list[str]) -> None:
    assert read(seen.tokens()["id_token"])["acr"] in value


def displays(seen: Seen, value: list[str]) -> None:
    for display in value:
        assert seen.pushed(display=display).status == 201


def claims(seen: Seen, value: list[str]) -> None:
    tokens = seen.tokens(scope="openid profile")
    assert set(read(tokens["id_token"])) <= set(value)


def claims_parameter(seen: Seen, value: bool) -> None:
    wish = json.dumps({"id_token": {"name": None}})
    told = read(seen.tokens(scope="openid profile", claims=wish)["id_token"])
    assert ("name" in told) is value


def request_parameter(seen: Seen, value: bool) -> None:
    packed = request_object(seen.house, state="inside")
    answer = seen.house.post("/par", {"client_id": "bank", "request": packed, **by_key(seen.house, "bank")})
    assert (answer.status == 201) is value


def request_uri_parameter(seen: Seen, value: bool) -> None:
    sent = {**seen.asked(), "request_uri": "https://elsewhere.example/r"}
    answer = Visitor(seen.house).get(f"/authorize?{urlencode(sent)}").sent_back
    error = read(answer["response"])["error"] if "response" in answer else answer["error"]
    assert error == ("invalid_request_uri" if value else "request_uri_not_supported")


def must_push(seen: Seen, value: bool) -> None:
    back = Visitor(seen.house).get(f"/authorize?{urlencode(seen.asked(prompt='none'))}").sent_back
    said_back = read(back["response"]) if "response" in back else back
    assert (said_back["error"] == "invalid_request") is value


def names_issuer(seen: Seen, value: bool) -> None:
    back = seen.went().sent_back
    found = read(back["response"]) if "response" in back else back
    assert (found.get("iss") == ORIGIN) is value


def sessions(seen: Seen, value: bool) -> None:
    assert ("sid" in read(seen.tokens()["id_token"])) is value


def ciba_modes(seen: Seen, value: list[str]) -> None:
    registers("backchannel_token_delivery_mode")(seen, value)


def no_user_code(seen: Seen, value: bool) -> None:
    assert value is False


def documents(seen: Seen, value: bool) -> None:
    query = urlencode(seen.asked("https://127.0.0.1/client"))
    page = Visitor(seen.house).get(f"/authorize?{query}")
    assert page.status == 400
    assert value is (seen.house.settings.registration.documents != "off")


def languages(seen: Seen, value: list[str]) -> None:
    pages = {one: Visitor(seen.house).get("/logout", accept_language=one).text for one in value}
    assert all(f'<html lang="{one}"' in page for one, page in pages.items())
    assert len({re.sub(r"value=\S+", "", page.partition("<main")[2]) for page in pages.values()}) == len(value) == 5


def normal_claims(seen: Seen, value: list[str]) -> None:
    assert value == ["normal"]
    assert "_claim_names" not in read(seen.tokens()["id_token"])


def readable(seen: Seen, value: list[str]) -> None:
    published = {one["kty"] for one in seen.house.get("/jwks").json["keys"] if one.get("use") == "enc"}
    assert value
    assert published == {"EC"}


def signs(seen: Seen, value: list[str]) -> None:
    token = seen.tokens()["id_token"]
    assert parse(token).header["alg"] in value
    registers("id_token_signed_response_alg")(seen, value)


def jwks(seen: Seen, value: str) -> None:
    kids = {one["kid"] for one in seen.house.get(value).json["keys"]}
    assert parse(seen.tokens()["id_token"]).header["kid"] in kids


WITNESSES: Mapping[str, Witness] = {
    "issuer": issuer,
    "jwks_uri": jwks,
    **dict.fromkeys(
        (
            "authorization_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "registration_endpoint",
            "revocation_endpoint",
            "introspection_endpoint",
            "pushed_authorization_request_endpoint",
            "device_authorization_endpoint",
            "backchannel_authentication_endpoint",
            "end_session_endpoint",
        ),
        answers,
    ),
    "client_id_metadata_document_supported": documents,
    "backchannel_token_delivery_modes_supported": ciba_modes,
    "backchannel_user_code_parameter_supported": no_user_code,
    "backchannel_authentication_request_signing_alg_values_supported": backchannel_algorithms,
    "require_pushed_authorization_requests": must_push,
    **dict.fromkeys(
        (
            "backchannel_logout_supported",
            "backchannel_logout_session_supported",
            "frontchannel_logout_supported",
            "frontchannel_logout_session_supported",
        ),
        sessions,
    ),
    "scopes_supported": scopes,
    "response_types_supported": response_types,
    "response_modes_supported": response_modes,
    "grant_types_supported": grants,
    "code_challenge_methods_supported": pkce,
    "token_endpoint_auth_methods_supported": methods,
    "token_endpoint_auth_signing_alg_values_supported": assertion_algorithms,
    "revocation_endpoint_auth_methods_supported": methods,
    "revocation_endpoint_auth_signing_alg_values_supported": assertion_algorithms,
    "introspection_endpoint_auth_methods_supported": confidential,
    "introspection_endpoint_auth_signing_alg_values_supported": assertion_algorithms,
    "dpop_signing_alg_values_supported": proof_algorithms,
    "authorization_response_iss_parameter_supported": names_issuer,
    "subject_types_supported": subjects,
    "acr_values_supported": acr_values,
    "prompt_values_supported": prompts,
    "display_values_supported": displays,
    "ui_locales_supported": languages,
    "claim_types_supported": normal_claims,
    "claims_supported": claims,
    "claims_parameter_supported": claims_parameter,
    "request_parameter_supported": request_parameter,
    "request_object_signing_alg_values_supported": object_algorithms,
    "request_uri_parameter_supported": request_uri_parameter,
    "require_request_uri_registration": request_uri_parameter,
    "request_object_encryption_alg_values_supported": readable,
    "request_object_encryption_enc_values_supported": registers("request_object_encryption_enc"),
    "id_token_signing_alg_values_supported": signs,
    **{
        f"{answer}_{kind}_values_supported": registers(f"{answer}_{member}")
        for answer in ("id_token", "userinfo", "introspection", "authorization")
        for kind, member in (
            ("signing_alg", "signed_response_alg"),
            ("encryption_alg", "encrypted_response_alg"),
            ("encryption_enc", "encrypted_response_enc"),
        )
        if (answer, kind) != ("id_token", "signing_alg")
    },
}


def test_every_member_is_as_the_server_behaves(seen: Seen) -> None:
    assert set(seen.document) <= set(WITNESSES), "somebody has to try it"
    wrong = {}
    for name, value in seen.document.items():
        try:
            WITNESSES[name](seen, value)
        except (AssertionError, KeyError) as error:
            wrong[name] = str(error)
    assert wrong == {}


def test_both_places_hold_the_same_document(seen: Seen) -> None:
    assert seen.house.get("/.well-known/oauth-authorization-server").json == seen.document
    asked = Asked("HEAD", "/.well-known/openid-configuration")
    assert seen.house.ask(asked).status == 200
    assert request_claims(seen.house)["aud"] == seen.document["issuer"]
