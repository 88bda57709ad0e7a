"""Parts of long messages, kept until all have come, and the messages that they become.

A part is acknowledged once it is kept, not once the message is whole: a network may send the next part only
after the answer to the last one. What is kept is in the database alone, so neither a crash nor a sender of
endless first parts costs memory, and parts may come over binds of different nodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from chappe.carriers.smpp.texts import Brought, Texts
from chappe.model.messages import Part
from chappe.model.smstext import Encoding
from chappe.protocols.smpp.coding import read_coding
from chappe.protocols.smpp.reassembly import GAP, Gathered, Piece, gather
from chappe.protocols.smpp.userdata import read_header, without_place, write_header
from chappe.services.ports import Platform

PATIENCE = timedelta(minutes=10)
"""How long after its last part a message is given out with its gaps (our choice)."""

GIVEN_UP = 0
"""Instead of the id of a message: a customer's part whose others never came."""

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Joined:
    """A message put together: its key, its parts, the text, and whether all of it came."""

    key: str
    parts: tuple[Part, ...]
    text: str
    encoding: Encoding
    is_whole: bool


class Parts:
    """The parts that come over one source: a carrier, or the binds of customers."""

    def __init__(self, platform: Platform, source: str, texts: Texts, patience: timedelta = PATIENCE) -> None:
        self._platform = platform
        self._source = source
        self._texts = texts
        self._patience = patience

    def part(self, key: str, brought: Brought, data_coding: int, more: dict[str, object]) -> Part:
        """What came, as it is kept; `more` is what its owner needs again, as JSON data.

        The reference of `brought.place` becomes part of the key, so that messages do not mix.
        """
        place = brought.place
        assert place is not None  # others need no keeping
        data: dict[str, object] = {
            "octets": brought.octets.hex(),
            "data_coding": data_coding,
            "header": write_header(without_place(brought.elements)).hex(),
            **more,
        }
        return Part(
            self._platform.ids.new_id(),
            self._source,
            f"{key} {place.reference}/{place.total}",
            place.number,
            place.total,
            data,
            self._platform.clock.now(),
        )

    async def whole(self, part: Part) -> Joined | None:
        """The message that a part completes, once it is kept; None while others are missing."""
        for gathered, joined in await self._gather(part.key):
            if part.id in gathered.ids and joined.is_whole:
                return joined
        return None

    async def overdue(self) -> list[Joined]:
        """Messages whose last part came long ago, with the gaps that stayed."""
        before = self._platform.clock.now() - self._patience
        keys = await self._platform.store.queries.keys_of_old_parts(self._source, before, _AT_ONCE)
        return [joined for key in keys for _, joined in await self._gather(key)]

    async def _gather(self, key: str) -> list[tuple[Gathered, Joined]]:
        kept = await self._platform.store.queries.parts_of_key(self._source, key)
        by_id = {part.id: part for part in kept}
        return [
            (gathered, self._join(key, gathered, [by_id[one] for one in sorted(gathered.ids)]))
            for gathered in gather([_piece(part) for part in kept])
        ]

    def _join(self, key: str, gathered: Gathered, parts: Sequence[Part]) -> Joined:
        first = gathered.pieces[0]
        elements = read_header(first.header)[0] if first.header else ()
        coding = read_coding(first.data_coding)
        texts: list[str] = []
        encoding = Encoding.GSM7
        for run in gathered.runs():
            if run is None:
                texts.append(GAP)
            else:
                text, encoding = self._texts.text(Brought(coding, run, elements))
                texts.append(text)
        return Joined(key, tuple(parts), "".join(texts), encoding, gathered.is_whole)


def _piece(part: Part) -> Piece:
    data = part.data
    return Piece(
        part.id,
        part.number,
        part.total,
        bytes.fromhex(str(data["octets"])),
        int(str(data["data_coding"])),
        bytes.fromhex(str(data["header"])),
    )
