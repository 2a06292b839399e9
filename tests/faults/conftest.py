"""Databases for faults: one on the server of the whole run, and servers of a test's own, to be stopped and broken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import Postgres


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database."""
    url = postgres.new_database("tables")
    yield url
    postgres.drop(url)
