"""/v1/lines: telephone lines, where their calls go and are told, and from where programs may act for them."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import asdict

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Time, utc, utc_or_none
from chappe.dialects.rest.table import Described
from chappe.model import commands, directory
from chappe.model.errors import Fault
from chappe.protocols.http import HttpResponse
from chappe.services import lines

Sources = Annotated[
    str,
    Meta(
        description="A regular expression over the whole address of a program, such as `192.0.2.1|192.0.2.7`;"
        " empty: HTTP Digest only."
    ),
]
Target = Annotated[
    str,
    Meta(description="A number, a short number, `answerphone`, `hang_up`, or empty: not forwarded."),
]
ShowsCaller = Annotated[
    bool, Meta(description="Who is called then sees the caller's number, else the line's.")
]
Url = Annotated[
    str,
    Meta(
        description="Is asked for with GET when a call of the line begins, is answered and ends; `_ACCOUNT_`,"
        " `_CALLER_`, `_CALLEE_`, `_CALLREF_`, `_N_TYPE_` (SETUP, CONNECT, RELEASE), `_N_VERSION_`, `_DREF_`,"
        " `_DREF_REPLACE_`, `_SESSION_ID_`, `_IS_ACD_`, `_REDIRECTING_NUMBER_`, `_TSMS_` in it are replaced."
    ),
]


class Forwarding(Body):
    """Where the calls of a line go."""

    always: Target = ""
    busy: Target = ""
    unreachable: Target = ""
    no_answer: Target = ""
    no_answer_after: Annotated[int, Meta(description="Seconds that it rings before.", ge=5, le=120)] = (
        directory.NO_ANSWER_AFTER
    )
    always_shows_caller: ShowsCaller = False
    busy_shows_caller: ShowsCaller = False
    unreachable_shows_caller: ShowsCaller = False
    no_answer_shows_caller: ShowsCaller = False


class LineChange(Body):
    """What is left out stays as it is, an empty string empties it. `profiles` replaces all."""

    notification_url: Url | None = None
    allowed_sources: Sources | None = None
    profile: Annotated[str, Meta(description="Which of the profiles is in force.")] | None = None
    profiles: dict[str, Forwarding] | None = None
    greeting: Annotated[str, Meta(max_length=1000, description="What the answerphone says.")] | None = None


class Telephone(Struct, omit_defaults=True):
    """What registers as the line: its user name, and until when it has said that it can be reached."""

    user: str
    registered_at: Time | None = None
    registered_until: Time | None = None


class Line(Struct):
    """A telephone line. `telephone` is null where nothing can register as it."""

    number: str
    notification_url: Url
    allowed_sources: Sources
    created_at: Time
    profile: str
    profiles: dict[str, Forwarding]
    greeting: str
    telephone: Telephone | None

    @classmethod
    def of(cls, line: directory.Line) -> "Line":
        """The JSON of a record."""
        telephone = Telephone(line.sip_user, utc_or_none(line.sip_seen_at), utc_or_none(line.sip_until))
        return cls(
            line.number,
            line.notification_url,
            line.allowed_sources,
            utc(line.created_at),
            line.profile,
            {name: Forwarding(**profile) for name, profile in line.profiles.items()},  # type: ignore[arg-type]
            line.greeting,
            telephone if line.sip_user else None,
        )


class NewLine(Struct):
    """A line, and the password with which programs act for it on Keyyo's wire; it is shown once."""

    line: Line
    password: str


class SipCredentials(Struct):
    """What a telephone registers with (SIP Digest, MD5); the password is shown once."""

    user: str
    realm: str
    password: str


def decode_change(call: WireCall) -> commands.ChangeLine:
    """PATCH /v1/lines/{number}."""
    change = wire.body(call, LineChange)
    profiles = None
    if change.profiles is not None:
        profiles = {name: directory.Forwarding(**asdict(one)) for name, one in change.profiles.items()}
    return commands.ChangeLine(
        wire.parameter(call, "number"),
        change.notification_url,
        change.allowed_sources,
        change.profile,
        profiles,
        change.greeting,
    )


def encode_lines(found: tuple[directory.Line, ...], call: WireCall) -> HttpResponse:
    """All lines."""
    return wire.page(map(Line.of, found))


def encode_line(line: directory.Line, call: WireCall) -> HttpResponse:
    """The line as it now is."""
    return wire.answer(Line.of(line))


def encode_new(new: lines.NewLine, call: WireCall) -> HttpResponse:
    """A line that was just made."""
    return wire.answer(NewLine(Line.of(new.line), new.password), 201)


def encode_credentials(new: lines.NewTelephone, call: WireCall) -> HttpResponse:
    """What a telephone registers with."""
    return wire.answer(SipCredentials(new.user, new.realm, new.password), 201)


LINES: Mapping[str, Operation] = {
    "GET /v1/lines": table.line(
        wire.bare(commands.ListLines),
        lines.list_lines,
        encode_lines,
        "List telephone lines",
        Described("list_lines", "lines", shapes.Page[Line]),
    ),
    "POST /v1/lines": table.line(
        wire.bare(commands.AddLine),
        lines.add_line,
        encode_new,
        "Take another line, with a number of the platform",
        Described("add_line", "lines", NewLine, 201, faults=(Fault.INVALID_PARAMETER,)),
    ),
    "GET /v1/lines/{number}": table.line(
        wire.bare(commands.FindLine, "number"),
        lines.find_line,
        encode_line,
        "Read a line and whether its telephone is registered",
        Described("get_line", "lines", Line, faults=(Fault.NOT_FOUND,)),
    ),
    "PATCH /v1/lines/{number}": table.line(
        decode_change,
        lines.change_line,
        encode_line,
        "Change where a line's calls go and are told, and from where programs may act for it",
        Described(
            "change_line",
            "lines",
            Line,
            body=LineChange,
            faults=(Fault.NOT_FOUND, Fault.INVALID_RECIPIENT, Fault.DESTINATION_FORBIDDEN),
        ),
    ),
    "POST /v1/lines/{number}/sip-credentials": table.line(
        wire.bare(commands.RenewTelephone, "number"),
        lines.renew_telephone,
        encode_credentials,
        "Make a new password for a line's telephone",
        Described("renew_sip_credentials", "lines", SipCredentials, 201, faults=(Fault.NOT_FOUND,)),
    ),
}
