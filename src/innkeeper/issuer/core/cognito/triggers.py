"""What a pool's functions (Lambda triggers) are told, and what their answers change (Cognito's event shapes)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from innkeeper.protocol.refusals import Page

RESERVED = frozenset(
    [
        "acr",
        "amr",
        "aud",
        "at_hash",
        "auth_time",
        "azp",
        "cognito:username",
        "exp",
        "iat",
        "identities",
        "iss",
        "jti",
        "nbf",
        "nonce",
        "origin_jti",
        "sub",
        "token_use",
    ]
)
"""Claims of tokens that no function changes."""


class Changes(msgspec.Struct, frozen=True):
    """What a function wants of one token: claims to add or override, claims to leave out, scopes more and less."""

    add: dict[str, Any] = {}
    suppress: tuple[str, ...] = ()
    more_scopes: tuple[str, ...] = ()
    fewer_scopes: tuple[str, ...] = ()


class Override(msgspec.Struct, frozen=True):
    """What the pre token generation function wants of both tokens. ``groups`` None leaves them as they are."""

    identity: Changes = Changes()
    access: Changes = Changes()
    groups: tuple[str, ...] | None = None


def override_of(response: Mapping[str, Any]) -> Override:
    """The function's answer, in its first version (the ID token alone) or the second and third (both tokens)."""
    first = response.get("claimsOverrideDetails") or {}
    later = response.get("claimsAndScopeOverrideDetails") or {}
    said = later or first
    groups = (said.get("groupOverrideDetails") or {}).get("groupsToOverride")
    identity = later.get("idTokenGeneration") or {} if later else first
    return Override(
        _changes(identity),
        _changes(later.get("accessTokenGeneration") or {}),
        None if groups is None else tuple(groups),
    )


def _changes(said: Mapping[str, Any]) -> Changes:
    added = {name: value for name, value in (said.get("claimsToAddOrOverride") or {}).items() if name not in RESERVED}
    return Changes(
        added,
        tuple(said.get("claimsToSuppress") or ()),
        tuple(said.get("scopesToAdd") or ()),
        tuple(said.get("scopesToSuppress") or ()),
    )


def changed(claims: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """The claims of a token after a function's changes."""
    kept = {name: value for name, value in claims.items() if name in RESERVED or name not in changes.suppress}
    return {**kept, **changes.add}


def rescoped(scopes: Sequence[str], changes: Changes) -> list[str]:
    kept = [one for one in scopes if one not in changes.fewer_scopes]
    return [*kept, *(one for one in changes.more_scopes if one not in kept)]


FUNCTION_REFUSED = Page(
    "IK1104",
    "UserLambdaValidationException",
    "A function of the pool refused",
    "A Lambda trigger raised an error; its message is passed on, and nothing was done.",
    "Read the function's message; it is code of the pool's owner.",
    "The function failed.",
    level="documented",
    console="User pool, Extensions.",
    terraform="lambda_config of aws_cognito_user_pool.",
)
FUNCTION_MISSING = Page(
    "IK1105",
    "UnexpectedLambdaException",
    "A function of the pool cannot be called here",
    "LambdaConfig names a function that no Python callable and no address stands for on this computer, or it did not answer.",
    'Under [twin.triggers] of the settings, map the function\'s name to "module:callable" or to an http address.',
    "The function cannot be called.",
    level="inferred",
    console="User pool, Extensions: take the trigger out, where it is not needed.",
    terraform="lambda_config of aws_cognito_user_pool.",
)
FUNCTION_ANSWER = Page(
    "IK1106",
    "InvalidLambdaResponseException",
    "A function of the pool answered what nobody can read",
    "A Lambda trigger has to return the event it was given, with its response filled in.",
    "End the function with `return event`.",
    "Unrecognizable lambda output",
    level="documented",
    console="Lambda, the function: its code.",
    terraform="The code that aws_lambda_function deploys.",
)
