"""A file sent over TCP in blocks of header, body and trailer, gathered by WSASend and scattered by WSARecv.

Neither side ever joins or splits a block: three WSABUF descriptions, three pieces of memory, one call. What a receive
leaves open is asked for again from the exact byte on, by moving the descriptions, not the data.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from ctypes import POINTER, addressof, byref, c_char, c_int, c_short, c_size_t, c_ulong, c_ushort, c_void_p, sizeof
from ctypes.wintypes import DWORD, WORD
from pathlib import Path

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOL_SOCKET, SO_RCVTIMEO, SO_SNDTIMEO = 0xFFFF, 0x1006, 0x1005
SD_SEND = 1
SOCKET_ERROR = -1

SOCKET = c_size_t
BLOCK = 64 * 1024
FILE_SIZE = 3 * 1024 * 1024 + 12345  # the last block is a short one


class sockaddr_in(ctypes.Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", c_ulong), ("sin_zero", c_char * 8)]


class WSABUF(ctypes.Structure):
    """Where one piece of the data is."""

    _fields_ = [("len", c_ulong), ("buf", c_void_p)]


class Opening(ctypes.BigEndianStructure):
    """What comes before the first block."""

    _fields_ = [("magic", c_char * 8), ("size", ctypes.c_uint64)]


class Header(ctypes.BigEndianStructure):
    """What comes before the body of a block."""

    _fields_ = [("magic", c_char * 4), ("number", ctypes.c_uint32), ("length", ctypes.c_uint32)]


class Trailer(ctypes.BigEndianStructure):
    """What comes after the body of a block."""

    _fields_ = [("crc", ctypes.c_uint32)]


ws2_32 = ctypes.WinDLL("Ws2_32.dll", use_last_error=True)


def last_error_as_exception(result: int, function: object, arguments: tuple[object, ...]) -> int:
    """The errcheck of functions that return SOCKET_ERROR or INVALID_SOCKET."""
    if result in (SOCKET_ERROR, SOCKET(-1).value):
        raise ctypes.WinError(ctypes.get_last_error())
    return result


PROTOTYPES = {
    "socket": (SOCKET, c_int, c_int, c_int),
    "accept": (SOCKET, SOCKET, c_void_p, c_void_p),
    "connect": (c_int, SOCKET, POINTER(sockaddr_in), c_int),
    "setsockopt": (c_int, SOCKET, c_int, c_int, c_void_p, c_int),
    "WSASend": (c_int, SOCKET, POINTER(WSABUF), DWORD, POINTER(DWORD), DWORD, c_void_p, c_void_p),
    "WSARecv": (c_int, SOCKET, POINTER(WSABUF), DWORD, POINTER(DWORD), POINTER(DWORD), c_void_p, c_void_p),
}
for name, (result_type, *argument_types) in PROTOTYPES.items():
    export = getattr(ws2_32, name)
    export.restype, export.argtypes, export.errcheck = result_type, argument_types, last_error_as_exception
for name in ("bind", "listen", "getsockname", "shutdown", "closesocket"):  # the prototypes ctypes assumes will do
    getattr(ws2_32, name).errcheck = last_error_as_exception


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"file_transfer: not as on Windows: {what}")


Memory = ctypes.Structure | ctypes.Array[c_char]


def describe(pieces: tuple[Memory, ...]) -> ctypes.Array[WSABUF]:
    """The WSABUF array of several pieces of memory, which the caller has to keep alive."""
    return (WSABUF * len(pieces))(*[WSABUF(sizeof(piece), addressof(piece)) for piece in pieces])


class Connection:
    """A connected socket that sends and receives several pieces at once."""

    def __init__(self, s: int) -> None:
        self.socket = s
        self.calls = 0
        self.bytes = 0
        for option in (SO_RCVTIMEO, SO_SNDTIMEO):
            ws2_32.setsockopt(s, SOL_SOCKET, option, byref(DWORD(10000)), sizeof(DWORD))

    def send(self, *pieces: Memory) -> None:
        """Send all pieces with one call; on a blocking socket it returns when everything is on its way."""
        sent = DWORD()
        ws2_32.WSASend(self.socket, describe(pieces), len(pieces), byref(sent), 0, None, None)
        total = sum(sizeof(piece) for piece in pieces)
        expect(sent.value == total, f"WSASend sent {sent.value} of {total} bytes")
        self.calls += 1
        self.bytes += total

    def receive(self, *pieces: Memory) -> bool:
        """Fill all pieces, in order; False when the stream ended before the first byte."""
        buffers = describe(pieces)
        first = 0
        while first < len(buffers):
            received, flags = DWORD(), DWORD()
            left = len(buffers) - first
            ws2_32.WSARecv(self.socket, byref(buffers[first]), left, byref(received), byref(flags), None, None)
            expect(flags.value == 0, f"WSARecv set the flags to {flags.value:#x}")
            if received.value == 0:
                untouched = first == 0 and buffers[0].len == sizeof(pieces[0])
                expect(untouched, "the stream ended in the middle")
                return False
            self.calls += 1
            self.bytes += received.value
            first = self.advance(buffers, first, received.value)
        return True

    @staticmethod
    def advance(buffers: ctypes.Array[WSABUF], first: int, received: int) -> int:
        """Cut what was received off the descriptions; return the first that still has room."""
        while first < len(buffers):
            taken = min(received, buffers[first].len)
            received -= taken
            buffers[first].len -= taken
            buffers[first].buf += taken
            if buffers[first].len:
                break
            first += 1
        expect(received == 0, f"WSARecv received {received} bytes more than there was room for")
        return first

    def close(self) -> None:
        """Close the socket."""
        ws2_32.closesocket(self.socket)


def send_file(file: Path, connection: Connection) -> None:
    """The sender: opening, blocks, end of the stream."""
    with contextlib.closing(connection), file.open("rb") as source:
        connection.send(Opening(b"transfer", file.stat().st_size))
        number = 0
        body = ctypes.create_string_buffer(BLOCK)
        while length := source.readinto(body):
            part = (c_char * length).from_buffer(body)
            connection.send(Header(b"DATA", number, length), part, Trailer(zlib.crc32(part)))
            number += 1
        ws2_32.shutdown(connection.socket, SD_SEND)


def receive_file(file: Path, connection: Connection) -> int:
    """The receiver; returns the number of blocks."""
    opening = Opening()
    expect(connection.receive(opening), "the stream ended before the opening")
    expect(opening.magic == b"transfer", f"the opening begins with {opening.magic!r}")
    left, number = opening.size, 0
    with file.open("wb") as target:
        while left:
            header, body, trailer = Header(), (c_char * min(left, BLOCK))(), Trailer()
            expect(connection.receive(header, body, trailer), f"the stream ended before block {number}")
            expect(header.magic == b"DATA", f"block {number} begins with {header.magic!r}")
            expect(header.number == number, f"block {header.number} instead of {number}")
            expect(header.length == sizeof(body), f"block {number} has {header.length} bytes")
            expect(trailer.crc == zlib.crc32(body), f"block {number} arrived damaged")
            target.write(body)
            left -= header.length
            number += 1
    expect(not connection.receive((c_char * 1)()), "there is more after the last block")
    return number


def connected_pair() -> tuple[Connection, Connection]:
    """Both ends of a connection through the loopback interface."""
    listener = ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    address = sockaddr_in(AF_INET, 0, ws2_32.inet_addr(b"127.0.0.1"))
    ws2_32.bind(listener, byref(address), sizeof(address))
    length = c_int(sizeof(address))
    ws2_32.getsockname(listener, byref(address), byref(length))
    ws2_32.listen(listener, 1)
    outgoing = Connection(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
    ws2_32.connect(outgoing.socket, byref(address), sizeof(address))
    incoming = Connection(ws2_32.accept(listener, None, None))
    ws2_32.closesocket(listener)
    return outgoing, incoming


def main() -> None:
    """Transfer a file through the loopback interface and compare."""
    failed = ws2_32.WSAStartup(WORD(0x0202), ctypes.create_string_buffer(512))
    expect(failed == 0, f"WSAStartup returned {failed}")
    with tempfile.TemporaryDirectory() as folder:
        original, copy = Path(folder, "original.bin"), Path(folder, "copy.bin")
        original.write_bytes(os.urandom(FILE_SIZE))

        outgoing, incoming = connected_pair()
        with ThreadPoolExecutor(1) as pool, contextlib.closing(incoming):
            sending = pool.submit(send_file, original, outgoing)
            try:
                blocks = receive_file(copy, incoming)
            finally:
                sending.result(timeout=20)  # raises what happened to the sender, which explains the receiver's trouble

        expect(outgoing.bytes == incoming.bytes, f"{outgoing.bytes} bytes sent, {incoming.bytes} received")
        print(f"sent: {blocks} blocks of header, body and trailer, {outgoing.bytes} bytes, {outgoing.calls} WSASend")
        print(f"received: {incoming.bytes} bytes, {incoming.calls} WSARecv")
        checksums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (original, copy)]
        print(f"SHA-256 of the original: {checksums[0]}")
        print(f"SHA-256 of the copy:     {checksums[1]}")
        expect(outgoing.calls == blocks + 1, "a block took more than one WSASend")
        expect(checksums[0] == checksums[1], "the copy differs")
        expect(copy.stat().st_size == FILE_SIZE, f"the copy has {copy.stat().st_size} bytes")
    ws2_32.WSACleanup()
    print(f"{FILE_SIZE} bytes copied, no difference")


if __name__ == "__main__":
    main()
