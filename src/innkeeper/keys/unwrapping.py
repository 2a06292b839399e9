"""Where the master key comes from: a file, the environment, or a command that asks a key service (a KMS, a vault) for it.

It is unwrapped once, when a process opens its state, and stays in that process. A command is run without a shell; what it prints
is the key and nothing else, and is never shown, in errors neither.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import UsageError

PATIENCE = 30
"""Seconds that a command is given."""
_LENGTH = 32
_LINE = 300


def unwrapped(source: str, environment: Mapping[str, str] = os.environ) -> bytes:
    """The master key that ``source`` leads to: ``file:PATH``, ``env:NAME`` or ``command:PROGRAM ARGUMENTS``.

    It is 32 bytes in base64, of either alphabet. Raises ``UsageError``.
    """
    kind, colon, rest = source.partition(":")
    if kind not in _WAYS or not colon or not rest.strip():
        raise UsageError(f"keys.master {source!r}: write file:PATH, env:NAME or command:PROGRAM ARGUMENTS")
    return _decoded(_WAYS[kind](rest.strip(), environment), f"keys.master, {kind}:{rest.strip()}")


def _from_file(path: str, _: Mapping[str, str]) -> str:
    try:
        return Path(path).read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"keys.master: cannot read {path}: {getattr(error, 'strerror', 'it is no text')}") from None


def _from_environment(name: str, environment: Mapping[str, str]) -> str:
    if not environment.get(name):
        raise UsageError(f"keys.master: the environment has no {name}")
    return environment[name]


def _from_command(line: str, environment: Mapping[str, str]) -> str:
    words = _words(line)
    try:
        ran = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
            words, env=dict(environment), capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except OSError as error:
        raise UsageError(f"keys.master: cannot run {words[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"keys.master: {words[0]} did not answer within {PATIENCE} seconds") from None
    if ran.returncode != 0:
        said = " ".join(ran.stderr.split())[-_LINE:]
        raise UsageError(f"keys.master: {words[0]} ended with code {ran.returncode}: {said or 'it said nothing'}")
    return ran.stdout


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"keys.master: the command cannot be read: {error}") from None


_WAYS = {"file": _from_file, "env": _from_environment, "command": _from_command}


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64url.decode(text.strip().rstrip("=").translate(_TO_URL))
    except base64url.NotBase64Url:
        key = b""
    if len(key) != _LENGTH:
        raise UsageError(f"{where}: it holds no base64 of {_LENGTH} bytes, which a master key is")
    return key


_TO_URL = str.maketrans("+/", "-_")
