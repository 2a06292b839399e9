"""Clients with TLS certificates behind a proxy: believed from the proxy, and from nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from innkeeper.issuer.app import open_issuer
from innkeeper.issuer.settings import Server, Settings
from innkeeper.keys.certificates import read_forwarded
from innkeeper.protocol.proxies import proxies
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import VERIFIER, Answer, Asked, House, posted
from tests.issuer.signing import CALLBACK, bank, by_key, dpop, read, settings_for, thumbprint
from tests.issuer.visitor import SHOP, Visitor
from tests.keys.certificates import ALL_NAMES, AUTHORITY, DAY, Issued

PROXY, STRANGER = "10.0.0.7", "203.0.113.9"
HEADER = "client-cert"
MTLS = "https://mtls.inn.example"

SHOPS = Issued(by=AUTHORITY, names=ALL_NAMES)
OWN = Issued("CN=own")
OTHERS = Issued("CN=other.example", by=AUTHORITY)
IMPOSTOR = Issued(by=Issued("CN=The authority", authority=True), names=ALL_NAMES)

BY_NAME = {
    "subject_dn": "CN=shop.example,O=The shop",
    "san_dns": "shop.example",
    "san_uri": "spiffe://inn/shop",
    "san_ip": "2001:db8:0:0::7",
    "san_email": "shop@shop.example",
}


def by_name(kind: str) -> Any:
    members = {"token_endpoint_auth_method": "tls_client_auth", f"tls_client_auth_{kind}": BY_NAME[kind], "jwks": {}}
    return bank(kind, metadata={**members, "tls_client_certificate_bound_access_tokens": True})


CLIENTS = [
    *(by_name(kind) for kind in BY_NAME),
    bank(
        "own",
        metadata={
            "token_endpoint_auth_method": "self_signed_tls_client_auth",
            "jwks": {"keys": [{"kty": "strange"}, OWN.jwk]},
            "tls_client_certificate_bound_access_tokens": True,
        },
    ),
    bank("both", metadata={"tls_client_certificate_bound_access_tokens": True}),
    bank(
        "phone",
        native=True,
        metadata={
            "token_endpoint_auth_method": "none",
            "jwks": {},
            "tls_client_certificate_bound_access_tokens": True,
        },
        grants=("authorization_code", "refresh_token"),
    ),
    bank("broker", grants=("token_exchange",), redirect_uris=[]),
    bank("strict", profile="fapi2-security", metadata={"tls_client_certificate_bound_access_tokens": True}),
]


def settings_of(folder: Path) -> Settings:
    authorities = folder / "authorities.pem"
    authorities.write_text(AUTHORITY.pem)
    server = Server(
        trusted_proxies=["10.0.0.0/29"],
        client_certificate_header="Client-Cert",
        client_certificate_authorities=str(authorities),
        mtls_url=MTLS,
    )
    settings = settings_for("oauth21", *CLIENTS)
    return replace(settings, server=server, registration=replace(settings.registration, mode="open"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("mtls")
    made = House(folder, settings_of(folder))
    yield made
    made.close()


def ask(
    house: House, form: dict[str, str], *certificates: str, path: str = "/token", remote: str = PROXY, **headers: str
) -> Answer:
    asked = posted(path, form, remote, **headers)
    shown = tuple((HEADER, one) for one in certificates)
    return house.ask(asked._replace(headers=(*asked.headers, *shown)))


def machine(client_id: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": client_id, "scope": "room:enter"}


def refused(house: House, answer: Answer, number: str, error: str = "invalid_client", status: int = 401) -> bool:
    assert (answer.status, answer.json["error"]) == (status, error), answer.body
    refusal = house.last.refusal
    assert refusal is not None
    assert refusal.page.number == number, refusal
    return True


def bound_to(one: Issued) -> dict[str, str]:
    return {"x5t#S256": read_forwarded(one.rfc9440).thumbprint}


@pytest.mark.parametrize("kind", BY_NAME)
@pytest.mark.parametrize("spelling", ["rfc9440", "nginx", "envoy", "base64"])
def test_a_certificate_that_an_authority_vouches_for_proves_a_client_by_its_name(
    house: House, kind: str, spelling: str
) -> None:
    answer = ask(house, machine(kind), getattr(SHOPS, spelling))
    assert read(answer.json["access_token"])["cnf"] == bound_to(SHOPS)
    assert answer.json["token_type"] == "Bearer"


@pytest.mark.parametrize("kind", BY_NAME)
@pytest.mark.parametrize("shown", [OTHERS, IMPOSTOR, OWN], ids=["another name", "another authority", "its own word"])
def test_any_other_certificate_proves_it_not(house: House, kind: str, shown: Issued) -> None:
    assert refused(house, ask(house, machine(kind), shown.rfc9440), "IK205")


def test_a_certificate_with_a_registered_key_proves_a_client_whoever_signed_it(house: House) -> None:
    answer = ask(house, machine("own"), OWN.rfc9440)
    assert read(answer.json["access_token"])["cnf"] == bound_to(OWN)
    renewed = Issued("CN=whatever", by=AUTHORITY, key=OWN.key)
    assert ask(house, machine("own"), renewed.rfc9440).status == 200
    assert refused(house, ask(house, machine("own"), Issued("CN=own").rfc9440), "IK205")


@pytest.mark.parametrize("span", [(-2 * DAY, -DAY), (DAY, 2 * DAY)], ids=["over", "not begun"])
def test_a_certificate_out_of_its_time_proves_nobody(house: House, span: tuple[int, int]) -> None:
    start, end = (house.clock() + one for one in span)
    late = Issued("CN=own", key=OWN.key, start=start, end=end)
    assert refused(house, ask(house, machine("own"), late.rfc9440), "IK205")


@pytest.mark.parametrize("client_id", ["own", "subject_dn"])
@pytest.mark.parametrize("remote", [STRANGER, "10.0.0.8", "::ffff:203.0.113.9", "", "unix:"])
def test_a_header_from_anybody_but_the_proxy_is_not_even_seen(house: House, client_id: str, remote: str) -> None:
    shown = OWN if client_id == "own" else SHOPS
    answer = ask(house, machine(client_id), shown.rfc9440, remote=remote)
    assert refused(house, answer, "IK201")


def test_an_address_of_the_proxy_written_for_ipv6_is_the_proxys(house: House) -> None:
    assert ask(house, machine("own"), OWN.rfc9440, remote="::ffff:10.0.0.7").status == 200


def test_nobody_becomes_the_proxy_by_saying_so(house: House) -> None:
    claimed = {"x_forwarded_for": PROXY, "x_real_ip": PROXY, "forwarded": f"for={PROXY}"}
    assert refused(house, ask(house, machine("own"), OWN.rfc9440, remote=STRANGER, **claimed), "IK201")


@pytest.mark.parametrize("client_id", ["own", "subject_dn"])
def test_a_header_slipped_in_beside_the_proxys_makes_both_worthless(house: House, client_id: str) -> None:
    shown = OWN if client_id == "own" else SHOPS
    for pair in ((shown.rfc9440, OTHERS.rfc9440), (OTHERS.rfc9440, shown.rfc9440), (shown.nginx, OTHERS.nginx)):
        answer = ask(house, machine(client_id), *pair)
        assert refused(house, answer, "IK203", "invalid_request", 400)


@pytest.mark.parametrize("forwarded", ["(null)", ":", "::", ":!!:", "%", "-----BEGIN CERTIFICATE-----", "\xff" * 40])
def test_what_is_no_certificate_is_told_and_breaks_nothing(house: House, forwarded: str) -> None:
    asked = posted("/token", machine("own"), PROXY)
    answer = house.ask(asked._replace(headers=(*asked.headers, (HEADER, forwarded))))
    assert refused(house, answer, "IK203", "invalid_request", 400)


def test_an_empty_header_is_no_certificate(house: House) -> None:
    assert refused(house, ask(house, machine("own"), ""), "IK201")
    assert house.token({"grant_type": "client_credentials", **SHOP}).json["error"] == "unauthorized_client"


def test_a_client_of_another_way_is_not_proved_by_a_certificate(house: House) -> None:
    assert refused(house, ask(house, machine("shop"), SHOPS.rfc9440), "IK201")
    assert refused(house, ask(house, machine("both"), SHOPS.rfc9440), "IK201")
    assert refused(house, ask(house, {**machine("own"), "client_secret": "x"}, OWN.rfc9440), "IK201")


def test_a_client_whose_tokens_are_bound_gets_none_without_its_certificate(house: House) -> None:
    form = {**machine("both"), **by_key(house, "both")}
    assert refused(house, ask(house, form), "IK252", "invalid_request", 400)


def test_a_token_can_be_bound_to_a_key_and_a_certificate_at_once(house: House) -> None:
    form = {**machine("both"), **by_key(house, "both")}
    answer = ask(house, form, SHOPS.rfc9440, dpop=dpop(house, "/token"))
    assert read(answer.json["access_token"])["cnf"] == {"jkt": thumbprint(), **bound_to(SHOPS)}
    assert answer.json["token_type"] == "DPoP"


def test_a_certificate_is_a_binding_that_fapi_takes(house: House) -> None:
    form = {**machine("strict"), **by_key(house, "strict")}
    assert ask(house, form, SHOPS.rfc9440).json["token_type"] == "Bearer"


def signed_in(house: House, client_id: str, shown: Issued) -> dict[str, Any]:
    code = Visitor(house).code(client_id=client_id, redirect_uri=CALLBACK, scope="openid room:enter")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    answer = ask(house, {**form, "client_id": client_id}, shown.rfc9440)
    assert answer.status == 200, answer.body
    return answer.json


def userinfo(house: House, token: str, *certificates: str, remote: str = PROXY, scheme: str = "Bearer") -> Answer:
    headers = (("authorization", f"{scheme} {token}"), *((HEADER, one) for one in certificates))
    return house.ask(Asked("GET", "/userinfo", b"", headers, remote=remote))


def test_a_bound_token_opens_userinfo_with_its_certificate_only(house: House) -> None:
    token = signed_in(house, "own", OWN)["access_token"]
    assert userinfo(house, token, OWN.rfc9440).status == 200
    renewed = Issued("CN=own", key=OWN.key)
    for answer in (
        userinfo(house, token),
        userinfo(house, token, SHOPS.rfc9440),
        userinfo(house, token, renewed.rfc9440),
        userinfo(house, token, OWN.rfc9440, remote=STRANGER),
        userinfo(house, token, OWN.rfc9440, SHOPS.rfc9440),
        userinfo(house, token, "rubbish"),
        userinfo(house, token, OWN.rfc9440, scheme="DPoP"),
    ):
        assert answer.status == 401
        assert 'error="invalid_' in (answer.header("www-authenticate") or "")


def test_a_public_clients_refresh_token_is_bound_to_its_certificate(house: House) -> None:
    tokens = signed_in(house, "phone", OWN)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "phone"}
    assert refused(house, ask(house, form, SHOPS.rfc9440), "IK251", "invalid_grant", 400)
    assert refused(house, ask(house, form), "IK252", "invalid_request", 400)
    assert ask(house, form, OWN.rfc9440).status == 200


def test_an_exchange_asks_for_the_certificate_and_keeps_the_binding(house: House) -> None:
    """The broker itself never asked for bound tokens; what it is given is bound because the old token was."""
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": ask(house, machine("own"), OWN.rfc9440).json["access_token"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    without = ask(house, {**form, **by_key(house, "broker")})
    assert refused(house, without, "IK273", "invalid_request", 400)
    wrong = ask(house, {**form, **by_key(house, "broker")}, SHOPS.rfc9440)
    assert refused(house, wrong, "IK273", "invalid_request", 400)
    right = ask(house, {**form, **by_key(house, "broker")}, OWN.rfc9440)
    assert read(right.json["access_token"])["cnf"] == bound_to(OWN)


def test_introspection_tells_what_a_token_is_bound_to(house: House) -> None:
    token = ask(house, machine("own"), OWN.rfc9440).json["access_token"]
    answer = house.post("/introspect", {"token": token, **SHOP})
    assert answer.json["cnf"] == bound_to(OWN)
    assert answer.json["token_type"] == "Bearer"


def test_the_metadata_say_so_where_it_is_set_up_and_only_there(house: House, tmp_path: Path) -> None:
    document = house.get("/.well-known/openid-configuration").json
    assert document["tls_client_certificate_bound_access_tokens"] is True
    assert document["mtls_endpoint_aliases"]["token_endpoint"] == f"{MTLS}/token"
    methods = {"tls_client_auth", "self_signed_tls_client_auth"}
    assert methods <= set(document["token_endpoint_auth_methods_supported"])
    without = House(tmp_path)
    try:
        bare = without.get("/.well-known/openid-configuration").json
        assert not {"tls_client_certificate_bound_access_tokens", "mtls_endpoint_aliases"} & set(bare)
        assert not methods & set(bare["token_endpoint_auth_methods_supported"])
    finally:
        without.close()


def test_a_proof_made_for_the_alias_is_good_at_the_alias(house: House) -> None:
    proof = dpop(house, "/token", origin=MTLS)
    form = {**machine("both"), **by_key(house, "both", aud=f"{MTLS}/token")}
    answer = ask(house, form, SHOPS.rfc9440, dpop=proof, host="mtls.inn.example")
    assert answer.status == 200, answer.body


def test_the_caller_behind_the_proxy_is_the_one_whose_guesses_are_counted(house: House) -> None:
    site = house.issuer.site
    proxies = site._proxies
    behind = {"x-forwarded-for": f"1.1.1.1, {STRANGER}, 10.0.0.6"}
    assert proxies.caller(PROXY, behind) == STRANGER
    assert proxies.caller(STRANGER, behind) == STRANGER
    assert proxies.caller(PROXY, {}) == PROXY
    assert proxies.caller(PROXY, {"x-forwarded-for": " , "}) == PROXY


@pytest.mark.parametrize(
    ("server", "message"),
    [
        (Server(client_certificate_header="Client-Cert"), "trusted_proxies"),
        (Server(trusted_proxies=["10.0.0.7/8"]), "host bits"),
        (Server(trusted_proxies=["everybody"]), "everybody"),
        (Server(trusted_proxies=["10.0.0.7"], client_certificate_header="a b"), "header"),
        (Server(client_certificate_authorities="x.pem"), "client_certificate_header"),
    ],
)
def test_settings_that_would_believe_anybody_are_refused(house: House, server: Server, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        house.run(open_issuer(replace(house.settings, server=server), development=False))


def test_nothing_is_made_for_settings_that_are_refused(house: House, tmp_path: Path) -> None:
    server = Server(client_certificate_header="Client-Cert", state=str(tmp_path / "state"))
    with pytest.raises(UsageError, match="trusted_proxies"):
        house.run(open_issuer(replace(house.settings, server=server), development=False))
    assert not (tmp_path / "state").exists()


def test_authorities_that_cannot_be_read_stop_the_house(house: House, tmp_path: Path) -> None:
    for name, text in (("missing.pem", None), ("empty.pem", ""), ("leaf.pem", SHOPS.pem)):
        if text is not None:
            (tmp_path / name).write_text(text)
        server = replace(house.settings.server, client_certificate_authorities=str(tmp_path / name))
        with pytest.raises(UsageError):
            house.run(open_issuer(replace(house.settings, server=server), development=False))


REGISTRATIONS: dict[str, dict[str, str]] = {
    "no name": {},
    "two names": {"tls_client_auth_san_dns": "shop.example", "tls_client_auth_san_ip": "192.0.2.7"},
    "a name as OpenSSL prints it": {"tls_client_auth_subject_dn": "CN = shop.example, O = The shop"},
}


@pytest.mark.parametrize("names", REGISTRATIONS.values(), ids=REGISTRATIONS)
def test_a_client_is_known_by_one_name_wherever_it_is_registered(house: House, names: dict[str, str]) -> None:
    metadata = {"token_endpoint_auth_method": "tls_client_auth", **names}
    wrong = bank("wrong", metadata={**metadata, "jwks": {}})
    with pytest.raises(UsageError, match="tls_client_auth"):
        house.run(open_issuer(replace(house.settings, client=[wrong]), development=False))
    document = {"redirect_uris": [CALLBACK], **metadata}
    asking = posted("/register", {}, content_type="application/json")
    answer = house.ask(asking._replace(chunks=(json.dumps(document).encode(),)))
    assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    ("peer", "shown", "seen"),
    [
        (STRANGER, {}, "own"),
        (STRANGER, {HEADER: "forged"}, "own"),
        (PROXY, {}, ""),
        (PROXY, {HEADER: "the caller's"}, "the caller's"),
    ],
    ids=["a caller", "a caller who forges", "a proxy without a caller's", "a proxy"],
)
def test_a_connections_own_certificate_is_the_callers_unless_a_proxy_made_it(
    peer: str, shown: dict[str, str], seen: str
) -> None:
    assert proxies(["10.0.0.0/29"], HEADER).certificate(peer, shown, "own") == seen
