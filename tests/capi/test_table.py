"""Every export has a C function pointer, its C types, and a way to fail that programs understand."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.capi.cabi import noted
from tests.reference import reference
from winsock2emu import errors, trace, ws2_32
from winsock2emu.capi import table
from winsock2emu.capi.table import ExportedFunction
from winsock2emu.defs import kernelexports, native
from winsock2emu.errors import WinsockError

REFERENCE: dict[str, Any] = json.loads(reference("exports.json").read_text(encoding="utf-8"))
DLLS = ("ws2_32", "mswsock", "kernel32", "user32", "ntdll")
MORE = {"kernel32": set(kernelexports.MORE), "ntdll": set(native.NATIVE)}  # what the reference does not list
ALL = [(dll, name) for dll in DLLS for name in REFERENCE[dll]]

SOCKET_ERROR = -1
INVALID_SOCKET = 0xFFFFFFFFFFFFFFFF
WSAEOPNOTSUPP = 10045
WSAENOTSOCK = 10038
ERROR_CALL_NOT_IMPLEMENTED = 120
STATUS_NOT_IMPLEMENTED = 0xC0000002

# What one word of the reference means as a result of the C type, unsigned where C is.
FAILURES: dict[str, set[Any]] = {
    "SOCKET_ERROR": {-1},
    "INVALID_SOCKET": {INVALID_SOCKET},
    "INVALID_HANDLE_VALUE": {INVALID_SOCKET},
    "NULL": {None, 0},
    "FALSE": {0},
    "0": {0, None},
    "WAIT_FAILED": {0xFFFFFFFF},
    "WSA_WAIT_FAILED": {0xFFFFFFFF},
    "INADDR_NONE": {0xFFFFFFFF},
    "WSA_INVALID_EVENT": {None, 0},
    "FILE_TYPE_UNKNOWN": {0},
    "0 for a bad string, -1 for an error": {-1},
    "0 when the socket is not in the set": {0},
    "FALSE when the handles differ": {0},
    "nonzero Winsock error code": {WSAEOPNOTSUPP},
    "an NTSTATUS that is an error": {STATUS_NOT_IMPLEMENTED - (1 << 32)},
}


def find(dll: str, name: str | int) -> ExportedFunction:
    found = table.export(dll, name)
    assert found is not None, (dll, name)
    return found


def call(dll: str, name: str, *args: Any) -> Any:
    """Through the pointer, as a C program would: a wrong prototype shows."""
    function = find(dll, name)
    return function.prototype(function.address)(*args)


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Callable[..., Any]], None]]:
    """Puts a function in the place of one of the API's, as a tracer does; forgets what it left in the thread."""

    def replace(name: str, stand_in: Callable[..., Any]) -> None:
        monkeypatch.setattr(ws2_32, name, stand_in)

    yield replace
    table.take_pending_exception()


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*args: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("dll", DLLS)
def test_every_export_is_there(dll: str) -> None:
    assert set(table.names(dll)) == set(REFERENCE[dll]) | MORE.get(dll, set())
    assert all(find(dll, name).address for name in REFERENCE[dll])


def test_ordinals_lead_to_the_same_function() -> None:
    for dll in DLLS:
        for name, row in REFERENCE[dll].items():
            assert find(dll, name).ordinal == row.get("ordinal")
            if row.get("ordinal") is not None:
                assert find(dll, row["ordinal"]) is find(dll, name)


def test_addresses_differ() -> None:
    addresses = [find(dll, name).address for dll, name in ALL]

    assert len(set(addresses)) == len(ALL) > 400


@pytest.mark.parametrize("name", ["NoSuchFunction", "WSARECV", "", 0, 9999])
def test_what_is_not_exported_is_not_found(name: str | int) -> None:
    """Names are case-sensitive, as GetProcAddress is."""
    assert table.export("ws2_32", name) is None


def test_unknown_dlls_export_nothing() -> None:
    assert table.export("advapi32", "RegCloseKey") is None
    assert table.names("advapi32") == ()


@pytest.mark.parametrize("spelling", ["ws2_32", "WS2_32.dll", "Ws2_32.DLL"])
def test_dll_names_ignore_case_and_extension(spelling: str) -> None:
    assert find(spelling, "recv") is find("ws2_32", "recv")
    assert table.names(spelling) == table.names("ws2_32")


# ------------------------------------------------------------------------------------------------- types

# LLP64, from the definitions in basetsd.h, winnt.h and winsock2.h.
SIZES = {
    1: {"UCHAR", "BOOLEAN"},
    2: {"WORD", "u_short", "ATOM"},
    4: {
        *("int", "INT", "long", "LONG", "BOOL", "NTSTATUS", "socklen_t", "DWORD", "ULONG", "u_long"),
        *("unsigned long", "u_int", "UINT", "UINT32", "GROUP", "ACCESS_MASK", "struct in_addr"),
        *("WSC_PROVIDER_INFO_TYPE", "WSAESETSERVICEOP", "COMPUTER_NAME_FORMAT", "OBJECT_INFORMATION_CLASS"),
    },
    8: {
        *("SOCKET", "SIZE_T", "size_t", "ULONG_PTR", "DWORD_PTR", "UINT_PTR", "WPARAM", "ULONGLONG"),
        *("LONG_PTR", "LPARAM", "LRESULT", "LARGE_INTEGER"),
    },
    120: {"WSPUPCALLTABLE"},  # the one record passed by value that is no number
}
SIZE_OF = {ctype: size for size, ctypes_ in SIZES.items() for ctype in ctypes_}
SIGNED = {"int", "INT", "long", "LONG", "BOOL", "NTSTATUS", "LONG_PTR", "LPARAM", "LRESULT"}


@pytest.mark.parametrize(("dll", "name"), ALL)
def test_types_have_the_sizes_of_64_bit_windows(dll: str, name: str) -> None:
    row = REFERENCE[dll][name]
    prototype = find(dll, name).prototype
    declared = [param[1] for param in row["params"] or ()]

    assert len(prototype._argtypes_) == len(declared)
    for ctype, kind in zip(declared, prototype._argtypes_, strict=True):
        assert ctypes.sizeof(kind) == SIZE_OF.get(ctype, 8), ctype
        assert (kind is ctypes.c_void_p) == (ctype not in SIZE_OF), ctype
    returns = row["returns"]
    if returns in {"void", "VOID"}:
        assert prototype._restype_ is None
    else:
        assert ctypes.sizeof(prototype._restype_) == SIZE_OF.get(returns or "int", 8)


def test_signed_results_stay_signed() -> None:
    results = {
        row["returns"]: find(dll, name).prototype._restype_
        for dll in DLLS
        for name, row in REFERENCE[dll].items()
        if row["returns"] in SIZE_OF
    }
    negative = {ctype for ctype, kind in results.items() if kind(-1).value == -1}

    assert negative == set(results) & SIGNED


def test_an_unknown_type_is_an_error() -> None:
    """A new row with a type nobody thought of must not become an int by accident."""
    with pytest.raises(KeyError):
        table.ctypes_type("struct surprise")


# ---------------------------------------------------------------------------------------------- unwritten

UNWRITTEN = [(dll, name) for dll, name in ALL if not find(dll, name).written]
CODES = {
    "ws2_32": WSAEOPNOTSUPP,
    "mswsock": WSAEOPNOTSUPP,
    "kernel32": ERROR_CALL_NOT_IMPLEMENTED,
    "user32": ERROR_CALL_NOT_IMPLEMENTED,
    "ntdll": STATUS_NOT_IMPLEMENTED,
}
# Their documented failure value is not in the reference, and 0 would read as success.
OWN_RESULTS = {
    **dict.fromkeys(("GetMessageA", "GetMessageW"), -1),
    **dict.fromkeys(("MsgWaitForMultipleObjects", "MsgWaitForMultipleObjectsEx"), 0xFFFFFFFF),
    **dict.fromkeys(("GetFileSize", "SetFilePointer", "ResumeThread", "TlsAlloc"), 0xFFFFFFFF),
    **dict.fromkeys(("RtlNtStatusToDosError", "RtlNtStatusToDosErrorNoTeb"), 317),
}


def nothing(kind: Any) -> Any:
    return kind() if issubclass(kind, ctypes.Structure) else 0


@pytest.mark.parametrize(("dll", "name"), UNWRITTEN)
def test_an_unwritten_export_fails_as_its_page_says(dll: str, name: str) -> None:
    function = find(dll, name)
    row = REFERENCE[dll][name]
    errors.set_last_error(0)

    result = call(dll, name, *map(nothing, function.prototype._argtypes_))

    assert errors.get_last_error() == CODES[dll]
    if name in OWN_RESULTS:
        assert result == OWN_RESULTS[name]
    elif row["failure"] == "nonzero Win32 error code":
        assert result == CODES[dll]
    elif row["failure"] is not None:
        assert result in FAILURES[row["failure"]]
    else:
        assert result in {0, None}
    assert table.take_pending_exception() is None


def test_an_unwritten_export_tells_the_tracer() -> None:
    told: list[trace.TraceEvent] = []
    trace.start(told.append)
    try:
        call("ws2_32", "WSCUnInstallNameSpace", None)
    finally:
        trace.stop()

    assert [(event.layer, event.call, event.error) for event in told] == [
        ("unwritten", "ws2_32.WSCUnInstallNameSpace", WSAEOPNOTSUPP)
    ]


def test_an_unwritten_catalog_function_stores_the_code_where_its_page_says() -> None:
    """The WSC functions report through lpErrno."""
    code = ctypes.c_int32(0)

    assert call("ws2_32", "WSCDeinstallProvider32", None, ctypes.byref(code)) == SOCKET_ERROR
    assert code.value == WSAEOPNOTSUPP


@pytest.mark.parametrize("name", ["GlobalFree", "LocalFree"])
def test_freeing_that_is_unwritten_returns_the_block(name: str) -> None:
    """NULL would mean that the block is freed."""
    assert call("kernel32", name, 0x123456789) == 0x123456789


# ------------------------------------------------------------------------------------------------- thunks


def test_a_result_reaches_c(replaced: Callable[..., None]) -> None:
    replaced("socket", lambda af, type, protocol: af + 10 * type + 100 * protocol)

    assert call("ws2_32", "socket", 2, 1, 6) == 612


def test_arguments_reach_python_as_numbers(replaced: Callable[..., None]) -> None:
    """SOCKETs unsigned with 64 bits, ints signed with 32."""
    seen: list[Any] = []
    replaced("listen", lambda *args: seen.append(args))

    assert call("ws2_32", "listen", INVALID_SOCKET, -5) == 0
    assert seen == [(INVALID_SOCKET, -5)]


def test_a_failure_becomes_the_documented_value_and_the_last_error(replaced: Callable[..., None]) -> None:
    replaced("socket", raising(WinsockError(10047)))
    replaced("listen", raising(WinsockError(WSAENOTSOCK)))

    assert call("ws2_32", "socket", 99, 0, 0) == INVALID_SOCKET
    assert errors.get_last_error() == 10047
    assert call("ws2_32", "listen", 0, 0) == SOCKET_ERROR
    assert errors.get_last_error() == WSAENOTSOCK
    assert table.take_pending_exception() is None


def test_a_function_that_returns_its_code_returns_it(replaced: Callable[..., None]) -> None:
    replaced("getaddrinfo", raising(WinsockError(11001)))
    result = ctypes.c_void_p()

    assert call("ws2_32", "getaddrinfo", b"nowhere", None, None, ctypes.byref(result)) == 11001
    assert errors.get_last_error() == 11001


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), ZeroDivisionError("a bug")])
def test_other_exceptions_are_parked_in_their_thread(replaced: Callable[..., None], error: BaseException) -> None:
    replaced("listen", raising(error))

    assert call("ws2_32", "listen", 0, 0) == SOCKET_ERROR

    elsewhere: list[BaseException | None] = []
    thread = threading.Thread(target=lambda: elsewhere.append(table.take_pending_exception()))
    thread.start()
    thread.join(10)
    assert elsewhere == [None]
    assert table.this_thread.pending_exception is error
    assert table.take_pending_exception() is error
    assert table.take_pending_exception() is None


def test_a_tracer_that_fails_is_parked_too() -> None:
    trace.start(raising(RuntimeError("hook")))
    try:
        assert call("ws2_32", "WSCUnInstallNameSpace", None) == SOCKET_ERROR
    finally:
        trace.stop()

    assert isinstance(table.take_pending_exception(), RuntimeError)


def test_small_results_are_not_widened_with_garbage() -> None:
    """ctypes' default result is an int, htons' has 16 bits."""
    function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(find("ws2_32", "htons").address)

    assert function(0xFF) == 0xFF00
    assert function(0x1234_00FF) == 0xFF00


def test_python_ints_pass_without_a_prototype() -> None:
    """An int argument travels as 32 bits: -1 must still arrive as INVALID_SOCKET."""
    untyped = ctypes.CFUNCTYPE(ctypes.c_int)(find("ws2_32", "closesocket").address)

    assert untyped(-1) == SOCKET_ERROR
    assert errors.get_last_error() in {WSAENOTSOCK, 10093}


def test_threads_that_ask_at_once_get_one_pointer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_functions", {})
    gate = threading.Barrier(8)
    found: list[ExportedFunction] = []

    def ask() -> None:
        gate.wait(10)
        found.append(find("wsock32", "recv"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_pointers_are_made_on_demand() -> None:
    """Importing the tables makes no function: 500 callbacks would cost every start 20 ms."""
    script = "from winsock2emu.capi import table; print(len(table._functions))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "0"


# ---------------------------------------------------------------------------------------------- version 1.1


@pytest.mark.parametrize(
    ("ordinal", "name"),
    [
        *((1, "accept"), (7, "getsockopt"), (10, "inet_addr"), (12, "ioctlsocket"), (21, "setsockopt")),
        *((23, "socket"), (52, "gethostbyname"), (101, "WSAAsyncSelect"), (109, "WSASetBlockingHook")),
        *((116, "WSACleanup"), (151, "__WSAFDIsSet"), (1107, "WSARecvEx"), (1113, "GetTypeByNameA")),
        *((1120, "GetServiceW"), (1130, "NPLoadNameSpaces"), (1142, "GetAcceptExSockaddrs")),
    ],
)
def test_winsock_1_1_has_its_own_ordinals(ordinal: int, name: str) -> None:
    """ws2_32 counts differently: its 10 is ioctlsocket."""
    assert find("wsock32", ordinal).name == name
    assert find("wsock32", name).ordinal == ordinal


def test_winsock_1_1_forwards_to_the_other_dlls() -> None:
    assert len(table.names("wsock32")) == 73
    for name in table.names("wsock32"):
        function = find("wsock32", name)
        target = table.export("ws2_32", name) or table.export("mswsock", name)
        assert target is not None
        assert function.dll == "wsock32"
        assert (function.address == target.address) == (name not in {"getsockopt", "setsockopt"})


OLD_NUMBERS = {
    name: number
    for name, number in json.loads(reference("constants.json").read_text(encoding="utf-8"))[
        "differs_in_winsock_1_1"
    ].items()
    if name.startswith("IP_")
}


def new_number(name: str) -> int:
    groups = json.loads(reference("constants.json").read_text(encoding="utf-8"))["groups"]
    return next(int(group[name]) for group in groups.values() if name in group)


@pytest.mark.parametrize("name", OLD_NUMBERS)
@pytest.mark.parametrize("level", [0, 6])
def test_winsock_1_1_translates_option_numbers(replaced: Callable[..., None], name: str, level: int) -> None:
    """Eight options of IPPROTO_IP have other numbers; the same number at another level means something else."""
    old, new = OLD_NUMBERS[name], new_number(name)
    expected = new if level == 0 else old
    seen: list[tuple[Any, ...]] = []
    replaced("setsockopt", lambda *args: seen.append(args))
    replaced("getsockopt", lambda *args: noted(seen, args, b"\1\0\0\0"))
    value, length = ctypes.c_uint32(7), ctypes.c_int32(4)

    assert call("wsock32", "setsockopt", 5, level, old, ctypes.byref(value), 4) == 0
    assert call("wsock32", "getsockopt", 5, level, old, ctypes.byref(value), ctypes.byref(length)) == 0

    assert seen == [(5, level, expected, b"\7\0\0\0"), (5, level, expected, 4)]
    assert value.value == 1


def test_the_two_header_versions_differ_in_eight_options() -> None:
    assert len(OLD_NUMBERS) == 8
    assert all(new_number(name) != number for name, number in OLD_NUMBERS.items())


def test_version_2_passes_option_numbers_on(replaced: Callable[..., None]) -> None:
    seen: list[tuple[Any, ...]] = []
    replaced("setsockopt", lambda *args: seen.append(args))
    value = ctypes.c_uint32(7)

    assert call("ws2_32", "setsockopt", 5, 0, 7, ctypes.byref(value), 4) == 0

    assert seen == [(5, 0, 7, b"\7\0\0\0")]
