"""The guard before a gRPC server: an interceptor for threads, one for coroutines; tokens come in the call's metadata."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from innkeeper.guard.arrival import arrival
from innkeeper.guard.credentials import Credentials
from innkeeper.guard.decision import Refused, Verified
from innkeeper.guard.guard import Guard
from innkeeper.guard.routes import Needed, Routes
from innkeeper.tokens.access import AccessToken

_CALLER: ContextVar[Verified] = ContextVar("innkeeper caller")


def verified() -> Verified:
    """What the guard found for this call. Raises ``LookupError`` in a method that is open."""
    return _CALLER.get()


def token() -> AccessToken:
    """The verified token of this call. Raises ``LookupError`` as ``verified`` does."""
    return verified().token


class _Table:
    """Which method needs what: full names, such as ``/orders.Orders/Read``, or ``/orders.Orders/*``."""

    def __init__(self, guard: Guard, methods: Mapping[str, Needed]) -> None:
        self._guard = guard
        self._routes = Routes(methods)

    def question(self, details: Any) -> tuple[Credentials, Any]:
        """What the call carries, and what it needs. gRPC calls are POST requests for the method's name."""
        metadata = [
            (name, value if isinstance(value, str) else "") for name, value in details.invocation_metadata or ()
        ]
        sent = arrival(self._guard, metadata, method="POST", path=details.method)
        return sent, self._routes.needed("POST", details.method)

    def turned_away(self, refused: Refused) -> tuple[Any, str, tuple[tuple[str, str], ...]]:
        """Status, message and trailing metadata, the challenge among it."""
        import grpc

        answer = self._guard.challenge(refused)
        code = _CODES.get(answer.status, "UNAUTHENTICATED")
        trailing = tuple((name, value) for name, value in answer.headers if name in _TOLD)
        return getattr(grpc.StatusCode, code), refused.refusal.page.wire or "An access token is needed.", trailing


def interceptor(guard: Guard, methods: Mapping[str, Needed] | None = None) -> Any:
    """For ``grpc.server(..., interceptors=[interceptor(guard, {"/orders.Orders/Read": ["orders:read"]})])``.

    A method that is not in the table needs a good token and no scope.
    """
    import grpc

    table = _Table(guard, methods or {})

    class Interceptor(grpc.ServerInterceptor):  # type: ignore[misc, unused-ignore]
        """Judges each call before its method is entered."""

        def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
            sent, needed = table.question(details)
            handler = continuation(details)
            if needed is None or handler is None:
                return handler

            def before(context: Any) -> Verified:
                outcome = guard.admit_blocking(sent, needed)
                if isinstance(outcome, Verified):
                    return outcome
                code, message, trailing = table.turned_away(outcome)
                context.set_trailing_metadata(trailing)
                context.abort(code, message)
                raise AssertionError("a call that was aborted goes no further")

            return _wrapped(handler, before)

    return Interceptor()


def aio_interceptor(guard: Guard, methods: Mapping[str, Needed] | None = None) -> Any:
    """The same for ``grpc.aio.server``."""
    import grpc

    table = _Table(guard, methods or {})

    class Interceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc, unused-ignore]
        """Judges each call before its method is entered."""

        async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
            sent, needed = table.question(details)
            handler = await continuation(details)
            if needed is None or handler is None:
                return handler

            async def before(context: Any) -> None:
                outcome = await guard.admit(sent, needed)
                if isinstance(outcome, Refused):
                    code, message, trailing = table.turned_away(outcome)
                    context.set_trailing_metadata(trailing)
                    await context.abort(code, message)
                else:
                    _CALLER.set(outcome)

            return _awrapped(handler, before)

    return Interceptor()


def _wrapped(handler: Any, before: Callable[[Any], Verified]) -> Any:
    """A method's handler that asks ``before`` first, for each of the four kinds of method. The caller is known only while
    the method runs: the thread serves others afterwards."""
    kind, behaviour = _kind(handler)

    def unary(request: Any, context: Any) -> Any:
        known = _CALLER.set(before(context))
        try:
            return behaviour(request, context)
        finally:
            _CALLER.reset(known)

    def streaming(request: Any, context: Any) -> Iterator[Any]:
        caller, answers = before(context), iter(())
        known = _CALLER.set(caller)
        try:
            answers = iter(behaviour(request, context))
        finally:
            _CALLER.reset(known)
        yield from _each(answers, caller)

    return _rebuilt(kind, streaming if kind.endswith("stream") else unary, handler)


def _each(answers: Iterator[Any], caller: Verified) -> Iterator[Any]:
    """A stream's answers, each made with the caller known."""
    nothing = object()
    while True:
        known = _CALLER.set(caller)
        try:
            answer = next(answers, nothing)
        finally:
            _CALLER.reset(known)
        if answer is nothing:
            return
        yield answer


def _awrapped(handler: Any, before: Callable[[Any], Awaitable[None]]) -> Any:
    """The same for coroutines, whose streams may be generators or may write by themselves."""
    from inspect import isasyncgenfunction

    kind, behaviour = _kind(handler)

    async def unary(request: Any, context: Any) -> Any:
        await before(context)
        return await behaviour(request, context)

    async def streaming(request: Any, context: Any) -> Any:
        await before(context)
        async for one in behaviour(request, context):
            yield one

    yields = kind.endswith("stream") and isasyncgenfunction(behaviour)
    return _rebuilt(kind, streaming if yields else unary, handler)


def _kind(handler: Any) -> tuple[str, Any]:
    name = f"{'stream' if handler.request_streaming else 'unary'}_{'stream' if handler.response_streaming else 'unary'}"
    return name, getattr(handler, name)


def _rebuilt(kind: str, behaviour: Any, handler: Any) -> Any:
    import grpc

    make = getattr(grpc, f"{kind}_rpc_method_handler")
    return make(behaviour, handler.request_deserializer, handler.response_serializer)


_CODES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 503: "UNAVAILABLE"}
_TOLD = {"www-authenticate", "dpop-nonce", "retry-after"}
