"""/v1/centrex: lines as telephones of a company, and keys that read their passwords."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import asdict

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Credits, Time, credits_of, utc, utc_or_none
from chappe.dialects.rest.table import Described
from chappe.model import centrex as model
from chappe.model import directory
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import CREDIT
from chappe.protocols import qr
from chappe.protocols.http import HttpResponse
from chappe.services import centrex, provisioning

State = Literal["active", "suspended"]
ShortNumber = Annotated[
    str, Meta(description="2 to 6 digits that the account's telephones dial for it; empty: none.")
]
CallsAtOnce = Annotated[
    int, Meta(ge=0, le=100, description="Calls from and to it; 0: as many as the platform allows.")
]
Amount = Annotated[
    float, Meta(ge=0, le=1_000_000, description="Credits, to the thousandth, for a calendar month (UTC).")
]
Codec = Annotated[str, Meta(description="FAX, G711a, G711u, G722, G726-32, G729, H264 or OPUS.")]
Transport = Annotated[str, Meta(description="UDP, TCP or WS.")]
Message = Annotated[
    str, Meta(max_length=1000, description="What a caller hears while it rings, with `plays_message`.")
]
Secretary = Annotated[
    str, Meta(description="A number or short number that gets all calls but its own, while it is active.")
]
Mailbox = Annotated[str, Meta(description="Where messages are mailed; empty: to the account's address.")]


class ExtensionQuery(Body):
    """Which lines; all that is given must fit."""

    state: State | None = None
    site: str = ""
    number: str = ""
    registered_since: Time | None = None
    registered_until: Time | None = None


class ExtensionChange(Body):
    """What is left out stays as it is, an empty string empties it. Where calls go is set with the line."""

    state: State | None = None
    short_number: ShortNumber | None = None
    user_name: str | None = None
    site: str | None = None
    calls_at_once: CallsAtOnce | None = None
    shown: Annotated[str, Meta(description="The number that others see.")] | None = None
    recorded: bool | None = None
    plays_message: bool | None = None
    message: Message | None = None
    may_pick_up: bool | None = None
    sees_all_faxes: bool | None = None
    limited: bool | None = None
    allowance: Amount | None = None
    blocks_value_added: bool | None = None
    secretary: Secretary | None = None
    secretary_active: bool | None = None
    voicemail_mail: Mailbox | None = None
    lamp: bool | None = None
    may_change_greeting: bool | None = None
    codec: Codec | None = None
    codec_forced: bool | None = None
    transport: Transport | None = None
    dial_plan: str | None = None
    telephone_model: str | None = None
    telephone_mac: str | None = None
    telephone_port: int | None = None
    handset: str | None = None
    ldap_host: str | None = None
    ldap_user: str | None = None
    ldap_domain: str | None = None
    ldap_password: Annotated[str, Meta(description="It is never told by this API.")] | None = None


class Extension(Struct):
    """A line as one telephone of a company. `registered_at` is when its telephone registered last."""

    id: str
    number: str
    state: State
    short_number: ShortNumber
    user_name: str
    site: str
    calls_at_once: CallsAtOnce
    shown: str
    recorded: bool
    plays_message: bool
    message: Message
    may_pick_up: bool
    sees_all_faxes: bool
    limited: bool
    allowance: Credits
    blocks_value_added: bool
    secretary: Secretary
    secretary_active: bool
    voicemail_mail: Mailbox
    lamp: bool
    may_change_greeting: bool
    codec: Codec
    codec_forced: bool
    transport: Transport
    dial_plan: str
    telephone_model: str
    telephone_mac: str
    telephone_port: int
    handset: str
    ldap_host: str
    ldap_user: str
    ldap_domain: str
    registered_at: Time | None

    @classmethod
    def of(cls, line: directory.Line) -> "Extension":
        """The JSON of a line."""
        extension = line.extension
        values = {name: getattr(extension, name) for name in model.NAMES if name != "suspended"}
        return cls(
            **values | {"allowance": credits_of(extension.allowance)},
            id=str(line.id),
            number=line.number,
            state="suspended" if extension.suspended else "active",
            short_number=line.short_number,
            registered_at=utc_or_none(line.sip_seen_at),
        )


class ListingKey(Struct):
    """A key for the listing of telephones on Axialys' wire, `Authorization: APIKey`; it is shown once."""

    key: str
    reads_secrets: bool


class ListingKeyRequest(Body):
    """What the key may see: with `reads_secrets` also the passwords of telephones and directories."""

    reads_secrets: bool = False


TelephoneWord = Annotated[
    Literal["linphone", "zoiper", "snom", "yealink"], Meta(description="What will read the file.")
]


class ProvisioningRequest(Body):
    """Which telephone shall be set up."""

    telephone: TelephoneWord = "linphone"


class Provisioning(Struct):
    """An address at which one telephone may learn once who it is, as text and as a QR code (an SVG
    element)."""

    url: str
    telephone: str
    expires_at: Time
    qr: str


def decode_offer(call: WireCall) -> model.OfferProvisioning:
    """POST /v1/centrex/{number}/provisioning."""
    asked = wire.body(call, ProvisioningRequest)
    return model.OfferProvisioning(wire.parameter(call, "number"), asked.telephone)


def encode_offer(offered: provisioning.Offered, call: WireCall) -> HttpResponse:
    """The address, on the host by which the client calls us."""
    request = call.request
    assert request is not None  # `read` always sets it
    url = f"{'https' if request.secure else 'http'}://{request.host}/provisioning/{offered.token}"
    telephone = offered.kind.value
    return wire.answer(Provisioning(url, telephone, utc(offered.expires_at), qr.svg(url)), 201)


def decode_list(call: WireCall) -> model.ListExtensions:
    """GET /v1/centrex."""
    asked = wire.query(call, ExtensionQuery)
    suspended = None if asked.state is None else asked.state == "suspended"
    return model.ListExtensions(
        None, asked.number, suspended, asked.site, asked.registered_since, asked.registered_until
    )


def decode_change(call: WireCall) -> model.ChangeExtension:
    """PATCH /v1/centrex/{number}."""
    asked = wire.body(call, ExtensionChange)
    values = {name: value for name, value in asdict(asked).items() if value is not None}
    if (state := values.pop("state", None)) is not None:
        values["suspended"] = state == "suspended"
    if (allowance := values.pop("allowance", None)) is not None:
        values["allowance"] = _thousandths(allowance)
    short_number, password = values.pop("short_number", None), values.pop("ldap_password", None)
    return model.ChangeExtension(
        wire.parameter(call, "number"),
        model.Extension(**values),
        frozenset(values),
        short_number,
        password,
    )


def _thousandths(credits: float) -> int:
    exact = credits * CREDIT
    if abs(exact - round(exact)) > 1e-6:
        detail = f"{credits:g} has more than three decimals; credits are counted to the thousandth"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "allowance")
    return round(exact)


def decode_key(call: WireCall) -> model.AddListingKey:
    """POST /v1/centrex/keys."""
    return model.AddListingKey(wire.body(call, ListingKeyRequest).reads_secrets)


def encode_all(found: tuple[directory.Line, ...], call: WireCall) -> HttpResponse:
    """All lines that fit."""
    return wire.page(map(Extension.of, found))


def encode_one(line: directory.Line, call: WireCall) -> HttpResponse:
    """The line as it now is."""
    return wire.answer(Extension.of(line))


def encode_key(made: centrex.NewListingKey, call: WireCall) -> HttpResponse:
    """A key that was just made."""
    return wire.answer(ListingKey(made.key, made.reads_secrets), 201)


LINES: Mapping[str, Operation] = {
    "GET /v1/centrex": table.line(
        decode_list,
        centrex.list_extensions,
        encode_all,
        "List lines as telephones of a company",
        Described("list_extensions", "centrex", shapes.Page[Extension], query=ExtensionQuery),
    ),
    "POST /v1/centrex/keys": table.line(
        decode_key,
        centrex.add_listing_key,
        encode_key,
        "Make a key for the listing on Axialys' wire",
        Described("add_listing_key", "centrex", ListingKey, 201, body=ListingKeyRequest),
    ),
    "GET /v1/centrex/{number}": table.line(
        wire.bare(model.FindExtension, "number"),
        centrex.find_extension,
        encode_one,
        "Read a line as a telephone of a company",
        Described("get_extension", "centrex", Extension, faults=(Fault.NOT_FOUND,)),
    ),
    "POST /v1/centrex/{number}/provisioning": table.line(
        decode_offer,
        provisioning.offer,
        encode_offer,
        "Let a telephone learn who it is, by a one-time address",
        Described(
            "provision_telephone",
            "centrex",
            Provisioning,
            201,
            body=ProvisioningRequest,
            faults=(Fault.NOT_FOUND, Fault.TOO_LATE),
        ),
    ),
    "PATCH /v1/centrex/{number}": table.line(
        decode_change,
        centrex.change_extension,
        encode_one,
        "Change a telephone of a company",
        Described(
            "change_extension",
            "centrex",
            Extension,
            body=ExtensionChange,
            faults=(
                Fault.NOT_FOUND,
                Fault.INVALID_PARAMETER,
                Fault.ALREADY_EXISTS,
                Fault.INVALID_SENDER,
                Fault.INVALID_RECIPIENT,
                Fault.DESTINATION_FORBIDDEN,
            ),
        ),
    ),
}
