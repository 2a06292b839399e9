"""Functions of a pool, as its owner would write them for Lambda; the tests name them in the settings."""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]


def add_claims(event: Event, context: object) -> Event:
    """Pre token generation, version 2: a claim and a scope more in the access token, one claim of the ID token less."""
    event["response"]["claimsAndScopeOverrideDetails"] = {
        "idTokenGeneration": {"claimsToAddOrOverride": {"room": "204", "sub": "forged"}, "claimsToSuppress": ["name"]},
        "accessTokenGeneration": {"claimsToAddOrOverride": {"floor": 2}, "scopesToAdd": ["hotel/pool"]},
        "groupOverrideDetails": {"groupsToOverride": ["guests"]},
    }
    return event


def confirm_everybody(event: Event, context: object) -> Event:
    event["response"].update(autoConfirmUser=True, autoVerifyEmail=True)
    return event


def refuse(event: Event, context: object) -> Event:
    raise ValueError(f"{event['userName']} is not welcome")


def forget_to_return(event: Event, context: object) -> None:
    """What people forget most."""


async def three_rounds(event: Event, context: object) -> Event:
    """Define the challenge: one custom question, then tokens or nothing."""
    rounds = event["request"]["session"]
    if rounds and rounds[-1]["challengeResult"]:
        event["response"].update(issueTokens=True, failAuthentication=False)
    elif len(rounds) >= 2:
        event["response"].update(issueTokens=False, failAuthentication=True)
    else:
        event["response"].update(issueTokens=False, failAuthentication=False, challengeName="CUSTOM_CHALLENGE")
    return event


def ask_for_the_room(event: Event, context: object) -> Event:
    event["response"].update(
        publicChallengeParameters={"question": "Which room?"},
        privateChallengeParameters={"answer": "204"},
        challengeMetadata="room",
    )
    return event


def compare(event: Event, context: object) -> Event:
    right = event["request"]["privateChallengeParameters"]["answer"] == event["request"]["challengeAnswer"]
    event["response"]["answerCorrect"] = right
    return event


def know_grace(event: Event, context: object) -> Event:
    """Migration: one person of the old directory."""
    if event["userName"] == "grace" and event["request"]["password"] == "Old-Horse-77":
        event["response"].update(userAttributes={"email": "grace@old.example"}, finalUserStatus="CONFIRMED")
    return event
