"""The protocol catalog as records in memory.

Part played:     WSAEnumProtocols and WSADuplicateSocket in both forms, and WSAPROTOCOL_INFO as an in-parameter of
                 other functions.
Lives elsewhere: the catalog (ws2_32.protocols), shared sockets (ws2_32.sharing); the records' bytes (defs.records).
Sources:         nf-winsock2-wsaenumprotocolsw, nf-winsock2-wsaduplicatesocketw, ns-winsock2-wsaprotocol_infow.
Size query:      all or nothing: too little room gives WSAENOBUFS and the bytes needed, whatever the pointer
                 is.
"""

from __future__ import annotations

from ... import ws2_32
from ...defs.codes import WSAEFAULT, WSAEINVAL, WSAENOBUFS
from ...defs.records import PROTOCOL_INFOA_SIZE, PROTOCOL_INFOW_SIZE, ProtocolInfo
from ...errors import WinsockError
from ...kernel.processes import process_exists
from ...process import current_process
from .. import memory

__all__ = ["WSADuplicateSocketA", "WSADuplicateSocketW", "WSAEnumProtocolsA", "WSAEnumProtocolsW"]


def WSAEnumProtocolsA(lpiProtocols: int, lpProtocolBuffer: int, lpdwBufferLength: int) -> int:
    return _enumerate(lpiProtocols, lpProtocolBuffer, lpdwBufferLength, PROTOCOL_INFOA_SIZE)


def WSAEnumProtocolsW(lpiProtocols: int, lpProtocolBuffer: int, lpdwBufferLength: int) -> int:
    return _enumerate(lpiProtocols, lpProtocolBuffer, lpdwBufferLength, PROTOCOL_INFOW_SIZE)


def WSADuplicateSocketA(s: int, dwProcessId: int, lpProtocolInfo: int) -> int:
    return _duplicate(s, dwProcessId, lpProtocolInfo, PROTOCOL_INFOA_SIZE)


def WSADuplicateSocketW(s: int, dwProcessId: int, lpProtocolInfo: int) -> int:
    return _duplicate(s, dwProcessId, lpProtocolInfo, PROTOCOL_INFOW_SIZE)


def _duplicate(s: int, process_id: int, pointer: int, size: int) -> int:
    if pointer < memory.LOWEST:
        # Observed: the process comes before the pointer. To ask the provider would make a duplicate for nobody.
        current_process().socket(s)
        raise WinsockError(WSAEFAULT if process_exists(process_id) else WSAEINVAL)
    memory.write(pointer, _packed(ws2_32.WSADuplicateSocket(s, process_id), size))
    return 0


def _packed(info: ProtocolInfo, size: int) -> bytes:
    return info.pack_a() if size == PROTOCOL_INFOA_SIZE else info.pack_w()


def protocol_info(pointer: int, size: int) -> ProtocolInfo | None:
    """The record a caller passes in; None for NULL. ``size`` tells the A form from the W form.

    Raises:
        WinsockError: WSANOTINITIALISED, then WSAEFAULT for an unreadable pointer.
    """
    if not pointer:
        return None
    raw = memory.read(pointer, size)
    if raw is None:
        current_process().check_started()
        raise WinsockError(WSAEFAULT)
    return ProtocolInfo.unpack(raw)


def _enumerate(wanted: int, buffer: int, length: int, size: int) -> int:
    found = ws2_32.WSAEnumProtocols(_numbers(wanted))
    if length < memory.LOWEST:
        raise WinsockError(WSAEFAULT)
    needed = len(found) * size
    if needed > (memory.load_u32(length) if buffer >= memory.LOWEST else 0):
        memory.store_32(length, needed)
        raise WinsockError(WSAENOBUFS, needed=needed)
    if found:
        memory.write(buffer, b"".join(_packed(info, size) for info in found))
    return len(found)


def _numbers(pointer: int) -> list[int] | None:
    """A list that ends with 0; None for NULL."""
    if pointer < memory.LOWEST:
        return None
    numbers = []
    while number := memory.load_i32(pointer):
        numbers.append(number)
        pointer += 4
    return numbers
