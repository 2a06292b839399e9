"""The old locks decide for real: passwords, keys and OAuth 1.0 signatures that oauthlib makes and verifies."""

from __future__ import annotations

import pytest
from oauthlib.oauth1 import Client
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from innkeeper.tokens.trail import Trail
from innkeeper.tour.annexe import REMEMBERED, Annexe

URL = "http://testserver/annexe/print?album=summer"


class World:
    def __init__(self) -> None:
        self.trails: list[Trail] = []
        self.annexe = Annexe(self.trails.append)
        self.client = TestClient(Starlette(routes=[Route("/annexe/{door}", self.annexe.door)]))

    def get(self, url: str = URL, **headers: str) -> tuple[int, str]:
        """The status, and the number of the refusal that is behind it."""
        reply = self.client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
        refusal = self.trails[-1].refusal
        return reply.status_code, refusal.page.number if refusal else ""

    def signed(self, url: str = URL, nonce: str | None = None) -> str:
        known = self.annexe.known
        client = Client(
            known["consumer_key"],
            client_secret=known["consumer_secret"],
            resource_owner_key=known["old_token"],
            resource_owner_secret=known["old_token_secret"],
            nonce=nonce,
        )
        return str(client.sign(url)[1]["Authorization"])


@pytest.fixture
def world() -> World:
    return World()


def test_a_signed_request_gets_in_once(world: World) -> None:
    signature = world.signed()
    assert world.get(authorization=signature) == (200, "")
    assert world.get(authorization=signature) == (401, "IK713")


def test_another_address_or_parameter_does_not_fit_the_signature(world: World) -> None:
    assert world.get(f"{URL}&copies=9", authorization=world.signed()) == (401, "IK712")
    assert world.get("http://testserver/annexe/letters", authorization=world.signed()) == (401, "IK712")


def test_a_forged_request_uses_up_no_nonce(world: World) -> None:
    assert world.get(f"{URL}&copies=9", authorization=world.signed(nonce="once")) == (401, "IK712")
    assert world.get(authorization=world.signed(nonce="once")) == (200, "")


def test_nonces_are_remembered_up_to_a_bound(world: World) -> None:
    first = world.signed()
    world.get(authorization=first)
    for n in range(REMEMBERED):
        world.annexe.remember({"oauth_nonce": str(n)})
    assert world.get(authorization=first) == (200, ""), "the oldest was forgotten"


def test_key_and_password_are_compared_and_nothing_else(world: World) -> None:
    known = world.annexe.known
    assert world.get(x_api_key=known["api_key"]) == (200, "")
    assert world.get(x_api_key="another") == (401, "IK711")
    assert world.client.get(URL, auth=(known["annexe_guest"], known["annexe_guest_secret"])).status_code == 200
    assert world.client.get(URL, auth=(known["annexe_guest"], "guess")).status_code == 401


@pytest.mark.parametrize("header", ["", "Basic !!!", "OAuth nonsense", "Bearer eyJ"])
def test_what_an_old_lock_cannot_read_opens_nothing(world: World, header: str) -> None:
    assert world.get(authorization=header) == (401, "IK710")


def test_secrets_are_drawn_anew_for_each_house() -> None:
    assert World().annexe.known["api_key"] != World().annexe.known["api_key"]
