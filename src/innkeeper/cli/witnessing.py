"""The witness that the settings ask for, for a server and for a command."""

from __future__ import annotations

from pathlib import Path

from innkeeper.issuer.app import system_clock
from innkeeper.issuer.app.administration import audit_folder
from innkeeper.issuer.settings import Settings
from innkeeper.issuer.witness.audit import Chain, open_chain
from innkeeper.issuer.witness.metrics import Metrics
from innkeeper.issuer.witness.traces import tracer
from innkeeper.issuer.witness.witness import Witness
from innkeeper.protocol.refusals import UsageError

SERVER, COMMAND = "serve", "command"
_MEGABYTE = 1_000_000


def server_witness(settings: Settings, *, alone: bool) -> Witness:
    """Who sees what a server does, ``alone`` or as one of several. Raises ``UsageError`` where nothing can be written."""
    folder = None if alone else metrics_folder(settings)
    metrics = Metrics(folder) if settings.server.metrics else Metrics(None) if alone else None
    return Witness(system_clock, metrics=metrics, chain=_chain(settings, SERVER), tracer=tracer())


def command_witness(settings: Settings) -> Witness:
    """Who sees what a command changes: the audit log alone."""
    return Witness(system_clock, chain=_chain(settings, COMMAND), logs=False)


def metrics_folder(settings: Settings) -> Path:
    return Path(settings.server.state) / "metrics"


def metrics_address(settings: Settings) -> tuple[str, int]:
    """Where Prometheus finds its page. Raises ``UsageError``."""
    host, _, port = settings.server.metrics.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) <= _LAST_PORT:
        raise UsageError(f"metrics {settings.server.metrics!r}: write a host and a port, as 127.0.0.1:9400")
    return host.strip("[]"), int(port)


_LAST_PORT = 65_535


def _chain(settings: Settings, name: str) -> Chain | None:
    if not settings.audit.enabled:
        return None
    return open_chain(audit_folder(settings), name, system_clock(), settings.audit.rotate_megabytes * _MEGABYTE)
