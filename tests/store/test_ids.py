"""Ids are unique over nodes and threads, and grow whatever the clock does."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from chappe.store.ids import SortableIds, base32
from tests.platform import ManualClock


def test_a_burst_within_one_millisecond() -> None:
    ids = SortableIds(ManualClock(), 1)
    given = [ids.new_id() for _ in range(10_000)]
    assert given == sorted(set(given))


def test_after_a_burst_ids_still_grow() -> None:
    clock = ManualClock()
    ids = SortableIds(clock, 1)
    burst = [ids.new_id() for _ in range(10_000)]
    for _ in range(5):
        clock.move(milliseconds=1)
        burst.append(ids.new_id())
    assert burst == sorted(set(burst))


def test_a_clock_set_back() -> None:
    clock = ManualClock()
    ids = SortableIds(clock, 1)
    given = []
    for move in (5, -60_000, 1, -1, 60_000, 1):
        clock.move(milliseconds=move)
        given += [ids.new_id() for _ in range(3)]
    assert given == sorted(set(given))


def test_nodes_never_meet() -> None:
    clock = ManualClock()
    nodes = [SortableIds(clock, node) for node in (0, 1, 2, 1023)]
    given = [node.new_id() for _ in range(9_000) for node in nodes]
    assert len(set(given)) == len(given)


def test_node_numbers_go_round() -> None:
    clock = ManualClock()
    assert SortableIds(clock, 1024).new_id() == SortableIds(clock, 0).new_id()


def test_ids_fit_a_signed_64_bit_number_for_a_lifetime() -> None:
    late = ManualClock(datetime(2094, 1, 1, tzinfo=UTC))
    assert 2**53 < SortableIds(ManualClock(), 1023).new_id() < SortableIds(late, 1023).new_id() < 2**63


def test_two_threads_never_get_the_same() -> None:
    """On SQLite the writer's thread and the loop ask the same source."""
    steps = count()

    class Ticking:
        def now(self) -> datetime:
            return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(microseconds=200 * next(steps))

    ids = SortableIds(Ticking(), 1)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            batches = list(pool.map(lambda _: [ids.new_id() for _ in range(20_000)], range(4)))
    finally:
        sys.setswitchinterval(before)
    for batch in batches:
        assert batch == sorted(batch)
    given = [one for batch in batches for one in batch]
    assert len(set(given)) == len(given)


def test_refs_sort_by_time() -> None:
    clock = ManualClock()
    ids = SortableIds(clock, 1)
    refs = []
    for _ in range(500):
        refs.append(ids.new_ref())
        clock.move(milliseconds=1)
    assert refs == sorted(set(refs))
    assert {len(ref) for ref in refs} == {26}
    assert set("".join(refs)) <= set("0123456789abcdefghjkmnpqrstvwxyz")


def test_refs_of_one_moment_differ() -> None:
    ids = SortableIds(ManualClock(), 1)
    assert len({ids.new_ref() for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize("count", [0, 1, 1_000, 5_000])
def test_names_of_one_moment_are_such_as_single_ones(count: int) -> None:
    ids = SortableIds(ManualClock(), 1)
    before = ids.new_id(), ids.new_ref()
    names = ids.new_names(count)
    after = ids.new_id()
    given = [new_id for new_id, _ in names]
    assert [before[0], *given, after] == sorted({before[0], *given, after})
    refs = {ref for _, ref in names}
    assert len(refs) == count
    assert all(len(ref) == 26 and ref[:10] == before[1][:10] for ref in refs)


def test_base32() -> None:
    assert base32(0, 3) == "000"
    assert base32(32**3 - 1, 3) == "zzz"
    assert base32(33, 3) == "011"


def test_secrets_have_their_length() -> None:
    assert len(SortableIds(ManualClock(), 1).secret(32)) == 32
