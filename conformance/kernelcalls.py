"""Files, the thread pool and the like in C: what a Windows program calls in kernel32 beside waiting.

Part played:     the part of a compiled Windows program that knows fileapi.h and threadpoollegacyapiset.h.
Lives here:      the driver's calls, as a part of CDriver.
Lives elsewhere: the interface (target), memory and failing (driver), reading and writing (overlapping).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .parts import DriverPart

if TYPE_CHECKING:
    pass


class KernelCalls(DriverPart):
    """Files and the thread pool, in C."""

    # Files

    def CreateFile(self, name: str | None, access: int, share: int, disposition: int, flags: int = 0) -> int:
        driver = self._driver()
        with driver._memory() as memory:
            given = (memory.text(name, driver.form), access, share, 0, disposition, flags, 0)
            return driver.check(f"kernel32.CreateFile{driver.form}", *given, returns="socket")  # -1 is failure

    def DeleteFile(self, name: str) -> None:
        driver = self._driver()
        with driver._memory() as memory:
            driver.check(f"kernel32.DeleteFile{driver.form}", memory.text(name, driver.form), returns="bool")

    def GetFileSizeEx(self, handle: int) -> int:
        driver = self._driver()
        with driver._memory() as memory:
            size = memory.number(size=8)
            driver.check("kernel32.GetFileSizeEx", handle, size.address, returns="bool")
            return size.number(8)

    def SetFilePointerEx(self, handle: int, distance: int, method: int) -> int:
        driver = self._driver()
        with driver._memory() as memory:
            place = memory.number(size=8)
            driver.check("kernel32.SetFilePointerEx", handle, distance, place.address, method, returns="bool")
            return place.number(8)

    def GetFileType(self, handle: int) -> int:
        return self._driver().check("kernel32.GetFileType", handle, returns="number")  # FILE_TYPE_UNKNOWN is failure

    def GetTempPath(self) -> str:
        driver = self._driver()
        with driver._memory() as memory:
            room = memory.new(1024)
            driver.check(f"kernel32.GetTempPath{driver.form}", 512, room.address, returns="number")
            return driver._string(room.address, driver.form)

    # The thread pool

    def QueueUserWorkItem(self, function: Callable[[int], object], context: int, flags: int = 0) -> None:
        def call(context: int) -> int:
            function(context)
            return 0

        driver = self._driver()
        pointer = driver.machine.callback(call, [8])
        driver.check("kernel32.QueueUserWorkItem", pointer, context, flags, returns="bool")

    def RegisterWaitForSingleObject(
        self, thing: int, callback: Callable[[int, bool], object], context: int, milliseconds: int, flags: int = 0
    ) -> int:
        def call(context: int, timed_out: int) -> int:
            callback(context, bool(timed_out & 0xFF))  # a BOOLEAN
            return 0

        driver = self._driver()
        with driver._memory() as memory:
            handle = memory.number(size=8)
            given = (thing, driver.machine.callback(call, [8, 4]), context, milliseconds, flags)
            driver.check("kernel32.RegisterWaitForSingleObject", handle.address, *given, returns="bool")
            return handle.number(8)

    def UnregisterWait(self, wait: int) -> None:
        self._driver().check("kernel32.UnregisterWait", wait, returns="bool")

    def UnregisterWaitEx(self, wait: int, completion_event: int) -> None:
        self._driver().check("kernel32.UnregisterWaitEx", wait, completion_event, returns="bool")

    def BindIoCompletionCallback(self, file: int, function: Callable[[int, int, object], object] | None) -> None:
        def call(error: int, moved: int, overlapped: int) -> int:
            driver.collect(overlapped)
            assert function is not None
            function(error, moved, overlapped)
            return 0

        driver = self._driver()
        pointer = 0 if function is None else driver.machine.callback(call, [4, 4, 8])
        driver.check("kernel32.BindIoCompletionCallback", file, pointer, 0, returns="bool")

    # Threads and the process

    def TlsAlloc(self) -> int:
        return self._driver().check("kernel32.TlsAlloc", returns="wait")  # -1 is failure

    def TlsFree(self, slot: int) -> None:
        self._driver().check("kernel32.TlsFree", slot, returns="bool")

    def TlsGetValue(self, slot: int) -> int:
        return self._driver().check("kernel32.TlsGetValue", slot, returns="u64")

    def TlsSetValue(self, slot: int, value: int) -> None:
        self._driver().check("kernel32.TlsSetValue", slot, value, returns="bool")

    def GetExitCodeProcess(self, process: int) -> int:
        driver = self._driver()
        with driver._memory() as memory:
            code = memory.number()
            driver.check("kernel32.GetExitCodeProcess", process, code.address, returns="bool")
            return code.number()

    def OpenProcess(self, access: int, inherit: bool, process_id: int) -> int:
        return self._driver().check("kernel32.OpenProcess", access, inherit, process_id, returns="pointer")
