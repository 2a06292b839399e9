"""The AADSTS codes that the twin answers with, by what they are about, one file a subject."""

from __future__ import annotations

from types import ModuleType

from innkeeper.issuer.core.entra.aadsts import Aadsts
from innkeeper.issuer.core.entra.codes import clients, grants, people, scopes, tenants


def _of(module: ModuleType) -> list[Aadsts]:
    return [one for one in vars(module).values() if isinstance(one, Aadsts)]


BY_CODE = {one.code: one for module in (people, grants, scopes, clients, tenants) for one in _of(module)}
"""Every code, by its number as Microsoft counts. One number may go with two errors, as 65001 with prompt=none."""
