"""In which form receipts write ids: every form is tried, the right one is learnt, and learnt anew."""

import random
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.protocols.smpp.receipt_ids import DOUBTED_AT, RULES, SETTLES_AT, SURE_AT, IdRules

Writing = Callable[[int], str]


def decimal(number: int) -> str:
    return str(number)


def padded(number: int) -> str:
    return f"{number:012d}"


def lower_hex(number: int) -> str:
    return f"{number:x}"


def upper_hex(number: int) -> str:
    return f"{number:X}"


def padded_hex(number: int) -> str:
    return f"{number:08X}"


def uuid(number: int) -> str:
    return str(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))


# How a network answers, how its receipts write the same id, and the rule that makes the one of the other.
NETWORKS: dict[str, tuple[Writing, Writing, str]] = {
    "decimal": (decimal, decimal, "as-is"),
    "uuid": (uuid, uuid, "as-is"),
    "hex": (lower_hex, lower_hex, "as-is"),
    "answers decimal, receipts hex": (decimal, lower_hex, "hex-to-decimal"),
    "answers decimal, receipts padded upper hex": (decimal, padded_hex, "hex-to-decimal"),
    "answers padded decimal, receipts hex": (padded, upper_hex, "hex-to-decimal+zero-padded"),
    "answers hex, receipts decimal": (lower_hex, decimal, "decimal-to-hex"),
    "answers upper hex, receipts decimal": (upper_hex, decimal, "decimal-to-hex+upper-case"),
    "answers padded hex, receipts padded decimal": (
        padded_hex,
        padded,
        "decimal-to-hex+zero-padded+upper-case",
    ),
    "receipts drop zeros": (padded, decimal, "zero-padded"),
    "receipts add zeros": (decimal, padded, "without-zeros"),
    "receipts shout": (lower_hex, upper_hex, "lower-case"),
    "receipts whisper": (upper_hex, lower_hex, "upper-case"),
    "receipts drop dashes": (uuid, lambda number: uuid(number).replace("-", ""), "dashed"),
    "receipts add dashes and shout": (
        lambda number: uuid(number).replace("-", ""),
        lambda number: uuid(number).upper(),
        "without-dashes+lower-case",
    ),
}


def carry(rules: IdRules, numbers: list[int], answer: Writing, receipt: Writing) -> list[str | None]:
    """Answers, then their receipts, in a network that knows only these messages."""
    known = {answer(number) for number in numbers}
    rules.answered([answer(number) for number in numbers])
    found: list[str | None] = []
    for number in numbers:
        sent = (receipt(number),)
        form = next((one for one in rules.forms(sent) if one in known), None)
        rules.found(sent, form)
        found.append(form)
    return found


def test_every_rule_has_a_name_and_the_likeliest_comes_first() -> None:
    assert next(iter(RULES)) == "as-is"
    assert len(set(RULES.values())) == len(RULES)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("spread", ["from one on", "random"])
def test_the_form_is_learnt(network: str, spread: str) -> None:
    answer, receipt, rule = NETWORKS[network]
    drawn = random.Random(7)
    numbers = list(range(1, 401)) if spread == "from one on" else drawn.sample(range(10**6, 2**32), 400)
    rules = IdRules()
    found = carry(rules, numbers, answer, receipt)
    # Numbers that begin with 1 look alike in both systems at first; then the letters speak.
    unsure = 16 if (spread == "from one on" and "decimal" in rule) or "hex" in rule else 0
    assert found[unsure:] == [answer(number) for number in numbers[unsure:]]
    assert rules.rule == rule
    assert rules.forms((receipt(123456789),)) == (answer(123456789),)


def test_a_settled_rule_is_one_form_only_once_it_is_sure() -> None:
    rules = IdRules()
    carry(rules, list(range(1000, 1000 + SETTLES_AT)), decimal, decimal)
    assert rules.rule == "as-is"
    assert len(rules.forms(("1234",))) > 1
    carry(rules, list(range(2000, 2000 + SURE_AT)), decimal, decimal)
    assert rules.forms(("1234",)) == ("1234",)


def test_early_receipts_and_orphans_do_not_vote() -> None:
    rules = IdRules()
    for _ in range(100):
        rules.found(("1",), None)
    assert (rules.rule, rules.votes) == ("", {})


def test_a_network_that_changes_its_form_is_learnt_anew() -> None:
    rules = IdRules()
    numbers = random.Random(3).sample(range(10**6, 2**32), 1000)
    carry(rules, numbers[:400], decimal, decimal)
    assert rules.rule == "as-is"
    found = carry(rules, numbers[400:], decimal, lower_hex)
    assert rules.rule == "hex-to-decimal"
    assert found.count(None) <= DOUBTED_AT + 10
    assert None not in found[100:]


def test_many_early_receipts_do_not_shake_a_settled_rule() -> None:
    rules = IdRules()
    carry(rules, list(range(1000, 1300)), decimal, decimal)
    for number in range(3000):
        rules.found((str(number),), None if number % 4 == 0 else str(number))
    assert rules.rule == "as-is"


def test_what_was_learnt_survives_a_restart() -> None:
    rules = IdRules()
    carry(rules, list(range(1, 400)), padded, upper_hex)
    later = IdRules()
    later.recall(rules.data())
    assert (later.rule, later.votes) == (rules.rule, rules.votes)
    assert later.forms(("FF",)) == ("000000000255",)


@pytest.mark.parametrize("data", [{}, {"rule": "nonsense", "votes": {}}, {"rule": "as-is", "votes": 3}])
def test_what_cannot_be_recalled_is_learnt_anew(data: dict[str, object]) -> None:
    rules = IdRules()
    rules.recall(data)
    assert rules.rule == ""


def test_a_rule_of_the_settings_holds_whatever_is_seen() -> None:
    rules = IdRules("hex-to-decimal")
    for _ in range(200):
        rules.found(("10",), None)
        rules.found(("10",), "10")
    assert rules.rule == "hex-to-decimal"
    assert rules.forms(("10",)) == ("16",)
    assert rules.forms(("no-hex",)) == ("no-hex",)


def test_a_rule_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="'octal' is no rule for ids of receipts; known are as-is"):
        IdRules("octal")


def test_two_spellings_of_one_receipt_are_both_tried() -> None:
    assert {"4D", "77"} <= set(IdRules().forms(("4D", "77")))
    rules = IdRules("hex-to-decimal")
    assert rules.forms(("4D", "77")) == ("77", "119")


@given(st.lists(st.text(max_size=70), max_size=3), st.text(max_size=20))
def test_no_id_breaks_the_learning(sent: list[str], form: str) -> None:
    rules = IdRules()
    rules.answered(sent)
    forms = rules.forms(sent)
    assert len(forms) == len(set(forms)) <= 27 * 3
    for one in [*forms, form, None]:
        rules.found(sent, one)
