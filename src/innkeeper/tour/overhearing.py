"""Overhearing decisions: each trail goes to everyone who listens to the exchange that it is made in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from innkeeper.tokens.trail import Trail

_listening: ContextVar[tuple[list[Trail], ...]] = ContextVar("innkeeper_tour_trails", default=())


def observe(trail: Trail) -> None:
    """The Observer to give to issuer and hotel: keeps a trail with the exchange it was made in, if that is recorded."""
    for trails in _listening.get():
        trails.append(trail)


@contextmanager
def overhearing(trails: list[Trail]) -> Iterator[None]:
    """Inside the block, keep the trails of what is decided; whoever listens already goes on listening."""
    before = _listening.set((*_listening.get(), trails))
    try:
        yield
    finally:
        _listening.reset(before)
