"""Settings: one TOML file and a few environment variables. An unknown key is an error that names the near one."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from innkeeper.issuer.core.records import TrustedIssuer
from innkeeper.protocol.refusals import UsageError


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to listen and where to keep state.

    ``host`` 127.0.0.1: nobody else on the network can reach it. ``public_url`` is the address that clients
    use, if a proxy stands before this server; it becomes the issuer. ``state`` is a folder, made if missing.
    """

    host: str = "127.0.0.1"
    port: int = 8400
    public_url: str = ""
    state: str = ".innkeeper"


class Lifetimes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Durations in seconds; the reasons for the defaults stand at ``core.policy.Policy``."""

    code: int = 60
    access_token: int = 600
    id_token: int = 600
    refresh_token: int = 30 * 86400
    refresh_grace: int = 60
    session: int = 12 * 3600


class Fetching(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How documents of others are got: key sets, client metadata, request objects.

    ``allow_loopback_hosts`` none: ``host:port`` pairs on this computer that may be fetched from too, over plain http if
    they wish, for tests; ``serve`` refuses it outside loopback. ``redirects`` 0: a client's own server has no reason to
    send us elsewhere; each hop is judged anew, and client metadata never has any.
    """

    allow_loopback_hosts: list[str] = []
    redirects: int = 0


class SeedResource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An API that exists from the start. ``{origin}`` in ``uri`` is the issuer's own address."""

    uri: str
    name: str
    scopes: dict[str, str] = {}


class SeedClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A client that exists from the start. Without ``secret`` it is public."""

    id: str
    name: str
    secret: str = ""
    redirect_uris: list[str] = []
    post_logout_redirect_uris: list[str] = []
    grants: tuple[str, ...] = ("authorization_code", "refresh_token")
    scopes: list[str] = []
    native: bool = False
    pkce: str = "or-nonce"


class SeedPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person that exists from the start, with OpenID claims."""

    sub: str
    username: str
    password: str
    claims: dict[str, Any] = {}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything an issuer is told. ``title`` is its name on pages."""

    title: str = "innkeeper"
    server: Server = Server()
    lifetimes: Lifetimes = Lifetimes()
    fetching: Fetching = Fetching()
    resource: list[SeedResource] = []
    client: list[SeedClient] = []
    person: list[SeedPerson] = []
    trusted_issuer: list[TrustedIssuer] = []

    @property
    def origin(self) -> str:
        """The issuer: what clients call this server."""
        return self.server.public_url.rstrip("/") or f"http://{self.server.host}:{self.server.port}"


DEFAULT_FILE = "innkeeper.toml"

ENVIRONMENT = {
    "INNKEEPER_HOST": "host",
    "INNKEEPER_PORT": "port",
    "INNKEEPER_PUBLIC_URL": "public_url",
    "INNKEEPER_STATE": "state",
}


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from ``path``, from ``innkeeper.toml`` here, or the ones for a laptop that come with innkeeper.

    Raises ``UsageError`` for an unreadable file, an unknown key, a value of the wrong kind.
    """
    where, text = _read(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is not TOML: {error}") from None
    server = document.setdefault("server", {})
    for name, key in ENVIRONMENT.items():
        if environment.get(name):
            server[key] = _number(name, environment[name]) if key == "port" else environment[name]
    settings = _convert(document, where)
    if not 0 <= settings.server.port <= 65535:
        raise UsageError(f"port {settings.server.port}: a port is a number from 1 to 65535")
    return settings


def _read(path: Path | None) -> tuple[str, str]:
    if path is None and not Path(DEFAULT_FILE).exists():
        return "the built-in settings", files("innkeeper.issuer").joinpath("laptop.toml").read_text("utf-8")
    chosen = path or Path(DEFAULT_FILE)
    try:
        return str(chosen), chosen.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the settings {chosen}: {error}") from None


def _convert(document: dict[str, Any], where: str) -> Settings:
    try:
        return msgspec.convert(document, Settings)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {_explained(str(error))}") from None


def _explained(message: str) -> str:
    """msgspec's words, and for an unknown key the near one that exists."""
    if "unknown field" not in message:
        return message
    wrong = message.split("`")[1]
    known = sorted(name for kind in (Settings, *_PARTS) for name in kind.__struct_fields__)
    near = get_close_matches(wrong, known, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
    return f"unknown key {wrong!r}: {advice}"


_PARTS = (Server, Lifetimes, Fetching, SeedResource, SeedClient, SeedPerson, TrustedIssuer)


def _number(name: str, text: str) -> int:
    if not text.isdigit():
        raise UsageError(f"{name}={text!r}: it must be a number")
    return int(text)
