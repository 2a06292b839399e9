"""The same API in every framework: the examples, asked the same questions, give the same answers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from innkeeper.guard import Dpop, Guard
from innkeeper.protocol.challenges import parse
from tests.guard.examples import example
from tests.guard.holders import bound_token, proof
from tests.guard.world import NOW, World, claims, forge

API = "https://hotel.example"
Ask = Callable[..., httpx2.Response]


def guard(**more: Any) -> Guard:
    return World().guard(audience=[API, "https://hotel.example/doors"], resource=API, **more)


def over_asgi(app: Any) -> Ask:
    def ask(path: str, method: str = "GET", headers: Any = ()) -> httpx2.Response:
        async def work() -> httpx2.Response:
            async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=API) as client:
                return await client.request(method, path, headers=list(headers))

        return asyncio.run(work())

    return ask


def over_wsgi(app: Any) -> Ask:
    def ask(path: str, method: str = "GET", headers: Any = ()) -> httpx2.Response:
        with httpx2.Client(transport=httpx2.WSGITransport(app=app), base_url=API) as client:
            return client.request(method, path, headers=list(headers))

    return ask


def in_asgi(watch: Guard) -> Ask:
    return over_asgi(example("asgi_api").make_app(watch))


def in_starlette(watch: Guard) -> Ask:
    return over_asgi(example("starlette_api").make_app(watch))


def in_flask(watch: Guard) -> Ask:
    pytest.importorskip("flask", reason="Flask is not installed")
    return over_wsgi(example("flask_api").make_app(watch))


def in_wsgi(watch: Guard) -> Ask:
    from innkeeper.guard.wsgi import GuardWSGI, verified

    def api(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("content-type", "application/json")])
        if environ["PATH_INFO"] == "/":
            return [b'{"message": "GET /orders"}']
        return [b'{"orders_of": "%s"}' % verified(environ).token.sub.encode()]

    return over_wsgi(GuardWSGI(api, watch, example("asgi_api").ROUTES))


def in_django(watch: Guard) -> Ask:
    return _django(watch, asynchronous=False)


def in_async_django(watch: Guard) -> Ask:
    ask = _django(watch, asynchronous=True)

    def elsewhere(path: str, *more: Any, **named: Any) -> httpx2.Response:
        return ask("/async-orders" if path == "/orders" else path, *more, **named)

    return elsewhere


def _django(watch: Guard, *, asynchronous: bool) -> Ask:
    pytest.importorskip("django", reason="Django is not installed")
    from django.conf import settings

    module = example("django_api")
    sys.modules.setdefault(module.__name__, module)
    if not settings.configured:
        module.configure(watch)
        import django

        django.setup()
    settings.INNKEEPER_GUARD = watch
    if asynchronous:
        from django.core.handlers.asgi import ASGIHandler

        return over_asgi(ASGIHandler())
    from django.core.handlers.wsgi import WSGIHandler

    return over_wsgi(WSGIHandler())


PLACES = [in_asgi, in_starlette, in_flask, in_wsgi, in_django, in_async_django]


@pytest.fixture(params=PLACES, ids=lambda one: one.__name__)
def place(request: pytest.FixtureRequest) -> Iterator[Callable[..., Ask]]:
    made: Callable[[Guard], Ask] = request.param
    return lambda **more: made(guard(**more))


def bearer(text: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {text}")]


def test_a_good_token_gets_in_and_the_api_knows_whose_it_is(place: Callable[..., Ask]) -> None:
    answer = place()("/orders", headers=bearer(forge()))
    assert (answer.status_code, answer.json()) == (200, {"orders_of": "guest-204"})


def test_without_a_token_it_is_401_with_the_scopes_and_where_to_get_them(place: Callable[..., Ask]) -> None:
    answer = place()("/orders")
    assert answer.status_code == 401
    (challenge,) = parse(answer.headers["www-authenticate"])
    assert dict(challenge.parameters) == {
        "scope": "gym:enter",
        "resource_metadata": f"{API}/.well-known/oauth-protected-resource",
    }
    assert answer.headers["cache-control"] == "no-store"


def test_a_bad_token_is_401_two_are_400_and_too_few_scopes_403(place: Callable[..., Ask]) -> None:
    ask = place()
    wrong = {
        401: bearer(forge(which=1)),
        403: bearer(forge(claims(scope="pool:enter"))),
        400: bearer(f"{forge()}, Bearer x"),
    }
    for status, headers in wrong.items():
        answer = ask("/orders", headers=headers)
        assert answer.status_code == status
        assert answer.json()["error"] in {"invalid_token", "insufficient_scope", "invalid_request"}
        assert "error=" in answer.headers["www-authenticate"]


def test_the_metadata_is_open_and_so_is_what_was_left_open(place: Callable[..., Ask]) -> None:
    ask = place()
    answer = ask("/.well-known/oauth-protected-resource")
    assert (answer.status_code, answer.json()["resource"]) == (200, API)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert ask("/").json() == {"message": "GET /orders"}


def test_a_preflight_is_answered_before_a_token_is_asked_for(place: Callable[..., Ask]) -> None:
    headers = [("origin", "https://app.example"), ("access-control-request-method", "GET")]
    answer = place()("/orders", "OPTIONS", headers)
    assert answer.status_code == 204
    assert "dpop" in answer.headers["access-control-allow-headers"].lower()


def test_a_browser_may_read_the_challenge(place: Callable[..., Ask]) -> None:
    answer = place()("/orders", headers=[("origin", "https://app.example")])
    assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_route_may_need_more_than_scopes(place: Callable[..., Ask]) -> None:
    ask = place()
    fresh = claims(scope="vip:enter", auth_time=NOW - 10)
    stale = ask("/payroll", headers=bearer(forge(fresh | {"auth_time": NOW - 1000})))
    assert stale.status_code == 401
    assert 'error="insufficient_user_authentication"' in stale.headers["www-authenticate"]
    assert 'max_age="300"' in stale.headers["www-authenticate"]
    assert ask("/payroll", headers=bearer(forge(fresh))).status_code == 200
    machine = forge(fresh | {"sub": "guest-app"})
    assert ask("/payroll", headers=bearer(machine)).status_code == 403


def test_a_bound_token_is_taken_with_its_proof_and_once(place: Callable[..., Ask]) -> None:
    ask = place(dpop=Dpop())
    path = ask("/orders").request.url.path
    bound = bound_token()
    headers = [("authorization", f"DPoP {bound}"), ("dpop", proof(bound, "GET", f"{API}{path}"))]
    assert ask("/orders", headers=headers).status_code == 200
    again = ask("/orders", headers=headers)
    assert again.status_code == 401
    assert 'DPoP error="invalid_dpop_proof"' in again.headers["www-authenticate"]
    assert ask("/orders", headers=bearer(bound)).status_code == 401


def test_an_issuer_out_of_reach_is_503(place: Callable[..., Ask]) -> None:
    world = World()
    world.down = True
    answer = place(fetch=world.aget, fetch_blocking=world.get)("/orders", headers=bearer(forge()))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_head_has_no_body(place: Callable[..., Ask]) -> None:
    answer = place()("/.well-known/oauth-protected-resource", "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")


def test_django_without_a_guard_in_its_settings_is_a_mistake_said_aloud() -> None:
    from innkeeper.protocol.refusals import UsageError

    ask = in_django(guard())
    from django.conf import settings

    from innkeeper.guard.django import GuardMiddleware

    settings.INNKEEPER_GUARD = None
    with pytest.raises(UsageError, match="INNKEEPER_GUARD"):
        GuardMiddleware(lambda request: request)
    assert ask
