"""The contract of a message carrier, on SMPP: what is told of each message, whatever the network does."""

from chappe.model.messages import MessageState, Submission
from tests.carriers.smpp.conftest import a_net, a_text
from tests.peers.smsc import a_message, a_receipt, an_smsc


async def test_accepted_messages_bear_the_networks_ids():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        await net.carrier.submit([a_text(7), a_text(8)])
        await net.told.until(lambda: len(net.told.submissions) == 2)
        assert net.told.submissions == [Submission(7, ("1",)), Submission(8, ("2",))]


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
