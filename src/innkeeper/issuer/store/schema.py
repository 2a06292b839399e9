"""Which tables there are: their version, and whether this innkeeper can work with them."""

from __future__ import annotations

from importlib.resources import files

from innkeeper.protocol.refusals import UsageError

SCHEMA_VERSION = 2
"""The version of ``schema.sql`` and ``postgres.sql``. Each has its step in ``migrations/versions``."""

NOTHING = 0
"""The version of a database without tables."""


def judge(version: int, database: str) -> None:
    """Raises ``UsageError`` where tables of this version are older or newer than what is known here."""
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"{database} has schema version {version}, this innkeeper knows {SCHEMA_VERSION}. "
            "Run the newer innkeeper that made it."
        )
    if version == NOTHING:
        raise UsageError(f"{database} has no tables yet. Make them: innkeeper db upgrade")
    if version < SCHEMA_VERSION:
        raise UsageError(
            f"{database} has schema version {version}, this innkeeper needs {SCHEMA_VERSION}. "
            "Bring it up, after a backup: innkeeper db upgrade"
        )


def statements(name: str) -> list[str]:
    """The statements of a schema file of ours, in their order."""
    text = files("innkeeper.issuer.store").joinpath(name).read_text("utf-8")
    return [one for one in text.split(";\n") if one.strip()]
