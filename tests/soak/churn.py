"""A thousand connections that echo, are cancelled, reset and closed at random, on one completion port.

Every request is followed: it has to complete exactly once, and what comes back has to be what was sent. Run it for
longer with ``python -m tests.soak.churn --seconds 120``.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import random
import struct
import threading
import time
from collections import Counter
from typing import Any

from tests.concurrency import descriptors
from winsock2emu import kernel32, ws2_32
from winsock2emu.defs.codes import (
    ERROR_ABANDONED_WAIT_0,
    ERROR_CONNECTION_ABORTED,
    ERROR_NETNAME_DELETED,
    ERROR_NOT_FOUND,
    ERROR_OPERATION_ABORTED,
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAENOTSOCK,
)
from winsock2emu.defs.constants import AF_INET, INFINITE, SO_LINGER, SOCK_STREAM, SOL_SOCKET
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.operations import OVERLAPPED, PENDING
from winsock2emu.process import Process

# What a request may end with when its connection is cancelled, reset or closed, by either end.
EXPECTED = {
    ERROR_OPERATION_ABORTED,
    ERROR_CONNECTION_ABORTED,
    ERROR_NETNAME_DELETED,
    WSAECONNRESET,
    WSAECONNABORTED,
    WSAENOTSOCK,
}
RESET = struct.pack("<HH", 1, 0)
LARGEST = 5000
DRAIN_S = 30.0


class Request(OVERLAPPED):
    """A record that knows whose it is, and whether a completion of it is due."""

    __slots__ = ("due", "end", "receives")

    def __init__(self, end: End, *, receives: bool) -> None:
        super().__init__()
        self.end = end
        self.receives = receives
        self.due = False


class End:
    """One end of a connection: at most one receive and one send at a time."""

    def __init__(self, churn: Churn, s: int, *, echoes: bool) -> None:
        self.churn = churn
        self.s = s
        self.echoes = echoes
        self.lock = threading.Lock()
        self.closed = False
        self.receive = Request(self, receives=True)
        self.send = Request(self, receives=False)
        self.buffer = bytearray(LARGEST)
        self.sent = b""
        self.returned = bytearray()

    def start_receive(self) -> None:
        """Under the lock."""
        self._start(self.receive, lambda: ws2_32.WSARecv(self.s, [self.buffer], 0, self.receive))

    def start_send(self, data: bytes) -> None:
        """Under the lock."""
        self._start(self.send, lambda: ws2_32.WSASend(self.s, [data], 0, self.send))

    def _start(self, request: Request, issue: Any) -> None:
        if self.closed:
            return
        assert not request.due
        request.due = True
        try:
            result = issue()
        except WinsockError as failure:
            request.due = False
            if failure.winerror not in EXPECTED:
                raise
            self.churn.counts[f"not started {failure.winerror}"] += 1
            self.close()
        else:
            self.churn.counts["at once" if result is not PENDING else "pended"] += 1

    def say(self, random: random.Random) -> None:
        """Under the lock: begin a round."""
        self.sent = random.randbytes(random.randint(1, LARGEST))
        self.returned.clear()
        self.start_send(self.sent)

    def close(self, *, reset: bool = False) -> None:
        """Under the lock."""
        if not self.closed:
            self.closed = True
            if reset:
                ws2_32.setsockopt(self.s, SOL_SOCKET, SO_LINGER, RESET)
            ws2_32.closesocket(self.s)

    @property
    def idle(self) -> bool:
        """Nothing will be told of it any more."""
        return self.closed and not self.receive.due and not self.send.due


class Churn:
    """The run. Threads: workers at the port, one that disturbs, and the caller, who replaces what has ended."""

    def __init__(self, *, connections: int, seconds: float, backend: str | None, seed: int, workers: int = 4) -> None:
        self.connections = connections
        self.seconds = seconds
        self.seed = seed
        self.workers = workers
        self.process = Process(backend=backend)
        self.counts: Counter[str] = Counter()
        self.failures: list[BaseException] = []
        self.ends: list[tuple[End, End]] = []
        self.over = threading.Event()
        self.port = 0

    def run(self) -> Counter[str]:
        """All of it; returns how often what has happened. Raises what went wrong."""
        with self.process.active():
            ws2_32.WSAStartup(0x0202)
            try:
                self._run()
            finally:
                ws2_32.WSACleanup()
        return self.counts

    def _run(self) -> None:
        self.port = kernel32.CreateIoCompletionPort(-1, None, 0, 0)
        listener = ws2_32.socket(AF_INET, SOCK_STREAM, 0)
        ws2_32.bind(listener, ws2_32.sockaddr_in("127.0.0.1"))
        ws2_32.listen(listener, 200)
        address = ws2_32.getsockname(listener)
        chance = random.Random(self.seed)
        self.ends = [self._connect(listener, address) for _ in range(self.connections)]
        threads = [threading.Thread(target=self._guarded, args=(self._work, seed)) for seed in range(self.workers)]
        threads.append(threading.Thread(target=self._guarded, args=(self._disturb, self.seed + 1)))
        for thread in threads:
            thread.start()
        try:
            for ends in self.ends:
                self._open(ends, chance)
            deadline = time.monotonic() + self.seconds
            while time.monotonic() < deadline and not self.failures:
                for index, ends in enumerate(self.ends):
                    if all(end.idle for end in ends):
                        self.ends[index] = self._connect(listener, address)
                        self._open(self.ends[index], chance)
                        self.counts["connections"] += 1
                time.sleep(0.002)
        finally:
            self.over.set()
            threads.pop().join()
            for end in self._all():
                with end.lock:
                    end.close()
            deadline = time.monotonic() + DRAIN_S
            while not all(end.idle for end in self._all()) and time.monotonic() < deadline and not self.failures:
                time.sleep(0.002)
            kernel32.CloseHandle(self.port)  # the workers learn of it
            for thread in threads:
                thread.join(DRAIN_S)
            ws2_32.closesocket(listener)
        if self.failures:
            raise self.failures[0]
        left = [request for end in self._all() for request in (end.receive, end.send) if request.due]
        assert not left, f"{len(left)} requests have never completed: {left[:5]}"
        assert not any(thread.is_alive() for thread in threads)

    def _all(self) -> list[End]:
        return [end for ends in self.ends for end in ends]

    def _connect(self, listener: int, address: bytes) -> tuple[End, End]:
        client = ws2_32.socket(AF_INET, SOCK_STREAM, 0)
        ws2_32.connect(client, address)
        server = ws2_32.accept(listener)[0]
        for s in (client, server):
            kernel32.CreateIoCompletionPort(s, self.port, s, 0)
        return End(self, client, echoes=False), End(self, server, echoes=True)

    def _open(self, ends: tuple[End, End], chance: random.Random) -> None:
        client, server = ends
        with server.lock:
            server.start_receive()
        with client.lock:
            client.start_receive()
            client.say(chance)

    def _guarded(self, body: Any, seed: int) -> None:
        with self.process.active():
            try:
                body(random.Random(seed))
            except BaseException as failure:
                self.failures.append(failure)
                self.over.set()

    def _work(self, chance: random.Random) -> None:
        while True:
            error = 0
            try:
                moved, _, request = kernel32.GetQueuedCompletionStatus(self.port, INFINITE)
            except WinsockError as failure:
                if failure.packet is None:
                    if failure.winerror != ERROR_ABANDONED_WAIT_0:
                        raise
                    return
                error = failure.winerror
                moved, _, request = failure.packet
            end = request.end
            with end.lock:
                assert request.due, "a request has completed twice"
                request.due = False
                self.counts["completed"] += 1
                self._go_on(end, request, moved, error, chance)

    def _go_on(self, end: End, request: Request, moved: int, error: int, chance: random.Random) -> None:
        """Under the end's lock."""
        if error:
            assert error in EXPECTED, error
            self.counts[f"failed {error}"] += 1
            if error == ERROR_OPERATION_ABORTED and request.receives:
                end.start_receive()  # cancelled, or closed: nothing is lost
            else:
                end.close()
        elif not request.receives:
            return
        elif not moved:
            end.close()
        elif end.echoes:
            if end.send.due:
                # The one before is on its way still: a client waits for its whole echo, so this one's was cancelled.
                end.close()
                return
            end.start_send(bytes(end.buffer[:moved]))
            end.start_receive()
        else:
            end.returned += end.buffer[:moved]
            assert end.sent.startswith(end.returned), "other bytes have come back than were sent"
            if len(end.returned) == len(end.sent):
                self.counts["echoes"] += 1
                if not end.send.due:
                    end.say(chance)
                else:
                    end.close()
                    return
            end.start_receive()

    def _disturb(self, chance: random.Random) -> None:
        while not self.over.wait(0.0005):
            end = chance.choice(chance.choice(self.ends))
            what = chance.random()
            with end.lock:
                if end.closed:
                    continue
                if what < 0.6:
                    request = chance.choice((end.receive, None))
                    try:
                        kernel32.CancelIoEx(end.s, request)
                        self.counts["cancelled"] += 1
                    except WinsockError as failure:
                        if failure.winerror != ERROR_NOT_FOUND:
                            raise
                elif what < 0.8:
                    end.close(reset=True)
                    self.counts["reset"] += 1
                else:
                    end.close()
                    self.counts["closed"] += 1


def requests_alive() -> int:
    """Request objects that something still refers to."""
    gc.collect()
    return sum(type(thing) is Request for thing in gc.get_objects())


def objects_alive() -> int:
    """What the collector knows, without the addresses of peers, of which the package keeps the last few thousand."""
    gc.collect()
    return sum(type(thing) is not SockAddr for thing in gc.get_objects())


def soak(*, connections: int, seconds: float, backend: str | None, seed: int) -> Counter[str]:
    """A run of which nothing is left: no thread, no descriptor, no request, and no memory that grows.

    The first tenth of the time is for what is made once.
    """
    Churn(connections=min(connections, 50), seconds=seconds / 10, backend=backend, seed=seed).run()
    gc.collect()
    before = descriptors(), threading.active_count(), objects_alive()
    counts = Churn(connections=connections, seconds=seconds, backend=backend, seed=seed).run()
    assert requests_alive() == 0
    assert descriptors() <= before[0]
    assert threading.active_count() <= before[1]
    grown = objects_alive() - before[2]
    assert grown < connections, f"{grown} objects are left"
    return counts


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--backend")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    faulthandler.dump_traceback_later(given.seconds + 60, exit=True)
    counts = soak(connections=given.connections, seconds=given.seconds, backend=given.backend, seed=given.seed)
    for what, count in sorted(counts.items()):
        print(f"{count:10} {what}")


if __name__ == "__main__":
    main()
