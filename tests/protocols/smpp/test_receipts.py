"""Receipts in every form that networks were seen to write."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.protocols.smpp.codes import Tag
from chappe.protocols.smpp.fields import Tlvs
from chappe.protocols.smpp.receipts import Report, State, is_receipt, read_receipt, write_receipt

SUBMITTED, DONE = datetime(2026, 11, 25, 12, 0), datetime(2026, 11, 25, 12, 1)
WHOLE = Report(("0123AF",), State.DELIVERED, "DELIVRD", "000", SUBMITTED, DONE, "Bonjour")


@pytest.mark.parametrize(
    ("text", "report"),
    [
        # SMPP 3.4, appendix B
        (
            "id:0123AF sub:001 dlvrd:001 submit date:2611251200 done date:2611251201 stat:DELIVRD err:000 "
            "text:Bonjour",
            WHOLE,
        ),
        # seconds
        (
            "id:0123AF sub:001 dlvrd:001 submit date:261125120000 done date:261125120100 stat:DELIVRD "
            "err:000 Text:Bonjour",
            WHOLE,
        ),
        # lower case, blanks behind colons
        (
            "id: 0123AF sub: 001 dlvrd: 001 submit date: 2611251200 done date: 2611251201 stat: delivrd "
            "err: 000 text: Bonjour",
            Report(("0123AF",), State.DELIVERED, "delivrd", "000", SUBMITTED, DONE, "Bonjour"),
        ),
        # upper case, other order
        (
            "STAT:DELIVRD ERR:000 ID:0123AF DONE DATE:2611251201 SUBMIT DATE:2611251200 TEXT:Bonjour",
            WHOLE,
        ),
        # lines, and underscores in names
        (
            "id:0123AF\nstat:DELIVRD\nerr:000\nsubmit_date:20261125120000\ndone_date:20261125120100\ntext:Bonjour",
            WHOLE,
        ),
        # commas
        ("id:1,stat:EXPIRED,err:5", Report(("1",), State.EXPIRED, "EXPIRED", "5")),
        # only what counts
        ("id:9f-4e stat:UNDELIV", Report(("9f-4e",), State.UNDELIVERABLE, "UNDELIV")),
        # an empty date, an empty error
        ("id:7 done date: stat:REJECTD err:", Report(("7",), State.REJECTED, "REJECTD")),
        # a date that is none
        ("id:7 done date:2613451201 stat:DELETED", Report(("7",), State.DELETED, "DELETED")),
        ("id:7 done date:26-11-25 12:01 stat:DELIVRD", Report(("7",), State.DELIVERED, "DELIVRD", done=DONE)),
        # the text speaks of other receipts
        (
            "id:7 stat:DELIVRD text:id:8 stat:UNDELIV",
            Report(("7",), State.DELIVERED, "DELIVRD", text="id:8 stat:UNDELIV"),
        ),
        # the text comes first
        ("text:Bonjour id:7 stat:DELIVRD", Report(("7",), State.DELIVERED, "DELIVRD", text="Bonjour")),
        # words nobody knows are kept and not guessed at
        ("id:7 stat:DELIVERY_OK", Report(("7",), None, "DELIVERY_OK")),
        ("id:7 stat:FAILED err:69", Report(("7",), None, "FAILED", "69")),
        # odd blanks, and zero octets, which no database takes
        ("id:\x0c stat:\x1f err:\x0c", Report((), None)),
        ("id:7\0 stat:DEL\0IVRD err:0\0", Report(("7",), State.DELIVERED, "DELIVRD", "0")),
        # nothing to read
        ("", Report((), None)),
        ("Your message was delivered.", Report((), None)),
        ("paid:7 constat:X", Report((), None)),
    ],
)
def test_a_receipt_is_read(text: str, report: Report) -> None:
    assert read_receipt(text.encode()) == report
    assert read_receipt(b"", ((Tag.MESSAGE_PAYLOAD, text.encode()),)) == report
    assert read_receipt(text.encode("utf-16-be"), data_coding=8) == report


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("DELIVRD", State.DELIVERED),
        ("DELIVERED", State.DELIVERED),
        ("EXPIRED", State.EXPIRED),
        ("DELETED", State.DELETED),
        ("UNDELIV", State.UNDELIVERABLE),
        ("UNDELIVERABLE", State.UNDELIVERABLE),
        ("ACCEPTD", State.ACCEPTED),
        ("ACCEPTED", State.ACCEPTED),
        ("UNKNOWN", State.UNKNOWN),
        ("REJECTD", State.REJECTED),
        ("Rejected", State.REJECTED),
        ("ENROUTE", State.ENROUTE),
        ("DELIVRDX", None),
        ("OK", None),
    ],
)
def test_every_state_has_its_word_and_no_other(word: str, state: State | None) -> None:
    found = read_receipt(f"id:1 stat:{word} err:000".encode())
    assert (found.state, found.word) == (state, word)


@pytest.mark.parametrize(
    ("tlvs", "text", "report"),
    [
        (
            ((Tag.RECEIPTED_MESSAGE_ID, b"77\0"), (Tag.MESSAGE_STATE, b"\2")),
            "",
            Report(("77",), State.DELIVERED, "DELIVERED"),
        ),
        # parameters count more than the text, and both ids are tried
        (
            ((Tag.RECEIPTED_MESSAGE_ID, b"4D\0"), (Tag.MESSAGE_STATE, b"\5")),
            "id:77 stat:DELIVRD err:001",
            Report(("4D", "77"), State.UNDELIVERABLE, "UNDELIVERABLE", "001"),
        ),
        # without its zero octet
        (
            ((Tag.RECEIPTED_MESSAGE_ID, b"77"),),
            "id:77 stat:EXPIRED",
            Report(("77",), State.EXPIRED, "EXPIRED"),
        ),
        # the code of the network: GSM, 0x0045
        (
            ((Tag.NETWORK_ERROR_CODE, b"\3\0\x45"), (Tag.MESSAGE_STATE, b"\5")),
            "id:7 stat:UNDELIV err:000",
            Report(("7",), State.UNDELIVERABLE, "UNDELIV", "069"),
        ),
        (
            ((Tag.NETWORK_ERROR_CODE, b"034"),),
            "id:7 stat:UNDELIV",
            Report(("7",), State.UNDELIVERABLE, "UNDELIV", "034"),
        ),
        # a state that is none
        (((Tag.MESSAGE_STATE, b"\x2a"),), "id:7", Report(("7",), None, "state 42")),
        (((Tag.MESSAGE_STATE, b""),), "id:7 stat:EXPIRED", Report(("7",), State.EXPIRED, "EXPIRED")),
    ],
)
def test_optional_parameters_count_first(tlvs: Tlvs, text: str, report: Report) -> None:
    assert read_receipt(text.encode(), tlvs) == report


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "is_one"),
    [
        (0x04, (), True),
        (0x44, (), True),
        (0x20, (), True),
        (0x00, ((Tag.RECEIPTED_MESSAGE_ID, b"1\0"), (Tag.MESSAGE_STATE, b"\2")), True),
        (0x00, ((Tag.RECEIPTED_MESSAGE_ID, b"1\0"),), False),  # a state belongs to it
        (0x00, (), False),  # whatever its text says: a telephone may have written it
        (0x40, (), False),
        (0x08, (), False),
    ],
)
def test_a_receipt_is_known_by_its_marks(esm_class: int, tlvs: Tlvs, is_one: bool) -> None:
    assert is_receipt(esm_class, tlvs) == is_one


@pytest.mark.parametrize("state", State)
def test_what_we_write_is_what_we_read(state: State) -> None:
    octets, tlvs = write_receipt(
        "0abc", state, submitted=SUBMITTED, done=DONE, error=69, text="Où es-tu ? id:2"
    )
    by_text = read_receipt(octets)
    assert by_text == Report(("0abc",), state, by_text.word, "069", SUBMITTED, DONE, "O? es-tu ? id:2")
    by_parameters = read_receipt(b"", tlvs)
    assert by_parameters == Report(("0abc",), state, state.name, "069")


def test_a_receipt_has_the_bytes_of_the_appendix() -> None:
    octets, _ = write_receipt("0123AF", State.DELIVERED, submitted=SUBMITTED, done=DONE, text="Bonjour" * 4)
    assert octets == (
        b"id:0123AF sub:001 dlvrd:001 submit date:2611251200 done date:2611251201 stat:DELIVRD err:000 "
        b"text:BonjourBonjourBonjou"
    )


FRAGMENTS = [
    "id:",
    "stat:",
    "DELIVRD",
    " ",
    "err:000",
    "text:",
    "done date:",
    "2611251200",
    "\n",
    "\0",
    ":",
    "é",
]


@given(
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=40).map("".join),
    st.lists(st.tuples(st.sampled_from(list(Tag)), st.binary(max_size=8)), max_size=4).map(tuple),
    st.sampled_from([0, 8]),
)
def test_no_receipt_breaks_the_reading(text: str, tlvs: Tlvs, data_coding: int) -> None:
    report = read_receipt(text.encode(), tlvs, data_coding)
    assert all(one and one == one.strip() for one in report.ids)
    assert report.state is None or report.word


@given(
    name=st.text("0123456789abcdefABCDEF-", min_size=1, max_size=36),
    dates=st.lists(st.text("0123456789", min_size=1, max_size=14), min_size=2, max_size=2),
    word=st.sampled_from(["DELIVRD", "delivrd", "UNDELIV", "Odd"]),
    error=st.text("0123456789AB", max_size=4),
    text=st.text(st.characters(max_codepoint=255), max_size=30),
)
def test_the_customary_form_reads_as_the_others_do(
    name: str, dates: list[str], word: str, error: str, text: str
) -> None:
    line = f"id:{name} sub:001 dlvrd:001 submit date:{dates[0]} done date:{dates[1]}"
    rest = f"stat:{word} err:{error} text:{text}"
    customary, other = f"{line} {rest}".encode("latin-1"), f"{line}  {rest}".encode("latin-1")
    assert read_receipt(customary) == read_receipt(other)
