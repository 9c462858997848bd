"""ctypes.wintypes with Windows' sizes: the typedefs in which Windows programs declare records and prototypes.

Part played:     windef.h, minwindef.h and winnt.h, as ``ctypes.wintypes`` has them.
Lives here:      every public name of the standard module, a DWORD of 4 bytes and a WCHAR of 2 among them.
Lives elsewhere: the types underneath (capi.datatypes); the records of the Winsock headers (capi.structs).
Sources:         Windows Data Types on Microsoft Learn; CPython's ctypes.wintypes for the set of names.
"""

from __future__ import annotations

import ctypes
import ctypes.wintypes as _host
from typing import TYPE_CHECKING, Any

from . import datatypes as _types

if TYPE_CHECKING:
    _SimpleCData = ctypes._SimpleCData[Any]
else:
    from ctypes import _SimpleCData

# Python 3.12 made it unsigned; the interpreter's own choice stands, as it would on Windows.
BYTE: Any = _host.BYTE
WORD = ctypes.c_ushort
DWORD = _types.c_ulong

CHAR = ctypes.c_char
WCHAR = _types.c_wchar
UINT = _types.c_uint
INT = _types.c_int
DOUBLE = ctypes.c_double
FLOAT = ctypes.c_float
BOOLEAN: Any = BYTE
BOOL = _types.c_long


class VARIANT_BOOL(_SimpleCData):
    """A 16-bit truth value, -1 for true."""

    _type_ = "v"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


ULONG = _types.c_ulong
LONG = _types.c_long
USHORT = ctypes.c_ushort
SHORT = ctypes.c_short

LARGE_INTEGER = _LARGE_INTEGER = _types.c_longlong
ULARGE_INTEGER = _ULARGE_INTEGER = _types.c_ulonglong

OLESTR = LPOLESTR = LPCOLESTR = _types.c_wchar_p
LPWSTR = LPCWSTR = _types.c_wchar_p
LPSTR = LPCSTR = ctypes.c_char_p
LPVOID = LPCVOID = ctypes.c_void_p

WPARAM = _types.c_ulonglong
LPARAM = _types.c_longlong

ATOM = LANGID = WORD
COLORREF = LGRPID = LCTYPE = LCID = DWORD

HANDLE = ctypes.c_void_p
HACCEL = HBITMAP = HBRUSH = HCOLORSPACE = HDC = HDESK = HDWP = HENHMETAFILE = HFONT = HANDLE
HGDIOBJ = HGLOBAL = HHOOK = HICON = HINSTANCE = HKEY = HKL = HLOCAL = HMENU = HMETAFILE = HMODULE = HMONITOR = HANDLE
HPALETTE = HPEN = HRGN = HRSRC = HSTR = HTASK = HWINSTA = HWND = SC_HANDLE = SERVICE_STATUS_HANDLE = HANDLE

MAX_PATH = 260


class RECT(_types.Structure):
    """The corners of a rectangle."""

    _fields_ = [("left", LONG), ("top", LONG), ("right", LONG), ("bottom", LONG)]


class SMALL_RECT(_types.Structure):
    """The corners of a rectangle in character cells."""

    _fields_ = [("Left", SHORT), ("Top", SHORT), ("Right", SHORT), ("Bottom", SHORT)]


class _COORD(_types.Structure):
    _fields_ = [("X", SHORT), ("Y", SHORT)]


class POINT(_types.Structure):
    """A position on the screen or in a window."""

    _fields_ = [("x", LONG), ("y", LONG)]


class SIZE(_types.Structure):
    """A width and a height."""

    _fields_ = [("cx", LONG), ("cy", LONG)]


class FILETIME(_types.Structure):
    """100-nanosecond intervals since 1601-01-01 UTC, in two halves."""

    _fields_ = [("dwLowDateTime", DWORD), ("dwHighDateTime", DWORD)]


class MSG(_types.Structure):
    """A window message as GetMessage returns it."""

    _fields_ = [
        ("hWnd", HWND),
        ("message", UINT),
        ("wParam", WPARAM),
        ("lParam", LPARAM),
        ("time", DWORD),
        ("pt", POINT),
    ]


def _find_data(character: Any) -> list[tuple[str, Any]]:
    return [
        ("dwFileAttributes", DWORD),
        ("ftCreationTime", FILETIME),
        ("ftLastAccessTime", FILETIME),
        ("ftLastWriteTime", FILETIME),
        ("nFileSizeHigh", DWORD),
        ("nFileSizeLow", DWORD),
        ("dwReserved0", DWORD),
        ("dwReserved1", DWORD),
        ("cFileName", character * MAX_PATH),
        ("cAlternateFileName", character * 14),
    ]


class WIN32_FIND_DATAA(_types.Structure):
    """A directory entry, names in bytes."""

    _fields_ = _find_data(CHAR)


class WIN32_FIND_DATAW(_types.Structure):
    """A directory entry, names in UTF-16."""

    _fields_ = _find_data(WCHAR)


tagRECT = _RECTL = RECTL = RECT
_SMALL_RECT = SMALL_RECT
tagPOINT = _POINTL = POINTL = POINT
tagSIZE = SIZEL = SIZE
_FILETIME = FILETIME
tagMSG = MSG


def RGB(red: int, green: int, blue: int) -> int:
    """A COLORREF of three intensities, 0 to 255 each."""
    return red + (green << 8) + (blue << 16)


LPBOOL = PBOOL = ctypes.POINTER(BOOL)
PBOOLEAN = ctypes.POINTER(BOOLEAN)
LPBYTE = PBYTE = ctypes.POINTER(BYTE)
PCHAR = ctypes.POINTER(CHAR)
LPCOLORREF = ctypes.POINTER(COLORREF)
LPDWORD = PDWORD = ctypes.POINTER(DWORD)
LPFILETIME = PFILETIME = ctypes.POINTER(FILETIME)
PFLOAT = ctypes.POINTER(FLOAT)
LPHANDLE = PHANDLE = ctypes.POINTER(HANDLE)
PHKEY = ctypes.POINTER(HKEY)
LPHKL = ctypes.POINTER(HKL)
LPINT = PINT = ctypes.POINTER(INT)
PLARGE_INTEGER = ctypes.POINTER(LARGE_INTEGER)
PLCID = ctypes.POINTER(LCID)
LPLONG = PLONG = ctypes.POINTER(LONG)
LPMSG = PMSG = ctypes.POINTER(MSG)
LPPOINT = PPOINT = PPOINTL = ctypes.POINTER(POINT)
LPRECT = PRECT = LPRECTL = PRECTL = ctypes.POINTER(RECT)
LPSC_HANDLE = ctypes.POINTER(SC_HANDLE)
PSHORT = ctypes.POINTER(SHORT)
LPSIZE = PSIZE = LPSIZEL = PSIZEL = ctypes.POINTER(SIZE)
PSMALL_RECT = ctypes.POINTER(SMALL_RECT)
LPUINT = PUINT = ctypes.POINTER(UINT)
PULARGE_INTEGER = ctypes.POINTER(ULARGE_INTEGER)
PULONG = ctypes.POINTER(ULONG)
PUSHORT = ctypes.POINTER(USHORT)
PWCHAR = ctypes.POINTER(WCHAR)
LPWIN32_FIND_DATAA = PWIN32_FIND_DATAA = ctypes.POINTER(WIN32_FIND_DATAA)
LPWIN32_FIND_DATAW = PWIN32_FIND_DATAW = ctypes.POINTER(WIN32_FIND_DATAW)
LPWORD = PWORD = ctypes.POINTER(WORD)
