"""The resources of Keyyo's manager API as HAL JSON: lines, profiles, calls, messages, plugins (dialects.md
5d). Flags are 0 and 1, addresses are whole, so that the PHP client finds its way back."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import msgspec

from chappe.dialects import reading
from chappe.dialects.contract import WireCall
from chappe.model.calls import CallStory
from chappe.model.commands import ListBlacklist, ListCalls
from chappe.model.directory import ANSWERPHONE, BlacklistEntry, Forwarding, Line
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page
from chappe.model.ledger import in_credits
from chappe.model.numbers import display
from chappe.protocols.http import HttpResponse
from chappe.services.profiles import DEFAULT, Profile
from chappe.services.programs import LineToken
from chappe.services.voicemails import ListVoicemails, Voicemail

Fields = Mapping[str, Sequence[str]]
PLUGIN, PARAMETER = "custom", "url"
"""The plugin that tells a URL of calls, and its parameter (samples/cti_plugins.php)."""
_ZONE = ZoneInfo("Europe/Paris")
_PAGE = 50


def _base(call: WireCall) -> str:
    request = call.request
    assert request is not None  # `read` always sets it
    return f"{'https' if request.secure else 'http'}://{request.host}/manager/1.0"


def _hal(
    values: Mapping[str, object], href: str, kind: str, links: Mapping[str, str] | None = None
) -> dict[str, object]:
    found = {"self": href} | dict(links or {})
    return {
        **values,
        "_resource_type": kind,
        "_links": {name: {"href": one} for name, one in found.items()},
    }


def _answer(body: object) -> HttpResponse:
    return HttpResponse(
        200, msgspec.json.encode(body), "application/hal+json", (("cache-control", "no-store"),)
    )


def _collection(kind: str, items: Sequence[object], href: str, more: str = "") -> HttpResponse:
    links = {"self": {"href": href}} | ({"next": {"href": more}} if more else {})
    return _answer({"_links": links, "_embedded": {kind: items}})


def nothing(outcome: object, call: WireCall) -> HttpResponse:
    """What was deleted is not there any more."""
    return HttpResponse(200, b"", "application/hal+json", (("cache-control", "no-store"),))


def _shown(number: str, call: WireCall) -> str:
    """A number as it is asked for: with `localized_numbers=1` as people of its country write it."""
    localized = reading.scalar(call.fields, "localized_numbers") == "1"
    return display(number, "FR") if localized and number else number


# --- lines


def _service(line: Line, call: WireCall) -> dict[str, object]:
    href, extension = f"{_base(call)}/services/{line.number}", line.extension
    values = {
        "csi": line.number,
        "formatted_csi": display(line.number, "FR"),
        "name": extension.user_name,
        "offer_id": 1,
        "offer_name": "Chappe",
        "commitment_start_date": line.created_at.astimezone(_ZONE).strftime("%Y-%m-%d"),
        "status": "suspended" if extension.suspended else "in_service",
        "blocking_status": None,
        "options": ["sms"],
        "short_number": line.short_number,
        "incoming_acd_calls_allowed": 0,
        "presented_number": _shown(extension.shown or line.number, call),
        "presented_number_raw": extension.shown or line.number,
    }
    parts = ("profiles", "call_details", "voicemails", "cti_plugins", "csi_token")
    return _hal(values, href, "UCaaSVoIPAccount", {one: f"{href}/{one}" for one in parts})


def services(found: Sequence[Line], call: WireCall) -> HttpResponse:
    """All lines."""
    items = [_service(line, call) for line in found]
    return _collection("UCaaSVoIPAccount", items, f"{_base(call)}/services")


def service(line: Line, call: WireCall) -> HttpResponse:
    """One line."""
    return _answer(_service(line, call))


# --- profiles


def _profile(found: Profile, call: WireCall) -> dict[str, object]:
    line, goes = found.line, found.forwarding
    first = next(iter(line.profiles))
    identifier = DEFAULT if found.name == first else found.name

    def number(target: str) -> str:
        return "" if target == ANSWERPHONE else target

    values = {
        "identifier": identifier,
        "name": found.name,
        "backup_number": number(goes.unreachable),
        "forced": int(line.profile == found.name),
        "forward_delay": goes.no_answer_after,
        "forward_on_no_answer_number": number(goes.no_answer),
        "forward_to_voicemail": int(ANSWERPHONE in (goes.always, goes.no_answer)),
        "forward_unconditionally_number": number(goes.always),
        "forward_use_account_callerid_presentation": int(not goes.always_shows_caller),
    }
    href = f"{_base(call)}/services/{line.number}/profiles/{quote(identifier, safe='')}"
    return _hal(values, href, "VoIPAccountProfile")


def profiles_of(line: Line, call: WireCall) -> HttpResponse:
    """All profiles of a line."""
    items = [_profile(Profile(line, name), call) for name in line.profiles]
    return _collection("VoIPAccountProfile", items, f"{_base(call)}/services/{line.number}/profiles")


def profile(found: Profile, call: WireCall) -> HttpResponse:
    """One profile."""
    return _answer(_profile(found, call))


def forwarding_of(fields: Fields) -> tuple[Forwarding, frozenset[str], bool]:
    """What a form sets of a profile, what it names of it, and whether it is to be in force. Voicemail takes
    what no number takes: all calls where nothing else is named, else those that nobody answers (our
    choice)."""
    values: dict[str, object] = {}
    for theirs, ours in (
        ("forward_unconditionally_number", "always"),
        ("forward_on_no_answer_number", "no_answer"),
        ("backup_number", "unreachable"),
    ):
        if theirs in fields:
            values[ours] = reading.scalar(fields, theirs)
    if "forward_delay" in fields:
        written = reading.scalar(fields, "forward_delay")
        if not written.isascii() or not written.isdigit() or len(written) > 3:
            raise Refusal(Fault.INVALID_PARAMETER, f"forward_delay: {written[:20]!r} are no seconds")
        values["no_answer_after"] = int(written)
    if (own := _flag(fields, "forward_use_account_callerid_presentation")) is not None:
        values |= dict.fromkeys(("always_shows_caller", "no_answer_shows_caller"), not own)
    if _flag(fields, "forward_to_voicemail") and not values.get("no_answer"):
        values["no_answer"] = ANSWERPHONE
    forced = _flag(fields, "forced") is True
    return Forwarding(**values), frozenset(values), forced  # type: ignore[arg-type]


def ends_voicemail(fields: Fields) -> bool:
    """Whether a form says that no call goes to voicemail any more; numbers that calls go to stay."""
    return _flag(fields, "forward_to_voicemail") is False


def _flag(fields: Fields, name: str) -> bool | None:
    return reading.read_boolean(reading.scalar(fields, name)) if name in fields else None


# --- calls


def decode_calls(call: WireCall) -> ListCalls:
    """`date_start` and `date_end` are `YYYY-MM-DD HH:MM`, in Paris (our choice), the end excluded."""
    since, until = (_time(call.fields, name) for name in ("date_start", "date_end"))
    return ListCalls(
        number=str(call.data["csi"]),
        since=since,
        until=until,
        cursor=_cursor(call.fields),
        limit=_limit(call.fields),
        skip=_offset(call.fields),
    )


def _time(fields: Fields, name: str) -> datetime | None:
    written = reading.scalar(fields, name)
    if not written:
        return None
    try:
        read = datetime.fromisoformat(written)
    except ValueError as error:
        detail = f"{name}: {written[:30]!r} is no time; write YYYY-MM-DD HH:MM"
        raise Refusal(Fault.INVALID_PARAMETER, detail) from error
    return (read if read.tzinfo else read.replace(tzinfo=_ZONE)).astimezone(UTC)


def _limit(fields: Fields) -> int:
    written = reading.scalar(fields, "limit")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 4 else _PAGE


def _offset(fields: Fields) -> int:
    """Programs that do not follow `next` count on from the first one (dialects.md 5d)."""
    written = reading.scalar(fields, "offset")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 8 else 0


def _cursor(fields: Fields) -> int | None:
    written = reading.scalar(fields, "cursor")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else None


def call_details(page: Page[CallStory], call: WireCall) -> HttpResponse:
    """A page of calls in which the line was the first or the second party."""
    href = f"{_base(call)}/services/{call.data['csi']}/call_details"
    items = [_call(story, href, call) for story in page.items]
    return _collection("CallDetailRecord", items, href, _next(href, page.next_cursor, call))


def _next(href: str, cursor: int | None, call: WireCall) -> str:
    if cursor is None:
        return ""
    kept = {name: one[0] for name, one in call.fields.items() if name not in ("cursor", "offset") and one}
    return f"{href}?{urlencode(kept | {'cursor': str(cursor)})}"


def _call(story: CallStory, href: str, call: WireCall) -> dict[str, object]:
    one = story.call
    until = one.over_at or one.created_at
    seconds = 0 if one.joined_at is None else int((until - one.joined_at).total_seconds())
    values = {
        "call_id": one.ref,
        "start_time": int(one.created_at.timestamp()),
        "caller": _shown(one.first, call) or None,
        "caller_raw": one.first or None,
        "actual_caller": one.first or None,
        "callee": _shown(one.second, call),
        "callee_raw": one.second,
        "quantity": seconds,
        "quantity_billed": seconds,
        "unit": "second",
        "cost": in_credits(one.price),
        "type": "outgoing" if one.first == call.data["csi"] else "incoming",
    }
    return _hal(values, f"{href}/{one.ref}", "CallDetailRecord")


# --- messages


def decode_messages(call: WireCall) -> ListVoicemails:
    """Which page of a line's messages."""
    fields = call.fields
    return ListVoicemails(str(call.data["csi"]), _cursor(fields), _limit(fields), _offset(fields))


def messages(page: Page[Voicemail], call: WireCall) -> HttpResponse:
    """A page of messages, without their sound."""
    href = f"{_base(call)}/services/{call.data['csi']}/voicemails"
    items = [_message(one, href, call) for one in page.items]
    return _collection("VoicemailMessage", items, href, _next(href, page.next_cursor, call))


def message(found: Voicemail, call: WireCall) -> HttpResponse:
    """One message, with its sound where it was asked for."""
    href = f"{_base(call)}/services/{call.data['csi']}/voicemails"
    return _answer(_message(found, href, call))


def _message(found: Voicemail, href: str, call: WireCall) -> dict[str, object]:
    recording = found.recording
    values: dict[str, object] = {
        "identifier": recording.id,
        "read": int(recording.heard_at is not None or bool(found.sound)),
        "caller_id": _shown(found.caller, call),
        "timestamp": int(recording.started_at.timestamp()),
        "duration": recording.milliseconds // 1000,
    }
    if found.sound:
        values["wav_contents"] = base64.b64encode(found.sound).decode()
    return _hal(values, f"{href}/{recording.id}", "VoicemailMessage")


# --- blocked numbers


def decode_blacklist(call: WireCall) -> ListBlacklist:
    """Which page of blocked numbers."""
    return ListBlacklist(_cursor(call.fields), _limit(call.fields), _offset(call.fields))


def blacklist(page: Page[BlacklistEntry], call: WireCall) -> HttpResponse:
    """A page of the account's blocked numbers."""
    items, href = [_blocked(one, call) for one in page.items], f"{_base(call)}/blacklist"
    return _collection("Number", items, href, _next(href, page.next_cursor, call))


def blocked(entry: BlacklistEntry, call: WireCall) -> HttpResponse:
    """One of them."""
    return _answer(_blocked(entry, call))


def _blocked(entry: BlacklistEntry, call: WireCall) -> dict[str, object]:
    return _hal({"number": _shown(entry.number, call)}, f"{_base(call)}/blacklist/{entry.number}", "Number")


# --- plugins and tokens


def plugins(line: Line, call: WireCall) -> HttpResponse:
    """The one plugin that we have."""
    href = f"{_base(call)}/services/{line.number}/cti_plugins"
    return _collection("CTIPlugin", [_plugin(line, call)], href)


def plugin(line: Line, call: WireCall) -> HttpResponse:
    """It tells a URL of calls; it is enabled where there is one."""
    return _answer(_plugin(line, call))


def _plugin(line: Line, call: WireCall) -> dict[str, object]:
    href = f"{_base(call)}/services/{line.number}/cti_plugins/{PLUGIN}"
    values = {"name": PLUGIN, "enabled": int(bool(line.notification_url))}
    return _hal(values, href, "CTIPlugin", {"parameters": f"{href}/parameters"})


def parameters(line: Line, call: WireCall) -> HttpResponse:
    """What it is told: the URL."""
    href = f"{_base(call)}/services/{line.number}/cti_plugins/{PLUGIN}/parameters"
    return _collection("CTIPluginParameter", [_parameter(line, call)], href)


def parameter(line: Line, call: WireCall) -> HttpResponse:
    """The URL."""
    return _answer(_parameter(line, call))


def _parameter(line: Line, call: WireCall) -> dict[str, object]:
    href = f"{_base(call)}/services/{line.number}/cti_plugins/{PLUGIN}/parameters/{PARAMETER}"
    values = {"name": PARAMETER, "information": "URL de notification", "value": line.notification_url}
    return _hal(values, href, "CTIPluginParameter")


def masks(fields: Fields) -> tuple[str, ...]:
    """The domains of `domain_masks`, in whichever form of an array."""
    return tuple(
        value for name, values in fields.items() if name.startswith("domain_masks") for value in values
    )


def line_token(made: LineToken, call: WireCall) -> HttpResponse:
    """A token for a page."""
    href = f"{_base(call)}/services/{call.data['csi']}/csi_token"
    values = {
        "result": "success",
        "token": made.token,
        "expires_in": made.expires_in,
        "domain_masks": list(made.domain_masks),
        "timestamp": int(made.at.timestamp()),
    }
    return _answer(_hal(values, href, "CSIToken"))
