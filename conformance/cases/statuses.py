"""Statuses: what WSAGetOverlappedResult makes of the NTSTATUS in a record."""

from __future__ import annotations

from ..constants import (
    ERROR_IO_INCOMPLETE,
    ERROR_OPERATION_ABORTED,
    ERROR_TIMEOUT,
    STATUS_ACCESS_DENIED,
    STATUS_ACCESS_VIOLATION,
    STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_BAD_NETWORK_PATH,
    STATUS_BUFFER_OVERFLOW,
    STATUS_BUFFER_TOO_SMALL,
    STATUS_CANCELLED,
    STATUS_COMMITMENT_LIMIT,
    STATUS_CONFLICTING_ADDRESSES,
    STATUS_CONNECTION_ABORTED,
    STATUS_CONNECTION_ACTIVE,
    STATUS_CONNECTION_DISCONNECTED,
    STATUS_CONNECTION_REFUSED,
    STATUS_CONNECTION_RESET,
    STATUS_DATATYPE_MISALIGNMENT_ERROR,
    STATUS_DEVICE_NOT_READY,
    STATUS_GRACEFUL_DISCONNECT,
    STATUS_HOST_DOWN,
    STATUS_HOST_UNREACHABLE,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_INVALID_ADDRESS,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_BUFFER_SIZE,
    STATUS_INVALID_CONNECTION,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_NETWORK_RESPONSE,
    STATUS_IO_TIMEOUT,
    STATUS_LINK_FAILED,
    STATUS_LINK_TIMEOUT,
    STATUS_LOCAL_DISCONNECT,
    STATUS_NETWORK_BUSY,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_NO_MEMORY,
    STATUS_NO_SUCH_DEVICE,
    STATUS_NO_SUCH_FILE,
    STATUS_NOT_IMPLEMENTED,
    STATUS_NOT_SUPPORTED,
    STATUS_OBJECT_NAME_NOT_FOUND,
    STATUS_OBJECT_PATH_NOT_FOUND,
    STATUS_OBJECT_TYPE_MISMATCH,
    STATUS_PAGEFILE_QUOTA,
    STATUS_PENDING,
    STATUS_PIPE_DISCONNECTED,
    STATUS_PORT_UNREACHABLE,
    STATUS_PROTOCOL_UNREACHABLE,
    STATUS_QUOTA_EXCEEDED,
    STATUS_REMOTE_DISCONNECT,
    STATUS_REMOTE_NOT_LISTENING,
    STATUS_REMOTE_RESOURCES,
    STATUS_REQUEST_ABORTED,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SHARING_VIOLATION,
    STATUS_SUCCESS,
    STATUS_TIMEOUT,
    STATUS_TOO_MANY_ADDRESSES,
    STATUS_TOO_MANY_PAGING_FILES,
    STATUS_TRANSACTION_ABORTED,
    STATUS_UNEXPECTED_NETWORK_ERROR,
    STATUS_WORKING_SET_QUOTA,
    WSAEACCES,
    WSAEADDRINUSE,
    WSAEADDRNOTAVAIL,
    WSAECONNABORTED,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEDISCON,
    WSAEFAULT,
    WSAEHOSTDOWN,
    WSAEHOSTUNREACH,
    WSAEINTR,
    WSAEINVAL,
    WSAEISCONN,
    WSAEMSGSIZE,
    WSAENETDOWN,
    WSAENETUNREACH,
    WSAENOBUFS,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from ..model import Row, case
from ..target import Target
from ..verify import expect, fails_with, variant

CHAPTER = "Errors"
TEST = "Wine's public test sock.c:test_WSAGetOverlappedResult, which passes on Windows"
NO_SOCKET = 0xDEADBEEF

#: Statuses by the code they become; the ending of an observation's id is its key.
CODES: dict[str, tuple[int, tuple[int, ...]]] = {
    "pending": (ERROR_IO_INCOMPLETE, (STATUS_PENDING,)),
    "buffer-overflow": (WSAEMSGSIZE, (STATUS_BUFFER_OVERFLOW,)),
    "not-implemented": (WSAEOPNOTSUPP, (STATUS_NOT_IMPLEMENTED,)),
    "access-violation": (WSAEFAULT, (STATUS_ACCESS_VIOLATION,)),
    "datatype-misalignment-error": (WSAEFAULT, (STATUS_DATATYPE_MISALIGNMENT_ERROR,)),
    "buffer-too-small": (WSAEFAULT, (STATUS_BUFFER_TOO_SMALL,)),
    "invalid-handle": (WSAENOTSOCK, (STATUS_INVALID_HANDLE,)),
    "object-type-mismatch": (WSAENOTSOCK, (STATUS_OBJECT_TYPE_MISMATCH,)),
    "access-denied": (WSAEACCES, (STATUS_ACCESS_DENIED,)),
    "sharing-violation": (WSAEADDRINUSE, (STATUS_SHARING_VIOLATION,)),
    "address-already-exists": (WSAEADDRINUSE, (STATUS_ADDRESS_ALREADY_EXISTS,)),
    "device-not-ready": (WSAEWOULDBLOCK, (STATUS_DEVICE_NOT_READY,)),
    "request-not-accepted": (WSAEWOULDBLOCK, (STATUS_REQUEST_NOT_ACCEPTED,)),
    "pipe-disconnected": (WSAESHUTDOWN, (STATUS_PIPE_DISCONNECTED,)),
    "io-timeout": (WSAETIMEDOUT, (STATUS_IO_TIMEOUT,)),
    "link-timeout": (WSAETIMEDOUT, (STATUS_LINK_TIMEOUT,)),
    "not-supported": (WSAEOPNOTSUPP, (STATUS_NOT_SUPPORTED,)),
    "remote-not-listening": (WSAECONNREFUSED, (STATUS_REMOTE_NOT_LISTENING,)),
    "connection-refused": (WSAECONNREFUSED, (STATUS_CONNECTION_REFUSED,)),
    "cancelled": (ERROR_OPERATION_ABORTED, (STATUS_CANCELLED,)),
    "local-disconnect": (WSAECONNABORTED, (STATUS_LOCAL_DISCONNECT,)),
    "transaction-aborted": (WSAECONNABORTED, (STATUS_TRANSACTION_ABORTED,)),
    "connection-aborted": (WSAECONNABORTED, (STATUS_CONNECTION_ABORTED,)),
    "remote-disconnect": (WSAECONNRESET, (STATUS_REMOTE_DISCONNECT,)),
    "link-failed": (WSAECONNRESET, (STATUS_LINK_FAILED,)),
    "connection-disconnected": (WSAECONNRESET, (STATUS_CONNECTION_DISCONNECTED,)),
    "connection-reset": (WSAECONNRESET, (STATUS_CONNECTION_RESET,)),
    "port-unreachable": (WSAECONNRESET, (STATUS_PORT_UNREACHABLE,)),
    "invalid-connection": (WSAENOTCONN, (STATUS_INVALID_CONNECTION,)),
    "invalid-address": (WSAEADDRNOTAVAIL, (STATUS_INVALID_ADDRESS,)),
    "invalid-address-component": (WSAEADDRNOTAVAIL, (STATUS_INVALID_ADDRESS_COMPONENT,)),
    "invalid-buffer-size": (WSAEMSGSIZE, (STATUS_INVALID_BUFFER_SIZE,)),
    "graceful-disconnect": (WSAEDISCON, (STATUS_GRACEFUL_DISCONNECT,)),
    "connection-active": (WSAEISCONN, (STATUS_CONNECTION_ACTIVE,)),
    "host-unreachable": (WSAEHOSTUNREACH, (STATUS_HOST_UNREACHABLE,)),
    "host-down": (WSAEHOSTDOWN, (STATUS_HOST_DOWN,)),
    "request-aborted": (WSAEINTR, (STATUS_REQUEST_ABORTED,)),
    "nobufs-group": (
        WSAENOBUFS,
        (
            STATUS_PAGEFILE_QUOTA,
            STATUS_QUOTA_EXCEEDED,
            STATUS_NO_MEMORY,
            STATUS_CONFLICTING_ADDRESSES,
            STATUS_TOO_MANY_PAGING_FILES,
            STATUS_INSUFFICIENT_RESOURCES,
            STATUS_WORKING_SET_QUOTA,
            STATUS_COMMITMENT_LIMIT,
            STATUS_REMOTE_RESOURCES,
            STATUS_TOO_MANY_ADDRESSES,
        ),
    ),
    "netdown-group": (
        WSAENETDOWN,
        (
            STATUS_NO_SUCH_DEVICE,
            STATUS_NO_SUCH_FILE,
            STATUS_OBJECT_NAME_NOT_FOUND,
            STATUS_OBJECT_PATH_NOT_FOUND,
            STATUS_NETWORK_BUSY,
            STATUS_INVALID_NETWORK_RESPONSE,
            STATUS_UNEXPECTED_NETWORK_ERROR,
        ),
    ),
    "netunreach-group": (
        WSAENETUNREACH,
        (STATUS_BAD_NETWORK_PATH, STATUS_NETWORK_UNREACHABLE, STATUS_PROTOCOL_UNREACHABLE),
    ),
}


def outcome(ws: Target, s: int, status: int, moved: int = 0) -> tuple[int, int]:
    """Return the result for a record that nobody has ever used, with this status in it."""
    record = ws.overlapped()
    record.Internal, record.InternalHigh = status, moved
    result: tuple[int, int] = ws.WSAGetOverlappedResult(s, record, False)
    return result


@case(
    "errors.status.{row}",
    chapter=CHAPTER,
    source=TEST,
    basis="observed",
    requirements=["R6.40"],
    rows={name: Row(statuses, code, behaviours=[f"wgor-{name}"]) for name, (code, statuses) in CODES.items()},
)
def status_becomes_a_winsock_code(ws: Target, statuses: tuple[int, ...], code: int) -> None:
    """The status in the record is what WSAGetOverlappedResult fails with, as a Winsock code."""
    with ws.closing(ws.tcp()) as s:
        for status in statuses:
            with fails_with(code):
                outcome(ws, s, status)


@case(
    "errors.status.unlisted-failure",
    chapter=CHAPTER,
    source=TEST,
    basis="observed",
    behaviours=["wgor-unlisted-failure"],
)
def other_failures_are_invalid(ws: Target) -> None:
    """A status of failure that has no Winsock code of its own is WSAEINVAL."""
    with ws.closing(ws.tcp()) as s:
        for status in (0xC0000001, 0xC00000BB + 0x1000, 0xC000FFFF, 0xE0001234):
            with fails_with(WSAEINVAL):
                outcome(ws, s, status)


@case(
    "errors.status.unlisted-success",
    chapter=CHAPTER,
    source=TEST,
    basis="observed",
    behaviours=["wgor-unlisted-success"],
)
def other_successes_are_successes(ws: Target) -> None:
    """A status without the topmost bit is a success; its Win32 code is the last error."""
    with ws.closing(ws.tcp()) as s:
        for status, code in ((STATUS_TIMEOUT, ERROR_TIMEOUT), (STATUS_SUCCESS, 0)):
            ws.WSASetLastError(0)
            expect("bytes and flags", expected=(7, 0), actual=outcome(ws, s, status, 7))
            earlier = {0: "Windows before 10 1809"}
            variant("last error", expected=code, allowed=earlier, actual=ws.WSAGetLastError())


@case(
    "errors.status.warnings",
    chapter=CHAPTER,
    source=TEST,
    basis="observed",
    behaviours=["wgor-warning-class"],
)
def warnings_are_failures(ws: Target) -> None:
    """A status of 0x8000.... is a failure: WSAEMSGSIZE for a buffer that overflows, WSAEINVAL for others."""
    with ws.closing(ws.tcp()) as s:
        with fails_with(WSAEMSGSIZE):
            outcome(ws, s, STATUS_BUFFER_OVERFLOW)
        for status in (0x80000001, 0x80004321):
            with fails_with(WSAEINVAL):
                outcome(ws, s, status)


@case(
    "errors.status.win32-facility-{row}",
    chapter=CHAPTER,
    source=TEST,
    basis="observed",
    behaviours=["wgor-facility-win32"],
    rows={
        "hresult": Row(0x80070000, {}),
        "dos": Row(0xC0010000, {}),
        "ntwin32": Row(0xC0070000, {WSAEINVAL: "Windows before 8"}),
    },
)
def win32_code_in_a_status_comes_through(ws: Target, facility: int, earlier: dict[int, str]) -> None:
    """A status that is a Win32 code with one of three prefixes becomes that code."""
    with ws.closing(ws.tcp()) as s, fails_with(ERROR_IO_INCOMPLETE, variants=earlier):
        outcome(ws, s, facility | ERROR_IO_INCOMPLETE)


@case(
    "errors.status.no-socket",
    chapter=CHAPTER,
    source=TEST,
    basis="observed",
    requirements=["B32"],
    behaviours=["wgor-bad-socket"],
)
def result_needs_a_socket(ws: Target) -> None:
    """Whatever the record says, a handle that is no socket is WSAENOTSOCK."""
    for status in (STATUS_PENDING, STATUS_SUCCESS, STATUS_CONNECTION_RESET):
        with fails_with(WSAENOTSOCK):
            outcome(ws, NO_SOCKET, status)
