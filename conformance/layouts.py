"""How records lie in the memory of 64-bit Windows: the driver's own small table.

Part played:     offsets and sizes, as far as the driver needs them; independent of winsock2emu's layouts.
Lives elsewhere: the measured reference of all layouts, against which tests/conformance compares this table.
Sources:         winsock2.h, ws2def.h, as compiled for x86-64.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen
class Layout:
    """One structure: (offset, size, signed) of integers and pointers, (offset, size) of text and arrays."""

    size: int
    fields: Mapping[str, tuple[int, int, bool]]
    blocks: Mapping[str, tuple[int, int]] = attrs.field(factory=dict)

    def pack(self, **values: int | bytes) -> bytes:
        """Return the structure's bytes; what is not given is zero."""
        data = bytearray(self.size)
        for name, value in values.items():
            if isinstance(value, int):
                offset, size, _ = self.fields[name]
                data[offset : offset + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
            else:
                offset, size = self.blocks[name]
                if len(value) > size:
                    raise ValueError(f"{name}: {len(value)} bytes into {size}")
                data[offset : offset + len(value)] = value
        return bytes(data)

    def number(self, data: bytes, name: str, at: int = 0) -> int:
        """Return one integer of the structure that starts at ``at`` in ``data``."""
        offset, size, signed = self.fields[name]
        return int.from_bytes(data[at + offset : at + offset + size], "little", signed=signed)

    def block(self, data: bytes, name: str, at: int = 0) -> bytes:
        """Return one block of the structure that starts at ``at`` in ``data``."""
        offset, size = self.blocks[name]
        return bytes(data[at + offset : at + offset + size])


def _u(offset: int, size: int) -> tuple[int, int, bool]:
    return offset, size, False


def _s(offset: int, size: int) -> tuple[int, int, bool]:
    return offset, size, True


_PROTOCOL_INFO = {
    "dwServiceFlags1": _u(0, 4),
    "dwServiceFlags2": _u(4, 4),
    "dwServiceFlags3": _u(8, 4),
    "dwServiceFlags4": _u(12, 4),
    "dwProviderFlags": _u(16, 4),
    "dwCatalogEntryId": _u(36, 4),
    "ProtocolChain.ChainLen": _s(40, 4),
    "iVersion": _s(72, 4),
    "iAddressFamily": _s(76, 4),
    "iMaxSockAddr": _s(80, 4),
    "iMinSockAddr": _s(84, 4),
    "iSocketType": _s(88, 4),
    "iProtocol": _s(92, 4),
    "iProtocolMaxOffset": _s(96, 4),
    "iNetworkByteOrder": _s(100, 4),
    "iSecurityScheme": _s(104, 4),
    "dwMessageSize": _u(108, 4),
    "dwProviderReserved": _u(112, 4),
}
_PROTOCOL_BLOCKS = {"ProviderId": (20, 16), "ProtocolChain.ChainEntries": (44, 28)}
_ADDRINFO = {
    "ai_flags": _s(0, 4),
    "ai_family": _s(4, 4),
    "ai_socktype": _s(8, 4),
    "ai_protocol": _s(12, 4),
    "ai_addrlen": _u(16, 8),
    "ai_canonname": _u(24, 8),
    "ai_addr": _u(32, 8),
    "ai_next": _u(40, 8),
}

LAYOUTS: Mapping[str, Layout] = {
    "WSADATA": Layout(
        408,
        {
            "wVersion": _u(0, 2),
            "wHighVersion": _u(2, 2),
            "iMaxSockets": _u(4, 2),
            "iMaxUdpDg": _u(6, 2),
            "lpVendorInfo": _u(8, 8),
        },
        {"szDescription": (16, 257), "szSystemStatus": (273, 129)},
    ),
    "WSABUF": Layout(16, {"len": _u(0, 4), "buf": _u(8, 8)}),
    "WSAMSG": Layout(
        56,
        {
            "name": _u(0, 8),
            "namelen": _s(8, 4),
            "lpBuffers": _u(16, 8),
            "dwBufferCount": _u(24, 4),
            "dwFlags": _u(48, 4),
        },
        {"Control": (32, 16)},
    ),
    "WSAPOLLFD": Layout(16, {"fd": _u(0, 8), "events": _s(8, 2), "revents": _s(10, 2)}),
    "timeval": Layout(8, {"tv_sec": _s(0, 4), "tv_usec": _s(4, 4)}),
    "fd_set": Layout(520, {"fd_count": _u(0, 4)}, {"fd_array": (8, 512)}),
    "servent": Layout(
        32,
        {
            "s_name": _u(0, 8),
            "s_aliases": _u(8, 8),
            "s_proto": _u(16, 8),
            "s_port": _s(24, 2),
        },
    ),
    "protoent": Layout(
        24,
        {
            "p_name": _u(0, 8),
            "p_aliases": _u(8, 8),
            "p_proto": _s(16, 2),
        },
    ),
    "hostent": Layout(
        32,
        {
            "h_name": _u(0, 8),
            "h_aliases": _u(8, 8),
            "h_addrtype": _s(16, 2),
            "h_length": _s(18, 2),
            "h_addr_list": _u(24, 8),
        },
    ),
    "addrinfo": Layout(48, _ADDRINFO),
    "addrinfoW": Layout(48, _ADDRINFO),
    "WSAPROTOCOL_INFOA": Layout(372, _PROTOCOL_INFO, {**_PROTOCOL_BLOCKS, "szProtocol": (116, 256)}),
    "WSAPROTOCOL_INFOW": Layout(628, _PROTOCOL_INFO, {**_PROTOCOL_BLOCKS, "szProtocol": (116, 512)}),
    "linger": Layout(4, {"l_onoff": _u(0, 2), "l_linger": _u(2, 2)}),
}
