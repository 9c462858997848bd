"""File objects: what a handle that I/O is made on leads to, a socket's as well as a disk file's.

Part played:     FILE_OBJECT: the completion port it is tied to, the requests that pend on it, its own signal.
Lives here:      that state, cancelling, and the rule that completion routines of one file do not nest.
Lives elsewhere: the requests (kernel/operations), who performs them (providers, kernel/hostfiles), the functions
                 (kernel32).
Signal:          a file is signalled when a request without an event of its own completes, and not signalled from the
                 start of the next request on. A fresh one is signalled.
Sources:         "Synchronization and Overlapped Input and Output", setfilecompletionnotificationmodes and
                 createiocompletionport on Microsoft Learn; R6.34, R6.51 of the project's reference.
"""

from __future__ import annotations

from typing import Any, Final

from ..defs.codes import ERROR_INVALID_PARAMETER
from ..errors import WinsockError
from .objects import Waitable, queue_apc
from .operations import OVERLAPPED, issued
from .ports import Port
from .waits import Waiter

_ALONE: Final[list[FileObject]] = []
"""Stays empty: few sockets are shared."""


class FileObject(Waitable):
    """An open file, pipe or socket.

    Attributes:
        overlapped: it was opened for overlapped I/O; others take no port and make every request a synchronous one.
        port, key: the completion port its packets go to, None for none, and the key they carry.
        modes: SKIP_PORT and SKIP_SIGNAL, once set for good.
        pending: its requests that pend, oldest first.
        partners: those of all descriptors of a shared socket, which have port and modes in common; empty for others.
    """

    __slots__ = ("_running", "key", "modes", "overlapped", "partners", "pending", "port")

    def __init__(self, *, overlapped: bool = True) -> None:
        super().__init__(signalled=True, keeps=True)
        self.overlapped = overlapped
        self.port: Port | None = None
        self.key = 0
        self.modes = 0
        self.pending: dict[OVERLAPPED, None] = {}
        self.partners: list[FileObject] = _ALONE
        issued.files.add(self)
        self._running: dict[Waiter, list[tuple[Any, ...]]] = {}

    def associate(self, port: Port, key: int) -> None:
        """Have completions told to a port, for as long as the file is open.

        Raises:
            WinsockError: ERROR_INVALID_PARAMETER, it has one already, or was not opened for overlapped I/O.
        """
        if self.port is not None or not self.overlapped:
            raise WinsockError(ERROR_INVALID_PARAMETER)
        for file in self.partners or (self,):
            file.key = key
            file.port = port

    def skip(self, modes: int) -> None:
        """Tell less of requests that complete at once, for as long as the file is open."""
        for file in self.partners or (self,):
            file.modes |= modes

    def share(self, other: FileObject) -> None:
        """Be the file of one more descriptor of a socket: the port is for all of them, requests are each one's own."""
        if not other.partners:
            other.partners = [other]
        self.partners = other.partners
        self.partners.append(self)
        self.port, self.key, self.modes = other.port, other.key, other.modes

    def cancel(self, overlapped: OVERLAPPED | None = None, waiter: Waiter | None = None) -> int:
        """Cancel the request of a record, or all of them, or all of one thread; how many there were."""
        if overlapped is not None:
            request = overlapped.operation
            found: tuple[OVERLAPPED, ...] = (request,) if request is not None and request.file is self else ()
        else:
            found = tuple(self.pending)
            if waiter is not None:
                found = tuple(one for one in found if one.issuer is waiter)
        return sum(request.cancel() for request in found)

    def run_routine(self, waiter: Waiter, *call: Any) -> None:
        """Call a completion routine in its thread: ``call`` is the routine and what it gets.

        One whose turn comes inside another one of this file, in an alertable wait there, runs when that has returned.
        """
        turn = self._running.get(waiter)
        if turn is not None:
            turn.append(call)
            return
        turn = self._running[waiter] = [call]
        try:
            while turn:
                routine, *outcome = turn.pop(0)
                routine(*outcome)
        finally:
            del self._running[waiter]
            for later in turn:  # an exception has come in between
                queue_apc(waiter, self.run_routine, waiter, *later)
