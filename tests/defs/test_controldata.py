"""Control data: sizes as a compiler has them, and what malformed data is."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winsock2emu.defs.controldata import (
    WSA_CMSG_DATA,
    WSA_CMSG_FIRSTHDR,
    WSA_CMSG_LEN,
    WSA_CMSG_NXTHDR,
    WSA_CMSG_SPACE,
    ControlMessage,
    control_data,
    control_messages,
)

SMALL = ControlMessage(0, 21, b"\x07\0\0\0")
LARGE = ControlMessage(41, 19, bytes(range(20)))
BOTH = (
    b"\x14\0\0\0\0\0\0\0" b"\0\0\0\0" b"\x15\0\0\0" b"\x07\0\0\0" b"\0\0\0\0"
    b"\x24\0\0\0\0\0\0\0" b"\x29\0\0\0" b"\x13\0\0\0" + bytes(range(20)) + b"\0\0\0\0"
)  # fmt: skip


def test_the_header_is_the_one_of_the_headers(reference: Callable[[str], Path]) -> None:
    measured = json.loads(reference("structs.json").read_text(encoding="utf-8"))["structs"]["WSACMSGHDR"]
    offsets = {field["name"]: tuple(field["win64"]) for field in measured["fields"]}

    assert measured["win64"] == {"sizeof": WSA_CMSG_LEN(0), "alignof": 8}
    assert offsets == {"cmsg_len": (0, 8), "cmsg_level": (8, 4), "cmsg_type": (12, 4)}
    assert struct.unpack_from("<Qii", control_data([LARGE])) == (36, 41, 19)


@pytest.mark.parametrize(
    ("size", "length", "space"), [(0, 16, 16), (1, 17, 24), (4, 20, 24), (8, 24, 24), (20, 36, 40)]
)
def test_sizes_are_those_of_the_macros(size: int, length: int, space: int) -> None:
    """Header and data, and the same up to a multiple of 8."""
    assert (WSA_CMSG_LEN(size), WSA_CMSG_SPACE(size)) == (length, space)


def test_two_objects_in_memory() -> None:
    assert control_data([SMALL, LARGE]) == BOTH
    assert control_messages(BOTH) == [SMALL, LARGE]


def test_walking_by_offsets() -> None:
    """As the macros walk by pointers; what is shorter than a header is no object."""
    assert (WSA_CMSG_FIRSTHDR(BOTH), WSA_CMSG_NXTHDR(BOTH, None)) == (0, 0)
    assert WSA_CMSG_NXTHDR(BOTH, 0) == 24
    assert WSA_CMSG_NXTHDR(BOTH, 24) is None
    assert WSA_CMSG_DATA(BOTH, 24) == LARGE.data
    assert WSA_CMSG_FIRSTHDR(BOTH[:15]) is None
    assert WSA_CMSG_NXTHDR(BOTH[:39], 0) is None


def test_nothing_holds_nothing() -> None:
    assert control_data([]) == b""
    assert control_messages(b"") == []


def test_the_fill_after_the_last_object_may_be_missing() -> None:
    assert control_messages(BOTH[:-4]) == [SMALL, LARGE]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(BOTH[:15], id="shorter than a header"),
        pytest.param(BOTH[:19], id="data cut off"),
        pytest.param(b"\x0f" + BOTH[1:24], id="shorter than its header"),
        pytest.param(b"\xff" * 8 + BOTH[8:24], id="longer than all memory"),
        pytest.param(BOTH[:24] + bytes(16), id="a second object of no length"),
    ],
)
def test_malformed_data_is_none(data: bytes) -> None:
    with pytest.raises(ValueError):
        control_messages(data)


@given(st.lists(st.builds(ControlMessage, st.integers(0, 2**31 - 1), st.integers(-5, 99), st.binary(max_size=40))))
def test_what_is_put_together_comes_apart(messages: list[ControlMessage]) -> None:
    data = control_data(messages)

    assert control_messages(data) == messages
    assert len(data) == sum(WSA_CMSG_SPACE(len(one.data)) for one in messages)
