"""Refresh, device, on-behalf-of and password: what each gives, and how each is refused."""

from __future__ import annotations

import pytest

from tests.issuer.house import ORIGIN, PASSWORD, Answer
from tests.twins.entra.tenant import (
    ADMIN,
    API,
    APP,
    CALLBACK,
    CLIENT,
    CONCIERGE,
    GRAPH,
    GUEST,
    SECRET,
    TENANT,
    Tenant,
    access,
    body,
    claims,
    code_of,
)
from tests.twins.parity import parity

OBO = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
ROOM = f"api://{API}/room:enter"


def refreshed(tenant: Tenant, token: str, **changes: str) -> Answer:
    return tenant.token({"grant_type": "refresh_token", "client_id": APP, "refresh_token": token, **changes})


@parity("Refresh", "documented")
def test_a_refresh_token_gives_a_new_one_and_stays_good_itself(tenant: Tenant) -> None:
    first = tenant.signed_in()["refresh_token"]
    second = body(refreshed(tenant, first))["refresh_token"]
    assert second != first
    assert refreshed(tenant, first).status == 200
    assert refreshed(tenant, second).status == 200


@parity("Refresh", "documented")
def test_a_refresh_token_serves_another_resource_that_was_consented(tenant: Tenant) -> None:
    tenant.signed_in(scope=f"openid offline_access {GRAPH}/User.Read")
    found = tenant.signed_in()
    assert claims(found["access_token"])["aud"] == API
    other = body(refreshed(tenant, found["refresh_token"], scope=f"{GRAPH}/User.Read"))
    assert claims(other["access_token"])["aud"] == GRAPH
    assert f"{GRAPH}/User.Read" in other["scope"].split()


@parity("Refresh", "documented")
def test_a_resource_nobody_consented_to_needs_consent(tenant: Tenant) -> None:
    found = tenant.signed_in()
    answer = refreshed(tenant, found["refresh_token"], scope=f"api://{CONCIERGE}/user_impersonation")
    assert (body(answer)["error"], code_of(answer)) == ("invalid_grant", 65001)
    assert body(answer)["suberror"] == "consent_required"


@parity("Refresh", "documented")
def test_two_resources_in_one_request_are_refused(tenant: Tenant) -> None:
    found = tenant.signed_in()
    answer = refreshed(tenant, found["refresh_token"], scope=f"{ROOM} {GRAPH}/User.Read")
    assert code_of(answer) == 28000


@parity("Refresh", "documented")
def test_a_refresh_token_dies_after_ninety_days_without_use(tenant: Tenant) -> None:
    token = tenant.signed_in()["refresh_token"]
    tenant.house.clock.move(89 * 86400)
    again = body(refreshed(tenant, token))["refresh_token"]
    tenant.house.clock.move(2 * 86400)
    dead = refreshed(tenant, token)
    assert (body(dead)["error"], code_of(dead)) == ("invalid_grant", 700082)
    assert refreshed(tenant, again).status == 200


@parity("Refresh", "documented")
def test_a_made_up_refresh_token_is_an_invalid_grant(tenant: Tenant) -> None:
    answer = refreshed(tenant, "made-up")
    assert (body(answer)["error"], code_of(answer)) == ("invalid_grant", 70000)


@parity("Refresh", "documented")
def test_revoking_a_persons_sessions_kills_their_refresh_tokens(tenant: Tenant) -> None:
    found = tenant.signed_in()
    oid = claims(found["access_token"])["oid"]
    assert tenant.graph("POST", f"/v1.0/users/{oid}/revokeSignInSessions").status == 200
    answer = refreshed(tenant, found["refresh_token"])
    assert (body(answer)["error"], code_of(answer)) == ("invalid_grant", 50173)


@parity("Single-page applications", "documented")
def test_a_single_page_applications_code_and_tokens_are_for_pages_alone_and_live_a_day(tenant: Tenant) -> None:
    app = body(
        tenant.graph(
            "POST",
            "/v1.0/applications",
            {
                "displayName": "Page",
                "spa": {"redirectUris": ["https://spa.example/"]},
                "requiredResourceAccess": [],
            },
        )
    )
    client, redirect = app["appId"], "https://spa.example/"
    plain = tenant.authorize(tenant.browser(), client_id=client, redirect_uri=redirect, code_challenge="")
    assert plain.sent_back["error_description"].startswith("AADSTS9002325")
    code = tenant.code(client_id=client, redirect_uri=redirect)
    form = {"client_id": client, "redirect_uri": redirect}
    assert code_of(tenant.redeem(code, **form)) == 9002327
    redeem = {
        "grant_type": "authorization_code",
        "code": code,
        **form,
        "code_verifier": "the-verifier-of-these-tests-is-43-letters-long",
    }
    answer = tenant.token(redeem, origin="https://spa.example")
    assert (answer.status, answer.header("access-control-allow-origin")) == (200, "*")
    tenant.house.clock.move(86401)
    dead = tenant.token(
        {"grant_type": "refresh_token", "client_id": client, "refresh_token": body(answer)["refresh_token"]},
        origin="https://spa.example",
    )
    assert code_of(dead) == 700084


def device(tenant: Tenant, authority: str = TENANT) -> Answer:
    form = {"client_id": APP, "scope": f"openid offline_access {ROOM}"}
    return tenant.token(form, "oauth2/v2.0/devicecode", authority)


def poll(tenant: Tenant, code: str, client: str = APP) -> Answer:
    return tenant.token({"grant_type": DEVICE, "client_id": client, "device_code": code, "code": code})


@parity("Device", "documented")
def test_a_device_gets_its_codes_and_after_the_persons_yes_its_tokens(tenant: Tenant) -> None:
    codes = body(device(tenant))
    assert (codes["expires_in"], codes["interval"], len(codes["user_code"])) == (900, 5, 9)
    assert codes["verification_uri"] == f"{ORIGIN}/common/oauth2/deviceauth"
    assert codes["user_code"] in codes["message"]
    assert "verification_uri_complete" not in codes
    pending = poll(tenant, codes["device_code"])
    assert (pending.status, body(pending)["error"], code_of(pending)) == (400, "authorization_pending", 70016)
    browser = tenant.browser()
    page = browser.submit(browser.get("/common/oauth2/deviceauth"), user_code=codes["user_code"].lower())
    page = browser.sign_in(page, GUEST, PASSWORD)
    assert codes["user_code"] in page.text
    assert "You have signed in" in browser.allow(page).text
    found = body(poll(tenant, codes["device_code"]))
    assert claims(found["access_token"])["scp"].split()[0] == "room:enter"
    assert {"refresh_token", "id_token"} <= set(found)
    spent = poll(tenant, codes["device_code"])
    assert (body(spent)["error"], code_of(spent)) == ("bad_verification_code", 70018)


@parity("Device", "documented")
def test_a_declined_device_an_expired_one_and_an_unknown_one_are_told_apart(tenant: Tenant) -> None:
    codes = body(device(tenant))
    browser = tenant.browser()
    page = browser.submit(browser.get("/common/oauth2/deviceauth"), user_code=codes["user_code"])
    page = browser.sign_in(page, GUEST, PASSWORD)
    browser.submit(page, decision="deny")
    assert body(poll(tenant, codes["device_code"]))["error"] == "authorization_declined"
    late = body(device(tenant))["device_code"]
    tenant.house.clock.move(901)
    expired = poll(tenant, late)
    assert (body(expired)["error"], code_of(expired)) == ("expired_token", 70020)
    unknown = poll(tenant, "made-up")
    assert (body(unknown)["error"], code_of(unknown)) == ("bad_verification_code", 70018)


@parity("Device", "documented")
def test_an_application_of_one_tenant_asks_at_that_tenant(tenant: Tenant) -> None:
    assert code_of(device(tenant, "common")) == 50194
    assert code_of(tenant.token({"client_id": APP}, "oauth2/v2.0/devicecode")) == 900144


def for_the_concierge(tenant: Tenant) -> str:
    """A guest's token for the concierge, whom the guest has let enter rooms for them."""
    tenant.code(client_id=CONCIERGE, redirect_uri=CALLBACK)
    return str(tenant.signed_in(scope=f"openid api://{CONCIERGE}/user_impersonation")["access_token"])


def on_behalf(tenant: Tenant, assertion: str, **changes: str) -> Answer:
    form = {
        "grant_type": OBO,
        **CLIENT,
        "assertion": assertion,
        "requested_token_use": "on_behalf_of",
        "scope": f"{ROOM} openid profile offline_access",
        **changes,
    }
    return tenant.token({name: value for name, value in form.items() if value})


@parity("On behalf of", "documented")
def test_the_person_stays_in_the_token_and_the_middle_tier_is_its_client(tenant: Tenant) -> None:
    incoming = for_the_concierge(tenant)
    assert claims(incoming)["aud"] == CONCIERGE
    found = body(on_behalf(tenant, incoming))
    said = claims(found["access_token"])
    assert (said["aud"], said["azp"], said["azpacr"]) == (API, CONCIERGE, "1")
    assert (said["oid"], said["tid"]) == (claims(incoming)["oid"], TENANT)
    assert "room:enter" in said["scp"].split()
    assert "refresh_token" in found


@parity("On behalf of", "documented")
def test_app_only_foreign_and_expired_assertions_are_refused(tenant: Tenant) -> None:
    own = access(tenant.client_credentials(f"{CONCIERGE}/.default"))
    assert code_of(on_behalf(tenant, own)) == 7000114
    other = tenant.signed_in()["access_token"]
    assert code_of(on_behalf(tenant, other)) == 500131
    graph = tenant.signed_in(scope=f"openid {GRAPH}/User.Read")["access_token"]
    assert code_of(on_behalf(tenant, graph)) == 50013
    assert code_of(on_behalf(tenant, "made.up.text")) == 50013
    incoming = for_the_concierge(tenant)
    tenant.house.clock.move(2 * 3600)
    answer = on_behalf(tenant, incoming)
    assert (body(answer)["error"], code_of(answer)) == ("invalid_grant", 500133)


@parity("On behalf of", "documented")
def test_without_consent_for_the_next_api_the_caller_is_told_so(tenant: Tenant) -> None:
    answer = on_behalf(tenant, for_the_concierge(tenant), scope=f"{GRAPH}/User.Read")
    assert (body(answer)["error"], code_of(answer)) == ("invalid_grant", 65001)
    assert code_of(on_behalf(tenant, "x.y.z", client_secret="")) == 7000218
    assert code_of(on_behalf(tenant, "x.y.z", requested_token_use="other")) == 9002313


@parity("Password", "documented")
def test_a_name_and_a_password_give_tokens_and_wrong_ones_say_which(tenant: Tenant) -> None:
    tenant.signed_in()
    form = {
        "grant_type": "password",
        "client_id": APP,
        "username": GUEST,
        "password": PASSWORD,
        "scope": f"openid {ROOM}",
    }
    found = tenant.token(form)
    assert claims(body(found)["access_token"])["scp"].split()[0] == "room:enter"
    at = tenant.token(form, authority="organizations")
    assert code_of(at) == 50194
    assert code_of(tenant.token(form, authority="common")) == 9001023
    wrong = tenant.token({**form, "password": "nope"})
    assert (wrong.status, body(wrong)["error"], code_of(wrong)) == (400, "invalid_grant", 50126)
    nobody = tenant.token({**form, "username": "nobody@hotel.example"})
    assert code_of(nobody) == 50034


@parity("Password", "documented")
@pytest.mark.parametrize(
    ("change", "code"),
    [({"accountEnabled": False}, 50057), ({"passwordProfile": {"forceChangePasswordNextSignIn": True}}, 50055)],
)
def test_a_disabled_account_and_an_expired_password_have_codes_of_their_own(
    tenant: Tenant, change: dict[str, object], code: int
) -> None:
    name = f"clerk{code}@hotel.example"
    sent = {"displayName": "Clerk", "userPrincipalName": name, "passwordProfile": {"password": "Correct-Horse-8"}}
    made = body(tenant.graph("POST", "/v1.0/users", sent))
    assert tenant.graph("PATCH", f"/v1.0/users/{made['id']}", change).status == 204
    form = {"grant_type": "password", "client_id": APP, "username": name, "password": "Correct-Horse-8", "scope": ROOM}
    assert code_of(tenant.token(form)) == code


@parity("Consent", "documented")
def test_an_administrators_consent_spares_everybody_the_question(tenant: Tenant) -> None:
    app = {
        "displayName": "For all",
        "web": {"redirectUris": ["https://all.example/back"]},
        "requiredResourceAccess": [
            {
                "resourceAppId": API,
                "resourceAccess": [
                    {"id": one["id"], "type": "Scope"}
                    for one in body(tenant.graph("GET", f"/v1.0/applications(appId='{API}')"))["api"][
                        "oauth2PermissionScopes"
                    ]
                ],
            }
        ],
    }
    client = body(tenant.graph("POST", "/v1.0/applications", app))["appId"]
    browser = tenant.browser()
    page = browser.get(f"/{TENANT}/adminconsent?client_id={client}&state=s-1&redirect_uri=https://all.example/back")
    page = browser.sign_in(page, ADMIN, PASSWORD)
    assert "for everybody" in page.text
    back = browser.allow(page).sent_back
    assert (back["admin_consent"], back["tenant"], back["state"]) == ("True", TENANT, "s-1")
    guest = tenant.browser()
    page = tenant.authorize(
        guest, client_id=client, redirect_uri="https://all.example/back", scope=f"api://{API}/.default"
    )
    answer = guest.sign_in(page, GUEST, PASSWORD)
    assert "code" in answer.sent_back, "nobody was asked"
    someone = tenant.browser()
    page = someone.get(f"/{TENANT}/adminconsent?client_id={client}&redirect_uri=https://all.example/back")
    assert "AADSTS90094" in someone.sign_in(page, GUEST, PASSWORD).text


@parity("Sign-out", "documented")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_signing_out_goes_back_to_a_registered_address_alone(tenant: Tenant, method: str) -> None:
    browser = tenant.browser()
    tenant.through(browser, tenant.authorize(browser))
    path, back = f"/{TENANT}/oauth2/v2.0/logout", "http://localhost:5000/"
    sent = {"post_logout_redirect_uri": back, "state": "s-1"}
    if method == "GET":
        answer = browser.get(f"{path}?post_logout_redirect_uri={back}&state=s-1")
    else:
        answer = browser.post(path, sent)
    assert answer.location == f"{back}?state=s-1"
    assert 'id="sign-in"' in tenant.authorize(browser).text
    other = browser.get(f"{path}?post_logout_redirect_uri=https://evil.example/")
    assert (other.status, 'id="logged-out"' in other.text) == (200, True)


def test_the_secret_is_the_seeds(tenant: Tenant) -> None:
    assert (len(SECRET), SECRET[3:6]) == (40, "8Q~")
