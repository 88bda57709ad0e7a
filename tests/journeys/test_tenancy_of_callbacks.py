"""On Axialys' wire and on Keyyo's manager, too, another account's things do not exist."""

from urllib.parse import urlencode

from chappe.dialects.axialys.operations import AXIALYS
from chappe.dialects.keyyo.manager import OPERATIONS
from chappe.model.changes import Changes
from chappe.services import accounts, programs
from chappe.services.accounts import NewAccount
from tests.asgi import Reply, ask
from tests.platform import World

OPERATOR, VISITOR = "33639980031", "33639980032"
GROUP, HOURS, POPUP = {"nom_liste_op": "secret"}, {"nom_plage": "secret"}, {"id_popup": "1"}
SPAN = {"jour": "lundi", "h_debut": "9:00", "h_fin": "18:00"}
DAY = {"date": "2026-12-24"}
STYLE = {**POPUP, "type": "css_popup"}

MADE: tuple[tuple[str, dict[str, str]], ...] = (
    ("operateur_ajout", {**GROUP, "e164": OPERATOR}),
    ("planning_plage_add", {**HOURS, **SPAN}),
    ("planning_exception_add", {**HOURS, **DAY}),
    ("popup_ajout", {"nom_popup": "secret", "nom_plage": "secret", "ouvert_dest": "secret"}),
    ("fichier_deposer", STYLE),
    ("blacklistage_numero", {"e164": "33639980099"}),
    ("appel", {**POPUP, "e164": VISITOR, "nom": "secret", "delais": "1000"}),
)
SHOWN: tuple[tuple[str, dict[str, str]], ...] = (
    ("operateurs_liste_groupes", {}),
    ("operateurs_listing", GROUP),
    ("planning_plages_listing", {}),
    ("planning_plage_details", HOURS),
    ("popups_listing", {}),
    ("popup_destinations", POPUP),
    ("fichier_recuperer", STYLE),
    ("appel_listing", POPUP),
    ("appels_resume", POPUP),
)
TRIED: tuple[tuple[str, dict[str, str]], ...] = (
    ("appel_annuler", {**POPUP, "id_contact": "1"}),
    ("appel_annuler", {**POPUP, "id_tracking": "1"}),
    ("appel", {**POPUP, "e164": VISITOR}),
    ("fichier_supprimer", STYLE),
    ("fichier_deposer", STYLE),
    ("popup_destination_ajout", {**POPUP, "liste_destination[]": "BE_Fixe"}),
    ("popup_destination_supp", {**POPUP, "liste_destination[]": "FR_Mobile"}),
    ("popup_maj", {**POPUP, "nom_popup": "taken"}),
    ("popup_del", POPUP),
    ("planning_exception_del", {**HOURS, **DAY}),
    ("planning_plage_del", {**HOURS, **SPAN}),
    ("operateur_mode", {**GROUP, "ordonnancement": "RANDOM"}),
    ("operateur_supp", {**GROUP, "e164": OPERATOR}),
)
HARMLESS = {
    "blacklistage_ip": {"ip": "192.0.2.7"},
    "operateur_ajout": {**GROUP, "e164": VISITOR},
    "planning_plage_add": {**HOURS, **SPAN},
    "planning_exception_add": {**HOURS, **DAY},
    "popup_ajout": {"nom_popup": "own"},
    "blacklistage_numero": {"e164": VISITOR},
}
"""What makes something of one's own, under names that another has taken too."""


async def said(world: World, new: NewAccount, method: str, parameters: dict[str, str]) -> str:
    secret = new.secrets["axialys"]
    query = urlencode({"methode": method, "email": secret.login, "pass": secret.secret} | parameters)
    boundary, body = {}, b""
    if method == "fichier_deposer":
        boundary = {"content-type": "multipart/form-data; boundary=b"}
        head = 'Content-Disposition: form-data; name="x"; filename="secret.css"'
        body = f"--b\r\n{head}\r\n\r\nb {{ color: red }}\r\n--b--\r\n".encode()
    target = f"/get/webappel/api.php?{query}"
    reply = await ask(
        world.chappe.application, "POST" if body else "GET", target, headers=boundary, body=body
    )
    return reply.text


async def test_no_method_of_axialys_reaches_what_is_another_accounts(sandbox_world: World) -> None:
    world = sandbox_world
    mine, other = await world.account("mine"), await world.account("other")
    for method, parameters in MADE:
        assert not (await said(world, mine, method, parameters)).startswith("ERREUR"), method
    before = [await said(world, mine, *one) for one in SHOWN]
    for (method, parameters), shown in zip(SHOWN, before, strict=True):
        nothing = await said(world, other, method, parameters)
        assert nothing != shown and (nothing.startswith("ERREUR") or "secret" not in nothing), method
    for method, parameters in TRIED:
        text = await said(world, other, method, parameters)
        assert text.startswith("ERREUR"), (method, text)
    for method, parameters in HARMLESS.items():
        assert not (await said(world, other, method, parameters)).startswith("ERREUR"), method
    assert [await said(world, mine, *one) for one in SHOWN] == before
    tried = {method for method, _ in (*SHOWN, *TRIED)} | {*HARMLESS}
    assert {method.lower() for method in tried} == {verb.lower() for verb in AXIALYS.operations}


async def test_no_resource_of_the_manager_is_reached_by_another_account(sandbox_world: World) -> None:
    world = sandbox_world
    mine, other = await world.account("mine"), await world.account("other")

    async def request(new: NewAccount, verb: str, number: str) -> Reply:
        method, _, path = verb.partition(" ")
        for name, value in (
            ("csi", number),
            ("profile", "default"),
            ("plugin", "custom"),
            ("parameter", "url"),
        ):
            path = path.replace(f"{{{name}}}", value)
        path = path.replace("{message}", "1").replace("{number}", "33612345678")
        key, secret = accounts.new_key(
            world.platform, new.account.id, new.user.id, programs.DIALECT, "full_access"
        )
        await world.platform.store.commit(Changes(insert=[key]))
        headers = {"authorization": f"Bearer {secret}", "content-type": "application/x-www-form-urlencoded"}
        fields = {"number": "33612345678", "read": "1", "enabled": "1", "value": "https://evil.example"}
        body = urlencode(fields).encode() if method == "POST" else b""
        return await ask(world.chappe.application, method, f"/manager/1.0/{path}", headers=headers, body=body)

    number = mine.secrets["keyyo"].login
    before = (await request(mine, "GET services/{csi}", number)).text
    plugin = (await request(mine, "GET services/{csi}/cti_plugins/{plugin}", number)).text
    for verb in OPERATIONS:
        if "{csi}" in verb:
            theirs, nobodys = await request(other, verb, number), await request(other, verb, "33199000999")
            assert theirs.status == 404, (verb, theirs.text)
            assert theirs.text.replace(number, "?") == nobodys.text.replace("33199000999", "?"), verb
    assert (await request(other, "GET services", "")).text.count(number) == 0
    await request(mine, "POST blacklist", "")
    assert (await request(other, "DELETE blacklist/{number}", "")).status == 404
    assert "33612345678" in (await request(mine, "GET blacklist", "")).text
    assert (await request(mine, "GET services/{csi}", number)).text == before
    assert (await request(mine, "GET services/{csi}/cti_plugins/{plugin}", number)).text == plugin
