"""The load model: statements, rows and bytes for a sign-in and for a refresh, counted on PostgreSQL in a run.

    python -m bench model [PEOPLE]

Prints what docs/how-to/scale.md says of them, and what a million people come to. Nothing here is timed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.issuer import engines
from tests.issuer.house import House
from tests.issuer.visitor import Visitor, redeem, refresh
from tests.postgres import FAST, Postgres, postgres

PEOPLE = 200
REFRESHES = 5

DAY = 86_400
ACCESS_LIFETIME, REFRESH_LIFETIME, KEPT_AFTER = 600, 30 * DAY, DAY
HOURS = 8
"""Hours a day that an application is in use: it refreshes whenever its access token has expired."""


class Counted(NamedTuple):
    """What one act of one person came to, on average."""

    reads: float
    commits: float
    inserted: float
    updated: float
    bytes: float
    wal: float


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    with TemporaryDirectory(prefix="innkeeper-bench-") as folder, postgres(*FAST) as server:
        engines._servers.append((server, 1))
        house = House(Path(folder) / "house")
        database = house.settings.server.database_url.rpartition("/")[2]
        tokens: list[str] = []

        def sign_in() -> None:
            tokens.append(redeem(house, Visitor(house).code(prompt="login")).json["refresh_token"])

        def rotate() -> None:
            tokens[:] = [refresh(house, token).json["refresh_token"] for token in tokens]

        sign_in()
        tokens.clear()
        signed_in = counted(house, server, database, lambda: [sign_in() for _ in range(people)], people)
        refreshed = counted(house, server, database, lambda: [rotate() for _ in range(REFRESHES)], people * REFRESHES)
        house.close()
    show(signed_in, refreshed)


def counted(house: House, server: Postgres, database: str, act: Callable[[], Any], times: int) -> Counted:
    pool = house.issuer._store._pool  # type: ignore[attr-defined]
    asked = {"read": 0, "write": 0}
    whole = {name: getattr(pool, name) for name in asked}
    for name in asked:
        setattr(pool, name, _counting(whole[name], asked, name))
    before = _sizes(server, database)
    act()
    after = _sizes(server, database)
    for name, method in whole.items():
        setattr(pool, name, method)
    inserted, updated, size, wal = (b - a for a, b in zip(before, after, strict=True))
    return Counted(*(n / times for n in (asked["read"], asked["write"], inserted, updated, size, wal)))


def _counting(method: Callable[[Any], Any], asked: dict[str, int], name: str) -> Callable[[Any], Any]:
    def ask(work: Any) -> Any:
        asked[name] += 1
        return method(work)

    return ask


def _sizes(server: Postgres, database: str) -> list[int]:
    """Rows inserted and updated, bytes of tables and indexes, bytes of log so far, once the server has counted them."""
    sql = (
        "SELECT pg_stat_force_next_flush(); SELECT pg_stat_clear_snapshot(); "
        "SELECT sum(n_tup_ins)::bigint || ' ' || sum(n_tup_upd)::bigint || ' ' || "
        "sum(pg_total_relation_size(relid))::bigint || ' ' || pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint "
        "FROM pg_stat_user_tables"
    )
    server.cut(database)  # what a connection did is counted when it ends, at the latest
    return [int(one) for one in server.sql(sql, database).split()[-4:]]


def show(signed_in: Counted, refreshed: Counted) -> None:
    print(
        f"{'':12} {'look-ups':>9} {'commits':>8} {'inserted':>9} {'updated':>8} {'bytes kept':>11} {'bytes of log':>13}"
    )
    for name, one in (("a sign-in", signed_in), ("a refresh", refreshed)):
        print(
            f"{name:12} {one.reads:9.1f} {one.commits:8.1f} {one.inserted:9.1f} {one.updated:8.1f} "
            f"{one.bytes:11,.0f} {one.wal:13,.0f}"
        )
    refreshes = HOURS * 3600 // ACCESS_LIFETIME
    kept = (REFRESH_LIFETIME + KEPT_AFTER) // DAY
    day = signed_in.bytes + refreshes * refreshed.bytes
    print(f"\nA million people who sign in once a day and use an application for {HOURS} hours, {refreshes} refreshes:")
    statements = signed_in.reads + signed_in.commits + refreshes * (refreshed.reads + refreshed.commits)
    print(f"  statements   {statements * 1e6 / (HOURS * 3600):10,.0f} a second, over those {HOURS} hours")
    print(f"  growth       {day * 1e6 / 1e9:10,.1f} GB a day, until what expires balances it after {kept} days")
    print(
        f"  at most      {day * 1e6 * kept / 1e12:10,.2f} TB with refresh tokens that live {REFRESH_LIFETIME // DAY} days"
    )
    log = signed_in.wal + refreshes * refreshed.wal
    print(f"  log          {log * 1e6 / 1e9:10,.1f} GB a day to replicas and backups")


if __name__ == "__main__":
    main()
