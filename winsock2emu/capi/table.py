"""The export tables: a DLL's name and a function's name or ordinal lead to a real C function pointer.

Part played:     the export directories of ws2_32.dll, wsock32.dll, mswsock.dll, kernel32.dll, user32.dll,
                 ntdll.dll, and what GetProcAddress does with them.
Lives here:      C types to ctypes types, the thunk around each function, the failure values, the exports
                 nobody has written yet, the forwarders of wsock32.
Lives elsewhere: the functions (capi.exports), their prototypes (defs.exports), programs' view of a DLL
                 (capi.loader).
Thunks:          no exception crosses into C. A `WinsockError` becomes the thread's last error and the
                 documented failure value. Whatever else comes, from a KeyboardInterrupt to a bug, is parked
                 in `this_thread.pending_exception`; who made the call from Python takes it with
                 `take_pending_exception` and raises it. Where there is none, in a thread that C made,
                 `sys.excepthook` gets the exception at once.
Unwritten:       exports without behaviour exist and fail loudly: WSAEOPNOTSUPP (10045), in kernel32 and
                 user32 ERROR_CALL_NOT_IMPLEMENTED (120), in ntdll STATUS_NOT_IMPLEMENTED, and a trace
                 event.
Pointers' life:  a pointer is made when it is first asked for and stays valid, and the same, until the
                 process ends.
Speed:           CPython 3.11: htons through ctypes takes 0.5 us, 0.3 of them in ctypes; a recv that would
                 block 6.3 us, 4.7 of them in the API.
Sources:         export lists of the DLLs; "Winsock functions" and "Error codes" on Microsoft Learn.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import attrs

from .. import trace
from ..defs import exports as generated
from ..defs.codes import (
    ERROR_CALL_NOT_IMPLEMENTED,
    ERROR_MR_MID_NOT_FOUND,
    STATUS_NOT_IMPLEMENTED,
    STATUS_UNSUCCESSFUL,
    WSAEOPNOTSUPP,
    WSASYSCALLFAILURE,
)
from ..defs.exports import Export
from ..defs.kernelexports import MORE
from ..defs.native import NATIVE
from ..errors import WinsockError, get_last_error, set_last_error
from ..kernel.operations import status_of
from . import memory, structs
from .exports import (
    addresses,
    asyncnames,
    byteorder,
    connecting,
    events,
    extensions,
    kernel32,
    lasterror,
    lifecycle,
    messages,
    netevents,
    notifications,
    nt,
    options,
    overlapped,
    protocols,
    rio,
    startup,
    transfer,
    waiting,
    windows,
    winsock11,
)
from .exports import (
    names as name_service,
)
from .threads import made_by_c

EXPORTS: Final = {
    **generated.EXPORTS,
    "kernel32": generated.EXPORTS["kernel32"] | MORE,
    "ntdll": generated.EXPORTS["ntdll"] | NATIVE,
}
"""What each DLL exports, by name."""

# ---------------------------------------------------------------------------------------------- C types

_INT32: Final = ctypes.c_int32
_UINT32: Final = ctypes.c_uint32
_UINT64: Final = ctypes.c_uint64

# LLP64: long has 32 bits; enumerations are ints. in_addr travels by value in an integer register.
_SCALARS: Final[dict[str, type[Any]]] = {
    **dict.fromkeys(("int", "INT", "long", "LONG", "BOOL", "NTSTATUS", "socklen_t"), _INT32),
    **dict.fromkeys(("WSC_PROVIDER_INFO_TYPE", "WSAESETSERVICEOP"), _INT32),
    **dict.fromkeys(("COMPUTER_NAME_FORMAT", "OBJECT_INFORMATION_CLASS"), _INT32),
    **dict.fromkeys(("DWORD", "ULONG", "u_long", "unsigned long", "u_int", "UINT", "UINT32"), _UINT32),
    **dict.fromkeys(("GROUP", "ACCESS_MASK", "struct in_addr"), _UINT32),
    **dict.fromkeys(("WORD", "u_short", "ATOM"), ctypes.c_uint16),
    **dict.fromkeys(("UCHAR", "BOOLEAN"), ctypes.c_uint8),
    **dict.fromkeys(("SOCKET", "SIZE_T", "size_t", "ULONG_PTR", "DWORD_PTR", "UINT_PTR"), _UINT64),
    **dict.fromkeys(("WPARAM", "ULONGLONG", "RIO_BUFFERID", "RIO_CQ", "RIO_RQ"), _UINT64),
    **dict.fromkeys(("LONG_PTR", "LPARAM", "LRESULT", "LARGE_INTEGER"), ctypes.c_int64),
}
_POINTER_NAMES: Final = frozenset(
    (
        *("HANDLE", "HWND", "HMODULE", "HINSTANCE", "HMENU", "HGLOBAL", "HLOCAL"),
        # function pointers that are not called LP or P something
        *("FARPROC", "WAITORTIMERCALLBACK", "TIMERPROC"),
    )
)


def _is_pointer(ctype: str) -> bool:
    return ctype.endswith(("*", "[]")) or ctype.startswith(("LP", "P")) or ctype in _POINTER_NAMES


def ctypes_type(ctype: str | None) -> type[Any] | None:
    """The ctypes type of a C type as the headers spell it; pointers and handles are ``c_void_p``, void None.

    Raises:
        KeyError: no function of the tables uses that type.
    """
    if ctype is None:  # no prototype is known
        return _INT32
    ctype = ctype.removeprefix("const ")
    if ctype in ("void", "VOID"):
        return None
    if ctype in _SCALARS:
        return _SCALARS[ctype]
    if _is_pointer(ctype):
        return ctypes.c_void_p
    return structs.record(ctype)  # a record by value


# ---------------------------------------------------------------------------------------------- failing

# What the word in the table means as a number, in the width of the result.
_FAILURES: Final = {
    None: 0,
    "0": 0,
    "NULL": 0,
    "FALSE": 0,
    "0 when the socket is not in the set": 0,
    "FALSE when the handles differ": 0,
    "FILE_TYPE_UNKNOWN": 0,
    "WSA_INVALID_EVENT": 0,
    "RIO_INVALID_CQ": 0,
    "RIO_INVALID_RQ": 0,
    "RIO_INVALID_BUFFERID": 0xFFFFFFFF,
    "RIO_CORRUPT_CQ": 0xFFFFFFFF,
    "SOCKET_ERROR": -1,
    "INVALID_SOCKET": -1,
    "INVALID_HANDLE_VALUE": -1,
    "INADDR_NONE": -1,
    "WAIT_FAILED": -1,
    "WSA_WAIT_FAILED": -1,
    "0 for a bad string, -1 for an error": -1,
    "-1": -1,
}
_CODES: Final = frozenset(("nonzero Winsock error code", "nonzero Win32 error code", "an NTSTATUS that is an error"))

# Functions of which the pages give no failure value, or 0, and whose 0 a caller would take for success.
_OTHER_FAILURES: Final[dict[str, int]] = {
    "GetFileSize": -1,  # INVALID_FILE_SIZE
    "GetMessageA": -1,  # 0 would be WM_QUIT
    "GetMessageW": -1,
    "MsgWaitForMultipleObjects": -1,  # WAIT_FAILED; 0 would be the first object
    "MsgWaitForMultipleObjectsEx": -1,
    "ResumeThread": -1,
    "RtlNtStatusToDosError": ERROR_MR_MID_NOT_FOUND,  # "no such status"; 0 would be ERROR_SUCCESS
    "RtlNtStatusToDosErrorNoTeb": ERROR_MR_MID_NOT_FOUND,
    "SetFilePointer": -1,  # INVALID_SET_FILE_POINTER
    "TlsAlloc": -1,  # TLS_OUT_OF_INDEXES
}
_UNWRITTEN_RETURNS_ARGUMENT: Final = frozenset(("GlobalFree", "LocalFree"))  # NULL would be success

_UNWRITTEN_CODES: Final = {
    "ws2_32": int(WSAEOPNOTSUPP),
    "wsock32": int(WSAEOPNOTSUPP),
    "mswsock": int(WSAEOPNOTSUPP),
    "kernel32": int(ERROR_CALL_NOT_IMPLEMENTED),
    "user32": int(ERROR_CALL_NOT_IMPLEMENTED),
    "ntdll": int(STATUS_NOT_IMPLEMENTED),
}


class _PerThread(threading.local):
    pending_exception: BaseException | None = None


this_thread = _PerThread()
"""``pending_exception``: what a thunk of this thread could not hand to its C caller, else None."""


def take_pending_exception() -> BaseException | None:
    """Return and forget the exception that was parked in the calling thread."""
    pending = this_thread.pending_exception
    if pending is not None:
        this_thread.pending_exception = None
    return pending


def _fail(code: int) -> None:
    made_by_c()  # or the code would be gone when the caller asks for it
    set_last_error(code)


def _park(error: BaseException) -> None:
    """Keep an exception for the Python code behind the call; where there is none, report it now."""
    if sys._getframe(1).f_back is None:  # below the thunk there is only C
        sys.excepthook(type(error), error, error.__traceback__)
    else:
        this_thread.pending_exception = error


def reporting_thunk(call: Callable[..., Any], failure: int | None) -> Callable[..., Any]:
    """For functions that report through the last error."""

    def thunk(*args: Any) -> Any:
        try:
            return call(*args)
        except WinsockError as error:
            _fail(error.winerror)
        except BaseException as error:
            _park(error)
        return failure

    return thunk


def _code_thunk(call: Callable[..., Any]) -> Callable[..., Any]:
    """For functions whose result is 0 or the code."""

    def thunk(*args: Any) -> Any:
        try:
            return call(*args)
        except WinsockError as error:
            _fail(error.winerror)
            return error.winerror
        except BaseException as error:
            _park(error)
        return WSASYSCALLFAILURE

    return thunk


def _status_thunk(call: Callable[..., Any]) -> Callable[..., Any]:
    """For functions whose result is an NTSTATUS; they leave the last error alone."""

    def thunk(*args: Any) -> Any:
        before = get_last_error()
        try:
            return call(*args)
        except WinsockError as error:
            return status_of(error)
        except BaseException as error:
            _park(error)
        finally:
            set_last_error(before)  # the calls beneath are Win32's
        return STATUS_UNSUCCESSFUL

    return thunk


def _unwritten(dll: str, function: Export) -> Callable[..., Any]:
    """A function that fails, says so to the tracer, and does nothing else."""
    code = _UNWRITTEN_CODES[dll]
    result: int | None = code if function.failure in _CODES else _FAILURES[function.failure]
    result = _OTHER_FAILURES.get(function.name, result)
    if function.returns in ("void", "VOID"):
        result = None
    echo = function.name in _UNWRITTEN_RETURNS_ARGUMENT
    names = [param.name for param in function.params or ()]
    error_at = names.index("lpErrno") if function.error_channel == "lpErrno" and "lpErrno" in names else None

    def unwritten(*args: Any) -> Any:
        try:
            _fail(code)
            if error_at is not None and args[error_at] >= memory.LOWEST:
                memory.store_32(args[error_at], code)
            trace.emit_unwritten(dll, function.name)
        except BaseException as error:
            _park(error)
        return args[0] if echo else result

    return unwritten


# ---------------------------------------------------------------------------------------------- tables


@attrs.frozen(eq=False)
class ExportedFunction:
    """One exported function of one DLL, callable by C code at ``address``."""

    dll: str
    name: str
    ordinal: int | None
    address: int
    prototype: type[Any]  # CFUNCTYPE class with the C types; prototype(address) is a callable
    parameters: tuple[str, ...]
    returns: str | None  # the C type
    call: Callable[..., Any] = attrs.field(repr=False)  # the same for Python code: numbers in, a number out
    written: bool  # False: it fails with "not supported"
    _callback: Any = attrs.field(repr=False)  # owns the code at ``address``


_WRITTEN: Final[dict[str, tuple[ModuleType, ...]]] = {
    "ws2_32": (
        startup,
        lasterror,
        lifecycle,
        connecting,
        transfer,
        messages,
        options,
        waiting,
        byteorder,
        addresses,
        protocols,
        name_service,
        asyncnames,
        events,
        netevents,
        notifications,
        overlapped,
    ),
    "mswsock": (messages, extensions, rio),
    "wsock32": (winsock11,),
    "kernel32": (*kernel32.MODULES, overlapped),
    "user32": (windows,),
    "ntdll": (nt,),
}

# The DLL of version 1.1: the same functions under other ordinals, but for two that translate option numbers.
# A line a run of ordinals: the first one, then the names.
_WSOCK32 = """
1 accept bind closesocket connect getpeername getsockname getsockopt htonl htons inet_addr inet_ntoa
12 ioctlsocket listen ntohl ntohs recv recvfrom select send sendto setsockopt shutdown socket
51 gethostbyaddr gethostbyname getprotobyname getprotobynumber getservbyname getservbyport gethostname
101 WSAAsyncSelect WSAAsyncGetHostByAddr WSAAsyncGetHostByName WSAAsyncGetProtoByNumber
105 WSAAsyncGetProtoByName WSAAsyncGetServByPort WSAAsyncGetServByName WSACancelAsyncRequest
109 WSASetBlockingHook WSAUnhookBlockingHook WSAGetLastError WSASetLastError WSACancelBlockingCall
114 WSAIsBlocking WSAStartup WSACleanup
151 __WSAFDIsSet
1000 WSApSetPostRoutine
1100 inet_network getnetbyname rcmd rexec rresvport sethostname dn_expand WSARecvEx s_perror
1109 GetAddressByNameA GetAddressByNameW EnumProtocolsA EnumProtocolsW GetTypeByNameA GetTypeByNameW
1115 GetNameByTypeA GetNameByTypeW SetServiceA SetServiceW GetServiceA GetServiceW
1130 NPLoadNameSpaces
1140 TransmitFile AcceptEx GetAcceptExSockaddrs
"""


def _decode_ordinals(table: str) -> dict[int, str]:
    ordinals: dict[int, str] = {}
    for line in table.strip().split("\n"):
        first, *functions = line.split()
        ordinals.update(enumerate(functions, int(first)))
    return ordinals


_DLLS: Final = (*EXPORTS, "wsock32")

_functions: dict[tuple[str, str], ExportedFunction] = {}
_making = threading.RLock()  # a forwarder makes what it forwards to


def _by_ordinal(dll: str) -> dict[int, str]:
    if dll == "wsock32":
        return _decode_ordinals(_WSOCK32)
    return {one.ordinal: name for name, one in EXPORTS[dll].items() if one.ordinal is not None}


_ORDINALS: Final = {dll: _by_ordinal(dll) for dll in _DLLS}
_NUMBERS: Final = {dll: {name: number for number, name in table.items()} for dll, table in _ORDINALS.items()}


def dlls() -> tuple[str, ...]:
    """The DLLs there are: lower case, without ``.dll``."""
    return _DLLS


def names(dll: str) -> tuple[str, ...]:
    """Every name a DLL exports; none for a DLL that is not here."""
    dll = _plain(dll)
    return tuple(_NUMBERS["wsock32"]) if dll == "wsock32" else tuple(EXPORTS.get(dll, ()))


def export(dll: str, name_or_ordinal: str | int) -> ExportedFunction | None:
    """The function a DLL exports under a name (case matters) or an ordinal; None when there is none.

    The answer for one function is one object with one address, for ever and for all threads.
    """
    found = _functions.get((dll, name_or_ordinal))  # type: ignore[arg-type]  # an int is in no key
    if found is not None:
        return found
    dll = _plain(dll)
    if dll not in _ORDINALS:
        return None
    name = _ORDINALS[dll].get(name_or_ordinal) if isinstance(name_or_ordinal, int) else name_or_ordinal
    if name is None:
        return None
    with _making:
        found = _functions.get((dll, name))
        if found is None:
            found = _make(dll, name)
            if found is not None:
                _functions[dll, name] = found
    return found


def extension(function: Export) -> ExportedFunction:
    """The C face of an extension function: the export of its name, or one that only a pointer leads to."""
    found = export("mswsock", function.name) or export("ws2_32", function.name)
    key = ("extension", function.name)
    with _making:
        if found is None:
            found = _functions.get(key)
        if found is None:
            found = _functions[key] = _bind("mswsock", function, _implementation("mswsock", function.name))
    return found


def _plain(dll: str) -> str:
    return dll.lower().removesuffix(".dll")


def _implementation(dll: str, name: str) -> Callable[..., Any] | None:
    for module in _WRITTEN.get(dll, ()):
        if name in module.__all__:
            call: Callable[..., Any] = getattr(module, name)
            return call
    return None


def _make(dll: str, name: str) -> ExportedFunction | None:
    if dll == "wsock32":
        return _make_winsock11(name)
    function = EXPORTS[dll].get(name)
    return None if function is None else _bind(dll, function, _implementation(dll, name))


def _make_winsock11(name: str) -> ExportedFunction | None:
    number = _NUMBERS["wsock32"].get(name)
    if number is None:
        return None
    own = _implementation("wsock32", name)
    if own is not None:
        return attrs.evolve(_bind("wsock32", EXPORTS["ws2_32"][name], own), ordinal=number)
    target = export("ws2_32", name) or export("mswsock", name)
    assert target is not None, name
    return attrs.evolve(target, dll="wsock32", ordinal=number)


def _bind(dll: str, function: Export, call: Callable[..., Any] | None) -> ExportedFunction:
    result: Any = ctypes_type(function.returns)
    arguments: list[Any] = [ctypes_type(param.ctype) for param in function.params or ()]
    if call is None:
        thunk = _unwritten(dll, function)
    elif function.returns == "NTSTATUS":
        thunk = _status_thunk(call)
    elif function.failure in _CODES:
        thunk = _code_thunk(call)
    else:
        failure = _OTHER_FAILURES.get(function.name, _FAILURES[function.failure])
        thunk = reporting_thunk(call, None if result is None else failure)
    # Inside, pointers are plain numbers: a c_void_p would arrive as None when it is NULL.
    inside = [_UINT64 if kind is ctypes.c_void_p else kind for kind in (result, *arguments)]
    callback = ctypes.CFUNCTYPE(*inside)(thunk)
    address = ctypes.cast(callback, ctypes.c_void_p).value
    assert address is not None
    return ExportedFunction(
        dll=dll,
        name=function.name,
        ordinal=function.ordinal,
        address=address,
        prototype=ctypes.CFUNCTYPE(result, *arguments),
        parameters=tuple(param.name for param in function.params or ()),
        returns=function.returns,
        call=thunk,
        written=call is not None,
        callback=callback,
    )
