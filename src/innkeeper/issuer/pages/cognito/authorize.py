"""The way of a browser through a pool: authorize, sign in, answer what is asked, back to the client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from innkeeper.issuer.core.cognito import sign_in as words
from innkeeper.issuer.core.cognito.authorize import BAD_REQUEST
from innkeeper.issuer.core.cognito.records import User
from innkeeper.issuer.desk.cognito.accounts import migrate
from innkeeper.issuer.desk.cognito.authenticator import associate_waiting, verify_waiting
from innkeeper.issuer.desk.cognito.authorize import Answer, Asked, answer, judge, open_session, user_of
from innkeeper.issuer.desk.cognito.declined import Declined
from innkeeper.issuer.desk.cognito.sign_in import after_sign_in, with_password
from innkeeper.issuer.desk.cognito.steps import Next, after_password
from innkeeper.issuer.desk.cognito.steps import answer as answer_step
from innkeeper.issuer.desk.cognito.twin import OpenPool
from innkeeper.issuer.dialects.cognito.oauth import PoolEndpoint, PoolHandler
from innkeeper.issuer.pages.cognito.factors import form_of
from innkeeper.issuer.pages.cognito.hosted import SESSION, Button, Field, Form, Hosted, address, cookie, ours, read
from innkeeper.issuer.pages.speaking import marked
from innkeeper.protocol.exchange import Reply, Request, redirect
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.redirects import with_parameters
from innkeeper.protocol.refusals import Refusal

Handler = Callable[[OpenPool, Request, Asked, Parameters], Awaitable[Reply]]

GET, FORM = frozenset({"GET", "HEAD"}), frozenset({"GET", "HEAD", "POST"})


class SignInPages:
    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted

    def table(self) -> dict[str, PoolEndpoint]:
        return {
            "/oauth2/authorize": PoolEndpoint(self._guarded(self._authorize), GET),
            "/login": PoolEndpoint(self._guarded(self._login), FORM),
            "/login/next": PoolEndpoint(self._guarded(self._step), FORM),
        }

    def _guarded(self, handler: Handler) -> PoolHandler:
        """A handler whose request is read and judged first; what cannot be answered at the client ends on a page."""

        async def guarded(pool: OpenPool, request: Request) -> Reply:
            try:
                sent, form = read(request)
                asked = await judge(pool, sent, request.cookie(SESSION))
                if asked.refusal is not None:
                    return _turned(pool, asked, asked.refusal)
                return await handler(pool, request, asked, form)
            except Malformed as error:
                return self._hosted.unreadable(pool, Refusal(BAD_REQUEST, str(error)))
            except Declined as declined:
                return self._hosted.refused(pool, declined)

        return guarded

    async def _authorize(self, pool: OpenPool, request: Request, asked: Asked, _: Parameters) -> Reply:
        session = asked.session
        if session is not None and not _must_sign_in(asked, pool.now() - session.auth_time):
            user = await user_of(pool, session)
            return _back(asked, await answer(pool, asked, user, session.auth_time))
        return redirect(address(pool, "/login", request.query), 302)

    async def _login(self, pool: OpenPool, request: Request, asked: Asked, form: Parameters) -> Reply:
        if request.method != "POST":
            return self._page(pool, request, asked, asked.sent.get("login_hint", ""))
        name = form.get("username", "")
        if not ours(pool, request, form):
            return self._page(pool, request, asked, name, marked("Please send the form again."), 403)
        try:
            user = await with_password(pool, asked.client, name, form.get("password", ""), migrate)
            after = await after_password(pool, asked.client, user)
        except Declined as declined:
            return self._wrong(pool, request, asked, name, declined)
        return await self._go_on(pool, request, asked, after)

    def _wrong(self, pool: OpenPool, request: Request, asked: Asked, name: str, declined: Declined) -> Reply:
        pool.realm.observe(declined.trail)
        if declined.refusal.page is words.NOT_CONFIRMED:
            return redirect(address(pool, "/confirmUser", f"{request.query}&username={quote(name)}"), 302)
        if declined.refusal.page is words.RESET_FIRST:
            return redirect(address(pool, "/forgotPassword", request.query), 302)
        return self._page(pool, request, asked, name, declined.refusal.wire, 400)

    async def _step(self, pool: OpenPool, request: Request, asked: Asked, form: Parameters) -> Reply:
        """The answer to what followed the password."""
        challenge, session = form.get("challenge", ""), form.get("session", "")
        if not ours(pool, request, form) or not session:
            return redirect(address(pool, "/login", request.query), 302)
        responses = {name: form[name] for name in form if name not in ("challenge", "session", "_csrf")}
        try:
            if challenge == words.MFA_SETUP:
                session = await verify_waiting(pool, asked.client, session, form.get("UserCode", ""))
            after = await answer_step(pool, asked.client, challenge, session, responses)
        except Declined as declined:
            pool.realm.observe(declined.trail)
            page = form_of(challenge, session, {}, declined.refusal.wire, asked.redirect_uri)
            return self._hosted.page(pool, request, page)
        return await self._go_on(pool, request, asked, after)

    async def _go_on(self, pool: OpenPool, request: Request, asked: Asked, after: Next) -> Reply:
        told, session = dict(after.parameters), after.session
        if after.challenge == words.MFA_SETUP:
            told["secret"], session = await associate_waiting(pool, asked.client, session)
        if after.challenge:
            return self._hosted.page(pool, request, form_of(after.challenge, session, told, "", asked.redirect_uri))
        return await self._signed_in(pool, asked, after.user)

    async def _signed_in(self, pool: OpenPool, asked: Asked, user: User) -> Reply:
        await after_sign_in(pool, asked.client, user)
        fresh = await open_session(pool, user)
        reply = _back(asked, await answer(pool, asked, user, pool.now()))
        return Reply(reply.status, (*reply.headers, cookie(pool, SESSION, fresh)), reply.body)

    def _page(
        self, pool: OpenPool, request: Request, asked: Asked, name: str, problem: str = "", status: int = 200
    ) -> Reply:
        links = [(marked("Forgot your password?"), "/forgotPassword")]
        if not pool.pool.admin_creates_only:
            links.append((marked("Sign up"), "/signup"))
        form = Form(
            title=marked("Sign in"),
            lead="to go on to",
            client=asked.client.name,
            path="/login",
            name="cognitoSignInForm",
            fields=(
                Field("username", marked("User name or email"), complete="username", value=name),
                Field("password", marked("Password"), "password", "current-password"),
            ),
            hidden=(("cognitoAsfData", ""),),
            button=Button("sign-in", "signInSubmitButton", marked("Sign in")),
            links=links,
            problem=problem,
            targets=(asked.redirect_uri,),
            status=status,
        )
        return self._hosted.page(pool, request, form)


def _must_sign_in(asked: Asked, age: int) -> bool:
    """Whether the person is asked again though a session is there."""
    oldest = asked.sent.get("max_age", "")
    return "login" in asked.sent.get("prompt", "").split() or (oldest.isdigit() and age > int(oldest))


def _back(asked: Asked, given: Answer) -> Reply:
    """The answer on its way to the client: a code in the query, tokens in the fragment."""
    state = [("state", asked.sent["state"])] if "state" in asked.sent else []
    tokens = given.tokens
    if tokens is None:
        return redirect(with_parameters(asked.redirect_uri, [("code", given.code), *state]), 302)
    identity = [("id_token", tokens.identity)] if tokens.identity else []
    rest = [("access_token", tokens.access), ("token_type", "bearer"), ("expires_in", str(tokens.expires_in))]
    return redirect(with_parameters(asked.redirect_uri, [*identity, *rest, *state], fragment=True), 302)


def _turned(pool: OpenPool, asked: Asked, refusal: Refusal) -> Reply:
    """An error on its way to the client."""
    pool.realm.observe(asked.trail)
    state = [("state", asked.sent["state"])] if "state" in asked.sent else []
    fields = [("error", refusal.error), *state]
    return redirect(with_parameters(asked.redirect_uri, fields), 302)
