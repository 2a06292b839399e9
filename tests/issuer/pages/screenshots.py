"""Every page at the desk and on a phone, by day and by night: ``python -m tests.issuer.pages.screenshots FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Route, sync_playwright

from innkeeper.issuer.pages.files import static_reply
from innkeeper.issuer.pages.render import page_reply
from innkeeper.protocol.exchange import Reply, Request
from tests.issuer.pages.samples import PAGES

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
ORIGIN = "http://pages.invalid"


def answer(route: Route) -> None:
    """A page or a file of ours, as it would be served, with all its headers."""
    url = urlsplit(route.request.url)
    reply = _reply(url.path, url.query)
    route.fulfill(status=reply.status, headers=dict(reply.headers), body=reply.body)


def take(browser: Browser, folder: Path) -> None:
    for scheme in ("light", "dark"):
        for size, (width, height) in SIZES.items():
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=False
            )
            page.route("**/*", answer)
            for name in PAGES:
                page.goto(f"{ORIGIN}/{name}")
                page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True)
            page.close()


def _reply(path: str, query: str) -> Reply:
    if path.startswith("/static/"):
        return static_reply(path.removeprefix("/static/"), Request("GET", path, query, {})) or Reply(404)
    template, context = PAGES.get(path[1:], ("", {}))
    return page_reply(template, **context) if template else Reply(404)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        take(browser, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
