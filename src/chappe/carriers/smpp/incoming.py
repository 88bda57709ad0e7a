"""What a network brings: receipts and messages from mobiles, acknowledged once they are durable."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import structlog

from chappe.carriers.smpp.connection import Connection
from chappe.carriers.smpp.link import Link
from chappe.carriers.smpp.parts import Joined, Parts
from chappe.carriers.smpp.reports import Dated, Reports
from chappe.carriers.smpp.settings import SmppSettings
from chappe.carriers.smpp.texts import Texts
from chappe.carriers.smpp.units import Unit
from chappe.model.carriers import CarrierRecord
from chappe.model.changes import Changes, Update
from chappe.model.messages import InboundMessage, Part
from chappe.protocols.smpp.bind import Asked
from chappe.protocols.smpp.bodies import Data, ShortMessage
from chappe.protocols.smpp.codes import Status, Tag
from chappe.protocols.smpp.fields import tlv
from chappe.protocols.smpp.receipt_ids import IdRules
from chappe.protocols.smpp.receipts import Report, is_receipt, read_receipt
from chappe.services.ports import CarrierSink, Platform

_log = structlog.get_logger()


class Brought(NamedTuple):
    """A report or a message, and the unit that waits for its acknowledgement."""

    connection: Connection[Unit]
    asked: Asked
    value: Dated | InboundMessage | Part


class Incoming:
    """What came and is not durable yet. `rules` is what was learnt of the ids in receipts."""

    def __init__(self, carrier: str, settings: SmppSettings, platform: Platform, sink: CarrierSink) -> None:
        self.rules = IdRules(settings.message_ids if settings.message_ids != "learn" else "")
        self._carrier = carrier
        self._by_text = settings.receipts_by_text
        self._platform = platform
        self._sink = sink
        self._texts = Texts(settings.texts)
        self._parts = Parts(platform, carrier, self._texts)
        self._reports = Reports(carrier, sink, self.rules)
        self._remembered = ""
        self._waiting: list[Brought] = []

    @property
    def words(self) -> dict[str, int]:
        """The state words of receipts as they were written, counted."""
        return self._reports.words

    def take(self, link: Link, connection: Connection[Unit], asked: Sequence[Asked]) -> None:
        """Read what came; `keep` makes it durable."""
        now = self._platform.clock.now()
        for one in asked:
            body = one.body
            if not isinstance(body, ShortMessage | Data):
                continue
            report = self._report(body)
            value: Dated | InboundMessage | Part
            if report is not None:
                link.receipts += 1
                value = Dated(report, now)
            else:
                link.inbound += 1
                value = self._message(body, now)
            self._waiting.append(Brought(connection, one, value))

    def taken(self) -> list[Brought]:
        """Everything that was taken since the last time."""
        taken, self._waiting = self._waiting, []
        return taken

    async def keep(self, taken: Sequence[Brought]) -> None:
        """Hand it to the platform; then it is durable, and the network is told. What could not be written is
        refused for the moment, so that the network brings it again."""
        reports = [one for one in taken if isinstance(one.value, Dated)]
        if reports:
            await self._keep_reports(reports)
        messages = [one for one in taken if isinstance(one.value, InboundMessage)]
        if messages:
            await asyncio.gather(*(self._keep_message(one) for one in messages))
        parts = [one for one in taken if isinstance(one.value, Part)]
        if parts:
            await self._keep_parts(parts)

    async def give_out(self) -> None:
        """Messages whose last part came long ago, with the gaps that stayed."""
        try:
            for joined in await self._parts.overdue():
                await self._sink.inbound(self._joined(joined))
        except Exception:  # noqa: BLE001 - the loop of a carrier's link
            _log.exception("messages with gaps were not written", carrier=self._carrier)

    async def recall(self) -> None:
        """Take up what was learnt of receipts before."""
        record = await self._record()
        if record is not None:
            self.rules.recall(record.learnt)
            self._remembered = self.rules.rule

    # --- within

    def _report(self, body: ShortMessage | Data) -> Report | None:
        octets = body.short_message if isinstance(body, ShortMessage) else b""
        if is_receipt(body.esm_class, body.tlvs):
            return read_receipt(octets, body.tlvs, body.data_coding)
        named = tlv(body.tlvs, Tag.RECEIPTED_MESSAGE_ID) is not None
        if (self._by_text or named) and b"stat" in octets.lower():
            report = read_receipt(octets, body.tlvs, body.data_coding)
            if report.ids and (report.state is not None or (named and report.word)):
                return report
        return None

    def _message(self, body: ShortMessage | Data, now: datetime) -> InboundMessage | Part:
        octets = body.short_message if isinstance(body, ShortMessage) else b""
        brought = self._texts.read(body.esm_class, body.data_coding, octets, body.tlvs)
        sender = body.source.removeprefix("+")
        if brought.place is not None:
            more: dict[str, object] = {"sender": sender, "to": body.dest}
            return self._parts.part(f"{sender} {body.dest}", brought, body.data_coding, more)
        text, encoding = self._texts.text(brought)
        return InboundMessage(self._carrier, "", sender, body.dest, text, encoding, now)

    async def _keep_reports(self, brought: Sequence[Brought]) -> None:
        """All at once; where that fails, one by one, so that one that nobody can write holds up no other."""
        status = Status.ESME_ROK
        try:
            await self._reports.keep([one.value for one in brought if isinstance(one.value, Dated)])
            await self._remember()
        except Exception:  # noqa: BLE001 - the loop of a carrier's link
            if len(brought) > 1 and self._sink.holds():
                for one in brought:
                    await self._keep_reports([one])
                return
            _log.exception("a receipt was not written", carrier=self._carrier, count=len(brought))
            status = Status.ESME_RX_T_APPN
        by_connection: dict[Connection[Unit], list[Asked]] = {}
        for one in brought:
            by_connection.setdefault(one.connection, []).append(one.asked)
        for connection, asked in by_connection.items():
            connection.acknowledge(asked, status)

    async def _keep_message(self, brought: Brought) -> None:
        status = Status.ESME_ROK
        try:
            assert isinstance(brought.value, InboundMessage)
            await self._sink.inbound(brought.value)
        except Exception:  # noqa: BLE001 - the loop of a carrier's link
            _log.exception("an inbound message was not written", carrier=self._carrier)
            status = Status.ESME_RX_T_APPN
        brought.connection.acknowledge([brought.asked], status)

    async def _keep_parts(self, brought: Sequence[Brought]) -> None:
        """Keep parts and acknowledge them; the network may send the next one only then. A message that they
        complete and that cannot be written at this moment is given out later with those that have gaps."""
        parts = [one.value for one in brought if isinstance(one.value, Part)]
        status = Status.ESME_ROK
        try:
            await self._platform.store.commit(Changes(insert=parts))
        except Exception:  # noqa: BLE001 - the loop of a carrier's link
            _log.exception("parts of messages were not written", carrier=self._carrier, count=len(parts))
            status = Status.ESME_RX_T_APPN
        for one in brought:
            one.connection.acknowledge([one.asked], status)
        if status:
            return
        try:
            for part in parts:
                joined = await self._parts.whole(part)
                if joined is not None:
                    await self._sink.inbound(self._joined(joined))
        except Exception:  # noqa: BLE001 - the loop of a carrier's link
            _log.exception("a message in parts was not written", carrier=self._carrier)

    def _joined(self, joined: Joined) -> InboundMessage:
        first = joined.parts[0]
        return InboundMessage(
            self._carrier,
            "",
            str(first.data["sender"]),
            str(first.data["to"]),
            joined.text,
            joined.encoding,
            self._platform.clock.now(),
            tuple(part.id for part in joined.parts),
        )

    async def _remember(self) -> None:
        """Keep what was learnt when it changes; the console's record of the carrier has a place for it."""
        if self.rules.rule == self._remembered:
            return
        record = await self._record()
        if record is not None:
            learnt = {"learnt": self.rules.data()}
            self._platform.store.later(Changes(update=[Update(CarrierRecord, record.id, None, learnt)]))
            self._remembered = self.rules.rule

    async def _record(self) -> CarrierRecord | None:
        records = await self._platform.store.queries.carrier_records()
        return next((record for record in records if record.name == self._carrier), None)
