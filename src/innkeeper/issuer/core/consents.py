"""What a person was shown of a client when they allowed it something: if that changes, they are asked anew."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlsplit

import msgspec

from innkeeper.issuer.core.records import Client, Consent


def shown(client: Client) -> bytes:
    """A hash of the client's name, its logo, its site's host and the hosts its answers go to. Other paths and ports of
    the same hosts, new grants or new keys change nothing that a person goes by."""
    hosts = sorted({_place(one) for one in client.redirect_uris})
    return sha256(msgspec.json.encode((client.name, client.logo_uri, _place(client.client_uri), hosts))).digest()


def has_changed(client: Client, consent: Consent | None) -> bool:
    """Whether the client looks otherwise now than when the person allowed it something."""
    return consent is not None and consent.shown != shown(client)


def _place(uri: str) -> str:
    """The host of a URI, or the scheme of an app's own."""
    parts = urlsplit(uri)
    return parts.hostname or parts.scheme
