"""The docs page of FastAPI in Chromium: its Authorize button signs a guest in at our issuer, and the guarded route lets them in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import uvicorn
from fastapi import FastAPI, Security

from innkeeper.guard import Guard
from innkeeper.guard.fastapi import Guarded, install
from innkeeper.tokens.access import AccessToken
from tests.conftest import NODE_PACKAGES
from tests.inn import Inn, free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = [pytest.mark.interop, pytest.mark.browser]

SWAGGER = NODE_PACKAGES / "node_modules" / "swagger-ui-dist"
ELSEWHERE = re.compile("https://")
"""The page loads its scripts from a network of others; here they come from the package of the same name."""


class Api:
    """A small API behind the guard, with its docs page, on a port of its own."""

    def __init__(self, house: Inn) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._client = _registered(house, f"{self.url}/docs/oauth2-redirect")
        self._guard = Guard(house.url, f"{house.url}/hotel")

    def serve(self) -> uvicorn.Server:
        app, guarded = FastAPI(title="Doors"), Guarded(self._guard)
        install(app, self._guard, client_id=self._client)
        gym_enterer = Security(guarded, scopes=["gym:enter"])

        @app.get("/gym")
        async def gym(token: AccessToken = gym_enterer) -> dict[str, str]:
            return {"let_in": token.sub, "with": token.client_id}

        config = uvicorn.Config(app, host="127.0.0.1", port=self._port, log_config=None, ws="none")
        return uvicorn.Server(config)


@pytest.fixture(scope="module")
def api(house: Inn) -> Iterator[Api]:
    if not SWAGGER.is_dir():
        pytest.skip("swagger-ui-dist is not installed (make setup)")
    api = Api(house)
    server = api.serve()
    thread = Thread(target=server.run)
    thread.start()
    yield api
    server.should_exit = True
    thread.join()


def _registered(house: Inn, redirect: str) -> str:
    """A public client with the docs page's own redirect URI."""
    command = [str(Path(sys.executable).with_name("innkeeper")), "client", "add", "The docs page", "--public", "--json"]
    told = {"INNKEEPER_PORT": str(house.port), "INNKEEPER_STATE": str(house.folder / ".innkeeper")}
    ran = subprocess.run(
        [*command, "--redirect-uri", redirect, "--scope", "openid", "--scope", "gym:enter"],
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
    context.route(ELSEWHERE, _from_the_package)
    yield context.new_page()
    context.close()


def _from_the_package(route: Route) -> None:
    file = SWAGGER / route.request.url.rpartition("/")[2]
    if file.is_file():
        route.fulfill(path=file)
    else:
        route.abort()


def test_authorize_signs_in_and_the_guarded_route_opens(page: Page, api: Api) -> None:
    page.goto(f"{api.url}/docs")
    page.click("button.opblock-summary-control")
    page.click("button.try-out__btn")
    assert tried(page, api) == (401, "invalid")
    authorize(page)
    assert tried(page, api) == (200, "guest-204")


def authorize(page: Page) -> None:
    """Press Authorize, choose the way by code and the scope, sign in and consent in the window that opens, and close."""
    page.click("button.authorize")
    way = page.locator(".auth-container", has=page.locator("h4", has_text="authorization_code")).first
    way.locator("label", has_text="gym:enter").click()
    with page.expect_popup() as opened:
        way.locator("button.authorize").click()
    house = opened.value
    house.fill("input#username", "guest@hotel.example")
    house.fill("input#password", "Correct-Horse-7")
    house.click("button#sign-in")
    with house.expect_event("close"):
        house.click("button#allow")
    way.locator("button", has_text="Logout").wait_for()
    way.locator("button.btn-done").click()


def tried(page: Page, api: Api) -> tuple[int, str]:
    """What the route answers to the page: the status, and who was let in."""
    with page.expect_response(f"{api.url}/gym") as answered:
        page.click("button.execute")
    said = answered.value.json()
    return answered.value.status, said.get("let_in", "invalid")
