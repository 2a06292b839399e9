"""What a running inn's tenant is called, for SDKs that talk to it over TLS; and a person who goes through its pages."""

from __future__ import annotations

import html
import re
import ssl
from typing import NamedTuple
from urllib.parse import urljoin

import httpx2

from innkeeper.issuer.desk.entra.seeding import guid, secret_of
from tests.inn import Inn
from tests.issuer.house import PASSWORD
from tests.twins.entra.tenant import GUEST, TENANT


class Twin(NamedTuple):
    """The tenant of a running inn."""

    inn: Inn

    @property
    def host(self) -> str:
        return f"localhost:{self.inn.tls_port}"

    @property
    def authority(self) -> str:
        return f"https://{self.host}/{TENANT}"

    @property
    def ca(self) -> str:
        return str(self.inn.authority)

    @property
    def concierge(self) -> str:
        return guid(TENANT, "application", "concierge")

    @property
    def secret(self) -> str:
        return secret_of(TENANT, "concierge", "concierge-secret")

    @property
    def caretaker(self) -> tuple[str, str]:
        return guid(TENANT, "application", "caretaker"), secret_of(TENANT, "caretaker", "caretaker-secret")

    @property
    def app(self) -> str:
        return guid(TENANT, "application", "guest-app")

    @property
    def api(self) -> str:
        return guid(TENANT, "application", "{origin}/hotel")

    @property
    def scope(self) -> str:
        return f"api://{self.api}/.default"

    @property
    def room(self) -> str:
        return f"api://{self.api}/room:enter"


def go_through(twin: Twin, url: str, username: str = GUEST) -> httpx2.URL:
    """Open an address as a person's browser does, sign in, accept, and say where that led: out of the house, or to a
    page without a form."""
    with httpx2.Client(verify=ssl.create_default_context(cafile=twin.ca), trust_env=False) as browser:
        answer = browser.get(url)
        while True:
            while answer.is_redirect:
                to = httpx2.URL(urljoin(str(answer.url), answer.headers["location"]))
                if to.host != "localhost" or to.port != twin.inn.tls_port:
                    return to
                answer = browser.get(to)
            form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            if form is not None and not form[1].startswith("/"):
                return httpx2.URL(form[1], params=_hidden(answer.text))
            if form is None or 'type="hidden"' not in answer.text or answer.status_code != 200:
                return answer.url
            answer = browser.post(
                urljoin(str(answer.url), form[1]),
                data=_filled(answer.text, username),
                headers={"origin": f"https://{twin.host}"},
            )


def _filled(page: str, username: str) -> dict[str, str]:
    hidden = _hidden(page)
    if 'id="password"' in page:
        return {**hidden, "username": username, "password": PASSWORD}
    if 'id="user_code"' in page:
        found = re.search(r'id="user_code" name="user_code" value="([^"]*)"', page)
        return {**hidden, "user_code": found[1] if found else ""}
    return {**hidden, "decision": "allow"}


def _hidden(page: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in re.findall(_HIDDEN, page)}


_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
