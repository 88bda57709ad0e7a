"""/v1/programs: programs of others that accounts may let in with OAuth 2."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Time, utc
from chappe.dialects.rest.table import Described
from chappe.model import programs as model
from chappe.model.errors import Fault
from chappe.protocols.http import HttpResponse
from chappe.services import programs

Redirects = Annotated[
    list[str],
    Meta(max_length=10, description="Where users are sent back to: https, or http on their machine."),
]


class ProgramRequest(Body):
    """A program that shall be able to ask accounts to let it in."""

    name: str
    redirect_uris: Redirects


class Program(Struct):
    """A program; its users come to `/oauth2/authorize.php` with its `client_id`."""

    client_id: str
    name: str
    redirect_uris: Redirects
    created_at: Time

    @classmethod
    def of(cls, program: model.Program) -> "Program":
        """The JSON of a record."""
        uris = program.redirect_uris.split()
        return cls(program.client_id, program.name, uris, utc(program.created_at))


class NewProgram(Struct):
    """A program, and its secret, which is shown once."""

    program: Program
    client_secret: str


def decode_new(call: WireCall) -> model.AddProgram:
    """POST /v1/programs."""
    asked = wire.body(call, ProgramRequest)
    return model.AddProgram(asked.name, tuple(asked.redirect_uris))


def encode_new(made: programs.NewProgram, call: WireCall) -> HttpResponse:
    """A program that was just registered."""
    return wire.answer(NewProgram(Program.of(made.program), made.secret), 201)


def encode_all(found: tuple[model.Program, ...], call: WireCall) -> HttpResponse:
    """All that the account has registered."""
    return wire.page(map(Program.of, found))


LINES: Mapping[str, Operation] = {
    "GET /v1/programs": table.line(
        wire.bare(model.ListPrograms),
        programs.list_programs,
        encode_all,
        "List the programs that you have registered",
        Described("list_programs", "programs", shapes.Page[Program]),
    ),
    "POST /v1/programs": table.line(
        decode_new,
        programs.add_program,
        encode_new,
        "Register a program that accounts may let in",
        Described(
            "add_program",
            "programs",
            NewProgram,
            201,
            body=ProgramRequest,
            faults=(Fault.INVALID_PARAMETER,),
        ),
    ),
}
