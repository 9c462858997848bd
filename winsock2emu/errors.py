"""Winsock's one error channel: a code, an exception that carries it, and the last error of a thread.

Part played:     what SetLastError and the error tables of the system are to a Windows program.
Lives here:      `WinsockError`, the last-error cell of each thread, and `exported`, the rule that connects the two.
Lives elsewhere: the numbers and texts (defs/codes), host errno to Winsock code (providers/host/translate).
Sources:         WSAGetLastError, Windows Sockets Error Codes; CPython's rule for OSError on Windows.
Differences:     a successful call leaves the last error alone. Windows stores 0 from some calls, and neither
                 behaviour is documented, so programs cannot depend on it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from functools import cache, partial, wraps
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from .defs.codes import MESSAGES, WSAEWOULDBLOCK, WSASYSCALLFAILURE, WSAError
from .defs.winbase import MESSAGES as FILE_MESSAGES
from .defs.windows import MESSAGES as WINDOW_MESSAGES

if TYPE_CHECKING:
    from typing import Self

    from .defs.records import ReceivedMessage

P = ParamSpec("P")
R = TypeVar("R")

# CPython on Windows keeps a Winsock code as errno, except for these, which C knows under a POSIX number.
_POSIX_TWINS = frozenset((10004, 10009, 10013, 10014, 10022, 10024))

# System codes that Winsock calls can surface, as CPython's winerror table translates them; all others become EINVAL.
_SYSTEM_ERRNO = {2: 2, 3: 2, 4: 24, 5: 13, 6: 9, 8: 12, 32: 13, 80: 17, 109: 32, 112: 28, 183: 17, 232: 32, 1816: 12}
_EINVAL = 22


def errno_of(code: int) -> int:
    """The errno that CPython on Windows pairs with a Winsock or system code."""
    if 10000 <= code < 12000:
        return code - 10000 if code in _POSIX_TWINS else code
    return _SYSTEM_ERRNO.get(code, _EINVAL)


_TEXTS = {**FILE_MESSAGES, **WINDOW_MESSAGES, **MESSAGES}
_FACILITY_WIN32 = 0x80070000


def system_text(code: int) -> str | None:
    """The system's text for a code, or an HRESULT that wraps one, without the line end; None when there is none."""
    code &= 0xFFFFFFFF
    return _TEXTS.get(code & 0xFFFF if code & 0xFFFF0000 == _FACILITY_WIN32 else code)


def message_of(code: int) -> str:
    """The system's text for a code, or one that says which it is."""
    return system_text(code) or f"Unknown error {code} (0x{code & 0xFFFFFFFF:X})"


def strerror_of(code: int) -> str:
    """The system's text as CPython on Windows puts it into exceptions: without the final full stop."""
    return message_of(code).rstrip(" .")


class WinsockError(OSError):
    """A failed Winsock call: always a code, and always the OSError subclass that CPython on Windows would raise.

    Attributes:
        winerror: the Winsock or system code, such as 10054.
        errno: the code by CPython's rule (10054 stays 10054, 10022 becomes EINVAL).
        strerror: the system's text.
        args: errno, strerror, None, winerror and None, as the interpreter on Windows leaves them.
        moved: bytes transferred although the call failed (WSAEMSGSIZE), else None.
        address: the sender that goes with ``moved``, or what a failed conversion leaves in the buffer, else None.
        needed: bytes or characters that the caller must offer (size queries), else None.
        packet: bytes, key and overlapped record of a failed request that a completion port has told, else None.
        status: the NTSTATUS that it stands for where the code alone does not tell (0), as for overlapped requests.
        received: what there is of a message that was cut (WSAEMSGSIZE from WSARecvMsg), else None.

    Source: https://learn.microsoft.com/windows/win32/winsock/windows-sockets-error-codes-2
    """

    winerror: int
    moved: int | None = None
    address: bytes | None = None
    needed: int | None = None
    received: ReceivedMessage | None = None
    packet: tuple[int, int, Any] | None = None
    status: int = 0

    def __new__(
        cls, code: int, *, moved: int | None = None, address: bytes | None = None, needed: int | None = None
    ) -> Self:
        arguments = _ARGUMENTS.get((cls, code)) or cls._arguments(code)
        self: Self = OSError.__new__(*arguments)
        self.winerror = code
        if moved is not None:
            self.moved = moved
        if address is not None:
            self.address = address
        if needed is not None:
            self.needed = needed
        return self

    @classmethod
    def _arguments(cls, code: int) -> tuple[Any, int, str, None, int, None]:
        """The class and `args` that go with a code; remembered, as programs that poll get the same ones often."""
        errno = errno_of(code)
        kind = _KINDS.get(errno, WinsockOSError)
        arguments = (kind if issubclass(kind, cls) else cls, errno, strerror_of(code), None, code, None)
        if code in MESSAGES:
            _ARGUMENTS[cls, code] = arguments
        return arguments

    @property
    def code(self) -> WSAError | int:
        """The code as a member of `WSAError` where the table has it."""
        try:
            return WSAError(self.winerror)
        except ValueError:
            return self.winerror

    def __str__(self) -> str:
        text = f"[WinError {self.winerror}] {self.strerror}"
        if self.filename is None:
            return text
        return f"{text}: {self.filename!r}" + (f" -> {self.filename2!r}" if self.filename2 is not None else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return WinsockError, (self.winerror,), self.__dict__


class WinsockBlockingIOError(WinsockError, BlockingIOError):
    """WSAEWOULDBLOCK, WSAEALREADY, WSAEINPROGRESS."""

    winerror = WSAEWOULDBLOCK  # of an instance that `would_block` makes


class WinsockBrokenPipeError(WinsockError, BrokenPipeError):
    """WSAESHUTDOWN and the pipe codes."""


class WinsockConnectionAbortedError(WinsockError, ConnectionAbortedError):
    """WSAECONNABORTED."""


class WinsockConnectionRefusedError(WinsockError, ConnectionRefusedError):
    """WSAECONNREFUSED."""


class WinsockConnectionResetError(WinsockError, ConnectionResetError):
    """WSAECONNRESET."""


class WinsockInterruptedError(WinsockError, InterruptedError):
    """WSAEINTR."""


class WinsockPermissionError(WinsockError, PermissionError):
    """WSAEACCES."""


class WinsockTimeoutError(WinsockError, TimeoutError):
    """WSAETIMEDOUT."""


class WinsockFileExistsError(WinsockError, FileExistsError):
    """ERROR_ALREADY_EXISTS."""


class WinsockFileNotFoundError(WinsockError, FileNotFoundError):
    """ERROR_FILE_NOT_FOUND and ERROR_PATH_NOT_FOUND."""


class WinsockOSError(WinsockError):
    """Every other code."""


# A program sees the names that it sees on Windows, in tracebacks above all: "ConnectionResetError: [WinError 10054] …".
for _kind in WinsockError.__subclasses__():
    _kind.__name__ = _kind.__qualname__ = _kind.__name__.removeprefix("Winsock")
    _kind.__module__ = "builtins"


# By errno, as CPython's own table is.
_KINDS: dict[int, type[WinsockError]] = {
    10035: WinsockBlockingIOError,
    10036: WinsockBlockingIOError,
    10037: WinsockBlockingIOError,
    10058: WinsockBrokenPipeError,
    32: WinsockBrokenPipeError,
    10053: WinsockConnectionAbortedError,
    10061: WinsockConnectionRefusedError,
    10054: WinsockConnectionResetError,
    4: WinsockInterruptedError,
    13: WinsockPermissionError,
    10060: WinsockTimeoutError,
    2: WinsockFileNotFoundError,
    17: WinsockFileExistsError,
}

# What `WinsockError` has been made of so far: class asked for and code to class and `args`.
_ARGUMENTS: dict[tuple[type[WinsockError], int], tuple[Any, int, str, None, int, None]] = {}

# A program that polls gets thousands of these a second, so they are made without any Python code.
would_block: Callable[[], WinsockError] = partial(
    OSError.__new__,
    *(WinsockBlockingIOError, errno_of(WSAEWOULDBLOCK), strerror_of(WSAEWOULDBLOCK), None, int(WSAEWOULDBLOCK), None),
)
"""A new ``WinsockError(WSAEWOULDBLOCK)``, made in a quarter of the time."""


class _ThreadCell(threading.local):
    last_error: int = 0


_this_thread = _ThreadCell()


def get_last_error() -> int:
    """The calling thread's last error; WSAGetLastError and GetLastError read this one cell."""
    return _this_thread.last_error


def set_last_error(code: int) -> None:
    """Store the calling thread's last error (32 bits, unsigned)."""
    _this_thread.last_error = code & 0xFFFFFFFF


# Every function that `exported` marked, by module and name: what tracing replaces.
EXPORTED: dict[tuple[str, str], Callable[..., Any]] = {}


def exported(call: Callable[P, R]) -> Callable[P, R]:
    """Make ``call`` a DLL export: a failure becomes the calling thread's last error.

    A provider that fails without saying why is WSASYSCALLFAILURE to the program, as in the DLL. In Python that is a
    code of 0, and every other exception that is no `WinsockError`, an untranslated `OSError` above all; it stays
    behind the new one as its cause. Three kinds pass unchanged, since no provider means them as a failure of the call:

    - `TypeError`, which tells the program that it passed a value of the wrong type (it cannot be told from a mistake
      inside the provider, where the traceback helps as well), and `MemoryError`;
    - `KeyboardInterrupt` and its like, which are no `Exception`;
    - what the program's own code raised while it ran inside the call: a signal handler, which Python runs wherever the
      main thread happens to wait, a function that the program passed to this very call, or one that `of_program` tells.
    """
    parameters = call.__code__.co_varnames[: call.__code__.co_argcount]
    if call.__code__.co_kwonlyargcount or call.__code__.co_flags & (CO_VARARGS | CO_VARKEYWORDS):
        raise TypeError(f"{call.__qualname__}: an export has plain parameters only, as a C function has")
    template = _export_code(len(parameters))
    code = template.replace(
        co_name=call.__name__,
        co_qualname=call.__qualname__,
        co_varnames=parameters + template.co_varnames[len(parameters) :],
    )
    names = {"call": call, "WinsockError": WinsockError, "this_thread": _this_thread, "outcome": _outcome}
    export: Callable[P, R] = wraps(call)(FunctionType(code, names, call.__name__, call.__defaults__))
    EXPORTED[call.__module__, call.__name__] = export
    return export


# An export has the parameters of the function it is put around, since handing on `*args, **kwargs` costs as much as a
# call of WSASend does otherwise until it reaches its provider (85 to 110 ns against 20). Python compiles only one
# function for each number of parameters: 0.05 ms, against 0.001 ms to copy it under other names.
_EXPORT = """
def export({parameters}):
    try:
        return call({parameters})
    except WinsockError as _failure:
        _code = _failure.winerror
        if not _code:
            raise outcome(_failure, ()) from _failure
        this_thread.last_error = _code
        raise
    except Exception as _failure:
        _outcome = outcome(_failure, ({parameters}))
        if _outcome is _failure:
            raise
        raise _outcome from _failure
"""


@cache
def _export_code(count: int) -> CodeType:
    """The code of an export with ``count`` parameters, whose names are still to be set."""
    space: dict[str, Any] = {}
    parameters = "".join(f"_{index}, " for index in range(count))
    exec(compile(_EXPORT.format(parameters=parameters), "<export>", "exec"), space)
    code: CodeType = space["export"].__code__
    return code


def _outcome(failure: Exception, arguments: tuple[object, ...]) -> Exception:
    """What a program gets to see of a failure without a code: the same, or WSASYSCALLFAILURE; see `exported`."""
    if not isinstance(failure, WinsockError) and (
        isinstance(failure, TypeError | MemoryError)
        or "_of_program" in vars(failure)
        or _raised_in(failure, (*arguments, *map(signal.getsignal, signal.valid_signals())))
    ):
        return failure
    _this_thread.last_error = WSASYSCALLFAILURE
    return WinsockError(WSASYSCALLFAILURE)


def of_program(failure: BaseException) -> BaseException:
    """Mark what a function of the program raised that it had not passed to this very call: an APC."""
    vars(failure)["_of_program"] = True
    return failure


def _raised_in(failure: BaseException, functions: Iterable[object]) -> bool:
    """True when the exception came out of one of the functions; what is no Python function does not count."""
    codes = {_code(function) for function in functions if callable(function)}
    traceback = failure.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in codes:
            return True
        traceback = traceback.tb_next
    return False


def _code(function: Any) -> object:
    """What a traceback shows of a function, a method, a partial or an object with ``__call__``."""
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__code__", getattr(function.__call__, "__code__", None))
