"""msgraph-sdk, unmodified, with its own local settings and in zero-change mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.twins.conftest import Run, document
from tests.twins.entra.sdks import Twin
from tests.twins.entra.tenant import GUEST, TENANT
from tests.twins.parity import parity

pytestmark = pytest.mark.outside

CALLS = """
async def calls(graph):
    from msgraph.generated.models.application import Application
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError
    from msgraph.generated.applications.applications_request_builder import ApplicationsRequestBuilder
    users = await graph.users.get()
    made = await graph.applications.post(Application(display_name="From msgraph-sdk"))
    second = await graph.applications.post(Application(display_name="From msgraph-sdk, too"))
    asked = ApplicationsRequestBuilder.ApplicationsRequestBuilderGetQueryParameters(
        filter="startswith(displayName,'From msgraph')", select=["id", "displayName"], top=1, expand=["owners"])
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph_core.tasks.page_iterator import PageIterator
    first = await graph.applications.get(RequestConfiguration(query_parameters=asked))
    seen = []
    await PageIterator(first, graph.request_adapter).iterate(lambda one: seen.append(one.display_name) or True)
    for one in (made, second):
        await graph.applications.by_application_id(one.id).delete()
    deleted = await graph.directory.deleted_items.graph_application.get()
    restored = await graph.directory.deleted_items.by_directory_object_id(made.id).restore.post()
    await graph.applications.by_application_id(made.id).delete()
    try:
        await graph.applications.by_application_id(made.id).get()
    except ODataError as error:
        missing = error.error.code
    return {"users": [one.user_principal_name for one in users.value], "seen": seen, "owners": len(first.value[0].owners),
            "deleted": sorted(one.display_name for one in deleted.value), "restored": restored.id == made.id, "missing": missing}
"""

LOCAL = f"""
import asyncio, json, sys
from azure.identity import ClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
origin, tenant, client, secret = sys.argv[1:]
credential = ClientSecretCredential(tenant, client, secret, authority=origin, disable_instance_discovery=True)
provider = AzureIdentityAuthenticationProvider(
    credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["localhost"])
adapter = GraphRequestAdapter(provider)
adapter.base_url = f"{{origin}}/v1.0"
{CALLS}
print(json.dumps(asyncio.run(calls(GraphServiceClient(request_adapter=adapter)))))
"""

CLOUD = f"""
import asyncio, json, sys
from azure.identity import ClientSecretCredential
from msgraph import GraphServiceClient
tenant, client, secret = sys.argv[1:]
{CALLS}
print(json.dumps(asyncio.run(calls(GraphServiceClient(ClientSecretCredential(tenant, client, secret))))))
"""


@parity("SDKs", "observed")
def test_with_its_own_settings(twin: Twin, outsider: Callable[[str], Path], run: Run) -> None:
    python, trusted = (
        str(outsider("msgraph") / "bin" / "python"),
        {"SSL_CERT_FILE": twin.ca, "REQUESTS_CA_BUNDLE": twin.ca},
    )
    seen = document(run(python, "-c", LOCAL, f"https://{twin.host}", TENANT, *twin.caretaker, **trusted))
    as_expected(seen)


def test_with_microsofts_own_hosts(twin: Twin, outsider: Callable[[str], Path], rerouted: Run) -> None:
    """Msgraph-sdk reads people, makes, lists by pages, expands, deletes and restores applications."""
    python = str(outsider("msgraph") / "bin" / "python")
    as_expected(document(rerouted(python, "-c", CLOUD, TENANT, *twin.caretaker)))


def as_expected(seen: dict[str, object]) -> None:
    users = seen.pop("users")
    assert isinstance(users, list)
    assert GUEST in users
    deleted = seen.pop("deleted")
    assert isinstance(deleted, list)
    assert {"From msgraph-sdk", "From msgraph-sdk, too"} <= set(deleted)
    assert seen == {
        "seen": ["From msgraph-sdk", "From msgraph-sdk, too"],
        "owners": 1,
        "restored": True,
        "missing": "Request_ResourceNotFound",
    }
