"""What a managed login style has to be: one for a client, and either Cognito's own look or one's own."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.cognito.administration import bad
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check


class Case(msgspec.Struct, frozen=True):
    """A style as it is to be; ``taken`` where the client has one, ``own`` where settings or pictures are sent."""

    client_id: str
    taken: bool
    provided: bool
    own: bool


@check("Cognito API: ManagedLoginBrandingExistsException")
def the_client_has_no_style_yet(case: Case) -> Seen | Refusal:
    """An app client has one style."""
    if case.taken:
        return Refusal(STYLE_TAKEN, "the client has a style", "none", case.client_id)
    return Seen(case.client_id)


@check("Cognito API: CreateManagedLoginBranding")
def the_look_is_said_once(case: Case) -> Seen | Refusal:
    """Cognito's own values and settings or assets of one's own exclude each other."""
    if case.provided and case.own:
        said = "UseCognitoProvidedValues can't be true when Settings or Assets are provided."
        return bad("both looks are asked for", "one of them", "both", said)
    return Seen("Cognito's" if case.provided else "its own")


CHECKS = (the_client_has_no_style_yet, the_look_is_said_once)

STYLE_TAKEN = Page(
    "IK1189",
    "ManagedLoginBrandingExistsException",
    "The app client has a managed login style already",
    "There is one style for each app client.",
    "Use UpdateManagedLoginBranding with the id that DescribeManagedLoginBrandingByClient tells.",
    "A managed login branding style already exists for this app client.",
    level="inferred",
    terraform="terraform import aws_cognito_managed_login_branding.NAME POOL,STYLE",
)
