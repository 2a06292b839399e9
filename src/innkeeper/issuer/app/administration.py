"""What the native realm's administrators look after: all realms that are open, the audit log, the counters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from innkeeper.issuer.app.ground import Ground
from innkeeper.issuer.desk.admin.house import House
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.settings import Settings
from innkeeper.issuer.witness.looking import look
from innkeeper.issuer.witness.witness import Witness


def house_of(ground: Ground, realm: Realm) -> House:
    """The house as it is administered from a realm, which is the native one at some origin."""

    def realms() -> Iterator[Realm]:
        return (one for opened in ground.opened for one in opened.realms())

    folder = audit_folder(ground.settings)

    def audit(query: Mapping[str, str]) -> Mapping[str, Any]:
        return look(folder, query)

    def figures() -> Mapping[str, Any]:
        return _figures(ground.witness) if ground.witness is not None else {}

    return House(realm, ground.store, realms, audit if ground.settings.audit.enabled else None, figures)


def audit_folder(settings: Settings) -> Path:
    return Path(settings.server.state) / "audit"


def _figures(witness: Witness) -> Mapping[str, Any]:
    return witness.metrics.figures() if witness.metrics is not None else {}
