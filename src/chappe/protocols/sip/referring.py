"""What a REFER asks for (RFC 3515), with the call that is to be given away where it names one (RFC 3891), and
how its sender is told what became of it."""

import re
from typing import NamedTuple
from urllib.parse import unquote

from aiosipua import SipRequest

from chappe.protocols.errors import ProtocolError
from chappe.protocols.sip.messages import user_of

SIPFRAG = "message/sipfrag;version=2.0"
"""The kind of body that tells it (RFC 3420)."""


class Dialog(NamedTuple):
    """A dialog as Replaces names it: Call-ID, the tag of whoever is asked, and that of whoever asks."""

    call_id: str
    to_tag: str
    from_tag: str


class Wanted(NamedTuple):
    """To whom the partner shall go; with `replaces` to the one with whom that dialog is."""

    user: str
    replaces: Dialog | None = None


def read(request: SipRequest) -> Wanted:
    """What a REFER wants. Raises ProtocolError: it names nobody, several, or anything but a call."""
    values = request.headers.get("refer-to")
    if len(values) != 1:
        raise ProtocolError("a REFER must have Refer-To once")
    value = values[0].strip()
    uri = value.partition("<")[2].partition(">")[0] if "<" in value else value
    uri, _, headers = uri.partition("?")
    method = re.search(r";method=([^;?]*)", uri, re.IGNORECASE)
    if method is not None and method[1].upper() != "INVITE":
        raise ProtocolError(f"a REFER that asks for {method[1][:20]!r} is none to a call")
    user = user_of(uri)
    if not user:
        raise ProtocolError("Refer-To names nobody")
    for header in headers.split("&"):
        name, _, written = header.partition("=")
        if name.lower() == "replaces":
            return Wanted(user, _dialog(unquote(written)))
    return Wanted(user)


def _dialog(written: str) -> Dialog:
    call_id, *rest = written.split(";")
    tags = {name.strip().lower(): value.strip() for name, _, value in (one.partition("=") for one in rest)}
    if not call_id.strip() or not tags.get("to-tag") or not tags.get("from-tag"):
        raise ProtocolError("Replaces names no dialog")
    return Dialog(call_id.strip(), tags["to-tag"], tags["from-tag"])
