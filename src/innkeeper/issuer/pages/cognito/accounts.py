"""Hosted pages on one's own account: sign-up and its code, forgotten passwords."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from msgspec.structs import replace

from innkeeper.issuer.core.cognito.attributes import required
from innkeeper.issuer.core.cognito.authorize import BAD_REQUEST, NO_CLIENT
from innkeeper.issuer.core.cognito.records import AppClient
from innkeeper.issuer.desk.cognito import accounts
from innkeeper.issuer.desk.cognito.declined import Declined
from innkeeper.issuer.desk.cognito.twin import OpenPool
from innkeeper.issuer.desk.cognito.users import find_user, the_user
from innkeeper.issuer.dialects.cognito.oauth import PoolEndpoint, PoolHandler
from innkeeper.issuer.pages.cognito.hosted import Button, Field, Form, Hosted, address, ours, read
from innkeeper.issuer.pages.speaking import marked
from innkeeper.protocol.exchange import Reply, Request, redirect
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.refusals import Refusal

FORM = frozenset({"GET", "HEAD", "POST"})

Sent = Callable[[OpenPool, AppClient, Parameters], Awaitable[str]]
"""What a form does: it answers the path that comes next, with what is added to the query."""


class AccountPages:
    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted

    def table(self) -> dict[str, PoolEndpoint]:
        pages = {
            "/signup": (_sign_up_form, _sign_up),
            "/confirmUser": (_confirm_form, _confirm),
            "/confirm": (_confirm_form, _confirm),
            "/resendcode": (_resend_form, _resend),
            "/forgotPassword": (_forgot_form, _forgot),
            "/confirmforgotPassword": (_reset_form, _reset),
        }
        return {path: PoolEndpoint(self._page(form, sent), FORM) for path, (form, sent) in pages.items()}

    def _page(self, form_of: Callable[[OpenPool, Parameters], Form], sent: Sent) -> PoolHandler:
        async def handler(pool: OpenPool, request: Request) -> Reply:
            try:
                query, form = read(request)
            except Malformed as error:
                return self._hosted.unreadable(pool, Refusal(BAD_REQUEST, str(error)))
            client = await pool.client(query.get("client_id", ""))
            if client is None:
                return self._hosted.unreadable(
                    pool, Refusal(NO_CLIENT, "the page was opened without a client of this pool")
                )
            if request.method != "POST":
                return self._hosted.page(pool, request, form_of(pool, query))
            if not ours(pool, request, form):
                return self._again(pool, request, form_of(pool, query), marked("Please send the form again."))
            try:
                onward = await sent(pool, client.record, form)
            except Declined as declined:
                pool.realm.observe(declined.trail)
                return self._again(pool, request, form_of(pool, query), declined.refusal.wire)
            to, _, more = onward.partition("?")
            kept = urlencode([(name, query[name]) for name in query if name != "username"])
            return redirect(address(pool, to, f"{kept}&{more}" if more else kept), 302)

        return handler

    def _again(self, pool: OpenPool, request: Request, form: Form, problem: str) -> Reply:
        return self._hosted.page(pool, request, replace(form, problem=problem, status=400))


_NAME = Field("username", marked("User name"), complete="username")
_NEW_PASSWORD = Field("password", marked("Password"), "password", "new-password")
_CODE = Field("code", marked("Code"), complete="one-time-code")


def _sign_up_form(pool: OpenPool, _: Parameters) -> Form:
    wanted = dict.fromkeys(("email", *required(pool.pool)))
    more = [Field(one, one.removeprefix("custom:").replace("_", " ").capitalize(), complete=one) for one in wanted]
    named_by_mail = "email" in pool.pool.named_by
    fields = (*more, _NEW_PASSWORD) if named_by_mail else (_NAME, *more, _NEW_PASSWORD)
    return Form(
        title=marked("Sign up"),
        path="/signup",
        name="cognitoSignUpForm",
        fields=fields,
        button=Button("sign-up", "signUpButton", marked("Sign up")),
        links=[(marked("Sign in instead"), "/login")],
    )


async def _sign_up(pool: OpenPool, client: AppClient, form: Parameters) -> str:
    said = {name: form[name] for name in form if name not in ("username", "password", "_csrf")}
    name = form.get("username", "") or said.get("email", "")
    done = await accounts.sign_up(pool, client, name, form.get("password", ""), said)
    return f"/confirmUser?{urlencode({'username': name})}" if done.sent_to else "/login"


def _confirm_form(_: OpenPool, query: Parameters) -> Form:
    return Form(
        title=marked("Confirm your account"),
        lead=marked("We sent you a code."),
        path="/confirmUser",
        name="cognitoConfirmForm",
        fields=(Field("username", marked("User name"), complete="username", value=query.get("username", "")), _CODE),
        button=Button("confirm", "confirm", marked("Confirm account")),
        links=[(marked("Send another code"), "/resendcode"), (marked("Sign in"), "/login")],
    )


async def _confirm(pool: OpenPool, client: AppClient, form: Parameters) -> str:
    user = await the_user(pool, form.get("username", ""))
    await accounts.confirm(pool, client.id, user, form.get("code", ""))
    return "/login"


def _resend_form(_: OpenPool, query: Parameters) -> Form:
    return Form(
        title=marked("Send another code"),
        path="/resendcode",
        name="cognitoResendForm",
        fields=(Field("username", marked("User name"), complete="username", value=query.get("username", "")),),
        button=Button("resend", "resendCode", marked("Send the code")),
    )


async def _resend(pool: OpenPool, client: AppClient, form: Parameters) -> str:
    user = await find_user(pool, form.get("username", ""))
    if user is not None and user.account.status == "UNCONFIRMED":
        await accounts.send_confirmation(pool, client, user, "CustomMessage_ResendCode")
    return f"/confirmUser?{urlencode({'username': form.get('username', '')})}"


def _forgot_form(_: OpenPool, query: Parameters) -> Form:
    return Form(
        title=marked("Forgot your password?"),
        lead=marked("We send you a code with which you choose a new one."),
        path="/forgotPassword",
        name="cognitoForgotForm",
        fields=(Field("username", marked("User name or email"), complete="username", value=query.get("username", "")),),
        button=Button("reset-password", "reset_my_password", marked("Send me a code")),
        links=[(marked("Sign in"), "/login")],
    )


async def _forgot(pool: OpenPool, client: AppClient, form: Parameters) -> str:
    """Nobody learns here whether the name is somebody's."""
    name = form.get("username", "")
    user = await find_user(pool, name)
    if user is not None:
        await accounts.forget_password(pool, client.id, user)
    return f"/confirmforgotPassword?{urlencode({'username': name})}"


def _reset_form(_: OpenPool, query: Parameters) -> Form:
    return Form(
        title=marked("Choose a new password"),
        lead=marked("We sent you a code."),
        path="/confirmforgotPassword",
        name="cognitoResetForm",
        fields=(
            Field("username", marked("User name or email"), complete="username", value=query.get("username", "")),
            _CODE,
            _NEW_PASSWORD,
        ),
        button=Button("change-password", "reset_password", marked("Change password")),
    )


async def _reset(pool: OpenPool, client: AppClient, form: Parameters) -> str:
    name, code = form.get("username", ""), form.get("code", "")
    await accounts.set_forgotten_password(pool, client, name, code, form.get("password", ""))
    return "/login"
