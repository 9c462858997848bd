"""Handles and the host's descriptors: who inherits them, and what happens when none is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.loopback import connected_to, loopback, tcp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.constants import (
    AF_INET,
    AF_UNIX,
    IPPROTO_TCP,
    SOCK_DGRAM,
    SOCK_STREAM,
    WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED,
)

ROOT = Path(__file__).resolve().parents[3]

# ------------------------------------------------------------------------------------------------------ inheritance


def seen_by_a_child(*sockets: int) -> list[bool]:
    """Which of these descriptors a program that is started has, as the same sockets."""
    look = (
        "import json, os, sys\n"
        "def inode(number):\n"
        "    try:\n"
        "        return os.fstat(number).st_ino\n"
        "    except OSError:\n"
        "        return None\n"
        "print(json.dumps([inode(int(number)) for number in sys.argv[1:]]))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", look, *map(str, sockets)],
        capture_output=True,
        check=True,
        close_fds=False,
        encoding="utf-8",
        timeout=60,
    )
    return [found == os.fstat(s).st_ino for found, s in zip(json.loads(ended.stdout), sockets, strict=True)]


def asked_for(kind: int, flags: int) -> int:
    return api.WSASocket(AF_INET, kind, 0, None, 0, flags)


@pytest.mark.usefixtures("winsock")
def test_a_child_inherits_sockets_unless_they_are_made_otherwise() -> None:
    """R2.14, R10.25."""
    inherited = [tcp(), asked_for(SOCK_STREAM, 0), asked_for(SOCK_DGRAM, WSA_FLAG_OVERLAPPED)]
    kept = [asked_for(kind, WSA_FLAG_NO_HANDLE_INHERIT) for kind in (SOCK_STREAM, SOCK_DGRAM)]

    assert seen_by_a_child(*inherited, *kept) == [True, True, True, False, False]


@pytest.mark.usefixtures("winsock")
@pytest.mark.parametrize("flags", [WSA_FLAG_OVERLAPPED, WSA_FLAG_NO_HANDLE_INHERIT])
def test_an_accepted_socket_follows_the_listening_one(flags: int) -> None:
    """R2.14."""
    listening = api.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, None, 0, flags)
    api.bind(listening, loopback(AF_INET))
    api.listen(listening, 1)
    client, server = connected_to(listening)

    assert seen_by_a_child(client, server) == [True, flags == WSA_FLAG_OVERLAPPED]


@pytest.mark.usefixtures("winsock")
def test_what_the_emulator_has_opened_for_itself_is_not_inherited() -> None:
    """Only sockets that a program has asked for: no wake descriptor, no reactor."""
    before = {int(name) for name in os.listdir("/dev/fd") if os.path.exists(f"/dev/fd/{name}")}
    s = tcp()
    assert api.select([s], None, None, (0, 1000)) == ([], [], [])
    opened = {int(name) for name in os.listdir("/dev/fd") if os.path.exists(f"/dev/fd/{name}")} - before - {s}

    assert [number for number in opened if os.get_inheritable(number)] == []


# ------------------------------------------------------------------------------------- when no descriptor is left


def in_a_small_process(body: str) -> Any:
    """Run statements in a process with few descriptors, all of them taken; what they put into ``seen``.

    ``listening``, ``client`` and ``datagrams`` were made before, ``taken`` are the sockets that took the rest.
    """
    program = (
        "import gc, json, os, resource, threading\n"
        "from winsock2emu import ws2_32 as api\n"
        "from winsock2emu.defs import constants as c\n"
        "from winsock2emu.errors import WinsockError\n"
        "def code_of(function, *args):\n"
        "    try:\n"
        "        function(*args)\n"
        "    except WinsockError as failure:\n"
        "        return failure.winerror\n"
        "    return 0\n"
        "def open_now():\n"
        "    gc.collect()\n"
        "    return sorted(name for name in os.listdir('/dev/fd') if os.path.exists(f'/dev/fd/{name}'))\n"
        "seen = {}\n"
        "before = open_now()\n"
        "api.WSAStartup(0x0202)\n"
        "listening, client = (api.socket(c.AF_INET, c.SOCK_STREAM, 0) for _ in range(2))\n"
        "api.bind(listening, api.sockaddr_in('127.0.0.1', 0))\n"
        "api.listen(listening, 5)\n"
        "datagrams = api.socket(c.AF_INET, c.SOCK_DGRAM, 0)\n"
        "api.bind(datagrams, api.sockaddr_in('127.0.0.1', 0))\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (48, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))\n"
        "taken = []\n"
        "while not code_of(lambda: taken.append(api.socket(c.AF_INET, c.SOCK_STREAM, 0))):\n"
        "    pass\n"
        f"{body}"
        "api.WSACleanup()\n"
        "seen['left'] = len(open_now()) - len(before)\n"
        "print(json.dumps(seen))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))},
        timeout=60,
    )
    assert ended.stderr == ""
    return json.loads(ended.stdout)


has_dev_fd = pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="the host does not show its descriptors")

WSAEWOULDBLOCK, WSAEMFILE, WSAENOBUFS = 10035, 10024, 10055


@has_dev_fd
def test_every_kind_of_socket_says_that_there_are_too_many() -> None:
    seen = in_a_small_process(
        "kinds = [(c.AF_INET, c.SOCK_STREAM), (c.AF_INET, c.SOCK_DGRAM), (c.AF_UNIX, c.SOCK_STREAM)]\n"
        "seen['codes'] = [code_of(api.socket, *kind, 0) for kind in kinds]\n"
        "info = api.WSADuplicateSocket(datagrams, os.getpid())\n"
        "seen['codes'].append(code_of(api.WSASocket, -1, -1, -1, info, 0, 1))\n"
        "seen['open'] = len(taken) == len(set(taken)) > 30\n"
        "api.closesocket(taken.pop())\n"
        "seen['shared'] = code_of(api.WSASocket, -1, -1, -1, info, 0, 1)\n"
    )
    assert seen == {"codes": [WSAEMFILE] * 4, "open": True, "shared": 0, "left": 0}


@has_dev_fd
def test_an_accept_fails_only_when_somebody_calls_and_loses_nobody() -> None:
    """Linux complains about descriptors before it looks for a caller."""
    seen = in_a_small_process(
        "api.ioctlsocket(listening, c.FIONBIO, 1)\n"
        "seen['nobody'] = code_of(api.accept, listening)\n"
        "api.connect(client, api.getsockname(listening))\n"
        "seen['somebody'] = [code_of(api.accept, listening) for _ in range(3)]\n"
        "api.closesocket(taken.pop())\n"
        "server, peer = api.accept(listening)\n"
        "seen['same'] = peer == api.getsockname(client)\n"
        "api.send(client, b'x')\n"
        "seen['received'] = api.recv(server, bytearray(9))\n"
    )
    assert seen == {
        "nobody": WSAEWOULDBLOCK,
        "somebody": [WSAEMFILE] * 3,
        "same": True,
        "received": 1,
        "left": 0,
    }


@has_dev_fd
def test_what_needs_no_descriptor_goes_on_and_what_has_to_wait_says_so() -> None:
    """A thread that has never waited needs one to sleep with."""
    seen = in_a_small_process(
        "name = api.getsockname(datagrams)\n"
        "seen['sent'] = api.sendto(datagrams, b'to myself', 0, name)\n"
        "seen['received'] = api.recv(datagrams, bytearray(9))\n"
        "api.ioctlsocket(datagrams, c.FIONBIO, 1)\n"
        "seen['empty'] = code_of(api.recv, datagrams, bytearray(9))\n"
        "api.ioctlsocket(datagrams, c.FIONBIO, 0)\n"
        "waits = lambda: [code_of(api.recv, datagrams, bytearray(9)),\n"
        "                 code_of(api.select, [datagrams], None, None, (0, 1000))]\n"
        "seen['waits'] = waits()\n"
        "other = threading.Thread(target=lambda: seen.update(thread=waits()))\n"
        "other.start()\n"
        "other.join()\n"
        "api.closesocket(taken.pop())\n"
        "seen['again'] = code_of(api.select, [datagrams], None, None, (0, 1000))\n"
    )
    assert seen == {
        "sent": 9,
        "received": 9,
        "empty": WSAEWOULDBLOCK,
        "waits": [WSAENOBUFS, WSAENOBUFS],
        "thread": [WSAENOBUFS, WSAENOBUFS],
        "again": 0,
        "left": 1,  # what the thread has waited with it keeps
    }


# ------------------------------------------------------------------------------------------- kinds of sockets


@pytest.mark.usefixtures("winsock")
@pytest.mark.parametrize(
    "make",
    [lambda: api.socket(AF_UNIX, SOCK_STREAM, 0), lambda: api.socket(AF_INET, SOCK_STREAM, 0)],
    ids=["AF_UNIX", "AF_INET"],
)
def test_a_handle_is_the_descriptor_of_a_host_socket_that_never_blocks(make: Callable[[], int]) -> None:
    s = make()
    assert not os.get_blocking(s)
    api.closesocket(s)
    with pytest.raises(OSError, match=r"[Bb]ad file descriptor"):
        os.fstat(s)
