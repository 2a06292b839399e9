"""One issuer served at two origins: each names itself, and both share clients, people and keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from innkeeper.issuer.desk.registry import rotate_secret
from innkeeper.issuer.dialects.layout import Cloud
from innkeeper.issuer.http.fronts import Fronts
from innkeeper.issuer.http.site import Site
from tests.issuer.house import ORIGIN, Answer, Asked, House, named, posted
from tests.issuer.visitor import ROBOT

TLS = "https://localhost:8443"
HOSTS = {ORIGIN: "127.0.0.1:8400", TLS: "localhost:8443"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, also_at=[TLS])
    yield made
    made.close()


def discovery(house: House, host: str, scheme: str) -> dict[str, Any]:
    path = "/.well-known/openid-configuration"
    return house.ask(Asked("GET", path, headers=named({"host": host}), scheme=scheme)).json


def token(house: House, origin: str) -> Answer:
    asked = posted("/token", {**ROBOT, "grant_type": "client_credentials"}, host=HOSTS[origin])
    return house.ask(asked._replace(scheme=origin.partition(":")[0]))


@pytest.mark.parametrize("origin", HOSTS)
def test_each_origin_names_itself_in_everything_it_says(house: House, origin: str) -> None:
    document = discovery(house, HOSTS[origin], origin.partition(":")[0])
    assert document["issuer"] == origin
    assert document["token_endpoint"] == f"{origin}/token"


def test_what_came_over_tls_is_answered_as_https_whatever_the_host(house: House) -> None:
    assert discovery(house, "127.0.0.1:8443", "https")["issuer"] == TLS


def test_what_came_over_http_is_answered_as_http_whatever_the_host(house: House) -> None:
    assert discovery(house, "localhost:8443", "http")["issuer"] == ORIGIN


def test_tokens_of_both_origins_are_signed_by_the_same_keys_and_name_their_origin(house: House) -> None:
    kids = {token(house, origin).json["access_token"].split(".")[0] for origin in HOSTS}
    assert len(kids) == 1


def test_a_secret_changed_by_another_process_ends_at_both_origins(house: House) -> None:
    assert [token(house, origin).status for origin in HOSTS] == [200, 200]
    house.run(rotate_secret(house.issuer.realm, "robot", 0))
    for opened in house.issuer.opened:
        for realm in opened.realms():
            house.run(realm.reload())
    assert [token(house, origin).status for origin in HOSTS] == [401, 401]


class Echo:
    """Answers with what it was made for and what it was asked."""

    def __init__(self, origin: str) -> None:
        self.origin = origin

    def takes(self, scope: Any) -> bool:
        return bool(scope["path"] == "/here")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send((self.origin, scope["scheme"], scope["path"]))


CLOUDS = {
    "login.microsoftonline.com": Cloud("https://login.microsoftonline.com"),
    "inn.auth.eu-west-1.amazoncognito.com": Cloud("https://cognito-idp.eu-west-1.amazonaws.com", "/eu-west-1_p"),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("host", "path", "origin", "below"),
    [
        ("login.microsoftonline.com", "/t/v2.0", "https://login.microsoftonline.com", "/t/v2.0"),
        ("LOGIN.microsoftonline.com:443", "/", "https://login.microsoftonline.com", "/"),
        (
            "inn.auth.eu-west-1.amazoncognito.com",
            "/oauth2/token",
            "https://cognito-idp.eu-west-1.amazonaws.com",
            "/eu-west-1_p/oauth2/token",
        ),
        (
            "inn.auth.eu-west-1.amazoncognito.com",
            "/eu-west-1_p/login",
            "https://cognito-idp.eu-west-1.amazonaws.com",
            "/eu-west-1_p/login",
        ),
    ],
)
def test_what_was_routed_here_from_a_cloud_is_answered_as_the_cloud(
    scheme: str, host: str, path: str, origin: str, below: str
) -> None:
    fronts, sent = fronts_before_echoes()
    scope = {"type": "http", "scheme": scheme, "path": path, "headers": [(b"host", host.encode())]}
    assert fronts.takes(scope)
    asyncio.run(fronts(scope, nothing, sent.put))
    assert sent.get_nowait() == (origin, "https", below)
    assert scope["path"] == path, "another's scope was changed"


@pytest.mark.parametrize(
    "host", ["login.microsoftonline.com.evil.example", "evil.example", "login.microsoftonline.com:8443", ""]
)
def test_other_hosts_are_no_cloud(host: str) -> None:
    fronts, sent = fronts_before_echoes()
    scope = {"type": "http", "scheme": "http", "path": "/there", "headers": [(b"host", host.encode())]}
    assert not fronts.takes(scope)
    asyncio.run(fronts(scope, nothing, sent.put))
    assert sent.get_nowait() == (ORIGIN, "http", "/there")


def fronts_before_echoes() -> tuple[Fronts, asyncio.Queue[Any]]:
    return Fronts(cast("Callable[[str], Site]", Echo), ORIGIN, [TLS], CLOUDS.get), asyncio.Queue()


async def nothing() -> Any:
    raise AssertionError("nobody reads a body here")
