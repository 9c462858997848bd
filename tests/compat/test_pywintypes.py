"""``pywintypes`` by pywin32's conventions: handles, records, exceptions, times, identifiers (pywin32's own tests)."""

from __future__ import annotations

import datetime
import gc
import importlib
import sys
import time
from collections.abc import Iterator

import pytest

from winsock2emu import kernel32
from winsock2emu.compat import pywintypes, win32event, win32file
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process


def is_open(handle: int) -> bool:
    try:
        kernel32.GetHandleInformation(handle)
    except WinsockError:
        return False
    return True


def test_a_handle_is_closed_when_its_object_goes() -> None:
    handle = win32event.CreateEvent(None, 0, 0, None)
    number = int(handle)
    assert is_open(number)
    del handle
    assert not is_open(number)


def test_a_handle_is_closed_in_the_process_that_made_it() -> None:
    """The number may mean something else where the object happens to go."""
    handle = win32event.CreateEvent(None, 0, 0, None)
    number = int(handle)
    with Process().active():
        other = kernel32.CreateEvent(None, True, False)
        assert other == number  # both are the first handle of their process
        del handle
        assert is_open(other)
    assert not is_open(number)


def test_close_may_be_repeated_and_makes_the_number_zero() -> None:
    handle = win32event.CreateEvent(None, 0, 0, None)
    handle.Close()
    handle.close()
    assert (int(handle), handle.handle, bool(handle)) == (0, 0, False)


def test_close_of_a_handle_that_somebody_has_closed_fails_once() -> None:
    handle = win32event.CreateEvent(None, 0, 0, None)
    kernel32.CloseHandle(int(handle))
    with pytest.raises(pywintypes.error) as caught:
        handle.Close()
    assert caught.value.args == (6, "CloseHandle", "The handle is invalid.")
    handle.Close()


def test_detach_leaves_the_handle_open() -> None:
    handle = win32event.CreateEvent(None, 0, 0, None)
    number = handle.Detach()
    assert (is_open(number), bool(handle)) == (True, False)
    del handle
    assert is_open(number)


def test_handles_compare_by_number_and_with_numbers() -> None:
    one, same, other = pywintypes.HANDLE(4), pywintypes.HANDLE(pywintypes.HANDLE(4)), pywintypes.HANDLE()
    assert one == same == 4
    assert one != other
    assert other == 0
    assert one != None  # noqa: E711
    assert one != "4"
    assert {one: "found"}[one] == "found"
    assert repr(one) == "<PyHANDLE:4>"
    assert pywintypes.HANDLE(sys.maxsize + 1) == -sys.maxsize - 1
    assert isinstance(one, pywintypes.HANDLEType)


@pytest.mark.parametrize("value", ["foo", (), 1 << 64])
def test_what_is_no_handle_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError):
        pywintypes.HANDLE(value)


def test_a_record_keeps_its_event_and_shows_it_as_it_was_given() -> None:
    record = pywintypes.OVERLAPPED()
    assert record.hEvent == 0
    record.hEvent = win32event.CreateEvent(None, 1, 0, None)
    gc.collect()
    win32event.SetEvent(record.hEvent)
    assert win32event.WaitForSingleObject(record.hEvent, 0) == win32event.WAIT_OBJECT_0
    record.hEvent = 12
    assert record.hEvent == 12
    with pytest.raises(TypeError):
        record.hEvent = "event"
    assert record.hEvent == 12


def test_records_are_equal_by_content_and_hashed_by_identity() -> None:
    one, other = pywintypes.OVERLAPPED(), win32file.OVERLAPPED()
    assert one == other
    assert len({one, other}) == 2
    for name, value in (("Offset", 7), ("OffsetHigh", 7), ("dword", 7), ("object", "anything"), ("Internal", 7)):
        changed = pywintypes.OVERLAPPED()
        setattr(changed, name, value)
        assert getattr(changed, name) == value
        assert changed != other
    assert one != 1


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ((), (None, None, None)),
        (("foo",), ("foo", None, None)),
        ((5, "Function", "Text."), (5, "Function", "Text.")),
        ((1, 2, 3, 4), (1, 2, 3)),
    ],
)
def test_an_error_has_what_it_was_given(arguments: tuple[object, ...], shown: tuple[object, ...]) -> None:
    failure = pywintypes.error(*arguments)
    assert failure.args == arguments
    assert (failure.winerror, failure.funcname, failure.strerror) == shown
    assert (type(failure).__name__, type(failure).__module__, type(failure).__bases__) == (
        "error",
        "pywintypes",
        (Exception,),
    )
    assert str(failure) == str(Exception(*arguments))


def test_a_com_error_has_its_values_in_the_order_of_com() -> None:
    failure = pywintypes.com_error(-1, "text", None, 2)
    assert (failure.hresult, failure.strerror, failure.excepinfo, failure.argerror) == (-1, "text", None, 2)


def test_a_code_without_a_text_has_one_that_says_so() -> None:
    failure = pywintypes.failure_of(0x7FFF, "Function")
    assert failure.args == (0x7FFF, "Function", "No error message is available")


def test_security_attributes_are_for_children_unless_they_say_otherwise() -> None:
    attributes = pywintypes.SECURITY_ATTRIBUTES()
    attributes.SetSecurityDescriptorDacl(1, None, 0)
    assert attributes.SECURITY_DESCRIPTOR.GetSecurityDescriptorDacl() is None
    assert attributes.bInheritHandle
    inherited = win32event.CreateEvent(attributes, 0, 0, None)
    attributes.bInheritHandle = False
    own = win32event.CreateEvent(attributes, 0, 0, None)
    assert (kernel32.GetHandleInformation(int(inherited)), kernel32.GetHandleInformation(int(own))) == (1, 0)
    with pytest.raises(TypeError):
        win32event.CreateEvent("attributes", 0, 0, None)


def test_a_time_is_a_datetime_of_local_time_or_of_utc() -> None:
    made = pywintypes.Time(100)
    assert isinstance(made, datetime.datetime)
    assert made == datetime.datetime.fromtimestamp(100)
    assert pywintypes.Time(made) is made
    assert pywintypes.Time((*time.localtime(100), 7)) == made + datetime.timedelta(milliseconds=7)
    assert isinstance(made, pywintypes.TimeType)
    assert made.Format("%Y") == made.strftime("%Y")
    unix = pywintypes.TimeStamp(116_444_736_000_000_000)
    assert unix == datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert pywintypes.TimeStamp(0x7FFFFFFFFFFFFFFF) == datetime.datetime.max
    with pytest.raises(TypeError):
        pywintypes.Time(None)


def test_an_identifier_goes_from_text_to_bytes_and_back() -> None:
    text = "{00020400-0000-0000-C000-000000000046}"
    made = pywintypes.IID(text)
    assert str(made) == text
    assert pywintypes.IID(memoryview(made), True) == made
    assert {made: 1}[pywintypes.IID(text)] == 1
    assert pywintypes.CreateGuid() != pywintypes.CreateGuid()
    with pytest.raises(ValueError, match="16 bytes"):
        pywintypes.IID(b"00", True)
    with pytest.raises(TypeError):
        pywintypes.IID(0, True)


@pytest.mark.parametrize(
    "name", ["pywintypes", "win32api", "win32con", "win32event", "win32file", "win32pipe", "winerror"]
)
def test_a_module_is_found_under_windows_name_when_it_is_put_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    face = importlib.import_module(f"winsock2emu.compat.{name}")
    monkeypatch.setitem(sys.modules, name, face)
    assert importlib.import_module(name) is face
    for exported in getattr(face, "__all__", ()):
        assert hasattr(face, exported)
