"""The front door of the command line: quick help, one clear line for every failure, and its exit code."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from innkeeper.cli import COMMANDS, RUN, Command, loaded, main


@pytest.fixture(autouse=True)
def _no_debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INNKEEPER_DEBUG", raising=False)
    monkeypatch.setitem(COMMANDS[RUN], "break", Command("tests.cli.breaking", "Fail"))


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ("fine", 0, ""),
        ("no", 1, ""),
        ("exit", 7, ""),
        ("usage", 2, "innkeeper break: port 99999: must be under 65536\n"),
        ("refused", 1, "innkeeper break: no token is kept [IK630]\n  Run innkeeper login, or call login().\n"),
        ("unreachable", 3, "innkeeper break: the issuer is down\n"),
        ("missing", 2, "innkeeper break: uvicorn is not installed; pip install 'innkeeper[server]' brings it\n"),
        ("missing-rich", 2, "innkeeper break: rich is not installed; pip install 'innkeeper[cli]' brings it\n"),
        ("abort", 130, "innkeeper break: interrupted\n"),
        ("interrupt", 130, ""),
    ],
)
def test_every_ending_has_its_exit_code_and_at_most_a_line_with_its_remedy(
    how: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["break", how]) == code
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize("how", ["bug", "missing-ours"])
def test_a_mistake_of_ours_is_owned_in_one_line(how: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["break", how]) == 70
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "mistake in innkeeper" in said
    assert "Traceback" not in said


def test_who_debugs_sees_the_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INNKEEPER_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["break", "bug"])


def test_help_loads_nothing_that_is_slow() -> None:
    program = (
        "import sys; from innkeeper.cli import main; main(['--help']);"
        "print(sorted({'typer', 'rich', 'msgspec', 'httpx2', 'cryptography', 'asyncio'} & sys.modules.keys()))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_every_command_is_in_the_help_with_a_few_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    for group in COMMANDS.values():
        for name, command in group.items():
            assert re.search(rf"^  {name} +{re.escape(command.help)}$", shown, re.MULTILINE)
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("name", [name for group in COMMANDS.values() for name in group])
def test_every_command_loads_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: innkeeper {name} ")
    assert "╭" not in shown


def test_a_server_part_that_is_missing_is_named_with_what_brings_it() -> None:
    program = "import sys; sys.modules['uvicorn'] = None; from innkeeper.cli import main; sys.exit(main(['up']))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "innkeeper up: uvicorn is not installed; pip install 'innkeeper[server]' brings it\n"


def test_tokens_can_be_had_and_read_without_the_server_parts() -> None:
    servers = ("uvicorn", "starlette", "jinja2", "argon2", "structlog")
    for name in ("token", "login", "logout", "explain"):
        program = (
            f"import sys; sys.modules.update(dict.fromkeys({servers}));"
            f"from innkeeper.cli import main; sys.exit(main([{name!r}, '--help']))"
        )
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, ""), name


def test_groups_of_commands_alone_show_their_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["client"]) == 0
    assert capsys.readouterr().out.startswith("Usage: innkeeper client ")


def test_a_loaded_command_is_named_after_its_word() -> None:
    assert loaded("break", COMMANDS[RUN]["break"]).name == "break"


def test_ctrl_c_while_waiting_for_the_browser_ends_it_cleanly(tmp_path: Path) -> None:
    """The wait is over at once, with the exit code of an interruption and not a word of Python."""
    program = """
import sys, innkeeper.client.browser as browser
from innkeeper.client.discovery import Metadata
def found(issuer):
    return Metadata(issuer, issuer + "/token", issuer + "/authorize", code_challenge_methods_supported=("S256",))
    yield
browser.discover = found
from innkeeper.cli import main
sys.exit(main(["login", "--issuer", "http://127.0.0.1:9", "--client-id", "x", "--no-browser"]))
"""
    environment = os.environ | {"INNKEEPER_TOKENS": str(tmp_path)}
    waiting = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, env=environment)
    assert waiting.stderr
    while "Waiting here" not in waiting.stderr.readline():
        assert waiting.poll() is None
    waiting.send_signal(signal.SIGINT)
    said = waiting.stderr.read()
    waiting.stderr.close()
    assert waiting.wait(timeout=10) == 130
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def in_a_terminal(arguments: list[str], environment: dict[str, str]) -> str:
    """What a command shows where standard output is a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "innkeeper.cli", *arguments]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # the terminal was hung up: the command has ended
        pass
    finally:
        os.close(ours)
        process.wait(timeout=10)
    return shown.decode()


@pytest.mark.parametrize("arguments", [["--help"], ["explain", "e30.e30.AAAA"]])
def test_colour_is_for_terminals_whose_owner_wants_it(arguments: list[str]) -> None:
    plain = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    wanted = plain | {"TERM": "xterm-256color", "COLUMNS": "80"}
    assert "\x1b[1m" in in_a_terminal(arguments, wanted)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", in_a_terminal(arguments, wanted | {"NO_COLOR": "1"}))
    piped = subprocess.run(
        [sys.executable, "-m", "innkeeper.cli", *arguments], capture_output=True, text=True, env=wanted, check=False
    )
    assert "\x1b" not in piped.stdout
