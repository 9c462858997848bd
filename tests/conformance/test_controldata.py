"""The suite's own control data agrees with the package's, which agrees with the headers."""

from __future__ import annotations

import pytest

from conformance.controldata import control, objects, space
from winsock2emu.defs.controldata import WSA_CMSG_SPACE, ControlMessage, control_data


@pytest.mark.parametrize("data", [b"", b"1", b"12345678", bytes(20)])
def test_both_have_the_same_layout(data: bytes) -> None:
    assert control(41, 19, data) == control_data([ControlMessage(41, 19, data)])
    assert space(len(data)) == WSA_CMSG_SPACE(len(data))
    assert objects(control(0, 4, 7) + control(41, 19, data)) == {(0, 4): b"\7\0\0\0", (41, 19): data}


def test_a_number_is_an_int() -> None:
    assert control(0, 4, -1) == control(0, 4, b"\xff\xff\xff\xff")


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(ValueError):
        objects(control(0, 4, 7)[:18])
