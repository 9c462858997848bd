"""The libraries of ctypes' Windows face: which spelling means which DLL, and what a library object is.

Part played:     LoadLibrary and GetProcAddress; ``ctypes.windll``, ``WinDLL``, ``OleDLL``.
Lives here:      the library classes and their loaders; every other name of the face can be had from here too.
Lives elsewhere: the C functions and their addresses (capi.table); function objects and prototypes
                 (capi.functions); C types (capi.datatypes, capi.wintypes); error helpers (capi.winerrors);
                 the module ``ctypes`` that a program under ``winsock2emu run`` imports (cli.masks).
Objects:         as in ctypes: ``windll.ws2_32`` is one library object, ``WinDLL("ws2_32")`` always a new one;
                 attribute access keeps one function object per library, item access makes a new one.
Sources:         the ctypes reference of the Python documentation; LoadLibraryW on Microsoft Learn.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Sequence
from ctypes import LibraryLoader
from functools import cache
from typing import Any, ClassVar, Final, Protocol

from . import datatypes, functions, winerrors
from .datatypes import c_int
from .functions import (
    FUNCFLAG_CDECL,
    FUNCFLAG_PYTHONAPI,
    FUNCFLAG_STDCALL,
    FUNCFLAG_USE_ERRNO,
    Function,
    FunctionWithLastError,
)
from .winerrors import HRESULT

DEFAULT_MODE: Final = 0


class Table(Protocol):
    """What the loader needs of an export table; `winsock2emu.capi.table` is the one."""

    def dlls(self) -> Sequence[str]:
        """The DLLs there are: lower case, without ``.dll``."""
        ...

    def export(self, dll: str, name_or_ordinal: str | int, /) -> Any:
        """The exported function with its ``address`` and ``parameters``, or None."""
        ...

    def take_pending_exception(self) -> BaseException | None:
        """Return and forget what a C function of this thread could not raise."""
        ...


@cache
def real_table() -> Table:
    """The export table; it brings the whole API with it, so it waits for the first library."""
    from . import table

    Function._take_pending_ = staticmethod(table.take_pending_exception)
    return table


_SYSTEM_FOLDER: Final = re.compile(r"[a-z]:[\\/]+windows[\\/]+(system32|syswow64|sysnative)[\\/]+", re.IGNORECASE)
_MODULE_BASE: Final = 0x7FF800000000  # where 64-bit Windows likes to map its DLLs
_MODULE_SIZE: Final = 0x200000


def module_handle(dll: str, table: Table | None = None) -> int:
    """The HMODULE of a DLL of the table (lower case, no ``.dll``): a number no object and no memory has."""
    table = table or real_table()
    return _MODULE_BASE + _MODULE_SIZE * list(table.dlls()).index(dll)


def module_of(handle: int, table: Table | None = None) -> str | None:
    """The DLL of an HMODULE, None for any other number."""
    dlls = (table or real_table()).dlls()
    position, rest = divmod(handle - _MODULE_BASE, _MODULE_SIZE)
    return dlls[position] if rest == 0 and 0 <= position < len(dlls) else None


def dll_named(name: str, table: Table | None = None) -> str | None:
    """The DLL that LoadLibrary finds under ``name``, None when it finds none.

    Case does not matter, ``.dll`` may be left out, and a path has to name the system folder.
    """
    plain = _SYSTEM_FOLDER.sub("", name, count=1).lower()
    plain = plain.removesuffix(".dll") if plain.endswith(".dll") else plain.removesuffix(".")
    return plain if plain in (table or real_table()).dlls() else None


def _not_found(name: str) -> FileNotFoundError:
    """What ctypes on Windows makes of ERROR_MOD_NOT_FOUND (126)."""
    failure = FileNotFoundError(
        f"Could not find module '{name}' (or one of its dependencies). Try using the full path with constructor syntax."
    )
    failure.winerror = None  # type: ignore[attr-defined]  # an attribute of every OSError on Windows
    return failure


class CDLL(ctypes.CDLL):
    """A library with C's calling convention: one of Windows' that the table has, else one of the host."""

    _func_flags_ = FUNCFLAG_CDECL
    _func_restype_: ClassVar[Any] = c_int
    _table_: ClassVar[Table | None] = None  # None: the real one
    _loads_host_libraries_: ClassVar[bool] = True

    _dll: str | None = None  # None: a library of the host
    _FuncPtr: Any

    def __init__(
        self,
        name: str | os.PathLike[str] | None,
        mode: int = DEFAULT_MODE,
        handle: int | None = None,
        use_errno: bool = False,
        use_last_error: bool = False,
        winmode: int | None = None,
    ) -> None:
        """Load a library.

        Args:
            name: a name or path as for LoadLibrary: ``ws2_32``, ``Ws2_32.dll``, a path in the system folder.
            mode: for libraries of the host, as in the host's ctypes.
            handle: the HMODULE of a library that is loaded already.
            use_errno: give each call ctypes' private copy of errno.
            use_last_error: give each call ctypes' private copy of the last error.
            winmode: accepted; the folders that LoadLibraryEx would search do not exist here.

        Raises:
            FileNotFoundError: there is no such library.
        """
        spelled = None if name is None else os.fspath(name)
        if handle is not None:
            self._dll = module_of(handle, self._table_)
        elif spelled is not None:
            self._dll = dll_named(spelled, self._table_)
        if self._dll is None:
            self._load_from_host(spelled, mode, handle, use_errno, use_last_error)
            return
        sys.audit("ctypes.dlopen", spelled)
        self._name = spelled if spelled is not None else self._dll
        self._handle = module_handle(self._dll, self._table_)
        self._FuncPtr = type(
            "_FuncPtr",
            (FunctionWithLastError if use_last_error else Function,),
            {
                "_take_pending_": staticmethod((self._table_ or real_table()).take_pending_exception),
                "_flags_": self._func_flags_ | (FUNCFLAG_USE_ERRNO if use_errno else 0),
                "_restype_": self._func_restype_,
            },
        )

    def _load_from_host(
        self, name: str | None, mode: int, handle: int | None, use_errno: bool, use_last_error: bool
    ) -> None:
        if not self._loads_host_libraries_:
            raise _not_found(str(name))
        try:
            super().__init__(name, mode or ctypes.DEFAULT_MODE, handle, use_errno, use_last_error)
        except OSError:
            if name is None or os.path.exists(name):
                raise
            raise _not_found(name) from None

    def look_up_(self, name_or_ordinal: str | bytes | int) -> Any:
        """The table's entry for a function, as GetProcAddress finds it.

        Raises:
            AttributeError: the library exports no such function.
        """
        assert self._dll is not None
        name = name_or_ordinal.decode("ascii", "replace") if isinstance(name_or_ordinal, bytes) else name_or_ordinal
        sys.audit("ctypes.dlsym", self, name)
        found = (self._table_ or real_table()).export(self._dll, name)
        if found is None:
            what = f"ordinal {name}" if isinstance(name, int) else f"'{name}'"
            raise AttributeError(f"function {what} not found")
        return found


class PyDLL(CDLL):
    """A library whose functions are called with the interpreter's lock held; they wait without it all the same."""

    _func_flags_ = FUNCFLAG_CDECL | FUNCFLAG_PYTHONAPI


class WinDLL(CDLL):
    """A library of Windows; its functions return ``c_int`` unless told otherwise."""

    _func_flags_ = FUNCFLAG_STDCALL
    _loads_host_libraries_ = False


class OleDLL(WinDLL):
    """A library of Windows whose functions return an HRESULT, and raise OSError when it is a failure."""

    _func_restype_ = HRESULT


cdll: LibraryLoader[CDLL] = LibraryLoader(CDLL)
pydll: LibraryLoader[PyDLL] = LibraryLoader(PyDLL)
windll: LibraryLoader[WinDLL] = LibraryLoader(WinDLL)
oledll: LibraryLoader[OleDLL] = LibraryLoader(OleDLL)

# The rest of the face, defined next door: this module stands for all of it.
Structure, Union = datatypes.Structure, datatypes.Union
cast, create_unicode_buffer, wstring_at = (
    datatypes.cast,
    datatypes.create_unicode_buffer,
    datatypes.wstring_at,
)
CFUNCTYPE, WINFUNCTYPE = functions.CFUNCTYPE, functions.WINFUNCTYPE
GetLastError, get_last_error, set_last_error = (
    functions.GetLastError,
    functions.get_last_error,
    functions.set_last_error,
)
FormatError, WinError = winerrors.FormatError, winerrors.WinError
