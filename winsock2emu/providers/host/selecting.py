"""select: wait for any of several sockets.

Part played:     the select path of msafd.
Lives here:      the three sets, in and out.
Lives elsewhere: the waiting (watching), what a socket in a given state is ready for (stream, datagram).
Duplicates:      a socket that a set holds twice comes back once, as if the sets had been filled by FD_SET; one that
                 stands in two sets counts in both.
Sources:         nf-winsock2-select; R3.39-R3.47, A57-A60 of the project's reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ...defs.codes import WSAENOTSOCK
from ...errors import WinsockError
from .conditions import EXCEPTIONAL, TO_READ, TO_WRITE, WAS_CLOSED
from .hostsocket import HostSocket
from .watching import Found, Watch, copied

Sets = tuple[list[int], list[int], list[int]]

_MICROSECONDS: Final = 1_000_000
_MEANINGS: Final = (TO_READ, TO_WRITE, EXCEPTIONAL)


class Selection:
    """The three sets (read, write, except) of a select, prepared for being repeated by the same thread.

    Args:
        sets: handles; None is no set.
        socket: the socket behind a handle.
    """

    __slots__ = ("_members", "_wait", "sets", "watch")

    def __init__(
        self,
        sets: tuple[Sequence[int] | None, Sequence[int] | None, Sequence[int] | None],
        socket: Callable[[int], HostSocket],
    ) -> None:
        self.sets = tuple(map(copied, sets))
        asked: dict[HostSocket, int] = {}
        self._members = []
        for handles, meaning in zip(sets, _MEANINGS, strict=True):
            members = {s: socket(s) for s in handles or ()}
            self._members.append((members, meaning))
            for endpoint in members.values():
                asked[endpoint] = asked.get(endpoint, 0) | meaning
        self.watch = Watch(asked)
        self._wait = self.watch.wait

    def wait(self, timeout: tuple[int, int] | None) -> Sets:
        """Wait until a member of one of the sets is ready.

        Args:
            timeout: (seconds, microseconds); (0, 0) only looks, None waits for ever.

        Returns:
            The ready members of each set, in the order given; three empty lists when the time ran out.

        Raises:
            WinsockError: WSAENOTSOCK, a member was closed during the wait.
        """
        if timeout is None:
            found = self._wait(None)
        else:
            seconds, microseconds = timeout
            found = self._wait(seconds + microseconds / _MICROSECONDS if microseconds else seconds)
        return self._ready(found) if found else ([], [], [])

    def _ready(self, found: Found) -> Sets:
        """What the conditions that were found mean to the sets."""
        if any(conditions & WAS_CLOSED for conditions in found.values()):
            raise WinsockError(WSAENOTSOCK)
        readable, writable, exceptional = (
            [s for s, endpoint in members.items() if found.get(endpoint, 0) & meaning]
            for members, meaning in self._members
        )
        return readable, writable, exceptional
