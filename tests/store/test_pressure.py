"""What waits to be written holds clients up first, and then has them refused."""

import pytest

from chappe.model.errors import Unavailable
from chappe.store.pressure import LONGEST_GROUP, MANY_ROWS, MOST_ROWS, SLOW_GROUP, Pressure
from tests.peers.time import ManualTime


def watched() -> tuple[ManualTime, Pressure, list[str]]:
    time, said = ManualTime(), list[str]()
    pressure = Pressure(time)
    pressure.heed(lambda: said.append("hold"), lambda: said.append("let go"))
    return time, pressure, said


def refuses(pressure: Pressure) -> bool:
    try:
        pressure.admit()
    except Unavailable as trouble:
        assert trouble.detail.startswith("the platform is writing as fast as its disk allows")
        assert trouble.retry_after == 1
        return True
    return False


def test_many_rows_hold_clients_up_until_a_group_takes_them() -> None:
    _, pressure, said = watched()
    pressure.add(MANY_ROWS - 1)
    assert said == []
    pressure.add(1)
    assert (said, refuses(pressure)) == (["hold"], False)
    pressure.begin(MANY_ROWS)
    pressure.end()
    assert said == ["hold", "let go"]


def test_more_rows_are_refused() -> None:
    _, pressure, _ = watched()
    pressure.add(MOST_ROWS - 1)
    assert not refuses(pressure)
    pressure.add(1)
    assert refuses(pressure)
    pressure.begin(1)
    assert not refuses(pressure)


def test_a_slow_group_holds_clients_up_and_one_that_hangs_refuses_them() -> None:
    time, pressure, said = watched()
    pressure.begin(1)
    time.move(SLOW_GROUP - 0.01)
    assert said == []
    time.move(0.01)
    assert (said, refuses(pressure)) == (["hold"], False)
    # Who is refused must be read: else he would wait for ever.
    time.move(LONGEST_GROUP - SLOW_GROUP)
    assert (said, refuses(pressure)) == (["hold", "let go"], True)
    pressure.end()
    assert (said, refuses(pressure)) == (["hold", "let go"], False)


@pytest.mark.parametrize("pause", [0.0, 0.01])
def test_quick_groups_hold_nobody_up(pause: float) -> None:
    time, pressure, said = watched()
    for _ in range(200):
        pressure.begin(0)
        time.move(0.01)
        pressure.end()
        time.move(pause)
    assert said == []
    assert len(time.alarms) <= 1


def test_a_slow_group_after_quick_ones_is_seen_in_time() -> None:
    time, pressure, said = watched()
    pressure.begin(0)
    time.move(SLOW_GROUP / 2)
    pressure.end()
    pressure.begin(0)
    time.move(SLOW_GROUP)
    assert said == ["hold"]
    pressure.end()
    assert said == ["hold", "let go"]
