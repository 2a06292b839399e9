"""npm openid-client and oauth4webapi, unmodified, get and use tokens of a house that runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.inn import Inn
from tests.interop.houses import CONCIERGE, CONCIERGE_POST, GUEST_APP, Registered, register_signer

pytestmark = pytest.mark.interop

ROOT = Path(__file__).parents[2]
LIBRARIES = ("openid-client.js", "oauth4webapi.js")

Play = Callable[[str, str, Registered], dict[str, Any]]


@pytest.fixture
def play(house: Inn, run_node: Callable[..., subprocess.CompletedProcess[str]]) -> Play:
    """Plays a case of a script as a registered client; what the script saw."""

    def played(script: str, case: str, client: Registered) -> dict[str, Any]:
        ran = run_node(script, case, client.told(house), sys.executable, str(ROOT))
        assert ran.returncode == 0, ran.stderr
        seen: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return seen

    return played


@pytest.fixture(scope="module")
def signer(house: Inn) -> Registered:
    return register_signer(house)


def succeeded(seen: dict[str, Any]) -> dict[str, Any]:
    assert "failed" not in seen, seen["failed"]
    return seen


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
def test_a_machine_gets_a_token_for_the_hotel(
    library: str, way: str, house: Inn, play: Play, signer: Registered
) -> None:
    client = {one.way: one for one in (CONCIERGE, CONCIERGE_POST, signer)}[way]
    seen = succeeded(play(library, "machine", client))
    assert (seen["tokens"]["token_type"], seen["tokens"]["scope"]) == ("bearer", "room:enter")
    claims = seen["claims"]
    assert (claims["iss"], claims["aud"]) == (house.url, f"{house.url}/hotel")
    assert claims["sub"] == claims["client_id"] == client.client_id


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"])
def test_a_guest_signs_in_and_stays_until_revoked(library: str, way: str, play: Play, signer: Registered) -> None:
    client = {one.way: one for one in (GUEST_APP, CONCIERGE, CONCIERGE_POST, signer)}[way]
    seen = succeeded(play(library, "guest", client))
    assert (seen["identity"]["sub"], seen["identity"]["aud"]) == ("guest-204", client.client_id)
    assert (seen["person"]["sub"], seen["person"]["email"]) == ("guest-204", "guest@hotel.example")
    assert (seen["rotated"], seen["afterwards"]) == (True, "invalid_grant")


def test_a_revoked_grant_ends_its_access_tokens_where_they_are_looked_up(play: Play) -> None:
    seen = succeeded(play("openid-client.js", "guest", CONCIERGE))
    assert (seen["before"]["active"], seen["before"]["sub"]) == (True, "guest-204")
    assert seen["after"] == {"active": False}


def test_a_machine_looks_its_token_up_and_ends_it(play: Play) -> None:
    seen = succeeded(play("oauth4webapi.js", "introspected", CONCIERGE))
    assert (seen["before"]["active"], seen["before"]["client_id"], seen["before"]["scope"]) == (
        True,
        "concierge",
        "room:enter",
    )
    assert seen["after"] == {"active": False}


def test_signing_out_leads_back_to_the_client(play: Play) -> None:
    seen = succeeded(play("openid-client.js", "farewell", GUEST_APP))
    left = httpx2.get(seen["end"])
    assert (left.status_code, left.headers.get("location")) == (303, f"{GUEST_APP.after_logout}?state=bye"), left.text


@pytest.mark.parametrize("client", [GUEST_APP, CONCIERGE], ids=lambda one: one.client_id)
def test_a_request_is_pushed_and_only_referred_to(client: Registered, play: Play) -> None:
    seen = succeeded(play("openid-client.js", "pushed", client))
    assert sorted(seen["sent"]) == ["client_id", "request_uri"]
    assert seen["identity"]["sub"] == "guest-204"


@pytest.mark.parametrize("client", [GUEST_APP, CONCIERGE], ids=lambda one: one.client_id)
def test_a_token_bound_to_a_key_is_of_no_use_without_it(client: Registered, play: Play) -> None:
    seen = succeeded(play("openid-client.js", "bound", client))
    assert (seen["type"], seen["jkt"], seen["person"]["sub"]) == ("dpop", True, "guest-204")
    assert seen["stolen"] == 401


def test_a_guest_who_declines_is_told_of_as_the_library_expects(play: Play) -> None:
    failed = play("openid-client.js", "denied", GUEST_APP)["failed"]
    assert (failed["name"], failed["error"]) == ("AuthorizationResponseError", "access_denied")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_wrong_secret_is_told_of_as_the_library_expects(library: str, play: Play) -> None:
    failed = play(library, "machine", CONCIERGE_POST._replace(secret="wrong"))["failed"]
    assert (failed["code"], failed["error"], failed["status"]) == (
        "OAUTH_WWW_AUTHENTICATE_CHALLENGE",
        "invalid_client",
        401,
    )
