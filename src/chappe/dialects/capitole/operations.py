"""The verbs of CapitoleMobile: which elements make which command."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from chappe.dialects import reading
from chappe.dialects.capitole import wire
from chappe.dialects.contract import Dialect, Operation, WireCall
from chappe.model.commands import SendMessages
from chappe.model.errors import Fault, Refusal
from chappe.model.messages import Purpose
from chappe.services import messages

TIME_ZONE = ZoneInfo("Europe/Paris")

_MOST_PARTS = 4  # dialects.md 2f: `long`, up to 4 parts
_LONGEST_ID = 10  # seed 001: "10 caractères max."
_DATE_AND_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?")


def decode_send(call: WireCall) -> SendMessages:
    """Read `message` and `recipients` (dialects.md 2f).

    One number that cannot be reached refuses all. `long` absent means yes (our choice: one "ê" leaves room
    for 70 characters only, and the programs of the time print the answer at best). An element that is present
    and empty counts as absent. Raises Refusal: `no_recipient`, `empty_content`, `invalid_parameter`.
    """
    numbers = tuple(number.strip() for number in call.fields.get("gsm", ()))
    if not numbers:
        raise Refusal(Fault.NO_RECIPIENT, "give at least one number in recipients/gsm", "to")
    text = wire.message_text(reading.first(call.fields, "text"))
    if not text.strip():
        raise Refusal(Fault.EMPTY_CONTENT, "give the text of the SMS in message/text", "text")
    marketing = _route(call) == "M"
    return SendMessages(
        recipients=numbers,
        text=text,
        sender=_value(call, "sender"),
        send_at=_date(call),
        reference=_campaign(call),
        split_allowed=_long(call),
        max_segments=_MOST_PARTS,
        purpose=Purpose.MARKETING if marketing else Purpose.TRANSACTIONAL,
        add_stop=marketing,
    )


def _value(call: WireCall, name: str) -> str:
    return reading.first(call.fields, name).strip()


def _route(call: WireCall) -> str:
    route = _value(call, "route").upper() or "N"
    if route not in ("M", "N"):
        raise Refusal(Fault.INVALID_PARAMETER, f"{route!r} is no route; write M or N", "route")
    return route


def _long(call: WireCall) -> bool:
    written = _value(call, "long")
    wanted = reading.read_boolean(written)
    if written and wanted is None:
        raise Refusal(Fault.INVALID_PARAMETER, f"{written!r} is neither yes nor no", "long")
    return wanted is not False


def _campaign(call: WireCall) -> str:
    campaign = _value(call, "id")
    if len(campaign) > _LONGEST_ID or "-" in campaign:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f'{campaign!r} is no campaign id; it may have {_LONGEST_ID} characters and no "-"',
            "id",
        )
    return campaign


def _date(call: WireCall) -> datetime | None:
    """`yyyy-mm-dd hh:mm:ss` in Europe/Paris; the seconds may be left out.

    The hour that the end of summer time repeats is the first of the two; one that its beginning leaves out is
    moved on by an hour (our choice, as on NetOxygen's wire).
    """
    written = _value(call, "prog")
    if not written:
        return None
    if _DATE_AND_TIME.fullmatch(written):
        with suppress(ValueError, OverflowError):
            return datetime.fromisoformat(written).replace(tzinfo=TIME_ZONE).astimezone(UTC)
    raise Refusal(
        Fault.INVALID_PARAMETER, f"{written!r} is no date; write it like 2026-03-02 18:30:00", "prog"
    )


CAPITOLE = Dialect(
    name="capitole",
    paths=wire.PATHS,
    read=wire.read,
    operations={
        wire.SEND_SMS: Operation(
            decode_send,
            messages.send,
            wire.encode_sent,
            summary="Send an SMS to one or many mobiles, now or later",
            source="Envoi de SMS par API (dialects.md 2f); codes: Envoi de VMS par API",
        ),
    },
    refuse=wire.refuse,
    notice=wire.notice,
    region="FR",
    shows_balance=True,
)

DIALECTS = (CAPITOLE,)
