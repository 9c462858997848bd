"""The host's numbers and addresses in Windows' terms, and back."""

from __future__ import annotations

import errno
import socket as host

import pytest

from tests.loopback import FAMILIES
from winsock2emu.defs import codes
from winsock2emu.defs.constants import AF_INET, AF_INET6, AF_UNIX, MSG_DONTROUTE, MSG_OOB, MSG_PEEK, MSG_WAITALL
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6, sockaddr_un
from winsock2emu.errors import WinsockError
from winsock2emu.providers.host import translate

# T16.1, without what the state of a socket decides (EPIPE, EDESTADDRREQ in sends, ECONNREFUSED of a datagram) and what
# never gets so far (EINTR).
ERRORS = {
    errno.EACCES: "WSAEACCES",
    errno.EPERM: "WSAEACCES",
    errno.EBADF: "WSAENOTSOCK",
    errno.EFAULT: "WSAEFAULT",
    errno.EINVAL: "WSAEINVAL",
    errno.EMFILE: "WSAEMFILE",
    errno.ENFILE: "WSAEMFILE",
    errno.EAGAIN: "WSAEWOULDBLOCK",
    errno.EWOULDBLOCK: "WSAEWOULDBLOCK",
    errno.EINPROGRESS: "WSAEWOULDBLOCK",
    errno.EALREADY: "WSAEALREADY",
    errno.ENOTSOCK: "WSAENOTSOCK",
    errno.EDESTADDRREQ: "WSAEDESTADDRREQ",
    errno.EMSGSIZE: "WSAEMSGSIZE",
    errno.EPROTOTYPE: "WSAEPROTOTYPE",
    errno.ENOPROTOOPT: "WSAENOPROTOOPT",
    errno.EPROTONOSUPPORT: "WSAEPROTONOSUPPORT",
    errno.ESOCKTNOSUPPORT: "WSAESOCKTNOSUPPORT",
    errno.EOPNOTSUPP: "WSAEOPNOTSUPP",
    errno.ENOTSUP: "WSAEOPNOTSUPP",
    errno.EPFNOSUPPORT: "WSAEPFNOSUPPORT",
    errno.EAFNOSUPPORT: "WSAEAFNOSUPPORT",
    errno.EADDRINUSE: "WSAEADDRINUSE",
    errno.EADDRNOTAVAIL: "WSAEADDRNOTAVAIL",
    errno.ENETDOWN: "WSAENETDOWN",
    errno.ENETUNREACH: "WSAENETUNREACH",
    errno.ENETRESET: "WSAENETRESET",
    errno.ECONNABORTED: "WSAECONNABORTED",
    errno.ECONNRESET: "WSAECONNRESET",
    errno.ENOBUFS: "WSAENOBUFS",
    errno.ENOMEM: "WSAENOBUFS",
    errno.EISCONN: "WSAEISCONN",
    errno.ENOTCONN: "WSAENOTCONN",
    errno.ESHUTDOWN: "WSAESHUTDOWN",
    errno.ETOOMANYREFS: "WSAETOOMANYREFS",
    errno.ETIMEDOUT: "WSAETIMEDOUT",
    errno.ECONNREFUSED: "WSAECONNREFUSED",
    errno.ELOOP: "WSAELOOP",
    errno.ENAMETOOLONG: "WSAENAMETOOLONG",
    errno.EHOSTDOWN: "WSAEHOSTDOWN",
    errno.EHOSTUNREACH: "WSAEHOSTUNREACH",
}

LOOK_UPS = {
    "EAI_NONAME": "WSAHOST_NOT_FOUND",
    "EAI_NODATA": "WSAHOST_NOT_FOUND",
    "EAI_AGAIN": "WSATRY_AGAIN",
    "EAI_FAIL": "WSANO_RECOVERY",
    "EAI_SERVICE": "WSATYPE_NOT_FOUND",
    "EAI_FAMILY": "WSAEAFNOSUPPORT",
    "EAI_ADDRFAMILY": "WSAHOST_NOT_FOUND",  # observed: gai-ipv6-brackets-family
    "EAI_SOCKTYPE": "WSAESOCKTNOSUPPORT",
    "EAI_BADFLAGS": "WSAEINVAL",
    "EAI_MEMORY": "WSA_NOT_ENOUGH_MEMORY",
}


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.__getitem__)
def test_an_errno_becomes_its_code(number: int) -> None:
    """T16.1, A79."""
    error = translate.from_host(OSError(number, "text of the host"))
    assert (type(error).__mro__.count(WinsockError), error.winerror) == (1, getattr(codes, ERRORS[number]))


@pytest.mark.parametrize("failure", [OSError(errno.EXDEV, ""), OSError(), OSError("AF_UNIX path too long")])
def test_any_other_failure_is_an_invalid_argument(failure: OSError) -> None:
    """Observed on Windows for status codes that the table does not list: wgor-unlisted-failure."""
    assert translate.from_host(failure).winerror == codes.WSAEINVAL


@pytest.mark.parametrize("name", LOOK_UPS)
def test_a_failed_look_up_becomes_its_code(name: str) -> None:
    """T16.1, R4.104."""
    if not hasattr(host, name):
        pytest.skip("a code that this host does not have")
    error = translate.from_resolver(host.gaierror(int(getattr(host, name)), "text"))
    assert error.winerror == getattr(codes, LOOK_UPS[name])


def test_the_older_look_ups_have_numbers_of_their_own() -> None:
    """netdb.h: 1 to 4. On some hosts these are EAI numbers as well, and mean something else there."""
    expected = [codes.WSAHOST_NOT_FOUND, codes.WSATRY_AGAIN, codes.WSANO_RECOVERY, codes.WSANO_DATA]
    assert [translate.from_resolver(host.herror(number, "")).winerror for number in (1, 2, 3, 4)] == expected


def test_flags_that_the_host_has() -> None:
    """A77."""
    assert translate.host_flags(0) == 0
    assert translate.host_flags(MSG_PEEK) == host.MSG_PEEK
    assert translate.host_flags(MSG_OOB | MSG_DONTROUTE) == host.MSG_OOB | host.MSG_DONTROUTE
    assert translate.host_flags(MSG_WAITALL) == 0  # waiting is not the host's business
    assert type(translate.host_flags(MSG_PEEK)) is int


@pytest.mark.parametrize(
    ("windows", "theirs"),
    [
        (sockaddr_in("127.0.0.1", 80), ("127.0.0.1", 80)),
        (sockaddr_in("255.255.255.255", 65535), ("255.255.255.255", 65535)),
        (sockaddr_in("0.0.0.0", 0), ("0.0.0.0", 0)),
        (sockaddr_in6("::1", 80), ("::1", 80, 0, 0)),
        (sockaddr_in6("fe80::1", 1, 5, 3), ("fe80::1", 1, 5, 3)),
        (sockaddr_in6("::ffff:1.2.3.4", 9), ("::ffff:1.2.3.4", 9, 0, 0)),
    ],
)
def test_addresses_both_ways(windows: SockAddr, theirs: tuple[object, ...]) -> None:
    """A78: again and again, remembered or not."""
    family = translate.HOST_FAMILY[windows.family]
    for _ in range(2):
        assert translate.host_address(windows) == theirs
        back = translate.windows_address(theirs, family)
        assert (back, type(back)) == (windows, SockAddr)


def test_a_scope_that_the_host_writes_into_the_text() -> None:
    assert translate.windows_address(("fe80::1%eth0", 1, 0, 3), translate.HOST_INET6) == sockaddr_in6(
        "fe80::1", 1, 0, 3
    )


def test_paths_of_local_sockets() -> None:
    """No name, and an abstract one of Linux, are no path."""
    for theirs, path in (("/tmp/s", "/tmp/s"), ("", ""), (b"\0abstract", ""), (None, "")):
        address = translate.windows_address(theirs, translate.HOST_UNIX)
        assert (address.family, address.path) == (AF_UNIX, path)
    assert translate.windows_address("/tmp/s", translate.HOST_UNIX).path == sockaddr_un("/tmp/s").path


def test_thousands_of_peers_are_no_leak() -> None:
    for port in range(1, 10_000):
        translate.windows_address(("127.0.0.1", port), translate.HOST_INET)
        translate.host_address(sockaddr_in("127.0.0.1", port))
    assert len(translate._from_host) <= 4096
    assert len(translate._to_host) <= 4096
    assert translate.windows_address(("127.0.0.1", 1), translate.HOST_INET) == sockaddr_in("127.0.0.1", 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_families_both_ways(family: int) -> None:
    """A77: AF_INET6 is 23 to a program."""
    assert translate.WINDOWS_FAMILY[translate.HOST_FAMILY[family]] == family
    assert translate.HOST_FAMILY[AF_INET] == host.AF_INET
    assert translate.HOST_FAMILY[AF_INET6] == host.AF_INET6
