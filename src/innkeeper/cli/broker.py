"""``innkeeper broker``: an issuer for MCP clients before a cloud that lacks what they need."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

import typer

from innkeeper.cli import options
from innkeeper.cli.serve import serve
from innkeeper.cli.serving import listen
from innkeeper.issuer.core.profiles import MCP
from innkeeper.issuer.core.records import Upstream
from innkeeper.issuer.settings import Fetching, Registration, SeedResource, Server, Settings
from innkeeper.protocol.refusals import UsageError


class Cloud(NamedTuple):
    """What is known of an upstream: its issuer, the hosts that are called there, how people are named, how they leave."""

    id: str
    title: str
    issuer: str
    hosts: tuple[str, ...]
    username: str = "email"
    sign_out: Literal["openid", "cognito"] = "openid"


def command(
    upstream: Annotated[str, typer.Option(help="entra, cognito, or the address of any OpenID Connect issuer.")],
    client_id: Annotated[str, typer.Option(envvar="INNKEEPER_CLIENT_ID", help="The broker's client there.")],
    resource: Annotated[str, typer.Option(help="The MCP server's address: what tokens are for.")],
    client_secret: options.ClientSecret = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope of the MCP server, name=sentence for people; repeat for several.")
    ] = None,
    tenant: Annotated[str, typer.Option(help="Entra: the tenant's id.")] = "",
    pool: Annotated[str, typer.Option(help="Cognito: the user pool's id, such as us-east-1_AbCdEfGhI.")] = "",
    title: Annotated[str, typer.Option(help="What the button and the pages call the upstream.")] = "",
    port: Annotated[int, typer.Option(help="The port to serve on.")] = 8500,
    public_url: Annotated[str, typer.Option(help="The address that clients use, where a proxy stands before.")] = "",
    state: Annotated[Path, typer.Option(help="Where keys and people are remembered.")] = Path(".innkeeper-broker"),
) -> int:
    """Serve an issuer at which people sign in with a cloud, and which has what MCP clients need and that cloud lacks:
    registration, client metadata documents, `resource`, PKCE in the metadata, `iss`.

    People allow each application here before anything goes to the cloud. What the cloud gives stays here: the application
    gets tokens of this issuer. HTTPS_PROXY leads to the cloud where there is no other way out.
    """
    cloud = cloud_of(upstream, tenant, pool)
    secret = options.secret_of(client_secret)
    server = Server(port=port, public_url=public_url, state=str(state))
    settings = settings_for(cloud, client_id, secret, resource, scope or (), server, title, os.environ)
    listening = listen(server.host, port)
    for line in told(cloud, settings, resource):
        print(line, file=sys.stderr)
    serve(settings, listening)
    return 0


def cloud_of(upstream: str, tenant: str, pool: str) -> Cloud:
    """What is known of an upstream by its name. Raises ``UsageError``."""
    if upstream == "entra":
        if not tenant or tenant in ("common", "organizations", "consumers"):
            raise UsageError(
                "--upstream entra needs --tenant, the id of one tenant: tokens of several name several issuers"
            )
        issuer = f"https://login.microsoftonline.com/{tenant}/v2.0"
        return Cloud("entra", "Microsoft", issuer, ("login.microsoftonline.com",), "preferred_username")
    if upstream == "cognito":
        region, _, rest = pool.partition("_")
        if not region or not rest:
            raise UsageError(
                f"--upstream cognito needs --pool, the user pool's id, such as us-east-1_AbCdEfGhI, not {pool!r}"
            )
        host = f"cognito-idp.{region}.amazonaws.com"
        hosts = (host, f"*.auth.{region}.amazoncognito.com")
        return Cloud("cognito", "Amazon Cognito", f"https://{host}/{pool}", hosts, "email", "cognito")
    parts = urlsplit(upstream)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise UsageError(f"--upstream {upstream!r}: write entra, cognito, or an issuer's https address")
    return Cloud("upstream", parts.hostname, upstream.rstrip("/"), (parts.hostname,))


def settings_for(
    cloud: Cloud,
    client_id: str,
    secret: str,
    resource: str,
    scopes: Iterable[str],
    server: Server,
    title: str,
    environment: Mapping[str, str],
) -> Settings:
    """An issuer that lets people in through the cloud alone, and applications in by themselves."""
    proxy = environment.get("HTTPS_PROXY") or environment.get("https_proxy") or ""
    way = Fetching(proxy=proxy, proxy_hosts=list(cloud.hosts)) if proxy else Fetching()
    entrance = Upstream(
        id=cloud.id,
        title=title or cloud.title,
        issuer=cloud.issuer,
        client_id=client_id,
        client_secret=secret,
        username_claim=cloud.username,
        consent_first=True,
        sign_out=cloud.sign_out,
    )
    named = {name: says or name for name, _, says in (one.partition("=") for one in scopes)}
    return Settings(
        title=f"Sign in with {title or cloud.title}",
        profile=MCP.name,
        passwords=False,
        sign_up="off",
        server=server,
        fetching=way,
        registration=Registration(mode="open"),
        resource=[SeedResource(resource, f"The MCP server at {urlsplit(resource).hostname}", named)],
        upstream=[entrance],
    )


def told(cloud: Cloud, settings: Settings, resource: str) -> list[str]:
    """What is left to do at the cloud and at the MCP server."""
    return [
        f"innkeeper brokers {cloud.issuer} at {settings.origin}",
        f"  register at {cloud.title}: redirect URI  {settings.origin}/sign-in/from/{cloud.id}",
        f"                             sign-out URI  {settings.origin}/logout/done",
        f"  the MCP server {resource} names {settings.origin} in authorization_servers, and trusts its tokens",
    ]
