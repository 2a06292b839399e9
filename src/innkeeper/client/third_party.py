"""Another party asks our client to start a sign-in: what may be believed of that (OpenID Connect Core §4).

Its request comes to the client's ``initiate_login_uri``, by GET or POST. Anybody can send it, so it chooses neither the
issuer nor where the person lands: both are among those that the client knows.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

import msgspec

from innkeeper.client.refused import Refused, quoted, refuse
from innkeeper.protocol import errors
from innkeeper.protocol.parameters import Malformed, Parameters, parse_query
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow


class Wish(msgspec.Struct, frozen=True):
    """A sign-in that was asked for: at which issuer, for whom (a hint, "" for none), and where to go then ("" for home)."""

    issuer: str
    login_hint: str = ""
    target: str = ""


class Case(msgspec.Struct, frozen=True):
    sent: Parameters
    issuers: Collection[str]
    home: str


def initiated(sent: str, issuers: Collection[str], home: str) -> Wish:
    """What a third party's request comes to. ``sent`` is its query, or its form's body.

    ``issuers`` are those that the client signs people in with, ``home`` is an address of the client's own: a target is
    gone to only where it has the same scheme, host and port. Raises ``Refused``.
    """
    try:
        parameters = parse_query(sent)
        refusal = follow("third-party login", CHECKS, Case(parameters, issuers, home)).refusal
        if refusal:
            raise Refused(refusal)
        return Wish(parameters["iss"], parameters.get("login_hint", ""), parameters.get("target_link_uri", ""))
    except Malformed as error:
        raise refuse(NOT_ONE_OF_OURS, f"the request: {quoted(error)}") from None


@check("OpenID Connect Core §4")
def the_issuer_is_one_of_ours(case: Case) -> Seen | Refusal:
    """The issuer named is one that the client signs people in with, to the character."""
    named = case.sent.get("iss", "")
    if named not in case.issuers:
        found = quoted(named, 120) or "none"
        return Refusal(NOT_ONE_OF_OURS, f"a sign-in at {found} was asked for", " or ".join(case.issuers), found)
    return Seen(named)


@check("OpenID Connect Core §4")
def the_target_is_our_own(case: Case) -> Seen | Refusal:
    """The target, where one is named, is an address of the client's own, so that it redirects nobody anywhere else."""
    target = case.sent.get("target_link_uri", "")
    if target and _origin(target) != _origin(case.home):
        shown = quoted(target, 120)
        return Refusal(TARGET_ELSEWHERE, f"the target {shown} is not the client's", case.home, shown)
    return Seen(target or "none")


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port; None for what cannot be read, or could be read in two ways."""
    if not url.isascii() or any(one <= " " or one in "\\@" for one in url):
        return None
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname or "", parts.port) if parts.scheme in ("http", "https") else None
    except ValueError:
        return None


CHECKS = (the_issuer_is_one_of_ours, the_target_is_our_own)

NOT_ONE_OF_OURS = Page(
    "IK616",
    error=errors.INVALID_REQUEST,
    title="A sign-in at a stranger's issuer was asked for",
    cause="Anybody can send people to a client's initiate_login_uri; this request names no issuer that the client knows.",
    remedy="If the issuer is one of yours, give it to initiated() exactly as its discovery document spells it.",
    wire="",
)
TARGET_ELSEWHERE = Page(
    "IK617",
    error=errors.INVALID_REQUEST,
    title="The sign-in was to end somewhere else",
    cause="target_link_uri leads to another host than the client's own: the client would send people to strangers.",
    remedy="Send a target on the client's own origin, or none.",
    wire="",
)
