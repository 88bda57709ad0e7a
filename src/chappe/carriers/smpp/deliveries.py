"""Receipts and inbound messages for customers as deliver_sm units."""

from collections.abc import Sequence
from datetime import datetime

from chappe.carriers.smpp.orders import STATES, error_of, ton_npi
from chappe.carriers.smpp.texts import Texts
from chappe.model.jobs import Job
from chappe.model.messages import Message, MessageState, Part
from chappe.protocols.smpp.bodies import ShortMessage
from chappe.protocols.smpp.codes import INTERMEDIATE_NOTICE, RECEIPT
from chappe.protocols.smpp.fields import Tlvs, decode_tlvs
from chappe.protocols.smpp.pdus import encode_body
from chappe.protocols.smpp.receipts import State, write_receipt


def receipt_bodies(message: Message, names: Sequence[str], state: MessageState, at: datetime) -> list[bytes]:
    """The receipts of a message, one for each name that its submits were given; sender and recipient change
    places (SMPP 3.4, appendix B)."""
    kind = INTERMEDIATE_NOTICE if state is MessageState.SENT else RECEIPT
    receipts = [
        write_receipt(
            name,
            STATES[state],
            submitted=message.created_at,
            done=at,
            error=error_of(message),
            text=message.text,
        )
        for name in names
    ]
    return [_receipt(message.peer, message.address, kind, one) for one in receipts]


def lonely_receipt(part: Part, name: str, at: datetime) -> bytes:
    """The receipt of a part whose others never came: it has expired."""
    receipt = write_receipt(name, State.EXPIRED, submitted=part.at, done=at)
    return _receipt(str(part.data.get("to", "")), str(part.data.get("from", "")), RECEIPT, receipt)


def _receipt(peer: str, address: str, esm_class: int, receipt: tuple[bytes, Tlvs]) -> bytes:
    source_ton, source_npi = ton_npi(peer)
    dest_ton, dest_npi = ton_npi(address)
    return encode_body(
        ShortMessage(
            source_ton=source_ton,
            source_npi=source_npi,
            source=peer[:20],
            dest_ton=dest_ton,
            dest_npi=dest_npi,
            dest=address[:20],
            esm_class=esm_class,
            short_message=receipt[0],
            tlvs=receipt[1],
        )
    )


def inbound_bodies(message: Message, texts: Texts) -> list[bytes]:
    """The parts of a message from a mobile."""
    source_ton, source_npi = ton_npi(message.peer)
    dest_ton, dest_npi = ton_npi(message.address)
    return [
        encode_body(
            ShortMessage(
                source_ton=source_ton,
                source_npi=source_npi,
                source=message.peer[:20],
                dest_ton=dest_ton,
                dest_npi=dest_npi,
                dest=message.address[:20],
                esm_class=part.esm_class,
                data_coding=part.data_coding,
                short_message=part.octets,
                tlvs=decode_tlvs(part.tlvs, 0, len(part.tlvs)),
            )
        )
        for part in texts.parts(message.text, message.encoding, False, message.id & 0xFFFF)
    ]


def told(job: Job) -> tuple[MessageState, datetime]:
    """The state that a delivery tells of, and when it came to it."""
    return MessageState(str(job.payload["state"])), datetime.fromisoformat(str(job.payload["at"]))
