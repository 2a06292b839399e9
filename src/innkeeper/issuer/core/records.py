"""The nouns that an issuer remembers. Times are whole seconds since the epoch; hashes are SHA-256 as bytes."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from innkeeper.issuer.core.platforms import PLATFORMS, Name, Workload, keys_at, why_not
from innkeeper.protocol.refusals import UsageError

NATIVE = "native"
WEB = "web"

PUBLIC = "public"
PAIRWISE = "pairwise"

PKCE_ALWAYS = "always"
PKCE_OR_NONCE = "or-nonce"
PKCE_OPTIONAL = "optional"


class Secret(msgspec.Struct, frozen=True):
    """A client secret as stored: its SHA-256, when it was made and until when it opens anything.

    ``sealed`` is the secret itself under the master key, kept for clients that sign with it (client_secret_jwt) alone.
    """

    digest: bytes
    created_at: int
    expires_at: int | None = None
    sealed: bytes = b""


ACTIVE: Final = "active"
PAUSED: Final = "paused"
REVOKED: Final = "revoked"
Status = Literal["active", "paused", "revoked"]


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a client an agent: a program that acts for people by its own judgement.

    ``owner`` is the ``sub`` of the person who answers for it, ``purpose`` a sentence for those it acts for. What it may do
    at most are the client's scopes and resources. It does nothing while it is ``paused``, and never again once it is
    ``revoked``; ``since`` is when that was said.
    """

    owner: str
    purpose: str
    status: Status = ACTIVE
    since: int = 0


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A registered client.

    ``auth_methods`` are names of RFC 7591 §2 (``none`` alone makes it public). ``pkce`` is ``always``,
    ``or-nonce`` (OAuth 2.1 §7.5.1: a nonce may stand in for a confidential OpenID client) or ``optional``;
    a public client always needs it. ``resources`` empty means every resource that has one of its scopes.
    ``profile`` names the set of rules it lives by, where an operator gave it another one than the realm's.
    ``may_act`` names the one party that may act with this client's tokens (RFC 8693 §4.4); "" leaves it open.

    The fields below ``development`` are the metadata of RFC 7591 §2 and OpenID Connect Dynamic Registration §2 under
    their registered names, empty where the client said nothing. ``sector_identifier`` is the host that its pairwise
    subjects are made for, ``registration_token`` the hash of the token that reads and changes the registration, and
    ``origin`` who registered it: an operator (""), itself (``dynamic``) or its own document on the web (``document``);
    where no grant of it lives by ``unused_until``, it is forgotten (0: never); grants move that on. ``languages`` are the members that it sent
    in several languages (``client_name#fr``). ``agent`` says that it is an agent, and whose. ``usual_scopes`` are what it gets
    when it asks for none, where that is less than all of ``scopes``.
    """

    id: str
    name: str
    auth_methods: frozenset[str]
    secrets: tuple[Secret, ...] = ()
    jwks: tuple[dict[str, Any], ...] = ()
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grants: frozenset[str] = frozenset({"authorization_code"})
    scopes: frozenset[str] = frozenset()
    resources: tuple[str, ...] = ()
    application_type: str = WEB
    pkce: str = PKCE_OR_NONCE
    id_token_alg: str = "RS256"
    trusted: bool = False
    profile: str = ""
    require_pushed: bool = False
    dpop_bound: bool = False
    may_act: str = ""
    created_at: int = 0
    development: bool = False
    agent: Agent | None = None

    origin: str = ""
    scopes_named: bool = True
    usual_scopes: frozenset[str] = frozenset()
    unused_until: int = 0
    registration_token: bytes = b""
    languages: dict[str, str] = {}
    client_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    contacts: tuple[str, ...] = ()
    software_id: str = ""
    software_version: str = ""
    jwks_uri: str = ""
    request_uris: tuple[str, ...] = ()
    response_types: frozenset[str] = frozenset({"code"})
    subject_type: str = PUBLIC
    sector_identifier: str = ""
    sector_identifier_uri: str = ""
    initiate_login_uri: str = ""
    default_max_age: int | None = None
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    authorization_details_types: tuple[str, ...] = ()

    token_endpoint_auth_signing_alg: str = ""
    request_object_signing_alg: str = ""
    request_object_encryption_alg: str = ""
    request_object_encryption_enc: str = ""
    require_signed_request_object: bool = False
    id_token_encrypted_response_alg: str = ""
    id_token_encrypted_response_enc: str = ""
    userinfo_signed_response_alg: str = ""
    userinfo_encrypted_response_alg: str = ""
    userinfo_encrypted_response_enc: str = ""
    introspection_signed_response_alg: str = ""
    introspection_encrypted_response_alg: str = ""
    introspection_encrypted_response_enc: str = ""
    authorization_signed_response_alg: str = ""
    authorization_encrypted_response_alg: str = ""
    authorization_encrypted_response_enc: str = ""

    tls_client_certificate_bound_access_tokens: bool = False
    tls_client_auth_subject_dn: str = ""
    tls_client_auth_san_dns: str = ""
    tls_client_auth_san_uri: str = ""
    tls_client_auth_san_ip: str = ""
    tls_client_auth_san_email: str = ""

    backchannel_logout_uri: str = ""
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str = ""
    frontchannel_logout_session_required: bool = False
    backchannel_token_delivery_mode: str = ""
    backchannel_client_notification_endpoint: str = ""
    backchannel_authentication_request_signing_alg: str = ""
    backchannel_user_code_parameter: bool = False

    @property
    def public(self) -> bool:
        return self.auth_methods == {"none"}

    @property
    def usual(self) -> frozenset[str]:
        """The scopes of a request that names none."""
        return self.usual_scopes or self.scopes

    @property
    def native(self) -> bool:
        return self.application_type == NATIVE


class TrustedIssuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another issuer whose word is taken for somebody (RFC 7523). Its keys are ``jwks`` or found at ``jwks_uri``.

    ``subjects`` maps the values of ``subject_claim`` to a person's ``sub`` or a client's id here; with ``usernames``
    on, a value that is not mapped is looked up among user names, which trusts the issuer for everybody. ``clients``
    may redeem its assertions, empty meaning all that have the grant; ``scopes`` are the most they get, empty meaning
    all that the client has. ``lifetime`` is the longest that an assertion may live, in seconds.

    ``identity_assertions`` on: the issuer is where people of an organization sign in, and what it signs for clients here are
    identity assertions (ID-JAG); nothing else of it is taken. ``workloads`` are rules by which programs of a ``platform``
    (``github``, ``kubernetes``, ``aws``, ``spiffe``) are clients here, without a secret. ``audiences`` are further names of this
    issuer that its tokens may have in ``aud``, for platforms that choose it. ``once`` on, an assertion is good once; by default off
    for platforms that give a program the same token until they renew it.
    """

    issuer: str
    jwks: tuple[dict[str, Any], ...] = ()
    jwks_uri: str = ""
    subjects: dict[str, str] = {}
    subject_claim: str = "sub"
    usernames: bool = False
    clients: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    lifetime: int = 3600
    identity_assertions: bool = False
    platform: Name = ""
    workloads: tuple[Workload, ...] = ()
    audiences: tuple[str, ...] = ()
    once: bool | None = None

    def __post_init__(self) -> None:
        for one in self.workloads:
            if why := why_not(self.platform, self.issuer, one):
                raise UsageError(f"trusted_issuer {self.issuer!r}: {why}")
        if self.platform and not self.workloads:
            raise UsageError(f"trusted_issuer {self.issuer!r} is a platform and has no [[trusted_issuer.workloads]]")
        if self.platform == "spiffe" and not (self.jwks or self.jwks_uri):
            raise UsageError(f"trusted_issuer {self.issuer!r}: give jwks_uri, where the trust domain's bundle is")
        if not self.jwks and not self.jwks_uri:
            msgspec.structs.force_setattr(self, "jwks_uri", keys_at(self.platform, self.issuer))

    @property
    def good_once(self) -> bool:
        """Whether an assertion of it can be redeemed once only."""
        known = PLATFORMS.get(self.platform)
        return self.once if self.once is not None else known is None or known.fresh


class AssertionTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another authorization server, for which this one vouches for its people (ID-JAG): its ``issuer``, the ``resources`` behind
    it and the most ``scopes`` there. ``clients`` maps the ids of clients here to theirs there, and no other client is vouched
    to; ``people`` are the subs it is for, empty meaning everybody. ``lifetime`` in seconds.
    """

    issuer: str
    resources: tuple[str, ...]
    scopes: frozenset[str]
    clients: dict[str, str]
    people: frozenset[str] = frozenset()
    lifetime: Annotated[int, msgspec.Meta(ge=1, le=600)] = 300


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another issuer at which people sign in, to be signed in here: OpenID Connect with a code, as its client.

    ``id`` stands in addresses and never changes; ``title`` on the button. The redirect URI to register there is
    ``{origin}/sign-in/from/{id}``. ``subject_claim`` tells its people apart, and ``username_claim`` is what a new account is
    called. ``new_people`` on: who comes for the first time gets an account, where nobody has the name yet. ``believe_email``
    off: that an address is verified is its word, not ours. ``consent_first`` off; on, a browser is sent there only after its
    person allowed the application that sent them here. ``sign_out`` none: whether who signs out here signs out there, too:
    ``openid`` as OpenID Connect has it, or ``cognito`` in that cloud's way; register ``{origin}/logout/done`` there. It may
    tell us of its own sign-outs at ``{origin}/sign-in/left/{id}`` in any case.
    """

    id: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}$")]
    title: str
    issuer: str
    client_id: str
    client_secret: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    subject_claim: str = "sub"
    username_claim: str = "email"
    new_people: bool = True
    believe_email: bool = False
    consent_first: bool = False
    sign_out: Literal["none", "openid", "cognito"] = "none"


NUMBER, TEXT, WORDS, LIMIT, UNTIL = "number", "text", "words", "limit", "until"


class DetailField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field of an authorization detail.

    ``kind``: a ``number`` or a ``text`` that is this or nothing; ``words``, some of those listed; a ``limit``, a number of
    which less is less; ``until``, a time in seconds since the epoch. ``says`` is it for people, with {} for the value.
    """

    kind: Literal["number", "text", "words", "limit", "until"]
    says: str = "{}"
    words: tuple[str, ...] = ()
    required: bool = False


class DetailType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A type of authorization detail that a resource takes. ``title`` is what people are told it is. ``approval`` on: an
    agent that comes to act with it waits until the person says yes, each time."""

    title: str
    fields: dict[str, DetailField] = {}
    approval: bool = False


class Resource(msgspec.Struct, frozen=True):
    """An API that tokens are cut for: its URI, its name, its scopes with a sentence for people each, and the types of
    authorization details that it takes. ``approval`` are the scopes with which an agent comes to act only after the person
    said yes, each time."""

    uri: str
    name: str
    scopes: dict[str, str] = {}
    development: bool = False
    details: dict[str, DetailType] = {}
    approval: frozenset[str] = frozenset()


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who signs in. ``password`` is an argon2 string; ``claims`` are OpenID standard claims; ``roles`` are what they
    may do here as an administrator, by the names in ``core.admin.permissions``."""

    sub: str
    username: str
    password: str = ""
    claims: dict[str, Any] = {}
    created_at: int = 0
    disabled: bool = False
    development: bool = False
    roles: frozenset[str] = frozenset()


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A person signed in in one browser. ``id`` is public (the ``sid`` claim); the cookie's hash is ``digest``.

    ``opened_at`` is when this browser signed in first, ``auth_time`` when it did last; ``browser`` is it in words.
    """

    id: str
    digest: bytes
    sub: str
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    expires_at: int
    ended_at: int | None = None
    browser: str = ""
    opened_at: int = 0


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has allowed a client, remembered: scope names, and the resources they were allowed at.

    ``shown`` is the hash of what the person was shown of the client; where that has changed, the person is asked anew.
    """

    sub: str
    client_id: str
    scopes: frozenset[str]
    resources: frozenset[str] = frozenset()
    given_at: int = 0
    shown: bytes = b""


class Wanted(msgspec.Struct, frozen=True):
    """Claims asked for by name, where each shall be told, and what it is asked to be (None, or a member of §5.5.1)."""

    id_token: dict[str, Any] = {}
    userinfo: dict[str, Any] = {}


NOTHING_WANTED = Wanted()


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One authorization and everything it gave: the family that is revoked together.

    ``confirmation`` binds its tokens to a key (``cnf``), ``details`` are its authorization details, ``actor`` is
    who acts for the person (``act``), ``claims`` those asked for by name. ``session_id`` is the session that it ends
    with, "" for none; ``sid`` the one that it was given in.
    """

    id: str
    client_id: str
    sub: str
    scopes: frozenset[str]
    audience: tuple[str, ...]
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    session_id: str
    created_at: int
    revoked_at: int | None = None
    confirmation: dict[str, str] = {}
    details: tuple[dict[str, Any], ...] = ()
    actor: dict[str, Any] | None = None
    claims: Wanted = NOTHING_WANTED
    sid: str = ""


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization code: what it was cut for. ``grant`` is written when the code is redeemed."""

    digest: bytes
    grant: Grant
    redirect_uri: str
    challenge: str | None
    nonce: str | None
    expires_at: int
    spent_at: int | None = None


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """One generation of a refresh token. Its successor is derived from the token itself, so none is stored.
    ``digest``: 32 bytes, the first six of them alike in a family (``refresh_digest`` in ``desk/realm.py``)."""

    digest: bytes
    grant_id: str
    expires_at: int
    spent_at: int | None = None
    successor: bytes | None = None
