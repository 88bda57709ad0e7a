"""The request that a VBScript program makes: reproduced byte for byte, since nothing on Debian runs VBScript.

`escape` follows the documentation of VBScript's Escape function; the request is that of Microsoft.XMLDOM's
`Load`. Only the program's part of it, the target, matters to a server; the other lines are Windows's.
"""

import socket
import string
from http.client import HTTPResponse

UNTOUCHED = frozenset(string.ascii_letters + string.digits + "@*_+-./")


def escape(text: str) -> str:
    """%XX for a Latin-1 character, %uXXXX for each UTF-16 unit beyond; a plus sign stays a plus sign."""
    pieces = []
    for character in text:
        if character in UNTOUCHED:
            pieces.append(character)
        elif ord(character) < 256:
            pieces.append(f"%{ord(character):02X}")
        else:
            units = character.encode("utf-16-be")
            pieces += [f"%u{units[at : at + 2].hex().upper()}" for at in range(0, len(units), 2)]
    return "".join(pieces)


def load(url: str) -> bytes:
    """The body that `XMLDOM.Load` would be given; it fails, as that does, for every status but 200."""
    address, target = url.removeprefix("http://").split("/", 1)
    host, port = address.split(":")
    request = (
        f"GET /{target} HTTP/1.1\r\n"
        "Accept: */*\r\n"
        "Accept-Language: fr\r\n"
        "User-Agent: Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0)\r\n"
        f"Host: {address}\r\n"
        "Connection: Keep-Alive\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request.encode("ascii"))
        answer = HTTPResponse(connection)
        answer.begin()
        body = answer.read()
        answer.close()
    assert answer.status == 200, f"{answer.status} {body!r}"
    return body
