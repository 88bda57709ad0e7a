"""Opening hours against the oracle. `CHAPPE_ORACLE=full` compares ten years of every zone: many minutes."""

import os
import random
from datetime import UTC, datetime, timedelta

import pytest

from chappe.model.openinghours import zones
from tests.model.hours_oracle import END, START, Counts, compare

EUROPE = sorted(zone for zone in zones() if zone.startswith("Europe/"))


def test_weeks_of_any_zone() -> None:
    """Four weeks each; with CHAPPE_ORACLE=full all zones and all ten years."""
    total, chance = Counts(), random.Random(20261201)
    if os.environ.get("CHAPPE_ORACLE") == "full":
        for zone in sorted(zones()):
            total.add(compare(zone, 1))
    else:
        for seed in range(60):
            start = START + timedelta(days=chance.randrange((END - START).days - 28))
            total.add(compare(chance.choice(sorted(zones())), seed, start, start + timedelta(days=28)))
    print(total)
    assert total.changes > 100


@pytest.mark.parametrize("year", [2026, 2027])
@pytest.mark.parametrize("month", [3, 10])
def test_every_change_of_clock_in_europe(year: int, month: int) -> None:
    """The last eight days of March and of October, in which every clock of the Union is changed."""
    end = datetime(year, month + 1, 1, 12, tzinfo=UTC)
    total = Counts()
    for zone in EUROPE:
        for seed in range(2):
            total.add(compare(zone, seed, end - timedelta(days=8), end))
    assert total.clocks >= len(EUROPE)
