"""``innkeeper twin clock``, ``outbox``, ``fault``, ``rotate-keys``, ``seed`` and ``reset``, beside a house that runs on the same
state; what they do to a tenant alone is tested with the tenant."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from innkeeper.cli import main
from innkeeper.guard.unverified import read_unverified
from innkeeper.issuer.desk.cognito.seed import seeded_client_id, seeded_client_secret
from tests.inn import Inn, open_inn
from tests.twins.cognito.pool import GUEST, POOL, SIGNED, TARGET
from tests.twins.entra.tenant import API as ENTRA_API
from tests.twins.entra.tenant import CLIENT, TENANT

CONCIERGE, SECRET = seeded_client_id(POOL, "concierge"), seeded_client_secret(POOL, "concierge")
APP = seeded_client_id(POOL, "guest-app")

Told = Callable[..., str]


@pytest.fixture(scope="module")
def inn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inn]:
    with open_inn(tmp_path_factory.mktemp("commands")) as opened:
        yield opened


@pytest.fixture
def told(inn: Inn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """A command, and what it printed."""
    monkeypatch.setenv("INNKEEPER_PORT", str(inn.port))
    monkeypatch.setenv("INNKEEPER_STATE", str(inn.folder / ".innkeeper"))
    monkeypatch.chdir(inn.folder)

    def run(*words: str, ends: int = 0) -> str:
        assert main(["twin", *words]) == ends
        printed = capsys.readouterr()
        return printed.out or printed.err

    return run


def call(inn: Inn, operation: str, document: dict[str, Any], unsigned: bool = False) -> tuple[int, dict[str, Any]]:
    headers = {"x-amz-target": TARGET + operation, "content-type": "application/x-amz-json-1.1"}
    if not unsigned:
        headers["authorization"] = SIGNED
    answer = httpx2.post(inn.url, json=document, headers=headers, trust_env=False, timeout=60)
    return answer.status_code, answer.json()


def machine(inn: Inn) -> dict[str, Any]:
    answer = httpx2.post(
        f"{inn.url}/{POOL}/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(CONCIERGE, SECRET),
        trust_env=False,
        timeout=60,
    )
    found: dict[str, Any] = answer.json()
    return found


def daemon(inn: Inn) -> dict[str, Any]:
    form = {"grant_type": "client_credentials", **CLIENT, "scope": f"api://{ENTRA_API}/.default"}
    answer = httpx2.post(f"{inn.url}/{TENANT}/oauth2/v2.0/token", data=form, trust_env=False, timeout=60)
    found: dict[str, Any] = answer.json()
    return found


def native(inn: Inn) -> dict[str, Any]:
    form = {"grant_type": "client_credentials", "client_id": "concierge", "client_secret": "concierge-secret"}
    found: dict[str, Any] = httpx2.post(f"{inn.url}/token", data=form, trust_env=False, timeout=60).json()
    return found


def claims(answer: dict[str, Any]) -> dict[str, Any]:
    return dict(read_unverified(str(answer["access_token"])).claims)


def taken_up(change: Callable[[], bool]) -> None:
    """A house that runs looks for changes several times a second; ask it until it has."""
    assert any(change() for _ in range(2000))


def test_the_clock_of_both_twins_is_moved_and_the_houses_own_is_not(inn: Inn, told: Told) -> None:
    assert told("clock").endswith("  the real time\n")
    assert told("clock", "+1d2h").endswith("  1 day ahead\n")
    tomorrow = time.time() + 90_000
    taken_up(lambda: claims(machine(inn))["iat"] > tomorrow)
    assert claims(daemon(inn))["exp"] > tomorrow
    assert claims(native(inn))["iat"] < tomorrow
    assert told("clock", "-26h").endswith("  the real time\n")
    taken_up(lambda: claims(machine(inn))["iat"] < tomorrow)
    assert "2031-02-03 04:05" in told("clock", "2031-02-03T04:05:06Z")
    assert told("clock", "real").endswith("  the real time\n")
    assert "give +90m" in told("clock", "tomorrow", ends=2)
    taken_up(lambda: claims(machine(inn))["iat"] < tomorrow)


def test_a_code_that_was_sent_is_in_the_outbox(inn: Inn, told: Told) -> None:
    assert told("outbox").startswith("nothing was sent")
    assert call(inn, "ForgotPassword", {"ClientId": APP, "Username": GUEST}, unsigned=True)[0] == 200
    assert f"EMAIL to {GUEST} from {POOL}: " in told("outbox")
    [letter] = json.loads(told("outbox", "--json"))["messages"]
    assert letter["code"] in letter["text"]
    said = {"ClientId": APP, "Username": GUEST, "ConfirmationCode": letter["code"], "Password": "Another-Horse-8"}
    assert call(inn, "ConfirmForgotPassword", said, unsigned=True) == (200, {})
    assert told("seed").splitlines() == [f"{POOL} is seeded", f"{TENANT} is seeded"]


def test_a_fault_of_the_pool_is_told_as_often_as_asked(inn: Inn, told: Told) -> None:
    assert (
        told("fault", "TooManyRequestsException", "--times", "2")
        == f"{POOL} answers TooManyRequestsException, 2 times\n"
    )
    for _ in range(2):
        assert call(inn, "ListUserPools", {"MaxResults": 1})[1]["__type"] == "TooManyRequestsException"
    assert call(inn, "ListUserPools", {"MaxResults": 1})[0] == 200
    told("fault", "InternalErrorException")
    assert call(inn, "ListUserPools", {"MaxResults": 1})[0] == 500
    told("fault", "invalid_grant")
    assert machine(inn) == {"error": "invalid_grant"}
    assert "access_token" in machine(inn)
    told("fault", "invalid_client", "--times", "3")
    told("fault", "invalid_client", "--times", "0")
    assert "access_token" in machine(inn)
    assert "none of the errors that the Cognito twin answers with" in told("fault", "Nonsense", ends=2)


def test_the_pools_new_keys_sign_and_the_old_ones_stay_published(inn: Inn, told: Told) -> None:
    before = read_unverified(machine(inn)["access_token"]).header["kid"]
    told("rotate-keys")
    published = f"{inn.url}/{POOL}/.well-known/jwks.json"
    taken_up(lambda: read_unverified(machine(inn)["access_token"]).header["kid"] != before)
    taken_up(lambda: len(httpx2.get(published, trust_env=False).json()["keys"]) > 3)  # each kind of token has a key
    fresh = read_unverified(machine(inn)["access_token"]).header["kid"]
    keys = httpx2.get(published, trust_env=False).json()["keys"]
    assert {before, fresh} <= {one["kid"] for one in keys}
    assert (len(keys), len(fresh)) == (4, 44)


def test_reset_takes_away_what_was_made_and_puts_back_what_was_there(inn: Inn, told: Told) -> None:
    of = {"UserPoolId": POOL}
    made = call(inn, "CreateUserPool", {"PoolName": "Passing"})[1]["UserPool"]["Id"]
    call(inn, "AdminCreateUser", {**of, "Username": "passing", "MessageAction": "SUPPRESS"})
    call(inn, "CreateGroup", {**of, "GroupName": "passing"})
    assert call(inn, "DeleteUserPoolClient", {**of, "ClientId": CONCIERGE})[0] == 200
    assert "error" in machine(inn)
    assert f"{made} was made over the API, and stays as it is" in told("seed")
    assert "access_token" in machine(inn)
    assert told("reset").splitlines()[0] == f"{POOL} is as on the first day"
    assert call(inn, "DescribeUserPool", {"UserPoolId": made})[1]["__type"] == "ResourceNotFoundException"
    users = [one["Username"] for one in call(inn, "ListUsers", of)[1]["Users"]]
    assert (GUEST in users, "passing" in users) == (True, False)
    assert call(inn, "ListGroups", of)[1]["Groups"] == []
    assert "access_token" in machine(inn)
    said = {"USERNAME": GUEST, "PASSWORD": "Correct-Horse-7"}
    ask = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": APP, "AuthParameters": said}
    assert call(inn, "InitiateAuth", ask, unsigned=True)[0] == 200
