"""Modules of the running interpreter's own library, run once more as on Windows.

Part played:     the import of a library module on Windows.
Lives here:      running a file of the library, unchanged, with an import of its own; the modules that it finds under
                 Windows' names and values. Nothing is changed in the interpreter, not even for the time of the import.
Lives elsewhere: which modules are run so (socket, selectors, ssl, and asyncio's in aio), and what they find.
"""

from __future__ import annotations

import builtins
import errno
import os
import sys
from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec, resolve_name
from types import ModuleType
from typing import Any, Final

from .. import kernel32
from ..defs import codes
from ..defs.constants import HANDLE_FLAG_INHERIT
from ..errors import errno_of

_FIRST_OF_WINSOCK: Final = 10000


class View(ModuleType):
    """A module with other values for some of its names, and without others. What is set here is set there."""

    def __init__(self, module: ModuleType, *, without: tuple[str, ...] = (), **others: Any) -> None:
        super().__init__(module.__name__, module.__doc__)
        self.__dict__.update(others, _module=module, _without=without)

    def __getattr__(self, name: str) -> Any:
        if name in self._without:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(self._module, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__:
            self.__dict__[name] = value
        else:
            setattr(self._module, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__:
            del self.__dict__[name]
        else:
            delattr(self._module, name)


def _winsock_errors() -> dict[str, Any]:
    """The names of Winsock's codes; without their WSA where C's own numbers are others, as CPython has it."""
    names = {name: value for name, value in vars(codes).items() if name.startswith("WSAE")}
    plain = {name[3:]: value for name, value in names.items() if hasattr(errno, name[3:]) and errno_of(value) == value}
    return {**names, **plain}


def _get_handle_inheritable(handle: int, /) -> bool:
    return bool(kernel32.GetHandleInformation(handle) & HANDLE_FLAG_INHERIT)


def _set_handle_inheritable(handle: int, inheritable: bool, /) -> None:
    kernel32.SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT if inheritable else 0)


def _strerror(code: int, /) -> str:
    """C's text; its runtime does not know Winsock's codes."""
    return os.strerror(code) if code < _FIRST_OF_WINSOCK else "Unknown error"


ERRNO: Final = View(errno, **_winsock_errors())
SYS: Final = View(sys, platform="win32")
OS: Final = View(
    os,
    without=("pidfd_open", "sendfile"),
    name="nt",
    get_handle_inheritable=_get_handle_inheritable,
    set_handle_inheritable=_set_handle_inheritable,
    strerror=_strerror,
)

BuildClass = Callable[..., type]
Others = Mapping[str, ModuleType | None]


def run(name: str, names: dict[str, Any], others: Others, build_class: BuildClass | None = None) -> None:
    """Run a module of the library in a namespace, where its ``__name__`` is already.

    Args:
        name: the module; its package has been imported.
        names: the namespace.
        others: what it finds under the full names of other modules; None for what there is not.
        build_class: what the class statement calls there, instead of Python's own.
    """
    origin = _spec(name).origin
    own = {**vars(builtins), "__import__": finder(names, others)}
    if build_class is not None:
        own["__build_class__"] = build_class
    names["__builtins__"] = own
    documentation = names.get("__doc__")
    assert origin is not None
    with open(origin, "rb") as source:
        exec(compile(source.read(), origin, "exec", dont_inherit=True), names)
    names["__doc__"] = documentation


def load(name: str, others: Others) -> ModuleType:
    """A module of the library once more, under its own name; it is not in ``sys.modules``. Arguments as for `run`."""
    module = module_from_spec(_spec(name))
    run(name, vars(module), others)
    return module


def _spec(name: str) -> ModuleSpec:
    """Where the library has a module, whatever ``sys.modules`` says."""
    package = name.rpartition(".")[0]
    spec = PathFinder.find_spec(name, sys.modules[package].__path__ if package else None)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    return spec


def finder(names: Mapping[str, Any], others: Others) -> Callable[..., Any]:
    """The ``__import__`` of a namespace; ``others`` as for `run`."""

    def find(wanted: str, scope: Any = None, local: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        full = resolve_name("." * level + wanted, names["__package__"]) if level else wanted
        if full in others:
            found = others[full]
            if found is None:
                raise ModuleNotFoundError(f"No module named {full!r}", name=full)
            return found
        inner: dict[str, Any] = {one: others[f"{full}.{one}"] for one in fromlist or () if f"{full}.{one}" in others}
        if not inner:
            return builtins.__import__(wanted, scope, local, fromlist, level)
        usual = [one for one in fromlist if one not in inner]
        return View(builtins.__import__(wanted, scope, local, [*usual, "__name__"], level), **inner)

    return find
