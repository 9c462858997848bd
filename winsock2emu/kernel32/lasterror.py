"""GetLastError and SetLastError: the same cell that WSAGetLastError reads."""

from __future__ import annotations

from ..errors import exported, get_last_error, set_last_error


@exported
def GetLastError() -> int:
    """The calling thread's last error.

    Source: https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-getlasterror
    """
    return get_last_error()


@exported
def SetLastError(error: int) -> None:
    """Store the calling thread's last error.

    Source: https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-setlasterror
    """
    set_last_error(error)
