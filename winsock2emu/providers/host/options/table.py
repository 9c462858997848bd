"""What a row of the option table is, and the words that rows are written in.

Part played:     the option tables of msafd and wshtcpip.
Lives here:      the row, the kinds of sockets and of lengths, and the values that are kept as they are.
Lives elsewhere: the rows (one module for each level), the order of the checks (the package itself).
Values:          what a program has set is kept in the socket's ``settings``, which is what it reads back, whatever the
                 host makes of it: hosts double, round and clip. Most options have a default that nobody has to store.
"""

from __future__ import annotations

import enum
import struct
import sys
from collections.abc import Callable, Container
from typing import Any, Final

import attrs

from ....defs.codes import WSAEINVAL, WSAENOPROTOOPT
from ....defs.constants import AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM
from ....errors import WinsockError
from ..hostsocket import HostSocket

Reader = Callable[[HostSocket], bytes]
Writer = Callable[[HostSocket, bytes], None]
Teller = Callable[[HostSocket, int], None]
"""Passes a number on to the host."""


class Lengths(enum.Enum):
    """What Windows makes of lengths other than an option's size. A longer one is always taken."""

    WHOLE = "a shorter one is WSAEFAULT"
    EMPTIED = "TCP/IP's switches for control data: a shorter one is WSAEFAULT, and a get reports a length of 0"
    FLAG = "msafd's BOOLs: any length sets; a get of one to three bytes gives one"
    NARROW = "TCP/IP's numbers: one byte or more sets; a get of one to three bytes gives one"
    BYTE = "TCP/IP's BOOLs: one byte is all that is ever taken and given"
    VARIABLE = "as long as the value is"
    NOTHING = "there is no value, and no pointer to one is needed"


def any_kind(endpoint: HostSocket) -> bool:
    """Every socket."""
    return True


def stream(endpoint: HostSocket) -> bool:
    """TCP and AF_UNIX streams."""
    return endpoint.socket_type == SOCK_STREAM


def tcp(endpoint: HostSocket) -> bool:
    """TCP."""
    return endpoint.socket_type == SOCK_STREAM and endpoint.family != AF_UNIX


def message(endpoint: HostSocket) -> bool:
    """UDP and raw sockets."""
    return endpoint.socket_type != SOCK_STREAM


def udp(endpoint: HostSocket) -> bool:
    """UDP."""
    return endpoint.socket_type == SOCK_DGRAM


def raw(endpoint: HostSocket) -> bool:
    """Raw sockets."""
    return endpoint.socket_type == SOCK_RAW


@attrs.frozen(kw_only=True)
class Option:
    """One option.

    Attributes:
        access: "g", "s" or "gs": what may be done with it. Anything else is WSAENOPROTOOPT.
        size: least length of a value in bytes, and the length of the answer.
        lengths: what becomes of other lengths.
        applies: which sockets have it.
        elsewhere: the code for the others. Observed: the IP levels know their options on all sockets and say WSAEINVAL.
        default: what a new socket shows, where no reader says so.
        flag: kept as 0 or 1.
        allowed: the numbers that may be set; all without it.
        state: the code that the socket's state earns a program that sets it, 0 for none.
        tell: passes a new value on to the host; without it the value is only kept.
        after: what else follows from a value, once it is kept.
        read, write: get and set of an option that is more than a number kept.
        adopt: set of an option whose value is the handle of another socket.
        tell_size: a get with too little room is told how much it takes.
    """

    access: str = "gs"
    size: int = 4
    lengths: Lengths = Lengths.WHOLE
    applies: Callable[[HostSocket], bool] = any_kind
    elsewhere: int = WSAENOPROTOOPT
    default: int | Callable[[HostSocket], int] = 0
    flag: bool = False
    allowed: Container[int] | None = None
    state: Callable[[HostSocket], int] | None = None
    tell: Teller | None = None
    after: Callable[[HostSocket], None] | None = None
    read: Reader | None = None
    write: Writer | None = None
    adopt: Callable[[HostSocket, HostSocket], None] | None = None
    tell_size: bool = False

    def kept(self, endpoint: HostSocket, key: Any) -> int:
        """The number that a get shows."""
        value = endpoint.settings.get(key)
        if value is None:
            value = self.default if isinstance(self.default, int) else self.default(endpoint)
        return int(value)

    def keep(self, endpoint: HostSocket, key: Any, value: bytes) -> None:
        """Set the number."""
        wanted = number(value)
        if self.flag:
            wanted = int(wanted != 0)
        elif self.lengths is Lengths.NARROW and len(value) < self.size:
            wanted = value[0]
        if self.allowed is not None and wanted not in self.allowed:
            raise WinsockError(WSAEINVAL)
        if self.tell is not None:
            self.tell(endpoint, wanted)
        endpoint.settings[key] = wanted
        if self.after is not None:
            self.after(endpoint)


# Values


def dword(value: int) -> bytes:
    """A 32-bit value as it lies in memory."""
    return struct.pack("<I", value & 0xFFFFFFFF)


def number(value: bytes) -> int:
    """A 32-bit value, or what there is of it."""
    return int.from_bytes(value[:4], "little")


# States


def only_unbound(endpoint: HostSocket) -> int:
    """For what has to be set before bind."""
    return WSAEINVAL if endpoint.bound else 0


# The host


def host_number(linux: int | None, darwin: int | None = None) -> int | None:
    """The host's number of an option that the socket module has no name for; None where there is no such option."""
    return {"linux": linux, "darwin": darwin}.get(sys.platform)


def on_host(level: int, option: int | None, translate: Callable[[int], int | bytes] | None = None) -> Teller | None:
    """Tell the host a number, or what ``translate`` makes of it; None, and so nothing, where there is no such option.

    A host may not want to hear of IPv4's options on an IPv6 socket; they matter only to one that is dual-stack.
    """
    if option is None:
        return None

    def tell(endpoint: HostSocket, value: int) -> None:
        try:
            endpoint.set_on_host(level, option, value if translate is None else translate(value))
        except WinsockError:
            if level != HOST_IP or endpoint.family != AF_INET6 or endpoint.closing:
                raise

    return tell


def empty(endpoint: HostSocket) -> bytes:
    """Reads as nothing."""
    return b""


def only_empty(endpoint: HostSocket, value: bytes) -> None:
    """Takes nothing."""
    if value:
        raise WinsockError(WSAEINVAL)


def refused(code: int) -> Option:
    """An option that is known but has no function."""

    def read(endpoint: HostSocket) -> bytes:
        raise WinsockError(code)

    def write(endpoint: HostSocket, value: bytes) -> None:
        raise WinsockError(code)

    return Option(read=read, write=write)


HOST_IP: Final = 0
HOST_IPV6: Final = 41
HOST_TCP: Final = 6
HOST_UDP: Final = 17
"""The host's levels, which are the protocols' numbers everywhere."""
