"""The sound of one leg between its socket and the mixer: G.711 in packets outside, frames of PCM inside."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from secrets import randbits

from chappe.media import pcm, tones
from chappe.media.listening import Keys
from chappe.protocols.rtp import Hearing, Speaking
from chappe.protocols.sip.sdp import Agreed, Law

_FROM = {Law.A: pcm.from_alaw, Law.MU: pcm.from_ulaw}
_TO = {Law.A: pcm.to_alaw, Law.MU: pcm.to_ulaw}
_QUIET = {Law.A: 0xD5, Law.MU: 0xFF}
_AT_ONCE = 50
"""Packets read of one leg before others have their turn."""


class Ports:
    """The ports of sound, given one after the other so that late packets of a call do not reach the next
    one."""

    def __init__(self, host: str, first: int, last: int) -> None:
        self._host = host
        self._ports = range(first + first % 2, last, 2)  # even ones (RFC 3550, section 11)
        self._next = 0

    def bind(self) -> socket.socket:
        """A socket on a free port. Raises OSError where there is none."""
        for _ in self._ports:
            port = self._ports[self._next % len(self._ports)]
            self._next += 1
            bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                bound.setblocking(False)
                bound.bind((self._host, port))
            except OSError:
                bound.close()
            else:
                return bound
        raise OSError("all ports of sound are taken")


class Stream:
    """Packets are taken from the host that was agreed on, or from the one that speaks SIP (a telephone behind
    a router tells an address that nobody can reach), and answered to where the first came from; whoever else
    sends is not heard."""

    def __init__(self, bound: socket.socket, now: Callable[[], float]) -> None:
        self.socket = bound
        self.port: int = bound.getsockname()[1]
        self.heard_at = now()
        self.pressed: Callable[[str], None] = lambda _: None
        self._now = now
        self._hosts: tuple[str, ...] = ()
        self._to: tuple[str, int] | None = None
        self._is_latched = False
        self._agreed: Agreed | None = None
        self._hearing: Hearing | None = None
        self._speaking: Speaking | None = None
        # Of a side that has agreed on no events of keys: they are heard and said as sound.
        self._keys = Keys()
        self._pressed = b""

    def agree(self, agreed: Agreed, signalling: str) -> None:
        """From now on sound goes so, also if it went otherwise before."""
        before, self._agreed = self._agreed, agreed
        self._hosts = (agreed.address[0], signalling)
        self._to, self._is_latched = agreed.address, False
        kinds = (agreed.sound_type, agreed.keys_type)
        if before is None or self._speaking is None or before.law is not agreed.law:
            self._hearing = Hearing(*kinds, _QUIET[agreed.law])
            self._speaking = Speaking(*kinds, randbits(32), randbits(16), randbits(32))
        elif self._hearing is not None:
            self._hearing.sound_type, self._hearing.keys_type = kinds
            self._speaking.sound_type, self._speaking.keys_type = kinds

    def readable(self) -> None:
        """Read what has come."""
        for data, source in self._datagrams():
            if self._hearing is None or source[0] not in self._hosts:
                continue
            if not self._is_latched:
                self._to, self._is_latched = source, True
            elif source != self._to:
                continue
            self.heard_at = self._now()
            if key := self._hearing.put(data):
                self.pressed(key)

    def _datagrams(self) -> Iterator[tuple[bytes, tuple[str, int]]]:
        for _ in range(_AT_ONCE):
            try:
                yield self.socket.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                continue  # the other side's port was closed

    def take(self) -> bytes:
        """The next 20 ms that were heard."""
        if self._hearing is None or self._agreed is None:
            return pcm.SILENCE
        # Silence is one object, which the mixer knows and need not add.
        heard = self._hearing.take()
        frame = _FROM[self._agreed.law](heard) if heard else pcm.SILENCE
        if self._agreed.keys_type is None and (key := self._keys.hear(frame)):
            self.pressed(key)
        return frame

    def say(self, frame: bytes) -> None:
        """Let 20 ms be heard."""
        if self._speaking is None or self._agreed is None or self._to is None:
            return
        if self._pressed:
            frame, self._pressed = self._pressed[: pcm.FRAME_BYTES], self._pressed[pcm.FRAME_BYTES :]
        for packet in self._speaking.say(_TO[self._agreed.law](frame)):
            if self._agreed.hears:
                with suppress(OSError):  # full, or closed over there: it is lost, as packets are
                    self.socket.sendto(packet, self._to)

    def press(self, keys: str) -> None:
        """Press keys."""
        if self._agreed is not None and self._agreed.keys_type is None:
            self._pressed += tones.keys("".join(key for key in keys.upper() if key in tones.KEY_PAIRS))
        elif self._speaking is not None:
            self._speaking.press(keys)

    @property
    def counts(self) -> tuple[int, int]:
        """Packets that were heard, and lost."""
        return (self._hearing.heard, self._hearing.lost) if self._hearing is not None else (0, 0)

    def close(self) -> None:
        """It is over."""
        self.socket.close()
