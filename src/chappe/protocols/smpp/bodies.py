"""The bodies of SMPP 3.4, each a record whose fields stand in the order of the wire with their kinds;
`BODIES` says which command carries which body.

Texts are bytes one to one (Latin-1), so nothing of an odd peer is lost. Optional parameters are kept as they
came, unknown ones too.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Struct

from chappe.protocols.smpp.codes import VERSION, Command
from chappe.protocols.smpp.fields import Counted, CString, Integer, Tlvs, read_fields, write_fields

Octet = Annotated[int, Integer(1)]
Long = Annotated[int, Integer(4)]
ServiceType = Annotated[str, CString(6)]
Address = Annotated[str, CString(21)]
LongAddress = Annotated[str, CString(65)]
Time = Annotated[str, CString(17)]
MessageName = Annotated[str, CString(65)]


class Destination(Struct, frozen=True):
    """One address of submit_multi."""

    ton: Octet = 0
    npi: Octet = 0
    address: Address = ""


class ListName(Struct, frozen=True):
    """A distribution list that the network keeps, as an address of submit_multi."""

    name: Address = ""


class Unreached(Struct, frozen=True):
    """An address that submit_multi did not reach, and the status why."""

    ton: Octet = 0
    npi: Octet = 0
    address: Address = ""
    status: Long = 0


_BY_FLAG: Mapping[int, type[Destination] | type[ListName]] = {1: Destination, 2: ListName}


class Destinations(Struct, frozen=True):
    """Number of addresses, and each with a flag: 1 an address, 2 a list (SMPP 3.4, 4.5.1.1)."""

    def read(self, data: bytes, at: int) -> tuple[tuple[Destination | ListName, ...], int]:
        """See Kind."""
        count, at = data[at], at + 1
        found: list[Destination | ListName] = []
        for _ in range(count):
            kind = _BY_FLAG.get(data[at])
            if kind is None:
                raise ValueError(f"a destination has the flag {data[at]}, known are 1 and 2")
            values, at = read_fields(kind, data, at + 1)
            found.append(kind(*values))
        return tuple(found), at

    def write(self, value: tuple[Destination | ListName, ...]) -> bytes:
        """See Kind."""
        if len(value) > 255:
            raise ValueError(f"{len(value)} destinations, 255 have room")
        return bytes((len(value),)) + b"".join(
            (b"\1" if isinstance(one, Destination) else b"\2") + write_fields(one) for one in value
        )


class Unreachables(Struct, frozen=True):
    """Number of addresses not reached, and each of them (SMPP 3.4, 4.5.2.1)."""

    def read(self, data: bytes, at: int) -> tuple[tuple[Unreached, ...], int]:
        """See Kind."""
        count, at = data[at], at + 1
        found: list[Unreached] = []
        for _ in range(count):
            values, at = read_fields(Unreached, data, at)
            found.append(Unreached(*values))
        return tuple(found), at

    def write(self, value: tuple[Unreached, ...]) -> bytes:
        """See Kind."""
        if len(value) > 255:
            raise ValueError(f"{len(value)} addresses not reached, 255 have room")
        return bytes((len(value),)) + b"".join(write_fields(one) for one in value)


class Empty(Struct, frozen=True):
    """enquire_link, unbind, generic_nack, and answers that say nothing but their status."""

    tlvs: Tlvs = ()


class Login(Struct, frozen=True):
    """bind_transmitter, bind_receiver, bind_transceiver (SMPP 3.4, 4.1)."""

    system_id: Annotated[str, CString(16)] = ""
    password: Annotated[str, CString(9)] = ""
    system_type: Annotated[str, CString(13)] = ""
    interface_version: Octet = VERSION
    addr_ton: Octet = 0
    addr_npi: Octet = 0
    address_range: Annotated[str, CString(41)] = ""
    tlvs: Tlvs = ()


class Welcome(Struct, frozen=True):
    """The answer to a bind."""

    system_id: Annotated[str, CString(16)] = ""
    tlvs: Tlvs = ()


class Outbind(Struct, frozen=True):
    """outbind: a network asks its client to bind (SMPP 3.4, 4.1.7)."""

    system_id: Annotated[str, CString(16)] = ""
    password: Annotated[str, CString(9)] = ""
    tlvs: Tlvs = ()


# No cycle can go through the bodies of every message: the collector need not look at them.
class ShortMessage(Struct, frozen=True, gc=False):
    """submit_sm and deliver_sm (SMPP 3.4, 4.4.1 and 4.6.1)."""

    service_type: ServiceType = ""
    source_ton: Octet = 0
    source_npi: Octet = 0
    source: Address = ""
    dest_ton: Octet = 0
    dest_npi: Octet = 0
    dest: Address = ""
    esm_class: Octet = 0
    protocol_id: Octet = 0
    priority: Octet = 0
    schedule: Time = ""
    validity: Time = ""
    registered_delivery: Octet = 0
    replace_if_present: Octet = 0
    data_coding: Octet = 0
    default_message: Octet = 0
    short_message: Annotated[bytes, Counted()] = b""
    tlvs: Tlvs = ()


class MultiMessage(Struct, frozen=True):
    """submit_multi (SMPP 3.4, 4.5.1)."""

    service_type: ServiceType = ""
    source_ton: Octet = 0
    source_npi: Octet = 0
    source: Address = ""
    destinations: Annotated[tuple[Destination | ListName, ...], Destinations()] = ()
    esm_class: Octet = 0
    protocol_id: Octet = 0
    priority: Octet = 0
    schedule: Time = ""
    validity: Time = ""
    registered_delivery: Octet = 0
    replace_if_present: Octet = 0
    data_coding: Octet = 0
    default_message: Octet = 0
    short_message: Annotated[bytes, Counted()] = b""
    tlvs: Tlvs = ()


class Data(Struct, frozen=True):
    """data_sm (SMPP 3.4, 4.7.1); the text travels in message_payload."""

    service_type: ServiceType = ""
    source_ton: Octet = 0
    source_npi: Octet = 0
    source: LongAddress = ""
    dest_ton: Octet = 0
    dest_npi: Octet = 0
    dest: LongAddress = ""
    esm_class: Octet = 0
    registered_delivery: Octet = 0
    data_coding: Octet = 0
    tlvs: Tlvs = ()


class Named(Struct, frozen=True, gc=False):
    """The answer to submit_sm, deliver_sm and data_sm: the network's id of the message."""

    message_id: MessageName = ""
    tlvs: Tlvs = ()


class MultiAnswer(Struct, frozen=True):
    """The answer to submit_multi (SMPP 3.4, 4.5.2)."""

    message_id: MessageName = ""
    unreached: Annotated[tuple[Unreached, ...], Unreachables()] = ()
    tlvs: Tlvs = ()


class Query(Struct, frozen=True):
    """query_sm (SMPP 3.4, 4.8.1)."""

    message_id: MessageName = ""
    source_ton: Octet = 0
    source_npi: Octet = 0
    source: Address = ""
    tlvs: Tlvs = ()


class QueryAnswer(Struct, frozen=True):
    """The answer to query_sm; `message_state` as in 5.2.28."""

    message_id: MessageName = ""
    final_date: Time = ""
    message_state: Octet = 0
    error_code: Octet = 0
    tlvs: Tlvs = ()


class Cancel(Struct, frozen=True):
    """cancel_sm (SMPP 3.4, 4.9.1)."""

    service_type: ServiceType = ""
    message_id: MessageName = ""
    source_ton: Octet = 0
    source_npi: Octet = 0
    source: Address = ""
    dest_ton: Octet = 0
    dest_npi: Octet = 0
    dest: Address = ""
    tlvs: Tlvs = ()


class Replace(Struct, frozen=True):
    """replace_sm (SMPP 3.4, 4.10.1)."""

    message_id: MessageName = ""
    source_ton: Octet = 0
    source_npi: Octet = 0
    source: Address = ""
    schedule: Time = ""
    validity: Time = ""
    registered_delivery: Octet = 0
    default_message: Octet = 0
    short_message: Annotated[bytes, Counted()] = b""
    tlvs: Tlvs = ()


class Alert(Struct, frozen=True):
    """alert_notification: a mobile is there again (SMPP 3.4, 4.12.1)."""

    source_ton: Octet = 0
    source_npi: Octet = 0
    source: LongAddress = ""
    esme_ton: Octet = 0
    esme_npi: Octet = 0
    esme: LongAddress = ""
    tlvs: Tlvs = ()


Body = (
    Empty
    | Login
    | Welcome
    | Outbind
    | ShortMessage
    | MultiMessage
    | Data
    | Named
    | MultiAnswer
    | Query
    | QueryAnswer
    | Cancel
    | Replace
    | Alert
)

BODIES: Mapping[Command, type[Body]] = {
    Command.GENERIC_NACK: Empty,
    Command.BIND_RECEIVER: Login,
    Command.BIND_RECEIVER_RESP: Welcome,
    Command.BIND_TRANSMITTER: Login,
    Command.BIND_TRANSMITTER_RESP: Welcome,
    Command.QUERY_SM: Query,
    Command.QUERY_SM_RESP: QueryAnswer,
    Command.SUBMIT_SM: ShortMessage,
    Command.SUBMIT_SM_RESP: Named,
    Command.DELIVER_SM: ShortMessage,
    Command.DELIVER_SM_RESP: Named,
    Command.UNBIND: Empty,
    Command.UNBIND_RESP: Empty,
    Command.REPLACE_SM: Replace,
    Command.REPLACE_SM_RESP: Empty,
    Command.CANCEL_SM: Cancel,
    Command.CANCEL_SM_RESP: Empty,
    Command.BIND_TRANSCEIVER: Login,
    Command.BIND_TRANSCEIVER_RESP: Welcome,
    Command.OUTBIND: Outbind,
    Command.ENQUIRE_LINK: Empty,
    Command.ENQUIRE_LINK_RESP: Empty,
    Command.SUBMIT_MULTI: MultiMessage,
    Command.SUBMIT_MULTI_RESP: MultiAnswer,
    Command.ALERT_NOTIFICATION: Alert,
    Command.DATA_SM: Data,
    Command.DATA_SM_RESP: Named,
}
