"""A device asks for its codes."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra import asking
from innkeeper.issuer.core.entra.asking import Ask, missing
from innkeeper.issuer.core.entra.names import V1
from innkeeper.issuer.core.entra.parties import Party, Tenant
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check


class DeviceCase(msgspec.Struct, frozen=True):
    ask: Ask
    tenant: Tenant | None
    party: Party | None


@check("AADSTS 900144")
def a_scope_is_asked_for(case: DeviceCase) -> Seen | Refusal:
    """The request says for what: by scope, or by resource at the version 1 endpoint."""
    name = "resource" if case.ask.version == V1 else "scope"
    return Seen(case.ask.get(name)) if case.ask.get(name) else missing(name)


DEVICE_CHECKS = (
    asking.the_tenant_is_spelt_as_one,
    asking.the_tenant_is_here,
    asking.the_method_is_post,
    asking.the_request_can_be_read,
    asking.the_client_is_named,
    asking.the_client_is_in_the_tenant,
    asking.the_client_is_for_that_many_tenants,
    asking.the_client_is_enabled,
    a_scope_is_asked_for,
)
