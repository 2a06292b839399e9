"""Issuers and clients by a name of one's own, kept in files that only their owner may read."""

from __future__ import annotations

import os
import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from innkeeper.protocol.refusals import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One client at one issuer, and the API that it calls.

    ``audience`` is what that API looks for in the claim ``audience_claim``; ``scope`` what is asked for, with spaces
    between; ``scopes`` the API's scopes as requests spell them and ``roles`` as machines' tokens do, by short names.
    ``pkce_known``: the issuer checks PKCE (S256) although its metadata do not say so, as both clouds do.
    """

    issuer: str
    client_id: str
    client_secret: str = ""
    scope: str = ""
    audience: tuple[str, ...] = ()
    audience_claim: str = "aud"
    resource: str = ""
    scopes: dict[str, str] = {}
    roles: dict[str, str] = {}
    pkce_known: bool = False

    @property
    def audience_of_this_client(self) -> str:
        """What a token of this client bears in ``audience_claim``; "" where nothing was said."""
        return self.client_id if self.audience_claim == "client_id" else next(iter(self.audience), "")


def folder() -> Path:
    """Where profiles are kept: ``INNKEEPER_PROFILES``, else ``innkeeper/profiles`` in the user's configuration folder."""
    if named := os.environ.get("INNKEEPER_PROFILES"):
        return Path(named)
    config = os.environ.get("APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "innkeeper" / "profiles"


def keep(name: str, profile: Profile) -> Path:
    """Remember a profile under a name, in place of the one before. Raises ``UsageError``."""
    path = _path(name)
    write(path, profile)
    return path


def write(path: Path, document: object) -> None:
    """Write a document as JSON that only its owner may read, in place of the one before. Raises ``UsageError``."""
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; INNKEEPER_PROFILES names another folder") from None


def forget(name: str) -> None:
    """Forget a profile; nothing happens where there is none. Raises ``UsageError`` for a name that is none."""
    _path(name).unlink(missing_ok=True)


def load(name: str) -> Profile:
    """The profile of that name. Raises ``UsageError`` where there is none, or it cannot be read."""
    path = _path(name)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Profile)
    except FileNotFoundError:
        raise UsageError(f"there is no profile {name!r}. {_others(name)}") from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the profile {path}: {error}. innkeeper connect writes it anew.") from None


def names() -> list[str]:
    """The profiles there are."""
    return sorted(path.stem for path in folder().glob("*.json"))


def checked(name: str) -> str:
    """The name, where it will do as a file's. Raises ``UsageError``."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"profile {name!r}: a name has up to 64 letters, digits, dots, hyphens and underscores")
    return name


def _path(name: str) -> Path:
    return folder() / f"{checked(name)}.json"


def _others(name: str) -> str:
    known = names()
    near = get_close_matches(name, known, n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"There are: {', '.join(known)}." if known else "innkeeper connect makes one."


def from_outputs(outputs: dict[str, Any], client: str = "") -> Profile:
    """The profile in a Terraform module's outputs, plain or as ``terraform output -json`` wraps them.

    ``client`` names one of several clients. Raises ``UsageError`` for what is missing or ambiguous.
    """
    said = _flat(outputs)
    missing = [name for name in ("issuer", "client_ids") if not said.get(name)]
    if missing:
        raise UsageError(f"the outputs have no {' and no '.join(missing)}: are they those of a module of innkeeper's?")
    ids, secrets = dict(said["client_ids"]), dict(said.get("client_secrets") or {})
    chosen = client or _only(ids, secrets)
    if chosen not in ids:
        raise UsageError(f"--client {chosen!r}: the clients are {', '.join(sorted(ids))}")
    audience = said.get("audience") or ()
    scopes = dict(said.get("scopes") or {})
    return Profile(
        issuer=str(said["issuer"]),
        client_id=str(ids[chosen]),
        client_secret=str(secrets.get(chosen, "")),
        scope=str((said.get("request_scopes") or {}).get(chosen, "")) or f"openid {' '.join(scopes.values())}".strip(),
        audience=tuple(map(str, [audience] if isinstance(audience, str) else audience)),
        audience_claim=str(said.get("audience_claim") or "aud"),
        resource=str(said.get("resource") or ""),
        scopes=scopes,
        roles=dict(said.get("roles") or {}),
        pkce_known=bool(said.get("pkce_known", "token_endpoint" in said)),
    )


def _only(ids: dict[str, Any], secrets: dict[str, Any]) -> str:
    """The one client there is, or the one with a secret: a program that can get a token by itself."""
    for candidates in (list(ids), [name for name in ids if name in secrets]):
        if len(candidates) == 1:
            return candidates[0]
    raise UsageError(f"there are several clients: name one with --client, of {', '.join(sorted(ids))}")


def _flat(outputs: dict[str, Any]) -> dict[str, Any]:
    """Outputs by name, those of a module that was passed on whole among them."""
    plain = {name: one["value"] if isinstance(one, dict) and "value" in one else one for name, one in outputs.items()}
    nested = [one for one in plain.values() if isinstance(one, dict) and "issuer" in one]
    return {**nested[0], **plain} if len(nested) == 1 and "issuer" not in plain else plain
