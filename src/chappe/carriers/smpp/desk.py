"""Carries out what customers ask over SMPP: the same services as behind every dialect."""

from datetime import datetime, timedelta
from functools import reduce
from operator import or_

import structlog

from chappe.carriers.smpp import exchanges
from chappe.carriers.smpp.deliveries import lonely_receipt, told
from chappe.carriers.smpp.orders import (
    STATES,
    error_of,
    read_order,
    read_replacement,
    status_of,
    wishes,
)
from chappe.carriers.smpp.parts import GIVEN_UP, Joined, Parts
from chappe.carriers.smpp.texts import Brought, Texts, TextSettings
from chappe.model.changes import Changes, Delete, Update
from chappe.model.commands import Accepted, Caller, CancelMessages, Password, Refused, Replay, SendMessages
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Exchange
from chappe.model.jobs import Job
from chappe.model.messages import ENDS, TOLD_BY, Message, MessageState, Part, Told
from chappe.protocols.smpp.bind import Asked
from chappe.protocols.smpp.bodies import (
    Body,
    Cancel,
    Data,
    Destination,
    Empty,
    MultiAnswer,
    MultiMessage,
    Named,
    Query,
    QueryAnswer,
    Replace,
    ShortMessage,
    Unreached,
)
from chappe.protocols.smpp.codes import Command, Status, Tag
from chappe.protocols.smpp.coding import read_coding
from chappe.protocols.smpp.fields import tlv
from chappe.protocols.smpp.receipts import State
from chappe.protocols.smpp.times import write_time
from chappe.services import directory, history, messages, replacements, subscriptions
from chappe.services.ports import Platform

_log = structlog.get_logger()

DELIVER = "deliver_smpp"
"""The kind of job that tells an account over its own binds."""

DIALECT = "smpp"
"""The name under which accounts hold credentials for it, and under which its messages stand."""

_PART_NAME = "p"


class Desk:
    """What customers may ask. The names of messages are the platform's refs; those of the parts of a long
    message are `p` and a number, and each of them gets a receipt."""

    def __init__(self, platform: Platform, patience: timedelta) -> None:
        """`patience` is how long the parts of a long message wait for their others."""
        self.texts = Texts(TextSettings())
        self._platform = platform
        self._parts = Parts(platform, DIALECT, self.texts, patience)

    async def admit(self, offered: Password, peer: str) -> Caller:
        """Who this is. Raises Refusal."""
        return await directory.authenticate(self._platform, DIALECT, [offered], peer)

    def now(self) -> datetime:
        """The platform's time."""
        return self._platform.clock.now()

    def numbered(self, caller: Caller) -> Caller:
        """The caller of one request, whose messages name its exchange."""
        return caller._replace(exchange_id=self._platform.ids.new_id())

    def keep(
        self,
        caller: Caller,
        asked: Asked,
        status: int,
        body: Body | None,
        why: str,
        peer: str,
        seconds: float,
    ) -> None:
        """Keep a request and its answer, written with what is written next; nobody waits for it."""
        assert caller.exchange_id is not None  # `numbered`
        self._platform.store.note(
            Exchange(
                id=caller.exchange_id,
                account_id=caller.account_id,
                at=self._platform.clock.now(),
                dialect=DIALECT,
                verb=asked.command.name.lower(),
                outgoing=False,
                status=status,
                request=exchanges.asked(asked.command, asked.sequence, asked.body),
                answer=exchanges.answered(asked.command, asked.sequence, status, body, why),
                duration_ms=int(seconds * 1000),
                peer=peer,
            )
        )

    async def carry_out(self, caller: Caller, command: Command, body: Body) -> tuple[int, Body | None]:
        """The status of the answer, and its body. Raises Refusal."""
        match body:
            case ShortMessage() | Data():
                return Status.ESME_ROK, Named(await self._submit(caller, body))
            case MultiMessage():
                return Status.ESME_ROK, await self._submit_to_many(caller, body)
            case Query():
                return Status.ESME_ROK, await self._query(caller, body)
            case Cancel():
                return await self._cancel(caller, body), Empty()
            case Replace():
                return await self._replace(caller, body), Empty()
            case _:
                raise Refusal(Fault.UNKNOWN_OPERATION, f"{command.name.lower()} is nothing to ask here")

    # --- sending

    async def _submit(self, caller: Caller, body: ShortMessage | Data) -> str:
        brought = self._read(body)
        if brought.place is not None:
            return await self._take_part(caller, body, brought)
        text, encoding = self.texts.text(brought)
        order = read_order(body, text, encoding, brought.coding, self._platform.clock.now())
        message = await self._send(caller, order)
        if message.state is MessageState.SCHEDULED:
            await self._remember_coding(caller, body, message)
        return message.ref

    async def _remember_coding(self, caller: Caller, body: ShortMessage | Data, message: Message) -> None:
        """A replace_sm says nothing of its alphabet, which is that of the message (SMPP 3.4, 4.10): it is
        kept like the only part of one."""
        alone = Part(
            self._platform.ids.new_id(),
            DIALECT,
            f"{caller.account_id} {message.ref}",
            1,
            1,
            {"data_coding": int(body.data_coding)},
            self._platform.clock.now(),
            message.id,
        )
        await self._platform.store.commit(Changes(insert=[alone]))

    async def _submit_to_many(self, caller: Caller, body: MultiMessage) -> MultiAnswer:
        """One text to many: the answer has the name of the first message, and each receipt that of its own
        (our choice; SMPP has one name for all)."""
        brought = self._read(body)
        if brought.place is not None:
            raise Refusal(
                Fault.UNSUPPORTED, "send parts of long messages by submit_sm, or by message_payload"
            )
        text, encoding = self.texts.text(brought)
        order = read_order(body, text, encoding, brought.coding, self._platform.clock.now())
        outcome = await messages.send(self._platform, caller, order)
        unreached = tuple(
            Unreached(one.ton, one.npi, one.address, _status(result))
            for one, result in zip(body.destinations, outcome.results, strict=True)
            if isinstance(result, Refused) and isinstance(one, Destination)
        )
        taken = [result.message.ref for result in outcome.results if isinstance(result, Accepted)]
        return MultiAnswer(taken[0] if taken else "", unreached)

    async def _send(self, caller: Caller, order: SendMessages) -> Message:
        outcome = await messages.send(self._platform, caller, order)
        [result] = outcome.results
        if isinstance(result, Refused):
            raise Refusal(result.fault, result.detail)
        return result.message

    def _read(self, body: ShortMessage | MultiMessage | Data) -> Brought:
        octets = b"" if isinstance(body, Data) else body.short_message
        return self.texts.read(body.esm_class, body.data_coding, octets, body.tlvs)

    async def _take_part(self, caller: Caller, body: ShortMessage | Data, brought: Brought) -> str:
        """Keep a part; the last one sends the whole. Its name is durable before it is answered."""
        self._platform.store.admit()
        key = f"{caller.account_id} {body.source}>{body.dest}"
        more: dict[str, object] = {
            "registered": int(body.registered_delivery),
            "from": body.source.removeprefix("+"),
            "to": body.dest.removeprefix("+"),
        }
        part = self._parts.part(key, brought, body.data_coding, more)
        await self._platform.store.commit(Changes(insert=[part]))
        joined = await self._parts.whole(part)
        if joined is not None:
            await self._send_whole(caller, body, joined)
        return f"{_PART_NAME}{part.id}"

    async def give_up_parts(self) -> None:
        """Parts whose others have not come in time: whoever wants to hear of failures is told that they have
        expired. Two nodes may look at the same moment; the rows decide."""
        now = self._platform.clock.now()
        for joined in await self._parts.overdue():
            account_id = int(joined.key.partition(" ")[0])
            # A whole one was sent, and what became of its parts could not be written.
            lonely = [] if joined.is_whole else [one for one in joined.parts if _wishes(one) & Told.FAILURE]
            given_up, waiting = {"message_id": GIVEN_UP}, {"message_id": None}
            changes = Changes(
                update=[Update(Part, part.id, None, given_up, waiting) for part in joined.parts],
                enqueue=[
                    subscriptions.own_wire_notice(
                        self._platform, DELIVER, account_id, part.id, MessageState.EXPIRED, now
                    )
                    for part in lonely
                ],
            )
            try:
                await self._platform.store.commit(changes)
            except Refusal as refusal:
                if refusal.fault not in (Fault.TOO_LATE, Fault.NOT_FOUND):
                    raise
                continue
            came, total = len(joined.parts), joined.parts[0].total
            _log.warning("a long message never became whole", account=account_id, came=came, of=total)
            self._platform.metrics.refused[Fault.EXPIRED] += 1
            self._platform.topics.publish(f"account.{account_id}")

    async def lonely(self, job: Job) -> bytes | None:
        """The receipt of a part whose others never came; None where the job is of something else."""
        part = await self._platform.store.queries.part(job.subject)
        if part is None or part.message_id != GIVEN_UP:
            return None
        return lonely_receipt(part, f"{_PART_NAME}{part.id}", told(job)[1])

    async def _send_whole(self, caller: Caller, body: ShortMessage | Data, joined: Joined) -> None:
        store, now = self._platform.store, self._platform.clock.now()
        coding = read_coding(int(str(joined.parts[0].data["data_coding"])))
        told = reduce(or_, map(_wishes, joined.parts))
        order = read_order(body, joined.text, joined.encoding, coding, now)._replace(
            receipt_wanted=bool(told),
            told=None if told == ENDS else told,
            # A crash between this send and the next commit must not send twice.
            replay=Replay(f"smpp part {joined.parts[0].id}", ""),
        )
        try:
            message = await self._send(caller, order)
        except Refusal:
            await store.commit(Changes(delete=[Delete(Part, part.id, None) for part in joined.parts]))
            raise
        became = {"message_id": message.id}
        await store.commit(Changes(update=[Update(Part, part.id, None, became) for part in joined.parts]))

    # --- afterwards

    async def _find(self, caller: Caller, name: str) -> Message | Part | None:
        """The caller's message of a name; a part whose message is not there, or never will be. Raises
        Refusal."""
        number = name.removeprefix(_PART_NAME)
        if number != name and number.isascii() and number.isdigit() and len(number) < 19:
            part = await self._platform.store.queries.part(int(number))
            if part is not None and part.source == DIALECT and part.key.startswith(f"{caller.account_id} "):
                if not part.message_id:
                    return part
                return await self._platform.store.queries.message(caller.account_id, part.message_id)
        found = (await history.by_ref(self._platform, caller.account_id, [name])).get(name)
        if found is None:
            raise Refusal(Fault.NOT_FOUND, f"there is no message {name[:70]}")
        return found

    async def _query(self, caller: Caller, body: Query) -> QueryAnswer:
        message = await self._find(caller, body.message_id)
        if not isinstance(message, Message):
            given_up = message is not None and message.message_id == GIVEN_UP
            return QueryAnswer(body.message_id, "", State.EXPIRED if given_up else State.ENROUTE)
        return QueryAnswer(
            body.message_id, write_time(message.finished_at), STATES[message.state], error_of(message) & 0xFF
        )

    async def _cancel(self, caller: Caller, body: Cancel) -> int:
        if not body.message_id:
            raise Refusal(Fault.NOT_FOUND, "cancel_sm needs the id of one message here")
        message = await self._find(caller, body.message_id)
        if not isinstance(message, Message):
            return Status.ESME_RCANCELFAIL
        [result] = await messages.cancel(self._platform, caller, CancelMessages((message.ref,)))
        return Status.ESME_ROK if isinstance(result, Message) else Status.ESME_RCANCELFAIL

    async def _replace(self, caller: Caller, body: Replace) -> int:
        """Another text, date, end or wish for receipts; an empty text leaves the old one (our choice)."""
        message = await self._find(caller, body.message_id)
        if not isinstance(message, Message) or body.message_id != message.ref:
            _log.info("not replaced", message=body.message_id, why="it is a part of a long message")
            return Status.ESME_RREPLACEFAIL
        text, encoding = "", None
        octets = body.short_message or tlv(body.tlvs, Tag.MESSAGE_PAYLOAD)
        if octets:
            alone = await self._platform.store.queries.parts_of_message(message.id)
            if message.state is MessageState.SCHEDULED and not alone:
                _log.info("not replaced", message=message.ref, why="its alphabet is not known")
                return Status.ESME_RREPLACEFAIL
            if alone:
                coding = int(alone[0].data["data_coding"])  # type: ignore[call-overload]
                brought = self.texts.read(0, coding, octets)
                text, encoding = self.texts.text(brought)
        order = read_replacement(body, message, text, encoding, self._platform.clock.now())
        try:
            await replacements.replace(self._platform, caller, order)
        except Refusal as refusal:
            if refusal.fault is not Fault.TOO_LATE:
                raise
            _log.info("not replaced", message=message.ref, why=refusal.detail)
            return Status.ESME_RREPLACEFAIL
        return Status.ESME_ROK

    async def names(self, message: Message, state: MessageState) -> list[str]:
        """The names that the submits of a message were given and that want to be told of this state."""
        if message.segments > 1:
            found = await self._platform.store.queries.parts_of_message(message.id)
            parts = [part for part in found if part.total > 1]
            wanted = [f"{_PART_NAME}{part.id}" for part in parts if _wishes(part) & TOLD_BY[state]]
            if parts:
                return wanted
        return [message.ref]


def _wishes(part: Part) -> Told:
    return wishes(int(part.data["registered"]))  # type: ignore[call-overload]


def _status(result: Refused) -> int:
    return status_of(Refusal(result.fault, result.detail))
