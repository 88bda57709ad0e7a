"""One stream of G.711 over RTP (RFC 3550, 3551) with its keys (RFC 4733), without sockets and without a
clock.

aiortp reads and writes packets; the order of what was heard and the pace of what is said are ours, because
the sound of all calls is mixed by one clock."""

from collections import deque

from aiortp.dtmf import DTMF_EVENTS, EVENT_TO_DIGIT, DtmfEvent
from aiortp.packet import RtpPacket

FRAME = 160
"""Octets of G.711 in 20 ms."""

_HELD = 2 * FRAME
_MOST = 12 * FRAME
_REORDERED = 3
_LONGEST_GAP = 25
"""How much is held back before sound begins (40 ms) and at most (240 ms), how many packets may come before a
late one, and the longest gap (half a second) that is filled with silence (all our choice)."""

_KEY_FRAMES, _PAUSE_FRAMES, _ENDS = 5, 4, 3
"""A key lasts 100 ms, and 80 ms lie between two (RFC 4733, section 2.5.1.3 asks for 40 each at least); its
end is told three times (section 2.5.1.4)."""


class Hearing:
    """What was heard: put in as packets come, taken out by the clock."""

    def __init__(self, sound_type: int, keys_type: int | None, silence: int) -> None:
        self.sound_type, self.keys_type = sound_type, keys_type
        self.heard = self.lost = 0
        self._silence = bytes((silence,))
        self._sound = bytearray()
        self._is_flowing = False
        self._source: int | None = None
        self._next = 0
        self._early: dict[int, bytes] = {}
        self._key_at: int | None = None  # the time stamp of the last key that was told

    def put(self, data: bytes) -> str:
        """A packet has come; returns the key that it has completed, or nothing. What is no RTP of this stream
        is left aside."""
        try:
            packet = RtpPacket.parse(data)
        except (ValueError, IndexError):
            return ""
        kind = packet.payload_type
        if kind not in (self.sound_type, self.keys_type):
            return ""
        if packet.ssrc != self._source:
            self._source, self._next = packet.ssrc, packet.sequence_number
            self._early.clear()
        self.heard += 1
        self._order(packet.sequence_number, packet.payload if kind == self.sound_type else b"")
        return self._key(packet) if kind == self.keys_type else ""

    def take(self) -> bytes:
        """The next 20 ms; empty where nothing was heard."""
        if not self._is_flowing:
            if len(self._sound) < _HELD:
                return b""
            self._is_flowing = True
        if len(self._sound) < FRAME and self._early:
            self._skip()
        if len(self._sound) < FRAME:
            self._is_flowing = False
            rest = bytes(self._sound)
            self._sound.clear()
            return rest and rest.ljust(FRAME, self._silence)
        frame = bytes(self._sound[:FRAME])
        del self._sound[:FRAME]
        return frame

    def _order(self, number: int, payload: bytes) -> None:
        ahead = (number - self._next) & 0xFFFF
        if ahead >= 0x8000:
            return  # came too late, or twice
        if ahead > _LONGEST_GAP:
            self._early.clear()
            self._next, ahead = number, 0
        self._early[number] = payload
        if len(self._early) > _REORDERED and self._next not in self._early:
            self._skip()
        self._flow()

    def _skip(self) -> None:
        """What is missing before the first of the early ones is lost."""
        first = min((number - self._next) & 0xFFFF for number in self._early)
        self.lost += first
        self._sound += self._silence * (FRAME * first)
        self._next = (self._next + first) & 0xFFFF
        self._flow()

    def _flow(self) -> None:
        while (payload := self._early.pop(self._next, None)) is not None:
            self._sound += payload
            self._next = (self._next + 1) & 0xFFFF
        if len(self._sound) > _MOST:  # the other side's clock is faster than ours
            del self._sound[: len(self._sound) - _HELD]

    def _key(self, packet: RtpPacket) -> str:
        try:
            event = DtmfEvent.parse(packet.payload)
        except ValueError:
            return ""
        if not event.end or packet.timestamp == self._key_at:
            return ""
        self._key_at = packet.timestamp
        return EVENT_TO_DIGIT.get(event.event, "")


class Speaking:
    """What is said, a packet each 20 ms. Keys stand in place of the sound, and time goes on below them, so
    that each has a time stamp of its own."""

    def __init__(
        self, sound_type: int, keys_type: int | None, source: int, number: int = 0, stamp: int = 0
    ) -> None:
        self.sound_type, self.keys_type = sound_type, keys_type
        self._source, self._number, self._stamp = source, number, stamp
        self._keys: deque[str] = deque()
        self._step = 0
        self._began = 0
        self._is_first = True

    def press(self, keys: str) -> None:
        """Say these keys, one after the other."""
        self._keys += [key for key in keys.upper() if key in DTMF_EVENTS]

    def say(self, frame: bytes) -> list[bytes]:
        """The packets of the next 20 ms, of which `frame` is the sound (160 octets of G.711)."""
        stamp, self._stamp = self._stamp, (self._stamp + FRAME) & 0xFFFFFFFF
        if not self._keys or self.keys_type is None:
            self._keys.clear()
            return [self._sound(frame, stamp)]
        step, self._step = self._step, self._step + 1
        if step >= _KEY_FRAMES:
            if step >= _KEY_FRAMES + _PAUSE_FRAMES:
                self._keys.popleft()
                self._step = 0
            return [self._sound(frame, stamp)]
        if step == 0:
            self._began = stamp
        is_last = step == _KEY_FRAMES - 1
        event = DtmfEvent(DTMF_EVENTS[self._keys[0]], is_last, 10, (step + 1) * FRAME)
        payload = event.serialize()
        return [
            self._packet(self.keys_type, payload, self._began, int(step == 0))
            for _ in range(_ENDS if is_last else 1)
        ]

    def _sound(self, frame: bytes, stamp: int) -> bytes:
        marker, self._is_first = int(self._is_first), False
        return self._packet(self.sound_type, frame, stamp, marker)

    def _packet(self, kind: int, payload: bytes, stamp: int, marker: int) -> bytes:
        number, self._number = self._number, (self._number + 1) & 0xFFFF
        return RtpPacket(
            payload_type=kind,
            marker=marker,
            sequence_number=number,
            timestamp=stamp,
            ssrc=self._source,
            payload=payload,
        ).serialize()
