"""Errors: the last error, the error of a socket, message texts, and what the codes mean."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import threading

from ..addresses import loopback, port_of, sockaddr_in, wildcard
from ..constants import (
    AF_INET,
    AF_IPX,
    INADDR_NONE,
    INVALID_SOCKET,
    IPPROTO_ICMP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MSG_PEEK,
    SD_BOTH,
    SD_RECEIVE,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_RCVTIMEO,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    SOCKET_ERROR,
    SOL_SOCKET,
    WSA_E_CANCELLED,
    WSA_E_NO_MORE,
    WSA_INVALID_HANDLE,
    WSA_INVALID_PARAMETER,
    WSA_IO_INCOMPLETE,
    WSA_IO_PENDING,
    WSA_NOT_ENOUGH_MEMORY,
    WSA_OPERATION_ABORTED,
    WSA_QOS_ADMISSION_FAILURE,
    WSA_QOS_BAD_OBJECT,
    WSA_QOS_BAD_STYLE,
    WSA_QOS_EFILTERCOUNT,
    WSA_QOS_EFILTERSTYLE,
    WSA_QOS_EFILTERTYPE,
    WSA_QOS_EFLOWCOUNT,
    WSA_QOS_EFLOWDESC,
    WSA_QOS_EFLOWSPEC,
    WSA_QOS_EOBJLENGTH,
    WSA_QOS_EPOLICYOBJ,
    WSA_QOS_EPROVSPECBUF,
    WSA_QOS_EPSFILTERSPEC,
    WSA_QOS_EPSFLOWSPEC,
    WSA_QOS_ESDMODEOBJ,
    WSA_QOS_ESERVICETYPE,
    WSA_QOS_ESHAPERATEOBJ,
    WSA_QOS_EUNKOWNPSOBJ,
    WSA_QOS_GENERIC_ERROR,
    WSA_QOS_NO_RECEIVERS,
    WSA_QOS_NO_SENDERS,
    WSA_QOS_POLICY_FAILURE,
    WSA_QOS_RECEIVERS,
    WSA_QOS_REQUEST_CONFIRMED,
    WSA_QOS_RESERVED_PETYPE,
    WSA_QOS_SENDERS,
    WSA_QOS_TRAFFIC_CTRL_ERROR,
    WSAEACCES,
    WSAEADDRINUSE,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAEALREADY,
    WSAEBADF,
    WSAECANCELLED,
    WSAECONNABORTED,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEDESTADDRREQ,
    WSAEDISCON,
    WSAEDQUOT,
    WSAEFAULT,
    WSAEHOSTDOWN,
    WSAEHOSTUNREACH,
    WSAEINPROGRESS,
    WSAEINTR,
    WSAEINVAL,
    WSAEINVALIDPROCTABLE,
    WSAEINVALIDPROVIDER,
    WSAEISCONN,
    WSAELOOP,
    WSAEMFILE,
    WSAEMSGSIZE,
    WSAENAMETOOLONG,
    WSAENETDOWN,
    WSAENETRESET,
    WSAENETUNREACH,
    WSAENOBUFS,
    WSAENOMORE,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAENOTEMPTY,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEPFNOSUPPORT,
    WSAEPROCLIM,
    WSAEPROTONOSUPPORT,
    WSAEPROTOTYPE,
    WSAEPROVIDERFAILEDINIT,
    WSAEREFUSED,
    WSAEREMOTE,
    WSAESHUTDOWN,
    WSAESOCKTNOSUPPORT,
    WSAESTALE,
    WSAETIMEDOUT,
    WSAETOOMANYREFS,
    WSAEUSERS,
    WSAEWOULDBLOCK,
    WSAHOST_NOT_FOUND,
    WSANO_DATA,
    WSANO_RECOVERY,
    WSANOTINITIALISED,
    WSASERVICE_NOT_FOUND,
    WSASYSCALLFAILURE,
    WSASYSNOTREADY,
    WSATRY_AGAIN,
    WSATYPE_NOT_FOUND,
    WSAVERNOTSUPPORTED,
)
from ..model import Row, case, documented_otherwise, observed_otherwise
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable, variant

CHAPTER = "Winsock errors"
HANDLING = "winsock/handling-winsock-errors"
CODES = "winsock/windows-sockets-error-codes-2"
LAST_ERROR = "winsock/error-codes-errno-h-errno-and-wsagetlasterror-2"
OPTIONS = "winsock/sol-socket-socket-options, SO_ERROR"
PROVIDER = "Microsoft TCP/IP provider"
SENTINEL = 0xABCD  # no error code
ROOM = -1000  # stands for the address of some memory
LIMIT_MS = 200  # of a receive that waits although it should fail
VERSION_2_2 = 0x0202


def public_test(function: str) -> str:
    """Name the public test that shows an observation."""
    return f"Wine's public test {function}, which passes on Windows"


# ---- the last error --------------------------------------------------------------------------------------------------


@case(
    "errors.convention.{row}",
    chapter=CHAPTER,
    source=HANDLING,
    basis="documented",
    requirements=["R16.2"],
    needs_c=True,
    rows={
        "closesocket": Row("closesocket", (INVALID_SOCKET,), SOCKET_ERROR, WSAENOTSOCK),
        "send": Row("send", (INVALID_SOCKET, 0, 0, 0), SOCKET_ERROR, WSAENOTSOCK),
        "wsarecv": Row("WSARecv", (INVALID_SOCKET, 0, 0, 0, 0, 0, 0), SOCKET_ERROR, WSAENOTSOCK),
        "getsockopt": Row("getsockopt", (INVALID_SOCKET, SOL_SOCKET, SO_TYPE, 0, 0), SOCKET_ERROR, WSAENOTSOCK),
        "select": Row("select", (0, 0, 0, 0, 0), SOCKET_ERROR, WSAEINVAL),
        "gethostname": Row("gethostname", (0, 256), SOCKET_ERROR, WSAEFAULT),
        "inet-pton": Row("inet_pton", (0, 0, 0), SOCKET_ERROR, WSAEFAULT),
        "socket": Row("socket", (0xDEAD, SOCK_STREAM, IPPROTO_TCP), INVALID_SOCKET, WSAEAFNOSUPPORT),
        "wsasocketa": Row("WSASocketA", (0xDEAD, 1, 6, 0, 0, 0), INVALID_SOCKET, WSAEAFNOSUPPORT),
        "wsasocketw": Row("WSASocketW", (0xDEAD, 1, 6, 0, 0, 0), INVALID_SOCKET, WSAEAFNOSUPPORT),
        "accept": Row("accept", (INVALID_SOCKET, 0, 0), INVALID_SOCKET, WSAENOTSOCK),
        "wsaaccept": Row("WSAAccept", (INVALID_SOCKET, 0, 0, 0, 0), INVALID_SOCKET, WSAENOTSOCK),
        "inet-ntop": Row("inet_ntop", (1, ROOM, ROOM, 46), 0, WSAEAFNOSUPPORT, behaviours=["ntop-bad-family"]),
        "inet-addr": Row("inet_addr", (0,), INADDR_NONE & 0xFFFFFFFF, WSAEFAULT, behaviours=["inetaddr-null"]),
    },
)
def failure_has_its_value(ws: Target, call: str, arguments: tuple[int, ...], value: int, code: int) -> None:
    """A failed call returns its failure value, and the code is in the last error."""
    given = (ws.c.new(64).address if argument == ROOM else argument for argument in arguments)
    expect("result", expected=value, actual=ws.c.call(call, *given))
    expect("last error", expected=code, actual=ws.c.last_error)


@case(
    "errors.convention.code-is-the-last-error",
    chapter=CHAPTER,
    source=HANDLING,
    basis="documented",
    requirements=["R16.2"],
)
def code_of_every_kind_of_function_is_the_last_error(ws: Target) -> None:
    """Functions with an int, a handle and a pointer as result all fail recognisably and leave their code behind."""
    with fails_with(WSAENOTSOCK):
        ws.closesocket(0x7FFF0000)
    expect("after an int function", expected=WSAENOTSOCK, actual=ws.WSAGetLastError())
    with fails_with(WSAEAFNOSUPPORT):
        ws.socket(0xDEAD, SOCK_STREAM, IPPROTO_TCP)
    expect("after a handle function", expected=WSAEAFNOSUPPORT, actual=ws.WSAGetLastError())
    with fails_with(WSAENOTSOCK):
        ws.accept(0x7FFF0000)
    expect("after another", expected=WSAENOTSOCK, actual=ws.WSAGetLastError())
    with fails_with(WSAEAFNOSUPPORT):
        ws.inet_ntop(0xDEAD, bytes(4), 64)
    expect("after a pointer function", expected=WSAEAFNOSUPPORT, actual=ws.WSAGetLastError())


@case(
    "errors.returns-the-code.without-asking",
    chapter=CHAPTER,
    source=HANDLING,
    basis="documented",
    requirements=["R16.3"],
)
def functions_that_return_their_code(ws: Target) -> None:
    """getaddrinfo and getnameinfo tell their code themselves."""
    with fails_with(WSAHOST_NOT_FOUND):
        ws.getaddrinfo(None, None)
    with fails_with(WSAEFAULT):
        ws.getnameinfo(None)


@case(
    "errors.returns-the-code.{row}",
    chapter=CHAPTER,
    source=HANDLING,
    basis="documented",
    requirements=["R16.3"],
    needs_c=True,
    rows={
        "wsastartup": Row("WSAStartup", 2, WSAEFAULT, requirements=["B1"]),
        "getaddrinfo": Row("getaddrinfo", 3, WSAHOST_NOT_FOUND, behaviours=["gai-null-null"]),
        "getaddrinfow": Row("GetAddrInfoW", 3, WSAHOST_NOT_FOUND, behaviours=["gaiw-null-null"]),
        "getnameinfo": Row("getnameinfo", 7, WSAEFAULT),
        "getnameinfow": Row("GetNameInfoW", 7, WSAEFAULT),
    },
)
def some_functions_return_the_code(ws: Target, call: str, count: int, code: int) -> None:
    """These functions return the code itself; here every pointer but the last is NULL."""
    room = ws.c.new(b"\x5a" * 8)
    arguments = [VERSION_2_2, 0] if call == "WSAStartup" else [0] * count + [room.address] * (count == 3)
    expect("result", expected=code, actual=ws.c.call(call, *arguments))
    if call.lower().startswith("getaddrinfo"):
        expect("result pointer", expected=0, actual=room.number(8))
        expect("last error", expected=code, actual=ws.c.last_error)


@case(
    "errors.last-error.read-after-failure",
    chapter=CHAPTER,
    source=LAST_ERROR,
    basis="documented",
    requirements=["R16.4"],
)
def reading_does_not_clear(ws: Target) -> None:
    """After a failure every WSAGetLastError gives its code."""
    with fails_with(WSAENOTSOCK):
        ws.closesocket(INVALID_SOCKET)
    expect("last error", expected=[WSAENOTSOCK] * 3, actual=[ws.WSAGetLastError() for _ in range(3)])


@case(
    "errors.last-error.after-failed-startup",
    chapter=CHAPTER,
    source="winsock/nf-winsock-wsastartup",
    basis="documented",
    requirements=["R16.4"],
    manages_startup=True,
)
def last_error_works_after_a_failed_startup(ws: Target) -> None:
    """A WSAStartup that failed leaves WSASetLastError and WSAGetLastError working."""
    with fails_with(WSAVERNOTSUPPORTED):
        ws.WSAStartup(0)
    ws.WSASetLastError(WSAECONNRESET)
    expect("last error", expected=WSAECONNRESET, actual=ws.WSAGetLastError())


@case(
    "errors.last-error.stores-{row}",
    chapter=CHAPTER,
    source=LAST_ERROR,
    basis="documented",
    requirements=["R16.5"],
    rows={
        "zero": Row(0),
        "a-winsock-code": Row(WSAECONNRESET),
        "a-system-code": Row(WSA_IO_PENDING),
        "no-code-at-all": Row(SENTINEL),
        "all-bits": Row(0xFFFFFFFF),
    },
)
def last_error_takes_any_value(ws: Target, value: int) -> None:
    """WSASetLastError stores any 32-bit value."""
    ws.WSASetLastError(value)
    expect("last error", expected=value, actual=ws.WSAGetLastError() & 0xFFFFFFFF)


@case(
    "errors.last-error.one-cell",
    chapter=CHAPTER,
    source=LAST_ERROR,
    basis="documented",
    requirements=["R16.7"],
)
def getlasterror_tells_winsock_failures(ws: Target) -> None:
    """GetLastError of kernel32 gives the code of a Winsock call that failed, and SetLastError replaces it."""
    with fails_with(WSAENOTSOCK):
        ws.closesocket(INVALID_SOCKET)
    expect("GetLastError", expected=WSAENOTSOCK, actual=ws.GetLastError())
    ws.SetLastError(0)
    expect("WSAGetLastError", expected=0, actual=ws.WSAGetLastError())


@case(
    "errors.last-error.threads-fail-apart",
    chapter=CHAPTER,
    source=LAST_ERROR,
    basis="documented",
    requirements=["R16.1"],
)
def threads_fail_apart(ws: Target) -> None:
    """Two threads that fail in turn each find their own code, with the other's failure in between."""
    with ws.socket_in("stream") as s, ws.thread() as other:
        with fails_with(WSAENOTCONN):
            ws.getpeername(s)
        with fails_with(WSAEINVAL):
            other.call(ws.listen, s, 1)
        expect("last error here", expected=WSAENOTCONN, actual=ws.WSAGetLastError())
        with fails_with(WSAENOTSOCK):
            ws.closesocket(INVALID_SOCKET)
        expect("last error there", expected=WSAEINVAL, actual=other.call(ws.WSAGetLastError))


@case(
    "errors.last-error.waiting-thread",
    chapter=CHAPTER,
    source=LAST_ERROR,
    basis="documented",
    requirements=["R16.1"],
)
def waiting_call_fails_in_its_own_thread(ws: Target) -> None:
    """A recv that waits while another thread fails reports its own code to its own thread."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        pending = other.start(ws.recv, server, bytearray(1))
        expect_true("recv waits", not pending.finished_within(0.05))
        with fails_with(WSAENOTSOCK):
            ws.closesocket(INVALID_SOCKET)
        ws.reset(client)
        with fails_with(WSAECONNRESET):
            pending.result()
        codes = (ws.WSAGetLastError(), other.call(ws.WSAGetLastError))
    expect_true("last error here is not the other's", codes[0] != WSAECONNRESET, actual=codes[0])
    expect("last error there", expected=WSAECONNRESET, actual=codes[1])


@case(
    "errors.last-error.after-success.{row}",
    chapter=CHAPTER,
    source=public_test("sock.c"),
    basis="observed",
    requirements=["R16.6"],
    rows={
        "bind": Row("bind", behaviours=["bind-ok"]),
        "send": Row("send", behaviours=["wsarecv-send-clears-error"]),
        "wsarecv": Row("WSARecv", behaviours=["wsarecv-send-clears-error"]),
        "sendto": Row("sendto", behaviours=["sendto-clears-lasterror"]),
    },
)
def last_error_after_success(ws: Target, call: str) -> None:
    """A successful call stores 0 as the last error, or leaves it alone; it never stores anything else."""
    with ws.udp_pair() as (a, b), ws.closing(ws.tcp()) as s:
        ws.send_and_settle(a, b"x")
        arguments = {
            "bind": (s, loopback()),
            "send": (a, b"x"),
            "WSARecv": (b, [bytearray(1)]),
            "sendto": (a, b"x", 0, ws.getsockname(b)),
        }[call]
        ws.WSASetLastError(SENTINEL)
        getattr(ws, call)(*arguments)
        last = ws.WSAGetLastError()
    untouched = "left alone, as the first specification said; the documentation promises neither"
    variant("last error", expected=0, allowed={SENTINEL: untouched}, actual=last)


@case(
    "errors.last-error.after-success.cleanup",
    chapter=CHAPTER,
    source=public_test("protocol.c:test_startup"),
    basis="observed",
    requirements=["R16.6"],
    behaviours=["startup-cleanup-error"],
    manages_startup=True,
    differs={"wine": observed_otherwise("startup-cleanup-error", "leaves a code of its own")},
)
def last_error_after_cleanup(ws: Target) -> None:
    """WSACleanup that succeeds stores 0 as the last error, or leaves it alone."""
    ws.WSAStartup(VERSION_2_2)
    ws.WSASetLastError(SENTINEL)
    ws.WSACleanup()
    untouched = "left alone, as the first specification said; the documentation promises neither"
    variant("last error", expected=0, allowed={SENTINEL: untouched}, actual=ws.WSAGetLastError())


# ---- texts -----------------------------------------------------------------------------------------------------------


@case(
    "errors.hresult.{row}",
    chapter=CHAPTER,
    source=HANDLING,
    basis="documented",
    requirements=["R16.8"],
    needs_c=True,
    rows={
        "wsaenotsock": Row(WSAENOTSOCK, 0x80072736),
        "wsaeconnreset": Row(WSAECONNRESET, 0x80072746),
        "wsahost-not-found": Row(WSAHOST_NOT_FOUND, 0x80072AF9),
        "wsa-io-pending": Row(WSA_IO_PENDING, 0x800703E5),
    },
)
def hresult_is_the_code_with_a_facility(ws: Target, code: int, hresult: int) -> None:
    """0x80070000 with the code in its low half is the code as an HRESULT: both have the same text."""
    expect_true("the code has a text", ws.message(code))
    expect("text of the HRESULT", expected=ws.message(code), actual=ws.message(hresult))


@case(
    "errors.message.{row}",
    chapter=CHAPTER,
    source=f"{CODES}; the words are those of the English system",
    basis="documented",
    requirements=["R16.10"],
    rows={
        "wsa-invalid-handle": Row(WSA_INVALID_HANDLE, "handle is invalid", requirements=["R16.36"]),
        "wsa-not-enough-memory": Row(WSA_NOT_ENOUGH_MEMORY, "Not enough memory", requirements=["R16.36"]),
        "wsa-invalid-parameter": Row(WSA_INVALID_PARAMETER, "parameter is incorrect", requirements=["R16.36"]),
        "wsa-operation-aborted": Row(WSA_OPERATION_ABORTED, "I/O operation has been aborted", requirements=["R16.36"]),
        "wsa-io-incomplete": Row(WSA_IO_INCOMPLETE, "not in a signaled state", requirements=["R16.36"]),
        "wsa-io-pending": Row(WSA_IO_PENDING, "Overlapped I/O operation is in progress", requirements=["R16.36"]),
        "wsaeintr": Row(WSAEINTR, "interrupted by a call to WSACancelBlockingCall"),
        "wsaebadf": Row(WSAEBADF, "file handle supplied is not valid"),
        "wsaeacces": Row(WSAEACCES, "forbidden by its access permissions"),
        "wsaefault": Row(WSAEFAULT, "invalid pointer address"),
        "wsaeinval": Row(WSAEINVAL, "invalid argument"),
        "wsaemfile": Row(WSAEMFILE, "Too many open sockets"),
        "wsaewouldblock": Row(WSAEWOULDBLOCK, "could not be completed immediately"),
        "wsaeinprogress": Row(WSAEINPROGRESS, "blocking operation is currently executing"),
        "wsaealready": Row(WSAEALREADY, "already had an operation in progress"),
        "wsaenotsock": Row(WSAENOTSOCK, "not a socket"),
        "wsaedestaddrreq": Row(WSAEDESTADDRREQ, "required address was omitted"),
        "wsaemsgsize": Row(WSAEMSGSIZE, "larger than the internal message buffer"),
        "wsaeprototype": Row(WSAEPROTOTYPE, "does not support the semantics of the socket type"),
        "wsaenoprotoopt": Row(WSAENOPROTOOPT, "unsupported option or level"),
        "wsaeprotonosupport": Row(WSAEPROTONOSUPPORT, "protocol has not been configured"),
        "wsaesocktnosupport": Row(WSAESOCKTNOSUPPORT, "socket type does not exist in this address family"),
        "wsaeopnotsupp": Row(WSAEOPNOTSUPP, "not supported for the type of object referenced"),
        "wsaepfnosupport": Row(WSAEPFNOSUPPORT, "protocol family has not been configured"),
        "wsaeafnosupport": Row(WSAEAFNOSUPPORT, "incompatible with the requested protocol"),
        "wsaeaddrinuse": Row(WSAEADDRINUSE, "Only one usage of each socket address"),
        "wsaeaddrnotavail": Row(WSAEADDRNOTAVAIL, "not valid in its context"),
        "wsaenetdown": Row(WSAENETDOWN, "dead network"),
        "wsaenetunreach": Row(WSAENETUNREACH, "unreachable network"),
        "wsaenetreset": Row(WSAENETRESET, "keep-alive activity detecting a failure"),
        "wsaeconnaborted": Row(WSAECONNABORTED, "aborted by the software in your host machine"),
        "wsaeconnreset": Row(WSAECONNRESET, "forcibly closed by the remote host"),
        "wsaenobufs": Row(WSAENOBUFS, "lacked sufficient buffer space"),
        "wsaeisconn": Row(WSAEISCONN, "already connected socket"),
        "wsaenotconn": Row(WSAENOTCONN, "socket is not connected"),
        "wsaeshutdown": Row(WSAESHUTDOWN, "already been shut down in that direction"),
        "wsaetoomanyrefs": Row(WSAETOOMANYREFS, "Too many references"),
        "wsaetimedout": Row(WSAETIMEDOUT, "did not properly respond after a period of time"),
        "wsaeconnrefused": Row(WSAECONNREFUSED, "actively refused it"),
        "wsaeloop": Row(WSAELOOP, "Cannot translate name"),
        "wsaenametoolong": Row(WSAENAMETOOLONG, "name was too long"),
        "wsaehostdown": Row(WSAEHOSTDOWN, "destination host was down"),
        "wsaehostunreach": Row(WSAEHOSTUNREACH, "unreachable host"),
        "wsaenotempty": Row(WSAENOTEMPTY, "directory that is not empty"),
        "wsaeproclim": Row(WSAEPROCLIM, "limit on the number of applications"),
        "wsaeusers": Row(WSAEUSERS, "Ran out of quota"),
        "wsaedquot": Row(WSAEDQUOT, "Ran out of disk quota"),
        "wsaestale": Row(WSAESTALE, "no longer available"),
        "wsaeremote": Row(WSAEREMOTE, "not available locally"),
        "wsasysnotready": Row(WSASYSNOTREADY, "currently unavailable"),
        "wsavernotsupported": Row(WSAVERNOTSUPPORTED, "version requested is not supported"),
        "wsanotinitialised": Row(WSANOTINITIALISED, "has not called WSAStartup"),
        "wsaediscon": Row(WSAEDISCON, "graceful shutdown sequence"),
        "wsaenomore": Row(
            WSAENOMORE, "No more results can be returned by WSALookupServiceNext", requirements=["R16.35"]
        ),
        "wsaecancelled": Row(WSAECANCELLED, "The call has been canceled", requirements=["R16.35"]),
        "wsaeinvalidproctable": Row(WSAEINVALIDPROCTABLE, "procedure call table is invalid"),
        "wsaeinvalidprovider": Row(WSAEINVALIDPROVIDER, "service provider is invalid"),
        "wsaeproviderfailedinit": Row(WSAEPROVIDERFAILEDINIT, "could not be loaded or initialized"),
        "wsasyscallfailure": Row(WSASYSCALLFAILURE, "system call"),
        "wsaservice-not-found": Row(WSASERVICE_NOT_FOUND, "No such service is known"),
        "wsatype-not-found": Row(WSATYPE_NOT_FOUND, "specified class was not found"),
        "wsa-e-no-more": Row(
            WSA_E_NO_MORE, "No more results can be returned by WSALookupServiceNext", requirements=["R16.35"]
        ),
        "wsa-e-cancelled": Row(WSA_E_CANCELLED, "The call has been canceled", requirements=["R16.35"]),
        "wsaerefused": Row(WSAEREFUSED, "actively refused"),
        "wsahost-not-found": Row(WSAHOST_NOT_FOUND, "No such host is known"),
        "wsatry-again": Row(WSATRY_AGAIN, "temporary error during hostname resolution"),
        "wsano-recovery": Row(WSANO_RECOVERY, "non-recoverable error"),
        "wsano-data": Row(WSANO_DATA, "no data of the requested type was found"),
        "wsa-qos-receivers": Row(WSA_QOS_RECEIVERS, "reserve has arrived"),
        "wsa-qos-senders": Row(WSA_QOS_SENDERS, "path has arrived"),
        "wsa-qos-no-senders": Row(WSA_QOS_NO_SENDERS, "no senders"),
        "wsa-qos-no-receivers": Row(WSA_QOS_NO_RECEIVERS, "no receivers"),
        "wsa-qos-request-confirmed": Row(WSA_QOS_REQUEST_CONFIRMED, "confirmed"),
        "wsa-qos-admission-failure": Row(WSA_QOS_ADMISSION_FAILURE, "lack of resources"),
        "wsa-qos-policy-failure": Row(WSA_QOS_POLICY_FAILURE, "bad credentials"),
        "wsa-qos-bad-style": Row(WSA_QOS_BAD_STYLE, "conflicting style"),
        "wsa-qos-bad-object": Row(WSA_QOS_BAD_OBJECT, "filterspec or providerspecific buffer"),
        "wsa-qos-traffic-ctrl-error": Row(WSA_QOS_TRAFFIC_CTRL_ERROR, "part of the flowspec"),
        "wsa-qos-generic-error": Row(WSA_QOS_GENERIC_ERROR, "QOS error"),
        "wsa-qos-eservicetype": Row(WSA_QOS_ESERVICETYPE, "service type"),
        "wsa-qos-eflowspec": Row(WSA_QOS_EFLOWSPEC, "inconsistent flowspec"),
        "wsa-qos-eprovspecbuf": Row(WSA_QOS_EPROVSPECBUF, "provider-specific buffer"),
        "wsa-qos-efilterstyle": Row(WSA_QOS_EFILTERSTYLE, "filter style"),
        "wsa-qos-efiltertype": Row(WSA_QOS_EFILTERTYPE, "filter type"),
        "wsa-qos-efiltercount": Row(WSA_QOS_EFILTERCOUNT, "number of QOS FILTERSPECs"),
        "wsa-qos-eobjlength": Row(WSA_QOS_EOBJLENGTH, "ObjectLength"),
        "wsa-qos-eflowcount": Row(WSA_QOS_EFLOWCOUNT, "number of flow descriptors"),
        "wsa-qos-eunkownpsobj": Row(WSA_QOS_EUNKOWNPSOBJ, "unrecognized object"),
        "wsa-qos-epolicyobj": Row(WSA_QOS_EPOLICYOBJ, "policy object"),
        "wsa-qos-eflowdesc": Row(WSA_QOS_EFLOWDESC, "flow descriptor"),
        "wsa-qos-epsflowspec": Row(WSA_QOS_EPSFLOWSPEC, "flowspec"),
        "wsa-qos-epsfilterspec": Row(WSA_QOS_EPSFILTERSPEC, "FILTERSPEC"),
        "wsa-qos-esdmodeobj": Row(WSA_QOS_ESDMODEOBJ, "shape discard mode"),
        "wsa-qos-eshaperateobj": Row(WSA_QOS_ESHAPERATEOBJ, "shaping rate"),
        "wsa-qos-reserved-petype": Row(WSA_QOS_RESERVED_PETYPE, "reserved policy element"),
    },
)
def every_code_has_a_text(ws: Target, code: int, words: str) -> None:
    """The system has a text for the code, and it says what the code is about."""
    text = ws.message(code)
    expect_true("there is a text", text)
    if "A system call" not in ws.message(WSASYSCALLFAILURE):
        not_applicable("the texts are not in English here")
    expect_true(f"the text has the words {words!r}", words in text, actual=text)


# ---- the error of a socket -------------------------------------------------------------------------------------------


@case(
    "errors.socket-error.refused-connect",
    chapter=CHAPTER,
    source=OPTIONS,
    basis="documented",
    requirements=["R16.11", "R16.13", "R11.20", "T16.1"],
)
def so_error_tells_why_a_connect_failed(ws: Target) -> None:
    """After a non-blocking connect that was refused SO_ERROR gives WSAECONNREFUSED."""
    with ws.closing(ws.tcp()) as s:
        start_refused_connect(ws, s)
        expect("SO_ERROR", expected=WSAECONNREFUSED, actual=ws.pending_error(s))


@case(
    "errors.socket-error.reading-clears",
    chapter=CHAPTER,
    source="winsock/nf-winsock-getsockopt, table of SOL_SOCKET options",
    basis="documented",
    requirements=["R16.11"],
    behaviours=["wsapoll-refused-so-error"],
)
def reading_so_error_clears_it(ws: Target) -> None:
    """The second reading of SO_ERROR gives 0."""
    with ws.closing(ws.tcp()) as s:
        start_refused_connect(ws, s)
        expect("first reading", expected=WSAECONNREFUSED, actual=ws.pending_error(s))
        stays = "Windows 10, by Wine's public test sock.c:test_WSAPoll: a failed connect stays readable"
        variant("second reading", expected=0, allowed={WSAECONNREFUSED: stays}, actual=ws.pending_error(s))


@case(
    "errors.socket-error.reset",
    chapter=CHAPTER,
    source=OPTIONS,
    basis="documented",
    requirements=["R16.11"],
)
def so_error_tells_of_a_reset(ws: Target) -> None:
    """When the peer has reset the connection, SO_ERROR gives WSAECONNRESET before any call has failed."""
    with ws.connected_pair() as (client, server):
        ws.reset(client)
        ws.wait_readable(server)
        expect("SO_ERROR", expected=WSAECONNRESET, actual=ws.pending_error(server))
        with fails_with(WSAECONNRESET):
            ws.recv(server, bytearray(1))


@case(
    "errors.socket-error.not-from-a-blocking-connect",
    chapter=CHAPTER,
    source=public_test("sock.c:test_WSAPoll"),
    basis="observed",
    requirements=["R16.11"],
    behaviours=["wsapoll-sync-refused"],
    differs={"wine": observed_otherwise("wsapoll-sync-refused", "SO_ERROR has the code of the failure")},
)
def so_error_is_0_after_a_blocking_connect_failed(ws: Target) -> None:
    """A blocking connect reports its failure itself and leaves SO_ERROR at 0."""
    with ws.closing(ws.tcp()) as s:
        with fails_with(WSAECONNREFUSED):
            ws.connect(s, ws.dead_address())
        expect("SO_ERROR", expected=0, actual=ws.pending_error(s))


@case(
    "errors.socket-error.last-error-is-another",
    chapter=CHAPTER,
    source="winsock/error-reporting-and-parameter-validation-2",
    basis="choice",
    requirements=["R16.12"],
)
def so_error_is_not_the_last_error(ws: Target) -> None:
    """Reading SO_ERROR with an error in it succeeds, and does not make that error the last error."""
    with ws.closing(ws.tcp()) as s:
        start_refused_connect(ws, s)
        ws.WSASetLastError(SENTINEL)
        expect("SO_ERROR", expected=WSAECONNREFUSED, actual=ws.pending_error(s))
        last = ws.WSAGetLastError()
    variant("last error", expected=SENTINEL, allowed={0: "Windows 7 and later store 0 on success"}, actual=last)


# ---- a connect that fails --------------------------------------------------------------------------------------------


def start_refused_connect(ws: Target, s: int) -> None:
    """Make ``s`` non-blocking, connect it to a port that nobody has, and wait for the outcome."""
    ws.nonblocking(s)
    with fails_with(WSAEWOULDBLOCK):
        ws.connect(s, ws.dead_address())
    expect("sockets with a failed connect", expected=[s], actual=ws.select(None, None, [s], (5, 0))[2])


@case(
    "errors.refused.select",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-select",
    basis="documented",
    requirements=["R16.13", "R11.20", "R3.44", "R3.45", "A58"],
)
def failed_connect_is_exceptional_only(ws: Target) -> None:
    """A non-blocking connect that failed makes the socket a member of exceptfds, and not of the other sets."""
    with ws.closing(ws.tcp()) as s:
        start_refused_connect(ws, s)
        expect("ready sets", expected=([], [], [s]), actual=ws.select([s], [s], [s], (0, 0)))


@case(
    "errors.refused.same-code",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-connect",
    basis="documented",
    requirements=["R16.13", "R11.18"],
)
def both_ways_of_connecting_tell_the_same_code(ws: Target) -> None:
    """A blocking connect fails with the code that SO_ERROR gives after a non-blocking one."""
    codes = []
    with ws.closing(ws.tcp(), ws.tcp()) as (blocking, nonblocking):
        try:
            ws.connect(blocking, ws.dead_address())
        except Failed as failure:
            codes.append(failure.code)
        start_refused_connect(ws, nonblocking)
        codes.append(ws.pending_error(nonblocking))
    expect("codes", expected=[WSAECONNREFUSED, WSAECONNREFUSED], actual=codes)


@case(
    "errors.refused.again",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-connect",
    basis="documented",
    requirements=["R11.22", "A16"],
    differs={"wine": documented_otherwise("the second connect is WSAECONNABORTED")},
)
def connect_may_be_tried_again(ws: Target) -> None:
    """After WSAECONNREFUSED the same socket can connect to somebody who listens."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        with fails_with(WSAECONNREFUSED):
            ws.connect(s, ws.dead_address())
        ws.connect(s, ws.getsockname(listening))
        expect("peer", expected=ws.getsockname(listening), actual=ws.getpeername(s))


# ---- what the codes mean ---------------------------------------------------------------------------------------------


@case(
    "errors.wouldblock.connect",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["R16.20", "R11.18", "A13"],
)
def nonblocking_connect_is_wouldblock(ws: Target) -> None:
    """A non-blocking connect fails with WSAEWOULDBLOCK, not WSAEINPROGRESS, and goes on to succeed."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        ws.nonblocking(s)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(s, ws.getsockname(listening))
        ws.wait_writable(s)
        expect("peer", expected=ws.getsockname(listening), actual=ws.getpeername(s))


@case(
    "errors.already.second-connect",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["R16.21", "R11.19", "A14", "B9"],
)
def connect_during_a_connect(ws: Target) -> None:
    """A second connect while the first is under way is WSAEALREADY."""
    with ws.connecting() as s, fails_with(WSAEALREADY):
        ws.connect(s, sockaddr_in(port=9))


@case(
    "errors.isconn.after-nonblocking-connect",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["A15", "R11.21"],
)
def connect_after_a_finished_connect(ws: Target) -> None:
    """Once a non-blocking connect has succeeded another connect is WSAEISCONN."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        ws.nonblocking(s)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(s, ws.getsockname(listening))
        ws.wait_writable(s)
        with fails_with(WSAEISCONN):
            ws.connect(s, ws.getsockname(listening))


@case(
    "errors.acces.broadcast.{row}",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["R16.22", "A72"],
    rows={
        "sendto": Row("sendto", (b"x", 0, sockaddr_in("255.255.255.255", 9)), requirements=["B16"]),
        "connect": Row("connect", (sockaddr_in("255.255.255.255", 9),), requirements=["R11.26", "B9"]),
    },
)
def broadcast_needs_the_option(ws: Target, call: str, arguments: tuple[object, ...]) -> None:
    """The broadcast address without SO_BROADCAST is WSAEACCES."""
    with ws.closing(ws.udp()) as s, fails_with(WSAEACCES):
        getattr(ws, call)(s, *arguments)


@case(
    "errors.acces.exclusive-address",
    chapter=CHAPTER,
    source="winsock/using-so-reuseaddr-and-so-exclusiveaddruse",
    basis="documented",
    requirements=["R16.22", "T11.1"],
    behaviours=["excl-any-then-loopback"],
)
def exclusive_wildcard_forbids_the_port(ws: Target) -> None:
    """A port that an exclusive wildcard socket has cannot be bound on loopback: WSAEACCES."""
    with ws.closing(ws.tcp(), ws.tcp()) as (exclusive, second):
        ws.setsockopt(exclusive, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1)
        ws.bind(exclusive, wildcard())
        with fails_with(WSAEACCES):
            ws.bind(second, sockaddr_in(port=port_of(ws.getsockname(exclusive))))


@case(
    "errors.acces.raw-socket",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["R16.22", "B3"],
    behaviours=["wsasocket-raw-unprivileged", "icmp-raw-create"],
)
def raw_socket_needs_the_right(ws: Target) -> None:
    """Making a raw socket without the right to it is WSAEACCES, at once."""
    try:
        s = ws.WSASocket(AF_INET, SOCK_RAW, IPPROTO_ICMP)
    except Failed as failure:
        expect("code", expected=WSAEACCES, actual=failure.code)
    else:
        ws.closesocket(s)
        not_applicable("this user may make raw sockets")


@case(
    "errors.inval.state.{row}",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["R16.24"],
    rows={
        "accept-without-listen": Row("bound", "accept", (), requirements=["R11.43", "B7"]),
        "accept-on-accepted": Row("accepted", "accept", (), requirements=["R11.45"]),
        "bind-twice": Row("bound", "bind", (loopback(),), requirements=["R11.1", "A6"], behaviours=["bind-twice"]),
        "bind-after-connect": Row("connected", "bind", (loopback(),), requirements=["R11.1", "A6"]),
        "listen-without-bind": Row("stream", "listen", (1,), requirements=["R11.13", "A21"]),
        "connect-on-listening": Row(
            "listening", "connect", (sockaddr_in(port=9),), requirements=["R11.21"], behaviours=["connect-on-listener"]
        ),
        "recv-on-unbound-datagram": Row("datagram", "recv", (bytearray(1),), requirements=["R11.23", "A12", "B20"]),
        "getsockname-without-bind": Row("stream", "getsockname", (), requirements=["R11.57", "A10"]),
    },
)
def state_does_not_allow_it(ws: Target, state: str, call: str, arguments: tuple[object, ...]) -> None:
    """A call that the socket's state does not allow is WSAEINVAL."""
    with ws.socket_in(state) as s:
        ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, LIMIT_MS)
        with fails_with(WSAEINVAL):
            getattr(ws, call)(s, *arguments)


@case(
    "errors.msgsize.send.{row}",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["R16.25", "A35", "T16.1"],
    rows={
        "send": Row("send", requirements=["B15"]),
        "sendto": Row("sendto", requirements=["B16"]),
        "wsasend": Row("WSASend", requirements=["B17"]),
        "wsasendto": Row("WSASendTo", requirements=["B18"]),
    },
)
def datagram_too_large_to_send(ws: Target, call: str) -> None:
    """A datagram of 65508 bytes, one more than UDP over IPv4 can carry, is WSAEMSGSIZE and is not sent."""
    data = bytes(65508)
    with ws.udp_pair() as (a, b):
        to = (0, ws.getsockname(b)) if call.lower().endswith("to") else ()
        with fails_with(WSAEMSGSIZE, call):
            getattr(ws, call)(a, [data] if call.startswith("WSA") else data, *to)
        expect_true("nothing was sent", not ws.readable(b))


@case(
    "errors.msgsize.largest-datagram",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["R16.25", "A35"],
)
def largest_datagram_is_fine(ws: Target) -> None:
    """A datagram of 65507 bytes arrives whole."""
    buffer = bytearray(65508)
    with ws.udp_pair() as (a, b):
        expect("sent", expected=65507, actual=ws.send(a, b"\x5a" * 65507))
        expect("received", expected=65507, actual=ws.recv(b, buffer))
    expect_true("data", buffer == b"\x5a" * 65507 + b"\0")


@case(
    "errors.msgsize.receive.{row}",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["R16.25", "A30"],
    rows={
        "recv": Row("recv", requirements=["B20"]),
        "recvfrom": Row("recvfrom", requirements=["B21"]),
        "wsarecv": Row("WSARecv", requirements=["B22"]),
        "wsarecvfrom": Row("WSARecvFrom", requirements=["B23"]),
    },
)
def datagram_too_large_to_receive(ws: Target, call: str) -> None:
    """A datagram larger than the buffer fills it and fails with WSAEMSGSIZE; the rest is gone."""
    buffer, rest = bytearray(4), bytearray(8)
    with ws.udp_pair() as (a, b):
        ws.send_and_settle(a, b"too long")
        with fails_with(WSAEMSGSIZE, call):
            getattr(ws, call)(b, [buffer] if call.startswith("WSA") else buffer)
        expect("buffer", expected=b"too ", actual=bytes(buffer))
        ws.send_and_settle(a, b"next")
        expect("next datagram", expected=4, actual=ws.recv(b, rest))
    expect("data", expected=b"next", actual=bytes(rest[:4]))


@case(
    "errors.msgsize.peek",
    chapter=CHAPTER,
    source="winsock/nf-winsock-recvfrom",
    basis="documented",
    requirements=["R16.25", "A31"],
)
def peek_at_a_large_datagram(ws: Target) -> None:
    """MSG_PEEK with too small a buffer is WSAEMSGSIZE as well, and the datagram stays."""
    buffer, whole = bytearray(4), bytearray(8)
    with ws.udp_pair() as (a, b):
        ws.send_and_settle(a, b"too long")
        with fails_with(WSAEMSGSIZE):
            ws.recv(b, buffer, MSG_PEEK)
        expect("datagram", expected=8, actual=ws.recv(b, whole))
    expect("buffers", expected=(b"too ", b"too long"), actual=(bytes(buffer), bytes(whole)))


def time_exceeded(source: bytes, destination: bytes) -> bytes:
    """Return the ICMP message of a router that dropped a UDP datagram because its time to live was over."""
    length = 20 + 8
    header = struct.pack(">BBHHHBBH", 0x45, 0, length, 1, 0, 0, IPPROTO_UDP, 0) + source[4:8] + destination[4:8]
    udp = struct.pack(">HHHH", port_of(source), port_of(destination), 8, 0)
    message = struct.pack(">BBHI", 11, 0, 0, 0) + header + udp
    total: int = sum(struct.unpack(f">{len(message) // 2}H", message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return message[:2] + (~total & 0xFFFF).to_bytes(2, "big") + message[4:]


@case(
    "errors.netreset.time-to-live",
    chapter=CHAPTER,
    source="winsock/nf-winsock-recvfrom, error WSAENETRESET",
    basis="documented",
    requirements=["R16.26", "A33"],
)
def expired_datagram_is_netreset(ws: Target) -> None:
    """When a router reports that a sent datagram's time to live was over, the next receive is WSAENETRESET."""
    if os.name == "nt":
        not_applicable("this system may not take a report that was made up")
    with ws.udp_pair(connected=False) as (a, b):
        try:
            router = ws.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)
        except Failed as failure:
            not_applicable(f"playing the router needs a raw socket: {failure}")
        with ws.closing(router):
            report = time_exceeded(ws.getsockname(a), ws.getsockname(b))
            expect("report sent", expected=len(report), actual=ws.sendto(router, report, 0, loopback()))
            ws.wait_readable(a)
            with fails_with(WSAENETRESET):
                ws.recvfrom(a, bytearray(8))


@case(
    "errors.connreset.{row}",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["R16.27", "T16.1"],
    rows={
        "recv": Row("recv", requirements=["B20"]),
        "wsarecv": Row("WSARecv", requirements=["B22"]),
        "send": Row("send", requirements=["A41", "B15"]),
        "wsasend": Row("WSASend", requirements=["A41", "B17"]),
    },
)
def reset_by_the_peer(ws: Target, call: str) -> None:
    """After the peer has reset the connection receives and sends are WSAECONNRESET, every time."""
    with ws.connected_pair() as (client, server):
        ws.reset(client)
        ws.wait_readable(server)
        allowed = {WSAECONNABORTED: "the page allows it"} if call.lower().endswith("send") else {}
        for _ in range(3):
            buffer = bytearray(b"x")
            with fails_with(WSAECONNRESET, call, variants=allowed):
                getattr(ws, call)(server, [buffer] if call.startswith("WSA") else buffer)


@case(
    "errors.connreset.stays",
    chapter=CHAPTER,
    source=PROVIDER,
    basis="observed",
    requirements=["R16.27", "A42"],
)
def reset_stays(ws: Target) -> None:
    """After a send met the reset, receives meet it too: nobody is told of an end of stream."""
    with ws.connected_pair() as (client, server):
        ws.reset(client)
        ws.wait_readable(server)
        with fails_with(WSAECONNRESET, variants={WSAECONNABORTED: "allowed for a send"}):
            ws.send(server, b"x")
        for _ in range(2):
            with fails_with(WSAECONNRESET, variants={WSAECONNABORTED: "as the send before"}):
                ws.recv(server, bytearray(1))


@case(
    "errors.connreset.port-unreachable.{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-recvfrom, error WSAECONNRESET",
    basis="documented",
    requirements=["R16.27", "A32", "A34", "T16.1"],
    rows={"connected": Row(True), "unconnected": Row(False)},
)
def unreachable_port_is_connreset_on_the_next_receive(ws: Target, connected: bool) -> None:
    """A datagram to a port nobody has is sent all right; the next receive is WSAECONNRESET, once."""
    nobody = ws.dead_address(type=SOCK_DGRAM)
    with ws.socket_in("bound-datagram") as a:
        if connected:
            ws.connect(a, nobody)
        expect("sent", expected=1, actual=ws.send(a, b"x") if connected else ws.sendto(a, b"x", 0, nobody))
        ws.wait_readable(a)
        with fails_with(WSAECONNRESET):
            ws.recvfrom(a, bytearray(1))
        ws.nonblocking(a)
        with fails_with(WSAEWOULDBLOCK, "the receive after it"):
            ws.recvfrom(a, bytearray(1))


@case(
    "errors.notconn.{row}",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["R16.28"],
    rows={
        "send": Row("stream", "send", (b"x",), requirements=["B15"]),
        "wsasend": Row("stream", "WSASend", ([b"x"],), requirements=["B17"]),
        "recv": Row("stream", "recv", (bytearray(1),), requirements=["A36", "B20"]),
        "wsarecv": Row("bound", "WSARecv", ([bytearray(1)],), requirements=["A36", "B22"]),
        "recv-on-listening": Row("listening", "recv", (bytearray(1),), requirements=["A36"]),
        "send-on-datagram": Row("datagram", "send", (b"x",), requirements=["A37", "B15"]),
        "send-on-bound-datagram": Row("bound-datagram", "WSASend", ([b"x"],), requirements=["A37", "B17"]),
        "shutdown": Row("stream", "shutdown", (SD_BOTH,), requirements=["R12.1", "A43", "B34"]),
        "shutdown-on-listening": Row("listening", "shutdown", (SD_RECEIVE,), requirements=["A43"]),
        "getpeername": Row("bound", "getpeername", (), requirements=["R11.57", "B38"]),
    },
)
def not_connected(ws: Target, state: str, call: str, arguments: tuple[object, ...]) -> None:
    """What needs a connection is WSAENOTCONN without one."""
    with ws.socket_in(state) as s:
        ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, LIMIT_MS)
        with fails_with(WSAENOTCONN):
            getattr(ws, call)(s, *arguments)


@case(
    "errors.notconn.sendto-nobody.{row}",
    chapter=CHAPTER,
    source=PROVIDER,
    basis="observed",
    requirements=["R16.28", "R16.29"],
    rows={
        "sendto": Row("sendto", b"x", requirements=["B16"]),
        "wsasendto": Row("WSASendTo", [b"x"], requirements=["B18"]),
    },
)
def sendto_without_address(ws: Target, call: str, data: object) -> None:
    """sendto with no address on a datagram socket without a peer is WSAENOTCONN."""
    page = "nf-winsock-sendto says WSAEDESTADDRREQ"
    with ws.closing(ws.udp()) as s, fails_with(WSAENOTCONN, variants={WSAEDESTADDRREQ: page}):
        getattr(ws, call)(s, data, 0, None)


@case(
    "errors.notconn.keepalive",
    chapter=CHAPTER,
    source=f"{CODES}, WSAENOTCONN",
    basis="documented",
    requirements=["R16.28"],
)
def keepalive_on_a_reset_connection(ws: Target) -> None:
    """SO_KEEPALIVE cannot be set any more once the connection was reset: WSAENOTCONN."""
    with ws.connected_pair() as (client, server):
        ws.reset(client)
        with fails_with(WSAECONNRESET):
            ws.recv(server, bytearray(1))
        with fails_with(WSAENOTCONN):
            ws.setsockopt(server, SOL_SOCKET, SO_KEEPALIVE, 1)


@case(
    "errors.addrnotavail.{row}",
    chapter=CHAPTER,
    source=CODES,
    basis="documented",
    requirements=["R16.30"],
    rows={
        "bind-foreign": Row(
            "stream",
            "bind",
            (sockaddr_in("192.0.2.0"),),
            requirements=["R11.2", "B5"],
            behaviours=["bind-foreign-address"],
        ),
        "bind-foreign-datagram": Row(
            "datagram",
            "bind",
            (sockaddr_in("192.0.2.0"),),
            requirements=["R11.2", "B5"],
            differs={"wine": documented_otherwise("a datagram socket can be bound to an address of nobody")},
        ),
        "connect-to-0": Row("stream", "connect", (sockaddr_in("0.0.0.0", 9),), requirements=["R11.21", "A17", "B9"]),
        "connect-to-port-0": Row("stream", "connect", (loopback(),), requirements=["R11.21", "A18", "B9"]),
        "connect-datagram-to-port-0": Row("datagram", "connect", (loopback(),), requirements=["A18", "B9"]),
        "sendto-0": Row("datagram", "sendto", (b"x", 0, sockaddr_in("0.0.0.0", 9)), requirements=["A17", "B16"]),
        "sendto-port-0": Row("datagram", "sendto", (b"x", 0, loopback()), requirements=["A18", "B16"]),
        "wsasendto-port-0": Row("datagram", "WSASendTo", ([b"x"], 0, loopback()), requirements=["A18", "B18"]),
    },
)
def nobodys_address(ws: Target, state: str, call: str, arguments: tuple[object, ...]) -> None:
    """Binding to another machine's address, and sending to address or port 0, is WSAEADDRNOTAVAIL."""
    with ws.socket_in(state) as s, fails_with(WSAEADDRNOTAVAIL):
        getattr(ws, call)(s, *arguments)


@case(
    "errors.addrinuse.by-listen-at-the-latest",
    chapter=CHAPTER,
    source="winsock/nf-winsock-bind, error WSAEADDRINUSE",
    basis="documented",
    requirements=["R16.31", "R11.13"],
)
def port_in_use_shows_by_listen_at_the_latest(ws: Target) -> None:
    """Of two sockets on one wildcard port the second is told WSAEADDRINUSE: by bind, or else by listen."""
    with ws.closing(ws.tcp(), ws.tcp()) as (first, second):
        ws.bind(first, wildcard())
        ws.listen(first, 1)
        with fails_with(WSAEADDRINUSE):
            ws.bind(second, wildcard(port=port_of(ws.getsockname(first))))
            ws.listen(second, 1)


@case(
    "errors.addrinuse.bind",
    chapter=CHAPTER,
    source=public_test("sock.c:test_bind and test_listen"),
    basis="observed",
    requirements=["R16.31", "R11.2", "T16.1", "B5"],
    behaviours=["listen-bind-busy"],
)
def port_in_use_shows_in_bind(ws: Target) -> None:
    """The loopback port of a listening socket cannot be bound by another one: WSAEADDRINUSE."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as second, fails_with(WSAEADDRINUSE):
        ws.bind(second, ws.getsockname(listening))


@case(
    "errors.addrinuse.bind-after-bind",
    chapter=CHAPTER,
    source=public_test("sock.c:test_bind and test_listen"),
    basis="observed",
    requirements=["R11.2", "T11.1", "B5"],
    behaviours=["bind-in-use", "listen-second-bind-fails"],
)
def bound_port_is_in_use(ws: Target) -> None:
    """A loopback port that another socket has bound, without listening, cannot be bound: WSAEADDRINUSE."""
    with ws.socket_in("bound") as first, ws.closing(ws.tcp()) as second, fails_with(WSAEADDRINUSE):
        ws.bind(second, ws.getsockname(first))


@case(
    "errors.unsupported.{row}",
    chapter=CHAPTER,
    source=public_test("sock.c:test_WSASocket"),
    basis="observed",
    requirements=["R16.32", "B3"],
    rows={
        "family": Row(0xDEAD, SOCK_STREAM, IPPROTO_TCP, WSAEAFNOSUPPORT, behaviours=["wsasocket-0xdead-stream-tcp"]),
        "family-ipx": Row(AF_IPX, SOCK_DGRAM, 1000, WSAEAFNOSUPPORT, behaviours=["wsasocket-ipx-absent"]),
        "type": Row(AF_INET, 0xDEAD, IPPROTO_TCP, WSAESOCKTNOSUPPORT, behaviours=["wsasocket-inet-0xdead-tcp"]),
        "protocol": Row(AF_INET, SOCK_STREAM, 0xDEAD, WSAEPROTONOSUPPORT, behaviours=["wsasocket-inet-stream-0xdead"]),
        "udp-stream": Row(
            AF_INET, SOCK_STREAM, IPPROTO_UDP, WSAEPROTONOSUPPORT, behaviours=["wsasocket-inet-stream-udp"]
        ),
        "tcp-datagram": Row(
            AF_INET, SOCK_DGRAM, IPPROTO_TCP, WSAEPROTONOSUPPORT, behaviours=["wsasocket-inet-dgram-tcp"]
        ),
    },
)
def what_is_not_supported(ws: Target, af: int, type: int, protocol: int, code: int) -> None:
    """Each of family, type and protocol has its own code for not being supported."""
    for call in (ws.socket, ws.WSASocket):
        with fails_with(code):
            call(af, type, protocol)


@case(
    "errors.intr.signals",
    chapter=CHAPTER,
    source="winsock/precedence-guidelines-2; a signal is no event of Windows Sockets",
    basis="choice",
    requirements=["R16.34", "A80"],
)
def signals_interrupt_nothing(ws: Target) -> None:
    """Signals that hit a thread waiting in recv do not end the call with WSAEINTR."""
    if os.name == "nt":
        not_applicable("this system has no signals")
    # A handler in C that does nothing: an ignored signal would not even wake the system call.
    libc = ctypes.CDLL(None)
    libc.signal.restype, libc.signal.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p)
    before = libc.signal(signal.SIGUSR1, ctypes.cast(libc.abs, ctypes.c_void_p))
    try:
        with ws.connected_pair() as (client, server), ws.thread() as other:
            waiting = other.call(threading.get_ident)
            pending = other.start(ws.recv, server, bytearray(1))
            for _ in range(10):
                expect_true("recv waits", not pending.finished_within(0.01))
                signal.pthread_kill(waiting, signal.SIGUSR1)
            ws.send(client, b"x")
            expect("received", expected=1, actual=pending.result())
    finally:
        libc.signal(signal.SIGUSR1, before)


@case(
    "errors.intr.closed-while-waiting",
    chapter=CHAPTER,
    source="winsock/nf-winsock-closesocket; " + public_test("sock.c:test_accept") + "; which code it is, neither says",
    basis="observed",
    requirements=["A44"],
    behaviours=["accept-close-wakes"],
)
def closing_ends_a_waiting_accept(ws: Target) -> None:
    """An accept that waits when another thread closes the socket fails."""
    with ws.listener() as s, ws.thread() as other:
        pending = other.start(ws.accept, s)
        expect_true("accept waits", not pending.finished_within(0.05))
        ws.closesocket(s)
        others = dict.fromkeys((WSAENOTSOCK, WSA_OPERATION_ABORTED), "the page names no code")
        with fails_with(WSAEINTR, variants=others):
            pending.result()
