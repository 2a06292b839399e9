"""Codes about codes, refresh tokens, device codes, assertions and redirect URIs."""

from __future__ import annotations

from innkeeper.issuer.core.entra.aadsts import Aadsts
from innkeeper.protocol.errors import (
    AUTHORIZATION_PENDING,
    EXPIRED_TOKEN,
    INVALID_GRANT,
    INVALID_REQUEST,
    UNSUPPORTED_GRANT_TYPE,
    UNSUPPORTED_RESPONSE_TYPE,
)

_PLATFORMS = "App registrations > your application > Authentication > Platform configurations."

GRANT_UNKNOWN = Aadsts(
    "IK1260",
    UNSUPPORTED_GRANT_TYPE,
    "The grant type is not one that Entra speaks",
    "grant_type is misspelt, or it is one of other issuers, such as token-exchange.",
    "Use authorization_code, client_credentials, refresh_token, password, the device code's or the jwt-bearer URN.",
    "The app requested an unsupported grant type '{grant}'.",
    code=70003,
)
GRANT_INVALID = Aadsts(
    "IK1261",
    INVALID_GRANT,
    "The code or token is not valid",
    "It was never given out here, was cut off, belongs to another application or redirect URI, or is of another kind.",
    "Redeem what /authorize or /token gave, whole, with the client_id and redirect_uri that asked for it.",
    "The provided grant is invalid or malformed. {detail}",
    level="inferred",
    code=70000,
    suberror="bad_token",
)
CODE_EXPIRED = Aadsts(
    "IK1262",
    INVALID_GRANT,
    "The code has expired",
    "Ten minutes have passed since the code was cut.",
    "Redeem a code at once; begin again at /authorize.",
    "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization "
    "request for this user and resource.",
    code=70008,
    suberror="token_expired",
)
CODE_SPENT = Aadsts(
    "IK1263",
    INVALID_GRANT,
    "The code was redeemed before",
    "A code is good once. Often a callback ran twice, or a client tried again after a network error.",
    "Begin again at /authorize; keep the tokens of the first time.",
    "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
    level="inferred",
    code=54005,
)
VERIFIER_WRONG = Aadsts(
    "IK1264",
    INVALID_GRANT,
    "The code verifier does not match",
    "The verifier, hashed, is not the challenge that /authorize was given; often a second sign-in overwrote the first's.",
    "Keep the verifier beside the state it belongs to.",
    "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    level="inferred",
    code=501481,
)
VERIFIER_MISSING = Aadsts(
    "IK1265",
    INVALID_GRANT,
    "The code verifier is missing or malformed",
    "The code was asked for with a challenge, and no verifier of 43 to 128 letters came; or the other way round.",
    "Send code_verifier with the code.",
    "Failed to match the code_verifier: {detail}",
    level="inferred",
    code=50148,
)
REFRESH_EXPIRED = Aadsts(
    "IK1266",
    INVALID_GRANT,
    "The refresh token has expired",
    "It was not used for ninety days.",
    "Sign the person in again.",
    "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for 90.00:00:00.",
    code=700082,
    suberror="token_expired",
)
SPA_REFRESH_EXPIRED = Aadsts(
    "IK1267",
    INVALID_GRANT,
    "The single-page application's refresh token has expired",
    "Refresh tokens of single-page applications live 24 hours from sign-in, however often they are used.",
    "Send the browser to /authorize, with prompt=none first.",
    "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, "
    "which cannot be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page.",
    code=700084,
    suberror="token_expired",
)
REFRESH_REVOKED = Aadsts(
    "IK1268",
    INVALID_GRANT,
    "The refresh token was revoked",
    "The person's sessions were revoked, their password changed, or what they allowed was taken back.",
    "Sign the person in again.",
    "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or "
    "reset their password.",
    code=50173,
    suberror="token_expired",
)
ASSERTION_INVALID = Aadsts(
    "IK1269",
    INVALID_GRANT,
    "The assertion is not valid",
    "It is no token of this tenant, or its signature does not verify. A Microsoft Graph token never does.",
    "Send the access token that was made for your API, as it came.",
    "Assertion failed signature validation. {detail}",
    code=50013,
)
ASSERTION_AUDIENCE = Aadsts(
    "IK1270",
    INVALID_GRANT,
    "The assertion is for another audience",
    "Its aud is not the application that redeems it.",
    "The first client must ask for a scope of yours, not for the scope of the API behind you.",
    "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was "
    "'{audience}' and the expected audience is '{client}' or one of the Application Uris of this application.",
    code=500131,
)
ASSERTION_TIME = Aadsts(
    "IK1271",
    INVALID_GRANT,
    "The assertion is outside its time",
    "It has expired, or is not valid yet.",
    "Answer 401 to your caller, so that it gets a new one.",
    "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user "
    "assertion, or request a new token.",
    code=500133,
)
DEVICE_PENDING = Aadsts(
    "IK1272",
    AUTHORIZATION_PENDING,
    "Nobody answered yet",
    "The person has not entered the code, or not finished.",
    "Ask again after the interval.",
    "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    code=70016,
)
DEVICE_DECLINED = Aadsts(
    "IK1273",
    "authorization_declined",
    "The person declined",
    "Cancel was pressed on the page that shows the code. Microsoft publishes no number for it; this one is inferred.",
    "Begin again only when the person wants to.",
    "OAuth 2.0 device flow error. The end user declined the authorization request.",
    level="inferred",
    code=70017,
)
DEVICE_BAD_CODE = Aadsts(
    "IK1274",
    "bad_verification_code",
    "The device code is unknown",
    "It was never given out, was redeemed before, or belongs to another application.",
    "Poll with the device_code as it came, once for each request.",
    "OAuth 2.0 device flow error. The device_code value sent is not recognized.",
    code=70018,
)
DEVICE_EXPIRED = Aadsts(
    "IK1275",
    EXPIRED_TOKEN,
    "The device code has expired",
    "Fifteen minutes have passed.",
    "Ask for a new code.",
    "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
    code=70020,
)
REDIRECT_UNKNOWN = Aadsts(
    "IK1276",
    INVALID_REQUEST,
    "The redirect URI is not registered",
    "It differs from every registered one: scheme, host, port, path, capitals or a slash at the end. Ports differ freely on "
    "localhost alone.",
    "Send a registered redirect URI, letter by letter.",
    "The redirect URI '{redirect}' specified in the request does not match the redirect URIs configured for the application "
    "'{client}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.",
    code=50011,
    console=_PLATFORMS,
    terraform="azuread_application: web, single_page_application or public_client { redirect_uris }.",
)
RESPONSE_TYPE_WRONG = Aadsts(
    "IK1277",
    INVALID_REQUEST,
    "The response type is missing or none of ours",
    "response_type is not made of code, id_token and token.",
    "Send response_type=code.",
    "The request is not properly formatted. The parameter 'response_type' is missing or '{type}' is not supported.",
    code=700038,
)
RESPONSE_TYPE_OFF = Aadsts(
    "IK1278",
    UNSUPPORTED_RESPONSE_TYPE,
    "The response type is not switched on for the application",
    "id_token and token come through the browser only where the registration allows the implicit grant.",
    "Send response_type=code.",
    "response_type '{type}' is not enabled for the application.",
    code=700054,
    console="App registrations > your application > Authentication > Implicit grant and hybrid flows.",
    terraform="azuread_application: web { implicit_grant { id_token_issuance_enabled = true } }.",
)
RESPONSE_MODE_WRONG = Aadsts(
    "IK1279",
    INVALID_REQUEST,
    "The response mode does not fit",
    "response_mode is unknown, or query was asked for tokens, which would then stand in histories and logs.",
    "Use form_post or fragment for id_token and token.",
    "'{mode}' is not a supported value of 'response_mode' when requesting a token.",
    code=70007,
)
CHALLENGE_WRONG = Aadsts(
    "IK1281",
    INVALID_REQUEST,
    "The code challenge is malformed",
    "code_challenge has not 43 to 128 letters, or code_challenge_method is neither S256 nor plain.",
    "Send the S256 challenge of a random verifier, with code_challenge_method=S256.",
    "Size of Code_Challenge must be a minimum of 43 characters and a maximum of 128 characters, and the method plain or S256.",
    code=50147,
)
CHALLENGE_MISSING = Aadsts(
    "IK1282",
    INVALID_REQUEST,
    "A single-page application must use PKCE",
    "The redirect URI is a single-page application's, and no code_challenge came.",
    "Send code_challenge with code_challenge_method=S256.",
    "Proof Key for Code Exchange is required for cross-origin authorization code redemption.",
    code=9002325,
    console=_PLATFORMS,
    terraform="azuread_application: single_page_application { redirect_uris }.",
)
CLIENT_LOOP = Aadsts(
    "IK1283",
    INVALID_GRANT,
    "The client asks in a loop",
    "The same request came many times within seconds. Real tenants answer so; the twin does on demand (`twin fault`).",
    "Keep tokens until they expire.",
    "The server terminated an operation because it encountered a client request loop. Please contact your app vendor.",
    code=50196,
)
THROTTLED = Aadsts(
    "IK1284",
    "temporarily_unavailable",
    "Too many requests",
    "The service asks to wait. The twin does on demand (`twin fault`).",
    "Wait for Retry-After seconds.",
    "The request was throttled due to too many requests. Wait and try again.",
    429,
    code=90055,
)
