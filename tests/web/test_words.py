"""The catalogues say everything, in both languages, and the tables of words are total."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

import chappe.web
from chappe.model.announcements import AnnouncementState, AnsweredBy, OnMachine, OnPerson, RecipientState
from chappe.model.announcements import Reason as Missed
from chappe.model.carriers import LinkState
from chappe.model.conferences import AccessMode, ConferenceState, ParticipantState
from chappe.model.directory import CredentialKind
from chappe.model.errors import Fault
from chappe.model.events import EventName
from chappe.model.jobs import JobState
from chappe.model.ledger import EntryKind
from chappe.model.messages import MessageState
from chappe.model.network import Reason
from chappe.services import accounts, sandbox
from chappe.web import rendering, words

WEB = Path(chappe.web.__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
JINJA = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true", "trimmed": "true"}
OPTIONS = {"templates/**.html": JINJA}


def used() -> set[str]:
    """Every text that pages and modules mark for translation."""
    found = extract_from_dir(WEB, METHODS, OPTIONS, keywords=DEFAULT_KEYWORDS | {"N_": None})
    return {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found}


def catalogue(language: str) -> Catalog:
    with (WEB / "locale" / language / "LC_MESSAGES" / "chappe.po").open("rb") as source:
        return read_po(source, locale=language)


@pytest.mark.parametrize("language", sorted(rendering.LANGUAGES))
def test_a_catalogue_has_exactly_the_texts_in_use(language: str) -> None:
    known = {m.id if isinstance(m.id, str) else m.id[0] for m in catalogue(language) if m.id}
    assert known == used()


def said(message: Message) -> tuple[str, ...]:
    """The translations of a text: one, or one for each plural form."""
    return tuple(message.string) if isinstance(message.string, list | tuple) else (message.string or "",)


def test_every_text_is_said_in_french() -> None:
    for message in catalogue("fr"):
        assert all(said(message)), message.id
        assert not message.fuzzy, message.id
        assert list(message.check()) == [], message.id


def test_french_never_breaks_a_line_before_high_punctuation() -> None:
    for message in catalogue("fr"):
        for text in said(message) if message.id else ():
            assert re.search(r" [?!;:»]|« |\w[?!;]", text) is None, text


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (words.STATE, MessageState),
        (words.STATE_MEANS, MessageState),
        (words.JOB_STATE, JobState),
        (words.TONE, [*MessageState, *JobState]),
        (words.EVENT, EventName),
        (words.CONFERENCE, ConferenceState),
        (words.PARTICIPANT, ParticipantState),
        (words.ACCESS, AccessMode),
        (words.ANNOUNCEMENT, AnnouncementState),
        (words.RECIPIENT, RecipientState),
        (words.MISSED, Missed),
        (words.ANSWERED_BY, AnsweredBy),
        (words.ON_MACHINE, OnMachine),
        (words.ON_PERSON, OnPerson),
        (words.ENTRY, EntryKind),
        (words.CREDENTIAL, CredentialKind),
        (words.FAULT, Fault),
        (words.DIALECT, accounts.DIALECTS),
        (words.SECRET, accounts.DIALECTS),
        (words.RECEIPT, sandbox.ReceiptKind),
        (words.LINK, ["", *LinkState]),
        (words.LINK_TONE, LinkState),
        (words.REASON_WAITS, Reason),
        (words.REFUSE, ["", *sandbox.RefuseKind]),
    ],
)
def test_every_name_has_a_word(table: dict[str, object], names: list[str]) -> None:
    assert set(names) <= set(table)
