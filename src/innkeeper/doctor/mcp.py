"""An MCP server judged, hop by hop, as MCP clients meet it."""

from __future__ import annotations

from urllib.parse import urlsplit

from innkeeper.client.refused import quoted
from innkeeper.doctor.findings import difference, error, remark, warning
from innkeeper.doctor.mcp_probes import WANTED_HEADERS, Server, bearer_challenge
from innkeeper.doctor.transport import not_allowed
from innkeeper.protocol.redirects import is_loopback
from innkeeper.protocol.refusals import Refusal
from innkeeper.protocol.resources import registered_spelling
from innkeeper.protocol.well_known import why_not_an_issuer
from innkeeper.tokens.trail import Check, Seen, check

NO_ANSWER = error(
    "IK850",
    "The MCP server does not answer",
    "No HTTP answer came, so a client cannot even learn that it has to sign in.",
    "Is the server up, and is this the address of its endpoint, path included?",
)
OPEN_DOOR = error(
    "IK851",
    "The MCP server asks for no token",
    "A request without a token was answered as if it had one: either the server is open to all, or it asks too late.",
    "Put the guard before the server, so that every HTTP request without a good token is answered 401.",
)
NO_401 = error(
    "IK852",
    "A request without a token is not answered 401",
    "Clients begin to sign in at a 401 and at nothing else; a redirect, 403, 404 or 500 ends the attempt.",
    "Answer 401 before anything else is looked at. A redirect usually means a slash at the end: give clients that address.",
)
NO_CHALLENGE = warning(
    "IK853",
    "The 401 has no Bearer challenge",
    "Without WWW-Authenticate, clients must guess where the metadata is, and many do not.",
    'Send WWW-Authenticate: Bearer resource_metadata="https://…/.well-known/oauth-protected-resource/…", scope="…".',
)
NO_POINTER = warning(
    "IK854",
    "The challenge does not say where the metadata is",
    "resource_metadata is missing, so clients fall back to guessing.",
    'Add resource_metadata="https://…", an absolute URL, to the challenge.',
)
RELATIVE_POINTER = error(
    "IK855",
    "The challenge's resource_metadata is not an absolute URL",
    "Clients drop a relative address without a word, and then do not find the issuer.",
    "Write the whole URL, scheme and host included.",
)
NO_SCOPE = warning(
    "IK856",
    "The challenge names no scope",
    "Clients then ask for every scope they find, or for none, and get refused, or too much.",
    "Add scope= with all the scopes that this request needs.",
)
ERROR_WITHOUT_TOKEN = remark(
    "IK857",
    "The challenge says error though no token was sent",
    "A client may take it for a sign that its stored token is bad, and throw it away.",
    "Leave error out where the request had no credentials (RFC 6750 §3.1).",
)
HIDDEN_CHALLENGE = warning(
    "IK858",
    "Pages in a browser cannot read the challenge",
    "Without Access-Control-Expose-Headers a script does not see WWW-Authenticate.",
    "Send Access-Control-Allow-Origin: * and Access-Control-Expose-Headers: WWW-Authenticate with every answer.",
)
NO_METADATA = error(
    "IK859",
    "The server publishes no metadata",
    "Neither the challenge's address, nor the path, nor the root has a protected resource document: no client can find "
    "the issuer.",
    "Serve the document at /.well-known/oauth-protected-resource followed by the server's path, and at the root.",
)
METADATA_GAP = warning(
    "IK860",
    "The metadata is missing at an address that clients try",
    "Clients try the path first and then the root; some stop at the first 404.",
    "Serve the same document at both addresses.",
)
OTHER_RESOURCE = error(
    "IK861",
    "The metadata is of another resource",
    "Its resource is not the address the client asked, so clients must stop: someone else's document would send tokens "
    "astray.",
    "Make resource the address that people configure, to the character; behind a proxy, configure the public URL.",
)
NO_ISSUER = error(
    "IK862",
    "The metadata names no issuer that can be used",
    "authorization_servers is missing, empty, or its first entry is no https issuer.",
    "List the issuer as its tokens write it in iss.",
)
OFFLINE_ACCESS = warning(
    "IK863",
    "offline_access stands among the server's scopes",
    "It asks an issuer for a refresh token and means nothing to a resource; clients would demand it of every token.",
    "Take it out of scopes_supported and of the challenge; the issuer lists it.",
)
UNKNOWN_SCOPES = error(
    "IK864",
    "The server asks for scopes that its issuer does not know",
    "A client that asks for them is refused with invalid_scope, often unseen in a redirect.",
    "Register the scopes at the issuer, or correct their spelling; some clouds want the API's identifier before them.",
)
DOWNGRADED = error(
    "IK865",
    "An advertised address uses http",
    "The server is reached by https and tells clients http addresses: it does not know it stands behind a proxy.",
    "Configure the public URL. Do not believe X-Forwarded-Host from anyone but your own proxy.",
)
NO_PREFLIGHT = warning(
    "IK866",
    "A browser's preflight is turned away",
    "Browsers send OPTIONS without a token first; a 401 there, or missing headers, ends it.",
    "Answer OPTIONS before asking for a token; allow Authorization, Content-Type, MCP-Protocol-Version, Mcp-Method, "
    "Mcp-Name.",
)
BAD_TOKEN_TAKEN = error(
    "IK867",
    "A token that is none is not refused as it should be",
    "Clients renew or sign in again at 401 with error=invalid_token; at anything else they give up, or go on for ever.",
    'Answer 401 with WWW-Authenticate: Bearer error="invalid_token".',
)
NO_WAY_IN = warning(
    "IK868",
    "A client that nobody registered cannot come in",
    "The issuer takes neither client documents (CIMD) nor registration: people must enter a client id by hand, if their "
    "client lets them.",
    "Turn on client documents or registration at the issuer, or tell people the client id to enter.",
)
OTHER_SPELLING = warning(
    "IK869",
    "The metadata spells the server otherwise than it was asked",
    "A slash at the end or the case of the host differs; strict clients stop, others send a resource the issuer may not "
    "know.",
    "Publish lower case and no slash at the end, and tell people that address.",
)


@check("MCP authorization, first contact")
def the_server_answers(case: Server) -> Seen | Refusal:
    """The MCP server answers an HTTP request."""
    if case.bare.trouble:
        return Refusal(NO_ANSWER, case.bare.trouble, "an HTTP answer", "none")
    return Seen(case.bare.line)


@check("RFC 6750 §3; MCP authorization, access token usage")
def a_token_is_asked_for(case: Server) -> Seen | Refusal:
    """A request without a token is answered 401."""
    status = case.bare.status
    if 200 <= status < 300:
        return Refusal(OPEN_DOOR, f"it answered {status} without a token", "401", str(status))
    if status != 401:
        more = f" to {quoted(case.bare.header('location'), 120)}" if 300 <= status < 400 else ""
        return Refusal(NO_401, f"it answered {status}{more}", "401", str(status))
    return Seen("401")


@check("RFC 6750 §3")
def the_401_has_a_challenge(case: Server) -> Seen | Refusal:
    """WWW-Authenticate has a Bearer challenge."""
    if case.challenge is None:
        found = quoted(case.bare.header("www-authenticate") or "no WWW-Authenticate", 200)
        return Refusal(NO_CHALLENGE, found, "Bearer …", found)
    return Seen(str(case.challenge))


@check("RFC 9728 §5.1")
def the_challenge_points_to_the_metadata(case: Server) -> Seen | Refusal:
    """resource_metadata is there, an absolute URL."""
    pointer = case.challenge.get("resource_metadata") if case.challenge else None
    if not pointer:
        return Refusal(NO_POINTER, "no resource_metadata in the challenge", "an absolute URL", "none")
    if not urlsplit(pointer).netloc:
        return Refusal(RELATIVE_POINTER, f"resource_metadata is {quoted(pointer)}", "an absolute URL", quoted(pointer))
    return Seen(pointer)


@check("MCP authorization, scope challenge")
def the_challenge_names_scopes(case: Server) -> Seen | Refusal:
    """scope says what the request needs."""
    if case.challenge is None or not case.challenge.scopes:
        return Refusal(NO_SCOPE, "no scope in the challenge", "scope", "none")
    return Seen(sorted(case.challenge.scopes))


@check("RFC 6750 §3.1")
def no_error_is_said_without_a_token(case: Server) -> Seen | Refusal:
    """A challenge to a request without credentials has no error."""
    said = case.challenge.get("error") if case.challenge else None
    if said:
        return Refusal(ERROR_WITHOUT_TOKEN, f"error is {quoted(said, 60)}", "no error", quoted(said, 60))
    return Seen("no error")


@check("CORS protocol; MCP authorization")
def pages_can_read_the_challenge(case: Server) -> Seen | Refusal:
    """A page's script may read the 401 and its challenge."""
    exposed = (case.bare.header("access-control-expose-headers") or "").lower()
    if not case.bare.header("access-control-allow-origin") or (
        "www-authenticate" not in exposed and "*" not in exposed
    ):
        return Refusal(HIDDEN_CHALLENGE, f"exposed: {exposed or 'nothing'}", "WWW-Authenticate", exposed or "nothing")
    return Seen("exposed")


@check("RFC 9728 §3")
def metadata_is_found(case: Server) -> Seen | Refusal:
    """A protected resource document stands at one of the addresses."""
    if case.document is None:
        return Refusal(NO_METADATA, _lines(case), "200 with JSON", "none")
    return Seen(case.document.url)


@check("MCP authorization, protected resource metadata discovery")
def metadata_is_at_every_address(case: Server) -> Seen | Refusal:
    """The document stands at the path and at the root, the same at both."""
    gaps = [place for place, one in case.documents.items() if one.status != 200 or one.document is None]
    other = [place for place, one in case.documents.items() if one.document and one.document != case.metadata]
    if gaps or other:
        return Refusal(METADATA_GAP, _lines(case), "the same everywhere", ", ".join([*gaps, *other]))
    return Seen(list(case.documents))


@check("RFC 9728 §3.3")
def the_resource_is_the_server_asked(case: Server) -> Seen | Refusal:
    """resource in the document is the address that was asked."""
    named = str(case.metadata.get("resource", ""))
    if named == case.url:
        return Seen(named)
    if registered_spelling(named, [case.url]):
        return Seen(f"{named}, but for its spelling", case.url)
    why = difference(case.url, named) if named else "the document has no resource"
    return Refusal(OTHER_RESOURCE, why, case.url, quoted(named) or "none")


@check("RFC 9728 §3.3")
def the_resource_is_spelt_as_asked(case: Server) -> Seen | Refusal:
    """resource and the address asked do not differ in case or in a slash at the end either."""
    named = str(case.metadata.get("resource", ""))
    if named != case.url and registered_spelling(named, [case.url]):
        return Refusal(OTHER_SPELLING, difference(case.url, named), case.url, quoted(named))
    return Seen("as asked" if named == case.url else "another address")


@check("RFC 9728 §2")
def an_issuer_is_named(case: Server) -> Seen | Refusal:
    """authorization_servers names an issuer."""
    named = case.texts("authorization_servers")
    why = why_not_an_issuer(named[0]) if named else "there is none"
    if why:
        return Refusal(
            NO_ISSUER, f"authorization_servers: {why}", "an https issuer", ", ".join(map(quoted, named)) or "none"
        )
    return Seen(named)


@check("MCP authorization, scope selection")
def offline_access_is_not_asked_for(case: Server) -> Seen | Refusal:
    """Neither the challenge nor scopes_supported lists offline_access."""
    if "offline_access" in _asked_scopes(case):
        return Refusal(OFFLINE_ACCESS, "offline_access is listed", "the server's own scopes", "offline_access")
    return Seen("not listed")


@check("MCP authorization, scope selection")
def the_issuer_knows_the_scopes(case: Server) -> Seen | Refusal:
    """Every scope the server asks for is among the issuer's, where the issuer lists any beyond OpenID's."""
    known = set(case.issuer.texts("scopes_supported") or ()) if case.issuer else set()
    if not known - _OPENID:
        return Seen("the issuer lists no scopes of APIs")
    unknown = sorted(_asked_scopes(case) - known)
    if unknown:
        return Refusal(
            UNKNOWN_SCOPES, f"the issuer does not list {', '.join(unknown)}", " ".join(sorted(known)), " ".join(unknown)
        )
    return Seen(sorted(_asked_scopes(case)))


@check("MCP authorization, communication security")
def no_address_falls_back_to_http(case: Server) -> Seen | Refusal:
    """A server reached by https tells no http addresses."""
    pointer = (case.challenge.get("resource_metadata") or "") if case.challenge else ""
    told = [pointer, str(case.metadata.get("resource", "")), *case.texts("authorization_servers")]
    bad = [one for one in told if one.startswith("http://") and not is_loopback(one)]
    local = [one for one in told if is_loopback(one) and not is_loopback(case.url)]
    if bad or local:
        return Refusal(DOWNGRADED, f"told: {', '.join(bad + local)}", "https addresses", (bad + local)[0])
    return Seen("none")


@check("CORS protocol; MCP transports")
def preflights_pass(case: Server) -> Seen | Refusal:
    """OPTIONS is answered without a token and allows the headers of MCP clients."""
    answer = case.preflight
    if answer is None or answer.trouble or answer.status >= 300 or not answer.header("access-control-allow-origin"):
        line = answer.line if answer else "no answer"
        return Refusal(NO_PREFLIGHT, line, "204 with CORS headers", str(answer.status if answer else 0))
    lacking = not_allowed(answer, WANTED_HEADERS)
    if lacking:
        return Refusal(NO_PREFLIGHT, f"headers not allowed: {', '.join(lacking)}", ", ".join(WANTED_HEADERS), "not all")
    return Seen("allowed")


@check("RFC 6750 §3.1")
def a_bad_token_is_refused(case: Server) -> Seen | Refusal:
    """A text that is no token is answered 401 with invalid_token."""
    answer = case.bad_token
    said = bearer_challenge(answer) if answer else None
    if answer is None or answer.status != 401:
        status = answer.status if answer else 0
        return Refusal(BAD_TOKEN_TAKEN, f"it answered {status}", "401 invalid_token", str(status))
    if said is None or said.get("error") != "invalid_token":
        return Refusal(BAD_TOKEN_TAKEN, "401 without error=invalid_token", "401 invalid_token", "401")
    return Seen("401 invalid_token")


@check("MCP authorization, client registration")
def strangers_can_register(case: Server) -> Seen | Refusal:
    """The issuer takes client documents or registration."""
    shown = case.issuer
    if shown is None or shown.found is None:
        return Seen("no issuer was found")
    if shown.metadata.get("client_id_metadata_document_supported") is True:
        return Seen("client documents")
    if shown.address("registration_endpoint"):
        return Seen("registration; client documents are the newer way")
    return Refusal(NO_WAY_IN, "neither client documents nor registration_endpoint", "one of them", "none")


HOPS: dict[str, tuple[Check[Server], ...]] = {
    "A request without a token": (
        a_token_is_asked_for,
        the_401_has_a_challenge,
        the_challenge_points_to_the_metadata,
        the_challenge_names_scopes,
        no_error_is_said_without_a_token,
        pages_can_read_the_challenge,
    ),
    "The server's metadata": (
        metadata_is_found,
        metadata_is_at_every_address,
        the_resource_is_the_server_asked,
        the_resource_is_spelt_as_asked,
        an_issuer_is_named,
        no_address_falls_back_to_http,
        offline_access_is_not_asked_for,
    ),
    "From the server to its issuer": (the_issuer_knows_the_scopes, strangers_can_register),
    "A browser asks, and a token that is none": (preflights_pass, a_bad_token_is_refused),
}
"""What a client does in order, and what each hop must hold."""

FIRST_CHECKS: tuple[Check[Server], ...] = (the_server_answers,)
"""Made first: without an answer there is nothing to judge."""

_OPENID = frozenset({"openid", "profile", "email", "phone", "address", "offline_access"})


def _asked_scopes(case: Server) -> set[str]:
    return set(case.texts("scopes_supported")) | (case.challenge.scopes if case.challenge else frozenset())


def _lines(case: Server) -> str:
    return "; ".join(f"{place}: {one.line}" for place, one in case.documents.items())
