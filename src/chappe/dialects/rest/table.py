"""How a line of the operations table is written, with what the OpenAPI document says of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from chappe.dialects.contract import Operation, WireCall
from chappe.model.errors import Fault
from chappe.protocols.http import HttpResponse


@dataclass(frozen=True, slots=True)
class Described:
    """What the document says of an operation beyond its table line.

    `name` is the operationId, `answer` the shape of the success answer (None: no body, or a `file` of that
    media type), `takes` the media types of a body that is no JSON, `faults` those a client should expect
    besides wrong credentials, `costs` whether an Idempotency-Key is read.
    """

    name: str
    tag: str
    answer: Any = None
    status: int = 200
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    faults: Sequence[Fault] = ()
    costs: bool = False
    anonymous: bool = False
    file: str = ""
    takes: Sequence[str] = ()


def line(
    decode: Callable[[WireCall], Any],
    run: Callable[..., Awaitable[Any]],
    encode: Callable[[Any, WireCall], HttpResponse],
    summary: str,
    described: Described,
) -> Operation:
    """One line of the table."""
    source = "RFC 6750, RFC 9457, OpenAPI 3.1; paths and shapes are our choice"
    return Operation(decode, run, encode, summary, source, {"openapi": described})
