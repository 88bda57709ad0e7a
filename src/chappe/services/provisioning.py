"""Telephones learn who they are: an address that can be asked for once, for a short time, by who knows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from chappe.model.centrex import OfferProvisioning
from chappe.model.changes import Changes, Delete
from chappe.model.commands import Caller, RenewTelephone
from chappe.model.directory import Credential, Line
from chappe.model.errors import Fault, Refusal
from chappe.services import accounts, linecalls
from chappe.services.door import network_of
from chappe.services.lines import SIP_REALM, own_line, renew_telephone, sealed_for
from chappe.services.ports import Platform

_log = structlog.get_logger()
TICKETS = "provisioning"
"""Such an address is a key of this name, whose scopes are a line's id and the kind of its telephone."""
LIFE = timedelta(hours=1)
_MOST_FAILURES = 50
"""How long one is good, and how many wrong ones a peer may try in a minute (our choice)."""


class TelephoneKind(StrEnum):
    """What reads the file."""

    LINPHONE = "linphone"
    ZOIPER = "zoiper"
    SNOM = "snom"
    YEALINK = "yealink"


@dataclass(frozen=True, slots=True)
class Offered:
    """`token` is the secret part of the address, not kept; good until `expires_at`."""

    token: str
    kind: TelephoneKind
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Provisioned:
    """All that a telephone is told: its line, where it registers, and the passwords in clear."""

    line: Line
    kind: TelephoneKind
    server: str
    realm: str
    password: str
    ldap_password: str


async def offer(platform: Platform, caller: Caller, command: OfferProvisioning) -> Offered:
    """An address from which one telephone may learn who it is. A line that has no password yet gets one.
    Raises Refusal: `not_found`, `invalid_parameter` for a kind of telephone that is not known, `too_late`
    where the line's password was made before passwords were kept."""
    line = await own_line(platform, caller, command.number)
    linecalls.check_in_service(line)
    try:
        kind = TelephoneKind(command.kind)
    except ValueError as error:
        known = ", ".join(TelephoneKind)
        detail = f"{command.kind[:20]!r} is no kind of telephone that is known; write {known}"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "kind") from error
    if not line.sip_user:
        await renew_telephone(platform, caller, RenewTelephone(line.number))
    elif not platform.door.unseal(line.sip_secret, sealed_for(line)):
        detail = f"the password of line {line.number} was made when passwords were not kept; make a new one"
        raise Refusal(Fault.TOO_LATE, detail, "number")
    expires_at = platform.clock.now() + LIFE
    token = await accounts.add_key(platform, caller, TICKETS, f"{line.id} {kind}", expires_at)
    _log.info("a telephone may be provisioned", line=line.number, kind=kind, user=caller.user_name)
    return Offered(token, kind, expires_at)


async def take(platform: Platform, token: str, peer: str) -> Provisioned:
    """What a telephone is told that knows an address, which is good no more then. Raises Refusal: `not_found`
    for one that is unknown, used or too old, `rate_limited` for who tries too many."""
    now, door = platform.clock.now(), platform.door
    who = f"address {network_of(peer)}"
    door.check_failures(who, _MOST_FAILURES, now)
    found = await platform.store.queries.credential_by_login(TICKETS, door.key_login(TICKETS, token))
    line: Line | None = None
    if found is not None and found.expires_at is not None and found.expires_at > now:
        line_id, kind = found.scopes.split()
        lines = await platform.store.queries.lines(found.account_id)
        line = next((one for one in lines if one.id == int(line_id)), None)
    if found is None or line is None or line.extension.suspended:
        door.count_failure(who, now)
        raise Refusal(
            Fault.NOT_FOUND, "this address was never made, was used already, or is too old", "token"
        )
    # Of two that come at the same moment one finds nothing to delete.
    await platform.store.commit(Changes(delete=[Delete(Credential, found.id, found.account_id)]))
    _log.info("a telephone was provisioned", line=line.number, kind=kind, peer=peer)
    about = sealed_for(line)
    return Provisioned(
        line,
        TelephoneKind(kind),
        platform.rules.telephone_server,
        SIP_REALM,
        door.unseal(line.sip_secret, about),
        door.unseal(line.ldap_secret, about),
    )
