"""Every example address of Axialys' document, in its order, asked for with curl.

Only host and credentials are changed: the pop-up 77 and the request 8 that they speak of are made before.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chappe.media import tones, wav
from tests.clients.running import Account, run, running_server
from tests.seeds.extract import AXIALYS, addresses, read_document, seeds_folder

POP_UP, TRACKED = 77, 8
CUT_OFF = "methode=operateur_ajout&email=a@a."
# What the table of section 1 shows for each parameter that the method must have.
ITS_END = "com&pass=a&nom_liste_op=maliste&e164=33820620620&duree_sonnerie_op=60&position=1"
DESTINATION = (
    "id_popup=77&liste_destination[]=FR_Fixe&liste_destination[]=FR_Mobile&liste_destination[]=BE_Fixe"
)

# One for each address of the document in order: the method, what of it tells it from others, and the answer.
EXPECTED = (
    ("operateurs_liste_groupes", "", "accueil;FIXE\n"),
    ("operateur_ajout", "", "OK"),
    ("operateur_supp", "e164=33820620620", "OK"),
    ("operateurs_listing", "nom_liste_op=maliste", ""),
    ("operateur_mode", "ordonnancement=FIXE", "OK"),
    ("blacklistage_numero", "e164=33820620620", "OK"),
    ("blacklistage_IP", "ip=127.0.0.1", "OK"),
    ("planning_plage_add", "jour[]=lundi", "OK"),
    ("planning_plage_del", "jour[]=lundi", "OK"),
    ("planning_ajout_exception", "date=10&mois=3&annee=2008", "OK"),
    ("planning_ajout_exception", "date=10&mois=3&annee=2008", "OK"),
    ("planning_plage_details", "nom_plage=maplage", "exception;2008-03-10\n"),
    ("planning_plages_listing", "", "maplage\n"),
    ("popups_listing", "", None),
    ("popup_ajout", "nom_popup=mapopup", str(POP_UP + 1)),
    ("popup_maj", "nom_popup=nouveaunom&id_popup=1", "OK"),
    ("popup_destinations", "id_popup=1", None),
    ("popup_destination_ajout", DESTINATION, "OK"),
    ("popup_destination_supp", DESTINATION, "OK"),
    ("fichier_recuperer", "type=son_internaute", None),
    ("fichier_deposer", "type=son_repondeur", "OK"),
    ("fichier_supprimer", "type=son_repondeur", "OK"),
    ("appel", "e164=33170200258", str(TRACKED + 1)),
    ("appel", "id_contact=xx", "ERREUR: introuvable: id_contact: there is no callback xx"),
    ("appel_listing", "date_debut=2008-10-01&date_fin=2008-11-01", ""),
    ("appel_listing", "id_tracking=8", None),
    ("appels_resume", "date_debut=2008-10-01&date_fin=2008-11-01", ""),
    ("appels_resume", "id_tracking=8", None),
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account of its own server, which may call 08 numbers as the document's examples do."""
    with running_server(tmp_path_factory.mktemp("axialys")) as server:
        account = server.create_account("shop", credits=1000)
        opening = ["-m", "chappe", "account", "open-destination", "shop", "338", "--data", str(server.data)]
        assert run([sys.executable, *opening], Path.cwd()).code == 0
        yield account


def test_all_example_addresses_are_answered(shop: Account, tmp_path: Path) -> None:
    folder = seeds_folder()
    assert folder
    found = addresses(read_document(folder, AXIALYS))
    assert [
        (one.split("&")[0].removeprefix("methode="), part in one)
        for one, (_, part, _) in zip(found, EXPECTED, strict=True)
    ] == [(method, True) for method, _, _ in EXPECTED]
    sound = tmp_path / "accueil.wav"
    sound.write_bytes(wav.encode(tones.sine(440, 0.5)))
    ask = asking(shop)
    prepare(ask, sound)
    said: list[str] = []
    for address, (method, _, answer) in zip(found, EXPECTED, strict=True):
        if address == CUT_OFF:
            address += ITS_END
        if "e164=33170200258" in address:  # the example before has closed France to the pop-up
            again = next(one for one in found if "popup_destination_ajout" in one)
            assert ask(again) == "OK"
        said.append(ask(address, sound if method == "fichier_deposer" else None))
        assert answer is None or said[-1] == answer, (address, said[-1])
    by_example = dict(zip([(method, part) for method, part, _ in EXPECTED], said, strict=True))
    popups = by_example["popups_listing", ""].splitlines()
    assert len(popups) == POP_UP and all(line.count(";") == 24 for line in popups)
    assert "France mobile;" in by_example["popup_destinations", "id_popup=1"]
    assert by_example["fichier_recuperer", "type=son_internaute"].startswith("RIFF")
    in_full = by_example["appel_listing", "id_tracking=8"].split(";")
    assert (in_full[0], len(in_full)) == ("8", 15)
    in_short = by_example["appels_resume", "id_tracking=8"].split(";")
    assert (in_short[:2], len(in_short)) == (["8", "77"], 11)


Ask = Callable[..., str]


def asking(account: Account) -> Ask:
    """Asks an example address of an account, by curl, with a file where one is given."""
    email, password = account.axialys["email"], account.axialys["pass"]

    def ask(address: str, file: Path | None = None) -> str:
        assert "email=a@a.com&pass=a" in address
        query = address.replace("email=a@a.com&pass=a", f"email={email}&pass={password}")
        upload = ["--form", f"fichier=@{file}"] if file else []
        url = f"{account.server.url}/get/webappel/api.php?{query}"
        printed = run(["curl", "--silent", "--show-error", "--fail", "--globoff", *upload, url])
        assert (printed.code, printed.complaints) == (0, ""), printed
        return printed.out

    return ask


def prepare(ask: Ask, sound: Path) -> None:
    """77 pop-ups, a group that the last one calls, its sound, and eight requests of it."""
    who = "email=a@a.com&pass=a"
    for count in range(POP_UP):
        assert ask(f"methode=popup_ajout&{who}&nom_popup=p{count}") == str(count + 1)
    ask(f"methode=operateur_ajout&{who}&nom_liste_op=accueil&e164=33639980021")
    assert ask(f"methode=popup_maj&{who}&id_popup=77&ouvert_dest=accueil") == "OK"
    assert ask(f"methode=fichier_deposer&{who}&id_popup=77&type=son_internaute", sound) == "OK"
    for count in range(TRACKED):
        visitor = f"3363998003{count}"
        assert ask(f"methode=appel&{who}&id_popup=77&e164={visitor}&delais=900") == str(count + 1)
