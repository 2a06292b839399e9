"""What a realm allows: lifetimes and switches, made once and handed to every decision."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from innkeeper.issuer.core.methods import ALWAYS, SELF_SIGNED_TLS, TLS
from innkeeper.issuer.core.profiles import OAUTH21, PROFILES, Profile
from innkeeper.issuer.core.records import AssertionTarget, Client, Resource, TrustedIssuer, Upstream

OPENID_SCOPES = {
    "openid": "Know who you are",
    "profile": "See your name and profile",
    "email": "See your e-mail address",
    "address": "See your postal address",
    "phone": "See your telephone number",
    "offline_access": "Keep working for you while you are away",
}


ADMINISTRATION = "admin:"
"""What scopes begin with that administer the issuer itself."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A realm's rules. Durations in seconds. ``title`` is its name on pages. One is equal only to itself, so that what
    follows from it can be remembered.

    ``code_lifetime`` 60: a redirect takes a second, and RFC 6749 §4.1.2 asks for ten minutes at most.
    ``access_lifetime`` 600: short, because a JWT is believed until it expires (RFC 9700 §2.2).
    ``refresh_lifetime`` 30 days: from the last rotation.
    ``refresh_grace`` 60: a lost answer or a parallel agent gets the same successor once more (RFC 9700 §4.14.2).
    ``pushed_lifetime`` 60: the browser is on its way already (RFC 9126 §2.2).
    ``session_lifetime`` 12 hours: from sign-in.
    ``assertion_lifetime`` 1 hour: what common clients give theirs; each is remembered that long and good once.
    ``device_lifetime`` 600: to find a phone and type eight letters; a longer one gives a phisher more time.
    ``backchannel_lifetime`` 300, ``backchannel_longest`` 900: to take out a telephone; a client may ask for another.
    ``backchannel_most`` 3: requests of one client that wait for one person; more is pestering.
    ``max_actors`` 5: agents that act one behind the other; who reads a longer chain can no longer judge it.
    ``require_may_act`` off: most issuers' clients know no may_act; on, nobody acts for a person who is not named.
    ``poll_interval`` 5: what a client assumes where it is told nothing (RFC 8628 §3.2).
    ``registration`` off: whether clients register themselves: ``off``, ``open`` to all, ``invited`` with a token.
    ``unused_client_lifetime`` 1 day: one that registered itself, uninvited, and was never used is forgotten then; one that
    was used, thirty days after its last grant began and none is alive any more.
    ``client_documents`` off: whether a client's id may be the https address of its metadata: ``off``, ``listed`` on
    ``document_hosts`` only, ``any``.
    ``passwords`` on: off, people sign in through ``upstreams`` alone.
    ``leeway`` 5 and ``ahead`` 10: what others' clocks may be off by, and before ours (FAPI 2.0 §5.3.2.1 asks for ten).
    ``sign_up`` off: whether people make accounts by themselves.
    ``administered`` off: whether the realm has an admin API and a console, as the native one does.
    ``mutual_tls`` says that a proxy tells us of clients' certificates, whoever signed them; ``client_authorities`` are
    the certificates, in PEM, of those who may vouch for one.
    """

    issuer: str
    title: str = "innkeeper"
    profile: str = OAUTH21.name
    resources: dict[str, Resource] = {}
    code_lifetime: int = 60
    access_lifetime: int = 600
    id_lifetime: int = 600
    refresh_lifetime: int = 30 * 86400
    pushed_lifetime: int = 60
    refresh_grace: int = 60
    session_lifetime: int = 12 * 3600
    device_lifetime: int = 600
    poll_interval: int = 5
    backchannel_lifetime: int = 300
    backchannel_longest: int = 900
    backchannel_most: int = 3
    max_actors: int = 5
    require_may_act: bool = False
    trusted_issuers: dict[str, TrustedIssuer] = {}
    assertion_targets: dict[str, AssertionTarget] = {}
    upstreams: dict[str, Upstream] = {}
    passwords: bool = True
    require_pushed: bool = False
    dpop_nonce_required: bool = False
    assertion_lifetime: int = 3600
    leeway: int = 5
    ahead: int = 10
    registration: str = "off"
    unused_client_lifetime: int = 86400
    client_documents: str = "off"
    document_hosts: tuple[str, ...] = ()
    mutual_tls: bool = False
    client_authorities: str = ""
    sign_up: bool = False
    administered: bool = False
    acr: str = "urn:innkeeper:acr:password"

    def profile_for(self, client: Client | None) -> Profile:
        """The rules in force for a client: those an operator gave it, else the realm's."""
        return PROFILES[(client.profile if client else "") or self.profile]

    @property
    def auth_methods(self) -> tuple[str, ...]:
        """The ways in which clients can prove themselves here, as far as the realm's profile takes them."""
        by_certificate = ((SELF_SIGNED_TLS,) if self.mutual_tls else ()) + ((TLS,) if self.client_authorities else ())
        taken = PROFILES[self.profile].auth_methods
        return tuple(one for one in (*ALWAYS, *by_certificate) if one in taken)

    def scope_sentence(self, scope: str) -> str:
        """What a scope allows, for people; its own name where nobody wrote a sentence."""
        if scope in OPENID_SCOPES:
            return OPENID_SCOPES[scope]
        return next((one.scopes[scope] for one in self.resources.values() if scope in one.scopes), scope)

    def risky(self, audience: Iterable[str]) -> frozenset[str]:
        """The scopes at these resources with which an agent comes to act only after the person said yes."""
        found = (self.resources[uri].approval for uri in audience if uri in self.resources)
        return frozenset[str]().union(*found)

    def risky_details(self) -> frozenset[str]:
        """The types of authorization details of which the same is true."""
        kinds = (one.details.items() for one in self.resources.values())
        return frozenset(name for each in kinds for name, kind in each if kind.approval)

    def known_scopes(self) -> frozenset[str]:
        """Every scope that the realm knows, OpenID's and its resources'."""
        return frozenset(OPENID_SCOPES).union(*(one.scopes for one in self.resources.values()))

    def usual_scopes(self) -> frozenset[str]:
        """Those that a client may come to have without an operator naming them: all but the ones for administering."""
        return frozenset(one for one in self.known_scopes() if not one.startswith(ADMINISTRATION))
