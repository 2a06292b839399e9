"""Apache with Debian's mod_auth_openidc, unmodified, keeps a page for guests and signs them in at a house."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2
import pytest
from msgspec import structs

from innkeeper.issuer.store.sqlite import SqliteStore
from tests.cli.guest import ANSWERS, Form
from tests.inn import Inn, free_port

pytestmark = pytest.mark.interop

APACHE = Path("/usr/sbin/apache2")
MODULES = Path("/usr/lib/apache2/modules")
START = 20.0
"""Seconds Apache may take to open."""

CONFIGURATION = """\
ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
DocumentRoot {folder}/pages
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
DirectoryIndex index.html
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {name}
OIDCClientSecret concierge-secret
OIDCProviderTokenEndpointAuth {way}
OIDCRedirectURI {here}/guests/back
OIDCCryptoPassphrase for-this-test-alone
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim sub
OIDCResponseMode {mode}
OIDCUserInfoRefreshInterval 1
<Location /guests>
    AuthType openid-connect
    Require claim email:guest@hotel.example
    Header set X-Guest "expr=%{{REMOTE_USER}}"
</Location>
<Location /staff>
    AuthType openid-connect
    Require claim email:staff@hotel.example
</Location>
"""


class Server(NamedTuple):
    """An Apache that runs: its address, and its log."""

    url: str
    log: Path


@pytest.fixture(scope="module", params=[("client_secret_basic", "query"), ("client_secret_post", "form_post")])
def apache(request: pytest.FixtureRequest, house: Inn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not APACHE.exists() or not (MODULES / "mod_auth_openidc.so").exists():
        pytest.skip(
            "no Apache with mod_auth_openidc (Debian: sudo apt install apache2-bin libapache2-mod-auth-openidc)"
        )
    folder, port = tmp_path_factory.mktemp("apache"), free_port()
    here = f"http://127.0.0.1:{port}"
    way, mode = request.param
    asyncio.run(_register(house, f"apache-{mode}", f"{here}/guests/back"))
    for name in ("guests", "staff"):
        (folder / "pages" / name).mkdir(parents=True)
        (folder / "pages" / name / "index.html").write_text(f"For {name} only", "utf-8")
    for one in (folder, *folder.rglob("*")):
        one.chmod(0o755)
    said = CONFIGURATION.format(
        folder=folder,
        port=port,
        modules=MODULES,
        issuer=house.url,
        here=here,
        way=way,
        mode=mode,
        name=f"apache-{mode}",
    )
    (folder / "apache.conf").write_text(said, "utf-8")
    command = [str(APACHE), "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"]
    with (folder / "out.log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _await_open(port, process, folder)
        yield Server(here, folder / "error.log")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=START)


def _await_open(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError((folder / "out.log").read_text("utf-8"))


async def _register(house: Inn, client_id: str, redirect_uri: str) -> None:
    httpx2.get(f"{house.url}/jwks").raise_for_status()  # it answers: the state is there
    store = SqliteStore(house.folder / ".innkeeper" / "innkeeper.db")
    try:
        realm = store.realm("native")
        concierge = await realm.client("concierge")
        assert concierge is not None
        await realm.put_client(structs.replace(concierge, id=client_id, name="Apache", redirect_uris=(redirect_uri,)))
    finally:
        store.close()


def walk(browser: httpx2.Client, url: str) -> httpx2.Response:
    """What a guest at a browser sees in the end: signs in, allows, and presses on where a form goes on by itself."""
    page = browser.get(url)
    for _ in range(12):
        if page.is_redirect:
            page = browser.get(page.url.join(page.headers["location"]))
            continue
        form = Form(page.text)
        if not form.action:
            return page
        button = next((form.buttons[name] for name in ("sign-in", "allow") if name in form.buttons), {})
        filled = {name: ANSWERS.get(name, value) for name, value in form.fields.items()}
        page = browser.post(page.url.join(form.action), data=filled | button)
    raise AssertionError(f"{url} leads nowhere")


def test_a_guest_signs_in_to_a_page_behind_apache(apache: Server) -> None:
    with httpx2.Client(timeout=20) as browser:
        page = walk(browser, f"{apache.url}/guests/")
        assert (page.status_code, page.text) == (200, "For guests only"), apache.log.read_text("utf-8")
        assert page.headers["x-guest"] == "guest-204"
        again = browser.get(f"{apache.url}/guests/")
        assert (again.status_code, again.text) == (200, "For guests only")


def test_the_guest_is_no_staff(apache: Server) -> None:
    with httpx2.Client(timeout=20) as browser:
        walk(browser, f"{apache.url}/guests/")
        assert walk(browser, f"{apache.url}/staff/").status_code in (401, 403)


def test_nobody_gets_in_without_a_sign_in(apache: Server, house: Inn) -> None:
    answer = httpx2.get(f"{apache.url}/guests/")
    assert answer.status_code == 302
    assert urlsplit(answer.headers["location"]).netloc == urlsplit(house.url).netloc
