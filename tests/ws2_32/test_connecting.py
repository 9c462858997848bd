"""WSAConnectByName and WSAConnectByList beyond the conformance cases: threads, providers, what is left behind."""

from __future__ import annotations

import pytest

from tests.concurrency import Call, until
from tests.loopback import blocked_in, code_of
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAECONNREFUSED, WSAEFAULT, WSAEINTR, WSAEINVAL, WSAEISCONN, WSAEOPNOTSUPP
from winsock2emu.defs.constants import AF_INET, SO_UPDATE_CONNECT_CONTEXT, SOCK_STREAM, SOL_SOCKET
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process
