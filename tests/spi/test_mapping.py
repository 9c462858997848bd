"""Which entry of the provider an API function calls, and with what (table T1.3 of the reference).

`MAPPED` has a row for every function that goes to a provider: what the program calls, the one call the provider must
see, and what the program must get back. Functions that never reach a transport are in `DLL_ONLY`. A function that is
in neither list fails a test, so that none stays unproven.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from conformance.targets.recording import LOCAL, PEER, Call, Made, RecordingProvider, installed, recorder, row, started
from winsock2emu import ws2_32
from winsock2emu.defs.codes import STATUS_PENDING, WSAEFAULT
from winsock2emu.defs.constants import (
    AF_INET,
    AI_NUMERICHOST,
    FIONBIO,
    FIONREAD,
    FROM_PROTOCOL_INFO,
    IPPROTO_TCP,
    IPPROTO_UDP,
    LITTLEENDIAN,
    MSG_OOB,
    MSG_PEEK,
    NI_NUMERICHOST,
    NI_NUMERICSERV,
    SD_SEND,
    SIO_BASE_HANDLE,
    SIO_RCVALL,
    SO_LINGER,
    SO_RCVBUF,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED,
)
from winsock2emu.defs.records import AddrInfo
from winsock2emu.errors import EXPORTED, WinsockError
from winsock2emu.kernel.operations import OVERLAPPED
from winsock2emu.process import Process
from winsock2emu.ws2_32 import LookupBuffer

# Buffers that the provider must see themselves, not copies of them.
DATA, FIRST, SECOND = b"data", bytearray(2), bytearray(8)
ROW = row()
SQOS, GQOS = object(), object()


def condition(*_: Any) -> int:
    return 0


@attrs.frozen
class Mapping:
    """``call`` of the API on a socket leads to exactly this call of the provider, and to this result."""

    api: str
    call: Callable[[int], Any]
    spi: str
    args: tuple[Any, ...]  # behind the socket
    result: Any


NEW = object()  # a new handle, the next one that the process makes

RECORD = OVERLAPPED()

MAPPED = [
    Mapping(
        "WSAGetOverlappedResult",
        lambda s: ws2_32.WSAGetOverlappedResult(s, RECORD, 1),  # type: ignore[arg-type]
        "WSPGetOverlappedResult",
        (RECORD, True),
        (0, 0),
    ),
    Mapping("accept", ws2_32.accept, "WSPAccept", (None, None, 0), (NEW, PEER)),
    Mapping("accept", lambda s: ws2_32.accept(s, 28), "WSPAccept", (28, None, 0), (NEW, PEER)),
    Mapping("WSAAccept", ws2_32.WSAAccept, "WSPAccept", (None, None, 0), (NEW, PEER)),
    Mapping("WSAAccept", lambda s: ws2_32.WSAAccept(s, 16, condition, 7), "WSPAccept", (16, condition, 7), (NEW, PEER)),
    Mapping(
        "WSADuplicateSocket", lambda s: ws2_32.WSADuplicateSocket(s, 4711), "WSPDuplicateSocket", (4711,), ROW.info
    ),
    Mapping("bind", lambda s: ws2_32.bind(s, LOCAL), "WSPBind", (LOCAL,), None),
    Mapping("bind", lambda s: ws2_32.bind(s, None), "WSPBind", (None,), None),
    Mapping("closesocket", ws2_32.closesocket, "WSPCloseSocket", (), None),
    Mapping("connect", lambda s: ws2_32.connect(s, PEER), "WSPConnect", (PEER, None, None, None, None), None),
    Mapping("WSAConnect", lambda s: ws2_32.WSAConnect(s, PEER), "WSPConnect", (PEER, None, None, None, None), b""),
    Mapping(
        "WSAConnect",
        lambda s: ws2_32.WSAConnect(s, PEER, b"caller", 4, SQOS, GQOS),
        "WSPConnect",
        (PEER, b"caller", 4, SQOS, GQOS),
        b"call",
    ),
    Mapping("getpeername", lambda s: ws2_32.getpeername(s, 16), "WSPGetPeerName", (16,), PEER),
    Mapping("getsockname", lambda s: ws2_32.getsockname(s, 28), "WSPGetSockName", (28,), LOCAL),
    Mapping("getsockname", ws2_32.getsockname, "WSPGetSockName", (None,), LOCAL),
    Mapping(
        "getsockopt",
        lambda s: ws2_32.getsockopt(s, SOL_SOCKET, SO_RCVBUF, 4),
        "WSPGetSockOpt",
        (SOL_SOCKET, SO_RCVBUF, 4),
        b"\x2a\0\0\0",
    ),
    Mapping(
        "setsockopt",
        lambda s: ws2_32.setsockopt(s, SOL_SOCKET, SO_LINGER, b"\1\0\2\0"),
        "WSPSetSockOpt",
        (SOL_SOCKET, SO_LINGER, b"\1\0\2\0"),
        None,
    ),
    Mapping(
        "setsockopt",
        lambda s: ws2_32.setsockopt(s, SOL_SOCKET, SO_RCVBUF, 0x12345),
        "WSPSetSockOpt",
        (SOL_SOCKET, SO_RCVBUF, b"\x45\x23\1\0"),
        None,
    ),
    Mapping(
        "setsockopt",
        lambda s: ws2_32.setsockopt(s, SOL_SOCKET, SO_RCVBUF, None),
        "WSPSetSockOpt",
        (SOL_SOCKET, SO_RCVBUF, None),
        None,
    ),
    # ioctlsocket is WSPIoctl with one u_long for both directions; the code is a negative long in C.
    Mapping(
        "ioctlsocket",
        lambda s: ws2_32.ioctlsocket(s, FIONREAD, 1),
        "WSPIoctl",
        (FIONREAD, b"\1\0\0\0", 4, None),
        0x2B,
    ),
    Mapping(
        "ioctlsocket",
        lambda s: ws2_32.ioctlsocket(s, FIONBIO - (1 << 32), 1),
        "WSPIoctl",
        (FIONBIO, b"\1\0\0\0", 4, None),
        0x2B,
    ),
    Mapping(
        "ioctlsocket",
        lambda s: ws2_32.ioctlsocket(s, SIO_RCVALL, 3),
        "WSPIoctl",
        (SIO_RCVALL, b"\3\0\0\0", 4, None),
        0x2B,
    ),
    Mapping(
        "WSAIoctl",
        lambda s: ws2_32.WSAIoctl(s, SIO_BASE_HANDLE, b"in", 8),
        "WSPIoctl",
        (SIO_BASE_HANDLE, b"in", 8, None),
        b"\x2b\0\0\0",
    ),
    Mapping("listen", lambda s: ws2_32.listen(s, 5), "WSPListen", (5,), None),
    Mapping("recv", lambda s: ws2_32.recv(s, SECOND, MSG_PEEK), "WSPRecv", ((SECOND,), MSG_PEEK, None), 8),
    Mapping("recv", lambda s: ws2_32.recv(s, None), "WSPRecv", ((None,), 0, None), 0),
    Mapping(
        "WSARecv",
        lambda s: ws2_32.WSARecv(s, [FIRST, SECOND], MSG_PEEK),
        "WSPRecv",
        ([FIRST, SECOND], MSG_PEEK, None),
        10,
    ),
    Mapping("WSARecv", lambda s: ws2_32.WSARecv(s, None), "WSPRecv", (None, 0, None), 0),
    Mapping(
        "recvfrom",
        lambda s: ws2_32.recvfrom(s, SECOND, MSG_PEEK, 16),
        "WSPRecvFrom",
        ((SECOND,), MSG_PEEK, 16, None),
        (8, PEER),
    ),
    Mapping("recvfrom", lambda s: ws2_32.recvfrom(s, SECOND), "WSPRecvFrom", ((SECOND,), 0, None, None), (8, PEER)),
    Mapping(
        "WSARecvFrom",
        lambda s: ws2_32.WSARecvFrom(s, [FIRST, SECOND], MSG_PEEK, 16),
        "WSPRecvFrom",
        ([FIRST, SECOND], MSG_PEEK, 16, None),
        (10, PEER),
    ),
    Mapping("send", lambda s: ws2_32.send(s, DATA, MSG_OOB), "WSPSend", ((DATA,), MSG_OOB, None), 4),
    Mapping("send", lambda s: ws2_32.send(s, None), "WSPSend", ((None,), 0, None), 0),
    Mapping("WSASend", lambda s: ws2_32.WSASend(s, [DATA, DATA], MSG_OOB), "WSPSend", ([DATA, DATA], MSG_OOB, None), 8),
    Mapping("sendto", lambda s: ws2_32.sendto(s, DATA, 0, PEER), "WSPSendTo", ((DATA,), 0, PEER, None), 4),
    Mapping("sendto", lambda s: ws2_32.sendto(s, DATA, 4, None), "WSPSendTo", ((DATA,), 4, None, None), 4),
    Mapping(
        "WSASendTo",
        lambda s: ws2_32.WSASendTo(s, [DATA, DATA], 0, PEER),
        "WSPSendTo",
        ([DATA, DATA], 0, PEER, None),
        8,
    ),
    Mapping("shutdown", lambda s: ws2_32.shutdown(s, SD_SEND), "WSPShutdown", (SD_SEND,), None),
    Mapping("WSAEventSelect", lambda s: ws2_32.WSAEventSelect(s, 4, 1), "WSPEventSelect", (4, 1), None),
    Mapping("WSAEventSelect", lambda s: ws2_32.WSAEventSelect(s, None, 0), "WSPEventSelect", (None, 0), None),
    Mapping("WSAAsyncSelect", lambda s: ws2_32.WSAAsyncSelect(s, 0, 7, 0), "WSPAsyncSelect", (0, 7, 0), None),
    Mapping(
        "WSAEnumNetworkEvents",
        lambda s: ws2_32.WSAEnumNetworkEvents(s, 4),
        "WSPEnumNetworkEvents",
        (4,),
        (0, (0,) * 10),
    ),
    Mapping("WSASendDisconnect", lambda s: ws2_32.WSASendDisconnect(s, DATA), "WSPSendDisconnect", (DATA,), None),
    Mapping("WSASendDisconnect", ws2_32.WSASendDisconnect, "WSPSendDisconnect", (None,), None),
    Mapping("WSARecvDisconnect", lambda s: ws2_32.WSARecvDisconnect(s, 8), "WSPRecvDisconnect", (8,), b""),
    Mapping("WSARecvDisconnect", ws2_32.WSARecvDisconnect, "WSPRecvDisconnect", (None,), b""),
]

# Functions without a socket that go to a provider all the same, tested one by one below; those that go to an extension
# function or to the engine are in test_waiting.py, test_connecting.py and test_notifications.py of tests/ws2_32 and in
# tests/mswsock/test_messages.py.
OTHERS = {
    "ProcessSocketNotifications",
    "WSAConnectByList",
    "WSAConnectByName",
    "WSAAddressToString",
    "WSAStringToAddress",
    "WSASocket",
    "select",
    "socket",
    "WSAPoll",
    "WSASendMsg",
}

DLL_ONLY: dict[str, Callable[[int], Any]] = {
    "InetNtopW": lambda s: ws2_32.InetNtopW(AF_INET, b"\x7f\0\0\1", 16),
    "InetPtonW": lambda s: ws2_32.InetPtonW(AF_INET, "127.0.0.1", bytearray(4)),
    "WSAAsyncGetHostByAddr": lambda s: ws2_32.WSAAsyncGetHostByAddr(0, 0, b"\x7f\0\0\1", AF_INET, LookupBuffer()),
    "WSAAsyncGetHostByName": lambda s: ws2_32.WSAAsyncGetHostByName(0, 0, "127.0.0.1", LookupBuffer()),
    "WSAAsyncGetProtoByName": lambda s: ws2_32.WSAAsyncGetProtoByName(0, 0, "tcp", LookupBuffer()),
    "WSAAsyncGetProtoByNumber": lambda s: ws2_32.WSAAsyncGetProtoByNumber(0, 0, 6, LookupBuffer()),
    "WSAAsyncGetServByName": lambda s: ws2_32.WSAAsyncGetServByName(0, 0, "http", "tcp", LookupBuffer()),
    "WSAAsyncGetServByPort": lambda s: ws2_32.WSAAsyncGetServByPort(0, 0, 0x5000, "tcp", LookupBuffer()),
    "WSACancelAsyncRequest": lambda s: cancelled_at_once(),
    "WSACloseEvent": lambda s: ws2_32.WSACloseEvent(ws2_32.WSACreateEvent()),
    "WSACreateEvent": lambda s: ws2_32.WSACloseEvent(ws2_32.WSACreateEvent()),
    "WSAEnumProtocols": lambda s: ws2_32.WSAEnumProtocols(),
    "WSAGetLastError": lambda s: ws2_32.WSAGetLastError(),
    "WPUCompleteOverlappedRequest": lambda s: ws2_32.WPUCompleteOverlappedRequest(s, OVERLAPPED(), 0, 4),
    "WSAHtonl": lambda s: ws2_32.WSAHtonl(s, 1),
    "WSAHtons": lambda s: ws2_32.WSAHtons(s, 1),
    "WSANtohl": lambda s: ws2_32.WSANtohl(s, 1),
    "WSANtohs": lambda s: ws2_32.WSANtohs(s, 1),
    "WSAResetEvent": lambda s: with_an_event(ws2_32.WSAResetEvent),
    "WSASetEvent": lambda s: with_an_event(ws2_32.WSASetEvent),
    "WSAWaitForMultipleEvents": lambda s: with_an_event(lambda e: ws2_32.WSAWaitForMultipleEvents([e], False, 0)),
    "WSASetLastError": lambda s: ws2_32.WSASetLastError(0),
    "__WSAFDIsSet": lambda s: vars(ws2_32)["__WSAFDIsSet"](s, [s]),
    "getaddrinfo": lambda s: ws2_32.getaddrinfo("127.0.0.1", "80", AddrInfo(flags=AI_NUMERICHOST)),
    "gethostbyname": lambda s: ws2_32.gethostbyname("127.0.0.1"),
    "gethostname": lambda s: ws2_32.gethostname(),
    "getnameinfo": lambda s: ws2_32.getnameinfo(LOCAL, NI_NUMERICHOST | NI_NUMERICSERV),
    "getprotobyname": lambda s: ws2_32.getprotobyname("tcp"),
    "getprotobynumber": lambda s: ws2_32.getprotobynumber(6),
    "getservbyname": lambda s: ws2_32.getservbyname("http", "tcp"),
    "getservbyport": lambda s: ws2_32.getservbyport(0x5000, "tcp"),
    "htonl": lambda s: ws2_32.htonl(1),
    "htons": lambda s: ws2_32.htons(1),
    "inet_addr": lambda s: ws2_32.inet_addr("127.0.0.1"),
    "inet_ntoa": lambda s: ws2_32.inet_ntoa(0x0100007F),
    "inet_ntop": lambda s: ws2_32.inet_ntop(AF_INET, b"\x7f\0\0\1", 16),
    "inet_pton": lambda s: ws2_32.inet_pton(AF_INET, "127.0.0.1", bytearray(4)),
    "ntohl": lambda s: ws2_32.ntohl(1),
    "ntohs": lambda s: ws2_32.ntohs(1),
}


def with_an_event(call: Callable[[int], object]) -> None:
    event = ws2_32.WSACreateEvent()
    call(event)
    ws2_32.WSACloseEvent(event)


def cancelled_at_once() -> None:
    task = ws2_32.WSAAsyncGetHostByName(0, 0, "127.0.0.1", LookupBuffer())
    with contextlib.suppress(WinsockError):  # it may have ended before
        ws2_32.WSACancelAsyncRequest(task)


# No single entry belongs to these; tests/catalog/test_loader.py shows what they lead to.
STARTUP = {"WSACleanup", "WSAStartup"}


def test_every_function_of_the_api_is_in_one_of_the_lists() -> None:
    exported = {name for module, name in EXPORTED if module.startswith("winsock2emu.ws2_32.")}

    assert exported - {mapping.api for mapping in MAPPED} - OTHERS - set(DLL_ONLY) - STARTUP == set()


@pytest.mark.parametrize("mapping", MAPPED, ids=lambda mapping: mapping.api)
def test_one_call_of_the_named_entry(process: Process, provider: RecordingProvider, s: int, mapping: Mapping) -> None:
    """R1.33, R1.34: no call before it, none behind it, arguments in SPI order, the same objects."""
    result = mapping.call(s)

    assert provider.calls == [Call(mapping.spi, (s, *mapping.args))]
    for expected, actual in zip(mapping.args, provider.calls[0].args[1:], strict=True):
        if isinstance(expected, list | tuple):
            assert all(one is other for one, other in zip(expected, actual, strict=True))
    if isinstance(mapping.result, tuple) and mapping.result[0] is NEW:
        assert result == (max(process.sockets()), PEER) != (s, PEER)
    else:
        assert result == mapping.result


@pytest.mark.parametrize("mapping", MAPPED, ids=lambda mapping: mapping.api)
def test_the_failure_of_the_entry_is_the_failure_of_the_function(
    provider: RecordingProvider, s: int, mapping: Mapping
) -> None:
    """R1.27: the provider's code becomes the last error; a code that no page lists passes as well."""
    provider.failures[mapping.spi] = WinsockError(12345)

    with pytest.raises(WinsockError) as caught:
        mapping.call(s)

    assert caught.value is provider.failures[mapping.spi]
    assert ws2_32.WSAGetLastError() == 12345
    assert provider.names() == [mapping.spi]


@pytest.mark.parametrize("name", sorted(DLL_ONLY))
def test_what_the_dll_does_itself_reaches_no_provider(provider: RecordingProvider, s: int, name: str) -> None:
    DLL_ONLY[name](s)

    assert provider.calls == []


def test_a_null_argument_of_ioctlsocket_is_found_before_the_provider(provider: RecordingProvider, s: int) -> None:
    """B41: the pointer wins over the code."""
    with pytest.raises(WinsockError) as caught:
        ws2_32.ioctlsocket(s, 0x12345678, None)

    assert caught.value.code == WSAEFAULT
    assert provider.calls == []


# Making sockets


def test_socket_adds_the_overlapped_flag(process: Process, provider: RecordingProvider) -> None:
    s = ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)

    info = process.catalog.entries[0].info
    args = (AF_INET, SOCK_STREAM, IPPROTO_TCP, info, 0, WSA_FLAG_OVERLAPPED)
    assert provider.calls[1:] == [Call("WSPSocket", args)]
    assert process.upcalls.WPUQuerySocketHandleContext(s) == Made(*args)


def test_socket_hands_the_wildcards_on(process: Process, provider: RecordingProvider) -> None:
    """R1.97: the provider takes what is 0 from the record."""
    provider.forget()

    ws2_32.socket(0, 0, IPPROTO_TCP)

    info = process.catalog.entries[0].info
    assert provider.calls == [Call("WSPSocket", (0, 0, IPPROTO_TCP, info, 0, WSA_FLAG_OVERLAPPED))]


def test_wsasocket_adds_no_flag(process: Process, provider: RecordingProvider) -> None:
    provider.forget()

    ws2_32.WSASocket(AF_INET, SOCK_STREAM, 0)
    ws2_32.WSASocket(AF_INET, SOCK_STREAM, 0, None, 5, WSA_FLAG_NO_HANDLE_INHERIT)

    info = process.catalog.entries[0].info
    assert provider.calls == [
        Call("WSPSocket", (AF_INET, SOCK_STREAM, 0, info, 0, 0)),
        Call("WSPSocket", (AF_INET, SOCK_STREAM, 0, info, 5, WSA_FLAG_NO_HANDLE_INHERIT)),
    ]


def test_a_protocol_record_chooses_and_nothing_is_changed(process: Process, provider: RecordingProvider) -> None:
    """R3.23, R3.24: no matching, FROM_PROTOCOL_INFO included; only the catalog id of the record counts."""
    provider.forget()
    theirs = attrs.evolve(process.catalog.entries[0].info, address_family=-1, socket_type=77, name="changed")
    every = FROM_PROTOCOL_INFO

    ws2_32.WSASocket(every, every, every, theirs)
    ws2_32.WSASocket(99, SOCK_DGRAM, IPPROTO_UDP, theirs, 0, WSA_FLAG_OVERLAPPED)

    assert provider.calls == [
        Call("WSPSocket", (every, every, every, theirs, 0, 0)),
        Call("WSPSocket", (99, SOCK_DGRAM, IPPROTO_UDP, theirs, 0, WSA_FLAG_OVERLAPPED)),
    ]


# select


def test_select_passes_the_sets_as_they_are(provider: RecordingProvider, s: int) -> None:
    other = ws2_32.socket(AF_INET, SOCK_STREAM, 0)
    provider.forget()
    reads, writes = [s, other], [other]

    ready = ws2_32.select(reads, writes, None, (1, 500_000))

    assert provider.calls == [Call("WSPSelect", (reads, writes, None, (1, 500_000)))]
    assert ready == ([s, other], [other], [])


def test_select_waits_for_ever_without_a_time(provider: RecordingProvider, s: int) -> None:
    ws2_32.select(None, None, [s])

    assert provider.calls == [Call("WSPSelect", (None, None, [s], None))]


# Addresses


def test_text_goes_to_the_provider_of_the_family(provider: RecordingProvider) -> None:
    provider.forget()

    assert ws2_32.WSAAddressToString(LOCAL) == "somewhere"
    assert ws2_32.WSAStringToAddress("somewhere", AF_INET) == PEER

    assert provider.calls == [
        Call("WSPAddressToString", (LOCAL, None)),
        Call("WSPStringToAddress", ("somewhere", AF_INET, None)),
    ]


def test_text_goes_to_the_provider_of_the_record() -> None:
    """R3.38: the record decides, not the family; that provider then has to say what it thinks of the address."""
    with installed(RecordingProvider) as path, started(row(), row(1002, af=99, path=path)) as process:
        first, second = recorder(process), recorder(process, path)
        info = process.catalog.entries[0].info
        first.forget()
        second.forget()

        assert ws2_32.WSAAddressToString(b"\x63\0", info) == "somewhere"
        assert ws2_32.WSAStringToAddress("somewhere", 99, info) == PEER

        assert first.calls == [
            Call("WSPAddressToString", (b"\x63\0", info)),
            Call("WSPStringToAddress", ("somewhere", 99, info)),
        ]
        assert second.calls == []


# Byte order


def test_byte_order_is_the_catalogs() -> None:
    """R3.37: the record of the socket's protocol decides."""
    with started(row(), row(1002, af=99, network_byte_order=LITTLEENDIAN)):
        big, little = ws2_32.socket(AF_INET, 0, 0), ws2_32.socket(99, 0, 0)

        assert ws2_32.WSAHtonl(big, 0x01020304) == ws2_32.WSANtohl(big, 0x01020304) == 0x04030201
        assert ws2_32.WSAHtons(big, 0x0102) == ws2_32.WSANtohs(big, 0x0102) == 0x0201
        assert ws2_32.WSAHtonl(little, 0x01020304) == ws2_32.WSANtohl(little, 0x01020304) == 0x01020304
        assert ws2_32.WSAHtons(little, 0x0102) == ws2_32.WSANtohs(little, 0x0102) == 0x0102


def test_an_overlapped_request_is_handed_to_the_entry_and_begun_before(provider: RecordingProvider, s: int) -> None:
    """The last argument is the record; whether it pends is up to the provider."""
    seen: list[int] = []
    for entry in ("WSPSend", "WSPRecv", "WSPSendTo", "WSPRecvFrom", "WSPIoctl"):
        provider.actions[entry] = lambda *args: seen.append(args[-1].Internal)
    records = [OVERLAPPED() for _ in range(5)]

    ws2_32.WSASend(s, [b""], 0, records[0])
    ws2_32.WSARecv(s, [bytearray(1)], 0, records[1])
    ws2_32.WSASendTo(s, [b""], 0, PEER, records[2])
    ws2_32.WSARecvFrom(s, [bytearray(1)], 0, None, records[3])
    ws2_32.WSAIoctl(s, FIONREAD, None, 4, records[4])

    assert [call.args[-1] for call in provider.calls] == records
    assert seen == [STATUS_PENDING] * 5
