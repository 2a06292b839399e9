"""A change that has been thought through and not been made: what is before, what would be after, what it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core.effects import Effect


class Difference(msgspec.Struct, frozen=True):
    """One value that changes: where it stands (``claims.name``), what it is, what it will be; None where there is none."""

    path: str
    before: Any = None
    after: Any = None


class Sentence(msgspec.Struct, frozen=True):
    """Something said to people: ``text``, with the ``values`` where it names them. Pages say it in other languages, too."""

    text: str
    values: Mapping[str, str | int] = {}

    def __str__(self) -> str:
        return self.text.format(**self.values)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A change to one thing.

    ``what`` is the kind of thing, ``key`` its id, ``name`` what people call it. ``before`` and ``after`` are the thing as
    it is shown, without any secret; None where it is not there. ``version`` stands for what was read of it, "" for nothing.
    ``told`` is what is told once it is done and never again, such as a new secret; ``follows`` says in sentences what else
    happens. ``before_permissions`` and ``after_permissions`` are the rights of an administrator that the thing has and
    will have; ``sub`` is the person that it is about.
    """

    action: str
    what: str
    key: str
    name: str = ""
    realm: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    effects: tuple[Effect, ...] = ()
    version: str = ""
    told: dict[str, str] = {}
    follows: tuple[Sentence, ...] = ()
    before_permissions: frozenset[str] = frozenset()
    after_permissions: frozenset[str] = frozenset()
    sub: str = ""
    shuts: bool = False

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What changes, in the order of the thing's members."""
        return tuple(differences(self.before or {}, self.after or {}))

    def as_document(self) -> dict[str, Any]:
        """The plan as it is shown before it is carried out."""
        return {
            "action": self.action,
            "thing": {"kind": self.what, "id": self.key, "name": self.name or self.key},
            "changes": [difference_document(one) for one in self.differences],
            "follows": [str(one) for one in self.follows],
            **({"version": self.version} if self.version else {}),
        }


def difference_document(one: Difference) -> dict[str, Any]:
    """A difference under JSON Patch's names of what happens to a value (RFC 6902 §4): add, remove, replace."""
    done = "add" if one.before is None else "remove" if one.after is None else "replace"
    before = {} if one.before is None else {"before": one.before}
    after = {} if one.after is None else {"after": one.after}
    return {"path": one.path, "op": done, **before, **after}


def differences(before: Mapping[str, Any], after: Mapping[str, Any], path: str = "") -> Iterator[Difference]:
    """Every value that is not alike in both; what is nested is followed, lists are values."""
    for name in dict.fromkeys((*before, *after)):
        old, new, where = before.get(name), after.get(name), f"{path}{name}"
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from differences(old, new, f"{where}.")
        elif isinstance(old or new, Mapping) and not (old and new):
            yield from differences(old or {}, new or {}, f"{where}.")
        elif old != new and not (_is_nothing(old) and _is_nothing(new)):
            yield Difference(where, None if _is_nothing(old) else old, None if _is_nothing(new) else new)


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], {}, ())
