"""A pool's password policy, rule by rule."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

SYMBOLS = frozenset("^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ")


class Case(msgspec.Struct, frozen=True):
    password: str
    rules: dict[str, Any]

    def wants(self, rule: str) -> bool:
        return bool(self.rules.get(rule, False))


def _weak(lacks: str, expected: str) -> Refusal:
    said = f"Password did not conform with policy: {lacks}"
    return Refusal(TOO_WEAK, lacks, expected, "a password without", said=said)


@check("Cognito password policy: MinimumLength")
def it_is_long_enough(case: Case) -> Seen | Refusal:
    """The password has as many characters as the policy asks for."""
    least = int(case.rules.get("MinimumLength", 8))
    return (
        Seen("long enough") if len(case.password) >= least else _weak("Password not long enough", f"{least} characters")
    )


@check("Cognito password policy: RequireUppercase")
def it_has_an_upper_case_letter(case: Case) -> Seen | Refusal:
    """It has an upper-case letter, where the policy asks for one."""
    if case.wants("RequireUppercase") and not any("A" <= one <= "Z" for one in case.password):
        return _weak("Password must have uppercase characters", "an upper-case letter")
    return Seen("has or needs none")


@check("Cognito password policy: RequireLowercase")
def it_has_a_lower_case_letter(case: Case) -> Seen | Refusal:
    """It has a lower-case letter, where the policy asks for one."""
    if case.wants("RequireLowercase") and not any("a" <= one <= "z" for one in case.password):
        return _weak("Password must have lowercase characters", "a lower-case letter")
    return Seen("has or needs none")


@check("Cognito password policy: RequireNumbers")
def it_has_a_digit(case: Case) -> Seen | Refusal:
    """It has a digit, where the policy asks for one."""
    if case.wants("RequireNumbers") and not any("0" <= one <= "9" for one in case.password):
        return _weak("Password must have numeric characters", "a digit")
    return Seen("has or needs none")


@check("Cognito password policy: RequireSymbols")
def it_has_a_symbol(case: Case) -> Seen | Refusal:
    """It has one of the characters that count as symbols, where the policy asks for one."""
    if case.wants("RequireSymbols") and not SYMBOLS.intersection(case.password.strip(" ")):
        return _weak("Password must have symbol characters", "a symbol")
    return Seen("has or needs none")


CHECKS = (
    it_is_long_enough,
    it_has_an_upper_case_letter,
    it_has_a_lower_case_letter,
    it_has_a_digit,
    it_has_a_symbol,
)

TOO_WEAK = Page(
    "IK1130",
    "InvalidPasswordException",
    "The password does not meet the pool's policy",
    "It is too short, or lacks a kind of character that the policy asks for: eight characters, upper and lower case, a digit and "
    "a symbol unless the pool says otherwise.",
    "Choose a password that fits, or change Policies.PasswordPolicy.",
    "Password did not conform with policy",
    level="observed",
    console="User pool, Authentication methods, Password policy.",
    terraform="password_policy { minimum_length = 8 }",
)
