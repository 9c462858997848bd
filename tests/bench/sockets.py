"""The sockets that the rows work with: the emulator's and the host's, made alike."""

from __future__ import annotations

import socket as host
from collections.abc import Iterator
from contextlib import contextmanager

from winsock2emu import ws2_32 as api
from winsock2emu.defs.constants import (
    AF_INET,
    IPPROTO_TCP,
    SO_RCVBUF,
    SO_SNDBUF,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
)
from winsock2emu.process import Process

LOOPBACK = "127.0.0.1"
ANY_PORT = api.sockaddr_in(LOOPBACK, 0)
HARD = b"\1\0\0\0"  # struct linger: on, 0 seconds
HOST_HARD = b"\1\0\0\0\0\0\0\0"


@contextmanager
def started() -> Iterator[None]:
    """An emulated process of its own, started; its sockets are closed at the end."""
    with Process().active():
        api.WSAStartup(0x0202)
        try:
            yield
        finally:
            api.WSACleanup()


def our_listener() -> int:
    s = api.socket(AF_INET, SOCK_STREAM, 0)
    api.bind(s, ANY_PORT)
    api.listen(s, 128)
    return s


def our_client(port: int, room: int = 0) -> int:
    """A connected emulated socket without Nagle's delay; ``room`` is the size of its buffers, 0 the default."""
    s = api.socket(AF_INET, SOCK_STREAM, 0)
    if room:
        api.setsockopt(s, SOL_SOCKET, SO_SNDBUF, room)
        api.setsockopt(s, SOL_SOCKET, SO_RCVBUF, room)
    api.connect(s, api.sockaddr_in(LOOPBACK, port))
    api.setsockopt(s, IPPROTO_TCP, TCP_NODELAY, 1)
    return s


def our_pair(room: int = 0) -> tuple[int, int]:
    """Both ends of an emulated TCP connection; `started` closes them."""
    listener = our_listener()
    if room:
        api.setsockopt(listener, SOL_SOCKET, SO_SNDBUF, room)
        api.setsockopt(listener, SOL_SOCKET, SO_RCVBUF, room)
    client = our_client(api.getsockname(listener).port, room)
    server, _ = api.accept(listener)
    api.setsockopt(server, IPPROTO_TCP, TCP_NODELAY, 1)
    api.closesocket(listener)
    return client, server


def our_udp() -> int:
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.bind(s, ANY_PORT)
    return s


def host_client(port: int, room: int = 0) -> host.socket:
    """As `our_client`, a blocking host socket."""
    s = host.socket(host.AF_INET, host.SOCK_STREAM)
    if room:
        s.setsockopt(host.SOL_SOCKET, host.SO_SNDBUF, room)
        s.setsockopt(host.SOL_SOCKET, host.SO_RCVBUF, room)
    s.connect((LOOPBACK, port))
    s.setsockopt(host.IPPROTO_TCP, host.TCP_NODELAY, 1)
    return s


@contextmanager
def host_pair(room: int = 0) -> Iterator[tuple[host.socket, host.socket]]:
    """Both ends of a TCP connection of blocking host sockets."""
    with host.create_server((LOOPBACK, 0)) as listener:
        if room:
            listener.setsockopt(host.SOL_SOCKET, host.SO_SNDBUF, room)
            listener.setsockopt(host.SOL_SOCKET, host.SO_RCVBUF, room)
        client = host_client(listener.getsockname()[1], room)
        server, _ = listener.accept()
    server.setsockopt(host.IPPROTO_TCP, host.TCP_NODELAY, 1)
    with client, server:
        yield client, server


@contextmanager
def host_udp() -> Iterator[host.socket]:
    with host.socket(host.AF_INET, host.SOCK_DGRAM) as s:
        s.bind((LOOPBACK, 0))
        yield s
