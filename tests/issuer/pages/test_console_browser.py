"""The console in Chromium: without scripts, by keyboard alone, in both schemes, on a telephone, and nothing in anybody's way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.inn import Inn

pytestmark = pytest.mark.browser

PAGES = (
    "/admin",
    "/admin/clients",
    "/admin/clients/concierge",
    "/admin/clients?q=nothing-is-called-that",
    "/admin/people/guest-204",
    "/admin/resources",
    "/admin/realms/native/keys",
    "/admin/policy",
    "/admin/audit",
    "/admin/health",
    "/admin/do/client.add",
    "/admin/do/person.change/guest-305",
    "/admin/do/person.lock/guest-305",
    "/admin/clients/nobody",
)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def signed_in(browser: Browser, house: Inn) -> Iterator[Any]:
    """The cookies of the manager, who signed in without scripts."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{house.url}/admin")
    page.fill("#username", "manager@hotel.example")
    page.fill("#password", "Correct-Horse-7")
    page.click("#sign-in")
    expect(page.get_by_role("heading", level=1)).to_have_text("At a glance")
    yield context.storage_state()
    context.close()


@pytest.fixture
def opened(browser: Browser, signed_in: Any) -> Iterator[Any]:
    made: list[BrowserContext] = []

    def open_page(width: int, scheme: str, *, scripts: bool = True, locale: str = "en") -> Page:
        made.append(
            browser.new_context(
                viewport={"width": width, "height": 844},
                color_scheme="dark" if scheme == "dark" else "light",
                java_script_enabled=scripts,
                storage_state=signed_in,
                locale=locale,
            )
        )
        return made[-1].new_page()

    yield open_page
    for one in made:
        one.close()


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (640, "light"), (640, "dark"), (390, "light"), (390, "dark")]
)
def test_no_page_is_in_anybodys_way(opened: Any, house: Inn, width: int, scheme: str) -> None:
    """640 is what zooming to 200 % leaves of a window of 1280."""
    page, barriers = opened(width, scheme), []
    for path in PAGES:
        page.goto(f"{house.url}{path}")
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}}).response["violations"]
        barriers += [f"{path}: {one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]
    assert barriers == []


@pytest.mark.parametrize("locale", ["en", "de", "ja"])
def test_no_page_scrolls_sideways_and_every_control_is_large_enough(opened: Any, house: Inn, locale: str) -> None:
    page, wide, small = opened(320, "light", scripts=False, locale=locale), [], []
    stranger = httpx2.post(f"{house.url}/token", data={"grant_type": "client_credentials", "client_id": "x" * 120})
    assert stranger.status_code == 401
    page.goto(f"{house.url}/admin/audit?client={'x' * 120}")
    line = str(page.locator(".line-title a").first.get_attribute("href"))
    for path in (*PAGES, line):
        page.goto(f"{house.url}{path}")
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append(path)
        assert page.evaluate("document.documentElement.lang") == locale
        for control in page.locator("main button, main a.button, main select").all():
            box = control.bounding_box()
            if box and box["height"] < 44:
                small.append(path)
    assert (wide, small) == ([], [])


def test_a_client_is_added_by_keyboard_alone_and_without_scripts(opened: Any, house: Inn) -> None:
    page = opened(1280, "light", scripts=False)
    page.goto(f"{house.url}/admin/do/client.add")
    page.locator("#name").focus()
    page.keyboard.type("Made by keyboard")
    to(page, "redirect_uris")
    page.keyboard.type("https://keyboard.example/cb")
    to(page, "review")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Register a client?")
    expect(page.locator("ins").first).to_be_visible()
    page.locator("#confirm").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#client_secret")).to_be_visible()
    page.keyboard.press("Tab")
    page.locator("#on").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Made by keyboard")


def to(page: Page, name: str) -> None:
    """Go on by Tab to the control of that id."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.locator(f"#{name}:focus").count():
            return
    raise AssertionError(f"the keyboard does not come to {name}")
