"""Clients that their own documents describe: fetched, judged, and kept as long as the document is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core import client_document as core
from innkeeper.issuer.core.client_metadata import Unreadable, read
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.desk.fetching import CLIENT_DOCUMENT, DOCUMENTS_KEPT, Document, Fetcher
from innkeeper.issuer.desk.outside import NotFetched
from innkeeper.issuer.desk.sectors import sector_named
from innkeeper.protocol.refusals import Refusal
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.trail import Observer


class Judged(msgspec.Struct, frozen=True):
    """A client as it came of one copy of its document, under one policy."""

    document: Document
    policy: Policy
    client: Client


class ClientDocuments:
    """The documents that a realm has read."""

    def __init__(self, fetcher: Fetcher, observe: Observer) -> None:
        self._fetcher = fetcher
        self._observe = observe
        self._judged: OrderedDict[str, Judged] = OrderedDict()

    async def find(self, url: str, policy: Policy, supported: Mapping[str, Any]) -> Client | Refusal:
        """The client at this address. What was judged once is not judged again while document and policy stay."""
        trail = core.may_fetch(core.Address(url, policy))
        if trail.refusal:
            self._observe(trail)
            return trail.refusal
        try:
            document = await self._fetcher.fetch(url, CLIENT_DOCUMENT)
        except NotFetched as error:
            return self._decided(
                core.decide(core.Fetched(url, problem=str(error)), None, core.rules_of(supported, policy), 0)
            )
        known = self._judged.get(url)
        if known is not None and known.document is document and known.policy is policy:
            return known.client
        return await self._judge(document, policy, supported)

    async def _judge(self, document: Document, policy: Policy, supported: Mapping[str, Any]) -> Client | Refusal:
        fetched = _read(document)
        sector = await sector_named(self._fetcher, fetched.said)
        rules = core.rules_of(supported, policy)
        outcome = self._decided(core.decide(fetched, sector, rules, document.fetched_at))
        if isinstance(outcome, Refusal):
            self._fetcher.forget(document.url, CLIENT_DOCUMENT)
            return outcome
        self._judged[document.url] = Judged(document, policy, outcome)
        self._judged.move_to_end(document.url)
        if len(self._judged) > DOCUMENTS_KEPT:
            self._judged.popitem(last=False)
        return outcome

    def _decided(self, decision: Decision[Client]) -> Client | Refusal:
        self._observe(decision.trail)
        return decision.outcome


def _read(document: Document) -> core.Fetched:
    try:
        return core.Fetched(document.url, read(read_object(document.body)))
    except (NotStrict, Unreadable) as error:
        return core.Fetched(document.url, problem=str(error))
