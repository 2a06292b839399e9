"""Whose token it is, and what the makers' own claims mean: the words that no specification defines.

A maker is told by its issuer's address, or by claims that only it writes, so that a twin on localhost is known too.
Names that specifications define stand in ``words``; here are the others, and those that a maker uses in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from innkeeper.tokens.words import CLAIMS, HEADER, Word


class Maker(StrEnum):
    """Who makes tokens with claims of their own; ``STANDARD`` is everybody else."""

    STANDARD = "the specifications alone"
    INNKEEPER = "innkeeper"
    COGNITO = "Amazon Cognito"
    ENTRA = "Microsoft Entra ID"
    GOOGLE = "Google"
    OKTA = "Okta"
    AUTH0 = "Auth0"
    KEYCLOAK = "Keycloak"
    GITHUB = "GitHub Actions"
    KUBERNETES = "Kubernetes"


def maker(claims: Mapping[str, Any]) -> Maker:
    """Who most likely made a token with these claims. Nothing is verified by it."""
    issuer = claims.get("iss")
    host, path = _place(issuer if isinstance(issuer, str) else "")
    return next((one for one, fits in _SIGNS if fits(host, path, claims)), Maker.STANDARD)


def claim_word(name: str, made_by: Maker) -> Word | None:
    """What a claim means in this maker's tokens; None where nobody we know defined it."""
    own = SPECIALS.get(made_by, {})
    if name in own:
        return own[name]
    if made_by is Maker.COGNITO and name.startswith(("custom:", "dev:custom:")):
        return Word("An attribute that this user pool added to its people; always a string.", made_by)
    return CLAIMS.get(name) or next((words[name] for words in SPECIALS.values() if name in words), None)


def header_word(name: str) -> Word | None:
    """What a header member means."""
    return HEADER.get(name)


def _place(issuer: str) -> tuple[str, str]:
    try:
        parts = urlsplit(issuer if "://" in issuer else f"//{issuer}")
        return (parts.hostname or "", parts.path)
    except ValueError:
        return "", ""


_Sign = Callable[[str, str, Mapping[str, Any]], bool]

_SIGNS: tuple[tuple[Maker, _Sign], ...] = (
    (
        Maker.COGNITO,
        lambda host, _, claims: (
            host.startswith(("cognito-idp.", "issuer-cognito-idp.")) or claims.get("token_use") in ("access", "id")
        ),
    ),
    (
        Maker.ENTRA,
        lambda host, _, claims: (
            host in {"sts.windows.net", "login.microsoftonline.com", "login.microsoftonline.us"}
            or host.endswith((".ciamlogin.com", ".b2clogin.com", ".partner.microsoftonline.cn"))
            or ("tid" in claims and claims.get("ver") in ("1.0", "2.0"))
        ),
    ),
    (Maker.GOOGLE, lambda host, _, __: host == "accounts.google.com"),
    (
        Maker.OKTA,
        lambda host, _, claims: (
            host.endswith((".okta.com", ".oktapreview.com", ".okta-emea.com"))
            or (claims.get("ver") == 1 and "cid" in claims)
        ),
    ),
    (Maker.AUTH0, lambda host, _, claims: host.endswith(".auth0.com") or "gty" in claims),
    (Maker.KEYCLOAK, lambda _, path, claims: "/realms/" in path or "realm_access" in claims),
    (Maker.GITHUB, lambda host, _, __: host == "token.actions.githubusercontent.com"),
    (Maker.KUBERNETES, lambda _, __, claims: "kubernetes.io" in claims),
    (Maker.INNKEEPER, lambda _, __, claims: "gid" in claims),
)
"""How each is known, in the order it is asked."""


def _words(by: Maker, **said: str) -> dict[str, Word]:
    return {name: Word(text, by) for name, text in said.items()}


_ENTRA = _words(
    Maker.ENTRA,
    aud="Whom the token is for: in version 2 always the API's application id (a GUID), in version 1 the name it was "
    "asked for by, such as api://…",
    iss="Who issued it: sts.windows.net/{tenant}/ in version 1, login.microsoftonline.com/{tenant}/v2.0 in version 2. "
    "The API's registration decides which, not the endpoint.",
    sub="Whom it is about, as this one application sees them: another application gets another value. Without a person "
    "it equals oid.",
    oid="The person's or the application's object in the tenant, the same for every application; with tid the right "
    "key to store.",
    tid="The tenant (the organization) that the token comes from. Signing keys are shared by all tenants: check it.",
    ver="Which of Entra's two token formats this is: 1.0 or 2.0.",
    azp="The client's application id (version 2).",
    azpacr="How the client proved itself: 0 not at all, 1 by a secret, 2 by a certificate or assertion.",
    appid="The client's application id (version 1; version 2 says azp).",
    appidacr="How the client proved itself: 0 not at all, 1 by a secret, 2 by a certificate or assertion (version 1).",
    scp="What the person let the client do, as bare scope names with spaces between; absent where no person took part.",
    roles="App roles: given to the client itself (no person, no scp), or to the person, by whoever runs the API's tenant.",
    idtyp="Whether the token stands for an application (app) or a person (user). An optional claim.",
    idp="Who signed the person in, where that was another tenant or provider: a guest.",
    acct="Whether the person is a member (0) or a guest (1) of the tenant.",
    uti="This token's own number, as sign-in logs list it.",
    rh="For Entra's own use; means nothing to others.",
    aio="For Entra's own use; means nothing to others.",
    xms_ftd="For Entra's own use; means nothing to others.",
    xms_tdbr="For Entra's own use: the region of the tenant's data.",
    groups="The groups the person is in, as object ids. With more than 200 it is left out: see _claim_names.",
    hasgroups="The person is in more groups than the token has room for: ask Microsoft Graph.",
    _claim_names="Claims that did not fit and must be fetched; with groups: the person is in more than 200.",
    _claim_sources="Where the claims that did not fit can be fetched.",
    wids="The tenant-wide directory roles of the person, as template ids.",
    unique_name="A name to show (version 1). It may change: never use it as a key.",
    upn="The person's sign-in name in their organization. It may change: never use it as a key.",
    ipaddr="From which address the person signed in.",
    onprem_sid="The person's security id in the organization's own directory.",
    puid="An older id of the person's account; Microsoft's own APIs use it.",
    platf="The kind of device the person used.",
    app_displayname="The client's name; in tokens for Microsoft Graph.",
    xms_cc="What the client can handle: CP1 means it understands claims challenges, so its tokens may live a day.",
    acrs="Which authentication contexts of Conditional Access the person has fulfilled.",
    xms_act_fct="What kind of caller acts, as numbers: 11 is an agent's identity.",
    xms_sub_fct="What kind of identity the token is about, as numbers: 11 an agent, 13 an agent's own user account.",
    xms_tnt_fct="What kind of tenant it is, as numbers.",
    xms_idrel="How whom it is about belongs to the tenant, as numbers: 1 member, 5 guest, 7 service principal.",
    xms_par_app_azp="The application id of an agent's blueprint: good for logs, not for deciding anything.",
    tenant_region_scope="The region of the tenant.",
    tenant_ctry="The country of the tenant.",
    ctry="The country of the person, as the directory says.",
    fwd="The address of the client before it went through a proxy.",
    login_hint="A hint about whom to sign in, to be passed on as login_hint.",
    signin_state="Whether the browser stays signed in.",
    pwd_exp="When the person's password expires, in seconds.",
    pwd_url="Where the person can change their password.",
    verified_primary_email="The verified primary e-mail addresses of the person.",
    verified_secondary_email="The verified secondary e-mail addresses of the person.",
    xms_pl="The language the person prefers.",
    xms_tpl="The language the tenant prefers.",
    sid="The session, for signing out of one of several.",
    deviceid="The device the person used, as the directory knows it.",
    in_corp="The person came from inside the organization's network.",
)

_COGNITO = _words(
    Maker.COGNITO,
    token_use="Which of Cognito's tokens this is: access opens APIs, id tells a client who signed in.",
    client_id="The app client. Access tokens usually have no aud: a reader must check this instead.",
    aud="In an ID token the app client; in an access token the resource asked for, only where the client sent resource=.",
    sub="The person's id in the pool; in a machine's token the app client itself.",
    scope="What the token may be used for; own scopes carry the resource server's name: orders-api/read, not read.",
    username="The person's sign-in name in the user pool.",
    version="Which version of Cognito's token format this is.",
    origin_jti="The number of this sign-in: every token of it bears the same, and revoking ends them all.",
    event_id="The sign-in event that the token came of.",
    device_key="The remembered device the person used.",
    identities="The accounts at other providers that the person signed in with.",
    auth_time="When the person signed in; a machine's token bears its own time of issue.",
) | {
    name: Word(text, Maker.COGNITO)
    for name, text in {
        "cognito:username": "The person's sign-in name in the user pool.",
        "cognito:groups": "The groups of the user pool that the person belongs to, as a list.",
        "cognito:roles": "The AWS IAM roles of the person's groups.",
        "cognito:preferred_role": "The AWS IAM role of the person's group that comes first.",
    }.items()
}

_GOOGLE = _words(
    Maker.GOOGLE,
    hd="The Google Workspace domain of the person's organization; absent for a private account.",
    azp="The OAuth client of the application that asked.",
    sub="The person's Google account id: the right key to store.",
    google="What Google Cloud says about the virtual machine that asked.",
)

_OKTA = _words(
    Maker.OKTA,
    ver="Which version of Okta's token format this is.",
    cid="The client's id.",
    uid="The person's id at Okta: the right key to store.",
    scp="What the token may be used for, as a list.",
    sub="The person's sign-in name, or the client's id where no person took part.",
    idp="The id of the identity provider that the person came by.",
    groups="The groups of the person that the authorization server was set up to tell.",
    jti="This token's own number; AT. begins an access token's, ID. an ID token's.",
)

_AUTH0 = _words(
    Maker.AUTH0,
    permissions="What the client or person may do with this API, where RBAC is on for it.",
    gty="By which grant the token was got: client-credentials for a machine.",
    azp="The client's id.",
    org_id="The organization that the person signed in to.",
    org_name="The name of that organization.",
    sub="The person, as connection|id; a machine as client@clients.",
    aud="The API's identifier; with openid also the userinfo endpoint.",
)

_KEYCLOAK = _words(
    Maker.KEYCLOAK,
    typ="Which of Keycloak's tokens this is: Bearer, ID or Refresh. It stands among the claims, not in the header.",
    azp="The client that asked.",
    realm_access="Roles of the whole realm, under roles.",
    resource_access="Roles by client, under the client's id.",
    session_state="The session; newer versions say sid.",
    clientId="The client's id, in the token of its service account.",
    clientHost="From where the client asked.",
    clientAddress="From which address the client asked.",
    organization="The organizations that the person belongs to.",
    aud="The clients it is for; account means nothing but Keycloak's own account page. Add an audience mapper for an API.",
) | {"allowed-origins": Word("Web origins from which the client's pages may call.", Maker.KEYCLOAK)}

_GITHUB = _words(
    Maker.GITHUB,
    sub="What ran, as repo:owner/name:ref:…: the value that trust is tied to.",
    repository="The repository whose workflow ran.",
    repository_owner="Who owns that repository.",
    repository_id="The repository's number, which no new owner of its name gets.",
    repository_visibility="Whether the repository is public, private or internal.",
    ref="The branch or tag.",
    sha="The commit.",
    workflow="The workflow's name.",
    workflow_ref="The workflow's file and version.",
    job_workflow_ref="The reusable workflow's file and version.",
    environment="The deployment environment.",
    event_name="What set the workflow off.",
    actor="Whose doing set it off.",
    run_id="The run's number.",
    run_attempt="Which attempt of the run this is.",
    runner_environment="Whether GitHub's own machine ran it or another.",
)

_KUBERNETES = {
    "kubernetes.io": Word("The namespace, pod and service account that the token was mounted for.", Maker.KUBERNETES)
}

SPECIALS: Mapping[Maker, Mapping[str, Word]] = {
    Maker.COGNITO: _COGNITO,
    Maker.ENTRA: _ENTRA,
    Maker.GOOGLE: _GOOGLE,
    Maker.OKTA: _OKTA,
    Maker.AUTH0: _AUTH0,
    Maker.KEYCLOAK: _KEYCLOAK,
    Maker.GITHUB: _GITHUB,
    Maker.KUBERNETES: _KUBERNETES,
}
"""By maker, by the name of a claim: names of its own, and those it uses in its own way."""
