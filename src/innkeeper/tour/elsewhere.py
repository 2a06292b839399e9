"""The agent's walk at any issuer, a cloud's too: a token for itself, read by a guard that is set up for it, and by others.

There is no hotel there, so the guard stands here: it makes the checks that an API makes, and nothing is sent anywhere but
to the issuer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

from innkeeper.client.asking import Flow
from innkeeper.client.credentials import Client, Secret
from innkeeper.client.discovery import discover
from innkeeper.client.grants import client_credentials
from innkeeper.client.profiles import Profile
from innkeeper.client.refused import Refused
from innkeeper.client.token import Access
from innkeeper.client.wire import run
from innkeeper.guard import Guard
from innkeeper.guard.decision import Verified
from innkeeper.protocol.refusals import UsageError
from innkeeper.tour import cards
from innkeeper.tour.walk import StepResult

Result = TypeVar("Result")

GOOD, REFUSED = "accepted", "refused"


class Reading(NamedTuple):
    """A token held to a guard, and what that guard should say."""

    title: str
    token: str
    audience: str
    expected: str


def walk(profile: Profile) -> Iterator[StepResult]:
    """Each step as it went. Raises ``UsageError`` for a profile that cannot get a token by itself, ``Unreachable``."""
    if not profile.client_secret:
        raise UsageError(
            "this profile's client has no secret, so it gets no token for itself; sign in with innkeeper login"
        )
    if not profile.audience_of_this_client:
        raise UsageError("this profile names no audience: what does the API look for in its tokens?")
    metadata, said = _tried(discover(profile.issuer), "metadata of the same name")
    yield _step("The agent finds the issuer", "metadata of the same name", said)
    if metadata is None:
        return
    client = Client(profile.client_id, Secret(profile.client_secret))
    token, said = _tried(
        client_credentials(metadata, client, Access(profile.scope, profile.resource or None)), "a token"
    )
    yield _step("The agent asks for a token in its own name", "a token", said)
    if token is not None:
        yield from (_read(profile, reading) for reading in _readings(profile, token.access_token))


def _readings(profile: Profile, token: str) -> Iterator[Reading]:
    audience = profile.audience_of_this_client
    yield Reading("An API that trusts this issuer reads it", token, audience, GOOD)
    yield Reading("The same API reads it with a letter changed", cards.tampered(token), audience, REFUSED)
    yield Reading("The same API reads it with its signature taken away", cards.unsigned(token), audience, REFUSED)
    yield Reading("Another API reads it", token, "another-api", REFUSED)


def _read(profile: Profile, reading: Reading) -> StepResult:
    outcome = Guard(profile.issuer, reading.audience, remembered=0).verify_blocking(reading.token)
    said = GOOD if isinstance(outcome, Verified) else REFUSED
    return _step(reading.title, reading.expected, said, outcome.trail.as_document())


def _step(title: str, expectation: str, outcome: str, trail: dict[str, Any] | None = None) -> StepResult:
    return StepResult("agent", title, expectation, outcome, outcome == expectation, trail)


def _tried(flow: Flow[Result], name: str) -> tuple[Result | None, str]:
    """What a flow gave, and how to speak of it: ``name``, or why there is none."""
    try:
        return run(flow), name
    except Refused as refused:
        return None, f"{refused.refusal.page.error}: {refused.refusal.reason}"
