"""The guard beside joserfc, PyJWT and aws-jwt-verify: what two of them refuse, it never accepts without a written reason.

``make test`` judges a few thousand tokens. Many more: ``make differential``.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from tests.guard.differential import NODE, Maker, Readers, Token, reason_for

pytestmark = [
    pytest.mark.interop,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        not (NODE / "node_modules" / "aws-jwt-verify").exists(),
        reason="aws-jwt-verify is not installed (make test does)",
    ),
]

COUNT = int(os.environ.get("INNKEEPER_DIFFERENTIAL", "3000"))
SEED = int(os.environ.get("INNKEEPER_DIFFERENTIAL_SEED", "1"))


def test_what_two_others_refuse_is_never_accepted_without_a_reason() -> None:
    now = int(time.time())
    accepted, judged = Counter[str](), Counter[str]()
    alone: list[tuple[Token, dict[str, bool]]] = []
    with Readers(now) as readers:
        for token in Maker(SEED, now).tokens(COUNT):
            judged[f"{token.shape}, {token.kind}"] += 1
            if not readers.guard(token):
                continue
            accepted[f"{token.shape}, {token.kind}"] += 1
            others = readers.others(token)
            if sum(others.values()) < 2 and not reason_for(token):
                alone.append((token, others))
    for kind, count in sorted(judged.items()):
        print(f"{kind:24} {count:8} judged {accepted[kind]:8} accepted")
    assert alone == []
    assert accepted["ordinary, good"] == judged["ordinary, good"] > 0
    assert accepted["cognito, good"] == judged["cognito, good"] > 0


def test_good_tokens_are_good_to_all_four() -> None:
    now = int(time.time())
    with Readers(now) as readers:
        good = [token for token in Maker(SEED, now).tokens(400) if token.kind == "good"]
        assert len({token.shape for token in good}) == 2
        for token in good:
            assert readers.guard(token)
            assert all(readers.others(token).values()), (token, readers.others(token))


def test_a_reader_that_refuses_is_heard() -> None:
    """The other readers do tell a wrong token from a right one: each of them refuses one that was bent."""
    now = int(time.time())
    with Readers(now) as readers:
        bent = next(token for token in Maker(SEED, now).tokens(400) if token.kind == "bent" and "." in token.text)
        broken = Token("bent", bent.text[:-8] + "AAAAAAAA")
        assert not any(readers.others(broken).values())
