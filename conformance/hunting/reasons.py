"""Differences that are known: what a hunt meets again and again, and why it is so.

Part played:     the table that lets a hunt go on to what nobody has seen. A row has a name, one of the reasons of model
                 (Wine lacks it; Windows observed otherwise, with the id; documented otherwise; a limit of the host) and
                 tells by the step and both outcomes whether a difference is of its kind.
Lives elsewhere: reasons of cases (differences.py); the comparison (comparing).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..constants import IPPROTO_ICMP, IPPROTO_UDP, SOCK_DGRAM
from ..model import documented_otherwise, host_limit, lacks, observed_otherwise
from .comparing import Difference, Reason

SENDS: Final = frozenset(
    ["send", "sendto", "WSASend", "WSASendTo", "WSASend_overlapped", "WSASend_routine", "WSASendTo_overlapped"]
)
RECEIVES: Final = frozenset(
    ["recv", "recvfrom", "WSARecv", "WSARecvFrom", "WSARecv_overlapped", "WSARecv_routine", "WSARecvFrom_overlapped"]
)
TRANSFERS: Final = SENDS | RECEIVES
#: Steps that only look, beside what they take away.
LOOKS: Final = RECEIVES | frozenset(
    ["select", "WSAPoll", "WSAEnumNetworkEvents", "ioctlsocket", "WSAIoctl", "look", "status", "packets"]
)
RESULTS: Final = frozenset(["GetOverlappedResult", "WSAGetOverlappedResult"])
TARGETED: Final = frozenset(
    ["connect", "connect_datagram", "ConnectEx", "sendto", "WSASendTo", "WSASendTo_overlapped", "bind_to"]
)


def code(outcome: Any) -> str:
    """The name of the code of a failed call, or of a failure that `look` has seen; "" of anything else."""
    text = outcome.get("fails") if isinstance(outcome, dict) else outcome
    return text.partition(" (")[0] if isinstance(text, str) and text.endswith(")") else ""


def succeeded(outcome: Any) -> bool:
    """Whether the call has succeeded."""
    return isinstance(outcome, dict) and "ok" in outcome


def pended(outcome: Any) -> bool:
    """Whether the call has begun a request that goes on."""
    return bool(outcome == {"ok": "pending"})


def _socket_of(d: Difference) -> str:
    """The name of the socket that a step is about; of the thing that `look` has looked at."""
    if d.name:
        return d.name
    return next((one for one in d.step.arguments if isinstance(one, str) and one[:1] == "s" and one[1:].isdigit()), "")


def is_datagram(d: Difference) -> bool:
    """Whether the socket was made as one."""
    name = _socket_of(d)
    return any(
        step.call != "WSASocket" or step.arguments[2] == SOCK_DGRAM or step.arguments[3] == IPPROTO_UDP
        for step, _ in d.steps_before("udp", "udp_pair", "WSASocket", name=name)
    )


def _is_raw(d: Difference) -> bool:
    """The socket was made for a protocol that is neither TCP nor UDP."""
    return any(step.arguments[3] == IPPROTO_ICMP for step, _ in d.steps_before("WSASocket", name=_socket_of(d)))


def _sent_urgent(d: Difference) -> bool:
    return any(step.call in SENDS and "MSG_OOB" in step.arguments and succeeded(o) for step, o in d.steps_before())


def _shut_receive(d: Difference) -> bool:
    return any(step.arguments[1] in (0, 2) and succeeded(o) for step, o in d.steps_before("shutdown"))


def _closed_something(d: Difference) -> bool:
    return any(True for _ in d.steps_before("closesocket", "setsockopt", "shutdown", "DisconnectEx"))


def _unreachable(d: Difference) -> bool:
    """A datagram may have gone to a port that nobody has, or that a stream has."""
    datagrams = {name for step, _ in d.steps_before("udp", "udp_pair") for name in step.names()}
    for step, _ in d.steps_before(*TARGETED, "closesocket"):
        to = [word for word in step.arguments if isinstance(word, str)]
        if step.call == "closesocket" or "nobody" in to or any(w[0] == "@" and w[1:] not in datagrams for w in to):
            return True
    return False


def _tells_reset(d: Difference) -> bool:
    """Ours tells of a reset: by a code, in SO_ERROR or with FD_CLOSE."""
    return code(d.ours) == "WSAECONNRESET" or (bool(d.name) and d.place in (3, 6) and "10054" in str(d.ours))


def _option(*names: str) -> Callable[[Difference], bool]:
    return lambda d: d.call in ("getsockopt", "setsockopt") and str(d.argument(1)) in names


def _both_fail(d: Difference) -> bool:
    return bool(code(d.ours) and code(d.theirs))


def _without(outcome: Any, key: str) -> Any:
    """The outcome, or what it has told, without one of its parts."""
    if not isinstance(outcome, dict):
        return outcome
    value = outcome.get("ok")
    if isinstance(value, dict):
        return outcome | {"ok": {name: one for name, one in value.items() if name != key}}
    return {name: one for name, one in outcome.items() if name != key}


def _longer(one: Any, other: Any) -> bool:
    """Both have told bytes, and one of them more than the other."""
    values = [outcome.get("ok") if isinstance(outcome, dict) else None for outcome in (one, other)]
    return all(isinstance(value, str) for value in values) and len(str(values[0])) > len(str(values[1]))


WINE: Final = (
    # ---- which code, when several are due: nothing else differs
    Reason(
        "send-unconnected",
        documented_otherwise("a socket that is not connected: WSAENOTCONN; Wine tells what Linux says of its own"),
        lambda d: d.call in SENDS and code(d.ours) == "WSAENOTCONN" and bool(code(d.theirs)),
        stops=False,
    ),
    Reason(
        "send-unconnected-pends",
        lacks("an overlapped send on a socket that is not connected pends"),
        lambda d: d.call in SENDS and code(d.ours) == "WSAENOTCONN" and pended(d.theirs),
    ),
    Reason(
        "receive-unconnected",
        documented_otherwise("WSAENOTCONN; Wine waits, or says that there is nothing yet"),
        lambda d: d.call in RECEIVES and code(d.ours) == "WSAENOTCONN" and (pended(d.theirs) or _both_fail(d)),
    ),
    Reason(
        "receive-unbound",
        documented_otherwise("a datagram socket that is not bound: WSAEINVAL"),
        lambda d: d.call in RECEIVES and code(d.ours) == "WSAEINVAL" and (is_datagram(d) or _is_raw(d)),
    ),
    Reason(
        "peek-overlapped",
        documented_otherwise("MSG_PEEK is for calls that are not overlapped: WSAEOPNOTSUPP"),
        lambda d: d.call in RECEIVES and code(d.ours) == "WSAEOPNOTSUPP" and "MSG_PEEK" in d.step.arguments,
    ),
    Reason(
        "urgent-nothing",
        documented_otherwise("MSG_OOB with no urgent data: WSAEINVAL at once"),
        lambda d: d.call in RECEIVES and code(d.ours) == "WSAEINVAL" and "MSG_OOB" in d.step.arguments,
    ),
    Reason(
        "urgent-datagram",
        documented_otherwise("MSG_OOB on a datagram socket, or in a call that does not take it: WSAEOPNOTSUPP"),
        lambda d: d.call in TRANSFERS and code(d.ours) == "WSAEOPNOTSUPP" and "MSG_OOB" in d.step.arguments,
    ),
    Reason(
        "cancel-nothing",
        documented_otherwise("CancelIoEx without a request to cancel: ERROR_NOT_FOUND"),
        lambda d: d.call in ("CancelIoEx_all", "CancelIoEx") and code(d.ours) == "ERROR_NOT_FOUND",
        stops=False,
    ),
    Reason(
        "listen-codes",
        documented_otherwise("listen: WSAEISCONN on a connected socket, WSAEOPNOTSUPP on datagrams; Wine: WSAEINVAL"),
        lambda d: d.call == "listen" and _both_fail(d),
        stops=False,
    ),
    Reason(
        "listen-after-refusal",
        lacks("a socket whose connect was refused cannot listen, though it is bound"),
        lambda d: d.call == "listen" and succeeded(d.ours) and any(True for _ in d.steps_before("connect")),
    ),
    Reason(
        "other-family",
        documented_otherwise("an address of another family: WSAEAFNOSUPPORT, or WSAEFAULT where it is too short"),
        lambda d: (
            d.call in TARGETED
            and _both_fail(d)
            and ("other" in d.step.arguments or code(d.ours) in ("WSAEFAULT", "WSAEAFNOSUPPORT"))
        ),
        stops=False,
    ),
    Reason(
        "shutdown-order",
        documented_otherwise("the connection comes before the direction; Wine looks at the direction first"),
        lambda d: d.call == "shutdown" and code(d.ours) == "WSAENOTCONN" and code(d.theirs) == "WSAEINVAL",
        stops=False,
    ),
    Reason(
        "connected-to-nothing",
        documented_otherwise(
            "an address of zeros ends the connection of a datagram socket; Linux takes it for its own"
        ),
        lambda d: any(
            step.arguments[1] in ("any", "zero") and succeeded(o) for step, o in d.steps_before("connect_datagram")
        ),
    ),
    Reason(
        "port-zero",
        documented_otherwise("port or address zero as a destination: WSAEADDRNOTAVAIL"),
        lambda d: d.call in TARGETED and code(d.ours) == "WSAEADDRNOTAVAIL",
    ),
    Reason(
        "option-codes",
        lacks("another code where an option or its length is wrong"),
        lambda d: d.call in ("getsockopt", "setsockopt", "WSAIoctl") and _both_fail(d),
        stops=False,
    ),
    Reason(
        "option-missing",
        lacks("no such option"),
        lambda d: d.call in ("getsockopt", "setsockopt") and succeeded(d.ours) and code(d.theirs) == "WSAENOPROTOOPT",
        stops=False,
    ),
    Reason(
        "option-elsewhere",
        documented_otherwise("an option of another type of socket; Wine hands it to Linux"),
        lambda d: (
            code(d.ours) in ("WSAENOPROTOOPT", "WSAEINVAL", "WSAEFAULT", "WSAENOTCONN")
            and d.call in ("getsockopt", "setsockopt", "WSAIoctl", "update_accept_context")
        ),
    ),
    Reason(
        "so-debug-overrun",
        lacks("getsockopt writes four bytes into a smaller buffer"),
        lambda d: d.call == "getsockopt" and isinstance(d.theirs, dict) and "broke" in d.theirs,
        stops=False,
    ),
    Reason(
        "dontroute-value",
        lacks("SO_DONTROUTE is on in a new datagram socket"),
        _option("SO_DONTROUTE"),
        stops=False,
    ),
    Reason(
        "so-error-set",
        observed_otherwise("opt-so-error-set", "Wine does not keep a value set for SO_ERROR"),
        lambda d: (
            any(s.arguments[1] == "SO_ERROR" for s, _ in d.steps_before("setsockopt"))
            and (_option("SO_ERROR")(d) or d.name[:1] == "s")
        ),
    ),
    Reason(
        "wsasocket-codes",
        lacks("another order in which family, type and protocol are checked"),
        lambda d: d.call == "WSASocket" and _both_fail(d),
        stops=False,
    ),
    Reason(
        "buffer-default",
        lacks("an accepted socket has Linux' buffers"),
        lambda d: d.call == "getsockopt" and d.argument(1) in ("SO_RCVBUF", "SO_SNDBUF") and succeeded(d.ours),
        stops=False,
    ),
    Reason(
        "ttl-default",
        lacks("packets begin with Linux' 64 hops"),
        lambda d: d.call == "getsockopt" and d.argument(1) in ("IP_TTL", "IPV6_UNICAST_HOPS") and succeeded(d.ours),
        stops=False,
    ),
    Reason(
        "connect-again",
        host_limit("after a refusal Linux answers the next connect with WSAECONNABORTED first"),
        lambda d: d.call in ("connect", "ConnectEx") and code(d.theirs) == "WSAECONNABORTED",
    ),
    Reason(
        "receive-after-refusal",
        documented_otherwise("a socket whose connect was refused is not connected; Wine tells the end of a stream"),
        lambda d: (
            d.call in RECEIVES
            and code(d.ours) == "WSAENOTCONN"
            and any(True for _ in d.steps_before("connect", "ConnectEx"))
        ),
    ),
    Reason(
        "room-of-an-option",
        lacks("says that an option fills all the room there is"),
        lambda d: d.call == "getsockopt" and _longer(d.theirs, d.ours),
        stops=False,
    ),
    Reason(
        "flags-of-an-end",
        lacks("leaves the flags as they were when the stream has ended"),
        lambda d: d.call in ("WSARecv", "WSARecvFrom") and _without(d.theirs, "flags") == d.ours,
        stops=False,
    ),
    Reason(
        "count-of-a-cut",
        lacks("tells no count of a cut datagram whose first buffer has no room"),
        lambda d: d.call in RECEIVES and code(d.ours) == "WSAEMSGSIZE" and _without(d.ours, "moved") == d.theirs,
        stops=False,
    ),
    Reason(
        "poll-of-a-refusal",
        observed_otherwise("wsapoll-refused", "Wine's WSAPoll tells no POLLHUP of a connect that was refused"),
        lambda d: d.call == "WSAPoll" and any(True for _ in d.steps_before("connect", "ConnectEx")),
        stops=False,
    ),
    Reason(
        "cut-at-once",
        observed_otherwise(
            "recvmsg-short-control-apc", "a request for less than the datagram that is there fails at once"
        ),
        lambda d: d.call in RECEIVES and pended(d.ours) and code(d.theirs) == "WSAEMSGSIZE",
    ),
    Reason(
        "connect-context-value",
        documented_otherwise("SO_UPDATE_CONNECT_CONTEXT takes no value"),
        lambda d: d.call == "setsockopt" and d.argument(1) == "SO_UPDATE_CONNECT_CONTEXT" and succeeded(d.ours),
    ),
    Reason(
        "raw-name",
        lacks("a raw socket has no name after it has sent"),
        lambda d: d.place == 1 and not code(d.ours) and code(d.theirs) == "WSAEINVAL",
        stops=False,
    ),
    Reason(
        "bind-beside-the-wildcard",
        documented_otherwise("T11.1: an address of one interface is free beside the wildcard; Linux refuses it"),
        lambda d: d.call in ("bind", "bind_to") and succeeded(d.ours) and code(d.theirs) == "WSAEADDRINUSE",
    ),
    Reason(
        "disconnectex-of-an-abort",
        documented_otherwise("DisconnectEx tells that the connection is gone: WSAECONNABORTED; Wine's pends"),
        lambda d: d.call == "DisconnectEx" and code(d.ours) == "WSAECONNABORTED",
    ),
    Reason(
        "handle-again",
        lacks("a new handle has the number of a socket that was closed just before"),
        lambda d: (
            d.call == "CancelIoEx"
            and (code(d.ours), code(d.theirs)) == ("WSA_INVALID_HANDLE", "ERROR_NOT_FOUND")
            and any(True for _ in d.steps_before("closesocket"))
        ),
        stops=False,
    ),
    Reason(
        "peer-without-context",
        documented_otherwise("after ConnectEx there is no name of the peer before SO_UPDATE_CONNECT_CONTEXT"),
        lambda d: (
            code(d.ours) == "WSAENOTCONN"
            and (d.call == "getpeername" or d.place == 2)
            and any(True for _ in d.steps_before("ConnectEx"))
        ),
        stops=False,
    ),
    Reason(
        "number-again",
        host_limit("a descriptor's number is another socket's at once; in Wine that of a closed one is nobody's yet"),
        lambda d: (
            d.call == "WSAGetOverlappedResult"
            and code(d.theirs) == "WSAENOTSOCK"
            and any(True for _ in d.steps_before("closesocket"))
        ),
    ),
    Reason(
        "peer-of-a-listener",
        lacks("a listening socket with AcceptEx under way has a peer"),
        lambda d: d.place == 2 and code(d.ours) == "WSAENOTCONN" and any(True for _ in d.steps_before("AcceptEx")),
    ),
    Reason(
        "largest-datagram",
        lacks("SO_MAX_MSG_SIZE is that of IPv4 over IPv6, too"),
        lambda d: d.call == "getsockopt" and d.argument(1) == "SO_MAX_MSG_SIZE",
        stops=False,
    ),
    Reason(
        "time-of-a-reset",
        documented_otherwise("a connection that was reset is none, and SO_CONNECT_TIME says so"),
        lambda d: d.call == "getsockopt" and d.argument(1) == "SO_CONNECT_TIME" and _closed_something(d),
        stops=False,
    ),
    Reason(
        "shutdown-of-a-reset",
        documented_otherwise("shutdown tells of a reset: WSAECONNRESET"),
        lambda d: d.call == "shutdown" and code(d.ours) == "WSAECONNRESET" and succeeded(d.theirs),
    ),
    Reason(
        "fd-write-after-shutdown",
        lacks("records FD_WRITE of a direction that was shut, and does not set the event"),
        lambda d: (
            (d.call == "WSAWaitForMultipleEvents" or d.name[:1] == "e")
            and any("FD_WRITE" in str(s.arguments[2]) for s, _ in d.steps_before("WSAEventSelect"))
        ),
    ),
    Reason(
        "not-for-this-peer",
        host_limit("Linux calls a port unreachable when its socket is connected to somebody else; the receive tells"),
        lambda d: (
            (
                (d.call in RECEIVES and code(d.ours) == "WSAECONNRESET")
                or (is_datagram(d) and d.place == 0 and (d.ours, d.theirs) == ("rw", "w"))
            )
            and any(True for _ in d.steps_before("udp_pair", "connect_datagram"))
        ),
    ),
    Reason(
        "raw-by-protocol",
        lacks("makes no raw socket of a protocol alone"),
        lambda d: d.call == "WSASocket" and succeeded(d.ours) and code(d.theirs) == "WSAESOCKTNOSUPPORT",
    ),
    Reason(
        "multicast-interface",
        lacks("takes an interface that is none"),
        lambda d: d.call == "setsockopt" and code(d.ours) == "WSAEADDRNOTAVAIL" and succeeded(d.theirs),
    ),
    Reason(
        "fragment-default",
        observed_otherwise("opt-dontfragment-udp-default", "has Linux' default"),
        _option("IP_DONTFRAGMENT"),
        stops=False,
    ),
    Reason(
        "peer-changed",
        documented_otherwise(
            "what came before a datagram socket got another peer is dropped, where it is of another one"
        ),
        lambda d: is_datagram(d) and any(True for _ in d.steps_before("connect_datagram", name=_socket_of(d))),
    ),
    Reason(
        "end-with-data",
        observed_otherwise("afd-poll-shutdown-data", "WSAPoll tells no POLLHUP while data is there"),
        lambda d: d.call == "WSAPoll" and _closed_something(d),
        stops=False,
    ),
    # ---- requests
    Reason(
        "bind-acceptor",
        lacks("a socket that AcceptEx has been given can still be bound"),
        lambda d: (
            d.call in ("bind", "bind_to")
            and code(d.ours) == "WSAEINVAL"
            and any(step.arguments[2] == d.argument(0) for step, _ in d.steps_before("AcceptEx"))
        ),
    ),
    Reason(
        "acceptex-family",
        lacks("AcceptEx takes a socket of another family"),
        lambda d: d.call == "AcceptEx" and code(d.ours) == "WSAEINVAL" and pended(d.theirs),
    ),
    Reason(
        "disconnectex-unconnected",
        observed_otherwise("disconnectex-unconnected", "Wine's DisconnectEx pends on what is not connected"),
        lambda d: d.call == "DisconnectEx" and code(d.ours) == "WSAENOTCONN",
    ),
    Reason(
        "disconnectex-early",
        lacks("DisconnectEx is complete, and the socket shut, before the peer has ended its side"),
        lambda d: any(True for _ in d.steps_before("DisconnectEx")),
    ),
    Reason(
        "pending-receive-shut",
        documented_otherwise("a pending receive ends with shutdown(SD_RECEIVE); data that comes later resets"),
        lambda d: (
            d.call
            in LOOKS
            | SENDS
            | frozenset(
                (
                    "WSAGetOverlappedResult",
                    "GetOverlappedResult",
                    "SleepEx",
                    "WSAWaitForMultipleEvents",
                    "CancelIoEx",
                    "CancelIoEx_all",
                    "getpeername",
                    "shutdown",
                )
            )
            and _shut_receive(d)
        ),
    ),
    Reason(
        "closed-request",
        observed_otherwise(
            "afd-recv-close-pending", "Wine ends what pends on a closed socket with STATUS_HANDLES_CLOSED"
        ),
        lambda d: (
            d.call in LOOKS | RESULTS | {"SleepEx"}
            and (
                any(text in str(d.theirs) for text in ("0x8000000a", "676"))
                or ("995" in str(d.ours) and "10022" in str(d.theirs))
            )
        ),
    ),
    # ---- resets, unreachable ports, urgent data
    Reason(
        "reset-stays",
        lacks("a reset is told once, by whatever call comes first; afterwards the stream seems to have ended"),
        lambda d: _tells_reset(d) and d.call in LOOKS | SENDS | {"DisconnectEx"} and _closed_something(d),
    ),
    Reason(
        "peer-of-a-reset",
        host_limit("Linux forgets the peer of a connection that was reset"),
        lambda d: code(d.theirs) == "WSAENOTCONN" and (d.call == "getpeername" or d.place == 2),
    ),
    Reason(
        "unreachable-request",
        lacks("ends a request whose port was unreachable with STATUS_CONNECTION_REFUSED"),
        lambda d: "0xc000023f" in str(d.ours) or code(d.ours) == "ERROR_PORT_UNREACHABLE",
    ),
    Reason(
        "unreachable-datagram",
        documented_otherwise("the next receive tells that a port was unreachable: WSAECONNRESET"),
        lambda d: (
            d.call in LOOKS | SENDS
            and _unreachable(d)
            and (is_datagram(d) or any(text in str(d.ours) for text in ("0xc000023f", "1234")))
        ),
    ),
    Reason(
        "urgent-data",
        observed_otherwise("fionread-two-oob", "urgent bytes queue for themselves; in Linux there is one, and a mark"),
        lambda d: d.call in LOOKS | RESULTS | {"WSAWaitForMultipleEvents"} and _sent_urgent(d),
    ),
    Reason(
        "unreachable-told",
        documented_otherwise("an unreachable port is told by a receive; Wine tells FD_CLOSE and an exception"),
        lambda d: (
            (d.call in ("select", "WSAWaitForMultipleEvents", "WSAPoll") or d.name[:1] == "e")
            and any(True for _ in d.steps_before("udp", "udp_pair"))
            and (_unreachable(d) or "nobody" in str([step.arguments for step, _ in d.steps_before("connect")]))
        ),
    ),
    Reason(
        "fionread-datagrams",
        documented_otherwise("FIONREAD tells all that is queued; Linux tells the first datagram"),
        lambda d: (d.place == 4 or d.argument(1) == "FIONREAD") and is_datagram(d),
        stops=False,
    ),
    # ---- events and names
    Reason(
        "fd-write-unbound",
        observed_otherwise("evconnect-udp-initial", "Wine tells FD_WRITE of a datagram socket that is not bound yet"),
        lambda d: (
            (d.call in ("WSAEnumNetworkEvents", "look", "WSAWaitForMultipleEvents"))
            and any("FD_WRITE" in str(s.arguments[2]) for s, _ in d.steps_before("WSAEventSelect"))
            and any(True for _ in d.steps_before("udp"))
        ),
    ),
    Reason(
        "fd-connect-datagram",
        documented_otherwise("FD_CONNECT also of a datagram socket that is connected already"),
        lambda d: (
            d.call in ("WSAEnumNetworkEvents", "look", "WSAWaitForMultipleEvents")
            and (is_datagram(d) or d.name[:1] != "s")
            and any(True for _ in d.steps_before("udp_pair", "udp"))
            and any("FD_CONNECT" in str(s.arguments[2]) for s, _ in d.steps_before("WSAEventSelect"))
        ),
    ),
    Reason(
        "bound-by-a-failure",
        lacks("a call that fails has bound the socket all the same"),
        lambda d: (
            (code(d.ours) == "WSAEINVAL" and (d.call == "getsockname" or d.place == 1))
            or (d.call in ("bind", "bind_to") and succeeded(d.ours) and code(d.theirs) == "WSAEINVAL")
            or (
                d.call in TARGETED
                and code(d.ours) == "WSAEINVAL"
                and any(isinstance(word, str) and word[:1] == "@" for word in d.step.arguments)
            )
        ),
    ),
    Reason(
        "name-of-a-refusal",
        lacks("after a refused connect the name has the loopback address"),
        lambda d: (
            (d.call == "getsockname" or d.place == 1)
            and any(
                unspecified in str(d.ours) and itself in str(d.theirs)
                for unspecified, itself in (("[::%0]", "[::1%0]"), ("0.0.0.0:", "127.0.0.1:"))
            )
        ),
        stops=False,
    ),
)

#: referee -> its rows; the first row that takes a difference is its reason.
REASONS: Mapping[str, tuple[Reason, ...]] = {"wine": WINE}


def reasons_for(target: str) -> tuple[Reason, ...]:
    """The rows for a referee; none for targets of ours, which must agree."""
    return REASONS.get(target, ())
