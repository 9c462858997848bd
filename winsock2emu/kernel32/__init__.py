"""What Winsock programs call beside Winsock, under the names of kernel32.dll.

The last error, the clock, handles, events and other objects to wait for, threads, completion ports. Out-parameters are
returned and failures raise `WinsockError`, as in ws2_32. A handle is an int; ``inherit`` stands for the security
attributes of C, of which it is the one that says anything here.
"""

from ..kernel.operations import OVERLAPPED
from .events import (
    CancelWaitableTimer,
    CreateEvent,
    CreateMutex,
    CreateSemaphore,
    CreateWaitableTimer,
    OpenEvent,
    PulseEvent,
    ReleaseMutex,
    ReleaseSemaphore,
    ResetEvent,
    SetEvent,
    SetWaitableTimer,
)
from .handles import CloseHandle, CompareObjectHandles, DuplicateHandle, GetHandleInformation, SetHandleInformation
from .lasterror import GetLastError, SetLastError
from .overlapped import CancelIo, CancelIoEx, CancelSynchronousIo, GetOverlappedResult, GetOverlappedResultEx
from .ports import (
    CreateIoCompletionPort,
    GetQueuedCompletionStatus,
    GetQueuedCompletionStatusEx,
    PostQueuedCompletionStatus,
    SetFileCompletionNotificationModes,
)
from .process import GetCurrentProcessId, GetCurrentThreadId
from .threads import (
    CreateThread,
    ExitThread,
    GetCurrentProcess,
    GetCurrentThread,
    GetExitCodeThread,
    GetThreadId,
    ResumeThread,
    SwitchToThread,
)
from .time import GetTickCount, GetTickCount64, Sleep
from .waiting import (
    QueueUserAPC,
    SignalObjectAndWait,
    SleepEx,
    WaitForMultipleObjects,
    WaitForMultipleObjectsEx,
    WaitForSingleObject,
    WaitForSingleObjectEx,
)

__all__ = [
    "OVERLAPPED",
    "CancelIo",
    "CancelIoEx",
    "CancelSynchronousIo",
    "CancelWaitableTimer",
    "CloseHandle",
    "CompareObjectHandles",
    "CreateEvent",
    "CreateIoCompletionPort",
    "CreateMutex",
    "CreateSemaphore",
    "CreateThread",
    "CreateWaitableTimer",
    "DuplicateHandle",
    "ExitThread",
    "GetCurrentProcess",
    "GetCurrentProcessId",
    "GetCurrentThread",
    "GetCurrentThreadId",
    "GetExitCodeThread",
    "GetHandleInformation",
    "GetLastError",
    "GetOverlappedResult",
    "GetOverlappedResultEx",
    "GetQueuedCompletionStatus",
    "GetQueuedCompletionStatusEx",
    "GetThreadId",
    "GetTickCount",
    "GetTickCount64",
    "OpenEvent",
    "PostQueuedCompletionStatus",
    "PulseEvent",
    "QueueUserAPC",
    "ReleaseMutex",
    "ReleaseSemaphore",
    "ResetEvent",
    "ResumeThread",
    "SetEvent",
    "SetFileCompletionNotificationModes",
    "SetHandleInformation",
    "SetLastError",
    "SetWaitableTimer",
    "SignalObjectAndWait",
    "Sleep",
    "SleepEx",
    "SwitchToThread",
    "WaitForMultipleObjects",
    "WaitForMultipleObjectsEx",
    "WaitForSingleObject",
    "WaitForSingleObjectEx",
]
