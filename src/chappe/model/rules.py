"""Provisions of law and of operators' charters as dated data, and the decision on one message, pure.

A provision that nobody has checked against its source yet is not `verified`: it only warns.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo

from chappe.model.messages import Purpose


class Effect(StrEnum):
    """What a provision does to a message that meets it."""

    REFUSE = "refuse"
    HOLD = "hold"
    WARN = "warn"
    ADD_TEXT = "add_text"


class HouseRule(StrEnum):
    """Rules of the platform itself, beside those of the land (our choice; services/rules.py)."""

    DESTINATIONS = "high-risk-destinations"
    BRAKE = "pumping-brake"
    SENDER = "sender-right"
    CAP = "daily-cap"


class Basis(StrEnum):
    """Why an account may send advertising to a number: its owner agreed, or buys from the account."""

    CONSENT = "consent"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision rests on: `at` is the local time at the recipient (aware, in its zone), `country` the
    one whose law holds there (ISO 3166), `basis` None where no live one is known."""

    purpose: Purpose
    country: str
    at: datetime
    basis: Basis | None
    sender: str
    text: str


# What a provision finds: nothing, that it is met, or (of a hold) the next allowed time.
Finding = bool | datetime


@dataclass(frozen=True, slots=True)
class Provision:
    """One provision: it holds in `country` for messages of a `purpose`, from `valid_from` until the day
    before `valid_until`. `source` is an article or document; `meets` is its predicate on facts."""

    id: str
    country: str
    purpose: Purpose
    effect: Effect
    valid_from: date
    valid_until: date | None
    source: str
    english: str
    french: str
    meets: Callable[[Facts], Finding]
    verified: bool = True
    channel: str = "sms"

    @property
    def applied(self) -> Effect:
        """Its effect as it is carried out."""
        return self.effect if self.verified else Effect.WARN

    def in_force(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one provision says of one message; `until` is the next allowed time (UTC) of a hold."""

    provision: Provision
    effect: Effect
    until: datetime | None = None

    @property
    def words(self) -> str:
        """A sentence for the person who meets it, with the rule's id and its source."""
        wait = "" if self.until is None else f"; next allowed {self.until.isoformat(timespec='minutes')}"
        return f"{self.provision.english}{wait} (rule {self.provision.id}: {self.provision.source})"


def decide(facts: Facts, provisions: Sequence[Provision] | None = None) -> tuple[Decision, ...]:
    """What the provisions in force say of one message, in their order."""
    day = facts.at.date()
    decisions = []
    for one in PROVISIONS if provisions is None else provisions:
        if (one.country, one.purpose) != (facts.country, facts.purpose) or not one.in_force(day):
            continue
        found = one.meets(facts)
        if found is not False:
            until = found.astimezone(UTC) if isinstance(found, datetime) else None
            decisions.append(Decision(one, one.applied, until if one.verified else None))
    return tuple(decisions)


def find_provision(rule: str) -> Provision | None:
    """The provision of an id; None for a rule of the platform's own, or one that is no longer known."""
    return next((one for one in PROVISIONS if one.id == rule), None)


# --- where a number is

# Country code or its beginning, the country whose law holds, the zone of the recipient. French law holds
# overseas too, in the departments and in Saint-Pierre-et-Miquelon.
PLACES: tuple[tuple[str, str, ZoneInfo], ...] = tuple(
    (prefix, country, ZoneInfo(zone))
    for prefix, country, zone in (
        ("33", "FR", "Europe/Paris"),
        ("262", "FR", "Indian/Reunion"),
        ("262269", "FR", "Indian/Mayotte"),
        ("262639", "FR", "Indian/Mayotte"),
        ("508", "FR", "America/Miquelon"),
        ("590", "FR", "America/Guadeloupe"),
        ("594", "FR", "America/Cayenne"),
        ("596", "FR", "America/Martinique"),
        ("41", "CH", "Europe/Zurich"),
    )
)


def place_of(number: str) -> tuple[str, ZoneInfo] | None:
    """The country whose law holds for an MSISDN and its zone; None where we know no provisions."""
    places = [place for place in PLACES if number.startswith(place[0])]
    if not places:
        return None
    _, country, zone = max(places, key=lambda place: len(place[0]))
    return country, zone


# --- days and hours


@cache
def french_holidays(year: int) -> frozenset[date]:
    """The public holidays of the whole of France (Code du travail, L. 3133-1); those of single regions are
    not among them."""
    easter = _easter(year)
    fixed = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
    moving = (1, 39, 50)  # Easter Monday, Ascension, Whit Monday
    return frozenset(date(year, month, day) for month, day in fixed) | {
        easter + timedelta(days=days) for days in moving
    }


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the method of Oudin, 1940)."""
    century, golden = year // 100, year % 19
    corrected = (century - century // 4 - (century - (century - 17) // 25) // 3 + 19 * golden + 15) % 30
    moon = corrected - (corrected // 28) * (1 - (29 // (corrected + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    days = moon - weekday
    month = 3 + (days + 40) // 44
    return date(year, month, days + 28 - 31 * (month // 4))


def is_day_of_rest(day: date) -> bool:
    """Whether it is a Sunday or a public holiday in France."""
    return day.weekday() == 6 or day in french_holidays(day.year)


def _outside(
    opens: time, closes: time, closed: Callable[[date], bool] | None = None
) -> Callable[[Facts], Finding]:
    """A predicate: outside these hours of the recipient's clock, and on days that are `closed`; it finds the
    next opening."""

    def meets(facts: Facts) -> Finding:
        day, clock = facts.at.date(), facts.at.time()
        rests = closed is not None and closed(day)
        if opens <= clock < closes and not rests:
            return False
        if clock >= opens or rests:
            day += timedelta(days=1)
        while closed is not None and closed(day):
            day += timedelta(days=1)
        # Built from the wall clock of that day, so that a change of the clock in between moves nothing.
        return datetime.combine(day, opens, facts.at.tzinfo)

    return meets


# --- the text

_STOP = re.compile(r"\bstop\b", re.IGNORECASE)
_SHORT_CODE_OF_NOTICES = re.compile(r"38\d{3}")
_FRENCH_MOBILE = re.compile(r"33[67]\d{8}")


def says_stop(text: str) -> bool:
    """Whether a text tells how to object."""
    return _STOP.search(text) is not None


# --- the provisions

_FRENCH_LAW = "CPCE, art. L. 34-5; cnil.fr/fr/la-prospection-commerciale-par-sms-mms"
_CHARTER = "af2m, Charte Business Messaging 2026"

PROVISIONS: tuple[Provision, ...] = (
    Provision(
        "fr-marketing-consent",
        "FR",
        Purpose.MARKETING,
        Effect.REFUSE,
        date(2004, 6, 22),  # the law for confidence in the digital economy, 2004-575, brought it
        None,
        _FRENCH_LAW,
        "advertising by SMS needs the consent of the recipient, or an existing customer and similar products",
        "la prospection par SMS exige le consentement du destinataire, ou qu'il soit déjà client pour des"
        " produits analogues",
        lambda facts: facts.basis is None,
    ),
    Provision(
        "fr-marketing-stop",
        "FR",
        Purpose.MARKETING,
        Effect.ADD_TEXT,
        date(2004, 6, 22),
        None,
        _FRENCH_LAW,
        "every advertisement must tell how to object, simply and free of charge; the STOP text was added",
        "chaque message publicitaire doit offrir un moyen simple et gratuit de s'opposer ; la mention STOP a"
        " été ajoutée",
        lambda facts: not says_stop(facts.text),
    ),
    Provision(
        "fr-marketing-hours-2025",
        "FR",
        Purpose.MARKETING,
        Effect.HOLD,
        date(2015, 1, 1),  # its first day is not known to us, hence not verified
        date(2026, 1, 1),
        "af2m, charter before 2026",
        "advertising goes out from 08:00 to 22:00 on working days",
        "les messages publicitaires sont envoyés de 8 h à 22 h, les jours ouvrables",
        _outside(time(8), time(22), is_day_of_rest),
        verified=False,
    ),
    Provision(
        "fr-marketing-hours-2026",
        "FR",
        Purpose.MARKETING,
        Effect.HOLD,
        date(2026, 1, 1),
        None,
        _CHARTER,
        "advertising goes out from 08:00 to 21:30 in the time of the recipient",
        "les messages publicitaires sont envoyés de 8 h à 21 h 30, à l'heure du destinataire",
        _outside(time(8), time(21, 30)),
    ),
    Provision(
        "fr-marketing-sundays",
        "FR",
        Purpose.MARKETING,
        Effect.WARN,
        date(2026, 1, 1),
        None,
        _CHARTER,
        "advertising on Sundays and public holidays is tolerated, not recommended",
        "la prospection les dimanches et jours fériés est tolérée, mais déconseillée",
        lambda facts: is_day_of_rest(facts.at.date()),
    ),
    Provision(
        "fr-short-code-38",
        "FR",
        Purpose.MARKETING,
        Effect.WARN,
        date(2015, 1, 1),
        None,
        "af2m.org/sms-marketing",
        "short codes 38xxx are for notices; advertising comes from a 36xxx",
        "les numéros courts 38xxx sont réservés aux messages de service ; la publicité part d'un 36xxx",
        lambda facts: _SHORT_CODE_OF_NOTICES.fullmatch(facts.sender) is not None,
        verified=False,
    ),
    Provision(
        "fr-mobile-sender",
        "FR",
        Purpose.MARKETING,
        Effect.WARN,
        date(2023, 1, 1),
        None,
        "Arcep, décision 2018-0881, modifiée par 2022-1583",
        "numbers in 06 and 07 are for messages between persons; automated systems use others",
        "les numéros en 06 et 07 sont réservés aux échanges entre personnes ; les systèmes automatisés en"
        " utilisent d'autres",
        lambda facts: _FRENCH_MOBILE.fullmatch(facts.sender) is not None,
    ),
    Provision(
        "ch-marketing-consent",
        "CH",
        Purpose.MARKETING,
        Effect.REFUSE,
        date(2007, 4, 1),
        None,
        "UWG/LCD, art. 3(1)(o)",
        "mass advertising needs the consent of the recipient, a correct sender and a free way to object",
        "la publicité de masse exige le consentement du destinataire, un expéditeur exact et une opposition"
        " gratuite",
        lambda facts: facts.basis is None,
        verified=False,
    ),
    Provision(
        "ch-marketing-stop",
        "CH",
        Purpose.MARKETING,
        Effect.ADD_TEXT,
        date(2007, 4, 1),
        None,
        "UWG/LCD, art. 3(1)(o)",
        "mass advertising must tell how to object, simply and free of charge",
        "la publicité de masse doit offrir un moyen simple et gratuit de s'opposer",
        lambda facts: not says_stop(facts.text),
        verified=False,
    ),
)
