"""Which destinations are closed by default."""

import pytest

from chappe.model.destinations import CLOSED, closed_prefix, is_opened


@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        ("447012345678", "4470"),
        ("447911123456", ""),
        ("881612345678", "881"),
        ("979123456789", "979"),
        ("33899123456", "338"),
        ("33612345678", ""),
        ("41791234567", ""),
        ("41900123456", "4190"),
        ("923001234567", "92"),
        ("12025550123", ""),
    ],
)
def test_closed_prefixes(number: str, prefix: str) -> None:
    assert closed_prefix(number) == prefix


def test_each_has_a_reason() -> None:
    assert all(CLOSED.values())


def test_a_longer_prefix_opens_a_part() -> None:
    assert is_opened("447012345678", ("44701",))
    assert not is_opened("447022345678", ("44701",))
