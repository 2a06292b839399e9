"""A program on a detour asks the clouds and is answered here; others are let through or refused; nothing stays behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from innkeeper.detour.environment import proxied
from innkeeper.detour.hosts import COGNITO, ENTRA, Taken
from innkeeper.detour.names import ADDRESS, why_not
from innkeeper.detour.proxy import Inn
from innkeeper.detour.running import Detour, Ended, Route, in_background, run
from innkeeper.protocol.refusals import UsageError
from tests.detour.inn import answering

BOTH = Taken([COGNITO, ENTRA])
LOGIN = "https://login.microsoftonline.com/t/v2.0?a=b"
POOLS = "https://cognito-idp.eu-west-1.amazonaws.com/"
NODE = Path(sys.executable).with_name("node")


@pytest.fixture(scope="module")
def inn() -> Iterator[Inn]:
    with answering() as opened:
        yield opened


@pytest.fixture
def route(inn: Inn) -> Iterator[Route]:
    with in_background(Detour(BOTH, inn, others_allowed=False), {}) as opened:
        yield opened


def said(route: Route, *command: str) -> str:
    """What a program prints on the detour."""
    environment = {**os.environ, **route.environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


PYTHON = """
import json, sys, urllib.request
with urllib.request.urlopen(urllib.request.Request(sys.argv[1], data=b'hello')) as got: print(got.read().decode())
"""
REQUESTS = "import requests, sys; print(requests.post(sys.argv[1], data='hello').text)"
HTTPX = "import httpx2, sys; print(httpx2.post(sys.argv[1], content='hello').text)"
FETCH = "fetch(process.argv[1], {method: 'POST', body: 'hello'}).then(r => r.text()).then(console.log)"
OLD_NODE = """
const asked = require('https').request(process.argv[1], {method: 'POST'}, r => r.pipe(process.stdout));
asked.end('hello');
"""

PROGRAMS: dict[str, tuple[str, ...]] = {
    "urllib": (sys.executable, "-c", PYTHON),
    "requests": (sys.executable, "-c", REQUESTS),
    "httpx": (sys.executable, "-c", HTTPX),
    "node's fetch": (str(NODE), "-e", FETCH),
    "node's https": (str(NODE), "-e", OLD_NODE),
    "curl": ("curl", "-sS", "--fail", "--data", "hello"),
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("url", [LOGIN, POOLS])
def test_an_unchanged_program_with_a_clouds_address_is_answered_by_the_inn(
    route: Route, program: str, url: str
) -> None:
    if not shutil.which(PROGRAMS[program][0]):
        pytest.skip(f"{program} is not on this machine")
    host, _, path = url.removeprefix("https://").partition("/")
    got = said(route, *PROGRAMS[program], url)
    assert f'"host": "{host}"' in got
    assert f'"path": "/{path}"' in got
    assert '"body": "hello"' in got


JAVA = """
import java.net.http.*; import java.net.*;
public class Ask { public static void main(String[] a) throws Exception {
  var c = (HttpsURLConnectionHolder.open(a[0])); System.out.println(new String(c.getInputStream().readAllBytes())); } }
class HttpsURLConnectionHolder { static URLConnection open(String u) throws Exception { return new URI(u).toURL().openConnection(); } }
"""


def test_java_goes_by_its_options(route: Route, tmp_path: Path) -> None:
    if not shutil.which("javac"):
        pytest.skip("there is no Java here")
    (tmp_path / "Ask.java").write_text(JAVA, "utf-8")
    assert '"host": "login.microsoftonline.com"' in said(route, "java", str(tmp_path / "Ask.java"), LOGIN)


GO = """
package main
import ("fmt"; "io"; "net/http"; "os")
func main() { r, err := http.Get(os.Args[1]); if err != nil { panic(err) }; b, _ := io.ReadAll(r.Body); fmt.Println(string(b)) }
"""


def test_go_goes_by_its_variables(route: Route, tmp_path: Path) -> None:
    if not shutil.which("go"):
        pytest.skip("there is no Go here")
    (tmp_path / "ask.go").write_text(GO, "utf-8")
    built = tmp_path / "ask"
    compiled = subprocess.run(["go", "build", "-o", built, tmp_path / "ask.go"], capture_output=True, check=False)
    assert compiled.returncode == 0, compiled.stderr
    assert '"host": "login.microsoftonline.com"' in said(route, str(built), LOGIN)


def test_other_hosts_are_refused_by_name_where_they_shall_be(route: Route) -> None:
    with pytest.raises(AssertionError, match="403"):
        said(route, sys.executable, "-c", PYTHON, "https://example.com/")
    assert route.proxy is not None
    assert route.proxy.refused == ["example.com"]


def test_other_hosts_are_let_through_untouched(inn: Inn, tmp_path: Path) -> None:
    """The tunnel is to a server whose certificate is its own, so nothing was opened on the way."""
    with socket.socket() as far, in_background(Detour(BOTH, inn), {}) as route:
        far.bind(("127.0.0.1", 0))
        far.listen()
        port = far.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port_of(route)), timeout=10) as near:
            near.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
            assert near.recv(100).startswith(b"HTTP/1.1 200")
            there, _ = far.accept()
            with there:
                near.sendall(b"ping")
                assert there.recv(4) == b"ping"
                there.sendall(b"pong")
                assert near.recv(4) == b"pong"


def test_a_host_that_cannot_be_reached_is_said_so(inn: Inn) -> None:
    with socket.socket() as closed, in_background(Detour(BOTH, inn), {}) as route:
        closed.bind(("127.0.0.1", 0))
        answer = told_the_proxy(route, f"CONNECT 127.0.0.1:{closed.getsockname()[1]} HTTP/1.1\r\n\r\n")
    assert answer.startswith("HTTP/1.1 502")
    assert "cannot be reached" in answer


@pytest.mark.parametrize(
    "line",
    [
        "GET http://login.microsoftonline.com/ HTTP/1.1",
        "CONNECT login.microsoftonline.com HTTP/1.1",
        "CONNECT :443 HTTP/1.1",
    ],
)
def test_the_proxy_takes_connect_with_host_and_port_alone(route: Route, line: str) -> None:
    assert told_the_proxy(route, f"{line}\r\n\r\n").startswith("HTTP/1.1 405")


def test_a_head_without_an_end_is_not_read_for_ever(route: Route) -> None:
    assert told_the_proxy(route, "CONNECT " + "a" * 40_000) == ""


def test_a_proxy_that_was_in_use_before_is_gone_by_for_others(inn: Inn) -> None:
    with in_background(Detour(BOTH, inn, others_allowed=False), {}) as before:
        told = {"https_proxy": f"http://127.0.0.1:{port_of(before)}"}
        with in_background(Detour(BOTH, inn), told) as route:
            answer = told_the_proxy(route, "CONNECT example.com:443 HTTP/1.1\r\n\r\n")
        assert before.proxy is not None
        assert before.proxy.refused == ["example.com"]
    assert answer.startswith("HTTP/1.1 502")


def test_nothing_stays_behind(inn: Inn) -> None:
    with in_background(Detour(BOTH, inn), {}) as route:
        folder, port = route.trust.authority.parent, port_of(route)
        assert sorted(path.name for path in folder.iterdir()) == ["authority.pem", "bundle.pem", "trust.p12"]
        assert not any(b"PRIVATE KEY" in path.read_bytes() for path in folder.iterdir())
    assert not folder.exists()
    with socket.socket() as door:
        assert door.connect_ex(("127.0.0.1", port)) != 0


def test_each_detour_has_an_authority_of_its_own_that_nobody_else_trusts(inn: Inn) -> None:
    with in_background(Detour(BOTH, inn), {}) as one, in_background(Detour(BOTH, inn), {}) as other:
        assert one.trust.authority.read_bytes() != other.trust.authority.read_bytes()
        with socket.create_connection(("127.0.0.1", port_of(one)), timeout=10) as near:
            near.sendall(b"CONNECT login.microsoftonline.com:443 HTTP/1.1\r\n\r\n")
            assert near.recv(100).startswith(b"HTTP/1.1 200")
            with pytest.raises(ssl.SSLCertVerificationError):
                ssl.create_default_context(cafile=str(other.trust.authority)).wrap_socket(
                    near, server_hostname="login.microsoftonline.com"
                )


@pytest.mark.parametrize(
    ("host", "taken"),
    [
        ("login.microsoftonline.com", True),
        ("LOGIN.MicrosoftOnline.com", True),
        ("graph.microsoft.com", True),
        ("cognito-idp.us-east-1.amazonaws.com", True),
        ("my-inn.auth.us-east-1.amazoncognito.com", True),
        ("sts.amazonaws.com", True),
        ("sts.eu-west-1.amazonaws.com", True),
        ("s3.amazonaws.com", False),
        ("www.microsoft.com", False),
        ("login.microsoftonline.com.evil.example", False),
        ("evil-login.microsoftonline.com", False),
        ("cognito-idp.us-east-1.amazonaws.com.", False),
        ("", False),
    ],
)
def test_which_hosts_are_taken(host: str, taken: bool) -> None:
    assert (host in BOTH) is taken


def test_only_the_clouds_that_were_asked_for_are_taken() -> None:
    assert "graph.microsoft.com" not in Taken([COGNITO])
    assert "cognito-idp.us-east-1.amazonaws.com" not in Taken([ENTRA])
    assert "graph.microsoft.com" not in Taken([])


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ("", []),
        ("internal.example,.corp.example", ["internal.example", ".corp.example"]),
        ("*", []),
        (".amazonaws.com,internal.example", ["internal.example"]),
        ("com", []),
        ("login.microsoftonline.com", []),
    ],
)
def test_what_was_reached_directly_stays_so_unless_it_would_miss_the_twin(before: str, kept: list[str]) -> None:
    told = proxied(BOTH, 1, {"NO_PROXY": before})
    assert told["NO_PROXY"].split(",") == ["localhost", "127.0.0.1", "::1", *kept]


def test_a_programs_own_aws_credentials_are_let_be(inn: Inn) -> None:
    with in_background(Detour(BOTH, inn), {"AWS_ACCESS_KEY_ID": "mine"}) as route:
        assert "AWS_ACCESS_KEY_ID" not in route.environment
    with in_background(Detour(BOTH, inn), {}) as route:
        assert "AWS_ACCESS_KEY_ID" in route.environment


def ran(detour: Detour, *command: str) -> Ended:
    return asyncio.run(run(detour, command))


def test_the_exit_code_of_the_program_is_the_exit_code(inn: Inn) -> None:
    assert ran(Detour(BOTH, inn), sys.executable, "-c", "raise SystemExit(7)").code == 7
    assert ran(Detour(BOTH, inn), "sh", "-c", "kill -9 $$").code == 137


def test_a_program_that_is_not_there_is_named(inn: Inn) -> None:
    with pytest.raises(UsageError, match="cannot run 'no-such-program': No such file"):
        ran(Detour(BOTH, inn), "no-such-program")


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can be done here")
class TestByNames:
    """For programs that take no proxy."""

    def test_the_names_mean_this_computer_for_the_command_alone(self, inn: Inn, tmp_path: Path) -> None:
        before = Path("/etc/hosts").read_bytes()
        (tmp_path / "ask.py").write_text(REQUESTS, "utf-8")
        script = f"{sys.executable} {tmp_path}/ask.py {LOGIN} > {tmp_path}/said; cp /etc/hosts {tmp_path}/hosts"
        assert (
            ran(Detour(BOTH, inn, names=[]), "env", "-u", "https_proxy", "-u", "HTTPS_PROXY", "sh", "-c", script).code
            == 0
        )
        assert '"host": "login.microsoftonline.com"' in (tmp_path / "said").read_text("utf-8")
        assert f"{ADDRESS} graph.microsoft.com" in (tmp_path / "hosts").read_text("utf-8")
        assert Path("/etc/hosts").read_bytes() == before

    def test_a_name_that_no_twin_stands_in_for_is_refused(self, inn: Inn) -> None:
        with pytest.raises(UsageError, match=r"example\.com: this is no host of a cloud"):
            ran(Detour(BOTH, inn, names=["example.com"]), "true")

    def test_a_further_host_is_in_the_table(self, inn: Inn, tmp_path: Path) -> None:
        ran(
            Detour(BOTH, inn, names=["inn.auth.eu-west-1.amazoncognito.com"]),
            "cp",
            "/etc/hosts",
            str(tmp_path / "hosts"),
        )
        assert f"{ADDRESS} inn.auth.eu-west-1.amazoncognito.com" in (tmp_path / "hosts").read_text("utf-8")


def port_of(route: Route) -> int:
    return int(route.environment["HTTPS_PROXY"].rpartition(":")[2])


def told_the_proxy(route: Route, head: str) -> str:
    """What the proxy answers to a request line, to the end."""
    with socket.create_connection(("127.0.0.1", port_of(route)), timeout=15) as near:
        near.sendall(head.encode())
        answer = b""
        try:
            while chunk := near.recv(4096):
                answer += chunk
        except ConnectionResetError:
            pass
        return answer.decode()
