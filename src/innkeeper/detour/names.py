"""For programs that take no proxy: names of the clouds that mean this computer, for one command and its children alone.

Linux gives a process a view of the file system of its own (``unshare --mount``). In that view ``/etc/hosts`` has further
lines, and everywhere else it is as it was; the view ends with the command. It needs root, for the view and for port 443.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from innkeeper.detour.hosts import Taken
from innkeeper.detour.proxy import Context, Inn, carry_both_ways, serving
from innkeeper.protocol.refusals import UsageError

ADDRESS = "127.84.0.1"
"""A loopback address that nothing else listens at."""

_HOSTS = Path("/etc/hosts")


def why_not() -> str:
    """Why names cannot be changed for one command here; "" where they can."""
    if not hasattr(os, "geteuid") or not shutil.which("unshare"):
        return "it needs Linux with the command unshare (package util-linux)"
    if os.geteuid() != 0:
        return "it needs root, for port 443 and for a file system view of its own: run it with sudo"
    return ""


def with_names(command: Sequence[str], table: Path) -> list[str]:
    """The command, run where ``table`` stands in the place of ``/etc/hosts``."""
    script = 'mount --bind "$0" /etc/hosts && exec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(table), *command]


def table_of(names: Sequence[str]) -> str:
    """``/etc/hosts`` with further lines."""
    lines = (f"{ADDRESS} {name}" for name in names)
    return _HOSTS.read_text("utf-8").rstrip("\n") + "\n" + "\n".join(lines) + "\n"


@asynccontextmanager
async def listening(taken: Taken, inn: Inn, context: Context) -> AsyncIterator[None]:
    """Inside the block, what comes over TLS to ``ADDRESS`` is handed to the inn. Raises ``UsageError``."""
    first = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        if name is None or name.lower() not in taken:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = context(name.lower())
        return None

    async def hand_over(reader: StreamReader, writer: StreamWriter) -> None:
        inn_reader, inn_writer = await asyncio.open_connection(*inn)
        try:
            await carry_both_ways(reader, writer, inn_reader, inn_writer)
        finally:
            inn_writer.close()

    first.sni_callback = choose
    try:
        door = socket.create_server((ADDRESS, 443))
    except OSError as error:
        raise UsageError(f"cannot listen on {ADDRESS}:443: {error.strerror}. --names needs that address.") from None
    async with serving(hand_over, door, first):
        yield
