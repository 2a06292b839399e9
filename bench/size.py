"""How much longer it takes in a large store: rotations and look-ups among ten thousand families and among many more.

    python -m bench size [FAMILIES [ROUNDS [ENGINE]]]

Two stores of each engine, one with ten thousand families, one with a million, or as many as are asked for: ten million
take some ten gigabytes of disk and a quarter of an hour to fill. They take turns in slices. Commits are durable. A rotation
is what the token endpoint asks of a store: the token with its grant, then one commit; each family once, at random. Families
began over the thirty days that a token lives. All are in the computer's memory, as after a day of service: VACUUM has read
PostgreSQL's tables, and SQLite's file is read through once. At the end, many ask at the same time.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from hashlib import sha256
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import asyncpg

from innkeeper.issuer.core.effects import AddRefreshToken, SpendRefreshToken
from innkeeper.issuer.core.records import Grant, RefreshToken
from innkeeper.issuer.desk.realm import following, refresh_digest
from innkeeper.issuer.store.decoding import encode
from innkeeper.issuer.store.opening import is_postgres, open_store
from innkeeper.issuer.store.port import RealmStore, Store
from innkeeper.issuer.store.upgrading import upgrade
from tests.postgres import postgres

SMALL, LARGE = 10_000, 1_000_000
ROUNDS, A_SLICE = 31, 200
CALLERS, TOGETHER = 64, 3_000
REALM = "native"
ENGINES = ("SQLite", "PostgreSQL")
EXPIRES, LIFETIME = 2_000_000_000, 30 * 86_400


def main() -> None:
    large = int(sys.argv[1]) if len(sys.argv) > 1 else LARGE
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    if rounds > ROUNDS:
        sys.exit(f"{rounds} rounds: the small store has families for {ROUNDS} at most")
    wanted = sys.argv[3:4] or ENGINES
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="innkeeper-bench-")))
        server = stack.enter_context(postgres("shared_buffers=512MB", "max_wal_size=4GB"))
        engines = {
            ENGINES[0]: [str(folder / f"{count}.db") for count in (SMALL, large)],
            ENGINES[1]: [server.new_database("tables") for _ in (SMALL, large)],
        }
        for name in wanted:
            asyncio.run(compare(name, engines[name], (SMALL, large), rounds))


async def compare(name: str, addresses: list[str], sizes: tuple[int, int], rounds: int) -> None:
    stores: list[Store] = []
    for address, size in zip(addresses, sizes, strict=True):
        await upgrade(address)
        await (_fill_postgres if is_postgres(address) else _fill_sqlite)(address, size)
        stores.append(await open_store(address))
    chosen = [iter(random.sample(range(size), (rounds + 1) * A_SLICE + TOGETHER)) for size in sizes]
    for store, numbers in zip(stores, chosen, strict=True):
        await _slice(store.realm(REALM), list(islice(numbers, A_SLICE)))
    took: list[list[float]] = [[], []]
    for turn in range(rounds):
        for at in (0, 1) if turn % 2 else (1, 0):
            took[at].append(await _slice(stores[at].realm(REALM), list(islice(chosen[at], A_SLICE))))
    crowds = [await _crowd(store.realm(REALM), numbers) for store, numbers in zip(stores, chosen, strict=True)]
    for store in stores:
        store.close()
    ratio = median(slow / fast for fast, slow in zip(*took, strict=True))
    small, large = (median(times) for times in took)
    print(
        f"{name:11} a rotation among {sizes[0]:,}: {small:6.0f} µs, among {sizes[1]:,}: {large:6.0f} µs, {ratio:.2f} times",
        flush=True,
    )
    for size, (rate, slowest) in zip(sizes, crowds, strict=True):
        print(
            f"            {CALLERS} at a time among {size:,}: {rate:6,.0f} a second, 99 of 100 within {slowest:.1f} ms",
            flush=True,
        )


async def _crowd(realm: RealmStore, numbers: Iterator[int]) -> tuple[float, float]:
    """Rotations a second for many callers, and milliseconds for the slowest but one in a hundred."""
    took: list[float] = []

    async def call() -> None:
        took.extend([await _slice(realm, [number]) / 1e3 for number in numbers])

    begun = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return len(took) / (time.perf_counter() - begun), quantiles(took, n=100)[98]


async def _slice(realm: RealmStore, numbers: list[int]) -> float:
    """Microseconds for a rotation, one after another."""
    begun = time.perf_counter()
    for number in numbers:
        found = await realm.refresh_token(refresh_digest(_first(number)))
        assert found is not None
        successor = refresh_digest(_second(number))
        spent = SpendRefreshToken(found.token.digest, successor, EXPIRES - 9)
        token = RefreshToken(digest=successor, grant_id=found.grant.id, expires_at=EXPIRES)
        await realm.commit((spent, AddRefreshToken(token)))
    return (time.perf_counter() - begun) / len(numbers) * 1e6


def _first(number: int) -> str:
    """The first refresh token of a family."""
    return f"{number:043}"


def _second(number: int) -> str:
    return following(_first(number), sha256(_first(number).encode()).digest())


def _grants(count: int) -> Iterator[tuple[object, ...]]:
    one = Grant(
        id="", client_id="shop", sub="", scopes=frozenset({"room:enter"}), audience=("https://api.example",),
        auth_time=1, acr="urn:innkeeper:acr:password", amr=("pwd",), session_id="", created_at=1,
    )  # fmt: skip
    record = encode(one)
    for number in range(count):
        yield (
            REALM,
            f"grant-{number:018}",
            f"person-{number:015}",
            f"client-{number % 10_000}",
            "",
            EXPIRES,
            None,
            record,
        )


def _tokens(count: int) -> Iterator[tuple[object, ...]]:
    for number in range(count):
        expires = EXPIRES - LIFETIME + LIFETIME * number // count
        yield REALM, refresh_digest(_first(number)), f"grant-{number:018}", expires, None, None


async def _fill_sqlite(address: str, count: int) -> None:
    with closing(sqlite3.connect(address, isolation_level=None)) as db:
        db.execute("BEGIN")
        db.executemany("INSERT INTO grants VALUES (?,?,?,?,?,?,?,?)", _grants(count))
        db.executemany("INSERT INTO refresh_tokens VALUES (?,?,?,?,?,?)", _tokens(count))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _read_through(Path(address))


def _read_through(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass


async def _fill_postgres(address: str, count: int) -> None:
    db = await asyncpg.connect(address)
    await db.copy_records_to_table("grants", records=_grants(count))
    await db.copy_records_to_table("refresh_tokens", records=_tokens(count))
    await db.execute("VACUUM ANALYZE")
    await db.execute("CHECKPOINT")
    await db.close()


if __name__ == "__main__":
    main()
