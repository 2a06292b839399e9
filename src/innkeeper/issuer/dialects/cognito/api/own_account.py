"""Operations on one's own account, opened by an access token."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.cognito import accounts as words
from innkeeper.issuer.core.cognito.attributes import VERIFIED_OF
from innkeeper.issuer.core.cognito.bearing import CHECKS
from innkeeper.issuer.core.cognito.challenges import SESSION_BAD
from innkeeper.issuer.core.cognito.endpoints import BearerCase
from innkeeper.issuer.core.cognito.records import CONFIRMED, AppClient, User
from innkeeper.issuer.core.effects import Effect
from innkeeper.issuer.desk.cognito import accounts, authenticator, codes, outbox
from innkeeper.issuer.desk.cognito.bearers import bearer_case
from innkeeper.issuer.desk.cognito.challenges import WAITING, demand_answer
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.outbox import Letter
from innkeeper.issuer.desk.cognito.sign_in import with_password
from innkeeper.issuer.desk.cognito.twin import CLIENTS, POOLS, OpenPool, Place, there
from innkeeper.issuer.desk.cognito.users import aliases, put, removed, with_attributes
from innkeeper.issuer.desk.realm import digest
from innkeeper.issuer.dialects.cognito.api.documents import factors_document
from innkeeper.issuer.dialects.cognito.api.operation import (
    Attribute,
    Input,
    OfToken,
    Operation,
    Output,
    listed,
    operation,
    texts,
)
from innkeeper.issuer.dialects.cognito.api.users import Preferences, ended, save, set_preferences
from innkeeper.keys import jws
from innkeeper.protocol.strict_json import NotStrict, read_object


class Holder(msgspec.Struct, frozen=True):
    """Whose token it is: their pool, themselves, the client that the token was given to."""

    pool: OpenPool
    user: User
    client: AppClient


async def holder(place: Place, token: str) -> Holder:
    """Who a token lets in. The pool is the one that the token names; whether that cut it is checked. Raises ``Declined``."""
    named = _pool_named(token)
    pool = await place.find(named) if named else None
    case = await bearer_case(pool, token) if pool else _NOBODY
    demand("own account", CHECKS, case)
    client = await CLIENTS.find(place.twin.account, str(case.claims["client_id"]))
    return Holder(there(pool), there(case.user), there(client).record)


_NOBODY = BearerCase("", {}, None, None, 0)


def _pool_named(token: str) -> str:
    try:
        claims = read_object(jws.parse(token).claims)
    except (jws.NotAToken, NotStrict):
        return ""
    return str(claims.get("iss", "")).rpartition("/")[2]


async def get(place: Place, ask: OfToken) -> Output:
    who = await holder(place, ask.access_token)
    readable = {name: text for name, text in who.user.attributes.items() if name == "sub" or who.client.may_read(name)}
    return {"Username": who.user.username, "UserAttributes": listed(readable), **factors_document(who.user)}


async def factors(place: Place, ask: OfToken) -> Output:
    who = await holder(place, ask.access_token)
    told = {"Username": who.user.username, "ConfiguredUserAuthFactors": ["PASSWORD"]}
    return {**told, **factors_document(who.user)}


class UpdateUserAttributes(OfToken, frozen=True, kw_only=True):
    user_attributes: list[Attribute]


async def update(place: Place, ask: UpdateUserAttributes) -> Output:
    who, said = await holder(place, ask.access_token), texts(ask.user_attributes)
    demand("attributes", words.CHANGE_CHECKS, words.Change(who.pool.pool, said, who.client, who.user))
    changed = with_attributes(who.user, said)
    await save(who.pool, who.user, changed)
    sent = [one for one in VERIFIED_OF if one in said and one in who.pool.pool.verifies]
    for attribute in sent:
        await _send(who, changed, attribute, "CustomMessage_UpdateUserAttribute")
    return {"CodeDeliveryDetailsList": [outbox.delivery(changed, one) for one in sent]}


async def _send(who: Holder, user: User, attribute: str, source: str) -> None:
    code = codes.new_code()
    letter = Letter(source=source, user=user, attribute=attribute, client_id=who.client.id, code=code)
    kept = await codes.remember(who.pool, user, codes.verifying(attribute), code)
    await who.pool.store.commit([kept, await outbox.send(who.pool, letter)])


class DeleteUserAttributes(OfToken, frozen=True, kw_only=True):
    user_attribute_names: list[str]


async def delete_attributes(place: Place, ask: DeleteUserAttributes) -> Output:
    who = await holder(place, ask.access_token)
    removing = dict.fromkeys(ask.user_attribute_names, "")
    demand("attributes", words.CHANGE_CHECKS[:1], words.Change(who.pool.pool, removing, who.client, who.user))
    await save(who.pool, who.user, with_attributes(who.user, {}, ask.user_attribute_names))
    return {}


class OfAttribute(OfToken, frozen=True, kw_only=True):
    attribute_name: str


async def send_verification(place: Place, ask: OfAttribute) -> Output:
    who = await holder(place, ask.access_token)
    reachable = (
        ask.attribute_name if ask.attribute_name in VERIFIED_OF and who.user.attributes.get(ask.attribute_name) else ""
    )
    demand("verification", words.REACH_CHECKS, words.ReachCase(who.user, reachable))
    await _send(who, who.user, ask.attribute_name, "CustomMessage_VerifyUserAttribute")
    return {"CodeDeliveryDetails": outbox.delivery(who.user, ask.attribute_name)}


class VerifyUserAttribute(OfAttribute, frozen=True, kw_only=True):
    code: str


async def verify_attribute(place: Place, ask: VerifyUserAttribute) -> Output:
    who = await holder(place, ask.access_token)
    used: list[Effect] = await codes.demand_code(who.pool, who.user, codes.verifying(ask.attribute_name), ask.code)
    changed = with_attributes(who.user, {VERIFIED_OF[ask.attribute_name]: "true"})
    now = who.pool.now()
    await who.pool.store.commit([*put(changed, who.user, now), *await aliases(who.pool, changed, who.user), *used])
    return {}


class ChangePassword(OfToken, frozen=True, kw_only=True):
    proposed_password: str
    previous_password: str = ""


async def change_password(place: Place, ask: ChangePassword) -> Output:
    who = await holder(place, ask.access_token)
    user = await with_password(who.pool, who.client, who.user.username, ask.previous_password)
    await accounts.set_password(who.pool, user, ask.proposed_password, CONFIRMED)
    return {}


async def sign_out(place: Place, ask: OfToken) -> Output:
    who = await holder(place, ask.access_token)
    await who.pool.store.commit(await ended(who.pool, who.user))
    return {}


async def delete(place: Place, ask: OfToken) -> Output:
    who = await holder(place, ask.access_token)
    await who.pool.store.commit(await removed(who.pool, who.user))
    return {}


class SetUserMFAPreference(Preferences, frozen=True, kw_only=True):
    access_token: str


async def prefer(place: Place, ask: SetUserMFAPreference) -> Output:
    who = await holder(place, ask.access_token)
    await set_preferences(who.pool, who.user, ask)
    return {}


class AssociateSoftwareToken(Input, frozen=True, kw_only=True):
    access_token: str = ""
    session: str = ""


async def _waiting(place: Place, session: str) -> tuple[OpenPool, AppClient]:
    """The pool and client of a sign-in that waits, found by its session alone. Raises ``Declined``."""
    key = digest(session).hex()
    for kept in await POOLS.all(place.twin.account):
        pool = await place.pool(kept.key)
        waiting = await WAITING.find(pool.store, key)
        client = await pool.client(waiting.record.client_id) if waiting else None
        if client is not None:
            return pool, client.record
    demand_answer("MFA_SETUP", "", SESSION_BAD, right=False)
    raise LookupError("demand_answer refuses a wrong session")


async def associate(place: Place, ask: AssociateSoftwareToken) -> Output:
    if ask.access_token:
        who = await holder(place, ask.access_token)
        return {"SecretCode": await authenticator.associate(who.pool, who.user)}
    pool, client = await _waiting(place, ask.session)
    secret, session = await authenticator.associate_waiting(pool, client, ask.session)
    return {"SecretCode": secret, "Session": session}


class VerifySoftwareToken(AssociateSoftwareToken, frozen=True, kw_only=True):
    user_code: str


async def verify(place: Place, ask: VerifySoftwareToken) -> Output:
    if ask.access_token:
        who = await holder(place, ask.access_token)
        await authenticator.verify(who.pool, who.user, ask.user_code)
        return {"Status": "SUCCESS"}
    pool, client = await _waiting(place, ask.session)
    session = await authenticator.verify_waiting(pool, client, ask.session, ask.user_code)
    return {"Status": "SUCCESS", "Session": session}


OPERATIONS: dict[str, Operation] = {
    "GetUser": operation(OfToken, get),
    "GetUserAuthFactors": operation(OfToken, factors),
    "UpdateUserAttributes": operation(UpdateUserAttributes, update),
    "DeleteUserAttributes": operation(DeleteUserAttributes, delete_attributes),
    "GetUserAttributeVerificationCode": operation(OfAttribute, send_verification),
    "VerifyUserAttribute": operation(VerifyUserAttribute, verify_attribute),
    "ChangePassword": operation(ChangePassword, change_password),
    "GlobalSignOut": operation(OfToken, sign_out),
    "DeleteUser": operation(OfToken, delete),
    "SetUserMFAPreference": operation(SetUserMFAPreference, prefer),
    "AssociateSoftwareToken": operation(AssociateSoftwareToken, associate),
    "VerifySoftwareToken": operation(VerifySoftwareToken, verify),
}
