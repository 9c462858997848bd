"""WSASendDisconnect and WSARecvDisconnect: the ends of a connection's two directions, and the data TCP/IP has not."""

from __future__ import annotations

from collections.abc import Callable

from ..constants import (
    MSG_PEEK,
    SD_RECEIVE,
    SD_SEND,
    WSAECONNRESET,
    WSAEFAULT,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSANOTINITIALISED,
    XP1_CONNECT_DATA,
    XP1_DISCONNECT_DATA,
)
from ..model import Row, case
from ..providers import PEER, Provider, protocol
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with

CHAPTER = "Shutdown and closing"
SEND = "winsock2/nf-winsock2-wsasenddisconnect"
RECEIVE = "winsock2/nf-winsock2-wsarecvdisconnect"
DATA = XP1_CONNECT_DATA | XP1_DISCONNECT_DATA
ENDS: dict[str, Callable[[Target, int], object]] = {
    "send": lambda ws, s: ws.WSASendDisconnect(s),
    "receive": lambda ws, s: ws.WSARecvDisconnect(s),
}


def code_of(call: Callable[..., object], *arguments: object) -> int:
    """Return the code that a call fails with, 0 when it succeeds."""
    try:
        call(*arguments)
    except Failed as failure:
        return failure.code
    return 0


# ---- what is left in TCP ---------------------------------------------------------------------------------------------


@case(
    "closing.disconnect.no-data-in-tcp-ip",
    chapter=CHAPTER,
    source=f"{SEND}, remarks; winsock2/nf-winsock2-wsaconnect, remarks",
    basis="documented",
    requirements=["R11.47"],
)
def tcp_ip_has_no_such_data(ws: Target) -> None:
    """No row of TCP/IP has XP1_CONNECT_DATA or XP1_DISCONNECT_DATA."""
    rows = {row.name: row.service_flags1 & DATA for row in ws.WSAEnumProtocols() if row.address_family in (2, 23)}
    expect("flags", expected=dict.fromkeys(rows, 0), actual=rows)


@case(
    "closing.disconnect.send",
    chapter=CHAPTER,
    source=f"{SEND}, remarks",
    basis="documented",
    requirements=["R11.52"],
)
def send_disconnect_ends_sending(ws: Target) -> None:
    """WSASendDisconnect without data is shutdown(SD_SEND): the peer gets all data and the end, and can still send."""
    with ws.connected_pair() as (client, server):
        ws.send(client, b"last words")
        ws.WSASendDisconnect(client)
        expect("data", expected=b"last words", actual=ws.receive_exactly(server, 10))
        expect("end of stream", expected=0, actual=ws.recv(server, bytearray(4)))
        with fails_with(WSAESHUTDOWN):
            ws.send(client, b"more")
        ws.send_and_settle(server, b"answer")
        expect("answer", expected=b"answer", actual=ws.receive_exactly(client, 6))
        ws.WSASendDisconnect(client)


@case(
    "closing.disconnect.receive",
    chapter=CHAPTER,
    source=f"{RECEIVE}, remarks",
    basis="documented",
    requirements=["R11.53"],
)
def receive_disconnect_ends_receiving(ws: Target) -> None:
    """WSARecvDisconnect without data is shutdown(SD_RECEIVE): no more receives; sending goes on."""
    with ws.connected_pair() as (client, server):
        expect("disconnect data", expected=b"", actual=ws.WSARecvDisconnect(client))
        with fails_with(WSAESHUTDOWN):
            ws.recv(client, bytearray(4))
        ws.send_and_settle(client, b"still here")
        expect("what the peer gets", expected=b"still here", actual=ws.receive_exactly(server, 10))


@case(
    "closing.disconnect.unread-data",
    chapter=CHAPTER,
    source=f"{RECEIVE}, remarks",
    basis="documented",
    requirements=["R11.53"],
)
def data_that_nobody_can_read_resets(ws: Target) -> None:
    """Data that arrives after WSARecvDisconnect resets the connection."""
    with ws.connected_pair() as (client, server):
        ws.WSARecvDisconnect(client)
        ws.send(server, b"for nobody")
        ws.wait_readable(server)
        with fails_with(WSAECONNRESET):
            ws.recv(server, bytearray(4))


@case(
    "closing.disconnect.resources-{row}",
    chapter=CHAPTER,
    source=f"{SEND}; {RECEIVE}, remarks",
    basis="documented",
    requirements=["R11.56"],
    rows={name: Row(end) for name, end in ENDS.items()},
)
def socket_is_still_open(ws: Target, end: Callable[[Target, int], object]) -> None:
    """Neither call closes the socket: it has its names and options until closesocket."""
    with ws.connected_pair() as (client, server):
        names = ws.getsockname(client), ws.getpeername(client)
        end(ws, client)
        expect("names", expected=names, actual=(ws.getsockname(client), ws.getpeername(client)))
        expect("a second time", expected=ws.getsockname(server), actual=ws.getpeername(client))
        end(ws, client)
        ws.closesocket(client)
        with fails_with(WSAENOTSOCK):
            end(ws, client)


@case(
    "closing.disconnect.never-blocks",
    chapter=CHAPTER,
    source=f"{SEND}, remarks on SO_LINGER",
    basis="documented",
    requirements=["R11.52", "R11.53"],
)
def linger_time_makes_nobody_wait(ws: Target) -> None:
    """With a linger time and a peer that takes nothing both calls return at once."""
    with ws.connected_pair() as (client, _):
        ws.nonblocking(client)
        while ws.writable(client):
            ws.send(client, bytes(65536))
        ws.nonblocking(client, False)
        ws.setsockopt(client, 0xFFFF, 0x0080, b"\x01\x00\x1e\x00")  # SO_LINGER, 30 seconds
        with ws.thread() as other:
            other.start(ws.WSASendDisconnect, client).result()
            other.start(ws.WSARecvDisconnect, client).result()
        ws.reset(client)


# ---- what is refused -------------------------------------------------------------------------------------------------


@case(
    "closing.disconnect.data-refused",
    chapter=CHAPTER,
    source=f"{SEND}; {RECEIVE}: WSAENOPROTOOPT",
    basis="documented",
    requirements=["R11.52", "R11.53", "B35", "B36"],
)
def data_is_refused(ws: Target) -> None:
    """Data, even none of it, is WSAENOPROTOOPT in TCP, and neither direction is ended by the refusal."""
    with ws.connected_pair() as (client, server):
        for data in (b"sum", b""):
            with fails_with(WSAENOPROTOOPT):
                ws.WSASendDisconnect(client, data)
        for room in (100, 0):
            with fails_with(WSAENOPROTOOPT):
                ws.WSARecvDisconnect(client, room)
        ws.send_and_settle(client, b"there")
        ws.send_and_settle(server, b"back")
        expect("there", expected=b"there", actual=ws.receive_exactly(server, 5))
        expect("back", expected=b"back", actual=ws.receive_exactly(client, 4))


@case(
    "closing.disconnect.unconnected-{row}",
    chapter=CHAPTER,
    source=f"{SEND}; {RECEIVE}: WSAENOTCONN",
    basis="documented",
    requirements=["R11.52", "R11.53", "B35", "B36"],
    rows={state: Row(state) for state in ("stream", "bound", "listening")},
)
def no_connection_to_end(ws: Target, state: str) -> None:
    """Without a connection both fail with WSAENOTCONN, whether data is given or not."""
    with ws.socket_in(state) as s:
        for data in (None, b"sum"):
            with fails_with(WSAENOTCONN):
                ws.WSASendDisconnect(s, data)
        for room in (None, 100):
            with fails_with(WSAENOTCONN):
                ws.WSARecvDisconnect(s, room)


@case(
    "closing.disconnect.datagram",
    chapter=CHAPTER,
    source=f"{SEND}, remarks: connection-oriented sockets; {RECEIVE}, remarks on UDP",
    basis="choice",
    requirements=["B35"],
)
def datagram_sockets_have_no_connection(ws: Target) -> None:
    """WSASendDisconnect of a datagram socket is WSAEOPNOTSUPP; WSARecvDisconnect is shutdown(SD_RECEIVE)."""
    with ws.udp_pair() as (s, _):
        with fails_with(WSAEOPNOTSUPP):
            ws.WSASendDisconnect(s)
        ws.WSARecvDisconnect(s)
        with fails_with(WSAESHUTDOWN):
            ws.recv(s, bytearray(4))


@case(
    "closing.disconnect.no-socket-{row}",
    chapter=CHAPTER,
    source=f"{SEND}; {RECEIVE}: WSAENOTSOCK, WSANOTINITIALISED",
    basis="documented",
    requirements=["B35", "B36"],
    manages_startup=True,
    rows={name: Row(end) for name, end in ENDS.items()},
)
def startup_and_socket_come_first(ws: Target, end: Callable[[Target, int], object]) -> None:
    """Before WSAStartup it is WSANOTINITIALISED, then WSAENOTSOCK for a handle that is no socket."""
    with fails_with(WSANOTINITIALISED):
        end(ws, 2**64 - 1)
    ws.WSAStartup(0x0202)
    with fails_with(WSAENOTSOCK):
        end(ws, 2**64 - 1)
    ws.WSACleanup()


@case(
    "closing.disconnect.same-as-shutdown",
    chapter=CHAPTER,
    source=f"{SEND}; {RECEIVE}, remarks",
    basis="documented",
    requirements=["R11.52", "R11.53"],
)
def each_is_a_shutdown(ws: Target) -> None:
    """After each call the same receives and sends fail as after the shutdown it stands for."""

    def outcome(end: Callable[[int], object]) -> list[int]:
        with ws.connected_pair() as (client, _):
            end(client)
            ws.nonblocking(client)
            return [code_of(ws.send, client, b"x"), code_of(ws.recv, client, bytearray(1), MSG_PEEK)]

    sending = outcome(lambda s: ws.shutdown(s, SD_SEND))
    receiving = outcome(lambda s: ws.shutdown(s, SD_RECEIVE))
    expect("after WSASendDisconnect", expected=sending, actual=outcome(ws.WSASendDisconnect))
    expect("after WSARecvDisconnect", expected=receiving, actual=outcome(ws.WSARecvDisconnect))
    expect_true("one sends no more, the other receives no more", sending != receiving, actual=(sending, receiving))


# ---- providers that have the data ------------------------------------------------------------------------------------


@case(
    "closing.disconnect.provider-data",
    chapter=CHAPTER,
    source=f"{SEND}, parameter lpOutboundDisconnectData; {RECEIVE}, parameter lpInboundDisconnectData",
    basis="documented",
    requirements=["R11.52", "R11.53"],
    needs_provider=True,
)
def provider_gets_and_gives_the_data(ws: Target) -> None:
    """A provider with XP1_DISCONNECT_DATA gets what is sent, and the program what it has received, with its length."""
    with ws.provider(Provider(protocols=(protocol(service_flags1=DATA),))) as recorder, ws.closing(ws.tcp()) as s:
        ws.connect(s, PEER)
        recorder.forget()
        recorder.answers("WSPRecvDisconnect", b"grand total")
        ws.WSASendDisconnect(s, b"total")
        expect("received", expected=b"grand total", actual=ws.WSARecvDisconnect(s, 100))
        called = [(call.name, call.args[1:]) for call in recorder.calls]
        expect("calls", expected=[("WSPSendDisconnect", (b"total",)), ("WSPRecvDisconnect", (100,))], actual=called)


@case(
    "closing.disconnect.provider-room",
    chapter=CHAPTER,
    source=f"{RECEIVE}: WSAEFAULT",
    basis="documented",
    requirements=["R11.53", "B36"],
    needs_provider=True,
)
def too_little_room_is_told(ws: Target) -> None:
    """The provider's WSAEFAULT for a buffer that is too small comes through."""
    with ws.provider(Provider(protocols=(protocol(service_flags1=DATA),))) as recorder:
        recorder.fails("WSPRecvDisconnect", WSAEFAULT)
        with ws.closing(ws.tcp()) as s, fails_with(WSAEFAULT):
            ws.WSARecvDisconnect(s, 1)
