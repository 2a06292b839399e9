"""The credentials a request carries, and whether exactly one token came the one way it may (RFC 6750 §2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

import msgspec

from innkeeper.protocol.errors import INVALID_REQUEST
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Check, Seen, check

NO_CREDENTIALS = Page(
    "IK520",
    "",
    "No access token was sent",
    "The request has no Authorization header with the scheme Bearer or DPoP. Tokens in the address or the body are not read.",
    "Send the access token as 'Authorization: Bearer TOKEN'.",
    "",
    401,
)
SEVERAL_CREDENTIALS = Page(
    "IK521",
    INVALID_REQUEST,
    "More than one set of credentials was sent",
    "The request carries several Authorization headers, or a token in the header and another in the address.",
    "Send one access token, in one Authorization header.",
    "Send one access token, in one Authorization header.",
    400,
)
MALFORMED_CREDENTIALS = Page(
    "IK522",
    INVALID_REQUEST,
    "The Authorization header cannot be read",
    "After the scheme, Bearer or DPoP, there must be one space and the token, and nothing else.",
    "Check for an empty variable, a doubled 'Bearer', quotes or a line break around the token.",
    "The Authorization header must be the word Bearer, one space, and the access token.",
    400,
)


class Credentials(msgspec.Struct, frozen=True, gc=False):
    """What a request carries: each Authorization header, whether the address has a token in it, too, and what shows that
    its sender is the token's holder.

    ``proofs`` are the DPoP headers, ``method`` and ``url`` what they have to be made for; ``certificate`` is the TLS
    certificate of the sender, as PEM or as a proxy spells it.
    """

    authorization: tuple[str, ...] = ()
    in_address: bool = False
    proofs: tuple[str, ...] = ()
    method: str = ""
    url: str = ""
    certificate: str = ""

    @property
    def token(self) -> str:
        """The access token; "" where the checks would refuse."""
        found = _TOKEN.fullmatch(self.authorization[0]) if len(self.authorization) == 1 else None
        return found[1] if found else ""

    @property
    def is_dpop(self) -> bool:
        """Whether the token came under the scheme DPoP."""
        return len(self.authorization) == 1 and self.authorization[0][:5].lower() == "dpop "

    @property
    def proof(self) -> str | None:
        """The DPoP headers, joined as a server may join them; None where none came."""
        return ", ".join(self.proofs) if self.proofs else None


def credentials(
    headers: Iterable[tuple[bytes, bytes]],
    query: bytes = b"",
    *,
    method: str = "",
    url: str = "",
    certificate: str = "",
) -> Credentials:
    """The credentials in a request's raw headers (names in lower case) and query string."""
    authorization: list[str] = []
    proofs: list[str] = []
    for name, value in headers:
        if name == b"authorization":
            authorization.append(value.decode("latin-1"))
        elif name == b"dpop":
            proofs.append(value.decode("latin-1"))
    in_address = b"access_token" in query and any(
        name == b"access_token" for name, _ in parse_qsl(query, keep_blank_values=True)
    )
    return Credentials(tuple(authorization), in_address, tuple(proofs), method, url, certificate)


@check("RFC 6750 §2")
def credentials_were_sent_once(case: Credentials) -> Seen | Refusal:
    """A request may carry one token, sent one way."""
    count = len(case.authorization)
    if count + case.in_address > 1 or (count and _SECOND.search(case.authorization[0])):
        found = f"{count} Authorization header{'s' * (count != 1)}{' and a token in the address' * case.in_address}"
        return Refusal(SEVERAL_CREDENTIALS, "more than one set of credentials", "one Authorization header", found)
    return Seen("one Authorization header" if count else "none")


@check("RFC 6750 §2.1")
def token_came_in_the_header(case: Credentials) -> Seen | Refusal:
    """The token must be in the Authorization header, under the scheme Bearer, or DPoP where it is bound to a key."""
    if not case.authorization:
        found = "a token in the address, where it is not read" if case.in_address else "no Authorization header"
        return Refusal(NO_CREDENTIALS, found, "Authorization: Bearer", found)
    scheme = case.authorization[0].partition(" ")[0]
    if scheme.lower() not in _SCHEMES:
        return Refusal(NO_CREDENTIALS, f"scheme {scheme[:20]!r}", "Bearer", scheme[:20])
    return Seen("DPoP" if case.is_dpop else "Bearer")


@check("RFC 6750 §2.1")
def header_holds_one_token(case: Credentials) -> Seen | Refusal:
    """After the scheme there must be one space and one token in the characters tokens are made of."""
    if not case.token:
        rest = case.authorization[0].partition(" ")[2].strip()
        why = "nothing after the scheme" if not rest else "what follows the scheme is not one token"
        return Refusal(MALFORMED_CREDENTIALS, why, "Bearer, one space, one token")
    return Seen(f"{len(case.token)} characters")


CREDENTIAL_CHECKS: tuple[Check[Credentials], ...] = (
    credentials_were_sent_once,
    token_came_in_the_header,
    header_holds_one_token,
)

_SCHEMES = frozenset({"bearer", "dpop"})
_TOKEN = re.compile(r"(?ai:bearer|dpop) ([A-Za-z0-9\-._~+/]+=*)")
_SECOND = re.compile(r",\s*(?:bearer|basic|dpop)\s", re.IGNORECASE)
"""A server may join repeated headers with a comma; a token has none."""
