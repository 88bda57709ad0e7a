"""What a telephone gets at its one-time address, and how lines are shown for it."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from chappe.model.centrex import Codec, OfferProvisioning
from chappe.model.errors import Fault, Refusal
from chappe.protocols import provisioning as files
from chappe.protocols import qr
from chappe.services import provisioning
from chappe.services.ports import Platform
from chappe.web import words
from chappe.web.visits import Visit, for_members

_RTP_NAMES = {
    Codec.G711A: "PCMA",
    Codec.G711U: "PCMU",
    Codec.G722: "G722",
    Codec.G726_32: "G726-32",
    Codec.G729: "G729",
    Codec.OPUS: "opus",
}
PATH = "/provisioning/"


def routes(platform: Platform) -> list[BaseRoute]:
    async def fetch(request: Request) -> Response:
        return await _fetch(platform, request)

    return [
        Route(PATH + "{token}", fetch, methods=["GET"]),
        Route("/lines/{number}/provisioning", for_members(platform, offer), methods=["POST"]),
    ]


async def _fetch(platform: Platform, request: Request) -> Response:
    """The file, once; whoever only asks whether it is there (HEAD) does not use it up."""
    if request.method != "GET":
        return PlainTextResponse("use GET\n", 405)
    peer = request.client.host if request.client else ""
    try:
        told = await provisioning.take(platform, request.path_params["token"], peer)
    except Refusal as refusal:
        return PlainTextResponse(f"{refusal.detail}\n", 429 if refusal.fault is Fault.RATE_LIMITED else 404)
    rendered = files.FILES[told.kind](account_of(told))
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="{rendered.name}"'}
    return Response(rendered.content, media_type=rendered.media_type, headers=headers)


def account_of(told: provisioning.Provisioned) -> files.SipAccount:
    """A line as its telephone knows it."""
    line, extension = told.line, told.line.extension
    host, _, port = told.server.rpartition(":") if ":" in told.server else (told.server, "", "5060")
    return files.SipAccount(
        user=line.sip_user,
        password=told.password,
        realm=told.realm,
        host=host,
        port=int(port),
        display_name=extension.user_name or line.short_number or line.number,
        transport=extension.transport.lower(),
        codec=_RTP_NAMES.get(Codec(extension.codec), "PCMA"),
        forced=extension.codec_forced,
        dial_plan=extension.dial_plan,
        directory=(extension.ldap_host, extension.ldap_user, told.ldap_password, extension.ldap_domain),
    )


async def offer(platform: Platform, visit: Visit) -> Response:
    """A page with an address and its QR code, shown now and never again."""
    number = visit.request.path_params["number"]
    try:
        offered = await provisioning.offer(
            platform, visit.caller, OfferProvisioning(number, visit.field("kind") or "linphone")
        )
    except Refusal:
        return visit.go(f"/lines#line-{number}", "not-provisioned")
    url = f"{visit.base_url}{PATH}{offered.token}"
    return visit.page(
        "provisioning.html",
        here="lines",
        number=number,
        kind=offered.kind,
        url=url,
        code=qr.svg(url),
        minutes=int(provisioning.LIFE.total_seconds()) // 60,
        title=visit.say(words.N_("Set up a telephone")),
    )
