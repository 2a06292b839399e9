"""A person in front of the tour, with a browser, and what can be said of the page that they see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZES = {"desktop": (1280, 900), "tablet": (820, 1180), "phone": (390, 844)}
CALM: dict[str, Any] = {"reduced_motion": "reduce"}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Guest:
    """A person with a browser in front of the tour. ``complaints`` is what the browser's console held against us."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    def go_in(self) -> None:
        self.page.goto(self.url)
        self.page.click("#start-guest")

    def sign_in(self, page: Page | None = None) -> None:
        desk = page or self.page
        desk.fill("#username", "guest@hotel.example")
        desk.fill("#password", "Correct-Horse-7")
        desk.click("#sign-in")

    def check_in(self) -> None:
        """From the entrance to the keycard."""
        self.go_in()
        self.page.click("#leave")
        self.sign_in()
        self.page.click("#allow")
        self.page.wait_for_selector(".keycard")

    def hold(self, door: str, card: str = "real") -> None:
        """Hold a card to a door and wait for the answer."""
        before = self.page.locator(".hop").count()
        self.page.check(f"#card-{card}")
        self.page.click(f"button[value={door}]")
        self.page.locator(".hop").nth(before).wait_for(state="attached")

    def play(self, chapter: str) -> None:
        """A chapter from its first act to what is to be remembered."""
        self.page.goto(f"{self.url}/tour/chapters/{chapter}")
        self.page.click("#play-all")
        self.page.wait_for_selector(".remember", timeout=30_000)

    def barriers(self) -> list[str]:
        """What axe finds on the page against WCAG 2.2 AA, each with the first place it is at."""
        found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": WCAG}}).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:120]} ({len(one['nodes'])} places)" for one in found]

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def sideways(self) -> int:
        """By how many pixels the page is wider than its window."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wide
