"""Destination address selection: the examples of RFC 6724 and what the control code adds."""

from __future__ import annotations

import pytest

from tests.providers.host.networks import row
from winsock2emu.defs.codes import WSAENETUNREACH
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from winsock2emu.errors import WinsockError
from winsock2emu.providers.host.destinations import best_first, common_bits

Ways = dict[str, str | None]


def ordered(ways: Ways, *rows: tuple[str, bool]) -> list[str]:
    """The destinations of ``ways`` (destination to the local address for it), the best one first.

    ``rows``: (address, preferred) of the host.
    """

    def source_for(destination: SockAddr) -> SockAddr:
        local = ways[destination.host]
        if local is None:
            raise WinsockError(WSAENETUNREACH)
        return sockaddr_in6(local) if ":" in local else sockaddr_in(local)

    given = [sockaddr_in6(host if ":" in host else f"::ffff:{host}") for host in ways]
    interfaces = [row(host, preferred=preferred) for host, preferred in rows]
    return [address.host.removeprefix("::ffff:") for address in best_first(given, source_for, interfaces)]


@pytest.mark.parametrize(
    "ways",
    [
        pytest.param({"2001:db8:1::1": "2001:db8:1::2", "198.51.100.121": "169.254.13.78"}, id="matching scope"),
        pytest.param({"198.51.100.121": "198.51.100.117", "2001:db8:1::1": "fe80::1"}, id="matching scope, IPv4"),
        pytest.param({"2001:db8:1::1": "2001:db8:1::2", "10.1.2.3": "10.1.2.4"}, id="higher precedence"),
        pytest.param({"fe80::1": "fe80::2", "2001:db8:1::1": "2001:db8:1::2"}, id="smaller scope"),
        pytest.param({"2001:db8:1::1": "2001:db8:1::2", "2001:db8:3ffe::1": "2001:db8:3f44::2"}, id="longest prefix"),
        pytest.param({"2002:c633:6401::1": "2002:c633:6401::2", "2001:db8:1::1": "fe80::2"}, id="matching scope, 6to4"),
        pytest.param({"2002:c633:6401::1": "2002:c633:6401::2", "2001:db8:1::1": "2002:c633:6401::2"}, id="label"),
        pytest.param({"2001:db8:1::1": "2001:db8:1::2", "2002:c633:6401::1": "2002:c633:6401::2"}, id="precedence"),
        pytest.param({"fc01::1": "fc01::2", "2001:db8:1::1": "fc01::2"}, id="unique local with its own label"),
    ],
)
def test_the_better_destination_comes_first(ways: Ways) -> None:
    """Section 10.2 of the RFC and its like: the better one stands first, whichever order they are given in."""
    assert ordered(ways) == list(ways)
    assert ordered(dict(reversed(ways.items()))) == list(ways)


def test_what_cannot_be_reached_comes_last() -> None:
    """Rule 1, and they stay in the list."""
    assert ordered({"2001:db8::1": None, "10.1.2.3": "10.1.2.4"}) == ["10.1.2.3", "2001:db8::1"]


def test_a_local_address_that_is_not_preferred_is_worse() -> None:
    """Rule 3."""
    ways: Ways = {"2001:db8:1::1": "2001:db8:1::2", "2001:db8:2::1": "2001:db8:2::2"}

    assert ordered(ways, ("2001:db8:1::2", False), ("2001:db8:2::2", True)) == ["2001:db8:2::1", "2001:db8:1::1"]


def test_equals_keep_their_order() -> None:
    """Rule 10."""
    assert ordered({"10.0.0.9": "10.0.0.1", "10.0.0.3": "10.0.0.1"}) == ["10.0.0.9", "10.0.0.3"]
    assert ordered({"10.0.0.3": "10.0.0.1", "10.0.0.9": "10.0.0.1"}) == ["10.0.0.3", "10.0.0.9"]


def test_what_is_no_destination_is_left_out() -> None:
    """using-sio-address-list-sort: the count may be smaller, and site-local addresses get a scope or go."""
    ways: Ways = {"::": "2001:db8::2", "fec0::1": "fec0::2", "2001:db8::1": "2001:db8::2"}

    assert ordered(ways) == ["2001:db8::1"]


def test_link_local_destinations_get_the_scope_of_the_interface() -> None:
    destinations = [sockaddr_in6("fe80::9", 80, 5), sockaddr_in6("fe80::9", 80, scope_id=7)]

    ranked = best_first(destinations, lambda destination: sockaddr_in6("fe80::1"), [row("fe80::1", index=4)])

    assert ranked == [sockaddr_in6("fe80::9", 80, 5, scope_id=4), sockaddr_in6("fe80::9", 80, scope_id=7)]


@pytest.mark.parametrize(
    ("one", "other", "bits"),
    [("::", "::", 128), ("8000::", "::", 0), ("2001:db8::", "2001:db9::", 31), ("::1", "::", 127)],
)
def test_common_bits(one: str, other: str, bits: int) -> None:
    assert common_bits(sockaddr_in6(one).packed, sockaddr_in6(other).packed) == bits
