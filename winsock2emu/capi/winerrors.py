"""ctypes' helpers for error codes: texts, exceptions, results that are HRESULTs.

Part played:     ``ctypes.FormatError``, ``ctypes.WinError`` and ``ctypes.HRESULT``.
Lives elsewhere: the texts and the exception (errors), the thread's last error (errors).
Sources:         the ctypes reference of the Python documentation; FormatMessage on Microsoft Learn.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

from .. import errors
from ..errors import WinsockError, system_text

if TYPE_CHECKING:
    _SimpleCData = ctypes._SimpleCData[int]
else:
    from ctypes import _SimpleCData

_FACILITY_WIN32: Final = 0x80070000


def FormatError(code: int | None = None) -> str:
    """The system's text for a code; None stands for the thread's last error.

    Source: https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-formatmessagew
    """
    text = system_text(errors.get_last_error() if code is None else code)
    return "<no description>" if text is None else text.rstrip()


def _os_error(code: int, text: str) -> WinsockError:
    unwrapped = code & 0xFFFF if code & 0xFFFF0000 == _FACILITY_WIN32 else code
    failure = WinsockError(unwrapped)
    failure.winerror = code
    failure.strerror = text
    failure.args = (failure.errno, text)
    return failure


def WinError(code: int | None = None, descr: str | None = None) -> OSError:
    """The OSError for a code, with ``winerror``; None: the thread's last error, the system's text."""
    if code is None:
        code = ctypes.c_int32(errors.get_last_error()).value
    return _os_error(code, FormatError(code).strip() if descr is None else descr)


def without_own_frame(failure: BaseException) -> None:
    """Forget the frame that is handling ``failure``, so that its traceback goes from caller to callee."""
    if failure.__traceback__ is not None:
        failure.__traceback__ = failure.__traceback__.tb_next


def _check_hresult(result: int) -> int:
    """Raise the OSError of an HRESULT that is a failure."""
    try:
        if result < 0:
            text = system_text(result) or f"Windows Error 0x{result & 0xFFFFFFFF:x}"
            raise _os_error(result, text.rstrip(" .\r\n"))  # where WinError leaves the full stop
    except WinsockError as failure:
        without_own_frame(failure)
        raise
    return result


class HRESULT(_SimpleCData):
    """The result type of COM-style functions: as ``restype`` it raises OSError for a failure."""

    _type_ = "i"
    _check_retval_ = staticmethod(_check_hresult)
