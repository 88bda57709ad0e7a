"""What a line is in its account's telephone system (Centrex), and what can be asked of that (seed 003, second
half)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum


class Codec(StrEnum):
    """How sound is written on the wire, by the names of seed 003; our own networks speak G.711 only."""

    FAX = "FAX"
    G711A = "G711a"
    G711U = "G711u"
    G722 = "G722"
    G726_32 = "G726-32"
    G729 = "G729"
    H264 = "H264"
    OPUS = "OPUS"


class Transport(StrEnum):
    """How SIP travels."""

    UDP = "UDP"
    TCP = "TCP"
    WS = "WS"


@dataclass(frozen=True, slots=True)
class Extension:
    """A line as one telephone of a company. It is kept as JSON data, without what is usual.

    `suspended`: it is not called, calls nobody, and no telephone registers as it. `calls_at_once` counts
    calls from and to it, 0: as many as the platform allows. `shown` is the number (MSISDN) that others see
    when it calls, empty: its own. With `plays_message` a caller hears `message` while it rings. `allowance`
    is what its calls may cost in a calendar month (UTC, thousandths); it holds where the line is `limited`.
    With `secretary_active` every call goes to `secretary`, a number or short number, but those that come from
    there. `voicemail_mail` is where messages are mailed, empty: to the account's own address; with `lamp` its
    telephone shows that there are new ones.

    What a telephone is told when it is provisioned: `codec` (and no other, where `codec_forced`),
    `transport`, `dial_plan`, and the directory at `ldap_host`, whose password is no part of this. Nothing
    follows from `site`, `sees_all_faxes`, `may_change_greeting` and what is known of the telephone but that
    it is told."""

    suspended: bool = False
    user_name: str = ""
    site: str = ""
    calls_at_once: int = 0
    shown: str = ""
    recorded: bool = False
    plays_message: bool = False
    message: str = ""
    may_pick_up: bool = True
    sees_all_faxes: bool = False
    limited: bool = False
    allowance: int = 0
    blocks_value_added: bool = False
    secretary: str = ""
    secretary_active: bool = False
    voicemail_mail: str = ""
    lamp: bool = True
    may_change_greeting: bool = True
    codec: str = Codec.G711A.value
    codec_forced: bool = False
    transport: str = Transport.UDP.value
    dial_plan: str = ""
    telephone_model: str = ""
    telephone_mac: str = ""
    telephone_port: int = 0
    handset: str = ""
    ldap_host: str = ""
    ldap_user: str = ""
    ldap_domain: str = ""


USUAL = Extension()
NAMES: Mapping[str, type] = {one.name: type(getattr(USUAL, one.name)) for one in fields(Extension)}
"""The fields of an extension and their types."""


def to_data(extension: Extension) -> dict[str, object]:
    """As it is kept."""
    values = {name: getattr(extension, name) for name in NAMES}
    return {name: value for name, value in values.items() if value != getattr(USUAL, name)}


@dataclass(frozen=True, slots=True)
class ListExtensions:
    """The account's lines that fit all of this, oldest first; outcome: tuple of Line. None and empty fit
    all. `since` and `until` bound the time of the last registration, both included."""

    line_id: int | None = None
    number: str = ""
    suspended: bool | None = None
    site: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChangeExtension:
    """Set of a line's extension what is `named`, to what `values` has; outcome: Line. `short_number` and
    `ldap_password` None leave them as they are, empty takes them away."""

    number: str
    values: Extension = USUAL
    named: frozenset[str] = field(default_factory=frozenset)
    short_number: str | None = None
    ldap_password: str | None = None


@dataclass(frozen=True, slots=True)
class FindExtension:
    """Outcome: Line."""

    number: str


@dataclass(frozen=True, slots=True)
class AddListingKey:
    """A key that lists the account's telephones, with `reads_secrets` their passwords too; outcome:
    NewListingKey."""

    reads_secrets: bool = False


@dataclass(frozen=True, slots=True)
class OfferProvisioning:
    """An address from which one telephone of a kind (linphone, zoiper, snom, yealink) may learn once that it
    is this line's; outcome: Offered."""

    number: str
    kind: str
