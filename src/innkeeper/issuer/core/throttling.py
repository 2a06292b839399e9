"""How long to wait after wrong tries, so that guessing is bounded and nobody is shut out (NIST SP 800-63B-4 §3.2.2).

A try is counted in one or more lanes. Whoever comes with a browser that signed this person in before stands in a lane
of its own, which no stranger can fill. A stranger is counted by name and network together, by network, and by name:
the last bounds guessing from many networks, and pauses for a minute at most.
"""

from __future__ import annotations

import msgspec


class Rule(msgspec.Struct, frozen=True):
    """``free`` wrong tries cost nothing; each one after them a pause, ``first`` seconds, then twice as long, up to
    ``most``. All are forgotten ``forget`` seconds after the last."""

    name: str
    free: int
    first: int
    most: int
    forget: int


class Lane(msgspec.Struct, frozen=True):
    """One count of tries: the rule that it follows, and what it is about."""

    rule: Rule
    about: tuple[str, ...]


class Count(msgspec.Struct, frozen=True, array_like=True):
    """Tries of late, and when the last one was."""

    tries: int = 0
    last: int = 0


NONE_YET = Count()

PAIR = Rule("pair", free=5, first=60, most=900, forget=3600)
NETWORK = Rule("network", free=50, first=10, most=600, forget=3600)
NAME = Rule("name", free=20, first=5, most=60, forget=3600)
KNOWN_BROWSER = Rule("browser", free=10, first=30, most=900, forget=3600)
SECOND_STEP = Rule("second", free=5, first=60, most=900, forget=86400)
PASSWORD_AGAIN = Rule("again", free=5, first=60, most=900, forget=3600)
USER_CODE = Rule("user code", free=5, first=60, most=60, forget=60)


def password_lanes(name: str, network: str, browser: str | None, *, network_is_known: bool) -> tuple[Lane, ...]:
    """The lanes of a password. ``browser`` is the id of one that signed this person in before."""
    name = name.casefold()
    if browser:
        return (Lane(KNOWN_BROWSER, (name, browser)),)
    lanes = (Lane(PAIR, (name, network)), Lane(NETWORK, (network,)))
    return lanes if network_is_known else (*lanes, Lane(NAME, (name,)))


def second_step_lanes(sub: str, browser: str | None) -> tuple[Lane, ...]:
    """The lane of a code or passkey after the right password: those who know the password hold up only each other."""
    return (Lane(SECOND_STEP, (sub, browser or "unknown")),)


def wait(rule: Rule, count: Count, now: int) -> int:
    """Seconds until another try may be made; 0 for at once."""
    count = _of_late(rule, count, now)
    over = count.tries - rule.free
    if over < 0:
        return 0
    pause = min(rule.most, rule.first << min(over, 20))
    return max(0, count.last + pause - now)


def counted(rule: Rule, count: Count, now: int) -> Count:
    """The count with one more try."""
    return Count(_of_late(rule, count, now).tries + 1, now)


def given_back(rule: Rule, count: Count, now: int) -> Count:
    """The count after a try turned out right. Where others may stand in the lane too only that one is taken back."""
    if rule in (NETWORK, NAME, USER_CODE):
        return Count(max(0, count.tries - 1), count.last)
    return Count(0, now)


def _of_late(rule: Rule, count: Count, now: int) -> Count:
    return count if count.last + rule.forget > now else NONE_YET
