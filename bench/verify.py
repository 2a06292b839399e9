"""What verifying an access token costs, beside PyJWT, joserfc and the bare check of ``cryptography``.

    python -m bench.verify [ROUNDS]

All contenders stay loaded and take turns in short slices, in an order that rotates, so that a slow moment of the
machine falls on everyone. Printed are CPU µs a token and the median of the rounds' ratios to the bare check; the
spread behind it is the middle half of the rounds. Differences under 15 % are nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any, NamedTuple

import jwt as pyjwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from innkeeper.guard import Guard, Verified
from innkeeper.keys import jwk, jws
from innkeeper.protocol.exchange import Reply, json_reply
from innkeeper.tokens.access import build

ISSUER = "https://issuer.example"
AUDIENCE = "https://api.example/hotel"
SLICE = 0.05
"""Seconds of CPU a contender works before the next one's turn."""

PRIVATE: dict[str, Any] = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "RS256": rsa.generate_private_key(65537, 2048),
}


class Contender(NamedTuple):
    name: str
    work: Callable[[], object]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    for alg in PRIVATE:
        contenders = field(alg)
        costs = measured(contenders, rounds)
        bare = costs[contenders[0].name]
        print(f"\n{alg}: {len(token_for(alg))} bytes, {rounds} rounds")
        print(f"  {'':34} {'µs':>8} {'to bare':>8}  middle half")
        for name, taken in costs.items():
            ratios = [mine / base for mine, base in zip(taken, bare, strict=True)]
            low, _, high = quantiles(ratios, n=4)
            print(f"  {name:34} {median(taken) * 1e6:8.1f} {median(ratios):8.2f}  {low:.2f} to {high:.2f}")


def measured(contenders: list[Contender], rounds: int) -> dict[str, list[float]]:
    """CPU seconds a token, by contender, a figure a round."""
    costs: dict[str, list[float]] = {one.name: [] for one in contenders}
    for turn in range(rounds):
        shift = turn % len(contenders)
        for one in contenders[shift:] + contenders[:shift]:
            costs[one.name].append(slice_of(one.work))
    return costs


def slice_of(work: Callable[[], object]) -> float:
    count, began = 0, time.process_time()
    while (spent := time.process_time() - began) < SLICE:
        for _ in range(20):
            work()
        count += 20
    return spent / count


def token_for(alg: str) -> str:
    return _TOKENS[alg]


def _made(alg: str) -> str:
    claims = build(
        issuer=ISSUER,
        subject="guest-204",
        audience=[AUDIENCE],
        client_id="guest-app",
        now=int(time.time()),
        lifetime=3600,
        jti="0123456789abcdef0123456789abcdef",
        scope=["room:enter", "gym:enter", "pool:enter"],
        extra={"auth_time": int(time.time()), "acr": "pwd", "amr": ["pwd"], "gid": "grant-0123456789abcdef"},
    )
    header = jws.encode_header({"alg": alg, "typ": "at+jwt", "kid": f"key-{alg}"})
    return jws.compact(header.encode(), msgspec.json.encode(claims), PRIVATE[alg], alg)


def field(alg: str) -> list[Contender]:
    """The bare check first; every other one verifies signature, issuer, audience and times of the same token."""
    token, key = token_for(alg), PRIVATE[alg].public_key()
    document = jwk.public_document(key, f"key-{alg}", alg)
    guard, remembering = guard_for(document, 0), guard_for(document, 4096)
    jwks = pyjwt.PyJWKSet.from_dict({"keys": [document]})
    keys = KeySet.import_key_set({"keys": [dict(document)]})
    registry = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}, exp={"essential": True}
    )

    def by_pyjwt() -> object:
        found = jwks[pyjwt.get_unverified_header(token)["kid"]]
        return pyjwt.decode(token, found, algorithms=[alg], audience=AUDIENCE, issuer=ISSUER)

    def by_pyjwt_with_the_key() -> object:
        return pyjwt.decode(token, key, algorithms=[alg], audience=AUDIENCE, issuer=ISSUER)

    def by_joserfc() -> object:
        found = joserfc_jwt.decode(token, keys, algorithms=[alg])
        registry.validate(found.claims)
        return found

    def by_guard() -> object:
        return guard.verify_blocking(token, _NEEDED)

    def by_memory() -> object:
        return remembering.verify_blocking(token, _NEEDED)

    for verdict in (by_guard(), by_memory()):
        if not isinstance(verdict, Verified):
            raise SystemExit(f"the guard refused the token of this bench: {verdict}")
    return [
        Contender("bare cryptography", bare(alg, token, key)),
        Contender("innkeeper.keys.jws, signature only", lambda: jws.verify(jws.parse(token), key, alg)),
        Contender("innkeeper.guard", by_guard),
        Contender("innkeeper.guard, token seen before", by_memory),
        Contender("PyJWT, key at hand", by_pyjwt_with_the_key),
        Contender("PyJWT, key from a key set", by_pyjwt),
        Contender("joserfc, key from a key set", by_joserfc),
    ]


def bare(alg: str, token: str, key: Any) -> Callable[[], object]:
    """One signature check and nothing else: no parsing, no claims."""
    parsed = jws.parse(token)
    if alg == "RS256":
        scheme, digest = padding.PKCS1v15(), SHA256()
        return lambda: key.verify(parsed.signature, parsed.signing_input, scheme, digest)
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    r, s = (int.from_bytes(half) for half in (parsed.signature[:32], parsed.signature[32:]))
    signature, ecdsa = encode_dss_signature(r, s), ec.ECDSA(SHA256())
    return lambda: key.verify(signature, parsed.signing_input, ecdsa)


def guard_for(document: dict[str, str], remembered: int) -> Guard:
    pages = {
        f"{ISSUER}/.well-known/oauth-authorization-server": json_reply(
            {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"}
        ),
        f"{ISSUER}/jwks": json_reply({"keys": [document]}),
    }
    return Guard(ISSUER, AUDIENCE, remembered=remembered, fetch_blocking=lambda url: pages.get(url, Reply(404)))


_NEEDED = frozenset({"room:enter"})
_TOKENS = {alg: _made(alg) for alg in PRIVATE}

if __name__ == "__main__":
    main()
