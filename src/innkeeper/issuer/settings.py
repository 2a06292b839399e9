"""Settings: one TOML file and a few environment variables. An unknown key is an error that names the near one."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from innkeeper.issuer.core.platforms import Workload
from innkeeper.issuer.core.records import AssertionTarget, DetailType, TrustedIssuer, Upstream
from innkeeper.protocol.refusals import UsageError


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to listen and where to keep state.

    ``host`` 127.0.0.1: nobody else on the network can reach it. ``public_url`` is the address that clients
    use, if a proxy stands before this server; it becomes the issuer. ``state`` is a folder, made if missing.

    ``trusted_proxies`` are addresses or networks of proxies whose X-Forwarded-For is believed: none by default, for
    anybody can send it. ``client_certificate_header`` is where they put the caller's TLS certificate, for example
    ``Client-Cert``; they must set or remove it on every request. ``client_certificate_authorities`` is a PEM file of
    those who vouch for certificates by name (tls_client_auth); without it, only keys that a client registered count.
    Where ``serve`` speaks TLS itself, no header is needed: it asks callers for a certificate of these authorities.
    ``mtls_url`` is the address at which the proxy asks callers for a certificate, where it is another one.
    ``tls_certificate`` and ``tls_key`` are PEM files with which ``serve`` speaks TLS itself, where no proxy does; they
    are read anew when they change. ``metrics`` is a host and port of their own, as 127.0.0.1:9400, at which Prometheus
    finds /metrics: none by default, and none that strangers should reach. Without ``tls_key`` the key is in the certificate's file.

    ``tls_port`` 8443, or none where that is taken: the port of https://localhost at which ``innkeeper up`` serves the same
    over TLS, since some clients call no issuer over http. Its certificate is vouched for by ``ca.pem`` in the state
    folder. A port that is given must be free; 0 means none.

    ``database_url`` is the file ``innkeeper.db`` in the state folder; ``postgresql://user:password@host:5432/name`` is for
    several nodes, with several hosts separated by commas where one stands in for another. ``database_connections`` 10:
    the most that each process holds to PostgreSQL, whose own limit is 100 unless told otherwise.

    ``leave`` 5: seconds that ``serve`` goes on answering after SIGTERM, while ``/readyz`` says 503 so that a load balancer
    looks elsewhere. It must be longer than the balancer takes to notice.
    """

    host: str = "127.0.0.1"
    port: int = 8400
    tls_port: int | None = None
    public_url: str = ""
    state: str = ".innkeeper"
    trusted_proxies: list[str] = []
    client_certificate_header: str = ""
    client_certificate_authorities: str = ""
    mtls_url: str = ""
    database_url: str = ""
    database_connections: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    leave: Annotated[float, msgspec.Meta(ge=0)] = 5.0
    metrics: str = ""
    tls_certificate: str = ""
    tls_key: str = ""

    @property
    def takes_certificates(self) -> bool:
        """Whether callers show their certificates to this server itself and not to a proxy before it."""
        return bool(self.tls_certificate and self.client_certificate_authorities and not self.client_certificate_header)

    def __post_init__(self) -> None:
        why = _why_no_issuer(self.public_url) if self.public_url else None
        if why:
            raise UsageError(f"public_url {self.public_url!r}: {why}; write for example https://inn.example")
        if self.tls_key and not self.tls_certificate:
            raise UsageError(f"tls_key {self.tls_key!r} needs tls_certificate, the certificate that it belongs to")
        for port in (self.port, self.tls_port or 0):
            if not 0 <= port <= _LAST_PORT:
                raise UsageError(f"port {port}: a port is a number from 1 to {_LAST_PORT}")

    @property
    def only_this_computer(self) -> bool:
        """Whether nobody else can reach the server: it listens on loopback, and no proxy stands before it."""
        if self.public_url:
            return False
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


Lifetime = Annotated[int, msgspec.Meta(ge=1)]


class Lifetimes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Durations in seconds; the reasons for the defaults stand at ``core.policy.Policy``."""

    code: Lifetime = 60
    access_token: Lifetime = 600
    id_token: Lifetime = 600
    refresh_token: Lifetime = 30 * 86400
    refresh_grace: Annotated[int, msgspec.Meta(ge=0)] = 60
    session: Lifetime = 12 * 3600
    device_code: Lifetime = 600
    backchannel: Lifetime = 300


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Signing keys. ``rotate_days`` 90: how old one grows before the next one takes its place, which is published a day before;
    0 for never. ``master`` is where the key comes from that seals all others: ``file:PATH``, ``env:NAME`` or
    ``command:PROGRAM ARGUMENTS``, which asks a key service; by default a file in the state folder, made when there is none.
    """

    rotate_days: Annotated[int, msgspec.Meta(ge=0)] = 90
    master: str = ""


class Audit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audit log, under ``audit/`` in the state folder. ``enabled`` on: one line for whatever was refused, given or
    changed. ``rotate_megabytes`` 64: how large a file grows before the next one; none is ever removed by innkeeper."""

    enabled: bool = True
    rotate_megabytes: Annotated[int, msgspec.Meta(ge=1)] = 64


class Delegation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may act for whom by token exchange. ``max_actors`` 5, one behind the other: nobody can judge a longer chain.
    ``require_may_act`` off; on, a token is exchanged only by whoever it names in may_act."""

    max_actors: Annotated[int, msgspec.Meta(ge=1)] = 5
    require_may_act: bool = False


class Fetching(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How documents of others are got: key sets, client metadata, request objects.

    ``allow_loopback_hosts`` none: ``host:port`` pairs on this computer that may be fetched from too, over plain http if
    they wish, for tests; ``serve`` refuses it outside loopback. ``redirects`` 0: a client's own server has no reason to
    send us elsewhere; each hop is judged anew, and client metadata never has any. ``proxy`` none: an http address through
    which the hosts in ``proxy_hosts`` are reached, ``*.host`` for those below one; name the hosts of your [[upstream]] there,
    where only a proxy leads out. Strangers' documents never go through it.
    """

    allow_loopback_hosts: list[str] = []
    redirects: int = 0
    proxy: str = ""
    proxy_hosts: list[str] = []


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How clients that no operator registered become known.

    ``mode``: ``off``, ``open`` to all, or ``invited`` with a token of ``innkeeper client invite``. Empty means open for
    ``up``, which only this computer reaches, and off for ``serve``. ``documents`` any: whether a client's id may be the
    https address of its own metadata: ``off``, ``listed`` on ``document_hosts`` only, ``any``; people are asked each
    time, and see the host.
    """

    mode: Literal["", "off", "open", "invited"] = ""
    documents: Literal["off", "listed", "any"] = "any"
    document_hosts: list[str] = []


class SeedResource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An API that exists from the start. ``{origin}`` in ``uri`` is the issuer's own address. ``details`` are the types of
    authorization details that it takes (RFC 9396), by name. ``approval`` none: the scopes with which an agent comes to act
    for somebody only after they said yes, each time; ``true`` for all of them."""

    uri: str
    name: str
    scopes: dict[str, str] = {}
    details: dict[str, DetailType] = {}
    approval: bool | list[str] = False


class SeedClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A client that exists from the start. Without ``secret`` it is public, unless ``metadata`` say otherwise.

    ``profile`` is the set of rules it lives by, where that is another than the issuer's. ``may_act`` names the one
    client that may exchange this one's tokens to act for their person. ``metadata`` is what else there is to say, under
    the names of client registration (RFC 7591 §2), for example ``jwks``.
    """

    id: str
    name: str
    secret: str = ""
    redirect_uris: list[str] = []
    post_logout_redirect_uris: list[str] = []
    grants: tuple[str, ...] = ("authorization_code", "refresh_token")
    scopes: list[str] = []
    native: bool = False
    pkce: Literal["always", "or-nonce", "optional"] = "or-nonce"
    profile: str = ""
    may_act: str = ""
    metadata: dict[str, Any] = {}


class SeedAgent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An agent that exists from the start: a client that acts for people by its own judgement.

    ``owner`` is the user name of the person who answers for it, ``purpose`` a sentence for those it acts for. It proves
    itself with ``secret``, by a key of ``jwks`` (private_key_jwt), or where it has neither by the word of the platform it runs
    on, by a rule in ``[[trusted_issuer.workloads]]``. ``scopes`` and ``resources`` are the most that it is
    ever given, whoever it acts for. ``status`` counts when it is made; later `innkeeper agent` says.
    """

    id: str
    name: str
    owner: str
    purpose: str
    secret: str = ""
    jwks: list[dict[str, Any]] = []
    grants: tuple[str, ...] = ("client_credentials", "token_exchange")
    scopes: list[str] = []
    resources: list[str] = []
    status: Literal["active", "paused"] = "active"


class SeedPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person that exists from the start, with OpenID claims. ``roles`` none: what they may do as an administrator, as
    ``innkeeper admin roles`` lists them."""

    sub: str
    username: str
    password: str
    claims: dict[str, Any] = {}
    roles: list[str] = []


class SeedTwin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A realm that speaks a cloud's dialect, seeded with the same resources, clients and people as the native one.

    ``dialect`` is the cloud: ``cognito`` or ``entra``. ``id`` is what the cloud calls such a realm: a user pool's id, such as
    ``us-east-1_innkeepr1``, or a tenant's GUID. ``issuer`` ``local`` is the address that the realm is fetched from;
    ``cloud`` spells issuers as the cloud does, for verifiers that know no other. ``triggers`` are the functions of a
    user pool that run here: ``module:callable`` or an http address, by the name of the Lambda function that they stand for. ``domains`` are those that an
    Entra tenant has verified, its own onmicrosoft.com one first; ``switches`` its own, as the how-to lists them, all off. Pools
    that are made over the API go by the first user pool's ``issuer``, ``triggers`` and ``switches``.
    """

    dialect: Literal["cognito", "entra"]
    id: str
    issuer: Literal["local", "cloud"] = "local"
    triggers: dict[str, str] = {}
    domains: list[str] = []
    switches: dict[str, bool] = {}


class Theme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the pages look. Colours are written as ``#1f4d42``; an empty one stays as it is. ``accent`` is what buttons are made
    of and ``on_accent`` the text on them, ``link`` is for links, ``lobby`` the panel with the name and ``lobby_ink`` the name;
    those that begin with ``dark_`` are for people whose screens are dark. A pair that not everybody can read (WCAG 2.2 AA,
    4.5 to 1) is refused. ``logo`` is an SVG, PNG or WebP file that takes the mark's place. ``templates`` is a folder: a
    template in it takes the place of the one of the same name in ``issuer/pages/templates``, and may extend it as
    ``house/NAME``; values in it are escaped all the same.
    """

    logo: str = ""
    accent: str = ""
    on_accent: str = ""
    link: str = ""
    lobby: str = ""
    lobby_ink: str = ""
    dark_accent: str = ""
    dark_on_accent: str = ""
    dark_link: str = ""
    templates: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything an issuer is told. ``title`` is its name on pages; ``profile`` the rules its clients live by, as
    ``innkeeper profile`` lists them. ``passwords`` off: people sign in through an ``[[upstream]]`` alone. ``dpop_nonces``
    off: whether a DPoP proof must hold a value that this server gave out, so that none is made in advance; it costs each
    client one more request now and then. ``sign_up``: whether people make accounts by themselves, ``off`` or ``open``;
    empty means open for ``up``, which only this computer reaches, and off for ``serve``. No e-mail is sent."""

    title: str = "innkeeper"
    profile: str = "oauth21"
    passwords: bool = True
    dpop_nonces: bool = False
    sign_up: Literal["", "off", "open"] = ""
    server: Server = msgspec.field(default_factory=Server)
    lifetimes: Lifetimes = Lifetimes()
    fetching: Fetching = Fetching()
    registration: Registration = Registration()
    resource: list[SeedResource] = []
    client: list[SeedClient] = []
    agent: list[SeedAgent] = []
    person: list[SeedPerson] = []
    trusted_issuer: list[TrustedIssuer] = []
    assertion_target: list[AssertionTarget] = []
    upstream: list[Upstream] = []
    delegation: Delegation = Delegation()
    keys: Keys = Keys()
    audit: Audit = Audit()
    theme: Theme = Theme()
    twin: list[SeedTwin] = []

    @property
    def origin(self) -> str:
        """The issuer: what clients call this server."""
        scheme = "https" if self.server.tls_certificate else "http"
        return self.server.public_url.rstrip("/") or f"{scheme}://{self.server.host}:{self.server.port}"

    @property
    def guests(self) -> list[SeedPerson]:
        """The people who administer nothing here: those whom a twin is seeded with, too."""
        return [one for one in self.person if not one.roles]

    @property
    def database(self) -> str:
        """Where everything is remembered: a URL, or the path of a file."""
        return self.server.database_url or str(Path(self.server.state) / "innkeeper.db")


DEFAULT_FILE = "innkeeper.toml"

ENVIRONMENT = {
    "INNKEEPER_HOST": "host",
    "INNKEEPER_PORT": "port",
    "INNKEEPER_PUBLIC_URL": "public_url",
    "INNKEEPER_STATE": "state",
    "INNKEEPER_TLS_PORT": "tls_port",
    "INNKEEPER_DATABASE_URL": "database_url",
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
        if environment.get(name) and isinstance(server, dict):
            server[key] = _number(name, environment[name]) if key.endswith("port") else environment[name]
    return _convert(document, where)


def _why_no_issuer(url: str) -> str | None:
    """None where ``url`` can name an issuer, else the rule it breaks (RFC 8414 §2)."""
    if not url.isascii() or any(character <= " " or character in '\\"<>' for character in url):
        return "it has a character that no address has"
    if any(character in url for character in "?#@"):
        return "it has a query, a fragment or a user part"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "it is no http or https address"
    return None


_LAST_PORT = 65_535


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


_PARTS = (
    Server,
    Lifetimes,
    Keys,
    Audit,
    Delegation,
    Fetching,
    Registration,
    SeedResource,
    SeedClient,
    SeedAgent,
    SeedPerson,
    SeedTwin,
    TrustedIssuer,
    Workload,
    AssertionTarget,
    Upstream,
)


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{name}={text!r}: it must be a number")
    return int(text)
