"""WebSocket frames of a client, written, and of a server, read (RFC 6455, section 5.2).

wsproto takes frames apart step by step and makes an event of each: of a call's processor time that took more
than a tenth, and writing them another.
"""

import os
import struct
from collections.abc import Iterator

CONTINUATION, TEXT, CLOSE, PING, PONG = 0x0, 0x1, 0x8, 0x9, 0xA
_FINAL, _MASKED, _RESERVED = 0x80, 0x80, 0x70
_LONGEST = 64 * 1024 * 1024
"""Bytes of one message (our choice): the channels of a large switch in one answer."""


class FrameError(Exception):
    """What came is no frame of a server."""


def frame(kind: int, content: bytes = b"") -> bytes:
    """One whole message of a client in a single frame."""
    size, key = len(content), os.urandom(4)
    if size < 126:
        head = struct.pack("!BB", _FINAL | kind, _MASKED | size)
    elif size < 65_536:
        head = struct.pack("!BBH", _FINAL | kind, _MASKED | 126, size)
    else:
        head = struct.pack("!BBQ", _FINAL | kind, _MASKED | 127, size)
    mask = (key * (size // 4 + 1))[:size]
    return head + key + (int.from_bytes(content) ^ int.from_bytes(mask)).to_bytes(size)


class Frames:
    """What comes from a server, as messages."""

    def __init__(self) -> None:
        self._waiting = b""
        self._pieces: list[bytes] = []
        self._size = 0

    def receive(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Kind and content of each message that is whole now. Raises FrameError."""
        if self._waiting:
            data = self._waiting + data
        at, there = 0, len(data)
        try:
            while there - at >= 2:
                first, size = data[at], data[at + 1]
                begin = at + 2
                if size == 126:
                    begin += 2
                    size = int.from_bytes(data[at + 2 : begin])
                elif size == 127:
                    begin += 8
                    size = int.from_bytes(data[at + 2 : begin])
                elif size & _MASKED:
                    raise FrameError("a server masks no frame")
                if first & _RESERVED or self._size + size > _LONGEST:
                    raise FrameError(f"a frame of the kind {first:#x} with {size} bytes")
                if there < begin + size or there < begin:
                    return
                at = begin + size
                kind, content = first & 0x0F, data[begin:at]
                if kind >= CLOSE or (first & _FINAL and not self._pieces):
                    yield kind, content
                else:
                    self._pieces.append(content)
                    self._size += size
                    if first & _FINAL:
                        content, self._pieces, self._size = b"".join(self._pieces), [], 0
                        yield TEXT, content
        finally:
            self._waiting = data[at:]
