"""The filter of the message list."""

from typing import Any

import pytest

from chappe.model.commands import ListMessages
from chappe.model.messages import Direction, MessageState
from chappe.web import rendering, search


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", {}),
        ("to:06", {"direction": Direction.MT, "peer": "336"}),
        ("from:+41 ", {"direction": Direction.MO, "peer": "41"}),
        ("number:0612", {"peer": "33612"}),
        ("number:0041", {"peer": "41"}),
        ('to:"06 12 34"', {"direction": Direction.MT, "peer": "3361234"}),
        ("via:20345", {"address": "20345"}),
        ("via:Chappe", {"address": "Chappe"}),
        ("state:failed", {"state": MessageState.FAILED}),
        ("state:und", {"state": MessageState.UNDELIVERED}),
        ("state:sen", {}),
        ("state:sent", {"state": MessageState.SENT}),
        ("dialect:Orange", {"dialect": "orange"}),
        ("reference:order-7", {"reference": "order-7"}),
        ("night train", {"text": "night train"}),
        (
            "to:06 state:failed dialect:orange late",
            {
                "direction": Direction.MT,
                "peer": "336",
                "state": MessageState.FAILED,
                "dialect": "orange",
                "text": "late",
            },
        ),
        ("to:", {}),
        ("at 10:30", {"text": "at 10:30"}),
        ("https://example.com", {"text": "https://example.com"}),
    ],
)
def test_a_filter_is_read_as_people_type_it(typed: str, found: dict[str, Any]) -> None:
    assert search.read(typed) == search.Filter(ListMessages(limit=search.PAGE, **found))


@pytest.mark.parametrize("typed", ["state:nonsense", "to:somebody"])
def test_what_cannot_be_understood_is_named(typed: str) -> None:
    assert search.read(typed).misread == typed


def test_states_are_known_in_the_readers_language() -> None:
    found = search.read("state:échoué", translate=rendering.translate("fr"))
    assert found.search.state is MessageState.FAILED


def test_national_digits_are_read_in_the_accounts_country() -> None:
    assert search.read("number:079", region="CH").search.peer == "4179"
