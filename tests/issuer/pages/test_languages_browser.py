"""Long words and turned pages: every page in German on a narrow phone, and from right to left, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.issuer.pages.browser import ORIGIN, answer
from tests.issuer.pages.samples import PAGES
from tests.issuer.pages.test_languages import drawn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser
NARROW = {"width": 320, "height": 640}
"""A phone of the smaller kind; also what 400 % leaves of a desktop's window (WCAG 2.2 §1.4.10)."""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport=NARROW, java_script_enabled=False)

    def said(route: Route) -> None:
        name = route.request.url.removeprefix(f"{ORIGIN}/").partition("?")[0]
        if name in PAGES:
            route.fulfill(body=drawn(name, "de"), content_type="text/html; charset=utf-8")
        else:
            answer(route)

    page.route("**/*", said)
    yield page
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_german_fits_a_narrow_phone_and_turned_it_still_does(page: Page, name: str) -> None:
    page.goto(f"{ORIGIN}/{name}")
    assert page.evaluate("document.documentElement.lang") == "de"
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate(wide) <= 0
    buttons = "[...document.querySelectorAll('.button')].filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent.trim())"
    assert page.evaluate(buttons) == []
