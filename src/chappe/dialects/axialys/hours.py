"""Opening hours: section 3 of "API Webappel" (seed 003)."""

from collections.abc import Iterator, Sequence
from datetime import date

from chappe.dialects import reading
from chappe.dialects.axialys import wire
from chappe.dialects.contract import WireCall
from chappe.model import openinghours as model
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page

DETAIL_COLUMNS = "type;jour;h_debut;h_fin"
NAME_COLUMNS = "nom_plage"

_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MOST = 1000


def decode_add_spans(call: WireCall) -> model.AddSpans:
    """planning_plage_add."""
    return model.AddSpans(_name(call), _spans(call))


def decode_remove_spans(call: WireCall) -> model.RemoveSpans:
    """planning_plage_del."""
    return model.RemoveSpans(_name(call), _spans(call))


def decode_add_closure(call: WireCall) -> model.AddClosures:
    """planning_exception_add."""
    return model.AddClosures(_name(call), (model.Closure(_date(call)),))


def decode_remove_closure(call: WireCall) -> model.RemoveClosures:
    """planning_exception_del."""
    return model.RemoveClosures(_name(call), (_date(call),))


def decode_find(call: WireCall) -> model.FindHours:
    """planning_plage_details."""
    return model.FindHours(_name(call))


def detail_rows(hours: model.OpeningHours) -> Iterator[Sequence[object]]:
    """Weekly spans by day and time, then closed days; a day is written YYYY-MM-DD, as all dates of section 1
    (our choice), and midnight as the end of a span 00:00, since nothing is later than 23:59 there."""
    for span in sorted(hours.spans):
        yield "regulier", _DAYS[span.day], model.clock(span.opens), model.clock(span.closes % (24 * 60))
    for closure in sorted(hours.closures):
        yield "exception", closure.day.isoformat()


def decode_list(call: WireCall) -> model.ListHours:
    """planning_plages_listing."""
    return model.ListHours(limit=_MOST)


def name_rows(page: Page[model.OpeningHours]) -> Iterator[Sequence[object]]:
    """A name a line, in order."""
    return ((name,) for name in sorted(one.name for one in page.items))


def _name(call: WireCall) -> str:
    return wire.required(call, "nom_plage")


def _spans(call: WireCall) -> tuple[model.Span, ...]:
    """The spans of three arrays of one length: `jour`, `h_debut`, `h_fin`.

    Raises Refusal: `missing_parameter`, `invalid_parameter`.
    """
    names = ("jour", "h_debut", "h_fin")
    arrays = [call.fields.get(name, ()) for name in names]
    for name, values in zip(names, arrays, strict=True):
        if not values:
            raise Refusal(Fault.MISSING_PARAMETER, f"give {name}[] for each span", name)
        if len(values) != len(arrays[0]):
            detail = (
                f"there are {len(arrays[0])} of jour[] and {len(values)} of {name}[]; give as many of each"
            )
            raise Refusal(Fault.INVALID_PARAMETER, detail, name)
    return tuple(_span(*row) for row in zip(*arrays, strict=True))


def _span(written_day: str, opens: str, closes: str) -> model.Span:
    name = written_day.strip().lower()
    if name not in _DAYS:
        raise wire.invalid(written_day, f"write one of {', '.join(_DAYS)}", "jour")
    try:
        return model.span(model.Day(_DAYS.index(name)), opens.strip(), closes.strip())
    except ValueError as error:
        raise Refusal(Fault.INVALID_PARAMETER, str(error), "h_debut") from error


def _date(call: WireCall) -> date:
    """`date`, `mois` and `annee`; or `date` alone, as planning_plage_details writes it (our choice: for
    planning_exception_del the document names nothing else). Raises Refusal: `missing_parameter`,
    `invalid_parameter`."""
    written = wire.required(call, "date")
    parts = [reading.scalar(call.fields, name) for name in ("annee", "année")]
    year, month = parts[0] or parts[1], reading.scalar(call.fields, "mois")
    try:
        if not year and not month:
            return date.fromisoformat(written)
        if not (year.isdecimal() and month.isdecimal() and written.isdecimal()):
            raise ValueError
        return date(int(year[:5]), int(month[:5]), int(written[:5]))
    except ValueError:
        whole = "-".join(filter(None, (year, month, written)))
        advice = "write date=10, mois=3 and annee=2008, or date=2008-03-10"
        raise wire.invalid(whole, advice, "date") from None
