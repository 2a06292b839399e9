"""A code is redeemed for tokens, once (RFC 6749 §4.1.3)."""

from __future__ import annotations

from hmac import compare_digest

import msgspec

from innkeeper.issuer.core import details
from innkeeper.issuer.core.binding import kept, same_key
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddGrant, AddRefreshToken, Effect, RevokeGrant, SpendCode
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client, Code, RefreshToken
from innkeeper.issuer.core.scopes import Reach, narrow, outside_grant
from innkeeper.issuer.core.token import REFRESH_TOKEN, Fresh, Issue, TokenRequest
from innkeeper.protocol import pkce
from innkeeper.protocol.errors import INVALID_GRANT
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.values import Value
from innkeeper.tokens.trail import Seen, Trail, check, follow


class Case(Value, frozen=True, gc=False):
    ask: TokenRequest
    client: Client
    code: Code | None
    policy: Policy
    now: int
    signed_out: bool


def decide(
    ask: TokenRequest,
    client: Client,
    code: Code | None,
    fresh: Fresh,
    policy: Policy,
    now: int,
    *,
    signed_out: bool = False,
) -> Decision[Issue]:
    """Tokens for the person who stood behind the code. Replaying a spent code revokes what it gave (§4.1.2).

    ``signed_out`` says that the session which the code is tied to has ended since.
    """
    trail = follow("authorization code", CHECKS, Case(ask, client, code, policy, now, signed_out))
    if trail.refusal or code is None:
        return _refuse(trail, code, now)
    granted = Reach(code.grant.scopes, code.grant.audience)
    opened = narrow(frozenset(), ask.resources, granted, policy)
    grant = msgspec.structs.replace(code.grant, created_at=now, confirmation=kept(client, ask.confirmation))
    effects: list[Effect] = [SpendCode(code.digest, now), AddGrant(grant)]
    refresh = REFRESH_TOKEN in client.grants
    if refresh:
        expires = now + policy.refresh_lifetime
        effects.append(
            AddRefreshToken(RefreshToken(digest=fresh.refresh_digest, grant_id=grant.id, expires_at=expires))
        )
    issue = Issue(
        client=client,
        subject=grant.sub,
        scopes=opened.scopes,
        audience=opened.audience,
        grant=grant,
        id_token="openid" in grant.scopes,
        nonce=code.nonce,
        refresh=refresh,
        confirmation=ask.confirmation,
        details=details.narrowed(ask.sent.get(details.PARAMETER), grant.details, opened.audience, policy),
    )
    return Decision(issue, trail, tuple(effects))


@check("RFC 6749 §4.1.3")
def the_code_is_one_of_ours(case: Case) -> Seen | Refusal:
    """The code was cut by this issuer and is still remembered."""
    if case.code is None:
        return Refusal(CODE_UNUSABLE, "no such code was ever cut here, or it is long gone", "a code", "an unknown one")
    return Seen("cut here")


@check("RFC 6749 §4.1.3")
def the_code_was_cut_for_this_client(case: Case) -> Seen | Refusal:
    """Only the client that asked may redeem the code."""
    owner = case.code.grant.client_id if case.code else ""
    if owner != case.client.id:
        return Refusal(CODE_UNUSABLE, "the code was cut for another client", owner, case.client.id)
    return Seen(case.client.id)


@check("RFC 6749 §4.1.2")
def the_code_is_unspent(case: Case) -> Seen | Refusal:
    """A code works once; a second use means that someone copied it, so all it gave is revoked."""
    spent = case.code.spent_at if case.code else None
    if spent is not None:
        return Refusal(CODE_SPENT, f"the code was redeemed {case.now - spent} s ago", "unspent", "spent")
    return Seen("unspent")


@check("RFC 6749 §4.1.2")
def the_code_is_fresh(case: Case) -> Seen | Refusal:
    """A code lives for a short time only."""
    late = case.now - (case.code.expires_at if case.code else 0)
    lifetime = f"within {case.policy.code_lifetime} s"
    if late >= 0:
        return Refusal(CODE_UNUSABLE, f"the code expired {late} s ago", lifetime, f"{late} s too late")
    return Seen(f"{-late} s left", lifetime)


@check("OpenID Connect Core §11")
def the_person_did_not_sign_out_since(case: Case) -> Seen | Refusal:
    """Whoever signs out takes along the codes that were not redeemed yet, unless they allowed offline access."""
    if case.signed_out:
        return Refusal(CODE_UNUSABLE, "the person has signed out since", "signed in", "signed out")
    return Seen("not signed out")


@check("RFC 6749 §4.1.3")
def the_redirect_uri_is_the_same(case: Case) -> Seen | Refusal:
    """A redirect_uri sent here equals the one the code was sent to."""
    asked = case.code.redirect_uri if case.code else ""
    sent = case.ask.redirect_uri
    if sent and sent != asked:
        return Refusal(CODE_UNUSABLE, "the redirect_uri differs from the one at /authorize", asked, sent)
    return Seen(sent or "not sent", asked)


@check("RFC 7636 §4.6")
def the_verifier_matches_the_challenge(case: Case) -> Seen | Refusal:
    """The verifier, hashed, equals the challenge stored with the code; neither comes without the other."""
    expected, verifier = case.code.challenge if case.code else None, case.ask.code_verifier
    if expected is None:
        if verifier:
            return Refusal(VERIFIER_WRONG, "a verifier came for a code without a challenge", "none", "a verifier")
        return Seen("no challenge, no verifier")
    if not verifier:
        return Refusal(VERIFIER_WRONG, "the code has a challenge but no code_verifier came", "code_verifier", "nothing")
    if not pkce.is_verifier(verifier):
        return Refusal(VERIFIER_WRONG, "the verifier is no 43 to 128 unreserved characters", "RFC 7636 §4.1", "another")
    found = pkce.challenge(verifier)
    if not compare_digest(found, expected):
        return Refusal(VERIFIER_WRONG, "the verifier does not hash to the challenge", expected, found)
    return Seen(found, expected)


@check("RFC 9449 §10")
def the_key_is_the_one_announced(case: Case) -> Seen | Refusal:
    """A code asked for with dpop_jkt is redeemed by the holder of that key only."""
    return same_key(case.code.grant.confirmation if case.code else {}, case.ask.confirmation)


@check("RFC 8707 §2.2")
def the_resource_is_within_the_grant(case: Case) -> Seen | Refusal:
    """A resource named here is one of those named when the code was asked for."""
    granted = case.code.grant.audience if case.code else ()
    return outside_grant(case.ask.resources, granted) or Seen(" ".join(case.ask.resources) or "as granted")


@check("RFC 9396 §6")
def the_details_are_within_the_grant(case: Case) -> Seen | Refusal:
    """Authorization details named here are within those that the person allowed."""
    granted = case.code.grant.details if case.code else ()
    return details.judged_within(case.ask.sent.get(details.PARAMETER), granted, case.policy)


CHECKS = (
    the_code_is_one_of_ours,
    the_code_was_cut_for_this_client,
    the_code_is_unspent,
    the_code_is_fresh,
    the_person_did_not_sign_out_since,
    the_redirect_uri_is_the_same,
    the_verifier_matches_the_challenge,
    the_key_is_the_one_announced,
    the_resource_is_within_the_grant,
    the_details_are_within_the_grant,
)

CODE_UNUSABLE = Page(
    "IK230",
    INVALID_GRANT,
    "The authorization code cannot be used",
    "The code is unknown or expired, was cut for another client, its person has signed out since, or redirect_uri is "
    "not the one it was sent to.",
    "Start again at the authorization endpoint, and redeem the code at once with the same redirect_uri.",
    "The authorization code is not valid.",
)
CODE_SPENT = Page(
    "IK231",
    INVALID_GRANT,
    "The authorization code was used before",
    "A code works once. A second use means a retry by mistake or a thief, so the tokens of the first are revoked.",
    "Redeem a code once and keep the tokens. Sign in again.",
    "The authorization code is not valid.",
)
VERIFIER_WRONG = Page(
    "IK232",
    INVALID_GRANT,
    "The PKCE verifier does not fit the code",
    "The code_verifier is missing, malformed or another one than the challenge was made from; or it came although "
    "no challenge was sent when the code was asked for.",
    "Keep the verifier with the state of the request, and send exactly that one.",
    "The code verifier does not match.",
)


def _refuse(trail: Trail, code: Code | None, now: int) -> Decision[Issue]:
    refusal = trail.refusal or Refusal(CODE_UNUSABLE, "no code")
    replayed = code is not None and refusal.page is CODE_SPENT
    return Decision(refusal, trail, (RevokeGrant(code.grant.id, now),) if replayed and code else ())
