"""Every page at the desk and on a phone, by day and by night: ``python -m tests.issuer.pages.screenshots FOLDER``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.issuer.pages.browser import ORIGIN, answer
from tests.issuer.pages.samples import PAGES

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def take(browser: Browser, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
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


if __name__ == "__main__":
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        take(playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]), Path(sys.argv[1]))
