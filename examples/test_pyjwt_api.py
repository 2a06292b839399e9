"""How to test an API that guards itself: with real tokens, every bad one, rotated keys and an issuer that is away.

Run it with ``pytest examples/test_pyjwt_api.py``; the fixture ``innkeeper_issuer`` comes with innkeeper.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from innkeeper.testing import IssuerForTests

Ask = Callable[[str], str]


@pytest.fixture
def ask(innkeeper_issuer: IssuerForTests) -> Ask:
    """The status that the API answers to a token."""
    issuer = innkeeper_issuer
    api = _module().OrdersApi(issuer.url, issuer.audience, issuer.jwks_uri, cooldown=0)

    def status(token: str) -> str:
        said: list[str] = []
        b"".join(api({"HTTP_AUTHORIZATION": f"Bearer {token}"}, lambda line, _: said.append(line)))
        return said[0][:3]

    return status


def test_a_token_from_the_token_endpoint_opens_it(innkeeper_issuer: IssuerForTests, ask: Ask) -> None:
    assert ask(innkeeper_issuer.token(scope="orders:read")) == "200"


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_a_forged_good_token_opens_it(innkeeper_issuer: IssuerForTests, ask: Ask, alg: str) -> None:
    assert ask(innkeeper_issuer.forge(scope="orders:read", alg=alg)) == "200"


@pytest.mark.parametrize(
    "spoilt",
    [
        "wrong_audience",
        "wrong_issuer",
        "expired",
        "not_yet",
        "other_key",
        "unknown_kid",
        "embedded_key",
        "tampered",
        "unsigned",
        "public_key_as_secret",
        "id_token",
    ],
)
def test_a_bad_token_does_not(innkeeper_issuer: IssuerForTests, ask: Ask, spoilt: str) -> None:
    assert ask(getattr(innkeeper_issuer.forge, spoilt)(scope="orders:read")) == "401"


def test_a_token_without_the_scope_is_turned_away(innkeeper_issuer: IssuerForTests, ask: Ask) -> None:
    assert ask(innkeeper_issuer.forge(scope="orders:write")) == "403"


def test_an_old_token_of_the_real_issuer_is_old(innkeeper_issuer: IssuerForTests, ask: Ask) -> None:
    innkeeper_issuer.clock.move(-3600)
    assert ask(innkeeper_issuer.token(scope="orders:read")) == "401"


def test_rotated_keys_are_taken_up(innkeeper_issuer: IssuerForTests, ask: Ask) -> None:
    before = innkeeper_issuer.forge(scope="orders:read")
    assert ask(before) == "200"
    innkeeper_issuer.rotate_keys()
    assert ask(innkeeper_issuer.forge(scope="orders:read")) == "200"


@pytest.mark.parametrize("trouble", ["fail", "unreachable"])
def test_an_issuer_that_is_away_is_no_reason_to_let_anyone_in(
    innkeeper_issuer: IssuerForTests, ask: Ask, trouble: str
) -> None:
    token = innkeeper_issuer.forge(scope="orders:read")
    getattr(innkeeper_issuer.faults, trouble)(path="/jwks")
    assert ask(token) == "503"
    innkeeper_issuer.faults.clear()
    assert ask(token) == "200"


def _module() -> Any:
    """The API beside this file."""
    spec = importlib.util.spec_from_file_location("pyjwt_api", Path(__file__).with_name("pyjwt_api.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
