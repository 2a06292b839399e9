"""What tokens say: version 1 beside version 2, roles and groups of people, optional claims, several tenants."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from innkeeper.issuer.settings import SeedTwin
from tests.issuer.house import ORIGIN, PASSWORD
from tests.twins.entra.tenant import (
    API,
    APP,
    CLIENT,
    CONCIERGE,
    GUEST,
    OTHER,
    TENANT,
    Tenant,
    access,
    body,
    claims,
    code_of,
    header,
    open_tenant,
)
from tests.twins.parity import parity

SCOPE_ID, ROLE_ID = str(uuid.uuid4()), str(uuid.uuid4())
OLD = "api://hotel/old-api"


@pytest.fixture(scope="module")
def old(tenant: Tenant) -> dict[str, str]:
    """An API of version 1, which is what an application gets that says nothing; its ids by name."""
    sent = {
        "displayName": "Old",
        "identifierUris": [OLD],
        "groupMembershipClaims": "SecurityGroup",
        "optionalClaims": {
            "accessToken": [{"name": "idtyp", "additionalProperties": ["include_user_token"]}, {"name": "email"}]
        },
        "api": {"oauth2PermissionScopes": [{"id": SCOPE_ID, "value": "read", "type": "User", "isEnabled": True}]},
        "appRoles": [
            {
                "id": ROLE_ID,
                "value": "reader",
                "allowedMemberTypes": ["Application", "User"],
                "displayName": "x",
                "isEnabled": True,
            }
        ],
    }
    made = body(tenant.graph("POST", "/v1.0/applications", sent))
    principal = body(tenant.graph("POST", "/v1.0/servicePrincipals", {"appId": made["appId"]}))
    return {"app": made["appId"], "object": made["id"], "principal": principal["id"]}


def assign(tenant: Tenant, old: dict[str, str], principal: str) -> None:
    given = {"appRoleId": ROLE_ID, "principalId": principal, "resourceId": old["principal"]}
    assert tenant.graph("POST", f"/v1.0/servicePrincipals/{old['principal']}/appRoleAssignedTo", given).status == 201


@parity("Tokens", "observed")
def test_an_app_only_token_of_version_1_says_exactly_this_from_the_same_endpoint(
    tenant: Tenant, old: dict[str, str]
) -> None:
    own = claims(access(tenant.client_credentials()))["oid"]
    assign(tenant, old, own)
    token = access(tenant.client_credentials(f"{OLD}/.default"))
    said = claims(token)
    assert list(said) == [
        *(
            "aud",
            "iss",
            "iat",
            "nbf",
            "exp",
            "aio",
            "appid",
            "appidacr",
            "idp",
            "oid",
            "rh",
            "roles",
            "sub",
            "tid",
            "uti",
            "ver",
        ),
        *("xms_ftd", "idtyp"),
    ]
    assert (said["iss"], said["idp"]) == (f"{ORIGIN}/{TENANT}/", f"{ORIGIN}/{TENANT}/")
    assert (said["appid"], said["appidacr"], said["ver"], said["roles"]) == (CONCIERGE, "1", "1.0", ["reader"])
    assert header(token) == {"typ": "JWT", "alg": "RS256", "x5t": header(token)["kid"], "kid": header(token)["kid"]}


@parity("Tokens", "documented")
def test_version_1_names_the_audience_as_the_client_did(tenant: Tenant, old: dict[str, str]) -> None:
    for name in (OLD, f"{OLD}/", old["app"]):
        assert claims(access(tenant.client_credentials(f"{name}/.default")))["aud"] == name


@parity("Tokens", "documented")
def test_a_persons_token_of_version_1_names_them_the_old_way(tenant: Tenant, old: dict[str, str]) -> None:
    said = claims(tenant.signed_in(scope=f"openid {OLD}/read")["access_token"])
    assert (said["upn"], said["unique_name"], said["acr"], said["amr"]) == (GUEST, GUEST, "1", ["pwd"])
    assert (said["given_name"], said["family_name"], said["name"]) == ("Ada", "Guest", "Ada Guest")
    assert (said["appid"], said["appidacr"], said["scp"], said["ver"]) == (APP, "0", "read", "1.0")
    assert (said["idtyp"], said["email"]) == ("user", "guest@hotel.example")
    assert not {"azp", "preferred_username", "idp"} & set(said)


@parity("Tokens", "documented")
def test_a_person_with_a_role_has_scopes_and_roles(tenant: Tenant, old: dict[str, str]) -> None:
    person = claims(tenant.signed_in(scope=f"openid {OLD}/read")["access_token"])["oid"]
    assign(tenant, old, person)
    said = claims(tenant.signed_in(scope=f"openid {OLD}/read")["access_token"])
    assert (said["roles"], said["scp"]) == (["reader"], "read")


@parity("Tokens", "documented")
def test_groups_are_listed_up_to_two_hundred_and_then_pointed_to(tenant: Tenant, old: dict[str, str]) -> None:
    first = claims(tenant.signed_in(scope=f"openid {OLD}/read")["access_token"])
    assert "groups" not in first
    member = [f"https://graph.microsoft.com/v1.0/directoryObjects/{first['oid']}"]

    def group(number: int) -> str:
        sent = {"displayName": f"g{number}", "securityEnabled": True, "members@odata.bind": member}
        return str(body(tenant.graph("POST", "/v1.0/groups", sent))["id"])

    one = group(0)
    assert claims(tenant.signed_in(scope=f"openid {OLD}/read")["access_token"])["groups"] == [one]
    for number in range(1, 201):
        group(number)
    said = claims(tenant.signed_in(scope=f"openid {OLD}/read")["access_token"])
    assert "groups" not in said
    assert said["_claim_names"] == {"groups": "src1"}
    assert said["_claim_sources"]["src1"]["endpoint"].endswith(f"/users/{said['oid']}/getMemberObjects")


@parity("Errors", "documented")
def test_an_api_that_requires_an_assignment_refuses_people_without_one(tenant: Tenant, old: dict[str, str]) -> None:
    path = f"/v1.0/servicePrincipals/{old['principal']}"
    assert tenant.graph("PATCH", path, {"appRoleAssignmentRequired": True}).status == 204
    browser = tenant.browser()
    page = tenant.authorize(browser, scope=f"openid {OLD}/read")
    answer = browser.sign_in(page, "vip@hotel.example", PASSWORD)
    assert answer.sent_back["error_description"].startswith("AADSTS50105")
    assert tenant.graph("PATCH", path, {"appRoleAssignmentRequired": False}).status == 204


@parity("Claims challenge", "inferred")
def test_an_authentication_context_that_an_api_challenged_for_is_in_the_token(tenant: Tenant) -> None:
    wanted = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    code = tenant.code(claims=wanted)
    assert claims(body(tenant.redeem(code, claims=wanted))["access_token"])["acrs"] == ["c1"]
    for unread in ("", "no JSON", '{"access_token":{"acrs":null}}', '{"id_token":{"acrs":{"value":"c1"}}}'):
        assert "acrs" not in claims(body(tenant.redeem(tenant.code(), claims=unread))["access_token"])


@parity("Errors", "documented")
def test_a_disabled_application_is_refused(tenant: Tenant) -> None:
    own = claims(access(tenant.client_credentials()))["oid"]
    assert tenant.graph("PATCH", f"/v1.0/servicePrincipals/{own}", {"accountEnabled": False}).status == 204
    assert code_of(tenant.client_credentials()) == 7000112
    assert tenant.graph("PATCH", f"/v1.0/servicePrincipals/{own}", {"accountEnabled": True}).status == 204


@parity("Errors", "documented")
def test_a_secret_expires(tenant: Tenant) -> None:
    made = body(tenant.graph("POST", "/v1.0/applications", {"displayName": "Short"}))
    tenant.graph("POST", "/v1.0/servicePrincipals", {"appId": made["appId"]})
    sent = {"passwordCredential": {"endDateTime": "2027-01-15T08:01:00Z"}}
    secret = body(tenant.graph("POST", f"/v1.0/applications/{made['id']}/addPassword", sent))["secretText"]
    changes = {"client_id": made["appId"], "client_secret": secret}
    assert tenant.client_credentials(**changes).status == 200
    tenant.house.clock.move(61)
    answer = tenant.client_credentials(**changes)
    assert (answer.status, code_of(answer)) == (401, 7000222)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    twin = SeedTwin(dialect="entra", id=OTHER, domains=["motel.onmicrosoft.com", "motel.example"])
    with open_tenant(tmp_path_factory.mktemp("two"), twin) as opened:
        yield opened


@parity("Several tenants", "documented")
def test_an_application_of_one_tenant_is_unknown_in_another_and_refused_at_common(two: Tenant) -> None:
    form = {"grant_type": "client_credentials", **CLIENT, "scope": f"api://{API}/.default"}
    assert code_of(two.token(form, authority=OTHER)) == 700016
    page = two.authorize(two.browser(), authority="common")
    assert "AADSTS50194" in page.text


@parity("Several tenants", "documented")
def test_at_common_the_persons_domain_tells_the_tenant_of_their_token(two: Tenant) -> None:
    sent = {
        "displayName": "Wide",
        "signInAudience": "AzureADMultipleOrgs",
        "web": {"redirectUris": ["https://wide.example/"]},
    }
    made = body(two.graph("POST", "/v1.0/applications", sent))
    secret = body(two.graph("POST", f"/v1.0/applications/{made['id']}/addPassword", {}))["secretText"]
    for name, tenant_id in ((GUEST, TENANT), ("admin@motel.example", OTHER)):
        browser = two.browser()
        page = two.authorize(
            browser,
            authority="common",
            client_id=made["appId"],
            redirect_uri="https://wide.example/",
            scope="openid profile offline_access",
        )
        code = two.through(browser, page, name).sent_back["code"]
        form = {
            "grant_type": "authorization_code",
            "client_id": made["appId"],
            "client_secret": secret,
            "code": code,
            "redirect_uri": "https://wide.example/",
            "code_verifier": "the-verifier-of-these-tests-is-43-letters-long",
        }
        found = body(two.token(form, authority="common"))
        said = claims(found["id_token"])
        assert (said["tid"], said["iss"], said["preferred_username"]) == (tenant_id, f"{ORIGIN}/{tenant_id}/v2.0", name)
        refresh = {"grant_type": "refresh_token", "refresh_token": found["refresh_token"]}
        again = two.token({**refresh, "client_id": made["appId"], "client_secret": secret}, authority="common")
        assert claims(body(again)["id_token"])["tid"] == tenant_id
