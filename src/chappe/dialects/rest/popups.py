"""/v1/popups: callback forms, where they may call, and their files."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import table, wire
from chappe.dialects.rest.calls import Language
from chappe.dialects.rest.ringgroups import Name, RingSeconds
from chappe.dialects.rest.shapes import Body, Credits, Time, credits_of, utc
from chappe.dialects.rest.table import Described
from chappe.model import callbacks as model
from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpResponse
from chappe.services import callbackfiles, callbackforms

Voice = Literal["female", "male"]
Message = Annotated[str, Meta(max_length=1_000)]
Label = Annotated[str, Meta(max_length=model.LABEL_LENGTH)]
Labels = Annotated[tuple[Label, ...], Meta(max_length=model.LABELS)]

# --- what clients send


class PopupChange(Body):
    """What becomes of a callback form; what is left out stays as it is."""

    name: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    first_rung: model.FirstRung | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    voice: Voice | UnsetType = UNSET
    operator_seconds: RingSeconds | UnsetType = UNSET
    visitor_seconds: RingSeconds | UnsetType = UNSET
    immediate: bool | UnsetType = UNSET
    shown_to_operator: str | UnsetType = UNSET
    shown_to_visitor: str | UnsetType = UNSET
    hours: Name | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    open_group: Name | UnsetType = UNSET
    closed_group: Name | UnsetType = UNSET
    open_message: Message | UnsetType = UNSET
    closed_message: Message | UnsetType = UNSET
    mailbox: str | UnsetType = UNSET
    asks_name: bool | UnsetType = UNSET
    labels: Labels | UnsetType = UNSET
    recorded: bool | UnsetType = UNSET
    confirms: bool | UnsetType = UNSET
    allowed: tuple[str, ...] | UnsetType | None = UNSET
    repeat_seconds: Annotated[int, Meta(ge=0, le=86_400)] | UnsetType = UNSET
    per_address: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET
    per_hour: Annotated[int, Meta(ge=0, le=100_000)] | UnsetType = UNSET


class PopupRequest(PopupChange):
    """A new callback form; what is left out is as usual."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]


class FileQuery(Body):
    """What a file is called."""

    name: Annotated[str, Meta(max_length=100, description="What you call it.")] = ""


class DestinationsChange(Body):
    """Destinations by country and kind, or by number, that a form may call, or may not any more."""

    destinations: Annotated[tuple[str, ...], Meta(min_length=1, max_length=1_000)]
    allowed: bool = True


# --- what clients get


class Popup(Struct):
    """A callback form. `number` counts them; with `confirms` the visitor presses a key before anybody else is
    called; `allowed` null: what the account may call; of the budgets 0 is no bound."""

    id: str
    number: int
    name: str
    first_rung: model.FirstRung
    language: Language
    voice: str
    operator_seconds: int
    visitor_seconds: int
    immediate: bool
    shown_to_operator: str
    shown_to_visitor: str
    hours: str
    zone: str
    open_group: str
    closed_group: str
    open_message: str
    closed_message: str
    mailbox: str
    asks_name: bool
    labels: list[str]
    recorded: bool
    confirms: bool
    allowed: list[str] | None
    repeat_seconds: int
    per_address: int
    per_hour: int
    created_at: Time

    @classmethod
    def of(cls, form: model.CallbackForm) -> "Popup":
        """The JSON of a form."""
        values: dict[str, Any] = {
            name: getattr(form, name) for name in cls.__struct_fields__ if name not in ("id", "created_at")
        }
        values |= {
            "id": form.ref,
            "created_at": utc(form.created_at),
            "language": Language(form.language),
            "labels": list(form.labels),
            "allowed": None if form.allowed is None else list(form.allowed),
        }
        return cls(**values)


class Popups(Struct):
    """All callback forms of the account."""

    data: list[Popup]


class Destination(Struct):
    """Where a form may call or not: country and kind, the price of a minute."""

    number: int
    code: str
    price: Credits
    allowed: bool


class Destinations(Struct):
    """Every country and kind."""

    data: list[Destination]


class PopupFile(Struct):
    """A file of a form."""

    file: model.FormFile
    name: str
    content_type: str


class PopupFiles(Struct):
    """The files that a form has."""

    data: list[PopupFile]


# --- the operations


def _settings(request: PopupChange) -> dict[str, object]:
    given = {name: value for name, value in structs.asdict(request).items() if value is not UNSET}
    if isinstance(language := given.get("language"), Language):
        given["language"] = language.value
    return given


def decode_create(call: WireCall) -> model.CreateForm:
    """POST /v1/popups."""
    settings = _settings(wire.body(call, PopupRequest))
    return model.CreateForm(str(settings.pop("name")), settings)


def decode_change(call: WireCall) -> model.ChangeForm:
    """PATCH /v1/popups/{id}."""
    return model.ChangeForm(wire.parameter(call, "id"), _settings(wire.body(call, PopupChange)))


def encode_created(form: model.CallbackForm, call: WireCall) -> HttpResponse:
    """A new form."""
    return wire.answer(Popup.of(form), 201)


def encode_popup(form: model.CallbackForm, call: WireCall) -> HttpResponse:
    """One form."""
    return wire.answer(Popup.of(form))


def encode_popups(forms: tuple[model.CallbackForm, ...], call: WireCall) -> HttpResponse:
    """All forms."""
    return wire.answer(Popups(list(map(Popup.of, forms))))


def decode_allow(call: WireCall) -> model.AllowDestinations:
    """POST /v1/popups/{id}/destinations."""
    request = wire.body(call, DestinationsChange)
    return model.AllowDestinations(wire.parameter(call, "id"), request.destinations, request.allowed)


def encode_destinations(found: tuple[model.Destination, ...], call: WireCall) -> HttpResponse:
    """Where a form may call."""
    data = [Destination(one.number, one.code, credits_of(one.price), one.allowed) for one in found]
    return wire.answer(Destinations(data))


def _file(call: WireCall) -> model.FormFile:
    written = wire.parameter(call, "file")
    try:
        return model.FormFile(written)
    except ValueError:
        detail = f"a form has no file {written[:60]}; there are {', '.join(model.FormFile)}"
        raise Refusal(Fault.NOT_FOUND, detail, "file") from None


def decode_put_file(call: WireCall) -> model.PutFormFile:
    """PUT /v1/popups/{id}/files/{file}."""
    file, query = _file(call), wire.query(call, FileQuery)
    assert call.request is not None  # `read` always sets it
    return model.PutFormFile(wire.parameter(call, "id"), file, query.name or file.value, call.request.body)


def decode_read_file(call: WireCall) -> model.ReadFormFile:
    """GET /v1/popups/{id}/files/{file}."""
    wire.no_query(call)
    return model.ReadFormFile(wire.parameter(call, "id"), _file(call))


def decode_remove_file(call: WireCall) -> model.RemoveFormFile:
    """DELETE /v1/popups/{id}/files/{file}."""
    wire.no_query(call)
    return model.RemoveFormFile(wire.parameter(call, "id"), _file(call))


def encode_file(found: model.FormFileContent, call: WireCall) -> HttpResponse:
    """The bytes of a file; no browser may take them for anything else."""
    quiet = ("x-content-type-options", "nosniff"), ("content-security-policy", "sandbox")
    return HttpResponse(200, found.content, found.content_type, (wire.NO_STORE, *quiet))


def encode_files(found: tuple[model.FormFileContent, ...], call: WireCall) -> HttpResponse:
    """The files of a form."""
    return wire.answer(PopupFiles([PopupFile(one.file, one.name, one.content_type) for one in found]))


_ONE = "/v1/popups/{id}"
_FILE = f"{_ONE}/files/{{file}}"
TAKEN = (
    "audio/wav",
    "audio/mpeg",
    "audio/ogg",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "text/css",
)
_SET = (Fault.INVALID_PARAMETER, Fault.INVALID_SENDER, Fault.NOT_FOUND)

LINES: Mapping[str, Operation] = {
    "POST /v1/popups": table.line(
        decode_create,
        callbackforms.create,
        encode_created,
        "Make a callback form",
        Described(
            "create_popup",
            "callbacks",
            Popup,
            201,
            body=PopupRequest,
            faults=(Fault.MISSING_PARAMETER, *_SET, Fault.NOT_ALLOWED),
        ),
    ),
    "GET /v1/popups": table.line(
        wire.bare(model.ListForms),
        callbackforms.list_forms,
        encode_popups,
        "List callback forms, by number",
        Described("list_popups", "callbacks", Popups),
    ),
    f"GET {_ONE}": table.line(
        wire.bare(model.FindForm, "id"),
        callbackforms.find,
        encode_popup,
        "Read a callback form, by its id or number",
        Described("get_popup", "callbacks", Popup, faults=(Fault.NOT_FOUND,)),
    ),
    f"PATCH {_ONE}": table.line(
        decode_change,
        callbackforms.change,
        encode_popup,
        "Change a callback form",
        Described("change_popup", "callbacks", Popup, body=PopupChange, faults=_SET),
    ),
    f"DELETE {_ONE}": table.line(
        wire.bare(model.RemoveForm, "id"),
        callbackforms.remove,
        wire.nothing,
        "Remove a callback form; what waits of it is called off",
        Described("remove_popup", "callbacks", status=204, faults=(Fault.NOT_FOUND,)),
    ),
    f"GET {_ONE}/destinations": table.line(
        wire.bare(model.ListDestinations, "id"),
        callbackforms.list_destinations,
        encode_destinations,
        "List where a callback form may call",
        Described("list_popup_destinations", "callbacks", Destinations, faults=(Fault.NOT_FOUND,)),
    ),
    f"POST {_ONE}/destinations": table.line(
        decode_allow,
        callbackforms.allow_destinations,
        encode_destinations,
        "Let a callback form call more destinations, or fewer",
        Described(
            "allow_popup_destinations",
            "callbacks",
            Destinations,
            body=DestinationsChange,
            faults=(Fault.NOT_FOUND, Fault.INVALID_PARAMETER),
        ),
    ),
    f"GET {_ONE}/files": table.line(
        wire.bare(model.ListFormFiles, "id"),
        callbackfiles.list_files,
        encode_files,
        "List the files of a callback form",
        Described("list_popup_files", "callbacks", PopupFiles, faults=(Fault.NOT_FOUND,)),
    ),
    f"PUT {_FILE}": table.line(
        decode_put_file,
        callbackfiles.put,
        wire.nothing,
        "Give a callback form a sound, a picture or a style sheet, known by its bytes",
        Described(
            "put_popup_file",
            "callbacks",
            status=204,
            query=FileQuery,
            takes=TAKEN,
            faults=(
                Fault.NOT_FOUND,
                Fault.EMPTY_CONTENT,
                Fault.CONTENT_TOO_LONG,
                Fault.UNUSABLE_MEDIA,
                Fault.MEDIA_TOO_LARGE,
            ),
        ),
    ),
    f"GET {_FILE}": table.line(
        decode_read_file,
        callbackfiles.read,
        encode_file,
        "Read a file of a callback form as it is used: sounds as WAV, style sheets cleaned",
        Described("get_popup_file", "callbacks", file="*/*", faults=(Fault.NOT_FOUND,)),
    ),
    f"DELETE {_FILE}": table.line(
        decode_remove_file,
        callbackfiles.remove,
        wire.nothing,
        "Remove a file of a callback form",
        Described("remove_popup_file", "callbacks", status=204, faults=(Fault.NOT_FOUND,)),
    ),
}
