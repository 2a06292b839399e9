"""Implicit and hybrid response types, which exist for the OpenID certification suite and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from msgspec.structs import replace

from innkeeper.guard.unverified import read_unverified
from innkeeper.issuer.core.profiles import WITH_TOKENS
from innkeeper.tokens.identity import half_hash
from tests.issuer.house import ASKED, ORIGIN, VERIFIER, Answer, House, posted
from tests.issuer.signing import CALLBACK, bank, by_key, dpop, read, request_claims, settings_for, unsigned
from tests.issuer.visitor import Form, Visitor

ALL_TYPES = ["code", *WITH_TOKENS]
SUITE = bank("suite", metadata={"response_types": ALL_TYPES, "id_token_signed_response_alg": "RS256"})
CODES_ONLY = bank("codes-only")
BOUND = bank("bound", metadata={"response_types": ALL_TYPES, "dpop_bound_access_tokens": True})
STRICT = bank("strict", profile="oauth21", metadata={"response_types": ALL_TYPES})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = settings_for("oidc-certification", SUITE, CODES_ONLY, BOUND, STRICT)
    settings = replace(settings, registration=replace(settings.registration, mode="open"))
    made = House(tmp_path_factory.mktemp("certification"), settings)
    yield made
    made.close()


def asked(kind: str, client_id: str = "suite", **changes: str | None) -> str:
    plain = {"code_challenge": None, "code_challenge_method": None}
    sent = {**ASKED, **plain, "client_id": client_id, "redirect_uri": CALLBACK, "response_type": kind, **changes}
    return f"/authorize?{urlencode({name: value for name, value in sent.items() if value is not None})}"


def in_fragment(answer: Answer) -> dict[str, str]:
    parts = urlsplit(answer.location)
    assert not parts.query
    found = parse_qs(parts.fragment, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values()), found
    return {name: values[0] for name, values in found.items()}


def answered(house: House, kind: str, **changes: str | None) -> dict[str, str]:
    visitor = Visitor(house)
    return in_fragment(visitor.through(visitor.get(asked(kind, **changes))))


def redeemed(house: House, code: str, client_id: str = "suite") -> dict[str, Any]:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    answer = house.token({**form, **by_key(house, client_id)})
    assert answer.status == 200, answer.body
    return answer.json


@pytest.mark.parametrize("kind", WITH_TOKENS)
def test_each_type_gives_what_it_names_in_the_fragment(house: House, kind: str) -> None:
    got = answered(house, kind)
    assert ("code" in got, "access_token" in got, "id_token" in got) == (
        "code" in kind.split(),
        "token" in kind.split(),
        "id_token" in kind.split(),
    )
    assert (got["state"], got["iss"]) == (ASKED["state"], ORIGIN)
    assert ("token_type" in got) == ("access_token" in got) == ("expires_in" in got)


@pytest.mark.parametrize("kind", [one for one in WITH_TOKENS if "id_token" in one])
def test_an_id_token_is_tied_to_all_that_travels_with_it(house: House, kind: str) -> None:
    got = answered(house, kind)
    claims = read(got["id_token"])
    assert read_unverified(got["id_token"]).header["alg"] == "RS256"
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ORIGIN, "suite", ASKED["nonce"])
    hashes = {"c_hash": "code", "at_hash": "access_token"}
    for claim, name in hashes.items():
        assert claims.get(claim) == (half_hash(got[name], "RS256") if name in got else None)


def test_a_code_that_came_with_tokens_is_redeemed_as_any_other(house: House) -> None:
    got = answered(house, "code id_token token")
    later = redeemed(house, got["code"])
    first, second = read(got["id_token"]), read(later["id_token"])
    assert [first[name] for name in ("iss", "sub", "nonce")] == [second[name] for name in ("iss", "sub", "nonce")]
    assert later["access_token"] != got["access_token"]


def test_an_id_token_alone_tells_what_the_scopes_cover(house: House) -> None:
    assert read(answered(house, "id_token", scope="openid profile")["id_token"])["name"] == "Ada <b>"
    assert "name" not in read(answered(house, "id_token token", scope="openid profile")["id_token"])
    assert "name" not in read(answered(house, "code id_token", scope="openid profile")["id_token"])


def test_an_access_token_from_the_front_opens_userinfo(house: House) -> None:
    token = answered(house, "id_token token")["access_token"]
    assert house.get("/userinfo", authorization=f"Bearer {token}").json["sub"] == "ada-1"


def test_it_can_be_revoked_before_its_code_is_redeemed(house: House) -> None:
    got = answered(house, "code token")
    house.post("/revoke", {"token": got["access_token"], **by_key(house, "suite")})
    assert house.get("/userinfo", authorization=f"Bearer {got['access_token']}").status == 401
    assert redeemed(house, got["code"])["access_token"]


def test_no_refresh_token_travels_through_a_browser(house: House) -> None:
    assert "refresh_token" not in answered(house, "code id_token token", scope="openid offline_access")


def test_a_form_may_carry_it_too(house: House) -> None:
    visitor = Visitor(house)
    page = visitor.through(visitor.get(asked("id_token token", response_mode="form_post")))
    assert {"access_token", "id_token", "state", "iss"} <= set(Form(page).hidden)


@pytest.mark.parametrize("kind", WITH_TOKENS)
@pytest.mark.parametrize("mode", ["query", "query.jwt"])
def test_tokens_never_travel_in_a_query(house: House, kind: str, mode: str) -> None:
    got = in_fragment(Visitor(house).get(asked(kind, response_mode=mode)))
    assert got["error"] == "invalid_request"
    assert not {"access_token", "id_token", "code"} & set(got)


@pytest.mark.parametrize("kind", [one for one in WITH_TOKENS if "id_token" in one])
@pytest.mark.parametrize("changes", [{"nonce": None}, {"scope": "room:enter"}])
def test_an_id_token_needs_openid_and_a_nonce(house: House, kind: str, changes: dict[str, str | None]) -> None:
    assert in_fragment(Visitor(house).get(asked(kind, **changes)))["error"] == "invalid_request"


def test_refusals_travel_where_the_answer_would(house: House) -> None:
    got = in_fragment(Visitor(house).get(asked("id_token token", prompt="none")))
    assert (got["error"], got["state"]) == ("login_required", ASKED["state"])


@pytest.mark.parametrize(
    "kind", ["none", "token", "id_token code token extra", "code code", "CODE", "token token", "code  id_token\x00"]
)
def test_other_types_are_unknown_here_too(house: House, kind: str) -> None:
    answer = Visitor(house).get(asked(kind))
    assert answer.status == 400 or answer.sent_back["error"] == "unsupported_response_type"


def test_the_order_of_the_words_means_nothing(house: House) -> None:
    assert "code" in answered(house, "token id_token code")


@pytest.mark.parametrize("kind", WITH_TOKENS)
def test_a_client_that_did_not_register_the_type_may_not_use_it(house: House, kind: str) -> None:
    got = in_fragment(Visitor(house).get(asked(kind, "codes-only")))
    assert got["error"] == "unauthorized_client"


@pytest.mark.parametrize("kind", [one for one in WITH_TOKENS if "token" in one.split()])
def test_a_client_whose_tokens_are_bound_gets_none_that_is_not(house: House, kind: str) -> None:
    assert in_fragment(Visitor(house).get(asked(kind, "bound")))["error"] == "unauthorized_client"


@pytest.mark.parametrize("kind", WITH_TOKENS)
def test_a_client_of_another_profile_is_not_let_into_this_one(house: House, kind: str) -> None:
    answer = Visitor(house).get(asked(kind, "strict", code_challenge="c" * 43, code_challenge_method="S256"))
    assert answer.sent_back["error"] == "unsupported_response_type"


@pytest.mark.parametrize("kind", WITH_TOKENS)
@pytest.mark.parametrize("profile", ["oauth21", "mcp-2026-07-28"])
def test_no_other_profile_has_them(tmp_path_factory: pytest.TempPathFactory, kind: str, profile: str) -> None:
    other = House(tmp_path_factory.mktemp("other"), settings_for(profile, SUITE))
    try:
        answer = Visitor(other).get(asked(kind, code_challenge="c" * 43, code_challenge_method="S256"))
        assert answer.sent_back["error"] == "unsupported_response_type"
        document = other.get("/.well-known/openid-configuration").json
        assert document["response_types_supported"] == ["code"]
        assert "implicit" not in document["grant_types_supported"]
        assert "none" not in document["request_object_signing_alg_values_supported"]
    finally:
        other.close()


def test_confidential_clients_may_leave_pkce_out_and_public_ones_may_not(house: House) -> None:
    visitor = Visitor(house)
    code = visitor.through(visitor.get(asked("code", scope="room:enter", nonce=None))).sent_back["code"]
    assert redeemed(house, code)["scope"] == "room:enter"
    app = asked("code", "app", redirect_uri="http://127.0.0.1/callback")
    assert Visitor(house).get(app).sent_back["error"] == "invalid_request"


def test_a_challenge_that_was_sent_is_still_checked(house: House) -> None:
    visitor = Visitor(house)
    sent = {"code_challenge": ASKED["code_challenge"], "code_challenge_method": "S256"}
    code = visitor.through(visitor.get(asked("code", **sent))).sent_back["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    assert house.token({**form, **by_key(house, "suite")}).json["error"] == "invalid_grant"
    assert house.token({**form, **by_key(house, "suite"), "code_verifier": VERIFIER}).status == 200


def test_a_request_object_without_a_signature_is_read_here(house: House) -> None:
    packed = unsigned(request_claims(house, client_id="suite"))
    visitor = Visitor(house)
    answer = visitor.through(visitor.get(f"/authorize?{urlencode({'client_id': 'suite', 'request': packed, **NAMED})}"))
    assert answer.sent_back["state"] == ASKED["state"]


NAMED = {"redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}


def test_one_with_its_signature_cut_off_is_not(house: House) -> None:
    packed = unsigned(request_claims(house, client_id="suite"))
    for wrong in (packed + "x", packed.rstrip("."), f"{packed}e30"):
        sent = urlencode({"client_id": "suite", "request": wrong, **NAMED})
        assert Visitor(house).get(f"/authorize?{sent}").sent_back["error"] == "invalid_request_object"


def test_a_client_that_registered_an_algorithm_signs_with_it_here_too(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    signing = bank("suite", metadata={"request_object_signing_alg": "ES256"})
    other = House(tmp_path_factory.mktemp("signing"), settings_for("oidc-certification", signing))
    try:
        packed = unsigned(request_claims(other, client_id="suite"))
        sent = urlencode({"client_id": "suite", "request": packed, **NAMED})
        assert Visitor(other).get(f"/authorize?{sent}").sent_back["error"] == "invalid_request_object"
    finally:
        other.close()


def test_the_metadata_name_what_the_profile_adds(house: House) -> None:
    document = house.get("/.well-known/openid-configuration").json
    assert document["response_types_supported"] == ALL_TYPES
    assert "implicit" in document["grant_types_supported"]
    assert "none" in document["request_object_signing_alg_values_supported"]
    assert "none" not in document["token_endpoint_auth_signing_alg_values_supported"]


def test_clients_of_the_suite_register_them(house: House) -> None:
    metadata = {
        "redirect_uris": ["https://suite.example/callback"],
        "response_types": ["code id_token token", "id_token"],
        "grant_types": ["authorization_code", "implicit"],
        "profile": "oauth21",
    }
    asking = posted("/register", {}, content_type="application/json")
    answer = house.ask(asking._replace(chunks=(json.dumps(metadata).encode(),)))
    assert answer.status == 201, answer.body
    assert set(answer.json["response_types"]) == {"code id_token token", "id_token"}
    kept = house.run(house.issuer.realm.store.client(answer.json["client_id"]))
    assert kept is not None
    assert kept.profile == "", "nobody chooses a profile by registering"


def test_a_client_whose_tokens_are_bound_brings_its_proof(house: House) -> None:
    form = {"grant_type": "client_credentials", "scope": "room:enter", **by_key(house, "bound")}
    answer = house.token(form)
    assert (answer.status, answer.json["error"]) == (400, "invalid_dpop_proof")
    assert house.last.refusal is not None
    assert house.last.refusal.page.number == "IK250"
    form.update(by_key(house, "bound"))
    assert house.post("/token", form, dpop=dpop(house, "/token")).json["token_type"] == "DPoP"
