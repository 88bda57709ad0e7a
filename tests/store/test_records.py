"""Every kind of record is read back as it was written, on both databases."""

import asyncio
from datetime import datetime, timedelta

import pytest

from chappe.model.changes import Advance, Changes, Delete, Update
from chappe.model.directory import Account, BlacklistEntry, Handset, Keyword, Subscription
from chappe.model.errors import Fault, Refusal
from chappe.model.jobs import Job
from chappe.model.messages import Message, MessageState, Segment
from chappe.store.tables import TABLES, settings
from tests.platform import START
from tests.postgres import Cluster
from tests.store.ground import NAIVE, Ground, a_ground, changed, field_names, sample

KINDS = pytest.mark.parametrize("kind", list(TABLES), ids=lambda kind: kind.__name__)


@KINDS
async def test_reads_back_what_was_written(ground: Ground, kind: type) -> None:
    written = [sample(kind, 1, full=True), sample(kind, 2, full=False)]
    await ground.records.commit(Changes(insert=written))
    assert await ground.all(kind) == written


@KINDS
async def test_reads_back_what_was_written_one_by_one(ground: Ground, kind: type) -> None:
    """A refused neighbour sends the whole group through savepoints; the records are the same."""
    twin = sample(Account, 1)
    await ground.records.commit(Changes(insert=[twin]))
    written = sample(kind, 7)
    results = await asyncio.gather(
        ground.records.commit(Changes(insert=[written])),
        ground.records.commit(Changes(insert=[twin])),
        return_exceptions=True,
    )
    assert isinstance(results[1], Refusal)
    assert written in await ground.all(kind)


@KINDS
async def test_an_id_is_given_once(ground: Ground, kind: type) -> None:
    first = sample(kind, 1)
    await ground.records.commit(Changes(insert=[first]))
    with pytest.raises(Refusal) as refused:
        await ground.records.commit(Changes(insert=[changed(sample(kind, 2), id=first.id)]))
    assert refused.value.fault is Fault.ALREADY_EXISTS
    assert await ground.all(kind) == [first]


@KINDS
async def test_every_column_can_be_updated(ground: Ground, kind: type) -> None:
    """Update writes the same value as insert does, column by column."""
    before, after = sample(kind, 1, full=False), sample(kind, 5, full=True)
    await ground.records.commit(Changes(insert=[before]))
    names = [column.name for column in TABLES[kind].columns if column.name != "id"]
    update = Update(kind, before.id, None, {name: getattr(after, name) for name in names})
    await ground.records.commit(Changes(update=[update]))
    assert await ground.all(kind) == [changed(after, id=before.id)]
    cleared = {column.name: None for column in TABLES[kind].columns if column.nullable}
    if cleared:
        await ground.records.commit(Changes(update=[Update(kind, before.id, None, cleared)]))
        assert await ground.all(kind) == [changed(after, id=before.id, **cleared)]


@KINDS
async def test_expected_values_are_compared_in_every_column(ground: Ground, kind: type) -> None:
    for full in (True, False):
        record = sample(kind, 1 + full, full=full)
        await ground.records.commit(Changes(insert=[record]))
        for column in TABLES[kind].columns:
            same = {column.name: getattr(record, column.name)}
            await ground.records.commit(Changes(update=[Update(kind, record.id, None, same, same)]))
    assert await ground.count(kind) == 2


@KINDS
async def test_deletes_one_record(ground: Ground, kind: type) -> None:
    records = [sample(kind, 1), sample(kind, 2)]
    await ground.records.commit(Changes(insert=records))
    await ground.records.commit(Changes(delete=[Delete(kind, records[0].id, None)]))
    assert await ground.all(kind) == records[1:]
    with pytest.raises(Refusal) as refused:
        await ground.records.commit(Changes(delete=[Delete(kind, records[0].id, None)]))
    assert refused.value.fault is Fault.NOT_FOUND


@KINDS
async def test_another_account_can_neither_update_nor_delete(ground: Ground, kind: type) -> None:
    """A kind whose rows name no account belongs to the platform: no account may touch it."""
    record = sample(kind, 1)
    await ground.records.commit(Changes(insert=[record]))
    column = TABLES[kind].columns[1].name
    stranger = 4711
    for changes in (
        Changes(update=[Update(kind, record.id, stranger, {column: getattr(record, column)})]),
        Changes(delete=[Delete(kind, record.id, stranger)]),
    ):
        with pytest.raises(Refusal) as refused:
            await ground.records.commit(changes)
        assert refused.value.fault is Fault.NOT_FOUND
    assert await ground.all(kind) == [record]


async def test_an_account_owns_itself(ground: Ground) -> None:
    account = ground.account()
    await ground.records.commit(Changes(insert=[account]))
    await ground.records.commit(Changes(update=[Update(Account, account.id, account.id, {"locale": "en"})]))
    assert (await ground.all(Account))[0].locale == "en"


NUL = "a\0b"


async def test_nul_is_dropped_on_insert(ground: Ground) -> None:
    message = ground.message(1, text=NUL, reference="\0", carrier_code=NUL)
    job = ground.job(payload={"k\0": [NUL, {"deep": NUL}], "kept": "\\u0000", "slash": "\\\0"})
    await ground.records.commit(Changes(insert=[message], enqueue=[job]))
    assert await ground.all(Message) == [message._replace(text="ab", reference="", carrier_code="ab")]
    [read] = await ground.all(Job)
    assert read.payload == {"k": ["ab", {"deep": "ab"}], "kept": "\\u0000", "slash": "\\"}


async def test_nul_is_dropped_on_update(ground: Ground) -> None:
    message, handset = ground.message(1), sample(Handset, 1)
    await ground.records.commit(Changes(insert=[message, handset]))
    await ground.records.commit(
        Changes(
            update=[
                Update(Message, message.id, None, {"carrier_code": NUL}),
                Update(Handset, handset.id, None, {"behaviour": {"x": NUL}}),
            ]
        )
    )
    assert (await ground.all(Message))[0].carrier_code == "ab"
    assert (await ground.all(Handset))[0].behaviour == {"x": "ab"}


async def test_nul_is_dropped_on_advance(ground: Ground) -> None:
    """A network's code comes from its wire."""
    message = ground.message(1)
    await ground.records.commit(Changes(insert=[message]))
    step = Advance(message.id, MessageState.SENT, START, carrier_ids="1\0", carrier_code="0\0")
    await ground.records.commit(Changes(advance=[step]))
    [read] = await ground.all(Message)
    assert (read.carrier_ids, read.carrier_code) == ("1", "0")


async def test_nul_in_a_question_is_no_error(ground: Ground) -> None:
    entry = sample(BlacklistEntry, 1, number="33600000001")
    await ground.records.commit(Changes(insert=[entry]))
    queries = ground.records.queries
    assert await queries.account_named("\0") is None
    assert await queries.user_by_email("x\0") is None
    assert await queries.credential_by_login("rest", NUL) is None
    assert await queries.messages_by_ref(1, [NUL]) == ()
    assert await queries.blacklisted(entry.account_id, ["\0", "33600000001"]) == {"33600000001"}


WORDS = ["", "null", "0", "1e5", "true", "{}", "007", "2026-01-01", "\u202e", "\x1b", "\u2028"]


@pytest.mark.parametrize("text", WORDS)
async def test_text_stays_text(ground: Ground, text: str) -> None:
    """The set-based insert goes through JSON: nothing in it may change type on the way."""
    message = ground.message(1, text=text, reference=text, ref=f"r{text}", carrier_code=text)
    await ground.records.commit(Changes(insert=[message]))
    assert await ground.all(Message) == [message]


async def test_the_greatest_number(ground: Ground) -> None:
    message = ground.message(2**63 - 1, price=2**62, batch_id=-(2**63))
    await ground.records.commit(Changes(insert=[message]))
    assert await ground.all(Message) == [message]


async def test_times_of_other_zones_are_the_same_moment(ground: Ground) -> None:
    message = ground.message(1, due_at=datetime.fromisoformat("2026-10-25T02:30:00.000001+02:00"))
    later = ground.message(1, due_at=datetime.fromisoformat("2026-10-25T02:30:00+01:00"))
    await ground.records.commit(Changes(insert=[later, message]))
    due = await ground.records.queries.due_messages("sandbox", START + timedelta(days=365), 9, ())
    assert due == (message, later)
    assert all(one.due_at.utcoffset() == timedelta(0) for one in due)


async def test_times_do_not_depend_on_the_server(postgres_cluster: Cluster, migrated_postgres: str) -> None:
    """A server in Paris keeps the same moments as one in London."""
    name = postgres_cluster.create(migrated_postgres)
    postgres_cluster.execute(f"alter database \"{name}\" set timezone to 'Asia/Kathmandu'")
    async with a_ground(postgres_cluster.url(name)) as ground:
        message = ground.message(1, send_at=START)
        await ground.records.commit(Changes(insert=[message]))
        assert await ground.all(Message) == [message]
        await ground.records.commit(Changes(advance=[Advance(message.id, MessageState.SENT, START)]))
        assert (await ground.all(Message))[0].sent_at == START
    postgres_cluster.drop(name)


async def test_a_time_without_zone_is_refused(ground: Ground) -> None:
    message = ground.message(1)
    await ground.records.commit(Changes(insert=[message]))
    for changes in (
        Changes(insert=[ground.message(1, due_at=NAIVE)]),
        Changes(enqueue=[ground.job(due_at=NAIVE)]),
        Changes(advance=[Advance(message.id, MessageState.SENT, NAIVE)]),
        Changes(update=[Update(Message, message.id, None, {"due_at": NAIVE})]),
    ):
        with pytest.raises(Exception, match="time without zone"):
            await ground.records.commit(changes)
    with pytest.raises(Exception, match="time without zone"):
        await ground.records.claim_jobs(NAIVE, START, 1)
    with pytest.raises(Exception, match="time without zone"):
        await ground.records.queries.scheduled_messages(NAIVE, 1)
    assert await ground.all(Message) == [message]
    assert await ground.count(Job) == 0


async def test_json_takes_what_json_takes(ground: Ground) -> None:
    """Insert and update encode alike: times, enums and tuples are fine in both."""
    values: dict[str, object] = {"at": START, "state": MessageState.SENT, "pair": (1, 2)}
    plain = {"at": "2026-03-02T09:00:00Z", "state": "sent", "pair": [1, 2]}
    job = ground.job(payload=values)
    await ground.records.commit(Changes(enqueue=[job]))
    assert (await ground.all(Job))[0].payload == plain
    await ground.records.commit(Changes(update=[Update(Job, job.id, None, {"payload": {}})]))
    await ground.records.commit(Changes(update=[Update(Job, job.id, None, {"payload": values})]))
    assert (await ground.all(Job))[0].payload == plain


async def test_unique_keys(ground: Ground) -> None:
    def keyword(number: int, word: str) -> Keyword:
        return sample(Keyword, number, short_code="36789", word=word)

    await ground.records.commit(Changes(insert=[keyword(1, "WIN"), keyword(2, "LOSE")]))
    for changes in (
        Changes(insert=[keyword(3, "WIN")]),
        Changes(update=[Update(Keyword, keyword(2, "").id, None, {"word": "WIN"})]),
    ):
        with pytest.raises(Refusal) as refused:
            await ground.records.commit(changes)
        assert refused.value.fault is Fault.ALREADY_EXISTS
        assert "asyncpg" not in refused.value.detail and "<class" not in refused.value.detail
    assert [one.word for one in await ground.all(Keyword)] == ["WIN", "LOSE"]


async def test_a_broken_check_is_a_defect_and_not_a_duplicate(ground: Ground) -> None:
    account = ground.account(5)
    await ground.records.commit(Changes(insert=[account]))
    with pytest.raises(Exception) as broken:
        await ground.records.commit(Changes(update=[Update(Account, account.id, None, {"balance": -1})]))
    assert not isinstance(broken.value, Refusal)
    assert await ground.balance(account.id) == 5


async def test_an_update_of_nothing_still_looks(ground: Ground) -> None:
    segment = sample(Segment, 1)
    await ground.records.commit(Changes(insert=[segment]))
    await ground.records.commit(Changes(update=[Update(Segment, segment.id, None, {})]))
    with pytest.raises(Refusal) as refused:
        await ground.records.commit(Changes(update=[Update(Segment, 5, None, {})]))
    assert refused.value.fault is Fault.NOT_FOUND
    assert await ground.all(Segment) == [segment]


async def test_a_tuple_is_read_as_a_tuple(ground: Ground) -> None:
    subscription = sample(Subscription, 1, events=("*",), disabled_at=None)
    await ground.records.commit(Changes(insert=[subscription]))
    assert await ground.records.queries.subscriptions(subscription.account_id) == (subscription,)


async def test_the_settings_table_is_the_platforms(ground: Ground) -> None:
    """Every table but the two of the platform itself has a kind of record, and the columns fit."""
    for kind, table in TABLES.items():
        assert [column.name for column in table.columns] == field_names(kind)
    assert settings.name not in {table.name for table in TABLES.values()}
