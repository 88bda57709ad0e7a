"""What two sides agree on for their sound (SDP, RFC 8866; offer and answer, RFC 3264): G.711 and keys, one
stream.

aiosipua reads and writes the text; its own negotiation takes one codec and does not answer with the offered
types."""

import re
from dataclasses import dataclass
from enum import Enum
from ipaddress import AddressValueError, IPv4Address

from aiosipua.sdp import (
    Codec,
    ConnectionData,
    MediaDescription,
    Origin,
    SdpMessage,
    parse_sdp,
    serialize_sdp,
)

from chappe.protocols.errors import ProtocolError

LONGEST = 8192
_KEYS = 101
_WAYS = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


class Law(Enum):
    """The two forms of G.711, by their names in SDP."""

    A = "PCMA"
    MU = "PCMU"


_STATIC = {Law.A: 8, Law.MU: 0}


@dataclass(frozen=True, slots=True)
class Agreed:
    """`address` is where the other side wants to hear us, with the payload types of sound and keys (None: it
    takes no keys). `hears` is False while it has put us on hold."""

    address: tuple[str, int]
    law: Law
    sound_type: int
    keys_type: int | None
    hears: bool = True


def offer(address: tuple[str, int], session: int, version: int = 1) -> bytes:
    """What we can do, A-law before mu-law (our choice: it is Europe's)."""
    codecs = [*((_STATIC[law], law.value) for law in Law), (_KEYS, "telephone-event")]
    return _text(address, session, version, codecs, "sendrecv", [])


def agreed(answer: bytes) -> Agreed:
    """What an answer to our offer says. Raises ProtocolError."""
    return _agreed(_read(answer))[0]


def answer(offered: bytes, address: tuple[str, int], session: int, version: int = 1) -> tuple[bytes, Agreed]:
    """Our answer to an offer, and what was agreed. Raises ProtocolError: there is nothing that we could agree
    on."""
    read = _read(offered)
    found, way = _agreed(read)
    codecs = [(found.sound_type, found.law.value)]
    if found.keys_type is not None:
        codecs.append((found.keys_type, "telephone-event"))
    return _text(address, session, version, codecs, _WAYS.get(way, "sendrecv"), read.media), found


def _read(text: bytes) -> SdpMessage:
    if len(text) > LONGEST:
        raise ProtocolError(f"the description of the session has more than {LONGEST} octets")
    try:
        return parse_sdp(text.decode("utf-8", "replace"))
    except (ValueError, IndexError, OverflowError) as error:
        raise ProtocolError(f"this describes no session: {error}") from error


def _agreed(read: SdpMessage) -> tuple[Agreed, str]:
    audio = next((one for one in read.media if _is_sound(one)), None)
    if audio is None:
        raise ProtocolError("no stream of sound is described")
    chosen, law = _sound(audio)
    keys = [
        one.payload_type
        for one in audio.codecs
        if one.encoding_name.lower() == "telephone-event" and one.clock_rate in (0, 8000)
    ]
    connection = audio.connection or read.connection
    if connection is None:
        raise ProtocolError("no address is told for the sound")
    try:
        host = IPv4Address(connection.address)
    except AddressValueError:
        raise ProtocolError(f"{connection.address[:60]!r} is no IPv4 address") from None
    if host.is_multicast or int(host) == 0xFFFFFFFF:
        raise ProtocolError(f"sound is not sent to {host}, which is many")
    way = "sendrecv"
    for attributes in (read.attributes, audio.attributes):
        way = next((one for one in ("sendrecv", *_WAYS) if one in attributes), way)
    if host.is_unspecified:
        way = "inactive"  # how telephones of RFC 2543 held a call
    found = Agreed((str(host), audio.port), law, chosen, keys[0] if keys else None, way in _HEARING)
    return found, way


_HEARING = ("sendrecv", "recvonly")


def _is_sound(one: MediaDescription) -> bool:
    return one.media == "audio" and one.proto in ("RTP/AVP", "RTP/AVPF") and 0 < one.port < 65536


def _sound(audio: MediaDescription) -> tuple[int, Law]:
    for codec in audio.codecs:
        law = _law(codec)
        if law is not None and 0 <= codec.payload_type < 128:
            return codec.payload_type, law
    raise ProtocolError("neither PCMA nor PCMU is offered")


def _law(codec: Codec) -> Law | None:
    name = codec.encoding_name.upper()
    return Law(name) if name in ("PCMA", "PCMU") and codec.clock_rate == 8000 else None


def _text(
    address: tuple[str, int],
    session: int,
    version: int,
    codecs: list[tuple[int, str]],
    way: str,
    offered: list[MediaDescription],
) -> bytes:
    attributes = {
        "rtpmap": [f"{number} {name}/8000" for number, name in codecs],
        "fmtp": [f"{number} 0-15" for number, name in codecs if name == "telephone-event"],
        "ptime": ["20"],
        way: [],
    }
    ours = MediaDescription(
        media="audio",
        port=address[1],
        formats=[str(number) for number, _ in codecs],
        attributes={name: values for name, values in attributes.items() if values or name == way},
    )
    # Each stream of an offer is answered, the others with port 0 (RFC 3264, section 6).
    media: list[MediaDescription] = []
    taken = False
    for one in offered:
        if not taken and _is_sound(one):
            taken, ours.proto = True, one.proto
            media.append(ours)
        else:
            media.append(_refused(one))
    return serialize_sdp(
        SdpMessage(
            origin=Origin("chappe", str(session), str(version), address=address[0]),
            session_name="-",
            connection=ConnectionData(address=address[0]),
            media=media or [ours],
        )
    ).encode()


def _refused(one: MediaDescription) -> MediaDescription:
    kind = one.media if re.fullmatch(r"[A-Za-z0-9._-]{1,20}", one.media) else "audio"
    return MediaDescription(
        media=kind, port=0, proto=one.proto or "RTP/AVP", formats=one.formats[:1] or ["0"]
    )
