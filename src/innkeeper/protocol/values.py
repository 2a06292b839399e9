"""The base of values that nobody decodes: made in passing, a dozen for a request, and never changed."""

from __future__ import annotations

from typing import Any

import msgspec

OWN: dict[str, Any] = {}
"""As a default: an empty table, one of its own for each value (msgspec copies it)."""


class Value(msgspec.Struct, frozen=True, gc=False):
    """A value without identity, which the garbage collector need not follow.

    A compiler drops what is said of a class in its head; what it inherits from here, it keeps.
    """


class Thing(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The same for one that equals itself alone."""
