"""``winerror``: codes by name, and the macros for HRESULTs.

Part played:     winerror of pywin32.
Lives here:      HRESULTs, which the emulator itself has no use for.
Lives elsewhere: all codes of Windows and Winsock that it knows (defs); this module has them under their names.
Missing:         codes of other parts of Windows.
Sources:         winerror.h on Microsoft Learn ("Common HRESULT Values", "Structure of COM Error Codes").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..defs import codes as _codes
from ..defs import winbase as _winbase
from ..defs import windows as _windows

if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...


_PREFIXES: Final = ("ERROR_", "WSA", "WAIT_")

globals().update(
    (name, value)
    for module in (_codes, _winbase, _windows)
    for name, value in vars(module).items()
    if type(value) is int and name.startswith(_PREFIXES)
)

NO_ERROR: Final = 0
NOERROR: Final = 0
WSABASEERR: Final = 10000

SEVERITY_SUCCESS: Final = 0
SEVERITY_ERROR: Final = 1
FACILITY_NULL: Final = 0
FACILITY_RPC: Final = 1
FACILITY_DISPATCH: Final = 2
FACILITY_STORAGE: Final = 3
FACILITY_ITF: Final = 4
FACILITY_WIN32: Final = 7
FACILITY_WINDOWS: Final = 8
FACILITY_SETUPAPI: Final = 15
FACILITY_NT_BIT: Final = 0x10000000

S_OK: Final = 0
S_FALSE: Final = 1
E_PENDING: Final = -0x7FFFFFF6
E_NOTIMPL: Final = -0x7FFFBFFF
E_NOINTERFACE: Final = -0x7FFFBFFE
E_POINTER: Final = -0x7FFFBFFD
E_ABORT: Final = -0x7FFFBFFC
E_FAIL: Final = -0x7FFFBFFB
E_UNEXPECTED: Final = -0x7FFF0001
E_ACCESSDENIED: Final = -0x7FF8FFFB
E_HANDLE: Final = -0x7FF8FFFA
E_OUTOFMEMORY: Final = -0x7FF8FFF2
E_INVALIDARG: Final = -0x7FF8FFA9

_FAILURE: Final = -0x80000000
_CODE: Final = 0xFFFF
_FACILITY: Final = 0x1FFF


def SUCCEEDED(hr: int) -> bool:
    """Whether an HRESULT, as a signed number, is no failure."""
    return hr >= 0


def FAILED(hr: int) -> bool:
    """Whether an HRESULT, as a signed number, is a failure."""
    return hr < 0


def HRESULT_CODE(hr: int) -> int:
    """The code in an HRESULT."""
    return hr & _CODE


def HRESULT_FACILITY(hr: int) -> int:
    """The part of Windows that an HRESULT comes from."""
    return hr >> 16 & _FACILITY


def HRESULT_SEVERITY(hr: int) -> int:
    """SEVERITY_ERROR or SEVERITY_SUCCESS."""
    return hr >> 31 & 1


SCODE_CODE = HRESULT_CODE
SCODE_FACILITY = HRESULT_FACILITY
SCODE_SEVERITY = HRESULT_SEVERITY


def HRESULT_FROM_WIN32(code: int) -> int:
    """The HRESULT that wraps a code, a signed number; what is one already stays."""
    return code if code <= 0 else code & _CODE | FACILITY_WIN32 << 16 | _FAILURE


def HRESULT_FROM_NT(status: int) -> int:
    """The HRESULT that wraps an NTSTATUS."""
    return status | FACILITY_NT_BIT


def GetScode(hr: int) -> int:
    """An HRESULT is a status code."""
    return hr


def ResultFromScode(sc: int) -> int:
    """A status code is an HRESULT."""
    return sc
