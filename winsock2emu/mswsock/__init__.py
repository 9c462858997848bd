"""Microsoft's extensions to Winsock under their own names: one module per chapter, no state.

Part played:     mswsock.dll and Mswsock.h.
Lives here:      the functions that programs find through SIO_GET_EXTENSION_FUNCTION_POINTER, each of which asks the
                 provider of the socket for its own; and the exports of the DLL.
Lives elsewhere: what they do (the providers), the pointers that C programs get for them (capi).
"""

from ..defs.controldata import (
    WSA_CMSG_DATA,
    WSA_CMSG_FIRSTHDR,
    WSA_CMSG_LEN,
    WSA_CMSG_NXTHDR,
    WSA_CMSG_SPACE,
    ControlMessage,
    control_data,
    control_messages,
)
from ..defs.records import ReceivedMessage, TransmitElement
from ..defs.registered import RIO_BUF, RIO_NOTIFICATION_COMPLETION, RIORESULT
from ..ws2_32.transfer import WSASendMsg
from .accepting import AcceptEx, GetAcceptExSockaddrs
from .connecting import ConnectEx, DisconnectEx
from .messages import WSARecvMsg
from .receiving import WSARecvEx
from .rio import (
    RIOCloseCompletionQueue,
    RIOCreateCompletionQueue,
    RIOCreateRequestQueue,
    RIODequeueCompletion,
    RIODeregisterBuffer,
    RIONotify,
    RIOReceive,
    RIOReceiveEx,
    RIORegisterBuffer,
    RIOResizeCompletionQueue,
    RIOResizeRequestQueue,
    RIOSend,
    RIOSendEx,
)
from .transmitting import TransmitFile, TransmitPackets

__all__ = [
    "RIORESULT",
    "RIO_BUF",
    "RIO_NOTIFICATION_COMPLETION",
    "WSA_CMSG_DATA",
    "WSA_CMSG_FIRSTHDR",
    "WSA_CMSG_LEN",
    "WSA_CMSG_NXTHDR",
    "WSA_CMSG_SPACE",
    "AcceptEx",
    "ConnectEx",
    "ControlMessage",
    "DisconnectEx",
    "GetAcceptExSockaddrs",
    "RIOCloseCompletionQueue",
    "RIOCreateCompletionQueue",
    "RIOCreateRequestQueue",
    "RIODequeueCompletion",
    "RIODeregisterBuffer",
    "RIONotify",
    "RIOReceive",
    "RIOReceiveEx",
    "RIORegisterBuffer",
    "RIOResizeCompletionQueue",
    "RIOResizeRequestQueue",
    "RIOSend",
    "RIOSendEx",
    "ReceivedMessage",
    "TransmitElement",
    "TransmitFile",
    "TransmitPackets",
    "WSARecvEx",
    "WSARecvMsg",
    "WSASendMsg",
    "control_data",
    "control_messages",
]
