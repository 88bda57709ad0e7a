"""The callback widget as browsers ask for it: script, form, request, what becomes of it, who may do what."""

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from chappe.model.callbacks import CallbackForm, CallbackRequest, CreateForm, ListCallbacks
from chappe.model.ringgroups import NewOperator, PutRingGroup
from chappe.services import callbackforms, callbacks, ringgroups
from chappe.services.popups import REQUESTS_A_MINUTE
from tests.platform import World, caller
from tests.web.browser import Browser, Page

OPERATOR, VISITOR = "33639980051", "06 39 98 00 52"
LARGEST = 15_000
"""Bytes of everything that the widget fetches, compressed (issue 5)."""


@dataclass
class Shop:
    """An account with a form, and a visitor without cookies."""

    world: World
    form: CallbackForm
    account: object
    visitor: Browser

    @property
    def path(self) -> str:
        return f"/popup/{self.form.ref}"

    async def ask(self, fields: Mapping[str, str], part: str = "1", proof: str | None = None) -> Page:
        """Fill in the form and send it, as the script or (part empty) a page without scripts does."""
        if proof is None:
            proof = await self.proof()
        query = f"?part={part}" if part else ""
        return await self.visitor.ask("POST", f"{self.path}{query}", {"proof": proof, **fields})

    async def proof(self) -> str:
        page = await self.visitor.get(f"{self.path}?part=1")
        return str(page.find("//input[@name='proof']/@value")[0])

    async def requests(self) -> tuple[CallbackRequest, ...]:
        page = await callbacks.list_callbacks(self.world.platform, self.account, ListCallbacks())  # type: ignore[arg-type]
        return tuple(one.request for one in page.items)


async def a_shop(world: World, **settings: object) -> Shop:
    new = await world.account()
    who = caller(new)
    group = PutRingGroup("sales", operators=[NewOperator(f"+{OPERATOR}")])
    await ringgroups.put(world.platform, who, group)
    given = {"open_group": "sales", "labels": ("Commande", "", ""), **settings}
    form = await callbackforms.create(world.platform, who, CreateForm("Ventes", given))
    return Shop(world, form, who, Browser(world.chappe.application, language="fr", peer="192.0.2.7"))


@pytest.fixture
async def shop(sandbox_world: World) -> Shop:
    return await a_shop(sandbox_world)


def said(page: Page) -> str:
    (text,) = page.words("//p[@data-said]")
    return text


async def test_the_script_and_the_form_are_small(shop: Shop) -> None:
    script = await shop.visitor.get(f"{shop.path}.js")
    assert script.headers["content-type"].startswith("text/javascript")
    form = await shop.visitor.get(f"{shop.path}?part=1")
    size = sum(len(gzip.compress(page.body)) for page in (script, form))
    print(f"widget: {size} bytes compressed in all ({len(gzip.compress(script.body))} of them its script)")
    assert 2_000 < size <= LARGEST


async def test_it_sets_no_cookie_and_calls_nobody_else(shop: Shop) -> None:
    for path in (f"{shop.path}.js", shop.path, f"{shop.path}?part=1"):
        page = await shop.visitor.get(path)
        assert "set-cookie" not in page.headers, path
        addresses = set(re.findall(r"https?://[^/\"'`\s]+", page.text))
        assert addresses <= {"http://console.test"}, path
    await shop.ask({"number": VISITOR})
    assert shop.visitor.cookies == {}


async def test_other_pages_may_embed_it_and_no_console_page(shop: Shop) -> None:
    page = await shop.visitor.get(shop.path)
    assert "frame-ancestors *" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    assert "access-control-allow-origin" not in page.headers
    part = await shop.visitor.get(f"{shop.path}?part=1", origin="https://shop.example")
    assert part.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in part.headers
    console = await shop.visitor.get("/login")
    assert console.headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in console.headers


async def test_what_is_no_form_is_not_there(shop: Shop) -> None:
    for path in ("/popup/nothing", f"/popup/{'0' * 26}", f"/popup/{shop.form.number}", "/popup/nothing.js"):
        page = await shop.visitor.get(path)
        assert page.status == 404, path
    assert "Ce formulaire n’existe pas." in (await shop.visitor.get("/popup/nothing")).text
    await callbackforms.remove(
        shop.world.platform,
        shop.account,  # type: ignore[arg-type]
        callbackforms.RemoveForm(shop.form.ref),
    )
    assert (await shop.visitor.get(shop.path)).status == 404


async def test_a_visitor_without_scripts_asks_and_follows(shop: Shop) -> None:
    page = await shop.visitor.get(shop.path)
    assert page.words("//h1") == ["Ventes"]
    assert page.words("//label")[:3] == ["Votre numéro de téléphone", "Votre nom", "Commande"]
    sent = await shop.ask({"number": VISITOR, "name": "Léa", "label1": "4817"}, part="")
    assert sent.status == 303
    page = await shop.visitor.get(sent.headers["location"])
    assert said(page) in ("Nous allons vous appeler.", "Nous appelons un conseiller.")
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page.text
    (request,) = await shop.requests()
    assert (request.visitor, request.name, request.labels) == ("33639980052", "Léa", ("4817", "", ""))
    assert (request.address, request.source) == ("192.0.2.7", "widget")


async def test_a_script_is_told_each_step_and_nothing_of_operators(shop: Shop) -> None:
    page = await shop.ask({"number": "+33 639 980 052"})
    (where,) = page.find("//div[@data-again]/@data-from")
    path = where.removeprefix("http://console.test")
    assert path.startswith(f"{shop.path}/")
    await shop.world.settle()
    page = await shop.visitor.get(f"{path}?part=1")
    assert said(page) == "Nous appelons un conseiller."
    assert OPERATOR not in page.text and OPERATOR[2:] not in page.text
    for guess in (path[:-1], f"{path}x", f"{shop.path}/{(await shop.requests())[0].ref}"):
        assert (await shop.visitor.get(f"{guess}?part=1")).status == 404


@pytest.mark.parametrize(
    ("fields", "at", "told"),
    [
        ({"number": ""}, "number", "Écrivez le numéro où nous vous appellerons."),
        ({"number": "12"}, "number", "Nous ne pouvons pas appeler ce numéro."),
        ({"number": "0899 70 00 00"}, "number", "Nous n’appelons pas les numéros de cette sorte."),
        ({"number": VISITOR, "label1": "x" * 33}, "label1", "Écrivez au plus 32 caractères."),
        ({"number": VISITOR, "when": "2036-01-01T00:00:00Z"}, "when", "Choisissez l’une de ces heures."),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(
    shop: Shop, fields: dict[str, str], at: str, told: str
) -> None:
    page = await shop.ask({"name": "Léa", **fields}, part="")
    assert page.status == 422
    (wrong,) = page.words(f"//*[@id='chappe-{at}-said']")
    assert wrong.startswith(told)
    assert page.find(f"//*[@id='chappe-{at}']/@aria-invalid") == ["true"]
    assert page.find("//input[@name='name']/@value") == ["Léa"]  # nothing typed is lost
    assert await shop.requests() == ()


async def test_a_later_time_is_chosen(shop: Shop) -> None:
    page = await shop.visitor.get(f"{shop.path}?part=1")
    assert page.words("//select/option")[0] == "Maintenant"
    (day, *_), (value, *_) = page.find("//optgroup/@label"), page.find("//optgroup/option/@value")
    assert (day, value) == ("lundi 2 mars", "2026-03-02T09:30:00+00:00")
    page = await shop.ask({"number": VISITOR, "when": value})
    assert said(page) == "Nous vous appellerons lundi 2 mars à 10:30."
    (where,) = page.find("//div[@data-again]/@data-from")
    path = where.removeprefix("http://console.test")
    other = Browser(shop.world.chappe.application, language="fr", peer="192.0.2.8")
    page = await other.ask("POST", f"{path}/cancel?part=1")
    assert said(page) == "Nous vous appellerons lundi 2 mars à 10:30."
    page = await shop.visitor.ask("POST", f"{path}/cancel?part=1")
    assert said(page) == "Nous ne vous appellerons pas."
    assert (await shop.requests())[0].state == "cancelled"


async def test_a_form_is_good_for_one_request_from_one_address_for_some_time(shop: Shop) -> None:
    proof = await shop.proof()
    first = await shop.ask({"number": VISITOR}, proof=proof)
    again = await shop.ask({"number": VISITOR}, proof=proof)
    assert first.find("//div/@data-from") == again.find("//div/@data-from")
    await shop.ask({"number": "06 39 98 00 53"}, proof=proof)
    assert len(await shop.requests()) == 1
    stranger = Browser(shop.world.chappe.application, language="fr", peer="192.0.2.8")
    page = await stranger.ask("POST", f"{shop.path}?part=1", {"proof": await shop.proof(), "number": VISITOR})
    told = "Ce formulaire était ouvert depuis trop longtemps. Envoyez-le encore une fois."
    assert said(page) == told
    old = await shop.proof()
    shop.world.clock.move(hours=3)
    assert said(await shop.ask({"number": VISITOR}, proof=old)) == told
    for made in ("", "x", "zz.y.z", "\ud800"):
        assert (
            said(await shop.ask({"number": VISITOR}, proof=made.encode("utf-8", "replace").decode())) == told
        )
    assert len(await shop.requests()) == 1


async def test_who_gives_a_strangers_number_does_not_learn_of_his_call(shop: Shop) -> None:
    browser = Browser(shop.world.chappe.application, language="fr", peer="198.51.100.9")
    stranger = Shop(shop.world, shop.form, shop.account, browser)
    first, second = [await one.ask({"number": VISITOR}) for one in (shop, stranger)]
    assert len(await shop.requests()) == 1
    paths = [page.find("//div/@data-from")[0].removeprefix("http://console.test") for page in (first, second)]
    assert paths[0] != paths[1]
    await shop.world.settle()
    assert said(await shop.visitor.get(f"{paths[0]}?part=1")) == "Nous appelons un conseiller."
    assert said(await browser.get(f"{paths[1]}?part=1")) == "Nous allons vous appeler."
    await browser.ask("POST", f"{paths[1]}/cancel?part=1")
    assert (await shop.requests())[0].state == "calling"
    assert said(await shop.ask({"number": VISITOR})) == "Nous appelons un conseiller."


async def test_one_address_cannot_ring_strangers(shop: Shop) -> None:
    """Whatever it says of its address: no proxy is trusted here."""
    path = f"{shop.path}?part=1"
    for place in range(REQUESTS_A_MINUTE + 10):
        forged = f"198.51.100.{place}"
        fields = {"proof": await shop.proof(), "number": f"063998{place:04}", "client_ip": forged}
        page = await shop.visitor.ask("POST", path, fields, {"x-forwarded-for": forged})
    assert page.status == 429
    assert len(await shop.requests()) == shop.form.per_address
    neighbour = Browser(shop.world.chappe.application, language="fr", peer="192.0.2.70")
    proof = (await neighbour.get(path)).find("//input[@name='proof']/@value")[0]
    page = await neighbour.ask("POST", path, {"proof": proof, "number": VISITOR})
    assert said(page) == "Nous allons vous appeler."
    assert len(await shop.requests()) == shop.form.per_address + 1


async def test_a_closed_form_says_so_and_asks_nothing(sandbox_world: World) -> None:
    shop = await a_shop(sandbox_world, open_group="", closed_message="Nous ouvrons lundi.")
    page = await shop.visitor.get(shop.path)
    assert page.find("//form") == []


async def test_its_language_may_be_chosen(shop: Shop) -> None:
    page = await shop.visitor.get(f"{shop.path}?language=en")
    assert page.words("//label")[0] == "Your telephone number"
    script = (await shop.visitor.get(f"{shop.path}.js?language=en")).text
    assert json.dumps("Call me back") in script
    sent = await shop.visitor.ask(
        "POST", f"{shop.path}?language=en", {"proof": await shop.proof(), "number": VISITOR}
    )
    assert sent.headers["location"].endswith("?language=en")
