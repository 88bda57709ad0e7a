"""An account with a lively past: telephones in several countries, keywords, notices, a failure, a STOP."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import StorageState

from tests.browser.console import Person
from tests.browser.customer import Site
from tests.clients.running import Account, Server, eventually

CAMILLE, LEA, ZURICH, LONDON, LOST = (
    "33612345678",
    "33698765432",
    "41792223344",
    "447400123456",
    "33677001122",
)
CODE = "20345"


@dataclass(frozen=True, slots=True)
class Sample:
    """How to be logged in there, the ids of three of its messages, and that of its callback form."""

    session: StorageState
    answered: str
    received: str
    held: str
    form: str


def typeset(text: str) -> str:
    """French as it is printed: no line ends before high punctuation, nor within an hour."""
    return re.sub(r" (?=[!:])|(?<=\d) (?=h\b)|(?<=\d h) (?=\d)", "\N{NO-BREAK SPACE}", text)


def asked_back(account: Account) -> str:
    """A ring group, a form, a visitor who was called, one for whom nobody was free, and two who wait; the
    form's id."""
    operators = [{"number": LEA, "name": "Léa"}, {"number": ZURICH, "name": "Zurich", "ring_seconds": 20}]
    account.ask("PUT", "/v1/ring-groups/ventes", {"order": "round_robin", "operators": operators})
    given = {
        "name": typeset("Rappel par l’atelier"),
        "open_group": "ventes",
        "open_message": typeset("Nous vous rappelons tout de suite."),
        "labels": [typeset("Numéro de commande")],
    }
    form = str(account.ask("POST", "/v1/popups", given)["id"])

    def behave(number: str, **how: object) -> None:
        account.ask("PUT", f"/v1/sandbox/handsets/{number}/behaviour", how)

    def call_back(visitor: str, name: str) -> None:
        asked = {"popup": form, "visitor": f"+{visitor}", "name": name}
        ref = account.ask("POST", "/v1/callbacks", asked)["id"]
        eventually(lambda: account.ask("GET", f"/v1/callbacks/{ref}")["state"] in ("done", "missed"))

    behave("33639980031", call="answer", hang_up_after_ms=9000)
    for operators_do in ("answer", "busy"):
        for number in (LEA, ZURICH):
            behave(number, call=operators_do)
        call_back("33639980031" if operators_do == "answer" else "33639980032", "Nora")
    for number in (LEA, ZURICH):
        behave(number)
    for number, name in ((CAMILLE, "Camille"), (LONDON, "")):
        asked = {"popup": form, "visitor": f"+{number}", "name": name, "delay_seconds": 7200}
        account.ask("POST", "/v1/callbacks", asked)
    return form


def live_in(person: Person, server: Server, site: Site) -> Sample:
    person.sign_up("camille@lumiere.example")
    account = Account(server, person.shown_key(), "", "", "")
    person.claim("COLIS", f"{site.url}/colis.php", "orange")
    person.claim("RDV", f"{site.url}/rendez-vous", "rest")
    person.subscribe(f"{site.url}/events")
    person.subscribe(f"{site.url}/down")
    account.ask("PUT", f"/v1/sandbox/handsets/{LOST}/behaviour", {"receipt": "undelivered"})

    def send(to: str, text: str, **more: Any) -> str:
        """Send, and wait until the telephone has it and the receipt came."""
        body = {"to": [f"+{to}"], "text": typeset(text), "from": CODE, "receipt": True, **more}
        ref = str(account.ask("POST", "/v1/messages", body)["messages"][0]["id"])
        eventually(lambda: account.message(ref)["state"] in ("delivered", "undelivered", "scheduled"))
        return ref

    def answer(number: str, text: str) -> str:
        text = typeset(text)
        account.send_from(number, CODE, text)
        return eventually(lambda: next((str(m["id"]) for m in account.messages() if m["text"] == text), ""))

    send(LOST, "Votre commande 4817 est prête. Elle vous attend au comptoir jusqu’à samedi.")
    send(LONDON, "482 913 is your code for Northbank. It works for ten minutes.")
    send(LONDON, "Your new card is on its way and should reach you by Thursday.", flash=True)
    send(ZURICH, "Your train to Geneva leaves 12 minutes late, at 17:46 from platform 7.")
    send(ZURICH, "Platform change: your train to Geneva now leaves from platform 4.")
    account.send_from(ZURICH, CODE, "STOP")  # no keyword: kept for nobody, obeyed all the same
    send(LEA, "Cabinet Moreau : rendez-vous mardi à 9 h 30. Répondez RDV OUI pour confirmer.")
    answer(LEA, "RDV OUI merci, à mardi !")
    send(LEA, "C’est confirmé. Pensez à votre carte Vitale.")
    text = "Votre colis arrive aujourd’hui entre 14 h et 16 h. Répondez COLIS NON pour choisir un autre jour."
    answered = send(CAMILLE, text, reference="colis-4817")
    received = answer(CAMILLE, "COLIS NON, demain plutôt")
    site.first("/colis.php")
    send(CAMILLE, "C’est noté : demain, entre 14 h et 16 h. Bonne journée !")
    answer(CAMILLE, "COLIS parfait, merci ☺")
    tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    send(LEA, "Rappel : rendez-vous mardi à 9 h 30.", send_at=tomorrow.isoformat())
    account.ask("POST", "/v1/numbers", {})
    for numbers, source in (([LEA, CAMILLE], "bulletin en boutique, 3 mars"), ([LONDON], "commande 4790")):
        basis = "customer" if LONDON in numbers else "consent"
        body = {"numbers": numbers, "source": source, "basis": basis}
        account.ask("POST", "/v1/consents", body)
    account.ask("DELETE", f"/v1/consents/{CAMILLE}")
    night = tomorrow.replace(hour=23, minute=0, second=0).isoformat()
    form = asked_back(account)
    held = send(LEA, "Soldes : tout est à moitié prix.", send_at=night, purpose="marketing")
    return Sample(person.page.context.storage_state(), answered, received, held, form)
