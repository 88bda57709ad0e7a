"""The telephones of lines: the switch is told who may register, and tells who has.

They live in the switch's memory (Asterisk's documentation, "ARI Push Configuration"), so that a new password
is good within seconds and without any file; what is registered survives a restart of the switch.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import msgspec
import structlog

from chappe.carriers.asterisk.ari import AriLost
from chappe.carriers.asterisk.config import FROM_LINE, endpoint
from chappe.carriers.asterisk.link import Link
from chappe.carriers.asterisk.settings import SwitchSettings
from chappe.model.changes import Changes, Update
from chappe.model.directory import Line
from chappe.model.errors import Refusal, Unavailable
from chappe.services.ports import Platform

_log = structlog.get_logger()

EVERY = 2.0
"""Seconds after which a new password is good (our choice)."""

_FOR_LONG = timedelta(days=1)
"""For how long a telephone counts as registered unless the switch says that it is gone (our choice): it tells
of no time."""

_REALM = "chappe"


class _Endpoint(msgspec.Struct, frozen=True):
    resource: str
    state: str = ""


class Telephones:
    """Those of one switch."""

    def __init__(self, link: Link, switch: SwitchSettings, platform: Platform, name: str) -> None:
        self._link = link
        self._common = endpoint(switch)
        self._platform = platform
        self._carrier = name
        self._known: dict[str, tuple[str, str]] = {}  # number and hash by user
        self._bell = asyncio.Event()

    def number_of(self, user: str) -> str:
        """The line whose telephone registers so; empty for none."""
        return self._known.get(user, ("", ""))[0]

    def user_of(self, number: str) -> str:
        """What a line's telephone registers as; empty where it has none."""
        return next((user for user, (one, _) in self._known.items() if one == number), "")

    def begin_anew(self) -> None:
        """The switch knows nobody."""
        self._known.clear()
        self._bell.set()

    def look(self) -> None:
        """A telephone has come or gone."""
        self._bell.set()

    async def run(self) -> None:
        """Keep the switch and the lines up to date, until cancelled."""
        while True:
            if self._link.is_up and self._platform.carriers.lines == self._carrier:
                try:
                    await self._step()
                except (AriLost, Refusal, Unavailable) as trouble:
                    _log.warning("telephones could not be kept up to date", reason=str(trouble))
            try:
                async with asyncio.timeout(EVERY):
                    await self._bell.wait()
            except TimeoutError:
                pass
            self._bell.clear()

    async def _step(self) -> None:
        lines = {
            line.sip_user: line
            for line in await self._platform.store.queries.telephone_lines()
            if not line.extension.suspended
        }
        for user in [one for one in self._known if one not in lines]:
            for kind in ("endpoint", "aor", "auth"):
                await self._link.ask("DELETE", _path(kind, user))
            del self._known[user]
        for user, line in lines.items():
            if self._known.get(user, ("", ""))[1] != line.sip_ha1:
                await self._tell(line)
        there = {one.resource for one in await self._endpoints() if one.state == "online"}
        for user, line in lines.items():
            await self._note(line, user in there)

    async def _tell(self, line: Line) -> None:
        user = line.sip_user
        own = self._common | {"context": FROM_LINE, "allow": "!all,alaw,ulaw", "aors": user, "auth": user}
        objects: Mapping[str, Mapping[str, object]] = {
            "auth": {"auth_type": "md5", "username": user, "realm": _REALM, "md5_cred": line.sip_ha1},
            "aor": {"max_contacts": 1, "remove_existing": "yes", "maximum_expiration": 3600},
            "endpoint": {**own, "callerid": f"<{line.number}>"},
        }
        for kind, values in objects.items():
            fields = [{"attribute": name, "value": str(value)} for name, value in values.items()]
            answer = await self._link.ask("PUT", _path(kind, user), body={"fields": fields})
            if not answer.is_good:
                _log.warning("a telephone was refused by the switch", kind=kind, said=answer.body)
                return
        self._known[user] = line.number, line.sip_ha1

    async def _endpoints(self) -> list[_Endpoint]:
        answer = await self._link.ask("GET", "endpoints/PJSIP")
        found: list[_Endpoint] = answer.read(list[_Endpoint])
        return found

    async def _note(self, line: Line, is_there: bool) -> None:
        now = self._platform.clock.now()
        was_there = line.sip_until is not None and line.sip_until > now + _FOR_LONG / 2
        if is_there == (was_there and bool(line.sip_contact)):
            return
        values: dict[str, object] = {"sip_contact": "", "sip_until": None}
        if is_there:
            values = {"sip_contact": f"sip:{line.sip_user}@{self._link.name}", "sip_until": now + _FOR_LONG}
            values["sip_seen_at"] = now
        update = Update(Line, line.id, line.account_id, values)
        await self._platform.store.commit(Changes(update=[update]))


def _path(kind: str, user: str) -> str:
    return f"asterisk/config/dynamic/res_pjsip/{kind}/{user}"
