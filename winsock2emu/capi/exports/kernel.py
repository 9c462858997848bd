"""What programs call in kernel32.dll beside Winsock.

Part played:     kernel32.dll's last error, clock, identities, handles, objects to wait for, threads, completion ports.
Lives elsewhere: the behaviour (kernel32). All other exports of kernel32 are listed, not written
                 (capi.table).
Sources:         errhandlingapi.h, synchapi.h, sysinfoapi.h, processthreadsapi.h, handleapi.h, ioapiset.h on Microsoft
                 Learn.
Functions:       an APC, a thread's or a timer's routine is a C function. ExitThread unwinds the Python frames below it
                 and cannot leave C frames: its exit code counts as soon as the thread's routine returns.
Overlapped:      the pointer that goes into PostQueuedCompletionStatus comes out of the port as a number.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any, Final

from ... import kernel32
from ...defs.codes import ERROR_INVALID_PARAMETER, ERROR_NOACCESS
from ...defs.constants import CREATE_EVENT_INITIAL_SET, CREATE_EVENT_MANUAL_RESET, MAXIMUM_WAIT_OBJECTS
from ...errors import WinsockError
from .. import memory
from ..threads import made_by_c

__all__ = [
    "CancelWaitableTimer",
    "CloseHandle",
    "CompareObjectHandles",
    "CreateEventA",
    "CreateEventExA",
    "CreateEventExW",
    "CreateEventW",
    "CreateIoCompletionPort",
    "CreateMutexA",
    "CreateMutexW",
    "CreateSemaphoreA",
    "CreateSemaphoreW",
    "CreateThread",
    "CreateWaitableTimerA",
    "CreateWaitableTimerW",
    "DuplicateHandle",
    "ExitThread",
    "GetCurrentProcess",
    "GetCurrentProcessId",
    "GetCurrentThread",
    "GetCurrentThreadId",
    "GetExitCodeThread",
    "GetHandleInformation",
    "GetLastError",
    "GetQueuedCompletionStatus",
    "GetQueuedCompletionStatusEx",
    "GetTickCount",
    "GetTickCount64",
    "OpenEventA",
    "OpenEventW",
    "PostQueuedCompletionStatus",
    "PulseEvent",
    "QueueUserAPC",
    "ReleaseMutex",
    "ReleaseSemaphore",
    "ResetEvent",
    "ResumeThread",
    "SetEvent",
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

_INHERIT: Final = 16  # offset of bInheritHandle in SECURITY_ATTRIBUTES
_ENTRY: Final = struct.Struct("<QQQI4x")  # OVERLAPPED_ENTRY

_APC: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint64)
_TIMER_APC: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint32)
_THREAD: Final = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint64)


def _inherits(attributes: int) -> bool:
    return attributes >= memory.LOWEST and memory.load_i32(attributes + _INHERIT) != 0


def _out(pointer: int) -> int:
    """A pointer that has to lead somewhere."""
    if pointer < memory.LOWEST:
        raise WinsockError(ERROR_NOACCESS)
    return pointer


def handles_at(count: int, array: int) -> list[int] | None:
    """The handles of an array; none for a count that no wait takes, None for a bad pointer."""
    if not 0 < count <= MAXIMUM_WAIT_OBJECTS:
        return []
    found = memory.view(array, count * 8)
    return None if found is None else found.cast("Q").tolist()


# Last error, clock, identities


def GetLastError() -> int:
    return kernel32.GetLastError()


def SetLastError(dwErrCode: int) -> None:
    made_by_c()  # its threads keep the value, too
    kernel32.SetLastError(dwErrCode)


def Sleep(dwMilliseconds: int) -> None:
    kernel32.Sleep(dwMilliseconds)


def GetTickCount() -> int:
    return kernel32.GetTickCount()


def GetTickCount64() -> int:
    return kernel32.GetTickCount64()


def GetCurrentProcessId() -> int:
    return kernel32.GetCurrentProcessId()


def GetCurrentThreadId() -> int:
    return kernel32.GetCurrentThreadId()


def GetCurrentProcess() -> int:
    return kernel32.GetCurrentProcess()


def GetCurrentThread() -> int:
    return kernel32.GetCurrentThread()


# Handles


def CloseHandle(hObject: int) -> int:
    kernel32.CloseHandle(hObject)
    return 1


def DuplicateHandle(
    hSourceProcessHandle: int,
    hSourceHandle: int,
    hTargetProcessHandle: int,
    lpTargetHandle: int,
    dwDesiredAccess: int,
    bInheritHandle: int,
    dwOptions: int,
) -> int:
    made_by_c()  # the pseudo handle of the thread may be the source
    handle = kernel32.DuplicateHandle(
        hSourceProcessHandle,
        hSourceHandle,
        hTargetProcessHandle,
        dwDesiredAccess,
        bool(bInheritHandle),
        dwOptions,
    )
    if lpTargetHandle >= memory.LOWEST:
        memory.store_u64(lpTargetHandle, handle)
    else:
        kernel32.CloseHandle(handle)
    return 1


def GetHandleInformation(hObject: int, lpdwFlags: int) -> int:
    flags = kernel32.GetHandleInformation(hObject)
    memory.store_32(_out(lpdwFlags), flags)
    return 1


def SetHandleInformation(hObject: int, dwMask: int, dwFlags: int) -> int:
    kernel32.SetHandleInformation(hObject, dwMask, dwFlags)
    return 1


def CompareObjectHandles(hFirstObjectHandle: int, hSecondObjectHandle: int) -> int:
    return int(kernel32.CompareObjectHandles(hFirstObjectHandle, hSecondObjectHandle))


# Events


def CreateEventA(lpEventAttributes: int, bManualReset: int, bInitialState: int, lpName: int) -> int:
    return kernel32.CreateEvent(
        _inherits(lpEventAttributes), bool(bManualReset), bool(bInitialState), memory.ansi(lpName)
    )


def CreateEventW(lpEventAttributes: int, bManualReset: int, bInitialState: int, lpName: int) -> int:
    return kernel32.CreateEvent(
        _inherits(lpEventAttributes), bool(bManualReset), bool(bInitialState), memory.wide(lpName)
    )


def _create_event(attributes: int, name: str | None, flags: int) -> int:
    if flags & ~(CREATE_EVENT_INITIAL_SET | CREATE_EVENT_MANUAL_RESET):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    manual, initial = flags & CREATE_EVENT_MANUAL_RESET, flags & CREATE_EVENT_INITIAL_SET
    return kernel32.CreateEvent(_inherits(attributes), bool(manual), bool(initial), name)


def CreateEventExA(lpEventAttributes: int, lpName: int, dwFlags: int, dwDesiredAccess: int) -> int:
    return _create_event(lpEventAttributes, memory.ansi(lpName), dwFlags)


def CreateEventExW(lpEventAttributes: int, lpName: int, dwFlags: int, dwDesiredAccess: int) -> int:
    return _create_event(lpEventAttributes, memory.wide(lpName), dwFlags)


def OpenEventA(dwDesiredAccess: int, bInheritHandle: int, lpName: int) -> int:
    return kernel32.OpenEvent(dwDesiredAccess, bool(bInheritHandle), memory.ansi(lpName) or "")


def OpenEventW(dwDesiredAccess: int, bInheritHandle: int, lpName: int) -> int:
    return kernel32.OpenEvent(dwDesiredAccess, bool(bInheritHandle), memory.wide(lpName) or "")


def SetEvent(hEvent: int) -> int:
    kernel32.SetEvent(hEvent)
    return 1


def ResetEvent(hEvent: int) -> int:
    kernel32.ResetEvent(hEvent)
    return 1


def PulseEvent(hEvent: int) -> int:
    kernel32.PulseEvent(hEvent)
    return 1


# Mutexes, semaphores, timers


def CreateMutexA(lpMutexAttributes: int, bInitialOwner: int, lpName: int) -> int:
    made_by_c()
    return kernel32.CreateMutex(_inherits(lpMutexAttributes), bool(bInitialOwner), memory.ansi(lpName))


def CreateMutexW(lpMutexAttributes: int, bInitialOwner: int, lpName: int) -> int:
    made_by_c()
    return kernel32.CreateMutex(_inherits(lpMutexAttributes), bool(bInitialOwner), memory.wide(lpName))


def ReleaseMutex(hMutex: int) -> int:
    kernel32.ReleaseMutex(hMutex)
    return 1


def CreateSemaphoreA(lpSemaphoreAttributes: int, lInitialCount: int, lMaximumCount: int, lpName: int) -> int:
    name = memory.ansi(lpName)
    return kernel32.CreateSemaphore(_inherits(lpSemaphoreAttributes), lInitialCount, lMaximumCount, name)


def CreateSemaphoreW(lpSemaphoreAttributes: int, lInitialCount: int, lMaximumCount: int, lpName: int) -> int:
    name = memory.wide(lpName)
    return kernel32.CreateSemaphore(_inherits(lpSemaphoreAttributes), lInitialCount, lMaximumCount, name)


def ReleaseSemaphore(hSemaphore: int, lReleaseCount: int, lpPreviousCount: int) -> int:
    before = kernel32.ReleaseSemaphore(hSemaphore, lReleaseCount)
    if lpPreviousCount >= memory.LOWEST:
        memory.store_32(lpPreviousCount, before)
    return 1


def CreateWaitableTimerA(lpTimerAttributes: int, bManualReset: int, lpTimerName: int) -> int:
    return kernel32.CreateWaitableTimer(_inherits(lpTimerAttributes), bool(bManualReset), memory.ansi(lpTimerName))


def CreateWaitableTimerW(lpTimerAttributes: int, bManualReset: int, lpTimerName: int) -> int:
    return kernel32.CreateWaitableTimer(_inherits(lpTimerAttributes), bool(bManualReset), memory.wide(lpTimerName))


def SetWaitableTimer(
    hTimer: int,
    lpDueTime: int,
    lPeriod: int,
    pfnCompletionRoutine: int,
    lpArgToCompletionRoutine: int,
    fResume: int,
) -> int:
    made_by_c()
    due = memory.load_u64(_out(lpDueTime))
    due -= due >> 63 << 64
    routine = _TIMER_APC(pfnCompletionRoutine) if pfnCompletionRoutine else None
    kernel32.SetWaitableTimer(hTimer, due, lPeriod, routine, lpArgToCompletionRoutine, bool(fResume))
    return 1


def CancelWaitableTimer(hTimer: int) -> int:
    kernel32.CancelWaitableTimer(hTimer)
    return 1


# Waiting


def WaitForSingleObject(hHandle: int, dwMilliseconds: int) -> int:
    made_by_c()
    return kernel32.WaitForSingleObject(hHandle, dwMilliseconds)


def WaitForSingleObjectEx(hHandle: int, dwMilliseconds: int, bAlertable: int) -> int:
    made_by_c()
    return kernel32.WaitForSingleObjectEx(hHandle, dwMilliseconds, bool(bAlertable))


def WaitForMultipleObjects(nCount: int, lpHandles: int, bWaitAll: int, dwMilliseconds: int) -> int:
    made_by_c()
    return kernel32.WaitForMultipleObjects(handles_at(nCount, lpHandles), bool(bWaitAll), dwMilliseconds)


def WaitForMultipleObjectsEx(nCount: int, lpHandles: int, bWaitAll: int, dwMilliseconds: int, bAlertable: int) -> int:
    made_by_c()
    handles = handles_at(nCount, lpHandles)
    return kernel32.WaitForMultipleObjectsEx(handles, bool(bWaitAll), dwMilliseconds, bool(bAlertable))


def SignalObjectAndWait(hObjectToSignal: int, hObjectToWaitOn: int, dwMilliseconds: int, bAlertable: int) -> int:
    made_by_c()
    return kernel32.SignalObjectAndWait(hObjectToSignal, hObjectToWaitOn, dwMilliseconds, bool(bAlertable))


def SleepEx(dwMilliseconds: int, bAlertable: int) -> int:
    made_by_c()
    return kernel32.SleepEx(dwMilliseconds, bool(bAlertable))


def QueueUserAPC(pfnAPC: int, hThread: int, dwData: int) -> int:
    made_by_c()
    kernel32.QueueUserAPC(_APC(pfnAPC), hThread, dwData)
    return 1


# Threads


def CreateThread(
    lpThreadAttributes: int,
    dwStackSize: int,
    lpStartAddress: int,
    lpParameter: int,
    dwCreationFlags: int,
    lpThreadId: int,
) -> int:
    start: Callable[[Any], Any] = _THREAD(_out(lpStartAddress))
    inherit = _inherits(lpThreadAttributes)
    handle, identifier = kernel32.CreateThread(inherit, dwStackSize, start, lpParameter, dwCreationFlags)
    if lpThreadId >= memory.LOWEST:
        memory.store_32(lpThreadId, identifier)
    return handle


def ExitThread(dwExitCode: int) -> None:
    made_by_c()
    kernel32.ExitThread(dwExitCode)


def GetExitCodeThread(hThread: int, lpExitCode: int) -> int:
    code = kernel32.GetExitCodeThread(hThread)
    memory.store_32(_out(lpExitCode), code)
    return 1


def ResumeThread(hThread: int) -> int:
    try:
        return kernel32.ResumeThread(hThread)
    except WinsockError:
        return 0xFFFFFFFF  # the table knows no failure value of this function


def SwitchToThread() -> int:
    return int(kernel32.SwitchToThread())


# Completion ports


def CreateIoCompletionPort(
    FileHandle: int, ExistingCompletionPort: int, CompletionKey: int, NumberOfConcurrentThreads: int
) -> int:
    return kernel32.CreateIoCompletionPort(FileHandle, ExistingCompletionPort, CompletionKey, NumberOfConcurrentThreads)


def PostQueuedCompletionStatus(
    CompletionPort: int, dwNumberOfBytesTransferred: int, dwCompletionKey: int, lpOverlapped: int
) -> int:
    kernel32.PostQueuedCompletionStatus(CompletionPort, dwNumberOfBytesTransferred, dwCompletionKey, lpOverlapped)
    return 1


def GetQueuedCompletionStatus(
    CompletionPort: int, lpNumberOfBytesTransferred: int, lpCompletionKey: int, lpOverlapped: int, dwMilliseconds: int
) -> int:
    made_by_c()
    for pointer in (lpNumberOfBytesTransferred, lpCompletionKey, lpOverlapped):
        _out(pointer)
    try:
        packet = kernel32.GetQueuedCompletionStatus(CompletionPort, dwMilliseconds)
    except WinsockError as failure:
        if failure.packet is None:
            memory.store_u64(lpOverlapped, 0)
        else:
            _store_packet(lpNumberOfBytesTransferred, lpCompletionKey, lpOverlapped, failure.packet)
        raise
    _store_packet(lpNumberOfBytesTransferred, lpCompletionKey, lpOverlapped, packet)
    return 1


def _store_packet(transferred: int, key: int, overlapped: int, packet: tuple[int, int, Any]) -> None:
    memory.store_32(transferred, packet[0])
    memory.store_u64(key, packet[1])
    memory.store_u64(overlapped, packet[2])


def GetQueuedCompletionStatusEx(
    CompletionPort: int,
    lpCompletionPortEntries: int,
    ulCount: int,
    ulNumEntriesRemoved: int,
    dwMilliseconds: int,
    fAlertable: int,
) -> int:
    made_by_c()
    for pointer in (lpCompletionPortEntries, ulNumEntriesRemoved):
        _out(pointer)
    try:
        found = kernel32.GetQueuedCompletionStatusEx(CompletionPort, ulCount, dwMilliseconds, bool(fAlertable))
    except WinsockError:
        memory.store_32(ulNumEntriesRemoved, 1)  # what Windows leaves there when it has removed none
        raise
    entries = b"".join([_ENTRY.pack(key, overlapped, status, moved) for key, overlapped, status, moved in found])
    memory.write(lpCompletionPortEntries, entries)
    memory.store_32(ulNumEntriesRemoved, len(found))
    return 1
