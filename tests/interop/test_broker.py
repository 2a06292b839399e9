"""The MCP SDK's client, unmodified, signs a person of Cognito and of Entra ID in through the broker.

The twins answer under the clouds' real names over TLS, by a proxy: issuers, redirects and certificates are as the clouds' are.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from msgspec.structs import replace

from innkeeper.guard import Guard
from innkeeper.guard.unverified import read_unverified
from innkeeper.issuer.settings import SeedClient, load
from innkeeper.testing.routed import POOL, TENANT, RoutedClouds, routed_clouds
from tests.cli.guest import ANSWERS, Form
from tests.guard.examples import example
from tests.inn import free_port
from tests.interop.test_mcp_guard import Kept, run, said, served

pytest.importorskip("mcp", reason="the MCP SDK is not installed")
pytest.importorskip("fastmcp", reason="FastMCP is not installed")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CALLBACK = "http://127.0.0.1:33418/callback"
CLOUDS = {"entra": "login.microsoftonline.com", "cognito": ".amazoncognito.com"}


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    """The broker's and the MCP server's."""
    return free_port(), free_port()


@pytest.fixture(scope="module")
def clouds(ports: tuple[int, int]) -> Iterator[RoutedClouds]:
    """The twins, in which the broker is registered as an application of its own."""
    origin = f"http://127.0.0.1:{ports[0]}"
    usual = load(None, {})
    broker = SeedClient(
        id="broker",
        name="The broker",
        secret="broker-secret",
        redirect_uris=[f"{origin}/sign-in/from/{name}" for name in CLOUDS],
        post_logout_redirect_uris=[f"{origin}/logout/done"],
        scopes=["openid", "profile", "email"],
    )
    settings = replace(usual, client=[*usual.client, broker])
    with routed_clouds(settings) as found, pytest.MonkeyPatch.context() as patch:
        for name, value in found.environment.items():
            patch.setenv(name, value)
        yield found


@pytest.fixture(params=["entra", "cognito"])
def cloud(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def brokering(port: int, secret: str, *words: str) -> Iterator[str]:
    """The command, running; its issuer."""
    command = [str(Path(sys.executable).with_name("innkeeper")), "broker", *words]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, env={**os.environ, "INNKEEPER_CLIENT_SECRET": secret}) as process:
        try:
            wait_for(f"{url}/.well-known/openid-configuration", process)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the broker stopped"
        with suppress(httpx2.TransportError):
            if httpx2.get(url).status_code == 200:
                return
        threading.Event().wait(0.1)
    raise AssertionError("the broker did not open")


class Browser:
    """A person at a browser: signs in where a page asks, allows where one asks, and notes the hosts that it was at."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.questions: list[str] = []

    def sent_back(self, url: str) -> str:
        with httpx2.Client(timeout=20) as browser:
            page = browser.get(url)
            for _ in range(20):
                self.hosts.append(str(page.url.host))
                if page.is_redirect:
                    target = page.url.join(page.headers["location"])
                    if str(target).startswith(CALLBACK):
                        return str(target)
                    page = browser.get(target)
                else:
                    page = self._filled_in(browser, page)
        raise AssertionError(f"the pages of {url} lead nowhere")

    def _filled_in(self, browser: httpx2.Client, page: httpx2.Response) -> httpx2.Response:
        form = Form(page.text)
        button = next((form.buttons[name] for name in ("sign-in", "allow") if name in form.buttons), None)
        assert button is not None, f"{page.status_code} at {page.url}, with nothing to answer:\n{page.text}"
        self.questions.append(f"{page.url.host} {'sign-in' if 'sign-in' in form.buttons else 'allow'}")
        filled = {name: ANSWERS.get(name, value) for name, value in form.fields.items()}
        return browser.post(page.url.join(form.action), data=filled | button)


def sdk(server: str, kept: Kept, browser: Browser) -> Any:
    """The SDK's OAuth client, which knows no client id: it has to register."""
    from mcp.client.auth import OAuthClientProvider
    from mcp.client.auth.oauth2 import AuthorizationCodeResult
    from mcp.shared.auth import OAuthClientMetadata

    answers: list[str] = []

    async def to_the_pages(url: str) -> None:
        answers.append(await asyncio.to_thread(browser.sent_back, url))

    async def answered() -> AuthorizationCodeResult:
        query = {name: values[0] for name, values in parse_qs(urlsplit(answers[-1]).query).items()}
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))

    metadata = OAuthClientMetadata(
        client_name="Some MCP client", redirect_uris=[CALLBACK], token_endpoint_auth_method="none"
    )
    return OAuthClientProvider(server, metadata, kept, to_the_pages, answered)


async def called(server: str, auth: Any) -> str:
    from mcp.client.client import Client
    from mcp.client.streamable_http import streamable_http_client

    async with (
        httpx2.AsyncClient(auth=auth, timeout=20) as http,
        Client(streamable_http_client(server, http_client=http)) as client,
    ):
        return said(await client.call_tool("whoami", {}))


def test_a_person_of_the_cloud_signs_in_at_an_mcp_server_through_the_broker(
    clouds: RoutedClouds, cloud: str, ports: tuple[int, int], tmp_path: Path
) -> None:
    port, mcp_port = ports
    server = f"http://127.0.0.1:{mcp_port}/mcp"
    known = clouds.entra if cloud == "entra" else clouds.cognito
    mine = next(one for one in known["clients"] if one["name"] == "broker")
    where = ["--tenant", TENANT] if cloud == "entra" else ["--pool", POOL]
    words = [*where, "--client-id", mine["id"], "--resource", server, "--port", str(port), "--state", str(tmp_path)]
    scopes = ["--scope", "room:enter=Open your room", "--scope", "vip:enter=Enter the lounge"]
    kept, browser = Kept(), Browser()
    with brokering(port, mine["secret"], "--upstream", cloud, *words, *scopes) as broker:
        guard = Guard(broker, server, scopes_supported=["room:enter"])
        with served(example("mcp_server").make_app(guard), mcp_port):
            who = run(called(server, sdk(server, kept, browser)))
    assert who.endswith(f" by {kept.info.client_id}"), "a client that registered by itself"
    assert browser.questions[0] == "127.0.0.1 allow", "asked here, before anything went to the cloud"
    assert any(one.endswith(CLOUDS[cloud]) for one in browser.hosts), browser.hosts
    assert "room:enter" in kept.tokens.scope
    claims = read_unverified(kept.tokens.access_token).claims
    assert (claims["iss"], claims["aud"]) == (broker, server), "the broker's token, and none of the cloud's"
