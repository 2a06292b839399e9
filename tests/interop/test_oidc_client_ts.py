"""oidc-client-ts in Chromium, unmodified: a page on another origin signs a guest in, renews, and signs out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.conftest import NODE_PACKAGES
from tests.inn import Inn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.interop, pytest.mark.browser]

LIBRARY = NODE_PACKAGES / "node_modules" / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.js"
PAGE = Path(__file__).parent / "page" / "index.html"


class Files(BaseHTTPRequestHandler):
    """The page at every address, and the library beside it."""

    def do_GET(self) -> None:
        library = self.path == "/oidc-client-ts.js"
        body = (LIBRARY if library else PAGE).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if library else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    if not LIBRARY.exists():
        pytest.skip("oidc-client-ts is not installed (make setup)")
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def client_id(house: Inn, origin: str) -> str:
    """A public client, registered from the command line."""
    command = [str(Path(sys.executable).with_name("innkeeper")), "client", "add", "A page", "--public", "--json"]
    redirects = ("--redirect-uri", f"{origin}/callback", "--redirect-uri", f"{origin}/silent")
    told = {"INNKEEPER_PORT": str(house.port), "INNKEEPER_STATE": str(house.folder / ".innkeeper")}
    ran = subprocess.run(
        [*command, *redirects, "--post-logout-redirect-uri", f"{origin}/bye"],
        env={**os.environ, **told},
        cwd=house.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    found: str = json.loads(ran.stdout)["client_id"]
    return found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(15000)
    yield context.new_page()
    context.close()


def seen(page: Page) -> dict[str, Any]:
    """What the library made of the page's address."""
    found: dict[str, Any] = page.wait_for_function("window.seen").json_value()
    assert "failed" not in found, found["failed"]
    return found


def signed_in(page: Page, house: Inn, origin: str, client_id: str, extra: str = "") -> dict[str, Any]:
    page.goto(f"{origin}/#{urlencode({'issuer': house.url, 'client_id': client_id, 'extra': extra})}")
    seen(page)
    page.evaluate("void manager.signinRedirect({ prompt: 'consent' })")
    page.fill("input#username", "guest@hotel.example")
    page.fill("input#password", "Correct-Horse-7")
    page.click("button#sign-in")
    page.click("button#allow")
    page.wait_for_url(f"{origin}/callback**")
    return seen(page)


def test_a_page_signs_a_guest_in_and_reads_userinfo(page: Page, house: Inn, origin: str, client_id: str) -> None:
    user = signed_in(page, house, origin, client_id)
    assert (user["iss"], user["aud"], user["sub"]) == (house.url, client_id, "guest-204")
    assert user["email"] == "guest@hotel.example"


def test_a_page_renews_by_refresh_token_and_without_one_by_a_frame(
    page: Page, house: Inn, origin: str, client_id: str
) -> None:
    first = signed_in(page, house, origin, client_id)
    renewed = page.evaluate("manager.signinSilent().then(shown)")
    assert (renewed["sub"], renewed["access"] != first["access"]) == ("guest-204", True)
    assert renewed["refresh"] not in (None, first["refresh"])
    page.evaluate(
        "manager.getUser().then((user) => { user.refresh_token = undefined; return manager.storeUser(user) })"
    )
    framed = page.evaluate("manager.signinSilent().then(shown)")
    assert (framed["sub"], framed["access"] != renewed["access"]) == ("guest-204", True)


def test_a_page_signs_out_and_the_session_is_over(page: Page, house: Inn, origin: str, client_id: str) -> None:
    signed_in(page, house, origin, client_id)
    page.evaluate("void manager.signoutRedirect({ state: 'bye' })")
    page.wait_for_url(f"{origin}/bye**")
    assert seen(page) == {"signedOut": True}
    page.evaluate("void manager.signinRedirect()")
    page.wait_for_selector("input#password")


def test_a_page_revokes_what_it_was_given(page: Page, house: Inn, origin: str, client_id: str) -> None:
    signed_in(page, house, origin, client_id)
    again = page.evaluate(
        """async () => {
          const user = await manager.getUser()
          await manager.revokeTokens(['refresh_token'])
          await manager.storeUser(user)
          return manager.signinSilent().then(() => 'renewed', (error) => error.error)
        }"""
    )
    assert again == "invalid_grant"


def test_a_page_binds_its_tokens_to_a_key(page: Page, house: Inn, origin: str, client_id: str) -> None:
    user = signed_in(page, house, origin, client_id, "dpop")
    assert (user["type"], user["sub"]) == ("DPoP", "guest-204")
    assert page.evaluate("manager.signinSilent().then(shown)")["type"] == "DPoP"
