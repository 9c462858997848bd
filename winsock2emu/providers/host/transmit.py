"""TransmitFile and TransmitPackets: files and memory, sent by the system.

Part played:     the transmit requests of afd.sys.
Lives here:      what is sent, in its order, and the end of the connection that may follow.
Lives elsewhere: order among other sends (engine/lanes), ending and using the socket again (disconnectex), files (the
                 kernel's).
Files:           given by a function, so that a bad handle is found out in its turn among the checks. Their own position
                 is left as it is. A file that ends early ends its part of the transmission.
Host:            where it can it sends from a file by itself (sendfile); otherwise data comes through the program.
Memory:          belongs to the request until it is complete, as that of any send.
Datagrams:       of TransmitPackets on a connected datagram socket: one for each element with TP_ELEMENT_EOP and those
                 before it, and one for what is left.
Sources:         nf-mswsock-transmitfile, nc-mswsock-lpfn_transmitpackets; R9.48, B14 of the project's reference.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from ...defs.codes import WSAEINVAL, WSAENOTCONN, WSAESHUTDOWN
from ...defs.constants import (
    TF_DISCONNECT,
    TF_REUSE_SOCKET,
    TF_USE_KERNEL_APC,
    TF_USE_SYSTEM_THREAD,
    TF_WRITE_BEHIND,
)
from ...defs.records import TransmitElement
from ...errors import WinsockError
from ...kernel.operations import Operation
from .datagram import DatagramSocket
from .disconnectex import check_connected, ending, no_more_sends
from .hostsocket import HostSocket
from .stages import Stages, carry_out
from .stream import StreamSocket

_WAYS: Final = TF_WRITE_BEHIND | TF_USE_SYSTEM_THREAD | TF_USE_KERNEL_APC
"""Flags that say how Windows is to do it, which a program cannot see."""

_PIECE: Final = 1 << 16  # read by one call where the host does not send from files
_AT_ONCE: Final = 1 << 30  # asked of the host's sendfile by one call


class SourceFile(Protocol):
    """A file that can be sent.

    Attributes:
        descriptor: the host's, -1 for a file without one.
        position: where the next read or write without a position of its own begins, in bytes.
    """

    descriptor: int
    position: int

    def read_at(self, offset: int, size: int, /) -> bytes:
        """Bytes from a place of the file; fewer at its end."""
        ...


Source = Callable[[], SourceFile]


class FileSending:
    """The attempts to send a part of a file; they go on where the last one stopped.

    Attributes:
        moved: bytes sent so far.
    """

    __slots__ = ("_chunk", "_endpoint", "_file", "_left", "_offset", "moved")

    def __init__(self, endpoint: StreamSocket, file: SourceFile, offset: int, count: int | None) -> None:
        """``count``: bytes; None for all there are."""
        self._endpoint = endpoint
        self._file = file
        self._offset = offset
        self._left = count
        self._chunk: Any = None  # read and not sent yet
        self.moved = 0

    def __call__(self) -> int:
        by_host = hasattr(os, "sendfile") and self._file.descriptor >= 0
        while self._left is None or self._left > 0:
            most = _AT_ONCE if self._left is None else min(self._left, _AT_ONCE)
            try:
                moved = self._by_host(most) if by_host else self._by_hand(min(most, _PIECE))
            except BlockingIOError:
                raise
            except OSError as failure:
                raise self._endpoint.send_failed(failure) from failure
            if not moved:
                break
            self.moved += moved
            self._offset += moved
            if self._left is not None:
                self._left -= moved
        return self.moved

    def _by_host(self, most: int) -> int:
        return os.sendfile(self._endpoint.fd, self._file.descriptor, self._offset, most)

    def _by_hand(self, most: int) -> int:
        if self._chunk is None:
            self._chunk = self._file.read_at(self._offset, most)
            if not self._chunk:
                return 0
        sending = self._endpoint.new_send([memoryview(self._chunk)])
        try:
            sending()
        except BlockingIOError:
            if not sending.moved:
                raise
        self._chunk = self._chunk[sending.moved :] or None
        return sending.moved


def transmit_file(
    endpoint: HostSocket,
    file: Source | None,
    count: int,
    offset: int | None,
    head: Any,
    tail: Any,
    flags: int,
    handles: Iterable[int],
    request: Operation | None,
) -> Any:
    """TransmitFile: the bytes sent, or `PENDING`.

    Args:
        endpoint: a connected stream socket.
        file: what gives the file; None sends none.
        count: bytes of the file; 0 for all from its place on.
        offset: the place in the file; None for its own position.
        head, tail: buffers sent before and after it; None for none.
        flags: TF_*.
        handles: further descriptors of a shared socket.
        request: the overlapped request, None for a synchronous one.
    """
    _check_flags(flags)
    _check_open(endpoint)
    assert isinstance(endpoint, StreamSocket)
    parts: list[Any] = []
    if head is not None:
        parts.append(endpoint.new_send([memoryview(head).cast("B")]))
    if file is not None:
        source = file()
        place = source.position if offset is None else offset
        parts.append(FileSending(endpoint, source, place, count or None))
    if tail is not None:
        parts.append(endpoint.new_send([memoryview(tail).cast("B")]))
    return _transmit(endpoint, parts, flags, handles, request)


def transmit_packets(
    endpoint: HostSocket,
    elements: Sequence[TransmitElement],
    flags: int,
    handles: Iterable[int],
    request: Operation | None,
) -> Any:
    """TransmitPackets: the bytes sent, or `PENDING`. ``elements``: with functions in the place of file handles."""
    _check_flags(flags)
    if isinstance(endpoint, DatagramSocket):
        if flags & TF_DISCONNECT:
            raise WinsockError(WSAEINVAL)
        if endpoint.peer is None:
            raise WinsockError(WSAENOTCONN)
        if endpoint.send_shut:
            raise WinsockError(WSAESHUTDOWN)
        return endpoint.outbound.run(_datagrams(endpoint, elements), request)
    _check_open(endpoint)
    assert isinstance(endpoint, StreamSocket)
    parts: list[Any] = []
    for element in elements:
        if element.file is not None:
            file: SourceFile = element.file()
            place = file.position if element.offset < 0 else element.offset
            parts.append(FileSending(endpoint, file, place, element.length or None))
        else:
            parts.append(endpoint.new_send([memoryview(element.data).cast("B")]))
    return _transmit(endpoint, parts, flags, handles, request)


def _check_flags(flags: int) -> None:
    if flags & ~(_WAYS | TF_DISCONNECT | TF_REUSE_SOCKET):
        raise WinsockError(WSAEINVAL)
    if flags & TF_REUSE_SOCKET and not flags & TF_DISCONNECT:
        raise WinsockError(WSAEINVAL)


def _check_open(endpoint: HostSocket) -> None:
    check_connected(endpoint)
    assert isinstance(endpoint, StreamSocket)
    if endpoint.send_shut:
        raise WinsockError(WSAESHUTDOWN)
    if endpoint.broken:
        raise WinsockError(endpoint.broken)


def _transmit(
    endpoint: StreamSocket, parts: list[Any], flags: int, handles: Iterable[int], request: Operation | None
) -> Any:
    done = 0
    reuse = bool(flags & TF_REUSE_SOCKET)

    def attempt() -> int:
        nonlocal done
        while done < len(parts):
            parts[done]()
            done += 1
        if flags & TF_DISCONNECT:
            endpoint.finish_sending()
        return sum(part.moved for part in parts)

    def stages() -> Stages:
        if not flags & TF_DISCONNECT:
            return (yield endpoint.outbound, attempt)
        moved = 0
        with no_more_sends(endpoint, reuse=False):
            moved = yield endpoint.outbound, attempt
        if reuse:
            yield endpoint.inbound, ending(endpoint, handles, synchronous=request is None)
        return moved

    claimed = endpoint.claim_sending()
    try:
        return carry_out(stages(), request)
    finally:
        if claimed:
            endpoint.sending = False


def _datagrams(endpoint: DatagramSocket, elements: Sequence[TransmitElement]) -> Callable[[], int]:
    """The attempt to send the datagrams that the elements make up."""
    packets: list[list[memoryview]] = [[]]
    for element in elements:
        data = element.data
        if element.file is not None:
            file: SourceFile = element.file()
            place = file.position if element.offset < 0 else element.offset
            data = _read(file, place, element.length)
        packets[-1].append(memoryview(data).cast("B"))
        if element.end_of_packet:
            packets.append([])
    attempts = [endpoint.datagram_attempt(views) for views in packets if views]
    moved = 0

    def attempt() -> int:
        nonlocal moved
        while attempts:
            moved += attempts[0]()
            del attempts[0]
        return moved

    return attempt


def _read(file: SourceFile, offset: int, length: int) -> bytes:
    data = bytearray()
    while not length or len(data) < length:
        piece = file.read_at(offset + len(data), length - len(data) if length else _PIECE)
        if not piece:
            break
        data += piece
    return bytes(data)
