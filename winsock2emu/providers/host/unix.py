"""AF_UNIX: stream sockets with a path in the file system for an address.

Part played:     afunix.sys.
Lives here:      what differs from TCP: addresses, binding, the errors of paths.
Lives elsewhere: connections and data (stream), the options that apply (options), the process at the other end
                 (ioctls), the layout (defs/sockaddr).
Addresses:       Windows has paths only: no abstract names, no automatic ones, no datagrams, no ancillary data. Programs
                 pass a whole sockaddr_un or only as much of it as the path needs, with or without its NUL; what follows
                 the NUL does not matter. An address is given back with the length its path needs, NUL included; the one
                 of a socket without a name is the family alone, two bytes.
Paths:           a path means to bind and connect what it means to the host's open and unlink, for which the same
                 program has it: "/" separates, "\\" and "C:" are ordinary characters of a file name, upper and lower
                 case differ if they do for the host, and a relative path starts at the current folder. Translating it
                 here alone would make programs that remove or look for the file miss it. The bytes of the path go to
                 the host as they are; Windows takes them for UTF-8.
Files:           bind makes the file, closing leaves it there, and while it exists nobody can bind to it again.
Errors:          a file or folder that is not there is WSAENETDOWN, as observed on Windows; a file that nobody listens
                 at is WSAECONNREFUSED, as is a full backlog.
Differences:     a hard close (linger time 0) ends the stream at the peer, which Windows tells as a reset; hosts have no
                 such thing for local sockets. Paths may have the host's length, 104 bytes on some, with the NUL.
Sources:         devblogs.microsoft.com/commandline/af_unix-comes-to-windows; afunix.h; microsoft/WSL issue 4240
                 (abstract names: WSAEINVAL), jart/cosmopolitan issue 1000 (WSAENETDOWN), TestUnixConnLocalWindows of Go
                 (the unnamed end); unix(7).
"""

from __future__ import annotations

import errno
import os
from typing import Any

from ...defs.codes import WSAEINVAL
from ...defs.constants import UNIX_PATH_MAX
from ...errors import WinsockError
from .stream import StreamSocket


class UnixSocket(StreamSocket):
    """An AF_UNIX stream socket."""

    __slots__ = ()

    expedited = False
    halves = False

    # Names

    def destination(self, name: bytes | None) -> str:
        """The host's form of a path."""
        raw = self.checked_name(name)[2:].partition(b"\0")[0]
        if not raw or len(raw) >= UNIX_PATH_MAX:
            raise WinsockError(WSAEINVAL)
        return os.fsdecode(raw)

    def bind(self, name: bytes | None) -> None:
        """WSPBind: make the file; options do not let anybody share it."""
        name = self.checked_name(name)
        if self.bound or self.accepting is not None:
            raise WinsockError(WSAEINVAL)
        path = self.destination(name)
        try:
            self.host.bind(path)
        except OSError as failure:
            raise self.ended(failure) from failure
        self.now_bound()

    # Connecting

    def _host_connect(self, destination: Any) -> int:
        number = super()._host_connect(destination)
        # EAGAIN: the backlog is full, and nothing is under way. ENOTSOCK: a file of another kind, as the BSDs say it.
        return errno.ECONNREFUSED if number in (errno.EAGAIN, errno.ENOTSOCK) else number

    def _limit_connect(self, destination: Any) -> None:
        """Nothing takes time here."""

    def _start_over(self) -> None:
        """A refusal changes nothing: the host lets the socket listen or connect as before."""

    # Ending: nothing is ever on its way, and nothing can reset

    def _reset_for_unwanted_data(self) -> None:
        """shutdown(SD_RECEIVE) does nothing to the transport; only for TCP it resets a connection with data."""

    def _linger_time(self) -> int:
        return 0
