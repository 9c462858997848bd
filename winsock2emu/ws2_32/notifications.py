"""Socket state notifications through a completion port.

Part played:     ProcessSocketNotifications, which Windows 11 has brought.
Lives elsewhere: when something is told (engine/notifications), taking packets off a port (kernel/ports).
Disabling:       SOCK_NOTIFY_EVENT_DISABLE is named on the pages and declared in no header: it is not told.
Results:         each registration gets its own; the call fails as a whole only for its arguments, and then nothing has
                 been done.
Sources:         winsock-socket-state-notifications and the pages below on Microsoft Learn.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any

import attrs

from ..defs.codes import (
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_FOUND,
    WSAENOBUFS,
    WSAEOPNOTSUPP,
)
from ..defs.constants import (
    INFINITE,
    SOCK_NOTIFY_EVENT_REMOVE,
    SOCK_NOTIFY_OP_DISABLE,
    SOCK_NOTIFY_OP_ENABLE,
    SOCK_NOTIFY_OP_NONE,
    SOCK_NOTIFY_OP_REMOVE,
    SOCK_NOTIFY_REGISTER_EVENTS_ALL,
    SOCK_NOTIFY_TRIGGER_ALL,
    SOCK_NOTIFY_TRIGGER_EDGE,
    SOCK_NOTIFY_TRIGGER_LEVEL,
    SOCK_NOTIFY_TRIGGER_ONESHOT,
    SOCK_NOTIFY_TRIGGER_PERSISTENT,
)
from ..engine.notifications import Registration, registration_of
from ..errors import WinsockError, exported
from ..kernel.ports import Packet, Port
from ..kernel32.afd import conditions_of
from ..kernel32.handles import typed
from ..process import Process, current_process


@attrs.define
class SOCK_NOTIFY_REGISTRATION:
    """What is to be done with the registration of a socket.

    Attributes:
        socket: the socket.
        completion_key: what its packets carry; counts when the registration is new.
        event_filter: SOCK_NOTIFY_REGISTER_EVENT_*.
        operation: SOCK_NOTIFY_OP_*.
        trigger_flags: SOCK_NOTIFY_TRIGGER_*; without ONESHOT it is persistent.
        result: 0, or why it was not done; set by the call.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/ns-winsock2-sock_notify_registration
    """

    socket: int
    completion_key: Any = 0
    event_filter: int = 0
    operation: int = SOCK_NOTIFY_OP_NONE
    trigger_flags: int = 0
    result: int = 0


@exported
def ProcessSocketNotifications(
    port: int,
    registrations: Sequence[SOCK_NOTIFY_REGISTRATION] = (),
    timeout_ms: int = 0,
    count: int = 0,
) -> list[Packet]:
    """Register sockets with a completion port, and take packets off it.

    Args:
        port: the completion port.
        registrations: what is to be done; each gets its result.
        timeout_ms: how long to wait for a packet, INFINITE for ever; 0 when ``count`` is.
        count: the most packets to take, 0 for none.

    Returns:
        Up to ``count`` tuples of key, overlapped record, NTSTATUS and bytes, which for a notification are its events:
        see `SocketNotificationRetrieveEvents`. Other packets of the port are among them.

    Raises:
        WinsockError: WAIT_TIMEOUT, no packet came, the registrations have been dealt with; ERROR_INVALID_HANDLE, no
            port; ERROR_INVALID_PARAMETER, a time without a count.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-processsocketnotifications
    """
    process = current_process()
    process.check_started()
    if timeout_ms and not count:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    thing = typed(process, port, Port)
    for one in registrations:
        try:
            _register(process, thing, one)
            one.result = 0
        except WinsockError as failure:
            one.result = failure.winerror
    if not count:
        return []
    found = thing.get_several(count, None if timeout_ms == INFINITE else timeout_ms / 1000, False, process)
    if isinstance(found, int):
        raise WinsockError(found)
    return found


def _register(process: Process, port: Port, one: SOCK_NOTIFY_REGISTRATION) -> None:
    if one.operation == SOCK_NOTIFY_OP_NONE:
        return
    conditions = conditions_of(process.socket(one.socket), one.socket)
    known = registration_of(conditions)
    if one.operation == SOCK_NOTIFY_OP_ENABLE:
        _check(one)
        if known is not None and known.port is not port:
            raise WinsockError(ERROR_INVALID_PARAMETER)  # a socket belongs to one port
        if known is None:
            known = Registration(conditions, port, one.completion_key)
        try:
            known.enable(one.event_filter, one.trigger_flags)
        except OSError as failure:
            known.remove()
            if isinstance(failure, WinsockError):
                raise
            raise WinsockError(WSAEOPNOTSUPP if failure.errno == errno.EOPNOTSUPP else WSAENOBUFS) from failure
        return
    if one.operation not in (SOCK_NOTIFY_OP_DISABLE, SOCK_NOTIFY_OP_REMOVE):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if known is None or known.port is not port:
        raise WinsockError(ERROR_NOT_FOUND)
    if one.operation == SOCK_NOTIFY_OP_DISABLE:
        known.disable()
        return
    known.remove()
    port.post((known.key, 0, 0, SOCK_NOTIFY_EVENT_REMOVE))


def _check(one: SOCK_NOTIFY_REGISTRATION) -> None:
    """ERROR_INVALID_PARAMETER for flags that do not exist or do not go together."""
    triggers = one.trigger_flags
    level_or_edge = triggers & (SOCK_NOTIFY_TRIGGER_LEVEL | SOCK_NOTIFY_TRIGGER_EDGE)
    both = SOCK_NOTIFY_TRIGGER_ONESHOT | SOCK_NOTIFY_TRIGGER_PERSISTENT
    if (
        triggers & ~SOCK_NOTIFY_TRIGGER_ALL
        or one.event_filter & ~SOCK_NOTIFY_REGISTER_EVENTS_ALL
        or level_or_edge not in (SOCK_NOTIFY_TRIGGER_LEVEL, SOCK_NOTIFY_TRIGGER_EDGE)
        or triggers & both == both
    ):
        raise WinsockError(ERROR_INVALID_PARAMETER)


def SocketNotificationRetrieveEvents(notification: Packet) -> int:
    """The events (SOCK_NOTIFY_EVENT_*) that a packet tells of.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-socketnotificationretrieveevents
    """
    return notification[3]
