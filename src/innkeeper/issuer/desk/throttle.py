"""Wrong tries, counted in the store and so by all nodes together. A try is counted before it is made: many at once
cannot slip through together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address

import msgspec

from innkeeper.issuer.core import throttling as core
from innkeeper.issuer.core.effects import Effect, Lost, PutEntry
from innkeeper.issuer.core.throttling import NONE_YET, Count, Lane, Rule
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.store.port import Entry

TRIES, TURNS = "tries", "turns"

_decode = msgspec.msgpack.Decoder(Count).decode


async def take(realm: Realm, lanes: Sequence[Lane]) -> int:
    """Count a try in every lane. Where one of them has to pause, nothing is counted and its seconds are returned."""
    while True:
        now, held = realm.now(), [await _held(realm, lane) for lane in lanes]
        wait = max(core.wait(one.lane.rule, one.count, now) for one in held)
        if wait:
            return wait
        try:
            await realm.store.commit([one.changed(core.counted, now) for one in held])
        except Lost:
            continue
        return 0


async def give_back(realm: Realm, lanes: Sequence[Lane]) -> None:
    """Take back a try that was right."""
    while True:
        now, held = realm.now(), [await _held(realm, lane) for lane in lanes]
        try:
            await realm.store.commit([one.changed(core.given_back, now) for one in held if one.entry])
        except Lost:
            continue
        return


async def turn(realm: Realm, what: str, who: str, burst: int, every: int) -> int:
    """0 where ``who`` may do ``what`` now, and then it is counted; else the seconds that they have to wait.

    ``burst`` is how many times at once, ``every`` the seconds for one more after. What is counted is work, not guessing.
    """
    key = f"{what}:{realm.mac('turns', who).hex()}"
    while True:
        now, entry = realm.now(), await realm.store.entry(TURNS, key)
        full_until = max(int(entry.record) if entry else 0, now) + every
        wait = full_until - now - burst * every
        if wait > 0:
            return wait
        counted = PutEntry(TURNS, key, str(full_until).encode(), full_until, entry.version if entry else 0)
        try:
            await realm.store.commit((counted,))
        except Lost:
            continue
        return 0


def network_of(address: str) -> str:
    """What an address is counted by: itself, or the /64 that one household or host has of IPv6 (RFC 6177 §2)."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return f"{found.exploded[:19]}/64"


class _Held(msgspec.Struct, frozen=True):
    lane: Lane
    key: str
    entry: Entry | None
    count: Count

    def changed(self, how: Callable[[Rule, Count, int], Count], now: int) -> Effect:
        record = msgspec.msgpack.encode(how(self.lane.rule, self.count, now))
        version = self.entry.version if self.entry else 0
        return PutEntry(TRIES, self.key, record, now + self.lane.rule.forget, version)


async def _held(realm: Realm, lane: Lane) -> _Held:
    """Names and addresses are kept as MACs: the store needs to compare them, not to know them."""
    key = f"{lane.rule.name}:{realm.mac('tries', chr(0).join(lane.about)).hex()}"
    entry = await realm.store.entry(TRIES, key)
    return _Held(lane, key, entry, _decode(entry.record) if entry else NONE_YET)
