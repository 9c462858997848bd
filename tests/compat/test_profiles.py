"""Which names the socket module has, by version."""

from __future__ import annotations

import pytest

from winsock2emu.compat import _profiles, _socket


def test_names_came_with_versions_of_cpython() -> None:
    for name in ("AF_HYPERV", "IP_PKTINFO", "IP_ADD_SOURCE_MEMBERSHIP"):
        assert name not in _profiles.names((3, 11))
        assert name in _profiles.names((3, 12))
    assert _profiles.names((3, 12)) == _profiles.names((3, 13))
    assert "AF_UNIX" not in _profiles.names((3, 13))


@pytest.mark.parametrize(
    ("build", "there"),
    [
        (9600, set()),
        (14393, {"TCP_FASTOPEN"}),
        (15063, {"TCP_FASTOPEN", "TCP_KEEPCNT"}),
        (16299, {"TCP_FASTOPEN", "TCP_KEEPCNT", "TCP_KEEPIDLE", "TCP_KEEPINTVL"}),
    ],
)
def test_names_came_with_builds_of_windows(build: int, there: set[str]) -> None:
    """test_socket of CPython knows no other name that begins with TCP_."""
    names = {name for name in _profiles.names((3, 13), build) if name.startswith("TCP_")}
    assert names == {"TCP_MAXSEG", "TCP_NODELAY"} | there


def test_the_module_has_what_its_profile_says() -> None:
    module = _socket.module((3, 11), 9600)
    assert not hasattr(module, "TCP_KEEPIDLE")
    assert not hasattr(module, "socketpair")
    assert module.SocketType is module.socket
