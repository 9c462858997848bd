"""The records of the Winsock headers as ctypes classes, laid out as on 64-bit Windows.

Part played:     the ``struct`` and ``union`` declarations a Windows program compiles against.
Lives here:      the step from a measured layout to a ctypes class with exactly that size, alignment and
                 offsets.
Lives elsewhere: the measured layouts (defs.layouts); reading and writing memory without classes
                 (capi.memory).
Speed:           a class is made when it is first asked for (`structs.WSABUF` or `record("WSABUF")`); a
                 program that brings its own structures pays for none of them.
Types:           fixed-size ones only. On a 64-bit POSIX host ``c_long`` has 8 bytes and ``c_wchar`` 4, on
                 Windows 4 and 2; a WCHAR array is therefore an array of ``c_uint16``, a pointer of whatever
                 kind ``c_void_p``.
Sources:         the layouts were measured with a compiler; the headers' own names are kept.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from typing import Any, Final

from ..defs.layouts import ALIASES, LAYOUTS, Field, Layout

Record = type[ctypes.Structure] | type[ctypes.Union]

_SIGNED: Final[dict[int, type[Any]]] = {
    1: ctypes.c_int8,
    2: ctypes.c_int16,
    4: ctypes.c_int32,
    8: ctypes.c_int64,
}
_UNSIGNED: Final[dict[int, type[Any]]] = {
    1: ctypes.c_uint8,
    2: ctypes.c_uint16,
    4: ctypes.c_uint32,
    8: ctypes.c_uint64,
}
# Records without a layout here that stand inside others, where plain bytes would not align.
_FOREIGN: Final[dict[str, type[Any]]] = {"LARGE_INTEGER": ctypes.c_int64}

_made: dict[str, Record] = {}
_making = threading.RLock()  # a record asks for the records inside it


def record(name: str) -> Record:
    """The class of a record, by its header name or by one of its second names.

    Raises:
        KeyError: no Winsock header declares that record.
    """
    name = ALIASES.get(name, name)
    made = _made.get(name)
    if made is None:
        layout = LAYOUTS[name]
        with _making:
            made = _made.get(name)
            if made is None:
                made = _made[name] = _compose(name, layout)
    return made


def names() -> tuple[str, ...]:
    """Every name `record` knows, second names included."""
    return (*LAYOUTS, *ALIASES)


def __getattr__(name: str) -> Any:
    try:
        return record(name)
    except KeyError:
        raise AttributeError(f"no Winsock header declares a record {name!r}") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *names()})


def _compose(name: str, layout: Layout) -> Record:
    cls = _record(name, layout.fields, 0, layout.size, layout.align)
    if (ctypes.sizeof(cls), ctypes.alignment(cls)) != (layout.size, layout.align):
        found = f"{ctypes.sizeof(cls)} bytes aligned to {ctypes.alignment(cls)}"
        raise AssertionError(f"{name}: {found}, not {layout.size} to {layout.align}")
    return cls


def _record(name: str, fields: Sequence[Field], base: int, size: int, align: int | None) -> Record:
    """A class for ``fields``, whose offsets count from ``base`` bytes before it; ``align`` None: natural."""
    members, inner = _split_paths(fields)
    if len(members) > 1 and all(field.offset == base and field.kind != "bitfield" for field in members):
        parts = [(field.name, _type(field, inner)) for field in members]
        return type(name, (ctypes.Union,), {"_fields_": parts})
    return _structure(name, members, inner, base, size, align)


def _structure(
    name: str,
    members: Sequence[Field],
    inner: dict[str, list[Field]],
    base: int,
    size: int,
    align: int | None,
) -> type[ctypes.Structure]:
    """A structure with explicit fill bytes; members that overlap go into an unnamed union."""
    parts: list[tuple[Any, ...]] = []
    anonymous: list[str] = []
    packed = align == 1
    position = base
    for cluster in _clusters(members):
        first = cluster[0]
        if len(cluster) == 1 and first.kind == "bitfield":
            parts.append((first.name, _UNSIGNED[first.size], first.bits))
            position = first.offset + first.size
            continue
        if len(cluster) == 1:
            kind = _type(first, inner)
            label, end = first.name, first.offset + first.size
        else:
            end = max(field.offset + field.size for field in cluster)
            kind = _overlay(f"{name}_at_{first.offset}", cluster, inner, end - first.offset)
            label = f"_at_{first.offset}"
            anonymous.append(label)
        natural = 1 if packed else ctypes.alignment(kind)
        gap = first.offset - (position + -(position - base) % natural)
        if gap:
            parts.append((f"_fill_{position}", ctypes.c_uint8 * (first.offset - position)))
        parts.append((label, kind))
        position = end
    natural = 1 if packed else max((ctypes.alignment(part[1]) for part in parts), default=1)
    if position + -(position - base) % natural != base + size:
        parts.append((f"_fill_{position}", ctypes.c_uint8 * (base + size - position)))
    body: dict[str, Any] = {"_anonymous_": tuple(anonymous), "_fields_": parts}
    if packed:
        body = {"_pack_": 1, "_layout_": "ms", **body}
    return type(name, (ctypes.Structure,), body)


def _overlay(name: str, cluster: Sequence[Field], inner: dict[str, list[Field]], size: int) -> type[ctypes.Union]:
    """The unnamed union behind overlapping members; each run without an overlap is an alternative."""
    base = cluster[0].offset
    runs: list[list[Field]] = []
    end = 0
    for field in cluster:
        start = _first_bit(field)
        if not runs or start < end:
            runs.append([])
        runs[-1].append(field)
        end = start + _bits(field)
    parts: list[tuple[str, Any]] = []
    anonymous: list[str] = []
    for number, run in enumerate(runs):
        if len(run) == 1 and run[0].offset == base and run[0].kind != "bitfield":
            parts.append((run[0].name, _type(run[0], inner)))
            continue
        length = run[-1].offset + run[-1].size - base
        anonymous.append(f"_way_{number}")
        parts.append((anonymous[-1], _structure(f"{name}_{number}", run, inner, base, length, None)))
    return type(name, (ctypes.Union,), {"_anonymous_": tuple(anonymous), "_fields_": parts})


def _clusters(members: Sequence[Field]) -> list[list[Field]]:
    """Members in header order, grouped where they share bytes."""
    clusters: list[list[Field]] = []
    ends: list[int] = []
    for field in members:
        cluster, end = [field], _first_bit(field) + _bits(field)
        while ends and _first_bit(field) < ends[-1]:
            cluster, end = clusters.pop() + cluster, max(end, ends.pop())
        clusters.append(cluster)
        ends.append(end)
    return clusters


def _first_bit(field: Field) -> int:
    return field.offset * 8 + field.bit_offset


def _bits(field: Field) -> int:
    return field.bits or field.size * 8


def _split_paths(fields: Sequence[Field]) -> tuple[list[Field], dict[str, list[Field]]]:
    """The members themselves, and by member name the members of its unnamed record (path cut off)."""
    members: list[Field] = []
    inner: dict[str, list[Field]] = {}
    for field in fields:
        head, dot, rest = field.name.partition(".")
        if dot:
            cut = Field(
                rest,
                field.kind,
                field.ctype,
                field.offset,
                field.size,
                field.count,
                field.elem,
                field.bits,
                field.bit_offset,
            )
            inner.setdefault(head, []).append(cut)
        else:
            members.append(field)
    return members, inner


def _type(field: Field, inner: dict[str, list[Field]]) -> type[Any]:
    kind = field.kind
    if kind in ("int", "enum"):
        return _SIGNED[field.size]
    if kind == "uint":
        return _UNSIGNED[field.size]
    if kind in ("pointer", "function_pointer"):
        return ctypes.c_void_p
    if kind == "array":
        array: type[Any] = _element(field) * field.count
        return array
    if field.name in inner:
        return _record(field.name, inner[field.name], field.offset, field.size, None)
    return _named(field.ctype, field.size)


def _element(field: Field) -> type[Any]:
    size = field.size // field.count if field.count else 0
    ctype = field.ctype.partition("[")[0]
    if field.elem in ("struct", "union"):
        return _named(ctype, size)
    if not size:  # an array without a length, at the end of a record
        size = {"wchar_t": 2, "WCHAR": 2}.get(ctype, 1)
    if ctype in ("char", "CHAR"):
        return ctypes.c_char
    return _SIGNED[size] if field.elem in ("int", "enum") else _UNSIGNED[size]


def _named(ctype: str, size: int) -> type[Any]:
    name = ctype.removeprefix("struct ").removeprefix("union ")
    if name in _FOREIGN:
        return _FOREIGN[name]
    if ALIASES.get(name, name) in LAYOUTS:
        return record(name)
    return ctypes.c_uint8 * size  # declared in other headers: its bytes, to keep its place
