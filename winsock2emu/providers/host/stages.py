"""Requests that go through stages, each of which waits in a lane of its own.

Part played:     the requests that afd.sys makes of its own to serve one of a program: for AcceptEx a connection has to
                 come and data after it, for DisconnectEx what is sent has to be away and the peer has to end as well.
Lives here:      what leads a request from lane to lane, for overlapped requests and for synchronous ones.
Lives elsewhere: the stages (acceptex, connectex, disconnectex, transmit), waiting and cancelling (engine/lanes), what a
                 program is told (kernel/operations).

The stages are a generator. It yields a lane and an attempt, gets what the attempt has returned, or the `WinsockError`
that it has failed with or was cancelled with, and returns the result of the whole request or raises its failure:

    def stages():
        request = yield listener.inbound, take
        ...
        return (yield acceptor.inbound, receive)

Locking:         what follows a stage may run under the lock of its lane: it must not enter the same lane again. Stages
                 go from a listening socket to the other one, and from sending to receiving, never back.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...engine.lanes import Attempt, Lane
from ...errors import WinsockError
from ...kernel.operations import PENDING, Operation

Stages = Generator[tuple[Lane, Attempt], Any, Any]


def carry_out(stages: Stages, request: Operation | None, *, late: bool = False) -> Any:
    """Carry out a request: its result, or `PENDING`.

    Args:
        stages: see above.
        request: the overlapped request; None waits, in non-blocking mode as well.
        late: the call never tells the outcome itself, not even of a request that is over at once.

    Raises:
        WinsockError: it has failed before it could pend.
    """
    if request is None:
        return _wait_for(stages)
    return StagedOperation(stages, request).start(late=late)


def _wait_for(stages: Stages) -> Any:
    result: Any = None
    failure: WinsockError | None = None
    while True:
        try:
            lane, attempt = stages.send(result) if failure is None else stages.throw(failure)
        except StopIteration as end:
            return end.value
        result = failure = None
        try:
            result = lane.wait(attempt, tried=False, timeout_ms=0)
        except WinsockError as failed:
            failure = failed


class StagedOperation(Operation):
    """What stands in the lanes for an overlapped request.

    A request whose stages are all over at once has not pended; from the first one on that pends, it pends.
    """

    __slots__ = ("_cancelled", "_failure", "_pended", "_request", "_stages")

    def __init__(self, stages: Stages, request: Operation) -> None:
        self.keeper = self.attempt = self.preceding = self.following = None
        self.final = False
        self._stages = stages
        self._request = request
        self._failure: WinsockError | None = None
        self._pended = False
        self._cancelled = False

    def start(self, *, late: bool = False) -> Any:
        """The first stage, and those after it that have not to wait; see `carry_out`."""
        if late:
            self._pended = True
            self._request.pend(self)
        self._go_on(None, None)
        if self._failure is not None:
            raise self._failure
        return PENDING if self._pended else self._request.result

    def _go_on(self, result: Any, failure: WinsockError | None) -> None:
        while True:
            try:
                lane, attempt = self._stages.send(result) if failure is None else self._stages.throw(failure)
            except StopIteration as end:
                self.final = True
                self._request.finish(end.value)
                return
            except WinsockError as failed:
                self.final = True
                if self._pended:
                    self._request.finish(None, failed)
                else:
                    self._failure = failed
                return
            failure = None
            try:
                result = lane.run(attempt, self)
            except WinsockError as failed:
                failure = failed
                continue
            if result is PENDING:
                if self._cancelled:
                    super().cancel()  # in between two lanes it could not be
                return

    def pend(self, keeper: Any) -> None:
        """A lane keeps it, and it keeps the request."""
        self.keeper = keeper
        if not self._pended:
            self._pended = True
            self._request.pend(self)

    def finish(self, result: Any, failure: WinsockError | None = None) -> None:
        """A stage is over. One that was over at once goes on where it was begun."""
        pended = self.keeper is not None
        self.keeper = self.attempt = None
        if pended:
            self._go_on(result, failure)

    def abandon(self) -> None:
        """It ends, and nobody is told."""
        super().abandon()
        self._stages.close()
        self._request.abandon()

    def cancel(self, on_behalf_of: Operation | None = None) -> bool:
        """Complete the stage with WSA_OPERATION_ABORTED; True when that was its end."""
        self._cancelled = True
        return super().cancel()
