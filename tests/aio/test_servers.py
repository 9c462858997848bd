"""Well-known servers and clients on the proactor loop, under load: nothing is lost, and the end is a clean one."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from winsock2emu import aio
from winsock2emu.process import Process

LOOPBACK = "127.0.0.1"
CONNECTIONS = 200
MESSAGES = 10


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process
        gc.collect()
        assert process.sockets() == []
        while process.startup_count:
            process.cleanup()


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine on a new proactor loop: neither the loop nor the interpreter may have a complaint."""
    complaints: list[Any] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await asyncio.wait_for(main(), 50)

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", ResourceWarning)
        with asyncio.Runner(loop_factory=aio.ProactorEventLoop) as runner:
            runner.run(watched())
        gc.collect()
    assert complaints == []
    assert [str(one.message) for one in warned] == []


def test_aiohttp_with_many_connections() -> None:
    aiohttp = pytest.importorskip("aiohttp")
    web = pytest.importorskip("aiohttp.web")

    async def answer(request: Any) -> Any:
        return web.Response(body=(await request.read())[::-1])

    async def main() -> None:
        application = web.Application()
        application.router.add_post("/", answer)
        served = web.AppRunner(application)
        await served.setup()
        site = web.TCPSite(served, LOOPBACK, 0, backlog=CONNECTIONS)
        await site.start()
        port = served.addresses[0][1]
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:

            async def client(number: int) -> int:
                right = 0
                for turn in range(MESSAGES):
                    body = b"%d %d " % (number, turn) * 100
                    async with session.post(f"http://{LOOPBACK}:{port}/", data=body) as response:
                        right += await response.read() == body[::-1]
                return right

            assert sum(await asyncio.gather(*map(client, range(CONNECTIONS)))) == CONNECTIONS * MESSAGES
        await served.cleanup()

    run(main)


def test_websockets_with_many_connections() -> None:
    connect = pytest.importorskip("websockets.asyncio.client").connect
    serve = pytest.importorskip("websockets.asyncio.server").serve

    async def echo(connection: Any) -> None:
        async for message in connection:
            await connection.send(message)

    async def main() -> None:
        async with serve(echo, LOOPBACK, 0, backlog=CONNECTIONS) as server:
            port = next(iter(server.sockets)).getsockname()[1]

            async def client(number: int) -> int:
                right = 0
                async with connect(f"ws://{LOOPBACK}:{port}", proxy=None, open_timeout=40) as connection:
                    for turn in range(MESSAGES):
                        message = f"{number} {turn} " * 100
                        await connection.send(message)
                        right += await connection.recv() == message
                return right

            assert sum(await asyncio.gather(*map(client, range(CONNECTIONS)))) == CONNECTIONS * MESSAGES

    run(main)
