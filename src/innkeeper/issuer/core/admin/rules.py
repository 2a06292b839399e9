"""Rules of a realm that an administrator may set in the place of what the settings say, while it is served."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.profiles import PROFILES, known_profile

OVERRIDES = "admin rules"
"""The kind of the entry in which they are remembered."""

Seconds = Annotated[int, msgspec.Meta(ge=1, le=10 * 366 * 86_400)]


class Rules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Each is named as in ``Policy``, where its default has its reason. None leaves it to the settings."""

    profile: str | None = None
    code_lifetime: Seconds | None = None
    access_lifetime: Seconds | None = None
    id_lifetime: Seconds | None = None
    refresh_lifetime: Seconds | None = None
    refresh_grace: Annotated[int, msgspec.Meta(ge=0, le=3600)] | None = None
    session_lifetime: Seconds | None = None
    device_lifetime: Seconds | None = None
    backchannel_lifetime: Seconds | None = None
    max_actors: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    require_may_act: bool | None = None
    require_pushed: bool | None = None
    dpop_nonce_required: bool | None = None


NAMES = Rules.__struct_fields__

SAYS = {
    "profile": "The rules that clients live by, unless they have their own",
    "code_lifetime": "Seconds that an authorization code is good for",
    "access_lifetime": "Seconds that an access token is good for",
    "id_lifetime": "Seconds that an ID token is good for",
    "refresh_lifetime": "Seconds that a refresh token is good for, from its last use",
    "refresh_grace": "Seconds in which a refresh token gets the same successor once more",
    "session_lifetime": "Seconds that somebody stays signed in",
    "device_lifetime": "Seconds in which a device's code has to be entered",
    "backchannel_lifetime": "Seconds in which a person has to answer a backchannel request",
    "max_actors": "How many may act one behind the other",
    "require_may_act": "Whether nobody acts for a person who is not named in may_act",
    "require_pushed": "Whether every authorization request has to be pushed",
    "dpop_nonce_required": "Whether a DPoP proof has to hold a value that was given out here",
}
"""Each rule in words."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def overridden(policy: Policy, record: bytes) -> Policy:
    """The policy with what is remembered in the place of its own. A rule that this innkeeper does not know is passed over."""
    rules = rules_of(record)
    return msgspec.structs.replace(
        policy, **{name: value for name in NAMES if (value := getattr(rules, name)) is not None}
    )


def rules_of(record: bytes) -> Rules:
    """What is remembered, as far as it is known here."""
    said: Mapping[str, Any] = msgspec.json.decode(record) if record else {}
    known = {name: value for name, value in said.items() if name in NAMES}
    if known.get("profile") not in PROFILES:
        known.pop("profile", None)
    return msgspec.convert(known, Rules)


def record_of(rules: Rules) -> bytes:
    return _encode(rules)


def judged(rules: Rules) -> Rules:
    """The same rules. Raises ``UsageError`` for a profile that is none."""
    if rules.profile is not None:
        known_profile(rules.profile)
    return rules
