"""Faults on demand: what the JSON API or the token endpoint answers the next requests with, whatever they are."""

from __future__ import annotations

from types import ModuleType

import msgspec

from innkeeper.issuer.core.cognito import (
    accounts,
    administration,
    calling,
    challenges,
    known,
    passwords,
    sign_in,
    token,
    triggers,
)
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.desk.cognito.declined import Declined
from innkeeper.issuer.desk.cognito.shelf import Shelf
from innkeeper.issuer.store.port import RealmStore
from innkeeper.protocol.refusals import Page, Refusal, UsageError
from innkeeper.tokens.trail import at_the_door

API, TOKEN = "api", "token"


class Fault(msgspec.Struct, frozen=True):
    """``error`` by its name; ``times`` how many requests more are told it."""

    error: str
    times: int


FAULTS = Shelf("fault", Fault)


async def ask_for(account: RealmStore, error: str, times: int) -> None:
    """Answer the next ``times`` requests with this error; 0 takes it back. Raises ``UsageError``."""
    if error not in BY_ERROR:
        raise UsageError(
            f"{error} is none of the errors that the Cognito twin answers with: {', '.join(sorted(BY_ERROR))}"
        )
    where = API if error in _API else TOKEN
    before = await FAULTS.find(account, where)
    await account.commit((FAULTS.put(where, Fault(error, times), before.version if before else 0),))


async def demand_none(account: RealmStore, where: str) -> None:
    """Raises ``Declined`` with the error that was asked for, once more counted."""
    while (kept := await FAULTS.find(account, where)) is not None:
        fault, left = kept.record, kept.record.times - 1
        again = FAULTS.put(where, Fault(fault.error, left), kept.version)
        try:
            await account.commit((again if left > 0 else FAULTS.drop(kept),))
        except Lost:
            continue
        if left >= 0:
            refusal = Refusal(BY_ERROR[fault.error], "it was asked for (innkeeper twin fault)", "no fault", fault.error)
            raise Declined(at_the_door("fault", refusal, "innkeeper twin fault"), refusal)


def _by_error(*modules: ModuleType) -> dict[str, Page]:
    pages = [one for module in modules for one in vars(module).values() if isinstance(one, Page) and one.error]
    return {one.error: one for one in sorted(pages, key=lambda one: one.number, reverse=True)}


_API = _by_error(accounts, administration, calling, challenges, known, passwords, sign_in, triggers)
_TOKEN = _by_error(token)
BY_ERROR = {**_TOKEN, **_API}
"""What may be asked for: the exceptions of the API and the errors of the token endpoint, by name."""
