"""Several worker processes on one address: started, watched, replaced one by one, and stopped within a bound.

Each worker has a place with a socket of its own (SO_REUSEPORT), which the parent keeps open: the system deals new
connections out evenly, and those that wait at a worker's socket while it dies are its successor's. The parent serves
nothing and opens no database.

- SIGTERM, SIGINT: every worker is told the same, finishes its requests and goes; ``STOP_WITHIN`` seconds after it should have
  left it is made to.
- SIGHUP: every worker is replaced, the new one ready before the old one goes; settings and certificates are read anew.
- A worker that dies is replaced, later and later where it keeps dying. One that cannot start at all ends the whole.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from innkeeper.cli.serving import Tether, bind, listen
from innkeeper.protocol.refusals import UsageError

STOP_WITHIN = 10.0
"""Seconds that workers are given to finish the requests under way."""

_HEALTHY = 10.0
"""Seconds after which a worker that dies is not one that keeps dying."""
_LONGEST_WAIT = 30.0

Work = Callable[[socket.socket, Tether], int]
"""What a worker does with its socket, until it is told to stop; its exit code."""


def sockets(host: str, port: int, count: int) -> list[socket.socket]:
    """As many listening sockets on one address. Raises ``UsageError`` where it is taken, or there is no such thing."""
    if not hasattr(os, "fork") or not hasattr(socket, "SO_REUSEPORT"):
        raise UsageError("several workers need fork and SO_REUSEPORT, which this system lacks. Leave --workers out.")
    listen(host, port).close()  # a port that another program shares would be taken without a word
    first = bind(host, port, shared=True)
    port = first.getsockname()[1]
    return [first, *(bind(host, port, shared=True) for _ in range(count - 1))]


class Workers:
    """The parent. ``run`` returns the exit code once everybody is gone. ``leave`` is how long a worker goes on answering
    after SIGTERM."""

    def __init__(self, places: list[socket.socket], work: Work, leave: float = 0.0) -> None:
        self._stop_within = leave + STOP_WITHIN
        self._places = [_Place(one) for one in places]
        self._work = work
        self._selector = selectors.DefaultSelector()
        self._tether, self._held = os.pipe()
        self._signalled: set[int] = set()
        self._stopping = False
        self._replace: list[_Place] = []
        self._code = 0

    def run(self) -> int:
        with self._signals():
            self._start(self._places[0])  # the others once it is ready: it may have to make tables and keys
            while any(place.processes for place in self._places) or not self._stopping:
                self._wait()
                self._obey()
                self._reap()
                self._start_who_is_due()
                self._replace_next()
        return self._code

    @contextmanager
    def _signals(self) -> Iterator[None]:
        wake, written = socket.socketpair()
        wake.setblocking(False)
        written.setblocking(False)
        self._selector.register(wake, selectors.EVENT_READ, wake)
        before = signal.set_wakeup_fd(written.fileno())
        handled = {one: signal.signal(one, self._heard) for one in _SIGNALS}
        try:
            yield
        finally:
            for one, handler in handled.items():
                signal.signal(one, handler)
            signal.set_wakeup_fd(before)
            wake.close()
            written.close()

    def _heard(self, number: int, _: FrameType | None) -> None:
        """Only take note: a signal may come in the middle of anything."""
        self._signalled.add(number)

    def _obey(self) -> None:
        told, self._signalled = self._signalled, set()
        if signal.SIGHUP in told:
            self._replace = [place for place in self._places if place.processes]
        for number in told & {signal.SIGTERM, signal.SIGINT}:
            self._stop(number)

    def _stop(self, number: int = signal.SIGINT) -> None:
        """Tell every worker to go. A second signal is passed on, too: who was to leave in peace then goes at once."""
        self._stopping = True
        deadline = time.monotonic() + self._stop_within
        for place in self._places:
            for one in place.processes.values():
                one.stop(number, deadline)

    def _start(self, place: _Place) -> None:
        read, write = os.pipe()
        sys.stderr.flush()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # none gets lost between two who handle it
        process = os.fork()
        if process == 0:
            os._exit(self._be_worker(place, Tether(self._tether, write), read))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(write)
        place.due, place.was_started = None, True
        place.processes[process] = one = _Process(process, read, time.monotonic())
        self._selector.register(read, selectors.EVENT_READ, one)

    def _be_worker(self, place: _Place, tether: Tether, read: int) -> int:
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN if number == signal.SIGHUP else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        self._selector.close()
        os.close(self._held)
        os.close(read)
        for other in self._places:
            if other is not place:
                other.socket.close()
        try:
            return self._work(place.socket, tether)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()

    def _wait(self) -> None:
        deadlines = [one.kill_at for place in self._places for one in place.processes.values() if one.kill_at]
        deadlines += [place.due for place in self._places if place.due and not self._stopping]
        timeout = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, _Process):
                self._told(key.data)
            else:
                with suppress(BlockingIOError):
                    key.data.recv(4096)
        for place in self._places:
            for one in place.processes.values():
                one.kill_if_late()

    def _told(self, one: _Process) -> None:
        one.ready = bool(os.read(one.pipe, 1))
        self._selector.unregister(one.pipe)
        os.close(one.pipe)

    def _reap(self) -> None:
        for place in self._places:
            for process, one in list(place.processes.items()):
                gone, status = os.waitpid(process, os.WNOHANG)
                if gone:
                    del place.processes[process]
                    self._mourn(place, one, os.waitstatus_to_exitcode(status))

    def _mourn(self, place: _Place, one: _Process, code: int) -> None:
        """What becomes of a place whose worker is gone: nothing where it was told to go, else a new one."""
        if self._stopping or one.kill_at:
            return
        if place.processes:
            print(f"innkeeper serve: new worker {one.process} {_end(code)}; the old one stays", file=sys.stderr)
            return
        if code > 0 and not one.ready and not place.was_ready:
            self._code = self._code or code
            self._stop()
            return
        lived = time.monotonic() - one.since
        place.failures = 0 if lived >= _HEALTHY else place.failures + 1
        wait = min(_LONGEST_WAIT, 0.5 * 2 ** (place.failures - 1)) if place.failures > 1 else 0.0
        place.due = time.monotonic() + wait
        print(f"innkeeper serve: worker {one.process} {_end(code)}; a new one in {wait:g} s", file=sys.stderr)

    def _start_who_is_due(self) -> None:
        for place in self._places:
            if not place.was_ready and any(one.ready for one in place.processes.values()):
                place.was_ready = True
                self._let_others_start()
            if place.due is not None and place.due <= time.monotonic() and not self._stopping:
                self._start(place)

    def _let_others_start(self) -> None:
        for place in self._places:
            if not place.was_started and not self._stopping:
                self._start(place)

    def _replace_next(self) -> None:
        """One place at a time: start the new worker, and once it is ready, tell the old one to go."""
        if self._stopping or not self._replace:
            return
        place = self._replace[0]
        olds = [one for one in place.processes.values() if not one.kill_at]
        if len(olds) == 1 and not place.renewing:
            place.renewing = True
            self._start(place)
        elif len(olds) > 1 and olds[-1].ready:
            for old in olds[:-1]:
                old.stop(signal.SIGINT, time.monotonic() + STOP_WITHIN)  # at once: the node itself does not leave
        elif len(olds) == 1 and place.renewing:
            place.renewing = False
            self._replace.pop(0)
            self._replace_next()


class _Process:
    """A worker as its parent sees it."""

    def __init__(self, process: int, pipe: int, since: float) -> None:
        self.process = process
        self.pipe = pipe
        self.since = since
        self.ready = False
        self.kill_at: float | None = None

    def stop(self, number: int, deadline: float) -> None:
        self.kill_at = min(self.kill_at or deadline, deadline)
        with suppress(ProcessLookupError):
            os.kill(self.process, number)

    def kill_if_late(self) -> None:
        if self.kill_at and time.monotonic() >= self.kill_at:
            with suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGKILL)


class _Place:
    """A worker's place: its socket, who sits there, and when the next one is due where nobody does."""

    def __init__(self, listening: socket.socket) -> None:
        self.socket = listening
        self.processes: dict[int, _Process] = {}
        self.due: float | None = None
        self.failures = 0
        self.was_started = False
        self.was_ready = False
        self.renewing = False


def _end(code: int) -> str:
    return f"ended with code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"


_SIGNALS = tuple(getattr(signal, one) for one in ("SIGTERM", "SIGINT", "SIGHUP", "SIGCHLD") if hasattr(signal, one))
