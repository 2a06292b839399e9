"""Refresh tokens rotated on PostgreSQL, innkeeper beside others that store theirs there too: oidc-provider,
django-oauth-toolkit, Ory Hydra, Keycloak.

    python -m bench stored [ROUNDS]

One PostgreSQL for all, durable (fsync on), on whatever core is free; the servers on the servers' core. Each answer has an
access token signed in ES256, but for the toolkit's, which stores a random string. oidc-provider's adapter is ours after its
documentation: a prepared statement a call.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench import grants, hydra, keycloak, servers
from bench.contest import ROUNDS, hold
from bench.fleet import settle_in
from bench.rotation import made_by, rotation
from bench.servers import HERE, Server, started
from innkeeper.issuer.store.upgrading import upgrade
from tests.postgres import Postgres, postgres

WORKERS = ["--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "error"]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with ExitStack() as stack:
        database = stack.enter_context(postgres())
        house, address = stack.enter_context(innkeeper(database))
        keeper = stack.enter_context(servers.oidc_provider(keeps="postgres", database=database.new_database()))
        peer = stack.enter_context(toolkit(database))
        ory, admin = stack.enter_context(hydra.hydra(database.new_database()))
        cloak = stack.enter_context(keycloak.keycloak(database.new_database()))
        made = partial(refresh_tokens, address, house.url)
        hold(
            "Refresh tokens rotated on PostgreSQL",
            [
                rotation(house, made),
                *(rotation(one, partial(made_by, one, "refresh-tokens")) for one in (keeper, peer)),
                rotation(ory, partial(hydra.refresh_tokens, ory, admin), hydra.TOKEN),
                rotation(cloak, partial(keycloak.refresh_tokens, cloak), keycloak.TOKEN)._replace(warm=keycloak.WARM),
            ],
            rounds,
        )


def refresh_tokens(address: str, origin: str, count: int) -> Sequence[str]:
    return grants.refresh_tokens(address, origin, count)


@contextmanager
def innkeeper(database: Postgres) -> Iterator[tuple[Server, str]]:
    """``innkeeper serve`` on a database of its own, and its address."""
    address = database.new_database()
    asyncio.run(upgrade(address))
    told = {**HERE, "INNKEEPER_DATABASE_URL": address}
    command = [sys.executable, "-m", "bench.serve", "ES256"]
    with servers.state() as folder:
        settle_in(folder)
        with started("innkeeper", command, folder, "/jwks", told) as server:
            yield server, address


@contextmanager
def toolkit(database: Postgres) -> Iterator[Server]:
    """django-oauth-toolkit under granian, with threads to wait in for the database."""
    told = {**HERE, "DATABASE_URL": database.new_database()}
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", *WORKERS, "bench.toolkit:application"]
    with servers.state() as folder, started("django-oauth-toolkit", command, Path(folder), "/ready", told) as server:
        yield server


if __name__ == "__main__":
    main()
