"""The authorization endpoint as a browser meets it: on to sign-in or consent, back to the client, or an error page."""

from __future__ import annotations

from innkeeper.issuer.core import signed_response
from innkeeper.issuer.core.authorization_request import CREATE, NO_REDIRECT
from innkeeper.issuer.core.authorize import AskCode, AskConsent, AskSignIn, GiveCode, Turned
from innkeeper.issuer.desk.authorize import Answer, authorize, in_a_jwt
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.requests import open_request
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.dialects.layout import AuthorizationWording, Layout
from innkeeper.issuer.pages.explanations import Explanations
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.visit import Visits, parameters_of
from innkeeper.protocol.exchange import Reply, Request, redirect
from innkeeper.protocol.parameters import Malformed
from innkeeper.protocol.redirects import with_parameters
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import at_the_door


class AuthorizePage:
    def __init__(
        self, realm: Realm, layout: Layout, visits: Visits, explanations: Explanations, wording: AuthorizationWording
    ) -> None:
        self._realm = realm
        self._layout = layout
        self._visits = visits
        self._explanations = explanations
        self._wording = wording

    async def __call__(self, request: Request) -> Reply:
        try:
            ticket = await self._ticket(request)
        except Malformed as error:
            return self._unreadable(str(error))
        if ticket is None:
            return self._unreadable("the ticket of this sign-in is too old or was changed; start again at the client")
        answer = await authorize(self._realm, ticket, self._visits.session_cookie(request))
        outcome = answer.outcome
        if isinstance(outcome, Refusal):
            return self._explanations.error_page(outcome, answer.trail, 400)
        if isinstance(outcome, AskSignIn):
            create = CREATE in outcome.authorization.prompts
            return self._visits.on_to(self._layout.sign_up if create else self._layout.sign_in, ticket)
        if isinstance(outcome, AskCode):
            return self._visits.on_to(self._layout.sign_in_code, ticket)
        if isinstance(outcome, AskConsent):
            return self._visits.on_to(self._layout.consent, ticket)
        return await self._back_to_the_client(outcome, answer)

    async def _ticket(self, request: Request) -> Ticket | None:
        """The waiting request an address carries on, or a new one. None where a ticket is no good any more."""
        parameters = parameters_of(request)
        if "ticket" in parameters and "client_id" not in parameters:
            return self._visits.ticket(parameters)
        return await open_request(self._realm, parameters)

    async def _back_to_the_client(self, outcome: GiveCode | Turned, answer: Answer) -> Reply:
        issuer = self._realm.policy.issuer
        if isinstance(outcome, GiveCode):
            to = outcome.authorization
            fields = [*self._wording(issuer, to.state, code=answer.code), *answer.front]
            return await self._sent(to.redirect_uri, to.response_mode, fields, answer)
        more = self._explanations.address(outcome.refusal)
        fields = self._wording(issuer, outcome.state, refusal=outcome.refusal, more=more)
        return await self._sent(outcome.redirect_uri, outcome.response_mode, fields, answer)

    async def _sent(self, uri: str, mode: str, fields: list[tuple[str, str]], answer: Answer) -> Reply:
        """The answer on its way, in a JWT where the mode asks for one."""
        way = signed_response.carrier(mode)
        if way is None or answer.client is None:
            return self._send(uri, mode, fields, answer)
        token = await in_a_jwt(self._realm, answer.client, fields)
        if isinstance(token, Refusal):
            return self._explanations.error_page(token, answer.trail, token.page.status)
        return self._send(uri, way, [(signed_response.PARAMETER, token)], answer)

    def _send(self, uri: str, mode: str, fields: list[tuple[str, str]], answer: Answer) -> Reply:
        if mode != "form_post":
            return redirect(with_parameters(uri, fields, fragment=mode == "fragment"))
        return page_reply(
            "form_post.html",
            form_targets=[uri],
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            client=answer.client,
            action=uri,
            fields=fields,
        )

    def _unreadable(self, reason: str) -> Reply:
        refusal = Refusal(NO_REDIRECT, reason)
        trail = at_the_door("authorize", refusal, "RFC 6749 §3.1")
        self._realm.observe(trail)
        return self._explanations.error_page(refusal, trail, 400)
