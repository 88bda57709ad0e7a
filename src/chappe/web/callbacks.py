"""Pages of callbacks: what visitors ask as it happens, and one of them with what became of it."""

from collections.abc import Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.callbacks import (
    CallbackSource,
    CallbackState,
    CancelCallback,
    FindCallback,
    ListCallbacks,
    ListForms,
    RequestCallback,
)
from chappe.model.errors import Fault, Refusal
from chappe.services import callbackforms, callbacks
from chappe.services.ports import Platform
from chappe.web.visits import Visit, for_members

_FIELDS = {"visitor": "number"}


def routes(platform: Platform) -> Sequence[BaseRoute]:
    return [
        Route("/callbacks", for_members(platform, list_page), methods=["GET"]),
        Route("/callbacks", for_members(platform, ask), methods=["POST"]),
        Route("/callbacks/requests/{ref}", for_members(platform, request_page), methods=["GET"]),
        Route("/callbacks/requests/{ref}/cancel", for_members(platform, cancel), methods=["POST"]),
    ]


async def list_page(platform: Platform, visit: Visit) -> Response:
    return await _list_page(platform, visit)


async def _list_page(platform: Platform, visit: Visit, status: int = 200, **values: object) -> Response:
    asked = visit.request.query_params
    forms = await callbackforms.list_forms(platform, visit.caller, ListForms())
    form = next((one for one in forms if one.ref == asked.get("form")), None)
    state = next((one for one in CallbackState if one == asked.get("state")), None)
    command = ListCallbacks(form.ref if form else "", state, cursor=visit.cursor())
    page = await callbacks.list_callbacks(platform, visit.caller, command)
    return visit.page(
        "callbacks.html",
        status,
        page=page,
        cursor=visit.cursor(),
        forms=forms,
        picks=[(one.ref, one.name) for one in forms],
        form=form,
        state=state,
        states=CallbackState,
        typed=visit.field("number"),
        **values,
    )


async def ask(platform: Platform, visit: Visit) -> Response:
    """A visitor who has asked otherwise, by telephone or mail, is called as if by the form."""
    command = RequestCallback(visit.field("form"), visit.field("number"), source=CallbackSource.CONSOLE)
    try:
        story = await callbacks.request(platform, visit.caller, command)
    except Refusal as refusal:
        return await _list_page(platform, visit, 422, trouble=visit.trouble(refusal, _FIELDS))
    return visit.go(f"/callbacks/requests/{story.request.ref}")


async def request_page(platform: Platform, visit: Visit) -> Response:
    return await _request_page(platform, visit)


async def _request_page(platform: Platform, visit: Visit, status: int = 200, **values: object) -> Response:
    story = await callbacks.find(platform, visit.caller, FindCallback(visit.request.path_params["ref"]))
    return visit.page("callback.html", status, story=story, r=story.request, **values)


async def cancel(platform: Platform, visit: Visit) -> Response:
    ref = visit.request.path_params["ref"]
    try:
        await callbacks.cancel(platform, visit.caller, CancelCallback(ref))
    except Refusal as refusal:
        if refusal.fault is not Fault.TOO_LATE:
            raise
        return await _request_page(platform, visit, 409, trouble=visit.trouble(refusal))
    return visit.go(f"/callbacks/requests/{ref}", "called-off")
