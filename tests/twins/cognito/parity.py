"""What a test of the twin witnesses: a behaviour of Cognito, and how sure we are that the cloud behaves so.

The parity page is written from these marks, which are read from the source: nothing has to be imported to list them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

Test = TypeVar("Test", bound=Callable[..., object])
Level = Literal["documented", "observed", "inferred"]


def parity(section: str, level: Level, behaviour: str) -> Callable[[Test], Test]:
    """Mark a test as the witness of one behaviour. ``level``: by AWS documented, observed in a public client, or our reading."""

    def mark(test: Test) -> Test:
        test.parity = (section, level, behaviour)  # type: ignore[attr-defined]
        return test

    return mark
