"""Refusals of the admin API on the wire: problem documents (RFC 9457) that name the value, the rule and the remedy."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core import assurance
from innkeeper.issuer.core.account import RECENT
from innkeeper.issuer.core.admin.access import SCOPE_MISSING, SIGN_IN_AGAIN
from innkeeper.protocol.exchange import NO_STORE, Reply, json_reply
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens import dpop

TYPE = ("content-type", "application/problem+json")


Headers = tuple[tuple[str, str], ...]


def problem(refusal: Refusal, *, told: bool, headers: Headers = (), status: int = 0) -> Reply:
    """``told`` says whether the caller is known by now: whoever is not learns no more than the public sentence."""
    body = json_reply({**document(refusal, told=told), **({"status": status} if status else {})}).body
    return Reply(status or refusal.page.status, (TYPE, *headers, *NO_STORE), body)


def turned_away(refusal: Refusal, scheme: str, nonce: str) -> Reply:
    """A call whose token or proof does not hold, in the scheme that it came by (RFC 6750 §3, RFC 9449 §7.1)."""
    opening = f'DPoP algs="{" ".join(dpop.ALGORITHMS)}"' if scheme == "dpop" else 'Bearer realm="innkeeper"'
    parts = [opening, *_named(refusal)]
    fresh = (("dpop-nonce", nonce),) if scheme == "dpop" else ()
    status = max(refusal.page.status, 401)
    return problem(refusal, told=False, headers=(("www-authenticate", ", ".join(parts)), *fresh), status=status)


def document(refusal: Refusal, *, told: bool) -> dict[str, Any]:
    """A refusal as a problem document. ``expected`` and ``found`` are the rule's and the caller's value."""
    page = refusal.page
    said: dict[str, Any] = {
        "type": f"urn:innkeeper:refusal:{page.number}",
        "title": page.title,
        "status": page.status,
        "code": page.number,
        **({"error": page.error} if page.error else {}),
    }
    if not told:
        return {**said, "detail": page.wire or page.title, "remedy": page.remedy}
    values = {"expected": refusal.expected, "found": refusal.found}
    known = {name: value for name, value in values.items() if value}
    return {**said, "detail": refusal.reason, **known, "rule": page.cause, "remedy": refusal.remedy}


def refused(refusal: Refusal, needed: str) -> Reply:
    """A problem document with the challenge that a client can act on (RFC 6750 §3, RFC 9470 §3)."""
    page = refusal.page
    if page.status not in (401, 403):
        return problem(refusal, told=True)
    parts = _named(refusal)
    if page is SCOPE_MISSING:
        parts.append(f'scope="{needed}"')
    if page is SIGN_IN_AGAIN:
        wants_factor = refusal.expected == assurance.MFA
        parts.append(f'acr_values="{assurance.MFA}"' if wants_factor else f'max_age="{RECENT}"')
    challenge = ", ".join(['Bearer realm="innkeeper"', *parts]) if parts else 'Bearer realm="innkeeper"'
    return problem(refusal, told=True, headers=(("www-authenticate", challenge),))


def _named(refusal: Refusal) -> list[str]:
    page = refusal.page
    return [f'error="{page.error}"', f'error_description="{page.wire}"'] if page.error else []
