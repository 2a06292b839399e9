"""Operations of an app client for whoever is not signed in yet: signing up, confirming, forgetting passwords."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.cognito.records import UNCONFIRMED, AppClient, User
from innkeeper.issuer.core.cognito.sign_in import CHECKS, Case
from innkeeper.issuer.desk.cognito import accounts, codes, outbox
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.sign_in import demand_hash
from innkeeper.issuer.desk.cognito.twin import OpenPool, Place
from innkeeper.issuer.desk.cognito.users import find_user, the_user
from innkeeper.issuer.dialects.cognito.api.operation import Attribute, Input, Operation, Output, operation, texts


class OfName(Input, frozen=True, kw_only=True):
    client_id: str
    username: str
    secret_hash: str | None = None


class SignUp(OfName, frozen=True, kw_only=True):
    password: str = ""
    user_attributes: list[Attribute] = []


async def _client(place: Place, ask: OfName) -> tuple[OpenPool, AppClient]:
    """The client, which brought the hash over the name. Raises ``Declined``."""
    pool, client = await place.client(ask.client_id)
    demand_hash(pool, client, ask.secret_hash, ask.username)
    return pool, client


async def sign_up(place: Place, ask: SignUp) -> Output:
    pool, client = await _client(place, ask)
    done = await accounts.sign_up(pool, client, ask.username, ask.password, texts(ask.user_attributes))
    told: dict[str, Any] = {"UserConfirmed": done.user.account.status != UNCONFIRMED, "UserSub": done.user.sub}
    if done.sent_to:
        told["CodeDeliveryDetails"] = outbox.delivery(done.user, done.sent_to)
    return told


async def _user(pool: OpenPool, client: AppClient, name: str) -> User | None:
    """The user by that name; a client that hides who is here gets None for a stranger, any other a refusal."""
    return await find_user(pool, name) if client.hides_users else await the_user(pool, name)


class ConfirmSignUp(OfName, frozen=True, kw_only=True):
    confirmation_code: str
    force_alias_creation: bool = False


async def confirm(place: Place, ask: ConfirmSignUp) -> Output:
    pool, client = await _client(place, ask)
    user = await _user(pool, client, ask.username)
    if user is None:
        await codes.demand_code(pool, None, codes.SIGN_UP, ask.confirmation_code)
    else:
        await accounts.confirm(pool, client.id, user, ask.confirmation_code)
    return {}


async def resend(place: Place, ask: OfName) -> Output:
    pool, client = await _client(place, ask)
    user = await _user(pool, client, ask.username)
    sent = await accounts.send_confirmation(pool, client, user, "CustomMessage_ResendCode") if user else ""
    return {"CodeDeliveryDetails": outbox.delivery(user, sent) if user and sent else _nowhere()}


def _nowhere() -> dict[str, str]:
    """What a stranger is told, so that nobody learns who is here."""
    return {"AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "a***@e***"}


async def forgot(place: Place, ask: OfName) -> Output:
    pool, client = await _client(place, ask)
    user = await _user(pool, client, ask.username)
    if user is None:
        return {"CodeDeliveryDetails": _nowhere()}
    demand("forgotten password", CHECKS[4:6], Case(client, ask.username, user, True, 0, pool.now()))
    return {"CodeDeliveryDetails": outbox.delivery(user, await accounts.forget_password(pool, client.id, user))}


class ConfirmForgotPassword(OfName, frozen=True, kw_only=True):
    confirmation_code: str
    password: str


async def set_forgotten(place: Place, ask: ConfirmForgotPassword) -> Output:
    pool, client = await _client(place, ask)
    await _user(pool, client, ask.username)
    await accounts.set_forgotten_password(pool, client, ask.username, ask.confirmation_code, ask.password)
    return {}


OPERATIONS: dict[str, Operation] = {
    "SignUp": operation(SignUp, sign_up),
    "ConfirmSignUp": operation(ConfirmSignUp, confirm),
    "ResendConfirmationCode": operation(OfName, resend),
    "ForgotPassword": operation(OfName, forgot),
    "ConfirmForgotPassword": operation(ConfirmForgotPassword, set_forgotten),
}
