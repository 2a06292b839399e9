"""What Alembic runs: the steps, on the connection that it was handed, in the transaction that is open there."""

from __future__ import annotations

from alembic import context

if getattr(context, "config", None):  # only while Alembic runs it
    context.configure(connection=context.config.attributes["connection"])
    context.run_migrations()
