"""What an issuer does for one client, judged: redirects, PKCE, the token endpoint, the token that it gives, its renewal."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from innkeeper.client.refused import quoted
from innkeeper.doctor.client_probes import STRAY, Visit
from innkeeper.doctor.findings import error, remark, warning
from innkeeper.doctor.mcp_probes import bearer_challenge
from innkeeper.doctor.probes import Answer
from innkeeper.guard.decision import Refused
from innkeeper.protocol.redirects import is_loopback
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Check, Seen, check

NO_TOKEN = error(
    "IK870",
    "The client gets no token",
    "The token endpoint refused the client's own request, so nothing that runs as this client works.",
    "Read the issuer's words above: the secret, the grant client_credentials, the scopes and the resource are what it looks at.",
)
ANSWER_IS_KEPT = warning(
    "IK871",
    "The token endpoint's answers may be kept on the way",
    "Without Cache-Control: no-store a proxy or a browser may keep a token, and give it to somebody else.",
    "Send Cache-Control: no-store with every answer of the token endpoint.",
)
WRONG_SECRET = error(
    "IK872",
    "A wrong secret is not refused as it should be",
    "A client tells by invalid_client that its secret is the matter; where a wrong one gets a token, there is no secret.",
    "Answer 401 with error=invalid_client (RFC 6749 §5.2).",
)
OTHER_AUDIENCE = error(
    "IK873",
    "The token is not for the API that was asked for",
    "aud does not name the resource, so a careful API refuses the token, and a careless one takes those of other APIs too.",
    "Register the resource at the issuer. Cognito and Entra name APIs in their own way: innkeeper explain says which.",
)
NOT_TAKEN = error(
    "IK874",
    "The guard does not take the token",
    "The issuer gives this client tokens that the rules for its issuer refuse; the reason stands above.",
    "Pipe the token into innkeeper explain with --issuer and --audience: it names the check, and what would mend it.",
)
ONE_PORT = warning(
    "IK875",
    "The redirect URI is taken at one port alone",
    "Programs on people's computers come back to whichever port is free; RFC 8252 §7.3 has issuers leave the port open.",
    "Register the client as a native one, or let the program come back to the port that is registered (--port).",
)
STRAY_REDIRECT = error(
    "IK876",
    "The browser is sent to an address that nobody registered",
    "Whoever writes a link could have codes sent to themselves.",
    "Compare redirect URIs with the registered ones, exactly, before anything is redirected.",
)
PKCE_LEFT_OUT = warning(
    "IK877",
    "A client without a secret may leave PKCE out",
    "Whoever sees the code on its way can then redeem it.",
    "Refuse authorization requests of public clients without code_challenge (RFC 9700 §2.1.1).",
)
ANSWER_NOT_BOUND = warning(
    "IK878",
    "The answer at the redirect URI does not say whose it is",
    "A careful client drops an answer without its state, or without iss where the issuer promises to send it; errors, too.",
    "Send state and iss with every answer, errors included (RFC 6749 §4.1.2.1, RFC 9207 §2).",
)
UNCLEAR_REFUSAL = warning(
    "IK879",
    "The token endpoint does not refuse in the protocol's words",
    "Clients decide by the error code whether to sign in again, to wait, or to give up.",
    "Answer 400 with JSON: error=invalid_grant for a code that was never given (RFC 6749 §5.2).",
)
NOT_ROTATED = warning(
    "IK841",
    "The refresh token of a client without a secret stays the same",
    "A copy of it works for as long as the original, and nobody notices.",
    "Give a new one with each renewal, or bind it to the client's key (OAuth 2.1 §4.3.1).",
)
TWO_SUCCESSORS = warning(
    "IK842",
    "A refresh token that was used gives another one again",
    "A thief's copy and the original then live on beside each other.",
    "Give the same successor again for a short while, for an answer that was lost, and revoke the whole family after that.",
)
LOST_ANSWER = remark(
    "IK843",
    "A refresh token that is used twice at once ends the session",
    "Two processes that renew at the same moment, or an answer lost on the way, sign the person out.",
    "Let clients renew one at a time: innkeeper's do, across processes. A grace of a minute at the issuer helps all of them.",
)
DOOR_SHUT = error(
    "IK844",
    "The MCP server does not take the token that was got for it",
    "Its issuer gave the client this token, and the server turns it away: people are sent to sign in again and again.",
    "The server's log has the reason, or innkeeper explain with --as mcp: mostly the audience, the scopes, or another issuer.",
)

_NO_PAGE = frozenset({"login_required", "interaction_required", "consent_required", "account_selection_required"})


@check("RFC 8252 §7.3")
def any_loopback_port_is_taken(case: Visit) -> Seen | Refusal:
    """A redirect to this computer is taken at whichever port the program got."""
    if not is_loopback(case.redirect_uri) or case.silent is None:
        return Seen("no redirect to this computer")
    if why := _turned_away(case.silent, case.redirect_uri):
        return Refusal(ONE_PORT, f"{quoted(case.redirect_uri)} was turned away: {why}", "any port", why)
    return Seen(case.redirect_uri)


@check("RFC 9700 §2.1")
def no_stray_redirect(case: Visit) -> Seen | Refusal:
    """Nobody is sent to a redirect URI that was never registered."""
    location = (case.stray.header("location") if case.stray else "") or ""
    if location.startswith(STRAY):
        return Refusal(STRAY_REDIRECT, f"it redirects to {STRAY}", "a page that says no", "a redirect")
    return Seen("not asked" if case.stray is None else "nobody is sent there")


@check("RFC 9700 §2.1.1")
def pkce_is_demanded(case: Visit) -> Seen | Refusal:
    """An authorization request of a public client without PKCE is refused."""
    answer = case.unproven
    if answer is None or not case.client.public:
        return Seen("not asked of a client with a secret")
    said = _answer(answer, case.redirect_uri).get("error", "")
    if said in _NO_PAGE or (not said and not _turned_away(answer, case.redirect_uri)):
        return Refusal(PKCE_LEFT_OUT, "a request without code_challenge goes on to the sign-in", "refused", "taken")
    return Seen(said or "refused on a page")


@check("RFC 9207 §2; RFC 6749 §4.1.2.1")
def answers_say_whose_they_are(case: Visit) -> Seen | Refusal:
    """An answer at the redirect URI brings the state back and, where that is promised, names the issuer."""
    said = _answer(case.silent, case.redirect_uri) if case.silent else {}
    if not said:
        return Seen("no answer came to the redirect URI")
    if said.get("state") != case.state:
        return Refusal(ANSWER_NOT_BOUND, "state did not come back as it was sent", "the state sent", "another")
    promised, found = case.metadata.authorization_response_iss_parameter_supported, said.get("iss")
    if found != case.metadata.issuer and (promised or found is not None):
        return Refusal(ANSWER_NOT_BOUND, "iss is missing or another's", case.metadata.issuer, quoted(found or "none"))
    return Seen(f"{quoted(said.get('error', 'a code'), 40)}, {'with' if found else 'without'} iss")


@check("RFC 6749 §5.2")
def a_code_of_nobody_is_refused(case: Visit) -> Seen | Refusal:
    """A code that was never given is refused as JSON, with an error code."""
    answer = case.junk
    code = _error(answer)
    if answer is None or answer.status not in {400, 401} or not code:
        line = answer.trouble or f"it answered {answer.status}" if answer else "no answer"
        return Refusal(UNCLEAR_REFUSAL, f"{line}, error {quoted(code) or 'none'}", "400 invalid_grant", line)
    return Seen(f"{answer.status} {quoted(code, 40)}")


@check("RFC 6749 §4.4")
def the_client_gets_a_token(case: Visit) -> Seen | Refusal:
    """The client's own request for a token is granted."""
    answer = case.token
    if answer is None:
        return Seen("not asked: a client without a secret has none of its own")
    if answer.status == 200 and case.held:
        return Seen("200")
    said = (answer.document or {}).get("error_description")
    reason = answer.trouble or f"{answer.status} {quoted(_error(answer), 40)} {quoted(said or '', 200)}".strip()
    return Refusal(NO_TOKEN, reason, "200 with access_token", str(answer.status))


@check("RFC 6749 §5.1")
def answers_are_kept_by_nobody(case: Visit) -> Seen | Refusal:
    """An answer with a token in it says Cache-Control: no-store."""
    given = [one for one in (case.token, *case.refreshed) if one and one.status == 200]
    kept = [one for one in given if "no-store" not in (one.header("cache-control") or "").lower()]
    if kept:
        found = kept[0].header("cache-control") or "no Cache-Control"
        return Refusal(ANSWER_IS_KEPT, f"it is sent with {quoted(found)}", "no-store", quoted(found))
    return Seen("no-store" if given else "no answer with a token")


@check("RFC 6749 §5.2")
def a_wrong_secret_is_refused(case: Visit) -> Seen | Refusal:
    """The same request with another secret is refused with invalid_client."""
    answer = case.wrong
    if answer is None:
        return Seen("no secret to try")
    if answer.status not in {400, 401} or _error(answer) != "invalid_client":
        found = f"{answer.status} {quoted(_error(answer), 40)}".strip()
        return Refusal(WRONG_SECRET, f"it answered {found}", "401 invalid_client", found)
    return Seen(f"{answer.status} invalid_client")


@check("RFC 8707 §2; RFC 9068 §3")
def the_token_is_for_the_resource(case: Visit) -> Seen | Refusal:
    """aud names the API that was asked for."""
    said, wanted = case.said, case.access.resource
    if said is None or not wanted:
        return Seen("no API was named" if said else "no token that can be read")
    found = said.claims.get("aud", ())
    named = [found] if isinstance(found, str) else list(map(str, found)) if isinstance(found, list) else []
    if wanted not in named:
        return Refusal(OTHER_AUDIENCE, f"aud is {quoted(', '.join(named)) or 'missing'}", wanted, quoted(named))
    return Seen(wanted)


@check("RFC 9068 §4")
def the_guard_takes_the_token(case: Visit) -> Seen | Refusal:
    """The token passes every check that the guard makes on this issuer's tokens."""
    verdict = case.verdict
    if isinstance(verdict, Refused):
        refusal = verdict.refusal
        reason = f"{refusal.page.title} [{refusal.page.number}]: {refusal.reason}"
        return Refusal(NOT_TAKEN, quoted(reason), quoted(refusal.expected), quoted(refusal.found))
    return Seen(f"{len(verdict.trail.steps)} checks" if verdict else "no token that can be read")


@check("OAuth 2.1 §4.3.1")
def refresh_tokens_rotate(case: Visit) -> Seen | Refusal:
    """Each renewal of a client without a secret gives another refresh token."""
    if not case.refreshed or not case.client.public:
        return Seen("no refresh token of a public client" if case.client.public else "a client with a secret")
    first = case.refreshed[0]
    new = (first.document or {}).get("refresh_token")
    if first.status == 200 and new in (None, case.kept):
        return Refusal(NOT_ROTATED, "the refresh token stays as it was", "a new one", "the same")
    return Seen("a new one" if new else f"{first.status} {quoted(_error(first), 40)}")


@check("RFC 9700 §4.14.2")
def a_used_refresh_token_gives_no_second_successor(case: Visit) -> Seen | Refusal:
    """The same refresh token once more gives the same successor, or none."""
    if len(case.refreshed) < 3:
        return Seen("no rotation was seen")
    one, other = ((each.document or {}).get("refresh_token") for each in case.refreshed[:2])
    if case.refreshed[1].status == 200 and other not in (None, one):
        return Refusal(TWO_SUCCESSORS, "a second successor was given", "the same or none", "another")
    return Seen("the same successor" if case.refreshed[1].status == 200 else "refused")


@check("RFC 9700 §4.14.2")
def a_lost_answer_does_not_end_the_session(case: Visit) -> Seen | Refusal:
    """The successor still works after its predecessor was shown once more, at once."""
    if len(case.refreshed) < 3:
        return Seen("no rotation was seen")
    last = case.refreshed[2]
    if last.status != 200:
        found = f"{last.status} {quoted(_error(last), 40)}"
        return Refusal(LOST_ANSWER, f"the successor was refused: {found}", "200", found)
    return Seen("the session goes on")


REDIRECT_CHECKS: tuple[Check[Visit], ...] = (
    any_loopback_port_is_taken,
    no_stray_redirect,
    pkce_is_demanded,
    answers_say_whose_they_are,
)


@check("MCP authorization, access token usage")
def the_server_takes_the_token(case: Visit) -> Seen | Refusal:
    """The MCP server answers a request with the token as one that it lets in."""
    answer = case.opened
    if answer is None:
        return Seen("no MCP server was named")
    if answer.trouble or answer.status in {401, 403} or answer.status >= 500:
        said = bearer_challenge(answer)
        names = ("error", "error_description", "scope")
        words = "; ".join(f"{name} {quoted(said.get(name), 120)}" for name in names if said and said.get(name))
        return Refusal(DOOR_SHUT, f"{answer.trouble or answer.status}: {words or 'no challenge'}", "let in", words)
    return Seen(str(answer.status))


TOKEN_CHECKS: tuple[Check[Visit], ...] = (
    the_client_gets_a_token,
    a_wrong_secret_is_refused,
    a_code_of_nobody_is_refused,
    answers_are_kept_by_nobody,
    the_token_is_for_the_resource,
    the_guard_takes_the_token,
    the_server_takes_the_token,
)
REFRESH_CHECKS: tuple[Check[Visit], ...] = (
    refresh_tokens_rotate,
    a_used_refresh_token_gives_no_second_successor,
    a_lost_answer_does_not_end_the_session,
)


def _error(answer: Answer | None) -> str:
    said = ((answer.document if answer else None) or {}).get("error")
    return said if isinstance(said, str) else ""


def _answer(answer: Answer, redirect_uri: str) -> dict[str, str]:
    """What came to the redirect URI; empty where the browser is sent anywhere else, or nowhere."""
    location = answer.header("location") or ""
    if not redirect_uri or not location.startswith((f"{redirect_uri}?", f"{redirect_uri}&")):
        return {}
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query, keep_blank_values=True).items()}


def _turned_away(answer: Answer, redirect_uri: str) -> str:
    """Why no sign-in follows for this redirect URI; "" where one does, or the answer was sent to it."""
    if answer.trouble or answer.status >= 400:
        return answer.trouble or f"status {answer.status}"
    location = answer.header("location") or ""
    if _answer(answer, redirect_uri):
        return ""
    if "error" in location.partition("?")[0] or "error=" in location:
        return f"sent to {quoted(location.partition('?')[0], 120)}"
    return "a page with AADSTS50011" if b"AADSTS50011" in answer.body else ""
