"""The key ring signs with one key, publishes the right ones, and no rotation makes a verifier fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from cryptography import x509
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec.structs import replace

from innkeeper.keys import ring as ring_module
from innkeeper.keys.certified import make_certified, thumbprint
from innkeeper.keys.jws import compact, encode_header, parse
from innkeeper.keys.ring import NotOurs, Ring, make
from innkeeper.keys.seal import Seal
from innkeeper.keys.stored import StoredKey
from innkeeper.keys.succession import rotate
from innkeeper.keys.threads import Threads
from innkeeper.protocol.refusals import UsageError
from tests.keys.keyring import private_key

NOW = 1_800_000_000
SEAL = Seal(b"k" * 32)
CLAIMS = {"iss": "https://issuer.example", "n": 1}
ALGS = ("ES256", "ES384", "RS256", "PS256", "EdDSA")


def cut(ring: Ring, now: int = NOW, alg: str = "ES256", typ: str = "at+jwt") -> str:
    return asyncio.run(ring.cut(alg, typ, CLAIMS, now))


def kid_of(token: str) -> str:
    return str(parse(token).header["kid"])


def published(ring: Ring, now: int = NOW) -> list[str]:
    return [one["kid"] for one in ring.published(now)]


def verifies(token: str, keys: Sequence[dict[str, str]], alg: str = "ES256") -> bool:
    """Whether somebody who has only the published keys, and another library, believes the token."""
    try:
        return jwt.decode(token, KeySet.import_key_set({"keys": [dict(one) for one in keys]}), [alg]).claims == CLAIMS
    except (JoseError, ValueError):
        return False


FIRST = make("ES256", SEAL, now=NOW, active_from=NOW)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ALGS)
def test_a_token_verifies_with_what_is_published(alg: str) -> None:
    ring = Ring([make(alg, SEAL, now=NOW, active_from=NOW)], SEAL)
    token = cut(ring, alg=alg)
    header = dict(parse(token).header)
    assert header == {"alg": alg, "typ": "at+jwt", "kid": published(ring)[0]}
    assert verifies(token, ring.published(NOW), alg)
    assert ring.read(token, "at+jwt", NOW) == CLAIMS
    assert ring.algorithms() == [alg]


@pytest.mark.parametrize("alg", ALGS)
def test_nothing_private_is_published_or_stored_openly(alg: str) -> None:
    stored = make(alg, SEAL, now=NOW, active_from=NOW)
    (document,) = Ring([stored], SEAL).published(NOW)
    assert set(document) <= {"kty", "kid", "alg", "use", "crv", "x", "y", "n", "e"}
    assert document["use"] == "sig"
    der = SEAL.open(stored.sealed, f"signing key {stored.kid}")
    assert der not in stored.sealed


def test_a_sealed_key_opens_for_its_own_name_only() -> None:
    with pytest.raises(UsageError, match="sealed with another master key"):
        Ring([replace(FIRST, kid="another")], SEAL)
    with pytest.raises(UsageError, match="sealed with another master key"):
        Ring([FIRST], Seal(b"x" * 32))


def test_no_key_is_made_for_an_algorithm_nobody_knows() -> None:
    with pytest.raises(UsageError, match="HS256"):
        make("HS256", SEAL, now=NOW, active_from=NOW)


def test_a_ring_without_a_key_for_it_says_how_to_make_one() -> None:
    with pytest.raises(UsageError, match="innkeeper keys rotate --alg RS256"):
        cut(Ring([FIRST], SEAL), alg="RS256")


def test_the_first_key_signs_at_once() -> None:
    fresh, changed = rotate([], "ES256", SEAL, now=NOW, publish_ahead=300, keep=600)
    assert (fresh.active_from, fresh.expires_at, changed) == (NOW, None, [])


def test_a_new_key_is_published_before_it_signs_and_the_old_one_after_it_stopped() -> None:
    fresh, changed = rotate([FIRST], "ES256", SEAL, now=NOW, publish_ahead=300, keep=600)
    ring = Ring([*changed, fresh], SEAL)
    assert [kid_of(cut(ring, NOW + at)) == fresh.kid for at in (0, 299, 300, 899, 900)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert published(ring, NOW) == [fresh.kid, FIRST.kid]
    assert published(ring, NOW + 899) == [fresh.kid, FIRST.kid]
    assert published(ring, NOW + 900) == [fresh.kid]


def test_rotating_one_algorithm_leaves_the_others() -> None:
    other = make("EdDSA", SEAL, now=NOW, active_from=NOW)
    _, changed = rotate([FIRST, other], "ES256", SEAL, now=NOW, publish_ahead=0, keep=600)
    assert [one.kid for one in changed] == [FIRST.kid]


def test_a_key_that_is_retired_already_is_not_kept_longer_by_the_next_rotation() -> None:
    second, changed = rotate([FIRST], "ES256", SEAL, now=NOW, publish_ahead=0, keep=600)
    _, again = rotate([*changed, second], "ES256", SEAL, now=NOW + 10, publish_ahead=0, keep=600)
    assert [one.kid for one in again] == [second.kid]


LIFETIME = 600


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 400)), max_size=4), st.integers(0, 1500), st.data())
@example([(0, 300), (10, 0)], 610, None)
@example([(0, 0), (0, 2)], 1, None)
@settings(max_examples=40, deadline=None)
def test_whatever_the_rotations_every_token_verifies_for_its_whole_life(
    rotations: list[tuple[int, int]], cut_after: int, data: st.DataObject | None
) -> None:
    cut_at = NOW + cut_after
    seen_at = cut_at + (data.draw(st.integers(0, LIFETIME - 1)) if data else LIFETIME - 1)
    history: list[tuple[int, list[StoredKey]]] = [(NOW, [FIRST])]
    for wait, ahead in rotations:
        now, stored = history[-1][0] + wait, {one.kid: one for one in history[-1][1]}
        fresh, changed = rotate([*stored.values()], "ES256", SEAL, now=now, publish_ahead=ahead, keep=LIFETIME)
        history.append((now, [*(stored | {one.kid: one for one in changed}).values(), fresh]))

    def ring_at(now: int) -> Ring:
        return Ring([stored for start, stored in history if start <= now][-1], SEAL)

    token = cut(ring_at(cut_at), cut_at)
    assert verifies(token, ring_at(seen_at).published(seen_at))


def forged(kid: str, alg: str = "ES256", typ: str = "at+jwt") -> str:
    """A token with our key's name and another's signature."""
    header = encode_header({"alg": alg, "typ": typ, "kid": kid})
    return compact(header.encode(), b'{"iss":"https://issuer.example","n":1}', private_key(alg, 9), alg)


def test_only_what_this_ring_signed_is_read() -> None:
    ring = Ring([FIRST], SEAL)
    token = cut(ring)
    head, body, signature = token.split(".")
    other = cut(Ring([make("ES256", SEAL, now=NOW, active_from=NOW)], SEAL))
    wrong = {
        "forged": forged(FIRST.kid),
        "another algorithm": forged(FIRST.kid, "EdDSA"),
        "another ring's": other,
        "another signature": f"{head}.{body}.{other.split('.')[2]}",
        "no signature": f"{head}.{body}.",
        "a changed body": f"{head}.{body[:-1]}{'A' if body[-1] != 'A' else 'B'}.{signature}",
        "alg none": f"{encode_header({'alg': 'none', 'kid': FIRST.kid, 'typ': 'at+jwt'})}.{body}.",
        "no kid": compact(
            encode_header({"alg": "ES256", "typ": "at+jwt"}).encode(), b"{}", private_key("ES256"), "ES256"
        ),
        "nothing": "",
        "text": "x.y.z",
        "not ASCII": "é.ü.ß",
    }
    assert [name for name, sent in wrong.items() if is_read(ring, sent)] == []


def is_read(ring: Ring, token: str) -> bool:
    try:
        ring.read(token, "at+jwt", NOW)
    except NotOurs:
        return False
    return True


@pytest.mark.parametrize("typ", ["JWT", "at+JWT", "application/at+jwt", ""])
def test_a_token_of_another_type_is_not_read(typ: str) -> None:
    ring = Ring([FIRST], SEAL)
    with pytest.raises(NotOurs, match="type"):
        ring.read(cut(ring, typ="at+jwt"), typ)


def test_a_hint_signed_by_a_retired_key_is_still_ours_but_opens_nothing() -> None:
    ring = Ring([replace(FIRST, expires_at=NOW + 10)], SEAL)
    token = cut(ring)
    assert ring.read(token, "at+jwt", NOW + 9) == CLAIMS
    assert ring.read(token, "at+jwt") == CLAIMS
    with pytest.raises(NotOurs, match="retired"):
        ring.read(token, "at+jwt", NOW + 10)


def test_a_retired_key_signs_nothing() -> None:
    with pytest.raises(UsageError, match="no key signs ES256 now"):
        cut(Ring([replace(FIRST, expires_at=NOW)], SEAL))


def test_a_token_read_before_is_judged_as_one_that_was_not() -> None:
    ring = Ring([FIRST], SEAL)
    token = cut(ring)
    first = ring.read(token, "at+jwt", NOW)
    first["n"] = 2
    assert ring.read(token, "at+jwt", NOW) == CLAIMS
    with pytest.raises(NotOurs, match="type"):
        ring.read(token, "JWT", NOW)
    with pytest.raises(NotOurs, match="verify"):
        ring.read(f"{token.rpartition('.')[0]}.{cut(ring, typ='JWT').rpartition('.')[2]}", "at+jwt", NOW)


def test_a_token_read_before_is_read_no_more_once_its_key_is_retired() -> None:
    ring = Ring([replace(FIRST, expires_at=NOW + 10)], SEAL)
    token = cut(ring)
    assert ring.read(token, "at+jwt", NOW + 9) == CLAIMS
    with pytest.raises(NotOurs, match="retired"):
        ring.read(token, "at+jwt", NOW + 10)


def test_only_so_many_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("innkeeper.keys.ring._VERIFIED_KEPT", 2)
    ring = Ring([FIRST], SEAL)
    tokens = [cut(ring) for _ in range(4)]
    for token in [*tokens, *tokens]:
        assert ring.read(token, "at+jwt", NOW) == CLAIMS
    assert len(ring._verified) == 2


def test_a_key_made_to_sign_at_once_signs_for_a_clock_that_was_set_back_and_one_made_for_later_does_not() -> None:
    later = make("ES384", SEAL, now=NOW, active_from=NOW + 600)
    ring = Ring([FIRST, later], SEAL)
    assert verifies(cut(ring, NOW - 3600), ring.published(NOW - 3600))
    assert not ring.signs("ES384", NOW - 3600)


def test_the_successor_of_a_certified_key_has_a_certificate_for_the_same_name() -> None:
    first = make_certified("keys.example", SEAL, now=NOW, active_from=NOW)
    fresh, _ = rotate([first], "RS256", SEAL, now=NOW, publish_ahead=0, keep=600)
    assert fresh.kid == thumbprint(fresh.certificate) != first.kid
    assert x509.load_der_x509_certificate(fresh.certificate).subject.rfc4514_string() == "CN=keys.example"


def test_the_successor_of_a_key_that_is_named_otherwise_is_named_so_too() -> None:
    first = make("RS256", SEAL, now=NOW, active_from=NOW, purpose="id", named=lambda _: "A" * 43 + "=")
    fresh, [old] = rotate([first], "RS256", SEAL, now=NOW, publish_ahead=0, keep=600, purpose="id")
    assert (len(fresh.kid), fresh.kid[-1], fresh.purpose, old.expires_at) == (44, "=", "id", NOW + 600)


class _Watched(Threads):
    """Threads that count what is handed to them."""

    def __init__(self, workers: int) -> None:
        super().__init__(cores=2)
        self.workers = workers
        self.handed = 0

    async def run(self, work: Callable[..., str], *told: object) -> str:
        self.handed += 1
        return await super().run(work, *told)


@pytest.mark.parametrize(("workers", "handed"), [(1, 1), (2, 0), (3, 0)])
def test_rsa_signs_in_a_thread_only_where_a_core_is_left_for_it(
    workers: int, handed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, keys = _Watched(workers), [make(alg, SEAL, now=NOW, active_from=NOW) for alg in ("RS256", "ES256")]
    monkeypatch.setattr(ring_module, "THREADS", threads)
    ring = Ring(keys, SEAL)
    for alg in ("RS256", "ES256"):
        assert verifies(cut(ring, alg=alg), ring.published(NOW), alg)
    assert threads.handed == handed
