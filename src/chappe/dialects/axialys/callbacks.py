"""Callbacks and their statistics: section 6 of "API Webappel" (seed 003)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from chappe.dialects import reading
from chappe.dialects.axialys import wire
from chappe.dialects.axialys.forms import form_of
from chappe.dialects.contract import WireCall
from chappe.model.callbacks import (
    LABELS,
    CallbackSource,
    CallbackState,
    CallbackStory,
    CancelCallback,
    ReportCallbacks,
    RequestCallback,
)
from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpResponse
from chappe.services.callbacks import LONGEST_TALK

CALL_COLUMNS = (
    "id_tracking;date_time;delais;dt;ip;duree_sonnerie;duree_appel;type_dest;prix;nom;usr1;usr2;usr3;"
    "provenance;etat"
)
SHORT_COLUMNS = "id_tracking;id_popup;date_time;delais;ip;duree_appel;nom;usr1;usr2;usr3;etat"

# Our choice: no value of `etat` and `provenance` was published.
WORD_OF_STATE: Mapping[CallbackState, str] = {
    CallbackState.WAITING: "EN_ATTENTE",
    CallbackState.CALLING: "EN_COURS",
    CallbackState.DONE: "ABOUTI",
    CallbackState.MISSED: "MANQUE",
    CallbackState.LEFT_MESSAGE: "REPONDEUR",
    CallbackState.CANCELLED: "ANNULE",
    CallbackState.FAILED: "ECHEC",
}
WORD_OF_SOURCE: Mapping[CallbackSource, str] = {
    CallbackSource.WIDGET: "POPUP",
    CallbackSource.API: "API",
    CallbackSource.CONSOLE: "EXTRANET",
}

_MOST_DELAY = 1000  # section 1: 10 to 1000
_MOST_TRIES = 9  # section 1: one digit
_TALK = (10, 10_000)  # section 1, `duree`
_DAY = re.compile("[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")


def decode_request(call: WireCall) -> RequestCallback:
    """appel: `nbressais` counts what is tried after the first time; `rec` is 0, or 1 or any name; `dureemaxi`
    is cut to what the platform allows.

    Raises Refusal: `missing_parameter`, `invalid_parameter`, `invalid_recipient`.
    """
    again = wire.whole(call, "nbressais", most=_MOST_TRIES)
    least, most = _TALK
    longest = wire.seconds(call, "dureemaxi", least=least, most=most)
    return RequestCallback(
        form=form_of(call),
        visitor=wire.number(call, "e164"),
        address=reading.scalar(call.fields, "client_ip"),
        source=CallbackSource.API,
        delay=wire.seconds(call, "delais", least=1, most=_MOST_DELAY),
        tries=None if again is None else again + 1,
        longest=None if longest is None else min(longest, LONGEST_TALK),
        recorded=_recorded(call),
        name=wire.given(call, "nom") or "",
        labels=[wire.given(call, f"usr{count}") or "" for count in range(1, LABELS + 1)],
    )


def encode_requested(story: CallbackStory, call: WireCall) -> HttpResponse:
    """Answer the tracking id."""
    return wire.text(str(story.request.number))


def decode_cancel(call: WireCall) -> CancelCallback:
    """appel_annuler."""
    request = wire.tracking_id(call.fields)
    if not request:
        raise Refusal(Fault.MISSING_PARAMETER, "give the number that appel answered", "id_contact")
    return CancelCallback(request, form_of(call))


def decode_report(call: WireCall) -> ReportCallbacks:
    """appel_listing and appels_resume. Raises Refusal: `missing_parameter`, `invalid_parameter`."""
    first, last = _day(call, "date_debut"), _day(call, "date_fin")
    if first and last and first > last:
        raise Refusal(Fault.INVALID_PARAMETER, f"{first} is after date_fin, {last}", "date_debut")
    return ReportCallbacks(form_of(call), first, last, wire.tracking_id(call.fields))


def call_rows(stories: Sequence[CallbackStory]) -> Iterator[Sequence[object]]:
    """A line of 15 columns for each request; `dt` is when it is called, or was last (our choice)."""
    for story in stories:
        one, zone = story.request, story.form.zone
        yield (
            *(one.number, wire.local(one.created_at, zone), one.delay_seconds, wire.local(one.due_at, zone)),
            *(one.address, one.ring_seconds, one.talk_seconds, wire.destination_word(one.destination)),
            wire.credits_text(one.price),
            *(one.name, *one.labels, WORD_OF_SOURCE[one.source], WORD_OF_STATE[one.state]),
        )


def short_rows(stories: Sequence[CallbackStory]) -> Iterator[Sequence[object]]:
    """A line of 11 columns for each request."""
    for story in stories:
        one = story.request
        yield (
            *(one.number, story.form.number, wire.local(one.created_at, story.form.zone), one.delay_seconds),
            *(one.address, one.talk_seconds, one.name, *one.labels, WORD_OF_STATE[one.state]),
        )


def _recorded(call: WireCall) -> bool | None:
    """None where nothing is said; the document shows `rec` as a name (dialects.md 4c)."""
    written = reading.scalar(call.fields, "rec")
    return None if not written else reading.read_boolean(written) is not False


def _day(call: WireCall, name: str) -> date | None:
    written = reading.scalar(call.fields, name)
    if not written:
        return None
    try:
        if _DAY.fullmatch(written) is None:
            raise ValueError
        year, month, day = map(int, written.split("-"))
        return date(year, month, day)
    except ValueError:
        raise wire.invalid(written, "write a day as YYYY-MM-DD", name) from None
