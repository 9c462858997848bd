"""The package asyncio with Windows' names, in interpreters of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable

Prints = Callable[[str], list[str]]


def test_the_names_are_those_of_windows(prints: Prints) -> None:
    """windows_events has them in its __all__, and takes the place of unix_events."""
    assert prints(
        """
        import asyncio, winsock2emu
        winsock2emu.install()
        import asyncio.windows_events, asyncio.windows_utils
        from winsock2emu import aio
        names = asyncio.windows_events.__all__
        print(all(getattr(asyncio, name) is getattr(aio.windows_events, name) for name in names))
        print(set(names) <= set(asyncio.__all__), len(asyncio.__all__) == len(set(asyncio.__all__)))
        print(asyncio.ProactorEventLoop is aio.ProactorEventLoop, asyncio.IocpProactor is aio.IocpProactor)
        from asyncio import base_events, proactor_events
        print(issubclass(asyncio.ProactorEventLoop, proactor_events.BaseProactorEventLoop), end=" ")
        print(issubclass(asyncio.ProactorEventLoop, asyncio.BaseEventLoop), base_events.Server is asyncio.Server)
        gone = "SafeChildWatcher ThreadedChildWatcher open_unix_connection start_unix_server unix_events".split()
        print([name for name in gone if hasattr(asyncio, name) or name in asyncio.__all__])
        try:
            import asyncio.unix_events
        except ImportError as failure:
            print("no unix_events")
        """
    ) == ["True", "True True", "True True", "True True True", "[]", "no unix_events"]


def test_event_loop_is_a_name_of_3_13(prints: Prints) -> None:
    expected = "True" if sys.version_info >= (3, 13) else "False"

    assert prints(
        """
        import asyncio, winsock2emu
        winsock2emu.install()
        print(getattr(asyncio, "EventLoop", None) is asyncio.ProactorEventLoop)
        """
    ) == [expected]


def test_the_default_loop_is_the_emulated_proactor_and_then_the_hosts_again(prints: Prints) -> None:
    assert prints(
        """
        import asyncio, warnings, winsock2emu
        warnings.simplefilter("ignore", DeprecationWarning)
        async def kind():
            return type(asyncio.get_running_loop())
        policy = asyncio.get_event_loop_policy()
        before = asyncio.run(kind())
        winsock2emu.install()
        print(asyncio.run(kind()) is asyncio.ProactorEventLoop, type(asyncio.get_event_loop_policy()).__name__)
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
        print(asyncio.run(kind()) is asyncio.SelectorEventLoop)
        winsock2emu.uninstall()
        print(asyncio.run(kind()) == before, asyncio.get_event_loop_policy() is policy)
        """
    ) == ["True WindowsProactorEventLoopPolicy", "True", "True True"]


def test_its_sockets_are_windows_and_its_tls_contexts_are_the_programs(prints: Prints) -> None:
    """Only with one ssl module on both sides is a context of the program one that asyncio takes."""
    assert prints(
        """
        import asyncio, winsock2emu
        winsock2emu.install()
        import errno, socket, ssl
        async def main():
            async def serve(reader, writer):
                writer.write(b"hello")
                writer.close()
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            inner = server.sockets[0]._sock
            print(isinstance(inner, socket.socket), inner.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR))
            address = server.sockets[0].getsockname()
            try:
                await asyncio.start_server(serve, *address)
            except OSError as failure:
                print(failure.errno == errno.EADDRINUSE == 10048)
            reader, writer = await asyncio.open_connection(*address)
            print(await reader.read(), isinstance(writer.get_extra_info("socket")._sock, socket.socket))
            writer.close()
            await writer.wait_closed()
            server.close()
            await server.wait_closed()
            try:
                await asyncio.get_running_loop().start_tls(None, None, ssl.create_default_context())
            except TypeError as failure:  # it has got as far as the transport
                print(failure)
        asyncio.run(main())
        """
    ) == ["True 0", "True", "b'hello' True", "transport None is not supported by start_tls()"]


def test_a_selector_loop_works_without_sendmsg(prints: Prints) -> None:
    """asyncio decides at its import whether sockets have sendmsg; Windows' have not."""
    assert prints(
        """
        import asyncio, winsock2emu
        winsock2emu.install()
        async def main():
            async def serve(reader, writer):
                writer.write(await reader.readexactly(1_000_000))
                await writer.drain()
                writer.close()
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(bytes(500_000))
            writer.write(bytes(500_000))
            print(len(await reader.read()))
            writer.close()
            await writer.wait_closed()
            server.close()
            await server.wait_closed()
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(main())
        """
    ) == ["1000000"]
