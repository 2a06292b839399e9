"""Sender constraint at work: read the proof that came with a request, judge it, see that it is used once."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.effects import AddOnce, Lost
from innkeeper.issuer.desk.realm import Realm, digest
from innkeeper.keys.proofs import read_proof
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens import dpop
from innkeeper.tokens.trail import Trail

_PROOF = "dpop proof"
_NONCE_TURN = 120
"""Seconds after which a new nonce is given out; the one before stays good for as long again."""


class Sender(msgspec.Struct, frozen=True):
    """What a request shows of its sender: its ``DPoP`` header, and where and how it was sent."""

    dpop: str | None = None
    method: str = "POST"
    url: str = ""


NOBODY_SPECIAL = Sender()


class Bound(msgspec.Struct, frozen=True):
    """The key that was proved, as a ``cnf`` claim; empty where none was shown."""

    confirmation: dict[str, str]
    trail: Trail

    @property
    def refusal(self) -> Refusal | None:
        return self.trail.refusal


UNBOUND = Bound({}, Trail("dpop"))


async def prove(realm: Realm, sender: Sender, *, access_token: str = "", bound_to: str | None = None) -> Bound:
    """Judge the sender's proof. Without a ``DPoP`` header and nothing bound, there is nothing to prove."""
    if sender.dpop is None and bound_to is None:
        return UNBOUND
    proof, replayed = read_proof(sender.dpop), False
    while True:
        case = dpop.Case(
            proof=proof,
            method=sender.method,
            url=sender.url,
            now=realm.now(),
            replayed=replayed,
            nonces=good_nonces(realm),
            nonce_required=realm.policy.dpop_nonce_required,
            access_token=access_token,
            bound_to=bound_to,
        )
        trail = dpop.judge(case)
        if trail.refusal:
            return Bound({}, trail)
        key = digest(f"{proof.thumbprint} {proof.claims['jti']}").hex()
        try:
            await realm.store.commit((AddOnce(_PROOF, key, case.now + dpop.PAST + dpop.FUTURE),))
        except Lost:
            replayed = True
            continue
        return Bound(dpop.confirmation(proof.thumbprint), trail)


def nonce(realm: Realm) -> str:
    """The nonce to give out now: the same on every node, forgotten by itself."""
    return _nonce(realm, realm.now() // _NONCE_TURN)


def good_nonces(realm: Realm) -> frozenset[str]:
    """Those given out a short while ago."""
    turn = realm.now() // _NONCE_TURN
    return frozenset(_nonce(realm, one) for one in (turn, turn - 1))


def _nonce(realm: Realm, turn: int) -> str:
    return base64url.encode_text(realm.mac("dpop nonce", str(turn))[:16])
