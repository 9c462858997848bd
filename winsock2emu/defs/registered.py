"""The records of registered I/O, under their names in mswsock.h.

Sources: ns-mswsock-rio_buf, ns-mswsock-rioresult, ns-mswsock-rio_notification_completion on Microsoft Learn.
"""

from __future__ import annotations

from typing import Any, Final

import attrs

from .constants import RIO_EVENT_COMPLETION, RIO_IOCP_COMPLETION

RIO_TABLE_SIZE: Final = 112
"""Bytes of RIO_EXTENSION_FUNCTION_TABLE."""


@attrs.frozen
class RIO_BUF:
    """A piece of a registered buffer.

    Attributes:
        buffer_id: what RIORegisterBuffer has returned.
        offset, length: where it begins and how long it is, in bytes.
    """

    buffer_id: int
    offset: int
    length: int


@attrs.frozen
class RIORESULT:
    """What has become of a request.

    Attributes:
        status: 0, or the Winsock code.
        moved: bytes (BytesTransferred).
        socket_context: as it was given to RIOCreateRequestQueue.
        request_context: as it was given with the request.
    """

    status: int
    moved: int
    socket_context: Any
    request_context: Any


@attrs.frozen
class RIO_NOTIFICATION_COMPLETION:
    """How RIONotify tells that a completion queue has results; made by `by_event` or `by_port`.

    Attributes:
        type: RIO_EVENT_COMPLETION or RIO_IOCP_COMPLETION.
        handle: the event or the completion port.
        reset: RIONotify resets the event first.
        key, overlapped: what the packet carries.
    """

    type: int
    handle: int
    reset: bool = False
    key: int = 0
    overlapped: Any = None

    @classmethod
    def by_event(cls, event: int, *, reset: bool = True) -> RIO_NOTIFICATION_COMPLETION:
        """Set an event."""
        return cls(RIO_EVENT_COMPLETION, event, reset=reset)

    @classmethod
    def by_port(cls, port: int, key: int, overlapped: Any) -> RIO_NOTIFICATION_COMPLETION:
        """Queue a packet on a completion port."""
        return cls(RIO_IOCP_COMPLETION, port, key=key, overlapped=overlapped)
