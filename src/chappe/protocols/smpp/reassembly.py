"""Parts of long messages put together: in any order, twice, with references that are used again."""

from collections.abc import Sequence

from msgspec import Struct

GAP = "[...]"
"""Stands in a text where parts never came (our choice)."""


class Piece(Struct, frozen=True):
    """A part that came: its place among `total` parts, its octets without what joins them, data_coding, the
    header without its place, and `id`, by which its owner knows it; ids grow in the order of coming."""

    id: int
    number: int
    total: int
    octets: bytes
    data_coding: int
    header: bytes = b""


class Gathered(Struct, frozen=True):
    """The parts of one message that have come, in order, each once; `ids` has those of duplicates as well."""

    pieces: tuple[Piece, ...]
    ids: tuple[int, ...]

    @property
    def is_whole(self) -> bool:
        """Whether all parts are there."""
        return len(self.pieces) == self.pieces[0].total

    def runs(self) -> list[bytes | None]:
        """The octets of parts that follow one another, joined; None stands where parts never came."""
        found: list[bytes | None] = []
        expected = 1
        for piece in self.pieces:
            if piece.number != expected:
                found.append(None)
            if found and (before := found[-1]) is not None:
                found[-1] = before + piece.octets
            else:
                found.append(piece.octets)
            expected = piece.number + 1
        return found if expected > self.pieces[0].total else [*found, None]


def gather(pieces: Sequence[Piece]) -> list[Gathered]:
    """The messages in parts that have one sender, recipient, reference and total, oldest first.

    A part that came before with the same octets is a duplicate. With other octets it begins another message:
    references are short and come round again. Later parts belong to the newest message that lacks them.
    """
    messages: list[dict[int, Piece]] = []
    ids: list[list[int]] = []
    for piece in sorted(pieces, key=lambda one: one.id):
        for message, own in zip(reversed(messages), reversed(ids), strict=True):
            had = message.get(piece.number)
            if had is not None and had.octets == piece.octets:
                own.append(piece.id)
                break
        else:
            if not messages or piece.number in messages[-1]:
                messages.append({})
                ids.append([])
            messages[-1][piece.number] = piece
            ids[-1].append(piece.id)
    return [
        Gathered(tuple(message[number] for number in sorted(message)), tuple(own))
        for message, own in zip(messages, ids, strict=True)
    ]
