"""The code flow as a client sees it: the address to send the browser to, and what may be believed of its return."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from innkeeper.client.asking import Flow, chance
from innkeeper.client.credentials import Client
from innkeeper.client.discovery import Metadata
from innkeeper.client.grants import push, redeem
from innkeeper.client.identity import believed
from innkeeper.client.refused import Refused, quoted, refuse
from innkeeper.client.token import Access, Token
from innkeeper.protocol import errors, pkce
from innkeeper.protocol.parameters import Malformed, Parameters, parse_query
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

NO_PKCE = Page(
    "IK606",
    error=errors.SERVER_ERROR,
    title="The issuer does not say that it checks PKCE",
    cause="The document's code_challenge_methods_supported is missing or lacks S256; a stolen code might then be usable.",
    remedy="If you know that this issuer checks S256 without saying so, tell innkeeper: --pkce-known, or pkce_known=True.",
    wire="",
)
ANOTHER_STATE = Page(
    "IK610",
    error=errors.INVALID_REQUEST,
    title="The answer belongs to another question",
    cause="The state that came back is not the one sent: a stale tab, or someone slipping in a code of their own.",
    remedy="Close the browser tab and start again.",
    wire="",
)
NO_ISSUER = Page(
    "IK611",
    error=errors.INVALID_REQUEST,
    title="The answer does not say who gave it",
    cause="The issuer promises to name itself in each answer, and this answer has no iss: it may come from another issuer.",
    remedy="Start again; if it stays, the issuer advertises what it does not do and must mend that.",
    wire="",
)
MIXED_UP = Page(
    "IK612",
    error=errors.INVALID_REQUEST,
    title="The answer comes from another issuer",
    cause="The iss in the answer is not the issuer asked: the sign of a mix-up attack, in which a code reaches the wrong issuer.",
    remedy="Nothing was sent on. Check which issuer the browser was really at; spelling counts, a trailing slash too.",
    wire="",
)
NOT_AUTHORIZED = Page(
    "IK613",
    error=errors.ACCESS_DENIED,
    title="The issuer did not authorize",
    cause="The issuer, or the person at its page, said no.",
    remedy="Read the issuer's words above. After access_denied, sign in again and allow the access.",
    wire="",
)
UNREADABLE_RETURN = Page(
    "IK614",
    error=errors.INVALID_REQUEST,
    title="The answer in the browser cannot be used",
    cause="The redirect carries no code, or a parameter twice, or bytes that are no text.",
    remedy="Start again; open the address that was printed and nothing else.",
    wire="",
)

OPENID = "openid"
# Issuers that check S256 and do not say so in their documents.
_KNOWN_TO_CHECK = (
    ("https://login.microsoftonline.com/", ""),
    ("https://sts.windows.net/", ""),
    ("https://cognito-idp.", ".amazonaws.com"),
    ("https://issuer-cognito-idp.", ".amazonaws.com"),
)


class Pending(msgspec.Struct, frozen=True):
    """An authorization on its way: ``url`` for the browser, the rest to judge what comes back. Good for one answer."""

    url: str
    state: str
    verifier: str
    nonce: str
    redirect_uri: str
    metadata: Metadata
    client: Client
    access: Access

    def __repr__(self) -> str:
        return f"<Pending at {self.metadata.issuer} for {self.client.id}>"


class Return(msgspec.Struct, frozen=True):
    """What came back, beside what was sent."""

    pending: Pending
    sent: Parameters


def begin(
    metadata: Metadata,
    client: Client,
    access: Access,
    redirect_uri: str,
    *,
    pkce_known: bool = False,
    pushed: bool = False,
    login_hint: str = "",
) -> Flow[Pending]:
    """Prepare an authorization request (RFC 6749 §4.1.1) with PKCE S256 and a state of 32 random bytes.

    ``pkce_known`` says: this issuer checks PKCE although its document does not say so. ``pushed`` sends the request to the
    issuer first (RFC 9126), so that the browser carries a reference alone; where the issuer requires that it is done
    unasked. With a proof key, the code is bound to it (RFC 9449 §10). ``login_hint`` is who may be meant, as the person
    signs in there. Raises ``Refused``.
    """
    if not (pkce_known or checks_pkce(metadata)):
        found = " ".join(metadata.code_challenge_methods_supported or ()) or "nothing"
        raise refuse(NO_PKCE, f"{metadata.issuer} does not advertise S256", expected=pkce.METHOD, found=quoted(found))
    state, verifier, nonce = (yield from chance()), (yield from chance()), (yield from chance())
    parameters = [
        ("response_type", "code"),
        ("client_id", client.id),
        ("redirect_uri", redirect_uri),
        ("state", state),
        ("code_challenge", pkce.challenge(verifier)),
        ("code_challenge_method", pkce.METHOD),
        *access.form(),
        *access.sign_in(),
        *([("login_hint", login_hint)] if login_hint else []),
        *([("nonce", nonce)] if OPENID in access.scopes else []),
        *([("dpop_jkt", client.proving.thumbprint)] if client.proving else []),
    ]
    if pushed or metadata.require_pushed_authorization_requests:
        reference = yield from push(metadata, client, parameters)
        parameters = [("client_id", client.id), ("request_uri", reference)]
    endpoint = metadata.endpoint("authorization")
    url = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"
    return Pending(url, state, verifier, nonce, redirect_uri, metadata, client, access)


def complete(pending: Pending, query: str) -> Flow[Token]:
    """The token behind what the browser brought back; ``query`` as it stood in the redirect. Raises ``Refused``.

    Nothing goes to the token endpoint before every check has passed. An ID token is kept only where the scope
    ``openid`` asked for it, and after checks of its own.
    """
    try:
        sent = parse_query(query)
        refusal = judge(Return(pending, sent)).refusal
    except Malformed as error:
        raise refuse(UNREADABLE_RETURN, f"the redirect: {quoted(error)}") from None
    if refusal:
        code = quoted(sent.get("error", ""), 60) if refusal.page is NOT_AUTHORIZED else ""
        raise Refused(refusal, code)
    token = yield from redeem(
        pending.metadata,
        pending.client,
        pending.access,
        code=sent["code"],
        verifier=pending.verifier,
        redirect_uri=pending.redirect_uri,
    )
    if OPENID not in pending.access.scopes or token.id_token is None:
        return msgspec.structs.replace(token, id_token=None)
    yield from believed(pending.metadata, pending.client.id, pending.nonce, token.access_token, token.id_token)
    return token


def judge(case: Return) -> Trail:
    """The checks on an authorization response, in order. Raises ``Malformed`` for a parameter sent twice."""
    return follow("authorization response", RETURN_CHECKS, case)


def checks_pkce(metadata: Metadata) -> bool:
    """Whether the issuer is known to check S256: it says so, or it is one of the clouds that do without saying."""
    if metadata.code_challenge_methods_supported is not None:
        return pkce.METHOD in metadata.code_challenge_methods_supported
    host = metadata.issuer.split("/", 3)[2]
    return any(metadata.issuer.startswith(start) and host.endswith(end) for start, end in _KNOWN_TO_CHECK)


@check("RFC 6749 §10.12")
def state_is_ours(case: Return) -> Seen | Refusal:
    """The state that comes back is the one that was sent."""
    if case.sent.get("state") != case.pending.state:
        found = "another" if "state" in case.sent else "none"
        return Refusal(ANOTHER_STATE, reason=f"{found} state came back", expected="the state sent", found=found)
    return Seen("the state sent")


@check("RFC 9207 §2.4")
def issuer_is_the_one_asked(case: Return) -> Seen | Refusal:
    """The answer names the issuer that was asked, exactly; it may stay silent only where it never promised to."""
    asked, found = case.pending.metadata.issuer, case.sent.get("iss")
    promised = case.pending.metadata.authorization_response_iss_parameter_supported
    if found is None and promised:
        return Refusal(
            NO_ISSUER, reason=f"the issuer {asked} promises iss, and none came", expected=asked, found="none"
        )
    if found is not None and found != asked:
        shown = quoted(found, 120)
        return Refusal(MIXED_UP, reason=f"asked {asked}, but {shown} answered", expected=asked, found=shown)
    return Seen(found or "none, and none promised", asked)


@check("RFC 6749 §4.1.2.1")
def issuer_said_yes(case: Return) -> Seen | Refusal:
    """The answer is no error."""
    code = case.sent.get("error")
    if code is None:
        return Seen("no error")
    description = case.sent.get("error_description")
    said = f" (“{quoted(description)}”)" if description else ""
    return Refusal(NOT_AUTHORIZED, reason=f"the issuer answered {quoted(code, 60)}{said}", found=quoted(code, 60))


@check("RFC 6749 §4.1.2")
def code_came(case: Return) -> Seen | Refusal:
    """The answer holds a code."""
    if case.sent.get("code") is None:
        return Refusal(UNREADABLE_RETURN, reason="the redirect holds neither a code nor an error", expected="a code")
    return Seen("a code")


RETURN_CHECKS = (state_is_ours, issuer_is_the_one_asked, issuer_said_yes, code_came)
