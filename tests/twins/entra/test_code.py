"""Signing in: from /authorize over the pages to a code, and from the code to tokens."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import pytest

from innkeeper.issuer.desk.realm import Realm
from innkeeper.keys.ring import NotOurs
from tests.issuer.house import ORIGIN, VERIFIER
from tests.issuer.visitor import Form
from tests.twins.entra.tenant import (
    API,
    APP,
    APP_CALLBACK,
    CALLBACK,
    CLIENT,
    CONCIERGE,
    GRAPH,
    GUEST,
    SECRET,
    TENANT,
    Tenant,
    body,
    claims,
    code_of,
    fragment,
    header,
)
from tests.twins.parity import parity

ROOM = f"api://{API}/room:enter"


@parity("Code flow", "documented")
def test_a_code_gives_tokens_that_say_who_signed_in_and_what_they_allowed(tenant: Tenant) -> None:
    answer = tenant.redeem(tenant.code())
    found = body(answer)
    assert set(found) == {
        *("token_type", "scope", "expires_in", "ext_expires_in", "access_token", "refresh_token", "id_token"),
    }
    assert ROOM in found["scope"].split()
    said = claims(found["access_token"])
    assert (said["aud"], said["azp"], said["azpacr"], said["scp"]) == (API, APP, "0", "room:enter")
    assert (said["preferred_username"], said["name"], said["tid"]) == (GUEST, "Ada Guest", TENANT)


@parity("Tokens", "documented")
def test_an_id_token_of_version_2_is_for_the_client_and_bears_no_x5t(tenant: Tenant) -> None:
    token = body(tenant.redeem(tenant.code(nonce="n-1")))["id_token"]
    said = claims(token)
    assert (said["aud"], said["iss"], said["ver"]) == (APP, f"{ORIGIN}/{TENANT}/v2.0", "2.0")
    assert (said["nonce"], said["preferred_username"]) == ("n-1", GUEST)
    assert "x5t" not in header(token)


@parity("Tokens", "observed")
def test_an_id_token_of_the_version_1_endpoint_is_of_version_1(tenant: Tenant) -> None:
    browser = tenant.browser()
    page = tenant.authorize(browser, path="oauth2/authorize", scope="openid", resource=f"api://{API}")
    code = tenant.through(browser, page).sent_back["code"]
    form = {"grant_type": "authorization_code", "client_id": APP, "code": code, "redirect_uri": APP_CALLBACK}
    found = body(tenant.token({**form, "code_verifier": VERIFIER, "resource": f"api://{API}"}, "oauth2/token"))
    said = claims(found["id_token"])
    assert header(found["id_token"])["x5t"] == header(found["id_token"])["kid"]
    assert (said["iss"], said["ver"]) == (f"{ORIGIN}/{TENANT}/", "1.0")
    assert (said["unique_name"], said["upn"], said["amr"]) == (GUEST, GUEST, ["pwd"])
    assert "preferred_username" not in said
    assert found["resource"] == f"api://{API}"
    assert claims(found["access_token"])["ver"] == "2.0", "the API's registration picks the version, not the endpoint"


@parity("Code flow", "observed")
def test_a_nonce_is_told_only_to_who_sent_one_and_client_info_only_to_who_asked(tenant: Tenant) -> None:
    plain = body(tenant.redeem(tenant.code()))
    assert "nonce" not in claims(plain["id_token"])
    assert "client_info" not in plain
    asked = body(tenant.redeem(tenant.code(), client_info="1"))["client_info"]
    assert "=" not in asked
    person = claims(plain["id_token"])["oid"]
    assert urlsafe_b64decode(asked + "==") == f'{{"uid":"{person}","utid":"{TENANT}"}}'.encode()


@parity("Code flow", "inferred")
def test_the_answer_has_the_state_of_the_session_and_no_iss(tenant: Tenant) -> None:
    browser = tenant.browser()
    answer = tenant.through(browser, tenant.authorize(browser, client_info="1"))
    assert set(answer.sent_back) == {"code", "state", "session_state", "client_info"}
    assert (answer.status, answer.sent_back["state"]) == (302, "s-1")


@parity("Code flow", "documented")
def test_refresh_token_and_id_token_come_only_for_their_scopes(tenant: Tenant) -> None:
    found = body(tenant.redeem(tenant.code(scope=ROOM)))
    assert not {"refresh_token", "id_token"} & set(found)


@parity("Code flow", "documented")
def test_a_code_is_good_once(tenant: Tenant) -> None:
    code = tenant.code()
    assert tenant.redeem(code).status == 200
    answer = tenant.redeem(code)
    assert (answer.status, body(answer)["error"], code_of(answer)) == (400, "invalid_grant", 54005)


@parity("Code flow", "documented")
def test_a_code_is_good_for_ten_minutes(tenant: Tenant) -> None:
    code = tenant.code()
    tenant.house.clock.move(601)
    answer = tenant.redeem(code)
    assert (body(answer)["error"], code_of(answer)) == ("invalid_grant", 70008)


@parity("Code flow", "documented")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code_verifier": "another-verifier-of-these-tests-is-43-letters"}, 501481),
        ({"code_verifier": ""}, 50148),
        ({"code_verifier": "short"}, 50148),
        ({"redirect_uri": "http://localhost:6000/callback"}, 70000),
        ({"code": "made-up"}, 70000),
    ],
)
def test_a_code_is_refused_to_who_did_not_ask_for_it(tenant: Tenant, changes: dict[str, str], code: int) -> None:
    answer = tenant.redeem(tenant.code(), **changes)
    assert (answer.status, body(answer)["error"], code_of(answer)) == (400, "invalid_grant", code)


def test_a_code_of_another_client_is_refused(tenant: Tenant) -> None:
    answer = tenant.redeem(tenant.code(), **CLIENT)
    assert code_of(answer) in (70000, 700025)


@parity("Code flow", "documented")
def test_plain_challenges_are_taken_and_are_the_default_method(tenant: Tenant) -> None:
    for method in ("plain", ""):
        code = tenant.code(code_challenge=VERIFIER, code_challenge_method=method)
        assert tenant.redeem(code).status == 200
        again = tenant.code(code_challenge=VERIFIER, code_challenge_method=method)
        wrong = tenant.redeem(again, code_verifier="x" * 50)
        assert code_of(wrong) == 501481


@parity("Code flow", "documented")
def test_a_public_client_that_sends_a_secret_is_refused(tenant: Tenant) -> None:
    answer = tenant.redeem(tenant.code(), client_secret="whatever")
    assert (answer.status, body(answer)["error"], code_of(answer)) == (401, "invalid_client", 700025)


@parity("Code flow", "documented")
def test_a_confidential_client_redeems_with_its_secret(tenant: Tenant) -> None:
    code = tenant.code(client_id=CONCIERGE, redirect_uri=CALLBACK)
    form = {"client_id": CONCIERGE, "redirect_uri": CALLBACK}
    assert code_of(tenant.redeem(code, **form)) == 7000218
    found = body(tenant.redeem(code, **form, client_secret=SECRET))
    assert claims(found["access_token"])["azpacr"] == "1"


@parity("Tokens", "documented")
def test_two_clients_know_one_person_by_different_subjects_and_the_same_object_id(tenant: Tenant) -> None:
    code = tenant.code(client_id=CONCIERGE, redirect_uri=CALLBACK)
    one = claims(body(tenant.redeem(code, **CLIENT, redirect_uri=CALLBACK))["id_token"])
    two = claims(body(tenant.redeem(tenant.code()))["id_token"])
    assert one["sub"] != two["sub"]
    assert one["oid"] == two["oid"]
    assert len(one["sub"]) == 43


@parity("Response modes", "documented")
def test_form_post_answers_with_a_page_that_posts_the_fields(tenant: Tenant) -> None:
    browser = tenant.browser()
    page = tenant.through(browser, tenant.authorize(browser, response_mode="form_post"))
    form = Form(page)
    assert page.status == 200
    assert {"code", "state", "session_state"} <= set(form.hidden)
    assert tenant.redeem(form.hidden["code"]).status == 200


@parity("Response modes", "documented")
def test_fragment_puts_the_answer_behind_the_hash(tenant: Tenant) -> None:
    browser = tenant.browser()
    answer = tenant.through(browser, tenant.authorize(browser, response_mode="fragment"))
    assert fragment(answer)["state"] == "s-1"


@parity("Response modes", "documented")
def test_an_id_token_needs_the_registration_to_allow_it_and_never_travels_in_a_query(tenant: Tenant) -> None:
    browser = tenant.browser()
    off = tenant.authorize(browser, response_type="id_token", nonce="n-1")
    assert fragment(off)["error_description"].startswith("AADSTS700054")
    query = tenant.authorize(browser, response_type="id_token", nonce="n-1", response_mode="query")
    assert fragment(query)["error_description"].startswith("AADSTS70007")


@parity("Pages", "documented")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"redirect_uri": "https://evil.example/callback"}, "AADSTS50011"),
        ({"redirect_uri": "http://localhost:5000/Callback"}, "AADSTS50011"),
        ({"client_id": "00000000-0000-0000-0000-00000000dead"}, "AADSTS700016"),
        ({"client_id": ""}, "AADSTS900144"),
        ({"response_type": ""}, "AADSTS700038"),
        ({"response_type": "shoe"}, "AADSTS700038"),
    ],
)
def test_what_cannot_be_sent_back_safely_is_a_page_with_the_code_on_it(
    tenant: Tenant, changes: dict[str, str], code: str
) -> None:
    page = tenant.authorize(tenant.browser(), **changes)
    assert page.status == 400
    assert page.header("location") is None
    assert 'id="error-page"' in page.text
    assert code in page.text


@parity("Pages", "documented")
def test_an_unknown_tenant_is_a_page_too(tenant: Tenant) -> None:
    page = tenant.authorize(tenant.browser(), authority="00000000-0000-0000-0000-000000000001")
    assert (page.status, "AADSTS90002" in page.text) == (400, True)


@parity("Pages", "documented")
@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"scope": ""}, "invalid_request", "AADSTS900144"),
        ({"scope": "api://nobody/x"}, "invalid_resource", "AADSTS500011"),
        ({"scope": f"api://{API}/moon:enter"}, "invalid_client", "AADSTS650053"),
        ({"scope": "moon:enter"}, "invalid_client", "AADSTS650053"),
        ({"scope": f"{ROOM} api://{API}/.default"}, "invalid_scope", "AADSTS70011"),
        ({"code_challenge": "short"}, "invalid_request", "AADSTS50147"),
        ({"response_mode": "pigeon"}, "invalid_request", "AADSTS70007"),
    ],
)
def test_other_errors_go_back_to_the_application(
    tenant: Tenant, changes: dict[str, str], error: str, code: str
) -> None:
    back = tenant.authorize(tenant.browser(), **changes).sent_back
    assert (back["error"], back["state"]) == (error, "s-1")
    assert back["error_description"].startswith(f"{code}: ")
    assert back["error_uri"].startswith(f"{ORIGIN}/error?code=")


@parity("Pages", "documented")
def test_on_localhost_the_port_of_a_redirect_uri_is_let_be(tenant: Tenant) -> None:
    browser = tenant.browser()
    answer = tenant.through(browser, tenant.authorize(browser, redirect_uri="http://localhost:61234/callback"))
    assert answer.location.startswith("http://localhost:61234/callback?")


@parity("Pages", "documented")
def test_prompt_none_without_a_session_is_login_required_and_without_consent_interaction_required(
    tenant: Tenant,
) -> None:
    browser = tenant.browser()
    nobody = tenant.authorize(browser, prompt="none").sent_back
    assert (nobody["error"], nobody["error_description"][:11]) == ("login_required", "AADSTS50058")
    tenant.through(browser, tenant.authorize(browser))
    assert "code" in tenant.authorize(browser, prompt="none").sent_back
    more = tenant.authorize(browser, prompt="none", scope=f"openid api://{API}/vip:enter").sent_back
    assert (more["error"], more["error_description"][:11]) == ("interaction_required", "AADSTS65001")


@parity("Pages", "documented")
def test_prompt_login_asks_for_the_password_although_somebody_is_signed_in(tenant: Tenant) -> None:
    browser = tenant.browser()
    tenant.through(browser, tenant.authorize(browser))
    page = tenant.authorize(browser, prompt="login", login_hint=GUEST)
    assert 'id="password"' in page.text
    assert f'value="{GUEST}"' in page.text
    assert "code" in tenant.through(browser, page).sent_back


@parity("Consent", "documented")
def test_new_scopes_are_asked_for_once_and_declining_is_told(tenant: Tenant) -> None:
    browser = tenant.browser()
    tenant.through(browser, tenant.authorize(browser))
    page = tenant.authorize(browser, scope=f"openid api://{API}/pool:enter")
    assert "Use the pool while it is open" in page.text
    assert "Open the door of your room" not in page.text, "that was allowed before"
    declined = browser.submit(page, decision="deny").sent_back
    assert (declined["error"], declined["error_subcode"]) == ("access_denied", "cancel")
    assert declined["error_description"].startswith("AADSTS65004")
    allowed = browser.allow(tenant.authorize(browser, scope=f"openid api://{API}/pool:enter"))
    assert "code" in allowed.sent_back
    assert "code" in tenant.authorize(browser, scope=f"openid api://{API}/pool:enter").sent_back


@parity("Consent", "documented")
def test_prompt_consent_asks_again_for_what_was_allowed(tenant: Tenant) -> None:
    browser = tenant.browser()
    tenant.through(browser, tenant.authorize(browser))
    page = tenant.authorize(browser, prompt="consent")
    assert 'id="allow"' in page.text
    assert "code" in browser.allow(page).sent_back


@parity("Pages", "observed")
def test_a_wrong_password_is_said_on_the_page_with_its_code(tenant: Tenant) -> None:
    browser = tenant.browser()
    page = browser.sign_in(tenant.authorize(browser), GUEST, "not-the-password")
    assert "AADSTS50126" in page.text
    elsewhere = browser.sign_in(page, "guest@elsewhere.example", "not-the-password")
    assert "AADSTS50020" in elsewhere.text or "AADSTS50126" in elsewhere.text


@parity("Resource parameter", "observed")
@pytest.mark.parametrize(
    ("resource", "scope", "error"),
    [
        (f"api://{API}", ROOM, ""),
        (f"{ORIGIN}/hotel", ROOM, ""),
        (f"{ORIGIN}/hotel/", ROOM, "AADSTS9010010"),
        ("https://other.example", ROOM, "AADSTS9010010"),
        (f"{ORIGIN}/hotel", "User.Read", "AADSTS9010010"),
        (f"{ORIGIN}/hotel", "openid profile", "AADSTS9010010"),
    ],
)
def test_resource_must_equal_an_app_id_uri_of_the_scopes_application(
    tenant: Tenant, resource: str, scope: str, error: str
) -> None:
    browser = tenant.browser()
    answer = tenant.authorize(browser, resource=resource, scope=scope)
    if not error:
        code = tenant.through(browser, answer).sent_back["code"]
        assert claims(body(tenant.redeem(code, resource=resource))["access_token"])["aud"] == API
        return
    assert (answer.sent_back["error"], answer.sent_back["error_description"][:13]) == ("invalid_target", error)


@parity("Tokens", "observed")
def test_a_graph_token_verifies_with_no_published_key(tenant: Tenant) -> None:
    token = str(body(tenant.redeem(tenant.code(scope=f"openid {GRAPH}/User.Read")))["access_token"])
    assert "User.Read" in claims(token)["scp"].split()
    realm = next(one for one in _realms(tenant) if one.name == f"entra-{TENANT}")
    with pytest.raises(NotOurs, match="does not verify"):
        realm.ring.read(token, "JWT")


def _realms(tenant: Tenant) -> list[Realm]:
    return [realm for opened in tenant.house.issuer.opened for realm in opened.realms()]
