"""Architecture and service providers: what the DLL does itself, what it forwards, and how it treats a provider."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from ..addresses import sockaddr_in
from ..constants import (
    AF_INET,
    CF_ACCEPT,
    FIONBIO,
    FIONREAD,
    FROM_PROTOCOL_INFO,
    INVALID_SOCKET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    LITTLEENDIAN,
    MSG_OOB,
    MSG_PARTIAL,
    MSG_PEEK,
    NI_NUMERICHOST,
    NI_NUMERICSERV,
    SD_BOTH,
    SD_SEND,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SO_ERROR,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_RCVBUF,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED,
    WSA_INVALID_HANDLE,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINPROGRESS,
    WSAEINTR,
    WSAEINVAL,
    WSAEINVALIDPROCTABLE,
    WSAEINVALIDPROVIDER,
    WSAENETRESET,
    WSAENOTSOCK,
    WSAEPROCLIM,
    WSAEPROVIDERFAILEDINIT,
    WSAEWOULDBLOCK,
    WSAID_ACCEPTEX,
    WSANOTINITIALISED,
    WSASYSCALLFAILURE,
    WSASYSNOTREADY,
    WSAVERNOTSUPPORTED,
)
from ..model import Row, case
from ..providers import ENTRIES, LOCAL, PEER, UPCALLS, VERSION_2_2, Call, Provider, Recorder, protocol
from ..target import Target, flags_of
from ..verify import Failed, expect, expect_true, fails_with

CHAPTER = "Architecture and service providers"
ARCHITECTURE = "winsock/windows-sockets-2-architecture-2"
DIVISION = "winsock/transport-division-of-responsibilities-between-dll-and-service-providers-2"
MAPPING = "winsock/transport-mapping-between-api-and-spi-functions-2"
VALIDATION = "winsock/error-reporting-and-parameter-validation-2"
CODES = "winsock/windows-sockets-error-codes-2"
BYTE_ORDER = "winsock/byte-ordering-assumptions-2"
INTERFACE = "winsock/function-interface-model-2"
INITIALISATION = "winsock/initialization-2"
CLEANUP = "winsock/cleanup-2"
UPCALL_PAGE = "winsock/upcalls-exposed-by-windows-sockets-2-dll-2"
HANDLES = "winsock/descriptor-allocation-2"
WSPSTARTUP = "ws2spi/nf-ws2spi-wspstartup"
IFS = "ws2spi/nf-ws2spi-wpumodifyifshandle"
WSASOCKET = "winsock2/nf-winsock2-wsasocketw"

#: A code that no check of the DLL gives, so it shows who refused.
PROVIDERS_OWN = WSAENETRESET
#: A last error that nobody stores.
SENTINEL = 54321
#: The provider of TCP and UDP over IPv4.
MSAFD_TCPIP = UUID("e70f1aa0-ab8b-11cf-8ca3-00805f48a192")
#: A family, and a number, that nobody has.
OTHER_FAMILY, NEVER_A_HANDLE = 99, 0x7FFF0000
OTHER = Provider(protocols=(protocol(OTHER_FAMILY),))

Use = Callable[[Target, int], Any]


def recording_socket(ws: Target, recorder: Recorder) -> int:
    """A socket of an installed provider; the record starts after it."""
    info = recorder.protocols[0]
    s = ws.WSASocket(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, info, 0, WSA_FLAG_OVERLAPPED)
    recorder.forget()
    return s


@contextlib.contextmanager
def provider_socket(
    ws: Target, wanted: Provider | None = None, *, built_in: bool = False
) -> Iterator[tuple[Recorder, int]]:
    """An installed provider and one socket of it."""
    with ws.provider(wanted, built_in=built_in) as recorder, ws.closing(recording_socket(ws, recorder)) as s:
        yield recorder, s


@contextlib.contextmanager
def two_provider_sockets(ws: Target, *wanted: Provider) -> Iterator[tuple[Recorder, int, Recorder, int]]:
    """Two installed providers with one socket each: (provider, socket, provider, socket)."""
    with (
        ws.providers(*wanted) as (one, two),
        ws.closing(recording_socket(ws, one)) as first,
        ws.closing(recording_socket(ws, two)) as second,
    ):
        one.forget()
        two.forget()
        yield one, first, two, second


# ---- which call of the API is which call of the SPI ----------------------------------------------

S = object()  # the socket, in the arguments of a row


def forwarded(use: Use, entry: str, *arguments: Any, result: Any = None) -> Row:
    """A row: this use of a socket is this call of the provider, and has this result."""
    return Row(use, entry, arguments, result)


def placed(value: Any, s: int) -> Any:
    """The arguments of a row, with the socket in its places."""
    if value is S:
        return s
    return tuple(placed(item, s) for item in value) if isinstance(value, tuple) else value


FORWARDED = {
    "bind": forwarded(lambda ws, s: ws.bind(s, LOCAL), "WSPBind", S, LOCAL),
    "listen": forwarded(lambda ws, s: ws.listen(s, 5), "WSPListen", S, 5),
    "connect": forwarded(lambda ws, s: ws.connect(s, PEER), "WSPConnect", S, PEER, None, None, None, None),
    "wsaconnect": forwarded(
        lambda ws, s: ws.WSAConnect(s, PEER, b"caller", 4),
        "WSPConnect",
        *(S, PEER, b"caller", 4, None, None),
        result=b"call",
    ),
    "shutdown": forwarded(lambda ws, s: ws.shutdown(s, SD_SEND), "WSPShutdown", S, SD_SEND),
    "getsockname": forwarded(lambda ws, s: ws.getsockname(s, 20), "WSPGetSockName", S, 20, result=LOCAL),
    "getpeername": forwarded(lambda ws, s: ws.getpeername(s, 20), "WSPGetPeerName", S, 20, result=PEER),
    "send": forwarded(lambda ws, s: ws.send(s, b"data", MSG_OOB), "WSPSend", S, (b"data",), MSG_OOB, None, result=4),
    "wsasend": forwarded(
        lambda ws, s: ws.WSASend(s, [b"da", b"", b"ta!"], MSG_OOB),
        "WSPSend",
        *(S, (b"da", b"", b"ta!"), MSG_OOB, None),
        result=5,
    ),
    "sendto": forwarded(
        lambda ws, s: ws.sendto(s, b"data", 0, PEER), "WSPSendTo", S, (b"data",), 0, PEER, None, result=4
    ),
    "sendto-without-address": forwarded(
        lambda ws, s: ws.sendto(s, b"data", 0, None), "WSPSendTo", S, (b"data",), 0, None, None, result=4
    ),
    "wsasendto": forwarded(
        lambda ws, s: ws.WSASendTo(s, [b"da", b"ta!"], 0, PEER),
        "WSPSendTo",
        *(S, (b"da", b"ta!"), 0, PEER, None),
        result=5,
    ),
    "recv": forwarded(
        lambda ws, s: ws.recv(s, bytearray(8), MSG_PEEK), "WSPRecv", S, (bytes(8),), MSG_PEEK, None, result=5
    ),
    "wsarecv": forwarded(
        lambda ws, s: ws.WSARecv(s, [bytearray(2), bytearray(8)], MSG_PEEK),
        "WSPRecv",
        *(S, (bytes(2), bytes(8)), MSG_PEEK, None),
        result=5,
    ),
    "recvfrom": forwarded(
        lambda ws, s: ws.recvfrom(s, bytearray(8), MSG_PEEK, 20),
        "WSPRecvFrom",
        *(S, (bytes(8),), MSG_PEEK, 20, None),
        result=(5, PEER),
    ),
    "wsarecvfrom": forwarded(
        lambda ws, s: ws.WSARecvFrom(s, [bytearray(2), bytearray(8)], MSG_PEEK, 20),
        "WSPRecvFrom",
        *(S, (bytes(2), bytes(8)), MSG_PEEK, 20, None),
        result=(5, PEER),
    ),
    "getsockopt": forwarded(
        lambda ws, s: ws.getsockopt(s, SOL_SOCKET, SO_RCVBUF, 4),
        "WSPGetSockOpt",
        *(S, SOL_SOCKET, SO_RCVBUF, 4),
        result=b"\x2a\0\0\0",
    ),
    "setsockopt": forwarded(
        lambda ws, s: ws.setsockopt(s, SOL_SOCKET, SO_LINGER, b"\1\0\2\0"),
        "WSPSetSockOpt",
        *(S, SOL_SOCKET, SO_LINGER, b"\1\0\2\0"),
    ),
    "ioctlsocket": forwarded(
        lambda ws, s: ws.ioctlsocket(s, FIONREAD, 1), "WSPIoctl", S, FIONREAD, b"\1\0\0\0", 4, None, result=0x2B
    ),
    "wsaioctl": forwarded(
        lambda ws, s: ws.WSAIoctl(s, 0x12345678, b"input", 8),
        "WSPIoctl",
        *(S, 0x12345678, b"input", 8, None),
        result=b"\x2b\0\0\0",
    ),
    "wsaioctl-extension-function": forwarded(
        lambda ws, s: ws.WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, WSAID_ACCEPTEX.bytes_le, 8),
        "WSPIoctl",
        *(S, SIO_GET_EXTENSION_FUNCTION_POINTER, WSAID_ACCEPTEX.bytes_le, 8, None),
        result=b"\x2b\0\0\0",
    ),
    "select": forwarded(
        lambda ws, s: ws.select([s], [s], None, (1, 500_000)),
        "WSPSelect",
        *((S,), (S,), None, (1, 500_000)),
        result=((S,), (S,), ()),
    ),
    "select-without-time": forwarded(
        lambda ws, s: ws.select(None, [s], None, None), "WSPSelect", None, (S,), None, None, result=((), (S,), ())
    ),
    "closesocket": forwarded(lambda ws, s: ws.closesocket(s), "WSPCloseSocket", S),
}
ACCEPTING = {
    "accept": forwarded(lambda ws, s: ws.accept(s, 20), "WSPAccept", S, 20, None, 0),
    "wsaaccept": forwarded(lambda ws, s: ws.WSAAccept(s, 20), "WSPAccept", S, 20, None, 0),
}


@case(
    "architecture.mapping.{row}",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["R1.33", "R1.24", "T1.3"],
    needs_provider=True,
    rows=FORWARDED,
)
def call_is_one_call_of_the_provider(ws: Target, use: Use, entry: str, arguments: tuple[Any, ...], result: Any) -> None:
    """The function is exactly one call of the entry in table T1.3, with its arguments in the order of the SPI."""
    with provider_socket(ws) as (recorder, s):
        recorder.receives(b"hello")
        actual = use(ws, s)
        calls = recorder.calls
    expect("calls of the DLL", expected=[Call(entry, placed(arguments, s))], actual=calls)
    if isinstance(actual, tuple):  # the sets of select are lists
        actual = tuple(tuple(item) if isinstance(item, list) else item for item in actual)
    expect("result", expected=placed(result, s), actual=actual)


@case(
    "architecture.mapping.{row}",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["R1.33", "R1.24", "T1.3"],
    needs_provider=True,
    rows=ACCEPTING,
)
def accept_is_one_call_of_the_provider(
    ws: Target, use: Use, entry: str, arguments: tuple[Any, ...], result: None
) -> None:
    """accept and WSAAccept are one call of WSPAccept; accept passes no condition function."""
    with provider_socket(ws) as (recorder, s):
        accepted, peer = use(ws, s)
        with ws.closing(accepted):
            calls = recorder.calls
            recorder.forget()
            ws.send(accepted, b"x")
            expect(
                "calls on the new socket",
                expected=[Call("WSPSend", (accepted, (b"x",), 0, None))],
                actual=recorder.calls,
            )
    expect("calls of the DLL", expected=[Call(entry, placed(arguments, s))], actual=calls)
    expect("address", expected=PEER, actual=peer)


@case(
    "architecture.mapping.wsaaccept-condition",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["R1.33", "T1.3"],
    needs_provider=True,
)
def condition_function_goes_to_the_provider(ws: Target) -> None:
    """WSAAccept hands the program's condition function and its callback data to WSPAccept."""
    asked: list[tuple[object, ...]] = []
    answers: list[int] = []

    def condition(caller: bytes, data: bytes | None, callee: bytes, callback_data: int) -> int:
        asked.append((caller, data, callee, callback_data))
        return CF_ACCEPT

    def ask(s: int, namelen: int | None, given: Callable[..., int], callback_data: int) -> None:
        answers.append(given(PEER, b"connect data", None, None, LOCAL, None, 0, callback_data))

    with provider_socket(ws) as (recorder, s):
        recorder.does("WSPAccept", ask)
        accepted, _ = ws.WSAAccept(s, 20, condition, 7)
        ws.closesocket(accepted)
        call = recorder.calls[0]
    expect("entry", expected="WSPAccept", actual=call.name)
    expect("callback data", expected=7, actual=call.args[3])
    expect("what the condition function got", expected=[(PEER, b"connect data", LOCAL, 7)], actual=asked)
    expect("what the provider got back", expected=[CF_ACCEPT], actual=answers)


@case(
    "architecture.mapping.socket",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["R1.33", "R1.24", "T1.3"],
    needs_provider=True,
)
def socket_adds_the_overlapped_flag(ws: Target) -> None:
    """The function socket is one call of WSPSocket: with the row that was chosen, no group, WSA_FLAG_OVERLAPPED."""
    with ws.provider() as recorder:
        ws.closesocket(recording_socket(ws, recorder))
        recorder.forget()
        with ws.closing(ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)):
            calls = recorder.calls
    given = (AF_INET, SOCK_STREAM, IPPROTO_TCP, recorder.protocols[0], 0, WSA_FLAG_OVERLAPPED)
    expect("calls of the DLL", expected=[Call("WSPSocket", given)], actual=calls)


@case(
    "architecture.mapping.wsasocket",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["R1.33", "R1.24", "T1.3"],
    needs_provider=True,
    both_forms=True,
)
def wsasocket_passes_its_flags(ws: Target) -> None:
    """The function WSASocket is one call of WSPSocket, with the flags of the program and no others."""
    with ws.provider() as recorder:
        ws.closesocket(recording_socket(ws, recorder))
        recorder.forget()
        with ws.closing(ws.WSASocket(AF_INET, SOCK_STREAM, 0, None, 0, WSA_FLAG_NO_HANDLE_INHERIT)):
            calls = recorder.calls
    given = (AF_INET, SOCK_STREAM, 0, recorder.protocols[0], 0, WSA_FLAG_NO_HANDLE_INHERIT)
    expect("calls of the DLL", expected=[Call("WSPSocket", given)], actual=calls)


@case(
    "architecture.mapping.wsaaddresstostring",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["R1.33", "T1.3"],
    needs_provider=True,
    both_forms=True,
)
def address_text_is_made_by_the_provider(ws: Target) -> None:
    """WSAAddressToString is one call of WSPAddressToString, and its answer is the result."""
    with provider_socket(ws) as (recorder, _):
        text = ws.WSAAddressToString(PEER)
        calls = recorder.calls
    expect("calls of the DLL", expected=[Call("WSPAddressToString", (PEER, None))], actual=calls)
    expect("text", expected="somewhere", actual=text)


@case(
    "architecture.mapping.wsastringtoaddress",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["R1.33", "T1.3"],
    needs_provider=True,
    both_forms=True,
)
def address_text_is_read_by_the_provider(ws: Target) -> None:
    """WSAStringToAddress is one call of WSPStringToAddress, and its answer is the result."""
    with provider_socket(ws) as (recorder, _):
        address = ws.WSAStringToAddress("somewhere", AF_INET)
        calls = recorder.calls
    expect("calls of the DLL", expected=[Call("WSPStringToAddress", ("somewhere", AF_INET, None))], actual=calls)
    expect("address", expected=PEER, actual=address)


@case(
    "architecture.mapping.flat-buffers-become-arrays-{row}",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["R1.34", "T1.3"],
    needs_provider=True,
    rows={
        "send": Row(lambda ws, s: ws.send(s, b"data"), (b"data",)),
        "sendto": Row(lambda ws, s: ws.sendto(s, b"data", 0, PEER), (b"data",)),
        "recv": Row(lambda ws, s: ws.recv(s, bytearray(b"room")), (b"room",)),
        "recvfrom": Row(lambda ws, s: ws.recvfrom(s, bytearray(b"room")), (b"room",)),
    },
)
def flat_buffer_is_an_array_of_one(ws: Target, use: Use, buffers: tuple[bytes, ...]) -> None:
    """The functions with one buffer call the entry that takes an array, with an array of one."""
    with provider_socket(ws) as (recorder, s):
        recorder.receives(b"")
        use(ws, s)
        call = recorder.calls[0]
    expect("array of buffers", expected=buffers, actual=call.args[1])


@case(
    "architecture.mapping.data-goes-into-the-callers-buffers",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["R1.34", "R1.33"],
    needs_provider=True,
)
def provider_fills_the_callers_buffers(ws: Target) -> None:
    """What WSPRecv stores in its buffers stands in the buffers of recv and WSARecv; nothing else is touched."""
    flat, first, second = bytearray(b"........"), bytearray(b".."), bytearray(b"........")
    with provider_socket(ws) as (recorder, s):
        recorder.receives(b"hello")
        received = ws.recv(s, flat), ws.WSARecv(s, [first, second])
    expect("bytes", expected=(5, 5), actual=received)
    expect("flat buffer", expected=b"hello...", actual=bytes(flat))
    expect("array", expected=(b"he", b"llo....."), actual=(bytes(first), bytes(second)))


@case(
    "architecture.mapping.flags-come-back-{row}",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["R1.33"],
    needs_provider=True,
    rows={
        "wsarecv": Row(lambda ws, s: ws.WSARecv(s, [bytearray(8)])),
        "wsarecvfrom": Row(lambda ws, s: ws.WSARecvFrom(s, [bytearray(8)])[0]),
    },
)
def flags_of_the_provider_come_back(ws: Target, use: Use) -> None:
    """The flags that the entry hands back with the data are those that the program gets in lpFlags."""
    with provider_socket(ws) as (recorder, s):
        recorder.receives(b"part", MSG_PARTIAL)
        received = use(ws, s)
    expect("bytes and flags", expected=(4, MSG_PARTIAL), actual=(int(received), flags_of(received)))


# ---- what the DLL does itself --------------------------------------------------------------------


@case(
    "architecture.dll-only.{row}",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["R1.25", "R1.33", "T1.3"],
    needs_provider=True,
    rows={
        "htonl": Row(lambda ws, s: ws.htonl(1)),
        "htons": Row(lambda ws, s: ws.htons(1)),
        "ntohl": Row(lambda ws, s: ws.ntohl(1)),
        "ntohs": Row(lambda ws, s: ws.ntohs(1)),
        "wsahtonl": Row(lambda ws, s: ws.WSAHtonl(s, 1)),
        "wsahtons": Row(lambda ws, s: ws.WSAHtons(s, 1)),
        "wsantohl": Row(lambda ws, s: ws.WSANtohl(s, 1)),
        "wsantohs": Row(lambda ws, s: ws.WSANtohs(s, 1)),
        "wsaenumprotocols": Row(lambda ws, s: ws.WSAEnumProtocols()),
        "wsagetlasterror": Row(lambda ws, s: ws.WSAGetLastError()),
        "wsasetlasterror": Row(lambda ws, s: ws.WSASetLastError(0)),
        "wsastartup": Row(lambda ws, s: ws.WSAStartup(VERSION_2_2)),
        "inet-addr": Row(lambda ws, s: ws.inet_addr("127.0.0.1")),
        "inet-ntoa": Row(lambda ws, s: ws.inet_ntoa(0x0100007F)),
        "inet-pton": Row(lambda ws, s: ws.inet_pton(AF_INET, "127.0.0.1", bytearray(4))),
        "inet-ntop": Row(lambda ws, s: ws.inet_ntop(AF_INET, b"\x7f\0\0\x01", 16)),
        "gethostname": Row(lambda ws, s: ws.gethostname()),
        "gethostbyname": Row(lambda ws, s: ws.gethostbyname("127.0.0.1")),
        "getaddrinfo": Row(lambda ws, s: ws.getaddrinfo("127.0.0.1", "80")),
        "getnameinfo": Row(lambda ws, s: ws.getnameinfo(LOCAL, NI_NUMERICHOST | NI_NUMERICSERV)),
    },
)
def dll_does_it_alone(ws: Target, use: Use) -> None:
    """The function succeeds without any call of a transport provider."""
    with provider_socket(ws) as (recorder, s):
        use(ws, s)
        calls = recorder.calls
    expect("calls of the DLL", expected=[], actual=calls)


@case(
    "architecture.dll-only.cleanup-that-is-not-the-last",
    chapter=CHAPTER,
    source=MAPPING,
    basis="documented",
    requirements=["T1.3", "R1.15"],
    needs_provider=True,
)
def cleanup_that_is_not_the_last_reaches_no_provider(ws: Target) -> None:
    """Neither a second WSAStartup nor its WSACleanup is a call of the provider: there is no 1:1 mapping."""
    with provider_socket(ws) as (recorder, _):
        ws.WSAStartup(VERSION_2_2)
        ws.WSACleanup()
        calls = recorder.calls
    expect("calls of the DLL", expected=[], actual=calls)


@case(
    "architecture.dll-only.enumeration-loads-nothing",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R1.25", "R1.32"],
    needs_provider=True,
)
def enumeration_loads_no_provider(ws: Target) -> None:
    """WSAEnumProtocols lists the rows of a provider that has not been loaded, and does not load it."""
    with ws.provider() as recorder:
        listed = ws.WSAEnumProtocols()
        loaded = recorder.loaded
    expect("protocols", expected=list(recorder.protocols), actual=listed)
    expect("times loaded", expected=0, actual=loaded)


@case(
    "architecture.dll-only.byte-order-of-the-protocol",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R1.25", "R3.37"],
    needs_provider=True,
)
def byte_order_comes_from_the_catalog(ws: Target) -> None:
    """WSAHtonl goes by the byte order in the row of the socket's protocol, and asks no provider."""
    little = Provider(protocols=(protocol(OTHER_FAMILY, network_byte_order=LITTLEENDIAN),))
    with two_provider_sockets(ws, Provider(), little) as (one, big_endian, two, little_endian):
        converted = ws.WSAHtonl(big_endian, 0x01020304), ws.WSAHtonl(little_endian, 0x01020304)
        calls = one.calls + two.calls
    expect("results", expected=(0x04030201, 0x01020304), actual=converted)
    expect("calls of the DLL", expected=[], actual=calls)


# ---- which provider ------------------------------------------------------------------------------


@case(
    "architecture.routing.calls-go-to-the-owner",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R1.24", "R2.26"],
    needs_provider=True,
)
def calls_go_to_the_owner_of_the_handle(ws: Target) -> None:
    """With sockets of two providers, each call reaches the provider that made the socket, and no other."""
    with two_provider_sockets(ws, Provider(), OTHER) as (one, first, two, second):
        ws.send(first, b"x")
        ws.listen(second, 1)
        ws.recv(first, bytearray(1))
        ws.shutdown(second, SD_BOTH)
        seen = one.names(), two.names()
    expect("calls", expected=(["WSPSend", "WSPRecv"], ["WSPListen", "WSPShutdown"]), actual=seen)


@case(
    "architecture.routing.handles-are-unique",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R1.24", "R1.25"],
    needs_provider=True,
)
def handles_of_all_providers_differ(ws: Target) -> None:
    """Sockets that are open at the same time have different handles, whoever made them."""
    with ws.providers(Provider(), OTHER, Provider(protocols=(protocol(98),), ifs=True)) as recorders:
        handles = [recording_socket(ws, recorder) for recorder in recorders * 2]
        for s in handles:
            ws.closesocket(s)
    expect("different handles", expected=6, actual=len(set(handles)))


@case(
    "architecture.routing.closed-handle-reaches-nobody",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R1.24"],
    needs_provider=True,
)
def closed_handle_reaches_no_provider(ws: Target) -> None:
    """After closesocket the DLL knows nothing of the handle any more: WSAENOTSOCK, without a call."""
    with ws.provider() as recorder:
        s = recording_socket(ws, recorder)
        ws.closesocket(s)
        recorder.forget()
        with fails_with(WSAENOTSOCK):
            ws.send(s, b"x")
        expect("calls of the DLL", expected=[], actual=recorder.calls)


@case(
    "architecture.routing.refused-close-keeps-the-handle",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R1.24", "R1.27"],
    needs_provider=True,
)
def handle_stays_when_the_provider_does_not_close(ws: Target) -> None:
    """A closesocket that the provider refuses leaves the handle with it: the next call reaches it again."""
    with provider_socket(ws) as (recorder, s):
        recorder.fails("WSPCloseSocket", WSAEWOULDBLOCK)
        with fails_with(WSAEWOULDBLOCK):
            ws.closesocket(s)
        recorder.fails("WSPCloseSocket", None)
        ws.send(s, b"x")
        names = recorder.names()
    expect("calls of the DLL", expected=["WSPCloseSocket", "WSPSend"], actual=names)


@case(
    "architecture.routing.provider-beside-windows-own",
    chapter=CHAPTER,
    source=ARCHITECTURE,
    basis="documented",
    requirements=["R1.30", "R1.24", "R3.30"],
    needs_provider=True,
)
def added_provider_stands_beside_the_others(ws: Target) -> None:
    """A provider that is added leaves Windows' own ones working, through the same functions of the same DLL."""
    with provider_socket(ws, OTHER, built_in=True) as (recorder, s), ws.connected_pair() as (client, server):
        ws.send(s, b"to the provider")
        ws.send_and_settle(client, b"to the network")
        received = ws.receive_exactly(server, 14)
        calls = recorder.calls
    expect("calls of the DLL", expected=[Call("WSPSend", (s, (b"to the provider",), 0, None))], actual=calls)
    expect("data over TCP", expected=b"to the network", actual=received)


@case(
    "architecture.routing.names-of-entry-points",
    chapter=CHAPTER,
    source=INTERFACE,
    basis="documented",
    requirements=["R1.31"],
    needs_c=True,
)
def dll_exports_configuration_but_no_transport(ws: Target) -> None:
    """The DLL exports functions for configuration (WSC) and an upcall (WPU), but none of a provider (WSP, NSP)."""
    exported = ("WSCInstallProvider", "WSCDeinstallProvider", "WSCEnumProtocols", "WPUCompleteOverlappedRequest")
    missing = [name for name in exported if not ws.c.address_of(name)]
    present = [name for name in (*ENTRIES, "WSPStartup", "NSPStartup") if ws.c.address_of(name)]
    expect("not exported", expected=[], actual=missing)
    expect("exported, although the provider has it", expected=[], actual=present)


@case(
    "architecture.routing.names-of-tables",
    chapter=CHAPTER,
    source=INTERFACE,
    basis="documented",
    requirements=["R1.31", "R1.35"],
    needs_provider=True,
)
def only_wspstartup_is_found_by_name(ws: Target) -> None:
    """The first call into a provider is WSPStartup; its entries are called WSP, and what it may call back WPU."""
    with ws.provider() as recorder, ws.closing(ws.tcp()) as s:
        ws.send(s, b"x")
        names = recorder.names()
        upcalls = recorder.upcalls
    expect("calls of the DLL", expected=["WSPStartup", "WSPSocket", "WSPSend"], actual=names)
    expect("names of the upcalls", expected={"WPU"}, actual={name[:3] for name in upcalls})


# ---- parameters and addresses --------------------------------------------------------------------


@case(
    "architecture.parameters.unchecked-{row}",
    chapter=CHAPTER,
    source=VALIDATION,
    basis="documented",
    requirements=["R1.26"],
    needs_provider=True,
    rows={
        "bind-null": Row("WSPBind", lambda ws, s: ws.bind(s, None)),
        "bind-short": Row("WSPBind", lambda ws, s: ws.bind(s, b"\x02\0")),
        "bind-other-family": Row("WSPBind", lambda ws, s: ws.bind(s, b"\x63\0" + bytes(14))),
        "listen-negative": Row("WSPListen", lambda ws, s: ws.listen(s, -1)),
        "connect-null": Row("WSPConnect", lambda ws, s: ws.connect(s, None)),
        "connect-address-zero": Row("WSPConnect", lambda ws, s: ws.connect(s, sockaddr_in("0.0.0.0", 0))),
        "accept-short-room": Row("WSPAccept", lambda ws, s: ws.accept(s, 1)),
        "shutdown-unknown": Row("WSPShutdown", lambda ws, s: ws.shutdown(s, 99)),
        "getsockname-short-room": Row("WSPGetSockName", lambda ws, s: ws.getsockname(s, 1)),
        "getpeername-short-room": Row("WSPGetPeerName", lambda ws, s: ws.getpeername(s, 1)),
        "send-null": Row("WSPSend", lambda ws, s: ws.send(s, None)),
        "send-unknown-flags": Row("WSPSend", lambda ws, s: ws.send(s, b"x", 0x40000000)),
        "recv-null": Row("WSPRecv", lambda ws, s: ws.recv(s, None)),
        "recv-unknown-flags": Row("WSPRecv", lambda ws, s: ws.recv(s, bytearray(1), 0x40000000)),
        "sendto-null": Row("WSPSendTo", lambda ws, s: ws.sendto(s, None, 0, PEER)),
        "sendto-short-address": Row("WSPSendTo", lambda ws, s: ws.sendto(s, b"x", 0, b"\x02\0")),
        "recvfrom-short-room": Row("WSPRecvFrom", lambda ws, s: ws.recvfrom(s, bytearray(1), 0, 1)),
        "wsasend-null-array": Row("WSPSend", lambda ws, s: ws.WSASend(s, None)),
        "wsasend-empty-array": Row("WSPSend", lambda ws, s: ws.WSASend(s, [])),
        "wsasend-null-buffer": Row("WSPSend", lambda ws, s: ws.WSASend(s, [b"x", None])),
        "wsarecv-null-array": Row("WSPRecv", lambda ws, s: ws.WSARecv(s, None)),
        "wsarecv-empty-array": Row("WSPRecv", lambda ws, s: ws.WSARecv(s, [])),
        "wsarecv-null-buffer": Row("WSPRecv", lambda ws, s: ws.WSARecv(s, [bytearray(1), None])),
        "wsasendto-empty-array": Row("WSPSendTo", lambda ws, s: ws.WSASendTo(s, [], 0, PEER)),
        "wsarecvfrom-empty-array": Row("WSPRecvFrom", lambda ws, s: ws.WSARecvFrom(s, [])),
        "getsockopt-unknown-level": Row("WSPGetSockOpt", lambda ws, s: ws.getsockopt(s, 0x7777, 1, 4)),
        "getsockopt-short-room": Row("WSPGetSockOpt", lambda ws, s: ws.getsockopt(s, SOL_SOCKET, SO_TYPE, 1)),
        "setsockopt-null": Row("WSPSetSockOpt", lambda ws, s: ws.setsockopt(s, SOL_SOCKET, SO_RCVBUF, None)),
        "setsockopt-short": Row("WSPSetSockOpt", lambda ws, s: ws.setsockopt(s, SOL_SOCKET, SO_RCVBUF, b"")),
        "ioctlsocket-unknown": Row("WSPIoctl", lambda ws, s: ws.ioctlsocket(s, 0x12345678, 0)),
        "wsaioctl-unknown": Row("WSPIoctl", lambda ws, s: ws.WSAIoctl(s, 0x12345678)),
    },
)
def provider_judges_the_arguments(ws: Target, entry: str, use: Use) -> None:
    """An argument that no transport would accept reaches the provider all the same, and its answer counts."""
    with provider_socket(ws) as (recorder, s):
        recorder.fails(entry, PROVIDERS_OWN)
        with fails_with(PROVIDERS_OWN):
            use(ws, s)
        names = recorder.names()
    expect("calls of the DLL", expected=[entry], actual=names)


@case(
    "architecture.parameters.addresses-pass-unchanged-{row}",
    chapter=CHAPTER,
    source=BYTE_ORDER,
    basis="documented",
    requirements=["R1.29"],
    needs_provider=True,
    rows={
        "bind": Row("WSPBind", 1, lambda ws, s, name: ws.bind(s, name)),
        "connect": Row("WSPConnect", 1, lambda ws, s, name: ws.connect(s, name)),
        "wsaconnect": Row("WSPConnect", 1, lambda ws, s, name: ws.WSAConnect(s, name)),
        "sendto": Row("WSPSendTo", 3, lambda ws, s, name: ws.sendto(s, b"x", 0, name)),
        "wsasendto": Row("WSPSendTo", 3, lambda ws, s, name: ws.WSASendTo(s, [b"x"], 0, name)),
    },
)
def addresses_reach_the_provider_as_they_are(
    ws: Target, entry: str, position: int, use: Callable[[Target, int, bytes], object]
) -> None:
    """The family is a number in host order, the port in network order; neither is turned on its way."""
    address = b"\x02\x00\x12\x34\x0a\x0b\x0c\x0d" + bytes(range(8))
    with provider_socket(ws) as (recorder, s):
        use(ws, s, address)
        call = recorder.calls[0]
    expect("entry", expected=entry, actual=call.name)
    expect("address in the provider", expected=address, actual=call.args[position])


@case(
    "architecture.parameters.addresses-come-back-unchanged",
    chapter=CHAPTER,
    source=BYTE_ORDER,
    basis="documented",
    requirements=["R1.29"],
    needs_provider=True,
)
def addresses_come_back_as_they_are(ws: Target) -> None:
    """What WSPGetSockName answers is what getsockname stores, byte for byte, whatever the family."""
    address = b"\x63\x00\x12\x34" + bytes(range(9))
    with provider_socket(ws) as (recorder, s):
        recorder.answers("WSPGetSockName", address)
        expect("address", expected=address, actual=ws.getsockname(s, 64))


# ---- errors --------------------------------------------------------------------------------------


@case(
    "architecture.errors.code-of-the-provider-{row}",
    chapter=CHAPTER,
    source=VALIDATION,
    basis="documented",
    requirements=["R1.27", "R16.9"],
    needs_provider=True,
    rows={**FORWARDED, **ACCEPTING},
)
def code_of_the_provider_is_the_last_error(
    ws: Target, use: Use, entry: str, arguments: tuple[Any, ...], result: Any
) -> None:
    """The code with which the entry fails is the last error of the function, even one that its page does not list."""
    with provider_socket(ws) as (recorder, s):
        recorder.fails(entry, 12345)
        with fails_with(12345):
            use(ws, s)
        last = ws.WSAGetLastError()
        recorder.fails(entry, None)
    expect("last error", expected=12345, actual=last)


@case(
    "architecture.errors.code-of-wspsocket",
    chapter=CHAPTER,
    source=VALIDATION,
    basis="documented",
    requirements=["R1.27", "R1.28", "R16.9"],
    needs_provider=True,
)
def failure_of_wspsocket_is_the_failure_of_socket(ws: Target) -> None:
    """When WSPSocket fails, socket and WSASocket fail with its code, or without one with WSASYSCALLFAILURE."""
    with ws.provider() as recorder:
        recorder.fails("WSPSocket", PROVIDERS_OWN)
        with fails_with(PROVIDERS_OWN):
            ws.tcp()
        with fails_with(PROVIDERS_OWN):
            ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
        recorder.fails("WSPSocket", 0)
        with fails_with(WSASYSCALLFAILURE):
            ws.tcp()


@case(
    "architecture.errors.without-code-{row}",
    chapter=CHAPTER,
    source=f"{CODES}, WSASYSCALLFAILURE",
    basis="documented",
    requirements=["R1.28", "R16.33"],
    needs_provider=True,
    rows={name: FORWARDED[name] for name in ("bind", "connect", "send", "wsarecv", "getsockopt", "wsaioctl", "select")}
    | {"accept": ACCEPTING["accept"]},
)
def failure_without_a_code_is_a_failed_system_call(
    ws: Target, use: Use, entry: str, arguments: tuple[Any, ...], result: Any
) -> None:
    """When the entry fails and gives no code, the function fails with WSASYSCALLFAILURE."""
    with provider_socket(ws) as (recorder, s):
        recorder.fails(entry, 0)
        with fails_with(WSASYSCALLFAILURE):
            use(ws, s)


@case(
    "architecture.errors.success-copies-no-code",
    chapter=CHAPTER,
    source=VALIDATION,
    basis="documented",
    requirements=["R16.9", "R1.27"],
    needs_provider=True,
)
def code_inside_a_successful_call_stays_inside(ws: Target) -> None:
    """A code that the provider meets on the way to success is not copied into the last error."""

    def fail_at_first(s: int, backlog: int) -> None:
        with fails_with(WSAENOTSOCK):
            recorder.upcall("WPUCloseSocketHandle", NEVER_A_HANDLE)

    with provider_socket(ws) as (recorder, s):
        recorder.does("WSPListen", fail_at_first)
        ws.WSASetLastError(SENTINEL)
        ws.listen(s, 1)
        last = ws.WSAGetLastError()
    expect_true("last error is what it was, or 0", last in (SENTINEL, 0), actual=last)


@case(
    "architecture.errors.so-error-is-the-providers",
    chapter=CHAPTER,
    source=VALIDATION,
    basis="documented",
    requirements=["R1.27"],
    needs_provider=True,
)
def error_of_the_socket_is_kept_by_the_provider(ws: Target) -> None:
    """SO_ERROR is what the provider answers; the failure of a call just before does not show in it."""
    with provider_socket(ws) as (recorder, s):
        recorder.fails("WSPSend", PROVIDERS_OWN)
        recorder.answers("WSPGetSockOpt", WSAECONNRESET.to_bytes(4, "little"))
        with fails_with(PROVIDERS_OWN):
            ws.send(s, b"x")
        expect("SO_ERROR", expected=WSAECONNRESET, actual=ws.get_int(s, SOL_SOCKET, SO_ERROR))


@case(
    "architecture.errors.belong-to-the-calling-thread",
    chapter=CHAPTER,
    source=VALIDATION,
    basis="documented",
    requirements=["R1.27", "R16.1"],
    needs_provider=True,
)
def code_goes_to_the_calling_thread(ws: Target) -> None:
    """The code of the provider becomes the last error of the thread that called, not of another one."""
    with provider_socket(ws) as (recorder, s), ws.thread() as other:
        recorder.fails("WSPSend", PROVIDERS_OWN)
        ws.WSASetLastError(SENTINEL)
        with fails_with(PROVIDERS_OWN):
            other.call(ws.send, s, b"x")
        expect("last error there", expected=PROVIDERS_OWN, actual=other.call(ws.WSAGetLastError))
        expect("last error here", expected=SENTINEL, actual=ws.WSAGetLastError())


BAD_ARGUMENTS = {
    "bind": Row(lambda ws, s: ws.bind(s, None)),
    "listen": Row(lambda ws, s: ws.listen(s, -1)),
    "accept": Row(lambda ws, s: ws.accept(s, 1)),
    "wsaaccept": Row(lambda ws, s: ws.WSAAccept(s, 1)),
    "connect": Row(lambda ws, s: ws.connect(s, None)),
    "wsaconnect": Row(lambda ws, s: ws.WSAConnect(s, None)),
    "shutdown": Row(lambda ws, s: ws.shutdown(s, 99)),
    "getsockname": Row(lambda ws, s: ws.getsockname(s, 1)),
    "getpeername": Row(lambda ws, s: ws.getpeername(s, 1)),
    "send": Row(lambda ws, s: ws.send(s, None)),
    "sendto": Row(lambda ws, s: ws.sendto(s, None, 0, b"")),
    "recv": Row(lambda ws, s: ws.recv(s, None)),
    "recvfrom": Row(lambda ws, s: ws.recvfrom(s, None, 0, 1)),
    "wsasend": Row(lambda ws, s: ws.WSASend(s, None)),
    "wsasendto": Row(lambda ws, s: ws.WSASendTo(s, [], 0, None)),
    "wsarecv": Row(lambda ws, s: ws.WSARecv(s, None)),
    "wsarecvfrom": Row(lambda ws, s: ws.WSARecvFrom(s, [])),
    "getsockopt": Row(lambda ws, s: ws.getsockopt(s, 0x7777, 1, 0)),
    "setsockopt": Row(lambda ws, s: ws.setsockopt(s, 0x7777, 1, None)),
    "ioctlsocket": Row(lambda ws, s: ws.ioctlsocket(s, FIONBIO, None), requirements=["B41"]),
    "wsaioctl": Row(lambda ws, s: ws.WSAIoctl(s, 0)),
    "closesocket": Row(lambda ws, s: ws.closesocket(s)),
}


@case(
    "architecture.order.handle-before-arguments-{row}",
    chapter=CHAPTER,
    source=VALIDATION,
    basis="documented",
    requirements=["R16.15", "R16.17"],
    needs_provider=True,
    rows=BAD_ARGUMENTS,
)
def handle_is_looked_up_before_anything_else(ws: Target, use: Use) -> None:
    """With a handle that is no socket any more and a bad argument: WSAENOTSOCK, and no provider is called."""
    with ws.provider() as recorder:
        s = recording_socket(ws, recorder)
        ws.closesocket(s)
        recorder.forget()
        with fails_with(WSAENOTSOCK):
            use(ws, s)
        expect("calls of the DLL", expected=[], actual=recorder.calls)


@case(
    "architecture.order.startup-before-handle-{row}",
    chapter=CHAPTER,
    source=VALIDATION,
    basis="documented",
    requirements=["R16.15", "R16.17"],
    needs_provider=True,
    rows=BAD_ARGUMENTS,
)
def startup_is_checked_before_the_handle(ws: Target, use: Use) -> None:
    """After the last WSACleanup, with a handle from before and a bad argument: WSANOTINITIALISED, and no call."""
    with ws.provider() as recorder:
        s = recording_socket(ws, recorder)
        ws.WSACleanup()
        recorder.forget()
        with fails_with(WSANOTINITIALISED):
            use(ws, s)
        expect("calls of the DLL", expected=[], actual=recorder.calls)


@case(
    "architecture.order.without-a-socket-{row}",
    chapter=CHAPTER,
    source="winsock/sample-code-for-a-service-provider-2",
    basis="documented",
    requirements=["R16.16", "R16.17"],
    manages_startup=True,
    rows={
        "wsasocket-flags": Row(lambda ws: ws.WSASocket(0, 0, 0, None, 0, 0x40000000), requirements=["B4"]),
        "socket-nothing": Row(lambda ws: ws.socket(0, 0, 0), requirements=["B3"]),
        "select-no-sockets": Row(lambda ws: ws.select(None, None, None, (0, 0))),
        "wsaaddresstostring-null": Row(lambda ws: ws.WSAAddressToString(None), requirements=["B53"]),
        "wsastringtoaddress-null": Row(lambda ws: ws.WSAStringToAddress(None, AF_INET), requirements=["B53"]),
        "gethostbyname-null": Row(lambda ws: ws.gethostbyname(None)),
    },
)
def startup_is_checked_before_the_arguments(ws: Target, use: Callable[[Target], object]) -> None:
    """A function without a socket that gets a bad argument before WSAStartup fails with WSANOTINITIALISED."""
    with fails_with(WSANOTINITIALISED):
        use(ws)


@case(
    "architecture.order.startup-before-pointers-{row}",
    chapter=CHAPTER,
    source="winsock/sample-code-for-a-service-provider-2",
    basis="documented",
    requirements=["R16.16", "R16.17"],
    needs_c=True,
    manages_startup=True,
    rows={
        "wsaenumprotocols": Row("WSAEnumProtocolsW", (0, 0, 0), requirements=["B45"]),
        "gethostname": Row("gethostname", (0, 0), requirements=["B55"]),
        "wsahtonl": Row("WSAHtonl", (0, 0, 0), requirements=["B59"]),
        "wsasocket-record": Row("WSASocketW", (0, 0, 0, 8, 0, 0), requirements=["B4"]),
    },
)
def startup_is_checked_before_the_pointers(ws: Target, function: str, arguments: tuple[int, ...]) -> None:
    """A function that gets a bad pointer before WSAStartup fails with WSANOTINITIALISED."""
    with fails_with(WSANOTINITIALISED):
        ws.c.check(function, *arguments)


# ---- loading and starting ------------------------------------------------------------------------


@case(
    "architecture.loading.on-first-use",
    chapter=CHAPTER,
    source=INITIALISATION,
    basis="documented",
    requirements=["R1.32"],
    needs_provider=True,
)
def module_is_loaded_on_first_use(ws: Target) -> None:
    """WSAStartup does not load a provider; its first socket does, and its second one finds it loaded."""
    loaded = []
    with ws.provider() as recorder:
        loaded.append(recorder.loaded)
        with ws.closing(ws.tcp()):
            loaded.append(recorder.loaded)
            with ws.closing(ws.tcp()):
                loaded.append(recorder.loaded)
        names = recorder.names()
    expect("times loaded after WSAStartup, one socket, two sockets", expected=[0, 1, 1], actual=loaded)
    started = ["WSPStartup", "WSPSocket", "WSPSocket", "WSPCloseSocket", "WSPCloseSocket"]
    expect("calls of the DLL", expected=started, actual=names)


@case(
    "architecture.loading.only-what-is-used",
    chapter=CHAPTER,
    source=INITIALISATION,
    basis="documented",
    requirements=["R1.32", "R1.24"],
    needs_provider=True,
)
def unused_provider_is_not_loaded(ws: Target) -> None:
    """A socket of one provider does not load another."""
    with ws.providers(Provider(), OTHER) as (one, two):
        ws.closesocket(recording_socket(ws, two))
        expect("times loaded", expected=(0, 1), actual=(one.loaded, two.loaded))


@case(
    "architecture.loading.once-for-two-threads",
    chapter=CHAPTER,
    source=INITIALISATION,
    basis="documented",
    requirements=["R1.32", "R1.35"],
    needs_provider=True,
)
def threads_share_one_start(ws: Target) -> None:
    """A thread that makes a socket while another one is starting the provider waits for it and starts nothing."""
    made: list[int] = []

    def overtake(*arguments: object) -> None:
        pending.append(other.start(ws.tcp))
        expect_true("the other thread waits", not pending[0].finished_within(0.05))

    with ws.provider() as recorder, ws.thread() as other:
        pending: list[Any] = []
        recorder.does("WSPStartup", overtake)
        made += [ws.tcp(), pending[0].result()]
        names = recorder.names()
        for s in made:
            ws.closesocket(s)
    expect("calls of the DLL", expected=["WSPStartup", "WSPSocket", "WSPSocket"], actual=names)
    expect("times loaded", expected=1, actual=recorder.loaded)


@case(
    "architecture.loading.ends-with-the-last-cleanup",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="documented",
    requirements=["R1.32", "R1.42", "R1.44"],
    needs_provider=True,
)
def last_cleanup_ends_the_provider(ws: Target) -> None:
    """Not the first of two WSACleanup calls, but the last is one call of WSPCleanup."""
    with ws.provider() as recorder:
        ws.WSAStartup(VERSION_2_2)
        recording_socket(ws, recorder)
        ws.WSACleanup()
        before = recorder.names()
        ws.WSACleanup()
        after = recorder.names()
    expect("calls of the DLL at the first WSACleanup", expected=[], actual=before)
    expect("calls of the DLL at the last WSACleanup", expected=1, actual=after.count("WSPCleanup"))
    expect("the last of them", expected="WSPCleanup", actual=after[-1])


@case(
    "architecture.loading.no-use-no-cleanup",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="documented",
    requirements=["R1.35", "R1.42"],
    needs_provider=True,
)
def provider_that_never_started_is_not_cleaned_up(ws: Target) -> None:
    """A provider that was not used gets no call at all, WSPCleanup included."""
    with ws.provider() as recorder:
        ws.WSACleanup()
        expect("calls of the DLL", expected=[], actual=recorder.calls)


@case(
    "architecture.loading.fresh-after-the-last-cleanup",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="documented",
    requirements=["R1.32", "R1.44", "R1.23", "R1.42"],
    needs_provider=True,
)
def provider_starts_again_after_the_last_cleanup(ws: Target) -> None:
    """After the last WSACleanup and a new WSAStartup the next socket loads the provider and starts it again."""
    with ws.provider() as recorder:
        s = recording_socket(ws, recorder)
        ws.WSACleanup()
        recorder.forget()
        ws.WSAStartup(VERSION_2_2)
        with fails_with(WSAENOTSOCK):
            ws.send(s, b"x")
        expect("calls before the first socket", expected=[], actual=recorder.calls)
        with ws.closing(ws.tcp()):
            expect("calls of the DLL", expected=["WSPStartup", "WSPSocket"], actual=recorder.names())
            expect("times loaded", expected=2, actual=recorder.loaded)


@case(
    "architecture.loading.asks-for-2-2-{row}",
    chapter=CHAPTER,
    source=f"{WSPSTARTUP}, parameter wVersionRequested",
    basis="documented",
    requirements=["R1.36", "R1.25", "T1.2"],
    needs_provider=True,
    rows={"1-1": Row(0x0101), "2-0": Row(0x0002), "2-2": Row(0x0202), "3-0": Row(0x0003)},
)
def spi_version_does_not_follow_the_program(ws: Target, programs: int) -> None:
    """Whatever version the program has asked for, the DLL asks the provider for 2.2."""
    with ws.provider(start=False) as recorder:
        ws.WSAStartup(programs)
        with ws.closing(ws.tcp()):
            call = recorder.calls[0]
    expect("entry", expected="WSPStartup", actual=call.name)
    expect("wVersionRequested", expected=0x0202, actual=call.args[0])


@case(
    "architecture.loading.says-for-which-protocol",
    chapter=CHAPTER,
    source=f"{WSPSTARTUP}, parameter lpProtocolInfo",
    basis="documented",
    requirements=["R1.45"],
    needs_provider=True,
)
def start_is_for_the_protocol_that_is_used(ws: Target) -> None:
    """A provider of two protocols is told the one whose socket has made the DLL start it."""
    both = Provider(protocols=(protocol(), protocol(AF_INET, SOCK_DGRAM, IPPROTO_UDP)))
    with ws.provider(both) as recorder, ws.closing(ws.udp()):
        call = recorder.calls[0]
    expect("entry", expected="WSPStartup", actual=call.name)
    expect("lpProtocolInfo", expected=recorder.protocols[1], actual=call.args[1])


@case(
    "architecture.loading.higher-version-known",
    chapter=CHAPTER,
    source=f"{WSPSTARTUP}, parameter lpWSPData",
    basis="documented",
    requirements=["R1.36"],
    needs_provider=True,
)
def provider_may_know_more(ws: Target) -> None:
    """A provider that grants 2.2 and knows 3.0 as well is fine: wVersion counts, not wHighVersion."""
    with ws.provider(Provider(high_version=0x0003)) as recorder, ws.closing(ws.tcp()):
        expect("calls of the DLL", expected=["WSPStartup", "WSPSocket"], actual=recorder.names())


@case(
    "architecture.loading.version-refused-{row}",
    chapter=CHAPTER,
    source=f"{WSASOCKET}, WSAEINVALIDPROVIDER",
    basis="documented",
    requirements=["R1.38", "T1.2"],
    needs_provider=True,
    rows={
        "1-0": Row(0x0001),
        "1-1": Row(0x0101),
        "2-0": Row(0x0002),
        "2-1": Row(0x0102),
        "2-3": Row(0x0302),
        "3-0": Row(0x0003),
    },
)
def another_version_is_refused(ws: Target, version: int) -> None:
    """A provider that answers another version than 2.2: WSPCleanup is called, and WSAEINVALIDPROVIDER the result."""
    with ws.provider(Provider(version=version, high_version=version)) as recorder:
        with fails_with(WSAEINVALIDPROVIDER):
            ws.tcp()
        expect("calls of the DLL", expected=["WSPStartup", "WSPCleanup"], actual=recorder.names())


@case(
    "architecture.loading.version-refused-by-wsasocket",
    chapter=CHAPTER,
    source=f"{WSASOCKET}, WSAEINVALIDPROVIDER",
    basis="documented",
    requirements=["R1.38"],
    needs_provider=True,
)
def another_version_is_refused_by_wsasocket(ws: Target) -> None:
    """WSASocket with the record of a provider of version 2.0 fails with WSAEINVALIDPROVIDER."""
    with ws.provider(Provider(version=0x0002)) as recorder, fails_with(WSAEINVALIDPROVIDER):
        recording_socket(ws, recorder)


@case(
    "architecture.loading.start-fails-{row}",
    chapter=CHAPTER,
    source=f"{CODES}, WSAEPROVIDERFAILEDINIT",
    basis="documented",
    requirements=["R1.37", "R1.39"],
    needs_provider=True,
    rows={
        "sysnotready": Row(WSASYSNOTREADY),
        "version": Row(WSAVERNOTSUPPORTED),
        "in-progress": Row(WSAEINPROGRESS),
        "processes": Row(WSAEPROCLIM),
        "fault": Row(WSAEFAULT),
        "without-a-code": Row(0),
    },
)
def failed_start_is_one_error(ws: Target, code: int) -> None:
    """Whatever code WSPStartup returns, the socket call fails with WSAEPROVIDERFAILEDINIT; nothing else is called."""
    with ws.provider(Provider(startup_error=code)) as recorder:
        with fails_with(WSAEPROVIDERFAILEDINIT):
            ws.tcp()
        expect("calls of the DLL", expected=["WSPStartup"], actual=recorder.names())


@case(
    "architecture.loading.module-{row}",
    chapter=CHAPTER,
    source=f"{CODES}, WSAEPROVIDERFAILEDINIT",
    basis="documented",
    requirements=["R1.39"],
    needs_provider=True,
    rows={"is-missing": Row("no module"), "lacks-the-name": Row("no name"), "fails": Row("fails")},
)
def module_that_does_not_load_is_an_error(ws: Target, load: Any) -> None:
    """A socket of a provider whose module cannot be loaded fails with WSAEPROVIDERFAILEDINIT."""
    with ws.provider(Provider(load=load)) as recorder:
        with fails_with(WSAEPROVIDERFAILEDINIT):
            ws.tcp()
        expect("calls of the DLL", expected=[], actual=recorder.calls)


@case(
    "architecture.loading.broken-provider-harms-no-other",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R1.24", "R1.39"],
    needs_provider=True,
)
def broken_provider_harms_no_other(ws: Target) -> None:
    """After a provider has failed to load, sockets of others work; the DLL does not move on to them by itself."""
    with ws.providers(Provider(load="no module"), Provider()) as (_, good):
        with fails_with(WSAEPROVIDERFAILEDINIT):
            ws.tcp()
        expect("calls of the other provider", expected=[], actual=good.calls)
        with ws.closing(recording_socket(ws, good)) as s:
            ws.send(s, b"x")
            expect("calls of the other provider", expected=["WSPSend"], actual=good.names())


@case(
    "architecture.loading.entry-missing-{row}",
    chapter=CHAPTER,
    source=f"{CODES}, WSAEINVALIDPROCTABLE",
    basis="documented",
    requirements=["R1.40", "R1.41"],
    needs_provider=True,
    rows={entry[3:].lower(): Row(entry) for entry in ENTRIES},
)
def every_entry_is_mandatory(ws: Target, entry: str) -> None:
    """A provider whose table lacks this entry cannot be used: WSAEINVALIDPROCTABLE."""
    with ws.provider(Provider(missing=(entry,))) as recorder:
        with fails_with(WSAEINVALIDPROCTABLE):
            ws.tcp()
        expect_true("no socket was made", "WSPSocket" not in recorder.names(), actual=recorder.names())


@case(
    "architecture.loading.thirty-entries",
    chapter=CHAPTER,
    source=f"{WSPSTARTUP}, parameter lpProcTable",
    basis="documented",
    requirements=["R1.41"],
    needs_provider=True,
)
def table_has_thirty_entries(ws: Target) -> None:
    """The procedure table has exactly the thirty entries of the page, in their order."""
    with ws.provider() as recorder:
        expect("entries", expected=ENTRIES, actual=recorder.entries)


@case(
    "architecture.loading.queued-data-survives-cleanup",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="documented",
    requirements=["R1.44"],
    needs_provider=True,
)
def data_of_a_graceful_close_is_still_sent(ws: Target) -> None:
    """What a program has sent and closed gracefully before its last WSACleanup arrives, and then the end."""
    with ws.listener() as listening:
        where = ws.getsockname(listening)
        with ws.providers(built_in=True):  # another process
            client = ws.tcp()
            ws.connect(client, where)
            ws.send(client, b"last words")
            ws.shutdown(client, SD_SEND)
            ws.closesocket(client)
            ws.WSACleanup()
        server, _ = ws.accept(listening)
        with ws.closing(server):
            expect("data", expected=b"last words", actual=ws.receive_exactly(server, 10))
            expect("then", expected=0, actual=ws.recv(server, bytearray(1)))


# ---- upcalls -------------------------------------------------------------------------------------


@case(
    "architecture.upcalls.fifteen-entries",
    chapter=CHAPTER,
    source=UPCALL_PAGE,
    basis="documented",
    requirements=["R1.46"],
    needs_provider=True,
)
def upcall_table_has_fifteen_entries(ws: Target) -> None:
    """WSPStartup receives a table of the fifteen upcalls of the page; WPUCompleteOverlappedRequest is none of them."""
    with ws.provider() as recorder, ws.closing(ws.tcp()):
        expect("upcalls", expected=UPCALLS, actual=recorder.upcalls)


@case(
    "architecture.upcalls.completion-is-an-export",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpucompleteoverlappedrequest",
    basis="documented",
    requirements=["R1.46"],
    needs_c=True,
)
def completion_upcall_is_exported(ws: Target) -> None:
    """WPUCompleteOverlappedRequest is exported by the DLL itself."""
    expect_true("it has an address", ws.c.address_of("WPUCompleteOverlappedRequest"))


@case(
    "architecture.upcalls.create-handle",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpucreatesockethandle",
    basis="documented",
    requirements=["R1.48", "R1.49", "R1.25", "R2.24"],
    needs_provider=True,
)
def made_handle_leads_to_its_provider_and_keeps_its_context(ws: Target) -> None:
    """A handle from WPUCreateSocketHandle leads to the provider of its row; its context can be queried."""
    with two_provider_sockets(ws, Provider(), OTHER) as (one, _, two, _):
        s = one.upcall("WPUCreateSocketHandle", one.protocols[0].catalog_entry_id, 0x1234)
        context = one.upcall("WPUQuerySocketHandleContext", s)
        ws.listen(s, 1)
        seen = one.names(), two.names()
        one.upcall("WPUCloseSocketHandle", s)
    expect("context", expected=0x1234, actual=context)
    expect("calls", expected=(["WSPListen"], []), actual=seen)


@case(
    "architecture.upcalls.create-handle-unknown-row",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpucreatesockethandle",
    basis="choice",
    requirements=["R1.48"],
    needs_provider=True,
)
def handle_for_no_row_is_refused(ws: Target) -> None:
    """WPUCreateSocketHandle with a catalog id that is not installed fails with WSAEINVAL."""
    with provider_socket(ws) as (recorder, _), fails_with(WSAEINVAL):
        recorder.upcall("WPUCreateSocketHandle", 1, 0)


@case(
    "architecture.upcalls.context-{row}",
    chapter=CHAPTER,
    source=HANDLES,
    basis="documented",
    requirements=["R1.49"],
    needs_provider=True,
    rows={
        "of-an-ifs-handle": Row("ifs"),
        "of-a-closed-handle": Row("closed"),
        "of-no-handle": Row("none"),
    },
)
def context_of_other_handles_is_refused(ws: Target, which: str) -> None:
    """WPUQuerySocketHandleContext of a handle that WPUCreateSocketHandle has not made fails with WSAENOTSOCK."""
    with provider_socket(ws, Provider(ifs=which == "ifs")) as (recorder, s):
        asked = s if which == "ifs" else NEVER_A_HANDLE
        if which == "closed":
            ws.closesocket(s)
            asked = s
        with fails_with(WSAENOTSOCK):
            recorder.upcall("WPUQuerySocketHandleContext", asked)


@case(
    "architecture.upcalls.close-handle",
    chapter=CHAPTER,
    source="winsock/closing-sockets-2",
    basis="documented",
    requirements=["R1.50"],
    needs_provider=True,
)
def closed_handle_is_no_socket(ws: Target) -> None:
    """After WPUCloseSocketHandle the API says WSAENOTSOCK, and so does a second WPUCloseSocketHandle."""
    with provider_socket(ws) as (recorder, _):
        s = recorder.upcall("WPUCreateSocketHandle", recorder.protocols[0].catalog_entry_id, 0)
        recorder.upcall("WPUCloseSocketHandle", s)
        with fails_with(WSAENOTSOCK):
            ws.listen(s, 1)
        with fails_with(WSAENOTSOCK):
            recorder.upcall("WPUCloseSocketHandle", s)
        expect("calls of the DLL", expected=[], actual=recorder.calls)


@case(
    "architecture.upcalls.close-no-handle",
    chapter=CHAPTER,
    source="winsock/closing-sockets-2",
    basis="documented",
    requirements=["R1.50"],
    needs_provider=True,
)
def unknown_handle_cannot_be_closed(ws: Target) -> None:
    """WPUCloseSocketHandle of a number that was never a handle fails with WSAENOTSOCK."""
    with provider_socket(ws) as (recorder, _), fails_with(WSAENOTSOCK):
        recorder.upcall("WPUCloseSocketHandle", NEVER_A_HANDLE)


@case(
    "architecture.upcalls.register-handle",
    chapter=CHAPTER,
    source=IFS,
    basis="documented",
    requirements=["R1.51", "R2.25"],
    needs_provider=True,
)
def registered_handle_is_what_the_program_gets(ws: Target) -> None:
    """A handle of the provider's own works for the program in the form that WPUModifyIFSHandle has returned."""
    with provider_socket(ws, Provider(ifs=True)) as (recorder, _):
        given = recorder.upcall("WPUModifyIFSHandle", recorder.protocols[0].catalog_entry_id, 70_000)
        ws.listen(given, 1)
        calls = recorder.calls
        recorder.upcall("WPUCloseSocketHandle", given)
        with fails_with(WSAENOTSOCK):
            ws.listen(given, 1)
    expect("calls of the DLL", expected=[Call("WSPListen", (given, 1))], actual=calls)


@case(
    "architecture.upcalls.register-unusable-handle",
    chapter=CHAPTER,
    source=IFS,
    basis="documented",
    requirements=["R1.51"],
    needs_provider=True,
)
def unusable_handle_is_refused(ws: Target) -> None:
    """WPUModifyIFSHandle with INVALID_SOCKET fails with WSAEINVAL."""
    with provider_socket(ws, Provider(ifs=True)) as (recorder, _), fails_with(WSAEINVAL):
        recorder.upcall("WPUModifyIFSHandle", recorder.protocols[0].catalog_entry_id, INVALID_SOCKET)


@case(
    "architecture.upcalls.no-blocking-hook",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpuqueryblockingcallback",
    basis="documented",
    requirements=["R1.54", "R1.25"],
    needs_provider=True,
)
def without_hook_there_is_no_callback(ws: Target) -> None:
    """In a thread without a blocking hook WPUQueryBlockingCallback tells the provider to block in its own way."""
    with provider_socket(ws) as (recorder, _):
        callback, _ = recorder.upcall("WPUQueryBlockingCallback", recorder.protocols[0].catalog_entry_id)
        expect("callback", expected=None, actual=callback)


@case(
    "architecture.upcalls.blocking-hook-of-no-row",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpuqueryblockingcallback",
    basis="documented",
    requirements=["R1.54"],
    needs_provider=True,
)
def hook_for_no_row_is_refused(ws: Target) -> None:
    """WPUQueryBlockingCallback with a catalog id that is not installed fails with WSAEINVAL."""
    with provider_socket(ws) as (recorder, _), fails_with(WSAEINVAL):
        recorder.upcall("WPUQueryBlockingCallback", 1)


@case(
    "architecture.upcalls.apc-for-no-thread",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpuqueueapc",
    basis="documented",
    requirements=["R1.57"],
    needs_provider=True,
)
def call_for_no_thread_is_refused(ws: Target) -> None:
    """WPUQueueApc with an invalid thread id fails with WSAEFAULT, and its routine does not run."""
    ran: list[object] = []
    with provider_socket(ws) as (recorder, _), fails_with(WSAEFAULT):
        recorder.upcall("WPUQueueApc", NEVER_A_HANDLE, ran.append, 0)
    expect("runs of the routine", expected=[], actual=ran)


@case(
    "architecture.upcalls.open-thread",
    chapter=CHAPTER,
    source="winsock/overlapped-i-o-2",
    basis="documented",
    requirements=["R1.59"],
    needs_provider=True,
)
def opened_thread_is_given_back(ws: Target) -> None:
    """WPUOpenCurrentThread tells two threads apart; WPUCloseThread takes the id back, after which it is none."""
    with provider_socket(ws) as (recorder, _), ws.thread() as other:
        here = recorder.upcall("WPUOpenCurrentThread")
        there = other.call(recorder.upcall, "WPUOpenCurrentThread")
        expect_true("two threads have two ids", here != there, actual=(here, there))
        recorder.upcall("WPUCloseThread", here)
        other.call(recorder.upcall, "WPUCloseThread", there)
        with fails_with(WSAEFAULT, "WPUQueueApc for a thread that was given back"):
            recorder.upcall("WPUQueueApc", here, print, 0)


@case(
    "architecture.upcalls.fdisset",
    chapter=CHAPTER,
    source=UPCALL_PAGE,
    basis="documented",
    requirements=["R1.64"],
    needs_provider=True,
)
def fdisset_tells_membership(ws: Target) -> None:
    """WPUFDIsSet is true for a member of the set, and false for any other handle and for the empty set."""
    with provider_socket(ws) as (recorder, s):
        asked = [recorder.upcall("WPUFDIsSet", s, fds) for fds in ([8, s], [8], [])]
        expect("member, no member, empty set", expected=[True, False, False], actual=list(map(bool, asked)))


@case(
    "architecture.upcalls.provider-path",
    chapter=CHAPTER,
    source=UPCALL_PAGE,
    basis="documented",
    requirements=["R1.65"],
    needs_provider=True,
)
def path_of_a_provider_can_be_asked(ws: Target) -> None:
    """WPUGetProviderPath gives the path stored for a provider, whether that one is loaded or not."""
    with ws.providers(Provider(), OTHER) as (one, two), ws.closing(recording_socket(ws, one)):
        paths = [one.upcall("WPUGetProviderPath", which.protocols[0].provider_id) for which in (one, two)]
        expect("times loaded", expected=0, actual=two.loaded)
    expect("paths", expected=[one.path, two.path], actual=paths)


@case(
    "architecture.upcalls.provider-path-is-unexpanded",
    chapter=CHAPTER,
    source=UPCALL_PAGE,
    basis="documented",
    requirements=["R1.65", "R1.84"],
    needs_provider=True,
)
def path_with_a_variable_is_expanded_only_to_load(ws: Target) -> None:
    """A path with %VARIABLE% in it loads what the variable says; WPUGetProviderPath shows it as it was stored."""
    with provider_socket(ws, Provider(variable="RECORDING_PROVIDER")) as (recorder, s):
        ws.listen(s, 1)
        path = recorder.upcall("WPUGetProviderPath", recorder.protocols[0].provider_id)
        expect("calls of the DLL", expected=["WSPListen"], actual=recorder.names())
    expect("path", expected=recorder.path, actual=path)
    expect_true("it has the variable", "%RECORDING_PROVIDER%" in path, actual=path)


@case(
    "architecture.upcalls.provider-path-of-nobody",
    chapter=CHAPTER,
    source=UPCALL_PAGE,
    basis="documented",
    requirements=["R1.65"],
    needs_provider=True,
)
def path_of_an_unknown_provider_is_refused(ws: Target) -> None:
    """WPUGetProviderPath with a provider id that is not installed fails with WSAEINVAL."""
    with provider_socket(ws) as (recorder, _), fails_with(WSAEINVAL):
        recorder.upcall("WPUGetProviderPath", UUID(int=1))


@case(
    "architecture.upcalls.events",
    chapter=CHAPTER,
    source="winsock/creating-event-objects-2",
    basis="documented",
    requirements=["R1.66"],
    needs_provider=True,
)
def events_are_made_used_and_destroyed(ws: Target) -> None:
    """An event from WPUCreateEvent can be set and reset until WPUCloseEvent destroys it; it is no socket."""
    with provider_socket(ws) as (recorder, _):
        event = recorder.upcall("WPUCreateEvent")
        recorder.upcall("WPUSetEvent", event)
        recorder.upcall("WPUResetEvent", event)
        with fails_with(WSAENOTSOCK):
            ws.listen(event, 1)
        recorder.upcall("WPUCloseEvent", event)
        for name in ("WPUSetEvent", "WPUResetEvent", "WPUCloseEvent"):
            with fails_with(WSA_INVALID_HANDLE):
                recorder.upcall(name, event)


# ---- layers --------------------------------------------------------------------------------------

LAYER = Provider(over=MSAFD_TCPIP)


@case(
    "architecture.layers.calls-go-to-the-layer",
    chapter=CHAPTER,
    source=IFS,
    basis="documented",
    requirements=["R1.52"],
    needs_provider=True,
)
def layer_takes_over_the_lower_handle(ws: Target) -> None:
    """A layer that registers the lower layer's handle under its own row gets the calls for it from then on."""
    lower = Provider(protocols=(protocol(OTHER_FAMILY),), ifs=True)
    with two_provider_sockets(ws, lower, Provider()) as (below, s, above, _):
        ws.listen(s, 1)
        taken = above.upcall("WPUModifyIFSHandle", above.protocols[0].catalog_entry_id, s)
        ws.listen(taken, 2)
        seen = below.calls, above.calls
        below.upcall("WPUModifyIFSHandle", below.protocols[0].catalog_entry_id, taken)
    lower_calls, upper_calls = [Call("WSPListen", (s, 1))], [Call("WSPListen", (taken, 2))]
    expect("calls of both layers", expected=(lower_calls, upper_calls), actual=seen)


@case(
    "architecture.layers.data-through-a-layer",
    chapter=CHAPTER,
    source=IFS,
    basis="documented",
    requirements=["R1.52", "R1.42"],
    needs_provider=True,
)
def layer_sees_what_it_hands_on(ws: Target) -> None:
    """Through a layer that passes handles on, data flow over TCP, and the layer sees the calls."""
    with ws.provider(LAYER, built_in=True) as recorder, ws.connected_pair() as (client, server):
        recorder.forget()
        sent = ws.send(client, b"through a layer")
        received = ws.receive_exactly(server, 15)
        names = recorder.names()
    expect("bytes sent", expected=15, actual=sent)
    expect("data", expected=b"through a layer", actual=received)
    expect_true("the layer saw both", {"WSPSend", "WSPRecv"} <= set(names), actual=names)


@case(
    "architecture.layers.lower-entries-exposed",
    chapter=CHAPTER,
    source=IFS,
    basis="documented",
    requirements=["R1.53", "R1.89"],
    needs_provider=True,
)
def layer_may_expose_the_lower_entries(ws: Target) -> None:
    """A layer with the base provider's WSPSend and WSPRecv in its table does not see data; they flow all the same."""
    layer = Provider(over=MSAFD_TCPIP, through=("WSPSend", "WSPRecv", "WSPGetOverlappedResult"))
    with ws.provider(layer, built_in=True) as recorder, ws.connected_pair() as (client, server):
        ws.send(client, b"past the layer")
        received = ws.receive_exactly(server, 14)
        names = recorder.names()
    expect("data", expected=b"past the layer", actual=received)
    expect_true("the layer saw the connection", {"WSPConnect", "WSPAccept"} <= set(names), actual=names)
    expect_true("the layer saw no data", not {"WSPSend", "WSPRecv"} & set(names), actual=names)


@case(
    "architecture.layers.upcalls-pass-no-layer",
    chapter=CHAPTER,
    source=INITIALISATION,
    basis="documented",
    requirements=["R1.67"],
    needs_provider=True,
)
def upcalls_go_straight_to_the_dll(ws: Target) -> None:
    """The table that a layer hands on works for the provider below it, and no upcall passes through the layer."""
    lower = Provider(protocols=(protocol(OTHER_FAMILY, provider_id=UUID(int=77)),), ifs=True)
    with two_provider_sockets(ws, lower, Provider(over=UUID(int=77))) as (below, _, above, _):
        below.upcall("WPUCloseEvent", below.upcall("WPUCreateEvent"))
        s = below.upcall("WPUCreateSocketHandle", below.protocols[0].catalog_entry_id, 5)
        context = below.upcall("WPUQuerySocketHandleContext", s)
        below.upcall("WPUCloseSocketHandle", s)
        expect("calls of the layer", expected=[], actual=above.calls)
    expect("context", expected=5, actual=context)


@case(
    "architecture.layers.base-protocol-started-twice",
    chapter=CHAPTER,
    source=INITIALISATION,
    basis="documented",
    requirements=["R1.42"],
    needs_provider=True,
)
def provider_is_started_by_the_dll_and_by_a_layer(ws: Target) -> None:
    """A provider that the DLL and a layer have both started gets a WSPCleanup for each, and its own row each time."""
    lower = Provider(protocols=(protocol(OTHER_FAMILY, provider_id=UUID(int=77)),), ifs=True)
    with ws.providers(lower, Provider(over=UUID(int=77))) as (below, above):
        ws.closesocket(recording_socket(ws, above))
        starts = [call.args[1] for call in below.calls if call.name == "WSPStartup"]
        ws.closesocket(ws.socket(OTHER_FAMILY, SOCK_STREAM, 0))
        starts += [call.args[1] for call in below.calls if call.name == "WSPStartup"]
        below.forget()
        ws.WSACleanup()
        names = below.names()
    expect("rows at WSPStartup", expected=[below.protocols[0]], actual=list(dict.fromkeys(starts)))
    expect("calls at the last WSACleanup", expected=["WSPCleanup", "WSPCleanup"], actual=names)


# ---- what the DLL relies on ----------------------------------------------------------------------


@case(
    "architecture.provider-rules.overlapped-flag",
    chapter=CHAPTER,
    source="winsock/socket-attribute-flags-and-modes-2",
    basis="documented",
    requirements=["R1.96"],
)
def every_protocol_takes_the_overlapped_flag(ws: Target) -> None:
    """TCP and UDP of every family make sockets with WSA_FLAG_OVERLAPPED."""
    open_ = FROM_PROTOCOL_INFO
    for info in ws.WSAEnumProtocols([IPPROTO_TCP, IPPROTO_UDP]):
        if info.address_family == AF_INET or ws.has_family(info.address_family):
            ws.closesocket(ws.WSASocket(open_, open_, open_, info, 0, WSA_FLAG_OVERLAPPED))


@case(
    "architecture.provider-rules.open-arguments-{row}",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R1.97"],
    rows={"zero": Row(0), "from-protocol-info": Row(FROM_PROTOCOL_INFO)},
)
def record_fills_in_what_the_arguments_leave_open(ws: Target, left_open: int) -> None:
    """With a protocol record, family and type that are left open are the record's."""
    for info in ws.WSAEnumProtocols([IPPROTO_TCP, IPPROTO_UDP]):
        if info.address_family != AF_INET and not ws.has_family(info.address_family):
            continue
        with ws.closing(ws.WSASocket(left_open, left_open, FROM_PROTOCOL_INFO, info)) as s:
            expect("SO_TYPE", expected=info.socket_type, actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))


@case(
    "architecture.provider-rules.new-sockets-block",
    chapter=CHAPTER,
    source="winsock/socket-attribute-flags-and-modes-2",
    basis="documented",
    requirements=["R1.98"],
)
def new_socket_blocks(ws: Target) -> None:
    """A receive on a new socket waits for its data."""
    buffer = bytearray(4)
    with ws.connected_pair() as (client, server), ws.thread() as other:
        pending = other.start(ws.recv, server, buffer)
        expect_true("recv waits", not pending.finished_within(0.05))
        ws.send(client, b"data")
        expect("bytes", expected=4, actual=pending.result())
    expect("data", expected=b"data", actual=bytes(buffer))


@case(
    "architecture.provider-rules.close-ends-waiting-calls",
    chapter=CHAPTER,
    source="winsock/closing-sockets-2",
    basis="documented",
    requirements=["R1.99"],
)
def close_ends_the_calls_of_other_threads(ws: Target) -> None:
    """Closing a socket ends the receive that another thread waits for on it."""
    with ws.connected_pair() as (_, server), ws.thread() as other:
        pending = other.start(ws.recv, server, bytearray(4))
        expect_true("recv waits", not pending.finished_within(0.05))
        ws.closesocket(server)
        variants = {WSAENOTSOCK: "the page names no code", WSAECONNRESET: "the page names no code"}
        with fails_with(WSAEINTR, "the waiting recv", variants=variants):
            pending.result()


@case(
    "architecture.provider-rules.backlog-{row}",
    chapter=CHAPTER,
    source="winsock/protocol-basics-listen-connect-accept-2",
    basis="documented",
    requirements=["R1.100", "B6"],
    rows={"huge": Row(0x7FFFFFFF), "zero": Row(0), "negative": Row(-1)},
)
def backlog_is_silently_capped(ws: Target, backlog: int) -> None:
    """A backlog that the provider cannot keep is no error: the socket listens."""
    with ws.listener(backlog=backlog) as listening, ws.closing(ws.tcp()) as client:
        ws.connect(client, ws.getsockname(listening))
        server, _ = ws.accept(listening)
        ws.closesocket(server)


@case(
    "architecture.provider-rules.accepted-socket-inherits",
    chapter=CHAPTER,
    source="winsock/protocol-basics-listen-connect-accept-2",
    basis="documented",
    requirements=["R1.101"],
)
def accepted_socket_has_the_listeners_attributes(ws: Target) -> None:
    """SO_KEEPALIVE and SO_LINGER of the listening socket are those of the accepted one."""
    linger = b"\x01\0\x05\0"  # on, five seconds
    with ws.listener() as listening:
        ws.setsockopt(listening, SOL_SOCKET, SO_KEEPALIVE, 1)
        ws.setsockopt(listening, SOL_SOCKET, SO_LINGER, linger)
        with ws.closing(ws.tcp()) as client:
            ws.connect(client, ws.getsockname(listening))
            server, _ = ws.accept(listening)
            with ws.closing(server):
                keepalive = ws.get_int(server, SOL_SOCKET, SO_KEEPALIVE)
                actual = ws.getsockopt(server, SOL_SOCKET, SO_LINGER, 4)
                ws.setsockopt(server, SOL_SOCKET, SO_LINGER, bytes(4))
    expect("SO_KEEPALIVE", expected=1, actual=keepalive)
    expect("SO_LINGER", expected=linger, actual=actual)


@case(
    "architecture.provider-rules.end-of-a-stream-{row}",
    chapter=CHAPTER,
    source="winsock/connection-shutdown-2",
    basis="documented",
    requirements=["R1.103"],
    rows={"graceful": Row(False), "abortive": Row(True)},
)
def stream_ends_with_zero_bytes_or_a_reset(ws: Target, abortive: bool) -> None:
    """On a byte stream a graceful close of the peer is a receive of 0 bytes, an abortive one is WSAECONNRESET."""
    with ws.connected_pair() as (client, server):
        if abortive:
            ws.reset(client)
        else:
            ws.closesocket(client)
        ws.wait_readable(server)
        try:
            ended: object = ws.recv(server, bytearray(1))
        except Failed as failure:
            ended = failure.code
    expect("end", expected=WSAECONNRESET if abortive else 0, actual=ended)
