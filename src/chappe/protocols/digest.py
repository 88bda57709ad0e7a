"""HTTP Digest authentication (RFC 7616): reading a proof, writing a challenge. MD5, `qop=auth`."""

import re
from dataclasses import dataclass
from hashlib import md5

from chappe.protocols.errors import ProtocolError

_PAIR = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))\s*(?:,|$)')
_COUNT = re.compile("[0-9a-fA-F]{8}")
_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class Proof:
    """What a client computed. The response must be `MD5(hash of the password ":" hashed)`, where the hash of
    the password is MD5(user ":" realm ":" password), section 3.4.1."""

    user: str
    realm: str
    uri: str
    nonce: str
    count: int
    hashed: str
    response: str


def is_digest(header: str) -> bool:
    """Whether an Authorization header is of this scheme."""
    return header[:7].lower() == "digest "


def read_proof(header: str, method: str) -> Proof:
    """Read an Authorization header. Raises ProtocolError where it is no proof with MD5 and `qop=auth`."""
    if len(header) > _LONGEST:
        raise ProtocolError(f"the Authorization header has more than {_LONGEST} characters")
    values: dict[str, str] = {}
    place = 7
    while place < len(header):
        found = _PAIR.match(header, place)
        if found is None:
            raise ProtocolError("the Authorization header is not a list of name=value")
        quoted, plain = found[2], found[3]
        values[found[1].lower()] = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        place = found.end()
    for name in ("username", "realm", "nonce", "uri", "response", "nc", "cnonce"):
        if name not in values:
            raise ProtocolError(f"the Digest authorization has no {name}")
    if values.get("algorithm", "MD5").upper() != "MD5":
        raise ProtocolError(f"the Digest algorithm is {values['algorithm']!r}: use MD5")
    if values.get("qop", "").lower() != "auth":
        raise ProtocolError("the Digest quality of protection must be auth")
    if not _COUNT.fullmatch(values["nc"]):
        raise ProtocolError("the Digest nc must be eight hexadecimal digits")
    request = _md5(f"{method}:{values['uri']}")
    return Proof(
        user=values["username"],
        realm=values["realm"],
        uri=values["uri"],
        nonce=values["nonce"],
        count=int(values["nc"], 16),
        hashed=f"{values['nonce']}:{values['nc']}:{values['cnonce']}:{values['qop']}:{request}",
        response=values["response"].lower(),
    )


def challenge(realm: str, nonce: str, stale: bool) -> str:
    """The value of a WWW-Authenticate header (section 3.3)."""
    again = ", stale=true" if stale else ""
    return f'Digest realm="{realm}", qop="auth", algorithm=MD5, nonce="{nonce}"{again}'


def _md5(text: str) -> str:
    # Header values are bytes that were read as Latin-1; they are hashed as they came.
    return md5(text.encode("latin-1", "replace"), usedforsecurity=False).hexdigest()
