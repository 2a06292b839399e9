"""The issuer's published keys, judged: there, public, strong, told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from innkeeper.client.refused import quoted
from innkeeper.doctor.findings import error, remark, warning
from innkeeper.doctor.probes import Issuer
from innkeeper.keys.jwk import UnusableKey, read_public, read_set, thumbprint
from innkeeper.keys.jws import ALGORITHMS
from innkeeper.protocol.base64url import NotBase64Url, decode
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Check, Seen, check

NO_KEYS = error(
    "IK825",
    "The issuer's keys cannot be had",
    "jwks_uri does not answer with a JWK set, so nobody can verify a token.",
    'Serve {"keys": [...]} at jwks_uri, to everyone, without redirect.',
)
NO_USABLE_KEY = error(
    "IK826",
    "No published key can verify a signature",
    "Every key in the set is for something else, of an unknown kind, too weak, or malformed.",
    "Publish an RSA key of 2048 bits or more, an EC key on P-256 or P-384, or Ed25519, with use sig.",
)
PRIVATE_PARTS = error(
    "IK827",
    "A private or secret key is published",
    "The set holds private parts, or a shared secret: anyone can sign tokens in the issuer's name.",
    "Take the key out of use now, make a new one, and publish kty, kid, alg, use and the public members alone.",
)
WEAK_KEY = error(
    "IK828",
    "A published key is weak",
    "RSA under 2048 bits, or with an exponent of 1 or an even one, can be broken; verifiers refuse it.",
    "Rotate to a key of 2048 bits or more, or to EC P-256.",
)
SAME_KID = error(
    "IK829",
    "Two published keys have one kid",
    "A verifier takes the first or the last; tokens of the other key fail now and then, or always.",
    "Give each key a kid of its own, such as its thumbprint.",
)
NO_KID = warning(
    "IK830",
    "A key without kid stands among several",
    "A token cannot name the key that verifies it; verifiers must try, or refuse.",
    "Give every key a kid, and write it into each token's header.",
)
NO_KEY_FOR_ALGORITHM = remark(
    "IK831",
    "An algorithm is promised that no published key fits",
    "Tokens signed with it could not be verified by anyone.",
    "Publish a key for each algorithm in id_token_signing_alg_values_supported, or stop promising it.",
)
SAME_KEY = remark(
    "IK832",
    "One key is published twice",
    "The same public key stands under two names: a rotation that did not happen, or two systems that share a key.",
    "Make a new key when rotating.",
)

_SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LEAST_BITS = 2048


@check("OpenID Connect Discovery §3")
def keys_can_be_had(case: Issuer) -> Seen | Refusal:
    """jwks_uri answers with a JWK set."""
    if case.keys is None:
        return Refusal(NO_KEYS, "the document names no jwks_uri", "jwks_uri", "none")
    if case.keys.status != 200 or not isinstance((case.keys.document or {}).get("keys"), list):
        why = case.keys.trouble or case.keys.flaw or f"it answered {case.keys.status} without a list under keys"
        return Refusal(NO_KEYS, f"{case.keys.url}: {why}", "200 with a JWK set", str(case.keys.status))
    return Seen(f"{len(entries(case))} keys")


@check("RFC 7517 §5")
def a_key_can_verify(case: Issuer) -> Seen | Refusal:
    """At least one key is for signatures and can be read."""
    usable, left_out = read_set({"keys": entries(case)})
    if not usable:
        return Refusal(NO_USABLE_KEY, "; ".join(map(quoted, left_out[:4])) or "the set is empty", "one key", "none")
    return Seen(f"{len(usable)} of {len(entries(case))}")


@check("RFC 7517 §9.3")
def keys_are_public(case: Issuer) -> Seen | Refusal:
    """No private part and no shared secret is published."""
    told = [
        f"{_name(one)} shows {', '.join(sorted(_SECRET & one.keys()))}" for one in entries(case) if _SECRET & one.keys()
    ]
    if told:
        return Refusal(PRIVATE_PARTS, "; ".join(told), "public members", told[0])
    return Seen("public")


@check("RFC 7518 §3.3")
def keys_are_strong(case: Issuer) -> Seen | Refusal:
    """RSA keys have 2048 bits or more and an odd exponent above one."""
    weak = [f"{_name(one)}: {why}" for one in entries(case) if (why := _weakness(one))]
    if weak:
        return Refusal(WEAK_KEY, "; ".join(weak), f"{_LEAST_BITS} bits", weak[0])
    return Seen("strong")


@check("RFC 7517 §4.5")
def kids_tell_keys_apart(case: Issuer) -> Seen | Refusal:
    """No two keys have one kid."""
    times = Counter(str(one["kid"]) for one in entries(case) if "kid" in one)
    twice = [quoted(kid, 60) for kid, count in times.items() if count > 1]
    if twice:
        return Refusal(SAME_KID, f"kid {', '.join(twice)} stands more than once", "one key a kid", twice[0])
    return Seen("told apart")


@check("RFC 7517 §4.5")
def several_keys_all_have_kids(case: Issuer) -> Seen | Refusal:
    """Where there are several keys, each has a kid."""
    nameless = sum("kid" not in one for one in entries(case))
    if nameless and len(entries(case)) > 1:
        return Refusal(NO_KID, f"{nameless} of {len(entries(case))} keys have no kid", "a kid each", "none")
    return Seen("named")


@check("OpenID Connect Discovery §3")
def promised_algorithms_have_keys(case: Issuer) -> Seen | Refusal:
    """Each algorithm promised for ID tokens has a key that fits."""
    usable, _ = read_set({"keys": entries(case)})
    promised = [alg for alg in case.texts("id_token_signing_alg_values_supported") or () if alg in ALGORITHMS]
    lacking = [
        alg for alg in promised if not any(one.alg in {None, alg} and ALGORITHMS[alg].fits(one.key) for one in usable)
    ]
    if lacking:
        return Refusal(NO_KEY_FOR_ALGORITHM, f"no key fits {', '.join(lacking)}", ", ".join(promised), "not all")
    return Seen(promised)


@check("RFC 7638 §1")
def no_key_is_published_twice(case: Issuer) -> Seen | Refusal:
    """Each public key is published once."""
    prints = Counter(_thumbprint(one) for one in entries(case))
    twice = [one for one, count in prints.items() if one and count > 1]
    if twice:
        return Refusal(SAME_KEY, f"thumbprint {twice[0]} stands more than once", "once", "twice")
    return Seen("once each")


FIRST_CHECKS: tuple[Check[Issuer], ...] = (keys_can_be_had,)
"""Made first: without a set there is nothing to judge."""

KEY_CHECKS: tuple[Check[Issuer], ...] = (
    a_key_can_verify,
    keys_are_public,
    keys_are_strong,
    kids_tell_keys_apart,
    several_keys_all_have_kids,
    promised_algorithms_have_keys,
    no_key_is_published_twice,
)


def entries(case: Issuer) -> list[Mapping[str, Any]]:
    """The members of the key set that are objects."""
    listed = ((case.keys.document if case.keys else None) or {}).get("keys")
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _name(key: Mapping[str, Any]) -> str:
    return f"key {quoted(key.get('kid', 'without kid'), 60)}"


def _weakness(key: Mapping[str, Any]) -> str:
    if key.get("kty") != "RSA":
        return ""
    numbers = [_integer(key.get(name)) for name in ("n", "e")]
    if None in numbers:
        return ""
    n, e = (one or 0 for one in numbers)
    if n.bit_length() < _LEAST_BITS:
        return f"RSA of {n.bit_length()} bits"
    return f"exponent {e}" if e < 3 or e % 2 == 0 else ""


def _integer(value: object) -> int | None:
    try:
        return int.from_bytes(decode(value)) if isinstance(value, str) else None
    except NotBase64Url:
        return None


def _thumbprint(key: Mapping[str, Any]) -> str:
    try:
        read_public(key)
        return thumbprint(dict(key))
    except (UnusableKey, KeyError, ValueError):
        return ""
