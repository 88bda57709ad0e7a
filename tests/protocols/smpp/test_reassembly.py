"""Parts of long messages: any order, duplicates, references that come round again, gaps."""

from hypothesis import given
from hypothesis import strategies as st

from chappe.protocols.smpp.reassembly import Piece, gather


def pieces(*parts: tuple[int, bytes], total: int = 3) -> list[Piece]:
    """Parts in the order of their coming, each a number and its octets."""
    return [Piece(place, number, total, octets, 0) for place, (number, octets) in enumerate(parts, 1)]


def test_parts_are_joined_in_their_order() -> None:
    [found] = gather(pieces((3, b"c"), (1, b"a"), (2, b"b")))
    assert found.is_whole and found.runs() == [b"abc"]
    assert sorted(found.ids) == [1, 2, 3]


def test_a_message_that_lacks_a_part_is_not_whole() -> None:
    [found] = gather(pieces((3, b"c"), (1, b"a")))
    assert not found.is_whole and found.runs() == [b"a", None, b"c"]


def test_gaps_stand_before_between_and_behind() -> None:
    [found] = gather(pieces((2, b"b"), (3, b"c"), (5, b"e"), total=6))
    assert found.runs() == [None, b"bc", None, b"e", None]


def test_duplicates_are_joined_once_and_belong_to_the_message() -> None:
    [found] = gather(pieces((1, b"a"), (1, b"a"), (2, b"b"), (3, b"c"), (2, b"b")))
    assert found.is_whole and found.runs() == [b"abc"]
    assert sorted(found.ids) == [1, 2, 3, 4, 5]


def test_a_reference_that_comes_round_again_begins_another_message() -> None:
    old, new = gather(pieces((1, b"a"), (2, b"b"), (1, b"x"), (2, b"y"), (1, b"a"), (3, b"z")))
    assert old.runs() == [b"ab", None] and sorted(old.ids) == [1, 2, 5]
    assert new.runs() == [b"xyz"] and sorted(new.ids) == [3, 4, 6]


def test_nothing_gathers_to_nothing() -> None:
    assert gather([]) == []


@given(st.data(), st.lists(st.binary(min_size=1, max_size=20), min_size=2, max_size=9))
def test_any_order_with_duplicates_is_the_whole(data: st.DataObject, texts: list[bytes]) -> None:
    numbers = data.draw(st.permutations(range(1, len(texts) + 1)))
    again = data.draw(st.lists(st.sampled_from(numbers), max_size=5))
    order = data.draw(st.permutations([*numbers, *again]))
    [found] = gather(pieces(*((number, texts[number - 1]) for number in order), total=len(texts)))
    assert found.is_whole and found.runs() == [b"".join(texts)]
    assert len(found.ids) == len(order)


@given(st.lists(st.tuples(st.integers(1, 5), st.binary(max_size=3)), max_size=30))
def test_no_parts_are_lost_or_counted_twice(parts: list[tuple[int, bytes]]) -> None:
    coming = pieces(*parts, total=5)
    found = gather(coming)
    assert sorted(one for message in found for one in message.ids) == [piece.id for piece in coming]
    for message in found:
        numbers = [piece.number for piece in message.pieces]
        assert numbers == sorted(set(numbers))
        assert message.is_whole == (numbers == [1, 2, 3, 4, 5])
