"""The other end of a connection, in a process of its own and on the host's plain sockets.

Run as a script with the standard library only. A child inherits the CPU its parent is pinned to, prints the port it
listens on, serves one connection and ends with it; an alarm ends it should the parent have died.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIFE_S = 120
ROOM = 1 << 20
HEAD = 8  # bytes that announce how much follows


def echo(connection: socket.socket) -> None:
    """Send back whatever comes."""
    buffer = bytearray(65536)
    view = memoryview(buffer)
    while count := connection.recv_into(buffer):
        connection.sendall(view[:count])


def drain(connection: socket.socket) -> None:
    """Take as many bytes as the first eight announce, say one byte, and start again."""
    buffer = bytearray(1 << 20)
    head = memoryview(bytearray(HEAD))
    while connection.recv_into(head, HEAD, socket.MSG_WAITALL) == HEAD:
        left = int.from_bytes(head, "little")
        while left:
            count = connection.recv_into(buffer, min(left, len(buffer)))
            if not count:
                return
            left -= count
        connection.sendall(b".")


SERVICES = {"echo": echo, "drain": drain}


def serve(service: str) -> None:
    """The child: one connection, from beginning to end."""
    signal.alarm(LIFE_S)
    if hasattr(os, "SCHED_BATCH"):
        # A batch process does not push its waker off the CPU: it runs when the parent sleeps, not before.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if service == "drain":
            # Sizes that the host does not change meanwhile: otherwise two connections differ by a factor of two.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            SERVICES[service](connection)
        except ConnectionResetError:
            return  # the parent closed hard; that ends the service as well


@contextmanager
def peer(service: str) -> Iterator[int]:
    """The port of a new child; it is gone at the end of the block."""
    command = [sys.executable, "-I", str(Path(__file__).resolve()), service]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            port = child.stdout.readline()
            if not port:
                raise RuntimeError(f"the peer {service!r} has ended")
            yield int(port)
        finally:
            child.kill()


if __name__ == "__main__":
    serve(sys.argv[1])
