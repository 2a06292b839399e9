"""``$expand``: the objects that stand in a relation to those asked for, each list read as its own address reads it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from innkeeper.issuer.core.entra.documents import Document, bad
from innkeeper.issuer.core.entra.graph import NOT_FOUND
from innkeeper.issuer.dialects.entra.graph import odata
from innkeeper.issuer.dialects.entra.graph.odata import Call, Expansion, Refused
from innkeeper.protocol.exchange import Reply

Answer = Callable[[Call], Awaitable[Reply]]

_MOST = 20
"""Objects of a relation that the cloud shows at most."""


async def answered(call: Call, answer: Answer) -> Reply:
    """The answer to a call, with the relations that it wants in it. Raises ``Refused``."""
    wanted = odata.expansions(call) if call.method == "GET" else []
    if not wanted:
        return await answer(call)
    if len(call.segments) > 2:
        raise Refused(bad("The twin expands an object, or the objects of a collection, and not those of a relation."))
    query = {name: value for name, value in call.query.items() if name not in ("$expand", "$select")}
    plain = await answer(msgspec.structs.replace(call, query=query))
    document: dict[str, Any] = msgspec.json.decode(plain.body)
    if "value" not in document:
        return odata.reply(await _one(call, document, wanted, answer))
    return odata.reply({**document, "value": [await _one(call, one, wanted, answer) for one in document["value"]]})


async def _one(call: Call, document: Document, wanted: list[Expansion], answer: Answer) -> Document:
    found = {one.name: await _relation(call, document, one, answer) for one in wanted}
    return odata.expanded(call, document, found)


async def _relation(call: Call, document: Document, wanted: Expansion, answer: Answer) -> Document:
    own = () if call.segments[0] == "me" else (str(document["id"]),)
    query = {"$top": str(_MOST), **wanted.query}
    below = msgspec.structs.replace(call, segments=(call.segments[0], *own, wanted.name), query=query)
    try:
        told: Document = msgspec.json.decode((await answer(below)).body)
    except Refused as refused:
        if refused.refusal.page is not NOT_FOUND:
            raise
        message = f"Parsing OData Select and Expand failed: Could not find a property named '{wanted.name}'."
        raise Refused(bad(message, wanted.name)) from None
    return told
