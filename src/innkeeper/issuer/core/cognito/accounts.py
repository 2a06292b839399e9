"""Accounts of a pool: who may be made, what may be set, which codes are good."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from innkeeper.issuer.core.cognito.attributes import immutable, problem_with, required
from innkeeper.issuer.core.cognito.records import UNCONFIRMED, AppClient, Pool, User
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check


class NewUser(msgspec.Struct, frozen=True):
    """``taken`` says that somebody has the name, ``alias`` the attribute that is somebody's already; ``client`` is None
    where an administrator makes the user."""

    pool: Pool
    username: str
    attributes: Mapping[str, str]
    client: AppClient | None
    taken: bool
    alias: str = ""


@check("Cognito user pool: AllowAdminCreateUserOnly")
def people_may_sign_up(case: NewUser) -> Seen | Refusal:
    """The pool lets people sign up by themselves."""
    if case.client is not None and case.pool.admin_creates_only:
        return Refusal(NO_SIGN_UP, "AllowAdminCreateUserOnly is on", "off", "on")
    return Seen("they may" if case.client else "an administrator may")


@check("Cognito user pool: UsernameAttributes")
def the_name_is_what_the_pool_wants(case: NewUser) -> Seen | Refusal:
    """In a pool that is named by e-mail address or telephone number, the name is one."""
    kinds = case.pool.named_by
    fits = {"email": "@" in case.username, "phone_number": case.username[:1] == "+"}
    if kinds and not any(fits.get(one, False) for one in kinds):
        said = f"Username should be {' or '.join({'email': 'an email', 'phone_number': 'a phone number'}[one] for one in kinds)}."
        return Refusal(ATTRIBUTE_BAD, "the name is no address", " or ".join(kinds), case.username, said=said)
    if "email" in case.pool.aliases and "@" in case.username:
        said = "Username cannot be of email format, since user pool is configured for email alias."
        return Refusal(ATTRIBUTE_BAD, "the name looks like an alias", "a name without @", case.username, said=said)
    return Seen(case.username)


@check("Cognito API: UsernameExistsException")
def the_name_is_free(case: NewUser) -> Seen | Refusal:
    """Nobody in the pool has the name."""
    if case.taken:
        said = "User already exists" if case.client else "User account already exists"
        return Refusal(NAME_TAKEN, "somebody has that name", "a free name", case.username, said=said)
    return Seen("free")


@check("Cognito API: AliasExistsException")
def the_address_is_nobodys_name(case: NewUser) -> Seen | Refusal:
    """No other user signs in with the address."""
    if case.alias:
        said = f"An account with the {case.alias.replace('_number', ' number')} already exists."
        return Refusal(ALIAS_TAKEN, "somebody signs in with it", "a free one", case.alias, said=said)
    return Seen("free")


class Change(msgspec.Struct, frozen=True):
    """Attributes to be set: of a new user (``user`` None) or of one who is here; ``client`` None for an administrator."""

    pool: Pool
    attributes: Mapping[str, str]
    client: AppClient | None
    user: User | None = None


@check("Cognito app client: WriteAttributes")
def the_client_may_write_them(case: Change) -> Seen | Refusal:
    """The client may write every attribute; what says that an address was verified is never a client's to write."""
    for name in case.attributes:
        own = case.client is None or (case.client.may_write(name) and not name.endswith("_verified"))
        if not own or (name.startswith("dev:") and case.client is not None):
            return Refusal(MAY_NOT_WRITE, f"the client may not write {name}", "an attribute it may write", name)
    return Seen(sorted(case.attributes))


@check("Cognito user pool: schema")
def the_attributes_fit_the_schema(case: Change) -> Seen | Refusal:
    """Every attribute is in the pool's schema, and its value is of its kind and length."""
    problem = problem_with(case.pool, case.attributes)
    if problem:
        return Refusal(
            ATTRIBUTE_BAD, problem.strip(), "attributes of the schema", " ".join(case.attributes), said=problem
        )
    return Seen("fit")


@check("Cognito user pool: schema")
def nothing_immutable_changes(case: Change) -> Seen | Refusal:
    """An attribute that is not mutable is set once, when the user is made."""
    if case.user is not None:
        for name in case.attributes:
            if immutable(case.pool, name):
                said = f"user.{name}: Attribute cannot be updated.\n"
                return Refusal(ATTRIBUTE_BAD, f"{name} is not mutable", "a mutable one", name, said=said)
    return Seen("mutable")


@check("Cognito user pool: schema")
def what_is_required_is_there(case: Change) -> Seen | Refusal:
    """A user who signs up has every attribute that the schema requires."""
    if case.user is None and case.client is not None:
        missing = [one for one in required(case.pool) if one not in case.attributes]
        if missing:
            said = f"Attributes did not conform to the schema: {missing[0]}: The attribute is required\n"
            return Refusal(ATTRIBUTE_BAD, f"{missing[0]} is required", missing[0], "nothing", said=said)
    return Seen("there")


NAME_CHECKS = (people_may_sign_up, the_name_is_what_the_pool_wants)
FREE_CHECKS = (the_name_is_free, the_address_is_nobodys_name)
CHANGE_CHECKS = (
    the_client_may_write_them,
    the_attributes_fit_the_schema,
    nothing_immutable_changes,
    what_is_required_is_there,
)
ALIAS_CHECKS = (the_address_is_nobodys_name,)


class SentCode(msgspec.Struct, frozen=True):
    """A code that was sent: its hash, until when it is good, how often a wrong one was entered."""

    digest: bytes
    expires_at: int
    wrong: int = 0


class CodeCase(msgspec.Struct, frozen=True):
    sent: SentCode | None
    right: bool
    now: int


MOST_WRONG = 5


@check("Cognito API: CodeMismatchException")
def the_code_was_not_guessed_at(case: CodeCase) -> Seen | Refusal:
    """Not more than five wrong codes were entered for one that was sent."""
    if case.sent is not None and case.sent.wrong >= MOST_WRONG:
        return Refusal(TOO_MANY_CODES, "five wrong codes were entered", "a new code", str(case.sent.wrong))
    return Seen(f"{case.sent.wrong if case.sent else 0} wrong ones")


@check("Cognito API: ExpiredCodeException")
def the_sent_code_is_alive(case: CodeCase) -> Seen | Refusal:
    """A code was sent, and is not too old."""
    if case.sent is None or case.sent.expires_at <= case.now:
        return Refusal(CODE_OLD, "no code is waiting, or it is too old", "a code that was sent lately", "none")
    return Seen("alive")


@check("Cognito API: CodeMismatchException")
def the_code_is_the_one_sent(case: CodeCase) -> Seen | Refusal:
    """The code is the one that was sent last."""
    if not case.right:
        return Refusal(CODE_MISMATCH, "another code was sent", "the code of the last message", "another")
    return Seen("it is")


CODE_CHECKS = (the_code_was_not_guessed_at, the_sent_code_is_alive, the_code_is_the_one_sent)


@check("Cognito API: ConfirmSignUp")
def the_user_waits_to_be_confirmed(user: User) -> Seen | Refusal:
    """Only a user who signed up and has not confirmed it can be confirmed."""
    if user.account.status != UNCONFIRMED:
        said = f"User cannot be confirmed. Current status is {user.account.status}"
        return Refusal(NOT_WAITING, "the user is not waiting", UNCONFIRMED, user.account.status, said=said)
    return Seen(UNCONFIRMED)


CONFIRM_CHECKS = (the_user_waits_to_be_confirmed,)


class ReachCase(msgspec.Struct, frozen=True):
    """Where a code could be sent: the attribute, "" for nowhere."""

    user: User
    to: str


@check("Cognito user pool: account recovery")
def a_code_can_be_sent(case: ReachCase) -> Seen | Refusal:
    """The user has an address, a verified one where a password is to be recovered, that a code can be sent to."""
    if not case.to:
        said = "Cannot reset password for the user as there is no registered/verified email or phone_number"
        return Refusal(UNREACHABLE_USER, "no verified address", "a verified email or phone_number", "none", said=said)
    return Seen(case.to)


REACH_CHECKS = (a_code_can_be_sent,)

NO_SIGN_UP = Page(
    "IK1131",
    "NotAuthorizedException",
    "People cannot sign up by themselves here",
    "AllowAdminCreateUserOnly is on for the pool.",
    "Call AdminCreateUser, or switch self-registration on.",
    "SignUp is not permitted for this user pool",
    level="observed",
    console="User pool, Sign-up: Self-service sign-up.",
    terraform="admin_create_user_config { allow_admin_create_user_only = false }",
)
NAME_TAKEN = Page(
    "IK1132",
    "UsernameExistsException",
    "Somebody has that user name",
    "User names are unique in a pool, and by default A and a are the same.",
    "Choose another name, or sign in.",
    "User already exists",
    level="observed",
    console="Users: look the name up; delete or rename the old one.",
    terraform="terraform import aws_cognito_user.x POOL/NAME takes the user over.",
)
ALIAS_TAKEN = Page(
    "IK1133",
    "AliasExistsException",
    "Somebody signs in with that address",
    "An e-mail address, telephone number or preferred user name that serves as a name is one user's at a time.",
    "Use another address; on ConfirmSignUp, ForceAliasCreation takes it over.",
    "An account with the email already exists.",
    level="documented",
    console="Users: search by the address.",
    terraform="alias_attributes of aws_cognito_user_pool decide which addresses are names.",
)
ATTRIBUTE_BAD = Page(
    "IK1134",
    "InvalidParameterException",
    "An attribute does not fit the pool",
    "It is not in the pool's schema, is of another kind or length, cannot be changed, or is required and missing. Custom ones "
    "are called custom:NAME.",
    "See SchemaAttributes of DescribeUserPool; AddCustomAttributes adds one.",
    "Attributes did not conform to the schema",
    level="observed",
    console="User pool, Sign-up: Attributes.",
    terraform="schema { name, attribute_data_type, mutable, required }",
)
MAY_NOT_WRITE = Page(
    "IK1135",
    "NotAuthorizedException",
    "The app client may not write the attribute",
    "WriteAttributes of the client does not name it; email_verified and phone_number_verified are an administrator's alone.",
    "Let the client write it, or use AdminUpdateUserAttributes.",
    "A client attempted to write unauthorized attribute",
    level="observed",
    console="App client, Attribute permissions.",
    terraform='write_attributes = ["email", "name"]',
)
CODE_MISMATCH = Page(
    "IK1136",
    "CodeMismatchException",
    "The code is not the one that was sent",
    "Each new code replaces the one before; on this computer all are in the outbox.",
    "Enter the newest one.",
    "Invalid verification code provided, please try again.",
    level="observed",
)
CODE_OLD = Page(
    "IK1137",
    "ExpiredCodeException",
    "The code is too old, or none was sent",
    "Codes of a sign-up work for a day, those for a password for an hour; a code that was used is gone.",
    "Ask for a new one: ResendConfirmationCode, or ForgotPassword.",
    "Invalid code provided, please request a code again.",
    level="observed",
)
TOO_MANY_CODES = Page(
    "IK1138",
    "LimitExceededException",
    "Too many wrong codes",
    "Five wrong codes were entered for one that was sent.",
    "Ask for a new code.",
    "Attempt limit exceeded, please try after some time.",
    level="observed",
)
NOT_WAITING = Page(
    "IK1139",
    "NotAuthorizedException",
    "The user is not waiting to be confirmed",
    "The user was confirmed already, or was made by an administrator.",
    "Nothing is left to confirm: let the user sign in.",
    "User cannot be confirmed. Current status is CONFIRMED",
    level="observed",
)
UNREACHABLE_USER = Page(
    "IK1140",
    "InvalidParameterException",
    "There is nowhere to send a code to",
    "The user has no e-mail address or telephone number that was verified.",
    "Call AdminUpdateUserAttributes with email and email_verified=true.",
    "Cannot reset password for the user as there is no registered/verified email or phone_number",
    level="observed",
    console="User pool, Users: Edit user, mark the address as verified.",
    terraform='attributes = { email = "...", email_verified = true }',
)
STATE_BAD = Page(
    "IK1141",
    "UnsupportedUserStateException",
    "The user is in another state",
    "An invitation is sent again only to a user who has not chosen a password yet.",
    "Use AdminSetUserPassword.",
    "Resend not possible. User status is not FORCE_CHANGE_PASSWORD",
    level="observed",
    console="Users, the user: the account's status, and what may be done with it.",
    terraform="aws_cognito_user { enabled }.",
)
