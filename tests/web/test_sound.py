"""The sound of telephones over WebSocket, to our pages and their account only; dialling in the console."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from chappe.media import pcm, tones
from chappe.model.commands import PlaceCall, SetBehaviour
from chappe.services import calls, directory, sandbox
from tests.platform import World
from tests.web.browser import Browser

A, B = "33639980001", "33639980002"


@dataclass
class Wire:
    """A browser's side of a WebSocket."""

    told: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    said: list[dict[str, Any]] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        self.say(type="websocket.connect")

    def say(self, **message: Any) -> None:
        self.told.put_nowait(message)

    @property
    def kinds(self) -> list[str]:
        return [message["type"].removeprefix("websocket.") for message in self.said]

    @property
    def frames(self) -> list[bytes]:
        return [message["bytes"] for message in self.said if message["type"] == "websocket.send"]

    async def run(self, application: Any, scope: dict[str, Any]) -> None:
        async def send(message: dict[str, Any]) -> None:
            self.said.append(message)
            if message["type"] == "websocket.close":
                self.say(type="websocket.disconnect", code=1000)

        await application(scope, self.told.get, send)


@dataclass
class Telephones:
    """A member with a call between two telephones that answer by themselves."""

    world: World
    member: Browser
    legs: dict[str, int]
    wires: list[Wire] = field(default_factory=list)

    def open(self, number: str, who: Browser | None = None, **headers: str) -> Wire:
        path = f"/telephones/{number}/calls/{self.legs[number]}/sound"
        scope = (who or self.member).scope("GET", path, {"origin": "http://console.test", **headers})
        del scope["method"]
        scope |= {"type": "websocket", "scheme": "ws", "subprotocols": []}
        wire = Wire()
        wire.task = asyncio.create_task(wire.run(self.world.chappe.application, scope))
        self.wires.append(wire)
        return wire

    async def ended(self, wire: Wire) -> list[str]:
        assert wire.task is not None
        await asyncio.wait_for(wire.task, 10)
        return wire.kinds


async def until(look: Any) -> None:
    for _ in range(100_000):
        if look():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came about")


@pytest_asyncio.fixture
async def member(sandbox_world: World) -> Browser:
    browser = Browser(sandbox_world.chappe.application)
    await browser.sign_up()
    return browser


@pytest_asyncio.fixture
async def telephones(sandbox_world: World, member: Browser) -> AsyncIterator[Telephones]:
    world, platform = sandbox_world, sandbox_world.platform
    account = await platform.store.queries.account_named("camille@example.com")
    (user, *_) = await platform.store.queries.users(account.id)
    caller = directory.caller_of(account, user, "console", "FR")
    for number in (A, B):
        await sandbox.set_behaviour(platform, caller, SetBehaviour(f"+{number}", {"call": "answer"}))
    await calls.place(platform, caller, PlaceCall(f"+{A}", f"+{B}"))
    await world.settle()
    legs = {leg.number: leg.id for leg in await platform.store.queries.open_legs(account.id, 10)}
    made = Telephones(world, member, legs)
    yield made
    for wire in made.wires:
        wire.say(type="websocket.disconnect", code=1001)
        await made.ended(wire)


async def test_what_a_page_says_into_one_telephone_comes_out_of_the_other(telephones: Telephones) -> None:
    first, second = telephones.open(A), telephones.open(B)
    await until(lambda: "accept" in first.kinds and "accept" in second.kinds)
    for frame in pcm.frames(tones.sine(1000, 0.4)):
        first.say(type="websocket.receive", bytes=frame)
        await until(first.told.empty)
        await telephones.world.wait(0.02)
    await until(lambda: len(second.frames) == 20)
    assert tones.strength(b"".join(second.frames[1:]), 1000) > 0.9
    assert pcm.rms(b"".join(first.frames)) == 0
    # The page goes, the other one stays until its call is over.
    first.say(type="websocket.disconnect", code=1001)
    assert (await telephones.ended(first))[-1] == "send"
    form = {"what": "hangup"}
    page = await telephones.member.post(f"/telephones/{A}/calls/{telephones.legs[A]}", form, at="/telephones")
    assert page.status == 200
    await telephones.world.settle()
    assert (await telephones.ended(second))[-1] == "close"
    assert second.said[-1]["reason"] == "the call is over"
    assert await telephones.ended(telephones.open(B)) == ["close"]


@pytest.mark.parametrize("origin", ["http://elsewhere.test", "http://console.test:81", "null", ""])
async def test_another_sites_page_gets_nothing(telephones: Telephones, origin: str) -> None:
    assert await telephones.ended(telephones.open(A, origin=origin)) == ["close"]


async def test_a_visitor_and_another_account_get_nothing(telephones: Telephones) -> None:
    visitor = Browser(telephones.world.chappe.application)
    assert await telephones.ended(telephones.open(A, visitor)) == ["close"]
    await visitor.sign_up("other@example.com")
    assert await telephones.ended(telephones.open(A, visitor)) == ["close"]


async def test_a_call_is_heard_at_its_own_telephone_only(telephones: Telephones) -> None:
    telephones.legs[A] = telephones.legs[B]
    assert await telephones.ended(telephones.open(A)) == ["close"]


@pytest.mark.parametrize("message", [{"bytes": b"x"}, {"bytes": bytes(640)}, {"text": "hello"}])
async def test_what_is_no_frame_ends_the_wire(telephones: Telephones, message: dict[str, Any]) -> None:
    wire = telephones.open(A)
    wire.say(type="websocket.receive", **message)
    assert (await telephones.ended(wire))[-1] == "close"
    assert wire.said[-1]["code"] == 1003


async def test_four_listen_at_one_telephone_and_not_a_fifth(telephones: Telephones) -> None:
    wires = [telephones.open(A) for _ in range(4)]
    await until(lambda: all("accept" in wire.kinds for wire in wires))
    assert await telephones.ended(telephones.open(A)) == ["close"]


async def test_a_session_that_ends_takes_the_sound_with_it(telephones: Telephones) -> None:
    wire = telephones.open(A)
    await until(lambda: "accept" in wire.kinds)
    await telephones.member.post("/logout", at="/telephones")
    for _ in range(1100):
        await telephones.world.wait(0.02)
        await asyncio.sleep(0)
    assert (await telephones.ended(wire))[-1] == "close"


async def test_only_pages_of_telephones_may_ask_for_a_microphone(member: Browser) -> None:
    for path, said in (("/telephones", "(self)"), (f"/telephones/{A}", "(self)"), ("/messages", "()")):
        assert f"microphone={said}" in (await member.get(path)).headers["permissions-policy"]


async def test_a_telephone_calls_a_line_and_what_nobody_has(sandbox_world: World, member: Browser) -> None:
    account = await sandbox_world.platform.store.queries.account_named("camille@example.com")
    (line, *_) = await sandbox_world.platform.store.queries.lines(account.id)
    await member.post("/telephones/open", {"number": f"+{A}"}, at="/telephones")
    page = await member.post(f"/telephones/{A}/calls", {"to": "0800000000"}, at="/telephones")
    assert page.status == 422
    (wrong,) = page.words(f"//article[@id='phone-{A}']//p[@role='alert']")
    assert "Nobody takes calls to this number" in wrong
    page = await member.post(f"/telephones/{A}/calls", {"to": f"+{line.number}"}, at="/telephones")
    assert page.status == 200
    await sandbox_world.settle()
    page = await member.get("/telephones")
    (calling,) = page.words("//section[contains(@class, 'call') and contains(@class, 'dialled')]")
    assert "Is calling" in calling and "Hang up" in calling and "Pick up" not in calling
    assert "Hears: it rings at the other side" in calling
    (rings,) = page.words(f"//article[@id='phone-{line.number}']//section[contains(@class, 'call ringing')]")
    assert "Pick up" in rings
    (action,) = page.find(f"//form[contains(@action, '/telephones/{line.number}/calls/')]/@action")
    await member.post(action, {"what": "answer"}, at="/telephones")
    await sandbox_world.settle()
    page = await member.get("/telephones")
    assert len(page.find("//section[contains(@class, 'call up')]")) == 2
