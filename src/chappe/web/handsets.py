"""The sandbox in the browser: a shelf of telephones, and the wire that keeps pages up to date."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from chappe.model.commands import (
    Caller,
    CleanNumber,
    DialFromHandset,
    ListHandsets,
    ListNumbers,
    ReadHandset,
    SendFromHandset,
    SetBehaviour,
    UseTelephone,
)
from chappe.model.directory import Handset, HandsetItem
from chappe.model.errors import Fault, Refusal
from chappe.services import directory, inbox, network, sandbox, telephones
from chappe.services.ports import Platform
from chappe.services.telephones import TelephoneCall
from chappe.web import curl, sessions, words
from chappe.web.accounts import SAMPLE_NUMBER
from chappe.web.visits import Visit, for_members

ON_THE_SHELF = 12
ON_A_SCREEN = 40
ON_ONE_SCREEN = 200
GLANCE_SECONDS = 1.0
"""How often a wire looks whether the server is closing (`app.state.closing`)."""
STILL_HERE_SECONDS = 20.0
"""After how much silence a wire shows that it is alive, and looks whether its session still holds."""
CALM_SECONDS = 0.15
"""The shortest time between two wake-ups of one page."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """What somebody wrote on a telephone that could not be sent, and why."""

    to: str
    text: str
    wrong: str


@dataclass(frozen=True, slots=True)
class OnShelf:
    """One telephone with its screen."""

    phone: Handset
    items: tuple[HandsetItem, ...]
    draft: Unsent | None = None
    calls: tuple[TelephoneCall, ...] = ()


def routes(platform: Platform) -> list[BaseRoute]:
    return [
        Route("/telephones", for_members(platform, shelf)),
        Route("/telephones/open", for_members(platform, open_telephone), methods=["POST"]),
        Route("/telephones/{number}", for_members(platform, telephone)),
        Route("/telephones/{number}/send", for_members(platform, send), methods=["POST"]),
        Route("/telephones/{number}/behaviour", for_members(platform, behave), methods=["POST"]),
        Route("/telephones/{number}/calls", for_members(platform, dial), methods=["POST"]),
        Route("/telephones/{number}/calls/{leg:int}", for_members(platform, use), methods=["POST"]),
        Route("/live", for_members(platform, live)),
    ]


async def shelf(platform: Platform, visit: Visit) -> Response:
    return await _shelf(platform, visit)


async def _shelf(
    platform: Platform, visit: Visit, number: str = "", draft: Unsent | None = None, **values: object
) -> Response:
    caller = visit.caller
    known = await sandbox.list_handsets(platform, caller, ListHandsets())
    shown = known if visit.request.query_params.get("all") else known[:ON_THE_SHELF]
    calls = await telephones.list_open_calls(platform, caller)
    phones = [
        OnShelf(
            phone,
            await _screen(platform, caller, phone),
            draft if phone.number == number else None,
            tuple(call for call in calls if call.leg.number == phone.number),
        )
        for phone in shown
    ]
    own, codes = await inbox.list_numbers(platform, caller, ListNumbers())
    text = visit.say(words.N_("Hello from an old program"))
    return _with_microphone(
        visit.page(
            "telephones.html",
            422 if draft or values.get("trouble") else 200,
            here="telephones",
            phones=phones,
            more=len(known) - len(shown),
            codes=codes,
            numbers=own,
            curl=curl.rest(curl.Sample(visit.base_url, SAMPLE_NUMBER, text)),
            **values,
        )
    )


def _with_microphone(response: Response) -> Response:
    """A page on which telephones may be spoken into; no other page may ask for a microphone."""
    response.headers["Permissions-Policy"] = "camera=(), microphone=(self), geolocation=()"
    return response


async def _screen(platform: Platform, caller: Caller, phone: Handset) -> tuple[HandsetItem, ...]:
    _, items = await sandbox.read_handset(platform, caller, ReadHandset(f"+{phone.number}", ON_A_SCREEN))
    return items


async def telephone(platform: Platform, visit: Visit) -> Response:
    return await _telephone(platform, visit)


async def _telephone(platform: Platform, visit: Visit, draft: Unsent | None = None) -> Response:
    number = await _number(platform, visit)
    asked = ReadHandset(f"+{number}", ON_ONE_SCREEN)
    phone, items = await sandbox.read_handset(platform, visit.caller, asked)
    own, codes = await inbox.list_numbers(platform, visit.caller, ListNumbers())
    calls = await telephones.list_open_calls(platform, visit.caller)
    text = visit.say(words.N_("Hello from an old program"))
    return _with_microphone(
        visit.page(
            "telephone.html",
            422 if draft else 200,
            here="telephones",
            phone=phone,
            items=items,
            draft=draft,
            calls=[call for call in calls if call.leg.number == number],
            codes=codes,
            numbers=own,
            curl=curl.rest(curl.Sample(visit.base_url, number, text)),
        )
    )


async def _number(platform: Platform, visit: Visit, written: str = "") -> str:
    """The number in the address (E.164), or one as people write it."""
    asked = written or f"+{visit.request.path_params['number']}"
    return await directory.clean_number(platform, visit.caller, CleanNumber(asked, visit.caller.region))


async def open_telephone(platform: Platform, visit: Visit) -> Response:
    try:
        number = await _number(platform, visit, visit.field("number") or "-")
    except Refusal as refusal:
        return await _shelf(platform, visit, typed=visit.field("number"), trouble=visit.trouble(refusal))
    await sandbox.touch(platform, visit.caller.account_id, number)
    return visit.go(f"/telephones#phone-{number}")


async def send(platform: Platform, visit: Visit) -> Response:
    number = await _number(platform, visit)
    to, text = visit.field("to"), visit.form.get("text", ("",))[0]
    try:
        await sandbox.send_from_handset(platform, visit.caller, SendFromHandset(f"+{number}", to, text))
    except Refusal as refusal:
        draft = Unsent(to, text, visit.trouble(refusal).text)
        if visit.field("alone"):
            return await _telephone(platform, visit, draft)
        return await _shelf(platform, visit, number, draft)
    return _back(visit, number)


async def dial(platform: Platform, visit: Visit) -> Response:
    """Call a number from a telephone."""
    number, to = await _number(platform, visit), visit.field("to")
    try:
        await telephones.dial(platform, visit.caller, DialFromHandset(f"+{number}", to))
    except Refusal as refusal:
        draft = Unsent(to, visit.form.get("text", ("",))[0], visit.trouble(refusal).text)
        if visit.field("alone"):
            return await _telephone(platform, visit, draft)
        return await _shelf(platform, visit, number, draft)
    return _back(visit, number)


async def behave(platform: Platform, visit: Visit) -> Response:
    number = await _number(platform, visit)
    after = visit.field("receipt_after_ms", "0") or "0"
    behaviour: dict[str, object] = {
        "receipt": visit.field("receipt", "delivered"),
        "receipt_after_ms": int(after) if after.isascii() and after.isdigit() else after,
        "duplicate_receipts": 1 if visit.field("duplicate_receipts") else 0,
        "receipt_before_answer": bool(visit.field("receipt_before_answer")),
    }
    if visit.field("refuse"):
        behaviour["refuse"] = visit.field("refuse")
    if visit.field("call"):
        behaviour["call"] = visit.field("call")
    answer = visit.field("answer_after_ms", "0") or "0"
    behaviour["answer_after_ms"] = int(answer) if answer.isascii() and answer.isdigit() else answer
    for name in ("keys", "say", "greeting"):
        behaviour[name] = visit.field(name)
    behaviour["language"] = visit.reader.language
    await sandbox.set_behaviour(platform, visit.caller, SetBehaviour(f"+{number}", behaviour))
    return _back(visit, number)


async def use(platform: Platform, visit: Visit) -> Response:
    """Answer, reject or end a call at a telephone, or press a key."""
    number = await _number(platform, visit)
    keys = visit.field("keys")
    command = UseTelephone(
        f"+{number}", visit.request.path_params["leg"], "keys" if keys else visit.field("what"), keys
    )
    try:
        await telephones.use_telephone(platform, visit.caller, command)
    except Refusal as refusal:
        if refusal.fault is not Fault.TOO_LATE:
            raise
        # It was over a moment before: the page that comes shows so.
    return _back(visit, number)


def _back(visit: Visit, number: str) -> Response:
    return visit.go(f"/telephones/{number}" if visit.field("alone") else f"/telephones#phone-{number}")


async def live(platform: Platform, visit: Visit) -> Response:
    """Server-sent events: `changed` whenever something of the account did, or with `of=network` something of
    the network; the page then asks anew."""
    topic = f"account.{visit.caller.account_id}"
    if visit.request.query_params.get("of") == "network":
        await network.check_operator(platform, visit.caller)
        topic = network.SEEN

    application = visit.request.app.state

    async def events() -> AsyncIterator[str]:
        with platform.topics.subscribe(topic) as bell:
            yield "retry: 2000\n\n"
            quiet_seconds = 0.0
            while not application.closing:
                if await bell.wait(GLANCE_SECONDS):
                    yield "event: changed\ndata: 1\n\n"
                    await asyncio.sleep(CALM_SECONDS)
                    quiet_seconds = 0
                elif (quiet_seconds := quiet_seconds + GLANCE_SECONDS) >= STILL_HERE_SECONDS:
                    if not await _still_in(platform, visit):
                        return
                    yield ": still here\n\n"
                    quiet_seconds = 0

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


async def _still_in(platform: Platform, visit: Visit) -> bool:
    """Whether the session still holds: a wire outlives neither logout nor a changed password."""
    cookie = visit.request.cookies.get(sessions.SESSION, "")
    session = sessions.unseal(platform.door.secret, cookie, platform.clock.now())
    return session is not None and (
        await directory.resume(platform, session.account_id, session.user_id, session.epoch) is not None
    )
