"""What Winsock programs call beside Winsock, under the names of kernel32.dll.

So far the last error and the clock; handles, events, waits and completion ports come with overlapped I/O.
"""

from .lasterror import GetLastError, SetLastError
from .process import GetCurrentProcessId, GetCurrentThreadId
from .time import GetTickCount, GetTickCount64, Sleep

__all__ = [
    "GetCurrentProcessId",
    "GetCurrentThreadId",
    "GetLastError",
    "GetTickCount",
    "GetTickCount64",
    "SetLastError",
    "Sleep",
]
