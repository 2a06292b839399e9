"""A Lambda authorizer of Amazon API Gateway for an HTTP API (payload 2.0, simple responses) or a REST API.

Deploy it with `pip install innkeeper -t .`; the handler is `lambda_authorizer.handler`. The guard is built once and keeps the
issuer's keys between calls.
"""

import os
from typing import Any

from innkeeper.guard import ANYONE, Guard
from innkeeper.guard.aws_lambda import Handler, authorizer


def make_handler(guard: Guard, **more: Any) -> Handler:
    """The authorizer, with a table of what each path needs."""
    return authorizer(guard, {"GET /orders": ["gym:enter"], "/health": ANYONE}, **more)


handler = make_handler(
    Guard(
        issuer=os.environ.get("ISSUER", "http://127.0.0.1:8400"),
        audience=os.environ.get("AUDIENCE", "http://127.0.0.1:8400/hotel"),
    )
)
