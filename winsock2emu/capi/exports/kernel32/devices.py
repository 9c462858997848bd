"""Requests of devices.

Part played:     DeviceIoControl of ioapiset.h.
Lives elsewhere: the behaviour (kernel32.afd), native requests (exports.nt).
"""

from __future__ import annotations

from typing import Any

from .... import kernel32
from ....defs.codes import STATUS_TIMEOUT
from ....errors import WinsockError
from ....kernel.operations import PENDING
from ....kernel32.afd import outcome_of_timeout
from ... import memory
from ...overlapped import overlapped_at, pending
from ...threads import made_by_c

__all__ = ["DeviceIoControl"]


def DeviceIoControl(
    hDevice: int,
    dwIoControlCode: int,
    lpInBuffer: int,
    nInBufferSize: int,
    lpOutBuffer: int,
    nOutBufferSize: int,
    lpBytesReturned: int,
    lpOverlapped: int,
) -> int:
    made_by_c()
    data = memory.read(lpInBuffer, nInBufferSize)

    def store(outcome: Any) -> None:
        if isinstance(outcome, WinsockError):
            if outcome.status != STATUS_TIMEOUT:
                return
            outcome = outcome_of_timeout(data or b"")
        if outcome:
            memory.write(lpOutBuffer, outcome)

    room = nOutBufferSize if lpOutBuffer >= memory.LOWEST else 0
    record = overlapped_at(lpOverlapped, store)
    output = kernel32.DeviceIoControl(hDevice, dwIoControlCode, data, room, record)
    if output is PENDING:
        return pending(0)
    if lpBytesReturned >= memory.LOWEST:
        memory.store_32(lpBytesReturned, len(output))
    return 1
