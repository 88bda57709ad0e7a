"""The page of telephone lines: where their calls go and are told, and what registers as them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.commands import AddLine, ChangeLine, FindLine, ListLines, RenewTelephone, SetProfile
from chappe.model.directory import ANSWERPHONE, Forwarding
from chappe.model.errors import Fault, Refusal
from chappe.services import lines
from chappe.services.accounts import Secret
from chappe.services.ports import Platform
from chappe.web import words
from chappe.web.accounts import shown_once
from chappe.web.visits import Visit, for_members

WHYS = ("always", "busy", "unreachable", "no_answer")


def routes(platform: Platform) -> list[BaseRoute]:
    def post(path: str, act: Callable[[Platform, Visit], Awaitable[Response]]) -> Route:
        return Route(path, for_members(platform, act), methods=["POST"])

    return [
        Route("/lines", for_members(platform, lines_page), methods=["GET"]),
        post("/lines", add_line),
        post("/lines/{number}", change_line),
        post("/lines/{number}/profile", set_profile),
        post("/lines/{number}/telephone", renew_telephone),
    ]


async def lines_page(platform: Platform, visit: Visit) -> Response:
    return await _page(platform, visit)


async def _page(platform: Platform, visit: Visit, refusal: Refusal | None = None, open: str = "") -> Response:
    """The page; after a refusal with the form `open` as it was sent, and what is the matter."""

    def drafted(number: str, name: str, stored: str) -> str:
        return visit.field(name) if open == number else stored

    # The service names a field of one profile as `profiles.NAME.field`.
    field = (refusal.field or "") if refusal else ""
    names = {field: "url" if field == "notification_url" else field.rpartition(".")[2]}
    return visit.page(
        "lines.html",
        422 if refusal else 200,
        here="lines",
        lines=await lines.list_lines(platform, visit.caller, ListLines()),
        now=platform.clock.now(),
        whys=WHYS,
        answerphone=ANSWERPHONE,
        open=open,
        drafted=drafted,
        trouble=visit.trouble(refusal, names) if refusal else None,
    )


async def add_line(platform: Platform, visit: Visit) -> Response:
    """One more line; the password of its programs is shown now and never again."""
    try:
        new = await lines.add_line(platform, visit.caller, AddLine())
    except Refusal as refusal:
        return await _page(platform, visit, refusal)
    return shown_once(
        visit,
        title=visit.say(words.N_("A new line")),
        lead=visit.say(
            words.N_("Programs act for it with this password. Its telephone gets one of its own.")
        ),
        secrets=[("keyyo", Secret(new.line.number, new.password))],
        line="",
        onward=f"/lines#line-{new.line.number}",
        onward_label=visit.say(words.N_("Back to the lines")),
        here="lines",
    )


async def change_line(platform: Platform, visit: Visit) -> Response:
    number = visit.request.path_params["number"]
    line = await lines.find_line(platform, visit.caller, FindLine(number))
    seconds = visit.field("no_answer_after").strip()
    try:
        if seconds and not (seconds.isascii() and seconds.isdigit() and len(seconds) < 4):
            raise Refusal(Fault.INVALID_PARAMETER, "seconds are digits", "no_answer_after")
        always, busy, unreachable, no_answer = (_target(visit, why) for why in WHYS)
        after = int(seconds) if seconds else line.forwarding.no_answer_after
        known = {name: Forwarding(**profile) for name, profile in line.profiles.items()}  # type: ignore[arg-type]
        forwarding = replace(
            line.forwarding,
            always=always,
            busy=busy,
            unreachable=unreachable,
            no_answer=no_answer,
            no_answer_after=after,
        )
        command = ChangeLine(
            number,
            visit.field("url"),
            visit.field("allowed_sources"),
            profiles=known | {line.profile: forwarding},
            greeting=visit.field("greeting"),
        )
        await lines.change_line(platform, visit.caller, command)
    except Refusal as refusal:
        return await _page(platform, visit, refusal, number)
    return visit.go(f"/lines#line-{number}", "saved")


async def set_profile(platform: Platform, visit: Visit) -> Response:
    number = visit.request.path_params["number"]
    await lines.set_profile(platform, visit.caller, SetProfile(number, visit.field("profile")))
    return visit.go(f"/lines#line-{number}", "saved")


async def renew_telephone(platform: Platform, visit: Visit) -> Response:
    """A password for a line's telephone, shown now and never again."""
    number = visit.request.path_params["number"]
    new = await lines.renew_telephone(platform, visit.caller, RenewTelephone(number))
    return shown_once(
        visit,
        title=visit.say(words.N_("A password for the telephone")),
        lead=visit.say(
            words.N_("A SIP telephone registers with it. One that used an earlier password must be told.")
        ),
        secrets=[("sip", Secret(new.user, new.password))],
        line="",
        onward=f"/lines#line-{number}",
        onward_label=visit.say(words.N_("Back to the lines")),
        here="lines",
    )


def _target(visit: Visit, why: str) -> str:
    """Where calls are forwarded to, as somebody writes it: a number, or the reader's word for answerphone."""
    written = visit.field(why).strip()
    known = (ANSWERPHONE, visit.say(words.ANSWERPHONE).casefold())
    return ANSWERPHONE if written.casefold() in known else written
