"""Request objects: an authorization request signed by its client, so that no browser on the way can change it (RFC 9101)."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.authorization_request import REQUEST_OBJECT
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

TYPE = "oauth-authz-req+jwt"

_NOT_PARAMETERS = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti", "sub"})


NOTHING = Parameters([])


class Case(msgspec.Struct, frozen=True):
    """A request object after the desk looked at it. ``problem`` says why no key of the client verifies it; ``beside``
    are the parameters that came with it, where they count."""

    problem: str
    header: dict[str, Any]
    claims: dict[str, Any]
    client: Client | None
    policy: Policy
    now: int
    beside: Parameters = NOTHING

    @property
    def client_id(self) -> str:
        return self.client.id if self.client else ""


def judge(case: Case) -> Trail:
    """Whether the object may stand for the request."""
    return follow("request object", CHECKS, case)


def address(reference: str, client: Client | None) -> str:
    """Where a ``request_uri`` leads, "" where its client did not register it (OpenID Connect Core §6.2).

    A fragment is no part of the address: it changes with what stands there.
    """
    registered = {one.partition("#")[0] for one in (client.request_uris if client else ())}
    where = reference.partition("#")[0]
    return where if where in registered else ""


def merged(inside: Parameters, beside: Parameters) -> Parameters:
    """What an object says, and from beside it what it does not (OpenID Connect Core §6.1)."""
    said = frozenset(inside) | {"request", "request_uri"}
    return Parameters([*inside.pairs(), *(pair for pair in beside.pairs() if pair[0] not in said)])


def parameters(claims: dict[str, Any]) -> Parameters:
    """The request inside the object. Numbers, lists and objects are worded as the parameters of a query are."""
    pairs: list[tuple[str, str]] = []
    for name, value in claims.items():
        if name in _NOT_PARAMETERS:
            continue
        several = value if name == "resource" and isinstance(value, list) else [value]
        pairs.extend((name, _worded(one)) for one in several)
    return Parameters(pairs)


@check("RFC 9101 §6.2")
def the_object_is_signed_by_the_client(case: Case) -> Seen | Refusal:
    """A key that the client registered verifies the object's signature."""
    if case.problem:
        return Refusal(
            REQUEST_OBJECT, f"the request object does not verify: {case.problem}", "a registered key", "another"
        )
    return Seen(str(case.header.get("alg")))


@check("RFC 8725 §3.11")
def the_object_is_no_other_kind_of_token(case: Case) -> Seen | Refusal:
    """A type, where it is given, is that of a request object; a client's other tokens are not requests."""
    typ = case.header.get("typ")
    if typ not in (None, "JWT", "jwt", TYPE):
        return Refusal(REQUEST_OBJECT, "the JWT is of another type", TYPE, repr(typ))
    if "sub" in case.claims and case.claims["sub"] == case.client_id:
        return Refusal(REQUEST_OBJECT, "the JWT is a client assertion, not a request", "no sub", case.client_id)
    return Seen(str(typ))


@check("RFC 9101 §5")
def the_object_names_the_same_client(case: Case) -> Seen | Refusal:
    """``client_id`` and ``iss`` inside the object, where given, are the client that sent it."""
    for name in ("client_id", "iss"):
        said = case.claims.get(name, case.client_id)
        if said != case.client_id:
            return Refusal(REQUEST_OBJECT, f"{name} inside the object names another client", case.client_id, repr(said))
    return Seen(case.client_id)


@check("OpenID Connect Core §6.1")
def what_stands_beside_says_the_same(case: Case) -> Seen | Refusal:
    """The response type and the client say the same inside the object and beside it, where both say something."""
    for name in ("response_type", "client_id"):
        beside, said = case.beside.get(name), case.claims.get(name)
        if None not in (beside, said) and beside != said:
            return Refusal(REQUEST_OBJECT, f"{name} differs inside the object and beside it", str(beside), repr(said))
    return Seen("the same")


@check("RFC 9101 §4")
def the_object_is_addressed_to_us(case: Case) -> Seen | Refusal:
    """``aud``, where given, is this issuer."""
    said = case.claims.get("aud", case.policy.issuer)
    named = said if isinstance(said, list) else [said]
    if case.policy.issuer not in named:
        return Refusal(REQUEST_OBJECT, "the object is addressed to someone else", case.policy.issuer, repr(said))
    return Seen(repr(said))


@check("RFC 7519 §4.1.4")
def the_object_is_fresh(case: Case) -> Seen | Refusal:
    """``exp`` lies ahead and ``nbf`` does not, where they are given."""
    exp, nbf, policy = case.claims.get("exp"), case.claims.get("nbf"), case.policy
    if exp is not None and (not isinstance(exp, int | float) or exp <= case.now - policy.leeway):
        return Refusal(REQUEST_OBJECT, "the object has expired", f"exp after {case.now}", repr(exp))
    if nbf is not None and (not isinstance(nbf, int | float) or nbf > case.now + policy.ahead):
        return Refusal(
            REQUEST_OBJECT, "the object is not valid yet", f"nbf at most {case.now + policy.ahead}", repr(nbf)
        )
    return Seen(f"exp {exp}, nbf {nbf}")


@check("FAPI 2.0 Message Signing §5.3.1")
def the_object_is_as_short_lived_as_the_profile_asks(case: Case) -> Seen | Refusal:
    """Where the profile says how long an object may live, it says from when and until when, and whom it is for."""
    longest = case.policy.profile_for(case.client).longest_request_object
    if longest is None:
        return Seen("not demanded")
    missing = [name for name in ("aud", "exp", "nbf") if case.claims.get(name) is None]
    if missing:
        return Refusal(REQUEST_OBJECT, f"the object has no {missing[0]}", "aud, nbf and exp", ", ".join(case.claims))
    exp, nbf = case.claims["exp"], case.claims["nbf"]
    if exp - nbf > longest or nbf < case.now - longest:
        rule = f"nbf at most {longest} s ago, exp at most {longest} s later"
        return Refusal(REQUEST_OBJECT, "the object lives too long", rule, f"nbf {nbf}, exp {exp}")
    return Seen(f"{exp - nbf} s", f"at most {longest} s")


@check("RFC 9101 §4")
def no_object_lies_within(case: Case) -> Seen | Refusal:
    """An object holds no further object and no reference to one."""
    nested = {"request", "request_uri"} & case.claims.keys()
    if nested:
        return Refusal(REQUEST_OBJECT, "the object holds another", "neither request nor request_uri", min(nested))
    return Seen("none")


CHECKS = (
    the_object_is_signed_by_the_client,
    the_object_is_no_other_kind_of_token,
    the_object_names_the_same_client,
    what_stands_beside_says_the_same,
    the_object_is_addressed_to_us,
    the_object_is_fresh,
    the_object_is_as_short_lived_as_the_profile_asks,
    no_object_lies_within,
)


def _worded(value: object) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
