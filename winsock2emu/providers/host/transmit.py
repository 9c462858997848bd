"""TransmitFile and TransmitPackets: files and memory, sent by the system.

Part played:     the transmit requests of afd.sys.
Lives here:      what is sent, in its order, and the end of the connection that may follow.
Lives elsewhere: order among other sends (engine/lanes), ending and using the socket again (disconnectex), files
                 (kernel/hostfiles).
Files:           given by a function, so that a bad handle is found out in its turn among the checks. Their own position
                 is left as it is. A file that ends early ends its part of the transmission.
Host:            where it can it sends from a file by itself (sendfile); otherwise data comes through the program.
Memory:          belongs to the request until it is complete, as that of any send.
Datagrams:       of TransmitPackets on a connected datagram socket: one for each element with TP_ELEMENT_EOP and those
                 before it, and one for what is left.
Sources:         nf-mswsock-transmitfile, nc-mswsock-lpfn_transmitpackets; R9.48, B14 of the project's reference.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

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
from ...kernel.hostfiles import HostFile, from_host
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
_NOT_FROM_THIS_FILE: Final = frozenset((errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSOCK))
"""What sendfile says of files, or sockets, that it cannot do."""


Source = Callable[[], HostFile]
"""Gives the file, or raises `WinsockError`."""


class FileSending:
    """The attempts to send a part of a file; they go on where the last one stopped.

    It has a descriptor of its own from `open` to `close`: the program may close its handle meanwhile.

    Attributes:
        moved: bytes sent so far.
    """

    __slots__ = ("_by_host", "_descriptor", "_endpoint", "_file", "_left", "_offset", "_rest", "moved")

    def __init__(self, endpoint: StreamSocket, file: HostFile, offset: int, count: int | None) -> None:
        """``count``: bytes; None for all there are."""
        file.read_at(offset, bytearray())  # raises what keeps it from being read
        self._endpoint = endpoint
        self._file = file
        self._descriptor = -1
        self._offset = offset
        self._left = count
        self._by_host = hasattr(os, "sendfile")
        self._rest = b""  # was read and is not sent yet
        self.moved = 0

    def open(self) -> None:
        """The request begins."""
        try:
            self._descriptor = os.dup(self._file.fileno())
        except OSError as failure:
            raise from_host(failure) from failure

    def close(self) -> None:
        """The request is over."""
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def __call__(self) -> int:
        while self._left is None or self._left > 0:
            most = _AT_ONCE if self._left is None else min(self._left, _AT_ONCE)
            moved = self._send_by_host(most) if self._by_host else self._send_by_hand(min(most, _PIECE))
            if not moved:
                break
            self.moved += moved
            self._offset += moved
            if self._left is not None:
                self._left -= moved
        return self.moved

    def _send_by_host(self, most: int) -> int:
        try:
            return os.sendfile(self._endpoint.fd, self._descriptor, self._offset, most)
        except BlockingIOError:
            raise
        except OSError as failure:
            if failure.errno not in _NOT_FROM_THIS_FILE:
                raise self._endpoint.send_failed(failure) from failure
        self._by_host = False
        return self._send_by_hand(min(most, _PIECE))

    def _send_by_hand(self, most: int) -> int:
        if not self._rest:
            try:
                self._rest = os.pread(self._descriptor, most, self._offset)
            except OSError as failure:
                raise from_host(failure) from failure
            if not self._rest:
                return 0
        sending = self._endpoint.new_send([memoryview(self._rest)])
        try:
            sending()
        except BlockingIOError:
            if not sending.moved:
                raise
        self._rest = self._rest[sending.moved :]
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
            file, place, length = _part(element)
            parts.append(FileSending(endpoint, file, place, length or None))
        else:
            parts.append(endpoint.new_send([memoryview(element.data).cast("B")]))
    return _transmit(endpoint, parts, flags, handles, request)


def _part(element: TransmitElement) -> tuple[HostFile, int, int]:
    """The file of an element, where its part begins, and its bytes."""
    file: HostFile = element.file()
    return file, file.position if element.offset < 0 else element.offset, element.length


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
        files = [part for part in parts if isinstance(part, FileSending)]
        try:
            for file in files:
                file.open()
            if not flags & TF_DISCONNECT:
                return (yield endpoint.outbound, attempt)
            moved = 0
            with no_more_sends(endpoint, reuse=False):
                moved = yield endpoint.outbound, attempt
        finally:
            for file in files:
                file.close()
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
            data = _read(*_part(element))
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


def _read(file: HostFile, offset: int, length: int) -> bytearray:
    """A part of a file, as much of it as there is."""
    data = bytearray(length or max(file.size() - offset, 0))
    del data[file.read_at(offset, data) :]
    return data
