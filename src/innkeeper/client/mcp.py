"""A client's way to an MCP server's tokens, from the first 401: the server's metadata, its issuer, being known there,
signing in, and asking for more when the server says that more is needed.

``McpSource`` is a source for ``Auth``: what it learns it keeps by issuer, and nothing goes from one issuer to another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol
from urllib.parse import urlsplit

from innkeeper.client.asking import Flow, now, pause, work
from innkeeper.client.attaching import Heard, too_little
from innkeeper.client.authorization import OPENID, begin, complete
from innkeeper.client.cache import Cache, Key, MemoryCache, Slot
from innkeeper.client.credentials import Client
from innkeeper.client.discovery import NO_DOCUMENT, Metadata, discover
from innkeeper.client.dpop import Proving
from innkeeper.client.exchange import ID_JAG, ID_TOKEN, Exchange, assertion, exchange, exchange_allowed
from innkeeper.client.grants import client_credentials, refresh
from innkeeper.client.refused import Refused, Waits, refuse
from innkeeper.client.registration import Description, register
from innkeeper.client.resource import NO_ISSUER_NAMED, Resource, find_resource
from innkeeper.client.token import Access, Token
from innkeeper.protocol.challenges import Challenge
from innkeeper.protocol.errors import INSUFFICIENT_USER_AUTHENTICATION, INVALID_CLIENT, INVALID_GRANT
from innkeeper.protocol.refusals import Page, UsageError

UNKNOWN_THERE = Page(
    "IK886",
    error=INVALID_CLIENT,
    title="The program is not known to the server's issuer",
    cause="No client id was given for this issuer, and it takes neither client documents nor registrations.",
    remedy="Register the program there and give its client id for this very issuer.",
    wire="",
)

ANY_ISSUER: Final = "whichever issuer the server names"
"""In the place of an issuer: the server chooses who gets to see the client's credentials. Give the issuer instead."""

_OFFLINE = "offline_access"
_STEP = 0.02  # seconds between looks at a turn that another has
_STEP_UPS = 2
"""How often one request may lead to asking for more; a server that is never content is not asked for ever."""


class Visitor(Protocol):
    """Takes a person to an issuer's page and brings back the query of the redirect."""

    redirect_uri: str

    def visit(self, url: str) -> str:
        """The query that came back. Called in a thread where the caller is a coroutine."""


Grant = Callable[[Metadata, Client, Access], Flow[Token]]
"""How a token is got once the issuer and the client there are known."""


def person(visitor: Visitor, *, pkce_known: bool = False) -> Grant:
    """By a person, who signs in and allows it."""

    def grant(metadata: Metadata, client: Client, access: Access) -> Flow[Token]:
        pending = yield from begin(metadata, client, access, visitor.redirect_uri, pkce_known=pkce_known)
        query = yield from work(lambda: visitor.visit(pending.url))
        return (yield from complete(pending, query))

    return grant


def machine() -> Grant:
    """By the client itself."""
    return client_credentials


def acting_for(token: str, told: Callable[[Waits], None] | None = None) -> Grant:
    """For whoever ``token`` is of, by exchanging it for a token of one's own: the client acts for them, with less than the token
    opens and never more. With ``told`` it waits where they have to allow it first, after it has called ``told`` to tell them."""

    def grant(metadata: Metadata, client: Client, access: Access) -> Flow[Token]:
        if told is None:
            return (yield from exchange(metadata, client, access, Exchange(token)))
        return (yield from exchange_allowed(metadata, client, access, Exchange(token), told))

    return grant


def enterprise(idp: Metadata, idp_client: Client, id_token: str) -> Grant:
    """By a person's sign-in at their organization: its issuer vouches for them at the server's (ID-JAG)."""

    def grant(metadata: Metadata, client: Client, access: Access) -> Flow[Token]:
        asked = Exchange(id_token, ID_TOKEN, audience=metadata.issuer, requested_token_type=ID_JAG)
        vouched = yield from exchange(idp, idp_client, access, asked)
        return (yield from assertion(metadata, client, access, vouched.access_token))

    return grant


def workload(signed: Callable[[str], str]) -> Grant:
    """By the word of the platform that the program runs on; ``signed`` gives its token for an issuer."""

    def grant(metadata: Metadata, client: Client, access: Access) -> Flow[Token]:
        return (yield from assertion(metadata, client, access, signed(metadata.issuer)))

    return grant


class McpSource:
    """Tokens for the MCP server at ``server``, got when it asks for them.

    ``grant`` is how (``person``, ``machine``, ...). ``clients`` are client ids and credentials by issuer; for an issuer that
    is not among them the program's own document is used (``client_document``, an https address), where the issuer takes
    those, or it registers with ``description``. ``ceiling``, where given, are the only scopes ever asked for.
    ``send_resource`` names the server to the issuer (RFC 8707), as every MCP client must; off, for an issuer that refuses
    the parameter, such as Entra where the server's address is no Application ID URI. ``endpoints_of_old`` is for servers of
    the revision 2025-03-26 that publish nothing: authorize, token and register are then looked for at their root.
    ``cache`` keeps the token from one run to the next, by default in memory alone: processes that share one sign in once, and
    renew once between them. ``account`` says whose token it is, and has to where a cache is given: nobody gets another's.
    """

    def __init__(
        self,
        server: str,
        grant: Grant,
        *,
        clients: Mapping[str, Client] = MappingProxyType({}),
        client_document: str = "",
        description: Description | None = None,
        ceiling: frozenset[str] = frozenset(),
        proving: Proving | None = None,
        send_resource: bool = True,
        endpoints_of_old: bool = False,
        cache: Cache | None = None,
        account: str = "",
    ) -> None:
        self._server, self._grant = server, grant
        self._clients = dict(clients)
        self._client_document, self._description = client_document, description
        self._ceiling, self._proving = ceiling, proving
        self._send_resource, self._of_old = send_resource, endpoints_of_old
        self._token: Token | None = None
        self._metadata: Metadata | None = None
        self._asked: frozenset[str] = frozenset()
        self._cache = cache or MemoryCache()
        if cache is not None and not account:
            raise UsageError("McpSource: say in account= whose token the cache keeps, such as the person's name")
        names = [
            client_document,
            *([description.name] if description else []),
            *(one.id for one in clients.values()),
        ]
        self._key = Key(server, " ".join([account, *sorted(filter(None, names))]), server, " ".join(sorted(ceiling)))

    @property
    def proving(self) -> Proving | None:
        return self._proving

    @property
    def token(self) -> Token | None:
        """The token held now."""
        return self._token

    def place(self) -> str:
        """The server's address."""
        return self._server

    def fetch(self, _: str) -> Flow[Token | None]:
        """The token held or kept, renewed where it ends; none before the server asked for one."""
        token = self._token
        if token is not None and token.fresh((yield from now())):
            return token
        slot = yield from self._turn()
        try:
            if (yield from self._taken_from(slot, token)):
                return self._token
            if self._token is not None:
                yield from self._renewed(self._token)
                self._keep(slot)
            return self._token
        finally:
            slot.release()

    def answered(self, _: str, token: Token | None, heard: Heard, again: int) -> Flow[bool]:
        """At a 401, find the issuer and get a token, by a newer or surer sign-in where it asks for one; at a 403 that names
        scopes, ask for those beside the ones held.

        One caller at a time does, in all processes that share the cache; the others then find what it got.
        """
        slot = yield from self._turn()
        try:
            if (yield from self._taken_from(slot, token)):
                return again < _STEP_UPS and heard.status in {401, 403}
            mended = yield from self._mended(token, heard, again)
            self._keep(slot)
            return mended
        finally:
            slot.release()

    def _taken_from(self, slot: Slot, token: Token | None) -> Flow[bool]:
        """Whether there is a good token other than ``token`` by now; it is held then. One that ends is held to be renewed."""
        kept = slot.read()
        bound = self._proving.thumbprint if self._proving else ""
        if kept is None or kept.jkt != bound or (token is not None and kept.access_token == token.access_token):
            return False
        if self._token is None or self._token.access_token != kept.access_token:
            self._token, self._asked = kept, frozenset(kept.scope.split())
        return kept.fresh((yield from now()))

    def _keep(self, slot: Slot) -> None:
        if self._token is None:
            slot.clear()
        else:
            slot.write(self._token)

    def _mended(self, token: Token | None, heard: Heard, again: int) -> Flow[bool]:
        challenge = _challenge(heard)
        if heard.status == 401 and again < _STEP_UPS:
            if challenge is not None and heard.says(INSUFFICIENT_USER_AUTHENTICATION):
                wanted = self._within(self._asked | challenge.scopes)
                yield from self._granted((yield from self._found(challenge)), wanted, challenge)
            else:
                yield from self._begun(challenge, turned_away=token is not None)
            return True
        if not too_little(heard) or challenge is None or again >= _STEP_UPS:
            return False
        wanted = self._within(self._asked | challenge.scopes)
        if wanted <= self._asked:
            return False
        yield from self._granted((yield from self._found(challenge)), wanted)
        return True

    def _turn(self) -> Flow[Slot]:
        """The token's place, once it is this caller's turn. It is asked for again and again: nothing blocks, in threads or
        coroutines."""
        slot = self._cache.slot(self._key)
        while not slot.try_lock():
            yield from pause(_STEP)
        return slot

    def _begun(self, challenge: Challenge | None, *, turned_away: bool) -> Flow[None]:
        """Everything anew: the server may have moved to another issuer since."""
        found = yield from self._found(challenge)
        kept, self._token = self._token, None
        issuer = found.authorization_servers[0]
        if turned_away and kept and kept.refresh_token and kept.issuer == issuer:
            self._token = kept
            if (yield from self._renewed(kept)):
                return
        yield from self._granted(found, self._within(_first_scopes(challenge, found)))

    def _found(self, challenge: Challenge | None) -> Flow[Resource]:
        """The server's own document; where there is none, an issuer at the server's origin, as of old."""
        found = yield from find_resource(self._server, challenge)
        if found is None:
            parts = urlsplit(self._server)
            found = Resource(self._server, (f"{parts.scheme}://{parts.netloc}",))
        if not found.authorization_servers:
            raise refuse(NO_ISSUER_NAMED, f"{self._server} lists no authorization server")
        return found

    def _granted(self, found: Resource, wanted: frozenset[str], surer: Challenge | None = None) -> Flow[None]:
        """A new token. ``surer`` is a challenge about the sign-in: what it asks of that is passed on to the issuer."""
        metadata = yield from self._described(found.issuer)
        if OPENID not in wanted and _OFFLINE in (metadata.scopes_supported or ()):
            wanted = self._within(wanted | {_OFFLINE})
        scope = " ".join(sorted(wanted))
        client = yield from self._known(metadata, scope)
        access = Access(scope, found.resource if self._send_resource else None, *_of_the_sign_in(surer))
        self._token = yield from self._grant(metadata, client, access)
        self._metadata = metadata
        self._asked = wanted

    def _described(self, issuer: str) -> Flow[Metadata]:
        try:
            return (yield from discover(issuer))
        except Refused as refused:
            if not self._of_old or refused.refusal.page is not NO_DOCUMENT:
                raise
        return Metadata(
            issuer=issuer,
            authorization_endpoint=f"{issuer}/authorize",
            token_endpoint=f"{issuer}/token",
            registration_endpoint=f"{issuer}/register",
            code_challenge_methods_supported=("S256",),
            token_endpoint_auth_methods_supported=("none", "client_secret_basic"),
        )

    def _known(self, metadata: Metadata, scope: str) -> Flow[Client]:
        """The client at this issuer: given, by its document, or registered now."""
        known = self._clients.get(metadata.issuer) or self._clients.get(ANY_ISSUER)
        if known is None and self._client_document and metadata.client_id_metadata_document_supported:
            known = Client(self._client_document)
        if known is None and self._description is not None and metadata.registration_endpoint:
            known = yield from register(metadata, self._description, scope, self._proving)
        if known is None:
            raise refuse(
                UNKNOWN_THERE, f"no client is known at {metadata.issuer}", expected="a client id", found="none"
            )
        if ANY_ISSUER not in self._clients:
            self._clients[metadata.issuer] = known
        return Client(known.id, known.credential, known.proving or self._proving)

    def _renewed(self, token: Token) -> Flow[Token | None]:
        """The successor of a token; None, and nothing held any more, where there is none. A client that registered itself in
        an earlier run is known by its id alone."""
        self._token = None
        if token.refresh_token:
            known = self._clients.get(token.issuer) or self._clients.get(ANY_ISSUER) or Client(token.client_id)
            client = Client(known.id, known.credential, known.proving or self._proving)
            if self._metadata is None or self._metadata.issuer != token.issuer:
                self._metadata = yield from self._described(token.issuer)
            try:
                self._token = yield from refresh(self._metadata, client, token)
            except Refused as refused:
                if refused.error not in {INVALID_GRANT, INVALID_CLIENT}:
                    raise
        return self._token

    def _within(self, wanted: frozenset[str]) -> frozenset[str]:
        return wanted & self._ceiling if self._ceiling else wanted


def _challenge(heard: Heard) -> Challenge | None:
    """The challenge that says most: one that names the metadata before one that does not."""
    found = [one for one in heard.challenges if one.scheme.lower() in {"bearer", "dpop"}]
    return max(found, key=lambda one: one.get("resource_metadata") is not None, default=None)


def _of_the_sign_in(challenge: Challenge | None) -> tuple[str, int | None]:
    """The classes and the greatest age that a challenge asks for (RFC 9470 §3); an age that is no number is none."""
    if challenge is None:
        return "", None
    age = challenge.get("max_age") or ""
    return challenge.get("acr_values") or "", int(age) if age.isascii() and age.isdigit() and len(age) < 10 else None


def _first_scopes(challenge: Challenge | None, found: Resource) -> frozenset[str]:
    """What to ask for first: what the challenge says, else all that the server lists, else nothing."""
    if challenge and challenge.scopes:
        return challenge.scopes
    return frozenset(found.scopes_supported or ())
