"""PyJWT and requests-oauthlib, unmodified, against a house."""

from __future__ import annotations

import jwt
import pytest
import requests
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError  # type: ignore[import-untyped]
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session  # type: ignore[import-untyped]

from tests.inn import Inn
from tests.interop.houses import CONCIERGE, GUEST_APP
from tests.interop.visitor import sent_back

pytestmark = pytest.mark.interop


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """What requests-oauthlib asks for where a server on this computer has no TLS."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def machine(house: Inn, secret: str = CONCIERGE.secret) -> OAuth2Session:
    robot = OAuth2Session(client=BackendApplicationClient(CONCIERGE.client_id, scope=["room:enter"]))
    robot.fetch_token(f"{house.url}/token", auth=HTTPBasicAuth(CONCIERGE.client_id, secret))
    return robot


def test_pyjwt_verifies_an_access_token_with_the_published_keys(house: Inn) -> None:
    token = machine(house).token["access_token"]
    key = jwt.PyJWKClient(f"{house.url}/jwks").get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=f"{house.url}/hotel", issuer=house.url)
    assert (claims["sub"], claims["scope"]) == ("concierge", "room:enter")


def test_pyjwt_refuses_the_token_for_another_audience(house: Inn) -> None:
    token = machine(house).token["access_token"]
    key = jwt.PyJWKClient(f"{house.url}/jwks").get_signing_key_from_jwt(token)
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, algorithms=["ES256"], audience=f"{house.url}/bank", issuer=house.url)


def test_pyjwt_verifies_an_id_token(house: Inn) -> None:
    guest = signed_in(house)
    token = guest.token["id_token"]
    key = jwt.PyJWKClient(f"{house.url}/jwks").get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=GUEST_APP.client_id, issuer=house.url)
    assert claims["sub"] == "guest-204"


def test_a_machine_is_heard_at_a_door_that_is_not_its_own(house: Inn) -> None:
    door = f"{house.url}/hotel/rooms/204"
    assert (machine(house).get(door).status_code, requests.get(door, timeout=10).status_code) == (403, 401)


def test_a_guest_signs_in_and_stays_with_requests_oauthlib(house: Inn) -> None:
    guest = signed_in(house)
    first = guest.token["refresh_token"]
    assert guest.get(f"{house.url}/userinfo").json()["sub"] == "guest-204"
    assert guest.get(f"{house.url}/hotel/rooms/204").json()["open"] is True
    guest.refresh_token(f"{house.url}/token", client_id=GUEST_APP.client_id)
    assert guest.token["refresh_token"] != first


def test_a_wrong_secret_is_told_of_as_requests_oauthlib_expects(house: Inn) -> None:
    with pytest.raises(InvalidClientError):
        machine(house, "wrong")


def signed_in(house: Inn) -> OAuth2Session:
    scopes = ["openid", "profile", "email", "offline_access", "room:enter"]
    guest = OAuth2Session(GUEST_APP.client_id, redirect_uri=GUEST_APP.redirect_uri, scope=scopes, pkce="S256")
    url, _ = guest.authorization_url(f"{house.url}/authorize")
    guest.fetch_token(f"{house.url}/token", authorization_response=sent_back(url), include_client_id=True)
    return guest


def test_the_keys_are_served_to_scripts_of_any_page(house: Inn) -> None:
    keys = requests.get(f"{house.url}/jwks", headers={"Origin": "https://app.example"}, timeout=10)
    assert keys.headers["access-control-allow-origin"] == "*"
    assert {key.get("alg") for key in keys.json()["keys"]} >= {"ES256", "RS256"}
