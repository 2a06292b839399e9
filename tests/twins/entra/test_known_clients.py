"""Consent for an API and for the API behind it, in one step: the first one lists the client that it is asked by."""

from __future__ import annotations

import uuid
from typing import Any

from tests.issuer.house import PASSWORD
from tests.twins.entra.tenant import APP_CALLBACK, Tenant, body, claims, code_of
from tests.twins.parity import parity

PERSON = "one.step@hotel.example"


def registered(tenant: Tenant, name: str, **said: Any) -> dict[str, Any]:
    answer = tenant.graph("POST", "/v1.0/applications", {"displayName": name, **said})
    assert answer.status == 201, answer.text
    made = body(answer)
    assert tenant.graph("POST", "/v1.0/servicePrincipals", {"appId": made["appId"]}).status == 201
    return made


def scope(value: str) -> dict[str, Any]:
    told = {"adminConsentDisplayName": value, "adminConsentDescription": value, "userConsentDisplayName": value}
    return {"id": str(uuid.uuid4()), "value": value, "type": "User", "isEnabled": True, **told}


def needs(api: dict[str, Any]) -> list[dict[str, Any]]:
    [wanted] = api["api"]["oauth2PermissionScopes"]
    return [{"resourceAppId": api["appId"], "resourceAccess": [{"id": wanted["id"], "type": "Scope"}]}]


@parity("Consent", "documented")
def test_a_known_client_asks_for_the_api_behind_its_api_too(tenant: Tenant) -> None:
    """A client that an API lists in knownClientApplications asks, by .default, for all that the API needs behind it, too."""
    uri = f"api://{uuid.uuid4()}"
    behind = registered(tenant, "Behind", identifierUris=[uri], api={"oauth2PermissionScopes": [scope("read")]})
    middle = registered(
        tenant, "Middle", api={"oauth2PermissionScopes": [scope("act")]}, requiredResourceAccess=needs(behind)
    )
    front = registered(
        tenant,
        "Front",
        publicClient={"redirectUris": [APP_CALLBACK]},
        isFallbackPublicClient=True,
        requiredResourceAccess=needs(middle),
    )
    profile = {"userPrincipalName": PERSON, "passwordProfile": {"password": PASSWORD}, "displayName": "Grace"}
    assert tenant.graph("POST", "/v1.0/users", profile).status == 201
    secret = body(tenant.graph("POST", f"/v1.0/applications/{middle['id']}/addPassword", {}))["secretText"]

    def traded() -> Any:
        """What the middle tier gets for the API behind it, after the person went through whatever is asked."""
        asked = {"client_id": front["appId"], "scope": f"openid {middle['appId']}/.default"}
        browser = tenant.browser()
        page = browser.sign_in(tenant.authorize(browser, **asked), PERSON, PASSWORD)
        pages.append(page.text)
        code = (browser.allow(page) if 'id="allow"' in page.text else page).sent_back["code"]
        token = body(tenant.redeem(code, client_id=front["appId"]))["access_token"]
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "requested_token_use": "on_behalf_of"}
        own = {"client_id": middle["appId"], "client_secret": secret}
        return tenant.token({**form, **own, "assertion": token, "scope": f"{uri}/read"})

    pages: list[str] = []
    refused = traded()
    assert (code_of(refused), "Behind" in pages[-1]) == (65001, False)
    known = {"api": {"knownClientApplications": [front["appId"]]}}
    assert tenant.graph("PATCH", f"/v1.0/applications/{middle['id']}", known).status == 204
    found = claims(body(traded())["access_token"])
    assert "Behind, through Middle" in pages[-1]
    assert (found["scp"], found["appid"]) == ("read", middle["appId"])
    assert 'id="allow"' not in (traded(), pages[-1])[1]
