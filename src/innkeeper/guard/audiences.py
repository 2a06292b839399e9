"""The names by which issuers know an API: what a guard is given as its audience, made one thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from innkeeper.protocol.refusals import UsageError

Names = str | Iterable[str]


def named(audience: Names | Mapping[str, Names], issuers: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """The API's names by issuer: the same ones for every issuer, or each issuer's own. Raises ``UsageError`` where an issuer
    would be left without one: its tokens would open the door whomever they are for."""
    if not isinstance(audience, Mapping):
        return dict.fromkeys(issuers, _several(audience, "a guard needs an audience"))
    if strangers := sorted(set(audience) - set(issuers)):
        raise UsageError(f"audience of {strangers[0]!r}: that is none of the guard's issuers, {', '.join(issuers)}")
    if without := [one for one in issuers if one not in audience]:
        raise UsageError(f"audience: {without[0]!r} has none; name this API as that issuer's tokens do, in 'aud'")
    return {issuer: _several(names, f"the audience of {issuer!r} is empty") for issuer, names in audience.items()}


def _several(given: Names, without: str) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(given or ())
    if not names or not all(map(str.strip, names)):
        raise UsageError(f"{without}: this API's name in 'aud', such as 'https://api.example/orders'")
    return names
