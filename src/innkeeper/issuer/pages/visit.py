"""A browser's visit: its session cookie, and the proof that a form was sent from our own page."""

from __future__ import annotations

from hmac import compare_digest
from urllib.parse import urlencode

from innkeeper.issuer.desk.browsers import LIFETIME, open_browser, seal_browser
from innkeeper.issuer.desk.callers import Caller
from innkeeper.issuer.desk.realm import Realm, random_value
from innkeeper.issuer.desk.sign_in import HALF_WAY_LIFETIME, SignedIn
from innkeeper.issuer.desk.throttle import network_of
from innkeeper.issuer.desk.tickets import Ticket, open_ticket, seal
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.issuer.pages.named import browser_in_words
from innkeeper.protocol import base64url
from innkeeper.protocol.exchange import Reply, Request, redirect
from innkeeper.protocol.parameters import Malformed, Parameters, parse_form, parse_query


class Visits:
    """What the pages of one realm share: cookies, form proofs, tickets, and the way to each other."""

    def __init__(self, realm: Realm, layout: Layout) -> None:
        self._realm = realm
        self._layout = layout
        self._secure = layout.issuer.startswith("https:")
        prefix = "__Host-" if self._secure else ""
        self._session_name = f"{prefix}innkeeper-{realm.name}"
        self._proof_name = f"{prefix}innkeeper-form-{realm.name}"
        self._browser_name = f"{prefix}innkeeper-browser-{realm.name}"
        self._half_way_name = f"{prefix}innkeeper-half-{realm.name}"

    def session_cookie(self, request: Request) -> str | None:
        return request.cookie(self._session_name)

    async def caller(self, request: Request) -> Caller:
        """Who is at the desk."""
        return Caller(
            network_of(request.remote),
            browser_in_words(request.headers.get("user-agent", "")),
            open_browser(self._realm, request.cookie(self._browser_name)),
            await self._realm.session(self.session_cookie(request)),
        )

    def signed_in(self, caller: Caller, done: SignedIn) -> list[tuple[str, str]]:
        """The headers that give a browser its session, which ends with the browser and by itself too, and that let us
        know the browser again."""
        known = seal_browser(self._realm, caller.browser, done.session.sub)
        return [
            self._cookie(self._session_name, done.cookie),
            self._cookie(self._browser_name, known, f"; Max-Age={LIFETIME}"),
        ]

    def half_way_cookie(self, request: Request) -> str | None:
        return request.cookie(self._half_way_name)

    def half_way(self, cookie: str) -> tuple[str, str]:
        """The header that lets a browser go on from the password to the code."""
        return self._cookie(self._half_way_name, cookie, f"; Max-Age={HALF_WAY_LIFETIME}")

    def half_way_over(self) -> tuple[str, str]:
        return self._cookie(self._half_way_name, "", "; Max-Age=0")

    def signed_out(self) -> tuple[str, str]:
        return self._cookie(self._session_name, "", "; Max-Age=0")

    def form_proof(self, request: Request) -> tuple[str, list[tuple[str, str]]]:
        """The hidden field for a form, and the header that sets its cookie where the browser has none yet."""
        cookie = request.cookie(self._proof_name)
        if cookie:
            return self._proof(cookie), []
        cookie = random_value()
        return self._proof(cookie), [self._cookie(self._proof_name, cookie)]

    def sent_from_our_page(self, request: Request, form: Parameters) -> bool:
        """Whether a form came from our own page: its proof fits its cookie, and the browser says so too."""
        origin, cookie = request.headers.get("origin"), request.cookie(self._proof_name)
        if origin is not None and origin != self._layout.origin:
            return False
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        return cookie is not None and compare_digest(self._proof(cookie).encode(), form.get("csrf", "").encode())

    def ticket(self, form: Parameters) -> Ticket | None:
        """The request that a form or an address carries on."""
        text = form.get("ticket")
        return open_ticket(self._realm, text) if text else None

    def onward(self, ticket: Ticket, headers: list[tuple[str, str]] | None = None) -> Reply:
        """Send the browser on to where its ticket leads."""
        return self.on_to(ticket.place or self._layout.authorize, ticket, headers)

    def on_to(self, path: str, ticket: Ticket, headers: list[tuple[str, str]] | None = None) -> Reply:
        """Send the browser to one of our addresses with its ticket."""
        return redirect(self.address_of(path, ticket), headers=headers or [])

    def address_of(self, path: str, ticket: Ticket) -> str:
        """One of our addresses with a ticket."""
        return f"{path}?{urlencode({'ticket': seal(self._realm, ticket)})}"

    def _proof(self, cookie: str) -> str:
        return base64url.encode_text(self._realm.mac("form", cookie))

    def _cookie(self, name: str, value: str, more: str = "") -> tuple[str, str]:
        flags = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self._secure else "")
        return "set-cookie", f"{name}={value}{flags}{more}"


def parameters_of(request: Request) -> Parameters:
    """The parameters of a browser's request: the query of a GET, the form of a POST. Raises ``Malformed``."""
    if request.method == "POST":
        return parse_form(request.body, request.headers.get("content-type", ""))
    return parse_query(request.query)


__all__ = ["Malformed", "Visits", "parameters_of"]
