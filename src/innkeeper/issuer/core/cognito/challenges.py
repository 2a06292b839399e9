"""Answers to challenges: the session they belong to, and whether they are right."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that waits for an answer: to which challenge, of which client, for whom; ``more`` is the challenge's own."""

    name: str
    client_id: str
    sub: str
    username: str
    expires_at: int
    code: bytes = b""
    totp: bytes = b""
    done: tuple[dict[str, Any], ...] = ()
    answer: dict[str, str] = {}


class Case(msgspec.Struct, frozen=True):
    """``challenge`` as the answer names it."""

    waiting: Waiting | None
    client_id: str
    challenge: str
    now: int


@check("Cognito API: Session")
def the_session_is_this_clients(case: Case) -> Seen | Refusal:
    """The session was begun here, by the same client, and was not used up."""
    if case.waiting is None or case.waiting.client_id != case.client_id:
        said = "Invalid session for the user."
        return Refusal(SESSION_BAD, "no such session of this client", "a session", "another", said=said)
    return Seen(case.waiting.name)


@check("Cognito API: Session")
def the_session_has_not_expired(case: Case) -> Seen | Refusal:
    """A session lives as long as AuthSessionValidity of the client says, three minutes by default."""
    late = case.now - (case.waiting.expires_at if case.waiting else 0)
    if late >= 0:
        said = "Invalid session for the user, session is expired."
        return Refusal(SESSION_BAD, f"it expired {late} s ago", "a living session", "expired", said=said)
    return Seen(f"{-late} s left")


@check("Cognito API: ChallengeName")
def the_answer_is_to_the_challenge(case: Case) -> Seen | Refusal:
    """The answer names the challenge that was put."""
    put = case.waiting.name if case.waiting else ""
    if case.challenge != put:
        return Refusal(
            ANSWER_BAD, "the answer is to another challenge", put, case.challenge, said="Invalid challenge transition"
        )
    return Seen(put)


CHECKS = (the_session_is_this_clients, the_session_has_not_expired, the_answer_is_to_the_challenge)


class AnswerCase(msgspec.Struct, frozen=True):
    """``missing`` names a response that should have come; ``right`` says that the code or proof is."""

    challenge: str
    missing: str
    right: bool
    page: Page


@check("Cognito API: ChallengeResponses")
def the_responses_are_complete(case: AnswerCase) -> Seen | Refusal:
    """Every response that the challenge needs came."""
    if case.missing:
        said = f"Missing required parameter {case.missing}"
        return Refusal(ANSWER_BAD, f"{case.missing} is missing", case.missing, "nothing", said=said)
    return Seen("complete")


@check("Cognito API: ChallengeResponses")
def the_answer_is_right(case: AnswerCase) -> Seen | Refusal:
    """The code, or the proof, is the one that was expected."""
    if not case.right:
        return Refusal(case.page, f"the answer to {case.challenge} is wrong", "the right one", "another")
    return Seen("right")


ANSWER_CHECKS = (the_responses_are_complete, the_answer_is_right)

SESSION_BAD = Page(
    "IK1120",
    "NotAuthorizedException",
    "The session of the challenge is no good",
    "The Session is unknown, of another client, used up, or older than AuthSessionValidity (three minutes by default).",
    "Begin again with InitiateAuth, and answer with the newest Session.",
    "Invalid session for the user.",
    level="observed",
    console="App client, Edit: Authentication flow session duration.",
    terraform="auth_session_validity = 15",
)
ANSWER_BAD = Page(
    "IK1121",
    "InvalidParameterException",
    "The answer to the challenge is malformed",
    "A response is missing, or the answer names another challenge than the one that was put.",
    "Answer the ChallengeName of the last answer, with the responses it needs.",
    "Invalid challenge response",
    level="inferred",
)
CODE_WRONG = Page(
    "IK1122",
    "CodeMismatchException",
    "The code is wrong",
    "The code of the authenticator, or the one that was sent, is another. A code of an authenticator works once.",
    "Enter the newest code; on this computer sent codes are in the outbox.",
    "Invalid code or auth state for the user.",
    level="observed",
)
PROOF_WRONG = Page(
    "IK1123",
    "NotAuthorizedException",
    "The proof of the password is wrong",
    "PASSWORD_CLAIM_SIGNATURE is not the one that the right password makes: the password is another, the block was changed, "
    "used before or too old, or the proof was made over an alias instead of USER_ID_FOR_SRP.",
    "Try again from InitiateAuth; use USER_ID_FOR_SRP in the proof.",
    "Incorrect username or password.",
    level="observed",
)
CUSTOM_WRONG = Page(
    "IK1124",
    "NotAuthorizedException",
    "The custom challenge was not passed",
    "The pool's functions (DefineAuthChallenge, VerifyAuthChallengeResponse) let nobody in with this answer.",
    "Read the functions; they are the pool owner's.",
    "Incorrect username or password.",
    level="documented",
)
FIRST_CODE_WRONG = Page(
    "IK1125",
    "EnableSoftwareTokenMFAException",
    "The authenticator's first code is wrong",
    "The code typed is not one of the secret that AssociateSoftwareToken gave, or the authenticator's clock is wrong.",
    "Enter the code that the authenticator shows now, for the newest secret.",
    "Code mismatch",
    level="observed",
)
