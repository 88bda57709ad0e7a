"""The contract of a message carrier, on SMPP: what is told of each message, whatever the network does."""

import asyncio
from datetime import timedelta

import pytest

from chappe.model.carriers import LinkState
from chappe.model.errors import CarrierError, Fault
from chappe.model.messages import MessageState, Submission
from chappe.protocols.smpp.bodies import Named, ShortMessage
from chappe.protocols.smpp.codes import Status, Tag
from tests.carriers.smpp.conftest import a_net, a_text
from tests.peers.smsc import (
    a_message,
    a_receipt,
    accept,
    accept_as,
    an_smsc,
    drop,
    drop_in_the_middle,
    garbage,
    ignore,
    keep,
    receipt_first,
    refuse,
    twice,
)
from tests.platform import START

# --- answers


async def test_accepted_messages_bear_the_networks_ids():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(7), a_text(8)])
        await net.told.until(lambda: len(net.told.submissions) == 2)
        assert net.told.submissions == [Submission(7, ("1",)), Submission(8, ("2",))]


async def test_answers_in_another_order_find_their_messages():
    async with an_smsc([keep]) as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(7), a_text(8)])
        await smsc.until(lambda: len(smsc.submitted) == 2)
        smsc.sessions[0].kept.reverse()
        smsc.sessions[0].accept_kept()
        await net.told.until(lambda: len(net.told.submissions) == 2)
        assert net.told.submissions == [Submission(8, ("1",)), Submission(7, ("2",))]


async def test_a_long_message_has_the_ids_of_its_segments_in_their_order():
    async with an_smsc([keep]) as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(7, "a" * 300)])
        await smsc.until(lambda: len(smsc.submitted) == 2)
        smsc.sessions[0].kept.reverse()
        smsc.sessions[0].accept_kept()
        await net.told.until(lambda: len(net.told.submissions) == 1)
        assert net.told.submissions == [Submission(7, ("2", "1"))]


async def test_a_network_that_gives_no_id_has_accepted_all_the_same():
    async with an_smsc([accept_as("")]) as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(7)])
        await net.told.until(lambda: len(net.told.submissions) == 1)
        assert net.told.submissions == [Submission(7, ("",))]


@pytest.mark.parametrize(
    ("status", "fault", "code", "again"),
    [
        (Status.ESME_RINVDSTADR, Fault.INVALID_RECIPIENT, "ESME_RINVDSTADR", None),
        (Status.ESME_RINVSRCADR, Fault.INVALID_SENDER, "ESME_RINVSRCADR", None),
        (Status.ESME_RSUBMITFAIL, Fault.CARRIER_REJECTED, "ESME_RSUBMITFAIL", None),
        (0x411, Fault.CARRIER_REJECTED, "0x00000411", None),
        (Status.ESME_RSYSERR, Fault.CARRIER_UNAVAILABLE, "ESME_RSYSERR", 5.0),
    ],
)
async def test_a_refusal_is_told_with_the_networks_word(status, fault, code, again):
    async with an_smsc([refuse(status)]) as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(7)])
        await net.told.until(lambda: len(net.told.submissions) == 1)
        assert net.told.submissions == [Submission(7, fault=fault, code=code, retry_after=again)]


async def test_one_refused_segment_refuses_the_message_once():
    async with an_smsc([accept, refuse(Status.ESME_RINVDSTADR)]) as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(7, "a" * 400), a_text(8)])
        await net.told.until(lambda: len(net.told.submissions) == 2)
        assert [one.message_id for one in net.told.submissions] == [7, 8]
        assert net.told.submissions[0].fault is Fault.INVALID_RECIPIENT


async def test_a_text_that_has_no_room_is_refused_and_the_others_go_out():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(7, peer="3" * 30), a_text(8)])
        await net.told.until(lambda: len(net.told.submissions) == 2)
        assert net.told.submissions[0].fault is Fault.UNSUPPORTED
        assert "does not fit" in net.told.submissions[0].code
        assert net.told.submissions[1] == Submission(8, ("1",))


# --- throttling


@pytest.mark.parametrize("status", [Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL])
async def test_a_throttled_message_is_sent_again_by_the_carrier(status):
    async with an_smsc([refuse(status), accept]) as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(7)])
        await net.until(lambda: net.links[0].throttled == 1)
        assert net.told.submissions == []
        assert net.links[0].state is LinkState.STRAINED
        net.time.move(1)
        await net.told.until(lambda: len(net.told.submissions) == 1)
        assert net.told.submissions == [Submission(7, ("1",))]
        assert [one.short_message for one in smsc.submitted] == [b"Hello", b"Hello"]


async def test_a_network_that_tells_of_congestion_is_sent_less():
    def congested(session, asked):
        tlvs = ((Tag.CONGESTION_STATE, b"\x5f"),)
        session.bind.answer(asked, body=Named(session.smsc.next_id(), tlvs))

    async with an_smsc([congested]) as smsc, a_net(smsc, per_second=100) as net:
        await net.up()
        await net.carrier.submit([a_text(7)])
        await net.told.until(lambda: net.told.submissions == [Submission(7, ("1",))])
        assert net.links[0].state is LinkState.STRAINED
        assert net.links[0].per_second == pytest.approx(72.73, abs=0.01)
        assert net.links[0].throttled == 0


async def test_a_network_that_throttles_often_gets_everything_in_the_end():
    answers = [refuse(Status.ESME_RTHROTTLED) if n % 3 == 0 else accept for n in range(90)] + [accept]
    async with an_smsc(answers) as smsc, a_net(smsc, window=10) as net:
        await net.up()
        await net.carrier.submit([a_text(n, f"m{n}") for n in range(1, 61)])
        while len(net.told.submissions) < 60:
            net.time.move(0.5)
            await asyncio.sleep(0)
        assert {one.message_id for one in net.told.submissions} == set(range(1, 61))
        assert all(one.fault is None for one in net.told.submissions)


async def test_no_more_leaves_in_a_second_than_the_settings_allow():
    async with an_smsc() as smsc, a_net(smsc, per_second=10) as net:
        await net.up()
        await net.carrier.submit([a_text(n) for n in range(1, 31)])
        net.time.move(1)
        assert net.links[0].submitted in (10, 11)  # the one that was free at once, and ten a second
        await smsc.until(lambda: len(smsc.submitted) == net.links[0].submitted)


# --- window


async def test_the_window_is_never_overrun():
    async with an_smsc([keep]) as smsc, a_net(smsc, window=3) as net:
        await net.up()
        assert net.carrier.window == 6
        await net.carrier.submit([a_text(n) for n in range(1, 7)])
        await smsc.until(lambda: len(smsc.submitted) == 3)
        assert net.links[0].unanswered == 3
        smsc.sessions[0].accept_kept(2)
        await smsc.until(lambda: len(smsc.submitted) == 5)
        assert net.links[0].unanswered == 3


async def test_several_binds_share_the_messages():
    async with an_smsc([keep]) as smsc, a_net(smsc, binds=3, window=10) as net:
        await net.up(3)
        await net.carrier.submit([a_text(n) for n in range(1, 13)])
        await smsc.until(lambda: len(smsc.submitted) == 12)
        assert [len(session.kept) for session in smsc.sessions] == [4, 4, 4]


async def test_nothing_is_taken_while_no_bind_is_up():
    async with an_smsc() as smsc, a_net(smsc) as net:
        assert net.carrier.window == 0
        with pytest.raises(CarrierError, match="no bind is up"):
            await net.carrier.submit([a_text(7)])


async def test_a_message_whose_validity_ended_while_it_waited_is_not_sent():
    async with an_smsc([keep]) as smsc, a_net(smsc, window=1) as net:
        await net.up()
        await net.carrier.submit([a_text(1), a_text(2, expires_at=START + timedelta(seconds=5))])
        await smsc.until(lambda: len(smsc.submitted) == 1)
        net.clock.move(seconds=5)
        smsc.sessions[0].accept_kept()
        await net.told.until(lambda: len(net.told.submissions) == 2)
        assert Submission(2, fault=Fault.EXPIRED) in net.told.submissions
        assert len(smsc.submitted) == 1


# --- links that are lost


@pytest.mark.parametrize("lose", [drop, drop_in_the_middle, garbage])
async def test_what_left_before_the_link_was_lost_is_unknown(lose):
    async with an_smsc([lose]) as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(1)])
        await net.told.until(lambda: len(net.told.submissions) == 1)
        (told,) = net.told.submissions
        assert told.unknown and told.fault is Fault.CARRIER_UNAVAILABLE and told.code
        assert net.links[0].state is LinkState.DOWN


async def test_what_had_not_left_goes_back_to_the_platform():
    async with an_smsc([drop]) as smsc, a_net(smsc, window=1) as net:
        await net.up()
        await net.carrier.submit([a_text(1), a_text(2)])
        await net.told.until(lambda: len(net.told.submissions) == 2)
        by_id = {one.message_id: one for one in net.told.submissions}
        assert by_id[1].unknown
        assert by_id[2] == Submission(
            2, fault=Fault.CARRIER_UNAVAILABLE, code="no bind is up", retry_after=5.0
        )
        assert len(smsc.submitted) == 1


async def test_what_had_not_left_goes_over_another_bind():
    async with an_smsc([drop, keep]) as smsc, a_net(smsc, window=1, binds=2) as net:
        await net.up(2)
        await net.carrier.submit([a_text(1), a_text(2), a_text(3)])
        await smsc.until(lambda: len(smsc.submitted) == 2)
        smsc.open[0].accept_kept()
        await smsc.until(lambda: len(smsc.submitted) == 3)
        smsc.open[0].accept_kept()
        await net.told.until(lambda: len(net.told.submissions) == 3)
        assert sorted(one.unknown for one in net.told.submissions) == [False, False, True]


async def test_an_smsc_that_never_answers_leaves_messages_unknown_and_its_window_free():
    settings = {"response_seconds": 10, "enquire_link_seconds": 60, "window": 1}
    async with an_smsc([ignore]) as smsc, a_net(smsc, **settings) as net:
        await net.up()
        await net.carrier.submit([a_text(1)])
        await smsc.until(lambda: len(smsc.submitted) == 1)
        net.time.move(11)
        await net.told.until(lambda: len(net.told.submissions) == 1)
        assert net.told.submissions[0].unknown
        assert net.told.submissions[0].code == "no answer in time"
        await net.carrier.submit([a_text(2)])
        await smsc.until(lambda: len(smsc.submitted) == 2)


async def test_a_second_answer_changes_nothing():
    async with an_smsc([twice]) as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(1), a_text(2)])
        await net.told.until(lambda: len(net.told.submissions) == 2)
        assert net.told.submissions == [Submission(1, ("1",)), Submission(2, ("3",))]
        assert net.links[0].state is LinkState.UP


async def test_a_late_answer_changes_nothing():
    async with an_smsc([keep]) as smsc, a_net(smsc, response_seconds=5) as net:
        await net.up()
        await net.carrier.submit([a_text(1)])
        await smsc.until(lambda: len(smsc.submitted) == 1)
        net.time.move(6)
        smsc.sessions[0].accept_kept()
        smsc.sessions[0].bring(a_receipt("1"))  # arrives behind the answer
        await smsc.until(lambda: smsc.statuses == [0])
        assert [one.unknown for one in net.told.submissions] == [True]


# --- what the network brings


async def test_a_receipt_and_a_message_are_acknowledged_once_they_are_durable():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        net.told.gate.clear()
        smsc.bring(a_receipt("1"), a_message(b"Hi"))
        await net.told.until(lambda: net.told.batches == [1])
        assert smsc.statuses == []
        net.told.gate.set()
        await smsc.until(lambda: smsc.statuses == [0, 0])
        assert [(one.carrier_id, one.state) for one in net.told.heard] == [("1", MessageState.DELIVERED)]
        assert [(one.sender, one.to, one.text) for one in net.told.received] == [
            ("33612345678", "20345", "Hi")
        ]


async def test_many_receipts_of_one_read_are_one_batch():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        smsc.bring(*(a_receipt(str(n)) for n in range(100)))
        await smsc.until(lambda: len(smsc.statuses) == 100)
        assert net.told.batches == [100]


async def test_an_answer_is_told_before_the_receipt_that_follows_it():
    async with an_smsc([keep]) as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(1)])
        await smsc.until(lambda: len(smsc.submitted) == 1)
        net.told.gate.clear()
        session = smsc.sessions[0]
        accept(session, session.kept.pop())
        session.bring(a_receipt("1"))
        await net.told.until(lambda: net.carrier.status().links[0].receipts == 1)
        net.told.gate.set()
        await net.told.until(lambda: len(net.told.heard) == 1)
        assert net.told.submissions == [Submission(1, ("1",))]


async def test_a_receipt_before_its_answer_is_handed_on():
    async with an_smsc([receipt_first]) as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(1)])
        await net.told.until(lambda: len(net.told.submissions) == 1 and len(net.told.heard) == 1)
        assert net.told.heard[0].carrier_id == net.told.submissions[0].carrier_ids[0]


async def test_what_cannot_be_written_is_brought_again():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        net.told.broken = True
        smsc.bring(a_receipt("1"), a_message(b"Hi"))
        await smsc.until(lambda: len(smsc.statuses) == 2)
        assert smsc.statuses == [Status.ESME_RX_T_APPN] * 2
        net.told.broken = False
        smsc.bring(a_receipt("1"), a_message(b"Hi"))
        await smsc.until(lambda: len(smsc.statuses) == 4)
        assert smsc.statuses[2:] == [0, 0]
        assert (len(net.told.heard), len(net.told.received)) == (1, 1)


async def test_a_receipt_that_nobody_can_write_holds_up_no_other():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        net.told.poison = "3"
        smsc.bring(*(a_receipt(str(number)) for number in range(1, 6)))
        await smsc.until(lambda: len(smsc.statuses) == 5)
        assert smsc.statuses == [0, 0, Status.ESME_RX_T_APPN, 0, 0]
        assert [one.carrier_id for one in net.told.heard] == ["1", "2", "4", "5"]


async def test_no_more_is_read_while_too_much_waits_to_be_durable():
    async with an_smsc() as smsc, a_net(smsc, unacknowledged=50) as net:
        await net.up()
        net.told.gate.clear()
        text = f"id:1 stat:DELIVRD text:{'x' * 200}"
        for _ in range(40):
            smsc.bring(*([a_receipt("1", text=text)] * 100))
        await net.told.until(lambda: len(net.told.batches) == 1)
        assert net.links[0].receipts < 2000  # one read of the socket, not all that was brought
        net.told.gate.set()
        await smsc.until(lambda: len(smsc.sessions[0].statuses) == 4000)
        assert len(net.told.heard) == 4000


async def test_a_unit_that_is_not_in_order_is_refused_and_the_link_goes_on():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        smsc.sessions[0].write(bytes.fromhex("00000012 00000005 00000000 00000099 4141"))
        smsc.sessions[0].write(bytes.fromhex("00000010 00000777 00000000 0000009a"))
        smsc.bring(a_receipt("1"))
        await smsc.until(lambda: smsc.statuses == [0])
        assert net.links[0].state is LinkState.UP


# --- the end


async def test_a_shutdown_waits_for_answers_under_way():
    async with an_smsc([keep]) as smsc, a_net(smsc, window=1) as net:
        await net.up()
        await net.carrier.submit([a_text(1), a_text(2)])
        await smsc.until(lambda: len(smsc.submitted) == 1)
        net.task.cancel()
        await asyncio.sleep(0)
        assert net.carrier.window == 0
        smsc.sessions[0].accept_kept()
        await asyncio.wait([net.task])
        back = Submission(2, fault=Fault.CARRIER_UNAVAILABLE, code="no bind is up", retry_after=5.0)
        assert net.told.submissions == [Submission(1, ("1",)), back]
        await smsc.until(lambda: smsc.sessions[0].ended != "")
        assert smsc.sessions[0].ended == "the other side unbound"


async def test_a_shutdown_does_not_wait_for_ever():
    async with an_smsc([ignore]) as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(1)])
        await smsc.until(lambda: len(smsc.submitted) == 1)
        await net.stop()
        assert [one.unknown for one in net.told.submissions] == [True]


async def test_a_shutdown_does_not_wait_for_a_database_that_is_away():
    async with an_smsc([drop]) as smsc, a_net(smsc) as net:
        await net.up()
        net.told.gate.clear()
        await net.carrier.submit([a_text(1)])
        await smsc.until(lambda: len(smsc.submitted) == 1)
        await net.until(lambda: net.links[0].state is LinkState.DOWN)
        await net.stop()
        assert net.told.submissions == []


async def test_a_carrier_runs_again():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        await net.stop()
        net.task = asyncio.create_task(net.carrier.run())
        await net.up()
        await net.carrier.submit([a_text(1)])
        await net.told.until(lambda: len(net.told.submissions) == 1)
        assert isinstance(smsc.submitted[0], ShortMessage)


async def test_a_node_that_lost_its_carrier_sends_nothing():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        net.told.taken_over = True
        await net.carrier.submit([a_text(1)])
        await net.stop()
        assert smsc.submitted == []


async def test_receipts_without_a_mark_count_only_where_the_settings_say_so():
    text = a_receipt("1").short_message
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        smsc.bring(a_message(text))
        await smsc.until(lambda: smsc.statuses == [0])
        assert (len(net.told.heard), len(net.told.received)) == (0, 1)
    async with an_smsc() as smsc, a_net(smsc, receipts_by_text=True) as net:
        await net.up()
        smsc.bring(a_message(text), a_message(b"what is the status?"))
        await smsc.until(lambda: smsc.statuses == [0, 0])
        assert (len(net.told.heard), len(net.told.received)) == (1, 1)
