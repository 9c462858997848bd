"""Loading a provider: from the path in a catalog row to a checked procedure table.

Part played:     LoadLibrary, WSPStartup and the checks the DLL makes before it trusts a provider.
Lives here:      the path form, the version negotiation with a provider, the three load errors.
Lives elsewhere: when a provider is loaded and how long it stays (process).
Sources:         nf-ws2spi-wspstartup, windows-sockets-error-codes-2, nf-winsock2-wsasocketw.
"""

from __future__ import annotations

import importlib
import os
import re
from typing import Any

import attrs

from ..defs.codes import WSAEINVALIDPROCTABLE, WSAEINVALIDPROVIDER, WSAEPROVIDERFAILEDINIT
from ..defs.records import WSPData
from ..errors import WinsockError
from ..spi.transport import WSPProcTable
from ..spi.upcalls import Upcalls
from .protocols import CatalogEntry

SPI_VERSION = 0x0202


@attrs.frozen
class LoadedProvider:
    """A started provider with the table it returned."""

    path: str
    provider: Any
    table: WSPProcTable


def resolve(path: str) -> Any:
    """What a path "package.module:name" stands for; ``%VAR%`` parts are expanded as Windows does it.

    Raises:
        WinsockError: WSAEPROVIDERFAILEDINIT, no such module or name, or the module failed to import.
    """
    module_name, _, name = _expand(path).partition(":")
    try:
        return getattr(importlib.import_module(module_name), name)
    except Exception as failure:  # a provider's module is foreign code and may fail in any way
        raise WinsockError(WSAEPROVIDERFAILEDINIT) from failure


def _expand(path: str) -> str:
    """Replace each %NAME% by the environment variable, in whatever case; unknown names stay as they are."""
    return re.sub("%([^%]+)%", _variable, path)


def _variable(reference: re.Match[str]) -> str:
    name = reference[1]
    value = os.environ.get(name)
    if value is None:  # names have no case on Windows
        value = next((v for n, v in os.environ.items() if n.upper() == name.upper()), reference[0])
    return value


def load(entry: CatalogEntry, upcalls: Upcalls) -> LoadedProvider:
    """Make, start and check the provider of a row.

    Raises:
        WinsockError: WSAEPROVIDERFAILEDINIT, the module cannot be loaded or its WSPStartup fails;
            WSAEINVALIDPROVIDER, it negotiated a version that is not 2.2;
            WSAEINVALIDPROCTABLE, one of the 30 entries is missing. In the last two cases WSPCleanup was called.
    """
    factory = resolve(entry.provider_path)
    try:
        provider = factory()
        startup = provider.WSPStartup
        answer = startup(SPI_VERSION, entry.info, upcalls)
    except Exception as failure:  # foreign code again: whatever it raises, the provider has failed to initialise
        raise WinsockError(WSAEPROVIDERFAILEDINIT) from failure
    if not isinstance(answer, WSPData) or answer.version != SPI_VERSION:
        _clean_up(provider)
        raise WinsockError(WSAEINVALIDPROVIDER)
    table = WSPProcTable.of(provider)
    if table is None:
        _clean_up(provider)
        raise WinsockError(WSAEINVALIDPROCTABLE)
    return LoadedProvider(entry.provider_path, provider, table)


def _clean_up(provider: Any) -> None:
    """Undo the WSPStartup of a provider that was refused; its own failure adds nothing to that."""
    cleanup = getattr(provider, "WSPCleanup", None)
    if callable(cleanup):
        try:
            cleanup()
        except Exception:  # the caller reports why the provider was refused
            return
