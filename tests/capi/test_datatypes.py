"""C types with Windows' sizes, and text in 16-bit units."""

from __future__ import annotations

import ctypes
import gc
import mmap
import pickle
from typing import Any

import pytest

from winsock2emu.capi import datatypes, wintypes
from winsock2emu.capi.datatypes import Structure, Union, c_wchar, c_wchar_p, create_unicode_buffer, wstring_at

EMOJI = "\U0001f600"


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, 4) for name in ("c_int", "c_uint", "c_long", "c_ulong", "c_int32", "c_uint32")),
        *((name, 8) for name in ("c_longlong", "c_ulonglong", "c_int64", "c_uint64", "c_time_t")),
        *((name, 8) for name in ("c_size_t", "c_ssize_t", "c_longdouble", "c_wchar_p")),
        ("c_wchar", 2),
    ],
)
def test_sizes_are_those_of_64_bit_windows(name: str, size: int) -> None:
    assert ctypes.sizeof(getattr(datatypes, name)) == size


def test_signs_and_names() -> None:
    """On Windows int and long are one type, and ctypes shows it as long."""
    assert datatypes.c_long(2**32 - 1).value == -1
    assert datatypes.c_ulong(-1).value == 2**32 - 1
    assert repr(datatypes.c_int(-3)) == "c_long(-3)"
    assert datatypes.c_int is datatypes.c_int32 is datatypes.c_long
    assert datatypes.c_longlong is not datatypes.c_long


def test_a_unicode_buffer_holds_text_and_its_nul() -> None:
    buffer = create_unicode_buffer("ab" + EMOJI)

    assert (len(buffer), ctypes.sizeof(buffer)) == (5, 10)
    assert ctypes.string_at(ctypes.addressof(buffer), 10) == b"a\0b\0=\xd8\0\xde\0\0"
    assert buffer.value == "ab" + EMOJI
    assert buffer[:2] == "ab"
    assert list(buffer)[:2] == ["a", "b"]
    assert buffer[-1] == "\0"


def test_a_unicode_buffer_is_cut_at_the_first_nul() -> None:
    buffer = create_unicode_buffer("something long", 20)

    buffer.value = "new"
    assert buffer.value == "new"
    assert buffer[4:9] == "thing"
    buffer[1] = "o"
    buffer[2:4] = "t!"
    assert buffer[:14] == "not!thing long"


def test_a_unicode_buffer_refuses_what_does_not_fit() -> None:
    buffer = create_unicode_buffer(2)

    buffer.value = "xy"
    assert buffer.value == "xy"
    with pytest.raises(ValueError, match="string too long"):
        buffer.value = "x" + EMOJI
    with pytest.raises(TypeError, match="unicode string expected instead of bytes instance"):
        buffer.value = b"x"
    with pytest.raises(TypeError, match="one character"):
        buffer[0] = EMOJI
    with pytest.raises(TypeError):
        create_unicode_buffer(b"x")  # type: ignore[arg-type]


def test_a_null_byte_inside_a_unit_ends_nothing() -> None:
    """U+0100 is 00 01 in memory: a NUL is two zero bytes on an even offset."""
    buffer = create_unicode_buffer("a\u0100\u0001\u0100z")

    assert buffer.value == "a\u0100\u0001\u0100z"
    assert wstring_at(buffer) == "a\u0100\u0001\u0100z"


def test_wstring_at_takes_addresses_pointers_and_arrays() -> None:
    buffer = create_unicode_buffer("hello")

    assert wstring_at(buffer) == "hello"
    assert wstring_at(ctypes.addressof(buffer), 3) == "hel"
    assert wstring_at(buffer, 6) == "hello\0"
    assert wstring_at(c_wchar_p("by pointer")) == "by pointer"
    assert wstring_at(ctypes.cast(buffer, c_wchar_p)) == "hello"
    with pytest.raises(ValueError, match="NULL"):
        wstring_at(None)


def test_reading_text_stops_at_the_end_of_its_page() -> None:
    """The NUL is the last unit of a mapping: reading beyond would fault."""
    with mmap.mmap(-1, mmap.PAGESIZE * 2) as pages:
        text = "x" * (mmap.PAGESIZE - 1)
        pages[:] = datatypes.encode(text) + b"\0\0"
        start = ctypes.c_char.from_buffer(pages)
        try:
            assert wstring_at(ctypes.addressof(start)) == text
        finally:
            del start


def test_a_character() -> None:
    character = c_wchar("\u00e9")

    assert character.value == "\u00e9"
    character.value = "z"
    assert repr(character) == "c_wchar('z')"
    assert c_wchar().value == "\0"
    for wrong in ("", "ab", EMOJI):
        with pytest.raises(TypeError, match="one character unicode string expected"):
            c_wchar(wrong)
    with pytest.raises(TypeError, match="instead of int"):
        c_wchar(5)  # type: ignore[arg-type]


def test_a_text_pointer() -> None:
    pointer = c_wchar_p("text")

    assert pointer.value == "text"
    assert ctypes.cast(pointer, ctypes.c_void_p).value
    pointer.value = None
    assert pointer.value is None
    assert repr(pointer) == "c_wchar_p(None)"
    buffer = create_unicode_buffer("there")
    pointer.value = ctypes.addressof(buffer)
    assert pointer.value == "there"
    with pytest.raises(TypeError, match="unicode string or integer address expected instead of bytes instance"):
        pointer.value = b"bytes"


class Person(Structure):
    _fields_ = [
        ("name", c_wchar * 6),
        ("initial", c_wchar),
        ("street", c_wchar_p),
        ("towns", c_wchar_p * 2),
    ]


def test_fields_read_and_write_text() -> None:
    person = Person("Ada", "A", "Long Lane")

    assert (person.name, person.initial, person.street) == ("Ada", "A", "Long Lane")
    assert person.towns[:] == [None, None]
    person.name = "Ada" + EMOJI
    person.towns[1] = "Rome"
    assert person.name == "Ada" + EMOJI
    assert list(person.towns) == [None, "Rome"]
    person.name = "six___"
    assert person.name == "six___"
    with pytest.raises(ValueError, match=r"string too long \(7, maximum length 6\)"):
        person.name = "seven__"
    with pytest.raises(TypeError):
        person.name = b"bytes"


def test_field_layout_is_windows() -> None:
    assert ctypes.sizeof(Person) == 40
    assert (Person.name.offset, Person.name.size) == (0, 12)
    assert (Person.initial.offset, Person.street.offset) == (12, 16)


def test_text_lives_as_long_as_the_record_that_points_to_it() -> None:
    """The record object of an array item is gone at once; the text must not go with it."""
    people = (Person * 2)()
    pointer = c_wchar_p("assigned as a pointer")
    people[0].street = "assigned as text"
    people[1].street = pointer
    people[1].towns[0] = pointer
    del pointer
    gc.collect()
    noise = [create_unicode_buffer("noise" * 8) for _ in range(50)]

    assert people[0].street == "assigned as text"
    assert people[1].street == "assigned as a pointer"
    assert people[1].towns[0] == "assigned as a pointer"
    del noise


def test_fields_of_an_anonymous_member_read_as_text_on_both_levels() -> None:
    class Inner(Structure):
        _fields_ = [("text", c_wchar * 2)]

    class Outer(Structure):
        _anonymous_ = ["inner"]
        _fields_ = [("number", datatypes.c_ulong), ("inner", Inner)]

    outer = Outer()
    outer.text = "xy"  # type: ignore[attr-defined]

    assert outer.text == outer.inner.text == "xy"  # type: ignore[attr-defined]
    assert Outer.text.offset == 4  # type: ignore[attr-defined]


def test_a_union_reads_as_text() -> None:
    class Both(Union):
        _fields_ = [("text", c_wchar * 4), ("number", datatypes.c_ulonglong)]

    assert Both(number=0x0041_0042).text == "BA"
    assert Both("z").number == ord("z")


def test_arrays_of_characters_are_one_type_for_each_length() -> None:
    kind: Any = c_wchar * 3

    assert c_wchar * 3 is kind
    assert 3 * c_wchar is kind
    assert issubclass(kind, ctypes.Array)
    assert kind("a", "b", "c").value == "abc"


def test_pointers_to_characters_read_as_text() -> None:
    pointer: Any = ctypes.pointer(c_wchar("x"))
    assert pointer[0] == "x"
    pointer[0] = "y"
    assert pointer.contents.value == "y"
    buffer = create_unicode_buffer("many")
    assert ctypes.cast(buffer, ctypes.POINTER(c_wchar))[:4] == "many"  # type: ignore[comparison-overlap]
    out: Any = ctypes.pointer(c_wchar_p())
    out[0] = "stored"
    assert out[0] == "stored"


def test_types_survive_pickling() -> None:
    """multiprocessing sends them."""
    assert pickle.loads(pickle.dumps(c_wchar("a"))).value == "a"
    assert pickle.loads(pickle.dumps(wintypes.POINT(1, 2))).y == 2
    assert pickle.loads(pickle.dumps(datatypes.c_long)) is datatypes.c_long


def test_casting_text() -> None:
    assert datatypes.cast("text", c_wchar_p).value == "text"
