"""Event objects."""

from __future__ import annotations

from winsock2emu.kernel.events import Event


def test_an_event_is_made_as_winsock_makes_it() -> None:
    """WSACreateEvent: manual reset, not signalled."""
    event = Event()

    assert event.manual_reset
    assert not event.signalled


def test_an_event_can_be_made_signalled_and_auto_reset() -> None:
    """CreateEvent's two flags."""
    event = Event(manual_reset=False, signalled=True)

    assert not event.manual_reset
    assert event.signalled


def test_set_and_reset_are_repeatable() -> None:
    """Both are states, not counts."""
    event = Event()
    seen = []

    for change in (event.set, event.set, event.reset, event.reset):
        change()
        seen.append(event.signalled)

    assert seen == [True, True, False, False]
