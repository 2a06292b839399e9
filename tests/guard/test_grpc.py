"""The guard before a gRPC server: in threads and in coroutines, for calls of every kind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.guard.examples import example
from tests.guard.world import World, claims, forge

grpc = pytest.importorskip("grpc", reason="grpcio is not installed")


@pytest.fixture(scope="module")
def channel() -> Iterator[Any]:
    server, port = example("grpc_api").make_server(World().guard(), "127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as opened:
        yield opened
    server.stop(None).wait()


def sent(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def refused(call: Any) -> tuple[Any, dict[str, str]]:
    with pytest.raises(grpc.RpcError) as error:
        call()
    found: Any = error.value
    return found.code(), dict(found.trailing_metadata() or ())


def test_a_good_token_gets_in_and_the_method_knows_the_caller(channel: Any) -> None:
    assert channel.unary_unary("/orders.Orders/Read")(b"", metadata=sent(forge())) == b"order of guest-204"
    streamed = channel.unary_stream("/orders.Orders/Watch")(b"", metadata=sent(forge()))
    assert list(streamed) == [b"order 0 of guest-204", b"order 1 of guest-204"]


def test_each_refusal_has_its_code_and_the_challenge_comes_along(channel: Any) -> None:
    read = channel.unary_unary("/orders.Orders/Read")
    code, trailing = refused(lambda: read(b""))
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert trailing["www-authenticate"].startswith('Bearer scope="gym:enter"')
    code, trailing = refused(lambda: read(b"", metadata=sent(forge(which=1))))
    assert (code, "invalid_token" in trailing["www-authenticate"]) == (grpc.StatusCode.UNAUTHENTICATED, True)
    code, trailing = refused(lambda: read(b"", metadata=sent(forge(claims(scope="pool:enter")))))
    assert (code, "insufficient_scope" in trailing["www-authenticate"]) == (grpc.StatusCode.PERMISSION_DENIED, True)
    code, _ = refused(lambda: read(b"", metadata=(*sent(forge()), ("authorization", "Bearer x"))))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    watch = channel.unary_stream("/orders.Orders/Watch")
    assert refused(lambda: list(watch(b"")))[0] is grpc.StatusCode.UNAUTHENTICATED


def test_an_open_method_is_open_and_others_need_a_token(channel: Any) -> None:
    assert channel.unary_unary("/orders.Orders/Ping")(b"") == b"pong"
    code, _ = refused(lambda: channel.unary_unary("/orders.Orders/Burn")(b"", metadata=sent(forge())))
    assert code is grpc.StatusCode.UNIMPLEMENTED


def test_nobody_is_known_outside_of_a_call() -> None:
    from innkeeper.guard.grpc import token

    with pytest.raises(LookupError):
        token()


def test_a_thread_forgets_its_last_caller() -> None:
    from innkeeper.guard.grpc import _wrapped, token

    guard = World().guard()
    outcome: Any = guard.verify_blocking(forge())
    inner = grpc.unary_unary_rpc_method_handler(lambda request, context: token().sub)
    assert _wrapped(inner, lambda context: outcome).unary_unary(b"", None) == "guest-204"
    with pytest.raises(LookupError):
        token()
    stream = grpc.unary_stream_rpc_method_handler(lambda request, context: (token().sub for _ in range(2)))
    answers = _wrapped(stream, lambda context: outcome).unary_stream(b"", None)
    assert next(answers) == "guest-204"
    with pytest.raises(LookupError):
        token()
    assert list(answers) == ["guest-204"]


def test_coroutines_are_guarded_alike() -> None:
    from innkeeper.guard.grpc import aio_interceptor, token

    async def read(request: bytes, context: Any) -> bytes:
        return token().sub.encode()

    async def watch(request: bytes, context: Any) -> Any:
        for _ in range(2):
            yield token().sub.encode()

    async def work() -> tuple[bytes, list[bytes], Any, Any]:
        table = {"/o.O/Read": ["gym:enter"], "/o.O/Watch": ["vip:enter"]}
        server = grpc.aio.server(interceptors=[aio_interceptor(World().guard(), table)])
        handlers = {
            "Read": grpc.unary_unary_rpc_method_handler(read),
            "Watch": grpc.unary_stream_rpc_method_handler(watch),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("o.O", handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                got = await channel.unary_unary("/o.O/Read")(b"", metadata=sent(forge()))
                vip = sent(forge(claims(scope="vip:enter")))
                streamed = [one async for one in channel.unary_stream("/o.O/Watch")(b"", metadata=vip)]
                codes = []
                for call, metadata in ((channel.unary_unary("/o.O/Read"), ()),):
                    with pytest.raises(grpc.aio.AioRpcError) as error:
                        await call(b"", metadata=metadata)
                    codes.append(error.value.code())
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    [one async for one in channel.unary_stream("/o.O/Watch")(b"", metadata=sent(forge()))]
                return got, streamed, codes[0], error.value.code()
        finally:
            await server.stop(None)

    got, streamed, without, poor = asyncio.run(work())
    assert (got, streamed) == (b"guest-204", [b"guest-204", b"guest-204"])
    assert (without, poor) == (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
