"""Making an account at work: judge what was written, hash the password, remember the person and open their session."""

from __future__ import annotations

from innkeeper.issuer.core import sign_up as core
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.desk.callers import Caller
from innkeeper.issuer.desk.limits import Bucket
from innkeeper.issuer.desk.passwords import hashed
from innkeeper.issuer.desk.realm import Realm, random_id, random_value
from innkeeper.issuer.desk.sign_in import SignedIn, note_network
from innkeeper.protocol.refusals import Refusal

BURST, EVERY = 10, 60
"""One network makes this many accounts at once, and one more every so many seconds."""


async def sign_up(realm: Realm, bucket: Bucket, caller: Caller, wish: core.Wish) -> SignedIn | Refusal:
    """Make the account and sign its person in."""
    judged = core.judge(core.Case(wish, wait=bucket.take(caller.network, realm.now())))
    password = "" if isinstance(judged.outcome, Refusal) else await hashed(wish.password)
    while not isinstance(judged.outcome, Refusal):
        judged = core.judge(core.Case(wish, taken=await realm.store.person_named(wish.username) is not None))
        if isinstance(judged.outcome, Refusal):
            break
        sub, cookie = random_id(), random_value()
        decision = core.made(wish, sub, password, caller.fresh(cookie), realm.policy, realm.now())
        if isinstance(decision.outcome, Refusal):
            return decision.outcome
        try:
            await realm.store.commit((*decision.effects, await note_network(realm, sub, caller.network)))
        except Lost:
            continue
        realm.observe(decision.trail)
        return SignedIn(decision.outcome.session, cookie)
    realm.observe(judged.trail)
    return judged.outcome
