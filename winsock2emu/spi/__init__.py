"""The service provider interface: what a transport supplies, and what it may ask of the DLL (ws2spi.h)."""

from ..defs.records import ProtocolInfo, WSPData
from ..defs.sockaddr import SockAddr
from .names import NameService
from .transport import PROC_TABLE, Received, TransportProvider, WSPProcTable
from .upcalls import UPCALL_TABLE, Upcalls

__all__ = [
    "PROC_TABLE",
    "UPCALL_TABLE",
    "NameService",
    "ProtocolInfo",
    "Received",
    "SockAddr",
    "TransportProvider",
    "Upcalls",
    "WSPData",
    "WSPProcTable",
]
