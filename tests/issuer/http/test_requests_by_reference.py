"""A request object that stands at an address of its client's, and that the issuer fetches (OpenID Connect Core §6.2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from msgspec.structs import replace

from tests.issuer.house import ASKED, VERIFIER, House
from tests.issuer.signing import (
    CALLBACK,
    bank,
    by_key,
    read,
    request_claims,
    request_object,
    said,
    settings_for,
    unsigned,
)
from tests.issuer.stranger import Stranger, house_and_stranger
from tests.issuer.visitor import Visitor

HERE = "/request.jwt"
OUTSIDE = {"client_id": "bank", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Stranger]]:
    """A certification realm, whose client keeps requests at the stranger's server."""
    settings = settings_for("oidc-certification", bank(), bank("strict", profile="oauth21"))
    with house_and_stranger(tmp_path_factory.mktemp("reference"), settings) as (house, server):
        for client_id in ("bank", "strict"):
            keeps_requests(house, client_id, server.url(HERE))
        yield house, server


def keeps_requests(house: House, client_id: str, *uris: str) -> None:
    store = house.issuer.realm.store
    client = house.run(store.client(client_id))
    assert client is not None
    house.run(store.put_client(replace(client, request_uris=uris)))
    house.issuer.realm.forget_client(client_id)


def asked(house: House, server: Stranger, reference: str = HERE, **changes: str | None) -> dict[str, str]:
    """What comes back to the client whose request refers to ``reference``."""
    sent = {**OUTSIDE, "request_uri": server.url(reference), **changes}
    visitor = Visitor(house)
    query = urlencode({name: value for name, value in sent.items() if value is not None})
    answer = visitor.through(visitor.get(f"/authorize?{query}"))
    found = parse_qs(urlsplit(answer.location).query, strict_parsing=True)
    return {name: values[0] for name, values in found.items()}


def test_a_signed_request_is_fetched_and_believed(world: tuple[House, Stranger]) -> None:
    house, server = world
    server.says(HERE, request_object(house, "RS256", state="kept there").encode(), content_type="application/jwt")
    assert asked(house, server)["state"] == "kept there"


def test_an_unsigned_one_too_where_the_profile_reads_those(world: tuple[House, Stranger]) -> None:
    house, server = world
    server.says(HERE, unsigned(request_claims(house, state="unsigned")).encode() + b"\n")
    assert asked(house, server)["state"] == "unsigned"
    assert asked(house, server, client_id="strict")["error"] == "invalid_request_object"


def test_a_fragment_is_no_part_of_the_address(world: tuple[House, Stranger]) -> None:
    """Clients put the hash of the object there (§6.2); it is not sent to their server, and may change."""
    house, server = world
    server.says(HERE, request_object(house, state="hashed").encode())
    assert asked(house, server, f"{HERE}#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM")["state"] == "hashed"
    assert b"#" not in server.requests[-1].split(b"\r\n")[0]


def test_what_stands_there_is_read_anew_each_time(world: tuple[House, Stranger]) -> None:
    house, server = world
    for state in ("first", "second"):
        server.says(HERE, request_object(house, state=state).encode(), cache_control="max-age=3600")
        assert asked(house, server)["state"] == state


def test_where_openid_has_it_so_parameters_beside_count_and_those_inside_count_more(
    world: tuple[House, Stranger],
) -> None:
    house, server = world
    claims = {name: value for name, value in request_claims(house).items() if name not in ("state", "nonce")}
    server.says(HERE, said({**claims, "scope": "openid profile"}, typ="oauth-authz-req+jwt").encode())
    got = asked(house, server, state="beside", scope="openid", nonce="n")
    assert got["state"] == "beside"
    form = {
        "grant_type": "authorization_code",
        "code": got["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    tokens = house.token({**form, **by_key(house, "bank")}).json
    assert tokens["scope"] == "openid profile"
    assert read(tokens["id_token"])["nonce"] == "n"


def test_in_every_other_profile_nothing_beside_counts(world: tuple[House, Stranger]) -> None:
    house, server = world
    claims = {**request_claims(house, client_id="strict"), "state": None}
    server.says(HERE, said(claims, typ="oauth-authz-req+jwt").encode())
    assert "state" not in asked(house, server, client_id="strict", state="beside")


def test_response_type_and_client_say_the_same_inside_and_beside(world: tuple[House, Stranger]) -> None:
    house, server = world
    server.says(HERE, request_object(house, response_type="code id_token").encode())
    assert asked(house, server)["error"] == "invalid_request_object"
    server.says(HERE, request_object(house, client_id="app", iss="bank").encode())
    assert asked(house, server)["error"] == "invalid_request_object"


@pytest.mark.parametrize(
    ("reference", "answers"),
    [
        ("/elsewhere.jwt", {"body": b"ey.ey.sig"}),
        (f"{HERE}?more=1", {"body": b"ey.ey.sig"}),
        (HERE, {"body": b"gone", "status": "404 Not Found"}),
        (HERE, {"body": b"broken", "status": "500 Internal Server Error"}),
        (HERE, {"body": b"x" * 70_000}),
        (HERE, {"body": b"", "status": "302 Found", "location": "https://client.example/other"}),
    ],
)
def test_an_address_that_is_not_registered_or_gives_nothing_is_told_of(
    world: tuple[House, Stranger], reference: str, answers: dict[str, Any]
) -> None:
    house, server = world
    server.says(HERE, **answers)
    told = asked(house, server, reference, state="s")
    assert (told["error"], told["state"]) == ("invalid_request_uri", "s")


@pytest.mark.parametrize("body", [b"", b"no jwt", b"<html>", b"ey.ey.sig", "ü".encode()])
def test_what_is_no_request_object_is_refused_as_one(world: tuple[House, Stranger], body: bytes) -> None:
    house, server = world
    server.says(HERE, body)
    assert asked(house, server)["error"] == "invalid_request_object"


def test_a_request_and_an_address_exclude_each_other(world: tuple[House, Stranger]) -> None:
    house, server = world
    assert asked(house, server, request=request_object(house))["error"] == "invalid_request"


def test_no_address_is_fetched_that_nobody_registered(world: tuple[House, Stranger]) -> None:
    house, server = world
    before = len(server.requests)
    for reference in ("/internal", "//169.254.169.254/latest", f"{HERE}/../secret"):
        asked(house, server, reference)
    assert len(server.requests) == before


def test_an_answer_at_a_page_where_no_redirect_is_known(world: tuple[House, Stranger]) -> None:
    """The redirect URI stood in the object alone, which could not be had."""
    house, server = world
    query = urlencode({"client_id": "bank", "request_uri": server.url("/nowhere")})
    assert Visitor(house).get(f"/authorize?{query}").status == 400


def test_the_metadata_say_so_and_the_profiles_that_push_do_not(world: tuple[House, Stranger], tmp_path: Path) -> None:
    house, _ = world
    document = house.get("/.well-known/openid-configuration").json
    assert document["request_uri_parameter_supported"] is document["require_request_uri_registration"] is True
    other = House(tmp_path, settings_for("fapi2-security", bank(metadata={"request_uris": ["https://bank.example/r"]})))
    try:
        document = other.get("/.well-known/openid-configuration").json
        assert document["request_uri_parameter_supported"] is document["require_request_uri_registration"] is False
        sent = {**ASKED, **OUTSIDE, "request_uri": "https://bank.example/r"}
        assert Visitor(other).get(f"/authorize?{urlencode(sent)}").sent_back["error"] == "request_uri_not_supported"
    finally:
        other.close()
