"""Reading DPoP proofs: a JWT whose own header holds the key that has to verify it, and nothing private of it."""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.keys import jwk, jws
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.dpop import ALGORITHMS, TYPE, Proof

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def read_proof(header: str | None, allowed: Sequence[str] = ALGORITHMS) -> Proof:
    """The proof in a request's ``DPoP`` header; what is wrong with it stands in ``problem``."""
    if not header:
        return Proof("no DPoP header came")
    if "," in header:
        return Proof("more than one DPoP header came")
    try:
        parsed = jws.parse(header.strip())
        claims = read_object(parsed.claims)
    except (jws.NotAToken, NotStrict) as error:
        return Proof(str(error))
    if parsed.header.get("typ") != TYPE:
        return Proof(f"typ is {parsed.header.get('typ')!r}, not {TYPE!r}", parsed.header, claims)
    alg, shown = parsed.header.get("alg"), parsed.header.get("jwk")
    if alg not in ALGORITHMS or alg not in allowed:
        return Proof(f"alg {alg!r} is none of {', '.join(allowed)}", parsed.header, claims)
    if not isinstance(shown, dict) or _PRIVATE & shown.keys():
        return Proof("the header shows no public key, or a private one", parsed.header, claims)
    try:
        key, thumbprint = jwk.read_public(shown), jwk.thumbprint(shown)
    except jwk.UnusableKey as error:
        return Proof(f"the key in the header is no good: {error}", parsed.header, claims)
    if not jws.verify(parsed, key.key, alg):
        return Proof("the key in the header does not verify it", parsed.header, claims, thumbprint)
    return Proof("", parsed.header, claims, thumbprint)
