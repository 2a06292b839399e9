"""A single-page application that signs a person in with msal-browser: its page, its server, and a person in Chromium.

As a program (``python -m tests.twins.entra.spa CHROMIUM SETTINGS``) it does the whole of it and prints what the page saw.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.issuer.house import PASSWORD
from tests.twins.entra.tenant import GUEST

LIBRARY = (
    Path(__file__).parents[2]
    / "interop"
    / "node"
    / "node_modules"
    / "@azure"
    / "msal-browser"
    / "lib"
    / "msal-browser.min.js"
)

PAGE = """<!doctype html><title>SPA</title><body><script src="/msal.js"></script><script>
(async () => {
  const { clientId, authority, knownAuthorities, scope } = await (await fetch('/settings')).json()
  const auth = { clientId, authority, knownAuthorities, redirectUri: `${location.origin}/` }
  const app = new msal.PublicClientApplication({ auth })
  await app.initialize()
  const back = await app.handleRedirectPromise()
  if (!back) return app.loginRedirect({ scopes: [scope] })
  const asked = { scopes: [scope], account: back.account, forceRefresh: true }
  const silent = await app.acquireTokenSilent(asked)
  const seen = { access: back.accessToken, refreshed: silent.accessToken, username: back.account.username, silent: silent.fromCache }
  document.body.innerHTML = '<pre id="seen"></pre>'
  document.getElementById('seen').textContent = JSON.stringify(seen)
})().catch((error) => {
  document.body.innerHTML = '<pre id="seen"></pre>'
  document.getElementById('seen').textContent = JSON.stringify({ failed: String(error) })
})
</script></body>"""


@contextmanager
def served(settings: dict[str, Any], port: int) -> Iterator[str]:
    """The application at http://localhost, whose address is one of its registered redirect URIs."""
    told = {
        "/": ("text/html; charset=utf-8", PAGE.encode()),
        "/msal.js": ("text/javascript", LIBRARY.read_bytes()),
        "/settings": ("application/json", json.dumps(settings).encode()),
    }

    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = told.get(self.path.partition("?")[0], ("text/plain", b""))
            self.send_response(200)
            self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Files)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://localhost:{port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def signed_in(browser: Any, address: str) -> dict[str, Any]:
    """What the application saw after a guest signed in and allowed it, in a browser that knows the twin's authority."""
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto(address)
    page.locator("input#username, #seen").first.wait_for(timeout=60_000)
    if page.locator("input#username").count():
        page.fill("input#username", GUEST)
        page.fill("input#password", PASSWORD)
        page.click("button#sign-in")
        page.locator("button#allow, #seen").first.wait_for(timeout=60_000)
        if page.locator("button#allow").count():
            page.click("button#allow")
        page.locator("#seen").wait_for(timeout=60_000)
    seen: dict[str, Any] = json.loads(page.locator("#seen").inner_text())
    context.close()
    return seen


def main() -> None:
    from playwright.sync_api import sync_playwright

    chromium, told = sys.argv[1], json.loads(sys.argv[2])
    proxy = {"server": os.environ["HTTPS_PROXY"], "bypass": "localhost"}
    with sync_playwright() as play, served(told["settings"], told["port"]) as address:
        browser = play.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update"],
            proxy=proxy,
        )
        print(json.dumps(signed_in(browser, address)))
        browser.close()


if __name__ == "__main__":
    main()
