"""The readers and writers of Axialys' wire, as tables."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

import pytest

from chappe.dialects.axialys import callbacks, forms, groups, hours, wire
from chappe.dialects.contract import WireCall
from chappe.model.callbacks import (
    AllowDestinations,
    CallbackForm,
    CallbackRequest,
    CallbackSource,
    CallbackState,
    CallbackStory,
    CancelCallback,
    ChangeForm,
    CreateForm,
    Destination,
    FirstRung,
    FormFile,
    FormWithFiles,
    ReportCallbacks,
)
from chappe.model.commands import Password
from chappe.model.errors import Fault, Refusal
from chappe.model.openinghours import Closure, Day, OpeningHours, Span
from chappe.model.ringgroups import NewOperator, RingOrder
from chappe.protocols.http import HttpRequest, Upload

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FORM = CallbackForm(
    id=1,
    ref="r",
    account_id=7,
    number=3,
    name="Accueil; boutique",
    first_rung=FirstRung.VISITOR,
    language="fr",
    voice="female",
    operator_seconds=40,
    visitor_seconds=20,
    created_at=AT,
    immediate=True,
    shown_to_operator="33820620620",
    shown_to_visitor="33170200258",
    open_group="maliste",
    closed_group="nuit",
    open_message="Entrez votre\r\nnuméro",
    closed_message="fermé",
    mailbox="b@b.com",
    labels=("Commande", "", "Ville"),
)
REQUEST = CallbackRequest(
    id=1,
    ref="r",
    account_id=7,
    form_id=1,
    number=8,
    visitor="33612345678",
    address="192.0.2.1",
    state=CallbackState.DONE,
    source=CallbackSource.WIDGET,
    dialect="axialys",
    destination="FR_Mobile",
    created_at=AT,
    due_at=AT + timedelta(seconds=30),
    delay_seconds=30,
    tries=2,
    retry_seconds=60,
    longest_seconds=600,
    recorded=False,
    name="Jade;\x1cRobert",
    labels=("RXF46GSDG", "", "x"),
    ring_seconds=4,
    talk_seconds=61,
    price=150,
)
STORY = CallbackStory(REQUEST, FORM)


def read(query: str, **more: object) -> WireCall:
    raw = f"email=a@a.com&pass=a&{query}".encode()
    target = b"/get/webappel/api.php?" + raw
    request = HttpRequest("GET", "", "/get/webappel/api.php", target, raw, {}, b"")
    return wire.read(request._replace(**more))  # type: ignore[arg-type]


def refused(query: str, decode: object = None, **more: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call = read(query, **more)
        assert callable(decode)
        decode(call)
    return caught.value


@pytest.mark.parametrize(
    ("written", "verb"),
    [
        ("popups_listing", "popups_listing"),
        ("Popups_Listing", "popups_listing"),
        ("blacklistage_ip", "blacklistage_IP"),
        (" appel ", "appel"),
        ("operateur_ajout_e164", "operateur_ajout"),
        ("planning_plages_details", "planning_plage_details"),
        ("planning_ajout_exception", "planning_exception_add"),
        ("planning_supp_exception", "planning_exception_del"),
    ],
)
def test_a_method_is_found_by_each_of_its_spellings(written: str, verb: str) -> None:
    assert read(f"methode={quote(written)}").verb == verb


@pytest.mark.parametrize(
    ("query", "verb"),
    [
        ("e164=33170200258", "appel"),
        ("id_contact=4", "appel_annuler"),
        ("id_tracking=4", "appel_annuler"),
        ("e164=33170200258&id_contact=4", "appel"),
        ("", "appel"),
    ],
)
def test_appel_with_a_contact_and_no_number_cancels(query: str, verb: str) -> None:
    assert read(f"methode=appel&id_popup=77&{query}").verb == verb


def test_the_credentials_are_the_first_email_in_any_case_and_pass() -> None:
    query = b"EMAIL=A%40a.com&email=b@b.com&pass=s%C3%A9cret&methode=popups_listing"
    call = wire.read(HttpRequest("GET", "", wire.PATHS[0], b"", query, {}, b""))
    assert call.credentials == (Password("a@a.com", "sécret"),)
    assert set(call.secrets) == {b"s%C3%A9cret", "sécret".encode()}


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        (b"methode=appel", Fault.BAD_CREDENTIALS),
        (b"methode=appel&email=a@a.com", Fault.BAD_CREDENTIALS),
        (b"methode=appel&email=&pass=a", Fault.BAD_CREDENTIALS),
        (b"email=a@a.com&pass=a", Fault.MISSING_PARAMETER),
    ],
)
def test_what_nobody_can_answer_is_refused(query: bytes, fault: Fault) -> None:
    with pytest.raises(Refusal) as caught:
        wire.read(HttpRequest("GET", "", wire.PATHS[0], b"", query, {}, b""))
    assert caught.value.fault is fault


def test_only_get_and_post_are_served() -> None:
    assert refused("methode=appel", method="DELETE").fault is Fault.UNSUPPORTED
    assert read("methode=appel", method="POST").verb == "appel"


ONE = ("lundi",), ("9:00",), ("12:00",)
TWO = ("lundi", "mardi"), ("9:00", "14:00"), ("12:00", "18:00")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("jour[]=lundi&h_debut[]=9:00&h_fin[]=12:00", ONE),
        ("jour[0]=lundi&h_debut[0]=9:00&h_fin[0]=12:00", ONE),
        ("jour=lundi&h_debut=9:00&h_fin=12:00", ONE),
        ("jour%5B%5D=lundi&h_debut%5b0%5d=9%3A00&amp;h_fin=12:00", ONE),
        ("jour[]=lundi&jour[]=mardi&h_debut[]=9:00&h_debut[]=14:00&h_fin[]=12:00&h_fin[]=18:00", TWO),
        ("jour=lundi&jour=mardi&h_debut=9:00&h_debut=14:00&h_fin=12:00&h_fin=18:00", TWO),
        # By their numbers, whatever their order; PHP counts empty brackets on from the highest.
        ("jour[1]=mardi&jour[0]=lundi&h_debut[0]=9:00&h_debut[]=14:00&h_fin[7]=18:00&h_fin[2]=12:00", TWO),
        ("jour[0]=jeudi&jour[0]=lundi&h_debut[0]=9:00&h_fin[0]=12:00", ONE),
    ],
)
def test_arrays_are_gathered_as_php_does(query: str, expected: tuple[tuple[str, ...], ...]) -> None:
    fields = read(f"methode=planning_plage_add&nom_plage=maplage&{query}").fields
    assert tuple(fields[name] for name in ("jour", "h_debut", "h_fin")) == expected


# --- groups


@pytest.mark.parametrize(
    ("query", "operator"),
    [
        ("e164=33820620620&duree_sonnerie_op=60&position=1", NewOperator("33820620620", 60, 1)),
        ("e164=33820620620&priorite=20", NewOperator("33820620620", None, 20)),
        ("e164=+33820620620", NewOperator("33820620620")),
        ("e164=0213185500&code_pays=ch", NewOperator("41213185500")),
        ("e164=0820620620&duree_sonnerie_op=&position=", NewOperator("0820620620")),
    ],
)
def test_an_operator_is_read(query: str, operator: NewOperator) -> None:
    command = groups.decode_add(read(f"methode=operateur_ajout&nom_liste_op=maliste&{query}"))
    assert (command.group, command.operator) == ("maliste", operator)


@pytest.mark.parametrize(
    ("query", "fault", "field"),
    [
        ("e164=33820620620", Fault.MISSING_PARAMETER, "nom_liste_op"),
        ("nom_liste_op=a", Fault.MISSING_PARAMETER, "e164"),
        ("nom_liste_op=a&e164=1&position=0", Fault.INVALID_PARAMETER, "position"),
        ("nom_liste_op=a&e164=1&duree_sonnerie_op=une", Fault.INVALID_PARAMETER, "duree_sonnerie_op"),
        ("nom_liste_op=a&e164=12&code_pays=FR", Fault.INVALID_RECIPIENT, "e164"),
        ("nom_liste_op=a&e164=0612345678&code_pays=ZZ", Fault.INVALID_RECIPIENT, "e164"),
    ],
)
def test_an_operator_that_cannot_be_read_is_refused(query: str, fault: Fault, field: str) -> None:
    refusal = refused(f"methode=operateur_ajout&{query}", groups.decode_add)
    assert (refusal.fault, refusal.field) == (fault, field)


@pytest.mark.parametrize(
    ("written", "order"),
    [
        ("FIXE", RingOrder.FIXED),
        ("fixe", RingOrder.FIXED),
        ("RANDOM", RingOrder.RANDOM),
        ("Tournante", RingOrder.ROUND_ROBIN),
        ("", RingOrder.FIXED),
    ],
)
def test_an_order_is_read(written: str, order: RingOrder) -> None:
    query = f"methode=operateur_mode&nom_liste_op=maliste&ordonnancement={written}"
    assert groups.decode_order(read(query)).order is order


def test_every_order_has_a_word() -> None:
    assert groups.WORD_OF_ORDER.keys() == set(RingOrder)


# --- hours


@pytest.mark.parametrize(
    ("query", "spans"),
    [
        ("jour[]=lundi&h_debut[]=9:00&h_fin[]=12:00", [Span(Day.MONDAY, 540, 720)]),
        ("jour=DIMANCHE&h_debut=00:00&h_fin=23:59", [Span(Day.SUNDAY, 0, 1439)]),
        ("jour=samedi&h_debut=22:30&h_fin=00:00", [Span(Day.SATURDAY, 1350, 1440)]),
        (
            "jour[]=mardi&jour[]=jeudi&h_debut[]=08:05&h_debut[]=9:00&h_fin[]=12:00&h_fin[]=10:00",
            [Span(Day.TUESDAY, 485, 720), Span(Day.THURSDAY, 540, 600)],
        ),
    ],
)
def test_spans_are_read(query: str, spans: list[Span]) -> None:
    command = hours.decode_add_spans(read(f"methode=planning_plage_add&nom_plage=maplage&{query}"))
    assert (command.name, list(command.spans)) == ("maplage", spans)


@pytest.mark.parametrize(
    ("query", "fault", "field"),
    [
        ("jour[]=lundi&h_debut[]=9:00", Fault.MISSING_PARAMETER, "h_fin"),
        ("jour[]=lundi&h_debut[]=9:00&h_fin[]=12:00&h_fin[]=13:00", Fault.INVALID_PARAMETER, "h_fin"),
        ("jour[]=monday&h_debut[]=9:00&h_fin[]=12:00", Fault.INVALID_PARAMETER, "jour"),
        ("jour[]=lundi&h_debut[]=9&h_fin[]=12:00", Fault.INVALID_PARAMETER, "h_debut"),
        ("jour[]=lundi&h_debut[]=9:00&h_fin[]=9:00", Fault.INVALID_PARAMETER, "h_debut"),
        ("jour[]=lundi&h_debut[]=9:00&h_fin[]=24:01", Fault.INVALID_PARAMETER, "h_debut"),
    ],
)
def test_spans_that_cannot_be_read_are_refused(query: str, fault: Fault, field: str) -> None:
    refusal = refused(f"methode=planning_plage_add&nom_plage=a&{query}", hours.decode_add_spans)
    assert (refusal.fault, refusal.field) == (fault, field)


@pytest.mark.parametrize(
    "query", ["date=10&mois=3&annee=2008", "date=10&mois=03&ann%C3%A9e=2008", "date=2008-03-10"]
)
def test_a_closed_day_is_read(query: str) -> None:
    call = read(f"methode=planning_exception_add&nom_plage=maplage&{query}")
    assert hours.decode_add_closure(call).closures == (Closure(date(2008, 3, 10)),)
    assert hours.decode_remove_closure(call).days == (date(2008, 3, 10),)


@pytest.mark.parametrize(
    "query", ["date=10", "date=31&mois=2&annee=2008", "date=10&mois=mars&annee=2008", "date=1&mois=1&annee=0"]
)
def test_a_day_that_does_not_exist_is_refused(query: str) -> None:
    refusal = refused(f"methode=planning_exception_add&nom_plage=a&{query}", hours.decode_add_closure)
    assert (refusal.fault, refusal.field) == (Fault.INVALID_PARAMETER, "date")


def test_hours_are_listed_by_day_with_two_digits_and_midnight_as_00_00() -> None:
    spans = (Span(Day.FRIDAY, 540, 1440), Span(Day.MONDAY, 840, 1080), Span(Day.MONDAY, 540, 720))
    closures = (Closure(date(2008, 12, 25), "Noël"), Closure(date(2008, 3, 10)))
    found = OpeningHours(1, 7, "maplage", spans, closures, "Europe/Paris", "", 1, AT, AT)
    encode = wire.listing(hours.DETAIL_COLUMNS, hours.detail_rows, False)
    assert encode(found, WireCall("")).body.decode() == (
        "regulier;lundi;09:00;12:00\n"
        "regulier;lundi;14:00;18:00\n"
        "regulier;vendredi;09:00;00:00\n"
        "exception;2008-03-10\n"
        "exception;2008-12-25\n"
    )


# --- pop-ups


def test_a_pop_up_is_read_with_every_setting() -> None:
    command = forms.decode_create(
        read(
            "methode=popup_ajout&nom_popup=mapopup&direction=internaute&nom_plage=plage1&locale=EN&voix=m"
            "&internaute_delais_attente=20&op_delais_attente=10&ouvert_dest=jour&ferme_dest=nuit"
            "&ouvert_message=Pour+%EAtre+mis+en+relation&ferme_message=ferm%C3%A9&immediat=1&afficher_nom=0"
            "&op_presentation=0820620620&internaute_presentation=+33170200258&repondeur=b@b.com"
            "&usr1_nom=Commande&usr3_nom="
        )
    )
    assert command == CreateForm(
        "mapopup",
        {
            "first_rung": FirstRung.VISITOR,
            "hours": "plage1",
            "language": "en",
            "voice": "male",
            "visitor_seconds": 20,
            "operator_seconds": 10,
            "open_group": "jour",
            "closed_group": "nuit",
            "open_message": "Pour être mis en relation",
            "closed_message": "fermé",
            "immediate": True,
            "asks_name": False,
            "shown_to_operator": "33820620620",
            "shown_to_visitor": "33170200258",
            "mailbox": "b@b.com",
            "labels": ("Commande", None, ""),
        },
    )


@pytest.mark.parametrize(
    ("query", "settings"),
    [
        ("", {}),
        ("nom_popup=nouveaunom", {"name": "nouveaunom"}),
        ("ferm_dest=a&ferme_dest=b", {"closed_group": "a"}),
        ("ferm_message=x", {"closed_message": "x"}),
        ("numero_op=0820620620", {"shown_to_operator": "33820620620"}),
        ("numero_internaute=33170200258", {"shown_to_visitor": "33170200258"}),
        ("op_presentation=", {"shown_to_operator": ""}),
        ("email=b@b.com", {"mailbox": "b@b.com"}),
        ("email=b@b.com&repondeur=c@c.com", {"mailbox": "b@b.com"}),
        ("email=&repondeur=c@c.com", {"mailbox": "c@c.com"}),
        ("r%C3%A9pondeur=c@c.com", {"mailbox": "c@c.com"}),
        ("r%E9pondeur=c@c.com", {"mailbox": "c@c.com"}),
        ("repondeur=", {"mailbox": ""}),
        ("direction=OPERATEUR", {"first_rung": FirstRung.OPERATOR}),
        ("usr2_nom=Jean", {"labels": (None, "Jean", None)}),
    ],
)
def test_a_change_of_a_pop_up_names_what_it_changes(query: str, settings: dict[str, object]) -> None:
    assert forms.decode_change(read(f"methode=popup_maj&id_popup=1&{query}")) == ChangeForm("1", settings)


@pytest.mark.parametrize(
    ("query", "fault", "field"),
    [
        ("direction=LES+DEUX", Fault.INVALID_PARAMETER, "direction"),
        ("locale=de", Fault.INVALID_PARAMETER, "locale"),
        ("voix=x", Fault.INVALID_PARAMETER, "voix"),
        ("immediat=2", Fault.INVALID_PARAMETER, "immediat"),
        ("op_delais_attente=4", Fault.INVALID_PARAMETER, "op_delais_attente"),
        ("internaute_delais_attente=1001", Fault.INVALID_PARAMETER, "internaute_delais_attente"),
        ("op_presentation=12", Fault.INVALID_SENDER, "op_presentation"),
    ],
)
def test_a_setting_that_cannot_be_read_is_refused(query: str, fault: Fault, field: str) -> None:
    refusal = refused(f"methode=popup_maj&id_popup=1&{query}", forms.decode_change)
    assert (refusal.fault, refusal.field) == (fault, field)


def test_a_pop_up_is_a_line_of_25_columns() -> None:
    files = {FormFile.GREETING: "repondeur.wav", FormFile.STYLE: "style.css"}
    encode = wire.listing(forms.FORM_COLUMNS, forms.form_rows, True)
    header, line = encode((FormWithFiles(FORM, files),), WireCall("")).body.decode().splitlines()
    assert line == (
        "3;Accueil, boutique;1;INTERNAUTE;fr;f;INTERNAUTE;33820620620;40;33170200258;20;Entrez votre numéro;"
        "maliste;fermé;nuit;b@b.com;1;Commande;;Ville;;;repondeur.wav;;style.css"
    )
    assert header.count(";") == line.count(";") == 24


@pytest.mark.parametrize(
    ("query", "destinations"),
    [
        ("liste_destination[]=FR_Fixe&liste_destination[]=BE_mobile", ("FR_Fixed", "BE_Mobile")),
        ("liste_destination=fr_FIXE,ch_Mobile", ("FR_Fixed", "CH_Mobile")),
        ("id_destination=1004", ("1004",)),
        ("liste_destination=CH_Fixed;1003", ("CH_Fixed", "1003")),
    ],
)
def test_destinations_are_read(query: str, destinations: tuple[str, ...]) -> None:
    call = read(f"methode=popup_destination_ajout&id_popup=77&{query}")
    assert forms.decode_allow(call) == AllowDestinations("77", destinations, True)
    assert forms.decode_forbid(call) == AllowDestinations("77", destinations, False)


def test_what_is_no_destination_is_refused() -> None:
    refusal = refused("methode=popup_destination_ajout&id_popup=1&liste_destination=Mars", forms.decode_allow)
    assert (refusal.fault, refusal.field) == (Fault.INVALID_PARAMETER, "liste_destination")


def test_destinations_are_listed_by_their_french_name() -> None:
    found = (Destination(1004, "FR_Mobile", 50, True), Destination(1003, "BE_Fixed", 1000, False))
    encode = wire.listing(forms.DESTINATION_COLUMNS, forms.destination_rows, False)
    assert encode(found, WireCall("")).body.decode() == (
        "1004;France mobile;0.05;AUTORISE\n1003;Belgique fixe;1;INTERDIT\n"
    )


@pytest.mark.parametrize(
    ("query", "uploads", "expected"),
    [
        ("type=son_repondeur", ["son_repondeur"], (FormFile.GREETING, "son_repondeur.wav")),
        ("type=son_repondeur", ["x", "son_repondeur"], (FormFile.GREETING, "son_repondeur.wav")),
        ("type=SON_INTERNAUTE", ["x", "y"], (FormFile.VISITOR_SOUND, "x.wav")),
        ("", ["css_popup"], (FormFile.STYLE, "css_popup.wav")),
    ],
)
def test_a_file_is_in_the_field_of_its_type_or_the_first(
    query: str, uploads: list[str], expected: tuple[FormFile, str]
) -> None:
    sent = {name: Upload(f"C:\\sons\\{name}.wav", "audio/wav", b"RIFF") for name in uploads}
    call = read(f"methode=fichier_deposer&id_popup=77&{query}", uploads=sent)
    command = forms.decode_put_file(call)
    assert (command.file, command.name, command.content) == (*expected, b"RIFF")


@pytest.mark.parametrize(
    ("query", "uploads", "field"),
    [
        ("type=son_repondeur", {}, "son_repondeur"),
        ("", {}, "type"),
        ("type=photo", {}, "type"),
        ("", {"photo": Upload("x", "", b"")}, "type"),
    ],
)
def test_a_file_that_is_not_there_or_of_no_type_is_refused(
    query: str, uploads: dict[str, Upload], field: str
) -> None:
    query = f"methode=fichier_deposer&id_popup=77&{query}"
    assert refused(query, forms.decode_put_file, uploads=uploads).field == field


def test_every_file_has_a_word() -> None:
    assert forms.WORD_OF_FILE.keys() == set(FormFile)


# --- callbacks


def test_a_callback_is_read_with_every_option() -> None:
    command = callbacks.decode_request(
        read(
            "methode=appel&id_popup=77&e164=33170200258&delais=30&nbressais=1&dureemaxi=600&rec=1&nom=Jade"
            "&usr1=RXF46&usr3=x&client_ip=192.0.2.1"
        )
    )
    assert (command.form, command.visitor, command.address) == ("77", "33170200258", "192.0.2.1")
    assert (command.delay, command.tries) == (timedelta(seconds=30), 2)
    assert (command.longest, command.recorded) == (timedelta(seconds=600), True)
    assert (command.name, list(command.labels)) == ("Jade", ["RXF46", "", "x"])
    assert command.source is CallbackSource.API


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (None, None, None, None)),
        ("delais=0&nbressais=0&dureemaxi=0&rec=0", (None, 1, None, False)),
        ("delais=&nbressais=&dureemaxi=&rec=", (None, None, None, None)),
        ("rec=entretien.wav&nbressais=9", (None, 10, None, True)),
        ("dureemaxi=10000", (None, None, timedelta(hours=2), None)),
    ],
)
def test_what_a_callback_says_little_of_is_read(query: str, expected: tuple[object, ...]) -> None:
    command = callbacks.decode_request(read(f"methode=appel&id_popup=77&e164=33170200258&{query}"))
    assert (command.delay, command.tries, command.longest, command.recorded) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("e164=33170200258", "id_popup"),
        ("id_popup=77", "e164"),
        ("id_popup=77&e164=1&delais=1001", "delais"),
        ("id_popup=77&e164=1&nbressais=10", "nbressais"),
        ("id_popup=77&e164=1&dureemaxi=9", "dureemaxi"),
        ("id_popup=77&e164=1&dureemaxi=10001", "dureemaxi"),
    ],
)
def test_a_callback_that_cannot_be_read_is_refused(query: str, field: str) -> None:
    assert refused(f"methode=appel&{query}", callbacks.decode_request).field == field


def test_a_contact_is_a_tracking_id() -> None:
    for name in ("id_contact", "id_tracking"):
        call = read(f"methode=appel_annuler&id_popup=77&{name}=8")
        assert callbacks.decode_cancel(call) == CancelCallback("8", "77")
    assert refused("methode=appel_annuler&id_popup=77", callbacks.decode_cancel).field == "id_contact"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (None, None, "")),
        ("date_debut=2008-10-01&date_fin=2008-11-01", (date(2008, 10, 1), date(2008, 11, 1), "")),
        ("date_debut=2008-1-1", (date(2008, 1, 1), None, "")),
        ("id_tracking=8", (None, None, "8")),
    ],
)
def test_a_report_is_read(query: str, expected: tuple[object, ...]) -> None:
    call = read(f"methode=appel_listing&id_popup=77&{query}")
    assert callbacks.decode_report(call) == ReportCallbacks("77", *expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "query",
    ["date_debut=2008-02-30", "date_debut=01/10/2008", "date_debut=2008-10-02&date_fin=2008-10-01"],
)
def test_a_report_of_days_that_do_not_exist_is_refused(query: str) -> None:
    refusal = refused(f"methode=appel_listing&id_popup=77&{query}", callbacks.decode_report)
    assert (refusal.fault, refusal.field) == (Fault.INVALID_PARAMETER, "date_debut")


def test_callbacks_are_lines_of_15_and_of_11_columns_in_the_zone_of_the_form() -> None:
    summer = replace(REQUEST, number=9, created_at=AT + timedelta(days=60), destination="CH_Fixed")
    stories = (STORY, CallbackStory(summer, FORM))
    encode = wire.listing(callbacks.CALL_COLUMNS, callbacks.call_rows, False)
    lines = encode(stories, WireCall("")).body.decode().splitlines()
    assert lines[0] == (
        "8;2026-03-02 10:00:00;30;2026-03-02 10:00:30;192.0.2.1;4;61;FR_Mobile;0.15;"
        "Jade, Robert;RXF46GSDG;;x;POPUP;ABOUTI"
    )
    assert lines[1].startswith("9;2026-05-01 11:00:00;30;") and ";CH_Fixe;" in lines[1]
    assert lines[0].count(";") == callbacks.CALL_COLUMNS.count(";") == 14
    encode = wire.listing(callbacks.SHORT_COLUMNS, callbacks.short_rows, False)
    lines = encode(stories, WireCall("")).body.decode().splitlines()
    assert lines[0] == "8;3;2026-03-02 10:00:00;30;192.0.2.1;61;Jade, Robert;RXF46GSDG;;x;ABOUTI"
    assert lines[0].count(";") == callbacks.SHORT_COLUMNS.count(";") == 10


def test_every_state_and_source_has_a_word() -> None:
    assert callbacks.WORD_OF_STATE.keys() == set(CallbackState)
    assert callbacks.WORD_OF_SOURCE.keys() == set(CallbackSource)


# --- answers


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_its_words(fault: Fault) -> None:
    said = wire.refuse(Refusal(fault, "why;\nso", "form"), None)
    assert (said.status, said.content_type) == (200, "text/plain; charset=utf-8")
    assert said.body.decode() == f"ERREUR: {wire.REASON_OF_FAULT[fault]}: id_popup: why; so"


@pytest.mark.parametrize(
    ("verb", "field", "name"),
    [
        ("operateurs_listing", "name", "nom_liste_op"),
        ("planning_plage_add", "name", "nom_plage"),
        ("popup_maj", "name", "nom_popup"),
        ("popup_maj", "labels[1]", "usr1_nom"),
        ("appel", "labels", "usr1"),
        ("appel", "address", "client_ip"),
        ("blacklistage_IP", "address", "ip"),
        ("appel_annuler", "request", "id_contact"),
        ("appels_resume", "request", "id_tracking"),
        ("appel", "unheard_of", "unheard_of"),
    ],
)
def test_a_field_at_fault_is_called_as_its_method_calls_it(verb: str, field: str, name: str) -> None:
    said = wire.refuse(Refusal(Fault.NOT_FOUND, "no", field), WireCall(verb))
    assert said.body.decode() == f"ERREUR: introuvable: {name}: no"


def test_a_refusal_names_destinations_as_they_are_written_here() -> None:
    said = wire.refuse(
        Refusal(Fault.INVALID_PARAMETER, "'x' is none; such as FR_Mobile or CH_Fixed", "d"), None
    )
    assert said.body.decode().endswith("'x' is none; such as FR_Mobile or CH_Fixe")


def test_done_is_two_letters() -> None:
    assert wire.encode_done(None, WireCall("")).body == b"OK"


def test_nobody_is_told_by_this_provider() -> None:
    assert wire.notice(None, None, AT) is None  # type: ignore[arg-type]
