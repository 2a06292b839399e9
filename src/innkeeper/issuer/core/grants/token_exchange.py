"""A token is exchanged for another that opens less, or that names who acts with it (RFC 8693).

Rights only shrink: scopes, audience and lifetime of the new token are within those of the old one and within what
the client may have (``core.rights``). A chain of actors only grows, and a key that the old token is bound to is proved anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core import approval, details
from innkeeper.issuer.core.agents import Hop, stopped
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Effect
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client, Grant
from innkeeper.issuer.core.rights import ceiling, effective, unapproved
from innkeeper.issuer.core.scopes import TARGET_UNKNOWN, Reach, resources_of, unknown_scope, unknown_target
from innkeeper.issuer.core.token import Issue, TokenRequest
from innkeeper.protocol.errors import INVALID_REQUEST, INVALID_SCOPE
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.resources import registered_spelling
from innkeeper.tokens.trail import Seen, check, follow

_URN = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN, ID_TOKEN, JWT = f"{_URN}access_token", f"{_URN}id_token", f"{_URN}jwt"


class Wanted(msgspec.Struct, frozen=True):
    """The parameters of an exchange besides the tokens themselves, as sent; "" for what was not sent."""

    subject_type: str
    actor_type: str = ""
    requested_type: str = ""
    has_actor: bool = False
    targets: tuple[str, ...] = ()


class Presented(msgspec.Struct, frozen=True):
    """A token in the request, after the desk looked at it. ``claims`` is None where it is not ours. ``hops`` are those who
    act by it, and whoever it was given to or is presented by, as they stand with the person.

    ``reach`` is what it opens: for an ID token, which opens nothing by itself, what its person has allowed the
    client that it was cut for. ``subject`` is whom it speaks of here; ``gone`` says they have no account any more.

    An actor's token may be another issuer's word for the caller: ``vouched`` says that it is good, ``most`` which scopes that
    word opens at most, and ``spend`` what is to be remembered where it proves the caller alone and is good once.
    ``problem`` says why such a word is not good.
    """

    claims: dict[str, Any] | None = None
    reach: Reach = Reach(frozenset(), ())
    subject: str = ""
    revoked: bool = False
    gone: bool = False
    grant: Grant | None = None
    hops: tuple[Hop, ...] = ()
    vouched: bool = False
    most: frozenset[str] = frozenset()
    spend: tuple[Effect, ...] = ()
    problem: Refusal | None = None

    def says(self, name: str) -> Any:
        return (self.claims or {}).get(name)

    @property
    def client_id(self) -> str:
        """The client it was given to."""
        named = self.says("client_id") or self.says("aud")
        return named if isinstance(named, str) else ""


NOT_SENT = Presented()


class Case(msgspec.Struct, frozen=True):
    ask: TokenRequest
    wanted: Wanted
    client: Client
    subject: Presented
    actor: Presented
    policy: Policy
    now: int
    approval: approval.Approval = approval.NOT_APPROVED

    @property
    def own(self) -> bool:
        """The client narrows a token that it was given itself, in nobody's name but its own."""
        return self.subject.client_id == self.client.id and not self.wanted.has_actor

    @property
    def acting(self) -> dict[str, Any]:
        """Who would act: the actor token's subject, or the client itself."""
        issuer = self.policy.issuer
        if self.wanted.has_actor:
            return {**(self.actor.claims or {}), "iss": issuer}
        return {"iss": issuer, "sub": self.client.id, "client_id": self.client.id}

    @property
    def opened(self) -> Reach:
        """The rights of the new token."""
        person, agent = self.subject.reach, ceiling(self.client, self.policy)
        if self.actor.vouched:
            agent = Reach(agent.scopes & self.actor.most, agent.audience)
        return effective(person, agent, self.ask.scopes, self.wanted.targets, self.policy, alone=self.own)

    @property
    def said(self) -> tuple[dict[str, Any], ...]:
        """The authorization details of the new token; those that need approval are among them where they were named."""
        sent = self.ask.sent.get(details.PARAMETER)
        found = details.narrowed(sent, _details(self.subject), self.opened.audience, self.policy)
        risky = frozenset[str]() if self.own or sent is not None else self.policy.risky_details()
        return tuple(one for one in found if one["type"] not in risky)


def decide(case: Case) -> Decision[Issue]:
    """An access token within the subject token's rights; no refresh token, since whoever holds the old one can ask
    again. It ends with the old one, and with the grant behind it."""
    ask, subject, opened = case.ask, case.subject, case.opened
    trail = follow("token exchange", CHECKS, case)
    if not trail.refusal and (waits := waiting_for(case)):
        trail = trail.then(approval.judge(waits))
    if trail.refusal:
        return Decision(trail.refusal, trail)
    issue = Issue(
        client=case.client,
        subject=subject.subject,
        scopes=opened.scopes,
        audience=opened.audience,
        grant=subject.grant,
        confirmation={**ask.confirmation, **_bindings(subject)},
        details=case.said,
        actor=chain_of(case),
        may_act=subject.says("may_act"),
        lifetime=min(case.policy.access_lifetime, *_left(case)),
        issued_type=case.wanted.requested_type or ACCESS_TOKEN,
    )
    return Decision(issue, trail, case.actor.spend)


def waiting_for(case: Case) -> approval.Case | None:
    """What of a good exchange waits for the person's yes; None where nothing does."""
    needs = () if case.own else unapproved(case.opened, case.said, case.policy)
    if not needs:
        return None
    return approval.Case(
        ask=case.ask,
        client=case.client,
        sub=case.subject.subject,
        acting=_acting(case),
        opened=case.opened,
        details=case.said,
        needs=needs,
        approval=case.approval,
        policy=case.policy,
        now=case.now,
    )


@check("RFC 8693 §2.1")
def the_types_are_ones_we_take(case: Case) -> Seen | Refusal:
    """Access tokens and ID tokens of this issuer are exchanged, for access tokens; each type is said."""
    wanted = case.wanted
    if wanted.subject_type not in (ACCESS_TOKEN, JWT, ID_TOKEN):
        return _types("subject_token_type", (ACCESS_TOKEN, JWT, ID_TOKEN), wanted.subject_type)
    if wanted.requested_type not in ("", ACCESS_TOKEN, JWT):
        return _types("requested_token_type", (ACCESS_TOKEN, JWT), wanted.requested_type)
    if wanted.has_actor != bool(wanted.actor_type):
        return _types("actor_token_type", ("with actor_token, and only then",), wanted.actor_type or "nothing")
    if wanted.actor_type not in ("", ACCESS_TOKEN, JWT):
        return _types("actor_token_type", (ACCESS_TOKEN, JWT), wanted.actor_type)
    return Seen(wanted.subject_type)


@check("RFC 8693 §2.1")
def the_subject_token_is_ours_and_alive(case: Case) -> Seen | Refusal:
    """The subject token was cut here, has not expired, and neither it nor its grant was revoked."""
    return _alive(case.subject, case.now)


@check("RFC 8693 §5")
def the_subject_is_still_here(case: Case) -> Seen | Refusal:
    """Whom the subject token speaks of still has an account."""
    if case.subject.gone:
        return Refusal(TOKEN_UNUSABLE, "the subject is gone or disabled", "an account", "none")
    return Seen(case.subject.subject)


@check("RFC 8693 §2.1")
def the_actor_token_is_ours_and_alive(case: Case) -> Seen | Refusal:
    """The actor token was cut here and is alive, as is its subject's account, or an issuer that is trusted vouches by it."""
    if not case.wanted.has_actor:
        return Seen("none was sent")
    if case.actor.problem:
        why = case.actor.problem
        return Refusal(TOKEN_UNUSABLE, f"another issuer's word for the actor: {why.reason}", why.expected, why.found)
    if case.actor.gone:
        return Refusal(TOKEN_UNUSABLE, "the actor is gone or disabled", "an account", "none")
    return _alive(case.actor, case.now)


@check("RFC 8693 §2.1")
def the_token_was_meant_for_the_client(case: Case) -> Seen | Refusal:
    """A client exchanges its own tokens, and if it can prove itself, or its platform does, those for a resource that it may use."""
    subject, client = case.subject, case.client
    if subject.client_id == client.id:
        return Seen("its own token")
    if client.public and not case.actor.vouched:
        return Refusal(NOT_FOR_CLIENT, "a public client sent another client's token", client.id, subject.client_id)
    mine = (client.id, *resources_of(client, case.policy))
    if case.wanted.subject_type == ID_TOKEN or not set(mine) & set(subject.reach.audience):
        found = subject.client_id if case.wanted.subject_type == ID_TOKEN else " ".join(subject.reach.audience)
        return Refusal(NOT_FOR_CLIENT, "the token is for somebody else", " or ".join(mine), found)
    return Seen(" ".join(subject.reach.audience), " or ".join(mine))


@check("RFC 9449 §7")
def the_key_of_a_bound_token_is_proved(case: Case) -> Seen | Refusal:
    """Whoever exchanges a token that is bound to a key proves that key; no exchange loosens a binding."""
    for token in (case.subject, case.actor):
        bound = token.says("cnf")
        for kind, expected in (bound if isinstance(bound, Mapping) else {}).items():
            found = case.ask.proved.get(kind)
            if found != expected:
                return Refusal(BINDING_LOST, "the token is bound to a key", str(expected), found or "no proof")
    return Seen(", ".join(case.ask.proved.values()) or "not bound")


@check("RFC 8693 §4.1")
def the_actor_token_is_the_callers(case: Case) -> Seen | Refusal:
    """The actor token was given to the client that presents it, and nobody else acts behind it."""
    if not case.wanted.has_actor:
        return Seen("none was sent")
    owner = case.actor.client_id
    if owner != case.client.id:
        return Refusal(ACTOR_STRANGE, "the actor token was given to another client", case.client.id, owner)
    if case.actor.says("act") is not None:
        return Refusal(ACTOR_STRANGE, "somebody else acts behind the actor", "no act", "act")
    return Seen(case.actor.subject)


@check("RFC 8693 §4.4")
def the_actor_may_act(case: Case) -> Seen | Refusal:
    """Where the subject token says who may act, it is they who act; policy can ask every token to say it."""
    gate = case.subject.says("may_act")
    if case.own:
        return Seen("nobody new acts")
    if gate is None and not case.policy.require_may_act:
        return Seen("not restricted")
    if not isinstance(gate, dict) or not gate:
        return Refusal(MAY_NOT_ACT, "the subject token names nobody who may act", "a may_act claim", repr(gate))
    wrong = sorted(name for name, value in gate.items() if case.acting.get(name) != value)
    if wrong:
        found = ", ".join(f"{name} {case.acting.get(name)!r}" for name in wrong)
        expected = ", ".join(f"{name} {gate[name]!r}" for name in wrong)
        return Refusal(MAY_NOT_ACT, "the subject token lets somebody else act", expected, found)
    return Seen(str(gate))


@check("RFC 8693 §4.1")
def everyone_in_the_chain_may_still_act(case: Case) -> Seen | Refusal:
    """No agent behind the old token, nor the caller, is paused or revoked, or was taken back by the person."""
    refusal = stopped(case.subject.hops)
    return refusal or Seen(", ".join(one.id for one in case.subject.hops) or "nobody acts")


@check("RFC 8693 §4.1")
def the_chain_of_actors_is_short(case: Case) -> Seen | Refusal:
    """Only so many act one behind the other, or nobody could say who did what."""
    length, most = _length(chain_of(case)), case.policy.max_actors
    if length > most:
        return Refusal(CHAIN_LONG, f"{length} actors would stand in the chain", f"at most {most}", str(length))
    return Seen(f"{length} in the chain", f"at most {most}")


@check("RFC 8693 §2.1")
def the_scopes_are_within_the_subjects(case: Case) -> Seen | Refusal:
    """The scopes asked for are in the subject token, and the client may have them."""
    asked, there = case.ask.scopes, case.subject.reach.scopes
    if not asked <= there:
        return Refusal(
            BEYOND_SUBJECT, f"{min(asked - there)!r} is not in the subject token", " ".join(sorted(there)), min(asked)
        )
    return unknown_scope(asked, case.client, case.policy) or Seen(" ".join(sorted(asked)) or "none named")


@check("RFC 8693 §2.1")
def the_actors_issuer_is_trusted_that_far(case: Case) -> Seen | Refusal:
    """Where another issuer vouches for the caller, its word is enough for the scopes asked for."""
    excess = case.ask.scopes - case.actor.most if case.actor.vouched else frozenset[str]()
    if excess:
        most = " ".join(sorted(case.actor.most))
        reason = f"the word of the actor's issuer is not enough for {min(excess)!r}"
        return Refusal(BEYOND_ITS_WORD, reason, most, min(excess))
    return Seen(" ".join(sorted(case.actor.most)) if case.actor.vouched else "nobody else vouches")


@check("RFC 8693 §2.2.2")
def the_targets_are_within_the_subjects(case: Case) -> Seen | Refusal:
    """Every resource and audience named is one of the subject token's, and the client may use it."""
    there, targets = case.subject.reach.audience, case.wanted.targets
    for one in targets:
        if registered_spelling(one, there) is None:
            return Refusal(TARGET_UNKNOWN, f"the subject token is not for {one!r}", " or ".join(there), one)
    return unknown_target(targets, case.client, case.policy) or Seen(" ".join(targets) or "none named")


@check("RFC 8693 §2.2.2")
def something_is_left(case: Case) -> Seen | Refusal:
    """What the subject token opens and what the client may have meet somewhere."""
    opened = case.opened
    if not opened.audience or (case.subject.reach.scopes and not opened.scopes):
        there, may = case.subject.reach.scopes, case.client.scopes
        return Refusal(BEYOND_SUBJECT, "nothing would be left", " ".join(sorted(there)), " ".join(sorted(may)))
    return Seen(" ".join(sorted(opened.scopes)))


@check("RFC 9396 §6")
def the_details_are_within_the_subjects(case: Case) -> Seen | Refusal:
    """Authorization details named here are within those of the subject token."""
    sent = case.ask.sent.get(details.PARAMETER)
    return details.judged_within(sent, _details(case.subject), case.policy)


CHECKS = (
    the_types_are_ones_we_take,
    the_subject_token_is_ours_and_alive,
    the_subject_is_still_here,
    the_actor_token_is_ours_and_alive,
    the_token_was_meant_for_the_client,
    the_key_of_a_bound_token_is_proved,
    the_actor_token_is_the_callers,
    the_actor_may_act,
    everyone_in_the_chain_may_still_act,
    the_chain_of_actors_is_short,
    the_scopes_are_within_the_subjects,
    the_actors_issuer_is_trusted_that_far,
    the_targets_are_within_the_subjects,
    the_details_are_within_the_subjects,
    something_is_left,
)

TYPE_NOT_TAKEN = Page(
    "IK270",
    INVALID_REQUEST,
    "A token type that is not exchanged here",
    "subject_token_type, actor_token_type or requested_token_type names another type than an access token or, for "
    "the subject, an ID token of this issuer; or the actor's token came without its type.",
    "Send an access token with urn:ietf:params:oauth:token-type:access_token, and ask for one.",
    "A token type of the request is not supported.",
)
TOKEN_UNUSABLE = Page(
    "IK271",
    INVALID_REQUEST,
    "The token to exchange is of no use",
    "The subject or actor token was not cut here, is of another type than said, expired, was revoked, or its "
    "subject has no account any more.",
    "Get a new token and exchange that.",
    "The subject or actor token is not valid.",
)
NOT_FOR_CLIENT = Page(
    "IK272",
    INVALID_REQUEST,
    "The token was not meant for this client",
    "The subject token was given to another client, and its audience is no resource that this client may use; or "
    "the client is public, or the token is an ID token.",
    "Exchange a token that was sent to your own API, or let the client use the resource that the token is for.",
    "The subject token is not meant for this client.",
)
BINDING_LOST = Page(
    "IK273",
    INVALID_REQUEST,
    "The exchange would loosen a binding",
    "The token is bound to a key (cnf). Whoever exchanges it must prove that very key, or a stolen token could be "
    "made into one that is bound to the thief's key, or to none.",
    "Send a DPoP proof, or use the certificate, of the key that the token is bound to.",
    "The token is bound to a key that the request does not prove.",
)
ACTOR_STRANGE = Page(
    "IK274",
    INVALID_REQUEST,
    "The actor token is not the caller's own",
    "The actor token was given to another client, or it says itself that somebody acts behind it.",
    "Send an access token that the calling client was given for itself, for example by client credentials.",
    "The actor token is not valid for this client.",
)
MAY_NOT_ACT = Page(
    "IK275",
    INVALID_REQUEST,
    "This actor may not act for the subject",
    "The subject token's may_act claim names somebody else; or the realm asks for that claim and there is none.",
    "Exchange it as the actor that the token names, or register that actor with the client the token is given to.",
    "The actor is not authorized to act for the subject.",
)
CHAIN_LONG = Page(
    "IK276",
    INVALID_REQUEST,
    "Too many actors in a row",
    "Each exchange adds an actor to the chain in act, and the policy allows only so many.",
    "Let the agents exchange the first token instead of each other's, or raise the limit.",
    "The chain of actors is too long.",
)
BEYOND_SUBJECT = Page(
    "IK277",
    INVALID_SCOPE,
    "An exchange asked for more than the subject token has",
    "An exchange only narrows: scopes must be in the subject token, and the client must be allowed them, too.",
    "Ask for a subset of the subject token's scopes that the client is registered for, or for none in particular.",
    "The requested scope exceeds that of the subject token.",
)
BEYOND_ITS_WORD = Page(
    "IK1512",
    INVALID_SCOPE,
    "The word of the actor's issuer is not enough for the scope",
    "The actor token is another issuer's, whose word for this client is taken for some scopes only: those of its "
    "[[trusted_issuer]], and of the rule in [[trusted_issuer.workloads]] that the program fits.",
    "Ask for less, let the client prove itself with credentials of its own, or widen the scopes in the settings.",
    "The requested scope exceeds what the actor token is trusted for.",
)


def _bindings(subject: Presented) -> dict[str, str]:
    """The keys that the old token is bound to: the new one is bound to them, too, whoever it is given to."""
    bound = subject.says("cnf")
    return {kind: key for kind, key in bound.items() if isinstance(key, str)} if isinstance(bound, Mapping) else {}


def _details(subject: Presented) -> tuple[dict[str, Any], ...]:
    """What the old token says finer than in scopes: the new one says as much at most."""
    said = subject.says(details.PARAMETER)
    return tuple(one for one in said if isinstance(one, dict)) if isinstance(said, list) else ()


def _alive(token: Presented, now: int) -> Seen | Refusal:
    if token.claims is None:
        return Refusal(TOKEN_UNUSABLE, "not a token of this issuer, or of another type than said", "ours", "another")
    expires = token.claims["exp"]
    if expires <= now:
        return Refusal(TOKEN_UNUSABLE, f"it expired {now - expires} s ago", "not expired", "expired")
    if token.revoked or (token.grant is not None and token.grant.revoked_at is not None):
        return Refusal(TOKEN_UNUSABLE, "the token or its grant was revoked", "standing", "revoked")
    return Seen(f"{expires - now} s left")


def _types(name: str, expected: tuple[str, ...], found: str) -> Refusal:
    return Refusal(TYPE_NOT_TAKEN, f"{name} is not one that is taken", " or ".join(expected), found or "nothing")


def chain_of(case: Case) -> dict[str, Any] | None:
    """The ``act`` claim of the new token: whoever acts now, and nested in it whoever acted before (§4.1)."""
    before = case.subject.says("act")
    if case.own:
        return before if isinstance(before, dict) else None
    now = {"sub": case.acting.get("sub", "")}
    return {**now, "act": before} if isinstance(before, dict) else now


def _length(chain: object) -> int:
    length = 0
    while isinstance(chain, dict):
        length, chain = length + 1, chain.get("act")
    return length


def _acting(case: Case) -> tuple[str, ...]:
    """Those who would act, the client first and the one nearest to the person last."""
    chain, found = chain_of(case), list[str]()
    while isinstance(chain, dict):
        found.append(str(chain.get("sub")))
        chain = chain.get("act")
    return tuple(found)


def _left(case: Case) -> list[int]:
    """The seconds that each of the tokens has left."""
    return [one.says("exp") - case.now for one in (case.subject, case.actor) if one.claims]
