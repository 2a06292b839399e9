"""A whole answer leaves in one piece, whatever it consists of, and none of it is lost when the connection closes."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn

from innkeeper.issuer.desk.matter import concerns
from innkeeper.issuer.dialects.layout import Endpoint
from innkeeper.issuer.http.connection import Connection
from innkeeper.issuer.http.site import Site
from innkeeper.issuer.witness.audit import lines, open_chain, verify
from innkeeper.issuer.witness.witness import Witness
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.tokens.trail import made_of
from tests.issuer.witness.disk import full_disk

Send = Callable[[dict[str, Any]], Awaitable[None]]


async def app(scope: dict[str, Any], receive: Any, send: Send) -> None:
    """Answers in as many pieces as the path says, 40 KB each; ``/0`` without a body."""
    pieces = int(scope["path"][1:])
    length = (b"content-length", str(pieces * 40_000).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    for left in reversed(range(pieces)):
        await send({"type": "http.response.body", "body": b"x" * 40_000, "more_body": left > 0})
    if not pieces:
        await send({"type": "http.response.body", "body": b""})


async def asked(requests: bytes) -> bytes:
    """All that comes back over one connection until the server closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, lifespan="off", http=Connection, ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([listening]))
        try:
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(requests)
            answer = await reader.read()
            writer.close()
            return answer
        finally:
            server.should_exit = True
            await serving


def get(path: str, connection: str = "close") -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: inn\r\nconnection: {connection}\r\n\r\n".encode()


@pytest.mark.parametrize("pieces", [0, 1, 3, 60])
def test_every_piece_arrives_before_the_connection_closes(pieces: int) -> None:
    head, _, body = asyncio.run(asked(get(f"/{pieces}"))).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b"x" * (pieces * 40_000)


def test_answers_to_requests_that_came_together_keep_their_order() -> None:
    answer = asyncio.run(asked(get("/1", "keep-alive") + get("/0", "keep-alive") + get("/2")))
    assert [part.partition(b"\r\n\r\n")[2].count(b"x") for part in answer.split(b"HTTP/1.1 200")[1:]] == [
        40_000,
        0,
        80_000,
    ]


def test_head_and_body_are_written_at_once() -> None:
    written, arrived = list[bytes](), asyncio.Event()

    class Transport(asyncio.Transport):
        def write(self, data: Any) -> None:
            written.append(bytes(data))
            arrived.set()

        def is_closing(self) -> bool:
            return False

        def pause_reading(self) -> None:
            return

        def resume_reading(self) -> None:
            return

    async def answer() -> None:
        config = uvicorn.Config(app, log_config=None, http=Connection, ws="none")
        config.load()
        connection = Connection(config, uvicorn.server.ServerState(), {})
        connection.connection_made(Transport())
        connection.data_received(get("/1", "keep-alive"))
        await arrived.wait()
        connection._unset_keepalive_if_required()

    asyncio.run(answer())
    assert len(written) == 1
    assert written[0].endswith(b"x" * 40_000)


# Answers that are there already


class _Wire(asyncio.Transport):
    """What a connection writes to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        return

    def resume_reading(self) -> None:
        return


class _Direct:
    """An application whose site is open to the short way."""

    def __init__(self, site: Site) -> None:
        self.direct = site

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.direct(scope, receive, send)


def told_at_once(handler: Callable[[Request], Awaitable[Reply]], *requests: bytes) -> _Wire:
    """What was written when the last byte of the requests had been read, before the loop turned."""

    async def answer() -> _Wire:
        site = Site({"/keys": Endpoint(handler, frozenset({"GET"}), cors=True, at_once=True)})
        config = uvicorn.Config(_Direct(site), log_config=None, http=Connection, ws="none")
        config.load()
        connection, wire = Connection(config, uvicorn.server.ServerState(), {}), _Wire()
        connection.connection_made(wire)
        try:
            connection.data_received(b"".join(requests))
        finally:
            connection._unset_keepalive_if_required()
        assert not connection.tasks
        return wire

    return asyncio.run(answer())


async def keys(_: Request) -> Reply:
    return Reply(200, (("content-type", "application/json"),), b"{}")


def test_an_answer_that_is_there_is_written_before_the_loop_turns() -> None:
    wire = told_at_once(keys, get("/keys", "keep-alive"), get("/keys", "keep-alive"))
    assert wire.written.count(b"HTTP/1.1 200") == wire.written.count(b"access-control-allow-origin: *") == 2
    assert not wire.closed
    assert told_at_once(keys, get("/keys")).closed


def test_nobody_gets_an_answer_of_before_it_changed() -> None:
    answers = [Reply(200, (), b"{}"), Reply(200, (), b"{}"), Reply(200, (), b"[]")]
    turn = iter([answers[0], answers[0], answers[1], answers[2], answers[0]])

    async def changing(_: Request) -> Reply:
        return next(turn)

    wire = told_at_once(changing, *[get("/keys", "keep-alive")] * 4, get("/keys"))
    bodies = [part.partition(b"\r\n\r\n")[2] for part in wire.written.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [b"{}", b"{}", b"{}", b"[]", b"{}"]
    assert wire.written.count(b"connection: close") == 1
    assert wire.closed


def test_one_who_says_so_and_waits_is_caught(caplog: pytest.LogCaptureFixture) -> None:
    async def waits(_: Request) -> Reply:
        await asyncio.sleep(0)
        return Reply(200)

    wire = told_at_once(waits, get("/keys", "keep-alive"))
    assert (wire.written, wire.closed) == (b"", True)
    assert "waited for something" in caplog.text


# Answers of a crowd


@pytest.mark.parametrize("callers", [1, 3, 4, 40])
def test_answers_of_a_crowd_leave_together_and_whole_and_each_ones_in_their_order(callers: int) -> None:
    finished = list[bool]()

    async def asked() -> list[_Wire]:
        wires = [_Wire() for _ in range(callers)]

        async def handler(request: Request) -> Reply:
            await asyncio.sleep(0)
            finished.append(any(wire.written for wire in wires))
            return Reply(200, (), f"[{request.query}]".encode())

        config = uvicorn.Config(
            _Direct(Site({"/token": Endpoint(handler, frozenset({"GET"}))})),
            log_config=None,
            http=Connection,
            ws="none",
        )
        config.load()
        state = uvicorn.server.ServerState()
        for number, wire in enumerate(wires):
            connection = Connection(config, state, {})
            connection.connection_made(wire)
            asks = [get(f"/token?{number}-{turn}", "keep-alive") for turn in range(3)]
            connection.data_received(b"".join(asks) + get(f"/token?{number}-last"))
        while state.tasks:
            await asyncio.gather(*state.tasks)
            await asyncio.sleep(0)
        return wires

    for number, wire in enumerate(asyncio.run(asked())):
        bodies = [part.partition(b"\r\n\r\n")[2] for part in wire.written.split(b"HTTP/1.1 200 OK\r\n")[1:]]
        assert bodies == [f"[{number}-{turn}]".encode() for turn in (0, 1, 2, "last")]
        assert wire.closed
    assert any(finished[:callers]) is (1 < callers < 4), (
        "from four on, none leaves before the last of its turn is there"
    )


# Answers and their lines in the audit log


class _Booked:
    """Connections to a site that keeps books, and callers that all ask at once."""

    def __init__(self, folder: Path, wires: Sequence[_Wire]) -> None:
        self.chain = open_chain(folder, "serve", 1, 1 << 30)
        self._witness = Witness(lambda: 1, chain=self.chain, logs=False)
        self.wires = wires

    async def _gives(self, request: Request) -> Reply:
        await asyncio.sleep(0)
        concerns("native", client=request.query)
        self._witness.observe(made_of("token", ()))
        return Reply(200, (), f"[{request.query}]".encode())

    async def asked(self, *, servers: int = 1, lost: Collection[int] = (), slow: Collection[int] = ()) -> list[str]:
        """All ask, at some servers of the house in turn. Those ``lost`` go before they are answered, those that are ``slow``
        take nothing until all are answered who can be: what is booked by then comes back."""
        site = Site({"/token": Endpoint(self._gives, frozenset({"GET"}), cors=True)}, witness=self._witness)
        config = uvicorn.Config(_Direct(site), log_config=None, http=Connection, ws="none")
        config.load()
        states = [uvicorn.server.ServerState() for _ in range(servers)]
        connections = [Connection(config, states[number % servers], {}) for number in range(len(self.wires))]
        for number, (connection, wire) in enumerate(zip(connections, self.wires, strict=True)):
            connection.connection_made(wire)
            connection.data_received(get(f"/token?{number}", "keep-alive"))
            connection._unset_keepalive_if_required()
            if number in lost:
                connection.connection_lost(ConnectionResetError())
            if number in slow:
                connection.flow.pause_writing()
        for _ in range(9):
            await asyncio.sleep(0)
        meanwhile = self.booked()
        for number in slow:
            assert not self.wires[number].written
            connections[number].flow.resume_writing()
        while tasks := [task for state in states for task in state.tasks]:
            await asyncio.gather(*tasks)
        await asyncio.sleep(0)
        return meanwhile

    def booked(self) -> list[str]:
        return [one["client"] for one in lines([self.chain.path]) if "client" in one]


class _Watchful(_Wire):
    """A wire on which nothing leaves that is not in the books."""

    def __init__(self, number: int, booked: Callable[[], list[str]]) -> None:
        super().__init__()
        self._number, self._booked = number, booked

    def write(self, data: Any) -> None:
        super().write(data)
        assert str(self._number) in self._booked()


@pytest.mark.parametrize("callers", [1, 3, 4, 40])
def test_no_answer_leaves_before_its_line_and_the_lines_of_a_crowd_are_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, callers: int
) -> None:
    writes, write = list[int](), os.write
    monkeypatch.setattr(os, "write", lambda to, data: (writes.append(to), write(to, data))[1])
    wires = list[_Wire]()
    house = _Booked(tmp_path, wires)
    wires += [_Watchful(number, house.booked) for number in range(callers)]
    before = len(writes)
    asyncio.run(house.asked())
    assert [wire.written.rpartition(b"\r\n\r\n")[2] for wire in wires] == [b"[%d]" % one for one in range(callers)]
    assert house.booked() == [str(number) for number in range(callers)]
    assert writes[before:].count(house.chain._descriptor) == (callers if callers < 4 else 1)
    assert not caplog.text


@pytest.mark.parametrize(("callers", "servers"), [(1, 1), (40, 1), (40, 2), (40, 12)])
def test_where_the_books_take_no_more_nobody_of_a_crowd_gets_anything(
    tmp_path: Path, callers: int, servers: int
) -> None:
    house = _Booked(tmp_path, [_Wire() for _ in range(callers)])
    with full_disk(house.chain):
        asyncio.run(house.asked(servers=servers))
    for wire in house.wires:
        head, _, body = wire.written.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 2" in head
        assert b"\r\naccess-control-allow-origin: *" in head
        assert body == b'{"error":"temporarily_unavailable"}'
    assert house.booked() == []
    asyncio.run(house.asked())
    assert all(wire.written.endswith(b"]") for wire in house.wires)
    assert verify("serve-1", [house.chain.path]).problem == ""


@pytest.mark.parametrize(("callers", "lost"), [(1, {0}), (6, {0, 5}), (6, {0, 1, 2, 3, 4, 5})])
def test_what_was_decided_is_in_the_books_though_who_asked_is_gone(
    tmp_path: Path, callers: int, lost: set[int]
) -> None:
    house = _Booked(tmp_path, [_Wire() for _ in range(callers)])
    asyncio.run(house.asked(lost=lost))
    assert house.booked() == [str(number) for number in range(callers)]
    assert {number for number, wire in enumerate(house.wires) if not wire.written} == lost


@pytest.mark.parametrize(("callers", "slow"), [(1, {0}), (6, {2}), (6, {0, 1, 2, 3, 4, 5})])
def test_what_was_decided_is_in_the_books_before_a_slow_caller_takes_it(
    tmp_path: Path, callers: int, slow: set[int]
) -> None:
    house = _Booked(tmp_path, [_Wire() for _ in range(callers)])
    assert asyncio.run(house.asked(slow=slow)) == [str(number) for number in range(callers)]
    assert all(wire.written.endswith(b"[%d]" % number) for number, wire in enumerate(house.wires))


def test_trouble_of_one_connection_is_nobody_elses(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(_Wire):
        def write(self, data: Any) -> None:
            raise RuntimeError("the handler is closed")

    house = _Booked(tmp_path, [_Wire(), Broken(), *[_Wire() for _ in range(4)]])
    asyncio.run(house.asked())
    assert [bool(wire.written) for wire in house.wires] == [True, False, True, True, True, True]
    assert "an answer could not be sent" in caplog.text


# Connections on which nothing comes


class _Clock:
    """A loop's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[_Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> _Timer:
        timer = _Timer(self.now + delay, call)
        self.timers.append(timer)
        return timer

    def passes(self, seconds: float) -> None:
        end = self.now + seconds
        while due := sorted((one for one in self.timers if one.at <= end), key=lambda one: one.at):
            self.timers.remove(due[0])
            self.now = due[0].at
            due[0].fire()
        self.now = end


class _Timer:
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self._call, self._cancelled = at, call, False

    def cancel(self) -> None:
        self._cancelled = True

    def fire(self) -> None:
        if not self._cancelled:
            self._call()


KEPT = 30


class _Kept:
    """A connection with a clock of its own, kept for ``KEPT`` seconds."""

    def __init__(self) -> None:
        site = Site({"/keys": Endpoint(keys, frozenset({"GET"}), at_once=True)})
        config = uvicorn.Config(
            _Direct(site), log_config=None, http=Connection, ws="none", timeout_keep_alive=KEPT, lifespan="off"
        )
        config.load()
        self.clock, self.wire = _Clock(), _Wire()
        self.connection = Connection(config, uvicorn.server.ServerState(), {}, _loop=cast("Any", self.clock))
        self.connection.connection_made(self.wire)

    def asks(self, data: bytes | None = None) -> None:
        self.connection.data_received(get("/keys", "keep-alive") if data is None else data)


def test_a_connection_is_closed_once_nothing_came_for_as_long_as_it_is_kept() -> None:
    one = _Kept()
    one.asks()
    one.clock.passes(KEPT - 1)
    assert not one.wire.closed
    one.clock.passes(1)
    assert one.wire.closed
    assert not one.clock.timers


def test_one_that_is_used_now_and_then_stays_and_takes_a_single_timer() -> None:
    one = _Kept()
    for _ in range(10):
        one.asks()
        one.clock.passes(KEPT - 1)
        assert len(one.clock.timers) == 1
        assert not one.wire.closed
    one.clock.passes(KEPT)
    assert one.wire.closed


def test_one_in_the_middle_of_a_request_is_not_taken_for_idle() -> None:
    one, request = _Kept(), get("/keys", "keep-alive")
    one.asks()
    one.asks(request[:10])
    one.clock.passes(10 * KEPT)
    assert not one.wire.closed
    one.asks(request[10:])
    assert one.wire.written.count(b"HTTP/1.1 200") == 2
    one.clock.passes(2 * KEPT)
    assert one.wire.closed


def test_one_that_is_lost_leaves_no_timer_that_does_anything() -> None:
    one = _Kept()
    one.asks()
    one.connection.connection_lost(ConnectionResetError())
    one.clock.passes(10 * KEPT)
    assert not one.wire.closed
