"""Version 1.1 on top of version 2: the two functions of wsock32.dll that are not forwarded.

Part played:     wsock32.dll, whose header numbered eight IPPROTO_IP options differently.
Lives elsewhere: everything else of that DLL: its exports are those of ws2_32 and mswsock (capi.table).
Sources:         winsock.h and ws2ipdef.h: the names stand in both, with these numbers.
"""

from __future__ import annotations

from typing import Final

from ...defs.constants import (
    IP_ADD_MEMBERSHIP,
    IP_DONTFRAGMENT,
    IP_DROP_MEMBERSHIP,
    IP_MULTICAST_IF,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IP_TOS,
    IP_TTL,
    IPPROTO_IP,
)
from . import options

__all__ = ["getsockopt", "setsockopt"]

_IP_OPTIONS: Final = {
    2: IP_MULTICAST_IF,
    3: IP_MULTICAST_TTL,
    4: IP_MULTICAST_LOOP,
    5: IP_ADD_MEMBERSHIP,
    6: IP_DROP_MEMBERSHIP,
    7: IP_TTL,
    8: IP_TOS,
    9: IP_DONTFRAGMENT,
}


def getsockopt(s: int, level: int, optname: int, optval: int, optlen: int) -> int:
    if level == IPPROTO_IP:
        optname = _IP_OPTIONS.get(optname, optname)
    return options.getsockopt(s, level, optname, optval, optlen)


def setsockopt(s: int, level: int, optname: int, optval: int, optlen: int) -> int:
    if level == IPPROTO_IP:
        optname = _IP_OPTIONS.get(optname, optname)
    return options.setsockopt(s, level, optname, optval, optlen)
