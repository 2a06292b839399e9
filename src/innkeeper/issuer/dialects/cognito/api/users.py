"""Operations of administrators on users."""

from __future__ import annotations

import re

import msgspec

from innkeeper.issuer.core.cognito import accounts as words
from innkeeper.issuer.core.cognito.administration import PARAMETER_BAD
from innkeeper.issuer.core.cognito.records import CONFIRMED, FORCE_CHANGE_PASSWORD, RESET_REQUIRED, User
from innkeeper.issuer.core.cognito.sign_in import EMAIL_OTP, SMS_MFA, SOFTWARE_TOKEN
from innkeeper.issuer.core.effects import RevokeGrant
from innkeeper.issuer.desk.cognito import accounts
from innkeeper.issuer.desk.cognito.declined import Declined, demand
from innkeeper.issuer.desk.cognito.twin import OpenPool, Place
from innkeeper.issuer.desk.cognito.users import (
    aliases,
    all_users,
    put,
    removed,
    taken_alias,
    the_user,
    with_account,
    with_attributes,
)
from innkeeper.issuer.dialects.cognito.api.documents import factors_document, user_document
from innkeeper.issuer.dialects.cognito.api.operation import (
    Attribute,
    Input,
    OfPool,
    OfUser,
    Operation,
    Output,
    listed,
    operation,
    texts,
)
from innkeeper.issuer.dialects.cognito.api.paging import page
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import at_the_door

NO_CLIENT = "CLIENT_ID_NOT_APPLICABLE"


class AdminCreateUser(OfUser, frozen=True, kw_only=True):
    user_attributes: list[Attribute] = []
    temporary_password: str = ""
    message_action: str = ""
    desired_delivery_mediums: list[str] = []


async def create(place: Place, ask: AdminCreateUser) -> Output:
    pool = await place.pool(ask.user_pool_id)
    if ask.message_action == "RESEND":
        return {"User": user_document(await _invited_again(pool, ask))}
    said = {name: text for name, text in texts(ask.user_attributes).items() if name != "sub"}
    silent = ask.message_action == "SUPPRESS"
    user = await accounts.create_by_admin(pool, ask.username, said, ask.temporary_password, silent=silent)
    return {"User": user_document(user)}


async def _invited_again(pool: OpenPool, ask: AdminCreateUser) -> User:
    user = await the_user(pool, ask.username)
    if user.account.status != FORCE_CHANGE_PASSWORD:
        said = "Resend not possible. User status is not FORCE_CHANGE_PASSWORD"
        refusal = Refusal(
            words.STATE_BAD, "the user is not waiting", FORCE_CHANGE_PASSWORD, user.account.status, said=said
        )
        raise Declined(at_the_door("invitation", refusal, "Cognito API: AdminCreateUser"), refusal)
    password = ask.temporary_password or accounts.temporary_password()
    until = accounts.temporary_until(pool)
    changed = await accounts.set_password(pool, user, password, FORCE_CHANGE_PASSWORD, until=until)
    await accounts.invite(pool, changed, password)
    return changed


class AdminSetUserPassword(OfUser, frozen=True, kw_only=True):
    password: str
    permanent: bool = False


async def set_password(place: Place, ask: AdminSetUserPassword) -> Output:
    pool = await place.pool(ask.user_pool_id)
    user = await the_user(pool, ask.username)
    status = CONFIRMED if ask.permanent else FORCE_CHANGE_PASSWORD
    until = 0 if ask.permanent else accounts.temporary_until(pool)
    await accounts.set_password(pool, user, ask.password, status, until=until)
    return {}


async def get(place: Place, ask: OfUser) -> Output:
    user = await the_user(await place.pool(ask.user_pool_id), ask.username)
    told = {name: value for name, value in user_document(user).items() if name != "Attributes"}
    return {**told, "UserAttributes": listed(user.attributes), **factors_document(user)}


async def delete(place: Place, ask: OfUser) -> Output:
    pool = await place.pool(ask.user_pool_id)
    await pool.store.commit(await removed(pool, await the_user(pool, ask.username)))
    return {}


async def _switched(place: Place, ask: OfUser, *, disabled: bool) -> Output:
    pool = await place.pool(ask.user_pool_id)
    user = await the_user(pool, ask.username)
    changed = User(msgspec.structs.replace(user.person, disabled=disabled), user.account, user.version)
    ends = await ended(pool, user) if disabled else []
    await pool.store.commit([*put(changed, user, pool.now()), *ends])
    return {}


async def enable(place: Place, ask: OfUser) -> Output:
    return await _switched(place, ask, disabled=False)


async def disable(place: Place, ask: OfUser) -> Output:
    return await _switched(place, ask, disabled=True)


async def ended(pool: OpenPool, user: User) -> list[RevokeGrant]:
    """What ends every sign-in of a user."""
    return [RevokeGrant(one.id, pool.now()) for one in await pool.store.grants(user.sub) if one.revoked_at is None]


async def sign_out(place: Place, ask: OfUser) -> Output:
    pool = await place.pool(ask.user_pool_id)
    await pool.store.commit(await ended(pool, await the_user(pool, ask.username)))
    return {}


async def confirm(place: Place, ask: OfUser) -> Output:
    pool = await place.pool(ask.user_pool_id)
    await accounts.confirm(pool, NO_CLIENT, await the_user(pool, ask.username), None)
    return {}


async def reset(place: Place, ask: OfUser) -> Output:
    pool = await place.pool(ask.user_pool_id)
    user = await the_user(pool, ask.username)
    await accounts.forget_password(pool, NO_CLIENT, user)
    await pool.store.commit(put(with_account(user, status=RESET_REQUIRED), user, pool.now()))
    return {}


class AdminUpdateUserAttributes(OfUser, frozen=True, kw_only=True):
    user_attributes: list[Attribute]


async def update_attributes(place: Place, ask: AdminUpdateUserAttributes) -> Output:
    pool = await place.pool(ask.user_pool_id)
    user, said = await the_user(pool, ask.username), texts(ask.user_attributes)
    demand("attributes", words.CHANGE_CHECKS, words.Change(pool.pool, said, None, user))
    await save(pool, user, with_attributes(user, said))
    return {}


async def save(pool: OpenPool, before: User, changed: User) -> None:
    """Remember changed attributes, with the names that they stand for. Raises ``Declined`` where one is somebody's."""
    clash = await taken_alias(pool, changed)
    demand("alias", words.ALIAS_CHECKS, words.NewUser(pool.pool, changed.username, {}, None, taken=False, alias=clash))
    await pool.store.commit([*put(changed, before, pool.now()), *await aliases(pool, changed, before)])


class AdminDeleteUserAttributes(OfUser, frozen=True, kw_only=True):
    user_attribute_names: list[str]


async def delete_attributes(place: Place, ask: AdminDeleteUserAttributes) -> Output:
    pool = await place.pool(ask.user_pool_id)
    user = await the_user(pool, ask.username)
    await save(pool, user, with_attributes(user, {}, ask.user_attribute_names))
    return {}


class Preference(Input, frozen=True, kw_only=True):
    enabled: bool = False
    preferred_mfa: bool = False


class Preferences(Input, frozen=True, kw_only=True):
    sms: Preference | None = msgspec.field(default=None, name="SMSMfaSettings")
    software: Preference | None = msgspec.field(default=None, name="SoftwareTokenMfaSettings")
    email: Preference | None = msgspec.field(default=None, name="EmailMfaSettings")


class AdminSetUserMFAPreference(Preferences, frozen=True, kw_only=True):
    user_pool_id: str
    username: str


async def prefer(place: Place, ask: AdminSetUserMFAPreference) -> Output:
    pool = await place.pool(ask.user_pool_id)
    await set_preferences(pool, await the_user(pool, ask.username), ask)
    return {}


async def set_preferences(pool: OpenPool, user: User, ask: Preferences) -> None:
    """Choose second factors. Raises ``Declined`` for one that the user has not set up."""
    account = user.account
    chosen, preferred, totp = list(account.factors), account.preferred, account.totp_on
    for name, wish in ((SMS_MFA, ask.sms), (EMAIL_OTP, ask.email), (SOFTWARE_TOKEN, ask.software)):
        if wish is None:
            continue
        if name == SOFTWARE_TOKEN:
            if wish.enabled and not account.totp:
                raise _bad("no authenticator was set up", "User has not verified software token mfa")
            totp = wish.enabled
        else:
            chosen = [one for one in chosen if one != name] + ([name] if wish.enabled else [])
        if wish.preferred_mfa:
            preferred = name
        elif preferred == name:
            preferred = ""
    changed = with_account(user, factors=tuple(chosen), preferred=preferred, totp_on=totp)
    await pool.store.commit(put(changed, user, pool.now()))


class ListUsers(OfPool, frozen=True, kw_only=True):
    attributes_to_get: list[str] | None = None
    limit: int | None = None
    pagination_token: str | None = None
    filter: str = ""


async def list_users(place: Place, ask: ListUsers) -> Output:
    pool = await place.pool(ask.user_pool_id)
    fits = _filter(ask.filter)
    found = [one for one in await all_users(pool) if fits is None or fits.fits(one)]
    limit = 60 if ask.limit is None else ask.limit
    shown, more = page(found, lambda one: one.username, limit, 60, ask.pagination_token)
    told = [user_document(one, ask.attributes_to_get) for one in shown]
    return {"Users": told, **({"PaginationToken": more} if more else {})}


_FILTER = re.compile(r"\s*(?P<name>[\w:-]+)\s*(?P<how>\^?=)\s*\"(?P<value>(?:[^\"\\]|\\.)*)\"\s*")
SEARCHED = frozenset(
    [
        "username",
        "email",
        "phone_number",
        "name",
        "given_name",
        "family_name",
        "preferred_username",
        "cognito:user_status",
        "status",
        "sub",
    ]
)


class _Filter(msgspec.Struct, frozen=True):
    name: str
    value: str
    prefix: bool

    def fits(self, user: User) -> bool:
        own = {
            "username": user.username,
            "cognito:user_status": user.account.status,
            "status": "Disabled" if user.person.disabled else "Enabled",
        }
        found = own.get(self.name, user.attributes.get(self.name))
        if found is None:
            return False
        return found.startswith(self.value) if self.prefix else found == self.value


def _filter(text: str) -> _Filter | None:
    """The filter, None where there is none. Raises ``Declined`` for one that cannot be read."""
    if not text:
        return None
    found = _FILTER.fullmatch(text)
    if found is None or found["name"] not in SEARCHED:
        raise _bad(f"the filter {text!r} cannot be read", f"Error while parsing filter: {text}")
    value = re.sub(r"\\(.)", r"\1", found["value"])
    return _Filter(found["name"], value, found["how"] == "^=")


def _bad(reason: str, said: str) -> Declined:
    refusal = Refusal(PARAMETER_BAD, reason, "a value that fits", "another", said=said)
    return Declined(at_the_door("users", refusal, "Cognito API: parameters"), refusal)


OPERATIONS: dict[str, Operation] = {
    "AdminCreateUser": operation(AdminCreateUser, create),
    "AdminSetUserPassword": operation(AdminSetUserPassword, set_password),
    "AdminGetUser": operation(OfUser, get),
    "AdminDeleteUser": operation(OfUser, delete),
    "AdminEnableUser": operation(OfUser, enable),
    "AdminDisableUser": operation(OfUser, disable),
    "AdminUserGlobalSignOut": operation(OfUser, sign_out),
    "AdminConfirmSignUp": operation(OfUser, confirm),
    "AdminResetUserPassword": operation(OfUser, reset),
    "AdminUpdateUserAttributes": operation(AdminUpdateUserAttributes, update_attributes),
    "AdminDeleteUserAttributes": operation(AdminDeleteUserAttributes, delete_attributes),
    "AdminSetUserMFAPreference": operation(AdminSetUserMFAPreference, prefer),
    "ListUsers": operation(ListUsers, list_users),
}
