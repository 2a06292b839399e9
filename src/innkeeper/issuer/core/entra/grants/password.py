"""A name with a password at the token endpoint: discouraged everywhere, and spoken by the cloud."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.codes import people
from innkeeper.issuer.core.records import Person
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check


class Case(msgspec.Struct, frozen=True):
    """``wait`` are seconds left to pause after wrong tries, ``matches`` what comparing the password said."""

    username: str
    tenant_name: str
    person: Person | None
    matches: bool
    wait: int


@check("AADSTS 50053")
def there_were_not_too_many_tries(case: Case) -> Seen | Refusal:
    """After several wrong passwords there is a pause."""
    if case.wait:
        return refuse(people.LOCKED, "too many wrong passwords", found=f"{case.wait} s to wait")
    return Seen("few tries")


@check("AADSTS 50034")
def somebody_has_the_name(case: Case) -> Seen | Refusal:
    """The name is a person's in the directory; unlike the house's own pages, the cloud tells which of the two is wrong."""
    if case.person is None:
        what = {"user": case.username, "tenant": case.tenant_name}
        return refuse(people.NOT_IN_DIRECTORY, "nobody by that name", found=case.username, **what)
    return Seen(case.person.username)


@check("AADSTS 50126")
def the_password_is_theirs(case: Case) -> Seen | Refusal:
    """The password, hashed, is the person's."""
    if not case.matches:
        return refuse(people.WRONG_PASSWORD, "the password is another", expected="the person's", found="another")
    return Seen("theirs")


@check("AADSTS 50057")
def the_account_is_enabled(case: Case) -> Seen | Refusal:
    """Nobody disabled the account."""
    if case.person is not None and case.person.disabled:
        return refuse(people.DISABLED, "accountEnabled is false")
    return Seen("enabled")


@check("AADSTS 50055")
def the_password_has_not_expired(case: Case) -> Seen | Refusal:
    """Nobody asked the person for a new one at the next sign-in."""
    if case.person is not None and case.person.claims.get("force_password_change"):
        return refuse(people.PASSWORD_EXPIRED, "forceChangePasswordNextSignIn is true")
    return Seen("not expired")


@check("AADSTS 50076")
def no_second_factor_is_needed(case: Case) -> Seen | Refusal:
    """Nobody set a second factor for the person, which this grant could not ask for."""
    if case.person is not None and case.person.claims.get("mfa_required"):
        return refuse(
            people.MFA_NEEDED, "the person has a second factor", resource="00000003-0000-0000-c000-000000000000"
        )
    return Seen("none")


CHECKS = (
    there_were_not_too_many_tries,
    somebody_has_the_name,
    the_password_is_theirs,
    the_account_is_enabled,
    the_password_has_not_expired,
    no_second_factor_is_needed,
)
