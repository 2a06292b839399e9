"""A token that a twin really cut, read as AgentCore and as a guard read it, over the network, and its issuer examined."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from innkeeper.client.credentials import Client, Secret
from innkeeper.client.token import Access
from innkeeper.doctor.examination import examine_client, examine_issuer
from innkeeper.doctor.findings import Report, Severity
from innkeeper.guard import read_unverified
from tests.doctor.worlds import numbers
from tests.inn import Inn

Innkeeper = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def innkeeper(house: Inn, tmp_path: Path) -> Innkeeper:
    """The command line beside the house."""
    told = {"INNKEEPER_PORT": str(house.port), "INNKEEPER_STATE": str(house.folder / ".innkeeper"), "COLUMNS": "120"}
    program = str(Path(sys.executable).with_name("innkeeper"))

    def run(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **told}
        return subprocess.run(
            [program, *words], env=environment, cwd=tmp_path, input=typed, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def pool(innkeeper: Innkeeper) -> dict[str, Any]:
    return _twin(innkeeper, "cognito")


@pytest.fixture
def tenant(innkeeper: Innkeeper) -> dict[str, Any]:
    return _twin(innkeeper, "entra")


def _twin(innkeeper: Innkeeper, dialect: str) -> dict[str, Any]:
    twins = json.loads(innkeeper("twin", "show", "--json").stdout)["twins"]
    return next(one for one in twins if one["dialect"] == dialect)


@pytest.fixture
def application(tenant: dict[str, Any]) -> str:
    """An application's token, without a person, for the first of the tenant's APIs."""
    machine = next(one for one in tenant["clients"] if one["secret"])
    form = {
        "grant_type": "client_credentials",
        "scope": f"{machine['scopes'][0].rpartition('/')[0]}/.default",
        "client_id": machine["id"],
        "client_secret": machine["secret"],
    }
    found: str = httpx2.post(tenant["endpoints"]["token"], data=form).raise_for_status().json()["access_token"]
    return found


@pytest.fixture
def token(pool: dict[str, Any]) -> str:
    """A machine's token from the pool's token endpoint."""
    machine = next(one for one in pool["clients"] if one["secret"])
    form = {"grant_type": "client_credentials", "scope": next(one for one in machine["scopes"] if "gym:enter" in one)}
    answer = httpx2.post(pool["endpoints"]["token"], data=form, auth=(machine["id"], machine["secret"]))
    found: str = answer.raise_for_status().json()["access_token"]
    return found


def agentcore(folder: Path, pool: dict[str, Any], **members: Any) -> None:
    config = {"customJWTAuthorizer": {"discoveryUrl": pool["endpoints"]["discovery"], **members}}
    (folder / "agentcore.json").write_text(json.dumps(config), "utf-8")


def test_agentcore_rejects_a_pools_token_by_audience_and_takes_it_by_client(
    innkeeper: Innkeeper, pool: dict[str, Any], token: str, tmp_path: Path
) -> None:
    client_id = next(one["id"] for one in pool["clients"] if one["secret"])
    agentcore(tmp_path, pool, allowedAudience=[client_id])
    refused = innkeeper("explain", "-", "--as", "agentcore.json", "--json", typed=token)
    verdict = json.loads(refused.stdout)["verdict"]
    assert (refused.returncode, verdict["refusals"]) == (1, ["IK802"])
    assert any(client_id in one["text"] for one in verdict["mends"])
    agentcore(tmp_path, pool, allowedClients=[client_id])
    assert innkeeper("explain", "-", "--as", "agentcore.json", typed=token).returncode == 0


def test_a_guard_reads_it_with_the_preset_found_from_its_issuer(
    innkeeper: Innkeeper, pool: dict[str, Any], token: str
) -> None:
    client_id = next(one["id"] for one in pool["clients"] if one["secret"])
    taken = innkeeper("explain", "-", "--issuer", pool["issuer"], "--audience", client_id, "--json", typed=token)
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert json.loads(taken.stdout)["maker"] == "Amazon Cognito"


def test_the_pool_is_ill_as_cognito_is_and_no_more(pool: dict[str, Any]) -> None:
    report = examine_issuer(pool["issuer"])
    assert report.healthy
    assert numbers(report) == {"IK811", "IK819", "IK821", "IK823", "IK824"}
    assert all("Amazon Cognito is made so" in one.finding.remedy for one in report.findings() if one.finding)
    assert {one.severity for one in report.findings()} == {Severity.WARNING, Severity.NOTE}


def test_an_applications_token_is_read_as_entras_and_its_roles_are_its_scopes(
    innkeeper: Innkeeper, tenant: dict[str, Any], application: str
) -> None:
    api = str(read_unverified(application).claims["aud"])
    asked = ("explain", "-", "--issuer", tenant["issuer"], "--audience", api, "--json", "--scope")
    taken = innkeeper(*asked, "gym:enter.all", typed=application)
    assert taken.returncode == 0, taken.stdout + taken.stderr
    said = json.loads(taken.stdout)
    assert said["maker"] == "Microsoft Entra ID"
    assert said["summary"].startswith("An access token")
    assert "on its own behalf" in said["summary"]
    refused = json.loads(innkeeper(*asked, "everything", typed=application).stdout)["verdict"]
    assert refused["refusals"] == ["IK523"]
    assert refused["mends"]


def test_agentcore_rejects_an_applications_token_by_client_and_takes_it_by_audience(
    innkeeper: Innkeeper, tenant: dict[str, Any], application: str, tmp_path: Path
) -> None:
    claims = read_unverified(application).claims
    agentcore(tmp_path, tenant, allowedClients=[claims["azp"]])
    refused = innkeeper("explain", "-", "--as", "agentcore.json", "--json", typed=application)
    assert (refused.returncode, len(json.loads(refused.stdout)["verdict"]["refusals"])) == (1, 1)
    agentcore(tmp_path, tenant, allowedAudience=[claims["aud"]])
    assert innkeeper("explain", "-", "--as", "agentcore.json", typed=application).returncode == 0


def test_the_tenant_is_ill_as_entra_is_and_no_more(tenant: dict[str, Any]) -> None:
    report = examine_issuer(tenant["issuer"])
    assert report.healthy
    assert numbers(report) == {"IK811", "IK819", "IK821", "IK823", "IK824"}
    assert all("Microsoft Entra ID is made so" in one.finding.remedy for one in report.findings() if one.finding)


def test_the_doctor_finds_what_the_clouds_do_for_clients_otherwise_than_others(
    pool: dict[str, Any], tenant: dict[str, Any]
) -> None:
    """A user pool wants each redirect URI to the character, and neither cloud insists on PKCE; nothing else is amiss."""
    assert numbers(_for_a_machine(pool, next(one for one in _machine(pool)["scopes"] if "gym:enter" in one))) == {
        "IK875"
    }
    assert numbers(_for_a_machine(tenant, f"{_machine(tenant)['scopes'][0].rpartition('/')[0]}/.default")) <= {"IK875"}
    for twin in (pool, tenant):
        public = Client(next(one["id"] for one in twin["clients"] if not one["secret"]))
        seen = examine_client(twin["issuer"], public, Access("openid"), redirect_uri="http://localhost/callback")
        assert numbers(Report("", seen)) == {"IK877"}


def _machine(twin: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in twin["clients"] if one["secret"])


def _for_a_machine(twin: dict[str, Any], scope: str) -> Report:
    machine = _machine(twin)
    client, redirect = Client(machine["id"], Secret(machine["secret"])), machine["redirect_uris"][0]
    return Report("", examine_client(twin["issuer"], client, Access(scope), redirect_uri=redirect))
