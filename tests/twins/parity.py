"""The mark of a test that witnesses what a cloud does; ``docs/parity`` is drawn from these marks."""

from __future__ import annotations

from typing import Literal

import pytest

Level = Literal["documented", "observed", "inferred"]


def parity(section: str, level: Level) -> pytest.MarkDecorator:
    """``section`` is the part of the page that the behaviour, the test's own name, stands in; ``level`` says how sure we
    are that the cloud does so: its documents say it, a public client or recording shows it, or it is inferred."""
    return pytest.mark.parity(section=section, level=level)
