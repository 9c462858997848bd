"""trio, loaded as on Windows: its own I/O manager for completion ports and AFD, unmodified, on the emulator.

Part played:     the import of trio on Windows, and what cffi is there: DLLs, C types of that size, ``ffi.getwinerror``.
Lives here:      the finder that has each module of trio's run with Windows' view of the modules it imports; the
                 libraries, whose functions take trio's C data.
Lives elsewhere: the functions (capi.exports), all of which take plain addresses.
C types:         a DWORD has 32 bits. trio's table of types says ``unsigned long``, which has 64 here: it is read with
                 Windows' sizes, so that trio's structures have the layout that the functions expect.
Memory:          what an overlapped request has been given is kept until it is complete, as a run of trio's may end
                 before that. On Windows the kernel would write into memory that is free by then.
Sources:         trio's _core/_windows_cffi.py and _core/_io_windows.py; the cffi reference (FFI, getwinerror).
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, Final

from ..capi import table
from ..capi.overlapped import pends
from ..errors import WinsockError, get_last_error, strerror_of
from . import _subprocess, msvcrt, select, socket, winapi
from ._stdlib import ERRNO, OS, SYS, View, finder, load

# C data

_LONG: Final = (9).to_bytes(3, "big") + b"\1"
_UNSIGNED_LONG: Final = (10).to_bytes(3, "big") + b"\1"
_NARROWED: Final = {_LONG: (7).to_bytes(3, "big") + b"\1", _UNSIGNED_LONG: (8).to_bytes(3, "big") + b"\1"}
"""cffi's codes of long and unsigned long, and of int and unsigned int, which have the size that those have there."""


def narrowed(types: bytes) -> bytes:
    """A table of types of a cffi module, four bytes each, as a compiler for Windows understands it."""
    words = (types[at : at + 4] for at in range(0, len(types), 4))
    return b"".join([_NARROWED.get(word, word) for word in words])


def _cffi_backend() -> ModuleType:
    """cffi's lower module with an FFI as on Windows."""
    try:
        backend: Any = import_module("_cffi_backend")
    except ModuleNotFoundError:
        raise ModuleNotFoundError("No module named 'cffi', which trio needs on Windows", name="cffi") from None

    class FFI(backend.FFI):  # type: ignore[misc]  # a class of C, without types
        """What trio's C types and libraries come from."""

        def __init__(self, name: str, *, _types: bytes, **tables: Any) -> None:
            super().__init__(name, _types=narrowed(_types), **tables)

        def dlopen(self, name: str, flags: int = 0) -> Library:
            """A DLL of Windows."""
            if name.lower().removesuffix(".dll") not in table.dlls():
                raise OSError(f"cannot load library '{name}': error 0x7e")
            return Library(self, name.lower().removesuffix(".dll"))

        def getwinerror(self, code: int = -1) -> tuple[int, str]:
            """A code, the last error of the thread by default, and its text."""
            number = get_last_error() if code == -1 else int(code)
            return number, strerror_of(number)

    return View(backend, FFI=FFI)


class Library:
    """A DLL, whose functions are its attributes."""

    def __init__(self, ffi: Any, name: str) -> None:
        self._ffi = ffi
        self._name = name

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found = table.export(self._name, name)
        if found is None:
            raise AttributeError(f"function/symbol '{name}' not found in library '{self._name}.dll'")
        made = _function(self._ffi, found)
        setattr(self, name, made)
        return made


def _function(ffi: Any, exported: table.ExportedFunction) -> Callable[..., Any]:
    """An exported function for C data."""
    call, cast, number_of_address = exported.call, ffi.cast, ffi.typeof("UINT_PTR")
    returns = ffi.typeof(exported.returns)
    is_number = returns.kind == "primitive"
    overlapped = exported.parameters.index("lpOverlapped") if "lpOverlapped" in exported.parameters else None
    expected = len(exported.parameters)

    def function(*arguments: Any) -> Any:
        if len(arguments) != expected:
            raise TypeError(f"{exported.name}() expects {expected} arguments, got {len(arguments)}")
        numbers = [int(one) if isinstance(one, int) else int(cast(number_of_address, one)) for one in arguments]
        result = call(*numbers)
        failure = table.take_pending_exception()
        if failure is not None:
            raise failure
        if overlapped is not None and not result and pends(numbers[overlapped]):
            _keep(numbers[overlapped], arguments)
        given = cast(returns, result)
        return int(given) if is_number else given

    function.__name__ = function.__qualname__ = exported.name
    return function


_FEW: Final = 64
_kept: Final[dict[int, tuple[Any, ...]]] = {}
_sweep_at = _FEW


def _keep(address: int, arguments: tuple[Any, ...]) -> None:
    """Keep what a request has been given while it pends; those that are complete go when there are many."""
    global _sweep_at  # noqa: PLW0603  # memory is the process's
    _kept[address] = arguments
    if len(_kept) >= _sweep_at:
        for known in tuple(_kept):
            if not pends(known):
                _kept.pop(known, None)
        _sweep_at = max(_FEW, 2 * len(_kept))


def _os_error(number: int, text: str, filename: Any, winerror: int, filename2: Any) -> WinsockError:
    """``OSError`` with the arguments that it has on Windows: the code decides on the rest."""
    failure = WinsockError(winerror)
    failure.strerror, failure.filename, failure.filename2 = text, filename, filename2
    return failure


# Loading


def _windows_utils() -> ModuleType:
    """asyncio's module with the pipes for child processes."""
    others = {
        "_winapi": _module(winapi),
        "msvcrt": _module(msvcrt),
        "subprocess": _subprocess.SUBPROCESS,
        "sys": SYS,
        "tempfile": _subprocess.TEMPFILE,
    }
    import_module("asyncio")
    return load("asyncio.windows_utils", others)


def _module(module: Any) -> ModuleType:
    return import_module(module.__name__)


_SEEN: Final[dict[str, Callable[[], ModuleType]]] = {
    "_cffi_backend": _cffi_backend,
    "asyncio.windows_utils": _windows_utils,
    "errno": lambda: ERRNO,
    "msvcrt": lambda: _module(msvcrt),
    "os": lambda: OS,
    "select": lambda: _module(select),
    "socket": lambda: _module(socket),
    "subprocess": lambda: _subprocess.SUBPROCESS,
    "sys": lambda: SYS,
}
"""Full name to what makes the module that trio finds under it."""

_HOST_PATHS: Final = frozenset(("trio._path", "trio._file_io", "trio._core._thread_cache"))
"""Modules that work with the host's files and threads, and see the host."""

_BUILTINS: Final[dict[str, dict[str, Any]]] = {"trio._core._windows_cffi": {"OSError": _os_error}}
"""Built-in names that are others in a module."""


class Loader(SourceFileLoader):
    """Runs a module of trio's with Windows' view."""

    def __init__(self, fullname: str, path: str, others: dict[str, ModuleType | None]) -> None:
        super().__init__(fullname, path)
        self._others = others

    def exec_module(self, module: ModuleType) -> None:
        """Run it, unchanged; its import statement is its own."""
        names = vars(module)
        others = {} if self.name in _HOST_PATHS else self._others
        own = _BUILTINS.get(self.name, {})
        names["__builtins__"] = {**vars(builtins), "__import__": finder(names, others), **own}
        super().exec_module(module)


class Finder(MetaPathFinder):
    """Finds trio's modules where they are, and has them loaded by `Loader`.

    Raises:
        ModuleNotFoundError: cffi is not installed, which trio needs on Windows.
    """

    def __init__(self) -> None:
        self._others: dict[str, ModuleType | None] = {name: make() for name, make in _SEEN.items()}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec; None for all that is not trio's."""
        if fullname != "trio" and not fullname.startswith("trio."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = Loader(fullname, spec.loader.path, self._others)
        return spec


@cache
def finder_of_modules() -> Finder:
    """The finder; one, so that all of trio's modules see the same."""
    return Finder()


def load_trio() -> ModuleType:
    """trio, imported as on Windows; the same module at each call.

    Raises:
        ImportError: it has been imported for the host before, whose users keep it.
        ModuleNotFoundError: it is not installed, or cffi is not.
    """
    known = sys.modules.get("trio")
    if known is not None:
        if isinstance(known.__loader__, Loader):
            return known
        raise ImportError(
            "trio has been imported for this host already; import winsock2emu.compat.trio before anything that "
            "imports trio",
            name="trio",
        )
    if PathFinder.find_spec("trio") is None:
        raise ModuleNotFoundError("No module named 'trio'", name="trio")
    ours = finder_of_modules()
    sys.meta_path.insert(0, ours)
    try:
        return import_module("trio")
    except BaseException:
        sys.meta_path.remove(ours)
        for name in [name for name in sys.modules if name == "trio" or name.startswith("trio.")]:
            del sys.modules[name]
        raise
