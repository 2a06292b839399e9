"""A small API in Flask behind the guard.

innkeeper up &
flask --app examples/flask_api run --port 8505
"""

import os

from flask import Flask

from innkeeper.guard import Guard, need
from innkeeper.guard.flask import Guarded, token


def make_app(guard: Guard) -> Flask:
    """The API. What a view needs stands under its route."""
    app = Flask("orders")
    guarded = Guarded(app, guard)

    @app.get("/")
    def welcome() -> dict[str, str]:
        return {"message": "GET /orders"}

    @app.get("/orders")
    @guarded("gym:enter")
    def orders() -> dict[str, str]:
        return {"orders_of": token().sub}

    @app.get("/payroll")
    @guarded(need("vip:enter", caller="person", max_age=300))
    def payroll() -> dict[str, str]:
        return {"payroll_of": token().sub}

    return app


app = make_app(
    Guard(
        issuer=os.environ.get("ISSUER", "http://127.0.0.1:8400"),
        audience=os.environ.get("AUDIENCE", "http://127.0.0.1:8400/hotel"),
        resource=os.environ.get("RESOURCE", "http://127.0.0.1:8505"),
    )
)
