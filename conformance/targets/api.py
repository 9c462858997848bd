"""The emulator's Python API, in process.

Part played:     hands each call through to winsock2emu.ws2_32 under the same name and turns WinsockError into
                 Failed.
Lives elsewhere: the interface (target), records (records: ours are converted to winsock2emu's and back by
                 field name).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import attrs

from .. import records
from ..constants import code_name
from ..providers import Provider, Recorder
from ..registering import Notification, Piece, PythonMemory, Registered, Registration, Result
from ..target import CALLS, PENDING, Condition, Element, Target
from ..verify import Failed, Mismatch, shown, step
from ..windowing import HWND_MESSAGE, PM_REMOVE, Creation, Message, Procedure
from .installing import install

#: Calls whose result in C is the code itself: the thread's last error need not agree.
_RETURN_THE_CODE = {"WSAStartup", "getaddrinfo", "getnameinfo"}
_CREATE_A_SOCKET = {"socket", "WSASocket", "accept", "WSAAccept"}


class ApiTarget(Target):
    """winsock2emu.ws2_32."""

    name = "api"
    description = "winsock2emu, Python API"
    has_providers = True
    in_process = True

    def __init__(self) -> None:
        super().__init__()
        self._ws2_32: Any = importlib.import_module("winsock2emu.ws2_32")
        self._kernel32: Any = importlib.import_module("winsock2emu.kernel32")
        self._mswsock: Any = importlib.import_module("winsock2emu.mswsock")
        self._user32: Any = importlib.import_module("winsock2emu.user32")
        self._operations: Any = importlib.import_module("winsock2emu.kernel.operations")
        self._answers: dict[int, Any] = {}
        self._records: Any = importlib.import_module("winsock2emu.defs.records")
        self._error: Any = importlib.import_module("winsock2emu.errors").WinsockError
        self._message_of: Any = importlib.import_module("winsock2emu.errors").message_of

    def through(self, call: str, *arguments: Any, **named: Any) -> Any:
        """Make the call of this name."""
        modules = (self._ws2_32, self._kernel32, self._mswsock, self._user32)
        function = next((getattr(module, call) for module in modules if hasattr(module, call)), None)
        if function is None:
            self._absent(call)
        listed = ", ".join([*map(shown, arguments), *(f"{name}={shown(value)}" for name, value in named.items())])
        given = {name: self._to_theirs(value) for name, value in named.items()}
        try:
            result = function(*map(self._to_theirs, arguments), **given)
        except self._error as error:
            step(f"{call}({listed}) raises {code_name(error.winerror)}")
            last = self._ws2_32.WSAGetLastError()
            if call not in _RETURN_THE_CODE and last != error.winerror:
                what = f"last error after {call}"
                raise Mismatch(what, expected=code_name(error.winerror), actual=code_name(last)) from error
            failure = Failed(
                error.winerror, call, moved=error.moved, address=_bytes(error.address), needed=error.needed
            )
            failure.received = self._to_ours(error.received)
            failure.packet = error.packet
            raise failure from error
        step(f"{call}({listed}) -> {shown(result)}")
        if call in _CREATE_A_SOCKET:
            self._opened(result[0] if isinstance(result, tuple) else result)
        return self._to_ours(result)

    def _to_theirs(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._to_theirs(item) if isinstance(item, Element) else item for item in value]
        if isinstance(value, Element):
            place = {"file": value.file or None, "offset": value.offset, "length": value.length}
            return self._mswsock.TransmitElement(value.data, end_of_packet=value.end_of_packet, **place)
        if isinstance(value, Piece):
            return self._mswsock.RIO_BUF(value.buffer_id, value.offset, value.length)
        if isinstance(value, Notification):
            record = self._mswsock.RIO_NOTIFICATION_COMPLETION
            if value.port:
                return record.by_port(value.port, value.key, value.overlapped)
            return record.by_event(value.event, reset=value.reset)
        theirs = getattr(self._records, type(value).__name__, None)
        if theirs is None or not isinstance(value, records.ProtocolInfo | records.AddrInfo):
            return value
        names = {field.alias for field in attrs.fields(theirs)}
        return theirs(**{name: item for name, item in attrs.asdict(value).items() if name in names})

    def _to_ours(self, value: Any) -> Any:
        if value is self._operations.PENDING:
            return PENDING
        if isinstance(value, list):
            return list(map(self._to_ours, value))
        if isinstance(value, tuple):
            return tuple(map(self._to_ours, value))
        if isinstance(value, bytes):
            return bytes(value)
        if isinstance(value, self._mswsock.RIORESULT):
            return Result(value.status, value.moved, value.socket_context, value.request_context)
        ours = getattr(records, type(value).__name__, None)
        if ours is None or not attrs.has(type(value)):
            return value
        fields = {field.name: self._to_ours(getattr(value, field.name)) for field in attrs.fields(ours)}
        return ours(**fields)

    def _installation(self, wanted: Sequence[Provider], built_in: bool) -> AbstractContextManager[tuple[Recorder, ...]]:
        return install(wanted, built_in=built_in, ends=self._ends)

    def WSAStartup(self, version: int) -> records.WSAData:
        data: records.WSAData = self.through("WSAStartup", version)
        self._started()
        return data

    def WSACleanup(self) -> None:
        self.through("WSACleanup")
        self._cleaned_up()

    def closesocket(self, s: int) -> None:
        self.through("closesocket", s)
        self._closed(s)

    def message(self, code: int) -> str:
        """The package's own table; an exception shows the same text without its full stop, as CPython does."""
        text: str = self._message_of(code)
        return "" if text.startswith("Unknown error") else text

    def WSAAccept(
        self, s: int, namelen: int | None = None, condition: Condition | None = None, callback_data: int = 0
    ) -> tuple[int, bytes]:
        def decide(caller: bytes, data: Any, sqos: Any, gqos: Any, callee: bytes, out: Any, g: int, extra: int) -> int:
            assert condition is not None
            return condition(bytes(caller or b""), _bytes(data), bytes(callee or b""), extra)

        ask = None if condition is None else decide
        accepted: tuple[int, bytes] = self.through("WSAAccept", s, namelen, ask, callback_data)
        return accepted

    # Overlapped requests

    def overlapped(self, event: int | None = None) -> Any:
        return self._operations.OVERLAPPED(event or 0)

    def CreateFile(self, name: str | None, access: int, share: int, disposition: int, flags: int = 0) -> int:
        return int(self.through("CreateFile", name, access, share, None, disposition, flags))

    def TlsGetValue(self, slot: int) -> int:
        return int(self.through("TlsGetValue", slot) or 0)

    def result(self, overlapped: Any) -> Any:
        result = overlapped.result
        if isinstance(result, self._error):
            result = (result.moved, result.address) if result.received is None else result.received
        return self._to_ours(result)

    # Socket state notifications

    def ProcessSocketNotifications(
        self, port: int, registrations: Sequence[Registration] = (), timeout_ms: int = 0, count: int = 0
    ) -> list[tuple[int, Any, int, int]]:
        record = self._ws2_32.SOCK_NOTIFY_REGISTRATION
        theirs = [record(one.socket, one.key, one.events, one.operation, one.triggers) for one in registrations]
        try:
            found: list[tuple[int, Any, int, int]] = self.through(
                "ProcessSocketNotifications", port, theirs, timeout_ms, count
            )
            return found
        finally:
            for one, other in zip(registrations, theirs, strict=True):
                one.result = other.result

    # Registered I/O

    def rio_memory(self, size: int) -> Registered:
        data = bytearray(size)
        return Registered(self.through("RIORegisterBuffer", data), PythonMemory(data))

    def RIOReceiveEx(
        self, rq: int, data: Piece | None, *beside: Piece | None, flags: int = 0, context: int = 0
    ) -> None:
        self.through("RIOReceiveEx", rq, data, *beside, flags=flags, context=context)

    def RIOSendEx(self, rq: int, data: Piece | None, *beside: Piece | None, flags: int = 0, context: int = 0) -> None:
        self.through("RIOSendEx", rq, data, *beside, flags=flags, context=context)

    # Messages and windows

    def _procedure(self, procedure: Procedure) -> Procedure:
        """One that gets a `Creation` where the API gives its own record."""
        theirs = self._user32.CREATESTRUCT

        def call(hwnd: int, message: int, wparam: int, lparam: Any) -> int:
            if isinstance(lparam, theirs):
                lparam = Creation(lparam.create_params or 0, lparam.parent, lparam.name, str(lparam.class_name))
            return procedure(hwnd, message, wparam, lparam)

        return call

    def _message(self, message: Any) -> Message:
        return Message(message.hwnd, message.message, message.wparam, message.lparam)

    def RegisterClassEx(self, name: str, procedure: Procedure, extra: int = 0) -> int:
        record = self._user32.WNDCLASSEX(self._procedure(procedure), name, wnd_extra=extra)
        return int(self.through("RegisterClassEx", record))

    def CreateWindowEx(
        self,
        class_name: str | int,
        window_name: str | None = None,
        style: int = 0,
        parent: int = HWND_MESSAGE,
        param: int = 0,
    ) -> int:
        given = (0, class_name, window_name, style, 0, 0, 0, 0, parent, None, None, param)
        return int(self.through("CreateWindowEx", *given))

    def GetMessage(self, hwnd: int = 0, first: int = 0, last: int = 0) -> Message:
        return self._message(self.through("GetMessage", hwnd, first, last))

    def PeekMessage(self, hwnd: int = 0, first: int = 0, last: int = 0, flags: int = PM_REMOVE) -> Message | None:
        found = self.through("PeekMessage", hwnd, first, last, flags)
        return None if found is None else self._message(found)

    def DispatchMessage(self, message: Message) -> int:
        record = self._user32.MSG(message.hwnd, message.message, message.wparam, message.lparam)
        return int(self.through("DispatchMessage", record))

    def TranslateMessage(self, message: Message) -> bool:
        record = self._user32.MSG(message.hwnd, message.message, message.wparam, message.lparam)
        return bool(self.through("TranslateMessage", record))

    def SetWindowLongPtr(self, hwnd: int, index: int, value: int | Procedure) -> int:
        before = self.through("SetWindowLongPtr", hwnd, index, self._procedure(value) if callable(value) else value)
        return id(before) if callable(before) else int(before)

    def WSAAsyncGetHostByName(self, hwnd: int, message: int, name: str | None, room: int | None = 1024) -> int:
        return self._look_up("WSAAsyncGetHostByName", hwnd, message, name)

    def WSAAsyncGetServByName(
        self, hwnd: int, message: int, name: str | None, proto: str | None, room: int | None = 1024
    ) -> int:
        return self._look_up("WSAAsyncGetServByName", hwnd, message, name, proto)

    def WSAAsyncGetServByPort(
        self, hwnd: int, message: int, port: int, proto: str | None, room: int | None = 1024
    ) -> int:
        return self._look_up("WSAAsyncGetServByPort", hwnd, message, port, proto)

    def _look_up(self, function: str, *arguments: Any) -> int:
        buffer = self._ws2_32.LookupBuffer()
        task = int(self.through(function, *arguments, buffer))
        self._answers[task] = buffer
        return task

    def host_looked_up(self, task: int) -> records.HostEnt:
        found: records.HostEnt = self._to_ours(self._answers[task].record)
        return found


def _bytes(value: bytes | None) -> bytes | None:
    return None if value is None else bytes(value)


def _pass_through(name: str) -> Callable[..., Any]:
    def call(self: ApiTarget, *arguments: Any, **named: Any) -> Any:
        return self.through(name, *arguments, **named)

    call.__name__ = name
    return call


for _name in CALLS:
    if _name not in vars(ApiTarget):
        setattr(ApiTarget, _name, _pass_through(_name))


def make() -> Target:
    return ApiTarget()
