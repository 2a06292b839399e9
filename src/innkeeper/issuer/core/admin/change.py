"""May a planned change be carried out: it is to what was seen, nobody is raised by it, somebody is left who administers."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.admin.plan import Plan
from innkeeper.protocol.errors import ACCESS_DENIED, INVALID_REQUEST
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check


class Actor(msgspec.Struct, frozen=True):
    """Who administers. ``who`` is them in words, for the audit log; ``sub`` the person, "" for a program or an operator at
    the machine; ``permissions`` what they may do here and now."""

    who: str
    permissions: frozenset[str]
    sub: str = ""
    client: str = ""
    operator: bool = False


class Change(msgspec.Struct, frozen=True):
    """A plan that somebody wants to carry out. ``expected`` is the version that they saw, None where they name none;
    ``others`` says whether, once it is done, somebody else can still do everything."""

    plan: Plan
    actor: Actor
    expected: str | None
    others: bool = True


@check("RFC 6585 §3")
def the_version_is_named(change: Change) -> Seen | Refusal:
    """Whoever changes something says which version of it they saw."""
    if change.plan.version and change.expected is None:
        hint = f'Send If-Match: "{change.plan.version}", the ETag with which it was read.'
        return Refusal(VERSION_MISSING, "no version was named", "If-Match", "none", hint)
    return Seen(change.expected or "there is none yet")


@check("RFC 9110 §13.1.1")
def it_is_still_as_it_was_seen(change: Change) -> Seen | Refusal:
    """Nobody changed the thing since it was read: no change undoes another unseen."""
    seen, now = change.expected or "", change.plan.version
    if seen not in (now, "*") and now:
        return Refusal(CHANGED_MEANWHILE, f"{change.plan.what} {change.plan.key!r} has changed", now, seen)
    return Seen(now or "new")


@check("RFC 9700 §2.3")
def nobody_is_raised_above_whoever_does_it(change: Change) -> Seen | Refusal:
    """Nobody touches a person or client with rights that they lack themselves, nor gives away such rights."""
    plan, own = change.plan, change.actor.permissions
    beyond = (plan.before_permissions | plan.after_permissions) - own
    if beyond:
        reason = f"{plan.what} {plan.key!r} has or would get rights that {change.actor.who} lacks"
        return Refusal(BEYOND_OWN_RIGHTS, reason, " ".join(sorted(own)), " ".join(sorted(beyond)))
    return Seen("no more than their own")


@check("NIST SP 800-53 AC-5")
def nobody_shuts_themselves_out(change: Change) -> Seen | Refusal:
    """Administrators neither lock nor erase themselves, nor take their own roles away."""
    plan, actor = change.plan, change.actor
    own = bool(actor.sub) and plan.sub == actor.sub
    if own and (plan.shuts or plan.before_permissions - plan.after_permissions):
        return Refusal(SHUTS_ONESELF_OUT, f"{actor.who} would shut themselves out", "another person", actor.sub)
    return Seen("another's" if plan.sub else "no person")


@check("NIST SP 800-53 AC-2")
def somebody_is_left_who_does_everything(change: Change) -> Seen | Refusal:
    """After the change there is still somebody with the role admin whose account is open."""
    if not change.others and not change.actor.operator:
        return Refusal(LAST_ADMIN, f"{change.plan.key!r} is the last who may do everything", "another one", "none")
    return Seen("somebody is left")


CHANGE_CHECKS = (
    the_version_is_named,
    it_is_still_as_it_was_seen,
    nobody_is_raised_above_whoever_does_it,
    nobody_shuts_themselves_out,
    somebody_is_left_who_does_everything,
)

VERSION_MISSING = Page(
    "IK1605",
    INVALID_REQUEST,
    "The change names no version",
    "A change to something that exists has to say which version was seen, so that it undoes no other change unseen.",
    "Read it first, and send its ETag as If-Match.",
    "If-Match with the ETag that was read is needed.",
    428,
)
CHANGED_MEANWHILE = Page(
    "IK1606",
    INVALID_REQUEST,
    "It was changed meanwhile",
    "Somebody else changed the same thing after it was read.",
    "Read it again, look whether the change is still wanted, and make it then.",
    "It was changed meanwhile. Read it again.",
    412,
)
BEYOND_OWN_RIGHTS = Page(
    "IK1607",
    ACCESS_DENIED,
    "That is beyond one's own rights",
    "Who may change people or clients could otherwise make themselves, or a client of theirs, an administrator of more.",
    "Have somebody do it who has all the rights that the person or client has or is to get.",
    "The person or client has, or would get, more rights than you have.",
    403,
)
SHUTS_ONESELF_OUT = Page(
    "IK1608",
    ACCESS_DENIED,
    "Administrators do not shut themselves out",
    "Locking or erasing oneself, or taking one's own rights away, is mostly a slip, and cannot be taken back by oneself.",
    "Have another administrator do it.",
    "You would shut yourself out. Somebody else has to do this.",
    409,
)
LAST_ADMIN = Page(
    "IK1609",
    ACCESS_DENIED,
    "Nobody would be left who administers",
    "The person is the last one with the role admin whose account is open.",
    "Give the role to somebody else first; at the machine itself, `innkeeper admin revoke` takes the last one away too.",
    "The last administrator cannot be taken away.",
    409,
)
UNKNOWN_THING = Page(
    "IK1610",
    INVALID_REQUEST,
    "There is no such thing",
    "What the address names was removed, never was, or belongs to another realm.",
    "Look at the list, and take the id from there.",
    "There is nothing by that id.",
    404,
)
UNFIT = Page(
    "IK1611",
    INVALID_REQUEST,
    "What was sent does not fit",
    "A member is unknown, of another kind than it has to be, or breaks a rule.",
    "Read which value and which rule it is, mend it and send it again; openapi.json says what each change takes.",
    "A value does not fit.",
    422,
)
UNREADABLE = Page(
    "IK1612",
    INVALID_REQUEST,
    "What was sent cannot be read",
    "The body is no JSON object, has a member twice, or came under another content type.",
    "Send one JSON object as application/json.",
    "The body is not a JSON object.",
    400,
)
ALREADY_THERE = Page(
    "IK1613",
    INVALID_REQUEST,
    "It is there already",
    "Something by the same id or name was made before, perhaps in the same moment.",
    "Choose another id or name, or change what is there.",
    "There is one by that id or name already.",
    409,
)
NOT_OUR_PAGE = Page(
    "IK1614",
    ACCESS_DENIED,
    "The form did not come from the console",
    "Another site sent it, the page was too old, or cookies are off. Nothing was changed.",
    "Open the console anew and make the change there.",
    "This form did not come from our page, or it is out of date. Nothing was changed.",
    403,
)
NOT_THIS_METHOD = Page(
    "IK1615",
    INVALID_REQUEST,
    "The address does not take this method",
    "The admin API reads by GET and changes by POST, PATCH and DELETE, as openapi.json lists.",
    "Use a method that the Allow header names.",
    "This address does not take this method.",
    405,
)
TOO_LARGE = Page(
    "IK1616",
    INVALID_REQUEST,
    "The body is too long",
    "No change that anybody makes by hand is that long.",
    "Make the change in several parts.",
    "The body is too long.",
    413,
)
