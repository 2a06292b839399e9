"""A user signs in to a pool: which flow, which client, which user, and what has to follow the password."""

from __future__ import annotations

from hmac import compare_digest

import msgspec

from innkeeper.issuer.core.cognito import srp
from innkeeper.issuer.core.cognito.records import (
    CONFIRMED,
    FORCE_CHANGE_PASSWORD,
    RESET_REQUIRED,
    UNCONFIRMED,
    AppClient,
    Pool,
    User,
)
from innkeeper.issuer.core.throttling import Lane, Rule
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

PASSWORD_TRIES = Rule("cognito", free=5, first=1, most=900, forget=900)
"""A second after five wrong passwords for one name, then twice as long each time, up to a quarter of an hour."""

NEW_PASSWORD, SOFTWARE_TOKEN, MFA_SETUP = "NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", "MFA_SETUP"
EMAIL_OTP, SMS_OTP, SMS_MFA, SELECT_MFA = "EMAIL_OTP", "SMS_OTP", "SMS_MFA", "SELECT_MFA_TYPE"
PASSWORD_VERIFIER, CUSTOM, SELECT = "PASSWORD_VERIFIER", "CUSTOM_CHALLENGE", "SELECT_CHALLENGE"
PASSWORD, PASSWORD_SRP = "PASSWORD", "PASSWORD_SRP"


def lanes(username: str) -> tuple[Lane, ...]:
    return (Lane(PASSWORD_TRIES, (username.casefold(),)),)


class FlowCase(msgspec.Struct, frozen=True):
    """``flow`` as it is asked for, ``needs`` the member of ExplicitAuthFlows that allows it; "" for none."""

    client: AppClient
    flow: str
    needs: str
    known: bool = True


@check("Cognito API: AuthFlow")
def the_flow_is_one_of_cognitos(case: FlowCase) -> Seen | Refusal:
    """The flow exists, and is one that this operation begins."""
    if not case.known:
        return Refusal(
            FLOW_BAD, f"no flow {case.flow!r} here", "a flow", case.flow, said="Initiate Auth method not supported."
        )
    return Seen(case.flow)


@check("Cognito app client: ExplicitAuthFlows")
def the_flow_is_enabled(case: FlowCase) -> Seen | Refusal:
    """The client's flows include it."""
    if case.needs and case.needs not in case.client.flows:
        said = f"{case.flow} flow not enabled for this client"
        allowed = " ".join(sorted(case.client.flows))
        return Refusal(FLOW_BAD, "the flow is not enabled for the client", case.needs, allowed, said=said)
    return Seen(case.flow, case.client.flows)


FLOW_CHECKS = (the_flow_is_one_of_cognitos, the_flow_is_enabled)


class HashCase(msgspec.Struct, frozen=True):
    """``secrets`` are the client's, opened; ``names`` every name that the hash may be made over."""

    client_id: str
    secrets: tuple[str, ...]
    names: tuple[str, ...]
    sent: str | None


@check("Cognito API: SECRET_HASH")
def the_secret_hash_came(case: HashCase) -> Seen | Refusal:
    """A client with a secret sends its hash with every operation that names a user."""
    if case.secrets and not case.sent:
        said = f"Client {case.client_id} is configured with secret but SECRET_HASH was not received"
        return Refusal(HASH_MISSING, "no SECRET_HASH", "SECRET_HASH", "nothing", said=said)
    return Seen("came" if case.secrets else "none is needed")


@check("Cognito API: SECRET_HASH")
def the_secret_hash_fits(case: HashCase) -> Seen | Refusal:
    """The hash is that of user name and client id under the client's secret; a client without one sends none."""
    good = [srp.secret_hash(secret, name, case.client_id) for secret in case.secrets for name in case.names]
    sent = (case.sent or "").encode()
    if (case.secrets or case.sent) and not any(compare_digest(one.encode(), sent) for one in good):
        said = f"Unable to verify secret hash for client {case.client_id}"
        why = "another hash came" if case.secrets else "the client has no secret"
        return Refusal(HASH_WRONG, why, "HMAC-SHA256(secret, user name + client id)", "another", said=said)
    return Seen("fits" if case.secrets else "none")


HASH_CHECKS = (the_secret_hash_came, the_secret_hash_fits)


class Case(msgspec.Struct, frozen=True):
    """``proved`` says that the password, or the proof of it, was right; ``wait`` seconds are left to pause."""

    client: AppClient
    name: str
    user: User | None
    proved: bool
    wait: int
    now: int


def _user(case: Case) -> User:
    if case.user is None:
        raise LookupError("no user: the_user_is_known stands before this check")
    return case.user


@check("Cognito: lockout after failed sign-ins")
def the_tries_were_few(case: Case) -> Seen | Refusal:
    """After five wrong passwords for a name there is a pause that doubles."""
    if case.wait:
        return Refusal(TOO_MANY, "too many wrong passwords", "a pause", f"{case.wait} s to wait")
    return Seen("few tries")


@check("Cognito app client: PreventUserExistenceErrors")
def the_user_is_known(case: Case) -> Seen | Refusal:
    """The pool has a user by that name; whether a stranger is told so is the client's setting."""
    if case.user is None and case.client.hides_users:
        return Refusal(PASSWORD_WRONG, "nobody by that name; the client hides that", "a user", case.name)
    if case.user is None:
        return Refusal(NOBODY, "nobody by that name", "a user", case.name)
    return Seen(case.user.sub)


@check("Cognito API: password")
def the_password_is_right(case: Case) -> Seen | Refusal:
    """The password, or the proof of it, is the user's."""
    if not case.proved:
        return Refusal(PASSWORD_WRONG, "the password is another", "the user's password", "another")
    return Seen("right")


@check("Cognito: temporary password")
def the_temporary_password_is_fresh(case: Case) -> Seen | Refusal:
    """A password that an administrator gave works for the days that the pool allows."""
    user = _user(case)
    late = case.now - user.account.temporary_until
    if user.account.status == FORCE_CHANGE_PASSWORD and user.account.temporary_until and late > 0:
        return Refusal(TEMPORARY_OLD, f"it expired {late} s ago", "a fresh one", "expired")
    return Seen("no temporary one" if not user.account.temporary_until else "fresh")


@check("Cognito user status")
def the_user_is_enabled(case: Case) -> Seen | Refusal:
    """The user was not disabled."""
    if _user(case).person.disabled:
        return Refusal(DISABLED, "an administrator disabled the user", "enabled", "disabled")
    return Seen("enabled")


@check("Cognito user status")
def the_user_is_confirmed(case: Case) -> Seen | Refusal:
    """Whoever signed up has confirmed it."""
    if _user(case).account.status == UNCONFIRMED:
        return Refusal(NOT_CONFIRMED, "the code of the sign-up was not entered yet", CONFIRMED, UNCONFIRMED)
    return Seen(_user(case).account.status)


@check("Cognito user status")
def the_password_need_not_be_reset(case: Case) -> Seen | Refusal:
    """No administrator asked for the password to be reset."""
    if _user(case).account.status == RESET_REQUIRED:
        return Refusal(RESET_FIRST, "an administrator asked for a reset", CONFIRMED, RESET_REQUIRED)
    return Seen(_user(case).account.status)


CHECKS = (
    the_tries_were_few,
    the_user_is_known,
    the_password_is_right,
    the_temporary_password_is_fresh,
    the_user_is_enabled,
    the_user_is_confirmed,
    the_password_need_not_be_reset,
)


def after_password(pool: Pool, user: User) -> str:
    """The challenge that follows a right password; "" where the user is signed in."""
    if user.account.status == FORCE_CHANGE_PASSWORD:
        return NEW_PASSWORD
    return after_new_password(pool, user)


def after_new_password(pool: Pool, user: User) -> str:
    """The second factor that is asked for, by the user's choice within what the pool allows."""
    if pool.mfa_mode == "OFF":
        return ""
    able = factors(user)
    if not able:
        return MFA_SETUP if pool.mfa_mode == "ON" else ""
    if user.account.preferred in able:
        return user.account.preferred
    return able[0] if len(able) == 1 else SELECT_MFA


def factors(user: User) -> list[str]:
    """The second factors that a user has, under the names of their challenges."""
    said = user.attributes
    chosen = user.account.factors
    has = {
        SOFTWARE_TOKEN: user.account.totp_on,
        SMS_MFA: SMS_MFA in chosen and bool(said.get("phone_number")),
        EMAIL_OTP: EMAIL_OTP in chosen and bool(said.get("email")),
    }
    return [name for name, there in has.items() if there]


FLOW_BAD = Page(
    "IK1110",
    "InvalidParameterException",
    "The sign-in flow is not enabled for the app client",
    "ExplicitAuthFlows does not name the flow; without that member a client has SRP, custom and refresh alone. "
    "Admin flows are begun with AdminInitiateAuth.",
    'Add it: ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"], with all other members of the client.',
    "Auth flow not enabled for this client",
    level="inferred",
    console="App client, Edit: Authentication flows.",
    terraform='explicit_auth_flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]',
)
HASH_MISSING = Page(
    "IK1111",
    "NotAuthorizedException",
    "SECRET_HASH is missing",
    "The app client has a secret, and the operation came without SECRET_HASH (SecretHash).",
    "Send base64(HMAC-SHA256(client secret, user name + client id)); for a browser use a client without a secret.",
    "Client is configured with secret but SECRET_HASH was not received",
    level="observed",
    console="Make an app client of the type single-page application, which has no secret.",
    terraform="generate_secret = false, on a new client.",
)
HASH_WRONG = Page(
    "IK1112",
    "NotAuthorizedException",
    "SECRET_HASH does not verify",
    "The hash was made with another secret, another client id or another name than the one sent: after a sign-in by e-mail "
    "address it is made over the user name that Cognito told (USER_ID_FOR_SRP, the sub in pools named by e-mail).",
    "Make it over the very USERNAME of the same request, and over the user name (not the alias) in later steps and refreshes.",
    "Unable to verify secret hash for client",
    level="observed",
    console="App client, Show client secret.",
    terraform="aws_cognito_user_pool_client.NAME.client_secret",
)
TOO_MANY = Page(
    "IK1113",
    "NotAuthorizedException",
    "Too many wrong passwords",
    "After five wrong passwords for a name, each further try has to wait, a second at first, then twice as long each time.",
    "Wait, at most a quarter of an hour.",
    "Password attempts exceeded",
    level="observed",
)
PASSWORD_WRONG = Page(
    "IK1114",
    "NotAuthorizedException",
    "User name and password do not match",
    "The password is another, or, where PreventUserExistenceErrors is on, nobody has the name.",
    "Try again; AdminSetUserPassword with Permanent=True sets a new one.",
    "Incorrect username or password.",
    level="observed",
    console="User pool, Users, Actions: Reset password.",
    terraform="aws_cognito_user.NAME.password",
)
NOBODY = Page(
    "IK1115",
    "UserNotFoundException",
    "Nobody by that name",
    "The pool has no such user, and the client does not hide that (PreventUserExistenceErrors is LEGACY, the API's default).",
    "Sign up first; set PreventUserExistenceErrors=ENABLED so that strangers cannot ask who is here.",
    "User does not exist.",
    level="observed",
    console="App client, Edit: Prevent user existence errors.",
    terraform='prevent_user_existence_errors = "ENABLED"',
)
TEMPORARY_OLD = Page(
    "IK1116",
    "NotAuthorizedException",
    "The temporary password has expired",
    "Temporary passwords work for TemporaryPasswordValidityDays, seven by default.",
    'Call AdminCreateUser with MessageAction="RESEND", or AdminSetUserPassword.',
    "Temporary password has expired and must be reset by an administrator.",
    level="observed",
    console="User pool, Authentication methods, Password policy.",
    terraform="password_policy { temporary_password_validity_days = 7 }",
)
DISABLED = Page(
    "IK1117",
    "NotAuthorizedException",
    "The user is disabled",
    "An administrator disabled the account.",
    "Call AdminEnableUser.",
    "User is disabled.",
    level="inferred",
    console="User pool, Users, Actions: Enable user access.",
    terraform="enabled = true on aws_cognito_user.",
)
NOT_CONFIRMED = Page(
    "IK1118",
    "UserNotConfirmedException",
    "The sign-up was not confirmed",
    "Who signed up has to enter the code that was sent; on this computer it is in the outbox.",
    "Call ConfirmSignUp with the code, or AdminConfirmSignUp.",
    "User is not confirmed.",
    level="observed",
    console="User pool, Users, Actions: Confirm account.",
    terraform="auto_verified_attributes of aws_cognito_user_pool; users that Terraform makes are confirmed.",
)
RESET_FIRST = Page(
    "IK1119",
    "PasswordResetRequiredException",
    "The password has to be reset",
    "AdminResetUserPassword was called for the user.",
    "Call ConfirmForgotPassword with the code that was sent.",
    "Password reset required for the user",
    level="documented",
    console="Users, the user: Set password.",
    terraform="aws_cognito_user { password }.",
)
