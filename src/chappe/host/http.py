"""The one client for requests to addresses that customers chose: it connects to public addresses only."""

import asyncio
import base64
import os
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal
from chappe.model.outgoing import Answer, Outgoing

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

# IANA special-purpose address registries (RFC 6890 and what was registered since), multicast, class E.
# Written out because `is_global` of the standard library changes between patch releases of Python.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# RFC 4291, section 2.4: only 2000::/3 is handed out for global unicast; these are its exceptions.
_GLOBAL_UNICAST_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052, section 2.1

_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_HOST_NAME = re.compile(r"(?=.{1,254}\Z)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USERINFO = re.compile(r"//[^/?#]*@")
_ONLY_PRINTABLE_ASCII = re.compile(r"[\x21-\x7e]+")


def _reason(error: OSError) -> str:
    """Why, in the system's words for people: `connection refused`, without numbers and tuples."""
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


class TargetRefused(Refusal):
    """We do not send this request, now or later: the URL is malformed or leads to a forbidden address."""

    def __init__(self, detail: str) -> None:
        super().__init__(Fault.DESTINATION_FORBIDDEN, detail, "url")


class TargetFailed(CarrierError):
    """The request did not get an answer this time: name, connection, TLS, HTTP or time; worth another try.

    `detail` is a sentence for the owner of the URL; `code` holds the same for whoever logs carriers' errors.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, detail)
        self.detail = detail


def carried(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, NAT64 or 6to4."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def is_permitted(address: Address, allow: Sequence[Network] = ()) -> bool:
    """Whether a connection may be opened: the address is public, or lies in an allowed network.

    An IPv6 address that stands for an IPv4 address is as good as that one. Teredo is never public.
    """
    if any(address in network for network in allow if network.version == address.version):
        return True
    if embedded := carried(address):
        return is_permitted(embedded, allow)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return address in _GLOBAL_UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


def read_address(host: str) -> Address | None:
    """The address that a URL's host spells, None for a name.

    IPv4 is read as browsers and inet_aton do (URL standard, section 3.5): one to four parts in decimal,
    octal or hexadecimal, the last one filling the rest. Raises ValueError for a host that ends like an
    address and is none (`1.2.3.4.5`, `127.0.0.256`, `example.0x7f`).
    """
    if ":" in host:
        if "%" in host:
            raise ValueError("an IPv6 zone is not possible in a URL of a customer")
        return IPv6Address(host)
    parts = host.removesuffix(".").split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        raise ValueError(f"{host} is neither an address nor a name")
    numbers = [_read_part(part) for part in parts]
    room = 256 ** (5 - len(parts))
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= room:
        raise ValueError(f"a part of {host} is too large")
    head = sum(number << (24 - 8 * place) for place, number in enumerate(numbers[:-1]))
    return IPv4Address(head + numbers[-1])


def _read_part(part: str) -> int:
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    if len(part) > 1 and part.startswith("0"):
        return int(part, 8)
    return int(part)


async def resolve_by_system(name: str, port: int) -> list[str]:
    """All addresses of a name, by the resolver of the machine; raises OSError when it has none."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedClient:
    """Sends requests to customers' servers; implements the port `WebClient`.

    The guard: the name is resolved once for a connection, every address found is checked, and the
    connection is made to these very addresses (`Host` and TLS keep the name). A second check stands at
    the socket itself. Redirects are not followed: a 302 is an answer. Neither cookies nor proxies of
    the environment are used; compressed bodies are not asked for and not unpacked.

    `allow` are networks that are reachable although they are not public, `ports` the only ports that
    may be named (None: any), `body_limit` the bytes kept of an answer's body.
    """

    def __init__(
        self,
        *,
        allow: Sequence[Network] = (),
        connect_seconds: float = 5.0,
        total_seconds: float = 20.0,
        body_limit: int = 65536,
        ports: Collection[int] | None = None,
        resolve: Resolve = resolve_by_system,
        connections: int = 200,
        connections_per_host: int = 8,
    ) -> None:
        self._allow = tuple(allow)
        self._timeout = aiohttp.ClientTimeout(total=total_seconds, sock_connect=connect_seconds)
        self._total_seconds = total_seconds
        self._body_limit = body_limit
        self._ports = ports
        self._resolve = resolve
        self._connections = connections
        self._connections_per_host = connections_per_host
        self._session: aiohttp.ClientSession | None = None

    async def send(self, outgoing: Outgoing) -> Answer:
        """Send one request and return whatever the server answered, any status included.

        Header names of the answer are in lower case, repeated ones joined by ", ". Credentials in the
        URL go into an `Authorization: Basic` header unless the request brings its own (our choice).
        Raises TargetRefused (permanent) and TargetFailed (temporary), both with a text for people.
        """
        url, credentials = self._checked(outgoing.url)
        headers = dict(outgoing.headers)
        if credentials and "authorization" not in map(str.lower, headers):
            headers["Authorization"] = credentials
        target = f"{url.raw_host}:{url.port}"
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with self._opened().request(
                outgoing.method, url, headers=headers, data=outgoing.body or None, allow_redirects=False
            ) as response:
                body = await self._body(response)
        except aiohttp.ConnectionTimeoutError as error:
            raise TargetFailed(f"No connection to {target} in time") from error
        except TimeoutError as error:
            raise TargetFailed(f"{target} did not answer within {self._total_seconds:g} s") from error
        except aiohttp.ClientConnectorDNSError as error:
            raise TargetFailed(f"The name of {target} could not be resolved: {error.os_error}") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise TargetFailed(f"{target} has no valid certificate: {error.certificate_error}") from error
        except aiohttp.ClientSSLError as error:
            raise TargetFailed(f"No TLS connection with {target}: {error.os_error}") from error
        except aiohttp.ClientConnectorError as error:
            raise TargetFailed(f"No connection to {target}: {_reason(error.os_error)}") from error
        except ValueError as error:
            # Raised before anything is sent: a header value with a line break, a method that is none.
            raise TargetRefused(f"The request to {target} cannot be sent: {error}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise TargetFailed(f"{target} broke off the conversation: {error!r}") from error
        answered: dict[str, str] = {}
        for raw_name, raw_value in response.raw_headers:
            # RFC 9110, section 5.5: bytes over 127 are opaque; Latin-1 keeps each of them.
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            answered[name] = f"{answered[name]}, {value}" if name in answered else value
        return Answer(response.status, answered, body, round((loop.time() - started) * 1000))

    async def close(self) -> None:
        """Close the kept connections; the client opens new ones when it is used again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=_CheckingResolver(self._resolve, self._check),
                    use_dns_cache=False,
                    socket_factory=self._socket,
                    limit=self._connections,
                    limit_per_host=self._connections_per_host,
                ),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "Chappe", "Accept": "*/*", "Accept-Encoding": "identity"},
                skip_auto_headers=("Content-Type",),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def _checked(self, text: str) -> tuple[URL, str | None]:
        """The URL to request (no credentials in it, an address written plainly) and the credentials."""
        text = text.strip()
        shown = repr(_USERINFO.sub("//", text))
        if _CONTROL.search(text):
            raise TargetRefused(f"The URL {shown} holds a control character or line break; remove it")
        try:
            # A URL in ASCII goes out as it was written (`%E9` and `+` mean something to old receivers);
            # anything else is encoded as UTF-8.
            url = URL(text, encoded=bool(_ONLY_PRINTABLE_ASCII.fullmatch(text)))
            host = (url.raw_host or "").lower()
            address = read_address(host)
        except ValueError as error:
            raise TargetRefused(f"The URL {shown} is malformed: {error}") from error
        if url.scheme not in ("http", "https"):
            raise TargetRefused(f"The URL {shown} does not begin with http:// or https://")
        if address is None and not _HOST_NAME.fullmatch(host):
            raise TargetRefused(f"The URL {shown} is malformed: {host!r} is not a host name")
        if self._ports is not None and url.port not in self._ports:
            permitted = ", ".join(map(str, sorted(self._ports)))
            raise TargetRefused(f"The URL {shown} names port {url.port}; permitted are {permitted}")
        credentials = None
        if url.user or url.password:
            pair = f"{url.user or ''}:{url.password or ''}".encode()
            credentials = "Basic " + base64.b64encode(pair).decode()
        url = url.with_user(None)
        if address is not None:
            self._check(host, str(address))
            url = url.with_host(str(address))
        return url, credentials

    def _check(self, host: str, address: str) -> None:
        if not is_permitted(ip_address(address), self._allow):
            leads = "" if host == address else f", the address of {host},"
            raise TargetRefused(
                f"{address}{leads} is not a public address. If it may be called, add its network to the "
                f'setting [outgoing] allow, for example allow = ["{ip_network(address.partition("%")[0])}"]'
            )

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, where = info
        self._check(str(where[0]), str(where[0]))
        return socket.socket(family, kind, protocol)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        # aiohttp closes a connection of which something is left unread.
        body, limit = bytearray(), self._body_limit
        while len(body) < limit and (part := await response.content.read(limit - len(body))):
            body += part
        return bytes(body)


class _CheckingResolver(AbstractResolver):
    """Gives the connector only addresses that were checked; one bad address spoils the name."""

    def __init__(self, resolve: Resolve, check: Callable[[str, str], None]) -> None:
        self._resolve = resolve
        self._check = check

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._resolve(host, port)
        if not addresses:
            raise OSError(f"{host} has no address")
        for address in addresses:
            self._check(host, address)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held open."""
