"""An application on its own behalf: what it gets, and every way in which it is refused."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest

from tests.issuer.house import ORIGIN, Asked
from tests.twins.entra.tenant import (
    API,
    CLIENT,
    CONCIERGE,
    GRAPH,
    HOTEL,
    SECRET,
    TENANT,
    Tenant,
    access,
    body,
    claims,
    code_of,
    header,
)
from tests.twins.parity import parity

SCOPE = f"api://{API}/.default"
ROLES = ["room:enter.all", "gym:enter.all", "pool:enter.all", "vip:enter.all"]


@parity("Client credentials", "documented")
def test_a_secret_in_the_body_or_in_a_basic_header_with_encoded_halves(tenant: Tenant) -> None:
    assert tenant.client_credentials().status == 200
    halves = b64encode(f"{quote(CONCIERGE, safe='')}:{quote(SECRET, safe='')}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    assert tenant.token(form, authorization=f"Basic {halves}").status == 200


@parity("Client credentials", "observed")
def test_the_answer_has_these_four_members_and_no_other_and_is_stored_nowhere(tenant: Tenant) -> None:
    answer = tenant.client_credentials(client_info="1")
    found = body(answer)
    assert list(found) == ["token_type", "expires_in", "ext_expires_in", "access_token"]
    assert (found["token_type"], found["expires_in"], found["ext_expires_in"]) == ("Bearer", 3599, 3599)
    assert answer.header("cache-control") == "no-store, no-cache"
    assert answer.header("content-type") == "application/json; charset=utf-8"


@parity("Client credentials", "observed")
def test_at_version_1_numbers_are_texts_and_the_resource_is_named(tenant: Tenant) -> None:
    form = {"grant_type": "client_credentials", **CLIENT, "resource": HOTEL}
    found = body(tenant.token(form, "oauth2/token"))
    assert (found["expires_in"], found["ext_expires_in"], found["resource"]) == ("3599", "3599", HOTEL)
    assert int(found["expires_on"]) - int(found["not_before"]) == 3900


@parity("Tokens", "observed")
def test_an_app_only_token_of_version_2_says_exactly_this(tenant: Tenant) -> None:
    token = access(tenant.client_credentials())
    said = claims(token)
    assert list(said) == [
        *("aud", "iss", "iat", "nbf", "exp", "aio", "azp", "azpacr", "oid", "rh", "roles", "sub", "tid", "uti", "ver"),
        "xms_ftd",
    ]
    assert said["iss"] == f"{ORIGIN}/{TENANT}/v2.0"
    assert (said["azp"], said["azpacr"], said["tid"], said["ver"]) == (CONCIERGE, "1", TENANT, "2.0")
    assert said["sub"] == said["oid"] != CONCIERGE
    assert len(said["uti"]) == 22
    assert "x5t" not in header(token)


@parity("Tokens", "observed")
@pytest.mark.parametrize("name", [f"api://{API}", HOTEL, API])
def test_version_2_names_the_audience_by_guid_whatever_it_was_called(tenant: Tenant, name: str) -> None:
    assert claims(access(tenant.client_credentials(f"{name}/.default")))["aud"] == API


@parity("Tokens", "observed")
def test_issue_times_lie_five_minutes_back(tenant: Tenant) -> None:
    said = claims(access(tenant.client_credentials()))
    assert said["iat"] == said["nbf"] == tenant.house.clock.now - 300
    assert said["exp"] - said["iat"] == 3900


@parity("Tokens", "documented")
def test_the_roles_stand_as_they_were_assigned(tenant: Tenant) -> None:
    assert claims(access(tenant.client_credentials()))["roles"] == ROLES


@parity("Tokens", "documented")
def test_without_a_role_the_claim_is_absent_and_not_empty(tenant: Tenant) -> None:
    assert "roles" not in claims(access(tenant.client_credentials(f"{CONCIERGE}/.default")))


@parity("Tokens", "documented")
def test_a_token_for_graph_has_a_nonce_in_its_header(tenant: Tenant) -> None:
    token = access(tenant.client_credentials(f"{GRAPH}/.default"))
    assert {"nonce", "x5t", "kid"} <= set(header(token))
    said = claims(token)
    assert (said["aud"], said["ver"], said["idtyp"]) == (GRAPH, "1.0", "app")


@parity("Errors", "observed")
def test_the_body_of_an_error_has_its_members_and_says_who_asked(tenant: Tenant) -> None:
    answer = tenant.token(
        {"grant_type": "client_credentials", **CLIENT, "scope": SCOPE, "client_secret": "wrong"},
        client_request_id="7b8c35cb-0000-4000-8000-000000000001",
        return_client_request_id="true",
    )
    found = body(answer)
    assert set(found) == {
        *("error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri"),
    }
    assert found["correlation_id"] == answer.header("client-request-id") == "7b8c35cb-0000-4000-8000-000000000001"
    assert found["error_description"].endswith(
        f" Trace ID: {found['trace_id']} Correlation ID: {found['correlation_id']} Timestamp: {found['timestamp']}"
    )
    assert found["timestamp"] == "2027-01-15 08:00:00Z"
    assert answer.header("x-ms-request-id") == found["trace_id"]
    assert answer.header("x-ms-clitelem") == "1,7000215,0,,"
    assert found["error_uri"] == f"{ORIGIN}/error?code=7000215"


@parity("Errors", "observed")
def test_the_callers_request_id_may_stand_in_the_query_or_the_form(tenant: Tenant) -> None:
    asked = tenant.token({"grant_type": "x", "client-request-id": "mine"})
    assert body(asked)["correlation_id"] == "mine"
    query = tenant.house.ask(Asked("POST", f"/{TENANT}/oauth2/v2.0/token", b"client-request-id=here"))
    assert body(query)["correlation_id"] == "here"


UNKNOWN = "00000000-0000-0000-0000-00000000dead"


@parity("Errors", "documented")
@pytest.mark.parametrize(
    ("changes", "status", "error", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": ""}, 401, "invalid_client", 7000218),
        ({"client_id": UNKNOWN}, 400, "unauthorized_client", 700016),
        ({"client_id": ""}, 400, "invalid_request", 900144),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": ""}, 400, "invalid_request", 900144),
        ({"scope": "api://nobody/.default"}, 400, "invalid_resource", 500011),
        ({"scope": f"api://{API}/room:enter"}, 400, "invalid_scope", 1002012),
        ({"scope": "room:enter"}, 400, "invalid_scope", 1002012),
        ({"scope": f"{SCOPE} {GRAPH}/.default"}, 400, "invalid_scope", 28000),
        ({"scope": ""}, 400, "invalid_request", 900144),
        ({"scope": f"api://{CONCIERGE}/.default"}, 400, "invalid_grant", 90009),
        ({"client_assertion": "x"}, 400, "invalid_request", 90014),
    ],
)
def test_each_wrong_request_has_its_own_code(
    tenant: Tenant, changes: dict[str, str], status: int, error: str, code: int
) -> None:
    answer = tenant.client_credentials(**{"scope": SCOPE, **changes})
    assert (answer.status, body(answer)["error"], code_of(answer)) == (status, error, code)


@parity("Errors", "documented")
def test_what_is_missing_is_named(tenant: Tenant) -> None:
    assert "parameter: 'scope'" in tenant.client_credentials("").text
    code = tenant.token({"grant_type": "authorization_code", **CLIENT})
    assert "parameter: 'code'" in code.text


@parity("Errors", "documented")
def test_a_get_of_the_token_endpoint_is_refused(tenant: Tenant) -> None:
    answer = tenant.get("oauth2/v2.0/token")
    assert (answer.status, code_of(answer)) == (405, 900561)


@parity("Errors", "documented")
@pytest.mark.parametrize("authority", ["common", "consumers", "organizations"])
def test_client_credentials_need_a_tenant(tenant: Tenant, authority: str) -> None:
    form = {"grant_type": "client_credentials", **CLIENT, "scope": SCOPE}
    assert code_of(tenant.token(form, authority=authority)) == 9001023


@parity("Errors", "documented")
def test_a_page_of_another_origin_gets_no_tokens_for_a_confidential_client(tenant: Tenant) -> None:
    form = {"grant_type": "client_credentials", **CLIENT, "scope": SCOPE}
    answer = tenant.token(form, origin="https://spa.example")
    assert (answer.status, code_of(answer)) == (400, 9002326)


@parity("Errors", "inferred")
@pytest.mark.parametrize("body_of", [b"scope=%ff", b"scope=a&scope=b"])
def test_what_cannot_be_read_is_malformed(tenant: Tenant, body_of: bytes) -> None:
    asked = Asked(
        "POST",
        f"/{TENANT}/oauth2/v2.0/token",
        headers=(("content-type", "application/x-www-form-urlencoded"),),
        chunks=(body_of,),
    )
    assert code_of(tenant.house.ask(asked)) == 9002313


def test_every_refusal_carries_its_trail_and_what_helps(tenant: Tenant) -> None:
    tenant.client_credentials(client_secret="wrong")
    said = tenant.house.last.as_document()
    assert said["refusal"]["number"] == "IK1222"
    assert "Certificates & secrets" in said["refusal"]["console"]
    assert "azuread_application_password" in said["refusal"]["terraform"]
    assert [step["name"] for step in said["steps"]][-1] == "the secret is one of the applications"
    assert SECRET not in str(said)


def test_the_error_page_explains_a_code_in_code_portal_and_terraform(tenant: Tenant) -> None:
    page = tenant.get("/error?code=7000215")
    assert page.status == 200
    for said in ("AADSTS7000215", "In code", "In the portal", "In Terraform", "azuread_application_password.x.value"):
        assert said in page.text
    assert tenant.get("/error?code=1").status == 404
