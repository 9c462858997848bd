"""select: wait for any of several sockets.

Part played:     the select path of msafd and afd.sys.
Lives here:      one wait over many endpoints, and what their readiness means to each of the three sets.
Lives elsewhere: what a socket in a given state is ready for (`readiness` of stream and datagram), the poll call
                 (engine/pump).
Rules:           readiness is decided by the state of the socket as Windows defines it, never by the host's bits alone:
                 a failed connect is exceptional and not writable, an idle stream is ready for nothing. A socket that
                 is closed during the wait ends it with WSAENOTSOCK.
Sources:         nf-winsock2-select; R3.39-R3.47, A57-A60 of the project's reference.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ...defs.codes import WSAENOTSOCK
from ...engine.pump import HANGUP, READABLE, URGENT, WRITABLE, wait_any
from ...errors import WinsockError
from ...kernel.waits import this_waiter
from .hostsocket import HostSocket

Sets = tuple[list[int], list[int], list[int]]


def select(
    sets: tuple[Sequence[int], Sequence[int], Sequence[int]],
    endpoints: Mapping[int, HostSocket],
    timeout_s: float | None,
) -> Sets:
    """Wait until a member of one of the sets (read, write, except) is ready.

    Args:
        sets: handles, each in ``endpoints``.
        endpoints: the sockets behind the handles.
        timeout_s: seconds; 0 only looks, None waits for ever.

    Returns:
        The ready members of each set, in the order given; three empty lists when the time ran out.
    """
    asked: dict[int, int] = {}
    for handles, bit in zip(sets, (READABLE, WRITABLE, URGENT), strict=True):
        for s in handles:
            asked[s] = asked.get(s, 0) | bit
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    members = [endpoints[s] for s in asked]
    waiter = this_waiter()
    for endpoint in members:
        endpoint.watchers.append(waiter)
    try:
        # The first round only looks: a state that makes a socket ready is no news the host would wake us for.
        timeout_ms: float | None = 0
        hung_up: set[int] = set()
        while True:
            wanted = {s: 0 if s in hung_up else endpoints[s].wanted(bits) for s, bits in asked.items()}
            ready = wait_any({endpoints[s].fd: mask for s, mask in wanted.items() if mask}, waiter, timeout_ms)
            if any(endpoint.closing for endpoint in members):
                raise WinsockError(WSAENOTSOCK)
            verdicts = {s: endpoints[s].readiness(ready.get(endpoints[s].fd, 0)) for s in asked}
            found: Sets = ([], [], [])
            for index, handles in enumerate(sets):
                found[index].extend(s for s in handles if verdicts[s][index])
            if any(found):
                return found
            # A hang-up is reported unasked and for ever, also to a set that it makes nothing ready in.
            for s, bits in asked.items():
                if ready.get(endpoints[s].fd, 0) & HANGUP and endpoints[s].wanted(bits):
                    hung_up.add(s)
            if deadline is None:
                timeout_ms = None
            else:
                timeout_ms = (deadline - time.monotonic()) * 1000
                if timeout_ms <= 0:
                    return found
    finally:
        for endpoint in members:
            endpoint.watchers.remove(waiter)
