"""What an operation names has to be there: pools, app clients, users, groups, resource servers, styles."""

from __future__ import annotations

import msgspec

from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check


class Named(msgspec.Struct, frozen=True):
    """``name`` is what was asked for, ``found`` whether it is here."""

    name: str
    found: bool


def _gone(page: Page, case: Named, said: str) -> Seen | Refusal:
    return Seen(case.name) if case.found else Refusal(page, said, "one that exists", case.name, said=said)


@check("Cognito API: ResourceNotFoundException")
def the_pool_exists(case: Named) -> Seen | Refusal:
    """The user pool exists."""
    return _gone(POOL_GONE, case, f"User pool {case.name} does not exist.")


@check("Cognito API: ResourceNotFoundException")
def the_client_exists(case: Named) -> Seen | Refusal:
    """The app client exists, in that pool."""
    return _gone(CLIENT_GONE, case, f"User pool client {case.name} does not exist.")


@check("Cognito API: ResourceNotFoundException")
def the_group_exists(case: Named) -> Seen | Refusal:
    """The group exists in the pool."""
    return _gone(OTHER_GONE, case, "Group not found.")


@check("Cognito API: ResourceNotFoundException")
def the_resource_server_exists(case: Named) -> Seen | Refusal:
    """The resource server exists in the pool."""
    return _gone(OTHER_GONE, case, f"Resource server {case.name} does not exist.")


@check("Cognito API: ResourceNotFoundException")
def the_domain_exists(case: Named) -> Seen | Refusal:
    """The domain exists."""
    return _gone(OTHER_GONE, case, "No such domain or user pool exists.")


@check("Cognito API: ResourceNotFoundException")
def the_secret_exists(case: Named) -> Seen | Refusal:
    """The client has a secret of that id."""
    return _gone(OTHER_GONE, case, f"Client secret {case.name} does not exist.")


@check("Cognito API: ResourceNotFoundException")
def the_style_exists(case: Named) -> Seen | Refusal:
    """The managed login style exists in the pool."""
    return _gone(OTHER_GONE, case, "Managed login branding does not exist.")


@check("Cognito API: UserNotFoundException")
def the_user_exists(case: Named) -> Seen | Refusal:
    """The pool has a user by that name."""
    return _gone(USER_GONE, case, "User does not exist.")


THE_POOL = (the_pool_exists,)
THE_CLIENT = (the_client_exists,)
THE_GROUP = (the_group_exists,)
THE_RESOURCE_SERVER = (the_resource_server_exists,)
THE_DOMAIN = (the_domain_exists,)
THE_STYLE = (the_style_exists,)
THE_SECRET = (the_secret_exists,)
THE_USER = (the_user_exists,)

POOL_GONE = Page(
    "IK1100",
    "ResourceNotFoundException",
    "The user pool does not exist",
    "The id is mistyped, of another region or account, or the pool was deleted; or another endpoint is asked than the one "
    "the pool is at.",
    "Use the id that `innkeeper twin show` prints or CreateUserPool returned.",
    "User pool does not exist.",
    level="observed",
    console="User pools: copy the user pool ID.",
    terraform="aws_cognito_user_pool.NAME.id",
)
CLIENT_GONE = Page(
    "IK1101",
    "ResourceNotFoundException",
    "The app client does not exist",
    "The client id is none of the pool's.",
    "Use the id that `innkeeper twin show` prints or CreateUserPoolClient returned.",
    "User pool client does not exist.",
    level="observed",
    console="User pool, App clients: copy the client ID.",
    terraform="aws_cognito_user_pool_client.NAME.id",
)
OTHER_GONE = Page(
    "IK1102",
    "ResourceNotFoundException",
    "What the operation names does not exist",
    "A group, resource server, domain, style or secret by that name is not in the pool.",
    "List what there is with the matching List operation.",
    "Resource not found.",
    level="documented",
    console="Look the name up in the user pool: Users, Groups, Resource servers or Domain.",
    terraform="Refer to the resource's attribute instead of writing its name, so that Terraform makes it first.",
)
USER_GONE = Page(
    "IK1103",
    "UserNotFoundException",
    "The user does not exist",
    "Nobody in the pool has that user name; where a client has PreventUserExistenceErrors on, sign-in says so of nobody.",
    "Mind that names are those of this pool; ListUsers shows them.",
    "User does not exist.",
    level="observed",
    console="User pool, Users.",
    terraform="aws_cognito_user.NAME.username",
)
