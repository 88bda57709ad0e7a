"""How values stand in the bytes of SMPP: integers, texts, counted octets, optional parameters."""

import struct
from functools import cache
from typing import Any, Protocol, get_type_hints

from msgspec import Struct

from chappe.protocols.errors import ProtocolError
from chappe.protocols.smpp.codes import Tag

_TLV_HEAD = struct.Struct(">HH")

Tlvs = tuple[tuple[int, bytes], ...]
"""Optional parameters, tag and value, in the order of the wire."""


class Kind(Protocol):
    """How a field stands in the bytes."""

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """The value that begins at `at`, and where the next field begins. Raises IndexError, ValueError or
        struct.error where the bytes end too early."""
        ...

    def write(self, value: Any) -> bytes:
        """Raises ValueError for a value that has no room."""
        ...


class Integer(Struct, frozen=True):
    """An integer of some octets, most significant first (SMPP 3.4, 3.1)."""

    octets: int

    def read(self, data: bytes, at: int) -> tuple[int, int]:
        """See Kind."""
        end = at + self.octets
        if end > len(data):
            raise IndexError("an integer is cut off")
        return int.from_bytes(data[at:end], "big"), end

    def write(self, value: int) -> bytes:
        """See Kind."""
        try:
            return value.to_bytes(self.octets, "big")
        except OverflowError:
            raise ValueError(f"{value} does not fit into {self.octets} octets") from None


class CString(Struct, frozen=True):
    """A text that ends with a zero octet, of at most `most` octets with it (SMPP 3.4, 3.1).

    The limit holds for what we write; what comes may be longer, for networks do send longer ids.
    """

    most: int

    def read(self, data: bytes, at: int) -> tuple[str, int]:
        """See Kind."""
        end = data.index(b"\0", at)
        return data[at:end].decode("latin-1"), end + 1

    def write(self, value: str) -> bytes:
        """See Kind."""
        coded = value.encode("latin-1")
        if len(coded) >= self.most or b"\0" in coded:
            raise ValueError(f"{value!r} does not fit into {self.most - 1} octets without a zero")
        return coded + b"\0"


class Counted(Struct, frozen=True):
    """An octet with a number, then so many octets: sm_length and short_message (SMPP 3.4, 5.2.21)."""

    def read(self, data: bytes, at: int) -> tuple[bytes, int]:
        """See Kind."""
        end = at + 1 + data[at]
        if end > len(data):
            raise IndexError("short_message is cut off")
        return data[at + 1 : end], end

    def write(self, value: bytes) -> bytes:
        """See Kind."""
        if len(value) > 254:
            raise ValueError(f"short_message has {len(value)} octets, 254 have room: use message_payload")
        return bytes((len(value),)) + value


@cache
def layout(record: type[Struct]) -> tuple[tuple[str, Kind], ...]:
    """The fields of a record in the order of the wire, each with its kind."""
    hints = get_type_hints(record, include_extras=True)
    return tuple(
        (name, hint.__metadata__[0]) for name, hint in hints.items() if hasattr(hint, "__metadata__")
    )


def read_fields(record: type[Struct], data: bytes, at: int) -> tuple[list[Any], int]:
    """The values of a record that begins at `at`, and where it ends. Raises IndexError and ValueError."""
    values: list[Any] = []
    for _, kind in layout(record):
        value, at = kind.read(data, at)
        values.append(value)
    return values, at


def write_fields(record: Struct) -> bytes:
    """A record as bytes. Raises ValueError that names the field for a value that has no room in it."""
    parts: list[bytes] = []
    for name, kind in layout(type(record)):
        try:
            parts.append(kind.write(getattr(record, name)))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return b"".join(parts)


def encode_tlvs(tlvs: Tlvs) -> bytes:
    """Optional parameters as bytes."""
    return b"".join(_TLV_HEAD.pack(tag, len(value)) + value for tag, value in tlvs)


def decode_tlvs(data: bytes, at: int, end: int) -> Tlvs:
    """The optional parameters between two places. Raises ProtocolError."""
    found: list[tuple[int, bytes]] = []
    while at < end:
        if end - at < 4:
            raise ProtocolError(f"{end - at} octets are left where an optional parameter begins")
        tag, length = _TLV_HEAD.unpack_from(data, at)
        at += 4
        if length > end - at:
            raise ProtocolError(f"optional parameter 0x{tag:04X} has {length} octets, {end - at} are left")
        found.append((tag, data[at : at + length]))
        at += length
    return tuple(found)


def tlv(tlvs: Tlvs, tag: Tag) -> bytes | None:
    """The value of an optional parameter, the first where it stands twice; None where it is missing."""
    for one, value in tlvs:
        if one == tag:
            return value
    return None


def tlv_text(tlvs: Tlvs, tag: Tag) -> str | None:
    """The text of an optional parameter, up to its zero octet where it has one (some peers leave it out)."""
    value = tlv(tlvs, tag)
    return None if value is None else value.partition(b"\0")[0].decode("latin-1")


def tlv_number(tlvs: Tlvs, tag: Tag) -> int | None:
    """The number of an optional parameter."""
    value = tlv(tlvs, tag)
    return None if value is None else int.from_bytes(value, "big")
