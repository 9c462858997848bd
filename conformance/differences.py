"""Why referees answer otherwise: reasons that many cases share, and what a result means where there is a reason.

Part played:     one shortcoming of Wine can touch sixty cases; here it is told once. A reason for one case stands on
                 the case itself (``differs={"wine": lacks("...")}``).
Lives here:      `GROUPS`, the table; `difference_of`, the one place that says which reason a case has on a target; and
                 `judged`, the one place that says what a declared gap or reason makes of a result.
Lives elsewhere: the kinds of reasons (model), what agrees with what (recorded, report), how to write them (README.md).

A case's own reason comes first, then the first group whose pattern takes its id. A group may cover cases that agree;
it is out of date when not one of its cases differs any more.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable

import attrs

from .model import (
    Case,
    Difference,
    Outcome,
    Result,
    documented_otherwise,
    host_limit,
    is_ours,
    lacks,
    observed_otherwise,
)


@attrs.frozen(init=False)
class Group:
    """One reason for the cases whose ids match: ``Group("wine", lacks("..."), "rio.*", "options.udp-*")``."""

    target: str
    difference: Difference
    patterns: tuple[str, ...]  # fnmatch: * and ? and [...]
    _taken: re.Pattern[str] = attrs.field(repr=False, eq=False)

    def __init__(self, target: str, difference: Difference, *patterns: str) -> None:
        if is_ours(target) or not patterns:
            raise ValueError(f"a group is about a referee and has patterns: {target!r}, {patterns!r}")
        self.__attrs_init__(target, difference, patterns, re.compile("|".join(map(fnmatch.translate, patterns))))

    def takes(self, id: str) -> bool:
        return self._taken.match(id) is not None


#: The first group that takes a case is its reason.
GROUPS: tuple[Group, ...] = (
    # ---- Order of checks
    Group(
        "wine",
        documented_otherwise("listen on a connected socket is WSAEINVAL"),
        "validation.listen.connected",
        "validation.listen.accepted",
    ),
    Group(
        "wine",
        lacks("looks at the length of SO_LINGER before the kind of socket"),
        "validation.getsockopt.wrong-type-before-length",
        "validation.setsockopt.wrong-type-before-length",
    ),
    Group(
        "wine",
        documented_otherwise("datagram sockets have options of streams"),
        "validation.setsockopt.wrong-type",
        "validation.untouched.getsockopt-type",
    ),
    Group(
        "wine",
        documented_otherwise("looks at pointers and codes before the handle"),
        "validation.handle.bind",
        "validation.handle.setsockopt",
        "validation.handle.ioctlsocket",
        "validation.handle.wsaioctl",
        "validation.wsaioctl.handle-before-count-pointer",
    ),
    Group(
        "wine",
        documented_otherwise("takes flags that are none"),
        "validation.wsasocket.flags*",
    ),
    Group(
        "wine",
        documented_otherwise(
            "connect looks at no pointer and no length: NULL disconnects, a short address is WSAEADDRNOTAVAIL"
        ),
        "validation.connect.null",
        "validation.connect.length-*",
        "validation.connect.short*",
        "validation.connect.pointer-*",
        "validation.null.connect",
        "validation.wsaconnect.null",
        "datagrams.connect.refuses-null",
        "datagrams.connect.refuses-short",
        "errors.number.fault",
    ),
    Group(
        "wine",
        documented_otherwise("another family is WSAEADDRNOTAVAIL, WSAEFAULT or WSAEOPNOTSUPP"),
        "validation.connect.family*",
        "validation.connect.ipv6-address",
        "validation.wsaconnect.family",
        "validation.sendto.family*",
        "validation.wsasendto.family",
        "validation.wsasendto.count-before-address",
        "datagrams.connect.refuses-other-family",
        "datagrams.sendto.refuses-other-family",
    ),
    Group(
        "wine",
        documented_otherwise(
            "address 0 is the own machine, as on Linux; port 0 is WSAEINVAL in sendto, a port like others in connect"
        ),
        "validation.connect.address-0",
        "validation.connect.port-0",
        "validation.sendto.address-*",
        "validation.sendto.port-0",
        "validation.wsasendto.address-0",
        "datagrams.connect.refuses-port-0",
        "datagrams.connect.refuses-address-0",
        "datagrams.sendto.refuses-port-0",
        "datagrams.sendto.refuses-address-0",
        "datagrams.disconnect.send-zero-address-of-the-family",
        "errors.addrnotavail.connect-*",
        "errors.addrnotavail.sendto-*",
        "errors.addrnotavail.wsasendto-*",
    ),
    Group(
        "wine",
        documented_otherwise(
            "a send on a stream socket without a connection is WSAECONNRESET, before anything else is looked at"
        ),
        "validation.send.pointer-before-connection",
        "validation.send.flags-before-connection",
        "validation.send.negative-length-unconnected",
        "validation.sendto.stream",
        "validation.wsasend.buffer-before-connection",
        "validation.wsasend.count-before-connection",
        "validation.wsasend.flags-before-connection",
        "errors.notconn.send",
        "errors.notconn.wsasend",
        "errors.number.notconn",
        "transfer.errors.not-connected-*send*",
        "transfer.errors.buffer-before-state-send*",
    ),
    Group(
        "wine",
        documented_otherwise(
            "a datagram send without a peer and an address is WSAEINVAL, before anything else is looked at"
        ),
        "validation.connect.all-zero-datagram",
        "validation.sendto.buffer-before-address",
        "validation.sendto.nobody-before-flags",
        "validation.wsasendto.nobody",
        "errors.notconn.send-on-*",
        "errors.notconn.sendto-nobody.*",
        "datagrams.disconnect.send-all-zero",
        "datagrams.disconnect.send-wsasend",
        "datagrams.send.no-peer-*",
    ),
    Group(
        "wine",
        documented_otherwise("flags that do not exist are taken, and so are those that the socket does not have"),
        "validation.send.flags*",
        "validation.send.peek-is-no-send-flag",
        "validation.sendto.flags*",
        "validation.wsasend.partial-datagram",
        "validation.recv.flags*",
        "validation.recv.oob-datagram",
        "transfer.flags.unknown-*",
        "datagrams.flags.unsupported-oob",
        "scatter.partial.stream-*",
        "gather.partial.datagram",
    ),
    Group(
        "wine",
        documented_otherwise("MSG_WAITALL is taken on every socket and with every flag"),
        "validation.recv.waitall-*",
        "transfer.waitall.unsupported-*",
        "datagrams.flags.unsupported-waitall",
    ),
    Group(
        "wine",
        documented_otherwise("a receive on a socket that is not bound waits"),
        "validation.recv.unbound",
        "validation.wsarecv.unbound",
        "validation.untouched.receive-unbound",
        "errors.inval.state.recv-on-unbound-datagram",
        "datagrams.receive.unbound-*",
    ),
    Group(
        "wine",
        lacks("takes calls without buffers"),
        "validation.wsasend.count-before-flags",
        "validation.wsarecv.count-*",
        "scatter.array.empty-*",
    ),
    Group(
        "wine",
        lacks("takes a negative length for 4 GB, and sends what is behind the buffer"),
        "validation.send.negative-length-connected",
        "transfer.c.negative-length-send",
    ),
    Group(
        "wine",
        lacks("looks at the room for the address after it has accepted: the request is lost; by R16.15 it comes first"),
        "validation.accept.length*",
        "validation.accept.short-length-takes-nothing-*",
    ),
    Group(
        "wine",
        documented_otherwise("the room for the sender is looked at after the datagram was received, or not at all"),
        "validation.recvfrom.short-length-*",
        "datagrams.recvfrom.short-address-*",
        "datagrams.recvfrom.c-address-without-length",
    ),
    Group(
        "wine",
        documented_otherwise("takes any time-out"),
        "validation.select.negative-*",
        "validation.select.too-many-microseconds",
        "validation.select.timeout-before-members",
    ),
    Group(
        "wine",
        documented_otherwise(
            "hands the address and the buffers to the host as they are: NULL crashes, and the codes are the host's"
        ),
        "validation.getnameinfo.null",
        "validation.getnameinfo.short*",
        "validation.getnameinfo.flags",
        "validation.getnameinfo.c-no-buffers*",
        "validation.getnameinfo.c-length-0",
        "validation.getnameinfo.c-too-small",
        "errors.returns-the-code.getnameinfo*",
        "errors.returns-the-code.without-asking",
    ),
    Group(
        "wine",
        documented_otherwise("a failure of WSAAddressToString sets no last error where pointers or lengths are wrong"),
        "validation.wsaaddresstostring.null",
        "validation.wsaaddresstostring.short",
        "addresses.to-string.refuses-null",
        "addresses.to-string.refuses-short-*",
        "addresses.to-string.c-null-length-*",
        "addresses.to-string.c-size-query-ansi",
    ),
    # ---- Winsock errors
    Group(
        "wine",
        lacks("a call that waits ends with WSA_OPERATION_ABORTED or WSAEINVAL when its socket is closed"),
        "errors.intr.closed-while-waiting",
        "transfer.close.ends-waiting-recv",
        "transfer.close.ends-waiting-accept",
    ),
    Group(
        "wine",
        lacks("the system has no texts for most codes of Winsock"),
        "errors.message.wsae[dhlnoprstuw]*",
        "errors.message.wsaea[dfl]*",
        "errors.message.wsaeinprogress",
        "errors.message.wsaeinvalid*",
        "errors.message.wsaeisconn",
        "errors.message.wsaecancelled",
        "errors.message.wsaeconnaborted",
        "errors.message.wsaemsgsize",
        "errors.message.wsa-[eq]*",
        "errors.message.wsa[sv]*",
        "errors.message.wsanotinitialised",
        "errors.message.wsatype-not-found",
        "errors.hresult.wsaenotsock",
    ),
    Group(
        "wine",
        documented_otherwise("a datagram socket is told nothing of closed ports and other reports of the network"),
        "errors.netreset.time-to-live",
        "errors.connreset.port-unreachable.*",
        "datagrams.unreachable.receive-*",
        "datagrams.unreachable.send-*",
        "datagrams.unreachable.waiting-receive",
        "datagrams.unreachable.switched-on-again",
    ),
    # ---- Socket options
    Group("wine", documented_otherwise("takes any size"), "options.range.buffer-*"),
    Group(
        "wine",
        lacks("does not know the option: WSAENOPROTOOPT"),
        "options.default.group-*",
        "options.default.conditional-accept",
        "options.default.pause-accept",
        "options.default.randomize-port",
        "options.default.port-scalability",
        "options.default.reuse-*port",
        "options.default.max*dg",
        "options.default.pvd-config",
        "options.boolean.conditional-accept",
        "options.boolean.pause-accept",
        "options.boolean.randomize-port",
        "options.boolean.port-scalability",
        "options.boolean.reuse-*port",
        "options.boolean.tcp-*",
        "options.boolean.ip-receive-broadcast",
        "options.number.group-priority",
        "options.pause-accept.*",
        "options.state.conditional-accept-after-listen",
        "options.state.port-scalability-after-bind",
        "options.state.r*",
        "options.tcp.*",
        "options.ip.default-*",
        "options.ip.mtu*",
        "options.ip.arrival-*",
        "options.ip.receive-list*",
    ),
    Group(
        "wine",
        lacks("has no options of level IPPROTO_UDP: WSAEINVAL"),
        "options.udp.*",
        "options.boolean.udp-nochecksum",
    ),
    Group(
        "wine",
        lacks("keeps no state for SO_DEBUG and says that SO_DONTROUTE is set"),
        "options.boolean.debug",
        "options.boolean.dontroute",
        "options.default.dontroute",
    ),
    Group(
        "wine", observed_otherwise("optlen-so-dontroute", "says that SO_DONTROUTE is set"), "options.nonzero.dontroute"
    ),
    Group("wine", observed_otherwise("opt-so-error-set", "SO_ERROR cannot be set"), "options.number.error"),
    Group(
        "wine",
        documented_otherwise("answers for options of another type of socket or family"),
        "options.wrong-type.*",
    ),
    Group(
        "wine",
        documented_otherwise("sets options at any time"),
        "options.state.exclusive-after-bind",
        "options.state.keepalive-while-connecting",
    ),
    Group(
        "wine",
        observed_otherwise("wsasocket-so-type-set-udp", "an option that cannot be set is unknown"),
        "options.get-only.type-datagram",
    ),
    Group("wine", documented_otherwise("SO_DONTLINGER forgets the time"), "options.linger.dontlinger-keeps-the-time"),
    Group(
        "wine",
        documented_otherwise("does not look at what SO_UPDATE_ACCEPT_CONTEXT is given"),
        "options.set-only.update-accept-context-*",
    ),
    Group(
        "wine",
        observed_otherwise("opt-dontfragment-udp-default", "has Linux's default"),
        "options.dontfragment.udp-ipv6",
    ),
    *(
        Group(
            "wine",
            observed_otherwise(f"optvalid-v4-{name}", "does not know the option"),
            f"options.validity.ipv4-{name}",
        )
        for name in (
            "receive-broadcast",
            "recvif",
            "recvdstaddr",
            "iflist",
            "rthdr",
            "recvrthdr",
            "original-arrival-if",
            "ecn",
            "pktinfo-ex",
            "wfp-redirect-records",
            "wfp-redirect-context",
            "mtu-discover",
            "recverr",
            "user-mtu",
        )
    ),
    # ---- Control codes
    Group(
        "wine",
        lacks("does not know the control code: WSAEOPNOTSUPP"),
        "ioctl.code-word.value-udp-netreset",
        "ioctl.reports.netreset-*",
        "ioctl.handle.*bsp*",
        "ioctl.sort.*",
        "ioctl.multicast.*",
        "ioctl.capture.*",
        "ioctl.scaling.*",
        "ioctl.tcp-info.*",
        "ioctl.backlog.*",
        "ioctl.fast-path",
        "ioctl.route-change.*",
        "ioctl.broadcast-address",
        "ioctl.wrong-socket.[!a]*-on-*",
        "ioctl.wait.*route",
    ),
    Group("wine", lacks("has no sockets of AF_UNIX"), "ioctl.local-peer", "ioctl.wrong-socket.addresses-on-local"),
    Group(
        "wine",
        lacks("writes to, or reads from, less room than it needs"),
        "ioctl.ioctlsocket.longer-answer-handle",
        "ioctl.ioctlsocket.longer-answer-extension",
        "ioctl.handle.short-base*",
        "ioctl.extension.refused-*",
    ),
    Group("wine", documented_otherwise("looks at the pointer for the size first"), "ioctl.wsaioctl.needs-a-socket"),
    Group(
        "wine",
        documented_otherwise("counts the first datagram only"),
        "ioctl.fionread.datagrams*",
        "ioctl.circular.newest-stay",
    ),
    Group(
        "wine", documented_otherwise("SIOCATMARK has Linux's meaning, which is the opposite"), "ioctl.siocatmark.urgent"
    ),
    Group(
        "wine",
        lacks("lists no addresses of IPv6 and of interfaces that are down"),
        "ioctl.address-list.ipv6",
        "ioctl.interfaces.same-as-address-list",
    ),
    Group(
        "wine",
        observed_otherwise("addrchange-blocking-sync-hangs", "ends the wait with ERROR_OPERATION_ABORTED"),
        "ioctl.wait.address-list",
    ),
    Group("wine", lacks("gives the address of the first interface, and knows no IPv6"), "ioctl.route.loopback*"),
    Group(
        "wine", observed_otherwise("routeq-short-in", "WSAEFAULT"), "ioctl.route.*-short", "ioctl.route.refused-null"
    ),
    Group(
        "wine", observed_otherwise("routeq-any-address", "takes the address that is none"), "ioctl.route.*-any-address"
    ),
    Group("wine", observed_otherwise("routeq-short-out", "tells no size"), "ioctl.route.refused-short-out"),
    Group("wine", lacks("has no options TCP_KEEPIDLE and TCP_KEEPINTVL to read the times from"), "ioctl.keepalive.*"),
    Group("wine", lacks("tells no reset of a datagram socket that is not connected"), "ioctl.reports.connreset-on"),
    # ---- Data transfer
    Group(
        "wine",
        observed_otherwise("afd-recv-listener", "a receive on a listening socket waits"),
        "transfer.errors.not-connected-*recv*-listening",
        "errors.notconn.recv-on-listening",
    ),
    Group(
        "wine",
        observed_otherwise("afd-recv-waitall", "MSG_WAITALL ends with what is there"),
        "transfer.waitall.waits",
        "transfer.waitall.end-of-stream",
    ),
    # ---- Datagrams
    Group(
        "wine",
        observed_otherwise("afd-recv-udp-truncated", "stores no byte count when a datagram was cut"),
        "datagrams.truncation.wsarecv*",
        "datagrams.truncation.waiting-*",
        "scatter.datagram.too-large-is-cut",
    ),
    Group(
        "wine",
        documented_otherwise("recv on a datagram socket works without a peer, also after it was taken away"),
        "datagrams.disconnect.receive-*",
    ),
    Group(
        "wine",
        host_limit("Linux gives a raw socket also the requests that the machine sends itself"),
        "datagrams.icmp.reply",
        "datagrams.icmp.truncated-is-consumed",
    ),
    # ---- Scatter/gather
    Group(
        "wine",
        host_limit("one call takes no more than the 1024 buffers of Linux"),
        "scatter.array.many-buffers",
        "gather.array.many-buffers-one-datagram",
    ),
    # ---- Errors
    # ---- Addresses
    Group(
        "wine",
        documented_otherwise("InetNtopW with a length of 0 succeeds"),
        "addresses.ntop.too-little-wide-room-*-none",
    ),
    # ---- Network events
    Group(
        "wine",
        documented_otherwise("takes a window that is none"),
        "netevents.select.arguments-message-null",
        "netevents.select.arguments-message-destroyed",
    ),
    Group(
        "wine",
        documented_otherwise("a receive that fails does not have FD_READ told again"),
        "netevents.read.failing-call-*",
    ),
    Group(
        "wine",
        lacks("tells no reset of a datagram socket that is not connected"),
        "netevents.read.unreachable-*",
    ),
    Group("wine", lacks("WSARecvEx fails, and sets no code"), "netevents.read.enabled-by-wsarecvex-*"),
    Group(
        "wine",
        observed_otherwise(
            "evconnect-udp-initial", "an event object is told of FD_WRITE of a socket that is not bound"
        ),
        "netevents.write.datagram-bind",
        "netevents.connect.datagram-event",
    ),
    Group(
        "wine",
        observed_otherwise("evconnect-udp-connect", "connecting a datagram socket tells nothing"),
        "netevents.connect.datagram-message",
    ),
    Group(
        "wine",
        observed_otherwise("fionread-oob-read-first", "one urgent byte waits at most: the next one takes its place"),
        "netevents.oob.more-urgent-receive-*",
    ),
    Group(
        "wine",
        documented_otherwise("a receive of other data does not have FD_OOB told again"),
        "netevents.oob.more-receive-*",
    ),
    Group("wine", documented_otherwise("tells FD_OOB with SO_OOBINLINE, too"), "netevents.oob.inline-*"),
    Group(
        "wine",
        documented_otherwise("a request that was deferred is told again"),
        "netevents.accept.deferred-*",
    ),
    Group(
        "wine",
        observed_otherwise("evaccept-second-client-event", "a second caller is not told before accept"),
        "netevents.accept.second-caller-event",
    ),
    Group(
        "wine",
        host_limit("Linux fails the next call after a refused one with ECONNABORTED"),
        "netevents.connect.once-more-*",
    ),
    Group(
        "wine",
        documented_otherwise("when both sides have ended, FD_CLOSE is told while there is data to read"),
        "netevents.close.answered-*",
    ),
    Group(
        "wine",
        documented_otherwise(
            "shuts a connection down before it closes it, also with SO_LINGER 0: the peer sees an end, no reset"
        ),
        "netevents.close.reset-*",
    ),
    Group("wine", lacks("has no SIO_ROUTING_INTERFACE_CHANGE: WSAEOPNOTSUPP"), "netevents.change.quiet-routes-*"),
    Group("wine", documented_otherwise("crashes on a NULL record"), "netevents.enum.null"),
    Group("wine", documented_otherwise("takes a handle that is no event object"), "netevents.enum.no-event-object"),
    # ---- Multicast
    Group(
        "wine",
        lacks("does not know the options that take group_req and group_source_req: WSAENOPROTOOPT"),
        "multicast.table.records-*",
        "multicast.table.ipv6-*",
        "multicast.table.both-forms-are-one",
    ),
    Group(
        "wine",
        lacks("takes the source of an ip_mreq_source for the interface, and the interface for the source"),
        "multicast.table.another-source",
        "multicast.table.block-another",
        "multicast.receive.source-another-*",
        "multicast.receive.source-both-joined",
        "multicast.receive.source-dropped",
    ),
    Group(
        "wine",
        documented_otherwise("has Linux's table: WSAEADDRINUSE, WSAEINVAL, or success"),
        "multicast.table.ipv4-*",
        "multicast.ipv6.mreq-twice",
    ),
    Group(
        "wine",
        documented_otherwise("an interface's index cannot stand where its address can: WSAEINVAL"),
        "multicast.interface.index",
        "multicast.receive.index",
    ),
    Group(
        "wine",
        lacks("WSAEINVAL for an interface or a group that is none"),
        "multicast.interface.unknown-*",
        "multicast.ipv6.interface",
        "ipv6.range.unicast-if",
    ),
    Group(
        "wine",
        documented_otherwise("IP_UNICAST_IF reads back in network order"),
        "multicast.unicast-interface.network-order",
    ),
    Group("wine", lacks("has raw sockets for ICMP over IPv4 only"), "multicast.validity.ipv6-*"),
    Group(
        "wine",
        documented_otherwise("a socket gets what is sent to the groups that others have joined"),
        "multicast.receive.members-only",
    ),
    Group(
        "wine",
        documented_otherwise("IP_MULTICAST_LOOP and IPV6_MULTICAST_LOOP are about what a socket sends"),
        "multicast.loop.*",
        "multicast.ipv6.members-only",
    ),
    Group("wine", lacks("does not know SO_REUSE_MULTICASTPORT"), "multicast.port.shared-without-unicast"),
    # ---- Addresses and binding
    Group(
        "wine",
        documented_otherwise("UDP sockets cannot share a port by having different addresses"),
        "binding.matrix.udp-*-any-then-*-same",
        "binding.matrix.udp-*-same-then-*-any",
        "binding.traffic.specific-datagram",
    ),
    Group(
        "wine",
        documented_otherwise("beside an exclusive wildcard every other one is WSAEACCES"),
        "binding.matrix.tcp-exclusive-any-then-default-any",
        "binding.matrix.tcp-exclusive-any-then-exclusive-any",
    ),
    Group(
        "wine",
        observed_otherwise("reuse-any-then-loopback", "no second bind to the port of a listening wildcard"),
        "binding.traffic.any-then-loopback*",
    ),
    Group(
        "wine",
        observed_otherwise("reuse-loopback-then-any", "no wildcard on the port of a listening socket"),
        "binding.traffic.loopback-then-any*",
    ),
    Group(
        "wine",
        observed_otherwise("reuse-both-listen", "only one of two sockets that share an address can listen"),
        "binding.traffic.*equals*",
    ),
    Group(
        "wine",
        documented_otherwise("an exclusive port is free again while its connections last"),
        "binding.accepted.connected",
    ),
    Group(
        "wine",
        host_limit("Linux has another range of dynamic ports"),
        "binding.port-0.*",
        "binding.implicit.connect*",
        "binding.implicit.*sendto",
    ),
    Group(
        "wine",
        lacks("lists the IPv4 addresses when an IPv6 socket is asked"),
        "binding.local.every-address",
    ),
    Group(
        "wine",
        lacks("binds a socket to whatever Linux takes, or says WSAEINVAL"),
        "binding.local.multicast*",
        "binding.local.broadcast-stream",
        "binding.ipv6.mapped-bind",
    ),
    Group(
        "wine",
        documented_otherwise("the broadcast address needs no permission"),
        "binding.local.broadcast-without-permission",
    ),
    Group("wine", lacks("WSAENETUNREACH, as Linux has it"), "binding.ipv6.mapped-connect"),
    Group("wine", observed_otherwise("bind-v6-bad-scope", "takes a scope that does not exist"), "binding.ipv6.scope*"),
    Group(
        "wine",
        lacks("says WSAEAFNOSUPPORT of unknown families only, and WSAEOPNOTSUPP or WSAEINVAL of the other one"),
        "binding.family.another-ipv*",
    ),
    # ---- Messages
    Group(
        "wine",
        lacks("does not know the option: WSAENOPROTOOPT"),
        "messages.receive.option-ipv6-ecn",
        "messages.receive.option-ipv4-*",
    ),
    Group(
        "wine",
        observed_otherwise("recvmsg-short-control-sync", "gives no byte count"),
        "messages.receive.short-control-data",
    ),
    Group(
        "wine",
        documented_otherwise("gives neither byte count nor MSG_TRUNC with WSAEMSGSIZE"),
        "messages.receive.short-data",
    ),
    Group("wine", documented_otherwise("sets no MSG_MCAST and MSG_BCAST"), "messages.receive.*cast"),
    Group(
        "wine",
        lacks("tells no reset of a datagram socket that is not connected"),
        "messages.receive.unreachable",
    ),
    Group(
        "wine",
        documented_otherwise("receives on a stream and on an unbound socket, and ignores flags"),
        "messages.receive.refused-*",
    ),
    Group(
        "wine",
        documented_otherwise("looks neither at the room for names and control data nor at their pointers"),
        "messages.receive.short-name",
        "messages.*.bad-pointer-*-with-a-length",
    ),
    Group(
        "wine",
        lacks("ignores the control data of WSASendMsg"),
        "messages.send.source-address",
        "messages.send.foreign-source",
        "messages.send.hop-limit-*",
        "messages.send.bad-control-data-*",
    ),
    Group(
        "wine",
        documented_otherwise("sends on a stream, with any flag, and says WSAEINVAL where there is no destination"),
        "messages.send.refused-*",
    ),
    Group("wine", lacks("WSARecvEx fails, and sets no code"), "messages.recvex.*"),
    # ---- IPv6 options
    Group(
        "wine",
        lacks("has raw sockets for ICMP over IPv4 only"),
        "ipv6.validity.unknown",
        "ipv6.validity.hdrincl",
        "ipv6.validity.unicast-*",
        "ipv6.validity.dontfrag",
        "ipv6.validity.pktinfo",
        "ipv6.validity.hoplimit",
        "ipv6.validity.protection-level",
        "ipv6.validity.v6only",
        "ipv6.validity.get-iflist",
        "ipv6.validity.recvtclass",
        "ipv6.validity.mtu",
    ),
    *(
        Group(
            "wine",
            observed_otherwise(f"optvalid-v6-{name}", "does not know the option"),
            f"ipv6.validity.{name}",
        )
        for name in (
            "hopopts",
            "recvif",
            "recvdstaddr",
            "iflist",
            "rthdr",
            "recvrthdr",
            "ecn",
            "pktinfo-ex",
            "wfp-redirect-records",
            "wfp-redirect-context",
            "mtu-discover",
            "recverr",
            "user-mtu",
        )
    ),
    Group("wine", documented_otherwise("WSAEOPNOTSUPP"), "ipv6.wrong-type.on-ipv4"),
    Group(
        "wine",
        documented_otherwise("has Linux's default of 64 hops"),
        "ipv6.default.unicast-hops",
        "ipv6.dual-stack.ttl",
        "ipv6.hops.default",
    ),
    Group(
        "wine",
        lacks("does not know the option: WSAENOPROTOOPT"),
        "ipv6.default.mtu-discover",
        "ipv6.*.user-mtu",
    ),
    Group("wine", documented_otherwise("takes the interface's index in network order"), "ipv6.number.unicast-if"),
    Group(
        "wine",
        lacks("takes every level of protection at any time, and keeps none"),
        "ipv6.number.protection-*restricted",
        "ipv6.range.protection-level",
        "ipv6.state.protection-level-after-bind",
    ),
    # ---- Extension functions
    Group(
        "wine",
        observed_otherwise("acceptex-local-size-zero", "stores the local address all the same"),
        "extensions.acceptex.local-address-left-out",
    ),
    Group(
        "wine",
        observed_otherwise("acceptex-tiny-local-size", "takes the connection before it looks at the room"),
        "extensions.acceptex.too-little-room.local-3",
    ),
    Group(
        "wine",
        observed_otherwise("acceptex-local-size-plus4", "less room than documented is enough"),
        "extensions.acceptex.too-little-room.local-20",
    ),
    Group(
        "wine",
        observed_otherwise("acceptex-local-size-plus15", "less room than documented is enough"),
        "extensions.acceptex.too-little-room.local-31",
    ),
    Group(
        "wine",
        observed_otherwise("acceptex-remote-plus15", "less room than documented is enough"),
        "extensions.acceptex.too-little-room.remote-31",
    ),
    Group(
        "wine",
        observed_otherwise("acceptex-invalid-listener", "clears InternalHigh of a record that it refuses"),
        "extensions.acceptex.refused.invalid-listener",
    ),
    Group(
        "wine",
        observed_otherwise("acceptex-invalid-acceptor", "clears InternalHigh of a record that it refuses"),
        "extensions.acceptex.refused.invalid-acceptor",
    ),
    Group(
        "wine",
        observed_otherwise("acceptex-remote-zero", "clears InternalHigh of a record that it refuses"),
        "extensions.acceptex.refused.remote-length-zero",
    ),
    Group(
        "wine",
        observed_otherwise("acceptex-not-listening", "takes the sockets"),
        "extensions.acceptex.refused.not-listening",
    ),
    Group(
        "wine",
        observed_otherwise("acceptex-bound-acceptor", "takes the sockets"),
        "extensions.acceptex.refused.bound-acceptor",
    ),
    Group(
        "wine",
        observed_otherwise("acceptex-udp-acceptor", "takes the sockets"),
        "extensions.acceptex.refused.datagram-acceptor",
    ),
    Group(
        "wine",
        observed_otherwise("acceptex-connected-acceptor", "takes the sockets"),
        "extensions.acceptex.refused.*-as-acceptor",
    ),
    Group("wine", observed_otherwise("acceptex-null-buffer", "WSAEINVAL"), "extensions.acceptex.no-buffer"),
    Group(
        "wine",
        observed_otherwise("acceptex-after-defer", "a deferred connection is not handed to a request"),
        "extensions.acceptex.deferred",
    ),
    Group(
        "wine",
        observed_otherwise("connectex-on-listener", "clears InternalHigh of a record that it refuses"),
        "extensions.connectex.refused.listening",
    ),
    Group(
        "wine",
        observed_otherwise("connectex-unbound", "clears InternalHigh of a record that it refuses"),
        "extensions.connectex.refused.unbound",
    ),
    Group(
        "wine",
        observed_otherwise("connectex-on-connected", "clears InternalHigh of a record that it refuses"),
        "extensions.connectex.refused.*ted",
    ),
    Group(
        "wine",
        observed_otherwise("connectex-invalid-socket", "takes what others refuse"),
        "extensions.connectex.arguments",
    ),
    Group("wine", observed_otherwise("connect-after-connectex", "WSAEISCONN"), "extensions.connectex.twice"),
    Group(
        "wine",
        observed_otherwise("connectex-refused", "has no further call after a refused one: WSAECONNABORTED"),
        "extensions.connectex.nobody-listens",
    ),
    Group("wine", documented_otherwise("WSAEINVAL for a second call"), "extensions.connectex.under-way"),
    Group(
        "wine",
        lacks("does not check flags and arguments"),
        "extensions.disconnectex.arguments",
        "extensions.disconnectex.reserved",
        "extensions.transmitfile.arguments",
    ),
    Group(
        "wine",
        lacks("TransmitFile without a file, or with TF_REUSE_SOCKET, does not end"),
        "extensions.transmitfile.no-file",
        "extensions.transmitfile.reuse",
    ),
    Group("wine", lacks("has no TransmitPackets"), "extensions.transmitpackets.*", "ioctl.extension.transmitpackets"),
    # ---- Messages and windows
    Group(
        "wine",
        documented_otherwise("ERROR_CLASS_DOES_NOT_EXIST for a class that CreateWindowEx does not find"),
        "windows.class.errors",
    ),
    Group(
        "wine",
        host_limit("without a display only message-only windows can be made"),
        "windows.destroy.children-too",
        "windows.broadcast.top-level-only",
    ),
    Group(
        "wine",
        lacks("ERROR_ACCESS_DENIED also for a window that is none"),
        "windows.destroy.only-by-its-thread",
    ),
    Group("wine", documented_otherwise("ERROR_INVALID_PARAMETER for a thread that is none"), "windows.post.errors"),
    Group("wine", documented_otherwise("a queue takes any number of messages"), "windows.post.limit"),
    Group("wine", lacks("WSACancelAsyncRequest does nothing, and reports success"), "windows.lookup.cancel*"),
    # ---- Urgent data
    Group(
        "wine",
        documented_otherwise("an urgent byte is gone when the stream has been read up to its place"),
        "urgent.beside.after-ordinary-data",
        "urgent.beside.survives-the-end",
        "urgent.receive.*",
    ),
    Group(
        "wine",
        observed_otherwise("oob-atmark-after-oob", "SIOCATMARK is TRUE wherever the urgent byte is not the next one"),
        "urgent.beside.many-sends",
    ),
    Group(
        "wine",
        documented_otherwise("SIOCATMARK is FALSE at the mark, and TRUE everywhere else"),
        "urgent.mark.ioctlsocket",
        "urgent.mark.wsaioctl",
        "urgent.mark.resynchronise",
    ),
    Group(
        "wine",
        lacks("waits for urgent data that nobody has sent, or says WSAEWOULDBLOCK"),
        "urgent.none.*",
    ),
    Group(
        "wine",
        observed_otherwise("fionread-with-oob", "FIONREAD and SIOCATMARK have Linux's meaning"),
        "urgent.several.queue-up",
        "urgent.fionread.not-counted",
    ),
    Group(
        "wine",
        observed_otherwise(
            "fionread-two-oob", "one urgent byte waits at most, and those before it become ordinary data"
        ),
        "urgent.several.sent-in-a-row",
    ),
    Group(
        "wine",
        documented_otherwise("a receive does not end behind an urgent byte in the stream"),
        "urgent.inline.three-receives",
    ),
    Group(
        "wine",
        observed_otherwise("fionread-oobinline-switch", "SIOCATMARK is TRUE at once"),
        "urgent.inline.switched-on-late",
    ),
    Group(
        "wine",
        documented_otherwise("a receive with MSG_OOB waits on a datagram socket"),
        "urgent.protocol.*recv*-datagram",
    ),
    Group(
        "wine",
        documented_otherwise("shuts a connection down before it closes it, also with unread data: no reset"),
        "urgent.end.unread-resets",
    ),
    Group("wine", lacks("does not know TCP_BSDURGENT: WSAENOPROTOOPT"), "urgent.pointer.bsd-by-default"),
    # ---- Startup
    Group(
        "wine",
        documented_otherwise(
            "asks for a startup in few functions; others do their work, or complain of the socket first"
        ),
        "startup.required.*",
        "startup.failure.values",
        "*.calls.before-startup-*",
        "*.needs-startup",
        "*.need-a-startup",
        "*.startup-first",
        "*.not-started",
        "architecture.order.without-a-socket-*",
        "architecture.order.startup-before-pointers-*",
    ),
    Group(
        "wine",
        documented_otherwise("a call that waits ends with the socket, but not with WSAEINTR"),
        "startup.cleanup.ends-a-waiting-receive",
        "architecture.provider-rules.close-ends-waiting-calls",
        "handles.closed.number-again",
    ),
    # ---- Shutdown and closing
    Group("wine", lacks("a receive that waits goes on after SD_RECEIVE"), "closing.shutdown.ends-waiting-receives"),
    Group("wine", lacks("WSASendDisconnect is shutdown, for any socket"), "closing.disconnect.datagram"),
    Group(
        "wine",
        lacks("a send on a non-blocking socket may take a part of the data"),
        "closing.close.pending-send-is-delivered",
    ),
    Group(
        "wine",
        documented_otherwise(
            "shuts a connection down before it closes it, whatever SO_LINGER and unread data say: no reset"
        ),
        "closing.linger.zero-*",
        "closing.linger.times-out",
        "closing.close.unread-data-*",
        "closing.close.listener-resets-callers",
        "closing.shutdown.after-reset",
        "connections.condition.reject",
    ),
    Group(
        "wine",
        documented_otherwise("closesocket does not linger on a non-blocking socket"),
        "closing.linger.would-block",
        "closing.linger.dontlinger-off",
    ),
    Group("wine", lacks("a send that waits goes on when its socket is closed"), "closing.close.ends-waiting-send"),
    Group(
        "wine",
        observed_otherwise("accept-close-wakes", "ends it with ERROR_OPERATION_ABORTED"),
        "closing.close.ends-waiting-*accept",
    ),
    Group(
        "wine",
        documented_otherwise("data after SD_RECEIVE resets nothing"),
        "closing.shutdown.unwanted-data-*",
        "closing.disconnect.unread-data",
    ),
    Group("wine", documented_otherwise("takes disconnect data"), "closing.disconnect.data-refused"),
    Group("wine", documented_otherwise("asks for a startup in few functions only"), "closing.disconnect.no-socket-*"),
    Group(
        "wine",
        lacks("cannot connect again after DisconnectEx with TF_REUSE_SOCKET"),
        "closing.reuse.by-disconnectex",
        "extensions.disconnectex.reuse",
    ),
    Group(
        "wine",
        documented_otherwise(
            "shuts a connection down before it closes it, whatever SO_LINGER and unread data say: no reset"
        ),
        "architecture.provider-rules.end-of-a-stream-abortive",
        "handles.files.reset-met-by-the-call",
        "sharing.closing.linger-at-the-last",
        "errors.connreset.*recv",
        "errors.connreset.stays",
        "errors.notconn.keepalive",
        "errors.number.connreset",
        "errors.socket-error.reset",
        "transfer.reset.receive",
        "transfer.reset.unread-data",
        "validation.shutdown.after-reset",
    ),
    # ---- Connections
    Group(
        "wine",
        documented_otherwise("the socket has its context at once"),
        "connections.by-name.context",
        "extensions.acceptex.context",
        "extensions.connectex.context",
    ),
    Group(
        "wine",
        observed_otherwise("cbn-short-lengths", "calls before it finds the room too small"),
        "connections.by-name.room-short",
    ),
    Group(
        "wine",
        lacks("tries the first address only, and no IPv4 address on an IPv6 socket"),
        "connections.by-name.refused",
        "connections.by-name.both-families",
        "connections.by-name.nonblocking",
    ),
    Group(
        "wine", documented_otherwise("asks for a startup in few functions only"), "connections.by-name.needs-a-startup"
    ),
    Group("wine", lacks("does not touch the callee's data"), "connections.data.*"),
    Group(
        "wine",
        host_limit("Linux fails the next call after a refused one with ECONNABORTED"),
        "connections.connect.retry-*",
        "connections.connect.refused-then-listen",
    ),
    Group(
        "wine",
        documented_otherwise("the host's answer comes through: nobody listens there"),
        "connections.connect.nobody-*",
    ),
    Group(
        "wine",
        lacks("does not hand later options of the listening socket on"),
        "connections.accept.inherits-set-after-the-call",
    ),
    Group(
        "wine",
        lacks("accepts a connection that is gone, and fails with WSAENOTCONN"),
        "connections.accept.reset-before",
    ),
    Group("wine", documented_otherwise("WSAENOTSOCK for an answer that is none"), "connections.condition.other-*"),
    Group(
        "wine",
        documented_otherwise("takes the request before it looks at the room for the address"),
        "connections.condition.not-asked-short-length",
    ),
    Group("wine", documented_otherwise("hands out room for callee data"), "connections.condition.c-parameters"),
    Group(
        "wine",
        lacks("does not know SO_CONDITIONAL_ACCEPT and SO_PAUSE_ACCEPT"),
        "connections.conditional.*",
        "connections.pause.turns-away",
    ),
    # ---- Waiting
    Group(
        "wine",
        observed_otherwise("wsapoll-invalid-flags-listener", "ignores bits that cannot be asked for"),
        "waiting.poll.bad-events-*",
    ),
    Group(
        "wine",
        observed_otherwise("wsapoll-bogus-with-bad-flags", "ignores bits that cannot be asked for"),
        "waiting.poll.no-socket-bad-events",
    ),
    Group(
        "wine",
        observed_otherwise("wsapoll-shutdown-with-data", "tells no end of the stream while data is there"),
        "waiting.poll.data-before-the-end",
    ),
    Group(
        "wine",
        observed_otherwise("afd-poll-shutdown-data", "tells no end of the stream while data is there"),
        "waiting.request.data-and-end",
    ),
    Group("wine", observed_otherwise("wsapoll-refused", "POLLERR alone"), "waiting.poll.refused"),
    Group("wine", observed_otherwise("wsapoll-sync-refused", "POLLERR alone"), "waiting.poll.refused-before"),
    Group(
        "wine",
        lacks("of a socket that is listed more than once not every entry is filled in"),
        "waiting.poll.listed-twice",
    ),
    Group(
        "wine",
        documented_otherwise("a socket that is closed meanwhile counts as readable"),
        "waiting.select.closed-meanwhile",
    ),
    Group(
        "wine",
        observed_otherwise("afd-poll-close-carrier", "the request ends with the handle that carries it"),
        "waiting.request.carrier-closed",
    ),
    Group(
        "wine",
        observed_otherwise("afd-poll-udp-connect", "tells no connection of a datagram socket"),
        "waiting.request.datagram-connect",
    ),
    # ---- Overlapped requests
    Group(
        "wine",
        documented_otherwise("uses the record of a socket without the attribute"),
        "overlapped.attribute.without-it-the-record-is-ignored",
    ),
    Group(
        "wine",
        lacks("a routine without a record fails with ERROR_INVALID_HANDLE"),
        "overlapped.attribute.no-record-is-no-request",
    ),
    Group("wine", lacks("needs no place for the byte count, and waits"), "overlapped.pending.no-byte-count-wanted"),
    Group(
        "wine",
        observed_otherwise("recvmsg-short-control-getresult", "clears the flags"),
        "overlapped.message.flags-untouched",
    ),
    Group(
        "wine",
        documented_otherwise("takes flags that overlapped requests do not have"),
        "overlapped.refused.peek",
        "overlapped.flags.*",
    ),
    Group("wine", documented_otherwise("WSAENOTSOCK for an event that is none"), "overlapped.event.invalid"),
    Group(
        "wine",
        documented_otherwise("does not wait for data when there is no room"),
        "overlapped.buffers.no-receive-buffer-datagrams",
    ),
    Group(
        "wine",
        lacks("does not check the arguments, and stores what was there"),
        "overlapped.result.errors",
        "overlapped.result.failed-stores-no-count",
    ),
    Group(
        "wine",
        observed_otherwise("afd-recv-close-pending", "ends the request with ERROR_HANDLES_CLOSED"),
        "overlapped.close.cancels",
    ),
    Group(
        "wine",
        lacks("a send that pends goes on when its socket is closed"),
        "overlapped.close.sends-that-pend",
        "overlapped.close.shared",
    ),
    Group(
        "wine", documented_otherwise("delivers requests that WSACleanup ended"), "overlapped.close.cleanup-tells-nobody"
    ),
    Group("wine", documented_otherwise("finds a request that is complete"), "overlapped.cancel.one-or-all"),
    Group("wine", lacks("CancelSynchronousIo does not end a receive"), "overlapped.cancel.synchronous"),
    Group("wine", lacks("ends a receive that waits with WSAEINVAL"), "overlapped.close.blocking-call"),
    Group("wine", lacks("a wait for a request with a routine does not end"), "overlapped.result.with-routine"),
    Group(
        "wine",
        documented_otherwise("a receive takes what is there, and the next the rest"),
        "overlapped.many.pend-or-are-refused",
    ),
    # ---- Raw sockets
    Group("wine", lacks("has raw sockets for ICMP over IPv4 only"), "raw.*"),
    # ---- AF_UNIX
    # ---- Registered I/O
    Group("wine", lacks("has no registered I/O"), "rio.*"),
    # ---- Protocols and choosing a provider
    Group(
        "wine",
        observed_otherwise("wsasocket-raw-info-protocol", "the record has the protocol"),
        "catalog.socket-record.raw-protocol",
    ),
    Group(
        "wine",
        observed_otherwise("wsasocket-0xdead-stream-0xdead", "looks at the protocol first"),
        "catalog.refuse.family-and-protocol",
        "validation.socket.family-before-unknown-protocol",
    ),
    Group(
        "wine",
        documented_otherwise("does not look at the pointer or the record: the call crashes, or takes what it finds"),
        "catalog.enumerate.null-length",
        "validation.wsaenumprotocols.*",
        "catalog.record.un*",
        "catalog.refuse.undefined-flags",
    ),
    Group(
        "wine",
        documented_otherwise("swaps the bytes without a look at the socket"),
        "catalog.byte-order.no-socket-*",
        "catalog.byte-order.null-result-wsantoh*",
        "validation.handle.wsahton?",
        "validation.handle.wsantoh?",
        "validation.byte-order.*",
        "addresses.byte-order.no-socket-*",
    ),
    # ---- Names
    Group(
        "wine",
        lacks("has no look-ups of namespaces and no namespace providers"),
        "unwritten.lookup.*",
        "unwritten.namespaces.*",
    ),
    Group(
        "wine",
        observed_otherwise("gai-ipv4-literal", "has an entry for each socket type where none was asked for"),
        "names.getaddrinfo.literal-ipv*",
        "names.getaddrinfo.brackets-p*",
        "names.getaddrinfo.once-per-address",
    ),
    Group("wine", documented_otherwise("takes flags that are none"), "names.getaddrinfo.refuses-unknown-flag"),
    Group("wine", lacks("finds services by their first name only, and takes NULL for one"), "names.getservbyname.*"),
    # ---- Native calls
    Group(
        "wine",
        observed_otherwise("nt-close-with-pending", "the packet's status is a warning, STATUS_HANDLES_CLOSED"),
        "native.file.close-*",
    ),
    Group("wine", observed_otherwise("afd-readfile-offset", "takes a read without an offset"), "native.file.offset"),
    Group(
        "wine", observed_otherwise("afd-recv-listener", "a receive on a listening socket pends"), "native.recv.listener"
    ),
    Group(
        "wine", observed_otherwise("afd-recv-waitall", "MSG_WAITALL ends with what is there"), "native.recv.wait-all"
    ),
    Group(
        "wine",
        observed_otherwise("afd-poll-shutdown-data", "tells no end of the stream while data is there"),
        "native.poll.shutdown-with-data",
    ),
    Group(
        "wine",
        observed_otherwise("afd-poll-close-carrier", "the poll ends with the handle that carries it"),
        "native.poll.carrier-closed",
    ),
    Group(
        "wine",
        observed_otherwise("afd-poll-udp-connect", "tells no connection of a datagram socket"),
        "native.poll.udp-connect",
    ),
    Group(
        "wine",
        observed_otherwise("afd-recv-close-pending", "ends the request with STATUS_HANDLES_CLOSED"),
        "native.recv.close-*",
    ),
    # ---- Architecture and service providers
    # ---- Completion routines
    Group(
        "wine",
        lacks("accept and WSAPoll wait without running routines"),
        "routines.blocking.poll",
        "routines.blocking.accept",
    ),
    Group(
        "wine",
        lacks("a receive inside a routine that runs inside a receive fails with WSA_IO_PENDING"),
        "routines.nesting.blocking-*",
    ),
    Group(
        "wine", documented_otherwise("runs a routine inside another one that waits alertably"), "routines.nesting.never"
    ),
    Group(
        "wine",
        documented_otherwise("runs the routines of requests that WSACleanup ended"),
        "routines.cleanup.never-run",
    ),
    Group("wine", lacks("tells a routine of a closed socket WSAEINVAL"), "routines.failure.closed"),
    Group(
        "wine",
        observed_otherwise("recvmsg-short-control-apc", "fails at once when the room for control data is too small"),
        "routines.message.short-control",
    ),
    # ---- Shared sockets
    Group(
        "wine", observed_otherwise("dup-before-bind-recv", "both have one binding"), "sharing.state.bound-after-sharing"
    ),
    Group("wine", lacks("keeps nothing of its own in the record that it hands out"), "sharing.record.*"),
    # ---- Events and waits
    Group("wine", lacks("crashes on a NULL array"), "kernel.wait.bad-handle"),
    Group(
        "wine", documented_otherwise("takes a handle twice in a wait for all"), "kernel.wait.group-limits-twice-in-all"
    ),
    Group("wine", documented_otherwise("a wait goes on when the port is closed"), "kernel.port.closed-while-waiting"),
    # ---- Completion ports
    Group(
        "wine",
        observed_otherwise("iocp-thread-close-packet", "ends the request with ERROR_HANDLES_CLOSED"),
        "ports.close.pending-send-to-nobody",
        "ports.thread.exit-keeps-its-requests-then-closed",
    ),
    # ---- Socket handles
    # ---- Files
    Group(
        "wine",
        lacks("WriteFileEx takes a file that was not opened for overlapped requests"),
        "files.overlapped.routine",
    ),
)


def difference_of(case: Case, target: str) -> Difference | None:
    """Return why ``target`` may answer otherwise than ``case`` says; None when no reason is known."""
    if is_ours(target):
        return None
    own = case.differs.get(target)
    if own is not None:
        return own
    group = group_of(case, target)
    return group.difference if group is not None else None


def group_of(case: Case, target: str) -> Group | None:
    """Return the group that a case without a reason of its own belongs to on ``target``."""
    if target in case.differs:
        return None
    return next((one for one in GROUPS if one.target == target and one.takes(case.id)), None)


def judged(case: Case, target: str, result: Result, *, strict: bool = False) -> Result:
    """Return what ``result`` means in the light of what is declared: a gap of ours, a reason of a referee.

    A gap that passes is told (``strict`` makes it a failure). Whether a referee's reason still holds can only be said
    beside the results of ours, and is not said here.
    """
    difference = difference_of(case, target)
    if difference is not None:
        failed = result.outcome is Outcome.FAIL
        return attrs.evolve(result, outcome=Outcome.DIFFERS if failed else result.outcome, difference=difference)
    gap = case.gap_on(target)
    if gap is None:
        return result
    if result.outcome is Outcome.FAIL:
        return attrs.evolve(result, outcome=Outcome.GAP, reason=gap)
    if result.outcome in (Outcome.PASS, Outcome.VARIANT):
        outcome = Outcome.FAIL if strict else result.outcome
        return attrs.evolve(result, outcome=outcome, reason=f"gap closed, take it off: {gap}", gap_closed=True)
    return result


def problems(cases: Iterable[Case], behaviours: frozenset[str], targets: Iterable[str]) -> list[str]:
    """Return what is wrong with the reasons of these cases and of the table: ids and targets that do not exist."""
    known, cases = set(targets), list(cases)
    told = [(f"case {case.id}", name, one) for case in cases for name, one in case.differs.items()]
    told += [(f"differences.py, {group.patterns[0]}", group.target, group.difference) for group in GROUPS]
    found = [f"{where}: no target {name}" for where, name, _ in told if name not in known]
    found += [
        f"{where}: no behaviour {one.behaviour}"
        for where, _, one in told
        if one.behaviour is not None and one.behaviour not in behaviours
    ]
    return found


def patterns_without_a_case(cases: Iterable[Case]) -> list[str]:
    """Return the patterns of the table that match none of these cases; of all there are, or it says nothing."""
    ids = [case.id for case in cases]
    return [
        f"differences.py: no case matches {pattern!r}"
        for group in GROUPS
        for pattern in group.patterns
        if not fnmatch.filter(ids, pattern)
    ]
