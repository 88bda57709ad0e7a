"""Messages as the submit_sm units that carry them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from chappe.carriers.smpp.settings import SmppSettings, TonNpi
from chappe.carriers.smpp.texts import Texts
from chappe.model.messages import Message
from chappe.model.numbers import is_short_code
from chappe.protocols.smpp.bodies import ShortMessage
from chappe.protocols.smpp.pdus import MessageForm, encode_message, message_form


@dataclass(slots=True, eq=False)
class Work:
    """A message on its way: the ids of its segments so far, and how many are missing; `over` when its fate
    has been told, whatever else comes."""

    message_id: int
    expires_at: datetime | None
    ids: list[str]
    missing: int
    over: bool = False


@dataclass(slots=True, eq=False)
class Unit:
    """One submit_sm of a message: which segment, and the bytes of its body."""

    work: Work
    segment: int
    body: bytes


class Units:
    """Turns messages into units, in the manner that the settings ask for."""

    def __init__(self, settings: SmppSettings) -> None:
        self._settings = settings
        self._texts = Texts(settings.texts)
        self._form = lru_cache(maxsize=4096)(self._make_form)

    def of(self, message: Message, now: datetime) -> list[Unit]:
        """The units of a message, one a segment. Raises ValueError for what has no room."""
        bodies = self._bodies(message, now)
        work = Work(message.id, message.expires_at, [""] * len(bodies), len(bodies))
        return [Unit(work, segment, body) for segment, body in enumerate(bodies)]

    def _bodies(self, message: Message, now: datetime) -> list[bytes]:
        parts = self._texts.parts(message.text, message.encoding, message.flash, _reference(message.id))
        sender, wanted, end = message.address, message.receipt_wanted, self._end(message.expires_at, now)
        return [
            encode_message(
                self._form(sender, part.data_coding, part.esm_class, wanted, end),
                message.peer,
                part.octets,
                part.tlvs,
            )
            for part in parts
        ]

    def _make_form(
        self, sender: str, coding: int, esm_class: int, receipt_wanted: bool, end: int | None
    ) -> MessageForm:
        settings = self._settings
        ton, npi = self._ton_npi(sender)
        told = absolute if settings.validity == "absolute" else relative
        return message_form(
            ShortMessage(
                service_type=settings.service_type,
                source_ton=ton,
                source_npi=npi,
                source=sender,
                dest_ton=settings.dest_ton_npi[0],
                dest_npi=settings.dest_ton_npi[1],
                esm_class=esm_class,
                protocol_id=settings.protocol_id,
                priority=settings.priority,
                validity="" if end is None else told(end),
                registered_delivery=1 if receipt_wanted else 0,
                data_coding=coding,
            )
        )

    def _ton_npi(self, sender: str) -> TonNpi:
        if not sender:
            return (0, 0)  # the network's own choice of sender (SMPP 3.4, 4.4.1)
        if is_short_code(sender):
            return self._settings.short_code_ton_npi
        if sender.isascii() and sender.isdigit():
            return self._settings.number_ton_npi
        return self._settings.text_ton_npi

    def _end(self, end: datetime | None, now: datetime) -> int | None:
        """The end of validity in whole seconds, since 1970 or from now on as it is to be told; None for not
        at all."""
        if end is None or self._settings.validity == "none":
            return None
        return (
            int(end.timestamp())
            if self._settings.validity == "absolute"
            else int((end - now).total_seconds())
        )


def _reference(message_id: int) -> int:
    """What joins the segments of a message, always the same: segments that are sent again join those that
    came before. The low bits of ids are mostly zeros, so all of them are mixed (D. E. Knuth, The Art of
    Computer Programming, 6.4)."""
    return (message_id * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 48


def absolute(seconds: int) -> str:
    """A time in seconds since 1970 as SMPP writes it, in UTC (3.4, 7.1.1)."""
    return f"{datetime.fromtimestamp(seconds, UTC):%y%m%d%H%M%S}000+"


def relative(seconds: int) -> str:
    """Seconds from now on as SMPP writes them (3.4, 7.1.1.1), months as 30 days and years as 365."""
    days, rest = divmod(max(1, seconds), 86_400)
    years, days = divmod(days, 365)
    months, days = divmod(days, 30)
    return f"{min(years, 99):02}{months:02}{days:02}{rest // 3600:02}{rest // 60 % 60:02}{rest % 60:02}000R"
