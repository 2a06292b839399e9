"""Device, token exchange and backchannel authentication by oauth4webapi and openid-client, unmodified."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.cli.guest import ANSWERS, Form
from tests.inn import Inn

pytestmark = pytest.mark.interop

Step = Callable[..., dict[str, Any]]


@pytest.fixture
def step(house: Inn, run_node: Callable[..., subprocess.CompletedProcess[str]]) -> Step:
    def run(name: str, client_id: str, secret: str, *more: str) -> dict[str, Any]:
        ran = run_node("grants.js", name, house.url, client_id, secret, *more)
        assert ran.returncode == 0, ran.stderr
        document: dict[str, Any] = json.loads(ran.stdout)
        return document

    return run


@pytest.fixture(scope="module")
def messenger(house: Inn) -> dict[str, str]:
    """A client that asks people elsewhere, registered from the command line by the grant's short name."""
    command = [str(Path(sys.executable).with_name("innkeeper")), "client", "add", "The messenger", "--grant", "ciba"]
    told = {"INNKEEPER_PORT": str(house.port), "INNKEEPER_STATE": str(house.folder / ".innkeeper")}
    ran = subprocess.run(
        [*command, "--json"], env={**os.environ, **told}, cwd=house.folder, capture_output=True, text=True, check=True
    )
    client: dict[str, str] = json.loads(ran.stdout)
    return client


def answered(url: str, **typed: str) -> str:
    """The guest signs in, fills in what the pages ask for and allows it; the last page."""
    filled_in = ANSWERS | typed
    with httpx2.Client(follow_redirects=True, timeout=20) as browser:
        page = browser.get(url)
        for button in ("sign-in", "continue", "allow"):
            if button == "allow" and (link := re.search(r'href="(/approvals\?request=[^"]+)"', page.text)):
                page = browser.get(page.url.join(link[1]))
            form = Form(page.text)
            if button in form.buttons:
                filled = {name: filled_in.get(name, value) for name, value in form.fields.items()}
                page = browser.post(page.url.join(form.action), data=filled | form.buttons[button])
        return page.text


@pytest.mark.parametrize(("client_id", "secret"), [("guest-app", ""), ("concierge", "concierge-secret")])
def test_the_device_grant(step: Step, client_id: str, secret: str) -> None:
    codes = step("device", client_id, secret, "openid room:enter")
    assert step("redeemDevice", client_id, secret, codes["device_code"]) == {"error": "authorization_pending"}
    assert "connected" in answered(codes["verification_uri"], user_code=codes["user_code"])
    tokens = step("redeemDevice", client_id, secret, codes["device_code"])
    assert {"access_token", "id_token", "refresh_token"} <= tokens.keys()


def test_token_exchange(step: Step) -> None:
    codes = step("device", "guest-app", "", "openid room:enter gym:enter")
    answered(codes["verification_uri_complete"])
    token = step("redeemDevice", "guest-app", "", codes["device_code"])["access_token"]
    narrowed = step("exchange", "concierge", "concierge-secret", token, "room:enter")
    assert (narrowed["scope"], narrowed["issued_token_type"]) == (
        "room:enter",
        "urn:ietf:params:oauth:token-type:access_token",
    )
    assert step("exchange", "concierge", "concierge-secret", token, "vip:enter") == {"error": "invalid_scope"}


def test_backchannel_authentication(house: Inn, step: Step, messenger: dict[str, str]) -> None:
    client = (messenger["client_id"], messenger["client_secret"])
    asked = step("ask", *client, "guest@hotel.example", "K7-42")
    assert step("redeemAsked", *client, asked["auth_req_id"]) == {"error": "authorization_pending"}
    assert "Allowed." in answered(f"{house.url}/approvals")
    assert {"access_token", "id_token"} <= step("redeemAsked", *client, asked["auth_req_id"]).keys()
