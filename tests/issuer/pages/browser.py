"""The sample pages as a browser gets them: fulfilled from the very replies that the issuer would send."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Route

from innkeeper.issuer.pages.files import static_reply
from innkeeper.issuer.pages.render import page_reply
from innkeeper.protocol.exchange import Reply, Request
from tests.issuer.pages.samples import PAGES

ORIGIN = "http://127.0.0.1:9"
"""Where the samples seem to be; every request is answered before it leaves the browser."""


def answer(route: Route) -> None:
    """Fulfil a request for a sample page or a file of ours, with all the headers it is served with."""
    url = urlsplit(route.request.url)
    reply = reply_to(url.path, url.query)
    route.fulfill(status=reply.status, headers=dict(reply.headers), body=reply.body)


def reply_to(path: str, query: str = "") -> Reply:
    if path.startswith("/static/"):
        return static_reply(path.removeprefix("/static/"), Request("GET", path, query, {})) or Reply(404)
    return page(path[1:]) if path[1:] in PAGES else Reply(404)


def page(name: str) -> Reply:
    """A sample page as the issuer would send it."""
    template, context = PAGES[name]
    targets = [context["action"]] if name == "form-post" else []
    return page_reply(template, form_targets=targets, **context)
