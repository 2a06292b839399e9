"""A device with nothing but an HTTP library, its person at a browser, and the door that the token opens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.inn import Inn

if TYPE_CHECKING:
    from playwright.sync_api import Browser

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def post(url: str, **form: str) -> tuple[int, dict[str, Any]]:
    """As a few lines on a television would: a form out, JSON back."""
    request = Request(url, urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"})
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def get(url: str, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urlopen(Request(url, headers=headers), timeout=10) as answer:
        return json.load(answer)


@pytest.mark.browser
def test_a_plain_device_is_let_in_by_its_person(house: Inn, browser: Browser) -> None:
    found = get(f"{house.url}/.well-known/oauth-authorization-server")
    _, codes = post(found["device_authorization_endpoint"], client_id="guest-app", scope="openid room:enter")
    form = {"grant_type": GRANT, "device_code": codes["device_code"], "client_id": "guest-app"}
    status, refused = post(found["token_endpoint"], **form)
    assert (status, refused["error"]) == (400, "authorization_pending")

    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(codes["verification_uri"])
    page.fill("input#username", "guest@hotel.example")
    page.fill("input#password", "Correct-Horse-7")
    page.click("button#sign-in")
    page.fill("input#user_code", codes["user_code"].lower())
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert codes["user_code"] in page.inner_text("main")
    page.click("button#allow")
    assert "connected" in page.inner_text("h1")
    page.context.close()

    status, tokens = post(found["token_endpoint"], **form)
    assert (status, tokens["token_type"], tokens["scope"]) == (200, "Bearer", "openid room:enter")
    assert get(found["userinfo_endpoint"], tokens["access_token"])["sub"] == "guest-204"
    assert get(f"{house.url}/hotel/rooms/204", tokens["access_token"])


@pytest.mark.browser
def test_the_address_with_the_code_asks_and_a_no_is_heard(house: Inn, browser: Browser) -> None:
    _, codes = post(f"{house.url}/device_authorization", client_id="guest-app", scope="room:enter")
    page = browser.new_context().new_page()
    page.goto(codes["verification_uri_complete"])
    page.fill("input#username", "guest@hotel.example")
    page.fill("input#password", "Correct-Horse-7")
    page.click("button#sign-in")
    page.click("button#deny")
    page.context.close()
    form = {"grant_type": GRANT, "device_code": codes["device_code"], "client_id": "guest-app"}
    status, refused = post(f"{house.url}/token", **form)
    assert (status, refused["error"]) == (400, "access_denied")
