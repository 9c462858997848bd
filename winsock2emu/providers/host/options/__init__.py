"""Socket options: one row each, with what it holds, where it applies, and how the host realises it.

Part played:     the option half of msafd and wshtcpip.
Lives here:      the checks that all options share: level, option, direction, kind of socket, length, state, value, in
                 this order; the options that are refused on purpose.
Lives elsewhere: the rows (socket, ip, ipv6, tcp, udp; internet for what both IP levels have), their form (table), what
                 the settings do (stream, datagram, screening, membership, engine/lanes for the time-outs).
Hosts:           numbers that the socket module has no names for are those of Linux and macOS. Where another host lacks
                 an option the value is kept, if that is all a program can see of it, or refused.
Sources:         sol-socket-socket-options, ipproto-ip-socket-options, ipproto-ipv6-socket-options,
                 ipproto-tcp-socket-options, ipproto-udp-socket-options; table T16.2, R16.37-R16.41, B39, B40 and the
                 behaviours optlen-* and optvalid-* of the project's reference.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any, Final

from ....defs.codes import WSAEFAULT, WSAEINVAL, WSAENOPROTOOPT, WSAENOTSOCK
from ....defs.constants import AF_INET, AF_INET6, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP, SOL_SOCKET
from ....errors import WinsockError
from ..hostsocket import HostSocket
from . import ip, ipv6, socket, tcp, udp
from .table import Lengths, Option, dword

__all__ = ["OPTIONS", "REFUSED", "Lengths", "Option", "get_option", "set_option"]

_MODULES: Final = {
    SOL_SOCKET: socket,
    IPPROTO_IP: ip,
    IPPROTO_IPV6: ipv6,
    IPPROTO_TCP: tcp,
    IPPROTO_UDP: udp,
}
"""The levels that Windows' TCP/IP knows; any other is WSAEINVAL, not WSAENOPROTOOPT."""

OPTIONS: Final[dict[tuple[int, int], Option]] = {
    (level, number): option for level, module in _MODULES.items() for number, option in module.ROWS.items()
}

REFUSED: Final[dict[tuple[int, int], str]] = {
    (level, number): reason for level, module in _MODULES.items() for number, reason in module.REFUSED.items()
}
"""Options that Windows' headers have and this provider has not, with the reason: WSAENOPROTOOPT on every socket."""

_FAMILIES: Final = {IPPROTO_IP: (AF_INET, AF_INET6), IPPROTO_IPV6: (AF_INET6,)}


def _find(endpoint: HostSocket, level: int, number: int, access: str) -> Option:
    if level not in _MODULES:
        raise WinsockError(WSAEINVAL)
    option = OPTIONS.get((level, number))
    if option is None or access not in option.access or endpoint.family not in _FAMILIES.get(level, (endpoint.family,)):
        index(number)  # a TypeError for what is no number at all
        raise WinsockError(WSAENOPROTOOPT)
    if not option.applies(endpoint):
        raise WinsockError(option.elsewhere)
    return option


def _key(level: int, number: int) -> Any:
    """What a setting is kept under."""
    return number if level == SOL_SOCKET else (level, number)


def get_option(endpoint: HostSocket, level: int, number: int, length: int | None) -> bytes:
    """WSPGetSockOpt.

    Raises:
        WinsockError: WSAEINVAL, no such level, or not for this kind of socket; WSAENOPROTOOPT, no such option, not for
            this kind of socket, or set only; WSAEFAULT, ``length`` is too short.
    """
    try:
        option = _find(endpoint, level, number, "g")
    except WinsockError:
        if length == 0:  # no room at all is the first thing that is looked at
            raise WinsockError(WSAEFAULT) from None
        raise
    size = 1 if option.lengths is Lengths.BYTE else option.size
    if length is not None and length < size:
        if length < 1 or option.lengths not in (Lengths.FLAG, Lengths.NARROW):
            raise _too_short(option, length)
        size = 1
    value = dword(option.kept(endpoint, _key(level, number))) if option.read is None else option.read(endpoint)
    if option.lengths is not Lengths.VARIABLE:
        return value[:size]
    if length is not None and not 0 <= len(value) <= length:
        raise WinsockError(WSAEFAULT)
    return value


def _too_short(option: Option, length: int) -> WinsockError:
    """Observed: few options change the length that they fail for."""
    needed = None
    if option.tell_size:
        needed = option.size
    elif option.lengths is Lengths.EMPTIED and length > 0:
        needed = 0
    return WinsockError(WSAEFAULT, needed=needed)


def _nobody(handle: int) -> HostSocket:
    raise WinsockError(WSAENOTSOCK)


def set_option(
    endpoint: HostSocket,
    level: int,
    number: int,
    value: bytes | None,
    find: Callable[[int], HostSocket] = _nobody,
) -> None:
    """WSPSetSockOpt. ``find`` is the socket of a handle, for options whose value is one.

    Raises:
        WinsockError: WSAEFAULT, no value; WSAEINVAL and WSAENOPROTOOPT as for `get_option` (get only); WSAEFAULT, too
            short; WSAEINVAL, a value or state that does not allow it; WSAEADDRNOTAVAIL, no such interface or group;
            WSAENOTSOCK, a value that is to be a socket and is none.
    """
    if value is None:
        known = OPTIONS.get((level, number))
        if known is None or known.lengths is not Lengths.NOTHING:
            raise WinsockError(WSAEFAULT)
        value = b""
    option = _find(endpoint, level, number, "s")
    if len(value) < option.size and option.lengths is not Lengths.FLAG:
        memoryview(value)  # a TypeError for what is no buffer at all
        if not value or option.lengths not in (Lengths.NARROW, Lengths.BYTE):
            raise WinsockError(WSAEFAULT)
    if option.state is not None:
        code = option.state(endpoint)
        if code:
            raise WinsockError(code)
    if option.lengths is Lengths.BYTE:
        value = value[:1]
    if option.adopt is not None:
        option.adopt(endpoint, find(int.from_bytes(value[: option.size], "little")))
    elif option.write is not None:
        option.write(endpoint, value)
    else:
        option.keep(endpoint, _key(level, number), value)
