"""Logs: lines of JSON where a program reads them (``serve``), plain lines where a person does (``up``).

What is logged by the house's own loggers and by its libraries goes through one handler to standard error. The fields of a
refusal come from its trail, in which there is neither secret nor token; requests are never logged as they came.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_PLAIN = "%(levelname)s %(name)s: %(message)s"
_QUIET = {
    "uvicorn.error": logging.CRITICAL,
    "httpx2": logging.WARNING,
    "alembic": logging.WARNING,
    "mcp": logging.WARNING,
}


def configure(*, as_json: bool) -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_json() if as_json else _Plain(_PLAIN))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)


def _json() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ExtraAdder(["told"]),
            _unfolded,
            structlog.processors.format_exc_info,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(sort_keys=False),
        ],
    )


def _unfolded(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """What a record was told beside its message, as fields of its own."""
    told = event.pop("told", {})
    return {**event, **told}


class _Plain(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        told: Mapping[str, Any] = getattr(record, "told", {})
        return super().formatMessage(record) + "".join(f" {name}={value!r}" for name, value in told.items())
