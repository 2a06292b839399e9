"""The PostgreSQL engine: the shared suite on a real server, and what is its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from innkeeper.issuer.store.opening import open_store
from innkeeper.issuer.store.port import Store
from tests.issuer.store.suite import Open, StoreSuite, run
from tests.postgres import TABLES, Postgres


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """A database of one test's own, with the tables in it."""
    made = postgres.new_database(TABLES)
    yield made
    postgres.drop(made)


@pytest.fixture
def opened(url: str) -> Iterator[Open]:
    """Opens the database once more; everything is closed at the end."""
    stores: list[Store] = []

    def open_once_more() -> Store:
        stores.append(run(open_store(url)))
        return stores[-1]

    yield open_once_more
    for store in stores:
        store.close()


class TestPostgres(StoreSuite):
    @pytest.fixture
    def open_store(self, opened: Open) -> Open:
        return opened
