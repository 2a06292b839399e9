"""What is to be set up: the variables of the Terraform modules, under the same names and by the same rules.

A file of inputs is one that Terraform takes, too (``terraform.tfvars.json``), or the same in TOML. Each rule says what a
module's ``validation`` block says; a test holds both to one text.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from innkeeper.protocol.refusals import UsageError


class Federated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose tokens take the place of a secret."""

    issuer: str
    subject: str
    audience: str = "api://AzureADTokenExchange"


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program that gets tokens for itself."""

    scopes: tuple[str, ...]
    federated_credential: Federated | None = None


class Web(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An application that people sign in to."""

    redirect_uris: tuple[str, ...]
    logout_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    public: bool = False


READ_AND_WRITE = {"read": "Read from the API", "write": "Write to the API"}
AGENT = {"agent": Machine(("read",))}


class Inputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What both clouds take."""

    name_prefix: str
    scopes: dict[str, str] = msgspec.field(default_factory=lambda: dict(READ_AND_WRITE))
    machine_clients: dict[str, Machine] = msgspec.field(default_factory=lambda: dict(AGENT))
    web_clients: dict[str, Web] = {}
    groups: dict[str, str] = {}


class CognitoInputs(Inputs, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The variables of ``terraform/cognito``."""

    region: str
    api_identifier: str
    domain_prefix: str = ""
    access_token_minutes: int = 60
    refresh_token_days: int = 30
    tier: str = "ESSENTIALS"
    token_customization_lambda_arn: str = ""
    deletion_protection: bool = False
    tags: dict[str, str] = {}


class EntraInputs(Inputs, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The variables of ``terraform/entra``. ``secrets_begin`` may be left out: a secret then counts from when it is made."""

    tenant_id: str
    api_identifier: str = ""
    secret_days: int = 180
    secrets_begin: str = ""
    owners: tuple[str, ...] = ()


Kind = TypeVar("Kind", bound=Inputs)
Rule = tuple[str, Callable[[Any], bool], str]
"""The variable, what has to hold, and what is said where it does not."""


def gathered(files: Iterable[Path], said: Iterable[str]) -> dict[str, Any]:
    """The inputs in files and in words such as ``region=eu-west-1``, later ones before earlier. Raises ``UsageError``."""
    whole: dict[str, Any] = {}
    for path in files:
        whole |= _of_file(path)
    for word in said:
        name, equals, text = word.partition("=")
        if not equals:
            raise UsageError(f"--set {word!r}: write NAME=VALUE, for example region=eu-west-1")
        whole[name] = _value(text)
    return whole


def read(kind: type[Kind], said: Mapping[str, Any]) -> Kind:
    """The inputs, judged. Raises ``UsageError`` that names the input, the rule and the remedy."""
    known = kind.__struct_fields__
    for name in said:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise UsageError(f"there is no input {name!r}. {f'Did you mean {near[0]}?' if near else _listed(known)}")
    try:
        inputs = msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"the inputs: {_plainly(str(error))}") from None
    for name, holds, message in RULES[kind]:
        if not holds(inputs):
            raise UsageError(f"{name}: {message}")
    return inputs


def _plainly(problem: str) -> str:
    missing = re.search(r"missing required field `(\w+)`", problem)
    return f"{missing[1]} is missing: give --set {missing[1]}=..., or a file of inputs" if missing else problem


def _listed(known: Iterable[str]) -> str:
    return f"The inputs are {', '.join(sorted(known))}."


def _of_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
        found = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    except ValueError as error:
        raise UsageError(f"{path} is neither JSON nor TOML: {error}. A name in .toml is read as TOML.") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path} holds no inputs by name")
    return found


def _value(text: str) -> Any:
    """A value as JSON where it is JSON, else as the text that it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _known_scopes(inputs: Inputs, asked: Iterable[str]) -> bool:
    return set(asked) <= set(inputs.scopes)


def _uris(inputs: Inputs) -> list[str]:
    return [uri for one in inputs.web_clients.values() for uri in (*one.redirect_uris, *one.logout_uris)]


def _may_return(uri: str, hosts: str, barred: str) -> bool:
    """Whether an address will do to come back to: https, an app's own scheme, or http on this computer."""
    local = re.match(rf"http://({hosts})(:[0-9]+)?(/|$)", uri)
    return bool(re.fullmatch(rf"[a-z][a-z0-9+.-]*://[^{barred}]+", uri)) and (
        not uri.startswith("http://") or bool(local)
    )


def _is_a_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


_ALIKE: tuple[Rule, ...] = (
    (
        "name_prefix",
        lambda one: bool(re.fullmatch(r"[a-z][a-z0-9-]{1,30}[a-z0-9]", one.name_prefix)),
        (
            "name_prefix must have 3 to 32 characters, begin with a letter, end with a letter or digit, and have only lower-case "
            'letters, digits and hyphens: write for example "hotel-dev".'
        ),
    ),
    (
        "machine_clients",
        lambda one: all(bool(each.scopes) and _known_scopes(one, each.scopes) for each in one.machine_clients.values()),
        "Every machine client needs at least one scope, and each must be one of those named in scopes.",
    ),
    (
        "web_clients",
        lambda one: all(bool(each.redirect_uris) for each in one.web_clients.values()),
        "Every web client needs at least one redirect URI: without one nobody can come back from signing in.",
    ),
    (
        "web_clients",
        lambda one: all(_known_scopes(one, each.scopes) for each in one.web_clients.values()),
        (
            "A web client asks for a scope that is not named in scopes. The OpenID scopes (openid, profile, email) come by "
            "themselves."
        ),
    ),
)

_COGNITO: tuple[Rule, ...] = (
    (
        "region",
        lambda one: bool(re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", one.region)),
        'region must be an AWS region\'s code, such as "eu-west-1" or "us-gov-west-1".',
    ),
    (
        "domain_prefix",
        lambda one: (
            not one.domain_prefix
            or (
                bool(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", one.domain_prefix))
                and not re.search("aws|amazon|cognito", one.domain_prefix)
            )
        ),
        (
            "domain_prefix must have 1 to 63 lower-case letters, digits and hyphens, none at its ends, and must not contain "
            '"aws", "amazon" or "cognito": Cognito refuses those.'
        ),
    ),
    (
        "api_identifier",
        lambda one: 1 <= len(one.api_identifier) <= 256 and not re.search(r"\s|/$", one.api_identifier),
        (
            "api_identifier must have 1 to 256 characters, no white space, and no slash at its end: the slash between it and a "
            "scope's name is put there by Cognito."
        ),
    ),
    (
        "scopes",
        lambda one: 0 < len(one.scopes) <= 100,
        "scopes must name 1 to 100 scopes, which is as many as a resource server of Cognito takes.",
    ),
    (
        "scopes",
        lambda one: all(re.fullmatch(r"[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]{1,256}", name) for name in one.scopes),
        (
            "A scope's name must have 1 to 256 printable characters, and no space, quotation mark, slash or backslash. Colons are "
            'fine: "room:enter".'
        ),
    ),
    (
        "web_clients",
        lambda one: all(_may_return(uri, r"localhost|127\.0\.0\.1|\[::1\]", "#") for uri in _uris(one)),
        (
            "Redirect and logout URIs must be https, http on localhost, 127.0.0.1 or [::1], or an app's own scheme, and have no "
            "fragment: Cognito takes no other http address."
        ),
    ),
    (
        "access_token_minutes",
        lambda one: 5 <= one.access_token_minutes <= 1440,
        "access_token_minutes must lie between 5 and 1440 (a day), which is what Cognito takes.",
    ),
    (
        "refresh_token_days",
        lambda one: 1 <= one.refresh_token_days <= 3650,
        "refresh_token_days must lie between 1 and 3650, which is what Cognito takes.",
    ),
    (
        "tier",
        lambda one: one.tier in ("LITE", "ESSENTIALS", "PLUS"),
        "tier must be LITE, ESSENTIALS or PLUS.",
    ),
    (
        "token_customization_lambda_arn",
        lambda one: (
            not one.token_customization_lambda_arn
            or bool(re.match(r"arn:[a-z-]+:lambda:", one.token_customization_lambda_arn))
        ),
        "token_customization_lambda_arn must be a Lambda function's ARN, which begins with arn:aws:lambda:, or empty.",
    ),
    (
        "token_customization_lambda_arn",
        lambda one: not one.token_customization_lambda_arn or one.tier != "LITE",
        "token_customization_lambda_arn needs the tier ESSENTIALS or PLUS: LITE changes ID tokens only.",
    ),
    (
        "machine_clients",
        lambda one: all(each.federated_credential is None for each in one.machine_clients.values()),
        "federated_credential is Entra ID's: Cognito's machine clients have a secret.",
    ),
)

_ENTRA: tuple[Rule, ...] = (
    (
        "tenant_id",
        lambda one: bool(re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", one.tenant_id)),
        (
            'tenant_id must be a GUID. The portal shows it as "Tenant ID" on the tenant\'s overview; a domain name will not do, '
            "because tokens name the tenant by its GUID."
        ),
    ),
    (
        "api_identifier",
        lambda one: (
            not one.api_identifier
            or (
                bool(re.fullmatch(r"(api|https)://[^\s/?#]+(/[^\s?#]*)?", one.api_identifier))
                and not one.api_identifier.endswith("/")
            )
        ),
        (
            "api_identifier must begin with api:// or https://, have no query, fragment or white space, and no slash at its end: "
            "Entra ID refuses those. Leave it empty for api:// and the API's own client id."
        ),
    ),
    (
        "scopes",
        lambda one: bool(one.scopes),
        "scopes must name at least one scope: an API that can be asked for nothing gives no tokens that mean anything.",
    ),
    (
        "scopes",
        lambda one: all(
            re.fullmatch(r"[A-Za-z0-9!#$%&'()*+,./:;<=>?@^_`{|}~\[\]-]{1,120}", name) and not name.startswith(".")
            for name in one.scopes
        ),
        (
            "A scope's name must have 1 to 120 characters, no space, quotation mark or backslash, and not begin with a full stop. "
            'Colons are fine: "room:enter".'
        ),
    ),
    (
        "machine_clients",
        lambda one: all(
            each.federated_credential is None or each.federated_credential.issuer.startswith("https://")
            for each in one.machine_clients.values()
        ),
        (
            "A federated credential's issuer must be an https address, for example "
            '"https://token.actions.githubusercontent.com".'
        ),
    ),
    (
        "web_clients",
        lambda one: all(_may_return(uri, r"localhost|127\.0\.0\.1", "#*") for uri in _uris(one)),
        (
            "Redirect and logout URIs must be https, http on localhost or 127.0.0.1, or an app's own scheme, and have no fragment "
            "and no asterisk."
        ),
    ),
    (
        "web_clients",
        lambda one: all(len(each.logout_uris) <= 1 for each in one.web_clients.values()),
        "Entra ID takes one logout URI per application: give at most one.",
    ),
    ("secret_days", lambda one: 1 <= one.secret_days <= 730, "secret_days must lie between 1 and 730."),
    (
        "secrets_begin",
        lambda one: not one.secrets_begin or _is_a_time(one.secrets_begin),
        "secrets_begin must be a time as 2026-11-27T00:00:00Z.",
    ),
)

RULES: Mapping[type[Inputs], tuple[Rule, ...]] = {
    CognitoInputs: (*_COGNITO, *_ALIKE),
    EntraInputs: (*_ENTRA, *_ALIKE),
}
"""What has to hold of the inputs, in the order in which it is looked at."""
