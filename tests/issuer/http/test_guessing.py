"""Guessing passwords: bounded for whoever guesses, and no way to shut out whoever is guessed at."""

from __future__ import annotations

from pathlib import Path

import pytest

from innkeeper.issuer.core import throttling
from innkeeper.issuer.desk.throttle import network_of
from tests.issuer.house import ORIGIN, PASSWORD, Answer, House, posted
from tests.issuer.visitor import Form, Visitor

ADA = "ada@example.org"
BROWSER = "innkeeper-browser-native"


@pytest.fixture
def house(own_house: House) -> House:
    """A house of its own for each test: tries and factors are remembered."""
    return own_house


def tried(visitor: Visitor, password: str = "wrong", name: str = ADA) -> Answer:
    return visitor.sign_in(visitor.authorize(prompt="login"), name, password)


def statuses(visitor: Visitor, times: int, name: str = ADA) -> list[int]:
    return [tried(visitor, name=name).status for _ in range(times)]


def is_in(answer: Answer) -> bool:
    return 'id="allow"' in answer.text or answer.header("location") is not None


def stranger(house: House, number: int) -> Visitor:
    return Visitor(house, f"198.51.{number // 250}.{number % 250 + 1}")


def test_after_five_wrong_passwords_there_is_a_pause_that_grows(house: House) -> None:
    guesser = Visitor(house)
    assert statuses(guesser, 6) == [401] * 5 + [429]
    assert tried(guesser, PASSWORD).status == 429, "not even the right one is looked at"
    house.clock.move(60)
    assert statuses(guesser, 2) == [401, 429]
    house.clock.move(119)
    assert tried(guesser).status == 429
    house.clock.move(1)
    assert is_in(tried(guesser, PASSWORD))
    assert tried(guesser).status == 401, "the right password wiped the slate"


def test_a_cleared_browser_and_a_new_session_do_not_help_the_guesser(house: House) -> None:
    assert [tried(Visitor(house)).status for _ in range(6)] == [401] * 5 + [429]


def test_many_at_once_do_not_slip_through_together(house: House) -> None:
    visitor = Visitor(house)
    fields = Form(visitor.authorize(prompt="login")).hidden
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    body = {**fields, "username": ADA, "password": "wrong"}
    answers = house.ask_all(posted("/sign-in", body, origin=ORIGIN, cookie=cookie) for _ in range(40))
    assert sorted(one.status for one in answers) == [401] * 5 + [429] * 35


def test_an_attacker_at_the_same_address_cannot_shut_out_the_persons_own_browser(house: House) -> None:
    own, attacker = Visitor(house), Visitor(house)
    assert is_in(tried(own, PASSWORD))
    assert statuses(attacker, 8)[-1] == 429
    assert is_in(tried(own, PASSWORD))
    assert tried(attacker, PASSWORD).status == 429


def test_attackers_at_many_addresses_cannot_shut_out_a_known_browser_or_a_known_network(house: House) -> None:
    own, at_home = Visitor(house, "203.0.113.7"), Visitor(house, "203.0.113.7")
    assert is_in(tried(own, PASSWORD))
    answers = [tried(stranger(house, number)).status for number in range(40)]
    assert answers[0] == 401
    assert answers[-1] == 429
    own.remote = "192.0.2.99"
    assert is_in(tried(own, PASSWORD)), "the browser, wherever it is"
    assert is_in(tried(at_home, PASSWORD)), "another browser at the same address"


def test_guessing_one_name_from_many_addresses_is_bounded(house: House) -> None:
    looked_at = 0
    for number in range(600):
        looked_at += tried(stranger(house, number)).status == 401
        house.clock.move(6)
    assert looked_at <= throttling.NAME.free + 8 + 60, "an hour of six hundred addresses"


def test_while_a_name_is_guessed_a_stranger_waits_a_minute_at_most(house: House) -> None:
    for number in range(60):
        tried(stranger(house, number))
        house.clock.move(5)
    house.clock.move(throttling.NAME.most)
    assert is_in(tried(Visitor(house, "203.0.113.200"), PASSWORD))


def test_one_address_cannot_go_through_many_names(house: House) -> None:
    guesser = Visitor(house)
    answers = [tried(guesser, name=f"person-{number}@example.org").status for number in range(60)]
    assert answers == [401] * 50 + [429] * 10
    assert is_in(tried(Visitor(house, "10.9.8.7"), PASSWORD)), "others go on"


def test_another_name_is_not_held_up(house: House) -> None:
    guesser = Visitor(house)
    statuses(guesser, 6)
    assert is_in(tried(guesser, PASSWORD, "bob@example.org"))


def test_a_made_up_browser_is_a_stranger(house: House) -> None:
    own, attacker = Visitor(house), Visitor(house, "198.51.100.7")
    tried(own, PASSWORD)
    cookie = own.cookies[BROWSER]
    body, _, mac = cookie.partition(".")
    for forged in (body, f"{body}.", f"{body}.{mac[:-2]}AA", f"{body}A.{mac}", "é", "A" * 5000):
        attacker.cookies[BROWSER] = forged
        tried(attacker)
    assert tried(attacker).status == 429


def test_a_browser_is_known_for_those_it_signed_in_and_nobody_else(house: House) -> None:
    own = Visitor(house, "198.51.100.8")
    tried(own, PASSWORD, "bob@example.org")
    assert statuses(own, 6) == [401] * 5 + [429], "bob's browser is no friend of ada's"


def test_a_known_browser_is_bounded_too(house: House) -> None:
    own = Visitor(house)
    tried(own, PASSWORD)
    assert statuses(own, 11) == [401] * 10 + [429]
    assert is_in(tried(Visitor(house, "10.1.1.1"), PASSWORD)), "a stolen browser holds up nobody"


def test_a_person_without_an_account_waits_like_one_who_has_one(house: House) -> None:
    assert statuses(Visitor(house), 6, "nobody@example.org") == statuses(Visitor(house), 6)


def test_tries_are_remembered_across_restarts_and_by_all_nodes(tmp_path: Path) -> None:
    first, second = House(tmp_path), House(tmp_path)
    try:
        assert statuses(Visitor(first), 3) == [401] * 3
        assert statuses(Visitor(second), 3) == [401, 401, 429]
    finally:
        first.close()
        second.close()


def test_the_store_does_not_learn_names_or_addresses(house: House) -> None:
    tried(Visitor(house, "203.0.113.77"))
    entries = house.run(house.issuer.realm.store.entries("tries", ""))
    assert len(entries) == 3
    assert not any(sign in one.key for one in entries for sign in ("@", "203.0.113"))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002/64"),
        ("2001:db8:1:2::1", "2001:0db8:0001:0002/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("a unix socket", "a unix socket"),
    ],
)
def test_an_ipv6_household_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network
