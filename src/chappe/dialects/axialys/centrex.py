"""Axialys' listing of Centrex accounts: filters in a query or a JSON body, JSON back.

Source: seed 003, second half, for filters and fields; sibling documents of the same product line for
credentials, envelope and errors (dialects.md 4d). Path and what else is not said there are our choice, listed
in docs/our-choices.md.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from chappe import __version__
from chappe.dialects import reading
from chappe.dialects.contract import Dialect, Operation, WireCall
from chappe.model.centrex import ListExtensions
from chappe.model.commands import Credentials, Key, Password
from chappe.model.directory import ANSWERPHONE, HANG_UP, Line
from chappe.model.errors import Fault, Refusal
from chappe.model.events import Event
from chappe.model.numbers import NumberError, read_msisdn
from chappe.model.outgoing import Mail, Outgoing
from chappe.protocols.http import HttpRequest, HttpResponse
from chappe.services import centrex
from chappe.services.centrex import Listed
from chappe.services.linecalls import SHORT_NUMBER
from chappe.services.ports import NoticeTarget

PATHS = ("/centrex/accounts",)
LIST = "centrex_accounts"
JSON = "application/json"

_FILTERS = (
    "centrex_account_id",
    "phone_number",
    "state",
    "site",
    "last_registration_at",
    "last_registration_at_end",
)
_STATES = {"active": False, "suspended": True}
_KEY = re.compile("APIKey +([!-~]+) *", re.IGNORECASE)
_BASIC = re.compile("Basic +([A-Za-z0-9+/=]+) *", re.IGNORECASE)
_ID = re.compile("[0-9]{1,18}")

# Published: 400 for bad input, 401 for no rights. The others are our choice, after HTTP.
STATUS_OF_FAULT: Mapping[Fault, int] = {fault: 400 for fault in Fault} | {
    Fault.BAD_CREDENTIALS: 401,
    Fault.NOT_ALLOWED: 401,
    Fault.ACCOUNT_SUSPENDED: 401,
    Fault.UNKNOWN_OPERATION: 404,
    Fault.NOT_FOUND: 404,
    Fault.RATE_LIMITED: 429,
    Fault.CONTENT_TOO_LONG: 413,
    Fault.CARRIER_UNAVAILABLE: 503,
    Fault.INTERNAL: 500,
}
_WORD_OF_STATUS: Mapping[int, str] = {
    400: "INVALID_VARS",
    401: "UNAUTHORIZED",
    404: "NOT_FOUND",
    413: "TOO_LARGE",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    503: "UNAVAILABLE",
}


def read(request: HttpRequest) -> WireCall:
    """Read the filters, unknown ones passed over, and the credentials: HTTP Basic, a key, or `user` and
    `password` among the parameters. Raises Refusal: `unsupported` for a way other than GET and POST,
    `invalid_parameter` for a body that is no JSON object."""
    if request.method not in ("GET", "POST"):
        raise Refusal(Fault.UNSUPPORTED, f"{request.method} is not served; use GET or POST")
    fields: Mapping[str, Sequence[str]]
    if request.method == "POST" and request.content_type in ("", JSON):
        fields = reading.fields_of(reading.read_parameters(request._replace(body=b""), "cp1252"))
        fields = {**fields, **_json(request.body)}
    else:
        fields = reading.fields_of(reading.read_parameters(request, "cp1252"))
    header = request.headers.get("authorization", "")
    return WireCall(
        verb=LIST,
        fields=fields,
        credentials=_credentials(header, fields),
        secrets=_secrets(header, fields),
        request=request,
    )


def _json(body: bytes) -> Mapping[str, Sequence[str]]:
    try:
        read = msgspec.json.decode(body or b"{}", type=dict[str, str | int | float | bool | None])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(Fault.INVALID_PARAMETER, f"the body is no JSON object of filters: {error}") from error
    return {name: (str(value),) for name, value in read.items() if value is not None}


def _credentials(header: str, fields: Mapping[str, Sequence[str]]) -> tuple[Credentials, ...]:
    if found := _KEY.fullmatch(header):
        return (Key(found[1]),)
    if found := _BASIC.fullmatch(header):
        try:
            login, colon, password = base64.b64decode(found[1], validate=True).decode().partition(":")
        except ValueError:
            return ()
        return (Password(login, password),) if colon else ()
    user, password = reading.scalar(fields, "user"), reading.first(fields, "password")
    return (Password(user, password),) if user and password else ()


def _secrets(header: str, fields: Mapping[str, Sequence[str]]) -> tuple[bytes, ...]:
    given = [header, *fields.get("password", ())]
    return tuple(one.encode("utf-8", "replace") for one in given if one)


def decode(call: WireCall) -> ListExtensions:
    """Read the filters. Raises Refusal `invalid_parameter` that names all that are wrong."""
    given = {name: reading.scalar(call.fields, name) for name in _FILTERS}
    wrong: list[str] = []

    def fits(name: str, is_right: bool) -> bool:
        if given[name] and not is_right:
            wrong.append(name)
        return bool(given[name]) and is_right

    has_id = fits("centrex_account_id", bool(_ID.fullmatch(given["centrex_account_id"])))
    number = _number(given["phone_number"])
    fits("phone_number", bool(number))
    fits("state", given["state"] in _STATES)
    since, until = _time(given["last_registration_at"]), _time(given["last_registration_at_end"])
    fits("last_registration_at", since is not None)
    fits("last_registration_at_end", until is not None)
    if wrong:
        raise Refusal(Fault.INVALID_PARAMETER, ",".join(wrong), wrong[0])
    return ListExtensions(
        int(given["centrex_account_id"]) if has_id else None,
        number,
        _STATES.get(given["state"]),
        given["site"],
        since,
        until,
    )


def _number(written: str) -> str:
    try:
        return str(read_msisdn(written, "FR")) if written else ""
    except NumberError:
        return ""


def _time(written: str) -> datetime | None:
    """A time; without a zone it is in UTC, as the answers are, and a day alone begins then."""
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def encode(listed: Listed, call: WireCall) -> HttpResponse:
    """The accounts in their envelope."""
    return _answer(200, listed.at, "success", {"data": [_account(listed, line) for line in listed.lines]})


def _account(listed: Listed, line: Line) -> dict[str, object]:
    extension = line.extension
    password, ldap_password = listed.secrets[line.id]
    seen = line.sip_seen_at
    return {
        "centrex_account_id": line.id,
        "centrex_account_pwd": password,
        "phone_number": [line.number],
        "state": "suspended" if extension.suspended else "active",
        "site": extension.site,
        "server": listed.server,
        "simultaneous_calls_count": str(extension.calls_at_once or listed.calls_at_once),
        "user_name": extension.user_name,
        "codec_mode": "forced" if extension.codec_forced else "preferred",
        "codec": extension.codec,
        "transport": extension.transport,
        "dial_plan": extension.dial_plan,
        "short_phone_number": line.short_number,
        "displayed_number": extension.shown or line.number,
        "call_recording": int(extension.recorded),
        "ringback_message": int(extension.plays_message),
        "interception_right": int(extension.may_pick_up),
        "fax_numbers_right": int(extension.sees_all_faxes),
        "limited_account": int(extension.limited),
        "vas_numbers_block": int(extension.blocks_value_added),
        "zoiper_download_url": "",
        "last_registration_at": "" if seen is None else f"{seen.astimezone(UTC):%Y-%m-%dT%H:%MZ}",
        "voicemail": {
            "email_address": extension.voicemail_mail or listed.mail,
            "visual_notification": int(extension.lamp),
            "edit_message_right": int(extension.may_change_greeting),
        },
        "call_forwarding": _forwarding(line),
        "phone": {
            "phone_model": extension.telephone_model,
            "mac_address": extension.telephone_mac,
            "port": extension.telephone_port or "",
            "snom_handset_ref": extension.handset,
        },
        "ldap_connection": {
            "hostname": extension.ldap_host,
            "user": extension.ldap_user,
            "pwd": ldap_password,
            "domain": extension.ldap_domain,
        },
    }


def _forwarding(line: Line) -> dict[str, object]:
    """Where calls go; the targets themselves have no field in the seed: `..._destination` are ours."""
    told: dict[str, object] = {}
    forwarding = line.forwarding
    for theirs, target, shows_caller in (
        ("unconditional", forwarding.always, forwarding.always_shows_caller),
        ("unreachable", forwarding.unreachable, forwarding.unreachable_shows_caller),
        ("no_answer", forwarding.no_answer, forwarding.no_answer_shows_caller),
    ):
        told[theirs] = _kind(target)
        told[f"{theirs}_number"] = "caller" if shows_caller else "account"
        told[f"{theirs}_destination"] = "" if target in (ANSWERPHONE, HANG_UP) else target
    told["delay"] = forwarding.no_answer_after
    told["secretary"] = "active" if line.extension.secretary_active else "inactive"
    return told


def _kind(target: str) -> str:
    known = {"": "inactive", ANSWERPHONE: "voicemail", HANG_UP: "hang_up"}
    return known.get(target) or ("short_number" if SHORT_NUMBER.fullmatch(target) else "number")


def refuse(refusal: Refusal, call: WireCall | None) -> HttpResponse:
    """The code in capitals, and `check: ` with the filters that are wrong (dialects.md 4d)."""
    status = STATUS_OF_FAULT[refusal.fault]
    text = refusal.detail
    if refusal.fault is Fault.INVALID_PARAMETER and refusal.field:
        text = f"check: {refusal.detail}"
    headers = (("www-authenticate", 'Basic realm="centrex"'),) if status == 401 else ()
    return _answer(status, None, "error", {"error": _WORD_OF_STATUS[status], "message": text}, headers)


def _answer(
    status: int,
    at: datetime | None,
    word: str,
    more: Mapping[str, object],
    headers: tuple[tuple[str, str], ...] = (),
) -> HttpResponse:
    head: dict[str, object] = {"app": "centrex", "version": __version__}
    if at is not None:
        head |= {
            "datetime": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "timestamp": int(at.timestamp()),
            "timezone": "UTC",
        }
    body = msgspec.json.encode(head | {"code": status, "status": word} | dict(more))
    return HttpResponse(status, body, JSON, (("cache-control", "no-store"), *headers))


def notice(event: Event, target: NoticeTarget, now: datetime) -> Outgoing | Mail | None:
    """The listing tells nobody of anything."""
    return None


CENTREX = Dialect(
    name="axialys",
    paths=PATHS,
    read=read,
    operations={
        LIST: Operation(
            decode,
            centrex.listing,
            encode,
            summary="List the telephones of an account",
            source="Seed 003, second half; dialects.md 4d",
        )
    },
    refuse=refuse,
    notice=notice,
    region="FR",
)
