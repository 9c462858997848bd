"""After the end: what a socket can still be used for, and how ends are told where they are no empty receive."""

from __future__ import annotations

from ..addresses import loopback, port_of
from ..constants import (
    SD_BOTH,
    SD_SEND,
    SOCK_SEQPACKET,
    TF_REUSE_SOCKET,
    WSAECONNRESET,
    WSAEDISCON,
    WSAEISCONN,
    XP1_GRACEFUL_CLOSE,
    XP1_GUARANTEED_DELIVERY,
    XP1_GUARANTEED_ORDER,
    XP1_MESSAGE_ORIENTED,
)
from ..model import Row, case
from ..providers import PEER, Provider, protocol
from ..target import Target
from ..verify import expect, fails_with, not_applicable

CHAPTER = "Shutdown and closing"
SHUTDOWN = "winsock/nf-winsock-shutdown"
RECEIVE = "winsock2/nf-winsock2-wsarecv"
DISCONNECTEX = "mswsock/nc-mswsock-lpfn_disconnectex"
INFO = "winsock2/ns-winsock2-wsaprotocol_infow"


@case(
    "closing.reuse.not-by-connect",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}, remarks; Wine's public test sock.c:test_DisconnectEx, which passes on Windows",
    basis="observed",
    requirements=["R12.7"],
)
def connect_does_not_reuse_a_socket(ws: Target) -> None:
    """A connection that both ends have shut down is one still: connect fails with WSAEISCONN."""
    with ws.connected_pair() as (client, server), ws.listener() as listening:
        for s in (client, server):
            ws.shutdown(s, SD_BOTH)
        with fails_with(WSAEISCONN):
            ws.connect(client, ws.getsockname(listening))


@case(
    "closing.reuse.by-disconnectex",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}, remarks; {DISCONNECTEX}, TF_REUSE_SOCKET",
    basis="documented",
    requirements=["R12.7"],
)
def disconnectex_makes_a_socket_new(ws: Target) -> None:
    """DisconnectEx with TF_REUSE_SOCKET makes a socket that ConnectEx can connect again, after a shutdown, too."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        ws.bind(s, loopback())
        for answer in (b"first", b"second"):
            record = ws.overlapped()
            ws.ConnectEx(s, ws.getsockname(listening), None, record)
            ws.WSAGetOverlappedResult(s, record, True)
            ws.setsockopt(s, 0xFFFF, 0x7010, b"")  # SO_UPDATE_CONNECT_CONTEXT
            server, _ = ws.accept(listening)
            with ws.closing(server):
                ws.send(server, answer)
                ws.shutdown(server, SD_SEND)
                expect("answer", expected=answer, actual=ws.receive_exactly(s, len(answer)))
                ws.shutdown(s, SD_SEND)
                ws.DisconnectEx(s, None, TF_REUSE_SOCKET)


@case(
    "closing.sequence.overlapped",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}, remarks",
    basis="documented",
    requirements=["R12.31"],
)
def overlapped_receives_tell_the_end(ws: Target) -> None:
    """After SD_SEND overlapped receives give all that the peer still sends, then 0 bytes; then the socket is closed."""
    with ws.connected_pair() as (client, server):
        ws.shutdown(client, SD_SEND)
        expect("end of what the server gets", expected=0, actual=ws.recv(server, bytearray(1)))
        ws.send(server, b"the rest")
        ws.closesocket(server)
        found, moved = b"", -1
        for _ in range(9):
            record, room = ws.overlapped(), bytearray(3)
            ws.WSARecv(client, [room], 0, record)
            moved, _ = ws.WSAGetOverlappedResult(client, record, True)
            if not moved:
                break
            found += room[:moved]
        expect("received before the end", expected=b"the rest", actual=found)
        expect("bytes of the last receive", expected=0, actual=moved)
        ws.closesocket(client)


#: A program that connects to a port, sends, and ends without closing anything.
LEAVES = """
import ctypes, sys

ws2_32 = ctypes.WinDLL("ws2_32")
ws2_32.WSAStartup(0x0202, ctypes.create_string_buffer(512))
s = ctypes.c_void_p(ws2_32.socket(2, 1, 6))
if len(sys.argv) > 2:
    assert ws2_32.setsockopt(s, 0xFFFF, 0x80, bytes.fromhex(sys.argv[2]), 4) == 0
name = b"\\2\\0" + int(sys.argv[1]).to_bytes(2, "big") + b"\\x7f\\0\\0\\1" + bytes(8)
assert ws2_32.connect(s, name, 16) == 0
data = b"last words" * 100_000
assert ws2_32.send(s, data, len(data), 0) == len(data)
"""


@case(
    "closing.exit.{row}",
    chapter=CHAPTER,
    source="winsock/closing-sockets-2",
    basis="documented",
    requirements=["R2.23", "A50"],
    seconds=60,
    rows={"graceful": Row((), 0), "linger": Row(("01000500",), 0), "abortive": Row(("01000000",), WSAECONNRESET)},
)
def end_of_a_process_closes_its_sockets(ws: Target, linger: tuple[str, ...], code: int) -> None:
    """A process that ends has its sockets closed as closesocket would: all data and the end, or a reset."""
    if not ws.in_process:
        not_applicable(f"target {ws.name} starts no child processes")
    with ws.listener() as listening, ws.thread() as other:
        running = other.start(ws.run_program, LEAVES, str(port_of(ws.getsockname(listening))), *linger)
        ws.wait_readable(listening, 30)
        server, _ = ws.accept(listening)
        with ws.closing(server):
            if code:
                ws.receive_exactly(server, 900_000)  # or its send would not be over
                ws.until("the program has ended", lambda: running.finished_within(0.01), 30)
                with fails_with(code):
                    ws.receive_exactly(server, 100_001)
            else:
                data = ws.receive_exactly(server, 1_000_000)
                expect("data", expected=b"last words" * 100_000, actual=data)
                expect("end", expected=0, actual=ws.recv(server, bytearray(1)))
                ws.until("the program has ended", lambda: running.finished_within(0.01), 30)
            running.result()


@case(
    "closing.messages.end-is-a-code",
    chapter=CHAPTER,
    source=f"{RECEIVE}, return value and remarks: message-oriented sockets; {INFO}, XP1_MESSAGE_ORIENTED",
    basis="documented",
    requirements=["R12.35"],
    needs_provider=True,
)
def empty_message_is_no_end(ws: Target) -> None:
    """On a connection of messages 0 bytes are an empty message; the end is WSAEDISCON, which comes through."""
    flags = XP1_MESSAGE_ORIENTED | XP1_GRACEFUL_CLOSE | XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER
    row = protocol(2, SOCK_SEQPACKET, 77, service_flags1=flags)
    with ws.provider(Provider(protocols=(row,))) as recorder, ws.closing(ws.socket(2, SOCK_SEQPACKET, 77)) as s:
        ws.connect(s, PEER)
        for message in (b"", b"hello", b""):
            recorder.receives(message)
            expect("bytes", expected=len(message), actual=ws.recv(s, bytearray(8)))
        recorder.fails("WSPRecv", WSAEDISCON)
        with fails_with(WSAEDISCON):
            ws.recv(s, bytearray(8))
        with fails_with(WSAEDISCON):
            ws.WSARecv(s, [bytearray(8)])
