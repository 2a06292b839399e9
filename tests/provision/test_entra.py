"""Provisioning Entra ID on the twin: to the first token, through a directory that is slow to know what it was told."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from innkeeper.cli import main
from innkeeper.client import Access, Client, Refused, Secret, client_credentials, discover, run
from innkeeper.client.profiles import load, names
from innkeeper.provision import record
from innkeeper.provision.entra import Entra
from innkeeper.provision.graph import Graph, by_secret, from_environment
from innkeeper.provision.inputs import EntraInputs, read
from innkeeper.provision.parts import Change
from innkeeper.provision.running import Run
from tests.inn import Inn
from tests.terraform.modules import ROOT, bare, tree
from tests.twins.entra.tenant import CARETAKER, CARETAKER_SECRET, CONCIERGE, SECRET, TENANT, claims

NOW = datetime.now(UTC)


class Slow(httpx2.BaseTransport):
    """The way to the twin as the real directory is: busy at first, lists in pages, and what was just made is unknown to
    the part that is asked next. Everything else is the twin's answer."""

    def __init__(self) -> None:
        self._way = httpx2.HTTPTransport()
        self._refused: set[str] = set()
        self.busy = 1

    def close(self) -> None:
        self._way.close()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if self.busy and request.method == "GET":
            self.busy -= 1
            return httpx2.Response(429, headers={"retry-after": "3"}, json={"error": {"code": "TooManyRequests"}})
        if request.method == "POST" and self._for_the_first_time(path):
            said = "The appId 'x' of the service principal does not reference a valid application object."
            return httpx2.Response(400, json={"error": {"code": "Request_BadRequest", "message": said}})
        answer = self._way.handle_request(request)
        return self._paged(request, answer) if request.method == "GET" else answer

    def _for_the_first_time(self, path: str) -> bool:
        what = path.rpartition("/")[2]
        first = what in ("servicePrincipals", "appRoleAssignedTo") and what not in self._refused
        self._refused.add(what)
        return first

    def _paged(self, request: httpx2.Request, answer: httpx2.Response) -> httpx2.Response:
        document = json.loads(answer.read())
        listed = document.get("value")
        if not isinstance(listed, list) or len(listed) < 2:
            return httpx2.Response(answer.status_code, json=document)
        first = int(request.url.params.get("at", "0"))
        more = (
            {"@odata.nextLink": str(request.url.copy_merge_params({"at": first + 1}))}
            if first + 1 < len(listed)
            else {}
        )
        return httpx2.Response(200, json={**document, "value": listed[first : first + 1], **more})


def start(
    house: Inn, prefix: str, said: dict[str, Any], now: datetime = NOW, transport: httpx2.BaseTransport | None = None
) -> tuple[Run, Entra, list[float]]:
    inputs = read(EntraInputs, {"name_prefix": prefix, "tenant_id": TENANT, **said})
    run_ = Run(prefix, "entra", inputs, record.load(prefix, "entra"))
    http, waited = httpx2.Client(transport=transport or httpx2.HTTPTransport(), timeout=60), []
    _ways.append(http)
    token = by_secret(http, house.url, TENANT, CARETAKER, CARETAKER_SECRET, "https://graph.microsoft.com")
    graph = Graph(http, house.url, token, waited.append)
    return run_, Entra(graph, inputs, run_.record.secrets, run_.remember, now, house.url), waited


_ways: list[httpx2.Client] = []


@pytest.fixture(autouse=True)
def _closed_afterwards() -> Iterator[None]:
    yield
    while _ways:
        _ways.pop().close()


def actions(changes: list[Change]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in changes:
        counts[one.action] = counts.get(one.action, 0) + 1
    return counts


def token_of(outputs: dict[str, Any], client: str) -> dict[str, Any]:
    by = Client(outputs["client_ids"][client], Secret(outputs["client_secrets"][client]))
    token = run(client_credentials(run(discover(outputs["issuer"])), by, Access(outputs["request_scopes"][client])))
    return claims(token.access_token)


def ignored(_: Change) -> None:
    pass


def test_it_is_planned_made_found_again_changed_and_destroyed(house: Inn, hotel: dict[str, Any]) -> None:
    run_, cloud, _ = start(house, "hotel-one", hotel)
    assert actions(run_.plan(cloud)) == {"make": 15}
    assert cloud.made() == [], "a plan changes nothing"

    outputs = run_.apply(cloud, ignored)
    assert set(outputs) == {bare(name) for one in tree(ROOT / "entra")["output"] for name in one}
    said = token_of(outputs, "concierge")
    assert (said["aud"], said["ver"]) == (outputs["audience"][0], "2.0")
    assert sorted(said["roles"]) == ["role.gym:enter", "role.room:enter"]
    assert set(outputs["client_secrets"]) == {"concierge", "site"}

    run_, cloud, _ = start(house, "hotel-one", hotel)
    assert actions(run_.plan(cloud)) == {"keep": 15}, "a second plan is empty"
    assert run_.apply(cloud, ignored) == outputs

    hotel["machine_clients"]["concierge"]["scopes"] = ["room:enter"]
    hotel["web_clients"] = {"app": {**hotel["web_clients"]["app"], "scopes": ["room:enter", "gym:enter"]}}
    hotel["groups"] = {}
    run_, cloud, _ = start(house, "hotel-one", hotel)
    lines = {one.line for one in run_.plan(cloud) if one.action != "keep"}
    assert lines == {
        "~ application hotel-one concierge",
        "~ application hotel-one app",
        "~ consent for everybody who uses hotel-one app",
        "- application hotel-one site",
        "- role assignment role.gym:enter to hotel-one concierge",
        "- group guests",
    }
    after = run_.apply(cloud, ignored)
    assert token_of(after, "concierge")["roles"] == ["role.room:enter"]
    assert after["client_ids"]["concierge"] == outputs["client_ids"]["concierge"]

    hotel["scopes"] = {"room:enter": "Open your door"}
    hotel["web_clients"] = {}
    run_, cloud, _ = start(house, "hotel-one", hotel)
    run_.apply(cloud, ignored)
    api = cloud.api.read()
    assert [one["value"] for one in api["appRoles"]] == ["role.room:enter"], "switched off, then removed"
    run_, cloud, _ = start(house, "hotel-one", hotel)
    assert set(actions(run_.plan(cloud))) == {"keep"}
    run_.destroy(run_.doomed(cloud, with_everything=False), ignored)
    assert start(house, "hotel-one", hotel)[1].made() == []


def test_a_slow_directory_is_waited_for(house: Inn, hotel: dict[str, Any]) -> None:
    run_, cloud, waited = start(house, "hotel-slow", hotel, transport=Slow())
    outputs = run_.apply(cloud, ignored)
    assert waited == [3.0, 1.0, 1.0], "as long as it said; then a second for each that was not known yet"
    assert sorted(token_of(outputs, "concierge")["roles"]) == ["role.gym:enter", "role.room:enter"]
    run_, cloud, _ = start(house, "hotel-slow", hotel, transport=Slow())
    assert actions(run_.plan(cloud)) == {"keep": 15}, "through pages of one, too"
    run_.destroy(run_.doomed(cloud, with_everything=False), ignored)


def test_a_run_that_broke_off_goes_on_with_what_it_made(house: Inn) -> None:
    said = {"api_identifier": "api://hotel-two"}
    other, cloud_of_other, _ = start(house, "another", said)
    other.apply(cloud_of_other, ignored)
    run_, cloud, _ = start(house, "hotel-two", said)
    told: list[str] = []
    with pytest.raises(Refused, match=r"identifierUris.*run the same command again.*IK642"):
        run_.apply(cloud, lambda one: told.append(one.line))
    assert told == ["+ application hotel-two API"]
    first = cloud.api.read()["appId"]

    other.destroy(other.doomed(cloud_of_other, with_everything=False), ignored)
    run_, cloud, _ = start(house, "hotel-two", said)
    outputs = run_.apply(cloud, ignored)
    assert (outputs["audience"], len(cloud.applications())) == ([first], 2)
    run_.destroy(run_.doomed(cloud, with_everything=False), ignored)


def test_a_secret_is_told_once_and_made_anew_when_nobody_knows_it_or_its_time_is_over(house: Inn) -> None:
    run_, cloud, _ = start(house, "hotel-three", {"secret_days": 10})
    first = run_.apply(cloud, ignored)["client_secrets"]["agent"]
    late = start(house, "hotel-three", {"secret_days": 10}, NOW + timedelta(days=11))
    assert [one.line for one in late[0].plan(late[1]) if one.action != "keep"] == ["+ secret of hotel-three agent"]

    begin = {"secrets_begin": NOW.strftime("%Y-%m-%dT00:00:00Z")}
    run_, cloud, _ = start(house, "hotel-three", begin)
    second = run_.apply(cloud, ignored)
    assert second["client_secrets"]["agent"] != first
    assert token_of(second, "agent")["roles"] == ["role.read"]
    held = next(iter(cloud.machines.values())).read()["passwordCredentials"]
    assert len(held) == 1, "the one before went"

    record.forget("hotel-three")
    run_, cloud, _ = start(house, "hotel-three", begin)
    assert [one.line for one in run_.plan(cloud) if one.action != "keep"] == ["+ secret of hotel-three agent"]
    assert token_of(run_.apply(cloud, ignored), "agent")["roles"] == ["role.read"]
    run_.destroy(run_.doomed(cloud, with_everything=False), ignored)


def test_a_federated_credential_takes_the_place_of_a_secret(house: Inn) -> None:
    trusted = {
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:hotel/desk:ref:refs/heads/main",
    }
    said = {"machine_clients": {"ci": {"scopes": ["read"], "federated_credential": trusted}}}
    run_, cloud, _ = start(house, "hotel-four", said)
    assert run_.apply(cloud, ignored)["client_secrets"] == {}
    trusted["subject"] = "repo:hotel/desk:environment:live"
    run_, cloud, _ = start(house, "hotel-four", said)
    assert [one.line for one in run_.plan(cloud) if one.action != "keep"] == ["~ federated credential of hotel-four ci"]
    run_.apply(cloud, ignored)
    run_, cloud, _ = start(house, "hotel-four", said)
    assert set(actions(run_.plan(cloud))) == {"keep"}
    run_.destroy(run_.doomed(cloud, with_everything=False), ignored)


def test_the_command_makes_a_profile_and_takes_it_away(at_the_house: Inn, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provision", "entra", "hotel-six", "--twin", "--yes"]) == 0
    said = capsys.readouterr()
    outputs = record.load("hotel-six", "entra").outputs
    assert outputs["client_secrets"]["agent"] not in said.out + said.err
    assert load("hotel-six").audience_of_this_client == outputs["audience"][0]
    assert main(["token", "--profile", "hotel-six"]) == 0
    assert claims(capsys.readouterr().out.strip())["azp"] == outputs["client_ids"]["agent"]
    assert main(["provision", "destroy", "entra", "hotel-six", "--twin", "--yes"]) == 0
    assert names() == []
    assert main(["provision", "destroy", "entra", "hotel-six", "--twin", "--tenant", "x"]) == 2


def test_who_asks_is_whom_azure_identity_finds(
    house: Inn, hotel: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"TENANT_ID": TENANT, "CLIENT_ID": CARETAKER, "CLIENT_SECRET": CARETAKER_SECRET}
    for name, value in said.items():
        monkeypatch.setenv(f"AZURE_{name}", value)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", house.tls_url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(house.authority))
    with httpx2.Client() as http:
        assert claims(from_environment(http, TENANT)())["appid"] == CARETAKER


def test_without_azure_identity_the_environment_is_read(house: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", house.url)
    monkeypatch.setenv("AZURE_CLIENT_ID", CARETAKER)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", CARETAKER_SECRET)
    with httpx2.Client() as http:
        assert claims(from_environment(http, TENANT)())["appid"] == CARETAKER
        monkeypatch.setenv("AZURE_CLIENT_SECRET", "wrong")
        with pytest.raises(Refused, match=r"AADSTS7000215.*IK641"):
            from_environment(http, TENANT)()
        monkeypatch.delenv("AZURE_CLIENT_SECRET")
        with pytest.raises(Refused, match=r"az login.*IK641"):
            from_environment(http, TENANT)


def test_a_missing_permission_is_named(house: Inn) -> None:
    with httpx2.Client() as http:
        token = by_secret(http, house.url, TENANT, CONCIERGE, SECRET, "https://graph.microsoft.com")
        with pytest.raises(Refused, match=r"Application\.ReadWrite\.All.*IK642"):
            Graph(http, house.url, token, lambda _: None).all("/applications")
