"""msal-browser in headless Chromium, unmodified, with its own local settings and with Microsoft's own authority."""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.inn import free_port
from tests.twins.conftest import Run, document
from tests.twins.entra.sdks import Twin
from tests.twins.entra.spa import LIBRARY, served, signed_in
from tests.twins.entra.tenant import GUEST, TENANT, claims
from tests.twins.parity import parity

pytestmark = [pytest.mark.browser, pytest.mark.interop]

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module", autouse=True)
def _library() -> None:
    if not LIBRARY.exists():
        pytest.skip("msal-browser is not installed (make setup)")


def registered(twin: Twin, port: int) -> str:
    """The id of an application with the platform of single pages at that port."""
    client, secret = twin.caretaker
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
    with httpx2.Client(verify=ssl.create_default_context(cafile=twin.ca), trust_env=False, timeout=60) as http:
        told = http.post(
            f"{twin.authority}/oauth2/v2.0/token", data={**form, "scope": "https://graph.microsoft.com/.default"}
        )
        graph, headers = f"https://{twin.host}/v1.0", {"authorization": f"Bearer {told.json()['access_token']}"}
        said = {"displayName": "A page", "spa": {"redirectUris": [f"http://localhost:{port}/"]}}
        made = http.post(f"{graph}/applications", json=said, headers=headers).json()
        assert (
            http.post(f"{graph}/servicePrincipals", json={"appId": made["appId"]}, headers=headers).status_code == 201
        )
    return str(made["appId"])


def as_expected(seen: dict[str, Any], client: str) -> dict[str, Any]:
    assert seen["username"] == GUEST, seen
    found = claims(seen["refreshed"])
    assert (found["azp"], found["azpacr"], "room:enter" in found["scp"]) == (client, "0", True)
    assert (seen["silent"], seen["access"] != seen["refreshed"]) == (False, True)
    return found


@parity("SDKs", "observed")
def test_a_page_signs_a_person_in_and_refreshes_silently(twin: Twin, browser: Any) -> None:
    """msal-browser signs a person in from a page in Chromium, and refreshes silently."""
    port = free_port()
    client = registered(twin, port)
    settings = {"clientId": client, "authority": twin.authority, "knownAuthorities": [twin.host], "scope": twin.room}
    with served(settings, port) as address:
        as_expected(signed_in(browser, address), client)


def test_a_page_with_microsofts_own_authority(twin: Twin, chromium: str, rerouted: Run) -> None:
    port = free_port()
    client, authority = registered(twin, port), f"https://login.microsoftonline.com/{TENANT}"
    settings = {"clientId": client, "authority": authority, "knownAuthorities": [], "scope": twin.room}
    told = json.dumps({"settings": settings, "port": port})
    done = rerouted(sys.executable, "-m", "tests.twins.entra.spa", chromium, told, PYTHONPATH=str(ROOT))
    assert as_expected(document(done), client)["iss"] == f"{authority}/v2.0"
