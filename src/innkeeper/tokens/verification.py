"""The checks that make a signed token believable, in order (RFC 8725).

A guard makes ``PRESENTED_CHECKS`` on the token as it came, then, once it has looked for the key, ``SIGNED_CHECKS``,
then, on what the token says, ``USE_CHECKS``. None can be left out or switched off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from innkeeper.protocol.errors import INVALID_TOKEN, TEMPORARILY_UNAVAILABLE
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.values import Value
from innkeeper.tokens.access import REQUIRED, TYPE, AccessToken
from innkeeper.tokens.said import Said
from innkeeper.tokens.trail import Check, Seen, check

LEEWAY = 30
"""Seconds by which clocks may differ. Machines that keep time differ by under a second; 30 forgives a laptop that
woke up, and is little beside a token's life of minutes."""


class Expected(Value, frozen=True, gc=False):
    """What a reader asks of one issuer's tokens; ``issuer`` "" is nobody.

    ``types`` in lower case; "" stands for a header without ``typ``. ``required`` names claims that must be
    there. ``clients`` and ``tenants``, where they are named, are the only ones whose tokens are taken; an issuer without
    tenants has none.
    """

    issuer: str
    algorithms: frozenset[str] = frozenset({"ES256", "RS256", "PS256", "ES384", "EdDSA", "Ed25519"})
    types: frozenset[str] = frozenset({TYPE, f"application/{TYPE}"})
    required: tuple[str, ...] = REQUIRED
    clients: frozenset[str] = frozenset()
    tenants: frozenset[str] = frozenset()


NOBODY = Expected("")

Signature = Literal["unchecked", "valid", "invalid", "no key", "keys out of reach"]


class Presented(Value, frozen=True, gc=False):
    """A token as it was presented: its parts, and how far anyone has come in believing it.

    ``unreadable`` says why it is no signed JWT at all. ``expected`` is what the issuer named in ``iss`` is held
    to, ``NOBODY`` for an issuer that is not ``trusted``. ``signature`` and ``token`` come after a key was found; ``key_issuer`` is the issuer that the key
    says it is for, where a provider publishes one set for many.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    trusted: tuple[str, ...]
    expected: Expected = NOBODY
    unreadable: str = ""
    signature: Signature = "unchecked"
    obstacle: str = ""
    token: AccessToken | str = ""
    key_issuer: str = ""


class Use(Value, frozen=True, gc=False):
    """A believed token about to be used: by whom it may be, and when that is. ``proof_follows`` where the reader goes on
    to judge what the caller shows of the key that the token is bound to."""

    token: AccessToken
    audiences: frozenset[str]
    now: float
    leeway: float = LEEWAY
    proof_follows: bool = False


# The same for all of these: a thief who tries tokens learns nothing from the answers.
_WIRE = "The access token is malformed, expired, revoked, or not meant for this resource."


def _page(number: str, title: str, cause: str, remedy: str) -> Page:
    return Page(number, INVALID_TOKEN, title, cause, remedy, _WIRE, 401)


NOT_A_JWT = _page(
    "IK501",
    "The token is not a signed JWT",
    "What was sent cannot be taken apart into a header, claims and a signature.",
    "Send the access token exactly as the token endpoint gave it, without quotes, line breaks or another prefix.",
)
FOREIGN_ISSUER = _page(
    "IK502",
    "The token is from another issuer",
    "The claim iss names an issuer this guard does not trust. Issuers are compared character by character.",
    "Get the token from the issuer this API names, or add the issuer to the guard. A slash at the end counts.",
)
FORBIDDEN_ALGORITHM = _page(
    "IK503",
    "The token's algorithm is not accepted",
    "The header asks for an algorithm outside the list: none, a shared secret, or one the issuer does not use.",
    "Let the issuer sign with ES256 or RS256. A token with alg none was made by hand: never accept one.",
)
ANOTHER_TYPE = _page(
    "IK504",
    "The token is not an access token",
    "The header's typ is not at+jwt, or a claim shows another kind. ID tokens tell a client who signed in; "
    "only access tokens open an API.",
    "Send access_token from the token response, not id_token or refresh_token.",
)
UNKNOWN_KEY = _page(
    "IK505",
    "No published key can have signed the token",
    "The issuer's key set has no key with the token's kid for its algorithm, also after it was read again.",
    "Get a new token: the issuer rotated its keys, or the token is from another issuer of the same name.",
)
FALSE_SIGNATURE = _page(
    "IK506",
    "The token was changed or signed by someone else",
    "The signature does not fit header and claims under the issuer's key.",
    "Get a new token and send it unchanged. If nobody changed it, its issuer is not who it says.",
)
MISSING_CLAIMS = _page(
    "IK507",
    "A claim is missing or malformed",
    "An access token must say who made it, for whom, until when; one of these is missing or of the wrong kind.",
    "Let the issuer follow RFC 9068, or choose the guard preset that fits the issuer.",
)
ANOTHER_AUDIENCE = _page(
    "IK508",
    "The token is for another API",
    "The claim aud does not name this API. A token is good only where it was meant to go.",
    "Ask for the token with resource= (or the issuer's own way to name an API) set to this API.",
)
EXPIRED = _page(
    "IK509",
    "The token expired",
    "The time in exp has passed, clock leeway included.",
    "Get a new token: use the refresh token, or ask again with client credentials.",
)
TOO_EARLY = _page(
    "IK510",
    "The token is not valid yet",
    "The time in nbf lies ahead, clock leeway included.",
    "Wait, or set the clocks right: one of the two machines is off.",
)
FROM_THE_FUTURE = _page(
    "IK511",
    "The token was made in the future",
    "The time in iat lies ahead, clock leeway included.",
    "Set the clocks of issuer and API right.",
)
BOUND = _page(
    "IK513",
    "The token is bound to a key that nobody checks here",
    "The claim cnf says that the token is good only together with a key or certificate of its holder. Here only the token "
    "was shown, not the request that brought it; taking it without the proof would make a stolen one as good as the real one.",
    "Let the guard see the whole request (its adapters do, and admit()); a token alone proves nothing of its holder.",
)
KEYS_OUT_OF_REACH = Page(
    "IK512",
    TEMPORARILY_UNAVAILABLE,
    "The issuer's keys cannot be read",
    "The issuer did not answer, or not with a metadata document and a key set that can be used, and no cached "
    "keys are fresh enough.",
    "Check that the API can reach the issuer's well-known documents; `innkeeper doctor` names the broken hop.",
    "The issuer cannot be reached; try again.",
    503,
)


@check("RFC 7519 §7.2")
def token_is_a_signed_jwt(case: Presented) -> Seen | Refusal:
    """The token has three base64url parts: a JSON header, JSON claims, a signature."""
    if case.unreadable:
        return Refusal(NOT_A_JWT, case.unreadable, "header.claims.signature")
    return _A_JWT


@check("RFC 9068 §4")
def issuer_is_trusted(case: Presented) -> Seen | Refusal:
    """The issuer must be, to the character, one that this guard was told to trust."""
    issuer = case.claims.get("iss")
    if case.expected is NOBODY:
        found = _short(issuer)
        return Refusal(
            FOREIGN_ISSUER, f"iss is {found}", " or ".join(case.trusted), found, _nearly(issuer, case.trusted)
        )
    return Seen(str(issuer))


@check("RFC 8725 §3.1")
def algorithm_is_allowed(case: Presented) -> Seen | Refusal:
    """The algorithm must be on the issuer's list: asymmetric, never none."""
    alg = case.header.get("alg")
    if type(alg) is str and alg in case.expected.algorithms:
        return Seen(alg)
    return Refusal(FORBIDDEN_ALGORITHM, f"alg is {_short(alg)}", _listed(case.expected.algorithms), _short(alg))


@check("RFC 9068 §4")
def type_is_access_token(case: Presented) -> Seen | Refusal:
    """The header's type must say access token, so that an ID token can never stand in for one."""
    typ = case.header.get("typ", "")
    if type(typ) is not str or typ.lower() not in case.expected.types:
        return Refusal(ANOTHER_TYPE, f"typ is {_short(typ)}{_kind(case)}", _listed(case.expected.types), _short(typ))
    return Seen(typ)


@check("RFC 7515 §10.1")
def key_is_the_issuers(case: Presented) -> Seen | Refusal:
    """The key must be one the issuer publishes; keys that a token brings along are never used."""
    kid = _short(case.header.get("kid"))
    if case.signature == "keys out of reach":
        return Refusal(KEYS_OUT_OF_REACH, case.obstacle, "the issuer's key set", "nothing fresh enough")
    if case.signature in ("valid", "invalid"):
        return Seen(f"kid {kid}")
    brought = [name for name in ("jwk", "jku", "x5u", "x5c") if name in case.header]
    hint = f"The header brings its own key ({', '.join(brought)}): a sign of forgery." if brought else ""
    return Refusal(UNKNOWN_KEY, case.obstacle or f"no key {kid} is published", "a published key", f"kid {kid}", hint)


@check("RFC 7515 §5.2")
def signature_is_valid(case: Presented) -> Seen | Refusal:
    """The signature must fit the header and claims under that key."""
    if case.signature == "valid":
        return _VALID
    return Refusal(FALSE_SIGNATURE, "the signature does not fit", "valid", case.signature)


@check("RFC 9068 §2.2")
def claims_are_whole(case: Presented) -> Seen | Refusal:
    """Every required claim must be there, and each of the kind its specification says."""
    if type(case.token) is str:
        return Refusal(MISSING_CLAIMS, case.token, ", ".join(case.expected.required))
    return _WHOLE


@check("RFC 9068 §4")
def audience_is_this_api(case: Use) -> Seen | Refusal:
    """The audience must name this API."""
    for one in case.token.aud:
        if one in case.audiences:
            return Seen(one)
    found = ", ".join(map(_short, case.token.aud)) or "nobody"
    hint = "" if "aud" in case.token.claims else _NO_AUD
    return Refusal(ANOTHER_AUDIENCE, f"the token is for {found}", _listed(case.audiences), found, hint)


@check("RFC 7519 §4.1.4")
def token_has_not_expired(case: Use) -> Seen | Refusal:
    """The time must be before exp."""
    exp = on_a_clock(case.token.exp)
    left = int(exp - case.now)
    if case.now < exp + case.leeway:
        return (
            Seen(f"{left} s left") if left > 0 else Seen(f"expired {-left} s ago, within the leeway of {case.leeway} s")
        )
    return Refusal(EXPIRED, f"it expired {-left} s ago", "exp in the future", f"exp {case.token.exp}")


@check("RFC 7519 §4.1.5")
def token_is_valid_already(case: Use) -> Seen | Refusal:
    """The time must not be before nbf."""
    nbf = on_a_clock(case.token.nbf)
    if nbf <= case.now + case.leeway:
        return _NO_NBF if not nbf else Seen(f"since {int(case.now - nbf)} s")
    early = int(nbf - case.now)
    return Refusal(TOO_EARLY, f"it becomes valid in {early} s", "nbf in the past", f"nbf {case.token.nbf}")


@check("RFC 7519 §4.1.6")
def token_is_not_from_the_future(case: Use) -> Seen | Refusal:
    """The time it was made must not lie ahead."""
    iat = on_a_clock(case.token.iat)
    if iat <= case.now + case.leeway:
        return Seen(f"{int(case.now - iat)} s old") if iat else _NO_IAT
    ahead = int(iat - case.now)
    return Refusal(FROM_THE_FUTURE, f"it will be made in {ahead} s", "iat in the past", f"iat {case.token.iat}")


@check("RFC 7800 §3.1")
def token_is_not_bound_to_a_key(case: Use) -> Seen | Refusal:
    """A token that needs its holder's proof is not taken where none can be seen."""
    if case.token.cnf is not None and case.proof_follows:
        return _BOUND
    if case.token.cnf is not None:
        return Refusal(BOUND, "cnf binds the token to a key, and no proof is looked at here", "no cnf", "cnf")
    return _UNBOUND


def starts(said: Said) -> int:
    """The time checks above, turned round: but for the leeway they pass from this moment until ``ends``."""
    return on_a_clock(max(said.iat, said.nbf))


def ends(said: Said) -> int:
    """When they cease to pass."""
    return on_a_clock(said.exp)


_FAR = 2**53
"""A quarter of a billion years, up to which floating point tells seconds apart."""


def on_a_clock(seconds: int) -> int:
    """A time, where it lies beyond all clocks the last one on them: an issuer may write a number of any length."""
    return seconds if -_FAR < seconds < _FAR else _FAR if seconds > 0 else -_FAR


def is_for(said: Said, audiences: frozenset[str]) -> bool:
    """The audience check above, without the words."""
    aud = said.aud
    return aud in audiences if type(aud) is str else not audiences.isdisjoint(aud)


PRESENTED_CHECKS: tuple[Check[Presented], ...] = (
    token_is_a_signed_jwt,
    issuer_is_trusted,
    algorithm_is_allowed,
    type_is_access_token,
)
SIGNED_CHECKS: tuple[Check[Presented], ...] = (
    key_is_the_issuers,
    signature_is_valid,
    claims_are_whole,
)
USE_CHECKS: tuple[Check[Use], ...] = (
    audience_is_this_api,
    token_has_not_expired,
    token_is_valid_already,
    token_is_not_from_the_future,
    token_is_not_bound_to_a_key,
)
TOKEN_CHECKS: tuple[Check[Any], ...] = (*PRESENTED_CHECKS, *SIGNED_CHECKS, *USE_CHECKS)
"""All of them in order, for the docs and for whoever counts."""

_A_JWT = Seen("header.claims.signature")
_VALID = Seen("valid")
_WHOLE = Seen("all there")
_NO_NBF = Seen("no nbf")
_NO_IAT = Seen("no iat")
_UNBOUND = Seen("bearer token")
_BOUND = Seen("bound; its proof is judged next")
_NO_AUD = (
    "The token has no aud, and its client stands in. Let the client ask with resource=, or name the client among the "
    "audiences if all of its tokens are meant for this API."
)


def _short(value: object) -> str:
    text = repr(value) if value is not None else "missing"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(value or "(none)" for value in values))


def _kind(case: Presented) -> str:
    if {"nonce", "at_hash", "c_hash"} & case.claims.keys():
        return ": this is an ID token, made for a client"
    return ""


def _nearly(issuer: object, trusted: Sequence[str]) -> str:
    """A hint where one slash or the case of a letter makes the difference."""
    near = next((one for one in trusted if isinstance(issuer, str) and _loose(one) == _loose(issuer)), "")
    return (
        near and f"It differs from {near} only in a slash or in case; configure the issuer exactly as it writes itself."
    )


def _loose(issuer: str) -> str:
    return issuer.rstrip("/").lower()
