"""The nouns of a user pool: pools, app clients, resource servers, domains, groups, and what an account has beside a person.

``said`` holds members of the JSON API under the API's own names, as they were sent: they are given back word for word.
Times are whole seconds since the epoch.
"""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.records import Person

CODE, IMPLICIT, CLIENT_CREDENTIALS = "code", "implicit", "client_credentials"

OPENID, EMAIL, PHONE, PROFILE = "openid", "email", "phone", "profile"
OWN_ACCOUNT = "aws.cognito.signin.user.admin"
REGISTER = "aws.cognito/dcr/register"
STANDARD_SCOPES = (OPENID, EMAIL, PHONE, PROFILE, OWN_ACCOUNT)

REFRESH_AUTH, SRP_AUTH, CUSTOM_AUTH = "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"
PASSWORD_AUTH, ADMIN_AUTH, CHOICE_AUTH = (
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_USER_AUTH",
)
CLIENT_TOKEN_AUTH = "ALLOW_CLIENT_TOKEN_AUTH"
IMPERSONATION, DELEGATION = "ALLOW_TOKEN_EXCHANGE_IMPERSONATION", "ALLOW_TOKEN_EXCHANGE_DELEGATION"
DEFAULT_FLOWS = (REFRESH_AUTH, SRP_AUTH, CUSTOM_AUTH)
LEGACY_FLOWS = {
    "ADMIN_NO_SRP_AUTH": (ADMIN_AUTH, REFRESH_AUTH, SRP_AUTH),
    "USER_PASSWORD_AUTH": (PASSWORD_AUTH, REFRESH_AUTH, SRP_AUTH),
    "CUSTOM_AUTH_FLOW_ONLY": (CUSTOM_AUTH, REFRESH_AUTH),
}
"""The older names of flows, and what each allows under the newer ones."""

UNCONFIRMED, CONFIRMED = "UNCONFIRMED", "CONFIRMED"
FORCE_CHANGE_PASSWORD, RESET_REQUIRED = "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


class CustomAttribute(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute that a pool added, or a standard one that it made mandatory; ``name`` with its prefix."""

    name: str
    kind: str = "String"
    mutable: bool = True
    required: bool = False
    developer_only: bool = False
    least: str = ""
    most: str = ""


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A user pool. ``mfa`` is what SetUserPoolMfaConfig was told, ``domain`` its domain's name, "" without one."""

    id: str
    name: str
    created_at: int
    modified_at: int
    said: dict[str, Any] = {}
    attributes: tuple[CustomAttribute, ...] = ()
    tags: dict[str, str] = {}
    mfa: dict[str, Any] = {}
    domain: str = ""
    development: bool = False

    @property
    def region(self) -> str:
        return self.id.partition("_")[0]

    @property
    def short_name(self) -> str:
        """The part of the id after the underscore, which the secure remote password is made with."""
        return self.id.partition("_")[2]

    @property
    def password_rules(self) -> dict[str, Any]:
        return {**PASSWORD_RULES, **self.said.get("Policies", {}).get("PasswordPolicy", {})}

    @property
    def mfa_mode(self) -> str:
        return str(self.mfa.get("MfaConfiguration", self.said.get("MfaConfiguration", "OFF")))

    @property
    def named_by(self) -> tuple[str, ...]:
        """Attributes that serve as the user name itself: the name kept is then the ``sub``."""
        return tuple(self.said.get("UsernameAttributes", ()))

    @property
    def aliases(self) -> tuple[str, ...]:
        """Attributes that somebody may sign in with beside the user name, once verified."""
        return tuple(self.said.get("AliasAttributes", ()))

    @property
    def verifies(self) -> tuple[str, ...]:
        return tuple(self.said.get("AutoVerifiedAttributes", ()))

    @property
    def issuer_type(self) -> str:
        return str(self.said.get("IssuerConfiguration", {}).get("Type", "ORIGINAL"))

    @property
    def registration(self) -> dict[str, Any]:
        """The settings of dynamic client registration; empty where it is off."""
        said = self.said.get("DcrConfiguration", {})
        return said if said and said.get("EnableStatus", "Enabled") == "Enabled" else {}

    @property
    def admin_creates_only(self) -> bool:
        return bool(self.said.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly", False))


PASSWORD_RULES: dict[str, Any] = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}


class Branding(msgspec.Struct, frozen=True, kw_only=True):
    """The style of managed login that an app client's pages have."""

    id: str
    client_id: str
    created_at: int
    modified_at: int
    said: dict[str, Any] = {}


class AppSecret(msgspec.Struct, frozen=True):
    """One secret of an app client: its name, its SHA-256, itself under the master key, when it was made."""

    id: str
    digest: bytes
    sealed: bytes
    created_at: int


class AppClient(msgspec.Struct, frozen=True, kw_only=True):
    """An app client. ``kind`` is "DCR" for one that registered itself. ``any_port`` lets a seeded native app come back on
    any port of loopback, which the cloud does not: the laptop's seed asks for it, nothing made by the API has it."""

    id: str
    pool_id: str
    name: str
    created_at: int
    modified_at: int
    said: dict[str, Any] = {}
    secrets: tuple[AppSecret, ...] = ()
    kind: str = ""
    any_port: bool = False
    development: bool = False

    def _listed(self, member: str) -> tuple[str, ...]:
        return tuple(self.said.get(member) or ())

    @property
    def confidential(self) -> bool:
        return bool(self.secrets)

    @property
    def oauth(self) -> bool:
        """Whether the OAuth endpoints serve it at all."""
        return bool(self.said.get("AllowedOAuthFlowsUserPoolClient", False))

    @property
    def grants(self) -> tuple[str, ...]:
        return self._listed("AllowedOAuthFlows")

    @property
    def scopes(self) -> tuple[str, ...]:
        return self._listed("AllowedOAuthScopes")

    @property
    def callbacks(self) -> tuple[str, ...]:
        return self._listed("CallbackURLs")

    @property
    def ways_out(self) -> tuple[str, ...]:
        return self._listed("LogoutURLs")

    @property
    def flows(self) -> frozenset[str]:
        """The sign-in flows under their newer names."""
        named = self._listed("ExplicitAuthFlows") or DEFAULT_FLOWS
        return frozenset(new for one in named for new in LEGACY_FLOWS.get(one, (one,)))

    @property
    def rotates(self) -> bool:
        return bool(self.said.get("RefreshTokenRotation", {}).get("Feature") == "ENABLED")

    @property
    def grace(self) -> int:
        return int(self.said.get("RefreshTokenRotation", {}).get("RetryGracePeriodSeconds") or 0)

    @property
    def revocable(self) -> bool:
        return bool(self.said.get("EnableTokenRevocation", True))

    @property
    def hides_users(self) -> bool:
        return bool(self.said.get("PreventUserExistenceErrors") == "ENABLED")

    @property
    def session_lifetime(self) -> int:
        """Seconds that a challenge may wait for its answer."""
        return int(self.said.get("AuthSessionValidity") or 3) * 60

    @property
    def access_lifetime(self) -> int:
        return self._seconds("AccessToken", "hours") or 3600

    @property
    def id_lifetime(self) -> int:
        return self._seconds("IdToken", "hours") or 3600

    @property
    def refresh_lifetime(self) -> int:
        return self._seconds("RefreshToken", "days") or 30 * 86400

    def _seconds(self, token: str, unit: str) -> int:
        unit = self.said.get("TokenValidityUnits", {}).get(token) or unit
        return int(self.said.get(f"{token}Validity") or 0) * UNITS[unit]

    def may_read(self, attribute: str) -> bool:
        allowed = self._listed("ReadAttributes")
        return not allowed or attribute in allowed

    def may_write(self, attribute: str) -> bool:
        allowed = self._listed("WriteAttributes")
        return not allowed or attribute in allowed


class ResourceServer(msgspec.Struct, frozen=True, kw_only=True):
    """An API with its scopes by name, each with its sentence."""

    pool_id: str
    identifier: str
    name: str
    scopes: dict[str, str] = {}

    @property
    def full_scopes(self) -> tuple[str, ...]:
        """The scopes as tokens spell them."""
        return tuple(f"{self.identifier}/{one}" for one in self.scopes)


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """A domain of a pool: a prefix, or a host of one's own with its certificate."""

    name: str
    pool_id: str
    version: str
    said: dict[str, Any] = {}


class Group(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    created_at: int
    modified_at: int
    description: str | None = None
    role: str | None = None
    precedence: int | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool keeps of somebody beside the person. ``verifier`` is the sealed half of the secure remote password,
    made of the password whose hash is ``verifier_of``; ``totp`` a sealed secret, in force once ``totp_on``."""

    status: str = CONFIRMED
    modified_at: int = 0
    salt: str = ""
    verifier: bytes = b""
    verifier_of: str = ""
    temporary_until: int = 0
    groups: tuple[str, ...] = ()
    totp: bytes = b""
    totp_on: bool = False
    factors: tuple[str, ...] = ()
    preferred: str = ""
    signed_out_at: int = 0


class User(msgspec.Struct, frozen=True):
    """A person and their account, with the version under which the account was read (0: nothing was kept yet)."""

    person: Person
    account: Account
    version: int = 0

    @property
    def sub(self) -> str:
        return self.person.sub

    @property
    def username(self) -> str:
        return self.person.username

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes as texts, ``sub`` first."""
        return {"sub": self.person.sub, **{name: str(value) for name, value in self.person.claims.items()}}
