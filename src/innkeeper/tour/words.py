"""The tour's words, read from ``words.toml``, and where the sections they name stand."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import msgspec

from innkeeper.tokens.words import Word


class Named(msgspec.Struct, frozen=True):
    """Someone who takes part, or a pair of the glossary: the ``hotel``'s name for it, and ``oauth``'s."""

    hotel: str
    oauth: str
    says: str
    spec: str


class HopWords(msgspec.Struct, frozen=True):
    """What one kind of message is about."""

    title: str
    oauth: str
    explain: str
    spec: str = ""


class CardWords(msgspec.Struct, frozen=True):
    name: str
    short: str
    says: str


class DoorWords(msgspec.Struct, frozen=True):
    name: str
    says: str


class AnswerWords(msgspec.Struct, frozen=True):
    """What a door's answer means, in the hotel and in OAuth."""

    title: str
    oauth: str
    says: str
    spec: str = ""


class ValueWords(msgspec.Struct, frozen=True):
    """A token that a visit has come to hold: its name in the hotel, and in OAuth."""

    name: str
    short: str


class TurnWords(msgspec.Struct, frozen=True):
    """Something that can befall a visit: what a button says, and what is said once it has happened."""

    name: str
    says: str


class Words(msgspec.Struct, frozen=True):
    """All of ``words.toml``. Parameters and headers are found by ``parameter`` and ``header``."""

    actors: dict[str, Named]
    glossary: tuple[Named, ...]
    hops: dict[str, HopWords]
    parameters: dict[str, Word]
    headers: dict[str, Word]
    doors: dict[str, DoorWords]
    cards: dict[str, CardWords]
    answers: dict[str, AnswerWords]
    values: dict[str, ValueWords]
    turns: dict[str, TurnWords]
    plays: dict[str, str]

    def parameter(self, name: str, *contexts: str) -> Word | None:
        """The word for a parameter; of ``contexts`` ("token.reply", "token") the first that has its own wins."""
        return _found(self.parameters, name, contexts)

    def header(self, name: str, *contexts: str) -> Word | None:
        """The word for a header, as ``parameter`` does it. None for a header that matters little here."""
        return _found(self.headers, name, contexts)


@cache
def words() -> Words:
    """The words, read once."""
    text = (files("innkeeper.tour") / "words.toml").read_bytes()
    return msgspec.toml.decode(text, type=Words)


def section_url(spec: str) -> str:
    """Where a section such as ``RFC 6749 §4.1.1`` can be read; "" for a document with no known address."""
    if found := _RFC.match(spec):
        number, section = found.groups()
        anchor = f"#section-{section}" if section and section[0].isdigit() else ""
        return f"https://www.rfc-editor.org/rfc/rfc{number}{anchor}"
    for title, address in _OPENID.items():
        if spec.startswith(title):
            section = spec.removeprefix(title).strip(" §").split(",")[0]
            return f"https://openid.net/specs/{address}.html{f'#rfc.section.{section}' if section else ''}"
    return ""


_RFC = re.compile(r"RFC (\d+)(?: §([0-9A-Z.]+))?")
_OPENID = {
    "OpenID Connect Core": "openid-connect-core-1_0",
    "OpenID Connect Discovery": "openid-connect-discovery-1_0",
    "OpenID Connect RP-Initiated Logout": "openid-connect-rpinitiated-1_0",
    "OpenID Connect Back-Channel Logout": "openid-connect-backchannel-1_0",
    "CIBA": "openid-client-initiated-backchannel-authentication-core-1_0",
}


def _found(table: dict[str, Word], name: str, contexts: tuple[str, ...]) -> Word | None:
    for context in contexts:
        if word := table.get(f"{context}.{name}"):
            return word
    return table.get(name)
