"""What a tenant says of itself: discovery documents of both versions, keys, instance discovery, the user's realm."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.entra.names import ALIASES, CLOUD_HOSTS, CONSUMERS, PERSONAL_TENANT, V1, V2, Names
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.keys.certified import certified_document

CACHED = (
    ("cache-control", "max-age=86400, private"),
    ("x-content-type-options", "nosniff"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
)

_METHODS = ["client_secret_post", "private_key_jwt", "client_secret_basic"]
_CLAIMS = [
    "sub",
    "iss",
    "cloud_instance_name",
    "cloud_instance_host_name",
    "cloud_graph_host_name",
    "msgraph_host",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "acr",
    "nonce",
]
_HOSTS = {
    "cloud_instance_name": "microsoftonline.com",
    "cloud_graph_host_name": "graph.windows.net",
    "msgraph_host": "graph.microsoft.com",
    "rbac_url": "https://pas.windows.net",
}


def tenant_of_issuer(authority: str, desk: Desk | None) -> str:
    """How an issuer names the tenant: by its GUID, or by a template where the address names several."""
    if authority == CONSUMERS:
        return PERSONAL_TENANT
    return desk.id if desk else "{tenantid}"


def version_2(
    authority: str, desk: Desk | None, names: Names, *, advertise_pkce: bool, query: str = ""
) -> dict[str, Any]:
    """The version 2 document. PKCE works and is not mentioned, as in the cloud, unless the twin's switch says so."""
    base = f"{names.login}/{authority}"
    document = {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": _METHODS,
        "jwks_uri": f"{base}/discovery/v2.0/keys{query}",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": names.issuer(V2, tenant_of_issuer(authority, desk)),
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{names.graph}/oidc/userinfo",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "claims_supported": [*_CLAIMS, "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"],
        "kerberos_endpoint": f"{base}/kerberos",
        "tenant_region_scope": None if authority in ALIASES else "EU",
        **_HOSTS,
    }
    return document | ({"code_challenge_methods_supported": ["S256"]} if advertise_pkce else {})


def version_1(authority: str, desk: Desk | None, names: Names) -> dict[str, Any]:
    """The version 1 document."""
    base = f"{names.login}/{authority}"
    return {
        "token_endpoint": f"{base}/oauth2/token",
        "token_endpoint_auth_methods_supported": _METHODS,
        "jwks_uri": f"{names.login}/common/discovery/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
        "scopes_supported": ["openid"],
        "issuer": names.issuer(V1, tenant_of_issuer(authority, desk)),
        "microsoft_multi_refresh_token": True,
        "authorization_endpoint": f"{base}/oauth2/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/oauth2/logout",
        "claims_supported": [*_CLAIMS, "amr", "given_name", "family_name", "nickname"],
        "check_session_iframe": f"{base}/oauth2/checksession",
        "userinfo_endpoint": f"{base}/openid/userinfo",
        "tenant_region_scope": None if authority in ALIASES else "EU",
        **_HOSTS,
    }


def keys(authority: str, desks: list[Desk], names: Names, version: int) -> dict[str, Any]:
    """The published keys. Version 2 tells each key's issuer: one tenant's, or the template where an alias was asked."""
    found: dict[str, dict[str, Any]] = {}
    for desk in desks:
        for stored in desk.realm.ring.certified(desk.realm.now()):
            key: dict[str, Any] = dict(certified_document(stored))
            if version == V2:
                tenant = "{tenantid}" if authority in ALIASES else desk.id
                key["issuer"] = names.issuer(V2, tenant)
            found[stored.kid] = key
    return {"keys": list(found.values())}


def instance(authority: str, host: str, names: Names) -> dict[str, Any]:
    """Which hosts are one cloud: Microsoft's public one, and this twin with every port that it is called by."""
    own = names.login.rpartition("//")[2]
    entries = [_entry(CLOUD_HOSTS[0], list(CLOUD_HOSTS))]
    if own not in CLOUD_HOSTS:
        aliases = list(dict.fromkeys((own, own.partition(":")[0], host)))
        entries.insert(0, _entry(own, aliases))
    return {
        "tenant_discovery_endpoint": f"{names.login}/{authority}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": entries,
    }


def _entry(host: str, aliases: list[str]) -> dict[str, Any]:
    return {"preferred_network": host, "preferred_cache": host, "aliases": aliases}


def knows_host(host: str, names: Names) -> bool:
    """Whether instance discovery vouches for a host; some clients leave its port out."""
    own = names.login.rpartition("//")[2]
    return host in CLOUD_HOSTS or host.partition(":")[0] == own.partition(":")[0]


def resource_manager(names: Names) -> dict[str, Any]:
    """The cloud as the Azure Resource Manager describes it, for providers that ask for ``metadata_host``."""
    host = names.login
    return {
        "portal": f"{host}/portal",
        "authentication": {
            "loginEndpoint": f"{host}/",
            "audiences": [f"{host}/management", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "media": "https://rest.media.azure.net",
        "graphAudience": "https://graph.windows.net/",
        "graph": "https://graph.windows.net/",
        "name": "InnkeeperTwin" if host == names.graph else "AzureCloud",
        "suffixes": {
            "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
            "acrLoginServer": "azurecr.io",
            "sqlServerHostname": "database.windows.net",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "keyVaultDns": "vault.azure.net",
            "storage": "core.windows.net",
            "azureFrontDoorEndpointSuffix": "azurefd.net",
        },
        "batch": "https://batch.core.windows.net/",
        "resourceManager": f"{host}/management/",
        "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/main/arm-compute/aliases.json",
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "sqlManagement": "https://management.core.windows.net:8443/",
        "microsoftGraphResourceId": f"{names.graph}/",
        "appInsightsResourceId": "https://api.applicationinsights.io",
        "appInsightsTelemetryChannelResourceId": "https://dc.applicationinsights.azure.com/v2/track",
    }
