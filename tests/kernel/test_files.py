"""File objects: ports, modes, shared descriptors, cancelling, and routines that do not nest."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.concurrency import Call
from tests.kernel.test_operations import pending
from winsock2emu.defs.codes import ERROR_INVALID_PARAMETER, STATUS_CANCELLED, STATUS_PENDING
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.files import FileObject
from winsock2emu.kernel.objects import queue_apc, run_apcs
from winsock2emu.kernel.operations import OVERLAPPED, SKIP_PORT, SKIP_SIGNAL, issued
from winsock2emu.kernel.ports import Port
from winsock2emu.kernel.waits import this_waiter


def test_a_fresh_file_is_signalled() -> None:
    assert FileObject().signalled


def test_a_port_is_for_good() -> None:
    file, port = FileObject(), Port(1)
    file.associate(port, 5)
    with pytest.raises(WinsockError) as caught:
        file.associate(Port(1), 6)
    assert caught.value.winerror == ERROR_INVALID_PARAMETER
    assert (file.port, file.key) == (port, 5)


def test_a_file_for_synchronous_use_takes_no_port() -> None:
    with pytest.raises(WinsockError) as caught:
        FileObject(overlapped=False).associate(Port(1), 1)
    assert caught.value.winerror == ERROR_INVALID_PARAMETER


def test_descriptors_of_one_socket_have_port_and_modes_in_common() -> None:
    """R2.20: whenever they are made; requests are each one's own (R6.50)."""
    first, second, third, stranger = FileObject(), FileObject(), FileObject(), FileObject()
    second.share(first)
    port = Port(1)
    second.associate(port, 7)
    first.skip(SKIP_PORT)
    third.share(second)
    third.skip(SKIP_SIGNAL)
    for file in (first, second, third):
        assert (file.port, file.key, file.modes) == (port, 7, SKIP_PORT | SKIP_SIGNAL)
        with pytest.raises(WinsockError):
            file.associate(Port(1), 8)
    assert (stranger.port, stranger.modes, stranger.partners) == (None, 0, [])
    one, other = OVERLAPPED(), OVERLAPPED()
    pending(first, one)
    pending(second, other)
    assert first.cancel() == 1
    assert (one.Internal, other.Internal) == (STATUS_CANCELLED, STATUS_PENDING)


def test_cancelling_one_all_or_a_threads() -> None:
    file, other_file = FileObject(), FileObject()
    records = [OVERLAPPED() for _ in range(4)]
    for record in records[:3]:
        pending(file, record)
    pending(other_file, records[3])
    assert file.cancel(records[3]) == 0, "another file's"
    assert file.cancel(records[1]) == 1
    assert file.cancel(records[1]) == 0
    assert Call(lambda: file.cancel(waiter=this_waiter())).result() == 0
    assert file.cancel(waiter=this_waiter()) == 2
    assert file.cancel() == 0
    assert other_file.cancel() == 1


def test_routines_of_one_file_do_not_nest() -> None:
    """R6.34: one that comes up in an alertable wait of another one runs when that has returned."""
    file, waiter, order = FileObject(), this_waiter(), []

    def first(*outcome: Any) -> None:
        order.append("first begins")
        queue_apc(waiter, file.run_routine, waiter, lambda *outcome: order.append("second"))
        queue_apc(waiter, other.run_routine, waiter, lambda *outcome: order.append("another file's"))
        run_apcs(waiter)
        order.append("first ends")

    other = FileObject()
    queue_apc(waiter, file.run_routine, waiter, first)
    run_apcs(waiter)
    assert order == ["first begins", "another file's", "first ends", "second"]


def test_routines_of_one_file_in_two_threads_do_not_wait_for_each_other() -> None:
    file = FileObject()
    meeting = threading.Barrier(2)

    def run() -> None:
        file.run_routine(this_waiter(), lambda: meeting.wait(20))

    calls = [Call(run), Call(run)]
    for call in calls:
        call.result()


def test_a_routine_that_raises_loses_no_other_one() -> None:
    """R6.39: those that had to wait for its return are queued again."""
    file, waiter = FileObject(), this_waiter()
    ran: list[int] = []

    def first() -> None:
        queue_apc(waiter, file.run_routine, waiter, ran.append, 2)
        queue_apc(waiter, file.run_routine, waiter, ran.append, 3)
        run_apcs(waiter)
        raise ZeroDivisionError

    queue_apc(waiter, file.run_routine, waiter, first)
    queue_apc(waiter, ran.append, 1)
    with pytest.raises(ZeroDivisionError):
        run_apcs(waiter)
    run_apcs(waiter)
    assert sorted(ran) == [1, 2, 3]
    file.run_routine(waiter, ran.append, 4)
    assert ran[-1] == 4, "the turn is over"


def test_files_may_be_made_while_threads_end() -> None:
    """The end of a thread looks at all files there are."""
    going = True

    def make() -> None:
        kept: list[FileObject] = []
        while going:
            kept = [*kept[-100:], FileObject()]

    makers = [Call(make) for _ in range(2)]
    for _ in range(300):
        issued.thread_ended(this_waiter())
    going = False
    for maker in makers:
        maker.result()
