"""The discovery document: found wherever clients look, and true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from innkeeper.keys.jws import parse
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import ASKED, ORIGIN, SETTINGS, Asked, House
from tests.issuer.visitor import ROBOT, Visitor, redeem

NAMES = ("oauth-authorization-server", "openid-configuration")


def with_url(url: str) -> Any:
    return replace(SETTINGS, server=replace(SETTINGS.server, public_url=url))


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An issuer with a path."""
    made = House(tmp_path_factory.mktemp("tenant"), with_url("https://inn.example/tenant/one"))
    yield made
    made.close()


@pytest.mark.parametrize("name", NAMES)
def test_an_issuer_without_a_path_is_found(house: House, name: str) -> None:
    document = house.get(f"/.well-known/{name}").json
    assert document["issuer"] == ORIGIN


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["/.well-known/{name}/tenant/one", "/tenant/one/.well-known/{name}"])
def test_an_issuer_with_a_path_is_found_in_every_form(tenant: House, name: str, form: str) -> None:
    document = tenant.get(form.format(name=name)).json
    assert document["issuer"] == "https://inn.example/tenant/one"
    assert document["token_endpoint"] == "https://inn.example/tenant/one/token"


@pytest.mark.parametrize(
    "path", ["/.well-known/{name}", "/.well-known/{name}/", "/.well-known/{name}/tenant", "/tenant/.well-known/{name}"]
)
@pytest.mark.parametrize("name", NAMES)
def test_an_issuer_with_a_path_is_not_found_elsewhere(tenant: House, path: str, name: str) -> None:
    assert tenant.get(path.format(name=name)).status == 404


def test_both_documents_say_the_same(house: House) -> None:
    one, two = (house.get(f"/.well-known/{name}").json for name in NAMES)
    assert one == two


def urls(document: dict[str, Any]) -> dict[str, str]:
    return {
        name: value
        for name, value in document.items()
        if name.endswith(("_endpoint", "_uri")) and isinstance(value, str)
    }


@pytest.mark.parametrize("fixture", ["house", "tenant"])
def test_every_address_in_the_document_answers(fixture: str, request: pytest.FixtureRequest) -> None:
    inn: House = request.getfixturevalue(fixture)
    document = inn.get(inn.issuer.layout.base + "/.well-known/openid-configuration").json
    found = urls(document)
    assert {"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"} <= set(
        found
    )
    origin = inn.issuer.layout.origin
    assert {name for name, url in found.items() if not url.startswith(f"{document['issuer']}/")} == set()
    for url in found.values():
        assert inn.ask(Asked("GET", url.removeprefix(origin))).status != 404, url


def test_the_whole_path_works_below_a_path(tenant: House) -> None:
    base = tenant.issuer.layout.base
    to_sign_in = tenant.get(f"{base}/authorize?{urlencode(ASKED)}")
    assert to_sign_in.location.startswith(f"{base}/sign-in?ticket=")
    page = tenant.get(to_sign_in.location)
    assert f'action="{base}/sign-in"' in page.text
    answer = tenant.post(f"{base}/token", {"grant_type": "client_credentials", **ROBOT})
    assert answer.status == 200
    assert tenant.post(f"{base}/introspect", {"token": answer.json["access_token"], **ROBOT}).json[
        "iss"
    ] == document_issuer(tenant)
    assert tenant.post("/token", {"grant_type": "client_credentials", **ROBOT}).status == 404


def document_issuer(inn: House) -> str:
    issuer: str = inn.get(f"{inn.issuer.layout.base}/.well-known/openid-configuration").json["issuer"]
    return issuer


# The document is true


@pytest.fixture
def document(house: House) -> dict[str, Any]:
    return house.get("/.well-known/openid-configuration").json


def test_the_document_names_what_the_specifications_demand(document: dict[str, Any]) -> None:
    required = {
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    }
    assert required <= set(document)
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "plain" not in document["code_challenge_methods_supported"]
    assert "none" not in document["id_token_signing_alg_values_supported"]


def test_nothing_is_said_empty(document: dict[str, Any]) -> None:
    assert [name for name, value in document.items() if value in ([], "", None, {})] == []


def test_every_grant_type_that_is_named_is_known_and_no_other(house: House, document: dict[str, Any]) -> None:
    for grant in document["grant_types_supported"]:
        assert house.token({"grant_type": grant, **ROBOT}).json.get("error") != "unsupported_grant_type", grant
    for grant in ("password", "implicit", "urn:example:magic"):
        assert house.token({"grant_type": grant, **ROBOT}).json["error"] == "unsupported_grant_type"


def test_every_response_mode_that_is_named_is_spoken(house: House, document: dict[str, Any]) -> None:
    visitor = Visitor(house)
    visitor.code()
    for mode in document["response_modes_supported"]:
        answer = visitor.authorize(response_mode=mode, scope="nonsense")
        said = answer.header("location") or answer.text
        inside = [parse(one).claims.decode() for one in re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", said)]
        assert bool(inside) == mode.endswith("jwt")
        assert "invalid_scope" in "".join([said, *inside]), mode


def test_every_response_type_but_the_named_is_refused(house: House, document: dict[str, Any]) -> None:
    assert document["response_types_supported"] == ["code"]
    for kind in ("token", "id_token", "code token", "none"):
        assert Visitor(house).authorize(response_type=kind).sent_back["error"] == "unsupported_response_type"


def test_every_prompt_that_is_named_is_known(house: House, document: dict[str, Any]) -> None:
    for prompt in document["prompt_values_supported"]:
        answer = Visitor(house).authorize(prompt=prompt)
        assert answer.status == 200 or answer.sent_back["error"] == "login_required", prompt


def test_every_scope_that_is_named_is_somebodys(house: House, document: dict[str, Any]) -> None:
    granted = {scope for client in house.settings.client for scope in client.scopes}
    assert granted <= set(document["scopes_supported"])
    assert "openid" in document["scopes_supported"]


def test_the_claims_that_are_named_are_the_ones_that_come(
    house: House, document: dict[str, Any], visitor: Visitor
) -> None:
    tokens = redeem(house, visitor.code(scope="openid profile email")).json
    told = house.get("/userinfo", authorization=f"Bearer {tokens['access_token']}").json
    assert set(told) <= set(document["claims_supported"])


def test_the_id_token_is_signed_with_a_published_key_and_a_named_algorithm(
    house: House, document: dict[str, Any], visitor: Visitor
) -> None:
    keys = house.get("/jwks").json["keys"]
    header = parse(redeem(house, visitor.code()).json["id_token"]).header
    assert header["alg"] in document["id_token_signing_alg_values_supported"]
    assert header["kid"] in {key["kid"] for key in keys}
    assert len({key["kid"] for key in keys}) == len(keys)
    assert all(set(key).isdisjoint({"d", "p", "q", "dp", "dq", "qi", "k"}) for key in keys)


@pytest.mark.parametrize(
    "url",
    [
        "inn.example",
        "ftp://inn.example",
        "https://",
        "https://inn.example/?tenant=1",
        "https://inn.example/#x",
        "https://me@inn.example",
        "https://inn.example/a b",
        "javascript:alert(1)",
    ],
)
def test_an_issuer_that_is_no_address_is_refused_at_the_start(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="public_url"):
        House(tmp_path, with_url(url))
    assert list(tmp_path.iterdir()) == [], "and nothing is made"


def test_a_slash_at_the_end_of_the_address_does_not_matter(tmp_path: Path) -> None:
    inn = House(tmp_path, with_url("https://inn.example/"))
    assert document_issuer(inn) == "https://inn.example"
    inn.close()
