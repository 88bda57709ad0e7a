"""The web application: every page of the console under one roof, with its static files."""

from pathlib import Path
from uuid import uuid4

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from chappe.services.ports import Platform
from chappe.web import (
    accounts,
    allowances,
    announcements,
    callbackforms,
    callbacks,
    callbackstatistics,
    calls,
    conferences,
    consent,
    extensions,
    grants,
    handsets,
    hours,
    lines,
    messages,
    metrics,
    network,
    numbers,
    popup,
    provisioning,
    recordings,
    rendering,
    rights,
    ringgroups,
    sessions,
    sound,
    subscriptions,
)
from chappe.web.visits import Endpoint, Visit, choose_language, for_all, reader_of

LOG = structlog.get_logger()
STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def build(platform: Platform) -> Starlette:
    """The console as an ASGI application. Set its `state.closing` when the server drains: open wires then end
    within a second, instead of holding it up."""

    def answer(status: int) -> Endpoint:
        async def page(platform: Platform, visit: Visit) -> Response:
            return visit.sorry(status)

        return for_all(platform, page)

    async def missing(request: Request, error: Exception) -> Response:
        return await answer(404)(request)

    async def forbidden(request: Request, error: Exception) -> Response:
        return await answer(405)(request)

    async def broken(request: Request, error: Exception) -> Response:
        reference = uuid4().hex[:12]
        LOG.error("page failed", path=request.url.path, reference=reference, exc_info=error)
        reader = reader_of(request, platform, None)
        response = Visit(request, reader, "", None, None, {}, {}).sorry(500, reference)
        response.headers.update(sessions.SAFE)  # this page is made outside the middleware
        return response

    application = Starlette(
        routes=[
            Route("/static/{version}/{name}", static_file),
            Route("/language/{language}", for_all(platform, choose_language)),
            *accounts.routes(platform),
            *allowances.routes(platform),
            *extensions.routes(platform),
            *grants.routes(platform),
            *handsets.routes(platform),
            *provisioning.routes(platform),
            *consent.routes(platform),
            *sound.routes(platform),
            *messages.routes(platform),
            *calls.routes(platform),
            *conferences.routes(platform),
            *announcements.routes(platform),
            *hours.routes(platform),
            *recordings.routes(platform),
            *popup.routes(platform),
            *callbacks.routes(platform),
            *callbackforms.routes(platform),
            *ringgroups.routes(platform),
            *callbackstatistics.routes(platform),
            *numbers.routes(platform),
            *lines.routes(platform),
            *subscriptions.routes(platform),
            *network.routes(platform),
            *rights.routes(platform),
            *metrics.routes(platform),
        ],
        middleware=[
            Middleware(sessions.SafeHeaders, embedded=popup.PATH, headers=popup.EMBEDDED),
            Middleware(GZipMiddleware, minimum_size=1000),
        ],
        exception_handlers={404: missing, 405: forbidden, Exception: broken},
    )
    application.state.closing = False
    application.state.secure = platform.rules.public_url.startswith("https://")
    return application


async def static_file(request: Request) -> Response:
    """A file of ours, under an address that changes with its content and may be kept for ever."""
    path = STATIC / Path(request.path_params["name"]).name
    if path.suffix not in _TYPES or not path.is_file():
        return Response(status_code=404)
    current = request.path_params["version"] == rendering.static_version()
    keep = "public, max-age=31536000, immutable" if current else "no-cache"
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": keep})
