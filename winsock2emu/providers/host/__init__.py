"""The host provider: Windows' TCP/IP on the sockets of the machine underneath (msafd, wshtcpip).

The only folder that touches host sockets. `HostProvider` is what the built-in catalog rows name.
"""

from .provider import HostProvider

__all__ = ["HostProvider"]
