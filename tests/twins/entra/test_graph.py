"""Microsoft Graph beyond single objects: pages, relations in the answer, batches, and what comes back after it was deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.twins.entra.tenant import CARETAKER, GRAPH, ORIGIN, Tenant, access, body
from tests.twins.parity import parity

GRAPHS = f"{ORIGIN}/v1.0"


def get(tenant: Tenant, path: str) -> dict[str, Any]:
    answer = tenant.graph("GET", path)
    assert answer.status == 200, answer.text
    return body(answer)


def make(tenant: Tenant, path: str, **said: Any) -> dict[str, Any]:
    answer = tenant.graph("POST", path, said)
    assert answer.status == 201, answer.text
    return body(answer)


@parity("Microsoft Graph", "observed")
def test_a_list_comes_in_pages_each_of_which_names_the_next(tenant: Tenant) -> None:
    for number in range(5):
        make(tenant, "/v1.0/groups", displayName=f"Floor {number}")
    path, seen = "/v1.0/groups?$top=2&$orderby=displayName desc&$filter=startswith(displayName,'Floor')&$count=true", []
    path = path.replace(" ", "%20")
    for size in (2, 2, 1):
        page = get(tenant, path)
        assert (len(page["value"]), page["@odata.count"]) == (size, 5)
        seen += [one["displayName"] for one in page["value"]]
        path = page.get("@odata.nextLink", "").removeprefix(ORIGIN)
    assert (seen, path) == ([f"Floor {number}" for number in (4, 3, 2, 1, 0)], "")
    assert tenant.graph("GET", "/v1.0/groups?$top=0").status == 400
    assert tenant.graph("GET", "/v1.0/groups?$skiptoken=nonsense").status == 400


@parity("Microsoft Graph", "observed")
def test_relations_stand_in_the_answer_where_they_are_asked_for(tenant: Tenant) -> None:
    made = make(tenant, "/v1.0/applications", displayName="Expanded")
    one = get(tenant, f"/v1.0/applications/{made['id']}?$select=displayName&$expand=owners($select=id)")
    owner = get(tenant, f"/v1.0/servicePrincipals(appId='{CARETAKER}')")["id"]
    assert {name: value for name, value in one.items() if "@" not in name} == {
        "displayName": "Expanded",
        "owners": [{"id": owner}],
    }
    listed = get(tenant, "/v1.0/applications?$filter=displayName eq 'Expanded'&$expand=owners".replace(" ", "%20"))
    assert [[owner["id"] for owner in one["owners"]] for one in listed["value"]] == [[owner]]
    refused = tenant.graph("GET", f"/v1.0/applications/{made['id']}?$expand=colour")
    assert (refused.status, "Could not find a property named 'colour'" in refused.text) == (400, True)


@parity("Microsoft Graph", "documented")
def test_a_batch_is_its_calls_and_one_that_waits_for_a_failed_one_is_not_made(tenant: Tenant) -> None:
    calls = [
        {"id": "1", "method": "GET", "url": "/organization"},
        {"id": "2", "method": "GET", "url": "/applications/nobody"},
        {"id": "3", "method": "POST", "url": "/groups", "body": {"displayName": "Never"}, "dependsOn": ["2"]},
        {"id": "4", "method": "POST", "url": "/groups", "body": {"displayName": "Made"}, "dependsOn": ["1"]},
    ]
    answers = {one["id"]: one for one in body(tenant.graph("POST", "/v1.0/$batch", {"requests": calls}))["responses"]}
    assert [answers[name]["status"] for name in "1234"] == [200, 404, 424, 201]
    assert answers["4"]["body"]["displayName"] == "Made"
    without = tenant.graph("POST", "/v1.0/$batch", {"requests": calls[:1]}, token="nonsense")
    assert body(without)["responses"][0]["status"] == 401
    for wrong in ([], [{"method": "GET", "url": "/me"}], calls[:1] * 2, calls[:1] * 21):
        assert tenant.graph("POST", "/v1.0/$batch", {"requests": wrong}).status == 400


@parity("Microsoft Graph", "documented")
def test_what_was_deleted_comes_back_within_thirty_days(tenant: Tenant) -> None:
    made = make(tenant, "/v1.0/applications", displayName="Passing", identifierUris=["api://passing"])
    secret = body(tenant.graph("POST", f"/v1.0/applications/{made['id']}/addPassword", {}))["secretText"]
    make(tenant, "/v1.0/servicePrincipals", appId=made["appId"])
    assert tenant.graph("DELETE", f"/v1.0/applications/{made['id']}").status == 204
    listed = get(tenant, "/v1.0/directory/deletedItems/microsoft.graph.application")["value"]
    assert [(one["id"], one["deletedDateTime"] is not None) for one in listed] == [(made["id"], True)]
    restored = tenant.graph("POST", f"/v1.0/directory/deletedItems/{made['id']}/restore")
    assert (restored.status, body(restored)["appId"]) == (200, made["appId"])
    said = {"client_id": made["appId"], "client_secret": secret, "scope": f"{GRAPH}/.default"}
    assert access(tenant.token({"grant_type": "client_credentials", **said}))
    assert tenant.graph("DELETE", f"/v1.0/applications/{made['id']}").status == 204
    other = make(tenant, "/v1.0/applications", displayName="Other", identifierUris=["api://passing"])
    taken = tenant.graph("POST", f"/v1.0/directory/deletedItems/{made['id']}/restore")
    assert (taken.status, "identifierUris" in taken.text) == (400, True)
    assert tenant.graph("DELETE", f"/v1.0/applications/{other['id']}").status == 204
    assert tenant.graph("DELETE", f"/v1.0/directory/deletedItems/{other['id']}").status == 204
    assert tenant.graph("GET", f"/v1.0/directory/deletedItems/{other['id']}").status == 404
    tenant.house.clock.now += 31 * 86_400
    assert get(tenant, "/v1.0/directory/deletedItems/microsoft.graph.application")["value"] == []


@parity("Microsoft Graph", "documented")
@pytest.mark.parametrize("kind", ["user", "group"])
def test_people_and_groups_come_back_as_they_were(tenant: Tenant, kind: str) -> None:
    name = f"back.again.{kind}@hotel.example"
    said = {"displayName": name, "userPrincipalName": name, "passwordProfile": {"password": "Correct-Horse-7"}}
    made = make(tenant, f"/v1.0/{kind}s", **(said if kind == "user" else {"displayName": name}))
    assert tenant.graph("DELETE", f"/v1.0/{kind}s/{made['id']}").status == 204
    assert tenant.graph("GET", f"/v1.0/{kind}s/{made['id']}").status == 404
    assert tenant.graph("POST", f"/v1.0/directory/deletedItems/{made['id']}/restore").status == 200
    assert get(tenant, f"/v1.0/{kind}s/{made['id']}")["displayName"] == name
    if kind == "user":
        assert tenant.code(username=name)
