"""Messages and windows: the numbers, the records, and the C calls of user32.dll.

Part played:     the part of a compiled Windows program that knows winuser.h.
Lives here:      what cases about windows need beside ``constants``; the driver's calls, as a part of CDriver.
Lives elsewhere: the interface and its helpers (target), memory and failing (driver).
Sources:         the pages of the functions, messages and structures under winuser.h on Microsoft Learn.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from .parts import DriverPart
from .records import HostEnt
from .verify import Mismatch

if TYPE_CHECKING:
    pass

HWND_MESSAGE: Final = -3
HWND_BROADCAST: Final = 0xFFFF
WM_CREATE: Final = 0x0001
WM_DESTROY: Final = 0x0002
WM_SETTEXT: Final = 0x000C
WM_CLOSE: Final = 0x0010
WM_QUIT: Final = 0x0012
WM_NCCREATE: Final = 0x0081
WM_NCDESTROY: Final = 0x0082
WM_KEYDOWN: Final = 0x0100
WM_TIMER: Final = 0x0113
WM_USER: Final = 0x0400
WM_APP: Final = 0x8000
QS_POSTMESSAGE: Final = 0x0008
QS_TIMER: Final = 0x0010
QS_SENDMESSAGE: Final = 0x0040
QS_ALLINPUT: Final = 0x1CFF
PM_NOREMOVE: Final = 0
PM_REMOVE: Final = 1
MWMO_WAITALL: Final = 1
MWMO_ALERTABLE: Final = 2
MWMO_INPUTAVAILABLE: Final = 4
GWLP_WNDPROC: Final = -4
GWLP_USERDATA: Final = -21
WS_CHILD: Final = 0x40000000
ERROR_MESSAGE_SYNC_ONLY: Final = 1159
ERROR_INVALID_WINDOW_HANDLE: Final = 1400
ERROR_TLW_WITH_WSCHILD: Final = 1406
ERROR_CANNOT_FIND_WND_CLASS: Final = 1407
ERROR_CLASS_ALREADY_EXISTS: Final = 1410
ERROR_CLASS_DOES_NOT_EXIST: Final = 1411
ERROR_CLASS_HAS_WINDOWS: Final = 1412
ERROR_INVALID_INDEX: Final = 1413
ERROR_INVALID_THREAD_ID: Final = 1444

_MSG: Final = struct.Struct("<QI4xQqI2i4x")
_WNDCLASSEX: Final = struct.Struct("<2IQ2i7Q")
_CREATESTRUCT: Final = struct.Struct("<4Q4iI4x2QI4x")


@attrs.frozen
class Message:
    """MSG, without the time and the place of the pointer."""

    hwnd: int
    message: int
    wparam: int = 0
    lparam: int = 0


@attrs.frozen
class Creation:
    """CREATESTRUCT: what a procedure gets with WM_NCCREATE and WM_CREATE."""

    param: int
    parent: int
    name: str | None
    class_name: str
    #: Where C has the record, for DefWindowProc.
    address: int = attrs.field(default=0, eq=False, repr=False)


#: A window procedure: window, message, wparam, and lparam, which is a Creation for WM_NCCREATE and WM_CREATE.
Procedure = Callable[[int, int, int, "int | Creation"], int]
#: A timer's routine: window, WM_TIMER, identifier, tick count.
TimerRoutine = Callable[[int, int, int, int], object]


def signed(value: int, bits: int = 64) -> int:
    """Return a register-sized number as a signed one."""
    value &= (1 << bits) - 1
    return value - (value >> (bits - 1) << bits)


class WindowCalls(DriverPart):
    """The calls of user32.dll, and the look-ups that end with a message, in C."""

    def _user(self, function: str, *arguments: int, returns: str) -> int:
        return self._driver().check(f"user32.{function}", *arguments, returns=returns)

    def procedure(self, function: Procedure) -> int:
        """Return the address of a window procedure."""
        driver = self._driver()

        def call(hwnd: int, message: int, wparam: int, lparam: int) -> int:
            given: int | Creation = signed(lparam)
            if message in (WM_NCCREATE, WM_CREATE):
                given = self._creation(lparam)
            return function(hwnd, message, wparam, given)

        return driver.machine.callback(call, (8, 4, 8, 8))

    def _creation(self, address: int) -> Creation:
        driver = self._driver()
        record = _CREATESTRUCT.unpack(driver.machine.read(address, _CREATESTRUCT.size))
        param, _, _, parent, _, _, _, _, _, name, class_name, _ = record
        return Creation(
            param,
            signed(parent),
            driver._string(name, self.form) if name else None,
            driver._string(class_name, self.form) if class_name > 0xFFFF else str(class_name),  # or an atom
            address,
        )

    def RegisterClassEx(self, name: str, procedure: Procedure, extra: int = 0) -> int:
        driver = self._driver()
        with driver._memory() as memory:
            fields = (0, self.procedure(procedure), 0, extra, 0, 0, 0, 0, 0, memory.text(name, self.form), 0)
            record = memory.at(_WNDCLASSEX.pack(_WNDCLASSEX.size, *fields))
            return self._user(f"RegisterClassEx{self.form}", record, returns="atom")

    def UnregisterClass(self, name: str) -> None:
        with self._driver()._memory() as memory:
            self._user(f"UnregisterClass{self.form}", memory.text(name, self.form), 0, returns="bool")

    def CreateWindowEx(
        self,
        class_name: str | int,
        window_name: str | None = None,
        style: int = 0,
        parent: int = HWND_MESSAGE,
        param: int = 0,
    ) -> int:
        with self._driver()._memory() as memory:
            kind = class_name if isinstance(class_name, int) else memory.text(class_name, self.form)
            title = memory.text(window_name, self.form)
            self.SetLastError(0)
            given = (0, kind, title, style, 0, 0, 0, 0, parent, 0, 0, param)
            hwnd, _ = self._driver().raw(f"user32.CreateWindowEx{self.form}", given, "pointer")
            if not hwnd and self._driver().last_error:
                self._driver().fail(f"CreateWindowEx{self.form}")
            return hwnd

    def DestroyWindow(self, hwnd: int) -> None:
        self._user("DestroyWindow", hwnd, returns="bool")

    def IsWindow(self, hwnd: int) -> bool:
        return bool(self._driver().raw("user32.IsWindow", (hwnd,), "bool")[0])

    def GetMessage(self, hwnd: int = 0, first: int = 0, last: int = 0) -> Message:
        with self._driver()._memory() as memory:
            room = memory.new(_MSG.size)
            more = self._user(f"GetMessage{self.form}", room.address, hwnd, first, last, returns="int")
            message = _message(room.read())
            if bool(more) != (message.message != WM_QUIT):
                raise Mismatch("result of GetMessage", expected="0 for WM_QUIT only", actual=str(more))
            return message

    def PeekMessage(self, hwnd: int = 0, first: int = 0, last: int = 0, flags: int = PM_REMOVE) -> Message | None:
        with self._driver()._memory() as memory:
            room = memory.new(_MSG.size)
            self.SetLastError(0)
            given = (room.address, hwnd, first, last, flags)
            there, _ = self._driver().raw(f"user32.PeekMessage{self.form}", given, "bool")
            if not there and self._driver().last_error:
                self._driver().fail(f"PeekMessage{self.form}")
            return _message(room.read()) if there else None

    def PostMessage(self, hwnd: int, message: int, wparam: int = 0, lparam: int = 0) -> None:
        self._user(f"PostMessage{self.form}", hwnd, message, wparam, lparam, returns="bool")

    def PostThreadMessage(self, thread: int, message: int, wparam: int = 0, lparam: int = 0) -> None:
        self._user(f"PostThreadMessage{self.form}", thread, message, wparam, lparam, returns="bool")

    def PostQuitMessage(self, exit_code: int) -> None:
        self._user("PostQuitMessage", exit_code, returns="void")

    def SendMessage(self, hwnd: int, message: int, wparam: int = 0, lparam: int = 0) -> int:
        self.SetLastError(0)
        given = (hwnd, message, wparam, lparam)
        result, _ = self._driver().raw(f"user32.SendMessage{self.form}", given, "u64")
        if not result and self._driver().last_error == ERROR_INVALID_WINDOW_HANDLE:
            self._driver().fail(f"SendMessage{self.form}")
        return signed(result)

    def DispatchMessage(self, message: Message) -> int:
        with self._driver()._memory() as memory:
            record = memory.at(_MSG.pack(message.hwnd, message.message, message.wparam, message.lparam, 0, 0, 0))
            return signed(self._user(f"DispatchMessage{self.form}", record, returns="u64"))

    def TranslateMessage(self, message: Message) -> bool:
        with self._driver()._memory() as memory:
            record = memory.at(_MSG.pack(message.hwnd, message.message, message.wparam, message.lparam, 0, 0, 0))
            return bool(self._driver().raw("user32.TranslateMessage", (record,), "bool")[0])

    def DefWindowProc(self, hwnd: int, message: int, wparam: int = 0, lparam: int | Creation = 0) -> int:
        given = lparam.address if isinstance(lparam, Creation) else lparam
        return signed(self._user(f"DefWindowProc{self.form}", hwnd, message, wparam, given, returns="u64"))

    def MsgWaitForMultipleObjects(self, handles: Sequence[int], wait_all: bool, milliseconds: int, mask: int) -> int:
        with self._driver()._memory() as memory:
            given = (len(handles), _array(memory.at, handles), wait_all, milliseconds, mask)
            return self._user("MsgWaitForMultipleObjects", *given, returns="wait")

    def MsgWaitForMultipleObjectsEx(self, handles: Sequence[int], milliseconds: int, mask: int, flags: int) -> int:
        with self._driver()._memory() as memory:
            given = (len(handles), _array(memory.at, handles), milliseconds, mask, flags)
            return self._user("MsgWaitForMultipleObjectsEx", *given, returns="wait")

    def SetTimer(self, hwnd: int, identifier: int, elapse: int, routine: TimerRoutine | None = None) -> int:
        address = 0
        if routine is not None:

            def call(*arguments: int) -> int:
                routine(*arguments)
                return 0

            address = self._driver().machine.callback(call, (8, 4, 8, 4))
        return self._user("SetTimer", hwnd, identifier, elapse, address, returns="pointer")

    def KillTimer(self, hwnd: int, identifier: int) -> None:
        self._user("KillTimer", hwnd, identifier, returns="bool")

    def GetWindowLongPtr(self, hwnd: int, index: int) -> int:
        self.SetLastError(0)
        value, _ = self._driver().raw(f"user32.GetWindowLongPtr{self.form}", (hwnd, index), "u64")
        if not value and self._driver().last_error:
            self._driver().fail(f"GetWindowLongPtr{self.form}")
        return signed(value)

    def SetWindowLongPtr(self, hwnd: int, index: int, value: int | Procedure) -> int:
        number = self.procedure(value) if callable(value) else value
        self.SetLastError(0)
        before, _ = self._driver().raw(f"user32.SetWindowLongPtr{self.form}", (hwnd, index, number), "u64")
        if not before and self._driver().last_error:
            self._driver().fail(f"SetWindowLongPtr{self.form}")
        return signed(before)

    def RegisterWindowMessage(self, text: str) -> int:
        with self._driver()._memory() as memory:
            return self._user(f"RegisterWindowMessage{self.form}", memory.text(text, self.form), returns="number")

    # Look-ups. The buffer lives as long as the case.

    def _look_up(self, function: str, hwnd: int, message: int, *arguments: int, room: int | None) -> int:
        driver = self._driver()
        buffer = None if room is None else driver.c.new(room)
        task = driver.check(
            function, hwnd, message, *arguments, buffer.address if buffer else 0, room or 0, returns="pointer"
        )
        driver.answers[task] = buffer.address if buffer else 0
        return task

    def WSAAsyncGetHostByName(self, hwnd: int, message: int, name: str | None, room: int | None = 1024) -> int:
        with self._driver()._memory() as memory:
            return self._look_up("WSAAsyncGetHostByName", hwnd, message, memory.text(name, "A"), room=room)

    def WSAAsyncGetServByName(
        self, hwnd: int, message: int, name: str | None, proto: str | None, room: int | None = 1024
    ) -> int:
        with self._driver()._memory() as memory:
            texts = memory.text(name, "A"), memory.text(proto, "A")
            return self._look_up("WSAAsyncGetServByName", hwnd, message, *texts, room=room)

    def WSAAsyncGetServByPort(
        self, hwnd: int, message: int, port: int, proto: str | None, room: int | None = 1024
    ) -> int:
        with self._driver()._memory() as memory:
            proto_text = memory.text(proto, "A")
            return self._look_up("WSAAsyncGetServByPort", hwnd, message, port, proto_text, room=room)

    def WSACancelAsyncRequest(self, task: int) -> None:
        self._driver().check("WSACancelAsyncRequest", task)

    def host_looked_up(self, task: int) -> HostEnt:
        driver = self._driver()
        return driver.host_at(driver.answers[task])


def _message(record: bytes) -> Message:
    hwnd, message, wparam, lparam, *_ = _MSG.unpack(record)
    return Message(hwnd, message, wparam, lparam)


def _array(place: Callable[[bytes], int], handles: Sequence[int]) -> int:
    return place(b"".join(handle.to_bytes(8, "little") for handle in handles)) if handles else 0
