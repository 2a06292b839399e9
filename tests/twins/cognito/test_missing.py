"""What the service has and the twin does not: each operation says so itself, and nothing is passed over in silence."""

from __future__ import annotations

import pytest

from innkeeper.issuer.dialects.cognito.api.dispatch import OPERATIONS
from innkeeper.issuer.dialects.cognito.api.service import KNOWN, UNSIGNED
from tests.issuer.house import PASSWORD
from tests.twins.cognito.pool import GUEST, GUEST_APP, Pool
from tests.twins.parity import parity

FAMILIES = {
    "CreateIdentityProvider",
    "ConfirmDevice",
    "StartWebAuthnRegistration",
    "CreateUserImportJob",
    "SetRiskConfiguration",
    "CreateUserPoolReplica",
}


def test_every_operation_of_the_service_is_done_or_refused_by_its_name(pool: Pool) -> None:
    assert not FAMILIES & set(OPERATIONS)
    for operation in sorted(KNOWN - set(OPERATIONS)):
        told = pool.call(operation, authorization="") if operation in UNSIGNED else pool.call(operation)
        assert (told.status, told.kind) == (400, "UnsupportedOperationException"), operation
        assert told.message == f"The operation {operation} is not in this twin of Cognito."
        assert told.headers["x-amzn-errortype"] == "UnsupportedOperationException:"


@pytest.mark.parametrize("parameter", ["TARGET_ACR_VALUES", "MAX_AGE"])
def test_step_up_is_refused_and_not_passed_over(pool: Pool, parameter: str) -> None:
    said = {"USERNAME": GUEST, "PASSWORD": PASSWORD, parameter: "urn:cognito:loa:2"}
    told = pool.call(
        "InitiateAuth",
        {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": GUEST_APP, "AuthParameters": said},
        authorization="",
    )
    assert (told.kind, told.message) == (
        "UnsupportedOperationException",
        f"InitiateAuth with {parameter} is not in this twin of Cognito.",
    )


def test_passkeys_and_devices_are_refused_by_name(pool: Pool) -> None:
    said = {"USERNAME": GUEST, "PREFERRED_CHALLENGE": "WEB_AUTHN"}
    begin = {"AuthFlow": "USER_AUTH", "ClientId": GUEST_APP, "AuthParameters": said}
    assert "InitiateAuth with WEB_AUTHN" in pool.call("InitiateAuth", begin, authorization="").message
    answer = {"ClientId": GUEST_APP, "ChallengeName": "DEVICE_SRP_AUTH", "ChallengeResponses": {"USERNAME": GUEST}}
    told = pool.call("RespondToAuthChallenge", answer, authorization="")
    assert told.message == "RespondToAuthChallenge with DEVICE_SRP_AUTH is not in this twin of Cognito."


@parity("Hosted pages", "documented")
def test_the_language_goes_along_from_page_to_page(pool: Pool) -> None:
    """lang is taken and goes along to the sign-in page and on; the twin's pages stay English."""
    answer = pool.authorize(lang="de")
    assert "lang=de" in answer.location
    page = pool.house.get(answer.location)
    assert page.status == 200
    assert page.text.count("lang=de") >= 3
    assert pool.browse(lang="nonsense").sent_back["code"]
