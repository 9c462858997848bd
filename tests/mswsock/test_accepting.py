"""AcceptEx: connections put into sockets that were made before, and what their state is then."""

from __future__ import annotations

import os
from functools import partial

import pytest

from tests.concurrency import until
from tests.loopback import (
    FAMILIES,
    NOW,
    code_of,
    connected_to,
    elsewhere,
    linger,
    listener,
    loopback,
    nonblocking,
    received,
    reset,
    tcp,
    udp,
    waiting,
)
from tests.mswsock.overlapping import outcome, pends, record
from winsock2emu import kernel32, mswsock
from winsock2emu import ws2_32 as api
from winsock2emu.defs.acceptbuffer import EXTRA_ROOM
from winsock2emu.defs.codes import (
    ERROR_INSUFFICIENT_BUFFER,
    ERROR_INVALID_PARAMETER,
    ERROR_NETNAME_DELETED,
    ERROR_OPERATION_ABORTED,
    STATUS_BUFFER_TOO_SMALL,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTCONN,
    WSAENOTSOCK,
)
from winsock2emu.defs.constants import (
    AF_INET,
    CF_DEFER,
    FIONBIO,
    HANDLE_FLAG_INHERIT,
    INVALID_HANDLE_VALUE,
    INVALID_SOCKET,
    IPPROTO_TCP,
    SD_SEND,
    SO_CONNECT_TIME,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_RCVTIMEO,
    SO_UPDATE_ACCEPT_CONTEXT,
    SOL_SOCKET,
    TCP_NODELAY,
)
from winsock2emu.kernel.operations import OVERLAPPED, PENDING

pytestmark = pytest.mark.usefixtures("winsock")

SIZES = {2: 16, 23: 28}


def room(family: int = AF_INET) -> int:
    """Bytes for the area of an address."""
    return SIZES[family] + EXTRA_ROOM


class Accepting:
    """An AcceptEx request with all that belongs to it."""

    def __init__(self, listening: int, length: int = 0, family: int = AF_INET, **sizes: int) -> None:
        self.listening = listening
        self.acceptor = tcp(family)
        self.lengths = (length, sizes.get("local", room(family)), sizes.get("remote", room(family)))
        self.buffer = bytearray(sum(self.lengths))
        self.overlapped = record()
        self.result = mswsock.AcceptEx(listening, self.acceptor, self.buffer, *self.lengths, self.overlapped)

    def outcome(self) -> object:
        return outcome(self.listening, self.overlapped)

    def addresses(self) -> tuple[object, object]:
        return mswsock.GetAcceptExSockaddrs(self.buffer, *self.lengths)

    def update(self) -> int:
        api.setsockopt(self.acceptor, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, self.listening.to_bytes(8, "little"))
        return self.acceptor


def caller(listening: int) -> int:
    name = api.getsockname(listening)
    client = tcp(name.family)
    api.connect(client, name)
    return client


@pytest.mark.parametrize("family", FAMILIES)
def test_connection_completes_a_request_without_room_for_data(family: int) -> None:
    """The request pends, completes with 0 bytes when somebody connects, and tells both addresses."""
    listening = listener(family)
    accepting = Accepting(listening, family=family)
    assert accepting.result is PENDING
    assert pends(accepting.overlapped)
    client = caller(listening)
    assert accepting.outcome() == 0
    assert accepting.overlapped.Internal == STATUS_SUCCESS
    assert accepting.addresses() == (api.getsockname(listening), api.getsockname(client))


def test_connection_that_waits_already_completes_at_once() -> None:
    """A caller is there before the request: the call returns its bytes, and the event is set all the same."""
    listening = listener()
    client = caller(listening)
    api.send(client, b"first")
    until(lambda: api.select([listening], None, None, NOW)[0], "the connection is there")
    accepting = Accepting(listening, 100)
    assert accepting.outcome() == 5
    assert accepting.buffer[:5] == b"first"


def test_accepted_socket_sends_and_receives_and_keeps_its_number() -> None:
    """The program's handle is the connection's from then on, in non-blocking mode on the host."""
    listening = listener()
    accepting = Accepting(listening)
    client = caller(listening)
    accepting.outcome()
    api.send(accepting.acceptor, b"hello")
    assert received(client, 5) == b"hello"
    api.send(client, b"back")
    assert received(accepting.acceptor, 4) == b"back"
    assert not os.get_blocking(accepting.acceptor)


def test_context_is_what_names_and_shutdown_need() -> None:
    """Before SO_UPDATE_ACCEPT_CONTEXT there are no names and no shutdown; afterwards there are."""
    listening = listener()
    accepting = Accepting(listening)
    s = accepting.acceptor
    client = caller(listening)
    accepting.outcome()
    assert code_of(api.getpeername, s) == WSAENOTCONN
    assert code_of(api.getsockname, s) == WSAEINVAL
    assert code_of(api.shutdown, s, SD_SEND) == WSAENOTCONN
    accepting.update()
    assert api.getpeername(s) == api.getsockname(client)
    assert api.getsockname(s) == api.getsockname(listening)
    api.shutdown(s, SD_SEND)
    assert api.recv(client, bytearray(1)) == 0


def test_options_are_inherited_with_the_context_only() -> None:
    """A listening socket's options are not the accepted one's before, and its own win afterwards."""
    listening = listener()
    for option, value in ((SO_KEEPALIVE, b"\1\0\0\0"), (SO_RCVTIMEO, (77).to_bytes(4, "little"))):
        api.setsockopt(listening, SOL_SOCKET, option, value)
    api.setsockopt(listening, SOL_SOCKET, SO_LINGER, linger(1, 0))
    accepting = Accepting(listening)
    s = accepting.acceptor
    api.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(1, 3))
    api.setsockopt(s, IPPROTO_TCP, TCP_NODELAY, 1)
    caller(listening)
    accepting.outcome()
    assert not any(api.getsockopt(s, SOL_SOCKET, SO_KEEPALIVE))
    accepting.update()
    assert any(api.getsockopt(s, SOL_SOCKET, SO_KEEPALIVE))
    assert int.from_bytes(api.getsockopt(s, SOL_SOCKET, SO_RCVTIMEO), "little") == 77
    assert api.getsockopt(s, SOL_SOCKET, SO_LINGER) == linger(1, 3)
    assert any(api.getsockopt(s, IPPROTO_TCP, TCP_NODELAY))


def test_linger_time_of_the_listening_socket_does_not_reset_without_context() -> None:
    """The host hands the listening socket's hard close down; the accepted socket has its own."""
    listening = listener()
    api.setsockopt(listening, SOL_SOCKET, SO_LINGER, linger(1, 0))
    accepting = Accepting(listening)
    client = caller(listening)
    accepting.outcome()
    api.closesocket(accepting.acceptor)
    assert api.recv(client, bytearray(1)) == 0


def test_inheritance_by_children_is_the_accepting_sockets() -> None:
    """The flag of the handle stays what it was, whichever it is."""
    listening = listener()
    for flag in (0, HANDLE_FLAG_INHERIT):
        accepting = Accepting(listening)
        kernel32.SetHandleInformation(accepting.acceptor, HANDLE_FLAG_INHERIT, flag)
        caller(listening)
        accepting.outcome()
        assert os.get_inheritable(accepting.acceptor) is bool(flag)


def test_data_is_awaited_and_a_part_is_enough() -> None:
    """With room for two bytes the request waits for the first, and completes with it."""
    listening = listener()
    accepting = Accepting(listening, 2)
    client = caller(listening)
    until(lambda: api.getsockopt(accepting.acceptor, SOL_SOCKET, SO_CONNECT_TIME) == bytes(4), "it has connected")
    assert pends(accepting.overlapped)
    api.send(client, b"x")
    assert accepting.outcome() == 1
    assert accepting.buffer[:2] == b"x\0"


def test_silent_caller_keeps_nobody_else_waiting() -> None:
    """A second request completes, and so does accept, while the first one waits for data."""
    listening = listener()
    first, second = Accepting(listening, 4), Accepting(listening, 4)
    silent, talker = caller(listening), caller(listening)
    api.send(talker, b"hi")
    assert second.outcome() == 2
    _, accepted = connected_to(listening)
    assert api.getpeername(accepted)
    assert pends(first.overlapped)
    api.closesocket(silent)
    assert first.outcome() == 0


def test_requests_are_served_in_their_order() -> None:
    """The first caller belongs to the first request."""
    listening = listener()
    requests = [Accepting(listening) for _ in range(3)]
    clients = [caller(listening) for _ in range(3)]
    for accepting, client in zip(requests, clients, strict=True):
        assert accepting.outcome() == 0
        accepting.update()
        assert api.getpeername(accepting.acceptor) == api.getsockname(client)


@pytest.mark.parametrize("sizes", [{"local": 3}, {"local": 20}, {"local": 31}, {"remote": 31}], ids=str)
def test_too_little_room_for_addresses_fails_late_and_keeps_the_connection(sizes: dict[str, int]) -> None:
    """The request pends, fails when somebody connects, and the connection is the next accept's."""
    listening = listener()
    accepting = Accepting(listening, **sizes)
    assert accepting.result is PENDING
    client = caller(listening)
    assert accepting.outcome() == -ERROR_INSUFFICIENT_BUFFER
    assert accepting.overlapped.Internal == STATUS_BUFFER_TOO_SMALL
    assert accepting.overlapped.InternalHigh == 0
    assert api.select([listening], None, None, (5, 0))[0] == [listening]
    assert api.accept(listening)[1] == api.getsockname(client)


def test_local_address_can_be_left_out() -> None:
    """A local area of no bytes is none."""
    listening = listener()
    accepting = Accepting(listening, local=0)
    client = caller(listening)
    assert accepting.outcome() == 0
    assert accepting.addresses() == (None, api.getsockname(client))


def test_arguments_are_checked_in_their_order() -> None:
    """Handles, record, buffer, remote length, the sockets' states; Internal says pending all the same."""
    listening, unbound, bound = listener(), tcp(), tcp()
    api.bind(bound, loopback(AF_INET))
    buffer = bytearray(64)

    def code(listener: int, acceptor: int, buffer: bytearray | None, remote: int = 32) -> int:
        overlapped = OVERLAPPED()
        overlapped.InternalHigh = 77
        got = code_of(mswsock.AcceptEx, listener, acceptor, buffer, 0, 32, remote, overlapped)
        assert overlapped.Internal == STATUS_PENDING
        assert overlapped.InternalHigh == 77
        return got

    assert code(INVALID_SOCKET, unbound, buffer) == WSAENOTSOCK
    assert code(listening, INVALID_SOCKET, buffer) == WSAENOTSOCK
    assert code(bound, unbound, None) == WSAEFAULT
    assert code(bound, unbound, buffer, 0) == WSAEFAULT
    assert code(listening, unbound, bytearray(63)) == WSAEFAULT
    assert code(bound, unbound, buffer) == WSAEINVAL
    for acceptor in (bound, udp(), listening, *connected_to(listening)):
        assert code(listening, acceptor, buffer) == WSAEINVAL
    assert code_of(mswsock.AcceptEx, listening, unbound, buffer, 0, 32, 32, None) == ERROR_INVALID_PARAMETER


def test_accepting_socket_is_for_nothing_else_while_the_request_pends() -> None:
    """A second AcceptEx, connect, ConnectEx and bind are refused; after a cancel they are not."""
    listening = listener()
    accepting = Accepting(listening)
    s, name = accepting.acceptor, api.getsockname(listening)
    assert code_of(mswsock.AcceptEx, listening, s, bytearray(64), 0, 32, 32, OVERLAPPED()) == WSAEINVAL
    assert code_of(api.connect, s, name) == WSAEINVAL
    assert code_of(mswsock.ConnectEx, s, name, None, OVERLAPPED()) == WSAEINVAL
    assert code_of(api.bind, s, loopback(AF_INET)) == WSAEINVAL
    kernel32.CancelIo(listening)
    assert accepting.outcome() == -ERROR_OPERATION_ABORTED
    api.connect(s, name)
    assert api.getpeername(s) == name


def test_request_is_the_listening_sockets() -> None:
    """CancelIo and CancelIoEx find it there and not on the accepting socket; either socket's end is its own."""
    listening = listener()
    accepting = Accepting(listening)
    kernel32.CancelIo(accepting.acceptor)
    assert pends(accepting.overlapped)
    kernel32.CancelIoEx(listening, accepting.overlapped)
    assert accepting.outcome() == -ERROR_OPERATION_ABORTED

    accepting = Accepting(listening)
    api.closesocket(accepting.acceptor)
    assert accepting.outcome() == -ERROR_OPERATION_ABORTED

    accepting = Accepting(listening)
    api.closesocket(listening)
    assert accepting.outcome() == -ERROR_OPERATION_ABORTED


@pytest.mark.parametrize("how", ["acceptor", "listener", "cancel"])
def test_request_that_waits_for_data_ends_with_either_socket(how: str) -> None:
    """Closing either or cancelling aborts it; a cancelled one resets its caller and leaves a socket as good as new."""
    listening = listener()
    accepting = Accepting(listening, 4)
    client = caller(listening)
    until(lambda: api.getsockopt(accepting.acceptor, SOL_SOCKET, SO_CONNECT_TIME) == bytes(4), "it has connected")
    if how == "acceptor":
        api.closesocket(accepting.acceptor)
    elif how == "listener":
        api.closesocket(listening)
    else:
        kernel32.CancelIoEx(listening, accepting.overlapped)
        assert code_of(api.recv, client, bytearray(1)) != 0
    assert accepting.outcome() == -ERROR_OPERATION_ABORTED
    if how == "cancel":
        overlapped = record()
        mswsock.AcceptEx(listening, accepting.acceptor, accepting.buffer, *accepting.lengths, overlapped)
        api.send(caller(listening), b"1234")
        assert outcome(listening, overlapped) == 4


def test_caller_that_resets_while_data_is_awaited_fails_the_request() -> None:
    """The connection is gone before it has said anything."""
    listening = listener()
    accepting = Accepting(listening, 4)
    client = caller(listening)
    until(lambda: api.getsockopt(accepting.acceptor, SOL_SOCKET, SO_CONNECT_TIME) == bytes(4), "it has connected")
    reset(client)
    assert accepting.outcome() == -ERROR_NETNAME_DELETED


def test_caller_that_resets_at_once_is_accepted_by_a_request_that_was_there_first() -> None:
    """Windows connects the two when the caller comes: the reset is what the first receive tells, after the data."""
    listening = listener()
    for _ in range(100):
        accepting = Accepting(listening)
        assert accepting.result is PENDING
        client = caller(listening)
        api.send(client, b"data")
        reset(client)
        assert accepting.outcome() == 0
        assert accepting.addresses()[0] == api.getsockname(listening)
        accepted = accepting.update()
        until(partial(_tells_the_reset, accepted), "it is told")
        api.closesocket(accepted)


def _tells_the_reset(s: int) -> bool:
    """It receives; True once that fails because of a reset."""
    code = code_of(api.recv, s, bytearray(10))
    assert code in (0, WSAECONNRESET)
    return code == WSAECONNRESET


def test_caller_that_has_reset_before_the_call_fails_it() -> None:
    """R9.41: nobody has accepted it, and it is gone."""
    listening = listener()
    reset(caller(listening))
    overlapped = record()
    buffer = bytearray(2 * room())
    code = code_of(mswsock.AcceptEx, listening, tcp(), buffer, 0, room(), room(), overlapped)
    assert code == WSAECONNRESET


def test_select_shows_only_callers_that_no_request_waits_for() -> None:
    """The first caller is the request's, the second one everybody's."""
    listening = listener()
    accepting = Accepting(listening)
    looking = elsewhere(api.select, [listening], None, None, (10, 0))
    caller(listening)
    assert accepting.outcome() == 0
    assert looking.running
    client = caller(listening)
    assert looking.result() == ([listening], [], [])
    assert api.accept(listening)[1] == api.getsockname(client)


def test_deferred_connection_is_taken_first() -> None:
    """WSAAccept has put a connection back: the request gets it."""
    listening = listener()
    client = caller(listening)
    until(lambda: code_of(api.WSAAccept, listening, None, lambda *_: CF_DEFER) == 11002, "it is deferred")
    accepting = Accepting(listening)
    assert accepting.outcome() == 0
    assert accepting.addresses() == (api.getsockname(listening), api.getsockname(client))


def test_accept_queues_behind_a_request() -> None:
    """A blocking accept that comes later gets the later connection."""
    listening = listener()
    accepting = Accepting(listening)
    later = elsewhere(api.accept, listening)
    until(waiting(listening), "accept waits")
    first, second = caller(listening), caller(listening)
    assert accepting.outcome() == 0
    accepting.update()
    assert api.getpeername(accepting.acceptor) == api.getsockname(first)
    assert later.result()[1] == api.getsockname(second)


def test_packet_goes_to_the_listening_sockets_port() -> None:
    """With its key, and the record."""
    listening = listener()
    port = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0)
    kernel32.CreateIoCompletionPort(listening, port, 7, 0)
    accepting = Accepting(listening, 10)
    api.send(caller(listening), b"abc")
    assert kernel32.GetQueuedCompletionStatus(port, 20_000) == (3, 7, accepting.overlapped)
    kernel32.CloseHandle(port)


def test_shared_accepting_socket_is_connected_through_every_descriptor() -> None:
    """A duplicate of the accepting socket is the connection as well."""
    listening = listener()
    accepting = Accepting(listening)
    other = api.WSASocket(0, 0, 0, api.WSADuplicateSocket(accepting.acceptor, os.getpid()))
    client = caller(listening)
    accepting.outcome()
    api.send(other, b"x")
    assert received(client, 1) == b"x"
    api.closesocket(accepting.acceptor)
    api.send(client, b"y")
    assert received(other, 1) == b"y"


def test_nonblocking_sockets_wait_all_the_same() -> None:
    """An overlapped request does not care for the mode of its sockets."""
    listening = nonblocking(listener())
    accepting = Accepting(listening)
    api.ioctlsocket(accepting.acceptor, FIONBIO, 1)
    assert accepting.result is PENDING
    caller(listening)
    assert accepting.outcome() == 0


def test_cleanup_ends_requests_in_both_stages_in_silence() -> None:
    """WSACleanup with one request that waits for a caller and one that waits for data: no descriptor is left."""
    listening = listener()
    Accepting(listening, 4)
    client = caller(listening)
    waits = Accepting(listening)
    assert client
    api.WSACleanup()
    assert waits.overlapped.operation is None
