"""Passkeys, codes and the account in Chromium, with a virtual device, on a house that is known as ``localhost``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.inn import Inn, free_port, opened_by

pytestmark = pytest.mark.browser

NAME, PASSWORD = "guest@hotel.example", "Correct-Horse-7"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A house that is open for this module, by the name that passkeys are bound to."""
    inn = Inn(free_port(), tmp_path_factory.mktemp("localhost"))
    origin = f"http://localhost:{inn.port}"
    settings = {
        "INNKEEPER_PORT": str(inn.port),
        "INNKEEPER_STATE": str(inn.folder / ".innkeeper"),
        "INNKEEPER_PUBLIC_URL": origin,
    }
    with opened_by([str(Path(sys.executable).with_name("innkeeper")), "up"], inn, settings):
        yield origin


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context()
    made.set_default_timeout(10_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    opened = context.new_page()
    opened.on("console", lambda message: pytest.fail(message.text) if "Content Security" in message.text else None)
    return opened


def plug_in(page: Page, **options: Any) -> tuple[CDPSession, str]:
    """A virtual device at a page, and its id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    wanted = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        **options,
    }
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": wanted})["authenticatorId"]


def sign_in(page: Page, origin: str, path: str = "/account") -> None:
    page.goto(origin + path)
    page.fill("#username", NAME)
    page.fill("#password", PASSWORD)
    page.click("#sign-in")


def test_a_passkey_is_registered_used_and_removed(page: Page, origin: str) -> None:
    device, authenticator = plug_in(page)
    sign_in(page, origin, "/account/passkeys")
    page.fill("#name", "My phone")
    page.click("#passkey-button")
    expect(page.locator("#done")).to_contain_text("registered")
    expect(page.get_by_role("heading", name="My phone")).to_be_visible()
    (held,) = device.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    assert (held["rpId"], held["isResidentCredential"], held["userName"]) == ("localhost", True, NAME)

    page.context.clear_cookies()
    page.goto(f"{origin}/account")
    expect(page.locator("#username")).to_be_visible()
    page.click("#passkey-button")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    page.goto(f"{origin}/account/passkeys")
    expect(page.locator(".rows")).to_contain_text("Last used")

    page.get_by_role("button", name="Remove My phone").click()
    expect(page.locator("#done")).to_contain_text("removed")
    page.context.clear_cookies()
    page.goto(f"{origin}/account")
    page.click("#passkey-button")
    expect(page.locator("#problem")).to_have_text("That passkey does not open anything here.")


def test_a_device_that_does_not_know_its_owner_gets_nowhere(page: Page, origin: str) -> None:
    plug_in(page, isUserVerified=False)
    sign_in(page, origin, "/account/passkeys")
    page.click("#passkey-button")
    expect(page.locator("#passkey-problem")).to_be_visible()
    expect(page.locator("#passkey-button")).to_be_enabled()


def test_without_a_passkey_the_page_says_that_nothing_came_of_it_and_the_password_still_works(
    page: Page, origin: str
) -> None:
    plug_in(page)
    page.goto(f"{origin}/account")
    page.click("#passkey-button")
    expect(page.locator("#passkey-problem")).to_be_visible()
    page.fill("#username", NAME)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")


def test_without_scripts_codes_and_account_work_and_passkeys_are_not_offered(browser: Browser, origin: str) -> None:
    still = browser.new_page(java_script_enabled=False)
    still.set_default_timeout(10_000)
    sign_in(still, origin, "/account/codes")
    secret = pyotp.TOTP(still.inner_text("#secret").replace(" ", ""))
    still.fill("#code", secret.now())
    still.click("#turn-on")
    expect(still.locator(".recovery li")).to_have_count(10)
    recovery = still.locator(".recovery li").first.inner_text()
    still.click("#back")

    other = browser.new_page(java_script_enabled=False)
    other.set_default_timeout(10_000)
    other.goto(f"{origin}/account")
    expect(other.locator("#passkey-button")).to_be_hidden()
    sign_in(other, origin)
    other.fill("#code", recovery.lower())
    other.click("#continue")
    with other.expect_download() as download:
        other.click("#download")
    document = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert document["codes"]["recovery_codes_left"] == 9
    assert len(document["sessions"]) >= 2

    other.click("#end-others")
    expect(other.locator("#done")).to_contain_text("everywhere else")
    still.reload()
    expect(still.locator("#sign-in")).to_be_visible()

    other.goto(f"{origin}/account/codes")
    other.click("#turn-off")
    expect(other.locator("#done")).to_contain_text("Codes are off")
    for one in (still, other):
        one.close()
