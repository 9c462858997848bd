"""A made-up Windows with one kind of socket, and a helper to declare cases outside of a module."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

from conformance.constants import WSAENOTSOCK, WSANOTINITIALISED
from conformance.model import Case, case
from conformance.records import WSAData
from conformance.target import Target
from conformance.verify import Failed


class MadeUp(Target):
    """Sockets that can be opened, closed and waited on."""

    name = "emulator"
    description = "made up"

    def __init__(self) -> None:
        super().__init__()
        self.started = 0
        self.sockets: set[int] = set()
        self.forms: list[str] = []
        self.cleaned = threading.Event()
        self._numbers = itertools.count(4, 4)

    def WSAStartup(self, version: int) -> WSAData:
        self.started += 1
        self.cleaned.clear()
        self.forms.append(self.form)
        self._started()
        return WSAData(
            version=version,
            high_version=version,
            description="",
            system_status="",
            max_sockets=0,
            max_udp_dg=0,
        )

    def WSACleanup(self) -> None:
        if not self.started:
            raise Failed(WSANOTINITIALISED, "WSACleanup")
        self.started -= 1
        self.sockets.clear()
        self.cleaned.set()
        self._cleaned_up()

    def socket(self, af: int, type: int, protocol: int) -> int:
        if not self.started:
            raise Failed(WSANOTINITIALISED, "socket")
        s = next(self._numbers)
        self.sockets.add(s)
        return self._opened(s)

    def closesocket(self, s: int) -> None:
        if s not in self.sockets:
            raise Failed(WSAENOTSOCK, "closesocket")
        self.sockets.remove(s)
        self._closed(s)

    def recv(self, s: int, buffer: Any, flags: int = 0) -> int:
        """Wait until the last cleanup, as a receive does to which nobody sends."""
        self.cleaned.wait(10)
        raise Failed(WSANOTINITIALISED, "recv")


def declare(run: Callable[[Target], None], id: str = "made.up.case", **fields: Any) -> Case:
    """Return ``run`` as a case; the test says only what it is about."""
    declaration = {"chapter": "Made up", "source": "nowhere", "basis": "choice", **fields}
    if run.__doc__ is None:
        run.__doc__ = "It holds."
    decorate: Any = case  # the fields are whichever the test gives
    made = decorate(id, **declaration)(run)
    assert isinstance(made, Case)
    return made
