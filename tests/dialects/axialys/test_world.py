"""Axialys' wire in a whole platform: what is kept of an exchange, and the readings that settings choose."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from chappe.services.accounts import NewAccount
from chappe.settings import AxialysSettings, Settings
from tests.asgi import Reply, ask
from tests.platform import World, a_world

CSS = b"h1 { color: red } /* \xe9t\xe9 */"


@dataclass(frozen=True)
class Program:
    """A program of that time, with an account's credentials."""

    world: World
    new: NewAccount

    async def ask(self, method: str, body: bytes = b"", **parameters: str) -> Reply:
        secret = self.new.secrets["axialys"]
        query = urlencode({"methode": method, "email": secret.login, "pass": secret.secret} | parameters)
        target = f"/get/webappel/api.php?{query}"
        headers = {"content-type": "multipart/form-data; boundary=b"} if body else {}
        app = self.world.chappe.application
        return await ask(app, "POST" if body else "GET", target, headers=headers, body=body)


def form(field: str, filename: str, content: bytes) -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n\r\n'
    return head.encode() + content + b"\r\n--b--\r\n"


async def test_what_is_kept_shows_neither_the_password_nor_a_file(sandbox_world: World) -> None:
    program = Program(sandbox_world, await sandbox_world.account())
    assert (await program.ask("popup_ajout", nom_popup="a")).text == "1"
    sent = await program.ask("fichier_deposer", form("x", "a.css", CSS), id_popup="1", type="css_popup")
    assert sent.text == "OK"
    got = await program.ask("fichier_recuperer", id_popup="1", type="css_popup")
    assert got.headers["content-type"].startswith("text/css") and got.headers["x-content-type-options"]
    await sandbox_world.account("another")  # the commit that carries what was noted before it
    kept = await sandbox_world.platform.store.queries.exchanges(program.new.account.id, None, 100)
    assert sorted(one.verb for one in kept) == ["fichier_deposer", "fichier_recuperer", "popup_ajout"]
    for exchange in kept:
        assert program.new.secrets["axialys"].secret not in exchange.request + exchange.answer
        assert "pass=***" in exchange.request
        assert "color" not in exchange.request


async def test_a_file_that_is_too_large_is_refused_in_words(sandbox_world: World) -> None:
    program = Program(sandbox_world, await sandbox_world.account())
    reply = await program.ask("fichier_deposer", form("x", "a.wav", bytes(6 * 1024 * 1024)))
    assert (reply.status, reply.text[:21]) == (200, "ERREUR: trop long: th")


async def listed(program: Program) -> list[str]:
    """What each method that lists is answered, of an account with one of everything."""
    await program.ask("operateur_ajout", nom_liste_op="a", e164="33612345678")
    await program.ask("planning_exception_add", nom_plage="p", date="2026-12-25")
    await program.ask("popup_ajout", nom_popup="n")
    await program.ask("appel", id_popup="1", e164="33612345679", delais="900")
    return [
        (await program.ask(method, id_popup="1", nom_liste_op="a", nom_plage="p")).text.partition("\n")[0]
        for method in (
            *("operateurs_liste_groupes", "operateurs_listing", "planning_plage_details"),
            *("planning_plages_listing", "popups_listing", "popup_destinations"),
            *("appel_listing", "appels_resume"),
        )
    ]


async def test_a_setting_puts_the_columns_before_all_lines(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(Settings(), axialys=AxialysSettings(header_row=True))
    async with a_world(str(tmp_path), settings) as world:
        firsts = await listed(Program(world, await world.account()))
    assert firsts[:4] == [
        "nom_liste_op;ordonnancement",
        "E164;duree_sonnerie_op;ordre;position",
        "type;jour;h_debut;h_fin",
        "nom_plage",
    ]
    assert [one.count(";") + 1 for one in firsts[4:]] == [25, 4, 15, 11]
    assert [one.partition(";")[0] for one in firsts[4:]] == [
        "id_popup",
        "id_destination",
        "id_tracking",
        "id_tracking",
    ]


async def test_without_it_there_are_lines_only(sandbox_world: World) -> None:
    firsts = await listed(Program(sandbox_world, await sandbox_world.account()))
    assert [one.partition(";")[0] for one in firsts] == [
        "a",
        "33612345678",
        "exception",
        "p",
        "1",
        "5",
        "1",
        "1",
    ]


async def test_a_setting_reads_popup_maj_as_it_is_printed(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(Settings(), axialys=AxialysSettings(popup_maj_lists=True))
    async with a_world(str(tmp_path), settings) as world:
        program = Program(world, await world.account())
        await program.ask("popup_ajout", nom_popup="n")
        changed = await program.ask("popup_maj", id_popup="1", nom_popup="m")
        assert changed.text == (await program.ask("popup_destinations", id_popup="1")).text
        assert "France mobile;" in changed.text
        assert (await program.ask("popups_listing")).text.startswith("1;m;")
        gone = await program.ask("popup_maj", id_popup="2", nom_popup="m")
        assert gone.text.startswith("ERREUR: introuvable: id_popup: ")


async def test_ids_count_for_each_account(sandbox_world: World) -> None:
    for name in ("one", "two"):
        program = Program(sandbox_world, await sandbox_world.account(name))
        said = [(await program.ask("popup_ajout", nom_popup=f"n{n}")).text for n in range(3)]
        assert said == ["1", "2", "3"]
        asked = {"id_popup": "2", "delais": "900"}
        tracked = [(await program.ask("appel", e164=f"3361234567{n}", **asked)).text for n in range(2)]
        assert tracked == ["1", "2"]
