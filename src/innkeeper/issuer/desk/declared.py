"""What the settings say of a client under the names of registration (``[client.metadata]``)."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from innkeeper.issuer.core import client_metadata, methods, mutual_tls
from innkeeper.issuer.core.client_metadata import Metadata
from innkeeper.issuer.core.profiles import HS256
from innkeeper.issuer.core.records import Client
from innkeeper.protocol.refusals import UsageError

_SAID_ELSEWHERE = {
    "client_id": "id",
    "client_secret": "secret",
    "client_name": "name",
    "redirect_uris": "redirect_uris",
    "post_logout_redirect_uris": "post_logout_redirect_uris",
    "grant_types": "grants",
    "scope": "scopes",
    "application_type": "native",
}
_KEPT_AS = {
    "token_endpoint_auth_method": "auth_methods",
    "dpop_bound_access_tokens": "dpop_bound",
    "require_pushed_authorization_requests": "require_pushed",
    "id_token_signed_response_alg": "id_token_alg",
}


def with_metadata(client: Client, metadata: Mapping[str, Any]) -> Client:
    """The client with what its metadata add. Raises ``UsageError`` for a name or a value that is none."""
    for name in metadata:
        if not client_metadata.is_in_a_language(name):
            _judge_name(client.id, name)
    try:
        said = client_metadata.read(metadata)
    except client_metadata.Unreadable as error:
        raise UsageError(f"client {client.id!r}: {error}") from None
    if said.token_endpoint_auth_method == methods.TLS and (why := mutual_tls.why_not_one_name(said)):
        raise UsageError(f"client {client.id!r}: {why}")
    if said.id_token_signed_response_alg == HS256 and not client.secrets:
        raise UsageError(f"client {client.id!r}: ID tokens signed with a secret need a client that has one")
    return msgspec.structs.replace(client, **{_field(name): _value(client, said, name) for name in metadata})


def _field(name: str) -> str:
    """Where a client's record keeps a member."""
    return "languages" if client_metadata.is_in_a_language(name) else _KEPT_AS.get(name, name)


def _value(client: Client, said: Metadata, name: str) -> object:
    if client_metadata.is_in_a_language(name):
        return said.languages
    if name == "jwks":
        return client_metadata.keys_of(said)
    if name == "token_endpoint_auth_method":
        return frozenset({_method(client, said.token_endpoint_auth_method)})
    if name == "response_types":
        return frozenset(said.response_types or ())
    return getattr(said, name)


def _judge_name(client_id: str, name: str) -> None:
    if name in _SAID_ELSEWHERE:
        raise UsageError(f"client {client_id!r}: write {_SAID_ELSEWHERE[name]!r} of [[client]] instead of {name!r}")
    known = [one for one in Metadata.__struct_fields__ if one not in {*_SAID_ELSEWHERE, "languages"}]
    if name not in known:
        near = get_close_matches(name, known, n=1)
        advice = f"did you mean {near[0]!r}?" if near else "RFC 7591 and its successors list them"
        raise UsageError(f"client {client_id!r}: no metadata {name!r}: {advice}")


def _method(client: Client, method: str) -> str:
    if method not in methods.ALL:
        raise UsageError(f"client {client.id!r}: no way {method!r}; choose from {', '.join(sorted(methods.ALL))}")
    if (method in methods.SECRETS) != bool(client.secrets):
        rule = "needs a secret" if method in methods.SECRETS else "has no use for a secret"
        raise UsageError(f"client {client.id!r}: {method} {rule}")
    return method
