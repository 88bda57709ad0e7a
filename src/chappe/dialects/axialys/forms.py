"""Pop-ups, their destinations and their files: sections 4 and 5 of "API Webappel" (seed 003)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePosixPath

from babel import Locale

from chappe.dialects import reading
from chappe.dialects.axialys import wire
from chappe.dialects.contract import WireCall
from chappe.model.callbacks import (
    LABELS,
    AllowDestinations,
    CallbackForm,
    ChangeForm,
    CreateForm,
    Destination,
    FirstRung,
    FormFile,
    FormFileContent,
    FormWithFiles,
    ListDestinations,
    ListFormsWithFiles,
    PutFormFile,
    ReadFormFile,
    RemoveForm,
    RemoveFormFile,
)
from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpResponse, Upload

FORM_COLUMNS = (
    "id_popup;nom_popup;immediat;direction;locale;voix;premier_about;num_pres_operateur;timeout_operateur;"
    "num_pres_client;timeout_client;message_popup;id_dest_about_ouvert;message_ferme;id_dest_about_ferme;"
    "repondeur;show_name;usr1_name;usr2_name;usr3_name;son_operateur;son_internaute;son_repondeur;"
    "entete_popup;css_popup"
)
DESTINATION_COLUMNS = "id_destination;destination;prix;AUTORISE|INTERDIT"

WORD_OF_FIRST: Mapping[FirstRung, str] = {
    FirstRung.OPERATOR: "OPERATEUR",
    FirstRung.VISITOR: "INTERNAUTE",
}
WORD_OF_FILE: Mapping[FormFile, str] = {
    FormFile.OPERATOR_SOUND: "son_operateur",
    FormFile.VISITOR_SOUND: "son_internaute",
    FormFile.GREETING: "son_repondeur",
    FormFile.HEADER: "entete_popup",
    FormFile.STYLE: "css_popup",
}
"""In the order of popups_listing."""

_FILES = {word.upper(): word for word in WORD_OF_FILE.values()}
_FILE_OF_WORD = {word: file for file, word in WORD_OF_FILE.items()}
_FIRST = {word: first for first, word in WORD_OF_FIRST.items()}
_LANGUAGES = {"FR": "fr", "EN": "en"}
_VOICES = {"M": "male", "F": "female"}
_LETTER_OF_VOICE = {voice: letter.lower() for letter, voice in _VOICES.items()}

_WAIT = (5, 1000)  # section 1
_DESTINATION = re.compile("([A-Za-z]{2})_(Fixe|Fixed|Mobile)", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;\s]+")


def decode_list(call: WireCall) -> ListFormsWithFiles:
    """popups_listing."""
    return ListFormsWithFiles()


def form_rows(forms: Sequence[FormWithFiles]) -> Iterator[Sequence[object]]:
    """A line of 25 columns for each form; `premier_about`, which is explained nowhere, repeats `direction`
    (our choice)."""
    for told in forms:
        one, first = told.form, WORD_OF_FIRST[told.form.first_rung]
        yield (
            *(one.number, one.name, one.immediate, first, one.language, _LETTER_OF_VOICE[one.voice], first),
            *(one.shown_to_operator, one.operator_seconds, one.shown_to_visitor, one.visitor_seconds),
            *(one.open_message, one.open_group, one.closed_message, one.closed_group, one.mailbox),
            *(one.asks_name, *one.labels),
            *(told.files.get(file, "") for file in WORD_OF_FILE),
        )


def decode_create(call: WireCall) -> CreateForm:
    """popup_ajout."""
    return CreateForm(wire.required(call, "nom_popup"), _settings(call))


def encode_created(form: CallbackForm, call: WireCall) -> HttpResponse:
    """Answer the id_popup."""
    return wire.text(str(form.number))


def decode_change(call: WireCall) -> ChangeForm:
    """popup_maj: what is not named stays as it is."""
    settings = _settings(call)
    if name := reading.scalar(call.fields, "nom_popup"):
        settings["name"] = name
    return ChangeForm(form_of(call), settings)


def decode_remove(call: WireCall) -> RemoveForm:
    """popup_del."""
    return RemoveForm(form_of(call))


def decode_destinations(call: WireCall) -> ListDestinations:
    """popup_destinations."""
    return ListDestinations(form_of(call))


def destination_rows(destinations: Sequence[Destination]) -> Iterator[Sequence[object]]:
    """A line for each destination, named as in section 1: "France mobile"."""
    for one in destinations:
        is_allowed = "AUTORISE" if one.allowed else "INTERDIT"
        yield one.number, _name_of(one.code), wire.credits_text(one.price), is_allowed


def decode_allow(call: WireCall) -> AllowDestinations:
    """popup_destination_ajout."""
    return AllowDestinations(form_of(call), _destinations(call))


def decode_forbid(call: WireCall) -> AllowDestinations:
    """popup_destination_supp."""
    return AllowDestinations(form_of(call), _destinations(call), allowed=False)


def decode_read_file(call: WireCall) -> ReadFormFile:
    """fichier_recuperer."""
    return ReadFormFile(form_of(call), _file(call))


def encode_file(found: FormFileContent, call: WireCall) -> HttpResponse:
    """The file, binary, of its type; a browser that is shown it must not take it for anything else."""
    quiet = ("x-content-type-options", "nosniff"), ("content-security-policy", "sandbox")
    return HttpResponse(200, found.content, found.content_type, (wire.NO_STORE, *quiet))


def decode_put_file(call: WireCall) -> PutFormFile:
    """fichier_deposer: the file in the field that is named as its type, else the first (dialects.md 4c); a
    style sheet may be in an eight-bit set.

    Raises Refusal: `missing_parameter`, `invalid_parameter`.
    """
    assert call.request is not None  # `read` always sets it
    uploads = call.request.uploads
    if not reading.scalar(call.fields, "type") and len(uploads) == 1:
        [field] = uploads
        file = _file_named(field)
    else:
        file = _file(call)
    upload = _upload(uploads, WORD_OF_FILE[file])
    # A path of the client's machine is none of ours; Windows parts it by backslashes.
    name = PurePosixPath(upload.filename.replace("\\", "/")).name
    content = upload.content
    if file is FormFile.STYLE:
        content = reading.decode(content, wire.EIGHT_BIT).encode()
    return PutFormFile(form_of(call), file, name or WORD_OF_FILE[file], content)


def decode_remove_file(call: WireCall) -> RemoveFormFile:
    """fichier_supprimer."""
    return RemoveFormFile(form_of(call), _file(call))


def form_of(call: WireCall) -> str:
    """The id_popup. Raises Refusal `missing_parameter`."""
    return wire.required(call, "id_popup")


def _settings(call: WireCall) -> dict[str, object]:
    """What popup_ajout and popup_maj set, by the names of CallbackForm.

    A text that is present and empty is emptied. Raises Refusal: `invalid_parameter`, `invalid_sender`.
    """
    found: dict[str, object | None] = {
        "first_rung": wire.choice(call, _FIRST, "direction"),
        "language": wire.choice(call, _LANGUAGES, "locale"),
        "voice": wire.choice(call, _VOICES, "voix"),
        "operator_seconds": _wait(call, "op_delais_attente"),
        "visitor_seconds": _wait(call, "internaute_delais_attente"),
        "shown_to_operator": wire.shown_number(call, "op_presentation", "numero_op"),
        "shown_to_visitor": wire.shown_number(call, "internaute_presentation", "numero_internaute"),
        "immediate": wire.flag(call, "immediat"),
        "asks_name": wire.flag(call, "afficher_nom"),
        "hours": wire.given(call, "nom_plage"),
        "open_group": wire.given(call, "ouvert_dest"),
        "closed_group": wire.given(call, "ferm_dest", "ferme_dest"),
        "open_message": wire.given(call, "ouvert_message"),
        "closed_message": wire.given(call, "ferm_message", "ferme_message"),
        "mailbox": _mailbox(call),
    }
    labels = tuple(wire.given(call, f"usr{count}_nom") for count in range(1, LABELS + 1))
    if any(label is not None for label in labels):
        found["labels"] = labels
    return {name: value for name, value in found.items() if value is not None}


def _wait(call: WireCall, name: str) -> int | None:
    least, most = _WAIT
    return wire.whole(call, name, least=least, most=most)


def _mailbox(call: WireCall) -> str | None:
    """The answerphone's address: `email` a second time, since the first is the login, else `repondeur`
    (dialects.md 4c)."""
    for second in call.fields.get("email", ())[1:]:
        if second.strip():
            return second.strip()
    return wire.given(call, "repondeur", "répondeur")


def _destinations(call: WireCall) -> tuple[str, ...]:
    """Codes, and numbers after them. Raises Refusal: `missing_parameter`, `invalid_parameter`."""
    written = (*call.fields.get("liste_destination", ()), *call.fields.get("id_destination", ()))
    found = tuple(_code(part) for one in written for part in _BETWEEN.split(one) if part)
    if not found:
        detail = "give liste_destination[]=FR_Mobile, or an id_destination of popup_destinations"
        raise Refusal(Fault.MISSING_PARAMETER, detail, "liste_destination")
    return found


def _code(written: str) -> str:
    """FR_Fixe, in any letter case, as the platform calls it; an id_destination as it is."""
    if found := _DESTINATION.fullmatch(written):
        return f"{found[1].upper()}_{'Mobile' if found[2].lower() == 'mobile' else 'Fixed'}"
    if not written.isdecimal():
        advice = "write FR_Fixe, FR_Mobile or the like, or an id_destination of popup_destinations"
        raise wire.invalid(written, advice, "liste_destination")
    return written


@lru_cache(maxsize=1024)
def _name_of(code: str) -> str:
    country, _, kind = wire.destination_word(code).partition("_")
    return f"{Locale('fr').territories.get(country, country)} {kind.lower()}".strip()


def _file(call: WireCall) -> FormFile:
    return _file_named(wire.required(call, "type"))


def _file_named(written: str) -> FormFile:
    if written.upper() not in _FILES:
        raise wire.invalid(written, f"write one of {', '.join(WORD_OF_FILE.values())}", "type")
    return _FILE_OF_WORD[_FILES[written.upper()]]


def _upload(uploads: Mapping[str, Upload], word: str) -> Upload:
    upload = uploads.get(word) or next(iter(uploads.values()), None)
    if upload is None:
        detail = f"send the file by POST as multipart/form-data, in the field {word}"
        raise Refusal(Fault.MISSING_PARAMETER, detail, word)
    return upload
