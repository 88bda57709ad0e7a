"""Axialys' WebAppel: parameters in a query, files by POST beside them, `OK`, a number or CSV lines back.

Source: "API Webappel" (seed 003; dialects.md 4a to 4c). What it does not say is our choice, listed in
docs/our-choices.md.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from chappe.dialects import reading
from chappe.dialects.contract import WireCall
from chappe.model.commands import Password
from chappe.model.errors import Fault, Refusal
from chappe.model.events import Event
from chappe.model.numbers import NumberError, read_msisdn
from chappe.model.outgoing import Mail, Outgoing
from chappe.protocols.http import HttpRequest, HttpResponse
from chappe.services.ports import NoticeTarget

PATHS = ("/get/webappel/api.php", "/get/webappel/api")
EIGHT_BIT = "cp1252"

CALL = "appel"
CANCEL = "appel_annuler"

# Names of methods in lower case that are not called as the document's headings call them. Most come from its
# examples (dialects.md 4c); planning_supp_exception is our addition.
_CALLED: Mapping[str, str] = {
    "blacklistage_ip": "blacklistage_IP",
    "operateur_ajout_e164": "operateur_ajout",
    "planning_ajout_exception": "planning_exception_add",
    "planning_supp_exception": "planning_exception_del",
    "planning_plages_details": "planning_plage_details",
}

# Nothing of it was published: all are our choice.
REASON_OF_FAULT: Mapping[Fault, str] = {
    Fault.BAD_CREDENTIALS: "identifiants refusés",
    Fault.NOT_ALLOWED: "accès refusé",
    Fault.ACCOUNT_SUSPENDED: "compte suspendu",
    Fault.UNKNOWN_OPERATION: "méthode inconnue",
    Fault.MISSING_PARAMETER: "paramètre manquant",
    Fault.INVALID_PARAMETER: "paramètre invalide",
    Fault.UNSUPPORTED: "non pris en charge",
    Fault.NO_RECIPIENT: "paramètre manquant",
    Fault.INVALID_RECIPIENT: "numéro invalide",
    Fault.INVALID_SENDER: "numéro présenté invalide",
    Fault.BLACKLISTED: "liste noire",
    Fault.DESTINATION_FORBIDDEN: "destination interdite",
    Fault.EMPTY_CONTENT: "fichier vide",
    Fault.CONTENT_TOO_LONG: "trop long",
    Fault.UNKNOWN_MEDIA: "type de fichier inconnu",
    Fault.UNUSABLE_MEDIA: "fichier inutilisable",
    Fault.MEDIA_TOO_LARGE: "fichier trop grand",
    Fault.INSUFFICIENT_CREDITS: "crédit insuffisant",
    Fault.RATE_LIMITED: "trop de demandes",
    Fault.TOO_MANY_CALLS: "trop d'appels",
    Fault.NO_ROUTE: "destination inaccessible",
    Fault.CARRIER_REJECTED: "réseau",
    Fault.CARRIER_UNAVAILABLE: "indisponible",
    Fault.EXPIRED: "expiré",
    Fault.NOT_FOUND: "introuvable",
    Fault.ALREADY_EXISTS: "existe déjà",
    Fault.TOO_LATE: "trop tard",
    Fault.CONSENT_MISSING: "accord manquant",
    Fault.POSITION_UNAVAILABLE: "introuvable",
    Fault.INTERNAL: "erreur interne",
}

_PARAMETER_OF_FIELD: Mapping[str, str] = {
    "form": "id_popup",
    "visitor": "e164",
    "number": "e164",
    "to": "e164",
    "labels": "usr1",
    "group": "nom_liste_op",
    "order": "ordonnancement",
    "ring_seconds": "duree_sonnerie_op",
    "delay": "delais",
    "due_at": "delais",
    "tries": "nbressais",
    "longest": "dureemaxi",
    "file": "type",
    "destinations": "liste_destination",
    "first_day": "date_debut",
    "operator_seconds": "op_delais_attente",
    "visitor_seconds": "internaute_delais_attente",
    "shown_to_operator": "op_presentation",
    "shown_to_visitor": "internaute_presentation",
    "hours": "nom_plage",
    "open_group": "ouvert_dest",
    "closed_group": "ferm_dest",
    "open_message": "ouvert_message",
    "closed_message": "ferm_message",
    "mailbox": "repondeur",
    "spans": "jour",
    "closures": "date",
    "days": "date",
}
"""Fields of commands by their name on this wire."""

_PARAMETER_IN: Mapping[str, Mapping[str, str]] = {
    "operateur": {"name": "nom_liste_op"},
    "operateurs": {"name": "nom_liste_op"},
    "blacklistage": {"address": "ip"},
    "planning": {"name": "nom_plage"},
    "popup": {"name": "nom_popup", "labels": "usr1_nom"},
    "appel": {"name": "nom", "address": "client_ip", "request": "id_contact"},
}
"""Those whose name depends on how the method begins."""

_ARRAYS = frozenset({"jour", "h_debut", "h_fin", "liste_destination", "id_destination"})
T = TypeVar("T")

_COUNT = re.compile("[0-9]{1,9}")
_CONTROL = re.compile("\r\n|[\x00-\x1f\x7f-\x9f\u2028\u2029]")

NO_STORE = ("cache-control", "no-store")
"""Without it a client may keep the answer to a GET, and never ask again."""


def read(request: HttpRequest) -> WireCall:
    """Read the method, the parameters, and the mail address and password of the account.

    `appel` with an `id_contact` and no number is the document's own example of `appel_annuler`. Raises
    Refusal: `unsupported` for a way other than GET and POST, `bad_credentials` without address or password,
    `missing_parameter` without a method, `invalid_parameter` for too many parameters.
    """
    if request.method not in ("GET", "POST"):
        raise Refusal(Fault.UNSUPPORTED, f"{request.method} is not served; use GET, and POST for files")
    parameters = reading.read_parameters(request, EIGHT_BIT)
    fields = reading.fields_of(parameters) | _arrays(parameters)
    email, password = reading.scalar(fields, "email"), reading.first(fields, "pass")
    if not email or not password:
        raise Refusal(Fault.BAD_CREDENTIALS, "give email and pass, the credentials of your account")
    method = reading.scalar(fields, "methode", "méthode").lower()
    if not method:
        raise Refusal(Fault.MISSING_PARAMETER, "say what shall be done, such as popups_listing", "methode")
    if method == CALL and not reading.scalar(fields, "e164") and tracking_id(fields):
        method = CANCEL
    return WireCall(
        verb=_CALLED.get(method, method[:100]),
        fields=fields,
        credentials=(Password(email.lower(), password),),
        secrets=_secrets(parameters, password),
        request=request,
    )


_FIXED = re.compile(r"\b([A-Z]{2})_Fixed\b")


def refuse(refusal: Refusal, call: WireCall | None) -> HttpResponse:
    """Answer `ERREUR: <reason>`, as HTTP 200: the clients of the time look at nothing but the text."""
    detail = _FIXED.sub(r"\1_Fixe", refusal.detail)  # as destinations are written here
    parts = REASON_OF_FAULT[refusal.fault], _parameter(refusal.field or "", call), detail
    return text(_CONTROL.sub(" ", f"ERREUR: {': '.join(filter(None, parts))}"))


def notice(event: Event, target: NoticeTarget, now: datetime) -> Outgoing | Mail | None:
    """Nothing: this provider is asked, and tells nobody by itself."""
    return None


# --- parameters


def required(call: WireCall, *names: str) -> str:
    """The value of the first of these that is not empty. Raises Refusal `missing_parameter`."""
    value = reading.scalar(call.fields, *names)
    if not value:
        raise Refusal(Fault.MISSING_PARAMETER, "the parameter is missing or empty", names[0])
    return value


def given(call: WireCall, *names: str) -> str | None:
    """A text that may be emptied on purpose; None where none of these names is there."""
    if not any(name in call.fields for name in names):
        return None
    return reading.first(call.fields, *names).strip()


def flag(call: WireCall, name: str) -> bool | None:
    """None where it is absent or empty. Raises Refusal `invalid_parameter`."""
    written = reading.scalar(call.fields, name)
    value = reading.read_boolean(written)
    if written and value is None:
        raise invalid(written, "write 1 or 0", name)
    return value


def whole(call: WireCall, *names: str, least: int = 0, most: int = 10**9) -> int | None:
    """None where it is absent or empty. Raises Refusal `invalid_parameter`."""
    written = reading.scalar(call.fields, *names)
    if not written:
        return None
    if _COUNT.fullmatch(written) is None or not least <= int(written) <= most:
        raise invalid(written, f"write a whole number from {least} to {most}", names[0])
    return int(written)


def number(call: WireCall, *names: str) -> str:
    """A telephone number as written, or, with `code_pays`, as that country dials it; a plus that was not
    escaped is a blank. Raises Refusal: `missing_parameter`, `invalid_recipient`."""
    written = required(call, *names)
    country = reading.scalar(call.fields, "code_pays").upper()
    if not country:
        return written
    try:
        return read_msisdn(written, country)
    except NumberError as error:
        raise Refusal(Fault.INVALID_RECIPIENT, str(error), names[0]) from error


def shown_number(call: WireCall, *names: str) -> str | None:
    """A number to be shown, as an MSISDN; empty: the account's own, None where it is not said. Raises Refusal
    `invalid_sender`."""
    written = given(call, *names)
    if not written:
        return written
    try:
        return read_msisdn(written, reading.scalar(call.fields, "code_pays").upper() or "FR")
    except NumberError as error:
        raise Refusal(Fault.INVALID_SENDER, str(error), names[0]) from error


def choice(call: WireCall, words: Mapping[str, T], name: str) -> T | None:
    """What a word in any letter case stands for; None where it is absent or empty. Raises Refusal
    `invalid_parameter`."""
    written = reading.scalar(call.fields, name)
    if not written:
        return None
    if written.upper() not in words:
        raise invalid(written, f"write {' or '.join(words)}", name)
    return words[written.upper()]


def tracking_id(fields: Mapping[str, Sequence[str]]) -> str:
    """The number that `appel` answered; the document never says what an id_contact is (dialects.md 4c)."""
    return reading.scalar(fields, "id_contact", "id_tracking")


def invalid(written: str, advice: str, name: str) -> Refusal:
    """The refusal of a value, with what to write instead."""
    shown = written if len(written) <= 40 else f"{written[:40]}..."
    return Refusal(Fault.INVALID_PARAMETER, f'"{shown}" is not accepted; {advice}', name)


# --- answers


def text(body: str) -> HttpResponse:
    """An answer of plain text, to the byte."""
    return HttpResponse(200, body.encode("utf-8", "replace"), headers=(NO_STORE,))


def encode_done(outcome: object, call: WireCall) -> HttpResponse:
    """`OK`, no line break."""
    return text("OK")


def listing(
    columns: str, rows: Callable[..., Iterable[Sequence[object]]], header: bool
) -> Callable[..., HttpResponse]:
    """The encoder of lines whose columns the document names; each ends in a line break.

    `rows` makes them of the service's outcome. `header` puts the names of the columns first.
    """

    def encode(outcome: object, call: WireCall) -> HttpResponse:
        lines = [";".join(map(cell, row)) for row in rows(outcome)]
        return text("".join(f"{line}\n" for line in ([columns] if header else []) + lines))

    return encode


def cell(value: object) -> str:
    """A value as it stands between semicolons: one in data becomes a comma (dialects.md 4a), a line break or
    another control character a blank."""
    match value:
        case bool():
            return "1" if value else "0"
        case None:
            return ""
        case _:
            return _CONTROL.sub(" ", str(value)).replace(";", ",")


def credits_text(thousandths: int) -> str:
    """Credits as a decimal number."""
    return f"{Decimal(thousandths) / 1000:f}"


def destination_word(code: str) -> str:
    """A country and a kind of number as section 1 writes them: FR_Fixe, FR_Mobile."""
    country, _, kind = code.partition("_")
    return f"{country}_Fixe" if kind == "Fixed" else code


def local(at: datetime, zone: str) -> str:
    """A time of a form, in its zone (seed 003: YYYY-MM-DD HH:ii:ss)."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def seconds(call: WireCall, name: str, *, least: int, most: int) -> timedelta | None:
    """A duration in seconds; None where it is absent, empty or 0. Raises Refusal `invalid_parameter`."""
    if reading.scalar(call.fields, name).strip("0") == "":
        return None
    count = whole(call, name, least=least, most=most)
    return None if count is None else timedelta(seconds=count)


def _parameter(field: str, call: WireCall | None) -> str:
    """What the program that asks calls the field of a command."""
    field = field.partition("[")[0]
    verb = call.verb if call else ""
    if field == "request" and verb != CANCEL:
        return "id_tracking"
    own = _PARAMETER_IN.get(verb.partition("_")[0], {})
    return own.get(field) or _PARAMETER_OF_FIELD.get(field, field)


def _arrays(parameters: Iterable[reading.Parameter]) -> dict[str, tuple[str, ...]]:
    """Values as PHP would gather them: by the number in their brackets, empty brackets count on."""
    found: dict[str, dict[int, str]] = {}
    for one in parameters:
        if one.name in _ARRAYS:
            places = found.setdefault(one.name, {})
            place = max(places, default=-1) + 1 if one.place is None else one.place
            places[place] = one.value
    return {name: tuple(places[place] for place in sorted(places)) for name, places in found.items()}


def _secrets(parameters: Iterable[reading.Parameter], password: str) -> tuple[bytes, ...]:
    """The password in each form that it may have in what is kept of the exchange."""
    forms = {password.encode("utf-8", "replace"), quote_plus(password, errors="replace").encode()}
    for one in parameters:
        if one.name == "pass":
            forms |= {one.raw, one.value.encode("utf-8", "replace")}
    return tuple(sorted(forms - {b""}, key=len, reverse=True))
