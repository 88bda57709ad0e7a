"""The settings of one SMPP carrier, checked."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from chappe.carriers.smpp.texts import TextSettings
from chappe.protocols.smpp.receipt_ids import IdRules

Octet = Annotated[int, msgspec.Meta(ge=0, le=255)]
TonNpi = tuple[Octet, Octet]


class SmppSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section `[carriers.NAME]` with `type = "smpp"`.

    `bind` is one connection both ways, or a pair of them; `binds` how many of these. `window` and
    `per_second` hold for each bind. `unacknowledged` bounds, for each bind, the receipts and inbound messages
    that wait to be durable. `..._ton_npi` are type of number and numbering plan of senders (texts, short
    codes, numbers) and of destinations; those of short codes are our choice, networks ask for different ones.
    `validity` is the form in which the end of validity is told. `message_ids` is the rule by which ids in
    receipts become those of the answers, learnt from traffic unless one is named. `receipts_by_text` is for a
    network that does not mark its receipts: then what looks like one counts as one, also from a telephone.
    """

    host: Annotated[str, msgspec.Meta(min_length=1)]
    system_id: Annotated[str, msgspec.Meta(max_length=15)]
    password: Annotated[str, msgspec.Meta(max_length=8)] = ""
    system_type: Annotated[str, msgspec.Meta(max_length=12)] = ""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 2775
    type: Literal["smpp"] = "smpp"
    bind: Literal["transceiver", "pair"] = "transceiver"
    binds: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    window: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    per_second: Annotated[float, msgspec.Meta(gt=0)] | None = None
    unacknowledged: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1000
    enquire_link_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30
    response_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30
    tls: bool = False
    tls_ca: str = ""
    tls_name: str = ""
    after_crash: Literal["resend", "wait"] = "resend"
    service_type: Annotated[str, msgspec.Meta(max_length=5)] = ""
    text_ton_npi: TonNpi = (5, 0)
    short_code_ton_npi: TonNpi = (3, 0)
    number_ton_npi: TonNpi = (1, 1)
    dest_ton_npi: TonNpi = (1, 1)
    protocol_id: Octet = 0
    priority: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    validity: Literal["absolute", "relative", "none"] = "absolute"
    message_ids: str = "learn"
    receipts_by_text: bool = False
    texts: TextSettings = TextSettings()


def read_settings(table: Mapping[str, Any]) -> SmppSettings:
    """The settings of one carrier. Raises ValueError that says which one is wrong and why."""
    try:
        settings = msgspec.convert(dict(table), SmppSettings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    if (settings.tls_ca or settings.tls_name) and not settings.tls:
        raise ValueError("tls_ca and tls_name say how to check a certificate: set tls = true as well")
    if settings.message_ids != "learn":
        IdRules(settings.message_ids)  # says which rules there are
    return settings
