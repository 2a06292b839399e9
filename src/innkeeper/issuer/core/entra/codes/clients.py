"""Codes about the calling application and how it proves itself."""

from __future__ import annotations

from innkeeper.issuer.core.entra.aadsts import Aadsts
from innkeeper.protocol.errors import INVALID_CLIENT, INVALID_GRANT, INVALID_REQUEST, UNAUTHORIZED_CLIENT

_SECRETS = "App registrations > your application > Certificates & secrets."
_CERTIFICATE = "azuread_application_certificate { application_id, type, value, end_date }."

CLIENT_UNKNOWN = Aadsts(
    "IK1220",
    UNAUTHORIZED_CLIENT,
    "No application by that id in the tenant",
    "The client_id belongs to another tenant, is a secret's or an object's id, or the application has no service principal here.",
    "Send the Application (client) ID, and ask at the tenant where it is registered.",
    "Application with identifier '{client}' was not found in the directory '{tenant}'. This can happen if the application "
    "has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have "
    "sent your authentication request to the wrong tenant.",
    level="observed",
    code=700016,
    console="App registrations > your application > Overview shows the Application (client) ID.",
    terraform="Use azuread_application.x.client_id, not .id and not .object_id.",
)
CLIENT_DISABLED = Aadsts(
    "IK1221",
    UNAUTHORIZED_CLIENT,
    "The application is disabled",
    "Its service principal's accountEnabled is false, or somebody switched off sign-in for it.",
    "Nothing in the code helps: somebody has to enable the application.",
    "Application '{client}'({name}) is disabled.",
    code=7000112,
    console="Enterprise applications > your application > Properties > Enabled for users to sign-in.",
    terraform="azuread_service_principal: account_enabled = true.",
)
WRONG_SECRET = Aadsts(
    "IK1222",
    INVALID_CLIENT,
    "The client secret is wrong",
    "The secret's id was sent instead of its value, it lost characters on the way, or it belongs to another application.",
    "Send the secret's value, trimmed; in Basic, encode both halves as a form first.",
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the "
    "client secret ID, for a secret added to app '{client}'.",
    401,
    level="observed",
    code=7000215,
    console=f"{_SECRETS} The value is shown once, when it is made.",
    terraform="Use azuread_application_password.x.value, not .key_id.",
)
SECRET_EXPIRED = Aadsts(
    "IK1223",
    INVALID_CLIENT,
    "The client secret has expired",
    "Its endDateTime has passed.",
    "Make a new secret and send that.",
    "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new keys for your app, "
    "or consider using certificate credentials for added security.",
    401,
    code=7000222,
    console=f"{_SECRETS} New client secret.",
    terraform="azuread_application_password: change rotate_when_changed, or set a later end_date.",
)
NO_CREDENTIAL = Aadsts(
    "IK1224",
    INVALID_CLIENT,
    "A confidential application sent no credential",
    "Neither client_secret nor client_assertion came, and the application is not marked as a public client for this flow.",
    "Use a confidential client object (ConfidentialClientApplication), or register the redirect URI as that of a mobile "
    "and desktop application.",
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    401,
    code=7000218,
    console="App registrations > your application > Authentication > Allow public client flows.",
    terraform="azuread_application: fallback_public_client_enabled = true, and public_client { redirect_uris }.",
)
PUBLIC_WITH_SECRET = Aadsts(
    "IK1225",
    INVALID_CLIENT,
    "A public client sent a credential",
    "The code was cut for a redirect URI of a mobile or desktop application, and those have no secret.",
    "Send no client_secret and no client_assertion from a public client.",
    "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
    401,
    code=700025,
    console="App registrations > your application > Authentication > Platform configurations: use Web for a server.",
    terraform="azuread_application: put the redirect URI under web, not under public_client.",
)
ASSERTION_WRONG = Aadsts(
    "IK1226",
    INVALID_CLIENT,
    "The client assertion does not verify",
    "No certificate of the application has the thumbprint in the header, the signature is another key's, or the claims say "
    "another audience, client or time.",
    "Sign with the private key of a registered certificate: RS256 or PS256, with x5t or x5t#S256 in the header; "
    "aud the token endpoint, iss and sub the client_id.",
    "Client assertion failed signature validation. {detail}",
    401,
    level="inferred",
    code=700027,
    console=f"{_SECRETS} Certificates lists the thumbprints.",
    terraform=_CERTIFICATE,
)
NO_FEDERATED_CREDENTIAL = Aadsts(
    "IK1228",
    INVALID_CLIENT,
    "No federated credential matches the assertion",
    "The assertion's subject, issuer or audience is not exactly one of the application's federated identity credentials.",
    "Compare the assertion's iss, sub and aud with the credential, letter by letter.",
    "No matching federated identity record found for presented assertion subject '{subject}'. Check your federated identity "
    "credential Subject, Audience and Issuer against the presented assertion.",
    401,
    code=700213,
    console=f"{_SECRETS} Federated credentials.",
    terraform="azuread_application_federated_identity_credential { issuer, subject, audiences }.",
)
FEDERATED_ISSUER_UNKNOWN = Aadsts(
    "IK1229",
    INVALID_CLIENT,
    "No federated credential names that issuer",
    "The assertion's iss is none of the issuers that the application's federated identity credentials name.",
    "Compare the assertion's iss with the credential's issuer, the slash at the end included.",
    "No matching federated identity record found for presented assertion issuer '{issuer}'.",
    401,
    level="inferred",
    code=700211,
    console=f"{_SECRETS} Federated credentials.",
    terraform="azuread_application_federated_identity_credential: issuer.",
)
FEDERATED_AUDIENCE_WRONG = Aadsts(
    "IK1230",
    INVALID_CLIENT,
    "No federated credential names that audience",
    "The assertion's aud is not the audience that the federated identity credential names.",
    "Ask the other issuer for a token with the audience api://AzureADTokenExchange.",
    "No matching federated identity record found for presented assertion audience '{audience}'.",
    401,
    level="inferred",
    code=700212,
    console=f"{_SECRETS} Federated credentials > Audience.",
    terraform='azuread_application_federated_identity_credential: audiences = ["api://AzureADTokenExchange"].',
)
FEDERATED_NOT_APP_ONLY = Aadsts(
    "IK1231",
    INVALID_CLIENT,
    "A person's token was sent as a federated credential",
    "A tenant's own tokens may stand in for a credential only where they are an application's, without a person.",
    "Get the token by client credentials or from a managed identity.",
    "The token is not an app-only token, which is required to access as a federated identity credential.",
    401,
    code=700229,
)
SPA_ONLY = Aadsts(
    "IK1232",
    INVALID_REQUEST,
    "A browser asked across origins for another platform's code",
    "The request has an Origin header, and the redirect URI is not registered as that of a single-page application.",
    "Register the redirect URI as a single-page application's, or redeem the code on the server.",
    "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: "
    "'{origin}'.",
    code=9002326,
    console="App registrations > your application > Authentication > Add a platform > Single-page application.",
    terraform="azuread_application: single_page_application { redirect_uris }.",
)
SPA_NEEDS_ORIGIN = Aadsts(
    "IK1233",
    INVALID_REQUEST,
    "A single-page application's code came without an origin",
    "Codes and refresh tokens of a single-page application are redeemed by a browser, which sends an Origin header.",
    "Redeem the code in the browser, or register the redirect URI as a web application's.",
    "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
    code=9002327,
    console="App registrations > your application > Authentication: move the redirect URI to Web.",
    terraform="azuread_application: put the redirect URI under web.",
)
MAY_NOT_ACT = Aadsts(
    "IK1234",
    INVALID_GRANT,
    "The application may not act on behalf of anybody",
    "The assertion is an application's own token: there is no person in it on whose behalf to act.",
    "Send the access token that a person's client sent to you. For your own calls, use client credentials.",
    "Application '{client}' is not allowed to make application on-behalf-of calls.",
    code=7000114,
)
