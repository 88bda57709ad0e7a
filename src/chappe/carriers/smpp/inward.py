"""What a network brings: receipts and messages from mobiles, read from deliver_sm and data_sm."""

import re
from datetime import datetime

from chappe.model.messages import InboundMessage, MessageState, Receipt
from chappe.model.smstext import Encoding, decode_gsm7
from chappe.protocols.smpp.bodies import Data, ShortMessage
from chappe.protocols.smpp.codes import MESSAGE_TYPE, Tag
from chappe.protocols.smpp.fields import tlv, tlv_text

_ID = re.compile(rb"\bid:(\S+)", re.IGNORECASE)
_STAT = re.compile(rb"\bstat:(\S+)", re.IGNORECASE)
_ERR = re.compile(rb"\berr:(\S+)", re.IGNORECASE)

_STATES = {
    b"DELIVRD": MessageState.DELIVERED,
    b"EXPIRED": MessageState.EXPIRED,
    b"DELETED": MessageState.UNDELIVERED,
    b"UNDELIV": MessageState.UNDELIVERED,
    b"REJECTD": MessageState.UNDELIVERED,
}


def read(carrier: str, body: ShortMessage | Data, at: datetime) -> Receipt | InboundMessage:
    """The receipt or the message of a mobile in a unit."""
    text = body.short_message if isinstance(body, ShortMessage) else b""
    text = text or tlv(body.tlvs, Tag.MESSAGE_PAYLOAD) or b""
    found = _ID.search(text)
    name = tlv_text(body.tlvs, Tag.RECEIPTED_MESSAGE_ID)
    if body.esm_class & MESSAGE_TYPE or name is not None or (found and _STAT.search(text)):
        stat, error = _STAT.search(text), _ERR.search(text)
        word = stat[1] if stat else b""
        return Receipt(
            carrier,
            name if name is not None else found[1].decode("latin-1") if found else "",
            _STATES.get(word.upper()),
            error[1].decode("latin-1") if error else "",
            at,
            word.decode("latin-1"),
        )
    gsm = body.data_coding & 0x0C == 0
    words = decode_gsm7(bytes(one & 0x7F for one in text)) if gsm else text.decode("utf-16-be", "replace")
    encoding = Encoding.GSM7 if gsm else Encoding.UCS2
    return InboundMessage(carrier, "", body.source, body.dest, words, encoding, at)
