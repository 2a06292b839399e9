"""The calls that azuread's Terraform provider makes, in its order: apply, a second plan without changes, destroy."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.issuer.house import ORIGIN, Answer
from tests.twins.entra.tenant import (
    CARETAKER,
    CARETAKER_SECRET,
    GRAPH,
    TENANT,
    Tenant,
    access,
    body,
    claims,
    code_of,
)
from tests.twins.parity import parity

ROLE, SCOPE = str(uuid.uuid4()), str(uuid.uuid4())
URI = f"api://{TENANT}/rooms"


class Provider:
    """The provider: it finds the twin by its metadata, gets a token, and reads from it who it is itself."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        found = body(tenant.get("/metadata/endpoints?api-version=2022-09-01"))
        assert found["name"]
        assert found["resourceManager"]
        self.graph = found["microsoftGraphResourceId"].rstrip("/")
        login = found["authentication"]["loginEndpoint"].removeprefix(ORIGIN).rstrip("/")
        form = {
            "client_id": CARETAKER,
            "client_secret": CARETAKER_SECRET,
            "grant_type": "client_credentials",
            "scope": f"{self.graph}/.default",
        }
        self.token = access(tenant.house.post(f"{login}/{TENANT}/oauth2/v2.0/token", form))
        said = claims(self.token)
        self.me = said["oid"]
        assert (said["tid"], said["appid"], said["idtyp"], said["ver"]) == (TENANT, CARETAKER, "app", "1.0")
        assert "Application.ReadWrite.All" in said["roles"]

    def call(self, method: str, path: str, sent: Any = None, *, expected: int) -> Any:
        """A call of Graph, which must answer with this status."""
        answer = self.ask(method, path, sent)
        assert answer.status == expected, (method, path, answer.text)
        return body(answer) if answer.body else None

    def ask(self, method: str, path: str, sent: Any = None) -> Answer:
        path = path if path.startswith("/beta") else f"/v1.0{path}"
        return self.tenant.graph(method, path, sent, self.token)

    def create_application(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Make an application as the provider does: posted, named twice, and its maker is no owner of it."""
        owners = {"owners@odata.bind": [f"{self.graph}/v1.0/directoryObjects/{self.me}"]}
        made = self.call("POST", "/applications", {**sent, **owners}, expected=201)
        for name in (f"TERRAFORM_UPDATE_{uuid.uuid4()}", sent["displayName"]):
            self.call("PATCH", f"/applications/{made['id']}", {"displayName": name}, expected=204)
        self.call("DELETE", f"/applications/{made['id']}/owners/{self.me}/$ref", expected=204)
        return self.read_application(made["id"])

    def read_application(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/applications/{key}", expected=200)
        beta = self.call("GET", f"/beta/applications/{key}?$select=oauth2RequirePostResponse", expected=200)
        assert beta["oauth2RequirePostResponse"] is False
        assert self.call("GET", f"/applications/{key}/owners", expected=200)["value"] == []
        return found

    def create_principal(self, app_id: str, **more: Any) -> dict[str, Any]:
        listed = self.call("GET", f"/servicePrincipals?$filter=appId%20eq%20'{app_id}'", expected=200)
        assert listed["value"] == []
        sent = {
            "appId": app_id,
            "accountEnabled": True,
            "description": f"TERRAFORM_UPDATE_{uuid.uuid4()}",
            "tags": [],
            "owners@odata.bind": [f"{self.graph}/v1.0/directoryObjects/{self.me}"],
            **more,
        }
        made = self.call("POST", "/servicePrincipals", sent, expected=201)
        self.call("PATCH", f"/servicePrincipals/{made['id']}", {"description": ""}, expected=204)
        self.call("DELETE", f"/servicePrincipals/{made['id']}/owners/{self.me}/$ref", expected=204)
        return self.read_principal(made["id"])

    def read_principal(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/servicePrincipals/{key}", expected=200)
        self.call("GET", f"/beta/servicePrincipals/{key}?$select=samlMetadataUrl", expected=200)
        assert self.call("GET", f"/servicePrincipals/{key}/owners", expected=200)["value"] == []
        return found


API = {
    "displayName": "Rooms",
    "signInAudience": "AzureADMyOrg",
    "identifierUris": [URI],
    "api": {
        "acceptMappedClaims": False,
        "knownClientApplications": [],
        "requestedAccessTokenVersion": 2,
        "oauth2PermissionScopes": [
            {
                "id": SCOPE,
                "value": "room.enter",
                "type": "User",
                "isEnabled": True,
                "adminConsentDisplayName": "Enter",
                "adminConsentDescription": "Enter rooms",
            }
        ],
    },
    "appRoles": [
        {
            "id": ROLE,
            "value": "room.clean",
            "displayName": "Clean",
            "description": "Clean rooms",
            "allowedMemberTypes": ["Application"],
            "isEnabled": True,
        }
    ],
    "web": {"redirectUris": [], "implicitGrantSettings": {}},
    "tags": [],
}


@pytest.fixture(scope="module")
def provider(tenant: Tenant) -> Provider:
    return Provider(tenant)


@parity("Terraform", "observed")
def test_apply_then_an_empty_plan_then_destroy(tenant: Tenant, provider: Provider) -> None:
    api = provider.create_application(API)
    principal = provider.create_principal(api["appId"], appRoleAssignmentRequired=True)
    assert [one["id"] for one in principal["appRoles"]] == [ROLE]
    assert [one["id"] for one in principal["oauth2PermissionScopes"]] == [SCOPE]
    assert URI in principal["servicePrincipalNames"]
    assert principal["appOwnerOrganizationId"] == TENANT

    client = provider.create_application({"displayName": "Cleaner", "signInAudience": "AzureADMyOrg"})
    cleaner = provider.create_principal(client["appId"])
    password = {"passwordCredential": {"displayName": "ci", "endDateTime": "2030-01-01T00:00:00Z"}}
    secret = provider.call("POST", f"/applications/{client['id']}/addPassword", password, expected=200)
    kept = provider.call("GET", f"/applications/{client['id']}", expected=200)["passwordCredentials"]
    assert [(one["keyId"], one["secretText"]) for one in kept] == [(secret["keyId"], None)]

    form = {"grant_type": "client_credentials", "client_id": client["appId"], "client_secret": secret["secretText"]}
    before = tenant.token({**form, "scope": f"{URI}/.default"})
    assert code_of(before) == 501051, "a role is required, and none is assigned"

    given = {"appRoleId": ROLE, "principalId": cleaner["id"], "resourceId": principal["id"]}
    where = f"/servicePrincipals/{principal['id']}/appRoleAssignedTo"
    role = provider.call("POST", where, given, expected=201)
    assert provider.call("GET", f"{where}/{role['id']}", expected=200)["principalType"] == "ServicePrincipal"
    consent = {
        "clientId": cleaner["id"],
        "resourceId": principal["id"],
        "scope": "room.enter",
        "consentType": "AllPrincipals",
    }
    grant = provider.call("POST", "/oauth2PermissionGrants", consent, expected=201)

    said = claims(access(tenant.token({**form, "scope": f"{URI}/.default"})))
    assert (said["aud"], said["roles"], said["oid"]) == (api["appId"], ["room.clean"], cleaner["id"])

    again = [provider.read_application(one["id"]) for one in (api, client)]
    assert [_planned(one) for one in again] == [_planned(one) for one in (api, client)], "the second plan is empty"
    assert provider.read_principal(principal["id"]) == principal
    assert provider.call("GET", f"/oauth2PermissionGrants/{grant['id']}", expected=200)["scope"] == "room.enter"

    provider.call("DELETE", f"/oauth2PermissionGrants/{grant['id']}", expected=204)
    provider.call("DELETE", f"{where}/{role['id']}", expected=204)
    gone = {"keyId": secret["keyId"]}
    provider.call("POST", f"/applications/{client['id']}/removePassword", gone, expected=204)
    for key in (cleaner["id"], principal["id"]):
        provider.call("DELETE", f"/servicePrincipals/{key}", expected=204)
    for key in (client["id"], api["id"]):
        provider.call("DELETE", f"/applications/{key}", expected=204)
        provider.call("GET", f"/applications/{key}", expected=404)
    assert code_of(tenant.token({**form, "scope": f"{URI}/.default"})) == 700016


def _planned(application: dict[str, Any]) -> dict[str, Any]:
    """What Terraform compares: all but the secrets' list, which is another resource's."""
    return {name: value for name, value in application.items() if name != "passwordCredentials"}


@parity("Terraform", "observed")
def test_a_role_is_disabled_before_it_is_removed(provider: Provider) -> None:
    made = provider.create_application({**API, "identifierUris": [], "displayName": "Shrinking"})
    path = f"/applications/{made['id']}"
    refused = provider.call("PATCH", path, {"appRoles": []}, expected=400)
    assert refused["error"]["code"] == "CannotDeleteOrUpdateEnabledEntitlement"
    provider.call("PATCH", path, {"appRoles": [{**made["appRoles"][0], "isEnabled": False}]}, expected=204)
    provider.call("PATCH", path, {"appRoles": []}, expected=204)
    assert provider.call("GET", path, expected=200)["appRoles"] == []


@parity("Terraform", "documented")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"identifierUris": ["api://x/"]}, "identifierUris"),
        ({"identifierUris": [URI]}, ""),
        ({"displayName": ""}, "displayName"),
        ({"signInAudience": "Everybody"}, "signInAudience"),
        ({"appRoles": [{**API["appRoles"][0], "id": "no-guid"}]}, "id"),  # type: ignore[index]
        ({"appRoles": [{**API["appRoles"][0], "value": "room.enter"}]}, "duplicate"),  # type: ignore[index]
        ({"appRoles": [{**API["appRoles"][0], "value": "no spaces"}]}, "value"),  # type: ignore[index]
    ],
)
def test_an_application_that_breaks_a_rule_of_the_directory_is_refused(
    provider: Provider, change: dict[str, Any], message: str
) -> None:
    answer = provider.ask("POST", "/applications", {**API, "identifierUris": [], **change})
    if not message:
        assert answer.status == 201, "nobody else has this App ID URI now"
        assert provider.ask("POST", "/applications", {**API, **change}).status == 400
        return
    assert (answer.status, body(answer)["error"]["code"]) == (400, "Request_BadRequest")
    assert message in body(answer)["error"]["message"]


@parity("Terraform", "documented")
def test_there_is_one_service_principal_for_an_application(provider: Provider) -> None:
    made = provider.create_application({"displayName": "Once", "signInAudience": "AzureADMyOrg"})
    provider.create_principal(made["appId"])
    answer = provider.ask("POST", "/servicePrincipals", {"appId": made["appId"]})
    assert (answer.status, body(answer)["error"]["code"]) == (409, "Request_MultipleObjectsWithSameKeyValue")


@parity("Terraform", "observed")
def test_identifier_uris_roles_and_pre_authorization_are_patched_in(provider: Provider) -> None:
    """The split style: each resource reads the application and sends the whole merged list."""
    made = provider.create_application({"displayName": "Split", "signInAudience": "AzureADMyOrg"})
    path = f"/applications/{made['id']}"
    uri = f"api://{made['appId']}"
    provider.call("PATCH", path, {"identifierUris": [uri]}, expected=204)
    provider.call(
        "PATCH", path, {"api": {"oauth2PermissionScopes": API["api"]["oauth2PermissionScopes"]}}, expected=204
    )  # type: ignore[index]
    listed = [{"appId": CARETAKER, "delegatedPermissionIds": [SCOPE]}]
    provider.call("PATCH", path, {"api": {"preAuthorizedApplications": listed}}, expected=204)
    found = provider.call("GET", path, expected=200)
    assert found["identifierUris"] == [uri]
    assert found["api"]["preAuthorizedApplications"] == listed
    assert [one["id"] for one in found["api"]["oauth2PermissionScopes"]] == [SCOPE]


@parity("Terraform", "observed")
def test_federated_credentials_are_made_read_and_removed(provider: Provider) -> None:
    made = provider.create_application({"displayName": "Federated", "signInAudience": "AzureADMyOrg"})
    path = f"/applications/{made['id']}/federatedIdentityCredentials"
    sent = {
        "name": "ci",
        "issuer": "https://issuer.example",
        "subject": "repo:x",
        "audiences": ["api://AzureADTokenExchange"],
    }
    one = provider.call("POST", path, sent, expected=201)
    assert provider.call("GET", f"{path}/{one['id']}", expected=200)["subject"] == "repo:x"
    assert provider.call("GET", path, expected=200)["value"][0]["name"] == "ci"
    provider.call("DELETE", f"{path}/{one['id']}", expected=204)
    provider.call("GET", f"{path}/{one['id']}", expected=404)


@parity("Microsoft Graph", "observed")
def test_what_is_not_there_and_who_may_not_are_told_in_odata(tenant: Tenant, provider: Provider) -> None:
    missing = provider.call("GET", f"/applications/{uuid.uuid4()}", expected=404)["error"]
    assert missing["code"] == "Request_ResourceNotFound"
    assert {"date", "request-id", "client-request-id"} <= set(missing["innerError"])
    nobody = tenant.get("/v1.0/applications")
    assert (nobody.status, body(nobody)["error"]["code"]) == (401, "InvalidAuthenticationToken")
    guest = tenant.signed_in(scope=f"openid {GRAPH}/User.Read")["access_token"]
    denied = tenant.graph("GET", "/v1.0/applications", token=guest)
    assert (denied.status, body(denied)["error"]["code"]) == (403, "Authorization_RequestDenied")


@parity("Microsoft Graph", "documented")
def test_users_are_made_found_changed_and_removed(tenant: Tenant, provider: Provider) -> None:
    sent = {
        "accountEnabled": True,
        "displayName": "Iris Clerk",
        "mailNickname": "iris",
        "userPrincipalName": "iris@hotel.example",
        "passwordProfile": {"password": "Correct-Horse-9", "forceChangePasswordNextSignIn": False},
    }
    made = provider.call("POST", "/users", sent, expected=201)
    by_name = provider.call("GET", "/users/iris@hotel.example", expected=200)
    assert (by_name["id"], by_name["mailNickname"]) == (made["id"], "iris")
    found = provider.call("GET", "/users?$filter=startswith(displayName,'Iris')&$select=id,displayName", expected=200)
    assert found["value"] == [{"id": made["id"], "displayName": "Iris Clerk"}]
    provider.call("PATCH", f"/users/{made['id']}", {"jobTitle": "Clerk", "accountEnabled": False}, expected=204)
    changed = provider.call("GET", f"/users/{made['id']}", expected=200)
    assert (changed["jobTitle"], changed["accountEnabled"]) == ("Clerk", False)
    provider.call("DELETE", f"/users/{made['id']}", expected=204)
    provider.call("GET", f"/users/{made['id']}", expected=404)


@parity("Microsoft Graph", "documented")
def test_groups_have_members_and_members_have_groups(tenant: Tenant, provider: Provider) -> None:
    guest = provider.call("GET", "/users/guest@hotel.example", expected=200)["id"]
    group = provider.call("POST", "/groups", {"displayName": "Guests", "mailNickname": "guests"}, expected=201)["id"]
    link = {"@odata.id": f"{provider.graph}/v1.0/directoryObjects/{guest}"}
    provider.call("POST", f"/groups/{group}/members/$ref", link, expected=204)
    assert [one["id"] for one in provider.call("GET", f"/groups/{group}/members", expected=200)["value"]] == [guest]
    assert group in [one["id"] for one in provider.call("GET", f"/users/{guest}/memberOf", expected=200)["value"]]
    provider.call("DELETE", f"/groups/{group}/members/{guest}/$ref", expected=204)
    assert provider.call("GET", f"/groups/{group}/members", expected=200)["value"] == []


@parity("Microsoft Graph", "documented")
def test_me_is_the_person_of_the_token_and_userinfo_tells_its_members_and_no_other(tenant: Tenant) -> None:
    found = tenant.signed_in(scope=f"openid profile email {GRAPH}/User.Read")
    token = found["access_token"]
    me = body(tenant.graph("GET", "/v1.0/me", token=token))
    assert me["userPrincipalName"] == "guest@hotel.example"
    told = body(tenant.graph("GET", "/oidc/userinfo", token=token))
    assert set(told) == {"sub", "name", "family_name", "given_name", "picture", "email"}
    assert told["sub"] == claims(found["id_token"])["sub"]
    app_only = tenant.graph("GET", "/oidc/userinfo")
    assert app_only.status == 401
    wrong = tenant.client_credentials()
    assert tenant.graph("GET", "/oidc/userinfo", token=access(wrong)).status == 401
