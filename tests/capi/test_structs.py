"""The ctypes records have exactly the layout that a compiler for 64-bit Windows gives them."""

from __future__ import annotations

import ctypes
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.reference import reference
from winsock2emu.capi import structs

MEASURED: dict[str, Any] = json.loads(reference("structs.json").read_text(encoding="utf-8"))
RECORDS: dict[str, Any] = MEASURED["structs"]


def members(cls: type[Any]) -> Iterator[tuple[str, type[Any]]]:
    """Name and type of every member, those of unnamed inner records included."""
    for name, kind, *_ in cls._fields_:
        yield name, kind
        if name in getattr(cls, "_anonymous_", ()):
            yield from members(kind)


def place(cls: type[Any], path: str, base: int = 0) -> tuple[int, int]:
    """Offset and size of a member; ``path`` leads through named inner records."""
    head, _, rest = path.partition(".")
    field = getattr(cls, head)
    if not rest:
        return base + field.offset, field.size
    return place(dict(members(cls))[head], rest, base + field.offset)


def test_the_reference_has_all_records() -> None:
    """Guards the tests below: they would pass on an empty reference."""
    assert len(RECORDS) == 156
    assert sum(len(record["fields"]) for record in RECORDS.values()) == 984


@pytest.mark.parametrize("name", RECORDS)
def test_layout_is_the_measured_one(name: str) -> None:
    cls = structs.record(name)
    measured = RECORDS[name]

    assert ctypes.sizeof(cls) == measured["win64"]["sizeof"]
    assert ctypes.alignment(cls) == measured["win64"]["alignof"]
    for field in measured["fields"]:
        if field["kind"] != "bitfield":
            assert place(cls, field["name"]) == tuple(field["win64"]), field["name"]


def test_bit_fields_share_the_word_of_the_scope_id() -> None:
    """SCOPE_ID has the only bit fields: 28 bits of zone, then 4 of level, over the value."""
    scope = structs.SCOPE_ID()

    scope.Value = 0xA1234567

    assert (scope.Zone, scope.Level) == (0x1234567, 0xA)


def test_no_bit_field_is_left_out() -> None:
    """The loop over the layouts skips bit fields; the test above has them."""
    found = [(name, f["name"]) for name, r in RECORDS.items() for f in r["fields"] if f["kind"] == "bitfield"]

    assert found == [("SCOPE_ID", "Zone"), ("SCOPE_ID", "Level")]


@pytest.mark.parametrize("alias", MEASURED["aliases"])
def test_second_names_mean_the_same_record(alias: str) -> None:
    assert structs.record(alias) is structs.record(MEASURED["aliases"][alias])


def test_members_of_unnamed_unions_overlap() -> None:
    """OVERLAPPED: Pointer lies over Offset and OffsetHigh."""
    overlapped = structs.WSAOVERLAPPED()

    overlapped.Offset, overlapped.OffsetHigh = 0x11111111, 0x22222222

    assert overlapped.Pointer == 0x2222222211111111


def test_members_of_inner_records_have_their_path() -> None:
    address = structs.sockaddr_in()

    address.sin_addr.S_un.S_addr = 0x0100007F

    parts = address.sin_addr.S_un.S_un_b
    assert (parts.s_b1, parts.s_b2, parts.s_b3, parts.s_b4) == (127, 0, 0, 1)


def test_wide_characters_have_two_bytes() -> None:
    name = structs.WSAPROTOCOL_INFOW().szProtocol

    assert (len(name), ctypes.sizeof(name)) == (256, 512)


def test_a_record_is_a_module_attribute() -> None:
    assert structs.WSABUF is structs.record("WSABUF")
    assert {"WSABUF", "OVERLAPPED", "WSAOVERLAPPED"} <= set(dir(structs))


def test_an_unknown_record_is_refused() -> None:
    with pytest.raises(KeyError):
        structs.record("WSANOSUCHRECORD")
    with pytest.raises(AttributeError, match="WSANOSUCHRECORD"):
        _ = structs.WSANOSUCHRECORD


def test_threads_get_the_same_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two classes for one record would not be interchangeable in a prototype."""
    monkeypatch.setattr(structs, "_made", {})
    gate = threading.Barrier(4)
    found: list[Any] = []

    def ask() -> None:
        gate.wait(10)
        found.append(structs.record("WSAQUERYSETW"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(found) == 4
    assert len(set(map(id, found))) == 1
