"""What a line's record keeps of its telephones, as they come and go."""

from dataclasses import replace
from datetime import timedelta

from chappe.carriers.sip.telephones import MOST, moved, registered
from chappe.carriers.sip.words import Telephone
from chappe.model.directory import Line
from tests.platform import START

LINE = Line(1, 1, "33639980001", "", "", START, sip_user="me")


def after(line: Line, word: Telephone, seconds: int = 0) -> Line:
    values = moved(line, word, START + timedelta(seconds=seconds))
    return replace(line, **values)  # type: ignore[arg-type]


def contacts(line: Line, seconds: int = 0) -> list[str]:
    return [one.contact for one in registered(line, START + timedelta(seconds=seconds))]


def test_the_newest_is_what_a_line_shows() -> None:
    line = after(LINE, Telephone("", "sip:a", "192.0.2.1:5060", 600, "Snom"))
    line = after(line, Telephone("", "sip:b", "192.0.2.2:5060", 120, "baresip"), 5)
    assert contacts(line, 5) == ["sip:a", "sip:b"]
    assert (line.sip_contact, line.sip_source, line.sip_agent) == ("sip:b", "192.0.2.2:5060", "baresip")
    assert line.sip_seen_at == START + timedelta(seconds=5)
    assert line.sip_until == START + timedelta(seconds=600)  # somebody is there until then
    assert contacts(line, 200) == ["sip:a"]
    line = after(line, Telephone("", "sip:b", "192.0.2.2:5060", 0), 10)
    assert (contacts(line, 10), line.sip_contact) == (["sip:a"], "sip:a")
    assert (line.sip_agent, line.sip_seen_at) == (
        "baresip",
        START + timedelta(seconds=5),
    )
    line = after(line, Telephone("", "", "192.0.2.1:5060", 0), 11)
    assert (contacts(line, 11), line.sip_contact, line.sip_until) == ([], "", None)


def test_one_that_comes_again_is_the_same() -> None:
    line = after(LINE, Telephone("", "sip:a", "192.0.2.1:5060", 600))
    line = after(line, Telephone("", "sip:a", "192.0.2.1:6060", 600), 60)
    line = after(line, Telephone("", "sip:b1", "192.0.2.2:1", 600, instance="urn:uuid:b"), 61)
    line = after(line, Telephone("", "sip:b2", "192.0.2.2:2", 600, instance="urn:uuid:b"), 62)  # started anew
    assert [(one.contact, one.source) for one in registered(line, START + timedelta(seconds=62))] == [
        ("sip:a", "192.0.2.1:6060"),
        ("sip:b2", "192.0.2.2:2"),
    ]


def test_a_line_has_so_many_at_most() -> None:
    line = LINE
    for place in range(MOST + 2):
        line = after(line, Telephone("", f"sip:{place}", "192.0.2.1:5060", 600), place)
    assert contacts(line, 20) == [f"sip:{place}" for place in range(2, MOST + 2)]
