"""Registered I/O by its functions: identifiers, pieces, a process's end; the rest is in engine/test_registered."""

from __future__ import annotations

import pytest

from tests.concurrency import until
from tests.loopback import code_of, loopback, tcp, udp
from winsock2emu import kernel32, mswsock
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSA_OPERATION_ABORTED,
    WSAEALREADY,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSANOTINITIALISED,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    INVALID_HANDLE_VALUE,
    IPPROTO_TCP,
    IPPROTO_UDP,
    RIO_MSG_WAITALL,
    SOCK_DGRAM,
    SOCK_STREAM,
    WSA_FLAG_OVERLAPPED,
    WSA_FLAG_REGISTERED_IO,
)
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.mswsock import RIO_BUF, RIO_NOTIFICATION_COMPLETION, RIORESULT
from winsock2emu.process import Process

FLAGS = WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO

pytestmark = pytest.mark.usefixtures("winsock")


def registered_udp(family: int = AF_INET) -> int:
    s = api.WSASocket(family, SOCK_DGRAM, IPPROTO_UDP, None, 0, FLAGS)
    api.bind(s, loopback(family))
    return s


def queues(s: int, size: int = 16) -> tuple[int, int]:
    cq = mswsock.RIOCreateCompletionQueue(size)
    return cq, mswsock.RIOCreateRequestQueue(s, 4, 1, 4, 1, cq, cq, "socket")


def results(cq: int, count: int) -> list[RIORESULT]:
    found: list[RIORESULT] = []

    def enough() -> bool:
        found.extend(mswsock.RIODequeueCompletion(cq, count))
        return len(found) >= count

    until(enough, f"{count} results")
    return found


@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
def test_addresses_are_stored_and_sent_to(family: int) -> None:
    """The answer to a datagram goes from where it was sent to, to where it came from."""
    s, other = registered_udp(family), udp(family)
    cq, rq = queues(s)
    memory = bytearray(256)
    buffer = mswsock.RIORegisterBuffer(memory)
    local, remote = RIO_BUF(buffer, 100, 28), RIO_BUF(buffer, 128, 28)
    mswsock.RIOReceiveEx(rq, RIO_BUF(buffer, 0, 50), local, remote, context=1)
    api.sendto(other, b"ask", 0, api.getsockname(s))
    assert results(cq, 1) == [RIORESULT(0, 3, "socket", 1)]
    size = len(api.getsockname(s))
    assert SockAddr(bytes(memory[100 : 100 + size])) == api.getsockname(s)
    assert SockAddr(bytes(memory[128 : 128 + size])) == api.getsockname(other)

    memory[:6] = b"answer"
    mswsock.RIOSendEx(rq, RIO_BUF(buffer, 0, 6), local, remote, context=2)
    assert results(cq, 1) == [RIORESULT(0, 6, "socket", 2)]
    room = bytearray(9)
    assert api.recvfrom(other, room) == (6, api.getsockname(s))
    assert room[:6] == b"answer"


def test_pieces_are_checked_when_they_are_given() -> None:
    s = registered_udp()
    _, rq = queues(s)
    buffer = mswsock.RIORegisterBuffer(bytearray(64))
    assert code_of(mswsock.RIOReceive, rq, RIO_BUF(buffer + 1, 0, 1)) == WSAEFAULT
    assert code_of(mswsock.RIOReceive, rq, RIO_BUF(buffer, 60, 5)) == WSAEINVAL
    short = RIO_BUF(buffer, 0, 15)  # for a sockaddr_in
    assert code_of(mswsock.RIOReceiveEx, rq, RIO_BUF(buffer, 32, 8), None, short) == WSAEFAULT
    assert code_of(mswsock.RIOReceiveEx, rq, RIO_BUF(buffer, 32, 8), None, None, RIO_BUF(buffer, 0, 7)) == WSAEFAULT
    assert (
        code_of(mswsock.RIOReceiveEx, rq, RIO_BUF(buffer, 32, 8), None, None, None, RIO_BUF(buffer, 0, 3)) == WSAEFAULT
    )


def test_deregistered_memory_stays_with_requests_that_have_it() -> None:
    s, other = registered_udp(), udp()
    cq, rq = queues(s)
    memory = bytearray(8)
    buffer = mswsock.RIORegisterBuffer(memory)
    mswsock.RIOReceive(rq, RIO_BUF(buffer, 0, 8))
    mswsock.RIODeregisterBuffer(buffer)
    mswsock.RIODeregisterBuffer(buffer)  # which changes nothing
    api.sendto(other, b"late", 0, api.getsockname(s))
    results(cq, 1)
    assert memory[:4] == b"late"


def test_sockets_that_get_no_request_queue() -> None:
    cq = mswsock.RIOCreateCompletionQueue(32)
    create = mswsock.RIOCreateRequestQueue
    assert code_of(create, tcp(), 1, 1, 1, 1, cq, cq) == WSAEOPNOTSUPP
    assert code_of(create, 0xABCDEF0, 1, 1, 1, 1, cq, cq) == WSAENOTSOCK
    s = registered_udp()
    create(s, 1, 1, 1, 1, cq, cq)
    assert code_of(create, s, 1, 1, 1, 1, cq, cq) == WSAEALREADY


def test_an_accepted_socket_is_registered_as_its_listener_is() -> None:
    server = api.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, None, 0, FLAGS)
    api.bind(server, loopback(AF_INET))
    api.listen(server, 1)
    client = tcp()
    api.connect(client, api.getsockname(server))
    accepted = api.accept(server)[0]
    cq, rq = queues(accepted)
    memory = bytearray(8)
    mswsock.RIOReceive(rq, RIO_BUF(mswsock.RIORegisterBuffer(memory), 0, 8), RIO_MSG_WAITALL)
    api.send(client, b"1234")
    api.send(client, b"5678")
    assert [one.moved for one in results(cq, 1)] == [8]
    assert memory == b"12345678"


def test_notifications_need_an_event_or_a_port() -> None:
    port = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, None, 0, 0)
    event = api.WSACreateEvent()
    by = RIO_NOTIFICATION_COMPLETION
    for bad in (by.by_event(port), by.by_port(event, 1, None), by.by_event(0), by(3, event)):
        assert code_of(mswsock.RIOCreateCompletionQueue, 4, bad) == WSAEINVAL
    kernel32.CloseHandle(port)


def test_the_identifier_of_a_request_queue_ends_with_its_socket(winsock: Process) -> None:
    s = registered_udp()
    cq, rq = queues(s)
    buffer = mswsock.RIORegisterBuffer(bytearray(8))
    mswsock.RIOReceive(rq, RIO_BUF(buffer, 0, 8), 0, "pends")
    api.closesocket(s)
    assert code_of(mswsock.RIOReceive, rq, RIO_BUF(buffer, 0, 8)) == WSAEINVAL
    found = mswsock.RIODequeueCompletion(cq, 9)
    assert [(one.status, one.request_context) for one in found] == [(WSA_OPERATION_ABORTED, "pends")]
    del found
    assert not winsock.registered.request_queues


def test_cleanup_forgets_everything(winsock: Process) -> None:
    s = registered_udp()
    _, rq = queues(s)
    mswsock.RIOReceive(rq, RIO_BUF(mswsock.RIORegisterBuffer(bytearray(8)), 0, 8))
    api.WSACleanup()
    assert not winsock.registered.buffers
    assert not winsock.registered.completion_queues
    assert code_of(mswsock.RIORegisterBuffer, bytearray(8)) == WSANOTINITIALISED
    assert code_of(mswsock.RIOCreateCompletionQueue, 1) == WSANOTINITIALISED
