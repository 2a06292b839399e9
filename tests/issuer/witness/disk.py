"""A disk on which the audit log finds no room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from innkeeper.issuer.witness.audit import Chain


@contextmanager
def full_disk(chain: Chain) -> Iterator[None]:
    """For as long as this lasts, the chain's file takes nothing more."""
    descriptor = chain._descriptor
    with Path("/dev/full").open("wb") as full:
        chain._descriptor = full.fileno()
        try:
            yield
        finally:
            chain._descriptor = descriptor
