"""The tour's own line to the house: real HTTP, each request marked with its visit so that the tap knows it again."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

import httpx2

from innkeeper.client.asking import Flow
from innkeeper.client.wire import arun
from innkeeper.tour.marks import marked

Result = TypeVar("Result")

_TIMEOUT = 10.0


class Line:
    """One shared transport; clients over it are cheap and are not to be closed."""

    def http(self, visit_id: str = "", label: str = "") -> httpx2.AsyncClient:
        """A client whose requests bear the visit's mark; without a visit, no mark."""
        headers = marked(visit_id, label) if visit_id else None
        return httpx2.AsyncClient(transport=self._transport, headers=headers, timeout=_TIMEOUT)

    async def run(self, flow: Flow[Result], visit_id: str = "", label: str = "") -> Result:
        """Drive a client's flow over this line. Raises what the flow raises."""
        return await arun(flow, self.http(visit_id, label))

    async def aclose(self) -> None:
        """Close what was opened."""
        if "_transport" in self.__dict__:
            await self._transport.aclose()

    @cached_property
    def _transport(self) -> httpx2.AsyncHTTPTransport:
        return httpx2.AsyncHTTPTransport()
