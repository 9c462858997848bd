"""Waiting for a change of the host's network: where the news comes from, and requests that wait for it."""

from __future__ import annotations

import _socket
import gc
import select
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.concurrency import Call, descriptors, until
from tests.providers.host.networks import MadeUpNews, in_own_network
from winsock2emu.defs.codes import WSA_OPERATION_ABORTED, WSAEINTR, WSAENOBUFS
from winsock2emu.engine.endpoint import Endpoint
from winsock2emu.engine.pump import Pump
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.operations import PENDING, Operation
from winsock2emu.providers.host import changes
from winsock2emu.providers.host.changes import ChangeWait, ChangeWaits, NetlinkNews, TickingNews, open_source

HANDLE, KIND = 7, "anything"


def ready(fileno: int, seconds: float = 20) -> bool:
    return bool(select.select([fileno], [], [], seconds)[0])


# Sources


def test_a_quiet_network_has_no_news() -> None:
    source = open_source()
    try:
        source.clear()
        before = source.news
        source.clear()
        assert source.news == before
    finally:
        source.close()
        source.close()


def test_linux_tells_of_addresses_routes_and_links() -> None:
    """What the two control codes are about makes the descriptor readable, and is counted when it is taken."""
    printed = in_own_network(
        """
        import fcntl, select, socket, struct
        from winsock2emu.providers.host.changes import NetlinkNews, open_source

        source = open_source()
        assert isinstance(source, NetlinkNews)
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for what in ("up", "address"):
            before = source.news
            if what == "up":
                fcntl.ioctl(probe, 0x8914, struct.pack("16sH14x8x", b"lo", 1))  # SIOCSIFFLAGS
            else:
                address = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton("10.9.8.7"))
                fcntl.ioctl(probe, 0x8916, struct.pack("16s16s8x", b"lo", address))  # SIOCSIFADDR
            assert select.select([source.fileno], [], [], 20)[0], what
            source.clear()
            assert not select.select([source.fileno], [], [], 0)[0], what
            print(what, source.news > before)
        source.close()
        """
    )

    assert printed.split() == ["up", "True", "address", "True"]


def test_more_news_than_the_host_keeps_is_news() -> None:
    """Linux says ENOBUFS when messages were lost; then it is high time to look."""

    class Overflowing:
        def __init__(self) -> None:
            self.answers: list[OSError | bytes] = [OSError(105, "ENOBUFS"), b"message", BlockingIOError()]

        def recv(self, room: int) -> bytes:
            answer = self.answers.pop(0)
            if isinstance(answer, OSError):
                raise answer
            return answer

    source = NetlinkNews.__new__(NetlinkNews)
    source._socket = Overflowing()  # type: ignore[assignment]
    source.news = 0

    source.clear()

    assert source.news == 2


def test_a_host_without_news_is_looked_at_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No netlink, or a host that forbids it."""
    refusals: list[Callable[[], None]] = [
        lambda: monkeypatch.delattr(_socket, "AF_NETLINK", raising=False),
        lambda: monkeypatch.setattr(changes, "NetlinkNews", forbidden),
    ]
    for refuse in refusals:
        refuse()
        source = open_source()
        source.close()
        assert isinstance(source, TickingNews)
        monkeypatch.undo()


def forbidden() -> None:
    raise PermissionError(1, "seccomp")


def test_without_a_descriptor_there_is_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted() -> None:
        raise OSError(24, "EMFILE")

    monkeypatch.setattr(changes, "NetlinkNews", exhausted)
    monkeypatch.setattr(_socket, "AF_NETLINK", 16, raising=False)
    monkeypatch.setattr(_socket, "NETLINK_ROUTE", 0, raising=False)

    with pytest.raises(WinsockError) as caught:
        open_source()

    assert caught.value.winerror == WSAENOBUFS


def test_the_clock_ticks_again_and_again_until_it_is_closed() -> None:
    gc.collect()
    open_before, threads_before = descriptors(), threading.active_count()
    source = TickingNews(0.001)

    for _ in range(3):
        assert ready(source.fileno)
        source.clear()
    assert source.news == 0, "a tick is no news"
    source.close()
    source.close()

    until(lambda: threading.active_count() == threads_before, "its thread has ended")
    del source
    gc.collect()
    assert descriptors() == open_before


# Waits


class Bench:
    """A socket that waits for news, without a socket."""

    def __init__(self) -> None:
        self.pump = Pump()
        self.endpoint = Endpoint(self.pump, -1)
        self.waits = ChangeWaits()
        self.news = MadeUpNews()
        self.has_happened = False

    def begin(self, *, only: bool = False) -> ChangeWait:
        return self.waits.begin(self.endpoint, HANDLE, KIND, self.news, lambda: self.has_happened, only=only)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.endpoint.abort(WSAEINTR)
    bench.waits.close(bench.endpoint, WSAEINTR)
    bench.pump.close()


def test_a_wait_ends_with_the_news_that_it_waits_for(bench: Bench) -> None:
    wait = bench.begin()
    waiting = Call(wait.wait)
    until(lambda: wait.inbound.head is not None, "the request waits")

    looks = bench.news.looks
    bench.news.tell()
    until(lambda: bench.news.looks > looks, "it has come to look")
    assert waiting.running, "the news was about something else"
    bench.has_happened = True
    bench.news.tell()

    waiting.result()
    bench.waits.end(bench.endpoint, wait)
    assert bench.news.closed
    assert bench.waits.of(bench.endpoint, KIND) == []


def test_what_has_happened_already_ends_it_at_once(bench: Bench) -> None:
    bench.has_happened = True

    bench.begin().wait()


def test_closing_ends_a_wait_with_the_code_of_the_closing(bench: Bench) -> None:
    wait = bench.begin()
    waiting = Call(wait.wait)
    until(lambda: wait.inbound.head is not None, "the request waits")

    bench.endpoint.abort(WSAEINTR)
    bench.waits.close(bench.endpoint, WSAEINTR)

    failure = waiting.failure()
    assert isinstance(failure, WinsockError)
    assert failure.winerror == WSAEINTR
    assert bench.news.closed
    bench.waits.end(bench.endpoint, wait)  # what the caller does when its wait has ended


def test_closing_one_handle_ends_only_what_came_through_it(bench: Bench) -> None:
    wait = bench.begin()
    bench.waits.close(bench.endpoint, WSAEINTR, HANDLE + 1)
    assert bench.waits.of(bench.endpoint, KIND) == [wait]

    bench.waits.close(bench.endpoint, WSAEINTR, HANDLE)

    assert bench.waits.of(bench.endpoint, KIND) == []
    assert bench.news.closed


def test_a_closed_socket_waits_for_nothing(bench: Bench) -> None:
    bench.endpoint.abort(WSAEINTR)

    with pytest.raises(WinsockError) as caught:
        bench.begin()

    assert caught.value.winerror == WSAEINTR
    assert bench.news.closed


def test_an_overlapped_wait_is_completed_by_the_pump(bench: Bench) -> None:
    finished = threading.Event()
    operation = Operation(lambda operation: finished.set())

    assert bench.begin().wait(operation) is PENDING
    bench.news.tell()
    bench.has_happened = True
    bench.news.tell()

    assert finished.wait(20)
    assert (operation.final, operation.error) == (True, 0)


def test_closing_aborts_an_overlapped_wait(bench: Bench) -> None:
    operation = Operation(lambda operation: None)
    bench.begin().wait(operation)

    bench.endpoint.abort(WSAEINTR)
    bench.waits.close(bench.endpoint, WSAEINTR)

    assert (operation.final, operation.error) == (True, WSA_OPERATION_ABORTED)


def test_a_request_may_take_the_place_of_the_one_before(bench: Bench) -> None:
    first = bench.begin(only=True)
    news, bench.news = bench.news, MadeUpNews()
    second = bench.begin(only=True)

    assert bench.waits.of(bench.endpoint, KIND) == [second]
    assert (first.source is news, news.closed, bench.news.closed) == (True, True, False)


def test_in_a_child_nothing_waits(bench: Bench) -> None:
    bench.begin()

    bench.waits.after_fork()

    assert bench.waits.of(bench.endpoint, KIND) == []
    assert bench.news.closed
