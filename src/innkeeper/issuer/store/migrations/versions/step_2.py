"""Version 2: the step that the tables are at is written beside them. The first version on PostgreSQL."""

from __future__ import annotations

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Nothing to do: Alembic's own table is that note."""
