"""Version 1: the tables that innkeeper 0.1.0 made in a SQLite file by itself. There is nothing before them."""

from __future__ import annotations

revision = "1"
down_revision = None


def upgrade() -> None:
    """Nothing to do: whoever is here has these tables."""
