"""``pywintypes``: the objects that all modules of pywin32 share.

Part played:     pywintypes of pywin32.
Lives here:      its exceptions, PyHANDLE, PyOVERLAPPED, security attributes, times and identifiers.
Lives elsewhere: what is behind a handle (kernel32), the request behind an OVERLAPPED (kernel/operations), what the
                 functions make of their arguments (_pywin32).
Handles:         a PyHANDLE closes its handle when it goes, in the emulated process that it has been made in. Its number
                 is signed, as all pointers are that pywin32 shows.
Requests:        an OVERLAPPED belongs to the program and may go while its request pends. The request has a record of
                 its own, which keeps the buffers, and knows the program's object only as long as there is one.
Security:        a descriptor is kept and read by nobody: every handle has all rights in the emulator.
Times:           aware of UTC when they come from Windows; naive and local when the program makes one.
Missing:         SIDs, the contents of ACLs, registry keys, device modes, wave formats.
Sources:         pywin32's reference and its tests (test_pywintypes.py, handles.py, test_exceptions.py), types-pywin32.
"""

from __future__ import annotations

import sys
import time
import uuid
import weakref
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, SupportsIndex, SupportsInt

from .. import kernel32
from ..errors import WinsockError, system_text
from ..kernel import operations
from ..process import Process, current_process
from ._finalizers import finish

__all__ = [
    "FALSE",
    "HANDLE",
    "IID",
    "OVERLAPPED",
    "SECURITY_ATTRIBUTES",
    "SECURITY_DESCRIPTOR",
    "TRUE",
    "CreateGuid",
    "HANDLEType",
    "IIDType",
    "OVERLAPPEDType",
    "Time",
    "TimeStamp",
    "TimeType",
    "com_error",
    "error",
]

TRUE: Final = True
FALSE: Final = False

_ALL_BITS: Final = (1 << 64) - 1
_SIGN: Final = 1 << 63
_1601: Final = datetime(1601, 1, 1, tzinfo=UTC)
_UNITS_PER_US: Final = 10  # of 100 ns


class error(Exception):
    """A function of Windows has failed.

    Attributes:
        winerror: its code.
        funcname: its name.
        strerror: the system's text.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.winerror, self.funcname, self.strerror = (*arguments[:3], None, None, None)[:3]


class com_error(Exception):
    """COM has failed, which nothing here can; programs name it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.hresult, self.strerror, self.excepinfo, self.argerror = (*arguments[:4], None, None, None, None)[:4]


# Programs see the name that pywin32 has.
for _exception in (error, com_error):
    _exception.__module__ = "pywintypes"


def failure_of(code: int, function: str) -> error:
    """The exception for a code that a function has failed with."""
    return error(code, function, system_text(code) or "No error message is available")


def signed(number: int) -> int:
    """A number of the size of a pointer, as pywin32 shows it.

    Raises:
        TypeError: it is larger than that.
    """
    if not -_SIGN <= number <= _ALL_BITS:
        raise TypeError("Unable to convert int to pointer-sized value")
    return number - (_ALL_BITS + 1) if number >= _SIGN else number


def handle_of(thing: Any) -> int:
    """The number of a handle: of a PyHANDLE, of what is a number, 0 for None.

    Raises:
        TypeError: anything else.
    """
    if type(thing) is PyHANDLE:
        return thing.handle
    if type(thing) is int:
        return signed(thing)
    if thing is None:
        return 0
    if isinstance(thing, SupportsInt):
        return signed(int(thing))
    raise TypeError("The object is not a PyHANDLE object")


class PyHANDLE:
    """A handle that is closed with this object.

    Attributes:
        handle: its number, 0 once closed or detached.
    """

    __slots__ = ("_process", "handle")

    handle: int

    def __init__(self, number: int) -> None:
        self.handle = number
        self._process: Process | None = current_process() if number else None

    def Close(self) -> None:
        """Close the handle. That of one that is closed already does nothing.

        Raises:
            error: ERROR_INVALID_HANDLE, somebody else has closed it.
        """
        handle, self.handle = self.handle, 0
        if handle and self._process is not None:
            try:
                with self._process.active():
                    kernel32.CloseHandle(handle)
            except WinsockError as failure:
                raise failure_of(failure.winerror, "CloseHandle") from None

    close = Close

    def Detach(self) -> int:
        """Give the handle up: its number, which the caller closes."""
        handle, self.handle = self.handle, 0
        return handle

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if getattr(self, "handle", 0) and not ending():
            finish(self._close_quietly)

    def _close_quietly(self) -> None:
        with suppress(Exception):
            self.Close()

    def __int__(self) -> int:
        return self.handle

    def __bool__(self) -> bool:
        return self.handle != 0

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PyHANDLE):
            return self.handle == other.handle
        return self.handle == signed(other) if isinstance(other, int) else NotImplemented

    __hash__ = object.__hash__  # the number changes when it is closed

    def __repr__(self) -> str:
        return f"<PyHANDLE:{self.handle}>"


HANDLEType = PyHANDLE


def HANDLE(handle: Any = None, /) -> PyHANDLE:
    """A PyHANDLE for a number, or for the number of another one."""
    return PyHANDLE(handle_of(handle))


class Record(operations.OVERLAPPED):
    """The request behind an `OVERLAPPED`.

    Attributes:
        owner: the program's object, as long as there is one.
        kept: what has to live as long as the latest request does.
    """

    __slots__ = ("kept", "owner")

    def __init__(self, owner: PyOVERLAPPED) -> None:
        super().__init__()
        self.owner = weakref.ref(owner)
        self.kept: Any = None


class PyOVERLAPPED:
    """An OVERLAPPED: where a request says what has become of it.

    Attributes:
        object: anything that the program wants to find again with the request.
        dword: a number for functions that tell one by the request.
        record: the request.
    """

    __slots__ = ("__weakref__", "_event", "dword", "object", "record")

    def __init__(self) -> None:
        self.record = Record(self)
        self._event: Any = 0
        self.object: Any = None
        self.dword = 0

    @property
    def hEvent(self) -> Any:
        """The event that is set when it is complete, as the program has given it; the object is kept."""
        return self._event

    @hEvent.setter
    def hEvent(self, event: Any) -> None:
        number = handle_of(event)
        self.record.hEvent = number & _ALL_BITS
        self._event = event if isinstance(event, PyHANDLE) else number

    @property
    def Offset(self) -> int:
        """The low half of the place in a file."""
        return self.record.Offset

    @Offset.setter
    def Offset(self, value: int) -> None:
        self.record.Offset = value & 0xFFFFFFFF

    @property
    def OffsetHigh(self) -> int:
        """The high half of the place in a file."""
        return self.record.OffsetHigh

    @OffsetHigh.setter
    def OffsetHigh(self, value: int) -> None:
        self.record.OffsetHigh = value & 0xFFFFFFFF

    @property
    def Internal(self) -> int:
        """The NTSTATUS, STATUS_PENDING (0x103) before it is complete."""
        return signed(self.record.Internal)

    @Internal.setter
    def Internal(self, value: int) -> None:
        self.record.Internal = value

    @property
    def InternalHigh(self) -> int:
        """The bytes that it has moved."""
        return signed(self.record.InternalHigh)

    @InternalHigh.setter
    def InternalHigh(self, value: int) -> None:
        self.record.InternalHigh = value

    def _content(self) -> tuple[Any, ...]:
        one = self.record
        return one.Internal, one.InternalHigh, one.Offset, one.OffsetHigh, one.hEvent, self.dword, id(self.object)

    def __eq__(self, other: object) -> bool:
        return self._content() == other._content() if isinstance(other, PyOVERLAPPED) else NotImplemented

    __hash__ = object.__hash__


OVERLAPPED = OVERLAPPEDType = PyOVERLAPPED


class PySECURITY_DESCRIPTOR:
    """A security descriptor, which is kept and decides nothing."""

    def __init__(self) -> None:
        self._dacl: Any = None

    def SetSecurityDescriptorDacl(self, present: int, acl: Any, defaulted: int, /) -> None:
        """Set who may do what."""
        self._dacl = acl if present else None

    def GetSecurityDescriptorDacl(self) -> Any:
        """Who may do what; None for everybody everything."""
        return self._dacl


class PySECURITY_ATTRIBUTES:
    """What functions that make handles are told of them.

    Attributes:
        bInheritHandle: the handle is for children, too; true at first.
        SECURITY_DESCRIPTOR: who may use it.
    """

    def __init__(self) -> None:
        self.bInheritHandle: int = 1
        self.SECURITY_DESCRIPTOR = PySECURITY_DESCRIPTOR()

    def Initialize(self) -> None:
        """Begin anew with the descriptor."""
        self.SECURITY_DESCRIPTOR = PySECURITY_DESCRIPTOR()

    def SetSecurityDescriptorDacl(self, present: int, acl: Any, defaulted: int, /) -> None:
        """Set who may do what, in the descriptor."""
        self.SECURITY_DESCRIPTOR.SetSecurityDescriptorDacl(present, acl, defaulted)


SECURITY_DESCRIPTOR = PySECURITY_DESCRIPTOR
SECURITY_ATTRIBUTES = PySECURITY_ATTRIBUTES


class TimeType(datetime):
    """A time; a datetime with a method of another name."""

    def Format(self, format: str = "%c", /) -> str:
        """The time as text."""
        return self.strftime(format)


TimeType.__name__ = TimeType.__qualname__ = "datetime"
TimeType.__module__ = "pywintypes"


def Time(value: Any, /) -> datetime:
    """A time from seconds since 1970 (of which whole ones count), or from a tuple as of the time module.

    A tuple may have a tenth member, milliseconds. A datetime is returned as it is.

    Raises:
        TypeError: anything else.
        ValueError: a time that there is not.
    """
    if isinstance(value, datetime):
        return value
    if hasattr(value, "timetuple"):
        value = value.timetuple()
    if isinstance(value, SupportsInt | SupportsIndex):
        try:
            return TimeType.fromtimestamp(int(value))
        except (OSError, OverflowError):
            raise ValueError("invalid timestamp") from None
    try:
        fields = tuple(value)
    except TypeError:
        raise TypeError(f"Objects of type '{type(value).__name__}' can not be used as a time object") from None
    return TimeType.fromtimestamp(time.mktime(fields[:9]) + (fields[9] if len(fields) > 9 else 0) / 1000)


def TimeStamp(units: int, /) -> datetime:
    """A time from units of 100 ns since 1601, to the millisecond; the latest one that there is for later ones."""
    try:
        found = _1601 + timedelta(microseconds=units // (1000 * _UNITS_PER_US) * 1000)
    except OverflowError:
        return datetime.max
    return TimeType(*found.timetuple()[:6], found.microsecond, UTC)


class IIDType(bytes):
    """An identifier of 128 bits, as Windows lays it out in memory."""

    def __str__(self) -> str:
        return f"{{{uuid.UUID(bytes_le=bytes(self))}}}".upper()

    def __repr__(self) -> str:
        return f"IID('{self}')"


def IID(value: Any, is_bytes: bool = False, /) -> IIDType:
    """An identifier from its text, with or without braces, or from its bytes.

    Raises:
        TypeError: no text, or no buffer.
        ValueError: no identifier.
    """
    if is_bytes:
        data = bytes(memoryview(value))
        if len(data) < 16:
            raise ValueError(f"an identifier has 16 bytes, not {len(data)}")
        return IIDType(data[:16])
    if isinstance(value, IIDType):
        return value
    if not isinstance(value, str):
        raise TypeError(f"an identifier is made from text, not from {type(value).__name__}")
    return IIDType(uuid.UUID(value).bytes_le)


def CreateGuid() -> IIDType:
    """A new identifier."""
    return IIDType(uuid.uuid4().bytes_le)
