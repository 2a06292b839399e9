"""A gRPC service behind the guard, with two methods that speak bytes, so that no code has to be generated.

    innkeeper up &
    python examples/grpc_api.py

Clients send the token in the call's metadata: ("authorization", "Bearer TOKEN").
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from innkeeper.guard import ANYONE, Guard
from innkeeper.guard.grpc import interceptor, token

METHODS = {"/orders.Orders/Read": ["gym:enter"], "/orders.Orders/Watch": ["gym:enter"], "/orders.Orders/Ping": ANYONE}


def read(request: bytes, context: Any) -> bytes:
    """One order."""
    return f"order of {token().sub}".encode()


def watch(request: bytes, context: Any) -> Iterator[bytes]:
    """Several, one after the other."""
    for number in range(2):
        yield f"order {number} of {token().sub}".encode()


def ping(request: bytes, context: Any) -> bytes:
    """Open to anyone."""
    return b"pong"


def make_server(guard: Guard, address: str) -> tuple[Any, int]:
    """The server, not started yet, and its port."""
    server = grpc.server(ThreadPoolExecutor(2), interceptors=[interceptor(guard, METHODS)])
    handlers = {
        "Read": grpc.unary_unary_rpc_method_handler(read),
        "Watch": grpc.unary_stream_rpc_method_handler(watch),
        "Ping": grpc.unary_unary_rpc_method_handler(ping),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("orders.Orders", handlers),))
    return server, server.add_insecure_port(address)


if __name__ == "__main__":
    running, port = make_server(
        Guard(
            issuer=os.environ.get("ISSUER", "http://127.0.0.1:8400"),
            audience=os.environ.get("AUDIENCE", "http://127.0.0.1:8400/hotel"),
        ),
        "127.0.0.1:8507",
    )
    running.start()
    running.wait_for_termination()
