"""google-auth's client for token exchange, unmodified: the concierge narrows a guest's token."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from authlib.common.security import generate_token  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from google.auth.exceptions import OAuthError
from google.auth.transport.requests import Request
from google.oauth2.sts import Client
from google.oauth2.utils import ClientAuthentication, ClientAuthType

from tests.inn import Inn
from tests.interop.houses import GUEST_APP
from tests.interop.visitor import sent_back

pytestmark = pytest.mark.interop

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture
def transport() -> Iterator[Request]:
    with requests.Session() as session:
        yield Request(session)


@pytest.fixture(scope="module")
def guest_token(house: Inn) -> str:
    verifier = generate_token(48)
    with OAuth2Session(
        GUEST_APP.client_id,
        scope="openid room:enter gym:enter",
        redirect_uri=GUEST_APP.redirect_uri,
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
        token_endpoint=f"{house.url}/token",
    ) as session:
        asked, _ = session.create_authorization_url(
            f"{house.url}/authorize", code_verifier=verifier, resource=f"{house.url}/hotel"
        )
        token = session.fetch_token(authorization_response=sent_back(asked), code_verifier=verifier)
    found: str = token["access_token"]
    return found


def concierge(house: Inn, way: ClientAuthType, secret: str = "concierge-secret") -> Client:
    return Client(f"{house.url}/token", ClientAuthentication(way, "concierge", secret))


def claims_of(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


@pytest.mark.parametrize("way", list(ClientAuthType), ids=lambda way: str(way.name))
def test_a_guests_token_is_narrowed(way: ClientAuthType, house: Inn, transport: Request, guest_token: str) -> None:
    hotel = f"{house.url}/hotel"
    answer = concierge(house, way).exchange_token(
        transport,
        EXCHANGE,
        guest_token,
        ACCESS_TOKEN,
        resource=hotel,
        scopes=["room:enter"],
        requested_token_type=ACCESS_TOKEN,
    )
    assert (answer["scope"], answer["issued_token_type"], answer["token_type"]) == (
        "room:enter",
        ACCESS_TOKEN,
        "Bearer",
    )
    claims = claims_of(answer["access_token"])
    assert (claims["sub"], claims["client_id"], claims["aud"]) == ("guest-204", "concierge", hotel)


def test_a_refusal_reads_as_the_library_expects(house: Inn, transport: Request, guest_token: str) -> None:
    with pytest.raises(OAuthError, match="invalid_scope"):
        concierge(house, ClientAuthType.basic).exchange_token(
            transport, EXCHANGE, guest_token, ACCESS_TOKEN, scopes=["vip:enter"]
        )


def test_a_wrong_secret_is_refused(house: Inn, transport: Request, guest_token: str) -> None:
    with pytest.raises(OAuthError, match="invalid_client"):
        concierge(house, ClientAuthType.basic, "wrong").exchange_token(transport, EXCHANGE, guest_token, ACCESS_TOKEN)
