"""A customer's URL: where it leads, read as browsers read it, and what to ask there, as it was written."""

import base64
import re
import string
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from chappe.host.addresses import Address, read_address
from chappe.host.errors import TargetRefused

# Visible ASCII, in three parts: scheme and authority, path and query, and a fragment that is not sent.
_URL = re.compile(
    r"((?i:https?)://[\x21\x22\x24-\x2e\x30-\x3e\x40-\x5b\x5d-\x7e]*)"
    r"((?:[/?][\x21\x22\x24-\x7e]*)?)(?:\#[\x21-\x7e]*)?"
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?")
_HOST_NAME = re.compile(r"(?=.{1,254}\Z)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USERINFO = re.compile(r"//[^/?#]*@")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a URL leads.

    `host` is a name in lower case, or an address written plainly, which `address` then holds too;
    `spelled` is the host as it was written, in lower case; `credentials` is the value of an
    `Authorization` header, empty for none.
    """

    scheme: str
    host: str
    port: int
    address: Address | None
    spelled: str
    credentials: str

    @property
    def key(self) -> tuple[str, str, int]:
        """Scheme, host and port: requests with the same go over the same connections."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The value of the `Host` header (RFC 9110, section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def shown(url: str) -> str:
    """A URL as an error may show it: without its credentials."""
    return repr(_USERINFO.sub("//", url.strip()))


def split(url: str) -> tuple[str, str]:
    """The part of a URL that `read_origin` reads, and path and query as they go out, never empty.

    A URL in ASCII goes out as it was written (`%E9` and `+` mean something to old receivers); other
    letters and spaces are encoded, as UTF-8. Raises TargetRefused, and ValueError with the reason why a
    URL is malformed.
    """
    found = _URL.fullmatch(url) or _URL.fullmatch(_in_ascii(url))
    if found is None:
        raise ValueError("a backslash cannot stand before the path")
    origin, path = found.group(1, 2)
    return origin, path if path[:1] == "/" else f"/{path}"


def _in_ascii(url: str) -> str:
    url = url.strip()
    if _CONTROL.search(url):
        raise TargetRefused(f"The URL {shown(url)} holds a control character or line break; remove it")
    scheme, slashes, rest = url.partition("//")
    if scheme.lower() not in ("http:", "https:"):
        raise TargetRefused(f"The URL {shown(url)} does not begin with http:// or https://")
    end = next((at for at, letter in enumerate(rest) if letter in "/?#"), len(rest))
    userinfo, at, place = rest[:end].rpartition("@")
    path, question, query = rest[end:].partition("#")[0].partition("?")
    host, colon, port = place.partition(":")
    if not host.isascii():
        import idna  # few need its tables

        host = idna.encode(host, uts46=True).decode()
    before = f"{scheme}{slashes}{_encoded(userinfo)}{at}{_encoded(host)}{colon}{_encoded(port)}"
    return f"{before}{_encoded(path)}{question}{_encoded(query.replace(' ', '+'))}"


def _encoded(text: str) -> str:
    return quote(text, safe=string.punctuation)


def read_origin(text: str) -> Origin:
    """Read scheme, credentials, host and port. Raises ValueError with the reason."""
    scheme, _, authority = text.partition("://")
    userinfo, _, place = authority.rpartition("@")
    found = _AUTHORITY.fullmatch(place)
    if found is None:
        raise ValueError(f"{place!r} is not a host name")
    scheme, host, port = scheme.lower(), found["host"].lower(), found["port"] or ""
    if port and not (port.isdecimal() and len(port) <= 5 and int(port) <= 65535):
        raise ValueError(f"{port!r} is not a port")
    bare = host[1:-1] if host[:1] == "[" else host
    if host[:1] == "[" and ":" not in bare:
        raise ValueError(f"{host!r} is not a host name")
    address = read_address(bare)
    if address is None and not _HOST_NAME.fullmatch(host):
        raise ValueError(f"{host!r} is not a host name")
    return Origin(
        scheme=scheme,
        host=bare if address is None else str(address),
        port=int(port) if port else _PORTS[scheme],
        address=address,
        spelled=bare,
        credentials=_basic(userinfo),
    )


def _basic(userinfo: str) -> str:
    user, _, password = userinfo.partition(":")
    if not user and not password:
        return ""
    pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return "Basic " + base64.b64encode(pair).decode()
