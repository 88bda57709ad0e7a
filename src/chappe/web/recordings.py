"""The recordings of a call: heard on its page, and deleted there."""

from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from chappe.model.errors import Fault, Refusal
from chappe.model.recordings import DeleteRecording, FindRecording
from chappe.services import recordings
from chappe.services.ports import Platform
from chappe.web.visits import Visit, for_members


def routes(platform: Platform) -> list[BaseRoute]:
    return [
        Route("/recordings/{ref}.wav", for_members(platform, sound), methods=["GET"]),
        Route("/recordings/{ref}/delete", for_members(platform, delete), methods=["POST"]),
    ]


async def sound(platform: Platform, visit: Visit) -> Response:
    """The WAV file, whole or the range that the player asks for."""
    try:
        file = await recordings.sound_of(
            platform, visit.caller, FindRecording(visit.request.path_params["ref"])
        )
    except Refusal:
        return visit.sorry(404)
    return FileResponse(file, media_type="audio/wav", headers={"Cache-Control": "private, max-age=600"})


async def delete(platform: Platform, visit: Visit) -> Response:
    ref = visit.request.path_params["ref"]
    try:
        kept = await recordings.find(platform, visit.caller, FindRecording(ref))
        await recordings.delete(platform, visit.caller, DeleteRecording(ref))
    except Refusal as refusal:
        return visit.sorry(404 if refusal.fault is Fault.NOT_FOUND else 409)
    return visit.go(f"/calls/{kept.call}", "recording-deleted")
