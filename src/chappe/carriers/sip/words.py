"""What the platform and its SIP process say to one another: messages with their length before them, over one
socket."""

import asyncio
import struct
from typing import TypeVar

import msgspec

from chappe.carriers.sip.settings import SipSettings

_LENGTH = struct.Struct(">I")
_LONGEST = 64 * 1024 * 1024
T = TypeVar("T")


class Word(msgspec.Struct, tag=True, array_like=True):
    """One message."""


# --- what the platform says


class Begin(Word):
    """First of all: the settings, and where telephones are that registered earlier."""

    settings: SipSettings
    telephones: tuple["Telephone", ...]


class Dial(Word):
    """Ring a number: at all `contacts` (a URI and the address behind which it is, IP:port) where there are
    any, else over a trunk."""

    leg: int
    number: str
    shown: str
    ring_seconds: int
    judges: bool
    contacts: tuple[tuple[str, str], ...] = ()


class Adopt(Word):
    """The leg of a call that came has this id."""

    call: str
    leg: int


class Alert(Word):
    leg: int


class Answer(Word):
    leg: int


class HangUp(Word):
    """End a leg; `cause` is a HangUpCause."""

    leg: int
    cause: str


class Keep(Word):
    """The samples (8 kHz, 16 bits) of a sound that will be played by this key."""

    key: str
    samples: bytes


class Forget(Word):
    """A sound will not be played so soon again."""

    key: str


class Play(Word):
    leg: int
    key: str
    is_endless: bool


class Stop(Word):
    leg: int


class Announce(Word):
    room: int
    key: str


class Press(Word):
    leg: int
    keys: str


class Mute(Word):
    leg: int
    muted: bool


class Record(Word):
    recording: int
    path: str
    leg: int | None
    room: int
    longest_seconds: int
    ends_on_key: bool
    silence_seconds: int


class StopRecord(Word):
    recording: int


class Join(Word):
    room: int
    legs: tuple[int, ...]


class Part(Word):
    leg: int


class Lamp(Word):
    """So many messages wait for a line that nobody has heard, and that somebody has; its telephones are
    reached at `contacts`, as in Dial."""

    line: str
    new: int
    old: int
    contacts: tuple[tuple[str, str], ...] = ()


class Known(Word):
    """Who was asked for: the hash of his password and his line's number, both empty for nobody."""

    ask: int
    ha1: str = ""
    line: str = ""


class RefuseTransfer(Word):
    """A leg's partner is not given away, as was asked."""

    leg: int


Command = (
    Begin
    | Dial
    | Adopt
    | Alert
    | Answer
    | HangUp
    | Keep
    | Forget
    | Play
    | Stop
    | Announce
    | Press
    | Mute
    | Record
    | StopRecord
    | Join
    | Part
    | Known
    | Lamp
    | RefuseTransfer
)


# --- what the process says


class Happened(Word):
    """Something happened to a leg; `kind` is a LegEventKind, `cause` a HangUpCause."""

    leg: int
    kind: str
    cause: str = ""
    key: str = ""
    machine: bool = False


class Came(Word):
    """Somebody calls; numbers are as they were sent, `caller` empty where it is hidden."""

    call: str
    caller: str
    dialled: str
    line: str = ""


class Referred(Word):
    """The party of a leg gives its partner to a number, or to the partner of its leg `other` (0: none)."""

    leg: int
    number: str
    other: int


class Recorded(Word):
    recording: int
    seconds: float
    key: str = ""


class Ask(Word):
    """Who is this user?"""

    ask: int
    user: str


class Subscribed(Word):
    """Somebody wants to be told how many messages wait for a line."""

    line: str


class Telephone(Word):
    """A telephone of a line is reached at `contact` behind the address `source`, for so many seconds (0: no
    longer; without a contact none of the line's). See telephones.py for the rest."""

    line: str
    contact: str
    source: str
    seconds: int
    agent: str = ""
    instance: str = ""


class TrunkState(Word):
    """How a trunk is; `state` is a LinkState."""

    name: str
    state: str
    calls: int
    error: str = ""


class Pulse(Word):
    """Each second: how the process is. `late` counts ticks of the media clock that came more than 20 ms late,
    `worst` is the worst of the last second in ms; `heard` and `lost` count packets of sound, `silenced`
    datagrams that were dropped."""

    legs: int
    ticks: int
    late: int
    worst: float
    heard: int
    lost: int
    silenced: int
    trunks: tuple[TrunkState, ...] = ()


class Note(Word):
    """Something for the log."""

    level: str
    text: str


Event = Happened | Came | Referred | Recorded | Ask | Subscribed | Telephone | Pulse | Note


def packed(word: Word) -> bytes:
    """A message as octets."""
    data = msgspec.msgpack.encode(word)
    return _LENGTH.pack(len(data)) + data


async def next_word(reader: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[T]) -> T:
    """The next message. Raises asyncio.IncompleteReadError at the end, ValueError for octets that are
    none."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > _LONGEST:
        raise ValueError(f"a message of {length} octets")
    return decoder.decode(await reader.readexactly(length))
