"""Exceptions as CPython's Windows modules raise them."""

from __future__ import annotations

from typing import Final

from ..defs.codes import ERROR_CONNECTION_ABORTED, ERROR_CONNECTION_REFUSED
from ..errors import WinsockConnectionAbortedError, WinsockConnectionRefusedError, WinsockError

_BY_CODE: Final[dict[int, type[WinsockError]]] = {
    ERROR_CONNECTION_REFUSED: WinsockConnectionRefusedError,
    ERROR_CONNECTION_ABORTED: WinsockConnectionAbortedError,
}


def from_windows_err(code: int) -> WinsockError:
    """SetFromWindowsErr of _overlapped: two Win32 codes get the class of their Winsock twins."""
    return _BY_CODE.get(code, WinsockError)(code)
