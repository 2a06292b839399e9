"""Programs that need no secret: the platform they run on signs who they are, and a rule here says which client that is.

What the platform's token says is compared claim by claim. A star may end a text only where a name ends too, or a rule for
``acme/app`` would be one for ``acme/app-of-somebody-else``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from innkeeper.protocol.refusals import UsageError

Name = Literal["", "github", "kubernetes", "aws", "spiffe"]
Path = tuple[str, ...]

SPIFFE = "spiffe://"
_ENDS = ":/"
"""Behind what a star may stand."""


class Workload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Programs that are the client ``client`` here: those in whose token every one of ``claims`` is as said.

    A text is equal, or begins so where it ends in a star behind ``:`` or ``/``; a table is compared member by member, and in a
    list one value has to fit. ``scopes`` are the most that they get, empty meaning all of the client's.
    """

    client: str
    claims: dict[str, Any]
    scopes: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.claims:
            raise UsageError(f"a workload of {self.client!r} without claims would be every program of the platform")
        for path, value in _leaves(self.claims):
            _refuse_wide(".".join(path), value)


class Platform(msgspec.Struct, frozen=True):
    """What is known of a kind of issuer: where its keys are below its address, which claims a rule must hold fast (one of
    these groups, whole), and whether its programs get a new token each time they ask."""

    title: str
    keys: str
    held: tuple[tuple[Path, ...], ...]
    fresh: bool = True


_SUB: tuple[Path, ...] = (("sub",),)
PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {
        "github": Platform("GitHub Actions", "/.well-known/jwks", (_SUB, (("repository",),), (("repository_id",),))),
        "kubernetes": Platform(
            "Kubernetes",
            "/openid/v1/jwks",
            (_SUB, (("kubernetes.io", "namespace"), ("kubernetes.io", "serviceaccount", "name"))),
            fresh=False,
        ),
        "aws": Platform("AWS", "/.well-known/jwks.json", (_SUB,)),
        "spiffe": Platform("SPIFFE", "", (_SUB,), fresh=False),
    }
)
"""By the name in the settings. Kubernetes and SPIFFE keep a token for their programs until they renew it."""


def why_not(platform: str, issuer: str, workload: Workload) -> str:
    """Why a rule would let in more than one can mean to; "" where it does not."""
    known = PLATFORMS.get(platform)
    if known is None:
        return ""
    fast = {path for path, _ in _leaves(workload.claims)}
    if not any(set(group) <= fast for group in known.held):
        wanted = " or ".join(" with ".join(".".join(path) for path in group) for group in known.held)
        return f"a rule for {known.title} has to hold {wanted}; without it, strangers on the same platform fit"
    sub = workload.claims.get("sub", "")
    if platform == "spiffe" and not str(sub).startswith(f"{issuer}/"):
        return f"sub has to begin with {issuer}/, the trust domain of this issuer"
    return ""


def keys_at(platform: str, issuer: str) -> str:
    """Where a platform's keys are; "" where that has to be said."""
    known = PLATFORMS.get(platform)
    return f"{issuer.rstrip('/')}{known.keys}" if known and known.keys else ""


def issuer_in(claims: Mapping[str, Any]) -> str:
    """Who a token says it is from. A SPIFFE identity may come without ``iss``: its trust domain is who signs."""
    named, sub = claims.get("iss"), claims.get("sub")
    if named is None and isinstance(sub, str) and sub.startswith(SPIFFE):
        return SPIFFE + sub[len(SPIFFE) :].partition("/")[0]
    return named if isinstance(named, str) else ""


def mismatch(workload: Workload, claims: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """The first claim that is not as the rule says: its name, what the rule says, what the token says."""
    for path, wanted in _leaves(workload.claims):
        found = _at(claims, path)
        if not _fits(found, wanted):
            return ".".join(path), repr(wanted), repr(found) if found is not None else "no such claim"
    return None


def _leaves(claims: Mapping[str, Any], above: Path = ()) -> list[tuple[Path, Any]]:
    found: list[tuple[Path, Any]] = []
    for name, value in claims.items():
        inside = _leaves(value, (*above, name)) if isinstance(value, Mapping) else [((*above, name), value)]
        found.extend(inside)
    return found


def _at(claims: Mapping[str, Any], path: Path) -> Any:
    found: Any = claims
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _fits(found: Any, wanted: Any) -> bool:
    if isinstance(found, list):
        return any(_fits(one, wanted) for one in found)
    if isinstance(wanted, list):
        return any(_fits(found, one) for one in wanted)
    if isinstance(wanted, str) and wanted.endswith("*"):
        return isinstance(found, str) and found.startswith(wanted[:-1])
    return type(found) is type(wanted) and bool(found == wanted)


def _refuse_wide(name: str, value: Any) -> None:
    texts = value if isinstance(value, list) else [value]
    for one in texts:
        if not isinstance(one, str | int | bool):
            raise UsageError(f"workload claim {name}: {one!r} is no text, number, list or table")
        if isinstance(one, str) and "*" in one and not (one.count("*") == 1 and one[:-1] and one[-2:-1] in _ENDS):
            raise UsageError(f"workload claim {name}: in {one!r} a star may only end the text, behind ':' or '/'")
        if one == "":
            raise UsageError(f"workload claim {name}: an empty text fits nothing; leave the claim out")
