"""The Winsock API under Microsoft's names: one module per chapter, no state.

Out-parameters are returned, a failure raises `WinsockError` and becomes the thread's last error, None where C has a
required pointer is WSAEFAULT, a wrong Python type is TypeError. Addresses are bytes in Windows' memory layout;
`SockAddr` gives their fields names, and `sockaddr_in`, `sockaddr_in6`, `sockaddr_un` make them.

    from winsock2emu.ws2_32 import *

    WSAStartup(0x0202)
    s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    connect(s, sockaddr_in("127.0.0.1", 7))
"""

from ..defs import codes, constants
from ..defs.constants import *  # noqa: F403 - the header's names, which a program expects beside the functions
from ..defs.records import AddrInfo, HostEnt, ProtocolInfo, ProtoEnt, ServEnt, WSAData
from ..defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6, sockaddr_un
from ..kernel.operations import OVERLAPPED, PENDING
from .addresses import (
    InetNtopW,
    InetPtonW,
    WSAAddressToString,
    WSAStringToAddress,
    inet_addr,
    inet_ntoa,
    inet_ntop,
    inet_pton,
)
from .asyncnames import (
    WSAGETASYNCBUFLEN,
    WSAGETASYNCERROR,
    LookupBuffer,
    WSAAsyncGetHostByAddr,
    WSAAsyncGetHostByName,
    WSAAsyncGetProtoByName,
    WSAAsyncGetProtoByNumber,
    WSAAsyncGetServByName,
    WSAAsyncGetServByPort,
    WSACancelAsyncRequest,
)
from .byteorder import WSAHtonl, WSAHtons, WSANtohl, WSANtohs, htonl, htons, ntohl, ntohs
from .connecting import WSAConnectByList, WSAConnectByName
from .events import WSACloseEvent, WSACreateEvent, WSAResetEvent, WSASetEvent, WSAWaitForMultipleEvents
from .lasterror import WSAGetLastError, WSASetLastError
from .lifecycle import (
    WSAAccept,
    WSAConnect,
    WSARecvDisconnect,
    WSASendDisconnect,
    WSASocket,
    accept,
    bind,
    closesocket,
    connect,
    getpeername,
    getsockname,
    listen,
    shutdown,
    socket,
)
from .names import (
    getaddrinfo,
    gethostbyname,
    gethostname,
    getnameinfo,
    getprotobyname,
    getprotobynumber,
    getservbyname,
    getservbyport,
)
from .netevents import (
    WSAGETSELECTERROR,
    WSAGETSELECTEVENT,
    WSAAsyncSelect,
    WSAEnumNetworkEvents,
    WSAEventSelect,
)
from .notifications import SOCK_NOTIFY_REGISTRATION, ProcessSocketNotifications, SocketNotificationRetrieveEvents
from .options import WSAIoctl, getsockopt, ioctlsocket, setsockopt
from .overlapped import WPUCompleteOverlappedRequest, WSAGetOverlappedResult
from .protocols import WSAEnumProtocols
from .sharing import WSADuplicateSocket
from .startup import WSACleanup, WSAStartup
from .transfer import WSARecv, WSARecvFrom, WSASend, WSASendMsg, WSASendTo, recv, recvfrom, send, sendto
from .waiting import WSAPoll, __WSAFDIsSet, select

__all__ = [
    "OVERLAPPED",
    "PENDING",
    "SOCK_NOTIFY_REGISTRATION",
    "WSAGETASYNCBUFLEN",
    "WSAGETASYNCERROR",
    "WSAGETSELECTERROR",
    "WSAGETSELECTEVENT",
    "AddrInfo",
    "HostEnt",
    "InetNtopW",
    "InetPtonW",
    "LookupBuffer",
    "ProcessSocketNotifications",
    "ProtoEnt",
    "ProtocolInfo",
    "ServEnt",
    "SockAddr",
    "SocketNotificationRetrieveEvents",
    "WPUCompleteOverlappedRequest",
    "WSAAccept",
    "WSAAddressToString",
    "WSAAsyncGetHostByAddr",
    "WSAAsyncGetHostByName",
    "WSAAsyncGetProtoByName",
    "WSAAsyncGetProtoByNumber",
    "WSAAsyncGetServByName",
    "WSAAsyncGetServByPort",
    "WSAAsyncSelect",
    "WSACancelAsyncRequest",
    "WSACleanup",
    "WSACloseEvent",
    "WSAConnect",
    "WSAConnectByList",
    "WSAConnectByName",
    "WSACreateEvent",
    "WSAData",
    "WSADuplicateSocket",
    "WSAEnumNetworkEvents",
    "WSAEnumProtocols",
    "WSAEventSelect",
    "WSAGetLastError",
    "WSAGetOverlappedResult",
    "WSAHtonl",
    "WSAHtons",
    "WSAIoctl",
    "WSANtohl",
    "WSANtohs",
    "WSAPoll",
    "WSARecv",
    "WSARecvDisconnect",
    "WSARecvFrom",
    "WSAResetEvent",
    "WSASend",
    "WSASendDisconnect",
    "WSASendMsg",
    "WSASendTo",
    "WSASetEvent",
    "WSASetLastError",
    "WSASocket",
    "WSAStartup",
    "WSAStringToAddress",
    "WSAWaitForMultipleEvents",
    "__WSAFDIsSet",
    "accept",
    "bind",
    "closesocket",
    "connect",
    "getaddrinfo",
    "gethostbyname",
    "gethostname",
    "getnameinfo",
    "getpeername",
    "getprotobyname",
    "getprotobynumber",
    "getservbyname",
    "getservbyport",
    "getsockname",
    "getsockopt",
    "htonl",
    "htons",
    "inet_addr",
    "inet_ntoa",
    "inet_ntop",
    "inet_pton",
    "ioctlsocket",
    "listen",
    "ntohl",
    "ntohs",
    "recv",
    "recvfrom",
    "select",
    "send",
    "sendto",
    "setsockopt",
    "shutdown",
    "sockaddr_in",
    "sockaddr_in6",
    "sockaddr_un",
    "socket",
]
# The header's names complete what a star import brings.
__all__ += [name for name in vars(constants) if name.isupper() and not name.startswith("_")]
__all__ += [name for name in vars(codes) if name.startswith("WSA")]
for _name in __all__:
    if _name.startswith("WSA") and _name not in globals():
        globals()[_name] = getattr(codes, _name)
