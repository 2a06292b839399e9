"""Every code of the table can be had on demand, worded as the table says."""

from __future__ import annotations

import pytest

from innkeeper.issuer.app.entra import Entra
from innkeeper.issuer.core.entra.aadsts import Aadsts
from innkeeper.issuer.core.entra.codes import BY_CODE
from innkeeper.issuer.desk.entra.faults import ask_for
from innkeeper.protocol.refusals import UsageError
from tests.twins.entra.tenant import Tenant, body, code_of


@pytest.mark.parametrize("page", BY_CODE.values(), ids=lambda page: f"AADSTS{page.code}")
def test_a_code_that_was_asked_for_is_answered_once_with_its_error_and_status(tenant: Tenant, page: Aadsts) -> None:
    entra = next(one for one in tenant.house.issuer.opened if isinstance(one, Entra))
    tenant.house.run(ask_for(entra._desks[0], page.code, 1))
    answer = tenant.client_credentials()
    found = body(answer)
    assert (answer.status, code_of(answer), found["error"]) == (page.status, page.code, page.error)
    assert found.get("suberror", "") == page.suberror
    assert ("claims" in found) == (page.error == "interaction_required")
    assert "{" not in found["error_description"]
    assert tenant.client_credentials().status == 200


def test_a_code_that_is_none_is_a_usage_error(tenant: Tenant) -> None:
    entra = next(one for one in tenant.house.issuer.opened if isinstance(one, Entra))
    with pytest.raises(UsageError, match="AADSTS1 is none"):
        tenant.house.run(ask_for(entra._desks[0], 1, 1))
