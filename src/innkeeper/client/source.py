"""Where a program gets its token from, each time it needs one: kept while good, renewed once for all who wait."""

from __future__ import annotations

import httpx2

from innkeeper.client.asking import Flow, now, pause
from innkeeper.client.attaching import Heard, turned_away
from innkeeper.client.cache import Cache, Key, MemoryCache, Slot
from innkeeper.client.credentials import Client
from innkeeper.client.discovery import Metadata, discover
from innkeeper.client.dpop import Proving
from innkeeper.client.grants import client_credentials, refresh
from innkeeper.client.refused import Refused, refuse
from innkeeper.client.token import Access, Token
from innkeeper.client.wire import arun, run
from innkeeper.protocol.errors import INVALID_GRANT, LOGIN_REQUIRED
from innkeeper.protocol.refusals import Page, Unreachable

SIGN_IN = Page(
    "IK630",
    error=LOGIN_REQUIRED,
    title="Someone has to sign in",
    cause="No token is kept for this issuer, client, resource and scope, or the kept one can no longer be renewed.",
    remedy="Run innkeeper login, or call login().",
    wire="",
)

_METADATA_LIFE = 3600  # seconds
_STEP, _PATIENCE = 0.02, 60.0  # seconds between looks at a locked slot, and in all


class TokenSource:
    """One token, always fresh. ``token`` for threads, ``atoken`` for coroutines; share one source among all of them.

    A confidential client asks with client credentials, unless a token with a refresh token is kept; a public
    one lives on what ``keep`` was given or the cache holds. ``cache`` is in memory unless given; with a
    ``FileCache`` several processes renew only once between them.
    """

    def __init__(
        self, issuer: str, client: Client, access: Access | None = None, *, cache: Cache | None = None
    ) -> None:
        self.issuer, self.client, self.access = issuer, client, access or Access()
        self._cache = cache or MemoryCache()
        self._key = Key.of(issuer, client.id, self.access)
        self._held: Token | None = None
        self._turned_away = ""
        self._found: tuple[float, Metadata] | None = None

    def token(self, http: httpx2.Client | None = None) -> Token:
        """A token good for half a minute at least. Raises ``Refused`` (IK630: sign in again) and ``Unreachable``."""
        return run(self.renewal(), http)

    async def atoken(self, http: httpx2.AsyncClient | None = None) -> Token:
        """``token`` for coroutines."""
        return await arun(self.renewal(), http)

    def keep(self, token: Token) -> None:
        """Hold and cache a token that was got elsewhere, such as from ``login``."""
        run(self._keeping(token))

    def turn_away(self, token: Token) -> None:
        """A door refused ``token`` although it looked fresh: do not offer it again."""
        self._turned_away = token.access_token

    @property
    def proving(self) -> Proving | None:
        """The key that its tokens are bound to."""
        return self.client.proving

    def place(self) -> str:
        """The API that its tokens are for, where that is a URL."""
        return self.access.resource or ""

    def fetch(self, _: str) -> Flow[Token | None]:
        """The token for a request: every request gets the same."""
        return (yield from self.renewal())

    def answered(self, _: str, token: Token | None, heard: Heard, again: int) -> Flow[bool]:
        """A token that a door calls bad is turned away, and another one asked for, once a request."""
        yield from ()
        if again or token is None or not turned_away(heard):
            return False
        self.turn_away(token)
        return True

    def forget(self) -> Flow[Token | None]:
        """Take the token out of the cache; what was there is returned, to be revoked."""
        slot = self._cache.slot(self._key)
        try:
            yield from _patiently(slot)
            token, self._held = slot.read(), None
            slot.clear()
        finally:
            slot.release()
        return token

    def renewal(self) -> Flow[Token]:
        """The flow behind ``token``: one caller at a time renews, the others then find what it got."""
        if self._held and self._good(self._held, (yield from now())):
            return self._held
        slot = self._cache.slot(self._key)
        try:
            yield from _patiently(slot)
            token = self._ours(slot.read())
            if token is None or not self._good(token, (yield from now())):
                token = yield from self._renewed(slot, token)
                slot.write(token)
        finally:
            slot.release()
        self._held = token
        return token

    def _renewed(self, slot: Slot, kept: Token | None) -> Flow[Token]:
        metadata = yield from self.metadata()
        if kept and kept.refresh_token:
            try:
                return (yield from refresh(metadata, self.client, kept))
            except Refused as refused:
                if refused.error != INVALID_GRANT:
                    raise
                slot.clear()
        if self.client.public:
            raise refuse(SIGN_IN, f"no token of {self.client.id} at {self.issuer} can be used or renewed")
        return (yield from client_credentials(metadata, self.client, self.access))

    def metadata(self) -> Flow[Metadata]:
        """The issuer's metadata, read again once an hour."""
        moment = yield from now()
        if self._found is None or moment >= self._found[0]:
            self._found = moment + _METADATA_LIFE, (yield from discover(self.issuer))
        return self._found[1]

    def _keeping(self, token: Token) -> Flow[None]:
        slot = self._cache.slot(self._key)
        try:
            yield from _patiently(slot)
            slot.write(token)
        finally:
            slot.release()
        self._held = token

    def _ours(self, kept: Token | None) -> Token | None:
        """A kept token, unless it is bound to a key that is not held any more."""
        held = self.proving.thumbprint if self.proving else ""
        return kept if kept and kept.jkt == held else None

    def _good(self, token: Token, moment: float) -> bool:
        return token.access_token != self._turned_away and token.fresh(moment)


def _patiently(slot: Slot) -> Flow[None]:
    """Wait for the slot by asking again and again: nothing blocks, and a waiter that is cancelled just stops asking."""
    waited = 0.0
    while not slot.try_lock():
        if waited >= _PATIENCE:
            raise Unreachable(f"another process has been renewing this token for {_PATIENCE:.0f} s; try again")
        yield from pause(_STEP)
        waited += _STEP
