"""The protocols of the outside, and Platform, the one bag of them that every service is given."""

from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

from chappe.model.announcements import (
    Announcement,
    Count,
    FindAnnouncement,
    ListAnnouncements,
    Recipient,
)
from chappe.model.callbacks import (
    BlockedAddress,
    CallbackForm,
    CallbackRequest,
    FormFile,
    KeptFormFile,
    ListCallbacks,
)
from chappe.model.calls import (
    Arrival,
    Call,
    Dialogue,
    HangUpCause,
    Leg,
    LegEvent,
    Recorded,
    Recording,
    TransferAsked,
)
from chappe.model.carriers import CarrierRecord, CarrierStatus, Lease
from chappe.model.changes import Changes, Committed
from chappe.model.commands import ListCalls, ListMessages
from chappe.model.conferences import Conference, ListConferences, Participant
from chappe.model.directory import (
    Account,
    BlacklistEntry,
    Credential,
    Handset,
    HandsetItem,
    Keyword,
    Line,
    OwnNumber,
    ShortCode,
    Subscription,
    User,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.events import Event
from chappe.model.history import Exchange, StoredOutcome
from chappe.model.jobs import Job
from chappe.model.ledger import LedgerEntry, Route, Tariff
from chappe.model.limits import CallCounts, CallLimits
from chappe.model.messages import EarlyReceipt, InboundMessage, Message, Part, Receipt, Segment, Submission
from chappe.model.metrics import Metrics, Minute
from chappe.model.network import Depth, Waiting
from chappe.model.openinghours import OpeningHours
from chappe.model.outgoing import Answer, Mail, Outgoing
from chappe.model.programs import Grant, Program
from chappe.model.recordings import ListRecordings, UploadedSound
from chappe.model.rights import MarketingBasis, RegisteredSender
from chappe.model.ringgroups import Operator, RingGroup
from chappe.model.sounds import Sound, Speech
from chappe.services.carriers import Carriers
from chappe.services.door import Door
from chappe.services.guard import Guard
from chappe.services.handover import Handover
from chappe.services.livecalls import LiveCalls
from chappe.services.routing import Router


class Queries(Protocol):
    """Every question asked of the store that is more than "by id"; each is a plain function of the same
    name and arguments in store/queries.py. Lists are newest first and at most `limit` long."""

    async def account(self, account_id: int) -> Account | None: ...
    async def account_named(self, name: str) -> Account | None: ...
    async def user(self, account_id: int, user_id: int) -> User | None: ...
    async def user_by_email(self, email: str) -> User | None: ...
    async def users(self, account_id: int) -> tuple[User, ...]: ...
    async def credential_by_login(self, dialect: str, login: str) -> Credential | None: ...
    async def credentials(self, account_id: int) -> tuple[Credential, ...]: ...

    async def message(self, account_id: int, message_id: int) -> Message | None: ...
    async def messages_by_ref(self, account_id: int, refs: Sequence[str]) -> tuple[Message, ...]: ...
    async def list_messages(self, account_id: int, search: ListMessages) -> tuple[Message, ...]: ...
    async def messages_by_id(self, ids: Sequence[int]) -> tuple[Message, ...]: ...
    async def due_messages(
        self, carrier: str, now: datetime, limit: int, without: Sequence[int]
    ) -> tuple[Message, ...]: ...
    async def scheduled_messages(self, now: datetime, limit: int) -> tuple[Message, ...]: ...
    async def scheduled_advertising(self, account_id: int, peer: str, limit: int) -> tuple[Message, ...]: ...
    async def expired_messages(self, now: datetime, limit: int) -> tuple[Message, ...]: ...
    async def messages_by_carrier_id(
        self, carrier: str, carrier_ids: Sequence[str]
    ) -> tuple[tuple[str, Message], ...]: ...
    async def segments_of(self, message_ids: Sequence[int]) -> tuple[Segment, ...]: ...
    async def next_due(self) -> datetime | None: ...
    async def early_receipts(self, carrier: str, carrier_ids: Sequence[str]) -> tuple[EarlyReceipt, ...]: ...
    async def parked_with(self, carrier: str, limit: int) -> tuple[EarlyReceipt, ...]: ...
    async def parts_of_key(self, source: str, key: str) -> tuple[Part, ...]: ...
    async def keys_of_old_parts(self, source: str, before: datetime, limit: int) -> tuple[str, ...]: ...
    async def parts_of_message(self, message_id: int) -> tuple[Part, ...]: ...
    async def recent_senders(
        self, peer: str, address: str, since: datetime
    ) -> tuple[tuple[int, int], ...]: ...
    async def session_owner(self, peer: str, address: str, now: datetime) -> Message | None: ...
    async def traffic(self, account_id: int, since: datetime) -> tuple[tuple[str, str, int], ...]: ...

    async def blacklisted(self, account_id: int, numbers: Sequence[str]) -> frozenset[str]: ...
    async def blacklist_entry(self, account_id: int, number: str) -> BlacklistEntry | None: ...
    async def blacklist(
        self, account_id: int, cursor: int | None, limit: int, skip: int = 0
    ) -> tuple[BlacklistEntry, ...]: ...
    async def ledger(self, account_id: int, cursor: int | None, limit: int) -> tuple[LedgerEntry, ...]: ...
    async def tariffs(self) -> tuple[Tariff, ...]: ...

    async def routes(self) -> tuple[Route, ...]: ...
    async def carrier_records(self) -> tuple[CarrierRecord, ...]: ...
    async def queue_depths(self, now: datetime, most: int) -> tuple[Depth, ...]: ...
    async def queued_messages(
        self, carrier: str, after: tuple[datetime, int] | None, limit: int
    ) -> tuple[Waiting, ...]: ...
    async def movable_messages(
        self, carrier: str, without: Sequence[int], limit: int
    ) -> tuple[Waiting, ...]: ...
    async def scheduled_ahead(
        self, after: tuple[datetime, int] | None, limit: int
    ) -> tuple[Waiting, ...]: ...
    async def count_scheduled(self, most: int) -> int: ...
    async def parked_receipts(self, cursor: int | None, limit: int) -> tuple[EarlyReceipt, ...]: ...
    async def count_dead(self, account_id: int | None, most: int) -> int: ...
    async def dead_deliveries(
        self, account_id: int | None, cursor: int | None, limit: int
    ) -> tuple[Job, ...]: ...
    async def account_names(self, account_ids: Sequence[int]) -> Mapping[int, str]: ...
    async def newest_accounts(self, cursor: int | None, limit: int) -> tuple[Account, ...]: ...
    async def minutes(self, since: datetime) -> tuple[Minute, ...]: ...

    async def live_bases(self, account_id: int, numbers: Sequence[str]) -> Mapping[str, MarketingBasis]: ...
    async def withdrawn_numbers(self, account_id: int, numbers: Sequence[str]) -> frozenset[str]: ...
    async def marketing_bases(
        self, account_id: int, number: str, cursor: int | None, limit: int
    ) -> tuple[MarketingBasis, ...]: ...
    async def registered_senders(self, account_id: int) -> tuple[RegisteredSender, ...]: ...
    async def spent(self, account_id: int, day: str) -> int: ...
    async def block_record(
        self, account_id: int, block: str, since: datetime, until: datetime
    ) -> tuple[int, int]: ...

    async def call(self, account_id: int, call_id: int) -> Call | None: ...
    async def call_by_ref(self, account_id: int, ref: str) -> Call | None: ...
    async def list_calls(self, account_id: int, search: ListCalls) -> tuple[Call, ...]: ...
    async def legs_of(self, account_id: int, call_ids: Sequence[int]) -> tuple[Leg, ...]: ...
    async def dialogues_of(self, account_id: int, call_id: int) -> tuple[Dialogue, ...]: ...
    async def legs_of_number(self, account_id: int, number: str, limit: int) -> tuple[Leg, ...]: ...
    async def open_legs(self, account_id: int, limit: int) -> tuple[Leg, ...]: ...
    async def call_counts(self, limits: CallLimits) -> CallCounts: ...
    async def cost_of_line(self, account_id: int, line: str, since: datetime) -> int: ...
    async def calls_placed(self, account_id: int, since: datetime) -> tuple[int, int]: ...
    async def refs_of_calls(self, account_id: int, ids: Sequence[int]) -> Mapping[int, str]: ...
    async def recordings(
        self, account_id: int, call_id: int | None, search: ListRecordings
    ) -> tuple[Recording, ...]: ...
    async def recording(self, account_id: int, recording_id: int) -> Recording | None: ...
    async def recording_by_ref(self, account_id: int, ref: str) -> Recording | None: ...
    async def recordings_of(self, account_id: int, call_id: int) -> tuple[Recording, ...]: ...
    async def messages_of_line(
        self, account_id: int, line: str, cursor: int | None, limit: int, skip: int = 0
    ) -> tuple[Recording, ...]: ...
    async def waiting_messages(self, lines: Sequence[str]) -> Mapping[str, tuple[int, int]]: ...
    async def old_recordings(self, before: datetime, limit: int) -> tuple[Recording, ...]: ...
    async def sounds(self, account_id: int, cursor: int | None, limit: int) -> tuple[UploadedSound, ...]: ...
    async def count_sounds(self, account_id: int) -> int: ...
    async def sound_by_ref(self, account_id: int, ref: str) -> UploadedSound | None: ...
    async def abandoned_calls(self, before: datetime, limit: int) -> tuple[Call, ...]: ...

    async def conference(self, account_id: int, conference_id: int) -> Conference | None: ...
    async def conference_by_ref(self, account_id: int, ref: str) -> Conference | None: ...
    async def conference_of_call(self, account_id: int, call_id: int) -> Conference | None: ...
    async def list_conferences(self, account_id: int, asked: ListConferences) -> tuple[Conference, ...]: ...
    async def open_conferences(self, account_id: int) -> int: ...
    async def participants_of(self, account_id: int, conference_id: int) -> tuple[Participant, ...]: ...
    async def participant_by_ref(self, account_id: int, ref: str) -> Participant | None: ...
    async def conference_of_code(self, number: str, code: str) -> Conference | None: ...
    async def conferences_knowing(
        self, number: str, caller: str, limit: int
    ) -> tuple[tuple[Conference, Participant], ...]: ...

    async def hours_named(self, account_id: int, name: str) -> OpeningHours | None: ...
    async def current_hours(self, account_id: int, name: str) -> OpeningHours | None: ...
    async def list_hours(
        self, account_id: int, cursor: int | None, limit: int
    ) -> tuple[OpeningHours, ...]: ...
    async def count_hours(self, account_id: int) -> int: ...
    async def ring_groups(self, account_id: int) -> tuple[RingGroup, ...]: ...
    async def ring_group_named(self, account_id: int, name: str) -> RingGroup | None: ...
    async def operators_of(self, account_id: int, group_ids: Sequence[int]) -> tuple[Operator, ...]: ...
    async def callback_form(self, account_id: int, form_id: int) -> CallbackForm | None: ...
    async def callback_form_numbered(self, account_id: int, form_number: int) -> CallbackForm | None: ...
    async def callback_form_by_ref(self, account_id: int, ref: str) -> CallbackForm | None: ...
    async def public_callback_form(self, ref: str) -> CallbackForm | None: ...
    async def callback_forms(self, account_id: int) -> tuple[CallbackForm, ...]: ...
    async def callback_form_files(self, account_id: int, form_id: int) -> tuple[KeptFormFile, ...]: ...
    async def callback_form_file(
        self, account_id: int, form_id: int, file: FormFile
    ) -> KeptFormFile | None: ...
    async def callback(self, account_id: int, callback_id: int) -> CallbackRequest | None: ...
    async def callback_numbered(self, account_id: int, callback_number: int) -> CallbackRequest | None: ...
    async def callback_by_ref(self, account_id: int, ref: str) -> CallbackRequest | None: ...
    async def callback_of_call(self, account_id: int, call_id: int) -> CallbackRequest | None: ...
    async def list_callbacks(
        self, account_id: int, form_id: int | None, wanted: ListCallbacks
    ) -> tuple[CallbackRequest, ...]: ...
    async def waiting_callbacks(
        self, account_id: int, form_id: int, limit: int
    ) -> tuple[CallbackRequest, ...]: ...
    async def repeated_callback(
        self, account_id: int, form_id: int, visitor: str, since: datetime
    ) -> CallbackRequest | None: ...
    async def callbacks_since(
        self, account_id: int, since: datetime, form_id: int, network: str
    ) -> tuple[int, int]: ...
    async def blocked_addresses(self, account_id: int) -> tuple[BlockedAddress, ...]: ...
    async def busy_numbers(self, account_id: int, numbers: Sequence[str]) -> frozenset[str]: ...

    async def announcement(self, account_id: int, announcement_id: int) -> Announcement | None: ...
    async def announcement_by_ref(self, account_id: int, ref: str) -> Announcement | None: ...
    async def list_announcements(
        self, account_id: int, asked: ListAnnouncements
    ) -> tuple[Announcement, ...]: ...
    async def open_announcements(self, account_id: int) -> int: ...
    async def recipients_of(
        self, account_id: int, announcement_id: int, asked: FindAnnouncement
    ) -> tuple[Recipient, ...]: ...
    async def recipient(self, account_id: int, recipient_id: int) -> Recipient | None: ...
    async def recipient_of_call(self, account_id: int, call_id: int) -> Recipient | None: ...
    async def due_recipients(
        self, account_id: int, announcement_id: int, now: datetime, limit: int
    ) -> tuple[Recipient, ...]: ...
    async def next_recipient_at(self, account_id: int, announcement_id: int) -> datetime | None: ...
    async def count_recipients(
        self, account_id: int, announcement_ids: Sequence[int]
    ) -> Mapping[int, Count]: ...

    async def short_codes(self) -> tuple[ShortCode, ...]: ...
    async def own_numbers(self, account_id: int) -> tuple[OwnNumber, ...]: ...
    async def programs(self, account_id: int) -> tuple[Program, ...]: ...
    async def program_by_client_id(self, client_id: str) -> Program | None: ...
    async def program_names(self, ids: Sequence[int]) -> Mapping[int, str]: ...
    async def grants(self, account_id: int) -> tuple[Grant, ...]: ...
    async def grant(self, grant_id: int) -> Grant | None: ...
    async def grant_by_code(self, code_hash: str) -> Grant | None: ...
    async def grant_by_refresh(self, refresh_hash: str) -> Grant | None: ...
    async def lines(self, account_id: int) -> tuple[Line, ...]: ...
    async def line_by_number(self, number: str) -> Line | None: ...
    async def line_by_short_number(self, account_id: int, short_number: str) -> Line | None: ...
    async def telephone_numbers(self) -> frozenset[str]: ...
    async def line_by_sip_user(self, user: str) -> Line | None: ...
    async def registered_lines(self, now: datetime) -> tuple[Line, ...]: ...
    async def telephone_lines(self) -> tuple[Line, ...]: ...
    async def owner_of_number(self, number: str) -> OwnNumber | None: ...
    async def numbers_between(self, low: str, high: str) -> tuple[str, ...]: ...
    async def keywords(self, account_id: int) -> tuple[Keyword, ...]: ...
    async def keywords_of_code(self, short_code: str) -> tuple[Keyword, ...]: ...

    async def subscriptions(self, account_id: int) -> tuple[Subscription, ...]: ...
    async def subscriptions_in_force(self, account_id: int) -> tuple[Subscription, ...]: ...
    async def deliveries(
        self, account_id: int, state: str, cursor: int | None, limit: int
    ) -> tuple[Job, ...]: ...
    async def delivery(self, account_id: int, job_id: int) -> Job | None: ...
    async def notices_of(self, account_id: int, subject: int) -> tuple[Job, ...]: ...
    async def exchange(self, account_id: int, exchange_id: int) -> Exchange | None: ...
    async def exchanges_of_jobs(self, account_id: int, job_ids: Sequence[int]) -> tuple[Exchange, ...]: ...
    async def exchanges(self, account_id: int, cursor: int | None, limit: int) -> tuple[Exchange, ...]: ...
    async def replay(self, account_id: int, key: str) -> StoredOutcome | None: ...

    async def handsets(self, account_id: int) -> tuple[Handset, ...]: ...
    async def handset(self, account_id: int, number: str) -> Handset | None: ...
    async def handset_items(self, account_id: int, number: str, limit: int) -> tuple[HandsetItem, ...]: ...

    async def jobs_of_kind(self, account_id: int, kind: str, limit: int) -> tuple[Job, ...]: ...
    async def part(self, part_id: int) -> Part | None: ...
    async def next_job_at(self) -> datetime | None: ...


REMEMBERED = "remembered"
"""The topic that tells of changes to what nodes remember of the store."""


class Store(Protocol):
    """Durable records. Writes are values, reads are named queries."""

    @property
    def queries(self) -> Queries: ...

    def forget_remembered(self) -> None:
        """Forget the few answers that are remembered: another node has changed what they are about."""
        ...

    async def commit(self, changes: Changes) -> Committed:
        """Write all or nothing, durably (synced) when it returns. Raises Refusal: see Changes; Unavailable
        when the database cannot."""
        ...

    def later(self, changes: Changes, *, soon: bool = False) -> "Future[Committed]":
        """Write with the next group, after all that was asked before: in a moment where there is none, or at
        once (`soon`). Nobody need wait; lost if the process dies before."""
        ...

    async def written(self) -> None:
        """Return when all is written that was asked until now."""
        ...

    def note(self, record: object) -> None:
        """Insert a record that is only kept to be looked at, or write how a job went (JobResult), soon and
        without waiting; lost if the process dies before."""
        ...

    def admit(self) -> None:
        """Raise Unavailable where nothing more may be accepted: the disk is nearly full, or writing does not
        keep up. To be asked before work is taken from outside; what was taken is written as long as it can
        be."""
        ...

    def heed_pressure(self, hold: Callable[[], None], let_go: Callable[[], None]) -> None:
        """Call `hold` when clients should be read no more, because writing does not keep up, and `let_go`
        when they may be again: also before `admit` refuses them."""
        ...

    async def answers(self) -> None:
        """Return when the database has answered. Raises Unavailable."""
        ...

    def look_at_disk(self, least: int) -> None:
        """Accept nothing (see `admit`) while less than this many bytes are free."""
        ...

    async def claim_jobs(self, now: datetime, until: datetime, limit: int) -> tuple[Job, ...]:
        """Due jobs, marked as running until `until`; none is given to two claimants."""
        ...

    async def gather_contacts(self, now: datetime) -> int:
        """Note who wrote to which mobile, from the messages of the last time; returns how many those were."""
        ...

    async def forget_contacts(self, now: datetime) -> int:
        """Forget contacts after 90 days, the longest that anybody asks for; returns how many those were."""
        ...

    async def keep_claims(self, job_ids: Sequence[int], until: datetime) -> None:
        """Jobs that are still being done, until then; to be said again before the claim runs out."""
        ...

    async def ended_nodes(self) -> frozenset[str]:
        """The nodes whose own lease (`node.NAME`) is over or was left, by the database's clock."""
        ...

    async def free_claims(self, node: str) -> None:
        """Let others do at once what a node was doing, and forget it; nothing where its lease goes on."""
        ...

    async def forget(self, now: datetime, limit: int) -> int:
        """Erase up to `limit` rows of each kind that are older than their retention; returns how many.

        Message texts, exchanges and finished jobs 30 days, stored outcomes and early receipts 72 hours
        (ARCHITECTURE.md section 19).
        """
        ...

    async def hold_leases(self, names: Sequence[str], holder: str, seconds: float) -> tuple[Lease, ...]:
        """Take or renew those of these leases that are free, over, or already the holder's, from now on
        by the database's clock; returns them. `fence` grows when the holder is another one than last."""
        ...

    async def leave_leases(self, holder: str) -> None:
        """End a holder's leases, for others to take them at once."""
        ...

    async def count_up(self, name: str) -> int:
        """The next number of a counter, from 1 on; durable, and never told twice."""
        ...

    async def take_turn(self, account_id: int, group_id: int) -> int | None:
        """The turn of a ring group, which is the next one's from then on; None where there is none."""
        ...

    async def adopt(self, records: Sequence[ShortCode | Route | Tariff]) -> None:
        """Insert records of the settings file that are not there yet; routes and tariffs of which the file
        says something new since it was last adopted get its values."""
        ...


class Clock(Protocol):
    """The time, aware, UTC."""

    def now(self) -> datetime: ...


class Ids(Protocol):
    """Where new names come from."""

    def new_id(self) -> int:
        """A number that grows, below 2**63, unique over all nodes."""
        ...

    def new_ref(self) -> str:
        """An opaque, sortable name of 26 characters [0-9a-z]."""
        ...

    def new_names(self, count: int) -> list[tuple[int, str]]:
        """An id and a ref for each of so many records."""
        ...

    def new_batch(self, count: int) -> tuple[int, list[tuple[int, str]]]:
        """The same, after an id for what joins them."""
        ...

    def secret(self, length: int) -> bytes:
        """Random bytes nobody can guess."""
        ...


class Waiter(Protocol):
    """A live wire to one topic."""

    async def wait(self, timeout: float | None = None) -> bool:
        """Until something is published (True), or the timeout in seconds (False). Publications that came
        since the last wait count."""
        ...


class Topics(Protocol):
    """Wake-ups and screens; may lose messages, nothing correct depends on them."""

    def publish(self, topic: str) -> None: ...

    def subscribe(self, topic: str) -> AbstractContextManager[Waiter]: ...

    async def run(self) -> None:
        """Hear other nodes, and let them hear this one, until cancelled."""
        ...


class WebClient(Protocol):
    """Requests to customers' URLs, guarded."""

    async def send(self, outgoing: Outgoing) -> Answer:
        """Raises Refusal `destination_forbidden` for a forbidden address (permanent) or CarrierError
        (temporary) when there was no answer."""
        ...


class Mailer(Protocol):
    """Outgoing mail."""

    async def send(self, mail: Mail) -> None:
        """Raises CarrierError, permanent or temporary."""
        ...


class CarrierSink(Protocol):
    """What carriers tell the platform; each returns after the commit that holds the fact."""

    def holds(self) -> bool:
        """Whether this node may still work the carrier; to be asked before every write of a submission,
        because a node that was frozen may wake up when another one has taken over."""
        ...

    async def submitted(self, batch: Sequence[Submission]) -> None: ...

    async def receipts(self, batch: Sequence[Receipt]) -> Sequence[str | None]:
        """For each receipt the form of its id under which a message was found, None for none (parked)."""
        ...

    async def inbound(self, message: InboundMessage) -> None: ...


class MessageCarrier(Protocol):
    """A network that takes messages."""

    @property
    def name(self) -> str: ...

    @property
    def window(self) -> int:
        """How many messages it takes unanswered at this moment; 0 while no link is up."""
        ...

    @property
    def waits_after_crash(self) -> bool:
        """Whether a message whose answer got lost waits for its receipt instead of being sent again:
        then it is marked `sending` before its first byte leaves."""
        ...

    def status(self) -> CarrierStatus:
        """What it is doing."""
        ...

    async def submit(self, batch: Sequence[Message]) -> None:
        """Take messages; answers come through the sink, also those of messages that it keeps back for a
        while because the network throttles. Raises CarrierError when it takes none."""
        ...

    async def run(self) -> None:
        """Hold the connections until cancelled."""
        ...


class RecordWanted(NamedTuple):
    """What is to be recorded: a leg (what it says), else a room. With `ends_on_key` the key `#` ends it, as
    do `silence_seconds` without a sound (0: no such end)."""

    leg_id: int | None
    room: int
    longest_seconds: int
    ends_on_key: bool = False
    silence_seconds: int = 0


class VoiceSink(Protocol):
    """What voice carriers tell the platform: at once, and in the order in which it happens to a leg."""

    def leg_event(self, event: LegEvent) -> None: ...

    def leg_arrived(self, arrival: Arrival) -> None:
        """Somebody calls; the carrier waits to be asked for something of the leg."""
        ...

    def recorded(self, recorded: Recorded) -> None:
        """A recording has come to its end, for whatever reason."""
        ...

    def transfer_asked(self, asked: TransferAsked, refused: Callable[[], None]) -> None:
        """A telephone gives its partner away. Its leg is ended as `transferred` when that is done; `refused`
        is called where it is not."""
        ...


class VoiceCarrier(Protocol):
    """A network that carries calls. Legs are known by the platform's ids; asking for something of a leg
    that is down already does nothing. Everything that becomes of a leg is told to the sink, also its end
    when we asked for it."""

    @property
    def name(self) -> str: ...

    async def dial(self, leg: Leg, ring_seconds: int, judges: bool = False) -> None:
        """Ring the leg's number, which sees `shown`; give up with `no_answer` after so long. With `judges`
        listen whether a machine has answered, and for the end of its tone. Raises CarrierError when it
        cannot be tried at all."""
        ...

    async def alert(self, leg_id: int) -> None:
        """Let the party of a leg that arrived hear that it rings."""
        ...

    async def answer(self, leg_id: int) -> None:
        """Take a leg that arrived; told as `answered`."""
        ...

    async def play(self, leg_id: int, sound: Sound) -> None:
        """Play to a leg that is up, in place of what it hears now, joined or not; what has an end is told as
        `played` then, but not where it is stopped or replaced. A tone goes on until it is stopped."""
        ...

    async def announce(self, room: int, sound: Sound) -> None:
        """Play to all legs of a room, over what they say."""
        ...

    async def send_keys(self, leg_id: int, keys: str) -> None:
        """Press keys (0-9, *, #, A-D) towards a leg."""
        ...

    async def mute(self, leg_id: int, muted: bool) -> None:
        """Let nobody hear a leg, or everybody again."""
        ...

    async def record(self, recording_id: int, wanted: RecordWanted) -> None:
        """Record a leg or a room until it is told to stop, its end, or the longest time."""
        ...

    async def stop_record(self, recording_id: int) -> None:
        """End a recording; told as `recorded`."""
        ...

    async def stop(self, leg_id: int) -> None:
        """Stop what is played to a leg."""
        ...

    async def bridge(self, room: int, leg_ids: Sequence[int]) -> None:
        """Join legs that are up to a room, which is there from its first leg to its last; a leg is in one
        room at a time, and what is played to it stops."""
        ...

    def can_join(self, leg_ids: Sequence[int]) -> bool:
        """Whether these legs of its own could be in one room."""
        ...

    async def part(self, leg_id: int) -> None:
        """Take a leg out of its room; it stays up."""
        ...

    async def hang_up(self, leg_id: int, cause: HangUpCause) -> None:
        """End a leg."""
        ...


class VoiceNetwork(VoiceCarrier, Protocol):
    """A voice carrier of the settings, `[carriers.NAME]`; the module `voice` of its type's folder has a
    function `build(name, table, platform, sink)` that makes one."""

    async def run(self) -> None:
        """Hold its connections until cancelled; legs of connections that are lost are told as ended."""
        ...

    def status(self) -> CarrierStatus:
        """How it is at this moment."""
        ...


class Synthesizer(Protocol):
    """Speaks texts."""

    async def speak(self, speech: Speech) -> bytes:
        """The samples (8 kHz, 16 bits, mono) without silence at their ends; empty where nothing can be said
        of the text. An unknown voice or language is spoken in another one."""
        ...


class NoSpeech:
    """The synthesizer of a process that plays nothing."""

    async def speak(self, speech: Speech) -> bytes:
        """Nothing is heard."""
        return b""


class Decoder(Protocol):
    """Reads sound files."""

    async def decode(self, content: bytes, longest_seconds: int) -> bytes:
        """The samples (8 kHz, 16 bits, mono) of a WAV, MP3 or Ogg Vorbis file, at most so many seconds.
        Raises Refusal `unusable_media`."""
        ...


class NoDecoder:
    """The decoder of a process that takes no sounds."""

    async def decode(self, content: bytes, longest_seconds: int) -> bytes:
        """Refuse."""
        raise Refusal(Fault.UNSUPPORTED, "sounds are taken by the server, not by the command line")


class ClosedDays(NamedTuple):
    """The days that a calendar closes, each with its event's title, and the events that close none, in
    words."""

    days: Sequence[tuple[date, str]]
    passed_over: Sequence[str] = ()


class CalendarReader(Protocol):
    """Reads calendar files."""

    async def closed_days(self, content: bytes, zone: str, since: date, until: date) -> ClosedDays:
        """The whole days of a zone that the events of an iCalendar file fill, from one day to before another,
        recurrences expanded. Raises Refusal `unusable_media`."""
        ...


class NoCalendars:
    """The calendar reader of a process that takes no files."""

    async def closed_days(self, content: bytes, zone: str, since: date, until: date) -> ClosedDays:
        """Refuse."""
        raise Refusal(Fault.UNSUPPORTED, "calendars are taken by the server, not by the command line")


class NoticeTarget(NamedTuple):
    """Where a notice goes: a URL or a mail address, with the secret that signs, if any."""

    url: str = ""
    email: str = ""
    secret: str = ""


NoticeMaker = Callable[[Event, NoticeTarget, datetime], Outgoing | Mail | None]


class Notices(Protocol):
    """Turns an event into a request or a mail in the manner of a dialect; None where it has no word."""

    def knows(self, dialect: str) -> bool:
        """Whether a dialect of this name is served."""
        ...

    def job_kind(self, dialect: str) -> str:
        """The kind of job that tells an account over its own connection; empty for a dialect that calls
        URLs instead."""
        ...

    def __call__(
        self, dialect: str, event: Event, target: NoticeTarget, now: datetime
    ) -> Outgoing | Mail | None: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """Numbers that the owner of the platform may set (settings.py), credits in thousandths."""

    welcome: int = 200_000
    default_price: int = 1_000
    max_segments: int = 10
    max_recipients: int = 10_000
    validity_seconds: int = 3 * 86_400
    sandbox_numbers: tuple[str, str] = ("33639980000", "33639989999")
    stop_number: str = "36111"
    public_url: str = "http://127.0.0.1:8080"
    senders_registered: bool = False
    daily_cap: int = 0
    brake: bool = True
    minute_price: int = 1_000
    calls_at_once: int = 20
    calls_at_once_per_line: int = 4
    calls_a_minute: int = 10
    calls_a_day: int = 20
    calls_cap: int = 100_000
    call_in_numbers: tuple[str, ...] = ("33199000825",)
    telephone_server: str = "127.0.0.1:5060"


@dataclass(frozen=True, slots=True)
class Platform:
    """All ports; the first argument of every service. `node` names this process among those of the
    database; `folder` is where files are kept, which all nodes of a database should share."""

    store: Store
    topics: Topics
    clock: Clock
    ids: Ids
    web: WebClient
    mailer: Mailer
    notices: Notices
    router: Router
    carriers: Carriers
    door: Door
    metrics: Metrics
    rules: Rules
    guard: Guard
    node: str
    handover: Handover = field(default_factory=Handover)
    live_calls: LiveCalls = field(default_factory=LiveCalls)
    synthesizer: Synthesizer = field(default_factory=NoSpeech)
    decoder: Decoder = field(default_factory=NoDecoder)
    calendars: CalendarReader = field(default_factory=NoCalendars)
    folder: Path = Path("var")


@dataclass(frozen=True, slots=True)
class JobKind:
    """How jobs of a kind are done.

    `run` returns its outcome in words; a CarrierError that is not permanent means "again after the next
    of `pauses`", any Refusal means never again. `kept` ones stay as records when done. It is given the
    message the job is about where that is known already.
    """

    run: Callable[..., Awaitable[str]]
    pauses: tuple[timedelta, ...] = ()
    kept: bool = False
