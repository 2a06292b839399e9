"""Forms for what may follow the password: a new one, a code, an authenticator to set up."""

from __future__ import annotations

from collections.abc import Mapping

from innkeeper.issuer.core.cognito import sign_in as words
from innkeeper.issuer.pages.cognito.hosted import Button, Field, Form
from innkeeper.issuer.pages.speaking import marked

PATH = "/login/next"


def form_of(challenge: str, session: str, parameters: Mapping[str, str], problem: str, target: str) -> Form:
    """The form that puts a challenge to a person."""
    title, lead, fields = _ASKED.get(challenge, _SENT)
    to = parameters.get("CODE_DELIVERY_DESTINATION", "")
    secret = parameters.get("secret", "")
    return Form(
        title=title,
        lead=f"{lead} {to or secret}".strip(),
        path=PATH,
        name="cognitoChallengeForm",
        fields=fields,
        hidden=(("challenge", challenge), ("session", session)),
        button=Button("continue", "continueButton", marked("Continue")),
        problem=problem,
        targets=(target,),
        status=400 if problem else 200,
    )


def _code(name: str) -> tuple[Field, ...]:
    return (Field(name, marked("Code"), complete="one-time-code"),)


_SENT = (marked("Enter the code"), marked("We sent it to"), _code("ANSWER"))
_ASKED: dict[str, tuple[str, str, tuple[Field, ...]]] = {
    words.NEW_PASSWORD: (
        marked("Choose a new password"),
        marked("The one you were given works once."),
        (Field("NEW_PASSWORD", marked("New password"), "password", "new-password"),),
    ),
    words.SOFTWARE_TOKEN: (
        marked("Enter the code"),
        marked("Your authenticator shows it."),
        _code("SOFTWARE_TOKEN_MFA_CODE"),
    ),
    words.MFA_SETUP: (
        marked("Set up an authenticator"),
        marked("Type this key into your authenticator:"),
        _code("UserCode"),
    ),
    words.SELECT_MFA: (
        marked("How shall we check?"),
        marked("Type SOFTWARE_TOKEN_MFA, SMS_MFA or EMAIL_OTP."),
        (Field("ANSWER", marked("Second factor"), value=words.SOFTWARE_TOKEN),),
    ),
}
