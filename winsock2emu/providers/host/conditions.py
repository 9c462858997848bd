"""What a socket can be ready for, in the terms of Windows' own poll request.

Part played:     the AFD_POLL flags, which select, WSAPoll and the network events are read from.
Lives here:      the conditions, and what of them each of select's sets and each of WSAPoll's bits is about.
Lives elsewhere: which of them hold for a socket (`conditions` of stream and datagram), waiting for them (watching).
Sources:         nf-winsock2-select, nf-winsock2-wsapoll; R3.43-R3.45, R3.51, R3.52 of the project's reference.
"""

from __future__ import annotations

from typing import Final

from ...defs.constants import POLLERR, POLLHUP, POLLNVAL, POLLRDBAND, POLLRDNORM, POLLWRNORM

CAN_READ: Final = 0x001  # data, or an error that a receive reports at once
CAN_READ_URGENT: Final = 0x002  # urgent data outside of the stream
CAN_WRITE: Final = 0x004
PEER_ENDED: Final = 0x008  # the peer has finished sending
WAS_RESET: Final = 0x010  # the connection is gone
WAS_CLOSED: Final = 0x020  # here, by another thread
CAN_ACCEPT: Final = 0x080
CONNECT_FAILED: Final = 0x100

# Asked for only: the end of a stream is to be told apart from data before it, which costs a look into the queue.
TELL_END: Final = 0x200

# select's three sets. A connection that is gone lets every call return at once.
TO_READ: Final = CAN_READ | CAN_ACCEPT | PEER_ENDED | WAS_RESET
TO_WRITE: Final = CAN_WRITE
EXCEPTIONAL: Final = CAN_READ_URGENT | CONNECT_FAILED

# WSAPoll: what an entry asks for, and what is reported unasked.
OF_EVENT: Final = {POLLRDNORM: CAN_READ | CAN_ACCEPT, POLLRDBAND: CAN_READ_URGENT, POLLWRNORM: CAN_WRITE}
UNASKED: Final = PEER_ENDED | WAS_RESET | WAS_CLOSED | CONNECT_FAILED
TO_EVENTS: Final = {
    CAN_READ: POLLRDNORM,
    CAN_ACCEPT: POLLRDNORM,
    CAN_READ_URGENT: POLLRDBAND,
    CAN_WRITE: POLLWRNORM,
    PEER_ENDED: POLLHUP,
    WAS_RESET: POLLERR | POLLHUP,
    CONNECT_FAILED: POLLERR | POLLHUP | POLLWRNORM,
    WAS_CLOSED: POLLNVAL,
}
