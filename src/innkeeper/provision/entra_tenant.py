"""A tenant of Entra ID that is being set up: where it is, what is wanted there, and which of its applications are ours."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from innkeeper.provision.graph import Graph
from innkeeper.provision.inputs import EntraInputs
from innkeeper.provision.record import Secret

MARK = "innkeeper-provision"

Remember = Callable[[str, Secret], None]


class Tenant:
    """``secrets`` are those that earlier runs made, ``remember`` is told each new one at once."""

    def __init__(
        self, graph: Graph, inputs: EntraInputs, secrets: Mapping[str, Secret], remember: Remember, now: datetime
    ) -> None:
        self.graph = graph
        self.inputs = inputs
        self.kept = dict(secrets)
        self.remember = remember
        self.now = now

    def applications(self) -> list[dict[str, Any]]:
        """The applications that bear our mark."""
        mark = f"{MARK}/{self.inputs.name_prefix}"
        return self.graph.all("/applications", filter=f"tags/any(t:t eq '{mark}')")

    def id_of(self, kind: str, name: str) -> str:
        """The id of a scope or role, the same at every run."""
        return str(uuid.uuid5(uuid.UUID(self.inputs.tenant_id), f"{self.inputs.name_prefix}/{kind}/{name}"))

    def owners(self) -> dict[str, list[str]]:
        """Who owns what is made, as a body says it."""
        bound = [self.graph.base_of(f"/directoryObjects/{one}") for one in self.inputs.owners]
        return {"owners@odata.bind": bound} if bound else {}
