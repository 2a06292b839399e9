"""Before anything goes to another issuer: who asks, for what, and where the answer goes. A yes here is for this browser and
this request alone."""

from __future__ import annotations

from innkeeper.issuer.core.records import Upstream
from innkeeper.issuer.desk.authorize import examined
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.issuer.pages.acting import about
from innkeeper.issuer.pages.asked import asks_of, until_of
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.visit import Visits
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.redirects import host_of, is_loopback


class ConsentFirst:
    """The page on which a client is allowed before its person is known."""

    def __init__(self, realm: Realm, layout: Layout, visits: Visits) -> None:
        self._realm = realm
        self._layout = layout
        self._visits = visits

    def only_way(self, ticket: Ticket) -> Upstream | None:
        """The one issuer at which people sign in, where that is all there is and it wants their yes first."""
        ways = list(self._realm.policy.upstreams.values())
        only = len(ways) == 1 and not self._realm.policy.passwords
        return ways[0] if only and self.wants(ways[0], ticket) else None

    def wants(self, chosen: Upstream, ticket: Ticket) -> bool:
        """Whether a person is asked before they are sent there: for an application, not for their own account here."""
        return chosen.consent_first and not ticket.place

    async def page(
        self,
        request: Request,
        ticket: Ticket,
        sealed: str,
        chosen: Upstream,
        client: dict[str, str],
        problem: str | None,
    ) -> Reply | None:
        """The question; None where the request is no good, which the authorization endpoint says better."""
        asked, policy = await examined(self._realm, ticket), self._realm.policy
        if asked is None:
            return None
        proof, headers = self._visits.form_proof(request)
        return page_reply(
            "consent_first.html",
            200 if problem is None else 502,
            headers,
            form_targets=[asked.redirect_uri, chosen.issuer],
            realm_name=policy.title,
            static=self._layout.static,
            client=client,
            agent=await about(self._realm, asked.client),
            upstream={"id": chosen.id, "title": chosen.title, "host": host_of(chosen.issuer)},
            redirect_host=host_of(asked.redirect_uri),
            loopback=is_loopback(asked.redirect_uri),
            asks=asks_of(asked, frozenset(), policy),
            resources=[one for uri, one in policy.resources.items() if uri in asked.reach.audience],
            until=until_of(asked, policy),
            action=self._layout.sign_in,
            csrf=proof,
            ticket=sealed,
            problem=problem,
        )
