"""Registering with an issuer that nobody registered this program with.

The sections named below are those of RFC 7591.
"""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.client.asking import Ask, Flow, ask
from innkeeper.client.credentials import Client, Secret
from innkeeper.client.discovery import Metadata
from innkeeper.client.dpop import Proving
from innkeeper.client.grants import UNREADABLE_ANSWER, refusal
from innkeeper.client.refused import Refused, quoted, refuse
from innkeeper.protocol.errors import INVALID_CLIENT_METADATA
from innkeeper.protocol.redirects import is_loopback
from innkeeper.protocol.refusals import Page
from innkeeper.protocol.strict_json import NotStrict, read_object

NOT_REGISTERED = Page(
    "IK885",
    error=INVALID_CLIENT_METADATA,
    title="The issuer did not register this program",
    cause="Its registration endpoint refused what the program says about itself.",
    remedy="Read the issuer's words above; registering by hand and giving the client id always works.",
    wire="",
)

_METHODS = ("none", "client_secret_basic", "client_secret_post")


class Description(msgspec.Struct, frozen=True):
    """What a program says about itself. ``more`` are further members, under their names of §2."""

    name: str = "innkeeper"
    redirect_uris: tuple[str, ...] = ("http://127.0.0.1/callback",)
    more: dict[str, Any] = {}

    def document(self, metadata: Metadata, scope: str, *, bound: bool) -> dict[str, Any]:
        """The registration: native where its redirects lead to this computer, public where the issuer lets it."""
        native = all(is_loopback(one) or "://" not in one or not one.startswith("http") for one in self.redirect_uris)
        said: dict[str, Any] = {
            "client_name": self.name,
            "redirect_uris": list(self.redirect_uris),
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": _method(metadata),
            "application_type": "native" if native else "web",
        }
        said |= {"scope": scope} if scope else {}
        said |= {"dpop_bound_access_tokens": True} if bound else {}
        return said | self.more


def register(
    metadata: Metadata, description: Description, scope: str = "", proving: Proving | None = None
) -> Flow[Client]:
    """A client id at an issuer, and a secret where it gives one (§3). Raises ``Refused``."""
    body = msgspec.json.encode(description.document(metadata, scope, bound=proving is not None))
    headers = (("accept", "application/json"), ("content-type", "application/json"))
    endpoint = metadata.endpoint("registration")
    reply = yield from ask(Ask("the registration endpoint", "POST", endpoint, headers, body))
    if reply.status not in {200, 201}:
        failure = refusal(reply, "the registration endpoint")
        if isinstance(failure, Refused):
            raise refuse(NOT_REGISTERED, failure.refusal.reason, error=failure.error)
        raise failure
    try:
        return _client(read_object(reply.body), proving)
    except (NotStrict, KeyError) as error:
        raise refuse(UNREADABLE_ANSWER, f"the registration endpoint's answer: {quoted(error)}") from None


def _client(answer: dict[str, Any], proving: Proving | None) -> Client:
    client_id, secret = str(answer["client_id"]), answer.get("client_secret")
    method = answer.get("token_endpoint_auth_method")
    if not isinstance(secret, str) or not secret or method == "none":
        return Client(client_id, proving=proving)
    return Client(client_id, Secret(secret, "client_secret_post" if method == "client_secret_post" else None), proving)


def _method(metadata: Metadata) -> str:
    """How to authenticate: not at all where the issuer lets public clients in, else as it says, else by default."""
    offered = metadata.token_endpoint_auth_methods_supported or ("client_secret_basic",)
    return next((one for one in _METHODS if one in offered), offered[0])
