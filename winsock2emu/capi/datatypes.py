"""ctypes' C types with the sizes they have on 64-bit Windows.

Part played:     what ``ctypes.c_long``, ``c_wchar``, ``c_wchar_p``, ``Structure``,
                 ``create_unicode_buffer`` are to a program on Windows: 32-bit longs, 16-bit characters,
                 UTF-16 text.
Lives here:      the types that a 64-bit POSIX host makes larger, and what ctypes does by itself only for
                 its own wide characters: arrays, pointers and record fields that read as ``str``.
Lives elsewhere: the typedefs built from them (capi.wintypes); library and function objects (capi.loader);
                 the module ``ctypes`` that a program imports (cli.masks).
Names:           as on Windows: ``c_int`` is a second name of ``c_long``, ``c_longlong`` a type of its own.
Limits:          a callback cannot return ``c_wchar_p``; a big-endian structure cannot hold wide characters.
Sources:         the ctypes reference of the Python documentation; _ctypes' behaviour on Windows.
"""

from __future__ import annotations

import ctypes
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from _ctypes import _CData
    from _ctypes import _PyCSimpleType as _SimpleMeta
    from _ctypes import _PyCStructType as _StructMeta
    from _ctypes import _UnionType as _UnionMeta

    _IntegerData = ctypes._SimpleCData[int]

    class _SimpleCData(_CData, metaclass=_SimpleMeta):
        _type_: ClassVar[Any]
        value: Any

        def __init__(self, value: Any = 0) -> None: ...

    class _Array(_SimpleCData):
        def __len__(self) -> int: ...
        def __getitem__(self, index: Any) -> Any: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...

    _cast: Any
    _Pointer = _Array
else:
    from ctypes import Array as _Array
    from ctypes import _Pointer, _SimpleCData

    _IntegerData = _SimpleCData
    _cast = ctypes.cast

    # The metaclasses of ctypes have no public names.
    _SimpleMeta = type(_SimpleCData)
    _StructMeta = type(ctypes.Structure)
    _UnionMeta = type(ctypes.Union)

_PAGE: Final = 4096  # no supported host has smaller pages: a read that stays inside one cannot fault half-way


class c_long(_IntegerData):
    """A 32-bit signed integer, as LONG, BOOL and int are on Windows."""

    _type_ = "i"


class c_ulong(_IntegerData):
    """A 32-bit unsigned integer, as DWORD and ULONG are on Windows."""

    _type_ = "I"


class c_longlong(_IntegerData):
    """A 64-bit signed integer; ``long long``, where POSIX ctypes says ``long``."""

    _type_ = "q"


class c_ulonglong(_IntegerData):
    """A 64-bit unsigned integer, also SOCKET and SIZE_T on 64-bit Windows."""

    _type_ = "Q"


c_int = c_int32 = c_long
c_uint = c_uint32 = c_ulong
c_int64 = c_ssize_t = c_time_t = c_longlong
c_uint64 = c_size_t = c_ulonglong
c_longdouble = ctypes.c_double  # the Microsoft compiler's long double is a double


def encode(text: str) -> bytes:
    """UTF-16 as Windows stores it: little-endian, lone surrogates kept, no terminator."""
    return text.encode("utf-16-le", "surrogatepass")


def decode(raw: bytes) -> str:
    """The inverse of `encode`."""
    return raw.decode("utf-16-le", "surrogatepass")


def _until_nul(raw: bytes) -> bytes:
    at = raw.find(b"\0\0")
    while at >= 0 and at % 2:
        at = raw.find(b"\0\0", at + 1)
    return raw if at < 0 else raw[:at]


def wstring_at(ptr: Any, size: int = -1) -> str:
    """The UTF-16 text at an address, pointer or array: ``size`` units of it, or up to the NUL."""
    if isinstance(ptr, str):
        return ptr if size < 0 else ptr[:size]
    if size >= 0:
        return decode(ctypes.string_at(ptr, size * 2))
    address = ctypes.cast(ptr, ctypes.c_void_p).value
    if address is None:
        raise ValueError("NULL pointer access")
    raw = b""
    while True:
        room = _PAGE - (address + len(raw)) % _PAGE
        more = ctypes.string_at(address + len(raw), room)
        raw += more
        text = _until_nul(raw)
        if len(text) < len(raw):
            return decode(text)


def _text_type_error(value: object) -> TypeError:
    return TypeError(f"unicode string expected instead of {type(value).__name__} instance")


def _unit_of(value: object) -> int:
    """The code unit of a one-character string."""
    if isinstance(value, c_wchar):
        value = value.value
    if not isinstance(value, str):
        raise _text_type_error(value)
    if len(raw := encode(value)) != 2:
        raise TypeError("one character unicode string expected")
    return int.from_bytes(raw, "little")


class _WideMeta(_SimpleMeta):
    """Metaclass of the wide types: multiplying one makes an array that reads and writes ``str``."""

    def __mul__(cls, length: int) -> Any:
        return _array_type(cls, length)

    __rmul__ = __mul__


class c_wchar(_SimpleCData, metaclass=_WideMeta):
    """One UTF-16 code unit, 2 bytes; its value is a ``str`` of length one."""

    _type_ = "H"

    def __init__(self, value: str = "\0") -> None:
        _set_raw(self, _unit_of(value))

    @property
    def value(self) -> str:
        """The character."""
        return decode(int(raw_of(self)).to_bytes(2, "little"))

    @value.setter
    def value(self, text: str) -> None:
        _set_raw(self, _unit_of(text))

    @classmethod
    def from_param(cls, value: Any) -> Any:
        """Accept what a parameter of this type accepts."""
        if isinstance(value, cls):
            return value
        if hasattr(value, "_as_parameter_"):
            return cls.from_param(value._as_parameter_)
        return cls(value)

    @staticmethod
    def _check_retval_(unit: int) -> str:
        return decode(int(unit & 0xFFFF).to_bytes(2, "little"))

    def __repr__(self) -> str:
        return f"c_wchar({self.value!r})"


class c_wchar_p(_SimpleCData, metaclass=_WideMeta):
    """A pointer to NUL-terminated UTF-16 text; its value is a ``str`` or None."""

    _type_ = "P"

    def __init__(self, value: str | int | None = None) -> None:
        self.value = value

    @property
    def value(self) -> Any:
        """The text up to the NUL, None for NULL. A string that is set lives as long as this object."""
        return text_at(raw_of(self))

    @value.setter
    def value(self, text: Any) -> None:
        if text is None or isinstance(text, int):
            self._text = None
            _set_raw(self, text)
        elif isinstance(text, str):
            self._text = _text_buffer(text)
            _set_raw(self, ctypes.addressof(self._text))
        else:
            kind = type(text).__name__
            raise TypeError(f"unicode string or integer address expected instead of {kind} instance")

    @property
    def _as_parameter_(self) -> Any:
        return ctypes.c_void_p(raw_of(self))  # where any pointer will do, as for c_void_p

    @staticmethod
    def _check_retval_(address: int | None) -> str | None:
        return text_at(address)

    def __repr__(self) -> str:
        return f"c_wchar_p({text_at(raw_of(self))!r})"

    _text: Any = None  # the buffer behind a string that was set here


def _from_param(cls: Any, value: Any) -> Any:
    """What a ``c_wchar_p`` parameter accepts: text, None, wide arrays, pointers and references."""
    if value is None or isinstance(value, cls):
        return value
    if isinstance(value, str):
        return cls(value)
    if isinstance(value, ctypes.c_wchar_p):
        return cls(value.value)
    if isinstance(value, ctypes.Array | ctypes._Pointer) and issubclass(value._type_, c_wchar):
        return value
    if isinstance(getattr(value, "_obj", None), c_wchar | WideArray):  # byref()
        return value
    if hasattr(value, "_as_parameter_"):
        return _from_param(cls, value._as_parameter_)
    hint = ""
    if isinstance(value, ctypes.Array) and value._type_ is ctypes.c_wchar:
        hint = ": its characters have 4 bytes, make it with winsock2emu's create_unicode_buffer"
    raise TypeError(f"wrong type{hint}")


# ctypes puts a from_param of its own into every class of a pointer type, after the class body has run.
setattr(c_wchar_p, "from_param", classmethod(_from_param))  # noqa: B010  # a new kind of attribute to mypy

raw_of: Callable[[Any], Any] = _SimpleCData.value.__get__
_set_raw: Callable[[Any, Any], None] = _SimpleCData.value.__set__


def text_at(address: int | None) -> str | None:
    """The NUL-terminated UTF-16 text at an address, None for NULL."""
    return wstring_at(address) if address else None


def _text_buffer(text: str) -> Any:
    raw = encode(text) + b"\0\0"
    return (ctypes.c_uint16 * (len(raw) // 2)).from_buffer_copy(raw)


def _pointer_to(value: Any) -> Any:
    """A ``c_wchar_p`` that ctypes can store in memory while it keeps the text alive."""
    if isinstance(value, str):
        return _cast(_text_buffer(value), c_wchar_p)
    if isinstance(value, c_wchar_p) and value._text is not None:
        return _cast(value._text, c_wchar_p)
    if value is None or isinstance(value, int):
        return c_wchar_p(value)
    if not isinstance(value, c_wchar_p):
        kind = type(value).__name__
        raise TypeError(f"unicode string or integer address expected instead of {kind} instance")
    return value


def _from_memory(kind: Any, raw: Any) -> Any:
    """What ctypes read for a wide type, as a program sees it."""
    if issubclass(kind, c_wchar):
        return decode(raw.to_bytes(2, "little"))
    return text_at(raw)


def _to_memory(kind: Any, value: Any) -> Any:
    return _unit_of(value) if issubclass(kind, c_wchar) else _pointer_to(value)


def converters(argtypes: Iterable[Any]) -> list[Callable[[Any], Any] | None]:
    """For each parameter of a callback: what makes the program's value of ctypes' raw one, or None."""
    return [partial(_from_memory, kind) if kind in (c_wchar, c_wchar_p) else None for kind in argtypes]


class WideArray(_Array):
    """What every array of a wide type is."""

    _type_: ClassVar[Any] = ctypes.c_uint16
    _length_ = 0

    def __getitem__(self, index: Any) -> Any:
        got = super().__getitem__(index)
        if not isinstance(index, slice):
            return _from_memory(self._type_, got)
        items = [_from_memory(self._type_, raw) for raw in got]
        return "".join(items) if issubclass(self._type_, c_wchar) else items

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            super().__setitem__(index, [_to_memory(self._type_, item) for item in value])
        else:
            super().__setitem__(index, _to_memory(self._type_, value))

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))


class _CharacterArray(WideArray):
    """An array of ``c_wchar``: has a value, the text up to its first NUL."""

    @property
    def value(self) -> str:
        """The text up to the first NUL."""
        return decode(_until_nul(ctypes.string_at(ctypes.addressof(self), ctypes.sizeof(self))))

    @value.setter
    def value(self, text: str) -> None:
        if not isinstance(text, str):
            raise _text_type_error(text)
        raw, room = encode(text), ctypes.sizeof(self)
        if len(raw) > room:
            raise ValueError("string too long")
        if len(raw) < room:
            raw += b"\0\0"
        ctypes.memmove(ctypes.addressof(self), raw, len(raw))


_array_types: dict[tuple[Any, int], Any] = {}


def _array_type(kind: Any, length: int) -> Any:
    made = _array_types.get((kind, length))
    if made is None:
        base = _CharacterArray if issubclass(kind, c_wchar) else WideArray
        namespace = {"_type_": kind, "_length_": length, "__module__": kind.__module__}
        made = types.new_class(f"{kind.__name__}_Array_{length}", (base,), exec_body=lambda ns: ns.update(namespace))
        _array_types[kind, length] = made
    return made


class _WidePointer(_Pointer):
    """What every pointer to a wide type is: indexing it gives text."""

    _type_: ClassVar[Any] = ctypes.c_uint16

    def __getitem__(self, index: Any) -> Any:
        got = super().__getitem__(index)
        if not isinstance(index, slice):
            return _from_memory(self._type_, got)
        items = [_from_memory(self._type_, raw) for raw in got]
        return "".join(items) if issubclass(self._type_, c_wchar) else items

    def __setitem__(self, index: int, value: Any) -> None:
        super().__setitem__(index, _to_memory(self._type_, value))


class LP_c_wchar(_WidePointer):
    """POINTER(c_wchar)."""

    _type_ = c_wchar


class LP_c_wchar_p(_WidePointer):
    """POINTER(c_wchar_p)."""

    _type_ = c_wchar_p


# POINTER() looks here first: pointers to our own types are ours in every view of ctypes.
_pointer_types: Any = vars(ctypes)["_pointer_type_cache"]
_pointer_types[c_wchar] = LP_c_wchar
_pointer_types[c_wchar_p] = LP_c_wchar_p


class WideField:
    """The descriptor of a record's field that holds wide text; in the place of ctypes' own."""

    def __init__(self, host: Any, kind: Any) -> None:
        self.host = host
        self.kind = kind
        self.offset: int = host.offset
        self.size: int = host.size

    def __repr__(self) -> str:
        return repr(self.host)

    def __get__(self, record: Any, owner: Any = None) -> Any:
        if record is None:
            return self
        raw = self.host.__get__(record, owner)
        return raw.value if issubclass(self.kind, _CharacterArray) else _from_memory(self.kind, raw)

    def __set__(self, record: Any, value: Any) -> None:
        if not issubclass(self.kind, _CharacterArray):
            self.host.__set__(record, _to_memory(self.kind, value))
        elif isinstance(value, str):
            units, room = len(encode(value)) // 2, self.size // 2
            if units > room:
                raise ValueError(f"string too long ({units}, maximum length {room})")
            self.host.__get__(record, None).value = value
        elif isinstance(value, self.kind):
            self.host.__set__(record, value)
        else:
            raise _text_type_error(value)


def _is_wide(kind: Any) -> bool:
    return isinstance(kind, type) and (kind in (c_wchar, c_wchar_p) or issubclass(kind, _CharacterArray))


def _set_fields(cls: Any, set_attribute: Callable[[str, Any], None], fields: Any) -> None:
    """Let ctypes lay out ``fields``, then put our descriptors where the text is."""
    kinds = {field[0]: field[1] for field in fields}
    # ctypes copies the fields of an anonymous member and wants to find its own descriptors there.
    borrowed = [kinds[name] for name in getattr(cls, "_anonymous_", ()) if name in kinds]
    inherited: dict[str, WideField] = {}
    for kind in borrowed:
        inherited.update((name, field) for name, field in vars(kind).items() if isinstance(field, WideField))
        for name, field in list(vars(kind).items()):
            if isinstance(field, WideField):
                setattr(kind, name, field.host)
    try:
        set_attribute("_fields_", fields)
    finally:
        for kind in borrowed:
            for name in list(vars(kind)):
                if name in inherited:
                    setattr(kind, name, inherited[name])
    wide = {name: kind for name, kind in kinds.items() if _is_wide(kind)}
    wide.update((name, field.kind) for name, field in inherited.items())
    for name, kind in wide.items():
        setattr(cls, name, WideField(vars(cls)[name], kind))


class _WindowsStructMeta(_StructMeta):
    def __setattr__(cls, name: str, value: Any) -> None:
        if name == "_fields_":
            _set_fields(cls, super().__setattr__, value)
        else:
            super().__setattr__(name, value)


class _WindowsUnionMeta(_UnionMeta):
    def __setattr__(cls, name: str, value: Any) -> None:
        if name == "_fields_":
            _set_fields(cls, super().__setattr__, value)
        else:
            super().__setattr__(name, value)


class Structure(ctypes.Structure, metaclass=_WindowsStructMeta):
    """ctypes.Structure whose fields of wide types read and write ``str``."""


class Union(ctypes.Union, metaclass=_WindowsUnionMeta):
    """ctypes.Union whose fields of wide types read and write ``str``."""


def create_unicode_buffer(init: str | int, size: int | None = None) -> Any:
    """A writable array of UTF-16 units.

    Args:
        init: the text, or the number of units.
        size: the number of units with a text; None leaves room for the text and a NUL.
    """
    if isinstance(init, str):
        if size is None:
            size = len(encode(init)) // 2 + 1
        sys.audit("ctypes.create_unicode_buffer", init, size)
        buffer = _array_type(c_wchar, size)()
        buffer.value = init
        return buffer
    if isinstance(init, int):
        sys.audit("ctypes.create_unicode_buffer", init, None)
        return _array_type(c_wchar, init)()
    raise TypeError(init)


def cast(obj: Any, typ: Any) -> Any:
    """ctypes.cast, with text as UTF-16."""
    return _cast(c_wchar_p(obj)._text if isinstance(obj, str) else obj, typ)
