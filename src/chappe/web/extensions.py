"""The page of one line as a telephone of its company (Centrex): all that is set of it but its forwarding."""

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.centrex import NAMES, ChangeExtension, Codec, Extension, FindExtension, Transport
from chappe.model.directory import Line
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import CREDIT
from chappe.services import accounts, centrex
from chappe.services.ports import Platform
from chappe.web.reading import whole
from chappe.web.visits import Visit, for_members

PATH = "/lines/{number}/extension"
_TICKS = tuple(name for name, kind in NAMES.items() if kind is bool)
_TEXTS = tuple(name for name, kind in NAMES.items() if kind is str)
_COUNTS = ("calls_at_once", "telephone_port")


def routes(platform: Platform) -> list[BaseRoute]:
    return [
        Route(PATH, for_members(platform, page), methods=["GET"]),
        Route(PATH, for_members(platform, change), methods=["POST"]),
    ]


async def page(platform: Platform, visit: Visit) -> Response:
    line = await _line(platform, visit)
    extension = line.extension
    shown: dict[str, object] = {name: getattr(extension, name) for name in NAMES}
    credits = f"{extension.allowance / CREDIT:.3f}".rstrip("0").rstrip(".")
    shown |= {"allowance": credits, "short_number": line.short_number}
    return _page(visit, line, shown)


async def _line(platform: Platform, visit: Visit) -> Line:
    number = visit.request.path_params["number"]
    return await centrex.find_extension(platform, visit.caller, FindExtension(number))


def _page(visit: Visit, line: Line, shown: dict[str, object], refusal: Refusal | None = None) -> Response:
    """The page, its fields as in `shown`: after a refusal as they were sent. A password is never shown."""
    return visit.page(
        "extension.html",
        422 if refusal else 200,
        here="lines",
        again=f"/lines/{line.number}/extension" if refusal else "",
        line=line,
        f=shown,
        codecs=[(one.value, one.value) for one in Codec],
        transports=[(one.value, one.value) for one in Transport],
        trouble=visit.trouble(refusal) if refusal else None,
    )


async def change(platform: Platform, visit: Visit) -> Response:
    """Set all of it. The directory's password stays where none is written, and goes where that is asked."""
    line = await _line(platform, visit)
    password: str | None = visit.field("ldap_password") or None
    if visit.field("forget_ldap_password"):
        password = ""
    try:
        command = ChangeExtension(
            line.number, _sent(visit), frozenset(NAMES), visit.field("short_number"), password
        )
        await centrex.change_extension(platform, visit.caller, command)
    except Refusal as refusal:
        typed: dict[str, object] = {name: visit.field(name) for name in (*NAMES, "short_number")}
        return _page(visit, line, typed, refusal)
    return visit.go(f"/lines/{line.number}/extension", "saved")


def _sent(visit: Visit) -> Extension:
    """What the form says. Raises Refusal at a count that is none."""
    values: dict[str, object] = {name: visit.field(name) for name in _TEXTS}
    values |= {name: bool(visit.field(name)) for name in _TICKS}
    values |= {name: whole(visit.field(name), name) or 0 for name in _COUNTS}
    written = visit.field("allowance")
    try:
        values["allowance"] = accounts.credits_of(written) if written else 0
    except Refusal as refusal:
        raise Refusal(Fault.INVALID_PARAMETER, refusal.detail, "allowance") from refusal
    return Extension(**values)  # type: ignore[arg-type]
