"""Graph documents: what is filled in where nothing was said, what may not be said, and what of one shows in another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from innkeeper.issuer.core.entra.graph import BAD_REQUEST, ENABLED_ENTITLEMENT
from innkeeper.issuer.core.entra.names import GUID
from innkeeper.protocol.refusals import Refusal

Document = dict[str, Any]

AUDIENCES = ("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount")

APPLICATION: Document = {
    "deletedDateTime": None,
    "applicationTemplateId": None,
    "disabledByMicrosoftStatus": None,
    "description": None,
    "displayName": None,
    "groupMembershipClaims": None,
    "identifierUris": [],
    "isDeviceOnlyAuthSupported": None,
    "isFallbackPublicClient": None,
    "notes": None,
    "optionalClaims": None,
    "oauth2RequirePostResponse": False,
    "publisherDomain": None,
    "samlMetadataUrl": None,
    "serviceManagementReference": None,
    "signInAudience": "AzureADMyOrg",
    "tags": [],
    "tokenEncryptionKeyId": None,
    "uniqueName": None,
    "addIns": [],
    "api": {
        "acceptMappedClaims": None,
        "knownClientApplications": [],
        "requestedAccessTokenVersion": None,
        "oauth2PermissionScopes": [],
        "preAuthorizedApplications": [],
    },
    "appRoles": [],
    "info": {
        "logoUrl": None,
        "marketingUrl": None,
        "privacyStatementUrl": None,
        "supportUrl": None,
        "termsOfServiceUrl": None,
    },
    "keyCredentials": [],
    "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
    "passwordCredentials": [],
    "publicClient": {"redirectUris": []},
    "requiredResourceAccess": [],
    "spa": {"redirectUris": []},
    "verifiedPublisher": {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None},
    "web": {
        "homePageUrl": None,
        "logoutUrl": None,
        "redirectUris": [],
        "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
        "redirectUriSettings": [],
    },
}
"""An application of which nothing was said."""

PRINCIPAL: Document = {
    "deletedDateTime": None,
    "accountEnabled": True,
    "alternativeNames": [],
    "appDescription": None,
    "appRoleAssignmentRequired": False,
    "applicationTemplateId": None,
    "description": None,
    "disabledByMicrosoftStatus": None,
    "homepage": None,
    "loginUrl": None,
    "logoutUrl": None,
    "notes": None,
    "notificationEmailAddresses": [],
    "preferredSingleSignOnMode": None,
    "preferredTokenSigningKeyThumbprint": None,
    "samlMetadataUrl": None,
    "samlSingleSignOnSettings": None,
    "servicePrincipalType": "Application",
    "tags": [],
    "tokenEncryptionKeyId": None,
    "addIns": [],
    "keyCredentials": [],
    "passwordCredentials": [],
    "resourceSpecificApplicationPermissions": [],
}

GROUP: Document = {
    "description": None,
    "displayName": None,
    "groupTypes": [],
    "mail": None,
    "mailEnabled": False,
    "mailNickname": None,
    "securityEnabled": True,
    "visibility": None,
}


def merged(document: Mapping[str, Any], change: Mapping[str, Any]) -> Document:
    """A document after a PATCH: parts that are objects are merged, all else is replaced."""
    found = dict(document)
    for name, value in change.items():
        before = found.get(name)
        whole = isinstance(before, dict) and isinstance(value, dict)
        found[name] = merged(before, value) if isinstance(before, dict) and whole else value
    return found


def whole(document: Mapping[str, Any], usual: Mapping[str, Any]) -> Document:
    """A document with what nobody said filled in."""
    return merged(usual, document)


def principal_of(document: Mapping[str, Any], application: Mapping[str, Any]) -> Document:
    """A service principal as it is read: what its application says shows in it."""
    api, web = application.get("api") or {}, application.get("web") or {}
    return {
        **whole(document, PRINCIPAL),
        "displayName": application.get("displayName"),
        "appDisplayName": application.get("displayName"),
        "appRoles": application.get("appRoles", []),
        "oauth2PermissionScopes": api.get("oauth2PermissionScopes", []),
        "servicePrincipalNames": [application.get("appId"), *application.get("identifierUris", [])],
        "replyUrls": web.get("redirectUris", []),
        "signInAudience": application.get("signInAudience", "AzureADMyOrg"),
        "info": application.get("info", APPLICATION["info"]),
        "verifiedPublisher": APPLICATION["verifiedPublisher"],
    }


def why_no_application(
    document: Mapping[str, Any], before: Mapping[str, Any] | None, taken: Iterable[str]
) -> Refusal | None:
    """What is wrong with an application as it would be kept; ``taken`` are the App ID URIs of others."""
    if not isinstance(document.get("displayName"), str) or not document["displayName"]:
        return _bad("Value for property 'displayName' is required.", "displayName")
    if document.get("signInAudience") not in AUDIENCES:
        return _bad(
            "Invalid value specified for property 'signInAudience' of resource 'Application'.", "signInAudience"
        )
    version = document["api"].get("requestedAccessTokenVersion")
    if "Personal" in document["signInAudience"] and version != 2:
        return _bad("Property api.requestedAccessTokenVersion is invalid.", "requestedAccessTokenVersion")
    return _uris(document, set(taken)) or _permissions(document) or _removed(document, before or {})


def _uris(document: Mapping[str, Any], taken: set[str]) -> Refusal | None:
    for uri in document["identifierUris"]:
        if uri in taken:
            return _bad("Another object with the same value for property identifierUris already exists.", uri)
        if not isinstance(uri, str) or not _URI.fullmatch(uri) or uri.endswith("/"):
            return _bad("Invalid value specified for property 'identifierUris' of resource 'Application'.", str(uri))
    return None


_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\s?#]+")


def permissions(document: Mapping[str, Any]) -> list[Document]:
    """An application's roles and scopes, which share one namespace."""
    return [*document.get("appRoles", []), *document.get("api", {}).get("oauth2PermissionScopes", [])]


def _permissions(document: Mapping[str, Any]) -> Refusal | None:
    ids, values = set[str](), set[str]()
    for one in permissions(document):
        key, value = str(one.get("id")), one.get("value")
        if not GUID.fullmatch(key):
            return _bad("Invalid value specified for property 'id' of resource 'AppRole'.", key)
        if key in ids or (value and value in values):
            return _bad("It contains duplicate value. Please Provide unique value.", str(value))
        if value is not None and not _VALUE.fullmatch(value):
            return _bad("Invalid value specified for property 'value' of resource 'AppRole'.", value)
        ids.add(key)
        values |= {value} if value else set()
    return None


_VALUE = re.compile(r"(?!\.)[A-Za-z0-9:!#$%&'()*+,\-./;=?@\[\]^_{}~]{1,250}")


def _removed(document: Mapping[str, Any], before: Mapping[str, Any]) -> Refusal | None:
    """A role or scope is disabled before it goes."""
    left = {one["id"] for one in permissions(document)}
    for one in permissions(before):
        if one["id"] not in left and one.get("isEnabled", True):
            return Refusal(ENABLED_ENTITLEMENT, "it is enabled", "isEnabled false", str(one.get("value")))
    return None


def bad(message: str, found: str = "") -> Refusal:
    """What Graph cannot take, with the message that it is told in."""
    return _bad(message, found)


def _bad(message: str, found: str) -> Refusal:
    return Refusal(BAD_REQUEST, message, "", found, said=message)
