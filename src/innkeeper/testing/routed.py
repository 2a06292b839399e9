"""The clouds' real addresses in a test: connections to Cognito and Entra ID end at twins that run for the tests alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from innkeeper.detour.hosts import COGNITO, ENTRA, Taken
from innkeeper.detour.proxy import Inn
from innkeeper.detour.running import Detour, in_background
from innkeeper.issuer.app.cognito import shown as shown_cognito
from innkeeper.issuer.app.entra_shown import shown as shown_entra
from innkeeper.issuer.settings import SeedTwin, Settings
from innkeeper.testing.issuer import serving

POOL = "us-east-1_innkeepr1"
TENANT = "5a9b7f1e-3c42-4d7a-8e15-0c6d2f4b9a31"


class RoutedClouds(msgspec.Struct, frozen=True):
    """Twins under the clouds' names. ``cognito`` and ``entra`` say what ``innkeeper twin show --json`` says of each: ids,
    secrets, scopes. ``environment`` is what a program has to be told to be led to them."""

    cognito: Mapping[str, Any]
    entra: Mapping[str, Any]
    environment: Mapping[str, str]


@contextmanager
def routed_clouds(settings: Settings, *, others_allowed: bool = False) -> Iterator[RoutedClouds]:
    """Twins, seeded from the settings, that are led to inside the block by whoever is told of ``environment``.

    ``others_allowed``: connections to other hosts pass through; else they are refused, and a test that makes one fails.
    """
    seeds = {COGNITO: SeedTwin(dialect="cognito", id=POOL), ENTRA: SeedTwin(dialect="entra", id=TENANT)}
    seeds |= {one.dialect: one for one in settings.twin}
    whole = msgspec.structs.replace(settings, twin=list(seeds.values()))
    with serving(whole) as issuer:
        port = int(issuer.url.rpartition(":")[2])
        here = msgspec.structs.replace(whole, server=msgspec.structs.replace(whole.server, port=port))
        detour = Detour(Taken([COGNITO, ENTRA]), Inn("127.0.0.1", port), others_allowed)
        with in_background(detour, os.environ) as route:
            yield RoutedClouds(
                shown_cognito(here, seeds[COGNITO]), shown_entra(here, seeds[ENTRA]), dict(route.environment)
            )
