"""WSAGetLastError and WSASetLastError: the thread's one error cell, which GetLastError reads too.

Lives elsewhere: the cell (errors). These two need no startup and never fail.
"""

from __future__ import annotations

from ..errors import exported, get_last_error, set_last_error


@exported
def WSAGetLastError() -> int:
    """The code of this thread's last failed call; reading does not clear it.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsagetlasterror
    """
    return get_last_error()


@exported
def WSASetLastError(error: int) -> None:
    """Store any value as this thread's last error.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsasetlasterror
    """
    set_last_error(error)
