"""How the API finds a function that a provider has beside its table."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from conformance.targets.recording import RecordingProvider, recorder, row, started
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEINVAL, WSAENETDOWN, WSAEOPNOTSUPP
from winsock2emu.defs.constants import AF_INET, IPPROTO_TCP, SIO_GET_EXTENSION_FUNCTION_POINTER, SOCK_STREAM
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process, SocketRecord
from winsock2emu.ws2_32.extensions import extension

GUID = UUID("00112233-4455-6677-8899-aabbccddeeff")

Found = tuple[RecordingProvider, SocketRecord, int]


@pytest.fixture
def found() -> Iterator[Found]:
    """A provider, and the record and handle of a socket of its."""
    with started(row()) as process:
        assert isinstance(process, Process)
        s = api.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
        provider = recorder(process)
        provider.forget()
        yield provider, process.socket(s), s


def test_the_provider_is_asked_with_the_guid_in_memory_order(found: Found) -> None:
    """R9.14: Data1 to Data3 of a GUID are little-endian numbers, Data4 is bytes."""
    provider, record, s = found
    provider.answers["WSPIoctl"] = max

    assert extension(record, s, GUID) is max

    guid = bytes.fromhex("33221100 5544 7766 8899aabbccddeeff")
    assert [call.args for call in provider.calls] == [(s, SIO_GET_EXTENSION_FUNCTION_POINTER, guid, 8, None)]


@pytest.mark.parametrize(
    ("failure", "code"),
    [(WSAEINVAL, WSAEOPNOTSUPP), (WSAEOPNOTSUPP, WSAEOPNOTSUPP), (WSAENETDOWN, WSAENETDOWN)],
    ids=["unknown GUID", "unknown code", "anything else"],
)
def test_a_provider_that_refuses(found: Found, failure: int, code: int) -> None:
    provider, record, s = found
    provider.failures["WSPIoctl"] = WinsockError(failure)

    with pytest.raises(WinsockError) as caught:
        extension(record, s, GUID)

    assert caught.value.winerror == code


def test_an_answer_that_is_no_function(found: Found) -> None:
    _, record, s = found

    with pytest.raises(WinsockError) as caught:
        extension(record, s, GUID)

    assert caught.value.winerror == WSAEOPNOTSUPP
