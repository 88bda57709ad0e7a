"""A callback over a carrier with real telephones: one operator declines, the next speaks to the visitor."""

import asyncio

import pytest

from chappe.model.callbacks import (
    CallbackState,
    CreateForm,
    FindCallback,
    FirstRung,
    RemoveForm,
    RequestCallback,
)
from chappe.model.calls import CallOutcome, HangUpCause
from chappe.model.ringgroups import NewOperator, PutRingGroup
from chappe.services import callbackforms, callbacks, ringgroups
from tests.carriers.voice.house import PROMPT, TONES, House
from tests.peers.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("first_rung", FirstRung)
async def test_a_visitor_is_called_back(house: House, first_rung: FirstRung) -> None:
    platform, who = house.world.platform, house.who
    anne, bob, jade, *_ = house.telephones
    named = [NewOperator(anne.number, 30), NewOperator(bob.number, 30)]
    await ringgroups.put(platform, who, PutRingGroup("sales", operators=named))
    settings = {"open_group": "sales", "first_rung": first_rung}
    form = await callbackforms.create(platform, who, CreateForm("Shop", settings))
    asked = await callbacks.request(platform, who, RequestCallback(form.ref, jade.number, name="Jade"))
    await house.world.chappe.settle()
    if first_rung is FirstRung.VISITOR:
        await jade.rings()
        await jade.answer()
        await jade.hears(PROMPT)
    await anne.rings()
    await anne.turn_away()
    assert (await bob.rings()).lstrip("+") == jade.number  # who calls is shown
    await bob.answer()
    await bob.hears(PROMPT)
    if first_rung is FirstRung.OPERATOR:
        await jade.rings()
        await jade.answer()
        await jade.hears(PROMPT)
    await asyncio.gather(bob.hears(TONES[2]), jade.hears(TONES[1]))
    live = await house.live()
    await jade.hang_up()
    await bob.stops()
    over = await house.over(live, CallOutcome.ANSWERED)
    causes = {leg.number: leg.cause for leg in over.legs}
    assert causes[bob.number] is HangUpCause.NORMAL
    assert causes[anne.number] is not HangUpCause.NORMAL

    async def state() -> bool:
        found = await callbacks.find(platform, who, FindCallback(asked.request.ref))
        return found.request.state is CallbackState.DONE and found.request.operator == bob.number

    await eventually(state)
    await callbackforms.remove(platform, who, RemoveForm(form.ref))
