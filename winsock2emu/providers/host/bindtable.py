"""The bind table: who holds which port, and whether a second socket may have it too.

Part played:     the address objects of tcpip.sys with their sharing rules.
Lives here:      Windows' conflict matrix and the bindings of one provider instance.
Lives elsewhere: realising an allowed double bind on the host (binding), who may set which option when (options).
Rules:           two sockets meet when they use the same protocol and port, and their addresses overlap: the same
                 specific address, or a wildcard and any address of a family it covers. A dual-stack IPv6 socket covers
                 both families, a v4-mapped address counts as the IPv4 address it holds. Different specific addresses
                 never meet. What happens then is table T11.1. A connection accepted from an exclusive listener keeps
                 the port from being bound exclusively again, and from nothing else.
Sources:         using-so-reuseaddr-and-so-exclusiveaddruse (Server 2003 and later, same user); observed on Windows for
                 IPv6 (behaviours excl-* and reuse-* of the project's reference).
"""

from __future__ import annotations

import itertools
import threading
from typing import Any, Final

import attrs

from ...defs.codes import WSAEACCES, WSAEADDRINUSE
from ...defs.constants import AF_INET, AF_INET6
from ...defs.sockaddr import SockAddr
from ...errors import WinsockError

DEFAULT: Final = 0
REUSEADDR: Final = 1  # SO_REUSEADDR
EXCLUSIVE: Final = 2  # SO_EXCLUSIVEADDRUSE

_OK, _INUSE, _ACCESS = 0, WSAEADDRINUSE, WSAEACCES

# T11.1. Row: what the first socket is and whether it holds a wildcard (True) or a specific address. Columns: the second
# socket, as (mode, wildcard): default W, default S, reuse W, reuse S, exclusive W, exclusive S.
_MATRIX: Final[dict[tuple[int, bool], tuple[int, ...]]] = {
    (DEFAULT, True): (_INUSE, _OK, _ACCESS, _OK, _INUSE, _OK),
    (DEFAULT, False): (_OK, _INUSE, _OK, _ACCESS, _INUSE, _INUSE),
    (REUSEADDR, True): (_INUSE, _OK, _OK, _OK, _INUSE, _OK),
    (REUSEADDR, False): (_OK, _INUSE, _OK, _OK, _INUSE, _INUSE),
    (EXCLUSIVE, True): (_INUSE, _ACCESS, _ACCESS, _ACCESS, _INUSE, _ACCESS),
    (EXCLUSIVE, False): (_OK, _INUSE, _OK, _ACCESS, _INUSE, _INUSE),
}

_MAPPED = bytes(10) + b"\xff\xff"


@attrs.define(eq=False)
class Binding:
    """One socket's hold on a port.

    Attributes:
        protocol: the transport protocol; ports of different protocols have nothing to do with each other.
        port: in host order.
        family, address: what is held, a v4-mapped address as the IPv4 address in it; a link-local address is followed
            by its scope.
        dual: an IPv6 socket that serves IPv4 as well.
        mode: DEFAULT, REUSEADDR or EXCLUSIVE, as it was when the socket was bound.
        accepted: a connection's share in the port of the exclusive listener that accepted it.
        order: grows from binding to binding.
        sockets: the sockets that hold it; the binding ends with the last.
    """

    protocol: int
    port: int
    family: int
    address: bytes
    dual: bool
    mode: int
    accepted: bool = False
    order: int = 0
    sockets: list[Any] = attrs.field(factory=list, repr=False)

    @classmethod
    def of(cls, protocol: int, name: SockAddr, *, dual: bool, mode: int) -> Binding:
        """The binding that a local address stands for."""
        family, address = name.family, name.packed
        if is_mapped(name):
            return cls(protocol, name.port, AF_INET, address[12:], False, mode)
        if is_link_local(name):
            address += name.scope_id.to_bytes(4, "big")
        return cls(protocol, name.port, family, address, dual and family == AF_INET6, mode)

    @property
    def wildcard(self) -> bool:
        """True for 0.0.0.0 and ::."""
        return not any(self.address)


def is_mapped(name: SockAddr) -> bool:
    """True for an IPv4 address in IPv6 form, ::ffff:a.b.c.d."""
    return name.family == AF_INET6 and name.packed.startswith(_MAPPED)


def is_link_local(name: SockAddr) -> bool:
    """True for an IPv6 address that means something on one link only, fe80::/10."""
    return name.family == AF_INET6 and int.from_bytes(name.packed[:2], "big") & 0xFFC0 == 0xFE80


def verdict(first: Binding, second: Binding) -> int:
    """What happens to ``second`` because of ``first``: 0, WSAEADDRINUSE or WSAEACCES."""
    if first.accepted:
        return _INUSE if second.mode == EXCLUSIVE and overlaps(first, second) else _OK
    if first.family == second.family:
        if first.address != second.address and not first.wildcard and not second.wildcard:
            return _OK
        shapes = first.wildcard, second.wildcard
    elif first.dual and first.wildcard:
        # Beside a wildcard over both families any IPv4 binding is the more specific one, even 0.0.0.0.
        shapes = True, False
    elif second.dual and second.wildcard:
        shapes = False, True
    else:
        return _OK
    return _MATRIX[first.mode, shapes[0]][2 * second.mode + (not shapes[1])]


def overlaps(first: Binding, second: Binding) -> bool:
    """True when the host sees two bindings of one port meet, whether Windows minds or not."""
    if first.family == second.family:
        return first.address == second.address or first.wildcard or second.wildcard
    return (first.dual and first.wildcard) or (second.dual and second.wildcard)


class BindTable:
    """The bindings of one provider instance."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[tuple[int, int], list[Binding]] = {}
        self._order = itertools.count(1)

    def claim(self, wanted: Binding) -> list[Binding]:
        """Enter a binding if Windows lets it be.

        Returns:
            The bindings it shares the port with and that the host sees as conflicts; usually none.

        Raises:
            WinsockError: WSAEADDRINUSE or WSAEACCES, by table T11.1.
        """
        with self._lock:
            held = self._held.get((wanted.protocol, wanted.port), ())
            for binding in held:
                code = verdict(binding, wanted)
                if code:
                    raise WinsockError(code)
            partners = [binding for binding in held if not binding.accepted and overlaps(binding, wanted)]
            self._enter(wanted)
        return partners

    def claim_alone(self, wanted: Binding) -> bool:
        """Enter a binding if it meets no other; False when it does, whether Windows minds or not."""
        with self._lock:
            if any(overlaps(binding, wanted) for binding in self._held.get((wanted.protocol, wanted.port), ())):
                return False
            self._enter(wanted)
        return True

    def enter(self, binding: Binding) -> None:
        """Enter a binding that is a fact already."""
        with self._lock:
            self._enter(binding)

    def _enter(self, binding: Binding) -> None:
        binding.order = next(self._order)
        self._held.setdefault((binding.protocol, binding.port), []).append(binding)

    def release(self, binding: Binding) -> None:
        """Take a binding out; one that is not in the table is no error."""
        with self._lock:
            held = self._held.get((binding.protocol, binding.port))
            if held is not None and binding in held:
                held.remove(binding)
                if not held:
                    del self._held[binding.protocol, binding.port]

    def __len__(self) -> int:
        return sum(map(len, tuple(self._held.values())))

    def reset_locks(self) -> None:
        """After a fork: the lock may have been held by a thread that is gone."""
        self._lock = threading.Lock()
