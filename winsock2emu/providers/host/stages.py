"""Requests that go through stages, each of which waits in a lane of its own.

Part played:     the IRPs that afd.sys makes for one of its own: for AcceptEx, ConnectEx and DisconnectEx a connection has
                 to come or to go, and data has to follow or to be away.
Lives here:      what stands in the lane for the program's request, so that the provider learns how a stage has ended, by
                 whatever hand, before the program does.
Lives elsewhere: the stages (acceptex, connectex, disconnectex), waiting and cancelling (engine/lanes), what a program
                 is told (kernel/operations).
"""

from __future__ import annotations

from typing import Any

from ...engine.lanes import Lane
from ...errors import WinsockError
from ...kernel.operations import PENDING, Operation, OverlappedOperation


class Stages(Operation):
    """The stages of one overlapped request; it stands in one lane after the other.

    Attributes:
        request: the program's request. It pends from the moment when a stage does, so that a request whose stages are
            all over at once counts as one that has not pended.
        failure: what it has failed with before it pended: the call's failure, told to nobody else.
    """

    __slots__ = ("_cancelled", "failure", "request")

    def __init__(self, request: OverlappedOperation) -> None:
        super().__init__(_told_by_finish)
        self.request = request
        self.failure: WinsockError | None = None
        self._cancelled = False

    def stage_over(self, result: Any, failure: WinsockError | None) -> Any:
        """A stage has ended: go on with the next one, and return `PENDING`; or return what the request has come to.

        May be called under the lock of the stage's lane.

        Raises:
            WinsockError: the request fails.
        """
        raise NotImplementedError

    def next_stage(self, lane: Lane, attempt: Any) -> Any:
        """Enter a lane: what the attempt has returned at once, or `PENDING`; its end comes to `stage_over` either way.

        Raises:
            WinsockError: the attempt has failed at once; `stage_over` has nothing to do with that.
        """
        result = lane.run(attempt, self)
        if self._cancelled and not self.final:
            super().cancel()  # in between two lanes it could not be
        return result

    def start(self, lane: Lane, attempt: Any) -> Any:
        """The first stage, for the call itself: the request's result, or `PENDING`.

        Raises:
            WinsockError: it has failed before it could pend.
        """
        self.next_stage(lane, attempt)
        if self.failure is not None:
            raise self.failure
        return self.request.result if self.request.final and not self.pended else PENDING

    @property
    def pended(self) -> bool:
        """The call has returned `PENDING`, or will: how the request ends is told as a completion."""
        return self.request.keeper is not None or self._was_pending

    # As an operation

    def pend(self, keeper: Any) -> None:
        self.keeper = keeper
        self.request.pend(self)

    def finish(self, result: Any, failure: WinsockError | None = None) -> None:
        raise NotImplementedError
