"""The document that lists the redirect URIs of a sector, got for whoever registers with one."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.client_metadata import Metadata
from innkeeper.issuer.core.metadata_checks import Sector
from innkeeper.issuer.desk.fetching import SECTOR_DOCUMENT, Fetcher
from innkeeper.issuer.desk.outside import NotFetched


async def sector_named(fetcher: Fetcher, said: Metadata) -> Sector | None:
    """What stands at a client's ``sector_identifier_uri``; None where it has none."""
    if not said.sector_identifier_uri:
        return None
    try:
        document = await fetcher.fetch(said.sector_identifier_uri, SECTOR_DOCUMENT)
        return Sector(msgspec.json.decode(document.body, type=tuple[str, ...]))
    except NotFetched as error:
        return Sector(problem=str(error))
    except (msgspec.DecodeError, UnicodeDecodeError):
        fetcher.forget(said.sector_identifier_uri, SECTOR_DOCUMENT)
        return Sector(problem="it is no JSON array of strings")
