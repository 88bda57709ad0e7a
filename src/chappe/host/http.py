"""The one client for requests to addresses that customers chose: it connects to public addresses only."""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import lru_cache
from typing import TypeAlias

from chappe.host import urls
from chappe.host.addresses import Network, check, read_address
from chappe.host.connections import BrokenOffError, Connection, Limits, reason
from chappe.host.errors import TargetFailed, TargetRefused
from chappe.host.pool import Key, Pool
from chappe.model.outgoing import Answer, Outgoing

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = frozenset(
    ("connection", "content-length", "host", "keep-alive", "te", "transfer-encoding", "upgrade")
)
_DEFAULTS = {"User-Agent": "Chappe", "Accept": "*/*", "Accept-Encoding": "identity"}
_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS", "TRACE", "DELETE")


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

    A connection is kept for the next request. When the server had closed it meanwhile, the request is
    sent once more on a new one, if nothing of an answer had come.

    `allow` are networks that are reachable although they are not public, `ports` the only ports that
    may be named (None: any), `body_limit` the bytes kept of an answer's body, `tls` which certificates are
    trusted (None: those that the machine trusts).
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
        tls: ssl.SSLContext | None = None,
        connections: int = 200,
        connections_per_host: int = 8,
    ) -> None:
        self._allow = tuple(allow)
        self._connect_seconds = connect_seconds
        self._limits = Limits(total_seconds, body_limit)
        self._ports = ports
        self._resolve = resolve
        self._pool = Pool(self._open, connections, connections_per_host)
        self._lookups: dict[Key, asyncio.Task[Sequence[str]]] = {}
        self._tls = tls
        self._form = lru_cache(maxsize=4096)(self._new_form)

    async def send(self, outgoing: Outgoing) -> Answer:
        """Send one request and return whatever the server answered, any status included.

        Header names of the answer are in lower case, repeated ones joined by ", ". Credentials in the
        URL go into an `Authorization: Basic` header unless the request brings its own (our choice).
        Raises TargetRefused (permanent) and TargetFailed (temporary), both with a text for people.
        """
        started = asyncio.get_running_loop().time()
        key, request = self._written(outgoing)
        is_again = False
        while True:
            connection = self._pool.kept(key)
            if connection is None:
                try:
                    connection = await self._pool.take(key, started + self._limits.total_seconds)
                except TimeoutError as error:
                    raise self._late(key) from error
            answer = connection.ask(request, started, bodiless=outgoing.method == "HEAD")
            try:
                return await answer
            except BrokenOffError as error:
                if is_again or not error.is_stale:
                    raise TargetFailed(f"{_name(key)} broke off the conversation: {error}") from error
                is_again = True
                self._pool.drop_kept(key)
            except TimeoutError as error:
                raise self._late(key) from error
            except asyncio.CancelledError:
                connection.give_up(answer)
                raise

    async def close(self) -> None:
        """Close the kept connections; the client opens new ones when it is used again."""
        self._pool.close()

    # What is sent

    def _written(self, outgoing: Outgoing) -> tuple[Key, bytes]:
        headers, body = outgoing.headers, outgoing.body
        try:
            place, path = urls.split(outgoing.url)
            origin, form = self._form(outgoing.method, place, tuple(headers), bool(body))
        except ValueError as error:
            raise TargetRefused(f"The URL {urls.shown(outgoing.url)} is malformed: {error}") from error
        if self._ports is not None and origin.port not in self._ports:
            permitted = ", ".join(map(str, sorted(self._ports)))
            shown = urls.shown(outgoing.url)
            raise TargetRefused(f"The URL {shown} names port {origin.port}; permitted are {permitted}")
        values = headers.values()
        if _UNSENDABLE.search("".join(values)):
            raise _unsendable(origin.key)
        return origin.key, (form % (path, *values, len(body))).encode() + body

    def _new_form(
        self, method: str, place: str, names: tuple[str, ...], has_body: bool
    ) -> tuple[urls.Origin, str]:
        """Where such a request goes, and its head with holes for path, values of headers and length."""
        origin = urls.read_origin(place)
        if origin.address is not None:
            check(origin.spelled, origin.host, self._allow)
        given = {name.lower() for name in names}
        if given & _OURS or not all(map(_TOKEN.fullmatch, (method, *names))):
            raise _unsendable(origin.key)
        ours = {"Host": origin.authority, **_DEFAULTS}
        if origin.credentials:
            ours["Authorization"] = origin.credentials
        ready = "".join(f"{name}: {value}\r\n" for name, value in ours.items() if name.lower() not in given)
        asked = "".join(f"{name.replace('%', '%%')}: %s\r\n" for name in names)
        # RFC 9110, section 8.6: no body has a length where one is expected; elsewhere its hole stays empty.
        length = "Content-Length: %d\r\n" if has_body or method not in _WITHOUT_BODY else "%.0s"
        first = f"{method.replace('%', '%%')} %s HTTP/1.1\r\n"
        return origin, f"{first}{ready.replace('%', '%%')}{asked}{length}\r\n"

    # Connections

    async def _open(self, key: Key) -> Connection:
        _, host, port = key
        addresses = await self._found(key) if read_address(host) is None else (host,)
        for address in addresses:
            check(host, address, self._allow)
        failed: TargetFailed | None = None
        for address in addresses:
            try:
                async with asyncio.timeout(self._connect_seconds):
                    connected = await self._socket(address, port)
                    return await self._started(connected, key)
            except TimeoutError:
                failed = TargetFailed(f"No connection to {_name(key)} in time")
            except OSError as error:
                failed = TargetFailed(f"No connection to {_name(key)}: {reason(error)}")
        assert failed is not None
        raise failed

    async def _found(self, key: Key) -> Sequence[str]:
        """The addresses of a name; those who open a connection to it together look it up together."""
        lookup = self._lookups.get(key)
        if lookup is None:
            lookup = self._lookups[key] = asyncio.create_task(self._look_up(key))
        return await asyncio.shield(lookup)

    async def _look_up(self, key: Key) -> Sequence[str]:
        _, host, port = key
        try:
            addresses = await self._resolve(host, port)
            if not addresses:
                raise OSError(f"{host} has no address")
        except OSError as error:
            raise TargetFailed(f"The name of {_name(key)} could not be resolved: {error}") from error
        finally:
            del self._lookups[key]
        return addresses

    async def _socket(self, address: str, port: int) -> socket.socket:
        check(address, address, self._allow)
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            made.setblocking(False)
            await asyncio.get_running_loop().sock_connect(made, (address, port))
        except BaseException:
            made.close()
            raise
        return made

    async def _started(self, connected: socket.socket, key: Key) -> Connection:
        loop = asyncio.get_running_loop()
        scheme, host, _ = key
        if scheme == "http":
            _, connection = await loop.create_connection(self._connection, sock=connected)
            return connection
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        try:
            _, connection = await loop.create_connection(
                self._connection,
                sock=connected,
                ssl=self._tls,
                server_hostname=host.removesuffix("."),
                ssl_shutdown_timeout=1.0,
            )
        except ssl.SSLCertVerificationError as error:
            raise TargetFailed(f"{_name(key)} has no valid certificate: {error.verify_message}") from error
        except OSError as error:
            raise TargetFailed(f"No TLS connection with {_name(key)}: {reason(error)}") from error
        return connection

    def _connection(self) -> Connection:
        return Connection(asyncio.get_running_loop(), self._pool, self._limits)

    def _late(self, key: Key) -> TargetFailed:
        return TargetFailed(f"{_name(key)} did not answer within {self._limits.total_seconds:g} s")


def _name(key: Key) -> str:
    return f"{key[1]}:{key[2]}"


def _unsendable(key: Key) -> TargetRefused:
    return TargetRefused(
        f"The request to {_name(key)} cannot be sent: its method or a header is not permitted in HTTP"
    )
