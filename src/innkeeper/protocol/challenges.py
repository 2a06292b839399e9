"""Challenges in ``WWW-Authenticate``: what a caller lacks, said and read (RFC 6750 §3, RFC 9110 §11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from innkeeper.protocol.parameters import Malformed


class Challenge(msgspec.Struct, frozen=True):
    """One challenge: a scheme and its parameters by lower-case name, in order; ``token68`` where it has that form."""

    scheme: str
    parameters: Mapping[str, str] = {}
    token68: str = ""

    def get(self, name: str) -> str | None:
        return self.parameters.get(name)

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes a token must have, as the resource lists them (RFC 6750 §3)."""
        return frozenset(self.parameters.get("scope", "").split())

    def __str__(self) -> str:
        return write(self)


def bearer(
    *,
    error: str = "",
    error_description: str = "",
    error_uri: str = "",
    scope: Iterable[str] = (),
    resource_metadata: str = "",
    realm: str = "",
    acr_values: Iterable[str] = (),
    max_age: int | None = None,
) -> Challenge:
    """The challenge of a resource that takes bearer tokens; what is empty is left out.

    Without ``error`` it only says that a token is needed (RFC 6750 §3.1). ``scope`` is all the request needs, not
    merely what is missing. ``resource_metadata`` is an absolute URL (RFC 9728 §5.1). ``acr_values`` and ``max_age`` say
    how the person has to sign in (RFC 9470 §3).
    """
    said = {
        "realm": realm,
        "error": error,
        "error_description": error_description,
        "error_uri": error_uri,
        "scope": " ".join(sorted(scope)),
        "acr_values": " ".join(acr_values),
        "max_age": "" if max_age is None else str(max_age),
        "resource_metadata": resource_metadata,
    }
    return Challenge("Bearer", {name: value for name, value in said.items() if value})


def for_proofs(asked: Challenge, algorithms: Iterable[str]) -> Challenge:
    """The same asked of who sends a proof along: the scheme DPoP, and how proofs may be signed (RFC 9449 §7.1)."""
    return Challenge("DPoP", {**asked.parameters, "algs": " ".join(algorithms)})


def write(challenge: Challenge) -> str:
    """The challenge as a header value. Raises ``ValueError`` for a character that no header may carry."""
    if challenge.token68:
        return f"{challenge.scheme} {challenge.token68}"
    said = ", ".join(f'{name}="{_escaped(value)}"' for name, value in challenge.parameters.items())
    return f"{challenge.scheme} {said}".rstrip()


def parse(header: str) -> tuple[Challenge, ...]:
    """Every challenge in a header value, also where several stand behind one another (RFC 9110 §11.6.1).

    Raises ``Malformed``: not a list of challenges, or a parameter sent twice in one of them.
    """
    found: list[Challenge] = []
    at = _past(_GAP, header, 0)
    while at < len(header):
        scheme = _match(_SCHEME, header, at, "a scheme")
        token68 = _TOKEN68.match(header, scheme.end())
        if token68:
            found.append(Challenge(scheme[1], token68=token68[1]))
            at = _past(_GAP, header, token68.end())
            continue
        at = _past(_GAP, header, scheme.end())
        parameters: dict[str, str] = {}
        for name, value, end in _parameters(header, at):
            if name in parameters:
                raise Malformed(f"{scheme[1]} challenge: parameter {name!r} stands twice")
            parameters[name] = value
            at = end
        found.append(Challenge(scheme[1], parameters))
    return tuple(found)


def _parameters(header: str, at: int) -> Iterator[tuple[str, str, int]]:
    """The name=value pairs from ``at`` on, until a scheme or the end comes; with each, where it ends."""
    while parameter := _PARAMETER.match(header, at):
        quoted = parameter["quoted"]
        value = parameter["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = parameter.end()
        if at < len(header) and header[at] != ",":
            raise Malformed(f"a comma is missing at position {at}")
        at = _past(_GAP, header, at)
        yield parameter["name"].lower(), value, at


def _match(pattern: re.Pattern[str], header: str, at: int, what: str) -> re.Match[str]:
    found = pattern.match(header, at)
    if found is None:
        raise Malformed(f"{what} is expected at position {at}")
    return found


def _past(pattern: re.Pattern[str], header: str, at: int) -> int:
    found = pattern.match(header, at)
    return found.end() if found else at


def _escaped(value: str) -> str:
    if not _QUOTABLE.fullmatch(value):
        raise ValueError("a challenge may hold printable ASCII only")
    return value.replace("\\", "\\\\").replace('"', '\\"')


_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_GAP = re.compile(r"[ \t,]*")
_SCHEME = re.compile(rf"({_TOKEN})(?:[ \t]+|(?=,)|$)")
_TOKEN68 = re.compile(r"([A-Za-z0-9\-._~+/]+=*)[ \t]*(?:$|(?=,))")
_PARAMETER = re.compile(
    rf'(?P<name>{_TOKEN})[ \t]*=[ \t]*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>{_TOKEN}))[ \t]*', re.DOTALL
)
_QUOTABLE = re.compile(r"[\x20-\x7e]*")
