"""The guard's preset for Cognito meets the twin of Cognito: they share no code, and here no belief either goes unchecked."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from innkeeper.guard import Guard, Refused, Verified
from innkeeper.protocol.exchange import Reply
from tests.twins.cognito.pool import CONCIERGE, GUEST_APP, HOTEL, ISSUER, SECRET, Pool, basic


def guard(pool: Pool, audience: Any) -> Guard:
    def fetch(url: str) -> Reply:
        answer = pool.house.get(urlsplit(url).path)
        return Reply(answer.status, body=answer.body)

    return Guard(ISSUER, audience, clock=pool.clock, fetch_blocking=fetch)


def machine_token(pool: Pool) -> str:

    form = {"grant_type": "client_credentials"}
    answer = pool.token(form, authorization=basic(CONCIERGE, SECRET))
    assert answer.status == 200, answer.body
    return str(json.loads(answer.body)["access_token"])


def test_the_preset_is_found_from_the_twin_s_issuer_and_takes_a_client_s_own_token(pool: Pool) -> None:
    outcome = guard(pool, CONCIERGE).verify_blocking(machine_token(pool))
    assert isinstance(outcome, Verified), outcome
    assert outcome.token.is_machine
    assert outcome.token.client_id == CONCIERGE


def test_a_person_s_tokens_the_access_token_in_the_id_token_out(pool: Pool) -> None:
    tokens = pool.sign_in()
    watch = guard(pool, GUEST_APP)
    outcome = watch.verify_blocking(tokens["AccessToken"])
    assert isinstance(outcome, Verified), outcome
    assert not outcome.token.is_machine
    refused = watch.verify_blocking(tokens["IdToken"])
    assert isinstance(refused, Refused)
    assert refused.refusal.page.number == "IK550"


def test_a_token_of_another_client_is_not_meant_for_this_api(pool: Pool) -> None:
    refused = guard(pool, [GUEST_APP, HOTEL]).verify_blocking(machine_token(pool))
    assert isinstance(refused, Refused)
    assert refused.refusal.page.number == "IK508"
