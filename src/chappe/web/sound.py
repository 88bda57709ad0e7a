"""The sound of a virtual telephone in the browser: frames of 20 ms both ways over a WebSocket."""

import asyncio
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from chappe.media.pcm import FRAME_BYTES
from chappe.model.commands import Caller
from chappe.model.errors import Refusal
from chappe.services import directory, telephones
from chappe.services.ports import Platform
from chappe.web import sessions

AHEAD = 25
"""Frames that wait for a slow browser; then the oldest is dropped, so that it never lags behind by more than
half a second (our choice)."""
_LOOKS_EVERY = 1000
"""After how many frames (20 seconds of them) it is asked whether the session still holds."""


def routes(platform: Platform) -> list[BaseRoute]:
    return [WebSocketRoute("/telephones/{number}/calls/{leg:int}/sound", partial(sound, platform))]


async def sound(platform: Platform, websocket: WebSocket) -> None:
    """What a telephone of the account hears, and what is spoken into it: 320 bytes a message, 8 kHz, 16 bits
    little-endian. Closed when the call is over; refused to other sites and other accounts."""
    caller = await _caller(platform, websocket)
    if caller is None or not is_ours(platform, websocket):
        await websocket.close()
        return
    frames: asyncio.Queue[bytes | None] = asyncio.Queue(AHEAD)

    def ear(frame: bytes | None) -> None:
        if frames.full():
            frames.get_nowait()
        frames.put_nowait(frame)

    path = websocket.path_params
    try:
        microphone = await telephones.listen(platform, caller, f"+{path['number']}", path["leg"], ear)
    except Refusal:
        await websocket.close()
        return
    speaking = asyncio.create_task(_tell(platform, websocket, frames))
    try:
        await websocket.accept()
        while (message := await websocket.receive())["type"] == "websocket.receive":
            frame = message.get("bytes")
            if frame is None or len(frame) != FRAME_BYTES:
                await websocket.close(1003, f"a frame of 20 ms has {FRAME_BYTES} bytes")
                break
            microphone.say(frame)
    finally:
        microphone.close()
        speaking.cancel()
        with suppress(asyncio.CancelledError):
            await speaking


async def _tell(platform: Platform, websocket: WebSocket, frames: asyncio.Queue[bytes | None]) -> None:
    told = 0
    while (frame := await frames.get()) is not None:
        told += 1
        if told % _LOOKS_EVERY == 0 and await _caller(platform, websocket) is None:
            break
        await websocket.send_bytes(frame)
    await websocket.close(1000, "the call is over")


async def _caller(platform: Platform, websocket: WebSocket) -> Caller | None:
    cookie = websocket.cookies.get(sessions.SESSION, "")
    session = sessions.unseal(platform.door.secret, cookie, platform.clock.now())
    if session is None:
        return None
    member = await directory.resume(platform, session.account_id, session.user_id, session.epoch)
    if member is None:
        return None
    account, user = member
    return directory.caller_of(account, user, "console", account.region)


def is_ours(platform: Platform, websocket: WebSocket) -> bool:
    """Whether a page of this server asks: browsers name its origin, and no page can name another one."""
    origin = urlsplit(websocket.headers.get("origin", "")).netloc
    places = (websocket.headers.get("host", ""), urlsplit(platform.rules.public_url).netloc)
    return bool(origin) and origin.lower() in [place.lower() for place in places]
