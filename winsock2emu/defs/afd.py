"""The requests that afd.sys takes beneath Winsock: control codes and poll flags.

Programs that wait below Winsock (event loops, most of all) use them; Microsoft's own headers do not have them.

Sources: the public headers of ReactOS (afd/shared.h) and of programs that poll through \\Device\\Afd (wepoll, trio,
libuv), and observed requests.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

# AFD_POLL_*; what select, WSAPoll and the network events are read from, too.
AFD_POLL_RECEIVE: Final = 0x001
AFD_POLL_RECEIVE_EXPEDITED: Final = 0x002
AFD_POLL_SEND: Final = 0x004
AFD_POLL_DISCONNECT: Final = 0x008
AFD_POLL_ABORT: Final = 0x010
AFD_POLL_LOCAL_CLOSE: Final = 0x020
AFD_POLL_CONNECT: Final = 0x040
AFD_POLL_ACCEPT: Final = 0x080
AFD_POLL_CONNECT_FAIL: Final = 0x100
AFD_POLL_ALL: Final = 0x1FF

IOCTL_AFD_BIND: Final = 0x12003
IOCTL_AFD_RECV: Final = 0x12017
IOCTL_AFD_RECV_DATAGRAM: Final = 0x1201B
IOCTL_AFD_SEND: Final = 0x1201F
IOCTL_AFD_POLL: Final = 0x12024
IOCTL_AFD_GETSOCKNAME: Final = 0x1202F
IOCTL_AFD_EVENT_SELECT: Final = 0x12087
IOCTL_AFD_GET_EVENTS: Final = 0x1208B

# AFD_RECV_INFO and AFD_SEND_INFO: what a transport is asked for.
TDI_RECEIVE_EXPEDITED: Final = 0x040
TDI_RECEIVE_PEEK: Final = 0x080
TDI_RECEIVE_WAIT_ALL: Final = 0x4000
TDI_SEND_EXPEDITED: Final = 0x020

CONDITIONS: Final = UUID("6d0d9ad6-5cf6-4a0e-9a7c-2f5f3b1e7c55")
"""Under this GUID, our own, a provider hands out a function from a socket to its `engine.polls.Conditions`."""
