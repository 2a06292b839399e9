"""What the certification profiles of OpenID Connect ask of a provider, one check a test, over HTTP and by a plain client.

The checks are those of the profiles Basic, Config, Dynamic, Form Post and RP-Initiated Logout, in our words.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.inn import Inn
from tests.interop.relying_party import CALLBACK, Party, Person

pytestmark = pytest.mark.interop

AFTER = "https://rp.example/bye"


@pytest.fixture(scope="module")
def party(house: Inn) -> Party:
    return Party(house.url, post_logout_redirect_uris=[AFTER], grant_types=["authorization_code", "refresh_token"])


@pytest.fixture
def person() -> Person:
    return Person()


def test_discovery_has_what_is_compulsory(house: Inn, party: Party) -> None:
    found = party.found
    assert found["issuer"] == house.url
    needed = {
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "registration_endpoint",
        "scopes_supported",
        "response_types_supported",
        "subject_types_supported",
        "claims_supported",
    }
    assert needed <= found.keys()
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert all(urlsplit(value).fragment == "" for name, value in found.items() if name.endswith("_endpoint"))


def test_the_published_keys_are_public_and_told_apart(party: Party) -> None:
    keys = party.http.get(party.found["jwks_uri"]).json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)
    assert not {"d", "p", "q", "k"} & {member for key in keys for member in key}


def test_a_code_gives_an_id_token_and_an_access_token(party: Party, person: Person) -> None:
    answer = party.redeem(person.answer(party.url()).params["code"])
    tokens = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert tokens["token_type"].lower() == "bearer"
    assert party.claims(tokens)["nonce"] == "nonce-1"
    assert party.userinfo(tokens["access_token"])["sub"] == party.claims(tokens)["sub"]


def test_the_id_token_is_rs256_by_default_and_names_its_key(party: Party, person: Person) -> None:
    tokens = party.tokens(person)
    head = tokens["id_token"].partition(".")[0]
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    keys = party.http.get(party.found["jwks_uri"]).json()["keys"]
    assert header["alg"] == "RS256"
    assert header["kid"] in {key["kid"] for key in keys}


def test_a_confidential_client_needs_no_nonce(party: Party, person: Person) -> None:
    assert "nonce" not in party.claims(party.tokens(person, nonce=None))


def test_state_is_handed_back_as_it_came(party: Party, person: Person) -> None:
    assert person.answer(party.url(state="a b&c=d+%41ü")).params["state"] == "a b&c=d+%41ü"
    assert "state" not in person.answer(party.url(state=None)).params


def test_a_request_may_be_posted(party: Party, person: Person) -> None:
    assert "code" in person.answer(party.url(), "POST").params


def test_a_request_without_response_type_is_refused(party: Party, person: Person) -> None:
    assert person.answer(party.url(response_type=None)).params["error"] == "invalid_request"


def test_a_response_type_that_is_not_advertised_is_refused(party: Party, person: Person) -> None:
    assert "id_token" not in party.found["response_types_supported"]
    assert person.answer(party.url(response_type="id_token")).params["error"] == "unsupported_response_type"


@pytest.mark.parametrize("uri", ["https://rp.example/other", f"{CALLBACK}?more=1", "https://rp.example/", None])
def test_a_redirect_that_is_not_registered_is_told_of_on_a_page(uri: str | None, party: Party, person: Person) -> None:
    answer = person.answer(party.url(redirect_uri=uri))
    assert (answer.page.status_code, answer.redirect) == (400, "")
    assert 'id="error-page"' in answer.page.text


def test_a_redirect_with_a_query_keeps_it(house: Inn, person: Person) -> None:
    kept = Party(house.url, redirect_uris=[f"{CALLBACK}?foo=bar"])
    answer = person.answer(kept.url(redirect_uri=f"{CALLBACK}?foo=bar"))
    assert answer.params["foo"] == "bar"
    assert kept.redeem(answer.params["code"], redirect_uri=f"{CALLBACK}?foo=bar").status_code == 200


@pytest.mark.parametrize("uri", [f"{CALLBACK}#part", "not a uri", "http://rp.example/callback\nx"])
def test_a_redirect_that_cannot_be_is_not_registered(uri: str, party: Party) -> None:
    answer = party.http.post(party.found["registration_endpoint"], json={"redirect_uris": [uri]})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    ("scope", "claim"),
    [("profile", "name"), ("email", "email_verified"), ("address", "address"), ("phone", "phone_number")],
)
def test_a_scope_gives_its_claims_and_no_others(scope: str, claim: str, party: Party, person: Person) -> None:
    claims = party.userinfo(party.tokens(person, scope=f"openid {scope}")["access_token"])
    assert claim in claims
    others = {"name", "email_verified", "address", "phone_number"} - {claim}
    assert not others & claims.keys()


def test_all_scopes_at_once_give_all_claims(party: Party, person: Person) -> None:
    tokens = party.tokens(person, scope="openid profile email address phone")
    claims = party.userinfo(tokens["access_token"])
    assert {"sub", "name", "email", "address", "phone_number"} <= claims.keys()
    assert isinstance(claims["address"]["country"], str)


def test_a_scope_that_nobody_knows_does_no_harm_or_is_refused_by_name(party: Party, person: Person) -> None:
    params = person.answer(party.url(scope="openid nobody-knows-this")).params
    assert params.get("error") == "invalid_scope" or "code" in params


@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap"])
def test_every_display_is_accepted(display: str, party: Party, person: Person) -> None:
    assert "code" in person.answer(party.url(display=display)).params


@pytest.mark.parametrize(
    "extra",
    [
        {"ui_locales": "se fr-CA"},
        {"claims_locales": "se"},
        {"acr_values": "1 2"},
        {"login_hint": "guest@hotel.example"},
        {"extra": "foobar"},
    ],
)
def test_a_wish_that_cannot_be_met_and_a_parameter_nobody_knows_do_no_harm(
    extra: dict[str, str], party: Party, person: Person
) -> None:
    assert "code" in person.answer(party.url(**extra)).params


def test_silence_needs_a_sign_in_first(party: Party, person: Person) -> None:
    assert person.answer(party.url(prompt="none")).params["error"] == "login_required"


def test_silence_gives_the_same_person_who_signed_in_at_the_same_time(party: Party, person: Person) -> None:
    first = party.claims(party.tokens(person, max_age="3600"))
    answer = person.answer(party.url(prompt="none", max_age="3600"))
    again = party.claims(party.redeem(answer.params["code"]).json())
    assert answer.pressed == ()
    assert (first["sub"], first["auth_time"]) == (again["sub"], again["auth_time"])


def test_a_new_sign_in_can_be_asked_for(party: Party, person: Person) -> None:
    first = party.claims(party.tokens(person, max_age="3600"))
    answer = person.answer(party.url(prompt="login", max_age="3600"))
    again = party.claims(party.redeem(answer.params["code"]).json())
    assert "sign-in" in answer.pressed
    assert again["auth_time"] >= first["auth_time"]


def test_consent_can_be_asked_for_anew(party: Party, person: Person) -> None:
    person.answer(party.url())
    assert person.answer(party.url(prompt="consent")).pressed == ("allow",)


def test_max_age_asks_for_a_sign_in_only_once_it_is_over(party: Party, person: Person) -> None:
    first = party.claims(party.tokens(person, max_age="10000"))
    answer = person.answer(party.url(max_age="10000"))
    assert answer.pressed == ()
    assert party.claims(party.redeem(answer.params["code"]).json())["auth_time"] == first["auth_time"]
    assert "sign-in" in person.answer(party.url(max_age="0")).pressed


def test_a_max_age_that_was_registered_holds_where_none_is_sent(house: Inn, person: Person) -> None:
    strict = Party(house.url, default_max_age=0)
    person.answer(strict.url())
    assert "sign-in" in person.answer(strict.url()).pressed
    assert person.answer(strict.url(max_age="10000")).pressed == ()


def test_a_hint_of_who_is_meant_is_kept_to(party: Party, person: Person) -> None:
    hint = party.tokens(person)["id_token"]
    answer = person.answer(party.url(prompt="none", id_token_hint=hint))
    assert "code" in answer.params
    other = Person(username="vip@hotel.example")
    other.answer(party.url())
    assert other.answer(party.url(prompt="none", id_token_hint=hint)).params["error"] == "login_required"


def test_the_hint_of_a_user_name_stands_in_the_sign_in_page(party: Party, person: Person) -> None:
    assert 'value="vip@hotel.example"' in person.sees(party.url(login_hint="vip@hotel.example")).text


def test_an_advertised_acr_is_met_and_told(party: Party, person: Person) -> None:
    wished = "urn:innkeeper:acr:password"
    assert wished in party.found["acr_values_supported"]
    assert party.claims(party.tokens(person, acr_values=wished))["acr"] == wished


def test_claims_asked_for_by_name_are_given(party: Party, person: Person) -> None:
    wish = json.dumps({"userinfo": {"name": {"essential": True}}, "id_token": {"auth_time": {"essential": True}}})
    tokens = party.tokens(person, claims=wish)
    assert "auth_time" in party.claims(tokens)
    assert "name" in party.userinfo(tokens["access_token"])


def test_a_code_works_once_and_its_tokens_end_with_a_second_try(party: Party, person: Person) -> None:
    code = person.answer(party.url()).params["code"]
    token = party.redeem(code).json()["access_token"]
    again = party.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    late = party.http.get(party.found["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"})
    assert late.status_code == 401


def test_a_code_is_of_no_use_to_another_client_or_with_another_redirect(
    house: Inn, party: Party, person: Person
) -> None:
    other = Party(house.url)
    other.verifier = party.verifier
    assert other.redeem(person.answer(party.url()).params["code"]).json()["error"] == "invalid_grant"
    moved = party.redeem(person.answer(party.url()).params["code"], redirect_uri="https://rp.example/other")
    assert moved.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_client_proves_itself_as_it_registered(method: str, house: Inn, person: Person) -> None:
    one = Party(house.url, token_endpoint_auth_method=method)
    code = person.answer(one.url()).params["code"]
    if method == "client_secret_post":
        assert one.redeem(code).status_code == 200
        return
    pair = (one.id, one.registered["client_secret"])
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": one.verifier}
    assert one.http.post(one.found["token_endpoint"], data=form, auth=pair).status_code == 200


@pytest.mark.parametrize("way", ["get", "post header", "post body"])
def test_userinfo_answers_to_each_way_of_asking(way: str, party: Party, person: Person) -> None:
    token, url = party.tokens(person)["access_token"], party.found["userinfo_endpoint"]
    bearer = {"Authorization": f"Bearer {token}"}
    answers = {
        "get": lambda: party.http.get(url, headers=bearer),
        "post header": lambda: party.http.post(url, headers=bearer),
        "post body": lambda: party.http.post(url, data={"access_token": token}),
    }
    answer = answers[way]()
    assert (answer.status_code, answer.json()["sub"]) == (200, "guest-204")
    assert answer.headers["content-type"].startswith("application/json")


def test_userinfo_can_be_signed(house: Inn, person: Person) -> None:
    one = Party(house.url, userinfo_signed_response_alg="RS256")
    token = one.tokens(person)["access_token"]
    answer = one.http.get(one.found["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"})
    assert answer.headers["content-type"].startswith("application/jwt")
    claims = one.claims({"id_token": answer.text})
    assert claims["sub"] == "guest-204"


def test_a_refresh_token_gives_the_same_person_and_sign_in(party: Party, person: Person) -> None:
    tokens = party.tokens(person, scope="openid offline_access", prompt="consent")
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": party.id}
    secret = {"client_secret": party.registered["client_secret"]}
    answer = party.http.post(party.found["token_endpoint"], data=form | secret)
    assert answer.status_code == 200, answer.text
    first, fresh = party.claims(tokens), party.claims(answer.json())
    assert (first["sub"], first["auth_time"]) == (fresh["sub"], fresh["auth_time"])
    assert party.userinfo(answer.json()["access_token"])["sub"] == first["sub"]


def test_an_answer_by_form_post_is_a_form_to_the_client(party: Party, person: Person) -> None:
    answer = person.answer(party.url(response_mode="form_post"))
    assert answer.page.status_code == 200
    assert (answer.params["state"], answer.params["iss"]) == ("state-1", party.found["issuer"])
    assert party.redeem(answer.params["code"]).status_code == 200
    refused = Person().answer(party.url(response_mode="form_post", prompt="none"))
    assert refused.params["error"] == "login_required"


def test_a_registration_can_be_read_changed_and_ended(house: Inn) -> None:
    one = Party(house.url, client_name="Before")
    address, bearer = one.registered["registration_client_uri"], one.registered["registration_access_token"]
    head = {"Authorization": f"Bearer {bearer}"}
    assert one.http.get(address, headers=head).json()["client_name"] == "Before"
    body = {"client_id": one.id, "redirect_uris": [CALLBACK], "client_name": "After"}
    changed = one.http.put(address, headers=head, json=body)
    assert (changed.status_code, changed.json()["client_name"]) == (200, "After")
    head = {"Authorization": f"Bearer {changed.json().get('registration_access_token', bearer)}"}
    assert one.http.get(address, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert one.http.delete(address, headers=head).status_code == 204
    assert one.http.get(address, headers=head).status_code == 401


def test_what_a_client_shows_of_itself_is_on_the_consent_page(house: Inn, person: Person) -> None:
    said = {"client_name": "The Nightingale", "policy_uri": f"{CALLBACK}/policy", "tos_uri": f"{CALLBACK}/terms"}
    one = Party(house.url, **said)
    person.answer(one.url())
    shown = person.sees(one.url(prompt="consent")).text
    assert all(value in shown for value in said.values())


def signed(party: Party, key: ECKey, **claims: Any) -> str:
    said = {"iss": party.id, "aud": party.found["issuer"], "client_id": party.id, "exp": int(time.time()) + 300}
    return jwt.encode({"alg": "ES256", "kid": "k1"}, {**said, **claims}, key, algorithms=["ES256"])


def test_registered_keys_verify_assertions_and_request_objects(house: Inn, person: Person) -> None:
    key = ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})
    keys = {"keys": [key.as_dict(private=False)]}
    one = Party(house.url, token_endpoint_auth_method="private_key_jwt", jwks=keys)
    inside = dict(httpx2.URL(one.url(state="inside")).params)
    outside = {"client_id": one.id, "response_type": "code", "scope": "openid", "request": signed(one, key, **inside)}
    answer = person.answer(str(httpx2.URL(one.found["authorization_endpoint"], params=outside)))
    assert answer.params["state"] == "inside"
    assertion = signed(one, key, sub=one.id, jti="j-1", iat=int(time.time()))
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    proof = {"client_assertion": assertion, "client_assertion_type": kind}
    assert one.redeem(answer.params["code"], **proof).status_code == 200


def test_requests_by_reference_are_taken_as_advertised(party: Party, person: Person) -> None:
    answer = person.answer(party.url(request_uri="https://rp.example/request.jwt"))
    if party.found["request_uri_parameter_supported"]:
        assert "error" in answer.params or answer.page.status_code == 400
    else:
        assert answer.params["error"] == "request_uri_not_supported"


def test_signing_out_asks_or_leads_back_and_ends_the_session(party: Party, person: Person) -> None:
    hint = party.tokens(person)["id_token"]
    params = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER, "state": "bye"}
    left = person.http.get(httpx2.URL(party.found["end_session_endpoint"], params=params))
    assert (left.status_code, left.headers["location"]) == (303, f"{AFTER}?state=bye")
    assert person.answer(party.url(prompt="none")).params["error"] == "login_required"


@pytest.mark.parametrize(
    "wrong",
    [
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"post_logout_redirect_uri": f"{AFTER}?more=1"},
        {"id_token_hint": "e30.e30.e30"},
        {"id_token_hint": ""},
    ],
)
def test_signing_out_never_leads_where_nobody_registered(wrong: dict[str, str], party: Party, person: Person) -> None:
    params = {"id_token_hint": party.tokens(person)["id_token"], "post_logout_redirect_uri": AFTER} | wrong
    sent = {name: value for name, value in params.items() if value}
    left = person.http.get(httpx2.URL(party.found["end_session_endpoint"], params=sent))
    assert not left.is_redirect
    assert left.status_code in (200, 400)
