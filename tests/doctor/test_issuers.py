"""Each way in which an issuer can be ill is found, by its number, in an issuer that is ill in that way alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from docs.generate.modules import modules
from innkeeper.doctor.findings import Finding, Severity, difference
from innkeeper.doctor.transport import Line
from innkeeper.keys import jwk
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import Unreachable, UsageError
from tests.doctor.worlds import FORMS, ISSUER, NOW, World, numbers, public

Illness = Callable[[World], None]


def missing(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(404)


def says(**members: Any) -> Illness:
    """The document says something else; ``...`` takes a member out."""

    def fall_ill(world: World) -> None:
        world.document = {name: value for name, value in (world.document | members).items() if value is not ...}

    return fall_ill


def publishes(*keys: dict[str, Any]) -> Illness:
    def fall_ill(world: World) -> None:
        world.keys = {"keys": list(keys)}

    return fall_ill


def at(path: str, answer: Callable[[httpx2.Request], httpx2.Response]) -> Illness:
    def fall_ill(world: World) -> None:
        world.at[path] = answer

    return fall_ill


def with_line(line: Line) -> Illness:
    def fall_ill(world: World) -> None:
        world.line = line

    return fall_ill


def of(name: str, value: Any) -> Illness:
    def fall_ill(world: World) -> None:
        setattr(world, name, value)

    return fall_ill


def nowhere(world: World) -> None:
    world.at |= dict.fromkeys(FORMS, missing)


def other_form(world: World) -> None:
    changed = world.document | {"scopes_supported": ["openid"]}
    world.at[FORMS[1]] = lambda _: httpx2.Response(200, json=changed, headers=world.cors)


def as_html(world: World) -> None:
    world.type = {"content-type": "text/html"}


def moved(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(301, headers={"location": "https://elsewhere.example/"})


def small() -> dict[str, Any]:
    numbers_of = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
    n = base64url.encode_text(numbers_of.n.to_bytes(128))
    return {"kty": "RSA", "kid": "small", "n": n, "e": "AQAB", "use": "sig"}


ILLNESSES: dict[str, Illness] = {
    "IK810": nowhere,
    "IK811": at(FORMS[0], missing),
    "IK812": other_form,
    "IK813": says(issuer=f"{ISSUER}/"),
    "IK814": at(FORMS[0], moved),
    "IK815": as_html,
    "IK816": says(authorization_endpoint=...),
    "IK817": says(token_endpoint="http://issuer.example/token"),
    "IK818": says(userinfo_endpoint="https://other.example/userinfo"),
    "IK819": says(code_challenge_methods_supported=...),
    "IK820": says(code_challenge_methods_supported=["S256", "plain"]),
    "IK821": says(authorization_response_iss_parameter_supported=...),
    "IK822": says(id_token_signing_alg_values_supported=["RS256", "none"]),
    "IK823": says(response_types_supported=["code", "token"]),
    "IK824": says(token_endpoint_auth_methods_supported=...),
    "IK825": at("/inn/jwks", missing),
    "IK826": publishes({"kty": "oct-unknown", "kid": "k1"}),
    "IK827": publishes(public("k1", d="AQAB")),
    "IK828": publishes(public("k1"), small()),
    "IK829": publishes(public("k1"), public("k1", 1)),
    "IK830": publishes(public("k1"), {name: value for name, value in public("k2", 1).items() if name != "kid"}),
    "IK831": says(id_token_signing_alg_values_supported=["RS256", "ES256"]),
    "IK832": publishes(public("k1"), public("k2")),
    "IK833": of("cors", {}),
    "IK834": of("preflight", {"access-control-allow-origin": "*", "access-control-allow-headers": "*"}),
    "IK835": at("/inn/authorize", lambda _: httpx2.Response(200, headers={"access-control-allow-origin": "*"})),
    "IK836": of("kept", {"cache-control": "no-store"}),
    "IK837": of("date", 0.0),
    "IK838": with_line(Line("issuer.example: certificate has expired")),
    "IK839": with_line(Line("", "TLSv1.1", NOW + 90 * 86400)),
    "IK840": with_line(Line("", "TLSv1.3", NOW + 3 * 86400)),
}


def test_a_healthy_issuer_is_healthy() -> None:
    world = World()
    report = world.issuer()
    assert (numbers(report), report.healthy) == (set(), True)


@pytest.mark.parametrize("number", ILLNESSES)
def test_an_illness_is_found(number: str) -> None:
    world = World()
    ILLNESSES[number](world)
    found = numbers(world.issuer())
    assert number in found
    assert found <= {number, *ALONG.get(number, ())}


ALONG = {
    "IK810": {"IK833", "IK836"},
    "IK814": {"IK811"},
    "IK816": set(),
    "IK825": {"IK836"},
    "IK826": {"IK831"},
    "IK817": {"IK834", "IK818"},
    "IK828": set(),
    "IK834": set(),
}
"""What an illness brings along, because one cause shows twice."""


def test_every_finding_of_the_doctor_has_an_illness_that_shows_it() -> None:
    from tests.doctor.test_clients import ILLNESSES as FOR_CLIENTS
    from tests.doctor.test_mcp import ILLNESSES as OF_SERVERS

    pages = [page for module in modules() for _, page in module.constants(Finding)]
    assert len(pages) > 40
    assert {page.number for page in pages} == {*ILLNESSES, *OF_SERVERS, *(number for number, *_ in FOR_CLIENTS)}


def test_the_differing_character_is_named() -> None:
    report = World().issuer("https://issuer.example/Inn")
    assert not report.healthy
    assert difference("https://a.example/x", "https://a.example/x/") == (
        "they differ at character 20, after '/a.example/x': the end was asked for, '/' came"
    )
    assert "'I' was asked for, 'i' came" in difference("https://a.example/Inn", "https://a.example/inn")


def test_severities_stand_in_the_document() -> None:
    world = World()
    says(code_challenge_methods_supported=...)(world)
    report = world.issuer()
    assert [one.severity for one in report.findings()] == [Severity.WARNING]
    assert report.healthy
    said = next(one for chapter in report.as_document()["chapters"] for one in chapter["checks"] if not one["passed"])
    assert said["number"] == "IK819"
    assert said["severity"] == "warning"
    assert said["remedy"].startswith("Add code_challenge_methods_supported")


def test_nothing_secret_is_asked_and_nobody_signed_in() -> None:
    world = World()
    world.issuer()
    assert {one.method for one in world.asked} == {"GET", "OPTIONS"}
    assert not any("authorization" in one.headers for one in world.asked)


def test_an_issuer_that_is_none_and_one_that_is_down_are_told_apart() -> None:
    def down(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with pytest.raises(UsageError, match="http; that is for loopback"):
        World().issuer("http://issuer.example")
    world = World()
    world.at = dict.fromkeys(FORMS, down)
    with pytest.raises(Unreachable):
        world.issuer()


def test_the_twin_of_a_key_has_the_same_thumbprint() -> None:
    assert jwk.thumbprint(public("a")) == jwk.thumbprint(public("b"))
