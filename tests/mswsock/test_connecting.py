"""ConnectEx and DisconnectEx: connecting by requests, ending, and connecting the same socket again."""

from __future__ import annotations

import pytest

from tests.concurrency import until
from tests.loopback import (
    FAMILIES,
    NOW,
    code_of,
    elsewhere,
    full_listener,
    listener,
    loopback,
    pair,
    received,
    refusing,
    reset,
    tcp,
    udp,
)
from tests.mswsock.overlapping import outcome, pends, record
from winsock2emu import kernel32, mswsock
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    ERROR_CONNECTION_REFUSED,
    ERROR_INVALID_PARAMETER,
    ERROR_OPERATION_ABORTED,
    STATUS_PENDING,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAEALREADY,
    WSAEFAULT,
    WSAEINVAL,
    WSAEISCONN,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAESHUTDOWN,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    FILE_SKIP_COMPLETION_PORT_ON_SUCCESS,
    INVALID_HANDLE_VALUE,
    INVALID_SOCKET,
    SD_SEND,
    SO_UPDATE_ACCEPT_CONTEXT,
    SO_UPDATE_CONNECT_CONTEXT,
    SOL_SOCKET,
    TF_REUSE_SOCKET,
)
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.kernel.operations import OVERLAPPED, PENDING

pytestmark = pytest.mark.usefixtures("winsock")


def bound(family: int = AF_INET) -> int:
    s = tcp(family)
    api.bind(s, loopback(family))
    return s


def connect_ex(s: int, name: bytes, data: bytes | None = None) -> object:
    """Connect by a request; its outcome."""
    overlapped = record()
    assert mswsock.ConnectEx(s, name, data, overlapped) is PENDING
    return outcome(s, overlapped)


def update(s: int) -> None:
    api.setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, b"")


# ConnectEx


@pytest.mark.parametrize("family", FAMILIES)
def test_connect_pends_always_and_completes_with_no_bytes(family: int) -> None:
    """To a listening socket of this machine, where the host is done at once."""
    listening = listener(family)
    s = bound(family)
    assert connect_ex(s, api.getsockname(listening)) == 0
    accepted, address = api.accept(listening)
    assert address == api.getsockname(s)
    api.send(accepted, b"x")
    assert received(s, 1) == b"x"


def test_first_data_is_copied_by_the_call() -> None:
    """The program's buffer is its own again: what is changed in it is not sent."""
    listening = listener()
    s, data, overlapped = bound(), bytearray(b"abc"), record()
    mswsock.ConnectEx(s, api.getsockname(listening), data, overlapped)
    data[:] = b"xyz"
    assert outcome(s, overlapped) == 3
    assert received(api.accept(listening)[0], 3) == b"abc"


def test_first_data_goes_ahead_of_other_sends() -> None:
    """Much first data, which the host takes piece by piece, and a send behind it."""
    listening = listener()
    s, overlapped = bound(), record()
    block = bytes(range(256)) * 40_000
    mswsock.ConnectEx(s, api.getsockname(listening), block, overlapped)
    accepted = api.accept(listening)[0]
    until(lambda: not code_of(api.WSASend, s, [b"behind"], 0, OVERLAPPED()), "it is connected")
    assert received(accepted, len(block) + 6) == block + b"behind"
    assert outcome(s, overlapped) == len(block)


def test_context_is_what_names_and_shutdown_need() -> None:
    """Before SO_UPDATE_CONNECT_CONTEXT there is no peer; getsockname works, as the program has bound the socket."""
    listening = listener()
    name = api.getsockname(listening)
    s = bound()
    assert code_of(api.setsockopt, s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, b"") == WSAENOTCONN
    connect_ex(s, name)
    assert code_of(api.getpeername, s) == WSAENOTCONN
    assert code_of(api.shutdown, s, SD_SEND) == WSAENOTCONN
    assert code_of(api.connect, s, name) == WSAEINVAL
    assert code_of(mswsock.ConnectEx, s, name, None, OVERLAPPED()) == WSAEISCONN
    assert api.getsockname(s)
    update(s)
    assert api.getpeername(s) == name
    assert code_of(api.connect, s, name) == WSAEISCONN
    api.shutdown(s, SD_SEND)


def test_refused_socket_can_be_connected_again() -> None:
    """The request fails with the Win32 code; then the same socket connects to somebody else."""
    _, closed = refusing()
    s = bound()
    name = api.getsockname(s)
    assert connect_ex(s, closed) == -ERROR_CONNECTION_REFUSED
    assert api.getsockname(s) == name
    assert connect_ex(s, api.getsockname(listener())) == 0
    assert api.getsockname(s) == name


def test_cancelled_connect_is_given_up_and_the_socket_can_be_connected() -> None:
    """While the host still tries: the request ends as aborted, and the next one succeeds."""
    _, name = full_listener()
    s, overlapped = bound(), record()
    mswsock.ConnectEx(s, name, None, overlapped)
    assert pends(overlapped)
    assert code_of(mswsock.ConnectEx, s, name, None, OVERLAPPED()) == WSAEALREADY
    assert code_of(api.connect, s, name) == WSAEALREADY
    kernel32.CancelIoEx(s, overlapped)
    assert outcome(s, overlapped) == -ERROR_OPERATION_ABORTED
    assert connect_ex(s, api.getsockname(listener()), b"x") == 1
    update(s)


def test_closing_aborts_a_connect_under_way() -> None:
    """closesocket while the host still tries."""
    _, name = full_listener()
    s, overlapped = bound(), record()
    mswsock.ConnectEx(s, name, None, overlapped)
    api.closesocket(s)
    assert outcome(s, overlapped) == -ERROR_OPERATION_ABORTED


def test_arguments_are_checked_in_their_order() -> None:
    """Handle, record, address, kind and state of the socket, what the address is; nothing is written but Internal."""
    listening, s = listener(), bound()
    name = api.getsockname(listening)

    def code(s: int, name: bytes | None) -> int:
        overlapped = OVERLAPPED()
        overlapped.InternalHigh = 77
        got = code_of(mswsock.ConnectEx, s, name, None, overlapped)
        assert overlapped.InternalHigh == 77
        assert s == INVALID_SOCKET or overlapped.Internal == STATUS_PENDING
        return got

    assert code(INVALID_SOCKET, name) == WSAENOTSOCK
    assert code_of(mswsock.ConnectEx, s, None, None, None) == ERROR_INVALID_PARAMETER
    for unfit in (tcp(), udp(), listening):
        assert code(unfit, None) == WSAEFAULT
        assert code(unfit, name) == WSAEINVAL
    assert code(s, bytes(name)[:15]) == WSAEFAULT
    assert code(s, loopback(AF_INET6, 1)) == WSAEAFNOSUPPORT
    assert code(s, loopback(AF_INET, 0)) == WSAEADDRNOTAVAIL
    assert code(pair()[0], name) == WSAEISCONN


def test_packet_is_queued_although_success_is_to_be_skipped() -> None:
    """The mode is about calls that succeed at once, and a connect never does; a failure is told as well."""
    listening, (_, closed) = listener(), refusing()
    port = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0)
    s, overlapped = bound(), record()
    kernel32.CreateIoCompletionPort(s, port, 5, 0)
    kernel32.SetFileCompletionNotificationModes(s, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)
    mswsock.ConnectEx(s, closed, None, overlapped)
    assert code_of(kernel32.GetQueuedCompletionStatus, port, 20_000) == ERROR_CONNECTION_REFUSED
    mswsock.ConnectEx(s, api.getsockname(listening), b"abc", overlapped)
    assert kernel32.GetQueuedCompletionStatus(port, 20_000) == (3, 5, overlapped)
    kernel32.CloseHandle(port)


# DisconnectEx


def test_disconnect_ends_sending_only() -> None:
    """By a request, which pends: the peer sees the end, can still send, and both ends keep their names."""
    client, server = pair()
    overlapped = record()
    assert mswsock.DisconnectEx(client, overlapped) is PENDING
    assert outcome(client, overlapped) == 0
    assert api.recv(server, bytearray(1)) == 0
    assert code_of(api.send, client, b"x") == WSAESHUTDOWN
    assert code_of(api.connect, client, api.getpeername(client)) == WSAEISCONN
    api.send(server, b"still")
    assert received(client, 5) == b"still"
    assert api.getpeername(server) == api.getsockname(client)


def test_disconnect_without_a_record_can_be_repeated() -> None:
    """The synchronous form succeeds at once, and once more."""
    client, server = pair()
    for _ in range(2):
        assert mswsock.DisconnectEx(client) is None
    assert api.recv(server, bytearray(1)) == 0


def test_disconnect_checks_its_arguments() -> None:
    """Handle, flags, connection."""
    assert code_of(mswsock.DisconnectEx, INVALID_SOCKET) == WSAENOTSOCK
    assert code_of(mswsock.DisconnectEx, tcp(), None, 1) == WSAEINVAL
    for unfit in (tcp(), bound(), listener(), udp()):
        assert code_of(mswsock.DisconnectEx, unfit) == WSAENOTCONN


def test_disconnect_waits_for_what_is_being_sent() -> None:
    """A large overlapped send is under way: the end comes behind it."""
    client, server = pair()
    block = bytes(8_000_000)
    sent, ended = record(), record()
    api.WSASend(client, [block], 0, sent)
    mswsock.DisconnectEx(client, ended)
    assert pends(ended)
    assert len(received(server, len(block))) == len(block)
    assert outcome(client, sent) == len(block)
    assert outcome(client, ended) == 0
    assert api.recv(server, bytearray(1)) == 0


def accept_ex(listening: int, s: int) -> OVERLAPPED:
    overlapped = record()
    mswsock.AcceptEx(listening, s, bytearray(64), 0, 32, 32, overlapped)
    return overlapped


def disconnect_both(client: int, server: int) -> None:
    """Both ends disconnect for reuse; neither is done before the other one has begun."""
    first, second = record(), record()
    mswsock.DisconnectEx(client, first, TF_REUSE_SOCKET)
    assert pends(first)
    mswsock.DisconnectEx(server, second, TF_REUSE_SOCKET)
    assert (outcome(client, first), outcome(server, second)) == (0, 0)


def test_sockets_are_used_for_many_connections() -> None:
    """ConnectEx and AcceptEx, each end disconnected for reuse: the same two handles ten times."""
    listening = listener()
    name = api.getsockname(listening)
    client, server = bound(), tcp()
    for number in range(10):
        accepting = accept_ex(listening, server)
        assert connect_ex(client, name, b"hello") == 5
        assert outcome(listening, accepting) == 0
        api.setsockopt(server, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, listening.to_bytes(8, "little"))
        update(client)
        assert received(server, 5) == b"hello"
        answers = record()
        room = bytearray(2)
        api.WSARecv(client, [room], 0, answers)  # so that the pump knows the descriptor
        api.send(server, number.to_bytes(2, "little"))
        assert outcome(client, answers) == 2
        assert int.from_bytes(room, "little") == number
        disconnect_both(client, server)
        assert code_of(api.getpeername, client) == code_of(api.send, server, b"x") == WSAENOTCONN


def test_reused_sockets_go_back_to_what_has_connected_them() -> None:
    """What AcceptEx has connected is unbound again; what ConnectEx has connected is bound, and not to accept into."""
    listening = listener()
    client, server = bound(), tcp()
    accepting = accept_ex(listening, server)
    connect_ex(client, api.getsockname(listening))
    outcome(listening, accepting)
    disconnect_both(client, server)
    assert code_of(api.getsockname, server) == WSAEINVAL
    assert code_of(mswsock.ConnectEx, server, api.getsockname(listening), None, OVERLAPPED()) == WSAEINVAL
    assert code_of(mswsock.AcceptEx, listening, client, bytearray(64), 0, 32, 32, OVERLAPPED()) == WSAEINVAL
    assert api.getsockname(client)


def test_reuse_waits_for_the_peers_end_and_can_be_cancelled() -> None:
    """The peer neither ends nor resets; what it sends meanwhile is lost."""
    client, server = pair()
    overlapped = record()
    mswsock.DisconnectEx(client, overlapped, TF_REUSE_SOCKET)
    api.send(server, b"unheard")
    assert pends(overlapped)
    kernel32.CancelIoEx(client, overlapped)
    assert outcome(client, overlapped) == -ERROR_OPERATION_ABORTED
    assert api.getpeername(client) == api.getsockname(server)


def test_synchronous_reuse_waits_in_its_thread() -> None:
    """Without a record the call returns when the peer has ended."""
    client, server = pair()
    call = elsewhere(mswsock.DisconnectEx, client, None, TF_REUSE_SOCKET)
    assert api.recv(server, bytearray(1)) == 0
    assert call.running
    api.closesocket(server)
    assert call.result() is None
    assert connect_ex(client, api.getsockname(listener())) == 0


def test_reset_connection_can_be_reused() -> None:
    """The peer has reset the connection: nothing is left to be awaited."""
    client, server = pair()
    reset(server)
    until(lambda: code_of(api.recv, client, bytearray(1)) != 0, "the reset is noticed")
    overlapped = record()
    assert mswsock.DisconnectEx(client, overlapped, TF_REUSE_SOCKET) is PENDING
    assert outcome(client, overlapped) == 0
    assert connect_ex(client, api.getsockname(listener())) == 0


def test_same_peer_can_be_connected_after_an_active_close() -> None:
    """The client ends first, so that its port is in TIME_WAIT; the next connection to the same server succeeds."""
    listening = listener()
    name: SockAddr = api.getsockname(listening)
    client = bound()
    for _ in range(3):
        connect_ex(client, name)
        accepted = api.accept(listening)[0]
        ended = record()
        mswsock.DisconnectEx(client, ended, TF_REUSE_SOCKET)
        assert api.recv(accepted, bytearray(1)) == 0
        api.closesocket(accepted)
        assert outcome(client, ended) == 0


def test_no_thread_is_needed_to_make_progress() -> None:
    """Nobody waits in the emulator: the connect completes all the same."""
    listening = listener()
    s, overlapped = bound(), record()
    mswsock.ConnectEx(s, api.getsockname(listening), b"x", overlapped)
    until(lambda: overlapped.Internal != STATUS_PENDING, "it is complete")
    assert api.select([listening], None, None, NOW)[0] == [listening]
