"""The fields of the console's forms: what each change asks for, and how what was typed becomes the values that it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core.admin.permissions import EVERYTHING, PERMISSIONS, ROLES
from innkeeper.issuer.core.admin.rules import SAYS
from innkeeper.issuer.core.policy import ADMINISTRATION, Policy
from innkeeper.issuer.core.profiles import PROFILES
from innkeeper.issuer.core.token import PARAMETERS_OF, SHORT_NAMES
from innkeeper.issuer.pages.speaking import marked, translated, worded
from innkeeper.keys import jwe
from innkeeper.keys.ring import SIGNING_ALGORITHMS
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object

TEXT, PASSWORD, NUMBER, LINES, PAIRS, JSON, CHECK, CHOICE, MANY = (
    "text", "password", "number", "lines", "pairs", "json", "check", "choice", "many"
)  # fmt: skip
"""Kinds of fields: one line; one line unseen; a number; a value a line; ``name = words`` a line; JSON; yes or no; one of
several; some of several."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field: the member that it fills, its label, how it is typed, a hint. ``choices`` are values with their words."""

    name: str
    label: str
    kind: str = TEXT
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    value: Any = None


Form = Callable[[Policy, frozenset[str]], tuple[Field, ...]]
"""The fields of a change, given the rules and what whoever asks may do."""


def values_from(fields: Sequence[Field], form: Parameters) -> dict[str, Any]:
    """What was typed, as the change takes it. Raises ``UsageError`` that names the field."""
    return {one.name: _READ[one.kind](one, form) for one in fields}


def filled(fields: Sequence[Field], values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields with what they hold now, for a page."""
    return [_shown(one, values.get(one.name, one.value)) for one in fields]


def _shown(field: Field, value: Any) -> dict[str, Any]:
    text = "" if value is None else _WRITTEN.get(field.kind, str)(value)
    chosen = set(value or ()) if field.kind == MANY else {text}
    choices = [{"value": one, "words": words, "on": one in chosen} for one, words in field.choices]
    return {
        "name": field.name,
        "label": field.label,
        "kind": field.kind,
        "hint": field.hint,
        "text": text,
        "on": bool(value),
        "choices": choices,
    }


def _pairs(field: Field, form: Parameters) -> dict[str, str]:
    split = [line.partition("=") for line in _lines(field, form)]
    for name, mark, _ in split:
        if not mark:
            raise UsageError(
                _unfit(field, marked("In the line {value} write a name, =, and what it stands for."), repr(name))
            )
    return {name.strip(): words.strip() for name, _, words in split}


def _unfit(field: Field, rule: str, value: str) -> str:
    return f"{translated(field.label)}: {worded(rule, value=value)}"


def _lines(field: Field, form: Parameters) -> list[str]:
    return [line.strip() for line in form.get(field.name, "").splitlines() if line.strip()]


def _number(field: Field, form: Parameters) -> int | None:
    said = form.get(field.name, "").strip()
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and len(said) < 12):
        raise UsageError(_unfit(field, marked("{value} is no whole number."), repr(said)))
    return int(said)


def _json(field: Field, form: Parameters) -> dict[str, Any]:
    try:
        return read_object((form.get(field.name, "").strip() or "{}").encode())
    except NotStrict as error:
        raise UsageError(f"{translated(field.label)}: what was typed is {error}") from None


def _many(field: Field, form: Parameters) -> list[str]:
    known = {one for one, _ in field.choices}
    return [one for one in form.many(field.name) if one in known]


_READ: dict[str, Callable[[Field, Parameters], Any]] = {
    TEXT: lambda field, form: form.get(field.name, "").strip(),
    PASSWORD: lambda field, form: form.get(field.name, ""),
    NUMBER: _number,
    LINES: _lines,
    PAIRS: _pairs,
    JSON: _json,
    CHECK: lambda field, form: field.name in form,
    CHOICE: lambda field, form: form.get(field.name, ""),
    MANY: _many,
}

_WRITTEN: dict[str, Callable[[Any], str]] = {
    PASSWORD: lambda _: "",
    LINES: "\n".join,
    PAIRS: lambda value: "\n".join(f"{name} = {words}" for name, words in value.items()),
    JSON: lambda value: msgspec.json.format(msgspec.json.encode(value), indent=2).decode() if value else "",
    MANY: lambda _: "",
    CHECK: lambda _: "",
}

_NAME = Field(name="name", label=marked("Name"), hint=marked("As people see it when they are asked for their consent."))
_REDIRECTS = Field(
    name="redirect_uris",
    label=marked("Redirect URIs"),
    kind=LINES,
    hint=marked("Where codes are sent, one a line; compared letter by letter."),
)
_AFTER = Field(
    name="post_logout_redirect_uris",
    label=marked("Where signing out leads"),
    kind=LINES,
    hint=marked("One address a line."),
)


def _profiles() -> tuple[tuple[str, str], ...]:
    return ("", marked("The issuer’s")), *((name, f"{name}: {one.specification}") for name, one in PROFILES.items())


def _grants() -> tuple[tuple[str, str], ...]:
    short = {long: name for name, long in SHORT_NAMES.items()}
    return tuple((short.get(one, one), short.get(one, one)) for one in PARAMETERS_OF)


def _scopes(policy: Policy, may: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Every scope with its sentence; those for administering only where whoever asks has them."""
    own = sorted(one for one in policy.known_scopes() if one.startswith(ADMINISTRATION) and one in may)
    return tuple((one, policy.scope_sentence(one)) for one in (*sorted(policy.usual_scopes()), *own))


def _client(policy: Policy, may: frozenset[str]) -> tuple[Field, ...]:
    grants = Field(
        name="grants", label=marked("Grants"), kind=MANY, choices=_grants(), hint=marked("How it gets tokens.")
    )
    scopes = Field(name="scopes", label=marked("Scopes"), kind=MANY, choices=_scopes(policy, may))
    profile = Field(name="profile", label=marked("Rules it lives by"), kind=CHOICE, choices=_profiles())
    return _NAME, _REDIRECTS, _AFTER, grants, scopes, profile


def _new_client(policy: Policy, may: frozenset[str]) -> tuple[Field, ...]:
    name, *others = _client(policy, may)
    own_id = Field(name="id", label=marked("Client ID"), hint=marked("Leave it empty for one that nobody guesses."))
    public = Field(
        name="public",
        label=marked("It cannot keep a secret"),
        kind=CHECK,
        hint=marked("An app on a phone, a page, a command line."),
    )
    usual = [one if one.name != "scopes" else _usual(one, policy) for one in others]
    return name, own_id, public, *usual


def _usual(scopes: Field, policy: Policy) -> Field:
    return msgspec.structs.replace(scopes, value=sorted(policy.usual_scopes()))


def _roles(may: frozenset[str]) -> Field:
    """The roles that somebody may give away: those with no more rights than they have."""
    able = [(name, f"{name}: {translated(one.says)}") for name, one in ROLES.items() if one.permissions <= may]
    single = [(name, says) for name, says in PERMISSIONS.items() if name in may and may != EVERYTHING]
    return Field(
        name="roles",
        label=marked("Roles"),
        kind=MANY,
        choices=tuple(able + single),
        hint=marked("What they may do in this console."),
    )


_CLAIMS = Field(
    name="claims",
    label=marked("Claims"),
    kind=JSON,
    hint=marked('A JSON object with OpenID names, as {"name": "Ada", "email": "ada@example.org"}.'),
)
_USERNAME = Field(name="username", label=marked("Name to sign in with"), hint=marked("An e-mail address, mostly."))
_PASSWORD = Field(
    name="password",
    label=marked("Password"),
    kind=PASSWORD,
    hint=marked("Eight characters or more; they can change it."),
)
_SCOPE_LINES = Field(
    name="scopes",
    label=marked("Scopes"),
    kind=PAIRS,
    hint=marked("One a line: room:enter = Open the door of your room"),
)


def _rules(_: Policy, __: frozenset[str]) -> tuple[Field, ...]:
    switches = ("require_may_act", "require_pushed", "dpop_nonce_required")
    numbers = [one for one in SAYS if one not in ("profile", *switches)]
    return (
        Field(name="profile", label=marked("Profile"), kind=CHOICE, choices=_profiles()[1:], hint=SAYS["profile"]),
        *(Field(name=one, label=SAYS[one], kind=NUMBER, hint=one) for one in numbers),
        *(Field(name=one, label=SAYS[one], kind=CHECK, hint=one) for one in switches),
    )


_ALGORITHMS = tuple((one, one) for one in (*SIGNING_ALGORITHMS, *jwe.ALGORITHMS[:1]))

FORMS: dict[str, Form] = {
    "client.add": _new_client,
    "client.change": _client,
    "client.rotate-secret": lambda _, __: (
        Field(name="keep", label=marked("Seconds that the old secrets go on working"), kind=NUMBER, value=0),
    ),
    "client.invite": lambda _, __: (
        Field(name="uses", label=marked("How many clients may register with it"), kind=NUMBER, value=1),
        Field(name="seconds", label=marked("Seconds that it is good for"), kind=NUMBER, value=86_400),
    ),
    "agent.add": lambda policy, may: (
        Field(name="name", label=marked("Name"), hint=marked("As people see it.")),
        Field(name="owner", label=marked("Who answers for it"), hint=marked("The name that they sign in with.")),
        Field(name="purpose", label=marked("Purpose"), hint=marked("A sentence for those it acts for.")),
        Field(name="scopes", label=marked("Scopes"), kind=MANY, choices=_scopes(policy, may), hint=marked("The most that it may ever do.")),
    ),
    "person.add": lambda _, may: (_USERNAME, _PASSWORD, _CLAIMS, _roles(may)),
    "person.change": lambda _, may: (_USERNAME, _CLAIMS, _roles(may)),
    "person.password": lambda _, __: (_PASSWORD,),
    "resource.add": lambda _, __: (
        Field(name="uri", label=marked("Address"), hint=marked("The URI that tokens name as their audience.")),
        Field(name="name", label=marked("Name"), hint=marked("As people see it when they are asked for their consent.")),
        _SCOPE_LINES,
    ),
    "resource.change": lambda _, __: (Field(name="name", label=marked("Name")), _SCOPE_LINES),
    "key.rotate": lambda _, __: (
        Field(name="alg", label=marked("Algorithm"), kind=CHOICE, choices=_ALGORITHMS, value="ES256"),
        Field(
            name="ahead", label=marked("Seconds that it is published before it signs"), kind=NUMBER, value=86_400,
            hint=marked("A day, so that whoever remembers keys has it by then; ten minutes at least."),
        ),
    ),
    "policy.change": _rules,
}  # fmt: skip
"""The fields of each change that takes any."""
