"""The pictures of the documentation, taken of a running house: ``make pictures``, or ``python -m tests.tour.pictures FOLDER``.

Each is taken as a person comes to see it; ``TAKEN`` says of what.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import httpx2

from tests.inn import Inn, open_inn
from tests.tour.guest import CALM, Guest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ViewportSize

WINDOW: ViewportSize = {"width": 1280, "height": 860}
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
    """A chapter that was played: what a proof of one's own key stops."""
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


def refused(guest: Guest) -> None:
    """What a door said of a card that somebody scribbled on, check by check."""
    guest.check_in()
    guest.hold("vip", "tampered")
    guest.page.evaluate("document.getElementById('answer').scrollIntoView()")


def sign_in(guest: Guest) -> None:
    """The desk asks who you are."""
    guest.go_in()
    guest.page.click("#leave")
    guest.page.wait_for_selector("#username")


def consent(guest: Guest) -> None:
    """The desk asks what an app may do."""
    sign_in(guest)
    guest.sign_in()
    guest.page.wait_for_selector("#allow")


def account(guest: Guest) -> None:
    """A guest's account, with an application that may do something."""
    guest.check_in()
    guest.page.goto(f"{guest.url}/account")
    guest.page.wait_for_selector("#applications")


def console(guest: Guest) -> None:
    """The console, of somebody who may do everything."""
    guest.page.goto(f"{guest.url}/admin")
    guest.page.fill("#username", "manager@hotel.example")
    guest.page.fill("#password", "Correct-Horse-7")
    guest.page.click("#sign-in")
    guest.page.wait_for_selector(".cards")


def change(guest: Guest) -> None:
    """A change in the console, shown before it is made."""
    console(guest)
    guest.page.goto(f"{guest.url}/admin/do/client.change/guest-app")
    guest.page.fill("#name", "The night porter’s app")
    guest.page.fill("#redirect_uris", "http://127.0.0.1/callback\nhttps://porter.example/callback")
    guest.page.click("#review")
    guest.page.wait_for_selector("#confirm")


def turn(guest: Guest, name: str) -> None:
    guest.page.click(f".turn[value={name}]")
    guest.page.wait_for_selector(f".turn[value={name}][aria-current]")


TAKEN: dict[str, tuple[Callable[[Guest], None], Literal["light", "dark"]]] = {
    "tour": (tour, "light"),
    "messages": (messages, "light"),
    "chapter": (chapter, "dark"),
    "compare": (compare, "light"),
    "watch": (watch, "light"),
    "refused": (refused, "light"),
    "sign-in": (sign_in, "light"),
    "consent": (consent, "dark"),
    "account": (account, "light"),
    "console": (console, "light"),
    "change": (change, "dark"),
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


def take_moving(browser: Browser, inn: Inn, folder: Path) -> Path:
    """The replay that moves, as the house itself draws it."""
    context = browser.new_context(**CALM, locale="en")
    guest = Guest(context.new_page(), inn.url)
    guest.play("dpop")
    drawn = folder / "replay.svg"
    drawn.write_text(guest.page.request.get(f"{guest.page.url}/replay.moving.svg").text(), "utf-8")
    context.close()
    return drawn


if __name__ == "__main__":
    from playwright.sync_api import sync_playwright

    chosen = sys.argv[2:] or list(TAKEN)
    with TemporaryDirectory() as state, open_inn(Path(state)) as house, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        where = Path(sys.argv[1]) if sys.argv[1:] else FOLDER
        take(opened, house, where, chosen)
        take_moving(opened, house, where)
        opened.close()
