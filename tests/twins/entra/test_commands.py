"""``innkeeper twin seed``, ``reset``, ``rotate-keys`` and ``fault``, beside a house that runs on the same state."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.inn import open_inn
from tests.twins.entra.sdks import Twin
from tests.twins.entra.tenant import TENANT, header

INNKEEPER = str(Path(sys.executable).with_name("innkeeper"))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """A house of its own: what these commands do there, no other test should see."""
    with open_inn(tmp_path_factory.mktemp("own")) as inn:
        assert httpx2.get(inn.url, trust_env=False, timeout=60).status_code == 200
        yield Twin(inn)


def told(twin: Twin, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "INNKEEPER_PORT": str(twin.inn.port),
        "INNKEEPER_STATE": str(twin.inn.folder / ".innkeeper"),
    }
    command = [INNKEEPER, "twin", *words]
    return subprocess.run(
        command, cwd=twin.inn.folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def asked(twin: Twin, client: str, secret: str, scope: str) -> dict[str, Any]:
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": scope}
    context = ssl.create_default_context(cafile=twin.ca)
    with httpx2.Client(verify=context, trust_env=False, timeout=60) as http:
        found: dict[str, Any] = http.post(f"{twin.authority}/oauth2/v2.0/token", data=form).json()
    return found


def test_a_fault_is_told_as_often_as_asked_and_then_forgotten(own: Twin) -> None:
    said = told(own, "fault", "50196", "--times", "2")
    assert (said.returncode, said.stdout) == (0, f"{TENANT} answers AADSTS50196, 2 times\n"), said.stderr
    for _ in range(2):
        assert asked(own, own.concierge, own.secret, own.scope)["error_codes"] == [50196]
    assert "access_token" in asked(own, own.concierge, own.secret, own.scope)
    assert told(own, "fault", "1").returncode == 2


def test_a_new_key_signs_and_the_old_one_stays_published(own: Twin) -> None:
    before = header(asked(own, own.concierge, own.secret, own.scope)["access_token"])["kid"]
    assert told(own, "rotate-keys").returncode == 0
    kids: set[str] = set()
    for _ in range(2000):
        kids.add(header(asked(own, own.concierge, own.secret, own.scope)["access_token"])["kid"])
        if kids - {before}:
            break
    assert kids - {before}
    published = httpx2.get(f"{own.inn.url}/{TENANT}/discovery/v2.0/keys", trust_env=False, timeout=60).json()["keys"]
    assert {before} | kids <= {one["kid"] for one in published}


def test_reset_forgets_what_was_made_and_seed_puts_back_what_was_removed(own: Twin) -> None:
    client, secret = own.caretaker
    token = asked(own, client, secret, "https://graph.microsoft.com/.default")["access_token"]
    with httpx2.Client(
        base_url=f"{own.inn.url}/v1.0", headers={"authorization": f"Bearer {token}"}, trust_env=False, timeout=60
    ) as graph:
        made = graph.post("/applications", json={"displayName": "Passing"}).json()
        concierge = graph.get(f"/applications(appId='{own.concierge}')").json()["id"]
        assert graph.delete(f"/applications/{concierge}").status_code == 204
        assert asked(own, own.concierge, own.secret, own.scope)["error_codes"] == [700016]
        assert told(own, "seed").returncode == 0
        assert "access_token" in asked(own, own.concierge, own.secret, own.scope)
        assert graph.get(f"/applications/{made['id']}").status_code == 200
        assert told(own, "reset").returncode == 0
        assert graph.get(f"/applications/{made['id']}").status_code == 404
        assert "access_token" in asked(own, own.concierge, own.secret, own.scope)
