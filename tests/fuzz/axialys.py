"""Throws queries at every method of Axialys' wire.

python -m tests.fuzz.axialys [-runs=1000000] [-max_total_time=600]     # options of libFuzzer
"""

import sys

import atheris

with atheris.instrument_imports(include=["chappe.dialects.axialys", "chappe.dialects.reading"]):
    from chappe.dialects.axialys import wire
    from chappe.dialects.axialys.operations import AXIALYS
from chappe.model.errors import Refusal
from chappe.protocols.http import HttpRequest, Upload

METHODS = tuple(AXIALYS.operations)
_LOGIN = b"email=a@a.com&pass=a&"

SEEDS = (
    b"methode=planning_plage_add&nom_plage=maplage&jour[]=lundi&h_debut[0]=9:00&h_fin=12:00&date=10&mois=3&annee=2008",
    b"methode=appel&id_popup=77&e164=33170200258&delais=30&nbressais=1&rec=x&dureemaxi=600&nom=%E9&usr1=;&code_pays=CH",
    b"methode=popup_maj&id_popup=1&direction=INTERNAUTE&locale=fr&voix=f&immediat=1&op_presentation=0820620620&email=b@b",
    b"methode=popup_destination_ajout&amp;id_popup=77&liste_destination[]=FR_Fixe,be_mobile&id_destination=1004",
    b"methode=appel_listing&id_popup=77&date_debut=2008-10-01&date_fin=2008-11-01&id_tracking=8&id_contact=xx",
    b"methode=fichier_deposer&id_popup=77&type=son_repondeur&nom_liste_op=maliste&priorite=1&ordonnancement=FIXE",
)


def one_input(data: bytes) -> None:
    """One run: as the method that it names, and as the one that its last byte counts to."""
    _say(HttpRequest("GET", "", wire.PATHS[0], b"", _LOGIN + data, {}, b""))
    method = METHODS[data[-1] % len(METHODS)] if data else METHODS[0]
    query = b"methode=" + method.encode() + b"&" + _LOGIN + data
    _say(HttpRequest("POST", "", wire.PATHS[0], b"", query, {}, data[:9], uploads=_UPLOADS))


_UPLOADS = {"x": Upload("..\\a.wav", "", b"RIFF")}


def _say(request: HttpRequest) -> None:
    call = None
    try:
        call = AXIALYS.read(request)
        operation = AXIALYS.operations.get(call.verb)
        if operation is not None:
            operation.decode(call)
    except Refusal as refusal:
        said = wire.refuse(refusal, call)
        text = said.body.decode()
        assert said.status == 200 and text.startswith("ERREUR: ") and len(text.splitlines()) == 1


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
