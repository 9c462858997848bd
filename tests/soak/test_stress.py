"""Wake-ups under load: nothing is lost, nothing stalls, and what pends goes on although nobody waits for it."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from tests.concurrency import Call, until
from winsock2emu import kernel32, ws2_32
from winsock2emu.defs.codes import STATUS_PENDING, WAIT_TIMEOUT
from winsock2emu.defs.constants import AF_INET, INFINITE, SOCK_DGRAM, SOCK_STREAM
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.operations import OVERLAPPED, PENDING
from winsock2emu.process import Process

POSTS = 200_000
POSTERS = 4
WORKERS = 8
ROUNDS = 5_000
STOP = 1 << 40


@pytest.fixture(params=["epoll", "poll"])
def process(request: pytest.FixtureRequest) -> Iterator[Process]:
    with Process(backend=request.param).active() as process:
        ws2_32.WSAStartup(0x0202)
        yield process
        ws2_32.WSACleanup()


def work(process: Process, port: int, seed: int) -> int:
    """Take packets until told to stop: waiting for ever, for moments, or not at all, so that leaders come and go."""
    chance = random.Random(seed)
    taken = 0
    with process.active():
        while True:
            try:
                key = kernel32.GetQueuedCompletionStatus(port, chance.choice((INFINITE, 1, 0)))[1]
            except WinsockError as failure:
                if failure.winerror != WAIT_TIMEOUT:
                    raise
                continue
            if key == STOP:
                return taken
            taken += key


def post(process: Process, port: int) -> None:
    with process.active():
        for _ in range(POSTS // POSTERS):
            kernel32.PostQueuedCompletionStatus(port, 0, 1, None)


def complete(record: OVERLAPPED) -> bool:
    return record.Internal != STATUS_PENDING


def play(process: Process, mine: int, other: int, *, begins: bool) -> int:
    """Event ping-pong; an auto-reset event that is set while nobody waits must not be lost either."""
    returned = 0
    with process.active():
        if begins:
            kernel32.SetEvent(other)
        for _ in range(ROUNDS):
            returned += kernel32.WaitForSingleObject(mine, 20_000) == 0
            kernel32.SetEvent(other)
    return returned


def test_no_post_and_no_event_is_lost_while_leaders_come_and_go(process: Process) -> None:
    port = kernel32.CreateIoCompletionPort(-1, None, 0, 0)
    first, second = (kernel32.CreateEvent(False, False, False, None) for _ in range(2))
    # A request that pends makes the threads look at the host, and its completions come between the others.
    s = ws2_32.socket(AF_INET, SOCK_DGRAM, 0)
    ws2_32.bind(s, ws2_32.sockaddr_in("127.0.0.1"))
    kernel32.CreateIoCompletionPort(s, port, 1000, 0)
    name = ws2_32.getsockname(s)
    received = 0
    workers = [Call(work, process, port, seed) for seed in range(WORKERS)]
    posters = [Call(post, process, port) for _ in range(POSTERS)]
    players = [
        Call(partial(play, process, first, second, begins=True)),
        Call(partial(play, process, second, first, begins=False)),
    ]
    while any(one.running for one in (*posters, *players)):
        record = OVERLAPPED()
        assert ws2_32.WSARecvFrom(s, [bytearray(8)], 0, None, record) is PENDING
        ws2_32.sendto(s, b"x", 0, name)
        until(partial(complete, record), "the receive completes")
        received += 1
    assert [player.result() for player in players] == [ROUNDS, ROUNDS]
    for poster in posters:
        poster.result()
    for _ in workers:
        kernel32.PostQueuedCompletionStatus(port, 0, STOP, None)
    taken = sum(worker.result() for worker in workers)

    assert taken == POSTS + 1000 * received
    with pytest.raises(WinsockError, match="258"):
        kernel32.GetQueuedCompletionStatus(port, 0)


def test_pending_sends_go_on_although_no_thread_waits(process: Process) -> None:
    size = 4 << 20
    with ExitStack() as closing:
        peer = closing.enter_context(socket.socket())
        peer.bind(("127.0.0.1", 0))
        peer.listen()
        s = ws2_32.socket(AF_INET, SOCK_STREAM, 0)
        ws2_32.connect(s, ws2_32.sockaddr_in("127.0.0.1", peer.getsockname()[1]))
        other = closing.enter_context(peer.accept()[0])
        records = [OVERLAPPED() for _ in range(4)]
        data = [random.Random(index).randbytes(size) for index in range(4)]
        results = [ws2_32.WSASend(s, [part], 0, record) for part, record in zip(data, records, strict=True)]
        assert results[-1] is PENDING

        arrived = bytearray()
        other.settimeout(20)
        while len(arrived) < 4 * size:
            part = other.recv(1 << 20)  # the only thread; it never waits in the emulator
            assert part
            arrived += part

        assert arrived == b"".join(data)
        until(lambda: all(record.Internal == 0 for record in records), "all of them are complete")
        assert [record.InternalHigh for record in records] == [size] * 4
        ws2_32.closesocket(s)
