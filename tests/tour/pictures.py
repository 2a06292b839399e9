"""The pictures of the documentation, taken of a running house: ``make pictures``, or ``python -m tests.tour.pictures FOLDER``.

Each is taken as a person comes to see it; ``TAKEN`` says of what.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx2

from tests.inn import Inn, open_inn
from tests.tour.guest import CALM, Guest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WINDOW = {"width": 1280, "height": 860}
FOLDER = Path(__file__).parents[2] / "docs" / "images"


def tour(guest: Guest) -> None:
    """The hotel, with a guest's card that was held to a door that is not hers."""
    guest.check_in()
    turn(guest, "clock-noon")
    guest.hold("room-204")
    guest.hold("vip")


def messages(guest: Guest) -> None:
    """The sequence of messages, with one of them open."""
    guest.check_in()
    guest.page.locator(".hop-link", has_text="POST /token").last.click()
    guest.page.locator("#wire").scroll_into_view_if_needed()
    guest.page.evaluate("document.getElementById('wire').scrollIntoView()")


def chapter(guest: Guest) -> None:
    """A chapter that was played: what PKCE stops."""
    guest.play("dpop")
    guest.page.evaluate("scrollTo(0, 0)")


def compare(guest: Guest) -> None:
    """One flow at three desks."""
    guest.page.goto(f"{guest.url}/tour/compare/client-credentials")
    if guest.page.locator("form button.button").count():
        guest.page.locator("form button.button").first.click()


def watch(guest: Guest) -> None:
    """Somebody's own traffic, a refusal open."""
    with httpx2.Client(base_url=guest.url, timeout=30) as app:
        app.post("/tour/watch/start")
        form = {"grant_type": "client_credentials", "scope": "gym:enter", "resource": f"{guest.url}/hotel"}
        app.get("/.well-known/openid-configuration")
        app.post("/token", data=form, auth=("concierge", "not-the-secret"))
        token = app.post("/token", data=form, auth=("concierge", "concierge-secret")).json()["access_token"]
        for door in ("gym", "staff", "vip"):
            app.get(f"/hotel/{door}", headers={"authorization": f"Bearer {token}"})
    guest.page.goto(f"{guest.url}/tour/watch")
    guest.page.click(".seen-refused .seen-link >> nth=0")
    guest.page.wait_for_selector("#opened article")


def turn(guest: Guest, name: str) -> None:
    guest.page.click(f".turn[value={name}]")
    guest.page.wait_for_selector(f".turn[value={name}][aria-current]")


TAKEN: dict[str, tuple[Callable[[Guest], None], str]] = {
    "tour": (tour, "light"),
    "messages": (messages, "light"),
    "chapter": (chapter, "dark"),
    "compare": (compare, "light"),
    "watch": (watch, "light"),
}


def take(browser: Browser, inn: Inn, folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        see, scheme = TAKEN[name]
        context = browser.new_context(**CALM, viewport=WINDOW, color_scheme=scheme, locale="en")
        guest = Guest(context.new_page(), inn.url)
        see(guest)
        guest.page.evaluate("document.activeElement.blur()")
        guest.page.screenshot(path=folder / f"{name}.png")
        context.close()


if __name__ == "__main__":
    from playwright.sync_api import sync_playwright

    chosen = sys.argv[2:] or list(TAKEN)
    with TemporaryDirectory() as state, open_inn(Path(state)) as house, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        take(opened, house, Path(sys.argv[1]) if sys.argv[1:] else FOLDER, chosen)
        opened.close()
