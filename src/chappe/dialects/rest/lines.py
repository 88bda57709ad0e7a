"""/v1/lines: telephone lines, where their calls are told, and from where programs may act for them."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Time, utc
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


class LineChange(Body):
    """What is left out stays as it is, an empty string empties it."""

    notification_url: str | None = None
    allowed_sources: Sources | None = None


class Line(Struct):
    """A telephone line."""

    number: str
    notification_url: Annotated[str, Meta(description="Where its calls will be told.")]
    allowed_sources: Sources
    created_at: Time

    @classmethod
    def of(cls, line: directory.Line) -> "Line":
        """The JSON of a record."""
        return cls(line.number, line.notification_url, line.allowed_sources, utc(line.created_at))


def decode_change(call: WireCall) -> commands.ChangeLine:
    """PATCH /v1/lines/{number}."""
    change = wire.body(call, LineChange)
    return commands.ChangeLine(
        wire.parameter(call, "number"), change.notification_url, change.allowed_sources
    )


def encode_lines(found: tuple[directory.Line, ...], call: WireCall) -> HttpResponse:
    """All lines."""
    return wire.page(map(Line.of, found))


def encode_line(line: directory.Line, call: WireCall) -> HttpResponse:
    """The line as it now is."""
    return wire.answer(Line.of(line))


LINES: Mapping[str, Operation] = {
    "GET /v1/lines": table.line(
        wire.bare(commands.ListLines),
        lines.list_lines,
        encode_lines,
        "List telephone lines",
        Described("list_lines", "lines", shapes.Page[Line]),
    ),
    "PATCH /v1/lines/{number}": table.line(
        decode_change,
        lines.change_line,
        encode_line,
        "Change where a line's calls are told and from where programs may act for it",
        Described("change_line", "lines", Line, body=LineChange, faults=(Fault.NOT_FOUND,)),
    ),
}
