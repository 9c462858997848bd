"""WSAStartup and WSACleanup.

Lives elsewhere: the count, the negotiation and what the last cleanup ends (process).
"""

from __future__ import annotations

from ..defs.records import WSAData
from ..errors import exported
from ..process import current_process


@exported
def WSAStartup(version_requested: int) -> WSAData:
    """Start using Winsock, or once more.

    Args:
        version_requested: a word, low byte major and high byte minor: 0x0202 is 2.2.

    Returns:
        The version to use, the highest one known (2.2), and the other fields of WSADATA.

    Raises:
        WinsockError: WSAVERNOTSUPPORTED, a version below 1.0; nothing is counted then. To C the code is the result.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsastartup
    """
    return current_process().startup(version_requested)


@exported
def WSACleanup() -> None:
    """Undo one WSAStartup; the last one ends waiting calls, closes all sockets and unloads the providers.

    Raises:
        WinsockError: WSANOTINITIALISED, no startup is left.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsacleanup
    """
    current_process().cleanup()
