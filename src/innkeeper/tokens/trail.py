"""The trail: the ordered checks behind a decision, each with what was expected and found.

A check is a function of one case that answers ``Seen`` (it passed, and this is what was there) or a
``Refusal``. Checks stand in a tuple, in the order they are made; ``follow`` walks it and stops at the first
refusal. The same trail draws the tour, fills the audit log, answers ``innkeeper explain`` and the error page.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Generic, TypeVar

from innkeeper.protocol.refusals import Refusal
from innkeeper.protocol.values import Value

Case = TypeVar("Case", contravariant=True)


class Seen(Value, frozen=True, gc=False):
    """A check that passed: what was found, and what it had to be where that says more.

    Each is a text or a collection of names. Names are put into words only for who reads them: most trails
    are never read.
    """

    seen: str | Collection[str] = ""
    needed: str | Collection[str] = ""

    @property
    def found(self) -> str:
        return _words(self.seen, " ")

    @property
    def expected(self) -> str:
        return _words(self.needed, " or ")


def _words(said: str | Collection[str], between: str) -> str:
    if isinstance(said, str):
        return said
    return between.join(sorted(said) if isinstance(said, (set, frozenset)) else said)


class Check(Generic[Case]):
    """One rule: its function, its name as words, its section and its sentence (the docstring's first line)."""

    __slots__ = ("judge", "name", "sentence", "spec")

    def __init__(self, judge: Callable[[Case], Seen | Refusal], spec: str) -> None:
        self.judge = judge
        self.spec = spec
        self.name = judge.__name__.strip("_").replace("_", " ")
        self.sentence = (judge.__doc__ or "").strip().partition("\n")[0]

    def __call__(self, case: Case) -> Seen | Refusal:
        return self.judge(case)

    def __repr__(self) -> str:
        return f"<check {self.name!r} {self.spec}>"


def check(spec: str) -> Callable[[Callable[[Case], Seen | Refusal]], Check[Case]]:
    """Make a function a check; ``spec`` is the section it enforces, such as ``RFC 7636 §4.6``."""
    return lambda judge: Check(judge, spec)


class Step(Value, frozen=True, gc=False):
    """One check as it went."""

    check: Check[Any]
    outcome: Seen | Refusal

    @property
    def passed(self) -> bool:
        return type(self.outcome) is Seen


class Trail(Value, frozen=True, gc=False):
    """The checks of one decision in order, and what each came to. ``about`` names the decision: "token", "authorize", "guard".
    ``made_of`` makes one of steps."""

    about: str
    checks: tuple[Check[Any], ...] = ()
    outcomes: tuple[Seen | Refusal, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The checks as they went. Put together for who reads them: most trails are never read."""
        return tuple(map(Step, self.checks, self.outcomes))

    @property
    def refusal(self) -> Refusal | None:
        """The refusal it ended in, or None where every check passed."""
        if not self.outcomes:
            return None
        last = self.outcomes[-1]
        return last if type(last) is Refusal else None

    def then(self, other: Trail) -> Trail:
        """This trail and, after it, another one's steps."""
        return Trail(self.about, self.checks + other.checks, self.outcomes + other.outcomes)

    def known_as(self, about: str) -> Trail:
        """The same steps as those of another decision, of which they turned out to be a part."""
        return Trail(about, self.checks, self.outcomes)

    def as_document(self) -> dict[str, Any]:
        """The trail as plain data for JSON: about, outcome, steps, refusal."""
        refusal = self.refusal
        return {
            "about": self.about,
            "outcome": "refused" if refusal else "passed",
            "steps": [_step(step) for step in self.steps],
            "refusal": refusal
            and {
                "number": refusal.page.number,
                "error": refusal.page.error,
                "status": refusal.page.status,
                "title": refusal.page.title,
                "cause": refusal.page.cause,
                "reason": refusal.reason,
                "remedy": refusal.remedy,
                **_of_the_cloud(refusal),
            },
        }


def _of_the_cloud(refusal: Refusal) -> dict[str, str]:
    """How sure the cloud's behaviour is, and the remedies beside the one in code; nothing for a refusal of our own."""
    page = refusal.page
    remedies = zip(("console", "terraform"), (text for _, text in page.remedies), strict=False)
    return {"level": page.level, **dict(remedies)} if page.level else {}


Observer = Callable[[Trail], None]
"""Whoever wants to see decisions as they are made: the log, the audit, the tour."""


def unobserved(_: Trail) -> None:
    """The observer that looks away."""


def together(*observers: Observer) -> Observer:
    """Several observers as one; each is shown every decision, in this order. Those that look away are not asked."""
    looking = tuple(one for one in observers if one is not unobserved)
    if len(looking) == 1:
        return looking[0]

    def observe(trail: Trail) -> None:
        for one in looking:
            one(trail)

    return observe if looking else unobserved


def follow(about: str, checks: Sequence[Check[Case]], case: Case) -> Trail:
    """Make the checks in order until one refuses."""
    outcomes: list[Seen | Refusal] = []
    for one in checks:
        outcomes.append(outcome := one.judge(case))
        if type(outcome) is Refusal:
            return Trail(about, tuple(checks[: len(outcomes)]), tuple(outcomes))
    return Trail(about, tuple(checks), tuple(outcomes))


def made_of(about: str, steps: Iterable[Step]) -> Trail:
    """A trail of these steps."""
    there = tuple(steps)
    return Trail(about, tuple(one.check for one in there), tuple(one.outcome for one in there))


def at_the_door(about: str, refusal: Refusal, spec: str) -> Trail:
    """The trail of a request that could not even be read."""
    return Trail(about, (Check(_the_request_can_be_read, spec),), (refusal,))


def _the_request_can_be_read(_: object) -> Seen:
    """The request is in the form that its endpoint reads."""
    return Seen()


def _step(step: Step) -> dict[str, Any]:
    outcome = step.outcome
    refused = isinstance(outcome, Refusal)
    return {
        "name": step.check.name,
        "sentence": step.check.sentence,
        "spec": step.check.spec,
        "passed": not refused,
        "expected": outcome.expected,
        "found": outcome.found,
        "reason": outcome.reason if isinstance(outcome, Refusal) else "",
        "hint": outcome.remedy if isinstance(outcome, Refusal) else "",
    }
