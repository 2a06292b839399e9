"""Refusals in the words that people meet them in, and what is said of each."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from innkeeper.cli import main
from innkeeper.explain.refused import COGNITO, ENTRA, NATIVE, known, meant, read

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "refusals.md"
BOTO3 = "An error occurred (NotAuthorizedException) when calling the InitiateAuth operation: Incorrect username or password."


def first(text: str, dialect: str = "") -> str:
    told = read(text)
    assert told is not None, text
    return meant(told, dialect)[0].page.number


def test_every_numbered_refusal_is_known_and_a_clouds_as_its_own() -> None:
    listed = re.findall(r"^### (IK\d+)$", REFERENCE.read_text("utf-8"), re.MULTILINE)
    assert [one.page.number for one in known()] == listed
    of = {one.page.number: one.dialect for one in known()}
    assert (of["IK230"], of["IK1114"], of["IK1220"]) == (NATIVE, COGNITO, ENTRA)


def test_every_refusal_of_a_cloud_says_what_mends_it_everywhere_and_how_sure_we_are() -> None:
    for known_one in (one for one in known() if one.dialect != NATIVE):
        page, console = known_one.page, "the portal" if known_one.dialect == ENTRA else "the console"
        assert page.cause, page.number
        assert page.remedy, page.number
        assert [place for place, text in page.remedies if text] == [console, "Terraform"], page.number
        assert page.level in ("documented", "observed", "inferred"), page.number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("IK1105", "IK1105"),
        ("ik1105", "IK1105"),
        ("2026-11-28T01:00:00Z refused [IK640]", "IK640"),
        ("AADSTS700016", "IK1220"),
        ("AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2 Timestamp: 3", "IK1222"),
        (
            '{"error": "invalid_client", "error_description": "AADSTS7000222: The provided client secret keys ..."}',
            "IK1223",
        ),
        (BOTO3, "IK1114"),
        (f"botocore.errorfactory.NotAuthorizedException: {BOTO3}", "IK1114"),
        ("NotAuthorizedException: Incorrect username or password.", "IK1114"),
        ("Incorrect username or password.", "IK1114"),
        ("UserNotConfirmedException", "IK1118"),
        ('{"__type": "CodeMismatchException", "message": "Invalid verification code provided"}', "IK1136"),
        ('{"__type": "a.namespace#UsernameExistsException", "message": "User already exists"}', "IK1132"),
        (
            '{"message": "USER_PASSWORD_AUTH flow not enabled for this client", "__type": "InvalidParameterException"}',
            "IK1110",
        ),
        ('{"error": "unauthorized_client", "error_description": "invalid_redirect"}', "IK1008"),
        ('{"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}}', "IK1314"),
        ("redirect_mismatch", "IK1021"),
    ],
)
def test_a_refusal_is_known_by_its_number_its_name_its_sentence_or_its_json(text: str, number: str) -> None:
    assert first(text) == number


def test_a_name_that_several_dialects_use_is_narrowed_down() -> None:
    told = read("invalid_grant")
    assert told is not None
    assert {one.dialect for one in meant(told)} == {NATIVE, COGNITO, ENTRA}
    assert {one.dialect for one in meant(told, COGNITO)} == {COGNITO}


@pytest.mark.parametrize("text", ["nonsense", "two words", "{}", '{"access_token": "x"}', "{broken", "x" * 5000])
def test_what_is_no_refusal_is_left_to_be_read_as_a_token(text: str) -> None:
    assert read(text) is None


def test_the_terminal_says_why_what_mends_it_where_and_how_sure_we_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "AADSTS7000215"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in (
        "IK1222 AADSTS7000215",
        "why",
        "in code",
        "in the portal",
        "in Terraform Use azuread_application_password",
        "how sure",
    ):
        assert part in said, said


def test_many_that_fit_are_listed_and_one_is_explained_when_more_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "NotAuthorizedException"]) == 0
    listed = capsys.readouterr().out
    assert "refusals are told so" in listed
    assert "IK1111" in listed
    assert main(["explain", "NotAuthorizedException", "--as", "entra"]) == 2
    assert "is none of the refusals known here" in capsys.readouterr().err


def test_programs_have_it_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", BOTO3]) == 0
    [told, *_] = json.loads(capsys.readouterr().out)["refusals"]
    assert (told["number"], told["error"], told["level"]) == ("IK1114", "NotAuthorizedException", "observed")
    assert set(told["remedies"]) == {"code", "console", "Terraform"}


def test_a_number_that_nothing_has_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "AADSTS1"]) == 2
    assert "AADSTS1 is none of the refusals known here" in capsys.readouterr().err
