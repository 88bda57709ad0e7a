"""What a dialect is: plain functions and a table, nothing that awaits."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from chappe.model.commands import Credentials
from chappe.model.errors import Refusal
from chappe.protocols.http import HttpRequest, HttpResponse
from chappe.services.ports import NoticeMaker

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class WireCall(NamedTuple):
    """What a dialect reads out of one request.

    `verb` is a key of the dialect's operations. `fields` are the parameters as text, each with all its
    values; `data` is whatever richer shape the reader made (decoded JSON, XML-RPC parameters), for the
    dialect's own decoders only. `credentials`: the first that holds wins. `secrets` are the byte strings
    to mask wherever the exchange is kept. `anonymous` allows a call without credentials. `balance`
    (thousandths) is what a refused caller has, set for a dialect that `shows_balance`.
    """

    verb: str
    fields: Mapping[str, Sequence[str]] = _NOTHING
    data: Any = None
    credentials: Sequence[Credentials] = ()
    secrets: Sequence[bytes] = ()
    anonymous: bool = False
    replay_key: str | None = None
    request: HttpRequest | None = None
    balance: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of a dialect's table: decoder, service, encoder.

    `decode` may raise Refusal. `run` is a service function. `summary` and `source` go to the coverage
    matrix and the OpenAPI document; `source` names the provider's document and section.
    """

    decode: Callable[[WireCall], Any]
    run: Callable[..., Awaitable[Any]]
    encode: Callable[[Any, WireCall], HttpResponse]
    summary: str
    source: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One northbound wire.

    `paths` are path prefixes that belong to it (each ends with a slash, or is a whole path). `region` is
    where its national numbers are read. `read` may raise Refusal; `refuse` answers any refusal, also
    before a call could be read. `body_limit` is in bytes, `body_limits` at single paths. `notice` renders an
    event for a target of this dialect, None where the wire has no word for it. `shows_balance`: refusals
    show it too.
    """

    name: str
    paths: Sequence[str]
    read: Callable[[HttpRequest], WireCall]
    operations: Mapping[str, Operation]
    refuse: Callable[[Refusal, WireCall | None], HttpResponse]
    notice: NoticeMaker
    region: str = "FR"
    body_limit: int = 1024 * 1024
    body_limits: Mapping[str, int] = field(default_factory=dict)
    shows_balance: bool = False

    def limit_at(self, path: str) -> int:
        """How many bytes a body may have there."""
        return self.body_limits.get(path, self.body_limit)
