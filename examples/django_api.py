"""A small API in Django, in one file, behind the guard.

    innkeeper up &
    python examples/django_api.py runserver 8506

In a project of its own the three settings go to settings.py. Views may be sync or async.
"""

import os
import sys

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path

from innkeeper.guard import ANYONE, Guard, need
from innkeeper.guard.django import guarded, token


def configure(guard: Guard) -> None:
    """The settings, the guard's among them."""
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["innkeeper.guard.django.GuardMiddleware"],
        INNKEEPER_GUARD=guard,
        INNKEEPER_ROUTES={"/": ANYONE, "/orders": ["gym:enter"], "/async-orders": ["gym:enter"]},
    )


def welcome(request: HttpRequest) -> JsonResponse:
    """Open to anyone."""
    return JsonResponse({"message": "GET /orders"})


def orders(request: HttpRequest) -> JsonResponse:
    """Guarded by the table in the settings."""
    return JsonResponse({"orders_of": token(request).sub})


async def async_orders(request: HttpRequest) -> JsonResponse:
    """The same, as a coroutine."""
    return JsonResponse({"orders_of": token(request).sub})


@guarded(need("vip:enter", caller="person", max_age=300))
def payroll(request: HttpRequest) -> JsonResponse:
    """Guarded by the decorator, after the table let any good token pass."""
    return JsonResponse({"payroll_of": token(request).sub})


urlpatterns = [
    path("", welcome),
    path("orders", orders),
    path("async-orders", async_orders),
    path("payroll", payroll),
]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    configure(
        Guard(
            issuer=os.environ.get("ISSUER", "http://127.0.0.1:8400"),
            audience=os.environ.get("AUDIENCE", "http://127.0.0.1:8400/hotel"),
            resource=os.environ.get("RESOURCE", "http://127.0.0.1:8506"),
        )
    )
    execute_from_command_line(sys.argv)
