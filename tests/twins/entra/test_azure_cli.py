"""The Azure command line signs a service principal in, unmodified, by its own settings and in zero-change mode."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.docs.blocks import block
from tests.twins.conftest import Run, document
from tests.twins.entra.sdks import Twin
from tests.twins.entra.tenant import TENANT, claims
from tests.twins.parity import parity

pytestmark = pytest.mark.outside

QUIET = {"AZURE_CORE_COLLECT_TELEMETRY": "false", "AZURE_CORE_NO_COLOR": "true", "AZURE_CORE_SURVEY_MESSAGE": "false"}


@parity("SDKs", "observed")
def test_with_its_own_settings(twin: Twin, outsider: Callable[[str], Path], run: Run, tmp_path: Path) -> None:
    az, origin = str(outsider("azure-cli") / "bin" / "az"), f"https://{twin.host}"
    told = {**QUIET, "REQUESTS_CA_BUNDLE": twin.ca, "AZURE_CONFIG_DIR": str(tmp_path / "azure")}
    told["AZURE_CORE_INSTANCE_DISCOVERY"] = "false"
    registered = run(az, "cloud", "register", "--name", "twin", "--endpoint-resource-manager", origin, **told)
    assert registered.returncode == 0, registered.stderr
    assert run(az, "cloud", "set", "--name", "twin", **told).returncode == 0
    signed_in(lambda *words: run(az, *words, **told), twin)


def test_with_microsofts_own_hosts(twin: Twin, outsider: Callable[[str], Path], rerouted: Run, tmp_path: Path) -> None:
    """The Azure command line signs a service principal in, gets tokens and administers applications."""
    az, told = str(outsider("azure-cli") / "bin" / "az"), {**QUIET, "AZURE_CONFIG_DIR": str(tmp_path / "azure")}
    signed_in(lambda *words: rerouted(az, *words, **told), twin)


def signed_in(az: Run, twin: Twin) -> None:
    client, secret = twin.caretaker
    login = ("login", "--service-principal", "--username", client, "--tenant", TENANT, "--allow-no-subscriptions")
    refused = az(*login, "--password", "wrong")
    assert (refused.returncode, "AADSTS7000215" in refused.stderr) == (1, True), refused.stderr
    [account] = document(az(*login, "--password", secret))
    assert (account["tenantId"], account["user"]) == (TENANT, {"name": client, "type": "servicePrincipal"})
    token = document(az("account", "get-access-token", "--scope", twin.scope))["accessToken"]
    assert claims(token)["azp"] == client
    made = document(az("ad", "app", "create", "--display-name", "From az"))
    assert made["id"] in [one["id"] for one in document(az("ad", "app", "list", "--display-name", "From az"))]
    principal = document(az("ad", "sp", "create", "--id", made["appId"]))
    assert principal["appDisplayName"] == "From az"
    assert az("ad", "app", "delete", "--id", made["appId"]).returncode == 0
    assert document(az("ad", "app", "list", "--display-name", "From az")) == []


def test_the_lines_of_the_course_as_they_stand(
    twin: Twin, outsider: Callable[[str], Path], rerouted: Run, tmp_path: Path
) -> None:
    """What the course types at Microsoft's own hosts, after a sign-in, makes what the page says."""
    home, told = outsider("azure-cli"), {**QUIET, "AZURE_CONFIG_DIR": str(tmp_path / "azure")}
    client, secret = twin.caretaker
    login = f"az login --service-principal -u {client} -p '{secret}' --tenant {TENANT} --allow-no-subscriptions"
    script = f"""set -euo pipefail
{login} >/dev/null
{{
{block("docs/tutorial/entra.md", "text").text}
}} > lines.txt
tail -n 1 lines.txt
az ad app show --id $API --query '[api.requestedAccessTokenVersion, identifierUris[0], appId]' -o tsv
az ad sp show --id $API --query appId -o tsv
az ad sp show --id $CLIENT --query appId -o tsv
"""
    done = rerouted("bash", "-c", script, **told, PATH=f"{home / 'bin'}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr[-3000:]
    password, version, uri, api, principal, agent = done.stdout.split()
    assert (version, uri, principal) == ("2", f"api://{api}", api)
    form = {
        "grant_type": "client_credentials",
        "client_id": agent,
        "client_secret": password,
        "scope": f"{uri}/.default",
    }
    came = httpx2.post(f"{twin.inn.url}/{TENANT}/oauth2/v2.0/token", data=form).json()
    assert claims(came["access_token"])["aud"] == api
