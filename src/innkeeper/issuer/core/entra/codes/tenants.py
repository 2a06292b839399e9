"""Codes about the tenant in the address, and about requests that cannot be read."""

from __future__ import annotations

from innkeeper.issuer.core.entra.aadsts import Aadsts
from innkeeper.protocol.errors import INVALID_REQUEST, UNAUTHORIZED_CLIENT

TENANT_UNKNOWN = Aadsts(
    "IK1200",
    INVALID_REQUEST,
    "No tenant by that name",
    "The address names a tenant that is not here: a wrong GUID, or a domain that no tenant has verified.",
    "Put the tenant's GUID, as `innkeeper twin show` prints it, into the authority.",
    "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
    level="observed",
    code=90002,
    console="Microsoft Entra ID > Overview shows the Tenant ID.",
    terraform="Use data.azuread_client_config.current.tenant_id, or set tenant_id of the provider.",
)
TENANT_MALFORMED = Aadsts(
    "IK1201",
    INVALID_REQUEST,
    "The tenant is no GUID and no domain",
    "The first part of the path is neither a GUID nor a domain name: often an unset variable, such as 'undefined'.",
    "Print the authority that your program built, and set the variable that is missing.",
    "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
    code=900023,
    console="Microsoft Entra ID > Overview shows the Tenant ID and the primary domain.",
    terraform="Set tenant_id of the provider, or ARM_TENANT_ID.",
)
NO_TENANT = Aadsts(
    "IK1202",
    INVALID_REQUEST,
    "The request names no tenant",
    "An application of one tenant asked at common or organizations, where no tenant can be told from the request.",
    "Use an authority that ends in the tenant's GUID or domain.",
    "No tenant-identifying information found in either the request or implied by any provided credentials.",
    code=50059,
    console="App registrations > your application > Authentication > Supported account types, if it is for all tenants.",
    terraform='azuread_application: sign_in_audience = "AzureADMultipleOrgs".',
)
ONE_TENANT_ONLY = Aadsts(
    "IK1203",
    UNAUTHORIZED_CLIENT,
    "An application of one tenant was used at common",
    "The application is registered for its own tenant alone (AzureADMyOrg), and the request went to common or another tenant.",
    "Use the authority of the application's own tenant.",
    "Application '{client}'({name}) is not configured as a multi-tenant application. Usage of the /common endpoint is not "
    "supported for such apps. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
    code=50194,
    console="App registrations > your application > Authentication > Supported account types.",
    terraform='azuread_application: sign_in_audience = "AzureADMultipleOrgs".',
)
GRANT_NEEDS_TENANT = Aadsts(
    "IK1204",
    INVALID_REQUEST,
    "The grant needs a tenant of its own",
    "Client credentials, and a name with a password, say nothing of a tenant; common and consumers cannot tell which is meant.",
    "Use an authority that ends in the tenant's GUID or domain.",
    "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or "
    "tenant-specific endpoint.",
    code=9001023,
    console="Microsoft Entra ID > Overview shows the Tenant ID.",
    terraform="Set tenant_id of the provider.",
)
PARAMETER_MISSING = Aadsts(
    "IK1205",
    INVALID_REQUEST,
    "A parameter is missing",
    "The request lacks a parameter that it cannot do without, or its body was not sent as a form.",
    "Send the parameter that the answer names, in a form body (application/x-www-form-urlencoded).",
    "The request body must contain the following parameter: '{parameter}'.",
    code=900144,
)
FIELD_MISSING = Aadsts(
    "IK1206",
    INVALID_REQUEST,
    "A required field is missing",
    "A credential is sent in two halves, and one of them is missing.",
    "Send client_assertion together with client_assertion_type.",
    "The required field '{parameter}' is missing from the credential. Ensure that you have all the necessary parameters "
    "for the login request.",
    code=90014,
)
POST_ONLY = Aadsts(
    "IK1207",
    INVALID_REQUEST,
    "The endpoint takes POST only",
    "The token endpoint was opened by GET, as a browser does.",
    "Send a POST with a form body.",
    "The endpoint only accepts {allowed} requests. Received a {method} request.",
    405,
    code=900561,
)
MALFORMED = Aadsts(
    "IK1208",
    INVALID_REQUEST,
    "The request cannot be read",
    "The body is not a form in UTF-8, or a parameter stands in it twice.",
    "Send each parameter once, as application/x-www-form-urlencoded in UTF-8.",
    "Invalid request. Request is malformed or invalid.",
    code=9002313,
)
INSTANCE_UNKNOWN = Aadsts(
    "IK1209",
    "invalid_instance",
    "The authority's host is not one of the cloud's",
    "Instance discovery was asked about a host that is neither Microsoft's nor this twin's.",
    "Switch instance discovery off (instance_discovery=False, disable_instance_discovery=True) or list host and port "
    "among the known authorities.",
    "The authorization_endpoint {endpoint} host is unknown or invalid.",
    level="observed",
    code=50049,
)
