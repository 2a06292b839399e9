"""Clients register themselves, come back for their registration, and get nothing by it that nobody said yes to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.core.client_metadata import Metadata
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.desk.registration import BURST, EVERY, MOST_BYTES, invite
from innkeeper.issuer.settings import Registration
from tests.issuer.house import ORIGIN, SETTINGS, VERIFIER, Answer, Asked, House, named
from tests.issuer.stranger import HOST, Stranger, house_and_stranger
from tests.issuer.visitor import Visitor

OPEN = replace(SETTINGS, registration=Registration(mode="open"))
WEB = {"redirect_uris": ["https://client.example/cb"]}
APP = {
    "client_name": "An agent",
    "redirect_uris": ["http://127.0.0.1/callback"],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
}
EC = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[tuple[House, Stranger]]:
    with house_and_stranger(tmp_path_factory.mktemp("house"), OPEN) as made:
        yield made


@pytest.fixture
def house(pair: tuple[House, Stranger]) -> House:
    """Moved on, so that what one test registers does not slow the next."""
    pair[0].clock.move(BURST * EVERY)
    return pair[0]


@pytest.fixture
def there(pair: tuple[House, Stranger]) -> Stranger:
    return pair[1]


def send(house: House, method: str, url: str, body: object = None, token: str = "", **how: Any) -> Answer:
    headers = {"content_type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers.update(how.pop("headers", {}))
    return house.ask(Asked(method, url.removeprefix(ORIGIN), b"", named(headers), (raw,), **how))


def register(house: House, body: object, token: str = "", **how: Any) -> Answer:
    return send(house, "POST", "/register", body, token, **how)


def registered(house: House, body: object, token: str = "") -> dict[str, Any]:
    answer = register(house, body, token)
    assert answer.status == 201, answer.text
    return answer.json


def refused(answer: Answer, error: str = "invalid_client_metadata", status: int = 400) -> None:
    assert (answer.status, answer.json["error"]) == (status, error), answer.text
    assert answer.header("cache-control") == "no-store"
    assert answer.header("access-control-allow-origin") == "*"


def test_discovery_names_the_endpoint_where_clients_may_register(house: House) -> None:
    assert house.get("/.well-known/openid-configuration").json["registration_endpoint"] == f"{ORIGIN}/register"


def test_by_default_nobody_registers(tmp_path: Path) -> None:
    house = House(tmp_path)
    try:
        assert "registration_endpoint" not in house.get("/.well-known/openid-configuration").json
        assert register(house, WEB).status == 404
        assert send(house, "GET", "/register/shop").status == 404
    finally:
        house.close()


def test_the_answer_says_everything_that_was_registered_defaults_too(house: House) -> None:
    answer = register(house, {**WEB, "what_is_this": {"unknown": True}})
    assert answer.status == 201
    assert answer.header("cache-control") == "no-store"
    told = answer.json
    secret, token = told.pop("client_secret"), told.pop("registration_access_token")
    assert len(secret) == len(token) == 43
    assert told == {
        "client_id": told["client_id"],
        "client_id_issued_at": house.clock(),
        "client_name": told["client_id"],
        "client_secret_expires_at": 0,
        "redirect_uris": ["https://client.example/cb"],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "application_type": "web",
        "subject_type": "public",
        "id_token_signed_response_alg": "RS256",
        "require_auth_time": False,
        "dpop_bound_access_tokens": False,
        "require_pushed_authorization_requests": False,
        "registration_client_uri": f"{ORIGIN}/register/{told['client_id']}",
    }
    assert not told["client_id"].startswith("https:")


def test_what_a_client_says_is_kept_and_said_back(house: House) -> None:
    said = {
        **WEB,
        "client_name": "Zoë’s shop 🏨",
        "client_uri": "https://client.example/",
        "logo_uri": "https://client.example/logo.png",
        "policy_uri": "https://client.example/policy",
        "tos_uri": "https://client.example/terms",
        "contacts": ["help@client.example"],
        "post_logout_redirect_uris": ["https://client.example/bye"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [EC]},
        "id_token_signed_response_alg": "ES256",
        "default_max_age": 0,
        "require_auth_time": True,
        "default_acr_values": ["urn:example:gold"],
        "initiate_login_uri": "https://client.example/start",
        "request_object_signing_alg": "ES256",
        "dpop_bound_access_tokens": True,
        "require_pushed_authorization_requests": True,
        "software_id": "shop",
        "software_version": "2",
        "scope": "openid room:enter",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "application_type": "web",
    }
    told = registered(house, said)
    assert {name: told[name] for name in said} == said
    assert "client_secret" not in told
    assert "client_secret_expires_at" not in told


def test_a_registered_agent_signs_a_person_in_once_they_say_yes(house: House) -> None:
    app = registered(house, {**APP, "scope": "openid room:enter"})
    visitor = Visitor(house)
    code = visitor.code(
        client_id=app["client_id"], redirect_uri="http://127.0.0.1:49152/callback", scope="openid room:enter"
    )
    form = {
        "grant_type": "authorization_code",
        "client_id": app["client_id"],
        "code": code,
        "redirect_uri": "http://127.0.0.1:49152/callback",
        "code_verifier": VERIFIER,
    }
    tokens = house.token(form)
    assert tokens.status == 200, tokens.text
    assert tokens.json["scope"] == "openid room:enter"


def test_a_secret_that_was_told_proves_the_client(house: House) -> None:
    told = registered(house, {**WEB, "token_endpoint_auth_method": "client_secret_post"})
    form = {"client_id": told["client_id"], "client_secret": told["client_secret"], "token": "x"}
    assert house.post("/introspect", form).json == {"active": False}
    assert house.post("/introspect", {**form, "client_secret": told["client_secret"] + "x"}).status == 401


def test_nobody_gets_tokens_for_being_able_to_register(house: House) -> None:
    told = registered(house, {**WEB, "grant_types": ["authorization_code", "client_credentials"]})
    assert told["grant_types"] == ["authorization_code"]
    alone = {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_post"}
    refused(register(house, alone))
    form = {"grant_type": "client_credentials", "client_id": told["client_id"], "client_secret": told["client_secret"]}
    assert house.token(form).status in (400, 401)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id_token_signed_response_alg": "none"},
        {"request_object_signing_alg": "none"},
        {"token_endpoint_auth_signing_alg": "none"},
        {"userinfo_signed_response_alg": "none"},
        {"token_endpoint_auth_signing_alg": "HS999"},
        {"id_token_signed_response_alg": "XX256"},
        {"id_token_encrypted_response_enc": "A128CBC-HS256"},
        {"id_token_encrypted_response_alg": "RSA1_5"},
        {"token_endpoint_auth_method": "carrier_pigeon"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {}},
        {"jwks": {"keys": [{**EC, "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}]}},
        {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
        {"jwks": {"keys": [{"crv": "P-256"}]}},
        {"jwks": {"keys": [EC] * 17}},
        {"jwks": {"keys": [EC]}, "jwks_uri": "https://client.example/jwks"},
        {"jwks_uri": "http://client.example/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"logo_uri": "javascript:alert(1)"},
        {"client_uri": "data:text/html,x"},
        {"tos_uri": "/terms"},
        {"policy_uri": "https://user@client.example/"},
        {"initiate_login_uri": "http://client.example/start"},
        {"backchannel_logout_uri": "http://10.0.0.1/logout"},
        {"frontchannel_logout_uri": "https://other.example/logout"},
        {"post_logout_redirect_uris": ["javascript:alert(1)"]},
        {"subject_type": "secret"},
        {"application_type": "toaster"},
        {"grant_types": ["password"]},
        {"grant_types": ["refresh_token"], "response_types": ["code"]},
        {"response_types": ["token"]},
        {"default_max_age": -1},
        {"default_max_age": "soon"},
        {"require_auth_time": "yes"},
        {"client_name": ["a", "b"]},
        {"client_name": "x" * 201},
        {"client_name": "bank\u202egpj.exe"},
        {"client_name": "two\nlines"},
        {"contacts": "help@client.example"},
        {"jwks": [EC]},
        {"scope": ["openid"]},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(house: House, wrong: dict[str, Any]) -> None:
    refused(register(house, {**WEB, **wrong}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"redirect_uris":["https://a.example/"],"redirect_uris":[]}',
        b"[" * 9000,
    ],
    ids=repr,
)
def test_what_is_no_json_object_is_refused(house: House, body: bytes) -> None:
    refused(register(house, body))


def test_a_form_is_no_registration(house: House) -> None:
    refused(register(house, b"redirect_uris=x", headers={"content_type": "application/x-www-form-urlencoded"}))


def test_long_metadata_are_refused(house: House) -> None:
    refused(register(house, {**WEB, "software_id": "x" * MOST_BYTES}))
    assert register(house, {**WEB, "software_id": "x" * 70_000}).status == 413


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("http://client.example/cb", "web"),
        ("https://client.example/cb#here", "web"),
        ("https://user@client.example/cb", "web"),
        ("https://*.client.example/cb", "web"),
        ("https://client.example\\@evil.example/", "web"),
        ("/cb", "web"),
        ("https:///cb", "web"),
        ("javascript:alert(1)", "native"),
        ("data:text/html,x", "native"),
        ("file:///etc/passwd", "native"),
        ("com.example.app:/cb", "web"),
        ("http://client.example/cb", "native"),
        ("http://127.0.0.1.evil.example/cb", "native"),
        ("https://clïent.example/cb", "web"),
        ("", "web"),
        (7, "web"),
    ],
)
def test_redirect_uris_that_may_not_be_registered(house: House, uri: object, kind: str) -> None:
    refused(register(house, {"redirect_uris": [uri], "application_type": kind}), "invalid_redirect_uri")


def test_whoever_uses_codes_has_somewhere_to_send_them(house: House) -> None:
    refused(register(house, {"client_name": "Nowhere"}), "invalid_redirect_uri")
    refused(
        register(house, {"redirect_uris": [f"https://client.example/{one}" for one in range(51)]}),
        "invalid_redirect_uri",
    )


@pytest.mark.parametrize(
    ("uris", "kind"),
    [
        (["http://localhost/cb"], "native"),
        (["http://[::1]:7777/cb", "com.example.app:/cb"], "native"),
        (["cursor://anysphere.cursor-retrieval/oauth/callback"], "native"),
        (["https://client.example/cb", "http://127.0.0.1/cb"], "web"),
        (["https://client.example/cb"], "web"),
    ],
)
def test_a_client_that_does_not_say_is_native_where_all_its_redirects_are(
    house: House, uris: list[str], kind: str
) -> None:
    assert registered(house, {"redirect_uris": uris})["application_type"] == kind


def test_a_device_needs_no_redirect(house: House) -> None:
    device = "urn:ietf:params:oauth:grant-type:device_code"
    told = registered(house, {"grant_types": [device], "token_endpoint_auth_method": "none"})
    assert (told["grant_types"], told["response_types"]) == ([device], [])


def test_scopes_that_were_not_named_are_not_told_but_may_all_be_asked_for(house: House) -> None:
    app = registered(house, APP)
    assert "scope" not in app
    code = Visitor(house).code(
        client_id=app["client_id"], redirect_uri="http://127.0.0.1:49152/callback", scope="openid room:enter"
    )
    assert code


def test_scopes_that_a_stranger_names_are_its_usual_ones_and_no_ceiling(house: House) -> None:
    """MCP clients register with the scopes of the first challenge, and step up from there."""
    app = registered(house, {**APP, "scope": "openid room:enter"})
    assert app["scope"] == "openid room:enter"
    sent = {"client_id": app["client_id"], "redirect_uri": "http://127.0.0.1:49152/callback"}
    assert said_scope(house, sent, None) == "openid room:enter"
    assert said_scope(house, sent, "openid room:enter gym:enter") == "gym:enter openid room:enter"


def said_scope(house: House, sent: dict[str, str], scope: str | None) -> str:
    code = Visitor(house).code(**sent, scope=scope)
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, **sent}
    return str(house.token(form).json["scope"])


def test_scopes_that_nobody_knows_are_left_out(house: House) -> None:
    assert registered(house, {**WEB, "scope": "openid root:everything"})["scope"] == "openid"


def test_a_registration_is_read_changed_and_ended_with_its_own_token(house: House) -> None:
    told = registered(house, {**WEB, "client_name": "Before", "contacts": ["a@client.example"]})
    url, token = told["registration_client_uri"], told["registration_access_token"]
    read = send(house, "GET", url, token=token)
    assert read.status == 200
    assert read.json == {name: value for name, value in told.items() if name != "client_secret"}

    wanted = {**WEB, "client_id": told["client_id"], "client_name": "After", "client_secret": told["client_secret"]}
    changed = send(house, "PUT", url, wanted, token)
    assert changed.status == 200, changed.text
    assert changed.json["client_name"] == "After"
    assert "contacts" not in changed.json
    assert "client_secret" not in changed.json
    assert send(house, "GET", url, token=token).json["client_name"] == "After"

    ended = send(house, "DELETE", url, token=token)
    assert (ended.status, ended.body) == (204, b"")
    for method in ("GET", "PUT", "DELETE"):
        refused(send(house, method, url, wanted, token), "invalid_token", 401)


def test_another_registrations_token_opens_nothing(house: House) -> None:
    mine, theirs = registered(house, WEB), registered(house, WEB)
    for method in ("GET", "PUT", "DELETE"):
        answer = send(house, method, theirs["registration_client_uri"], WEB, mine["registration_access_token"])
        refused(answer, "invalid_token", 401)
        assert (answer.header("www-authenticate") or "").startswith('Bearer error="invalid_token"')
        refused(send(house, method, theirs["registration_client_uri"], WEB), "invalid_token", 401)
        refused(send(house, method, "/register/nobody", WEB, mine["registration_access_token"]), "invalid_token", 401)


def test_a_client_of_the_operator_has_no_registration_to_read(house: House) -> None:
    for token in ("", "x"):
        refused(send(house, "GET", "/register/shop", token=token), "invalid_token", 401)


@pytest.mark.parametrize("wrong", [{"client_id": "shop"}, {"client_id": None}, {"client_secret": "guess"}], ids=str)
def test_an_update_speaks_of_its_own_client(house: House, wrong: dict[str, Any]) -> None:
    told = registered(house, WEB)
    body = {**WEB, "client_id": told["client_id"], **wrong}
    refused(send(house, "PUT", told["registration_client_uri"], body, told["registration_access_token"]))


def test_a_client_that_becomes_confidential_is_told_a_secret_and_one_that_becomes_public_loses_it(house: House) -> None:
    told = registered(house, APP)
    url, token = told["registration_client_uri"], told["registration_access_token"]
    body = {**APP, "client_id": told["client_id"]}
    confidential = send(house, "PUT", url, {**body, "token_endpoint_auth_method": "client_secret_post"}, token)
    assert len(confidential.json["client_secret"]) == 43
    public = send(house, "PUT", url, body, token)
    assert "client_secret" not in public.json
    form = {"client_id": told["client_id"], "client_secret": confidential.json["client_secret"], "token": "x"}
    assert house.post("/introspect", form).status == 401


def test_when_a_client_leaves_what_people_allowed_it_ends(house: House) -> None:
    app = registered(house, {**APP, "scope": "openid room:enter offline_access"})
    redirect = "http://127.0.0.1:49152/callback"
    code = Visitor(house).code(client_id=app["client_id"], redirect_uri=redirect, scope="openid offline_access")
    form = {"client_id": app["client_id"], "code_verifier": VERIFIER, "redirect_uri": redirect}
    tokens = house.token({**form, "grant_type": "authorization_code", "code": code}).json
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert house.get("/userinfo", **bearer).status == 200
    url, token = app["registration_client_uri"], app["registration_access_token"]
    assert send(house, "DELETE", url, token=token).status == 204
    assert house.get("/userinfo", **bearer).status == 401
    refresh = {**form, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert house.token(refresh).status == 401


def test_one_address_registers_in_moderation_and_others_do_not_notice(house: House) -> None:
    answers = [register(house, WEB, remote="192.0.2.7") for _ in range(BURST + 1)]
    assert {one.status for one in answers[:-1]} == {201}
    refused(answers[-1], "temporarily_unavailable", 429)
    assert answers[-1].header("retry-after") == str(EVERY)
    assert register(house, WEB, remote="192.0.2.8").status == 201
    house.clock.move(EVERY)
    assert register(house, WEB, remote="192.0.2.7").status == 201


def test_a_client_that_nobody_used_is_forgotten_and_one_that_was_used_is_not(house: House) -> None:
    unused, used = registered(house, APP), registered(house, APP)
    redirect = "http://127.0.0.1:49152/callback"
    code = Visitor(house).code(client_id=used["client_id"], redirect_uri=redirect, scope="openid")
    form = {
        "grant_type": "authorization_code",
        "client_id": used["client_id"],
        "code": code,
        "redirect_uri": redirect,
        "code_verifier": VERIFIER,
    }
    assert house.token(form).status == 200
    store = house.issuer.realm.store
    later = house.clock() + Policy(issuer=ORIGIN).unused_client_lifetime + 1
    house.run(store.purge(later - 2, 1000))
    assert house.run(store.client(unused["client_id"])) is not None
    house.run(store.purge(later, 1000))
    assert house.run(store.client(unused["client_id"])) is None
    assert house.run(store.client(used["client_id"])) is not None
    assert house.run(store.client("shop")) is not None


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[House]:
    by_invitation = replace(SETTINGS, registration=Registration(mode="invited"))
    made = House(tmp_path_factory.mktemp("club"), by_invitation)
    yield made
    made.close()


def test_where_registration_is_by_invitation_an_invitation_is_needed(club: House) -> None:
    for token in ("", "guess"):
        answer = register(club, WEB, token)
        refused(answer, "invalid_token", 401)
        assert (answer.header("www-authenticate") or "").startswith("Bearer")


def test_an_invitation_registers_as_many_clients_as_it_says_and_any_grant(club: House) -> None:
    token = club.run(invite(club.issuer.realm, 2, 3600))
    robot = {
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": "room:enter",
    }
    refused(register(club, {**robot, "grant_types": ["password"]}, token))
    told = registered(club, robot, token)
    form = {"grant_type": "client_credentials", "client_id": told["client_id"], "client_secret": told["client_secret"]}
    assert club.token(form).json["scope"] == "room:enter"
    assert registered(club, WEB, token)
    refused(register(club, WEB, token), "invalid_token", 401)


def test_an_invitation_for_one_is_used_by_one_of_many_at_once(club: House) -> None:
    token = club.run(invite(club.issuer.realm, 1, 3600))
    headers = named({"content_type": "application/json", "authorization": f"Bearer {token}"})
    asked = [Asked("POST", "/register", b"", headers, (json.dumps(WEB).encode(),)) for _ in range(8)]
    assert sorted(one.status for one in club.ask_all(asked)) == [201, *[401] * 7]


def test_an_old_invitation_is_none(club: House) -> None:
    token = club.run(invite(club.issuer.realm, 1, 60))
    club.clock.move(60)
    refused(register(club, WEB, token), "invalid_token", 401)


def test_pages_of_other_origins_may_register(house: House) -> None:
    answer = house.ask(Asked("OPTIONS", "/register", b"", named({"origin": "https://app.example"})))
    assert answer.status == 204
    assert "POST" in (answer.header("access-control-allow-methods") or "")
    assert "PUT" in (house.ask(Asked("OPTIONS", "/register/x")).header("access-control-allow-methods") or "")


@pytest.mark.parametrize(("method", "path"), [("GET", "/register"), ("PUT", "/register"), ("POST", "/register/x")])
def test_other_methods_are_told_which_there_are(house: House, method: str, path: str) -> None:
    answer = send(house, method, path, WEB)
    assert answer.status == 405
    assert answer.header("allow")


def test_redirects_of_several_hosts_need_a_sector_document(house: House, there: Stranger) -> None:
    uris = ["https://one.example/cb", "https://two.example/cb"]
    said = {"redirect_uris": uris, "subject_type": "pairwise"}
    refused(register(house, said))
    there.says("/sector", json.dumps(uris).encode())
    told = registered(house, {**said, "sector_identifier_uri": there.url("/sector")})
    assert told["sector_identifier_uri"] == there.url("/sector")
    client = house.run(house.issuer.realm.client(told["client_id"]))
    assert client is not None
    assert client.sector_identifier == HOST


@pytest.mark.parametrize("body", [b'["https://one.example/cb"]', b"{}", b"[1]", b"not json"])
def test_a_sector_document_lists_every_redirect(house: House, there: Stranger, body: bytes) -> None:
    there.says("/sector-of-others", body)
    uris = ["https://two.example/cb"]
    refused(register(house, {"redirect_uris": uris, "sector_identifier_uri": there.url("/sector-of-others")}))
    there.answers.pop("/sector-of-others")
    house.clock.move(86_400)


def test_a_sector_document_is_fetched_with_care(house: House) -> None:
    for url in ("https://169.254.169.254/latest", "http://client.example/sector", "https://127.0.0.1:1/x"):
        refused(register(house, {**WEB, "subject_type": "pairwise", "sector_identifier_uri": url}))


ODD_TEXT = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "https://[", "https://[::1", "https://a:99999/", "https://é.example/", "//", "http://[::1]:x/", "none", "\ud800",
            "https://a.example/\x00", "https://%zz/", "code id_token", "\u202e", "https://a.example:0/", "urn:x", "pairwise",
        ]
    ),
)  # fmt: skip
ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ODD_TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(ODD_TEXT, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.dictionaries(st.sampled_from(Metadata.__struct_fields__), ODD, max_size=6), usual=st.booleans())
def test_whatever_a_client_says_of_itself_it_is_registered_or_told_why_not(
    house: House, said: dict[str, Any], usual: bool
) -> None:
    house.clock.move(EVERY)
    answer = register(house, {**(WEB if usual else {}), **said})
    assert answer.status in (201, 400), answer.text
    if answer.status == 400:
        assert answer.json["error"] in ("invalid_client_metadata", "invalid_redirect_uri")
    else:
        assert (
            send(
                house, "GET", answer.json["registration_client_uri"], token=answer.json["registration_access_token"]
            ).status
            == 200
        )
