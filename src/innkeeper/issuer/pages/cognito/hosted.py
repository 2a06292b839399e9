"""What the hosted pages of a pool share: cookies, the proof that a form is ours, the one template of all forms."""

from __future__ import annotations

from collections.abc import Sequence
from hmac import compare_digest
from urllib.parse import urlencode, urlsplit

import msgspec

from innkeeper.issuer.core.cognito.records import AppClient
from innkeeper.issuer.desk.cognito.declined import Declined
from innkeeper.issuer.desk.cognito.twin import OpenPool
from innkeeper.issuer.desk.realm import random_value
from innkeeper.issuer.pages.explanations import Explanations
from innkeeper.issuer.pages.render import page_reply
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Parameters, parse_form, parse_query
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import at_the_door

SESSION, PROOF = "cognito", "XSRF-TOKEN"


class Field(msgspec.Struct, frozen=True):
    """A field of a form; its id is its name."""

    id: str
    label: str
    kind: str = "text"
    complete: str = "off"
    value: str = ""
    required: bool = True


class Button(msgspec.Struct, frozen=True):
    id: str
    name: str
    label: str


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A page with one form. ``path`` below the pool is where it goes, with the query it came with."""

    title: str
    lead: str = ""
    client: str = ""
    path: str
    name: str
    fields: Sequence[Field]
    button: Button
    hidden: Sequence[tuple[str, str]] = ()
    links: Sequence[tuple[str, str]] = ()
    problem: str = ""
    news: str = ""
    targets: Sequence[str] = ()
    status: int = 200


class Hosted:
    """``hints`` are names and passwords that are shown in development."""

    def __init__(
        self, explanations: Explanations, static: str, hints: Sequence[tuple[str, str]], *, development: bool
    ) -> None:
        self.development = development
        self._explanations = explanations
        self._static = static
        self._hints = list(hints)

    def page(self, pool: OpenPool, request: Request, form: Form) -> Reply:
        """The page, and the cookie of its proof where the browser has none."""
        proof, headers = self._proof(pool, request)
        signing_in = form.path == "/login"
        return page_reply(
            "cognito/form.html",
            form.status,
            headers,
            form_targets=form.targets,
            realm_name=pool.pool.name,
            static=self._static,
            title=form.title,
            lead=form.lead,
            client=form.client,
            action=address(pool, form.path, request.query),
            form_name=form.name,
            csrf=proof,
            hidden=form.hidden,
            fields=form.fields,
            button=form.button,
            links=[(label, address(pool, path, request.query)) for label, path in form.links],
            problem=form.problem,
            news=form.news,
            hints=self._hints if self.development and signing_in and pool.pool.development else [],
            outbox=address(pool, "/outbox") if self.development and not signing_in else "",
        )

    def refused(self, pool: OpenPool, declined: Declined) -> Reply:
        """The error page of what cannot be answered at the client."""
        pool.realm.observe(declined.trail)
        return self._explanations.error_page(declined.refusal, declined.trail, declined.refusal.page.status)

    def unreadable(self, pool: OpenPool, page: Refusal) -> Reply:
        return self.refused(pool, Declined(at_the_door("hosted page", page, "Cognito hosted pages"), page))

    def _proof(self, pool: OpenPool, request: Request) -> tuple[str, list[tuple[str, str]]]:
        known = request.cookie(PROOF)
        if known:
            return known, []
        fresh = random_value()
        return fresh, [cookie(pool, PROOF, fresh)]


def ours(pool: OpenPool, request: Request, form: Parameters) -> bool:
    """Whether a form was sent from our page: its hidden field equals its cookie, and the browser names our origin."""
    held, origin = request.cookie(PROOF), request.headers.get("origin")
    if origin not in (None, "null", origin_of(pool)) or not held:
        return False
    return compare_digest(held.encode(), form.get("_csrf", "").encode())


def origin_of(pool: OpenPool) -> str:
    parts = urlsplit(pool.domain)
    return f"{parts.scheme}://{parts.netloc}"


def address(pool: OpenPool, path: str, query: str = "") -> str:
    """A path of the pool's domain, as browsers are sent there."""
    return f"{urlsplit(pool.domain).path}{path}{f'?{query}' if query else ''}"


def query_of(sent: Parameters) -> str:
    return urlencode([(name, value) for name in sent for value in sent.many(name)])


def cookie(pool: OpenPool, name: str, value: str, *, over: bool = False) -> tuple[str, str]:
    """A cookie of this pool alone: its path is the pool's."""
    parts = urlsplit(pool.domain)
    flags = f"; Path={parts.path or '/'}; HttpOnly; SameSite=Lax" + ("; Secure" if parts.scheme == "https" else "")
    return "set-cookie", f"{name}={value}{flags}{'; Max-Age=0' if over else ''}"


def read(request: Request) -> tuple[Parameters, Parameters]:
    """The query, and the form of a POST (empty for a GET). Raises ``Malformed``."""
    form = Parameters([])
    if request.method == "POST":
        form = parse_form(request.body, request.headers.get("content-type", ""))
    return parse_query(request.query), form


def name_of(client: AppClient | None) -> str:
    return client.name if client else ""
