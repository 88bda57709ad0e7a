"""Regular expressions over addresses: what they let in, and what they may not be."""

import pytest

from chappe.model.sources import check_sources, lets_in


@pytest.mark.parametrize(
    ("written", "address", "expected"),
    [
        ("1.2.3.4", "1.2.3.4", True),
        ("1.2.3.4|5.6.7.8", "5.6.7.8", True),
        ("1.2.3.4|5.6.7.8", "15.6.7.8", False),
        (r"192\.168\.1\..*", "192.168.1.77", True),
        (r"192\.168\.1\..*", "192.168.2.77", False),
        (r"10\.0\.0\.[1-3]", "10.0.0.2", True),
        (r"10\.\d+\.\d+\.\d+", "10.20.30.40", True),
        ("2001:db8::.*", "2001:db8::1", True),
        ("1.2.3.4", "::ffff:1.2.3.4", True),
        ("", "1.2.3.4", False),
        ("*.*.*.*", "1.2.3.4", False),
        ("[", "1.2.3.4", False),
    ],
)
def test_an_expression_lets_in_whole_addresses(written: str, address: str, expected: bool) -> None:
    assert lets_in(written, address) is expected


@pytest.mark.parametrize(
    "written",
    [
        "(1+)+",
        "*.*.*.*",
        "[",
        "a{9}",
        ".*.*.*.*.*1",
        "1|" * 41,
        "1" * 401,
        "é",
        "[[1]",
        "[^[1]",
        "[1--2]",
        "[]||]",
    ],
)
def test_what_cannot_be_used_is_said(written: str) -> None:
    with pytest.raises(ValueError, match=r"^(it|each) "):
        check_sources(written)


def test_the_longest_way_to_match_is_short() -> None:
    assert not lets_in("|".join([".*.*.*.*x".replace("x", "f")] * 40), "0" * 45)
