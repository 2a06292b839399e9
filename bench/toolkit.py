"""django-oauth-toolkit on PostgreSQL, for a bench: one confidential client, refresh tokens that are rotated.

Kind to the toolkit where its defaults would not be: no middleware, connections are kept, and the client's secret is not
hashed as a password. Its tokens are random strings that it stores; it signs nothing.
"""

# ruff: noqa: E402 - Django has to be told its settings before its models can be imported
from __future__ import annotations

import os
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings

_url = urlsplit(os.environ["DATABASE_URL"])

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": _url.hostname,
            "PORT": _url.port,
            "USER": _url.username,
            "NAME": _url.path[1:],
            "CONN_MAX_AGE": None,
        }
    },
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    MIDDLEWARE=[],
    OAUTH2_PROVIDER={
        "SCOPES": {"room:enter": "Enter a room"},
        "ROTATE_REFRESH_TOKEN": True,
        "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_hex(),
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken
from oauth2_provider.views import TokenView


def ready(_: HttpRequest) -> JsonResponse:
    return JsonResponse({"ready": True})


def refresh_tokens(request: HttpRequest) -> JsonResponse:
    """That many refresh tokens, as the toolkit keeps them."""
    made, user, client = [], User.objects.get(), Application.objects.get()
    expires = timezone.now() + timedelta(seconds=600)
    for _ in range(int(request.GET["count"])):
        access = AccessToken.objects.create(
            user=user, application=client, token=secrets.token_urlsafe(32), expires=expires, scope="room:enter"
        )
        made.append(secrets.token_urlsafe(32))
        RefreshToken.objects.create(user=user, application=client, token=made[-1], access_token=access)
    return JsonResponse(made, safe=False)


urlpatterns = [path("token", TokenView.as_view()), path("ready", ready), path("bench/refresh-tokens", refresh_tokens)]


def _application() -> Any:
    call_command("migrate", verbosity=0)
    if not Application.objects.exists():
        user = User.objects.create(username="guest")
        Application.objects.create(
            user=user, client_id="concierge", client_secret="concierge-secret", hash_client_secret=False,
            client_type="confidential", authorization_grant_type="authorization-code",
            redirect_uris="http://127.0.0.1:8765/callback",
        )  # fmt: skip
    return get_wsgi_application()


application = _application()
