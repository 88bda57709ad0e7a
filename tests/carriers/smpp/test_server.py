"""Accounts that bind to us, and what they send."""

import asyncio

import pytest
from msgspec.structs import replace

from chappe.carriers.smpp.orders import FAULTS, STATES
from chappe.carriers.smpp.server import read_settings
from chappe.carriers.smpp.texts import Texts, TextSettings
from chappe.model.errors import Fault, Refusal, Unavailable
from chappe.model.messages import MessageState
from chappe.model.network import ListBinds
from chappe.model.smstext import Encoding
from chappe.protocols.smpp.bodies import (
    Data,
    Destination,
    Login,
    MultiAnswer,
    MultiMessage,
    Named,
    Query,
    QueryAnswer,
    Replace,
    ShortMessage,
    Unreached,
    Welcome,
)
from chappe.protocols.smpp.codes import Command, Status, Tag
from chappe.protocols.smpp.fields import tlv, tlv_text
from chappe.protocols.smpp.receipts import State, read_receipt
from chappe.services import accounts, directory, network
from chappe.settings import Settings
from tests.carriers.smpp.served import LONG, MOBILE, OK, UNICODE, Served, messages_of, of, serving, submit
from tests.peers.esme import an_esme, bind
from tests.platform import a_world, caller

# --- binding


def test_every_fault_has_a_status_and_every_state_a_state() -> None:
    assert set(FAULTS) == set(Fault)
    assert set(STATES) == set(MessageState)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (Command.BIND_TRANSCEIVER, Command.BIND_TRANSCEIVER_RESP),
        (Command.BIND_TRANSMITTER, Command.BIND_TRANSMITTER_RESP),
        (Command.BIND_RECEIVER, Command.BIND_RECEIVER_RESP),
    ],
)
async def test_an_account_binds_with_its_credential(
    served: Served, command: Command, answer: Command
) -> None:
    async with an_esme(served.port) as esme:
        welcome = await bind(esme, *served.login, command)
        assert (welcome.command, welcome.status) == (answer, OK)
        assert isinstance(welcome.body, Welcome) and welcome.body.system_id == "chappe"
        assert (await esme.ask(Command.ENQUIRE_LINK)).status == OK
        assert (await esme.ask(Command.UNBIND)).status == OK
        await esme.closed()


async def test_credentials_fit_the_fields_of_smpp(served: Served) -> None:
    system_id, password = served.login
    assert len(system_id) <= 15 and len(password) <= 8
    long = await served.world.account("a shop with a very long name indeed")
    again = await accounts.create_account(served.world.platform, "a shop with a very long name also")
    logins = [one.secrets["smpp"].login for one in (long, again)]
    assert len(set(logins)) == 2 and all(len(login) <= 15 for login in logins)


@pytest.mark.parametrize(
    ("login", "status"),
    [(("shop", "wrong"), Status.ESME_RINVPASWD), (("nobody", "wrong"), Status.ESME_RINVPASWD)],
)
async def test_strangers_are_not_let_in(served: Served, login: tuple[str, str], status: Status) -> None:
    async with an_esme(served.port) as esme:
        assert (await bind(esme, *login)).status == status
        assert (await esme.ask(Command.SUBMIT_SM, submit())).status == Status.ESME_RINVBNDSTS
        assert (await bind(esme, *served.login)).status == OK


async def test_many_wrong_passwords_are_throttled(served: Served) -> None:
    async with an_esme(served.port) as esme:
        statuses = [(await bind(esme, "shop", f"no{n}")).status for n in range(11)]
        assert statuses == [Status.ESME_RINVPASWD] * 10 + [Status.ESME_RTHROTTLED]


async def test_a_second_bind_on_a_connection_and_one_too_many_are_refused(served: Served) -> None:
    esme = await served.esme()
    assert (await bind(esme, *served.login)).status == Status.ESME_RALYBND
    await served.esme()
    third = await served.esme()
    async with an_esme(served.port) as fourth:
        assert (await bind(fourth, *served.login)).status == Status.ESME_RTHROTTLED
        await third.ask(Command.UNBIND)
        await third.closed()
        assert (await bind(fourth, *served.login)).status == OK


async def test_an_account_that_is_suspended_sends_no_more(served: Served) -> None:
    esme = await served.esme()
    await accounts.suspend_account(served.world.platform, served.new.account, True)
    assert (await esme.ask(Command.SUBMIT_SM, submit())).status == Status.ESME_RBINDFAIL


async def test_operators_see_who_is_bound(served: Served) -> None:
    platform = served.world.platform
    await accounts.set_operator(platform, served.new.account, True)
    esme = await served.esme()
    await served.esme(Command.BIND_RECEIVER)
    await esme.ask(Command.SUBMIT_SM, submit())
    await esme.ask(Command.SUBMIT_SM, submit(dest="33"))
    await served.world.settle()
    await esme.asked.get()
    [first, second] = await network.list_binds(platform, caller(served.new), ListBinds())
    assert (first.owner, first.bind.system_id) == (served.new.account.name, served.login[0])
    assert (first.bind.kind, second.bind.kind) == ("transceiver", "receiver")
    assert (first.bind.peer, first.bind.asked, first.bind.refused) == ("127.0.0.1", 2, 1)
    assert (first.bind.unanswered, first.bind.window, first.bind.delivered) == (1, 20, 0)
    stranger = await served.world.account("stranger")
    with pytest.raises(Refusal, match="only an operator"):
        await network.list_binds(platform, caller(stranger), ListBinds())


# --- sending


async def test_a_message_is_sent_and_its_receipt_comes_in_both_forms(served: Served) -> None:
    esme = await served.esme()
    answer = await esme.ask(Command.SUBMIT_SM, submit())
    assert answer.status == OK and isinstance(answer.body, Named)
    assert await messages_of(served) == [("Bonjour", "SHOP", MessageState.QUEUED)]
    await served.world.settle()
    told = await esme.delivered()
    report = read_receipt(told.short_message)
    assert (report.ids, report.state, report.text) == ((answer.body.message_id,), State.DELIVERED, "Bonjour")
    assert tlv_text(told.tlvs, Tag.RECEIPTED_MESSAGE_ID) == answer.body.message_id
    assert tlv(told.tlvs, Tag.MESSAGE_STATE) == bytes((State.DELIVERED,))
    assert (told.source, told.dest, told.esm_class) == (MOBILE, "SHOP", 4)
    assert (told.dest_ton, told.source_ton) == (5, 1)


async def test_a_message_is_answered_only_once_it_is_durable(served: Served, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    store = served.world.platform.store
    commit, gate, asked = store.commit, asyncio.Event(), asyncio.Event()

    async def slow(changes):  # type: ignore[no-untyped-def]
        asked.set()
        await gate.wait()
        return await commit(changes)

    esme = await served.esme()
    monkeypatch.setattr(store, "commit", slow)
    answer = esme.send(Command.SUBMIT_SM, submit())
    await asked.wait()
    assert (await esme.ask(Command.ENQUIRE_LINK)).status == OK
    assert not answer.done()
    gate.set()
    assert (await answer).status == OK


@pytest.mark.parametrize("long", ["udh8", "udh16", "sar", "payload"])
@pytest.mark.parametrize("text", [LONG, UNICODE])
async def test_a_long_message_is_one_message_to_the_letter(served: Served, text: str, long: str) -> None:
    esme = await served.esme()
    encoding = Encoding.GSM7 if text == LONG else Encoding.UCS2
    parts = Texts(TextSettings(long=long)).parts(text, encoding, False, 77)  # type: ignore[arg-type]
    names = []
    for part in reversed(parts):
        answer = await esme.ask(Command.SUBMIT_SM, of(part))
        assert answer.status == OK and isinstance(answer.body, Named)
        names.append(answer.body.message_id)
    assert await messages_of(served) == [(text, "SHOP", MessageState.QUEUED)]
    await served.world.settle()
    told = [read_receipt((await esme.delivered()).short_message) for _ in names]
    assert sorted(one.ids[0] for one in told) == sorted(names)
    assert {one.state for one in told} == {State.DELIVERED}


async def test_parts_whose_others_never_come_have_expired(served: Served) -> None:
    esme, world, server = await served.esme(), served.world, served.world.chappe.smpp_server
    assert server is not None
    first, second, third = (of(part) for part in Texts(TextSettings()).parts(LONG, Encoding.GSM7, False, 7))
    names = []
    for part, registered in ((first, 2), (third, 0)):
        answer = await esme.ask(Command.SUBMIT_SM, replace(part, registered_delivery=registered))
        assert isinstance(answer.body, Named)
        names.append(answer.body.message_id)
    world.clock.move(hours=23)
    await server._desk.give_up_parts()
    assert world.platform.metrics.refused[Fault.EXPIRED] == 0
    world.clock.move(hours=2)
    await asyncio.gather(server._desk.give_up_parts(), server._desk.give_up_parts())
    told = await esme.delivered()
    report = read_receipt(told.short_message)
    assert (report.ids, report.state) == ((names[0],), State.EXPIRED)
    assert (told.source, told.dest, told.esm_class) == (MOBILE, "SHOP", 4)
    assert world.platform.metrics.refused[Fault.EXPIRED] == 1
    for name in names:
        assert (await esme.ask(Command.QUERY_SM, Query(name))).body == QueryAnswer(name, "", State.EXPIRED, 0)
    # The missing part is too late: it waits for others of its own, and nothing was sent or told twice.
    assert (await esme.ask(Command.SUBMIT_SM, second)).status == OK
    await esme.ask(Command.SUBMIT_SM, submit())
    await world.settle()
    assert read_receipt((await esme.delivered()).short_message).text == "Bonjour"
    assert [text for text, _, _ in await messages_of(served)] == ["Bonjour"]


async def test_a_last_part_that_is_refused_can_be_sent_again_with_its_others(served: Served) -> None:
    poor = await served.world.account("poor", credits=1)
    parts = Texts(TextSettings()).parts(LONG, Encoding.GSM7, False, 7)
    async with an_esme(served.port) as esme:
        await bind(esme, poor.secrets["smpp"].login, poor.secrets["smpp"].secret)
        statuses = [(await esme.ask(Command.SUBMIT_SM, of(part))).status for part in parts]
        assert statuses == [OK, OK, Status.ESME_RSUBMITFAIL]
        await accounts.credit_account(served.world.platform, poor.account, 10_000)
        statuses = [(await esme.ask(Command.SUBMIT_SM, of(part))).status for part in parts]
        assert statuses == [OK, OK, OK]


async def test_a_part_sent_again_after_a_crash_sends_nothing_twice(served: Served, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    esme = await served.esme()
    first, second, third = (of(part) for part in Texts(TextSettings()).parts(LONG, Encoding.GSM7, False, 7))
    await esme.ask(Command.SUBMIT_SM, first)
    await esme.ask(Command.SUBMIT_SM, second)
    store = served.world.platform.store
    commit = store.commit

    async def dies_after_the_message(changes):  # type: ignore[no-untyped-def]
        if changes.update:
            raise OSError("the power is gone")
        return await commit(changes)

    monkeypatch.setattr(store, "commit", dies_after_the_message)
    assert (await esme.ask(Command.SUBMIT_SM, third)).status == Status.ESME_RSYSERR
    monkeypatch.setattr(store, "commit", commit)
    assert (await esme.ask(Command.SUBMIT_SM, third)).status == OK
    assert await messages_of(served) == [(LONG, "SHOP", MessageState.QUEUED)]


async def test_many_in_one_read_are_written_together(served: Served) -> None:
    esme = await served.esme()
    answers = [esme.send(Command.SUBMIT_SM, submit(b"%d" % n)) for n in range(60)]
    found = await asyncio.gather(*answers)
    assert {one.status for one in found} == {OK}
    assert sorted(int(text) for text, _, _ in await messages_of(served)) == list(range(60))


async def test_one_text_to_many(served: Served) -> None:
    esme = await served.esme()
    to = (Destination(1, 1, MOBILE), Destination(1, 1, "33"), Destination(1, 1, "33639980002"))
    multi = MultiMessage(source_ton=5, source="SHOP", destinations=to, short_message=b"Bonjour")
    answer = await esme.ask(Command.SUBMIT_MULTI, multi)
    assert answer.status == OK and isinstance(answer.body, MultiAnswer)
    assert answer.body.unreached == (Unreached(1, 1, "33", Status.ESME_RINVDSTADR),)
    assert len(await messages_of(served)) == 2


async def test_data_sm(served: Served) -> None:
    esme = await served.esme()
    data = Data(
        source_ton=5,
        source="SHOP",
        dest_ton=1,
        dest_npi=1,
        dest=MOBILE,
        data_coding=8,
        tlvs=((Tag.MESSAGE_PAYLOAD, "ça".encode("utf-16-be")),),
    )
    assert (await esme.ask(Command.DATA_SM, data)).status == OK
    assert await messages_of(served) == [("ça", "SHOP", MessageState.QUEUED)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (submit(dest="33"), Status.ESME_RINVDSTADR),
        (submit(source="A SENDER TOO LONG"), Status.ESME_RINVSRCADR),
        (submit(b""), Status.ESME_RINVMSGLEN),
        (submit(schedule="tomorrow"), Status.ESME_RINVSCHED),
        (submit(validity="200101000000000+"), Status.ESME_RINVEXPIRY),
        (submit(tlvs=((Tag.MESSAGE_PAYLOAD, b"a" * 5000),), short_message=b""), Status.ESME_RINVMSGLEN),
        (submit(dest="33999999999999999"), Status.ESME_RINVDSTADR),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_its_status(
    served: Served, body: ShortMessage, status: Status
) -> None:
    esme = await served.esme()
    assert (await esme.ask(Command.SUBMIT_SM, body)).status == status
    assert await messages_of(served) == []


async def test_a_platform_that_can_take_nothing_more_says_try_again(served: Served, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def full() -> None:
        raise Unavailable("the disk is full")

    esme, store = await served.esme(), served.world.platform.store
    monkeypatch.setattr(store, "admit", full)
    part = of(Texts(TextSettings()).parts(LONG, Encoding.GSM7, False, 7)[0])
    to = (Destination(1, 1, MOBILE),)
    multi = MultiMessage(source_ton=5, source="SHOP", destinations=to, short_message=b"Bonjour")
    asked = ((Command.SUBMIT_SM, submit()), (Command.SUBMIT_SM, part), (Command.SUBMIT_MULTI, multi))
    for command, body in asked:
        assert (await esme.ask(command, body)).status == Status.ESME_RMSGQFUL
    monkeypatch.undo()
    assert (await esme.ask(Command.SUBMIT_SM, submit())).status == OK
    assert [text for text, _, _ in await messages_of(served)] == ["Bonjour"]


async def test_a_database_that_is_away_says_try_again(served: Served, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    async def away(*asked: object) -> None:
        raise Unavailable("the database is away")

    esme, store = await served.esme(), served.world.platform.store
    monkeypatch.setattr(store, "commit", away)
    assert (await esme.ask(Command.SUBMIT_SM, submit())).status == Status.ESME_RMSGQFUL
    monkeypatch.setattr(directory, "authenticate", away)
    async with an_esme(served.port) as other:
        assert (await bind(other, *served.login)).status == Status.ESME_RSYSERR
        monkeypatch.undo()
        assert (await bind(other, *served.login)).status == OK


async def test_garbage_ends_the_connection_and_nobody_elses(served: Served) -> None:
    esme, other = await served.esme(), await served.esme()
    esme._writer.write(b"\0\0\0\1garbage garbage")
    await esme.closed()
    assert (await other.ask(Command.SUBMIT_SM, submit())).status == OK


async def test_a_bind_that_submits_too_fast_is_throttled(migrated_sqlite, tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "chappe.db").write_bytes(migrated_sqlite.read_bytes())
    settings = Settings(smpp_server={"port": 0, "per_second": 0.001})
    async with a_world(str(tmp_path), settings) as world, serving(world) as port, an_esme(port) as esme:
        secret = (await world.account()).secrets["smpp"]
        await bind(esme, secret.login, secret.secret)
        statuses = [(await esme.ask(Command.SUBMIT_SM, submit())).status for _ in range(2)]
        assert statuses == [OK, Status.ESME_RTHROTTLED]


async def test_settings_are_checked() -> None:
    assert read_settings({"port": 2776}).port == 2776
    with pytest.raises(ValueError, match="tls_certificate and tls_key belong together"):
        read_settings({"tls_key": "key.pem"})
    with pytest.raises(ValueError, match="window"):
        read_settings({"window": 0})


def test_the_login_fits_the_wire() -> None:
    assert Login("x" * 15, "y" * 8).password == "y" * 8
    assert Replace().message_id == ""
