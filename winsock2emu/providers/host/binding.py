"""Binding on the host so that Windows' rules hold: who shares a port, who gets its traffic, which ports are dynamic.

Part played:     the port assignment of tcpip.sys, as far as a host with rules of its own can play it.
Lives here:      every host option that has to do with sharing a port, and the choice of ports. What is allowed is the
                 table's decision (bindtable); the host decides only where other processes are concerned.
Lives elsewhere: when a socket is bound (hostsocket, stream, datagram), the options that programs set (options).

On the host:     SO_REUSEPORT on both sockets lets them share a port, whatever their addresses are. It is set on the
                 newcomer and, late, on those that were there before, only where the table has allowed it; and on every
                 stream with SO_REUSEADDR, since its partner may be in another process. SO_REUSEADDR is what makes
                 TIME_WAIT no hindrance. It is left out as long as a socket is merely bound, because two processes that
                 both set it could bind the same port, and raised when the socket starts to listen or to connect.
Who gets it:     the most specific address, which is the hosts' own rule. Among equals the first to be bound. Linux
                 would throw dice, so it is given a program that always picks that one; see `_Queue`.
Dynamic ports:   49152 to 65535 (R11.4), drawn at random here, since hosts have other ranges. After many draws in vain
                 the host chooses, and after that it says why not.
Differences:     A socket of another process that Windows would allow beside ours is refused by the host, except for two
                 with SO_REUSEADDR under one user. TIME_WAIT of a program that is no emulated process can keep a port,
                 as Linux asks both sides. Hosts other than Linux pick among equals as they like.
Sources:         nf-winsock-bind, using-so-reuseaddr-and-so-exclusiveaddruse, dual-stack-sockets; R11.1-R11.12, A1-A10,
                 A65, A66 of the project's reference; socket(7), ip(7).
"""

from __future__ import annotations

import _socket
import contextlib
import ctypes
import errno
import random
import struct
import sys
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from ...defs.codes import WSAEACCES, WSAEADDRNOTAVAIL
from ...defs.constants import AF_INET, AF_INET6, SO_EXCLUSIVEADDRUSE, SO_REUSE_MULTICASTPORT, SO_REUSEADDR, SOCK_STREAM
from ...defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from ...errors import WinsockError
from .bindtable import DEFAULT, EXCLUSIVE, REUSEADDR, Binding, BindTable, is_link_local, is_mapped
from .translate import HOST_INET6, host_address, windows_address

if TYPE_CHECKING:
    from .hostsocket import HostSocket

FIRST_DYNAMIC_PORT: Final = 49152
LAST_DYNAMIC_PORT: Final = 65535
_DYNAMIC_BITS = 14  # there are as many as such numbers

# With nine ports in ten taken, one search in eight hundred finds none of the others.
_DRAWS = 64

_BROADCAST = b"\xff\xff\xff\xff"
_ANYWHERE = {AF_INET: sockaddr_in(bytes(4)), AF_INET6: sockaddr_in6(bytes(16))}

_SOL_SOCKET = int(_socket.SOL_SOCKET)
_SO_REUSEADDR = int(_socket.SO_REUSEADDR)
_SO_REUSEPORT = int(getattr(_socket, "SO_REUSEPORT", 0))
_V6ONLY = int(_socket.IPPROTO_IPV6), int(_socket.IPV6_V6ONLY)

# asm-generic/socket.h and linux/filter.h; a program is one instruction: return a constant.
_SO_ATTACH_REUSEPORT_CBPF = 51 if sys.platform == "linux" else 0
_RETURN_CONSTANT = 6

# What a host says of a local address that is not its own, or has a scope that does not exist.
_NOT_OURS = frozenset((errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENXIO))


def serves_ipv4(endpoint: HostSocket) -> bool:
    """True for a dual-stack socket: IPv6, with IPV6_V6ONLY off."""
    return endpoint.family == AF_INET6 and not endpoint.host.getsockopt(*_V6ONLY)


def checked_local_name(endpoint: HostSocket, name: bytes) -> SockAddr:
    """The local address for a bind, a missing scope filled in.

    Raises:
        WinsockError: WSAEADDRNOTAVAIL, no address that a socket can have: a multicast group, the broadcast address for
            a stream, an IPv4 address for a socket of IPv6 only, a scope that does not exist.
    """
    local = SockAddr(name)
    if endpoint.family == AF_INET:
        if local[4] & 0xF0 == 0xE0 or (local[4:8] == _BROADCAST and endpoint.socket_type == SOCK_STREAM):
            raise WinsockError(WSAEADDRNOTAVAIL)
        return local
    if local.packed[0] == 0xFF or (is_mapped(local) and not serves_ipv4(endpoint)):
        raise WinsockError(WSAEADDRNOTAVAIL)
    if local.scope_id:
        try:
            _socket.if_indextoname(local.scope_id)
        except (OSError, OverflowError):
            raise WinsockError(WSAEADDRNOTAVAIL) from None
    elif is_link_local(local):
        return _with_scope(local)
    return local


def _with_scope(local: SockAddr) -> SockAddr:
    """A link-local address on the interface that has it. Hosts want to be told which one that is, Windows does not."""
    for index, _ in _socket.if_nameindex():
        scoped = sockaddr_in6(local.packed, local.port, local.flowinfo, index)
        with contextlib.closing(_socket.socket(HOST_INET6, int(_socket.SOCK_DGRAM))) as probe:
            try:
                probe.bind(host_address(sockaddr_in6(local.packed, 0, 0, index)))
            except OSError:
                continue
        return scoped
    raise WinsockError(WSAEADDRNOTAVAIL)


def bind_on_host(endpoint: HostSocket, where: Any) -> None:
    """The host's bind, to an address in its form.

    Raises:
        OSError: as the host has it, except that whatever means "not our address" is EADDRNOTAVAIL.
    """
    try:
        endpoint.host.bind(where)
    except OSError as failure:
        if failure.errno in _NOT_OURS:
            failure.errno = errno.EADDRNOTAVAIL
        raise


class Bindings:
    """The ports that the sockets of one provider instance hold, on the host and by Windows' rules."""

    def __init__(self) -> None:
        self.table = BindTable()
        self._implicit_lock = threading.Lock()  # two threads may send from a new socket at once
        self._queue_lock = threading.Lock()
        self._queues: dict[tuple[object, ...], _Queue] = {}
        # Not the module's generator, whose sequence belongs to the program.
        self._random = random.Random()

    # Binding

    def bind(self, endpoint: HostSocket, name: SockAddr) -> None:
        """Bind a socket that is not bound.

        Raises:
            WinsockError: WSAEADDRINUSE and WSAEACCES by table T11.1; WSAEACCES as well for a port that the host keeps
                for privileged users; WSAEADDRNOTAVAIL, not a local address.
        """
        try:
            if name.port:
                self._bind_port(endpoint, name)
            elif not self._bind_dynamic(endpoint, name):
                bind_on_host(endpoint, host_address(name))
                self.table.enter(_binding_for(endpoint, _host_name(endpoint)), endpoint)
                self._now_bound(endpoint)
        except WinsockError:
            raise
        except OSError as failure:
            raise endpoint.ended(failure) from failure

    def bind_implicitly(self, endpoint: HostSocket) -> None:
        """Bind a socket to the wildcard address and a dynamic port, for a call that needs a local address.

        Where that fails the socket stays unbound, and the host chooses for itself in that call.
        """
        with self._implicit_lock:
            try:
                if not endpoint.bound and self._bind_dynamic(endpoint, _ANYWHERE[endpoint.family]):
                    endpoint.now_bound()
            except OSError:
                return  # of the host or, as every `WinsockError` is one, of the table

    def _bind_port(self, endpoint: HostSocket, name: SockAddr) -> None:
        binding, where = _binding_for(endpoint, name), host_address(name)
        partners = self.table.claim(binding, endpoint)
        try:
            if binding.mode == REUSEADDR:
                _share_with_others(endpoint)
            if partners:
                _share(endpoint, partners)
            try:
                bind_on_host(endpoint, where)
            except OSError as failure:
                if failure.errno != errno.EADDRINUSE or endpoint.socket_type != SOCK_STREAM:
                    raise
                keep_reusable(endpoint)
                # If this succeeds, only TIME_WAIT or connections of a listener that is gone were in the way.
                bind_on_host(endpoint, where)
        except BaseException as failure:
            self.table.release(endpoint)
            if binding.mode == REUSEADDR and type(failure) is OSError and failure.errno == errno.EADDRINUSE:
                # Another process's, which does not share: the columns for SO_REUSEADDR have no WSAEADDRINUSE.
                raise WinsockError(WSAEACCES) from failure
            raise
        self._now_bound(endpoint)

    def _bind_dynamic(self, endpoint: HostSocket, name: SockAddr) -> bool:
        """Bind to a port of the dynamic range that nobody has; False when none was found."""
        address, _, *rest = host_address(name)
        binding = None
        if name != _ANYWHERE[endpoint.family] or _mode(endpoint) != DEFAULT or serves_ipv4(endpoint):
            binding = _binding_for(endpoint, name)
        for _ in range(_DRAWS):
            port = FIRST_DYNAMIC_PORT + self._random.getrandbits(_DYNAMIC_BITS)
            if binding is None:
                if not self.table.reserve(endpoint.protocol, port, endpoint):
                    continue
            else:
                binding.port = port
                if not self.table.claim_alone(binding, endpoint):
                    continue
            try:
                bind_on_host(endpoint, (address, port, *rest))
            except BaseException as failure:
                self.table.release(endpoint)
                if isinstance(failure, OSError) and failure.errno == errno.EADDRINUSE:
                    continue
                raise
            if binding is not None:
                self._now_bound(endpoint)
            return True
        return False

    def _now_bound(self, endpoint: HostSocket) -> None:
        """The host's bind has succeeded."""
        binding = endpoint.binding
        if isinstance(binding, Binding) and binding.mode == REUSEADDR:
            _share_with_others(endpoint)  # not before a dynamic port is chosen, which is to be nobody else's
            if endpoint.socket_type != SOCK_STREAM:
                self.joined(endpoint)  # a stream gets nothing before it listens

    # Who gets the traffic

    def joined(self, endpoint: HostSocket) -> None:
        """A bound datagram socket, or a stream that has just begun to listen, is in line for what comes to its port."""
        binding = endpoint.binding
        if not isinstance(binding, Binding) or binding.mode != REUSEADDR or not _SO_ATTACH_REUSEPORT_CBPF:
            return
        with self._queue_lock:
            self._queues.setdefault(_queue_key(endpoint, binding), _Queue()).join(endpoint)

    # Ends

    def accepted(self, endpoint: HostSocket, listener: HostSocket) -> None:
        """A connection accepted from an exclusive listener holds on to its port (R11.11)."""
        if isinstance(listener.binding, Binding) and listener.binding.mode == EXCLUSIVE:
            binding = Binding.of(endpoint.protocol, _host_name(endpoint), dual=False, mode=EXCLUSIVE)
            binding.accepted = True
            self.table.enter(binding, endpoint)

    def release(self, endpoint: HostSocket) -> None:
        """A socket is about to be closed, so its port is free; may be repeated."""
        binding = self.table.release(endpoint)
        if binding is None or binding.mode != REUSEADDR:
            return
        key = _queue_key(endpoint, binding)
        with self._queue_lock:
            queue = self._queues.get(key)
            if queue is not None and not queue.leave(endpoint):
                del self._queues[key]

    def reset_locks(self) -> None:
        """After a fork: a lock may have been held by a thread that is gone."""
        self._implicit_lock = threading.Lock()
        self._queue_lock = threading.Lock()
        self.table.reset_locks()


class _Queue:
    """Sockets of one address and port that all may have what comes there, in the host's order.

    Linux keeps such a group in an array: newcomers at the end, and the last one takes the place of one that leaves. A
    program attached to the group picks a place in it, here always the same one: that of the socket bound first. A place
    that does not exist, because others have a share in the sockets, makes Linux choose by itself.
    """

    def __init__(self) -> None:
        self._members: list[HostSocket] = []

    def join(self, endpoint: HostSocket) -> None:
        if endpoint not in self._members:
            self._members.append(endpoint)
            self._favour()

    def leave(self, endpoint: HostSocket) -> bool:
        """Take a socket out before it is closed; True while others are left."""
        members = self._members
        if endpoint in members:
            place, last = members.index(endpoint), members.pop()
            if last is not endpoint:
                members[place] = last
            self._favour()
        return bool(members)

    def _favour(self) -> None:
        """Send everything to the socket that was bound first."""
        members = self._members
        if len(members) < 2:
            return
        first = min(members, key=_order)
        instruction = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN_CONSTANT, 0, 0, members.index(first)))
        program = struct.pack("HP", 1, ctypes.addressof(instruction))
        # A sandbox may forbid it; then the host chooses, as the documentation allows.
        with contextlib.suppress(OSError):
            first.host.setsockopt(_SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, program)


def _order(endpoint: HostSocket) -> int:
    return endpoint.binding.order if isinstance(endpoint.binding, Binding) else 0


def _queue_key(endpoint: HostSocket, binding: Binding) -> tuple[object, ...]:
    return binding.protocol, binding.port, endpoint.family, binding.address, binding.dual


def _mode(endpoint: HostSocket) -> int:
    settings = endpoint.settings
    if not settings:
        return DEFAULT
    if settings.get(SO_REUSEADDR) or settings.get(SO_REUSE_MULTICASTPORT):
        return REUSEADDR
    return EXCLUSIVE if settings.get(SO_EXCLUSIVEADDRUSE) else DEFAULT


def _binding_for(endpoint: HostSocket, name: SockAddr) -> Binding:
    return Binding.of(endpoint.protocol, name, dual=serves_ipv4(endpoint), mode=_mode(endpoint))


def _host_name(endpoint: HostSocket) -> SockAddr:
    return windows_address(endpoint.host.getsockname(), endpoint.host_family)


def _share_with_others(endpoint: HostSocket) -> None:
    """SO_REUSEADDR is on: let sockets of other processes in that have it, too."""
    _raise_option(endpoint, _SO_REUSEPORT if endpoint.socket_type == SOCK_STREAM else _SO_REUSEADDR)


def _share(endpoint: HostSocket, partners: Iterable[Binding]) -> None:
    """The table lets a socket that is about to be bound in beside these."""
    for partner in partners:
        for other in tuple(partner.sockets):
            with contextlib.suppress(WinsockError):  # closed meanwhile
                _raise_option(cast("HostSocket", other), _SO_REUSEPORT)
    _raise_option(endpoint, _SO_REUSEPORT)
    if endpoint.socket_type == SOCK_STREAM:
        keep_reusable(endpoint)  # the partners' connections are no partners


def keep_reusable(endpoint: HostSocket) -> None:
    """Before a stream listens or connects: once that has ended in TIME_WAIT, it will keep the port from nobody."""
    try:
        endpoint.host.setsockopt(_SOL_SOCKET, _SO_REUSEADDR, 1)
    except OSError as failure:
        raise endpoint.ended(failure) from failure


def _raise_option(endpoint: HostSocket, option: int) -> None:
    """Switch an option of the host on; 0 is one that this host does not have."""
    if option and (_SOL_SOCKET, option) not in (endpoint.host_options or ()):
        endpoint.set_on_host(_SOL_SOCKET, option, 1)
