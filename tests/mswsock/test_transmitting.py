"""TransmitFile and TransmitPackets: what is sent, in which order, and what becomes of the connection."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.concurrency import until
from tests.loopback import code_of, elsewhere, listener, nonblocking, pair, received, reset, tcp, udp
from tests.mswsock.overlapping import outcome, pends, record
from winsock2emu import kernel32, mswsock
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    ERROR_ACCESS_DENIED,
    ERROR_INVALID_HANDLE,
    ERROR_OPERATION_ABORTED,
    WSAECONNRESET,
    WSAEINVAL,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAESHUTDOWN,
)
from winsock2emu.defs.constants import (
    INVALID_SOCKET,
    SD_SEND,
    TF_DISCONNECT,
    TF_REUSE_SOCKET,
    TF_USE_KERNEL_APC,
    TF_WRITE_BEHIND,
)
from winsock2emu.defs.winbase import (
    FILE_BEGIN,
    FILE_CURRENT,
    FILE_SHARE_READ,
    GENERIC_READ,
    GENERIC_WRITE,
    OPEN_EXISTING,
)
from winsock2emu.kernel.operations import PENDING
from winsock2emu.mswsock import TransmitElement
from winsock2emu.process import Process

pytestmark = pytest.mark.usefixtures("winsock")

CONTENT = bytes(range(256)) * 16
LARGE = bytes(range(251)) * 60_000  # more than the host's buffers of a connection hold


class Opening:
    """Opens files with some content; called, it returns a handle."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handles: list[int] = []
        self._count = 0

    def __call__(self, content: bytes = CONTENT, position: int = 0, access: int = GENERIC_READ) -> int:
        self._count += 1
        path = self._folder / f"file{self._count}"
        path.write_bytes(content)
        file = kernel32.CreateFile(str(path), access, FILE_SHARE_READ, None, OPEN_EXISTING)
        kernel32.SetFilePointerEx(file, position, FILE_BEGIN)
        self._handles.append(file)
        return file

    def close(self) -> None:
        while self._handles:
            kernel32.CloseHandle(self._handles.pop())


@pytest.fixture(params=["sendfile", "without", "in vain"])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, winsock: Process, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Opening]:
    """On a host that can send from files, cannot, or cannot from these."""
    if request.param == "without":
        monkeypatch.delattr(os, "sendfile")
    elif request.param == "in vain":

        def refuse(*arguments: int) -> int:
            raise OSError(errno.EINVAL, "not from this file")

        monkeypatch.setattr(os, "sendfile", refuse)

    opening = Opening(tmp_path)
    yield opening
    opening.close()


def test_whole_file_goes_between_head_and_tail(opened: Opening) -> None:
    """Synchronously, from the file's own position to its end; the position stays."""
    client, server = pair()
    file = opened(position=1000)
    moved = mswsock.TransmitFile(client, file, head=b"head", tail=b"tail")
    expected = b"head" + CONTENT[1000:] + b"tail"
    assert moved == len(expected)
    assert received(server, len(expected)) == expected
    assert kernel32.SetFilePointerEx(file, 0, FILE_CURRENT) == 1000


def test_part_of_a_file_is_where_the_record_says(opened: Opening) -> None:
    """Offset and count; the file's own position does not matter then."""
    client, server = pair()
    overlapped = record()
    overlapped.Offset = 512
    mswsock.TransmitFile(client, opened(position=9), 256, 0, overlapped)
    assert outcome(client, overlapped) == 256
    assert received(server, 256) == CONTENT[512:768]


def test_file_that_is_too_short_is_sent_as_far_as_it_goes(opened: Opening) -> None:
    """More bytes asked for than there are."""
    client, server = pair()
    assert mswsock.TransmitFile(client, opened(b"short"), 100, tail=b"!") == 6
    assert received(server, 6) == b"short!"


def test_file_has_to_be_open_for_reading(opened: Opening) -> None:
    """One that was opened for writing only is refused by the call."""
    client, _ = pair()
    file = opened(access=GENERIC_WRITE)
    assert code_of(mswsock.TransmitFile, client, file) == ERROR_ACCESS_DENIED
    assert code_of(mswsock.TransmitPackets, client, [TransmitElement(file=file)]) == ERROR_ACCESS_DENIED


def test_large_file_pends_and_others_queue_behind_it(opened: Opening) -> None:
    """More than fits on the way: the request pends, and a send comes behind the last byte of it."""
    client, server = pair()
    overlapped, behind = record(), record()
    assert mswsock.TransmitFile(client, opened(LARGE), 0, 0, overlapped, b"<", b">") is PENDING
    assert pends(overlapped)
    api.WSASend(client, [b"behind"], 0, behind)
    assert received(server, len(LARGE) + 8) == b"<" + LARGE + b">behind"
    assert outcome(client, overlapped) == len(LARGE) + 2
    assert outcome(client, behind) == 6


def test_file_can_be_closed_while_it_is_sent(opened: Opening) -> None:
    """CloseHandle while the request pends, and another file that may get its descriptor."""
    client, server = pair()
    overlapped = record()
    mswsock.TransmitFile(client, opened(LARGE), 0, 0, overlapped)
    assert pends(overlapped)
    opened.close()
    opened(bytes(len(LARGE)))
    assert received(server, len(LARGE)) == LARGE
    assert outcome(client, overlapped) == len(LARGE)


def test_without_a_record_the_call_waits_in_any_mode(opened: Opening) -> None:
    """A non-blocking socket and more than fits on the way."""
    client, server = pair()
    call = elsewhere(mswsock.TransmitFile, nonblocking(client), opened(LARGE))
    assert received(server, len(LARGE)) == LARGE
    assert call.result() == len(LARGE)


def test_cancelled_transmission_ends_where_it_is(opened: Opening) -> None:
    """CancelIoEx while it pends; the socket can be used, and is not shut down."""
    client, server = pair()
    overlapped = record()
    mswsock.TransmitFile(client, opened(LARGE), 0, 0, overlapped, flags=TF_DISCONNECT)
    kernel32.CancelIoEx(client, overlapped)
    assert outcome(client, overlapped) == -ERROR_OPERATION_ABORTED
    sent, last = record(), b"and nothing more"
    api.WSASend(client, [last], 0, sent)
    room, tail = bytearray(1 << 20), b""
    while not tail.endswith(last):
        tail = (tail + room[: api.recv(server, room)])[-len(last) :]
    assert outcome(client, sent) == len(last)


def test_connection_that_is_reset_fails_the_request(opened: Opening) -> None:
    """The peer goes while most of it is still to be sent."""
    client, server = pair()
    overlapped = record()
    mswsock.TransmitFile(client, opened(LARGE), 0, 0, overlapped)
    reset(server)
    assert outcome(client, overlapped) < 0
    assert code_of(mswsock.TransmitFile, client, None, 0, 0, None, b"x") == WSAECONNRESET


def test_disconnect_follows_the_last_byte(opened: Opening) -> None:
    """TF_DISCONNECT: the peer's end of stream, and no more sends."""
    client, server = pair()
    overlapped = record()
    mswsock.TransmitFile(client, opened(), 0, 0, overlapped, flags=TF_DISCONNECT | TF_WRITE_BEHIND)
    assert received(server, len(CONTENT)) == CONTENT
    assert api.recv(server, bytearray(1)) == 0
    assert outcome(client, overlapped) == len(CONTENT)
    assert code_of(api.send, client, b"x") == WSAESHUTDOWN


def test_socket_can_be_used_again_for_accept_ex(opened: Opening) -> None:
    """TF_DISCONNECT and TF_REUSE_SOCKET on a socket of AcceptEx: complete when the peer has ended as well."""
    listening, acceptor = listener(), tcp()
    name = api.getsockname(listening)
    for _ in range(3):
        accepted, sent = record(), record()
        mswsock.AcceptEx(listening, acceptor, bytearray(64), 0, 32, 32, accepted)
        client = tcp()
        api.connect(client, name)
        assert outcome(listening, accepted) == 0
        flags = TF_DISCONNECT | TF_REUSE_SOCKET | TF_USE_KERNEL_APC
        assert mswsock.TransmitFile(acceptor, opened(), 0, 0, sent, flags=flags) is PENDING
        assert received(client, len(CONTENT)) == CONTENT
        assert api.recv(client, bytearray(1)) == 0
        assert pends(sent)
        api.closesocket(client)
        assert outcome(acceptor, sent) == len(CONTENT)


def test_no_file_sends_head_and_tail_only() -> None:
    """A NULL handle; and with nothing at all the flags are what is left."""
    client, server = pair()
    assert mswsock.TransmitFile(client, None, 5, head=b"ab", tail=b"cd") == 4
    assert received(server, 4) == b"abcd"
    assert mswsock.TransmitFile(client, 0, flags=TF_DISCONNECT) == 0
    assert api.recv(server, bytearray(1)) == 0


def test_arguments_are_checked_in_their_order() -> None:
    """Handle, flags, connection, file."""
    client, server = pair()
    transmit = mswsock.TransmitFile
    assert code_of(transmit, INVALID_SOCKET, 12) == WSAENOTSOCK
    assert code_of(transmit, tcp(), 12, 0, 0, None, None, None, 0x100) == WSAEINVAL
    assert code_of(transmit, client, 12, 0, 0, None, None, None, TF_REUSE_SOCKET) == WSAEINVAL
    for unfit in (tcp(), udp(), listener()):
        assert code_of(transmit, unfit, 12) == WSAENOTCONN
    for no_file in (0x7FFFFFFC, server, api.WSACreateEvent()):
        assert code_of(transmit, client, no_file) == ERROR_INVALID_HANDLE
    api.shutdown(client, SD_SEND)
    assert code_of(transmit, client, None) == WSAESHUTDOWN


# TransmitPackets


def test_packets_are_sent_in_their_order(opened: Opening) -> None:
    """Memory and parts of a file, which an offset of -1 takes from the file's own position."""
    client, server = pair()
    file = opened(position=4000)
    elements = [
        TransmitElement(b"one"),
        TransmitElement(file=file, offset=256, length=10, end_of_packet=True),
        TransmitElement(b"two"),
        TransmitElement(file=file, offset=-1),
    ]
    overlapped = record()
    mswsock.TransmitPackets(client, elements, 0, overlapped, TF_DISCONNECT)
    expected = b"one" + CONTENT[256:266] + b"two" + CONTENT[4000:]
    assert received(server, len(expected)) == expected
    assert outcome(client, overlapped) == len(expected)
    assert api.recv(server, bytearray(1)) == 0


def test_packets_make_datagrams_on_a_datagram_socket(opened: Opening) -> None:
    """TP_ELEMENT_EOP ends one; what is left at the end is one, too."""
    sender, receiver = udp(), udp()
    api.connect(sender, api.getsockname(receiver))
    elements = [
        TransmitElement(b"a"),
        TransmitElement(file=opened(b"file"), length=2, end_of_packet=True),
        TransmitElement(b"second", end_of_packet=True),
        TransmitElement(b"rest"),
    ]
    assert mswsock.TransmitPackets(sender, elements) == 13
    for expected in (b"afi", b"second", b"rest"):
        room = bytearray(100)
        moved = api.recv(receiver, room)
        assert bytes(room[:moved]) == expected


def test_packets_need_a_connection() -> None:
    """Handle, flags, connection; a datagram socket has none to end."""
    client, _ = pair()
    transmit = mswsock.TransmitPackets
    connected = udp()
    api.connect(connected, api.getsockname(udp()))
    assert code_of(transmit, INVALID_SOCKET, []) == WSAENOTSOCK
    assert code_of(transmit, client, [], 0, None, 0x100) == WSAEINVAL
    assert code_of(transmit, connected, [], 0, None, TF_DISCONNECT) == WSAEINVAL
    for unfit in (tcp(), udp()):
        assert code_of(transmit, unfit, []) == WSAENOTCONN
    assert transmit(client, None) == 0


def test_closing_the_socket_aborts_a_transmission(opened: Opening) -> None:
    """closesocket while it pends."""
    client, server = pair()
    overlapped = record()
    mswsock.TransmitFile(client, opened(LARGE), 0, 0, overlapped)
    api.closesocket(client)
    assert outcome(client, overlapped) == -ERROR_OPERATION_ABORTED
    until(lambda: not api.recv(server, bytearray(1 << 20)), "the stream ends")
    assert overlapped.operation is None
