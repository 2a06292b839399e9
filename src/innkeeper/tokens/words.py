"""What each claim and each header member of a token means, one plain sentence apiece (RFC 7519 §4).

Pure data, for whoever explains a token to a person: the tour, ``innkeeper explain``, the docs. Nothing here
checks anything; the checks stand beside the kind of token they belong to.
"""

from __future__ import annotations

import msgspec


class Word(msgspec.Struct, frozen=True):
    """One name explained: what it ``says`` in a sentence, who defined it (``by``), and where (``spec``)."""

    says: str
    by: str = ""
    spec: str = ""


_JWT = "JSON Web Token"
_JWS = "JSON Web Signature"
_AT = "JWT access tokens"
_OIDC = "OpenID Connect"
_EXCHANGE = "Token exchange"
_CORE = "OpenID Connect Core"
_HOUSE = "innkeeper"
_ENTRA = "Microsoft Entra ID"
_COGNITO = "Amazon Cognito"

HEADER: dict[str, Word] = {
    "alg": Word(
        "How the signature was made. The reader decides which ways it accepts; the token only says.",
        _JWS,
        "RFC 7515 §4.1.1",
    ),
    "kid": Word("Which of the issuer's published keys verifies this signature.", _JWS, "RFC 7515 §4.1.4"),
    "typ": Word(
        "What kind of token this is, so that one kind is never taken for another. An access token is at+jwt.",
        _JWS,
        "RFC 9068 §2.1",
    ),
    "cty": Word("What kind of content is inside, where that is another token.", _JWS, "RFC 7515 §4.1.10"),
    "crit": Word("Extensions that a reader must understand or else refuse the token.", _JWS, "RFC 7515 §4.1.11"),
    "jku": Word(
        "An address to fetch keys from. A careful reader ignores it and uses its issuer's own address.",
        _JWS,
        "RFC 7515 §4.1.2",
    ),
    "jwk": Word("A key inside the token itself. A careful reader never trusts it.", _JWS, "RFC 7515 §4.1.3"),
    "x5c": Word("A certificate chain for the signing key.", _JWS, "RFC 7515 §4.1.6"),
    "x5t": Word(
        "The fingerprint of the signing key's certificate; an older way to name the key.", _JWS, "RFC 7515 §4.1.7"
    ),
    "nonce": Word(
        "Entra's mark on tokens for its own services; their signature cannot be checked by anyone else.", _ENTRA
    ),
}
"""By the name of a member of the protected header."""

CLAIMS: dict[str, Word] = {
    "iss": Word(
        "Who issued the token. A reader trusts exactly the issuers it was told to trust.", _JWT, "RFC 7519 §4.1.1"
    ),
    "sub": Word(
        "Whom the token is about: the person, or the client itself where no person took part.", _JWT, "RFC 7519 §4.1.2"
    ),
    "aud": Word(
        "Whom the token is for. An API that does not find itself named here must refuse it.", _JWT, "RFC 7519 §4.1.3"
    ),
    "exp": Word("From this moment on the token opens nothing.", _JWT, "RFC 7519 §4.1.4"),
    "nbf": Word("Before this moment the token opens nothing.", _JWT, "RFC 7519 §4.1.5"),
    "iat": Word("When the token was issued.", _JWT, "RFC 7519 §4.1.6"),
    "jti": Word(
        "This token's own number, so that one token can be told from another, and revoked.", _JWT, "RFC 7519 §4.1.7"
    ),
    "client_id": Word("Which application asked for the token and holds it.", _AT, "RFC 9068 §2.2"),
    "scope": Word(
        "What the token may be used for, as names the API understands, with spaces between.", _AT, "RFC 9068 §2.2.3"
    ),
    "roles": Word("The roles of whom the token is about.", _AT, "RFC 9068 §2.2.3.1"),
    "groups": Word("The groups that the person belongs to.", _AT, "RFC 9068 §2.2.3.1"),
    "entitlements": Word("Single rights that the person has.", _AT, "RFC 9068 §2.2.3.1"),
    "auth_time": Word(
        "When the person last proved who they are; older than the token where they were already signed in.",
        _OIDC,
        f"{_CORE} §2",
    ),
    "acr": Word("How strongly the person proved who they are, as a name for a level.", _OIDC, f"{_CORE} §2"),
    "amr": Word(
        "By which means they proved it: pwd is a password, otp a one-time code, hwk a hardware key.",
        "Authentication methods",
        "RFC 8176 §2",
    ),
    "nonce": Word(
        "The client's own random value, sent back inside the token: this answer belongs to that question.",
        _OIDC,
        f"{_CORE} §2",
    ),
    "at_hash": Word(
        "A fingerprint of the access token that came along, so that neither can be swapped.", _OIDC, f"{_CORE} §3.1.3.6"
    ),
    "c_hash": Word("A fingerprint of the authorization code that came along.", _OIDC, f"{_CORE} §3.3.2.11"),
    "azp": Word("The one client this was issued to, where the audience alone does not say.", _OIDC, f"{_CORE} §2"),
    "sid": Word(
        "The session in which the person signed in, so that signing out can name it.",
        _OIDC,
        "OpenID Connect Back-Channel Logout §2.1",
    ),
    "name": Word("The person's full name, as they would like it shown.", _OIDC, f"{_CORE} §5.1"),
    "given_name": Word("The person's given name.", _OIDC, f"{_CORE} §5.1"),
    "family_name": Word("The person's family name.", _OIDC, f"{_CORE} §5.1"),
    "nickname": Word("What the person is casually called.", _OIDC, f"{_CORE} §5.1"),
    "preferred_username": Word(
        "A name the person likes to go by. It may change and may be shared: never use it as a key.",
        _OIDC,
        f"{_CORE} §5.1",
    ),
    "email": Word("The person's e-mail address. It may change hands: never use it as a key.", _OIDC, f"{_CORE} §5.1"),
    "email_verified": Word("Whether the issuer made sure that the address is the person's.", _OIDC, f"{_CORE} §5.1"),
    "phone_number": Word("The person's telephone number.", _OIDC, f"{_CORE} §5.1"),
    "phone_number_verified": Word(
        "Whether the issuer made sure that the number is the person's.", _OIDC, f"{_CORE} §5.1"
    ),
    "address": Word("The person's postal address.", _OIDC, f"{_CORE} §5.1.1"),
    "middle_name": Word("The person's middle name.", _OIDC, f"{_CORE} §5.1"),
    "profile": Word("The address of a page about the person.", _OIDC, f"{_CORE} §5.1"),
    "website": Word("The person's own web page.", _OIDC, f"{_CORE} §5.1"),
    "gender": Word("The person's gender, in a word.", _OIDC, f"{_CORE} §5.1"),
    "birthdate": Word("The person's day of birth.", _OIDC, f"{_CORE} §5.1"),
    "s_hash": Word(
        "A fingerprint of the state of the request, so that no other answer can be slipped in.",
        "Financial-grade API",
    ),
    "events": Word(
        "What happened, in a token that tells of events, such as a logout.", "Security events", "RFC 8417 §2.2"
    ),
    "htm": Word("The method of the one request that this proof was made for.", "DPoP", "RFC 9449 §4.2"),
    "htu": Word("The address of the one request that this proof was made for.", "DPoP", "RFC 9449 §4.2"),
    "ath": Word("A fingerprint of the access token that this proof goes with.", "DPoP", "RFC 9449 §4.2"),
    "resource": Word("The API that a grant in this assertion is for.", "Resource indicators", "RFC 8707 §2"),
    "picture": Word("Where a picture of the person is.", _OIDC, f"{_CORE} §5.1"),
    "locale": Word("The person's language and region.", _OIDC, f"{_CORE} §5.1"),
    "zoneinfo": Word("The person's time zone.", _OIDC, f"{_CORE} §5.1"),
    "updated_at": Word("When these facts about the person last changed.", _OIDC, f"{_CORE} §5.1"),
    "cnf": Word(
        "The key that the holder must prove to have; without it a copied token is useless.",
        "Proof of possession",
        "RFC 7800 §3.1",
    ),
    "act": Word(
        "Who acts for whom the token is about: an agent, and whoever sent that agent.", _EXCHANGE, "RFC 8693 §4.1"
    ),
    "may_act": Word("Who may come to act for whom the token is about.", _EXCHANGE, "RFC 8693 §4.4"),
    "authorization_details": Word(
        "Fine-grained rights, as objects where scopes are only words.", "Rich authorization requests", "RFC 9396 §9.1"
    ),
    "gid": Word("The grant behind the token: everything that came of one permission, revoked together.", _HOUSE),
    "tid": Word("The tenant (the organization) that the token comes from.", _ENTRA),
    "oid": Word("The person's or application's object in its tenant; the right key to store.", _ENTRA),
    "upn": Word("The person's sign-in name in their organization. It may change.", _ENTRA),
    "scp": Word("Entra's name for scope, where a person is present.", _ENTRA),
    "appid": Word("Entra's older name for the client.", _ENTRA),
    "azpacr": Word("How the client proved itself: 0 not at all, 1 by a secret, 2 by a certificate.", _ENTRA),
    "idtyp": Word("Whether the token stands for an application (app) or a person (user).", _ENTRA),
    "ver": Word("Which version of Entra's token format this is.", _ENTRA),
    "token_use": Word("Which of Cognito's tokens this is: access or id.", _COGNITO),
    "username": Word("The person's sign-in name in the user pool.", _COGNITO),
    "cognito:username": Word("The person's sign-in name in the user pool.", _COGNITO),
    "cognito:groups": Word("The groups of the user pool that the person belongs to.", _COGNITO),
    "origin_jti": Word("The number of the first token of this sign-in; revoking by it ends them all.", _COGNITO),
    "event_id": Word("The sign-in event that the token came of.", _COGNITO),
    "version": Word("Which version of Cognito's token format this is.", _COGNITO),
}
"""By the name of a claim."""

MOMENTS = frozenset({"auth_time", "exp", "iat", "nbf", "updated_at"})
"""The claims whose number is a moment: seconds since 1970-01-01T00:00:00Z (RFC 7519 §2, NumericDate)."""
