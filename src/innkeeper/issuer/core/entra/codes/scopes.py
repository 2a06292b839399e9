"""Codes about scopes, resources and consent."""

from __future__ import annotations

from innkeeper.issuer.core.entra.aadsts import Aadsts, EntraPage
from innkeeper.protocol.errors import (
    ACCESS_DENIED,
    INVALID_CLIENT,
    INVALID_GRANT,
    INVALID_REQUEST,
    INVALID_SCOPE,
    INVALID_TARGET,
)

_EXPOSE = "App registrations > the API > Expose an API."
_PERMISSIONS = "App registrations > your application > API permissions."

SEVERAL_RESOURCES = Aadsts(
    "IK1240",
    INVALID_SCOPE,
    "Scopes of several resources in one token request",
    "A token is for one resource. /authorize may ask consent for several; /token gives one at a time.",
    "Ask once for each resource; the refresh token serves for the others.",
    "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {scope} is "
    "not valid.",
    code=28000,
)
SCOPE_INVALID = Aadsts(
    "IK1241",
    INVALID_SCOPE,
    "The scope is not valid",
    "A scope is misspelt, .default stands beside named scopes of the same resource, or a scope has no value.",
    "Name scopes as the resource's App ID URI, a slash and the scope; or .default alone.",
    "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not "
    "valid. The scope {scope} is not valid.",
    code=70011,
    console=_EXPOSE,
    terraform="azuread_application: api { oauth2_permission_scope { value } }.",
)
SCOPE_NOT_REDEEMABLE = Aadsts(
    "IK1242",
    INVALID_SCOPE,
    "The scope cannot be redeemed",
    "The code or refresh token was redeemed for a scope that does not exist on its resource.",
    "Redeem for scopes that the resource exposes.",
    "Provided value for the input parameter scope '{scope}' is not valid when requesting an access token. Please provide a "
    "valid scope.",
    code=28002,
    console=_EXPOSE,
    terraform="azuread_application: api { oauth2_permission_scope { value } }.",
)
SCOPE_EMPTY = Aadsts(
    "IK1243",
    INVALID_SCOPE,
    "No scope was asked for",
    "A grant that names no resource of its own was redeemed without a scope.",
    "Send scope=<App ID URI>/.default.",
    "Provided value for the input parameter scope cannot be empty when requesting an access token using the provided "
    "authorization code. Please specify a valid scope.",
    code=28003,
)
NOT_DEFAULT = Aadsts(
    "IK1244",
    INVALID_SCOPE,
    "Client credentials want .default",
    "An application on its own behalf gets the app roles that were assigned to it, and cannot choose among them. A scope "
    "that was percent-encoded twice comes out like this, too.",
    "Send scope=<App ID URI>/.default, encoded once.",
    "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default "
    "suffixed to the resource identifier (application ID URI).",
    level="observed",
    code=1002012,
    console="App registrations > the API > App roles: allow member type Applications.",
    terraform='azuread_application: app_role { allowed_member_types = ["Application"] }, azuread_app_role_assignment.',
)
RESOURCE_UNKNOWN = Aadsts(
    "IK1246",
    "invalid_resource",
    "No resource by that name in the tenant",
    "The App ID URI is misspelt, the API has no service principal here, or the tenant is another one.",
    "Copy the App ID URI letter by letter; mind the slash at its end.",
    "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application "
    "has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have "
    "sent your authentication request to the wrong tenant.",
    level="observed",
    code=500011,
    console=f"{_EXPOSE} Application ID URI; Enterprise applications shows whether it is in this tenant.",
    terraform="Add azuread_service_principal for the API beside its azuread_application.",
)
SCOPE_NOT_ON_RESOURCE = Aadsts(
    "IK1247",
    INVALID_CLIENT,
    "The resource has no such scope",
    "The scope is not exposed by that resource. A scope without a resource before it means Microsoft Graph's.",
    "Write the scope with its App ID URI before it, such as api://<id>/room:enter.",
    "The application '{name}' asked for scope '{scope}' that doesn't exist on the resource '{resource}'. Contact the app "
    "vendor.",
    level="inferred",
    code=650053,
    console=_EXPOSE,
    terraform="azuread_application: api { oauth2_permission_scope { value } }.",
)
APP_MISCONFIGURED = Aadsts(
    "IK1248",
    INVALID_CLIENT,
    "The application lists no permission to ask consent for",
    ".default was asked for a resource of which the application's registration lists no permission, and nothing is granted.",
    "Ask for named scopes, or list the permission in the registration.",
    "Misconfigured application. This could be due to one of the following: the client has not listed any permissions for "
    "'{resource}' in the requested permissions in the client's application registration.",
    code=650056,
    console=f"{_PERMISSIONS} Add a permission.",
    terraform="azuread_application: required_resource_access { resource_app_id, resource_access }.",
)
RESOURCE_NOT_LISTED = Aadsts(
    "IK1249",
    "invalid_resource",
    "The resource is not in the application's list",
    "The version 1 endpoint gives codes only for resources that the application's registration lists.",
    "Use the version 2 endpoint with named scopes, or list the resource.",
    "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the "
    "client's application registration. Client app ID: {client}. Resource value from request: {resource}.",
    code=650057,
    console=f"{_PERMISSIONS} Add a permission.",
    terraform="azuread_application: required_resource_access { resource_app_id, resource_access }.",
)
NOT_CONSENTED = Aadsts(
    "IK1250",
    INVALID_GRANT,
    "Nobody consented",
    "Neither the person nor an administrator allowed the application these scopes of this resource.",
    "Send the person to /authorize for these scopes once. For on-behalf-of, list the client in the API's known clients.",
    "The user or administrator has not consented to use the application with ID '{client}' named '{name}'. Send an "
    "interactive authorization request for this user and resource.",
    code=65001,
    suberror="consent_required",
    console=f"{_PERMISSIONS} Grant admin consent.",
    terraform="azuread_service_principal_delegated_permission_grant { claim_values }.",
)
DECLINED = Aadsts(
    "IK1251",
    ACCESS_DENIED,
    "The person declined",
    "Cancel was pressed on the page that asks for consent.",
    "Ask again only when the person wants to.",
    "User declined to consent to access the app.",
    code=65004,
)
ADMIN_NEEDED = Aadsts(
    "IK1252",
    ACCESS_DENIED,
    "Only an administrator can consent",
    "A scope is of type Admin, or the permission is an application's.",
    "Send an administrator to /adminconsent.",
    "Admin consent is required for the permissions requested by this application.",
    code=90094,
    console=f"{_PERMISSIONS} Grant admin consent.",
    terraform="azuread_service_principal_delegated_permission_grant without user_object_id.",
)
CONSENT_REFUSED = EntraPage(
    "IK1253",
    "permission_denied",
    "The administrator declined",
    "Cancel was pressed on the page that asks an administrator for consent.",
    "Nothing was granted; ask again when the administrator wants to.",
    "The admin canceled the request.",
    level="documented",
)
NO_ROLE = Aadsts(
    "IK1254",
    INVALID_GRANT,
    "The application has no role at an API that wants one",
    "The API's service principal has appRoleAssignmentRequired, and none of its app roles is assigned to the caller.",
    "Nothing in the code helps: assign the role.",
    "Application '{client}'({name}) is not assigned to a role for the application '{resource}'({resource_name}).",
    level="inferred",
    code=501051,
    console="Enterprise applications > the API > Users and groups; API permissions > Grant admin consent.",
    terraform="azuread_app_role_assignment { app_role_id, principal_object_id, resource_object_id }.",
)
NOT_ASSIGNED = Aadsts(
    "IK1255",
    ACCESS_DENIED,
    "The person is not assigned to the application",
    "The service principal has appRoleAssignmentRequired, and neither the person nor a group of theirs is assigned.",
    "Nothing in the code helps: assign the person.",
    "The signed in user '{user}' is not assigned to a role for the application '{client}'({name}).",
    code=50105,
    console="Enterprise applications > your application > Users and groups.",
    terraform="azuread_app_role_assignment with the person's or group's object id, or app_role_assignment_required = false.",
)
SELF_BY_NAME = Aadsts(
    "IK1256",
    INVALID_GRANT,
    "A token for itself must name the application's id",
    "The application asked for a token for itself by its App ID URI.",
    "Use the application's GUID in the scope.",
    "Application '{client}'({name}) is requesting a token for itself. This scenario is supported only if resource is "
    "specified using the GUID based App Identifier.",
    code=90009,
)
RESOURCE_PARAMETER = Aadsts(
    "IK1257",
    INVALID_REQUEST,
    "The resource parameter was sent to version 2",
    "Before 2026 the version 2 endpoint refused every resource parameter; the twin does, where its switch says so.",
    "Leave resource out, and name the resource in the scope.",
    "The 'resource' request parameter is not supported.",
    level="observed",
    code=901002,
)
RESOURCE_MISMATCH = Aadsts(
    "IK1258",
    INVALID_TARGET,
    "The resource parameter does not fit the scopes",
    "resource must equal, letter by letter, an App ID URI of the application that owns the scopes. A slash at the end, or "
    "scopes without their App ID URI (which mean Microsoft Graph), do not fit.",
    "Send the App ID URI itself, without a slash at its end, and scopes that begin with an App ID URI of that application.",
    "The resource parameter provided in the request doesn't match with the requested scopes.",
    code=9010010,
    console=f"{_EXPOSE} Application ID URI: add the URL that clients send as resource.",
    terraform="azuread_application_identifier_uri { identifier_uri }.",
)
