"""Delivery receipts: read from optional parameters and from their text in all its variants, and written.

The text form is custom, not standard (SMPP 3.4, appendix B): `id:... sub:... dlvrd:... submit date:... done
date:... stat:... err:... text:...`. Networks leave fields out, change their order, write them in other letter
case, put blanks behind colons, and write dates with or without seconds.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from functools import lru_cache

from msgspec import Struct

from chappe.protocols.smpp.codes import INTERMEDIATE_NOTICE, MESSAGE_TYPE, RECEIPT, Tag
from chappe.protocols.smpp.fields import Tlvs, tlv, tlv_text


class State(IntEnum):
    """States of a message (SMPP 3.4, 5.2.28; SCHEDULED and SKIPPED are of SMPP 5.0, 4.7.15)."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9


# SMPP 3.4, appendix B, has words of seven letters; some networks write the names of 5.2.28 in full.
_SHORT_WORDS: Mapping[State, str] = {
    State.SCHEDULED: "SCHEDLD",
    State.ENROUTE: "ENROUTE",
    State.DELIVERED: "DELIVRD",
    State.EXPIRED: "EXPIRED",
    State.DELETED: "DELETED",
    State.UNDELIVERABLE: "UNDELIV",
    State.ACCEPTED: "ACCEPTD",
    State.UNKNOWN: "UNKNOWN",
    State.REJECTED: "REJECTD",
    State.SKIPPED: "SKIPPED",
}
_BY_WORD: Mapping[str, State] = {state.name: state for state in State} | {
    word: state for state, word in _SHORT_WORDS.items()
}


class Report(Struct, frozen=True):
    """What a receipt says.

    `ids` has the message's id as the receipt writes it, that of the optional parameter first; empty where it
    names none. `state` is None for a word that SMPP does not have: `word` is what was written, never a guess.
    `error` is the network's code. The dates are in a time zone that only the network knows.
    """

    ids: tuple[str, ...]
    state: State | None
    word: str = ""
    error: str = ""
    submitted: datetime | None = None
    done: datetime | None = None
    text: str = ""


def is_receipt(esm_class: int, tlvs: Tlvs) -> bool:
    """Whether a deliver_sm or data_sm is a receipt: by esm_class, or by the parameters of receipts.

    Never by its text alone (our choice): then any telephone could write receipts. Nor by an id without a
    state, which Kannel's test network puts into messages from mobiles.
    """
    if esm_class & MESSAGE_TYPE in (RECEIPT, INTERMEDIATE_NOTICE):
        return True
    return all(tlv(tlvs, tag) is not None for tag in (Tag.RECEIPTED_MESSAGE_ID, Tag.MESSAGE_STATE))


_KEYS = {
    "id": "id",
    "sub": "sub",
    "dlvrd": "dlvrd",
    "submit": "submitted",
    "done": "done",
    "stat": "stat",
    "state": "stat",
    "status": "stat",
    "err": "err",
    "error": "err",
    "text": "text",
}
_FIELD = re.compile(
    r"(?:^|(?<=[\s,;|]))"
    r"(id|sub|dlvrd|(?:submit|done)(?:[ _-]?date)?|stat(?:e|us)?|err(?:or)?|text)"
    r"[ \t]{0,8}[:=]",
    re.IGNORECASE,
)
# The form of appendix B to the letter, which most networks write; read ten times quicker than the others.
_CUSTOMARY = re.compile(
    r"id:([0-9A-Za-z-]+) sub:[0-9]* dlvrd:[0-9]* submit date:([0-9]+) done date:([0-9]+)"
    r" stat:([A-Za-z]+) err:([0-9A-Za-z]*) text:(.*)",
    re.DOTALL,
)
_NAMES = ("id", "submitted", "done", "stat", "err", "text")
_MOST_OCTETS = 1024
"""No receipt is longer; what stands behind is not looked at."""


def read_receipt(octets: bytes, tlvs: Tlvs = (), data_coding: int = 0) -> Report:
    """Read a receipt; optional parameters count more than its text. What cannot be read is empty."""
    body = (octets or tlv(tlvs, Tag.MESSAGE_PAYLOAD) or b"")[:_MOST_OCTETS]
    # No word has a NUL, and no database takes one; a UCS-2 text without its data_coding is read all the same.
    line = body.decode("utf-16-be" if data_coding == 8 else "latin-1", "replace").replace("\0", "")
    customary = _CUSTOMARY.fullmatch(line)
    if customary is not None:
        found = dict(zip(_NAMES, customary.groups(), strict=True))
        found["text"] = found["text"].strip()
    else:
        found = _fields(line)
    word = found.get("stat", "")
    state = _BY_WORD.get(word.upper())
    told = tlv(tlvs, Tag.MESSAGE_STATE)
    if told:
        try:
            state = State(told[-1])
            word = word if _BY_WORD.get(word.upper()) is state else state.name
        except ValueError:
            state, word = None, word or f"state {told[-1]}"
    ids = [tlv_text(tlvs, Tag.RECEIPTED_MESSAGE_ID) or "", found.get("id", "")]
    return Report(
        tuple(dict.fromkeys(one for one in (i.strip() for i in ids) if one)),
        state,
        word,
        _network_error(tlvs) or found.get("err", ""),
        _date(found.get("submitted", "")),
        _date(found.get("done", "")),
        found.get("text", ""),
    )


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    marks = list(_FIELD.finditer(text))
    for position, mark in enumerate(marks):
        name = _KEYS[re.split(r"[ _-]|date", mark[1].lower())[0]]
        end = marks[position + 1].start() if position + 1 < len(marks) else len(text)
        if name == "text":
            # The customer's own words: fields inside of them are none, once we have what counts.
            if "id" in found and "stat" in found:
                end = len(text)
            found.setdefault("text", text[mark.end() : end].strip())
            if end == len(text):
                break
            continue
        value = text[mark.end() : end].strip(" \t\r\n,;|")
        words = value.split()  # none in a value of odd blanks, a form feed for instance
        found.setdefault(name, value if name == "done" else "".join(words[:1]))
    return found


@lru_cache(maxsize=4096)  # receipts of one minute bear the same dates
def _date(value: str) -> datetime | None:
    """YYMMDDhhmm, YYMMDDhhmmss or with four digits of the year; other forms are not read."""
    digits = re.sub(r"\D", "", value)
    form = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S", 14: "%Y%m%d%H%M%S"}.get(len(digits))
    if form is None or not digits.isascii():
        return None
    try:
        return datetime.strptime(digits, form)
    except ValueError:
        return None


def _network_error(tlvs: Tlvs) -> str:
    """The code of network_error_code: an octet with the kind of network, then two of the code (5.3.2.31);
    some networks write three digits instead."""
    value = tlv(tlvs, Tag.NETWORK_ERROR_CODE)
    if not value:
        return ""
    if value.isdigit():
        return value.decode("ascii")
    return f"{int.from_bytes(value[1:] if len(value) == 3 else value, 'big'):03}"


def write_receipt(
    message_id: str,
    state: State,
    *,
    submitted: datetime,
    done: datetime,
    error: int = 0,
    text: str = "",
) -> tuple[bytes, Tlvs]:
    """The short_message and the optional parameters of a receipt, for a client that reads either.

    `text` is the beginning of the message, in ASCII, at most 20 characters. Dates are written as they are.
    """
    delivered = 1 if state is State.DELIVERED else 0
    shown = "".join(one if " " <= one <= "~" else "?" for one in text[:20])
    line = (
        f"id:{message_id} sub:001 dlvrd:{delivered:03} submit date:{submitted:%y%m%d%H%M} "
        f"done date:{done:%y%m%d%H%M} stat:{_SHORT_WORDS[state]} err:{error:03} text:{shown}"
    )
    tlvs: Tlvs = (
        (Tag.RECEIPTED_MESSAGE_ID, message_id.encode("latin-1") + b"\0"),
        (Tag.MESSAGE_STATE, bytes((state,))),
    )
    if error:
        tlvs += ((Tag.NETWORK_ERROR_CODE, b"\3" + error.to_bytes(2, "big")),)
    return line.encode("latin-1"), tlvs
