"""The page on which somebody lets a program in (OAuth 2), at Keyyo's address for it."""

from urllib.parse import urlsplit

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.programs import AskConsent
from chappe.services import programs
from chappe.services.ports import Platform
from chappe.services.programs import OAuthRefusal
from chappe.web import sessions, words
from chappe.web.visits import Visit, for_members

PATH = "/oauth2/authorize.php"
SCOPES = {
    "full_access": words.N_("see and change everything of your lines"),
    "full_access_read_only": words.N_("see everything of your lines"),
    "voip_profiles_admin": words.N_("see and change where the calls of your lines go"),
    "cti_admin": words.N_("be told of the calls of your lines"),
}


def routes(platform: Platform) -> list[BaseRoute]:
    return [
        Route(PATH, for_members(platform, page), methods=["GET"]),
        Route(PATH, for_members(platform, decide), methods=["POST"]),
    ]


def _asked(visit: Visit) -> AskConsent:
    """What stands in the address, where it also is when the form is sent."""
    query = visit.request.query_params
    return AskConsent(
        client_id=query.get("client_id", ""),
        response_type=query.get("response_type", ""),
        state=query.get("state", ""),
        redirect_uri=query.get("redirect_uri", ""),
        scopes=query.get("scopes", "") or query.get("scope", ""),
        challenge=query.get("code_challenge", ""),
        challenge_method=query.get("code_challenge_method", ""),
    )


async def page(platform: Platform, visit: Visit) -> Response:
    """Who asks, and for what."""
    try:
        asked = await programs.judge(platform, _asked(visit))
    except OAuthRefusal as refusal:
        return _wrong(refusal)
    scopes = [visit.say(SCOPES[one]) for one in asked.scopes]
    here = f"{PATH}?{visit.request.url.query}"
    shown = visit.page("consent.html", here="lines", program=asked.program.name, scopes=scopes, address=here)
    # Browsers follow the answer to a form only to where the page with the form says that it may go.
    back = urlsplit(asked.redirect_uri)
    policy = sessions.SAFE["Content-Security-Policy"]
    own = policy.replace("form-action 'self'", f"form-action 'self' {back.scheme}://{back.netloc}")
    shown.headers["Content-Security-Policy"] = own
    return shown


async def decide(platform: Platform, visit: Visit) -> Response:
    """Yes or no; back to the program either way."""
    try:
        if visit.field("answer") == "yes":
            onward = await programs.consent(platform, visit.caller, _asked(visit))
        else:
            onward = await programs.deny(platform, _asked(visit))
    except OAuthRefusal as refusal:
        return _wrong(refusal)
    return Response(status_code=303, headers={"Location": onward, "Cache-Control": "no-store"})


def _wrong(refusal: OAuthRefusal) -> Response:
    body = msgspec.json.encode({"error": refusal.word, "error_description": refusal.detail})
    return Response(body, 401 if refusal.word == "invalid_client" else 400, media_type="application/json")
