"""Signing out of a pool, and the outbox of this computer."""

from __future__ import annotations

from datetime import UTC, datetime

from innkeeper.issuer.core.cognito.endpoints import LOGOUT_BAD, LOGOUT_CHECKS, LogoutCase
from innkeeper.issuer.desk.cognito import outbox
from innkeeper.issuer.desk.cognito.authorize import end_session
from innkeeper.issuer.desk.cognito.declined import Declined, demand
from innkeeper.issuer.desk.cognito.twin import OpenPool
from innkeeper.issuer.dialects.cognito.oauth import PoolEndpoint
from innkeeper.issuer.pages.cognito.hosted import SESSION, Hosted, address, cookie, query_of, read
from innkeeper.issuer.pages.render import page_reply
from innkeeper.protocol.exchange import Reply, Request, redirect
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.refusals import Refusal

GET = frozenset({"GET", "HEAD"})


class LeavingPages:
    """``static`` is where the pages' files are."""

    def __init__(self, hosted: Hosted, static: str) -> None:
        self._hosted = hosted
        self._static = static

    def table(self) -> dict[str, PoolEndpoint]:
        shown = {"/outbox": PoolEndpoint(self._outbox, GET)} if self._hosted.development else {}
        return {"/logout": PoolEndpoint(self._logout, GET), **shown}

    async def _logout(self, pool: OpenPool, request: Request) -> Reply:
        try:
            sent, _ = read(request)
            kept = await pool.client(sent.get("client_id", ""))
            trail = demand("logout", LOGOUT_CHECKS, LogoutCase(sent, kept.record if kept else None))
        except Malformed as error:
            return self._hosted.unreadable(pool, Refusal(LOGOUT_BAD, str(error)))
        except Declined as declined:
            return self._hosted.refused(pool, declined)
        pool.realm.observe(trail)
        await end_session(pool, request.cookie(SESSION))
        to = sent["logout_uri"] if "logout_uri" in sent else address(pool, "/login", query_of(_again(sent)))
        return redirect(to, 302, [cookie(pool, SESSION, "", over=True)])

    async def _outbox(self, pool: OpenPool, _: Request) -> Reply:
        messages = [
            {
                "medium": one.medium,
                "to": one.to,
                "subject": one.subject,
                "text": one.text,
                "code": one.code,
                "at": datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            }
            for one in await outbox.sent(pool)
        ]
        return page_reply("cognito/outbox.html", realm_name=pool.pool.name, static=self._static, messages=messages)


def _again(sent: Parameters) -> Parameters:
    """The parameters of the sign-in that follows: all that came, without what was about signing out."""
    kept = [(name, value) for name in sent for value in sent.many(name) if name != "logout_uri"]
    return Parameters(kept)
