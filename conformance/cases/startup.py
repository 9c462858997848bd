"""Startup: version negotiation, the startup count, what works without it, and what the last cleanup ends."""

from __future__ import annotations

import socket

from ..addresses import loopback, sockaddr_in
from ..constants import (
    AF_INET,
    FIONBIO,
    INADDR_NONE,
    INVALID_SOCKET,
    IPPROTO_TCP,
    SD_BOTH,
    SO_TYPE,
    SOCK_STREAM,
    SOCKET_ERROR,
    SOL_SOCKET,
    WSA_OPERATION_ABORTED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAENOTSOCK,
    WSANOTINITIALISED,
    WSAVERNOTSUPPORTED,
)
from ..model import Row, case
from ..target import Target
from ..threads import PATIENCE
from ..verify import expect, expect_true, fails_with

CHAPTER = "Startup"
STARTUP = "winsock/nf-winsock-wsastartup"
CLEANUP = "winsock/nf-winsock-wsacleanup"
PUBLIC_TEST = "Wine's public test protocol.c:test_startup, which passes on Windows"
VERSION_1_1 = 0x0101
VERSION_2_2 = 0x0202


def version(major: int, minor: int) -> int:
    """Return a version as the WORD that WSAStartup takes: major in the low byte."""
    return major | minor << 8


def granted(major: int, minor: int, *, as_version: tuple[int, int], behaviour: str) -> Row:
    """A row of T1.1: asked for one version, gets another."""
    return Row(version(major, minor), version(*as_version), behaviours=[behaviour])


@case(
    "startup.version.grants-{row}",
    chapter=CHAPTER,
    source=STARTUP,
    basis="documented",
    requirements=["R1.1", "R1.3", "R1.4", "R1.6", "T1.1"],
    manages_startup=True,
    rows={
        "1-0": granted(1, 0, as_version=(1, 0), behaviour="startup-low-versions"),
        "1-1": granted(1, 1, as_version=(1, 1), behaviour="startup-low-versions"),
        "2-0": granted(2, 0, as_version=(2, 0), behaviour="startup-2x"),
        "2-1": granted(2, 1, as_version=(2, 1), behaviour="startup-2x"),
        "2-2": granted(2, 2, as_version=(2, 2), behaviour="startup-2x"),
    },
)
def known_version_is_granted_as_asked(ws: Target, asked: int, expected: int) -> None:
    """A version that the DLL knows is granted as asked, and the highest it knows is 2.2."""
    data = ws.WSAStartup(asked)
    expect("wVersion", expected=expected, actual=data.version)
    expect("wHighVersion", expected=VERSION_2_2, actual=data.high_version)


@case(
    "startup.version.clamps-{row}",
    chapter=CHAPTER,
    source=PUBLIC_TEST,
    basis="observed",
    requirements=["R1.4", "R1.6", "T1.1"],
    behaviours=["startup-highversion"],
    manages_startup=True,
    rows={
        "1-2": granted(1, 2, as_version=(1, 1), behaviour="startup-1x-clamped"),
        "1-127": granted(1, 127, as_version=(1, 1), behaviour="startup-1x-clamped"),
        "1-255": granted(1, 255, as_version=(1, 1), behaviour="startup-1x-clamped"),
        "2-3": granted(2, 3, as_version=(2, 2), behaviour="startup-high-clamped"),
        "2-255": granted(2, 255, as_version=(2, 2), behaviour="startup-high-clamped"),
        "3-0": granted(3, 0, as_version=(2, 2), behaviour="startup-high-clamped"),
        "3-255": granted(3, 255, as_version=(2, 2), behaviour="startup-high-clamped"),
        "255-0": granted(255, 0, as_version=(2, 2), behaviour="startup-high-clamped"),
        "255-255": granted(255, 255, as_version=(2, 2), behaviour="startup-high-clamped"),
    },
)
def unknown_version_is_clamped(ws: Target, asked: int, expected: int) -> None:
    """A version between or above the known ones gets the highest known one below it."""
    data = ws.WSAStartup(asked)
    expect("wVersion", expected=expected, actual=data.version)
    expect("wHighVersion", expected=VERSION_2_2, actual=data.high_version)


@case(
    "startup.version.refuses-{row}",
    chapter=CHAPTER,
    source=STARTUP,
    basis="documented",
    requirements=["R1.5", "R1.6", "T1.1", "B1"],
    manages_startup=True,
    rows={
        "0-0": Row(version(0, 0), behaviours=["startup-major0"]),
        "0-1": Row(version(0, 1), behaviours=["startup-major0"]),
        "0-255": Row(version(0, 255)),
    },
)
def version_zero_is_refused_and_not_counted(ws: Target, asked: int) -> None:
    """Major version 0 fails with WSAVERNOTSUPPORTED and is no startup: WSACleanup finds nothing to undo."""
    with fails_with(WSAVERNOTSUPPORTED):
        ws.WSAStartup(asked)
    with fails_with(WSANOTINITIALISED):
        ws.WSACleanup()


@case(
    "startup.result.carries-the-code",
    chapter=CHAPTER,
    source=STARTUP,
    basis="documented",
    requirements=["R1.2"],
    manages_startup=True,
)
def failed_startup_says_why_by_itself(ws: Target) -> None:
    """A refused WSAStartup tells the code itself, each time anew; nobody has to ask WSAGetLastError for it."""
    ws.WSASetLastError(12345)
    for asked in (version(0, 0), version(0, 2)):
        with fails_with(WSAVERNOTSUPPORTED):
            ws.WSAStartup(asked)
    expect("version of a good one", expected=VERSION_2_2, actual=ws.WSAStartup(VERSION_2_2).version)
    ws.WSACleanup()


@case(
    "startup.cleanup.sends-what-a-closed-socket-holds",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="choice",
    requirements=["R1.20"],
    manages_startup=True,
)
def last_cleanup_flushes_closed_sockets(ws: Target) -> None:
    """Data of a gracefully closed socket still reaches a peer outside of Winsock after the last WSACleanup."""
    data = bytes(range(256)) * 1024
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        ws.WSAStartup(VERSION_2_2)
        s = ws.tcp()
        ws.connect(s, sockaddr_in("127.0.0.1", server.getsockname()[1]))
        peer, _ = server.accept()
        with peer:
            peer.settimeout(PATIENCE)
            ws.nonblocking(s)
            taken = ws.send(s, data)
            ws.closesocket(s)
            ws.WSACleanup()
            got = b""
            while chunk := peer.recv(65536):
                got += chunk
    expect("bytes that arrive", expected=data[:taken], actual=got)


@case(
    "startup.result.is-the-code",
    chapter=CHAPTER,
    source=STARTUP,
    basis="documented",
    requirements=["R1.2", "R16.3"],
    needs_c=True,
    manages_startup=True,
)
def startup_returns_its_code(ws: Target) -> None:
    """WSAStartup's result is the error code itself, never SOCKET_ERROR."""
    data = ws.c.new(408)
    code = ws.c.call("WSAStartup", 0, data.address, returns="int")
    expect("result", expected=WSAVERNOTSUPPORTED, actual=code)
    expect("result for 2.2", expected=0, actual=ws.c.call("WSAStartup", VERSION_2_2, data.address))


@case(
    "startup.data.null-pointer",
    chapter=CHAPTER,
    source=STARTUP,
    basis="documented",
    requirements=["R1.7", "B1"],
    behaviours=["startup-null-data"],
    needs_c=True,
    manages_startup=True,
)
def startup_without_a_record_is_a_fault(ws: Target) -> None:
    """NULL for lpWSAData returns WSAEFAULT and does not count as a startup."""
    expect("result", expected=WSAEFAULT, actual=ws.c.call("WSAStartup", VERSION_2_2, 0))
    with fails_with(WSANOTINITIALISED):
        ws.WSACleanup()


@case(
    "startup.data.filled-by-a-refusal",
    chapter=CHAPTER,
    source="Wine's public test protocol.c:test_startup, which passes on Windows",
    basis="observed",
    behaviours=["startup-major0"],
    needs_c=True,
    manages_startup=True,
)
def refusal_fills_the_record(ws: Target) -> None:
    """A version that is refused has the record filled in all the same: wVersion is 2.2."""
    data = ws.c.new(512)
    expect("result", expected=WSAVERNOTSUPPORTED, actual=ws.c.call("WSAStartup", 0, data.address))
    expect("wVersion", expected=VERSION_2_2, actual=data.number(2))


@case(
    "startup.data.version-before-pointer",
    chapter=CHAPTER,
    source="Microsoft's DLL, requirement B1: order of checks",
    basis="observed",
    requirements=["B1"],
    behaviours=["startup-null-data"],
    needs_c=True,
    manages_startup=True,
)
def version_is_checked_before_the_pointer(ws: Target) -> None:
    """With version 0 and a NULL record the version is what WSAStartup complains about."""
    expect("result", expected=WSAVERNOTSUPPORTED, actual=ws.c.call("WSAStartup", 0, 0))


@case(
    "startup.data.strings-{row}",
    chapter=CHAPTER,
    source=PUBLIC_TEST,
    basis="observed",
    requirements=["R1.12"],
    behaviours=["startup-strings"],
    manages_startup=True,
    rows={"1-1": Row(VERSION_1_1), "2-2": Row(VERSION_2_2)},
)
def description_and_status(ws: Target, asked: int) -> None:
    """The description is "WinSock 2.0" and the status "Running", whatever was asked."""
    data = ws.WSAStartup(asked)
    expect("szDescription", expected="WinSock 2.0", actual=data.description)
    expect("szSystemStatus", expected="Running", actual=data.system_status)


@case(
    "startup.data.limits-{row}",
    chapter=CHAPTER,
    source=PUBLIC_TEST,
    basis="observed",
    requirements=["R1.12"],
    manages_startup=True,
    rows={
        "1-0": Row(version(1, 0), 32767, 65467, behaviours=["startup-maxsockets-1x"]),
        "1-1": Row(VERSION_1_1, 32767, 65467, behaviours=["startup-maxsockets-1x"]),
        "1-2": Row(version(1, 2), 32767, 65467, behaviours=["startup-maxsockets-1x"]),
        "2-0": Row(version(2, 0), 0, 0, behaviours=["startup-maxsockets-2x"]),
        "2-2": Row(VERSION_2_2, 0, 0, behaviours=["startup-maxsockets-2x"]),
        "3-0": Row(version(3, 0), 0, 0, behaviours=["startup-maxsockets-2x"]),
    },
)
def limits_are_for_version_1_only(ws: Target, asked: int, sockets: int, datagram: int) -> None:
    """iMaxSockets and iMaxUdpDg carry numbers for a 1.x request and 0 for 2.x."""
    data = ws.WSAStartup(asked)
    expect("iMaxSockets", expected=sockets, actual=data.max_sockets)
    expect("iMaxUdpDg", expected=datagram, actual=data.max_udp_dg)


@case(
    "startup.data.vendor-info-untouched",
    chapter=CHAPTER,
    source=PUBLIC_TEST,
    basis="observed",
    requirements=["R1.12"],
    behaviours=["startup-vendorinfo"],
    needs_c=True,
    manages_startup=True,
)
def vendor_info_is_left_alone(ws: Target) -> None:
    """The field lpVendorInfo keeps whatever the caller had there."""
    data = ws.c.new(ws.c.pack("WSADATA", lpVendorInfo=0x1234567890ABCDEF))
    expect("result", expected=0, actual=ws.c.call("WSAStartup", VERSION_2_2, data.address))
    vendor = ws.c.unpack("WSADATA", "lpVendorInfo", data.read())
    expect("lpVendorInfo", expected=0x1234567890ABCDEF, actual=vendor)


@case(
    "startup.count.nests",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="documented",
    requirements=["R1.10", "R1.15", "R1.16", "B2"],
    behaviours=["startup-nested", "startup-extra-cleanup"],
    manages_startup=True,
)
def each_startup_needs_its_cleanup(ws: Target) -> None:
    """After two startups one cleanup leaves sockets working, the second ends it, a third finds nothing."""
    ws.WSAStartup(VERSION_2_2)
    ws.WSAStartup(VERSION_2_2)
    s = ws.tcp()
    ws.WSACleanup()
    expect("type of the socket", expected=SOCK_STREAM, actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))
    ws.closesocket(s)
    ws.WSACleanup()
    with fails_with(WSANOTINITIALISED):
        ws.tcp()
    with fails_with(WSANOTINITIALISED):
        ws.WSACleanup()


@case(
    "startup.count.each-request-is-answered-afresh",
    chapter=CHAPTER,
    source=STARTUP,
    basis="documented",
    requirements=["R1.10"],
    manages_startup=True,
)
def every_startup_negotiates_for_itself(ws: Target) -> None:
    """Asking for 1.1 and then for 2.2 grants 1.1 and then 2.2."""
    first, second = ws.WSAStartup(VERSION_1_1), ws.WSAStartup(VERSION_2_2)
    expect("versions", expected=(VERSION_1_1, VERSION_2_2), actual=(first.version, second.version))
    expect("limits", expected=(32767, 0), actual=(first.max_sockets, second.max_sockets))


@case(
    "startup.count.rejected-version-still-counts",
    chapter=CHAPTER,
    source=STARTUP,
    basis="documented",
    requirements=["R1.11"],
    manages_startup=True,
)
def lower_grant_is_a_startup(ws: Target) -> None:
    """A request that was granted a lower version was counted: exactly one cleanup succeeds."""
    ws.WSAStartup(version(3, 0))
    ws.WSACleanup()
    with fails_with(WSANOTINITIALISED):
        ws.WSACleanup()


@case(
    "startup.count.failed-cleanup-leaves-zero",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="documented",
    requirements=["R1.16"],
    manages_startup=True,
)
def count_is_never_negative(ws: Target) -> None:
    """A cleanup too many does not use up a later startup."""
    with fails_with(WSANOTINITIALISED):
        ws.WSACleanup()
    ws.WSAStartup(VERSION_2_2)
    ws.closesocket(ws.tcp())


@case(
    "startup.required.{row}",
    chapter=CHAPTER,
    source=STARTUP,
    basis="documented",
    requirements=["R1.13", "R16.15"],
    manages_startup=True,
    rows={
        "socket": Row("socket", AF_INET, SOCK_STREAM, IPPROTO_TCP),
        "wsasocket": Row("WSASocket", AF_INET, SOCK_STREAM, IPPROTO_TCP, requirements=["B4"]),
        "wsasocket-wrong-arguments": Row("WSASocket", 0, 0, 0, behaviours=["nostartup-wsasocket"]),
        "socket-wrong-arguments": Row("socket", -1, -1, -1, requirements=["B3"]),
        "closesocket": Row("closesocket", 4),
        "bind": Row("bind", 4, sockaddr_in()),
        "listen": Row("listen", 4, 1),
        "accept": Row("accept", 4),
        "wsaaccept": Row("WSAAccept", 4),
        "connect": Row("connect", 4, sockaddr_in(port=9)),
        "shutdown": Row("shutdown", 4, SD_BOTH),
        "getsockname": Row("getsockname", 4),
        "getpeername": Row("getpeername", 4),
        "send": Row("send", 4, b"x"),
        "recv": Row("recv", 4, bytearray(1)),
        "sendto": Row("sendto", 4, b"x", 0, sockaddr_in(port=9)),
        "recvfrom": Row("recvfrom", 4, bytearray(1)),
        "wsasend": Row("WSASend", 4, [b"x"]),
        "wsarecv": Row("WSARecv", 4, [bytearray(1)]),
        "wsasendto": Row("WSASendTo", 4, [b"x"], 0, sockaddr_in(port=9)),
        "wsarecvfrom": Row("WSARecvFrom", 4, [bytearray(1)]),
        "getsockopt": Row("getsockopt", 4, SOL_SOCKET, SO_TYPE),
        "setsockopt": Row("setsockopt", 4, SOL_SOCKET, SO_TYPE, 1),
        "ioctlsocket": Row("ioctlsocket", 4, FIONBIO, 1),
        "wsaioctl": Row("WSAIoctl", 4, FIONBIO),
        "select": Row("select", [4], None, None, (0, 0)),
        "gethostbyname": Row("gethostbyname", "localhost", behaviours=["nostartup-gethostbyname"]),
        "gethostname": Row("gethostname", requirements=["B55"]),
        "getaddrinfo": Row("getaddrinfo", "127.0.0.1", None, requirements=["B64"]),
        "getnameinfo": Row("getnameinfo", sockaddr_in(), requirements=["B65"]),
        "wsaaddresstostring": Row("WSAAddressToString", sockaddr_in(), requirements=["B53"]),
        "wsastringtoaddress": Row("WSAStringToAddress", "127.0.0.1", AF_INET, requirements=["B53"]),
        "wsaenumprotocols": Row("WSAEnumProtocols", requirements=["B45"]),
        "wsahtonl": Row("WSAHtonl", 4, 1, requirements=["B59"]),
    },
)
def call_needs_startup(ws: Target, call: str, *arguments: object) -> None:
    """Before any WSAStartup the call fails with WSANOTINITIALISED, whatever its arguments."""
    with fails_with(WSANOTINITIALISED, call):
        getattr(ws, call)(*arguments)


@case(
    "startup.required.again-after-cleanup",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="documented",
    requirements=["R1.13", "R1.19"],
    manages_startup=True,
)
def handles_die_with_the_last_cleanup(ws: Target) -> None:
    """A socket left open gives WSANOTINITIALISED after the last cleanup, WSAENOTSOCK after a new startup."""
    ws.WSAStartup(VERSION_2_2)
    s = ws.tcp()
    ws.WSACleanup()
    with fails_with(WSANOTINITIALISED):
        ws.getsockopt(s, SOL_SOCKET, SO_TYPE)
    ws.WSAStartup(VERSION_2_2)
    with fails_with(WSAENOTSOCK):
        ws.getsockopt(s, SOL_SOCKET, SO_TYPE)


@case(
    "startup.not-required.last-error",
    chapter=CHAPTER,
    source=STARTUP,
    basis="documented",
    requirements=["R1.14", "R16.4", "R16.5"],
    manages_startup=True,
)
def last_error_works_without_startup(ws: Target) -> None:
    """WSASetLastError and WSAGetLastError work before WSAStartup, and reading does not clear."""
    ws.WSASetLastError(WSAEINVAL)
    codes = (ws.WSAGetLastError(), ws.WSAGetLastError())
    expect("last error, read twice", expected=(WSAEINVAL, WSAEINVAL), actual=codes)


@case(
    "startup.not-required.byte-order",
    chapter=CHAPTER,
    source=STARTUP,
    basis="documented",
    requirements=["R1.14"],
    manages_startup=True,
)
def byte_order_works_without_startup(ws: Target) -> None:
    """The four byte-order functions swap bytes before WSAStartup."""
    swapped = (ws.htonl(0x01020304), ws.htons(0x0102), ws.ntohl(0x01020304), ws.ntohs(0x0102))
    expect("results", expected=(0x04030201, 0x0201, 0x04030201, 0x0201), actual=swapped)


@case(
    "startup.not-required.address-text",
    chapter=CHAPTER,
    source=STARTUP,
    basis="observed",
    requirements=["R1.14"],
    manages_startup=True,
)
def address_text_works_without_startup(ws: Target) -> None:
    """inet_addr, inet_ntoa, inet_pton and inet_ntop work before WSAStartup."""
    address = bytearray(4)
    expect("inet_addr", expected=0x0100007F, actual=ws.inet_addr("127.0.0.1"))
    expect("inet_addr of no address", expected=INADDR_NONE & 0xFFFFFFFF, actual=ws.inet_addr("no"))
    expect("inet_ntoa", expected="127.0.0.1", actual=ws.inet_ntoa(0x0100007F))
    expect("inet_pton", expected=1, actual=ws.inet_pton(AF_INET, "127.0.0.1", address))
    expect("address", expected=b"\x7f\0\0\x01", actual=bytes(address))
    expect("inet_ntop", expected="127.0.0.1", actual=ws.inet_ntop(AF_INET, bytes(address), 16))


@case(
    "startup.failure.values",
    chapter=CHAPTER,
    source="winsock/handling-winsock-errors",
    basis="documented",
    requirements=["R16.2", "R1.13"],
    needs_c=True,
    manages_startup=True,
)
def failure_values_without_startup(ws: Target) -> None:
    """Without startup socket returns INVALID_SOCKET, recv SOCKET_ERROR and gethostbyname NULL."""
    name = ws.c.new(b"localhost\0")
    room = ws.c.new(4)
    expect("socket", expected=INVALID_SOCKET, actual=ws.c.call("socket", AF_INET, SOCK_STREAM, IPPROTO_TCP))
    expect("last error", expected=WSANOTINITIALISED, actual=ws.c.last_error)
    expect("recv", expected=SOCKET_ERROR, actual=ws.c.call("recv", 4, room.address, 4, 0))
    expect("last error", expected=WSANOTINITIALISED, actual=ws.c.last_error)
    expect("gethostbyname", expected=0, actual=ws.c.call("gethostbyname", name.address))
    expect("last error", expected=WSANOTINITIALISED, actual=ws.c.last_error)


@case(
    "startup.cleanup.ends-a-waiting-receive",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="documented",
    requirements=["R1.17"],
    manages_startup=True,
)
def last_cleanup_ends_waiting_calls_of_other_threads(ws: Target) -> None:
    """A recv that waits in another thread ends with an error when the last WSACleanup happens."""
    ws.WSAStartup(VERSION_2_2)
    with ws.closing(ws.udp()) as s, ws.thread() as other:
        ws.bind(s, loopback())
        pending = other.start(ws.recv, s, bytearray(1))
        expect_true("recv waits", not pending.finished_within(0.05))
        ws.WSACleanup()
        with fails_with(
            WSAEINTR,
            "the waiting recv",
            variants={
                WSA_OPERATION_ABORTED: "the page names no code",
                WSAENOTSOCK: "the page names no code",
                WSANOTINITIALISED: "the page names no code",
            },
        ):
            pending.result()


@case(
    "startup.cleanup.closes-open-connections",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="documented",
    requirements=["R1.19", "R1.23"],
    manages_startup=True,
)
def last_cleanup_closes_every_socket(ws: Target) -> None:
    """A port in use when the last WSACleanup happens can be bound again after a new startup."""
    ws.WSAStartup(VERSION_2_2)
    s = ws.tcp()
    ws.bind(s, loopback())
    ws.listen(s, 1)
    address = ws.getsockname(s)
    ws.WSACleanup()
    ws.WSAStartup(VERSION_2_2)
    with ws.closing(ws.tcp()) as again:
        ws.bind(again, address)
        expect("address", expected=address, actual=ws.getsockname(again))


@case(
    "startup.cleanup.new-startup-works",
    chapter=CHAPTER,
    source=STARTUP,
    basis="documented",
    requirements=["R1.23"],
    manages_startup=True,
)
def everything_works_after_a_new_startup(ws: Target) -> None:
    """After a full cleanup a new startup gives working sockets again, three times over."""
    for _ in range(3):
        ws.WSAStartup(VERSION_2_2)
        with ws.connected_pair() as (client, server):
            ws.send_and_settle(client, b"again")
            expect("data", expected=b"again", actual=ws.receive_exactly(server, 5))
        ws.WSACleanup()


@case(
    "startup.cleanup.counts-per-process",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="documented",
    requirements=["R1.10", "R1.17"],
    manages_startup=True,
)
def count_belongs_to_the_process(ws: Target) -> None:
    """A startup in one thread serves another thread, and a cleanup in that one ends it for both."""
    ws.WSAStartup(VERSION_2_2)
    with ws.thread() as other:
        s = other.call(ws.tcp)
        other.call(ws.closesocket, s)
        other.call(ws.WSACleanup)
    with fails_with(WSANOTINITIALISED):
        ws.tcp()


@case(
    "startup.last-error.per-thread",
    chapter=CHAPTER,
    source="winsock/error-codes-errno-h-errno-and-wsagetlasterror-2",
    basis="documented",
    requirements=["R16.1", "R16.5"],
)
def last_error_belongs_to_the_thread(ws: Target) -> None:
    """A failure in another thread does not change this thread's last error."""
    ws.WSASetLastError(WSAECONNRESET)
    with ws.thread() as other:
        with fails_with(WSAENOTSOCK):
            other.call(ws.closesocket, INVALID_SOCKET)
        expect("last error there", expected=WSAENOTSOCK, actual=other.call(ws.WSAGetLastError))
    expect("last error here", expected=WSAECONNRESET, actual=ws.WSAGetLastError())


@case(
    "startup.last-error.is-getlasterror",
    chapter=CHAPTER,
    source="winsock/error-codes-errno-h-errno-and-wsagetlasterror-2",
    basis="documented",
    requirements=["R16.7"],
)
def both_last_errors_are_one(ws: Target) -> None:
    """WSAGetLastError and GetLastError read and write the same cell."""
    ws.WSASetLastError(WSAECONNRESET)
    expect("GetLastError", expected=WSAECONNRESET, actual=ws.GetLastError())
    ws.SetLastError(WSAEFAULT)
    expect("WSAGetLastError", expected=WSAEFAULT, actual=ws.WSAGetLastError())
