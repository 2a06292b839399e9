"""What a tenant says of itself."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha1

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from innkeeper.protocol import base64url
from tests.issuer.house import ORIGIN
from tests.twins.entra.tenant import TENANT, Tenant, access, body, claims, code_of, open_tenant
from tests.twins.parity import parity

VERSION_2 = {
    "token_endpoint": f"{ORIGIN}/{TENANT}/oauth2/v2.0/token",
    "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    "jwks_uri": f"{ORIGIN}/{TENANT}/discovery/v2.0/keys",
    "response_modes_supported": ["query", "fragment", "form_post"],
    "subject_types_supported": ["pairwise"],
    "id_token_signing_alg_values_supported": ["RS256"],
    "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
    "scopes_supported": ["openid", "profile", "email", "offline_access"],
    "issuer": f"{ORIGIN}/{TENANT}/v2.0",
    "request_uri_parameter_supported": False,
    "userinfo_endpoint": f"{ORIGIN}/oidc/userinfo",
    "authorization_endpoint": f"{ORIGIN}/{TENANT}/oauth2/v2.0/authorize",
    "device_authorization_endpoint": f"{ORIGIN}/{TENANT}/oauth2/v2.0/devicecode",
    "http_logout_supported": True,
    "frontchannel_logout_supported": True,
    "end_session_endpoint": f"{ORIGIN}/{TENANT}/oauth2/v2.0/logout",
    "kerberos_endpoint": f"{ORIGIN}/{TENANT}/kerberos",
    "tenant_region_scope": "EU",
    "cloud_instance_name": "microsoftonline.com",
    "cloud_graph_host_name": "graph.windows.net",
    "msgraph_host": "graph.microsoft.com",
    "rbac_url": "https://pas.windows.net",
}
"""Every field that is not optional, but ``claims_supported``, in the order in which they are sent."""

UNSUPPORTED = {
    "registration_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "pushed_authorization_request_endpoint",
    "code_challenge_methods_supported",
    "grant_types_supported",
}


@parity("Discovery", "observed")
def test_the_version_2_document_has_every_field_in_order_and_is_cached_a_day(tenant: Tenant) -> None:
    answer = tenant.get("v2.0/.well-known/openid-configuration")
    document = body(answer)
    named = document.pop("claims_supported")
    assert list(document.items()) == list(VERSION_2.items())
    assert {"sub", "iss", "preferred_username", "tid", "ver", "at_hash", "c_hash", "email"} <= set(named)
    assert answer.header("cache-control") == "max-age=86400, private"
    assert answer.header("access-control-allow-origin") == "*"


@parity("Discovery", "documented")
@pytest.mark.parametrize("domain", ["hotel.example", "innkeeper.onmicrosoft.com"])
def test_a_tenant_asked_by_its_domain_has_its_guid_in_the_issuer(tenant: Tenant, domain: str) -> None:
    assert body(tenant.get(f"/{domain}/v2.0/.well-known/openid-configuration"))["issuer"] == VERSION_2["issuer"]


@parity("Discovery", "documented")
@pytest.mark.parametrize("alias", ["common", "organizations"])
def test_the_issuer_of_common_and_organizations_is_a_template(tenant: Tenant, alias: str) -> None:
    document = body(tenant.get(f"/{alias}/v2.0/.well-known/openid-configuration"))
    assert (document["issuer"], document["tenant_region_scope"]) == (f"{ORIGIN}/{{tenantid}}/v2.0", None)


@parity("Discovery", "documented")
def test_consumers_stands_for_the_tenant_of_personal_accounts(tenant: Tenant) -> None:
    document = body(tenant.get("/consumers/v2.0/.well-known/openid-configuration"))
    assert document["issuer"] == f"{ORIGIN}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"


@parity("Discovery", "observed")
def test_the_version_1_issuer_ends_in_a_slash_and_knows_the_scope_openid_alone(tenant: Tenant) -> None:
    document = body(tenant.get(".well-known/openid-configuration"))
    assert document["issuer"] == f"{ORIGIN}/{TENANT}/"
    assert document["scopes_supported"] == ["openid"]
    assert document["microsoft_multi_refresh_token"] is True
    assert document["jwks_uri"] == f"{ORIGIN}/common/discovery/keys"
    assert document["check_session_iframe"] == f"{ORIGIN}/{TENANT}/oauth2/checksession"


@parity("Discovery", "observed")
@pytest.mark.parametrize("path", ["v2.0/.well-known/openid-configuration", ".well-known/openid-configuration"])
def test_registration_introspection_revocation_and_pkce_are_not_advertised(tenant: Tenant, path: str) -> None:
    assert UNSUPPORTED.isdisjoint(body(tenant.get(path)))


def test_a_switch_advertises_pkce(tmp_path_factory: pytest.TempPathFactory) -> None:
    with open_tenant(tmp_path_factory.mktemp("switched"), advertise_pkce=True) as switched:
        document = body(switched.get("v2.0/.well-known/openid-configuration"))
    assert document["code_challenge_methods_supported"] == ["S256"]


def test_issuers_can_be_spelt_as_the_cloud_spells_them_at_the_twins_own_addresses(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with open_tenant(tmp_path_factory.mktemp("cloud"), issuer="cloud") as tenant:
        document = body(tenant.get("v2.0/.well-known/openid-configuration"))
        said = claims(access(tenant.client_credentials()))
        old = body(tenant.get(".well-known/openid-configuration"))
    assert document["issuer"] == said["iss"] == f"https://login.microsoftonline.com/{TENANT}/v2.0"
    assert document["token_endpoint"].startswith(ORIGIN)
    assert old["issuer"] == f"https://sts.windows.net/{TENANT}/"


@parity("Discovery", "observed")
@pytest.mark.parametrize(
    ("authority", "code"),
    [("00000000-0000-0000-0000-000000000001", 90002), ("elsewhere.example", 90002), ("undefined", 900023)],
)
def test_an_unknown_tenant_is_90002_and_what_is_no_tenants_name_900023(
    tenant: Tenant, authority: str, code: int
) -> None:
    for path in ("v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"):
        answer = tenant.get(f"/{authority}/{path}")
        assert (answer.status, code_of(answer)) == (400, code)
    answer = tenant.token({"grant_type": "client_credentials"}, authority=authority)
    assert (answer.status, body(answer)["error"], code_of(answer)) == (400, "invalid_request", code)


@parity("Keys", "documented")
@pytest.mark.parametrize("path", ["discovery/v2.0/keys", "discovery/keys"])
def test_a_key_is_named_by_the_thumbprint_of_the_certificate_that_comes_with_it(tenant: Tenant, path: str) -> None:
    keys = body(tenant.get(path))["keys"]
    assert keys
    for key in keys:
        der = b64decode(key["x5c"][0])
        assert key["kid"] == key["x5t"] == base64url.encode_text(sha1(der).digest())
        public = x509.load_der_x509_certificate(der).public_key()
        assert isinstance(public, RSAPublicKey)
        assert int.from_bytes(base64url.decode(key["n"])) == public.public_numbers().n
        assert (key["kty"], key["use"], key["e"], "alg" in key) == ("RSA", "sig", "AQAB", False)


@parity("Keys", "documented")
def test_version_2_says_whose_each_key_is_and_common_says_it_as_a_template(tenant: Tenant) -> None:
    assert [key["issuer"] for key in body(tenant.get("discovery/v2.0/keys"))["keys"]] == [f"{ORIGIN}/{TENANT}/v2.0"]
    common = body(tenant.get("/common/discovery/v2.0/keys"))["keys"]
    assert [key["issuer"] for key in common] == [f"{ORIGIN}/{{tenantid}}/v2.0"]
    assert all("issuer" not in key for key in body(tenant.get("discovery/keys"))["keys"])


@parity("Keys", "documented")
def test_an_appid_asked_for_at_discovery_goes_along_to_the_keys(tenant: Tenant) -> None:
    document = body(tenant.get("v2.0/.well-known/openid-configuration?appid=x"))
    assert document["jwks_uri"] == f"{VERSION_2['jwks_uri']}?appid=x"
    assert tenant.get("discovery/v2.0/keys?appid=x").status == 200


@parity("Instance discovery", "observed")
@pytest.mark.parametrize("host", ["127.0.0.1:8400", "127.0.0.1"])
def test_instance_discovery_knows_the_twin_with_and_without_its_port(tenant: Tenant, host: str) -> None:
    endpoint = f"https://{host}/{TENANT}/oauth2/v2.0/authorize"
    answer = tenant.get(f"/common/discovery/instance?api-version=1.1&authorization_endpoint={endpoint}")
    document = body(answer)
    own, cloud = document["metadata"]
    assert (own["preferred_network"], own["preferred_cache"]) == ("127.0.0.1:8400", "127.0.0.1:8400")
    assert host in own["aliases"]
    assert "login.microsoftonline.com" in cloud["aliases"]
    assert document["tenant_discovery_endpoint"] == f"{ORIGIN}/{TENANT}/v2.0/.well-known/openid-configuration"


@parity("Instance discovery", "observed")
def test_an_unknown_host_is_an_invalid_instance(tenant: Tenant) -> None:
    answer = tenant.get(
        "/common/discovery/instance?authorization_endpoint=https://evil.example/common/oauth2/authorize"
    )
    assert (answer.status, body(answer)["error"], code_of(answer)) == (400, "invalid_instance", 50049)
    assert "error_uri" in body(answer)


@parity("Instance discovery", "observed")
def test_the_realm_of_a_user_name_is_managed_where_the_domain_is_a_tenants(tenant: Tenant) -> None:
    assert body(tenant.get("/common/userrealm/guest@hotel.example?api-version=1.0"))["account_type"] == "Managed"
    assert body(tenant.get("/common/userrealm/guest@elsewhere.example?api-version=1.0"))["account_type"] == "Unknown"


@parity("Discovery", "observed")
def test_the_resource_managers_metadata_leads_providers_to_the_twin(tenant: Tenant) -> None:
    document = body(tenant.get("/metadata/endpoints?api-version=2022-09-01"))
    assert document["microsoftGraphResourceId"] == f"{ORIGIN}/"
    assert document["authentication"]["loginEndpoint"] == f"{ORIGIN}/"
    assert document["name"]
    assert document["resourceManager"]
