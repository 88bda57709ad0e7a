"""Turns templates and values into pages: the reader's language, time zone, formats and state words."""

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import negotiate_locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from chappe.model.ledger import in_credits
from chappe.model.numbers import display
from chappe.web import outcomes, words

HERE = Path(__file__).parent
LANGUAGES: Mapping[str, str] = {"en": "English", "fr": "Français"}
CREDIT = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at a page: language (a key of LANGUAGES), time zone, the time of the page, and the country
    (ISO 3166) whose numbers are shown in national form."""

    language: str
    zone: ZoneInfo
    now: datetime
    region: str = "FR"


def language_of(chosen: str | None, accepted: str) -> str:
    """The reader's choice, else the best of an Accept-Language header, else English."""
    if chosen is not None and chosen in LANGUAGES:
        return chosen
    wanted: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if tag and weight > 0:
            wanted.append((-weight, tag.replace("-", "_")))
    ordered = [tag for _, tag in sorted(wanted, key=lambda pair: pair[0])]
    found: str | None = negotiate_locale(ordered, list(LANGUAGES))
    return found or "en"


def zone_of(name: str | None) -> ZoneInfo:
    """The zone that the reader's browser told, else UTC."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@cache
def translations(language: str) -> Translations:
    """The catalogue of a language, read from its .po file when first needed."""
    path = HERE / "locale" / language / "LC_MESSAGES" / "chappe.po"
    with path.open("rb") as source:
        catalogue = read_po(source, locale=language, domain="chappe")
    binary = io.BytesIO()
    write_mo(binary, catalogue)
    binary.seek(0)
    return Translations(binary, domain="chappe")


@cache
def static_version() -> str:
    """A short name for the present state of the static files; it is part of their addresses, so that
    browsers may keep them for ever."""
    digest = sha256()
    for path in sorted((HERE / "static").iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:10]


def static(name: str) -> str:
    return f"/static/{static_version()}/{name}"


def icon(name: str) -> Markup:
    drawn = Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>')
    return drawn.format(static("icons.svg"), name)


def credits(language: str, thousandths: int, signed: bool = False) -> str:
    """Thousandths of a credit as people read them in a language: `1 200`, `0,5`, `+12`."""
    shown = format_decimal(Decimal(thousandths) / CREDIT, format="#,##0.###", locale=language)
    shown = shown.replace("-", "\N{MINUS SIGN}")
    return f"+{shown}" if signed and thousandths > 0 else shown


def exact(moment: datetime, reader: Reader) -> str:
    """A time to the second, with its zone."""
    local = moment.astimezone(reader.zone)
    return f"{format_datetime(local, 'd MMMM y, HH:mm:ss', locale=reader.language)} ({reader.zone.key})"


def relative(moment: datetime, reader: Reader) -> str:
    """A time as a distance from now within a week, as a date beyond it."""
    distance = moment - reader.now
    if abs(distance) > timedelta(days=7):
        local = moment.astimezone(reader.zone)
        this_year = local.year == reader.now.astimezone(reader.zone).year
        return format_date(local, "d MMM" if this_year else "d MMM y", locale=reader.language)
    if abs(distance) < timedelta(seconds=5):
        return translations(reader.language).gettext("now")
    return format_timedelta(distance, add_direction=True, format="short", threshold=1, locale=reader.language)


def _time(moment: datetime, reader: Reader, shown: str, kind: str) -> Markup:
    """A time as an element; `kind` (relative, clock, exact) tells times.js how to write it anew."""
    return Markup('<time datetime="{}" title="{}" data-{}>{}</time>').format(
        moment.isoformat(timespec="seconds"), exact(moment, reader), kind, shown
    )


@pass_context
def ago(context: Context, moment: datetime) -> Markup:
    return _time(moment, context["reader"], relative(moment, context["reader"]), "relative")


@pass_context
def at(context: Context, moment: datetime) -> Markup:
    """The time of day, with the date where it is not today's."""
    reader: Reader = context["reader"]
    local = moment.astimezone(reader.zone)
    shown = format_time(local, "HH:mm:ss", locale=reader.language)
    if local.date() != reader.now.astimezone(reader.zone).date():
        shown = f"{format_date(local, 'd MMM y', locale=reader.language)}, {shown}"
    return _time(moment, reader, shown, "exact")


@pass_context
def clock(context: Context, moment: datetime) -> Markup:
    """Hours and minutes, with the date where it is not today's."""
    reader: Reader = context["reader"]
    local = moment.astimezone(reader.zone)
    shown = format_time(local, "HH:mm", locale=reader.language)
    if local.date() != reader.now.astimezone(reader.zone).date():
        shown = f"{format_date(local, 'd MMM', locale=reader.language)}, {shown}"
    return _time(moment, reader, shown, "clock")


def e164(number: str) -> str:
    """A number as programs take it: a plus before an MSISDN, short codes and names as they are."""
    return f"+{number}" if number.isdigit() and len(number) > 6 else number


@pass_context
def shown(context: Context, value: str) -> str:
    """A number as people write it."""
    return display(value, context["reader"].region)


@pass_context
def number(context: Context, value: str) -> Markup:
    """A number as people write it, carrying the form that programs take."""
    return Markup('<data value="{}">{}</data>').format(e164(value), shown(context, value))


@pass_context
def amount(context: Context, thousandths: int, signed: bool = False) -> str:
    return credits(context["reader"].language, thousandths, signed)


@pass_context
def count(context: Context, value: float) -> str:
    """A number of things, or of milliseconds, as people read it in their language."""
    return str(format_decimal(value, format="#,##0.##", locale=context["reader"].language))


@pass_context
def hour(context: Context, moment: datetime) -> str:
    """Hours and minutes in the reader's zone, for the scale of a chart."""
    reader: Reader = context["reader"]
    return str(format_time(moment.astimezone(reader.zone), "HH:mm", locale=reader.language))


@pass_context
def day(context: Context, value: date) -> str:
    """A day as a date."""
    return str(format_date(value, "d MMM y", locale=context["reader"].language))


def breakable(text: str) -> Markup:
    """A text whose URLs may go on in the next line after a slash, so that they need not break in a word."""
    return Markup("/<wbr>").join(re.split("(?<!/)/(?!/)", text))


@pass_context
def outcome(context: Context, written: str) -> str:
    """How a delivery went, in the reader's language."""
    return outcomes.outcome(written, translate(context["reader"].language))


def lasted(span: timedelta) -> str:
    """How long something lasted, as a telephone shows it: 0:56, 1:02:03."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def seconds(count: int) -> str:
    """So many seconds, as a telephone shows them."""
    return lasted(timedelta(seconds=count))


@cache
def environment(language: str) -> Environment:
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    env.filters.update(ago=ago, at=at, clock=clock, number=number, display=shown, e164=e164, amount=amount)
    env.filters.update(
        day=day, count=count, hour=hour, plain=in_credits, outcome=outcome, breakable=breakable
    )
    env.filters.update(lasted=lasted, seconds=seconds)
    env.globals.update(static=static, icon=icon, words=words, LANGUAGES=LANGUAGES)
    return env


def render(template: str, reader: Reader, **values: Any) -> str:
    """One page as text. Every name that the template uses must be given."""
    return environment(reader.language).get_template(template).render(reader=reader, **values)


def translate(language: str) -> Callable[[str], str]:
    """The function that puts a marked text into a language."""
    return translations(language).gettext
