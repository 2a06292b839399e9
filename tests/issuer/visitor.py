"""A person with a browser: keeps cookies, follows redirects inside the issuer, fills in forms and sends them."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

from tests.issuer.house import ASKED, ORIGIN, PASSWORD, VERIFIER, Answer, Asked, House, Pairs, named, posted


class Visitor:
    """One browser. Stops at the first answer that is no redirect, or that leads away from the issuer."""

    def __init__(self, house: House, remote: str = "127.0.0.1") -> None:
        self.house = house
        self.cookies: dict[str, str] = {}
        self.remote = remote

    def get(self, url: str, **headers: str) -> Answer:
        path, _, query = url.removeprefix(ORIGIN).partition("?")
        asked = Asked("GET", path, query.encode("ascii"), named(self._said(headers)), remote=self.remote)
        return self._followed(self.house.ask(asked))

    def post(self, path: str, form: Pairs, **headers: str) -> Answer:
        """Send a form as our own page would, unless the headers say otherwise."""
        said = {"origin": ORIGIN, "sec_fetch_site": "same-origin", **headers}
        return self._followed(self.house.ask(posted(path, form, self.remote, **self._said(said))))

    def authorize(self, **changes: str | None) -> Answer:
        """The shop's good request with some parameters changed; None leaves one out."""
        sent = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
        return self.get(f"/authorize?{urlencode(sent)}")

    def submit(self, page: Answer, **fields: str) -> Answer:
        """Send the form of a page with its hidden fields, ``fields`` filled in."""
        form = Form(page)
        return self.post(form.action, {**form.hidden, **fields})

    def sign_in(self, page: Answer, username: str = "ada@example.org", password: str = PASSWORD) -> Answer:
        return self.submit(page, username=username, password=password)

    def allow(self, page: Answer) -> Answer:
        return self.submit(page, decision="allow")

    def code(self, **changes: str | None) -> str:
        """A code for the request, whatever has to be done for it."""
        answer = self.through(self.authorize(**changes))
        assert "code" in answer.sent_back, answer.location
        return answer.sent_back["code"]

    def through(self, page: Answer) -> Answer:
        """What comes after signing in and allowing, as far as a page asks for it."""
        if 'id="sign-in"' in page.text:
            page = self.sign_in(page)
        return self.allow(page) if 'id="allow"' in page.text else page

    def _said(self, headers: dict[str, str]) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {**headers, "cookie": cookie} if cookie else headers

    def _followed(self, answer: Answer) -> Answer:
        for line in answer.every("set-cookie"):
            name, _, rest = line.partition("=")
            value, _, flags = rest.partition(";")
            if "max-age=0" in flags.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        to = answer.header("location")
        return self.get(to) if to is not None and to.startswith(("/", f"{ORIGIN}/")) else answer


class Form(HTMLParser):
    """The one form of a page: where it goes, its hidden fields, its buttons."""

    def __init__(self, page: Answer) -> None:
        super().__init__()
        self.action = ""
        self.hidden: dict[str, str] = {}
        self.ids: set[str] = set()
        self.feed(page.text)
        assert self.action, f"{page.status}: no form in {page.text[:300]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert not self.action, "two forms on one page"
            assert found["method"] == "post"
            self.action = urlsplit(found["action"]).path
        if tag == "input" and found.get("type") == "hidden":
            self.hidden[found["name"]] = found["value"]
        if "id" in found:
            self.ids.add(found["id"])


def redeem(house: House, code: str, **changes: str) -> Answer:
    """The shop redeems a code, with its secret in the body."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": ASKED["redirect_uri"],
        "code_verifier": VERIFIER,
        **SHOP,
        **changes,
    }
    return house.token({name: value for name, value in form.items() if value})


def refresh(house: House, token: str, **changes: str) -> Answer:
    """The shop uses a refresh token."""
    return house.token({"grant_type": "refresh_token", "refresh_token": token, **SHOP, **changes})


SHOP = {"client_id": "shop", "client_secret": "it's 20 % off: a+b/c=ü"}
ROBOT = {"client_id": "robot", "client_secret": "robot-secret"}
