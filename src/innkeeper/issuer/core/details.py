"""Authorization details: what is asked for in more words than a scope has, such as this room until that day (RFC 9396).

A resource says which types it takes and which fields each has. A detail narrows another where every field of the other
stands in it, and is the same or less; so what a token says is always within what a person was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import LIMIT, NUMBER, TEXT, UNTIL, WORDS, Client, DetailField, DetailType
from innkeeper.issuer.core.scopes import Reach, reach, resources_of
from innkeeper.protocol.errors import INVALID_AUTHORIZATION_DETAILS
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.resources import registered_spelling
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.trail import Seen

PARAMETER = "authorization_details"
MOST = 16
"""Most details in one request: more than a person would read."""
LONGEST = 200
"""Longest text in a field, in characters."""

Detail = dict[str, Any]


def asked(
    text: str | None, client: Client, policy: Policy, resources: Sequence[str] = ()
) -> tuple[Detail, ...] | Refusal:
    """The details of a request that stands for itself. ``resources`` are those it names, all of the client's if none."""
    found = _read(text)
    if isinstance(found, Refusal):
        return found
    for one in found:
        problem = _problem(one, client, policy, resources)
        if problem:
            return _refused(problem, one)
    return found


def reached(
    text: str | None,
    scopes: frozenset[str],
    usual: frozenset[str],
    resources: Sequence[str],
    client: Client,
    policy: Policy,
) -> tuple[Reach, tuple[Detail, ...]]:
    """What a good request comes to, and the details in it. Without scopes it is for the ``usual`` ones; but who asks for
    details alone is not given every scope besides."""
    found = asked(text, client, policy, resources)
    wished = () if isinstance(found, Refusal) else found
    if not wished:
        return reach(scopes or usual, resources, client, policy), ()
    base = reach(scopes, resources, client, policy) if scopes or resources else Reach(frozenset(), ())
    places = _places(wished, client, policy, resources)
    return Reach(base.scopes, tuple(dict.fromkeys((*places, *base.audience)))), wished


def judged(text: str | None, client: Client, policy: Policy, resources: Sequence[str] = ()) -> Seen | Refusal:
    """The same, for a check."""
    found = asked(text, client, policy, resources)
    return found if isinstance(found, Refusal) else Seen(_types(found))


def judged_within(text: str | None, granted: Sequence[Detail], policy: Policy) -> Seen | Refusal:
    """Whether every detail asked for is within one that was granted."""
    found = _read(text)
    if isinstance(found, Refusal):
        return found
    for one in found:
        if not any(_is_within(one, whole, policy) for whole in granted):
            return _refused("it is not within what was granted", one)
    return Seen(_types(found), _types(granted))


def narrowed(
    text: str | None, granted: tuple[Detail, ...], audience: Sequence[str], policy: Policy
) -> tuple[Detail, ...]:
    """What a token says: the details asked for now, else all that were granted, as far as they concern its audience."""
    found = _read(text) if text is not None else granted
    chosen = granted if isinstance(found, Refusal) else found
    return tuple(one for one in chosen if not set(owners(one, policy.resources, policy)).isdisjoint(audience))


def owners(detail: Detail, among: Iterable[str], policy: Policy) -> tuple[str, ...]:
    """The resources, of these, that a detail is for: those under ``locations``, else all that have its type."""
    named = detail.get("locations")
    having = tuple(uri for uri in among if detail.get("type") in policy.resources[uri].details)
    if not isinstance(named, list):
        return having
    return tuple(uri for uri in (registered_spelling(str(one), having) for one in named) if uri is not None)


def _places(details: Sequence[Detail], client: Client, policy: Policy, resources: Sequence[str]) -> tuple[str, ...]:
    """The resources that a token with these details is for: where a detail names no place, the first that takes it."""
    found: list[str] = []
    for one in details:
        places = owners(one, _candidates(client, policy, resources), policy)
        found.extend(places if "locations" in one else places[:1])
    return tuple(dict.fromkeys(found))


def types(policy: Policy) -> list[str]:
    """Every type that a resource here takes."""
    return sorted({name for one in policy.resources.values() for name in one.details})


def in_words(detail: Detail, policy: Policy) -> tuple[str, str]:
    """A detail for people: its title, and a line with what each of its fields says."""
    kind = _type_of(detail, owners(detail, policy.resources, policy), policy)
    if kind is None:
        return str(detail.get("type")), ""
    told = (
        field.says.replace("{}", _WORDED.get(field.kind, str)(detail[name]))
        for name, field in kind.fields.items()
        if name in detail
    )
    return kind.title, ", ".join(told)


DETAILS_WRONG = Page(
    "IK296",
    INVALID_AUTHORIZATION_DETAILS,
    "The authorization details cannot be granted",
    "authorization_details is no JSON array of objects with a type; or the type is one that no resource of the client "
    "takes, a field is unknown, missing or of the wrong kind, or more is asked for than was granted before.",
    "Compare them with the resource's [resource.details] in the settings; the types stand in the discovery document "
    "under authorization_details_types_supported. A token request can only narrow what was granted.",
    "The authorization details are not valid.",
)


def _read(text: str | None) -> tuple[Detail, ...] | Refusal:
    """The objects in the parameter, with nothing judged but their form."""
    if text is None:
        return ()
    try:
        found = read_object(b'{"all":' + text.encode() + b"}").get("all")
    except NotStrict as error:
        return _refused(f"authorization_details: {error}")
    if not isinstance(found, list) or not found or len(found) > MOST:
        return _refused(f"authorization_details is no JSON array of 1 to {MOST} objects")
    if not all(isinstance(one, dict) and isinstance(one.get("type"), str) for one in found):
        return _refused("an authorization detail is no object with a type")
    return tuple(found)


def _problem(one: Detail, client: Client, policy: Policy, resources: Sequence[str]) -> str:
    candidates = _candidates(client, policy, resources)
    kind = _type_of(one, candidates, policy)
    registered = client.authorization_details_types
    if kind is None or (registered and one["type"] not in registered):
        return "its type is none that a resource of the client takes"
    places = owners(one, candidates, policy)
    if "locations" in one and (not places or len(places) != len(one["locations"])):
        return "its locations are not resources that take its type"
    return _wrong_field(one, kind)


def _wrong_field(one: Detail, kind: DetailType) -> str:
    unknown = one.keys() - kind.fields.keys() - {"type", "locations"}
    if unknown:
        return f"it has a field {min(unknown)!r} that its type does not"
    for name, field in kind.fields.items():
        if name not in one:
            if field.required:
                return f"its field {name!r} is missing"
        elif not _FITS[field.kind](one[name], field):
            return f"its field {name!r} is no {field.kind}"
    return ""


def _candidates(client: Client, policy: Policy, resources: Sequence[str]) -> tuple[str, ...]:
    """The resources a client may ask for in details: those it names, else all it may use."""
    usual = resources_of(client, policy) or (() if client.resources else tuple(policy.resources))
    if not resources:
        return usual
    return tuple(uri for uri in (registered_spelling(one, usual) for one in resources) if uri is not None)


def _type_of(one: Detail, among: Iterable[str], policy: Policy) -> DetailType | None:
    return next((policy.resources[uri].details[one["type"]] for uri in owners(one, among, policy)), None)


def _is_within(part: Detail, whole: Detail, policy: Policy) -> bool:
    if part.get("type") != whole.get("type") or part.get("locations", ()) != whole.get("locations", ()):
        return False
    kind = _type_of(whole, owners(whole, policy.resources, policy), policy)
    if kind is None or part.keys() - kind.fields.keys() - {"type", "locations"}:
        return False
    return all(_is_less(part, whole, name, field) for name, field in kind.fields.items())


def _is_less(part: Detail, whole: Detail, name: str, field: DetailField) -> bool:
    """Whether a field says the same or less; one that is left out says nothing, which is more than anything it could."""
    if name not in whole:
        return name not in part or _FITS[field.kind](part[name], field)
    if name not in part or not _FITS[field.kind](part[name], field):
        return False
    if field.kind == WORDS:
        return set(part[name]) <= set(whole[name])
    return bool(part[name] <= whole[name]) if field.kind in (LIMIT, UNTIL) else bool(part[name] == whole[name])


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


_FITS: Mapping[str, Callable[[Any, DetailField], bool]] = {
    NUMBER: lambda value, _: _is_number(value),
    LIMIT: lambda value, _: _is_number(value),
    UNTIL: lambda value, _: _is_number(value) and value < _LAST_MOMENT,
    TEXT: lambda value, _: isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable(),
    WORDS: lambda value, field: (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, str) for one in value)
        and len(set(value)) == len(value)
        and set(value) <= set(field.words)
    ),
}
_WORDED: Mapping[str, Callable[[Any], str]] = {
    WORDS: lambda words: " and ".join((*filter(None, (", ".join(words[:-1]),)), words[-1])),
    UNTIL: lambda seconds: f"{datetime.fromtimestamp(seconds, UTC):%d %B %Y, %H:%M} UTC",
}
_LAST_MOMENT = 253_402_300_800
"""The first second of the year 10000, which calendars cannot write."""


def _types(details: Iterable[Detail]) -> str:
    return ", ".join(str(one.get("type")) for one in details) or "none"


def _refused(reason: str, one: Detail | None = None) -> Refusal:
    return Refusal(DETAILS_WRONG, reason, "details of a known type", repr(one)[:300] if one else "")
