"""An echo server and its clients on asyncio and socket, as anybody writes them, and what Windows makes of it.

The loop is the one that asyncio.run takes by itself: the proactor's.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import sys
from collections.abc import Awaitable
from typing import Any

CLIENTS, MESSAGES = 100, 10
WSAECONNREFUSED, WSAEADDRINUSE, WSAEWOULDBLOCK = 10061, 10048, 10035
ERROR_CONNECTION_REFUSED = 1225


class Broken(Exception):
    """Something is not as on Windows."""


def check(what: str, as_on_windows: bool) -> None:
    if not as_on_windows:
        raise Broken(what)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back line by line."""
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


async def client(number: int, address: tuple[str, int]) -> int:
    """Send lines and have them back; how many."""
    reader, writer = await asyncio.open_connection(*address)
    for message in range(MESSAGES):
        line = b"message %d of client %d\n" % (message, number)
        writer.write(line)
        check("a line has changed on its way", await reader.readline() == line)
    writer.close()
    await writer.wait_closed()
    return MESSAGES


async def failure(attempt: Awaitable[Any]) -> OSError:
    try:
        await attempt
    except OSError as error:
        return error
    raise Broken("nothing has failed where Windows fails")


async def read_from_a_peer_that_resets() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as plain:
        listener.setblocking(False)
        plain.setblocking(False)
        await loop.sock_connect(plain, listener.getsockname())
        accepted, _ = await loop.sock_accept(listener)
        # Two words of 16 bits, and no time to linger: closing resets the connection.
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("HH", 1, 0))
        accepted.close()
        await loop.sock_recv(plain, 10)


async def main() -> None:
    loop = asyncio.get_running_loop()
    check("the loop is another one", isinstance(loop, asyncio.ProactorEventLoop))

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    counts = await asyncio.gather(*(client(number, address) for number in range(CLIENTS)))
    print(f"{len(counts)} clients, {sum(counts)} messages, all came back")

    error: Any = await failure(read_from_a_peer_that_resets())
    check("a reset is another error", isinstance(error, ConnectionResetError))
    print(f"reset: {error.strerror}")

    error = await failure(asyncio.start_server(echo, *address))
    check("an address that is in use is another error", error.errno == WSAEADDRINUSE == errno.EADDRINUSE)
    print(f"in use: {error}")

    server.close()
    await server.wait_closed()
    error = await failure(asyncio.open_connection(*address))
    check("a refused connection is another error", isinstance(error, ConnectionRefusedError))
    check("its code is not the system's for requests", error.winerror == ERROR_CONNECTION_REFUSED)
    print(f"nobody listens, says the loop: {error}")

    with socket.socket() as plain:
        plain.settimeout(10)
        error = await asyncio.to_thread(plain.connect_ex, address)
        check("a socket's code is not Winsock's", error == WSAECONNREFUSED == errno.ECONNREFUSED)
        plain.setblocking(False)
        check("a call that would block has another code", plain.connect_ex(address) == WSAEWOULDBLOCK)
        print(f"nobody listens, says the socket: {error}")

    try:
        loop.add_reader(plain, print)
    except NotImplementedError:
        print("a proactor watches no sockets")
    print("all as on Windows")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except Broken as broken:
        sys.exit(f"not as on Windows: {broken}")
