"""Completion ports: which requests they are told of, with what, and what happens when sockets and threads end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ..addresses import loopback
from ..constants import (
    AF_INET,
    ERROR_CONNECTION_ABORTED,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_NETNAME_DELETED,
    ERROR_NOT_SUPPORTED,
    ERROR_OPERATION_ABORTED,
    FD_ACCEPT,
    FD_CLOSE,
    FD_CONNECT,
    FD_OOB,
    FD_READ,
    FD_WRITE,
    FILE_SKIP_COMPLETION_PORT_ON_SUCCESS,
    FILE_SKIP_SET_EVENT_ON_HANDLE,
    FIONBIO,
    FIONREAD,
    IPPROTO_TCP,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_BASE_HANDLE,
    SIO_FLUSH,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SIO_ROUTING_INTERFACE_QUERY,
    SIOCATMARK,
    SOCK_STREAM,
    STATUS_CONNECTION_ABORTED,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WAIT_TIMEOUT,
    WSA_FLAG_OVERLAPPED,
    WSA_WAIT_EVENT_0,
    WSAECONNRESET,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAID_ACCEPTEX,
)
from ..model import Row, case
from ..target import PENDING, Target
from ..verify import expect, fails_with
from ..windowing import WM_USER

CHAPTER = "Completion ports"
PORTS = "FileIO/i-o-completion-ports"
CREATE = "fileio/createiocompletionport"
INDICATIONS = "WinSock/receiving-completion-indications-2"
MODES = "winbase/nf-winbase-setfilecompletionnotificationmodes"
IOCTL_TEST = "Wine's public test sock.c:test_ioctl (its parts), which pass on Windows"
PORT_TEST = "Wine's public test sock.c:test_completion_port, which passes on Windows"
RECV_TEST = "Wine's public test sock.c:test_WSARecv, which passes on Windows"
CONNECT_TEST = "Wine's public test sock.c:test_connect_completion_port, which passes on Windows"
FLUSH = SIO_FLUSH
FIOASYNC = 0x8004667D
NO_FILE = 0xFFFFFFFFFFFFFFFF
LONG_MS = 5000
A_MOMENT_MS = 50
KEY = 0x12345678
UNREAD = 0xDEADBEEF
CLOSED = 0x7FFFFFF0


class Tied:
    """A port with a socket on it."""

    def __init__(self, ws: Target, s: int, key: int = KEY) -> None:
        self.ws = ws
        self.port = ws.CreateIoCompletionPort(NO_FILE, 0, 0, 0)
        expect("port", expected=self.port, actual=ws.CreateIoCompletionPort(s, self.port, key, 0))

    def empty(self, milliseconds: int = A_MOMENT_MS) -> None:
        """No packet comes."""
        with fails_with(WAIT_TIMEOUT):
            self.ws.GetQueuedCompletionStatus(self.port, milliseconds)

    def packet(self, record: Any, moved: int, key: int = KEY) -> None:
        """The packet of a request that has succeeded, and only that one."""
        got = self.ws.GetQueuedCompletionStatus(self.port, LONG_MS)
        expect("packet", expected=(moved, key, self.ws.token(record)), actual=got)

    def failed(self, record: Any, code: int, moved: int = 0, key: int = KEY) -> None:
        """The packet of a request that has failed."""
        with fails_with(code) as caught:
            self.ws.GetQueuedCompletionStatus(self.port, LONG_MS)
        expect("packet", expected=(moved, key, self.ws.token(record)), actual=caught.packet)


@contextlib.contextmanager
def tied(ws: Target, s: int, key: int = KEY) -> Iterator[Tied]:
    made = Tied(ws, s, key)
    try:
        yield made
    finally:
        ws.CloseHandle(made.port)


def clean(ws: Target, event: int | None = None) -> Any:
    """A record in which it shows what is written."""
    record = ws.overlapped(event)
    record.Internal = record.InternalHigh = UNREAD
    return record


# ---- association -----------------------------------------------------------------------------------------------------


@case(
    "ports.association.once-and-for-good",
    chapter=CHAPTER,
    source=f"{INDICATIONS}; {CREATE}",
    basis="documented",
    requirements=["R2.20"],
)
def a_socket_has_one_port(ws: Target) -> None:
    """A second association fails with ERROR_INVALID_PARAMETER, with the same port and with another one."""
    with ws.closing(ws.tcp()) as s, tied(ws, s) as port:
        other = ws.CreateIoCompletionPort(NO_FILE, 0, 0, 0)
        for again in (port.port, other):
            with fails_with(ERROR_INVALID_PARAMETER):
                ws.CreateIoCompletionPort(s, again, KEY, 0)
        ws.CloseHandle(other)


@case(
    "ports.association.with-a-new-port",
    chapter=CHAPTER,
    source=CREATE,
    basis="documented",
    requirements=["R2.20"],
)
def a_port_can_be_made_with_its_socket(ws: Target) -> None:
    """CreateIoCompletionPort with a socket and no port makes one that is told of the socket's requests."""
    with ws.connected_pair() as (client, server):
        port = ws.CreateIoCompletionPort(server, 0, 7, 0)
        record = clean(ws)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        ws.send(client, b"data")
        got = ws.GetQueuedCompletionStatus(port, LONG_MS)
        expect("packet", expected=(4, 7, ws.token(record)), actual=got)
        ws.CloseHandle(port)


@case(
    "ports.association.refused-{row}",
    chapter=CHAPTER,
    source=CREATE,
    basis="documented",
    requirements=["R2.20", "R6.1"],
    rows={
        "no-handle": Row("closed", ERROR_INVALID_HANDLE),
        "no-port": Row("event", ERROR_INVALID_HANDLE),
        "not-overlapped": Row("plain", ERROR_INVALID_PARAMETER),
        "port-without-file": Row("alone", ERROR_INVALID_PARAMETER),
    },
)
def an_association_needs_a_port_and_an_overlapped_socket(ws: Target, what: str, code: int) -> None:
    """A closed handle, an event in the place of the port, a socket without the overlapped attribute, no file."""
    plain = ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    with ws.closing(plain, ws.tcp()) as (_, s):
        port, event = ws.CreateIoCompletionPort(NO_FILE, 0, 0, 0), ws.WSACreateEvent()
        file = {"closed": CLOSED, "plain": plain, "alone": NO_FILE}.get(what, s)
        with fails_with(code):
            ws.CreateIoCompletionPort(file, event if what == "event" else port, KEY, 0)
        ws.CloseHandle(port)
        ws.WSACloseEvent(event)


@case(
    "ports.association.all-descriptors",
    chapter=CHAPTER,
    source=f"{INDICATIONS}; WinSock/shared-sockets-2",
    basis="documented",
    requirements=["R2.20"],
)
def an_association_is_for_all_descriptors_of_a_socket(ws: Target) -> None:
    """A socket is shared before and after it gets its port: requests on each are told to it, with its key."""
    with ws.connected_pair() as (client, server):
        me = ws.GetCurrentProcessId()
        before = ws.WSASocket(-1, -1, -1, ws.WSADuplicateSocket(server, me), 0, WSA_FLAG_OVERLAPPED)
        with tied(ws, server) as port:
            after = ws.WSASocket(-1, -1, -1, ws.WSADuplicateSocket(server, me), 0, WSA_FLAG_OVERLAPPED)
            with ws.closing(before, after):
                for s in (before, after, server):
                    record = clean(ws)
                    expect("result", expected=PENDING, actual=ws.WSARecv(s, [bytearray(4)], 0, record))
                    ws.send(client, b"data")
                    port.packet(record, 4)
                for s in (before, after):
                    with fails_with(ERROR_INVALID_PARAMETER):
                        ws.CreateIoCompletionPort(s, port.port, KEY, 0)


@case(
    "ports.association.while-pending",
    chapter=CHAPTER,
    source=PORTS,
    basis="observed",
    requirements=["R2.20", "R6.8"],
)
def a_request_that_pends_is_told_to_a_port_of_later(ws: Target) -> None:
    """The port is associated while a receive pends; its packet comes."""
    with ws.connected_pair() as (client, server):
        record = clean(ws)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        with tied(ws, server) as port:
            ws.send(client, b"data")
            port.packet(record, 4)


# ---- packets ---------------------------------------------------------------------------------------------------------


@case(
    "ports.packet.read-pends",
    chapter=CHAPTER,
    source=PORT_TEST,
    basis="observed",
    behaviours=["iocp-read-pends", "iocp-read-packet"],
    requirements=["T6.1", "R6.8", "R6.11"],
)
def a_receive_that_pends_posts_one_packet(ws: Target) -> None:
    """No packet while the receive pends; data posts one with bytes, key and record, and no other."""
    with ws.connected_pair() as (client, server), tied(ws, server) as port:
        record = clean(ws)
        buffer = bytearray(64)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [buffer], 0, record))
        port.empty()
        ws.send(client, b"twelve bytes")
        port.packet(record, 12)
        expect("record", expected=(STATUS_SUCCESS, 12), actual=(record.Internal, record.InternalHigh))
        expect("data", expected=b"twelve bytes", actual=bytes(buffer[:12]))
        port.empty(0)


@case(
    "ports.packet.at-once",
    chapter=CHAPTER,
    source=f"{PORTS}; WinSock/overlapped-i-o-and-event-objects-2",
    basis="documented",
    requirements=["R6.10", "T6.1"],
)
def a_request_that_completes_at_once_posts_a_packet(ws: Target) -> None:
    """A send and a receive that return their byte counts have posted a packet each."""
    with ws.connected_pair() as (client, server), tied(ws, server) as port:
        sent, received = clean(ws), clean(ws)
        expect("send", expected=4, actual=ws.WSASend(server, [b"data"], 0, sent))
        ws.send_and_settle(client, b"more")
        expect("receive", expected=4, actual=ws.WSARecv(server, [bytearray(8)], 0, received))
        port.packet(sent, 4)
        port.packet(received, 4)
        port.empty(0)


@case(
    "ports.packet.event-too",
    chapter=CHAPTER,
    source="WinSock/summary-of-overlapped-completion-indication-mechanisms-in-the-spi-2",
    basis="documented",
    requirements=["T6.1", "R6.8"],
)
def a_request_with_an_event_posts_a_packet_as_well(ws: Target) -> None:
    """hEvent is given and the socket has a port: the event is set and the packet comes."""
    event = ws.WSACreateEvent()
    with ws.connected_pair() as (client, server), tied(ws, server) as port:
        record = clean(ws, event)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        ws.send(client, b"data")
        expect("event", expected=WSA_WAIT_EVENT_0, actual=ws.WSAWaitForMultipleEvents([event], False, LONG_MS))
        port.packet(record, 4)
    ws.WSACloseEvent(event)


@case(
    "ports.packet.low-bit-{row}",
    chapter=CHAPTER,
    source=CONNECT_TEST,
    basis="observed",
    behaviours=["iocp-event-low-bit"],
    requirements=["R6.9", "T6.1"],
    rows={"at-once": Row(True), "later": Row(False)},
)
def the_lowest_bit_of_the_event_keeps_the_packet_away(ws: Target, at_once: bool) -> None:
    """hEvent with its lowest bit set: the event is set when the request completes, and no packet is posted."""
    event = ws.WSACreateEvent()
    with ws.connected_pair() as (client, server), tied(ws, server) as port:
        record = clean(ws, event | 1)
        if at_once:
            ws.send_and_settle(client, b"data")
            expect("result", expected=4, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        else:
            expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
            ws.send(client, b"data")
        expect("event", expected=WSA_WAIT_EVENT_0, actual=ws.WSAWaitForMultipleEvents([event], False, LONG_MS))
        port.empty()
    ws.WSACloseEvent(event)


@case(
    "ports.packet.low-bit-connect",
    chapter=CHAPTER,
    source=CONNECT_TEST,
    basis="observed",
    behaviours=["iocp-event-low-bit"],
    requirements=["R6.9"],
)
def a_connection_without_a_packet(ws: Target) -> None:
    """ConnectEx with the lowest bit of hEvent set: the event is set, no packet comes."""
    event = ws.WSACreateEvent()
    with ws.listener() as listening, ws.closing(ws.tcp()) as s, tied(ws, s, 0) as port:
        ws.bind(s, loopback())
        record = clean(ws, event | 1)
        expect("result", expected=PENDING, actual=ws.ConnectEx(s, ws.getsockname(listening), None, record))
        expect("event", expected=WSA_WAIT_EVENT_0, actual=ws.WSAWaitForMultipleEvents([event], False, LONG_MS))
        port.empty()
        peer, _ = ws.accept(listening)
        ws.closesocket(peer)
    ws.WSACloseEvent(event)


@case(
    "ports.packet.order",
    chapter=CHAPTER,
    source=PORTS,
    basis="documented",
    requirements=["R6.22"],
)
def packets_of_a_socket_come_in_order(ws: Target) -> None:
    """Five receives pend; their packets come in the order of the calls, as the data does, several at a time as well."""
    with ws.connected_pair() as (client, server), tied(ws, server) as port:
        records = [clean(ws) for _ in range(5)]
        for record in records:
            expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(2)], 0, record))
        ws.send(client, b"0123456789")
        port.packet(records[0], 2)
        got: list[tuple[int, Any, int, int]] = []
        while len(got) < 4:
            got += ws.GetQueuedCompletionStatusEx(port.port, 8, LONG_MS, False)
        expect("packets", expected=[(KEY, ws.token(record), 0, 2) for record in records[1:]], actual=got)


@case(
    "ports.packet.two-sockets",
    chapter=CHAPTER,
    source=PORTS,
    basis="documented",
    requirements=["R2.20", "T6.1"],
)
def keys_tell_the_sockets_apart(ws: Target) -> None:
    """Two sockets with keys of their own, up to 64 bits, on one port."""
    with ws.connected_pair() as (client, server), tied(ws, server) as port:
        large = 0xFEDCBA9876543210
        ws.CreateIoCompletionPort(client, port.port, large, 0)
        record = clean(ws)
        ws.WSASend(client, [b"data"], 0, record)
        port.packet(record, 4, large)


@case(
    "ports.packet.failed",
    chapter=CHAPTER,
    source="ioapiset/nf-ioapiset-getqueuedcompletionstatus",
    basis="documented",
    requirements=["R6.55", "R2.9"],
)
def a_failed_request_posts_its_failure(ws: Target) -> None:
    """A reset: GetQueuedCompletionStatus fails with ERROR_NETNAME_DELETED and tells key, record and 0 bytes."""
    with ws.connected_pair() as (client, server), tied(ws, server) as port:
        record = clean(ws)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        ws.reset(client)
        port.failed(record, ERROR_NETNAME_DELETED)
        with fails_with(WSAECONNRESET):
            ws.WSAGetOverlappedResult(server, record, False)


@case(
    "ports.packet.warning",
    chapter=CHAPTER,
    source="ioapiset/nf-ioapiset-getqueuedcompletionstatus",
    basis="observed",
    requirements=["R6.40"],
)
def a_datagram_that_was_cut_posts_more_data(ws: Target) -> None:
    """A datagram that is too large: ERROR_MORE_DATA with the bytes that fit; Winsock says WSAEMSGSIZE."""
    with ws.udp_pair() as (a, b), tied(ws, b) as port:
        record = clean(ws)
        expect("result", expected=PENDING, actual=ws.WSARecv(b, [bytearray(4)], 0, record))
        ws.send(a, b"datagram")
        port.failed(record, 234, 4)
        with fails_with(WSAEMSGSIZE):
            ws.WSAGetOverlappedResult(b, record, False)


@case(
    "ports.packet.end-of-stream",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsarecv",
    basis="documented",
    requirements=["R6.55"],
)
def the_end_of_a_stream_is_a_packet_of_no_bytes(ws: Target) -> None:
    """The peer ends in good order: the packet of the receive succeeds with 0 bytes."""
    with ws.connected_pair() as (client, server), tied(ws, server) as port:
        record = clean(ws)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        ws.closesocket(client)
        port.packet(record, 0)


@case(
    "ports.packet.routine-refused",
    chapter=CHAPTER,
    source=f"{INDICATIONS}; {RECV_TEST}",
    basis="observed",
    behaviours=["wsarecv-routine-on-port"],
    requirements=["R6.8", "T6.1"],
)
def a_socket_with_a_port_takes_no_routines(ws: Target) -> None:
    """A completion routine on a socket with a port is WSAEINVAL, and is never called."""
    told: list[int] = []
    with ws.connected_pair() as (client, server), tied(ws, server) as port:
        with fails_with(WSAEINVAL):
            ws.WSARecv(server, [bytearray(4)], 0, clean(ws), lambda *outcome: told.append(1))
        ws.send(client, b"data")
        ws.SleepEx(A_MOMENT_MS, True)
        port.empty(0)
        expect("data", expected=b"data", actual=ws.receive_exactly(server, 4))
    expect("calls", expected=[], actual=told)


# ---- control codes ---------------------------------------------------------------------------------------------------

Asked = Callable[[Target, int], tuple[int, bytes | None, int, int]]  # code, input, room, bytes told by the call


def _address_list_size(ws: Target, s: int) -> int:
    return len(ws.WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, None, 1024))


CODES: dict[str, Row] = {
    "unread-bytes": Row(FIONREAD, None, 4, 4, behaviours=["fionread-overlapped-port"]),
    "mark": Row(SIOCATMARK, None, 4, 4, behaviours=["fionread-overlapped-port"]),
    "mode": Row(FIONBIO, b"\1\0\0\0", 0, 0, behaviours=["fionbio-overlapped-port"]),
    "extension-function": Row(
        SIO_GET_EXTENSION_FUNCTION_POINTER, WSAID_ACCEPTEX.bytes_le, 8, 8, behaviours=["extfunc-overlapped-port"]
    ),
    "route": Row(SIO_ROUTING_INTERFACE_QUERY, "loopback", 16, 16, behaviours=["routeq-overlapped-port"]),
    "addresses": Row(SIO_ADDRESS_LIST_QUERY, None, 1024, None, behaviours=["addrlist-overlapped-port"]),
}


@case(
    "ports.control.{row}",
    chapter=CHAPTER,
    source=IOCTL_TEST,
    basis="observed",
    requirements=["R6.7", "R6.10"],
    rows=CODES,
)
def a_control_code_completes_at_once_with_a_packet_of_no_bytes(
    ws: Target, code: int, given: bytes | str | None, room: int, told: int | None
) -> None:
    """The call returns the output; a packet with 0 bytes is posted, Internal and InternalHigh are 0."""
    with ws.connected_pair() as (_, s), tied(ws, s, 123) as port:
        data = loopback() if isinstance(given, str) else given
        record = clean(ws)
        output = ws.WSAIoctl(s, code, data, room, record)
        if told is None:
            told = _address_list_size(ws, s)
        if not callable(output):  # a function, where C has its address
            expect("bytes", expected=told, actual=len(output))
        expect("record", expected=(0, 0), actual=(record.Internal, record.InternalHigh))
        port.packet(record, 0, 123)
        port.empty(0)


@case(
    "ports.control.unknown-{row}",
    chapter=CHAPTER,
    source=IOCTL_TEST,
    basis="observed",
    behaviours=["badioctl-overlapped-pending", "badioctl-overlapped-packet"],
    requirements=["R6.7", "R6.11"],
    rows={
        "deadbeef": Row(0xDEADBEEF),
        "async": Row(FIOASYNC),
        "667e": Row(0x667E),
        "flush": Row(FLUSH, requirements=["R6.53"]),
        "base-handle": Row(SIO_BASE_HANDLE, behaviours=["basehandle-overlapped"]),
    },
)
def an_unknown_control_code_pends_and_fails(ws: Target, code: int) -> None:
    """WSA_IO_PENDING with nothing stored; the packet says ERROR_NOT_SUPPORTED, Internal STATUS_NOT_SUPPORTED."""
    with ws.connected_pair() as (_, s), tied(ws, s) as port:
        record = clean(ws)
        expect("result", expected=PENDING, actual=ws.WSAIoctl(s, code, None, 8, record))
        port.failed(record, ERROR_NOT_SUPPORTED)
        expect("record", expected=(STATUS_NOT_SUPPORTED, 0), actual=(record.Internal, record.InternalHigh))


@case(
    "ports.control.address-change",
    chapter=CHAPTER,
    source=IOCTL_TEST,
    basis="observed",
    behaviours=["addrchange-overlapped", "addrchange-port-empty", "addrchange-close-cancels"],
    requirements=["R6.7", "R6.48", "R6.107"],
)
def a_wait_for_a_change_pends_and_closing_aborts_it(ws: Target) -> None:
    """SIO_ADDRESS_LIST_CHANGE pends in either mode, no packet comes; closing posts ERROR_OPERATION_ABORTED."""
    for nonblocking in (False, True):
        s = ws.tcp()
        ws.bind(s, loopback())
        ws.nonblocking(s, nonblocking)
        with tied(ws, s) as port, ws.closing(s):
            record = clean(ws)
            expect("result", expected=PENDING, actual=ws.WSAIoctl(s, SIO_ADDRESS_LIST_CHANGE, None, 0, record))
            port.empty(0)
            ws.closesocket(s)
            port.failed(record, ERROR_OPERATION_ABORTED)


# ---- modes -----------------------------------------------------------------------------------------------------------


@case(
    "ports.modes.skip-packet",
    chapter=CHAPTER,
    source=MODES,
    basis="documented",
    requirements=["R6.10", "R6.11"],
)
def packets_of_requests_that_complete_at_once_can_be_skipped(ws: Target) -> None:
    """FILE_SKIP_COMPLETION_PORT_ON_SUCCESS: no packet for what completes at once, one for what pends first."""
    with ws.connected_pair() as (client, server), tied(ws, server) as port:
        ws.SetFileCompletionNotificationModes(server, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)
        expect("send", expected=4, actual=ws.WSASend(server, [b"data"], 0, clean(ws)))
        port.empty()
        record = clean(ws)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        ws.send(client, b"data")
        port.packet(record, 4)


@case(
    "ports.modes.accumulate",
    chapter=CHAPTER,
    source=MODES,
    basis="documented",
    requirements=["R6.10"],
)
def modes_are_for_good(ws: Target) -> None:
    """A mode that was set stays set when other flags, or none, are set later."""
    with ws.connected_pair() as (_, server), tied(ws, server) as port:
        ws.SetFileCompletionNotificationModes(server, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)
        ws.SetFileCompletionNotificationModes(server, FILE_SKIP_SET_EVENT_ON_HANDLE)
        ws.SetFileCompletionNotificationModes(server, 0)
        ws.WSASend(server, [b"data"], 0, clean(ws))
        port.empty()


@case(
    "ports.modes.refused",
    chapter=CHAPTER,
    source=MODES,
    basis="documented",
    requirements=["R6.1"],
)
def modes_need_an_overlapped_socket(ws: Target) -> None:
    """Not for a socket without the overlapped attribute, nor for a closed handle."""
    with ws.closing(ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP)) as s, fails_with(ERROR_INVALID_PARAMETER):
        ws.SetFileCompletionNotificationModes(s, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)
    with fails_with(ERROR_INVALID_HANDLE):
        ws.SetFileCompletionNotificationModes(CLOSED, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)


# ---- ends ------------------------------------------------------------------------------------------------------------


@case(
    "ports.close.idle",
    chapter=CHAPTER,
    source=PORT_TEST,
    basis="observed",
    behaviours=["iocp-close-idle"],
    requirements=["R6.48"],
)
def closing_an_idle_socket_posts_nothing(ws: Target) -> None:
    """A socket on a port, selected for messages, is closed with nothing pending: no packet and no message."""
    with ws.window() as hwnd, ws.connected_pair() as (_, server), tied(ws, server) as port:
        every = FD_READ | FD_WRITE | FD_OOB | FD_ACCEPT | FD_CONNECT | FD_CLOSE
        ws.WSAAsyncSelect(server, hwnd, WM_USER, every)
        ws.until("ready to send", ws.messages)
        ws.closesocket(server)
        port.empty()
        expect("messages", expected=[], actual=ws.messages())


@case(
    "ports.close.pending-send-to-nobody",
    chapter=CHAPTER,
    source="winsock/nf-winsock-closesocket",
    basis="documented",
    requirements=["R6.48", "R6.49"],
)
def closing_posts_the_packets_of_what_pends(ws: Target) -> None:
    """A datagram receive pends on a socket with a port; closing it posts ERROR_OPERATION_ABORTED with its record."""
    s = ws.udp()
    ws.bind(s, loopback())
    with tied(ws, s) as port, ws.closing(s):
        record = clean(ws)
        expect("result", expected=PENDING, actual=ws.WSARecv(s, [bytearray(4)], 0, record))
        ws.closesocket(s)
        port.failed(record, ERROR_OPERATION_ABORTED)


@case(
    "ports.thread.exit-keeps-its-requests-{row}",
    chapter=CHAPTER,
    source=PORT_TEST,
    basis="observed",
    behaviours=["iocp-thread-exit-keeps-recv"],
    requirements=["R6.38"],
    rows={
        "then-data": Row(False, behaviours=["iocp-thread-read-completes"]),
        "then-closed": Row(True, behaviours=["iocp-thread-close-packet"]),
    },
)
def requests_of_a_socket_with_a_port_outlive_their_thread(ws: Target, close: bool) -> None:
    """A thread issues a receive on a socket with a port and ends: the request pends until data comes, or the close."""
    with ws.connected_pair() as (client, server), tied(ws, server) as port:
        record = clean(ws)
        with ws.thread() as other:
            got = other.call(ws.WSARecv, server, [bytearray(64)], 0, record)
            expect("result", expected=PENDING, actual=got)
        port.empty()
        expect("Internal", expected=STATUS_PENDING, actual=record.Internal)
        if close:
            ws.closesocket(server)
            port.failed(record, ERROR_CONNECTION_ABORTED)
            expect("Internal", expected=STATUS_CONNECTION_ABORTED, actual=record.Internal)
        else:
            ws.send(client, b"twelve bytes")
            port.packet(record, 12)


@case(
    "ports.port.closed-first",
    chapter=CHAPTER,
    source=PORTS,
    basis="choice",
    requirements=["R2.20"],
)
def requests_complete_without_their_port(ws: Target) -> None:
    """The port is closed while a receive pends: the receive completes, and its record says so."""
    with ws.connected_pair() as (client, server):
        port = ws.CreateIoCompletionPort(server, 0, KEY, 0)
        record = clean(ws)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        ws.CloseHandle(port)
        ws.send(client, b"data")
        ws.until("complete", lambda: ws.SleepEx(0, True) or record.Internal == STATUS_SUCCESS)
        expect("result", expected=(4, 0), actual=ws.WSAGetOverlappedResult(server, record, False))


@case(
    "ports.wait.not-with-events",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpucreatesockethandle",
    basis="documented",
    requirements=["R2.6"],
)
def a_wait_mixes_events_and_routines_but_not_ports(ws: Target) -> None:
    """One alertable wait ends by an event or by a routine; a packet on a port ends no wait for events."""
    event = ws.WSACreateEvent()
    told: list[tuple[int, int]] = []
    with ws.connected_pair() as (client, server), ws.connected_pair() as (third, fourth), tied(ws, fourth) as port:
        record, routed, ported = clean(ws, event), clean(ws), clean(ws)
        ws.WSARecv(server, [bytearray(4)], 0, record)
        got = ws.WSARecv(client, [bytearray(4)], 0, routed, lambda error, moved, *_: told.append((error, moved)))
        expect("result", expected=PENDING, actual=got)
        ws.WSARecv(fourth, [bytearray(4)], 0, ported)
        ws.send(third, b"port")
        expect("wait", expected=WAIT_TIMEOUT, actual=ws.WSAWaitForMultipleEvents([event], False, A_MOMENT_MS, True))
        ws.send(server, b"back")
        expect("wait", expected=0xC0, actual=ws.WSAWaitForMultipleEvents([event], False, LONG_MS, True))
        expect("calls", expected=[(0, 4)], actual=told)
        ws.send(client, b"data")
        expect("wait", expected=0, actual=ws.WSAWaitForMultipleEvents([event], False, LONG_MS, True))
        port.packet(ported, 4)
    ws.WSACloseEvent(event)


@case(
    "ports.workers.each-packet-once",
    chapter=CHAPTER,
    source=PORTS,
    basis="documented",
    requirements=["R6.11"],
    seconds=40,
)
def several_threads_share_the_packets(ws: Target) -> None:
    """Forty receives on forty datagram sockets, four threads on the port: each packet goes to one thread, once."""
    count = 40
    port = ws.CreateIoCompletionPort(NO_FILE, 0, 0, 0)
    with contextlib.ExitStack() as stack:
        sender = stack.enter_context(ws.closing(ws.udp()))
        ws.bind(sender, loopback())
        sockets = [stack.enter_context(ws.closing(ws.udp())) for _ in range(count)]
        for key, s in enumerate(sockets):
            ws.bind(s, loopback())
            ws.CreateIoCompletionPort(s, port, key, 0)
            expect("result", expected=PENDING, actual=ws.WSARecv(s, [bytearray(4)], 0, clean(ws)))
        workers = [stack.enter_context(ws.thread()) for _ in range(4)]

        keys: list[int] = []

        def work() -> None:
            while True:
                moved, key, _ = ws.GetQueuedCompletionStatus(port, LONG_MS)
                if moved == 0:
                    return
                keys.append(key)

        working = [worker.start(work) for worker in workers]
        for s in sockets:
            ws.sendto(sender, b"data", 0, ws.getsockname(s))
        ws.until("all are told", lambda: len(keys) >= count)
        for _ in workers:
            ws.PostQueuedCompletionStatus(port, 0, 0, 0)
        for each in working:
            each.result()
        expect("keys", expected=list(range(count)), actual=sorted(keys))
    ws.CloseHandle(port)


@case(
    "ports.association.routine-first",
    chapter=CHAPTER,
    source=INDICATIONS,
    basis="observed",
    requirements=["R6.8"],
)
def a_routine_that_was_given_before_the_port_is_called(ws: Target) -> None:
    """A receive with a routine pends, then the socket gets a port: the routine is called, no packet is posted."""
    told: list[int] = []
    with ws.connected_pair() as (client, server):
        record = clean(ws)
        got = ws.WSARecv(server, [bytearray(4)], 0, record, lambda error, moved, *_: told.append(moved))
        expect("result", expected=PENDING, actual=got)
        with tied(ws, server) as port:
            ws.send(client, b"data")
            expect("wait", expected=0xC0, actual=ws.SleepEx(LONG_MS, True))
            port.empty(0)
    expect("calls", expected=[4], actual=told)
