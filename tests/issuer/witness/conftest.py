"""A house whose books are kept, in passwords that are quick to compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from innkeeper.issuer.desk import passwords
from innkeeper.issuer.witness.audit import open_chain
from innkeeper.issuer.witness.metrics import Metrics
from innkeeper.issuer.witness.witness import Witness
from tests.issuer.house import House
from tests.issuer.visitor import Visitor


class Witnessed:
    """A house, and what its witness tells: metrics, spans and the folder of the audit log."""

    def __init__(self, folder: Path) -> None:
        self.audit = folder / "audit"
        self.metrics = Metrics()
        self.spans = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self._tracer = provider.get_tracer("test")
        self.house = House(folder, witness=self._witness)
        self.visitor = Visitor(self.house, "192.0.2.7")

    def _witness(self, clock: Callable[[], int]) -> Witness:
        chain = open_chain(self.audit, "serve", clock(), 1 << 30)
        return Witness(clock, metrics=self.metrics, chain=chain, tracer=self._tracer)


@pytest.fixture
def witnessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Witnessed]:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", cheap)
    monkeypatch.setattr(passwords, "_of_nobody", lambda: cheap.hash("nobody's"))
    made = Witnessed(tmp_path)
    yield made
    made.house.close()
