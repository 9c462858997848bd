"""WSAEnumProtocols: which protocols there are.

Lives elsewhere: the catalog (catalog/protocols).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..defs.records import ProtocolInfo
from ..errors import exported
from ..process import current_process


@exported
def WSAEnumProtocols(protocols: Sequence[int] | None = None) -> list[ProtocolInfo]:
    """The base protocols and chains that are not hidden, in catalog order.

    Args:
        protocols: report only these protocol numbers; None for all. C's list ends with a 0 that is not part of it.

    Raises:
        WinsockError: WSANOTINITIALISED. (The buffer sizes of the C function are its face's business.)

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaenumprotocolsw
    """
    return current_process().catalog.enumerate(protocols)
