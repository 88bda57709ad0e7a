"""curl and PHP with curl ask every method of Axialys' WebAppel, files by multipart form included."""

import re
from pathlib import Path

import pytest

from chappe.dialects.axialys.operations import AXIALYS
from chappe.media import tones, wav
from tests.clients.running import PHP, Account, Printed, eventually, run

VISITOR = "33639980024"
OPERATORS = ("33639980021", "33639980022")


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "accueil.wav"
    path.write_bytes(wav.encode(tones.sine(440, 0.5)))
    return path


def answers(printed: Printed) -> dict[str, list[str]]:
    """What each method was answered, in order."""
    assert (printed.code, printed.complaints) == (0, ""), printed
    found: dict[str, list[str]] = {}
    for line in printed.lines:
        method, _, answer = line.partition(" ")
        found.setdefault(method, []).append(answer)
    return found


def test_curl_asks_every_method_and_both_sides_speak(account: Account, sound: Path) -> None:
    for number in (*OPERATORS, VISITOR):
        behaviour = {"call": "answer", "hang_up_after_ms": 9000 if number == VISITOR else 60_000}
        account.ask("PUT", f"/v1/sandbox/handsets/{number}/behaviour", behaviour)
    email, password = account.axialys["email"], account.axialys["pass"]
    said = answers(run(["sh", "shell/axialys.sh", account.server.url, email, password, str(sound), VISITOR]))
    assert said.keys() == AXIALYS.operations.keys()
    done = {method for method, lines in said.items() if set(lines) == {"OK"}}
    assert done == {
        *("operateur_ajout", "operateur_supp", "operateur_mode", "blacklistage_numero", "blacklistage_IP"),
        *("planning_plage_add", "planning_plage_del", "planning_exception_add", "planning_exception_del"),
        *("popup_maj", "popup_destination_ajout", "popup_destination_supp", "popup_del"),
        *("fichier_deposer", "fichier_supprimer", "appel_annuler"),
    }
    assert said["operateurs_listing"] == ["33639980022;60;1;1|33639980021;30;2;2|"]
    assert "accueil;TOURNANTE|" in said["operateurs_liste_groupes"][0]
    assert said["planning_plage_details"] == ["regulier;mardi;09:00;18:00|exception;2031-03-10|"]
    assert "semaine|" in said["planning_plages_listing"][0]
    destinations = [line.split(";") for line in said["popup_destinations"][0].split("|") if line]
    allowed = {name: word for _, name, _, word in destinations}
    assert [allowed[f"{name} {kind}"] for name in ("Belgique", "France") for kind in ("fixe", "mobile")] == [
        *("INTERDIT", "AUTORISE"),
        *("AUTORISE", "AUTORISE"),
    ]
    popup, tracked = said["popup_ajout"][0], said["appel"][0]
    assert f"{popup};accueil;0;OPERATEUR;fr;m;OPERATEUR;;60;;60;;accueil;" in said["popups_listing"][0]
    assert said["fichier_recuperer"] == ["audio/wav"]
    assert re.search(r";900;.*;ANNULE\|$", said["appel_listing"][0])
    assert re.search(r";900;.*;ANNULE\|$", said["appels_resume"][0])

    def listed() -> str:
        address = (
            f"{account.server.url}/get/webappel/api.php?methode=appel_listing&email={email}&pass={password}"
        )
        line = run(["curl", "--silent", f"{address}&id_popup={popup}&id_tracking={tracked}"]).out
        return line if line.endswith(";ABOUTI\n") else ""

    fields = eventually(listed).rstrip("\n").split(";")
    assert (fields[0], fields[2], fields[4]) == (tracked, "0", "198.51.100.7")
    assert (fields[7], fields[9:13]) == ("FR_Mobile", ["Jade, Robert", "RXF46GSDG", "", ""])
    assert fields[13:] == ["API", "ABOUTI"]
    assert 8 <= int(fields[6]) <= 12
    for number in (*OPERATORS, VISITOR):
        account.ask("PUT", f"/v1/sandbox/handsets/{number}/behaviour", {})


def test_php_loops_over_every_method(account: Account, sound: Path) -> None:
    email, password = account.axialys["email"], account.axialys["pass"]
    said = answers(run([*PHP, "php/axialys.php", account.server.url, email, password, str(sound)]))
    assert said.keys() == AXIALYS.operations.keys()
    assert said["operateurs_listing"] == ["33639980031;20;1;10|"]
    assert said["planning_plage_details"] == [
        "regulier;lundi;09:00;19:00|regulier;samedi;10:00;12:30|exception;2031-12-25|"
    ]
    popup, tracked = said["popup_ajout"][0], said["appel"][0]
    assert (
        f"{popup};boutique;0;INTERNAUTE;fr;f;INTERNAUTE;;60;;60;Été , hiver;boutique;"
        in (said["popups_listing"][0])
    )
    assert "accueil.wav" in said["popups_listing"][0]
    assert said["fichier_deposer"] == ["OK"] and said["fichier_recuperer"][0].endswith(" bytes")
    assert said["appel_annuler"] == ["OK"]
    assert re.fullmatch(
        rf"{tracked};[-0-9 :]+;600;[-0-9 :]+;;0;0;FR_Mobile;0;Zoé;;été;;API;ANNULE\|",
        said["appel_listing"][0],
    )
    assert re.fullmatch(rf"{tracked};{popup};[-0-9 :]+;600;;0;Zoé;;été;;ANNULE\|", said["appels_resume"][0])
    assert said["popup_maj"][0] == "OK"
    assert said["popup_maj"][1].startswith("ERREUR: introuvable: id_popup: ")
