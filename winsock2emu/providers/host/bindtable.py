"""The bind table: who holds which port, and whether a second socket may have it too.

Part played:     the address objects of tcpip.sys with their sharing rules.
Lives here:      Windows' conflict matrix and the bindings of one provider instance.
Lives elsewhere: realising an allowed double bind on the host (binding), who may set which option when (options).
Rules:           two sockets meet when they use the same protocol and port, and their addresses overlap: the same
                 specific address, or a wildcard and any address of a family it covers. A dual-stack IPv6 socket covers
                 both families, a v4-mapped address counts as the IPv4 address it holds. Different specific addresses
                 never meet. What happens then is table T11.1. A connection accepted from an exclusive listener keeps
                 the port from being bound exclusively again, and from nothing else.
Cost:            a program may have thousands of sockets that connect and never share a port. Of such a socket the table
                 has a number and a reference; what it holds is worked out when somebody else asks for its port.
Sources:         using-so-reuseaddr-and-so-exclusiveaddruse (Server 2003 and later, same user); observed on Windows for
                 IPv6 (behaviours excl-* and reuse-* of the project's reference).
"""

from __future__ import annotations

import itertools
import threading
from typing import Final, Protocol

import attrs

from ...defs.codes import WSAEACCES, WSAEADDRINUSE, WSAEINVAL
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


_ANYWHERE: Final = {AF_INET: bytes(4), AF_INET6: bytes(16)}


class Holder(Protocol):
    """A socket, as far as the table knows it.

    Attributes:
        family: AF_INET or AF_INET6.
        binding: what it holds; only the table changes it. A number stands for the whole of a port, see
            `BindTable.reserve`.
    """

    family: int
    binding: Binding | int | None


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
    sockets: list[Holder] = attrs.field(factory=list, repr=False)

    @classmethod
    def of(cls, protocol: int, name: SockAddr, *, dual: bool, mode: int) -> Binding:
        """The binding that a local address stands for."""
        family, port, address = name.family, name.port, name.packed
        if family == AF_INET:
            return cls(protocol, port, family, address, False, mode)
        if is_mapped(name):
            return cls(protocol, port, AF_INET, address[12:], False, mode)
        if is_link_local(name):
            address += name.scope_id.to_bytes(4, "big")
        return cls(protocol, port, family, address, dual, mode)

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
        # By protocol and port: bindings in the order they came, or the socket that has reserved the port.
        self._held: dict[int, list[Binding] | Holder] = {}
        self._order = itertools.count(1)

    def claim(self, wanted: Binding, holder: Holder) -> list[Binding]:
        """Enter a binding if Windows lets it be.

        Returns:
            The bindings it shares the port with and that the host sees as conflicts; usually none.

        Raises:
            WinsockError: WSAEADDRINUSE or WSAEACCES, by table T11.1; WSAEINVAL from all of these when the socket holds
                something already, because another thread has bound it.
        """
        with self._lock:
            held = self._bindings(_key(wanted.protocol, wanted.port))
            for binding in held:
                code = verdict(binding, wanted)
                if code:
                    raise WinsockError(code)
            partners = [binding for binding in held if not binding.accepted and overlaps(binding, wanted)]
            self._enter(wanted, holder)
        return partners

    def claim_alone(self, wanted: Binding, holder: Holder) -> bool:
        """Enter a binding if nobody has its port; False when somebody has."""
        with self._lock:
            if _key(wanted.protocol, wanted.port) in self._held:
                return False
            self._enter(wanted, holder)
        return True

    def reserve(self, protocol: int, port: int, holder: Holder) -> bool:
        """The same for a socket on the wildcard address that has no option and serves its own family only."""
        key = _key(protocol, port)
        with self._lock:
            if key in self._held:
                return False
            _check_unbound(holder)
            self._held[key] = holder
            holder.binding = key
        return True

    def enter(self, binding: Binding, holder: Holder) -> None:
        """Enter a binding that is a fact already."""
        with self._lock:
            self._enter(binding, holder)

    def _enter(self, binding: Binding, holder: Holder) -> None:
        _check_unbound(holder)
        key = _key(binding.protocol, binding.port)
        self._held[key] = [*self._bindings(key), binding]
        binding.order = next(self._order)
        binding.sockets.append(holder)
        holder.binding = binding

    def _bindings(self, key: int) -> list[Binding]:
        """Who has a port; a reservation becomes a binding."""
        held = self._held.get(key, [])
        if isinstance(held, list):
            return held
        family = held.family
        binding = Binding(key >> 16, key & 0xFFFF, family, _ANYWHERE[family], False, DEFAULT, sockets=[held])
        held.binding = binding
        self._held[key] = [binding]
        return [binding]

    def release(self, holder: Holder) -> Binding | None:
        """A socket lets go of what it holds; the binding, if it had one. May be repeated."""
        with self._lock:
            binding, holder.binding = holder.binding, None
            if isinstance(binding, int):
                del self._held[binding]
            elif binding is not None:
                binding.sockets.remove(holder)
                if not binding.sockets:
                    key = _key(binding.protocol, binding.port)
                    left = [other for other in self._bindings(key) if other is not binding]
                    if left:
                        self._held[key] = left
                    else:
                        del self._held[key]
                return binding
        return None

    def __len__(self) -> int:
        return sum(len(held) if isinstance(held, list) else 1 for held in tuple(self._held.values()))

    def reset_locks(self) -> None:
        """After a fork: the lock may have been held by a thread that is gone."""
        self._lock = threading.Lock()


def _check_unbound(holder: Holder) -> None:
    if holder.binding is not None:
        raise WinsockError(WSAEINVAL)


def _key(protocol: int, port: int) -> int:
    return protocol << 16 | port
