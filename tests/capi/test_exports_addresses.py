"""Addresses as text through C: buffers, lengths in characters, pointers returned."""

from __future__ import annotations

import ctypes
import threading
from typing import Any

import pytest

from tests.capi.cabi import (
    AF_INET,
    AF_INET6,
    STATUS_INVALID_PARAMETER,
    UNTOUCHED,
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    call,
    dword,
    error,
    fails,
    inet,
    ref,
)
from winsock2emu import errors
from winsock2emu.capi import structs
from winsock2emu.defs.codes import ERROR_INVALID_PARAMETER
from winsock2emu.process import Process

INADDR_NONE = 0xFFFFFFFF
AF_UNIX = 1


def encoded(form: str, text: str) -> bytes:
    """A text as the A or W functions take and give it, NUL included."""
    return (text + "\0").encode("utf-16-le" if form == "W" else "ascii")


def buffer(form: str, characters: int) -> Any:
    """Room for that many characters, filled with a pattern."""
    return ctypes.create_string_buffer(
        b"\xee" * characters * (2 if form == "W" else 1), characters * (1 + (form == "W"))
    )


# ------------------------------------------------------------------------------------------------- inet_addr, inet_ntoa


def test_inet_addr(process: Process) -> None:
    """Observed on Windows: inetaddr-*; works before WSAStartup, and bad text leaves the last error alone."""
    errors.set_last_error(77)

    assert call("inet_addr", b"1.2.3.4") == 0x04030201
    assert call("inet_addr", b"1.2.3.4\xff") == INADDR_NONE
    assert call("inet_addr", b"1.2.3.4 \xff") == 0x04030201
    assert call("inet_addr", b" ") == 0
    assert error() == 77

    assert call("inet_addr", None) == INADDR_NONE
    assert error() == WSAEFAULT


def test_inet_ntoa_keeps_one_buffer_a_thread(process: Process) -> None:
    """R4.125; observed on Windows: inetntoa-per-thread."""
    address = call("inet_ntoa", 0x04030201)
    others: list[tuple[int, bytes]] = []

    def elsewhere() -> None:
        pointer = call("inet_ntoa", 0xFFFFFFFF)
        others.append((pointer, ctypes.string_at(pointer)))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(10)

    assert ctypes.string_at(address) == b"1.2.3.4"
    assert [text for _, text in others] == [b"255.255.255.255"]
    assert call("inet_ntoa", 0) == address
    assert ctypes.string_at(address) == b"0.0.0.0"


def test_inet_ntoa_takes_the_record_by_value(process: Process) -> None:
    """in_addr as C programs pass it: a structure of four bytes, here one with the bytes of the address."""
    from winsock2emu.capi import table

    function = table.export("ws2_32", "inet_ntoa")
    assert function is not None
    by_value = ctypes.CFUNCTYPE(ctypes.c_char_p, structs.IN_ADDR)(function.address)

    address = structs.IN_ADDR()
    address.S_un.S_addr = 0x0100007F
    assert by_value(address) == b"127.0.0.1"


# ------------------------------------------------------------------------------------------------- inet_pton, inet_ntop

PTONS = [("inet_pton", "A"), ("InetPtonW", "W")]
NTOPS = [("inet_ntop", "A"), ("InetNtopW", "W")]


@pytest.mark.parametrize(("name", "form"), PTONS)
def test_pton_fills_the_callers_buffer(process: Process, name: str, form: str) -> None:
    out = ctypes.create_string_buffer(b"\xee" * 17, 17)

    assert call(name, AF_INET, encoded(form, "1.2.3.4"), out) == 1
    assert out.raw == b"\1\2\3\4" + b"\xee" * 13
    assert call(name, AF_INET6, encoded(form, "1::abcd"), out) == 1
    assert out.raw == b"\0\1" + bytes(12) + b"\xab\xcd\xee"


@pytest.mark.parametrize(("name", "form"), PTONS)
def test_pton_of_bad_text(process: Process, name: str, form: str) -> None:
    """Observed on Windows: pton4-error-untouched, pton4-w-einval, pton4-partial-write, pton6-error-untouched."""
    stored = 77 if form == "A" else WSAEINVAL
    out = ctypes.create_string_buffer(b"\xee" * 16, 16)
    errors.set_last_error(77)

    assert call(name, AF_INET, encoded(form, "1.2.3"), out) == 0
    assert (error(), out.raw) == (stored, b"\xee" * 16)
    errors.set_last_error(77)
    assert call(name, AF_INET, encoded(form, "1.2.3.4:80"), out) == 0
    assert (error(), out.raw) == (stored, b"\1\2\3\4" + b"\xee" * 12)
    errors.set_last_error(77)
    assert call(name, AF_INET6, encoded(form, "1:2"), out) == 0
    assert error() == stored


@pytest.mark.parametrize(("name", "form"), PTONS)
def test_pton_checks_pointers_before_the_family(process: Process, name: str, form: str) -> None:
    """Observed on Windows: pton-null, pton-bad-family."""
    out = ctypes.create_string_buffer(16)
    text = encoded(form, "1.2.3.4")

    fails(WSAEFAULT, name, 0, None, out)
    fails(WSAEFAULT, name, AF_INET, None, out)
    fails(WSAEFAULT, name, AF_INET, text, None)
    fails(WSAEAFNOSUPPORT, name, 0, text, out)


@pytest.mark.parametrize("offset", [0, 1])
def test_wide_text_is_read_to_its_end(process: Process, offset: int) -> None:
    """Also at an odd address, and across pages: an IPv6 text behind 64 KiB of leading zeros is bad text, no crash."""
    out = ctypes.create_string_buffer(16)
    for text, result in (("1:2:3:4:5:6:7:8", 1), ("0" * 40_000 + "1::", 0), ("\U0001f600", 0)):
        memory = ctypes.create_string_buffer(
            b"x" * offset + encoded("W", text) if text.isascii() else b"x" * offset + (text + "\0").encode("utf-16-le")
        )
        assert call("InetPtonW", AF_INET6, ctypes.addressof(memory) + offset, out) == result


@pytest.mark.parametrize(("name", "form"), NTOPS)
def test_ntop_returns_the_callers_buffer(process: Process, name: str, form: str) -> None:
    out = buffer(form, 46)

    assert call(name, AF_INET, b"\1\2\3\4", out, 8) == ctypes.addressof(out)
    assert out.raw.startswith(encoded(form, "1.2.3.4") + b"\xee")
    assert call(name, AF_INET6, bytes(15) + b"\1", out, 46) == ctypes.addressof(out)
    assert out.raw.startswith(encoded(form, "::1"))


@pytest.mark.parametrize(("name", "form"), NTOPS)
def test_ntop_without_room(process: Process, name: str, form: str) -> None:
    """Observed on Windows of inet_ntop: ntop-bad-family, ntop-null-dest, ntop-zero-len, ntop-short."""
    no_room = STATUS_INVALID_PARAMETER if form == "A" else ERROR_INVALID_PARAMETER
    out = buffer(form, 46)
    untouched = out.raw
    packed = b"\xcc\x98\xbd\x74"  # 204.152.189.116 has 15 characters

    fails(WSAEAFNOSUPPORT, name, AF_UNIX, packed, out, 46, failure=None)
    fails(no_room, name, AF_INET, packed, None, 46, failure=None)
    fails(no_room, name, AF_INET, packed, out, 0, failure=None)
    fails(no_room, name, AF_INET, packed, out, 15, failure=None)
    fails(WSAEFAULT, name, AF_INET, None, out, 46, failure=None)

    assert out.raw == untouched
    assert call(name, AF_INET, packed, out, 16) == ctypes.addressof(out)


# ------------------------------------------------------------------------------------------------- WSA conversions


@pytest.mark.parametrize("form", ["A", "W"])
def test_an_address_becomes_text(winsock: Process, form: str) -> None:
    out, length = buffer(form, 32), dword(32)

    assert call(f"WSAAddressToString{form}", inet(80), 16, None, out, ref(length)) == 0
    assert out.raw.startswith(encoded(form, "127.0.0.1:80") + b"\xee")
    assert length.value == len("127.0.0.1:80") + 1


@pytest.mark.parametrize("form", ["A", "W"])
@pytest.mark.parametrize("offered", [True, False])
def test_too_little_room_for_the_text(winsock: Process, form: str, offered: bool) -> None:
    """R4.123: WSAEFAULT and the characters needed, NUL included; also as a size query with NULL."""
    out, length = buffer(form, 12), dword(12)

    fails(WSAEFAULT, f"WSAAddressToString{form}", inet(80), 16, None, out if offered else None, ref(length))

    assert length.value == len("127.0.0.1:80") + 1
    assert out.raw == b"\xee" * len(out.raw)


@pytest.mark.parametrize("form", ["A", "W"])
def test_addresses_that_have_no_text(winsock: Process, form: str) -> None:
    """R4.123: NULL address, zero length, NULL length pointer, unknown family: WSAEINVAL."""
    name = f"WSAAddressToString{form}"
    out, length = buffer(form, 64), dword(64)

    fails(WSAEINVAL, name, None, 16, None, out, ref(length))
    fails(WSAEINVAL, name, inet(80), 0, None, out, ref(length))
    fails(WSAEINVAL, name, inet(80), 16, None, out, None)
    fails(WSAEINVAL, name, b"\x99\x99" + bytes(14), 16, None, out, ref(length))
    fails(WSAEFAULT, name, inet(80), 16, 1, out, ref(length))

    assert length.value == 64
    assert out.raw == b"\xee" * len(out.raw)


@pytest.mark.parametrize("form", ["A", "W"])
def test_text_becomes_an_address(winsock: Process, form: str) -> None:
    out, length = ctypes.create_string_buffer(b"\xee" * 28, 28), ctypes.c_int32(28)

    assert call(f"WSAStringToAddress{form}", encoded(form, "127.0.0.1:80"), AF_INET, None, out, ref(length)) == 0

    assert (out.raw, length.value) == (inet(80) + b"\xee" * 12, 16)


@pytest.mark.parametrize("form", ["A", "W"])
def test_too_little_room_for_the_address(winsock: Process, form: str) -> None:
    """R4.121: WSAEFAULT and the bytes needed."""
    name, text = f"WSAStringToAddress{form}", encoded(form, "127.0.0.1:80")
    out, length = ctypes.create_string_buffer(b"\xee" * 28, 28), ctypes.c_int32(15)

    fails(WSAEFAULT, name, text, AF_INET, None, out, ref(length))
    assert length.value == 16
    fails(WSAEFAULT, name, text, AF_INET, None, None, ref(length))
    fails(WSAEFAULT, name, text, AF_INET, None, out, None)
    fails(WSAEFAULT, name, None, AF_INET, None, out, ref(length))
    assert out.raw == b"\xee" * 28


@pytest.mark.parametrize("form", ["A", "W"])
@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", b"\0\0\0\0"),
        ("nonsense", b"\0\0\0\0"),
        ("1.2.3.4:99999", b"\1\2\3\4"),
        ("3.4.5.6 ", b"\3\4\5\6"),
        ("::1", b"\0\0\0\0"),
    ],
)
def test_text_that_is_no_ipv4_address(winsock: Process, form: str, text: str, read: bytes) -> None:
    """Family and port 0 and the IP address as far as it was read; the length stays.

    Wine's public test protocol.c:test_WSAStringToAddress, which passes on Windows.
    """
    out, length = ctypes.create_string_buffer(b"\xee" * 28, 28), ctypes.c_int32(28)

    fails(WSAEINVAL, f"WSAStringToAddress{form}", encoded(form, text), AF_INET, None, out, ref(length))

    assert out.raw[:8] == b"\0\0\0\0" + read
    assert (out.raw[16:], length.value) == (b"\xee" * 12, 28)


@pytest.mark.parametrize("form", ["A", "W"])
@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", bytes(16)),
        ("1:2:3:", b"\0\1\0\2\0\3" + bytes(10)),
        ("::1]:65535", bytes(15) + b"\1"),
        ("1.2.3.4", b"\1\2\3" + bytes(13)),
    ],
)
def test_text_that_is_no_ipv6_address(winsock: Process, form: str, text: str, read: bytes) -> None:
    """The same with 28 bytes; port, flow information and scope are 0."""
    out, length = ctypes.create_string_buffer(b"\xee" * 38, 38), ctypes.c_int32(38)

    fails(WSAEINVAL, f"WSAStringToAddress{form}", encoded(form, text), AF_INET6, None, out, ref(length))

    assert out.raw == bytes(8) + read + bytes(4) + b"\xee" * 10
    assert length.value == 38


@pytest.mark.parametrize("form", ["A", "W"])
def test_a_protocol_record_chooses_the_provider(winsock: Process, form: str) -> None:
    record = structs.record(f"WSAPROTOCOL_INFO{form}")()
    s = call("socket", AF_INET, 1, 0)
    size = ctypes.c_int32(ctypes.sizeof(record))
    assert call("getsockopt", s, 0xFFFF, 0x2004 + (form == "W"), ref(record), ref(size)) == 0
    out, length = ctypes.create_string_buffer(28), ctypes.c_int32(28)
    text = encoded(form, "1.2.3.4")

    assert call(f"WSAStringToAddress{form}", text, AF_INET, ref(record), out, ref(length)) == 0
    assert out.raw[4:8] == b"\1\2\3\4"
    record.dwCatalogEntryId = UNTOUCHED
    fails(WSAEINVAL, f"WSAStringToAddress{form}", text, AF_INET, ref(record), out, ref(length))
