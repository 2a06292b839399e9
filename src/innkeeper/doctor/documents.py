"""The issuer's documents, judged: found in every form, alike, exact to the character, saying what clients need."""

from __future__ import annotations

from urllib.parse import urlsplit

from innkeeper.client.discovery import private
from innkeeper.client.refused import quoted
from innkeeper.doctor.findings import difference, error, remark, warning
from innkeeper.doctor.probes import Issuer
from innkeeper.guard.issuers.found import preset_for
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Check, Seen, check

NO_DOCUMENT = error(
    "IK810",
    "The issuer has no metadata document",
    "None of the well-known addresses answers with a JSON object, so no client can find an endpoint or a key.",
    "Serve the document at ISSUER/.well-known/openid-configuration. Is the issuer spelt as its tokens write it in iss?",
)
FORM_MISSING = warning(
    "IK811",
    "The metadata document is missing at an address that clients try",
    "Clients differ in where they look first, and some stop at the first 404.",
    "Serve the same document at every address: OpenID Connect Discovery and RFC 8414, path inserted and appended.",
)
FORMS_DIFFER = warning(
    "IK812",
    "The metadata differs from one address to another",
    "Two clients see two issuers: what one can do, another never learns.",
    "Serve one body at all addresses.",
)
OTHER_SPELLING = error(
    "IK813",
    "The issuer in the document is spelt otherwise",
    "Clients compare issuers character by character and must reject a document that names another.",
    "Make the document's issuer and the address that clients are told one string; a slash at the end counts.",
)
MOVED = warning(
    "IK814",
    "A well-known address redirects",
    "Careful clients follow no redirect for metadata: whoever could redirect could replace the issuer.",
    "Answer 200 at the address itself. An http address that moves to https is to be replaced where it is configured.",
)
NO_JSON = warning(
    "IK815",
    "The document is not announced as JSON, or is no strict JSON",
    "Some clients refuse another content type; a member that stands twice is read differently by different parsers.",
    "Send Content-Type: application/json and each member once.",
)
MEMBER_MISSING = error(
    "IK816",
    "The document lacks a member that clients need",
    "Without it, clients cannot find the endpoint or the keys, or must guess.",
    "Add the member; its name stands above.",
)
OPEN_ENDPOINT = error(
    "IK817",
    "An endpoint is not private",
    "An endpoint uses http, or leads to the caller's own computer: codes and secrets would go there.",
    "Advertise https addresses. Behind a proxy, configure the public URL: innkeeper has public_url for it.",
)
OTHER_ORIGIN = remark(
    "IK818",
    "An endpoint lies at another origin than the issuer",
    "That is allowed, and clouds do it; a firewall or a mixed-up configuration may still stand in between.",
    "Check that clients can reach that host, too.",
)
NO_PKCE = warning(
    "IK819",
    "The document does not say that PKCE with S256 is checked",
    "MCP clients and careful others must refuse an issuer whose code_challenge_methods_supported lacks S256.",
    'Add code_challenge_methods_supported: ["S256"]. For Cognito and Entra, which check it and never say so, a facade can.',
)
PLAIN_PKCE = warning(
    "IK820",
    "PKCE without hashing is offered",
    "With plain, whoever sees the authorization request can redeem the code.",
    "Offer S256 alone.",
)
NO_ISS = warning(
    "IK821",
    "Authorization responses do not say who gave them",
    "Without iss in the response, a client that knows several issuers can be made to send a code to the wrong one.",
    "Send iss with every authorization response, errors too, and authorization_response_iss_parameter_supported: true.",
)
WEAK_ALGORITHMS = error(
    "IK822",
    "The document offers signatures that anyone, or any client, could make",
    "none is no signature; HS256 lets whoever verifies also sign.",
    "Offer asymmetric algorithms: ES256, RS256, PS256, EdDSA.",
)
OLD_GRANTS = warning(
    "IK823",
    "Grants are offered that OAuth 2.1 took away",
    "The implicit grant puts tokens into addresses; the password grant shows passwords to clients.",
    "Turn them off: the authorization code with PKCE does for both.",
)
NO_METHODS = remark(
    "IK824",
    "The document does not say that public clients may come",
    "Without none in token_endpoint_auth_methods_supported, a client without a secret must assume that it may not.",
    "Add none, if public clients are registered here.",
)

_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported")
_CLOUDS = {"cognito": "Amazon Cognito", "entra": "Microsoft Entra ID", "google": "Google"}
_ENDPOINTS = ("_endpoint", "_uri")
_SIGNED = (
    "id_token_signing_alg_values_supported",
    "authorization_signing_alg_values_supported",
    "dpop_signing_alg_values_supported",
)


@check("RFC 8414 §3")
def a_document_is_found(case: Issuer) -> Seen | Refusal:
    """One of the well-known addresses answers with a JSON object."""
    if case.found is None:
        tried = "; ".join(one.line for one in case.forms)
        return Refusal(NO_DOCUMENT, tried, "200 with JSON", "none")
    return Seen(case.found.url)


@check("MCP authorization, server metadata discovery")
def every_form_is_served(case: Issuer) -> Seen | Refusal:
    """Every address that some client tries first answers."""
    missing = [one for one in case.forms if one.status != 200 or one.document is None]
    if missing:
        reason = "; ".join(one.line for one in missing)
        found = f"{len(case.forms) - len(missing)}"
        return Refusal(FORM_MISSING, reason, f"{len(case.forms)} addresses", found, _made_so(case))
    return Seen(f"all {len(case.forms)}")


@check("RFC 8414 §3.1")
def forms_are_alike(case: Issuer) -> Seen | Refusal:
    """Every address serves the same members."""
    documents = [one for one in case.forms if one.document is not None and one.status == 200]
    for other in documents[1:]:
        first, second = documents[0].document or {}, other.document or {}
        names = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
        if names:
            return Refusal(FORMS_DIFFER, f"{other.url} differs in {', '.join(names)}", documents[0].url, other.url)
    return Seen("alike")


@check("RFC 8414 §3.3")
def issuer_is_exact(case: Issuer) -> Seen | Refusal:
    """The document's issuer equals the one asked for, to the character."""
    named = case.metadata.get("issuer")
    if named != case.issuer:
        shown = quoted(named)
        return Refusal(OTHER_SPELLING, difference(case.issuer, str(named)), case.issuer, shown)
    return Seen(case.issuer)


@check("RFC 8414 §3.2")
def no_form_redirects(case: Issuer) -> Seen | Refusal:
    """No well-known address sends the client elsewhere."""
    moved = [one for one in case.forms if 300 <= one.status < 400]
    if moved:
        reason = "; ".join(f"{one.url} sends to {quoted(one.header('location') or 'nowhere', 120)}" for one in moved)
        return Refusal(MOVED, reason, "200", str(moved[0].status))
    return Seen("none")


@check("RFC 8414 §3.2")
def document_is_strict_json(case: Issuer) -> Seen | Refusal:
    """What is served is announced as JSON, and is JSON that all parsers read alike."""
    for one in case.forms:
        kind = (one.header("content-type") or "no content type").partition(";")[0].strip()
        if one.status == 200 and (one.document is None or kind not in {"application/json", "application/jwt"}):
            return Refusal(NO_JSON, f"{one.url}: {one.flaw or kind}", "application/json", quoted(kind, 60))
    return Seen("application/json")


@check("RFC 8414 §2")
def members_are_there(case: Issuer) -> Seen | Refusal:
    """The document names its endpoints, its keys and its response types."""
    missing = [name for name in _NEEDED if not case.metadata.get(name)]
    if missing:
        return Refusal(MEMBER_MISSING, f"missing: {', '.join(missing)}", ", ".join(_NEEDED), "not all")
    return Seen(_NEEDED)


@check("RFC 6749 §3.1, §3.2")
def endpoints_are_private(case: Issuer) -> Seen | Refusal:
    """Every endpoint is https, or as local as the issuer itself."""
    bad = [f"{name} is {quoted(value, 200)}" for name, value in _addresses(case) if not private(value, case.issuer)]
    if bad:
        return Refusal(OPEN_ENDPOINT, "; ".join(bad), "https", bad[0])
    return Seen("https" if case.issuer.startswith("https") else "loopback")


@check("RFC 8414 §2")
def endpoints_are_at_the_issuer(case: Issuer) -> Seen | Refusal:
    """The endpoints are at the issuer's own host."""
    home = urlsplit(case.issuer).netloc
    hosts = sorted({urlsplit(value).netloc for _, value in _addresses(case)} - {home})
    if hosts:
        return Refusal(OTHER_ORIGIN, f"endpoints at {', '.join(hosts)}", home, ", ".join(hosts))
    return Seen(home)


@check("RFC 7636 §4.3; MCP authorization, PKCE")
def pkce_is_advertised(case: Issuer) -> Seen | Refusal:
    """The document says that S256 is checked."""
    methods = case.texts("code_challenge_methods_supported")
    if methods is None or "S256" not in methods:
        found = " ".join(methods or ()) or "no such member"
        return Refusal(NO_PKCE, "code_challenge_methods_supported lacks S256", "S256", found, _made_so(case))
    return Seen(methods)


@check("RFC 9700 §2.1.1")
def plain_pkce_is_not_offered(case: Issuer) -> Seen | Refusal:
    """The method plain is not offered."""
    if "plain" in (case.texts("code_challenge_methods_supported") or ()):
        return Refusal(PLAIN_PKCE, "plain is offered", "S256", "plain")
    return Seen("not offered")


@check("RFC 9207 §3")
def responses_name_the_issuer(case: Issuer) -> Seen | Refusal:
    """Authorization responses bear iss, and the document promises it."""
    if case.metadata.get("authorization_response_iss_parameter_supported") is not True:
        reason = "authorization_response_iss_parameter_supported is not true"
        return Refusal(NO_ISS, reason, "true", "not true", _made_so(case))
    return Seen("promised")


@check("RFC 8725 §3.1")
def algorithms_are_asymmetric(case: Issuer) -> Seen | Refusal:
    """Nothing is offered with none or a shared secret."""
    offered = [(name, alg) for name in _SIGNED for alg in case.texts(name) or ()]
    weak = [f"{name} has {alg}" for name, alg in offered if alg == "none" or alg.startswith("HS")]
    if weak:
        return Refusal(WEAK_ALGORITHMS, "; ".join(weak), "asymmetric algorithms", weak[0])
    return Seen("asymmetric")


@check("RFC 9700 §2.1.2, §2.4")
def old_grants_are_gone(case: Issuer) -> Seen | Refusal:
    """Neither the implicit nor the password grant is offered."""
    grants = set(case.texts("grant_types_supported") or ()) & {"implicit", "password"}
    kinds = {one for one in case.texts("response_types_supported") or () if "token" in one.split()}
    if grants or kinds:
        found = ", ".join(sorted(grants | {f"response type {one}" for one in kinds}))
        return Refusal(OLD_GRANTS, f"offered: {found}", "authorization_code", found, _made_so(case))
    return Seen("gone")


@check("RFC 8414 §2")
def public_clients_may_come(case: Issuer) -> Seen | Refusal:
    """The document says that clients without a secret are taken."""
    methods = case.texts("token_endpoint_auth_methods_supported")
    if "none" not in (methods or ()):
        found = ", ".join(methods) if methods else "no such member: client_secret_basic alone"
        return Refusal(
            NO_METHODS, "token_endpoint_auth_methods_supported lacks none", "none among them", found, _made_so(case)
        )
    return Seen(methods or ())


def _made_so(case: Issuer) -> str:
    """For a cloud's issuer: that nobody can change it there, and what helps instead."""
    name = _CLOUDS.get(preset_for(case.issuer).name, "")
    return (
        name
        and f"{name} is made so. Clients that insist need a facade, or to be told: an issuer in front of it does both."
    )


def _addresses(case: Issuer) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in case.metadata.items()
        if isinstance(value, str) and name.endswith(_ENDPOINTS) and name not in {"op_policy_uri", "op_tos_uri"}
    ]


FIRST_CHECKS: tuple[Check[Issuer], ...] = (a_document_is_found,)
"""Made first: without a document nothing else can be asked."""

DOCUMENT_CHECKS: tuple[Check[Issuer], ...] = (
    every_form_is_served,
    forms_are_alike,
    issuer_is_exact,
    no_form_redirects,
    document_is_strict_json,
    members_are_there,
    endpoints_are_private,
    endpoints_are_at_the_issuer,
    pkce_is_advertised,
    plain_pkce_is_not_offered,
    responses_name_the_issuer,
    algorithms_are_asymmetric,
    old_grants_are_gone,
    public_clients_may_come,
)
