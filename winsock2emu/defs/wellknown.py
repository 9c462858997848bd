r"""Services and protocols that every Windows machine knows by name.

Part played:     the files ``services`` and ``protocol`` of %WINDIR%\system32\drivers\etc.
Lives here:      the names, numbers and aliases, and finding a row.
Lives elsewhere: services that only this machine knows (providers/host/names), the calls (ws2_32.names).
Rows:            ``name/port/protocols aliases``; of several rows that fit the first one counts, and of a row with two
                 protocols the first. Upper and lower case are the same, as on Windows.
Sources:         IANA's registries of service names, port numbers and protocol numbers; the behaviours protoname-* and
                 serv-* of the project's reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .records import ProtoEnt, ServEnt

_SERVICES: Final = """
echo/7/tcp,udp                  | discard/9/tcp,udp sink null     | systat/11/tcp,udp users
daytime/13/tcp,udp              | qotd/17/tcp,udp quote           | chargen/19/tcp,udp ttytst source
ftp-data/20/tcp                 | ftp/21/tcp                      | ssh/22/tcp
telnet/23/tcp                   | smtp/25/tcp mail                | time/37/tcp,udp timserver
rlp/39/udp resource             | nameserver/42/tcp,udp name      | nicname/43/tcp whois
domain/53/tcp,udp               | bootps/67/udp dhcps             | bootpc/68/udp dhcpc
tftp/69/udp                     | gopher/70/tcp                   | finger/79/tcp
http/80/tcp www www-http        | hosts2-ns/81/tcp,udp            | kerberos/88/tcp,udp krb5 kerberos-sec
hostname/101/tcp hostnames      | iso-tsap/102/tcp                | rtelnet/107/tcp
pop2/109/tcp postoffice         | pop3/110/tcp                    | sunrpc/111/tcp,udp rpcbind portmap
auth/113/tcp ident tap          | uucp-path/117/tcp               | nntp/119/tcp usenet
ntp/123/udp                     | epmap/135/tcp,udp loc-srv       | netbios-ns/137/tcp,udp nbname
netbios-dgm/138/udp nbdatagram  | netbios-ssn/139/tcp nbsession   | imap/143/tcp imap4
snmp/161/udp                    | snmptrap/162/udp snmp-trap      | print-srv/170/tcp
bgp/179/tcp                     | irc/194/tcp                     | ldap/389/tcp
https/443/tcp,udp               | microsoft-ds/445/tcp,udp        | kpasswd/464/tcp,udp
isakmp/500/udp ike              | exec/512/tcp                    | biff/512/udp comsat
login/513/tcp                   | who/513/udp whod                | cmd/514/tcp shell
syslog/514/udp                  | printer/515/tcp                 | talk/517/udp
ntalk/518/udp                   | efs/520/tcp                     | router/520/udp route routed
timed/525/udp timeserver        | tempo/526/tcp newdate           | courier/530/tcp rpc
conference/531/tcp chat         | netnews/532/tcp readnews        | netwall/533/udp
uucp/540/tcp uucpd              | klogin/543/tcp                  | kshell/544/tcp krcmd
dhcpv6-client/546/tcp,udp       | dhcpv6-server/547/tcp,udp       | rtsp/554/tcp,udp
nntps/563/tcp,udp snntp         | submission/587/tcp              | ldaps/636/tcp,udp sldap
kerberos-adm/749/tcp,udp        | ftps-data/989/tcp,udp           | ftps/990/tcp,udp
telnets/992/tcp,udp             | imaps/993/tcp                   | pop3s/995/tcp spop3
kpop/1109/tcp                   | ms-sql-s/1433/tcp,udp           | ms-sql-m/1434/tcp,udp
wins/1512/tcp,udp               | ingreslock/1524/tcp ingres      | l2tp/1701/udp
pptp/1723/tcp                   | radius/1812/udp                 | radacct/1813/udp
nfsd/2049/tcp,udp nfs           | ms-wbt-server/3389/tcp,udp      | llmnr/5355/tcp,udp
wsd/5357/tcp                    | wsman/5985/tcp                  | wsmans/5986/tcp
"""

_PROTOCOLS: Final = """
0 ip IP             | 1 icmp ICMP               | 3 ggp GGP                   | 6 tcp TCP
8 egp EGP           | 12 pup PUP                | 17 udp UDP                  | 20 hmp HMP
22 xns-idp XNS-IDP  | 27 rdp RDP                | 41 ipv6 IPv6                | 43 ipv6-route IPv6-Route
44 ipv6-frag IPv6-Frag | 50 esp ESP             | 51 ah AH                    | 58 ipv6-icmp IPv6-ICMP
59 ipv6-nonxt IPv6-NoNxt | 60 ipv6-opts IPv6-Opts | 66 rvd RVD
"""


def _services() -> Iterator[ServEnt]:
    for row in _SERVICES.replace("\n", "|").split("|"):
        if row.strip():
            service, *aliases = row.split()
            name, number, protocols = service.split("/")
            port = int.from_bytes(int(number).to_bytes(2, "big"), "little")
            for proto in protocols.split(","):
                yield ServEnt(name=name, aliases=tuple(aliases), port=port, proto=proto)


def _protocols() -> Iterator[ProtoEnt]:
    for row in _PROTOCOLS.replace("\n", "|").split("|"):
        if row.strip():
            number, name, *aliases = row.split()
            yield ProtoEnt(name=name, aliases=tuple(aliases), proto=int(number))


SERVICES: Final = tuple(_services())
PROTOCOLS: Final = tuple(_protocols())


def _is_called(row: ServEnt | ProtoEnt, name: str) -> bool:
    return name.lower() in (known.lower() for known in (row.name, *row.aliases))


def service_called(name: str, proto: str | None) -> ServEnt | None:
    """The first service of this name or alias; ``proto`` None for whichever protocol."""
    return next((row for row in SERVICES if _is_called(row, name) and _speaks(row, proto)), None)


def service_at(port: int, proto: str | None) -> ServEnt | None:
    """The first service at this port, which is in network byte order."""
    return next((row for row in SERVICES if row.port == port and _speaks(row, proto)), None)


def _speaks(row: ServEnt, proto: str | None) -> bool:
    return proto is None or row.proto == proto.lower()


def protocol_called(name: str) -> ProtoEnt | None:
    """The protocol of this name or alias."""
    return next((row for row in PROTOCOLS if _is_called(row, name)), None)


def protocol_numbered(number: int) -> ProtoEnt | None:
    """The protocol of this number."""
    return next((row for row in PROTOCOLS if row.proto == number), None)
