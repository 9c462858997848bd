"""The handle table: numbers, look-ups, reuse, and threads that change it at the same time."""

from __future__ import annotations

from tests.concurrency import Call
from winsock2emu.kernel.handles import FIRST_NUMBER, STEP, HandleTable


def test_objects_without_a_descriptor_are_numbered_in_steps_of_four_above_any_descriptor() -> None:
    """Three objects in a fresh table."""
    table = HandleTable()

    handles = [table.allocate(name) for name in ("a", "b", "c")]

    assert handles == [0x100000, 0x100004, 0x100008]
    assert [table.objects[handle] for handle in handles] == ["a", "b", "c"]


def test_a_freed_number_is_given_out_again_at_once() -> None:
    """The second of three objects is closed; the next object gets its number, the one after that a new one."""
    table = HandleTable()
    _, second, third = (table.allocate(name) for name in ("a", "b", "c"))

    assert table.remove(second) == "b"

    assert second not in table.objects
    assert table.allocate("d") == second
    assert table.allocate("e") == third + STEP


def test_an_object_with_a_descriptor_keeps_that_number_and_a_taken_one_is_refused() -> None:
    """A socket's descriptor is 7; a second object claims 7."""
    table = HandleTable()

    assert table.insert(7, "socket")
    assert not table.insert(7, "other")

    assert table.objects[7] == "socket"


def test_a_descriptor_number_returns_to_the_host_and_not_to_the_table() -> None:
    """After a socket is closed, its small number must not be handed to an event."""
    table = HandleTable()
    table.insert(7, "socket")

    assert table.remove(7) == "socket"

    assert table.allocate("event") == FIRST_NUMBER
    assert table.insert(7, "next socket")


def test_a_layer_takes_over_a_number() -> None:
    """A layered provider registers its own object under its lower layer's handle."""
    table = HandleTable()
    table.insert(7, "base")

    table.replace(7, "layer")

    assert table.objects[7] == "layer"
    assert table.remove(7) == "layer"


def test_removing_an_unknown_number_changes_nothing() -> None:
    """A handle is closed twice: its number must not be given out to two objects."""
    table = HandleTable()
    handle = table.allocate("a")
    table.remove(handle)

    assert table.remove(handle) is None

    assert table.allocate("b") == handle
    assert table.allocate("c") == handle + STEP


def test_threads_never_share_a_number() -> None:
    """Eight threads number and free objects; whoever looks up its own handle finds its own object."""
    table = HandleTable()

    def work(name: int) -> int:
        strange = 0
        for turn in range(300):
            thing = (name, turn)
            handles = [table.allocate(thing) for _ in range(3)]
            strange += sum(table.objects[handle] is not thing for handle in handles)
            strange += sum(table.remove(handle) is not thing for handle in handles)
        return strange

    calls = [Call(work, name) for name in range(8)]

    assert [call.result() for call in calls] == [0] * 8
    assert table.objects == {}


def test_a_fresh_lock_serves_after_a_fork() -> None:
    """The parent held the lock while it forked; the child's table must still work."""
    table = HandleTable()
    table._lock.acquire()

    table.reset_locks()

    assert Call(table.allocate, "a").result() == FIRST_NUMBER


def test_every_change_of_what_a_number_means_is_counted() -> None:
    """Whoever remembers what numbers mean looks at the count, and has to ask again when it has changed."""
    table = HandleTable()
    counts = [table.changes]

    handle = table.allocate("a")
    counts.append(table.changes)
    table.insert(7, "socket")
    counts.append(table.changes)
    table.replace(7, "layer")
    counts.append(table.changes)
    table.remove(handle)
    counts.append(table.changes)

    assert counts == sorted(set(counts))


def test_the_table_tells_that_numbers_may_mean_something_else() -> None:
    """Every call that changes what a number means changes the count; look-ups do not."""
    table = HandleTable()
    counts = [table.changes]
    for change in (
        lambda: table.allocate("a"),
        lambda: table.insert(7, "socket"),
        lambda: table.replace(7, "layer"),
        lambda: table.remove(7),
    ):
        change()
        counts.append(table.changes)

    assert len(set(counts)) == len(counts)
    assert table.objects.get(7) is None
    assert table.changes == counts[-1]
