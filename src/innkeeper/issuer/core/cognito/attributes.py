"""Attributes of users: which there are, how a schema lists them, which of them a token or userInfo tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from innkeeper.issuer.core.cognito.records import AppClient, CustomAttribute, Pool

VERIFIED_OF = {"email": "email_verified", "phone_number": "phone_number_verified"}
BOOLEANS = frozenset(VERIFIED_OF.values())

PROFILE = (
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
    "address",
)
TEXTS = (
    "address",
    "email",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "picture",
    "preferred_username",
    "profile",
    "website",
    "zoneinfo",
)
STANDARD = frozenset((*TEXTS, *BOOLEANS, "birthdate", "updated_at", "sub"))


def schema_of(pool: Pool) -> list[dict[str, Any]]:
    """The schema as DescribeUserPool lists it: the twenty standard attributes, then the pool's own."""
    own = {one.name: one for one in pool.attributes}
    standard = [*_standard()]
    listed = [_document(own.pop(name)) if name in own else document for name, document in standard]
    return [*listed, *(_document(one) for one in own.values())]


def _standard() -> Iterable[tuple[str, dict[str, Any]]]:
    yield "sub", _listed("sub", "String", ("1", "2048"), mutable=False, required=True)
    for name in TEXTS:
        yield name, _listed(name, "String", ("0", "2048"))
    yield "birthdate", _listed("birthdate", "String", ("10", "10"))
    for name in sorted(BOOLEANS):
        yield name, _listed(name, "Boolean", None)
    yield "updated_at", {**_listed("updated_at", "Number", None), "NumberAttributeConstraints": {"MinValue": "0"}}


def _listed(
    name: str, kind: str, lengths: tuple[str, str] | None, *, mutable: bool = True, required: bool = False
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "Name": name,
        "AttributeDataType": kind,
        "DeveloperOnlyAttribute": False,
        "Mutable": mutable,
        "Required": required,
    }
    if lengths:
        document["StringAttributeConstraints"] = {"MinLength": lengths[0], "MaxLength": lengths[1]}
    return document


def _document(one: CustomAttribute) -> dict[str, Any]:
    document = _listed(one.name, one.kind, None, mutable=one.mutable, required=one.required)
    document["DeveloperOnlyAttribute"] = one.developer_only
    if one.kind == "String":
        bounds = {"MinLength": one.least, "MaxLength": one.most}
        document["StringAttributeConstraints"] = {name: value for name, value in bounds.items() if value}
    elif one.kind == "Number":
        bounds = {"MinValue": one.least, "MaxValue": one.most}
        document["NumberAttributeConstraints"] = {name: value for name, value in bounds.items() if value}
    return document


def attribute_of(said: Mapping[str, Any], *, custom: bool) -> CustomAttribute:
    """An attribute as CreateUserPool or AddCustomAttributes describes it; a custom one gets its prefix."""
    name, kind = str(said["Name"]), str(said.get("AttributeDataType", "String"))
    words = ("MinLength", "MaxLength") if kind == "String" else ("MinValue", "MaxValue")
    bounds = said.get("StringAttributeConstraints" if kind == "String" else "NumberAttributeConstraints", {})
    developer = bool(said.get("DeveloperOnlyAttribute", False))
    prefix = ("dev:custom:" if developer else "custom:") if custom else ""
    return CustomAttribute(
        name=prefix + name,
        kind=kind,
        mutable=bool(said.get("Mutable", True)),
        required=bool(said.get("Required", False)),
        developer_only=developer,
        least=str(bounds.get(words[0], "0" if kind == "String" and not custom else "")),
        most=str(bounds.get(words[1], "2048" if kind == "String" and not custom else "")),
    )


def problem_with(pool: Pool, sent: Mapping[str, str]) -> str:
    """What is wrong with attributes that somebody wants to set, in Cognito's words; "" where nothing is."""
    own = {one.name: one for one in pool.attributes}
    for name, value in sent.items():
        if name not in STANDARD and name not in own:
            return f"Attributes did not conform to the schema: {name}: Attribute does not exist in the schema.\n"
        if name == "sub":
            return "Cannot modify the non-mutable attribute sub"
        if name == "email" and "@" not in value:
            return "Invalid email address format."
        if name == "phone_number" and not _is_phone(value):
            return "Invalid phone number format."
        if name in BOOLEANS and value not in ("true", "false", "True", "False"):
            return f"Attribute value for {name} must be true or false."
        if problem := _out_of_bounds(own.get(name), value):
            return f"Attributes did not conform to the schema: {name}: {problem}\n"
    return ""


def _out_of_bounds(one: CustomAttribute | None, value: str) -> str:
    if one is None:
        return ""
    if one.kind == "Number" and not value.lstrip("-").isdigit():
        return "The attribute is not a number"
    size = int(value) if one.kind == "Number" else len(value)
    if one.least and size < int(one.least):
        return f"The attribute is less than {one.least}"
    return f"The attribute is more than {one.most}" if one.most and size > int(one.most) else ""


def _is_phone(value: str) -> bool:
    return value[:1] == "+" and value[1:].isdigit() and 2 <= len(value) <= 16


def immutable(pool: Pool, name: str) -> bool:
    return any(one.name == name and not one.mutable for one in pool.attributes)


def required(pool: Pool) -> list[str]:
    """The attributes that everybody must have, ``sub`` aside."""
    return [one.name for one in pool.attributes if one.required]


def told(attributes: Mapping[str, str], client: AppClient, scopes: frozenset[str] | None) -> dict[str, str]:
    """The attributes that a client gets to know: those it may read, and of them what the scopes cover.

    openid alone covers all; with profile, email or phone it covers what these stand for. ``scopes`` None is a sign-in by
    the JSON API, which covers all.
    """
    readable = {name: value for name, value in attributes.items() if client.may_read(name) and name != "sub"}
    narrowing = (scopes or frozenset()) & {"profile", "email", "phone"}
    if not narrowing:
        return readable
    covered: set[str] = set()
    if "email" in narrowing:
        covered.update(("email", "email_verified"))
    if "phone" in narrowing:
        covered.update(("phone_number", "phone_number_verified"))
    own = {name for name in readable if name.startswith("custom:")} if "profile" in narrowing else set()
    covered.update((*PROFILE, *own) if "profile" in narrowing else ())
    return {name: value for name, value in readable.items() if name in covered}


def as_claims(attributes: Mapping[str, str]) -> dict[str, Any]:
    """Attributes as an ID token spells them: what is verified as booleans, times as numbers, all else as text."""
    return {name: _claim(name, value) for name, value in attributes.items()}


def _claim(name: str, value: str) -> Any:
    if name in BOOLEANS:
        return value.lower() == "true"
    if name == "updated_at" and value.isdigit():
        return int(value)
    return _address(value) if name == "address" else value


def _address(value: str) -> dict[str, str]:
    return {"formatted": value}
