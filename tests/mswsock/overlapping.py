"""Overlapped records with an event, and what becomes of them."""

from __future__ import annotations

from typing import Any

from winsock2emu import kernel32
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import STATUS_PENDING, WAIT_TIMEOUT
from winsock2emu.defs.constants import WSA_WAIT_EVENT_0
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.operations import OVERLAPPED

PATIENCE_MS = 20_000


def record() -> OVERLAPPED:
    """One with an event of its own."""
    return OVERLAPPED(api.WSACreateEvent())


def outcome(s: int, overlapped: OVERLAPPED) -> Any:
    """Wait for the event: the bytes moved, or the Win32 code that the request has failed with, negative."""
    assert api.WSAWaitForMultipleEvents([overlapped.hEvent], False, PATIENCE_MS) == WSA_WAIT_EVENT_0
    try:
        return kernel32.GetOverlappedResult(s, overlapped, False)
    except WinsockError as failure:
        return -failure.winerror


def pends(overlapped: OVERLAPPED) -> bool:
    """It is not complete, and its event is not set."""
    return overlapped.Internal == STATUS_PENDING and kernel32.WaitForSingleObject(overlapped.hEvent, 0) == WAIT_TIMEOUT
