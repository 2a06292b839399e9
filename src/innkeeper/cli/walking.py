"""Going through a realm's own pages as a browser does: sign in, say yes, and see where that leads."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

from innkeeper.protocol.refusals import UsageError

_MOST_PAGES = 12


class Walker:
    """``origin`` is the house's; what leads out of it is the answer."""

    def __init__(self, browser: httpx2.Client, origin: str) -> None:
        self._browser = browser
        self._origin = origin

    def through(self, url: str, username: str, password: str) -> httpx2.URL:
        """Where an address leads in the end, once the person has signed in and allowed. Raises ``UsageError``."""
        answer = self._browser.get(url)
        for _ in range(_MOST_PAGES):
            if answer.is_redirect:
                to = urljoin(str(answer.url), answer.headers["location"])
                if not to.startswith(f"{self._origin}/"):
                    return httpx2.URL(to)
                answer = self._browser.get(to)
                continue
            form = _Form(answer.text)
            if not form.found:
                break
            filled = {
                **form.hidden,
                **({"username": username, "password": password} if form.asks else {"decision": "allow"}),
            }
            answer = self._browser.post(
                urljoin(str(answer.url), form.action), data=filled, headers={"origin": self._origin}
            )
        raise UsageError(f"the pages lead nowhere: {answer.status_code} at {answer.url.path}")


class _Form(HTMLParser):
    """The first form of a page: where it goes, its hidden fields, and whether it asks for a password."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found = self.asks = False
        self.action = ""
        self.hidden: dict[str, str] = {}
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.found:
            self.found = self._open = True
            self.action = said.get("action", "")
        elif tag == "input" and self._open:
            if said.get("type") == "hidden":
                self.hidden[said.get("name", "")] = said.get("value", "")
            self.asks = self.asks or said.get("type") == "password"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False
