"""Requests and records that the tests of the NetOxygen dialect share."""

import xmlrpc.client
from datetime import UTC, datetime
from typing import Any

from chappe.dialects.contract import WireCall
from chappe.dialects.netoxygen import wire
from chappe.model.directory import Account, AccountKind, AccountState
from chappe.model.messages import Direction, Message, MessageState
from chappe.model.smstext import Encoding
from chappe.protocols.http import HttpRequest, HttpResponse

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
REF = "0123456789abcdefghjkmnpqrs"

MESSAGE = Message(
    id=1,
    ref=REF,
    account_id=7,
    direction=Direction.MT,
    state=MessageState.QUEUED,
    peer="41792223344",
    address="textobox.ch",
    text="déjà vu",
    encoding=Encoding.GSM7,
    segments=1,
    price=1000,
    carrier="sandbox",
    dialect="netoxygen",
    batch_id=1,
    created_at=NOW,
    due_at=NOW,
)

ACCOUNT = Account(
    id=7,
    guid="0A1B2C3D-0000-4000-8000-00000000000F",
    name="demo",
    email="demo@example.com",
    kind=AccountKind.REGULAR,
    state=AccountState.OPEN,
    balance=12_999,
    reserved=0,
    default_sender="",
    region="CH",
    locale="fr",
    created_at=NOW,
)


def request(body: bytes, method: str = "POST") -> HttpRequest:
    """A request with this body, as any client sends it."""
    headers = {"host": "sms.netoxygen.ch", "content-type": "text/xml"}
    return HttpRequest(method, "sms.netoxygen.ch", "/api2/", b"/api2/", b"", headers, body)


def body(method: str, *values: str, declaration: str = '<?xml version="1.0"?>') -> bytes:
    """A methodCall around values that are written out, each what a <value> holds."""
    params = "".join(f"<param><value>{value}</value></param>" for value in values)
    return (
        f"{declaration}<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>"
    ).encode()


def call(method: str, *params: Any) -> WireCall:
    """What the dialect reads when Python's library makes this call."""
    return wire.read(request(xmlrpc.client.dumps(params, method, allow_none=True).encode()))


def result(response: HttpResponse) -> Any:
    """What Python's library makes of an answer; raises its Fault."""
    assert (response.status, response.content_type) == (200, "text/xml; charset=utf-8")
    ((value,), _) = xmlrpc.client.loads(response.body)
    return value
