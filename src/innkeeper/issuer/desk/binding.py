"""Sender constraint at work: read the proof that came with a request, judge it, see that it is used once."""

from __future__ import annotations

from innkeeper.issuer.core import mutual_tls
from innkeeper.issuer.core.effects import AddOnce, Lost
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.desk.realm import Realm, digest
from innkeeper.keys.certificates import Certificate
from innkeeper.keys.proofs import read_proof
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import Refusal
from innkeeper.protocol.values import OWN, Value
from innkeeper.tokens import dpop
from innkeeper.tokens.trail import Trail

_PROOF = "dpop proof"
_NONCE_TURN = 120
"""Seconds after which a new nonce is given out; the one before stays good for as long again."""


class Sender(Value, frozen=True, gc=False):
    """What a request shows of its sender: its ``DPoP`` header, where and how it was sent, its TLS certificate."""

    dpop: str | None = None
    method: str = "POST"
    url: str = ""
    certificate: Certificate | None = None


NOBODY_SPECIAL = Sender()


class Bound(Value, frozen=True, gc=False):
    """The keys that were proved, as a ``cnf`` claim; empty where none was shown.

    ``confirmation`` is what new tokens are bound to; ``proved`` has the certificate of any client, too.
    """

    confirmation: dict[str, str]
    trail: Trail
    proved: dict[str, str] = OWN

    @property
    def refusal(self) -> Refusal | None:
        return self.trail.refusal


UNBOUND = Bound({}, Trail("dpop"))


async def prove(
    realm: Realm,
    sender: Sender,
    *,
    access_token: str = "",
    bound_to: str | None = None,
    client: Client | None = None,
) -> Bound:
    """Judge the sender's proof. Without a ``DPoP`` header and nothing bound, there is nothing to judge.

    A certificate needs no judging: whoever made the connection holds its key.
    """
    if sender.dpop is None and bound_to is None and sender.certificate is None:
        return UNBOUND
    by_certificate = mutual_tls.confirmation(client, sender.certificate)
    shown = mutual_tls.confirmation(client, sender.certificate, also=True)
    if sender.dpop is None and bound_to is None:
        return Bound(by_certificate, Trail("dpop"), shown)
    proof, replayed = read_proof(sender.dpop, realm.policy.profile_for(client).algorithms), False
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
        key_held = dpop.confirmation(proof.thumbprint)
        return Bound({**key_held, **by_certificate}, trail, {**key_held, **shown})


def nonce(realm: Realm) -> str:
    """The nonce to give out now: the same on every node, forgotten by itself."""
    return _nonce(realm, realm.now() // _NONCE_TURN)


def good_nonces(realm: Realm) -> frozenset[str]:
    """Those given out a short while ago."""
    turn = realm.now() // _NONCE_TURN
    return frozenset(_nonce(realm, one) for one in (turn, turn - 1))


def _nonce(realm: Realm, turn: int) -> str:
    return base64url.encode_text(realm.mac("dpop nonce", str(turn))[:16])
