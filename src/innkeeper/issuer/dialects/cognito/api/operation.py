"""What an operation of the JSON API is made of: its input as a struct, and the function that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec

from innkeeper.issuer.desk.cognito.twin import Place

Output = Mapping[str, Any]


class Input(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """An operation's input, under the API's names; members that nobody here reads are let be."""


class OfPool(Input, frozen=True, kw_only=True):
    user_pool_id: str


class OfUser(OfPool, frozen=True, kw_only=True):
    username: str


class OfToken(Input, frozen=True, kw_only=True):
    access_token: str


class Attribute(Input, frozen=True, kw_only=True):
    name: str
    value: str = ""


Ask = TypeVar("Ask", bound=Input)


class Operation(msgspec.Struct, frozen=True):
    takes: type[Input]
    do: Callable[[Place, Any], Awaitable[Output]]


def operation(takes: type[Ask], do: Callable[[Place, Ask], Awaitable[Output]]) -> Operation:
    return Operation(takes, do)


def texts(attributes: list[Attribute]) -> dict[str, str]:
    """A list of attributes as a mapping."""
    return {one.name: one.value for one in attributes}


def listed(attributes: Mapping[str, str]) -> list[dict[str, str]]:
    """The mapping as the API lists it."""
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def given(members: Mapping[str, object]) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value is not None}
