"""WSAPoll: what each of several sockets is ready for.

Part played:     the WSAPoll that mswsock gives to the DLL as an extension function.
Lives here:      the entries and their bits, in and out.
Lives elsewhere: the waiting (watching), what a socket in a given state is ready for (stream, datagram).
No socket:       an entry that is none has POLLNVAL and does not count; a negative one may ask for anything. Only when
                 there is nothing else the call fails. One that is closed during the wait does count.
Contested:       the page says that negative entries get no bits, and that WSAEINVAL is for a list without any socket;
                 Windows gives POLLNVAL and WSAENOTSOCK.
Sources:         nf-winsock2-wsapoll, ns-winsock2-wsapollfd; R3.49-R3.52, A61, B26 of the project's reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ...defs.codes import WSAEINVAL, WSAENOTSOCK
from ...defs.constants import POLLERR, POLLHUP, POLLNVAL, POLLRDBAND, POLLRDNORM, POLLWRNORM
from ...errors import WinsockError
from .conditions import OF_EVENT, TELL_END, TO_EVENTS, UNASKED
from .hostsocket import HostSocket
from .watching import Watch, copied

_MAY_ASK: Final = POLLRDNORM | POLLRDBAND | POLLWRNORM
_ALWAYS_TOLD: Final = POLLERR | POLLHUP | POLLNVAL
_FIRST_NEGATIVE: Final = 1 << 63  # as a signed number of 64 bits


class PollList:
    """The entries (socket, events) of a WSAPoll, prepared for being repeated by the same thread.

    Raises:
        WinsockError: WSAENOTSOCK, no entry is a socket; WSAEINVAL, an entry asks for what cannot be asked for.
    """

    __slots__ = ("_blank", "_entries", "fds", "watch")

    def __init__(self, fds: Sequence[tuple[int, int]], sockets: Mapping[int, HostSocket]) -> None:
        found = [sockets.get(s) for s, _ in fds]
        if not any(found):
            raise WinsockError(WSAENOTSOCK)
        if any(events & ~_MAY_ASK for s, events in fds if 0 <= s < _FIRST_NEGATIVE):
            raise WinsockError(WSAEINVAL)
        self.fds = copied(fds)
        asked: dict[HostSocket, int] = {}
        self._entries: list[tuple[int, HostSocket, int]] = []
        for index, (endpoint, (_, events)) in enumerate(zip(found, fds, strict=True)):
            if endpoint is not None:
                conditions = asked.get(endpoint, UNASKED | TELL_END)
                for bit, meant in OF_EVENT.items():
                    if events & bit:
                        conditions |= meant
                asked[endpoint] = conditions
                self._entries.append((index, endpoint, events | _ALWAYS_TOLD))
        self._blank = [POLLNVAL if endpoint is None else 0 for endpoint in found]
        self.watch = Watch(asked)

    def wait(self, timeout_ms: int) -> tuple[int, list[int]]:
        """Wait until an entry meets one of its conditions; a negative time waits for ever.

        Returns:
            How many do, and the bits of every entry.
        """
        found = self.watch.wait(None if timeout_ms < 0 else timeout_ms / 1000 if timeout_ms else 0)
        revents = self._blank.copy()
        count = 0
        if found:
            bits = {endpoint: _events(conditions) for endpoint, conditions in found.items()}
            for index, endpoint, told in self._entries:
                met = bits.get(endpoint, 0) & told
                if met:
                    revents[index] = met
                    count += 1
        return count, revents


def _events(conditions: int) -> int:
    """WSAPoll's bits for some conditions."""
    events = 0
    for condition, bits in TO_EVENTS.items():
        if conditions & condition:
            events |= bits
    return events
