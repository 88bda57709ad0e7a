"""The network of virtual telephones: takes every message, shows it on its telephone, sends receipts as the
telephone was told to."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from chappe.model.carriers import CarrierStatus, LinkState
from chappe.model.changes import Changes
from chappe.model.directory import HandsetItem
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault
from chappe.model.jobs import Job
from chappe.model.messages import Message, MessageState, Receipt, Submission
from chappe.services import sandbox
from chappe.services.ports import CarrierSink, JobKind, Platform
from chappe.services.sandbox import Behaviour, ReceiptKind, RefuseKind

_TEMPORARY_PAUSE = 5.0
_THROTTLED_PAUSE = 1.0

# The words of SMPP receipts (SMPP 3.4 issue 1.2, appendix B), so that the console shows what a real
# network would say.
_CODE = {
    ReceiptKind.DELIVERED: "DELIVRD",
    ReceiptKind.UNDELIVERED: "UNDELIV",
    ReceiptKind.EXPIRED: "EXPIRED",
    ReceiptKind.REJECTED: "REJECTD",
}


class SandboxCarrier:
    """A message carrier without a network."""

    name = sandbox.CARRIER
    window = 200
    waits_after_crash = False

    def __init__(self, platform: Platform, sink: CarrierSink, late: CarrierSink | None = None) -> None:
        self._platform = platform
        self._sink = sink
        # Delayed receipts are jobs, which any node may do: their sink needs no lease.
        self._late = late or sink

    async def run(self) -> None:
        """There is no link to hold."""
        await asyncio.Event().wait()

    def status(self) -> CarrierStatus:
        """See services/ports.py."""
        return CarrierStatus(self.name, "sandbox", LinkState.UP)

    async def submit(self, batch: Sequence[Message]) -> None:
        """Answer each message as its telephone behaves."""
        answers: list[Submission] = []
        early: list[Receipt] = []
        prompt: list[Receipt] = []
        delayed: list[Job] = []
        arrived: list[HandsetItem] = []
        behaviours = {
            (message.account_id, message.peer): await sandbox.behaviour_of(
                self._platform, message.account_id, message.peer
            )
            for message in batch
        }
        for message in batch:
            behaviour = behaviours[message.account_id, message.peer]
            if behaviour.refuse is not None:
                answers.append(_refusal(message, behaviour.refuse))
                continue
            carrier_id = f"{message.id:x}"
            answers.append(Submission(message.id, (carrier_id,)))
            if behaviour.receipt in (ReceiptKind.DELIVERED, ReceiptKind.NONE):
                arrived.append(self._item(message))
            receipts = self._receipts(message, carrier_id, behaviour)
            if behaviour.receipt_before_answer:
                early += receipts
            elif behaviour.receipt_after_ms:
                delayed += [sandbox.receipt_job(self._platform, message, receipt) for receipt in receipts]
            else:
                prompt += receipts
        if early:
            await self._sink.receipts(early)
        if arrived or delayed:
            await self._platform.store.commit(Changes(insert=arrived, enqueue=delayed))
        for account_id, number in {(item.account_id, item.number) for item in arrived}:
            await sandbox.touch(self._platform, account_id, number)
        await self._sink.submitted(answers)
        if prompt:
            await self._sink.receipts(prompt)
        if delayed:
            self._platform.topics.publish("jobs")

    async def bring_receipt(self, platform: Platform, job: Job) -> str:
        """The job of a delayed receipt."""
        state = MessageState(str(job.payload["state"]))
        receipt = Receipt(
            self.name, str(job.payload["carrier_id"]), state, str(job.payload["code"]), platform.clock.now()
        )
        if await self._late.receipts([receipt]) == [None]:
            # The node that submits has not written its answer yet.
            raise CarrierError(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, "unknown id")
        return f"receipt {state}"

    @property
    def job_kinds(self) -> dict[str, JobKind]:
        """The kinds of job that this carrier brings."""
        return {sandbox.RECEIPT: JobKind(self.bring_receipt, (timedelta(seconds=1),) * 5)}

    def _item(self, message: Message) -> HandsetItem:
        return HandsetItem(
            id=self._platform.ids.new_id(),
            account_id=message.account_id,
            number=message.peer,
            other=message.address,
            text=message.text,
            incoming=True,
            flash=message.flash,
            at=self._platform.clock.now(),
            message_id=message.id,
        )

    def _receipts(self, message: Message, carrier_id: str, behaviour: Behaviour) -> list[Receipt]:
        state = sandbox.STATE_OF_RECEIPT.get(behaviour.receipt)
        if state is None or not message.receipt_wanted:
            return []
        at = self._platform.clock.now() + timedelta(milliseconds=behaviour.receipt_after_ms)
        receipt = Receipt(self.name, carrier_id, state, _CODE[behaviour.receipt], at)
        return [receipt] * (1 + behaviour.duplicate_receipts)


def _refusal(message: Message, refuse: RefuseKind) -> Submission:
    match refuse:
        case RefuseKind.PERMANENT:
            return Submission(message.id, fault=Fault.CARRIER_REJECTED, code="ESME_RINVDSTADR")
        case RefuseKind.TEMPORARY:
            return Submission(
                message.id,
                fault=Fault.CARRIER_UNAVAILABLE,
                code="ESME_RSYSERR",
                retry_after=_TEMPORARY_PAUSE,
            )
        case RefuseKind.THROTTLED:
            return Submission(
                message.id,
                fault=Fault.CARRIER_UNAVAILABLE,
                code="ESME_RTHROTTLED",
                retry_after=_THROTTLED_PAUSE,
            )
