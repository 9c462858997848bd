"""The function objects of ctypes' Windows face: what a program calls, and what happens around the call.

Part played:     the ``_FuncPtr`` of ``ctypes.WinDLL``, ``WINFUNCTYPE``, ``get_last_error``.
Lives here:      arguments on their way in, exceptions and the last error on their way out, prototypes.
Lives elsewhere: which library has which function (capi.loader, capi.table); the C types (capi.datatypes).
A function:      an instance of a real ``_CFuncPtr`` subclass, so argument types, results, ``errcheck`` and
                 parameter flags are ctypes' own work. Around it: arguments without a declared type fill a
                 whole 64-bit register, as the function may read all of it; what the program left out is 0;
                 text goes as UTF-16; an exception that could not cross the C frames is raised after them.
Last error:      GetLastError and WSAGetLastError read the thread's cell (errors). With ``use_last_error`` it
                 changes places with ctypes' private copy around each call, and ``get_last_error`` reads that.
Tracebacks:      frames of this module are taken out: on Windows a failing call shows the program's line last.
Sources:         the ctypes reference of the Python documentation.
Differences:     a program may leave out arguments and pass 64-bit numbers without a prototype; on Windows the
                 first gives garbage and the second ArgumentError.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Final

from .. import errors
from . import datatypes
from .datatypes import c_int, c_wchar_p
from .winerrors import without_own_frame

if TYPE_CHECKING:

    class _CFuncPtr(ctypes.c_void_p):
        _flags_: ClassVar[int]
        _restype_: ClassVar[Any]
        argtypes: Any
        restype: Any
        errcheck: Any
        __name__: str

        def __init__(self, *args: Any) -> None: ...
        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

else:
    from ctypes import _CFuncPtr

FUNCFLAG_STDCALL: Final = 0
FUNCFLAG_CDECL: Final = 1
FUNCFLAG_PYTHONAPI: Final = 4
FUNCFLAG_USE_ERRNO: Final = 8


class _PerThread(threading.local):
    last_error = 0  # ctypes' private copy
    exchanged = False  # the copy and the thread's cell have changed places, a call is under way


_this_thread = _PerThread()


def get_last_error() -> int:
    """ctypes' private copy of the last error, as calls with ``use_last_error`` leave it."""
    return _this_thread.last_error


def set_last_error(value: int) -> int:
    """Set ctypes' private copy and return its old value."""
    old = _this_thread.last_error
    _this_thread.last_error = ctypes.c_int32(value).value
    return old


def GetLastError() -> int:
    """The thread's last error.

    Source: https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-getlasterror
    """
    return ctypes.c_int32(errors.get_last_error()).value


def _exchange() -> None:
    mine = _this_thread.last_error
    _this_thread.last_error = ctypes.c_int32(errors.get_last_error()).value
    errors.set_last_error(mine)


def _exchange_back() -> None:
    if _this_thread.exchanged:
        _this_thread.exchanged = False
        _exchange()


# The type codes of integers that may leave the upper part of a register or stack slot undefined.
_SMALL: Final = frozenset("bBhHiIlL?")


def _text(text: str) -> bytes:
    return datatypes.encode(text) + b"\0\0"


class _Undeclared:
    """What stands for the type of a parameter for which the program declares none."""

    @staticmethod
    def from_param(arg: Any) -> Any:
        """Integers in full width, text as UTF-16, all else as ctypes takes it."""
        if arg is None or isinstance(arg, bytes):
            return arg
        if isinstance(arg, int):
            if not -(1 << 63) <= arg < 1 << 64:
                raise OverflowError("int too long to convert")
            return ctypes.c_int64(arg)
        if isinstance(arg, str):
            return _text(arg)
        if isinstance(arg, ctypes._SimpleCData):
            if type(arg)._type_ in _SMALL:  # type: ignore[attr-defined]  # every simple type has one
                return ctypes.c_int64(datatypes.raw_of(arg))
            return c_wchar_p(arg.value) if isinstance(arg, ctypes.c_wchar_p) else arg
        if hasattr(arg, "_as_parameter_"):
            return _Undeclared.from_param(arg._as_parameter_)
        if isinstance(arg, ctypes.Array) and arg._type_ is ctypes.c_wchar:
            raise TypeError("its characters have 4 bytes, make it with winsock2emu's create_unicode_buffer")
        return arg


class _AnyPointer:
    """What stands for a parameter declared ``c_void_p``, to which ctypes would give 4-byte text."""

    @staticmethod
    def from_param(arg: Any) -> Any:
        """Text as UTF-16, all else as ``c_void_p`` takes it."""
        return _text(arg) if isinstance(arg, str) else ctypes.c_void_p.from_param(arg)


# Programs that import the host's ctypes declare its c_wchar_p, whose text the C functions could not read.
_TWINS: Final[dict[Any, Any]] = {ctypes.c_wchar_p: c_wchar_p}


def _twin(kind: Any) -> Any:
    return _TWINS.get(kind, kind) if isinstance(kind, type) else kind


def _converters(declared: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(_AnyPointer if kind is ctypes.c_void_p else _twin(kind) for kind in declared)


_call = _CFuncPtr.__call__
_new: Callable[..., Any] = _CFuncPtr.__new__
_host_argtypes: Any
_host_restype: Any
_host_errcheck: Any
_host_argtypes, _host_restype, _host_errcheck = (
    vars(_CFuncPtr).get(name) for name in ("argtypes", "restype", "errcheck")
)


def _no_pending_exception() -> BaseException | None:
    return None  # no export table is loaded yet, so nothing can have parked one


class Function(_CFuncPtr):
    """A C function as a program calls it; subclasses carry a prototype or a library's defaults."""

    _flags_ = FUNCFLAG_STDCALL
    _restype_ = c_int

    # The program's argument types; what ctypes converts with are ours. None: it declares nothing.
    _declared: tuple[Any, ...] | None = None
    # How many parameters a library's function has; None where that is unknown.
    _parameters: int | None = None
    _take_pending_: Callable[[], BaseException | None] = staticmethod(_no_pending_exception)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._declared = vars(cls).get("_argtypes_", cls._declared)

    def __new__(cls, *args: Any) -> Any:
        """An address, a callable, or ``((name or ordinal, library), parameter flags)``."""
        if len(args) == 1 and callable(args[0]):
            return _new(cls, cls._callback(args[0]))
        function = _from_library(cls, *args) if args and isinstance(args[0], tuple) else _new(cls, *args)
        function._set_converters()
        return function

    @classmethod
    def _callback(cls, call: Callable[..., Any]) -> Callable[..., Any]:
        """``call``, or what C shall call so that ``call`` gets text for parameters of wide types."""
        converters = datatypes.converters(cls._declared or ())
        if not any(converters):
            return call

        def converted(*args: Any) -> Any:
            return call(*(arg if to is None else to(arg) for arg, to in zip(args, converters, strict=True)))

        return converted

    def _set_converters(self) -> None:
        if self._declared is not None:
            converters: tuple[Any, ...] | None = _converters(self._declared)
        else:
            converters = None if self._parameters is None else (_Undeclared,) * self._parameters
        if converters is not None or self._declared is not type(self)._declared:
            _host_argtypes.__set__(self, converters)

    @property
    def argtypes(self) -> Any:
        """The declared parameter types, None when there are none."""
        return self._declared

    @argtypes.setter
    def argtypes(self, declared: Any) -> None:
        if declared is not None:
            declared = tuple(declared)
            _host_argtypes.__set__(self, _converters(declared))  # refuses what is no type, before we keep it
        self._declared = declared
        self._set_converters()

    @argtypes.deleter
    def argtypes(self) -> None:
        self.argtypes = type(self)._declared

    @property
    def restype(self) -> Any:
        """The result type, or the callable that makes the result of an int."""
        return _host_restype.__get__(self)

    @restype.setter
    def restype(self, kind: Any) -> None:
        _host_restype.__set__(self, _twin(kind))

    @restype.deleter
    def restype(self) -> None:
        _host_restype.__delete__(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the C function."""
        if self._declared is None:
            wanted = self._parameters
            if wanted is None:
                args = tuple(map(_Undeclared.from_param, args))
            elif len(args) != wanted:
                args = args[:wanted] + (0,) * (wanted - len(args))
        try:
            result = _call(self, *args, **kwargs)
        except BaseException as failure:
            pending = self._take_pending_()
            if pending is None:
                without_own_frame(failure)
                raise
        else:
            pending = self._take_pending_()
            if pending is None:
                return result
        if isinstance(pending, KeyboardInterrupt):
            pending.__traceback__ = None  # it struck inside the emulator; the program sees its call interrupted
        try:
            raise pending
        except BaseException as failure:
            without_own_frame(failure)
            raise


class FunctionWithLastError(Function):
    """A function of a library, or with a prototype, made with ``use_last_error``."""

    _flags_ = FUNCFLAG_STDCALL
    _restype_ = c_int

    @classmethod
    def _callback(cls, call: Callable[..., Any]) -> Callable[..., Any]:
        inner = super()._callback(call)

        def exchanged(*args: Any) -> Any:
            _exchange()
            try:
                return inner(*args)
            finally:
                _exchange()

        return exchanged

    @property
    def errcheck(self) -> Any:
        """The program's check of a result; it finds the call's error in ``get_last_error``."""
        return vars(self).get("_program_errcheck")

    @errcheck.setter
    def errcheck(self, check: Any) -> None:
        if callable(check):

            def after_the_exchange(result: Any, function: Any, args: Any) -> Any:
                _exchange_back()
                try:
                    return check(result, function, args)
                except BaseException as failure:
                    without_own_frame(failure)
                    raise

            _host_errcheck.__set__(self, after_the_exchange)
        else:
            _host_errcheck.__set__(self, check)
        self._program_errcheck = check

    @errcheck.deleter
    def errcheck(self) -> None:
        _host_errcheck.__delete__(self)
        vars(self).pop("_program_errcheck", None)

    @property
    def restype(self) -> Any:
        """The result type, or the callable that makes the result of an int."""
        return vars(self).get("_program_restype", _host_restype.__get__(self))

    @restype.setter
    def restype(self, kind: Any) -> None:
        if kind is None or isinstance(kind, type) or not callable(kind):
            _host_restype.__set__(self, _twin(kind))
            vars(self).pop("_program_restype", None)
            return

        def after_the_exchange(result: int) -> Any:
            _exchange_back()
            try:
                return kind(result)
            except BaseException as failure:
                without_own_frame(failure)
                raise

        _host_restype.__set__(self, after_the_exchange)
        self._program_restype = kind

    @restype.deleter
    def restype(self) -> None:
        _host_restype.__delete__(self)
        vars(self).pop("_program_restype", None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the C function with the private last error in the thread's cell."""
        outer, _this_thread.exchanged = _this_thread.exchanged, True
        _exchange()
        try:
            return Function.__call__(self, *args, **kwargs)
        except BaseException as failure:
            without_own_frame(failure)
            raise
        finally:
            _exchange_back()
            _this_thread.exchanged = outer


# A function of the interpreter itself: ctypes attaches parameter flags only to what it looks up in a library.
_PLACEHOLDER: Final = ("Py_GetVersion", ctypes.pythonapi)


def _from_library(cls: type[Function], target: tuple[Any, ...], *flags: Any) -> Any:
    library = target[1] if len(target) == 2 else None
    if getattr(library, "_dll", None) is None:
        return _new(cls, target, *flags)  # the host's, or none at all
    found = library.look_up_(target[0])  # type: ignore[union-attr]  # has a _dll, so it is one of ours
    if flags and flags[0] is not None:
        function = _new(cls, _PLACEHOLDER, *flags)
        ctypes.c_void_p.from_address(ctypes.addressof(function)).value = found.address
    else:
        function = _new(cls, found.address)
    function._parameters = len(found.parameters)
    return function


_prototypes: dict[tuple[Any, ...], type[Function]] = {}


def _prototype(
    calling: int, restype: Any, argtypes: tuple[Any, ...], use_errno: bool, use_last_error: bool
) -> type[Function]:
    flags = calling | (FUNCFLAG_USE_ERRNO if use_errno else 0)
    base = FunctionWithLastError if use_last_error else Function
    restype, argtypes = _twin(restype), tuple(map(_twin, argtypes))
    key = (restype, argtypes, flags, base)
    made = _prototypes.get(key)
    if made is None:
        name = "CFunctionType" if calling & FUNCFLAG_CDECL else "WinFunctionType"
        made = type(name, (base,), {"_argtypes_": argtypes, "_restype_": restype, "_flags_": flags})
        _prototypes[key] = made
    return made


def WINFUNCTYPE(restype: Any, *argtypes: Any, use_errno: bool = False, use_last_error: bool = False) -> type[Function]:
    """A prototype of the calling convention of Windows' API: ``restype`` and the parameter types."""
    return _prototype(FUNCFLAG_STDCALL, restype, argtypes, use_errno, use_last_error)


def CFUNCTYPE(restype: Any, *argtypes: Any, use_errno: bool = False, use_last_error: bool = False) -> type[Function]:
    """A prototype of C's calling convention; on 64-bit Windows both are one."""
    return _prototype(FUNCFLAG_CDECL, restype, argtypes, use_errno, use_last_error)
