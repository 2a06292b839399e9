"""What ``innkeeper twin show`` prints is what a running inn answers to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.twins.entra.sdks import Twin
from tests.twins.entra.tenant import TENANT, Tenant, access, body, claims


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("innkeeper")), "twin", "show", "--json"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=tmp_path_factory.mktemp("x"),
        env={**os.environ},
    )
    return next(one for one in json.loads(done.stdout)["twins"] if one["dialect"] == "entra")


def test_each_client_gets_its_tokens_with_what_is_shown(tenant: Tenant, shown: dict[str, Any]) -> None:
    assert shown["tenant"] == TENANT
    hotel = shown["apis"][0]
    for client in (one for one in shown["clients"] if one["secret"]):
        answer = tenant.client_credentials(
            hotel["default_scope"], client_id=client["id"], client_secret=client["secret"]
        )
        said = claims(access(answer))
        assert (said["iss"], said["aud"], said["azp"]) == (shown["issuer"], hotel["id"], client["id"])


def test_every_endpoint_that_is_shown_answers(tenant: Tenant, shown: dict[str, Any]) -> None:
    for name, url in shown["endpoints"].items():
        if name != "graph":
            assert tenant.house.get(url).status != 404, name
    assert body(tenant.house.get(shown["endpoints"]["discovery"]))["issuer"] == shown["issuer"]
    assert body(tenant.house.get(shown["endpoints"]["discovery_v1"]))["issuer"] == shown["issuer_v1"]


def test_the_scopes_that_are_shown_can_be_asked_for(tenant: Tenant, shown: dict[str, Any]) -> None:
    app = next(one for one in shown["clients"] if one["name"] == "guest-app")
    found = tenant.signed_in(scope=f"openid {app['scopes'][0]}")
    assert claims(found["access_token"])["scp"] == app["scopes"][0].rpartition("/")[2]


def test_over_tls_the_same_tenant_is_shown(twin: Twin, shown: dict[str, Any]) -> None:
    assert shown["tls"]["issuer"] == f"https://localhost:8443/{TENANT}/v2.0"
    assert shown["tls"]["authority"].removeprefix("https://localhost:8443") == twin.authority.removeprefix(
        f"https://{twin.host}"
    )
