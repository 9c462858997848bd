"""Arguments, results, errors and last errors; the grammars have tests/defs/test_addresstext.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from types import SimpleNamespace

import pytest

from winsock2emu.defs.codes import (
    ERROR_INVALID_PARAMETER,
    STATUS_INVALID_PARAMETER,
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    WSANOTINITIALISED,
)
from winsock2emu.defs.constants import AF_INET, AF_INET6, AF_IPX, AF_UNSPEC, INADDR_NONE
from winsock2emu.defs.records import ProtocolInfo
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from winsock2emu.errors import WinsockError, get_last_error, set_last_error
from winsock2emu.process import Process
from winsock2emu.ws2_32 import addresses
from winsock2emu.ws2_32.addresses import (
    InetNtopW,
    InetPtonW,
    WSAAddressToString,
    WSAStringToAddress,
    inet_addr,
    inet_ntoa,
    inet_ntop,
    inet_pton,
)

VERSION = 0x0202
UNTOUCHED = 0xDEADBEEF

Read = Callable[[int, str | None, bytearray | None], int]
Write = Callable[[int, bytes | None, int], str]

readers = pytest.mark.parametrize("read", [inet_pton, InetPtonW])
writers = pytest.mark.parametrize("write", [inet_ntop, InetNtopW])


@pytest.fixture
def unstarted() -> Iterator[Process]:
    """A process of its own that has not called WSAStartup."""
    process = Process()
    with process.active():
        yield process
        while process.startup_count:
            process.cleanup()


@pytest.fixture
def started(unstarted: Process) -> Process:
    unstarted.startup(VERSION)
    return unstarted


@pytest.fixture(autouse=True)
def _last_error() -> None:
    set_last_error(UNTOUCHED)


def code_of(call: Callable[[], object]) -> int:
    """The code a call fails with, once it is clear that it became the last error."""
    with pytest.raises(WinsockError) as caught:
        call()
    assert get_last_error() == caught.value.winerror
    return caught.value.winerror


# --- inet_addr, inet_ntoa -----------------------------------------------------------------------------------


def test_inet_addr_gives_the_number_that_lies_in_memory() -> None:
    """inetaddr-four-parts."""
    assert inet_addr("1.2.3.4") == 0x04030201
    assert inet_addr(b"1.2.3.4") == 0x04030201


def test_inet_addr_takes_any_bytes_behind_a_blank() -> None:
    """inetaddr-trailing-junk-after-space."""
    assert inet_addr(b"1.2.3 \xfe\xff") == 0x03000201


@pytest.mark.parametrize("text", ["1.2.3.4", "1.2.3.256", "", " ", "a"])
def test_inet_addr_never_touches_the_last_error(text: str) -> None:
    """inetaddr-error-untouched."""
    inet_addr(text)
    assert get_last_error() == UNTOUCHED


def test_inet_addr_of_null_is_none_and_a_fault() -> None:
    """inetaddr-null."""
    assert inet_addr(None) == INADDR_NONE
    assert get_last_error() == WSAEFAULT


def test_inet_ntoa_writes_what_inet_addr_read() -> None:
    """inetntoa-basic."""
    assert inet_ntoa(inet_addr("1.2.3.4")) == "1.2.3.4"
    assert inet_ntoa(0x20201015) == "21.16.32.32"
    assert inet_ntoa(-1) == "255.255.255.255"


def test_inet_ntoa_of_another_thread_changes_no_result() -> None:
    """inetntoa-per-thread."""
    text = inet_ntoa(inet_addr("1.2.3.4"))
    others: list[str] = []
    thread = Thread(target=lambda: others.append(inet_ntoa(inet_addr("4.3.2.1"))))
    thread.start()
    thread.join(10)
    assert (text, others) == ("1.2.3.4", ["4.3.2.1"])


# --- inet_pton ----------------------------------------------------------------------------------------------


@readers
@pytest.mark.parametrize(
    ("family", "text", "packed"),
    [(AF_INET, "127.127.127.255", "7f7f7fff"), (AF_INET6, "fe80::1:2", "fe800000000000000000000000010002")],
)
def test_good_text_fills_the_buffer(read: Read, family: int, text: str, packed: str) -> None:
    """pton4-strict and pton6-full; what lies behind the address in the buffer stays."""
    buffer = bytearray(b"\xab" * 20)
    address = bytes.fromhex(packed)
    assert read(family, text, buffer) == 1
    assert buffer == address + b"\xab" * (20 - len(address))
    assert get_last_error() == UNTOUCHED


@readers
@pytest.mark.parametrize(
    ("family", "text", "written"),
    [
        pytest.param(AF_INET, "1.1.1.0xaA", b"", id="pton4-no-write"),
        pytest.param(AF_INET, "127.0.0.1:80", b"\x7f\0\0\1", id="pton4-partial-write"),
        pytest.param(AF_INET6, "1111:2222:3333", b"\x11\x11\x22\x22", id="pton6-too-few-groups"),
        pytest.param(AF_INET6, "::%16", bytes(16), id="pton6-scope-prefix"),
    ],
)
def test_bad_text_leaves_what_windows_leaves_in_the_buffer(read: Read, family: int, text: str, written: bytes) -> None:
    buffer = bytearray(b"\xab" * 16)
    assert read(family, text, buffer) == 0
    assert buffer == written + b"\xab" * (16 - len(written))


@pytest.mark.parametrize(("family", "text"), [(AF_INET, "1.2.3"), (AF_INET6, "1.2.3.4")])
def test_bad_text_sets_an_error_only_in_the_wide_function(family: int, text: str) -> None:
    """pton4-error-untouched, pton4-w-einval, pton6-error-untouched."""
    assert inet_pton(family, text, bytearray(16)) == 0
    assert get_last_error() == UNTOUCHED
    assert InetPtonW(family, text, bytearray(16)) == 0
    assert get_last_error() == WSAEINVAL


@readers
@pytest.mark.parametrize("family", [AF_UNSPEC, AF_INET])
def test_null_text_is_a_fault_before_the_family_is_looked_at(read: Read, family: int) -> None:
    """pton-null."""
    assert code_of(lambda: read(family, None, bytearray(16))) == WSAEFAULT


@readers
def test_null_buffer_is_a_fault(read: Read) -> None:
    """R4.126."""
    assert code_of(lambda: read(AF_INET, "1.2.3.4", None)) == WSAEFAULT


@readers
@pytest.mark.parametrize("text", ["127.0.0.1", "2607:f0d0:1002:51::4"])
def test_other_families_are_refused(read: Read, text: str) -> None:
    """pton-bad-family."""
    assert code_of(lambda: read(AF_UNSPEC, text, bytearray(16))) == WSAEAFNOSUPPORT


@readers
@pytest.mark.parametrize(("family", "size"), [(AF_INET, 3), (AF_INET6, 15)])
def test_a_buffer_too_short_for_the_family_is_a_fault_and_stays_as_it_was(read: Read, family: int, size: int) -> None:
    """C has no such buffer: the function would write over what lies behind it."""
    buffer = bytearray(size)
    assert code_of(lambda: read(family, "1.2.3.4", buffer)) == WSAEFAULT
    assert buffer == bytes(size)


def test_wrong_python_types_are_type_errors() -> None:
    with pytest.raises(TypeError):
        inet_pton(AF_INET, "1.2.3.4", bytes(4))  # cannot be written to
    with pytest.raises(TypeError):
        inet_pton(AF_INET, 5, bytearray(4))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        inet_addr(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        inet_ntop(AF_INET, "1.2.3.4", 16)  # type: ignore[arg-type]


# --- inet_ntop ----------------------------------------------------------------------------------------------


@writers
@pytest.mark.parametrize("size", [16, 17, 64])
def test_ipv4_text_is_that_of_inet_ntoa(write: Write, size: int) -> None:
    """ntop4-basic."""
    assert write(AF_INET, bytes((21, 16, 32, 32)), size) == "21.16.32.32" == inet_ntoa(0x20201015)
    assert get_last_error() == UNTOUCHED


@writers
def test_room_for_the_text_and_its_nul_is_enough(write: Write) -> None:
    """ntop6-long-len: 17 characters."""
    packed = bytes(12) + bytes.fromhex("cc98bd74")
    assert write(AF_INET6, packed, 18) == "::204.152.189.116"


@writers
@pytest.mark.parametrize(
    ("family", "packed", "size"),
    [
        pytest.param(AF_INET, bytes((21, 16, 32, 32)), 0, id="ntop-zero-len"),
        pytest.param(AF_INET, bytes((21, 16, 32, 32)), 6, id="ntop-short"),
        pytest.param(AF_INET, bytes((21, 16, 32, 32)), 11, id="ntop-short, no room for the NUL"),
        pytest.param(AF_INET6, bytes(12) + bytes.fromhex("cc98bd74"), 16, id="ntop-short, IPv6"),
        pytest.param(AF_INET6, bytes(16), 0, id="ntop-zero-len, IPv6"),
    ],
)
def test_too_little_room_surfaces_the_nt_status(write: Write, family: int, packed: bytes, size: int) -> None:
    """Also ntop-null-dest, for which C callers offer no room. Of InetNtopW there is the page alone."""
    status = STATUS_INVALID_PARAMETER if write is inet_ntop else ERROR_INVALID_PARAMETER
    assert code_of(lambda: write(family, packed, size)) == status


@writers
def test_other_families_are_not_written(write: Write) -> None:
    """ntop-bad-family: whatever else is wrong."""
    assert code_of(lambda: write(1, bytes(4), 16)) == WSAEAFNOSUPPORT
    assert code_of(lambda: write(1, None, 0)) == WSAEAFNOSUPPORT


@writers
@pytest.mark.parametrize(("family", "packed"), [(AF_INET, None), (AF_INET, bytes(3)), (AF_INET6, bytes(15))])
def test_a_missing_address_is_a_fault(write: Write, family: int, packed: bytes | None) -> None:
    assert code_of(lambda: write(family, packed, 64)) == WSAEFAULT


def test_plain_functions_work_before_startup(unstarted: Process) -> None:
    """R1.14, R4.126."""
    assert inet_addr("1.2.3.4") == 0x04030201
    assert inet_ntoa(0x04030201) == "1.2.3.4"
    assert inet_pton(AF_INET, "1.2.3.4", bytearray(4)) == 1
    assert inet_ntop(AF_INET, bytes(4), 16) == "0.0.0.0"
    assert unstarted.startup_count == 0
    assert get_last_error() == UNTOUCHED


# --- WSAAddressToString, WSAStringToAddress -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (sockaddr_in("0.0.0.0"), "0.0.0.0"),
        (sockaddr_in("255.255.255.255", 65535), "255.255.255.255:65535"),
        (sockaddr_in6("20ab::1"), "20ab::1"),
        (sockaddr_in6("20ab::2001", 33274, 0, 0x1234), "[20ab::2001%4660]:33274"),
    ],
    ids=["IPv4", "IPv4 with port", "IPv6", "IPv6 with port and scope"],
)
def test_an_address_becomes_text_and_an_address_again(started: Process, address: SockAddr, text: str) -> None:
    """R4.121, R4.123."""
    assert started.startup_count == 1
    assert WSAAddressToString(address) == text
    assert WSAAddressToString(bytearray(address)) == text
    back = WSAStringToAddress(text, address.family)
    assert type(back) is SockAddr
    assert back == address
    assert get_last_error() == UNTOUCHED


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("length", [0, 1, 7])
def test_too_little_room_for_the_text_names_the_need(length: int) -> None:
    """R4.123: characters, NUL included."""
    with pytest.raises(WinsockError) as caught:
        WSAAddressToString(sockaddr_in("0.0.0.0"), None, length)
    assert caught.value.winerror == WSAEFAULT
    assert caught.value.needed == 8
    assert WSAAddressToString(sockaddr_in("0.0.0.0"), None, 8) == "0.0.0.0"


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize(
    "address",
    [
        pytest.param(None, id="NULL"),
        pytest.param(b"", id="zero length"),
        pytest.param(b"\x02", id="half a family"),
        pytest.param(bytes(16), id="AF_UNSPEC"),
        pytest.param(sockaddr_in("1.2.3.4")[:15], id="short IPv4"),
        pytest.param(sockaddr_in6("::1")[:24], id="old IPv6"),
        pytest.param(AF_IPX.to_bytes(2, "little") + bytes(14), id="family without provider"),
    ],
)
def test_no_address_at_all_is_invalid(address: bytes | None) -> None:
    """R4.123, B53: also where there is no room either."""
    assert code_of(lambda: WSAAddressToString(address, None, 0)) == WSAEINVAL


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize(("family", "needed"), [(AF_INET, 16), (AF_INET6, 28)])
def test_room_for_the_address_is_looked_at_before_the_text(family: int, needed: int) -> None:
    """B53 chose the other order; Windows answers WSAEFAULT to "" with length 0."""
    for text in ("", "1.2.3.4", "::1"):
        with pytest.raises(WinsockError) as caught:
            WSAStringToAddress(text, family, None, needed - 1)
        assert caught.value.winerror == WSAEFAULT
        assert caught.value.needed == needed
    assert code_of(lambda: WSAStringToAddress("", family, None, needed)) == WSAEINVAL


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize(
    ("text", "family"),
    [("::1", AF_INET), ("1.2.3.4", AF_INET6), ("1.2.3.4:0", AF_INET), ("localhost", AF_INET)],
)
def test_text_that_is_no_address_of_the_family_is_invalid(text: str, family: int) -> None:
    """R4.121."""
    assert code_of(lambda: WSAStringToAddress(text, family)) == WSAEINVAL


@pytest.mark.usefixtures("started")
def test_text_of_a_family_without_provider_is_invalid() -> None:
    """R4.122."""
    assert code_of(lambda: WSAStringToAddress("1.2.3.4", AF_IPX)) == WSAEINVAL


@pytest.mark.usefixtures("started")
def test_missing_text_is_a_fault() -> None:
    assert code_of(lambda: WSAStringToAddress(None, AF_INET)) == WSAEFAULT
    with pytest.raises(TypeError):
        WSAStringToAddress(b"1.2.3.4", AF_INET)  # type: ignore[arg-type]


@pytest.mark.usefixtures("unstarted")
@pytest.mark.parametrize("address", [sockaddr_in("1.2.3.4"), None], ids=["address", "NULL"])
def test_writing_needs_a_startup(address: bytes | None) -> None:
    """B53: N comes first."""
    assert code_of(lambda: WSAAddressToString(address)) == WSANOTINITIALISED


@pytest.mark.usefixtures("unstarted")
@pytest.mark.parametrize("text", ["1.2.3.4", "", None])
def test_reading_needs_a_startup(text: str | None) -> None:
    """B53: N comes first."""
    assert code_of(lambda: WSAStringToAddress(text, AF_INET, None, 0)) == WSANOTINITIALISED


def test_a_given_protocol_goes_to_its_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """R3.38: here the provider of a family whose text and size nobody else knows."""
    info = ProtocolInfo(catalog_entry_id=1900, address_family=AF_IPX)
    address = SockAddr(AF_IPX.to_bytes(2, "little") + b"net and node")
    provider = SimpleNamespace(
        WSPAddressToString=lambda given, of: f"{given[2:].decode()} of {of.catalog_entry_id}",
        WSPStringToAddress=lambda text, family, of: SockAddr(family.to_bytes(2, "little") + text.encode()),
    )
    asked: list[tuple[int, ProtocolInfo | None]] = []

    def provider_for_family(family: int, of: ProtocolInfo | None) -> SimpleNamespace:
        asked.append((family, of))
        return provider

    process = SimpleNamespace(provider_for_family=provider_for_family)
    monkeypatch.setattr(addresses, "current_process", lambda: process)

    assert WSAAddressToString(address, info) == "net and node of 1900"
    assert WSAStringToAddress("net and node", AF_IPX, info) == address
    assert asked == [(AF_IPX, info)] * 2
    # No protocol makes an address of bytes without a family.
    assert code_of(lambda: WSAAddressToString(None, info)) == WSAEINVAL
    with pytest.raises(WinsockError) as caught:
        WSAStringToAddress("net and node", AF_IPX, info, 13)
    assert (caught.value.winerror, caught.value.needed) == (WSAEFAULT, 14)
