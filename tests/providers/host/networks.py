"""A network that a test makes up, in the place of the host's."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from winsock2emu.defs.constants import AF_INET, IFF_BROADCAST, IFF_LOOPBACK, IFF_MULTICAST, IFF_UP
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from winsock2emu.engine.pump import READABLE
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.waits import WakeDescriptor
from winsock2emu.process import Process
from winsock2emu.providers.host.interfaces import HostNetwork, InterfaceAddress

ETHERNET = IFF_UP | IFF_BROADCAST | IFF_MULTICAST
LOOPBACK = IFF_UP | IFF_LOOPBACK | IFF_MULTICAST


def row(host: str, flags: int = ETHERNET, *, preferred: bool = True, index: int = 2) -> InterfaceAddress:
    """An address of an interface, IPv4 in a network of 24 bits, IPv6 of 64."""
    if ":" in host:
        address = sockaddr_in6(host, scope_id=index if host.startswith("fe80") else 0)
        netmask = sockaddr_in6("ffff:ffff:ffff:ffff::")
        broadcast = None
    else:
        address, netmask = sockaddr_in(host), sockaddr_in("255.255.255.0")
        broadcast = sockaddr_in(address.packed[:3] + b"\xff") if flags & IFF_BROADCAST else None
    return InterfaceAddress(
        name=f"if{index}",
        index=index,
        flags=flags,
        address=address,
        netmask=netmask,
        broadcast=broadcast,
        preferred=preferred,
    )


class MadeUpNews:
    """News that a test tells."""

    mask = READABLE

    def __init__(self) -> None:
        self._wake = WakeDescriptor()
        self.fileno = self._wake.fileno
        self.news = 0
        self.looks = 0  # how often somebody came to look
        self.closed = False

    def tell(self) -> None:
        self.news += 1
        self._wake.signal()

    def clear(self) -> None:
        self._wake.clear()
        self.looks += 1

    def close(self) -> None:
        self.closed = True
        self._wake.close()


class MadeUpNetwork(HostNetwork):
    """Interfaces, ways to destinations and news, all as the test says."""

    def __init__(self, *rows: InterfaceAddress) -> None:
        self.rows = list(rows)
        self.ways: dict[str, SockAddr | int] = {}  # destination to local address, or to the code that says why not
        self.sources: list[MadeUpNews] = []

    def interfaces(self) -> list[InterfaceAddress]:
        return list(self.rows)

    def source_for(self, destination: SockAddr) -> SockAddr:
        way = self.ways[destination.host]
        if isinstance(way, int):
            raise WinsockError(way)
        return way

    def changes(self) -> MadeUpNews:
        self.sources.append(MadeUpNews())
        return self.sources[-1]

    def tell(self) -> None:
        """News arrives at everybody who waits for some."""
        for source in self.sources:
            if not source.closed:
                source.tell()

    @property
    def open_sources(self) -> int:
        return sum(not source.closed for source in self.sources)


def provider_of(process: Process, family: int = AF_INET) -> Any:
    """The host provider of a process, as the object it is."""
    entry = process.catalog.by_family(family)
    assert entry is not None
    return process.provider(entry).provider


def made_up(process: Process, *rows: InterfaceAddress) -> MadeUpNetwork:
    """Give the process a network with these addresses."""
    network = MadeUpNetwork(*rows)
    provider_of(process).network = network
    return network


def in_own_network(script: str) -> str:
    """Run Python in a network namespace of its own, as its root; what it printed. Skips where that is not allowed.

    There is one interface, the loopback, and it is down.
    """
    own = [shutil.which("unshare") or "", "--user", "--map-root-user", "--net"]
    allowed = sys.platform == "linux" and own[0] and not subprocess.run([*own, "true"], check=False).returncode
    if not allowed:
        pytest.skip("no network namespaces here")
    ran = subprocess.run(
        [*own, sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert not ran.returncode, ran.stderr
    return ran.stdout
