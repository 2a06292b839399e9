"""One run: what is to happen is found out and told, then done, remembered, and handed on as a profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar

import httpx2
import msgspec

from innkeeper.client.refused import refuse
from innkeeper.protocol.refusals import UsageError
from innkeeper.provision import record, refusals
from innkeeper.provision.aws import Aws
from innkeeper.provision.cognito import Cognito
from innkeeper.provision.entra import Entra
from innkeeper.provision.graph import GRAPH, LOGIN, Graph, Pause, Token, by_secret, from_environment
from innkeeper.provision.inputs import CognitoInputs, EntraInputs, Inputs, read
from innkeeper.provision.parts import Change, Part, applied, removed, surveyed
from innkeeper.provision.record import Record, Secret


class Cloud(Protocol):
    """What ``Cognito`` and ``Entra`` have alike."""

    def parts(self) -> Iterator[Part]: ...

    def unwanted(self) -> Iterator[Part]: ...

    def made(self) -> list[Part]: ...

    def strangers(self) -> list[str]: ...

    def outputs(self) -> dict[str, Any]: ...


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """Another place than the real cloud, such as a twin: where it is asked, and as whom."""

    endpoint: str
    graph: str = ""
    client_id: str = ""
    client_secret: str = ""


Given = TypeVar("Given", bound=Inputs)
World = Callable[[], AbstractContextManager[Cloud]]


class Run:
    """A name's run at one cloud. ``open_cloud`` opens the way there; the record is read before and kept after."""

    def __init__(self, name: str, cloud: str, inputs: Inputs, before: Record) -> None:
        self.name = name
        self.inputs = inputs
        self.record = msgspec.structs.replace(before, cloud=cloud, inputs=msgspec.to_builtins(inputs))

    def plan(self, cloud: Cloud) -> list[Change]:
        """What would happen. Nothing is changed."""
        return surveyed(cloud.parts(), cloud.unwanted())

    def apply(self, cloud: Cloud, tell: Callable[[Change], None]) -> dict[str, Any]:
        """Make it so, and remember what was made. Breaking off at any point leaves what the next run goes on from."""
        record.keep(self.name, self.record)
        for change in applied(cloud.parts(), cloud.unwanted()):
            tell(change)
        self.record = msgspec.structs.replace(self.record, outputs=cloud.outputs())
        record.keep(self.name, self.record)
        return self.record.outputs

    def remember(self, client: str, secret: Secret) -> None:
        """Keep a secret as soon as there is one: nobody tells it a second time."""
        self.record = msgspec.structs.replace(self.record, secrets={**self.record.secrets, client: secret})
        record.keep(self.name, self.record)

    def doomed(self, cloud: Cloud, *, with_everything: bool) -> list[Part]:
        """What would be destroyed. Raises ``Refused`` where others' things would go with it."""
        parts = cloud.made()
        others = cloud.strangers() if parts and not with_everything else []
        if others:
            raise refuse(refusals.HOLDS_OTHERS, f"there are also {', '.join(others)}")
        return parts

    def destroy(self, parts: list[Part], tell: Callable[[Change], None]) -> None:
        for change in removed(parts):
            tell(change)
        record.forget(self.name)


def given(kind: type[Given], name: str, said: dict[str, Any], before: Record) -> Given:
    """The inputs of a run: those of the last one, with what is said now before them. Raises ``UsageError``."""
    return read(kind, {"name_prefix": name, **before.inputs, **said})


def client_of(inputs: Inputs, named: str) -> str:
    """The client that the profile is for: the one named, else the first program, else the first application.

    Raises ``UsageError`` for a name that is none, before anything is made.
    """
    known = [*inputs.machine_clients, *inputs.web_clients]
    if named and named not in known:
        raise UsageError(f"--client {named!r}: the clients are {', '.join(known)}")
    return named or next(iter(known), "")


@contextmanager
def open_cognito(inputs: CognitoInputs, elsewhere: Elsewhere | None) -> Iterator[Cognito]:
    """The way to Cognito."""
    yield Cognito(Aws(inputs.region, elsewhere.endpoint if elsewhere else ""), inputs)


@contextmanager
def open_entra(
    inputs: EntraInputs,
    run: Run,
    elsewhere: Elsewhere | None,
    pause: Pause,
    now: datetime,
    http: httpx2.Client | None = None,
) -> Iterator[Entra]:
    """The way to the tenant, through Graph."""
    with http or httpx2.Client(timeout=30) as client:
        token, base = _entrance(client, inputs.tenant_id, elsewhere)
        graph = Graph(client, base, token, pause)
        login = elsewhere.endpoint if elsewhere else LOGIN
        yield Entra(graph, inputs, run.record.secrets, run.remember, now, login)


def _entrance(http: httpx2.Client, tenant: str, elsewhere: Elsewhere | None) -> tuple[Token, str]:
    if elsewhere is None:
        return from_environment(http, tenant), GRAPH
    as_whom = (elsewhere.client_id, elsewhere.client_secret)
    return by_secret(http, elsewhere.endpoint, tenant, *as_whom, elsewhere.graph), elsewhere.graph
