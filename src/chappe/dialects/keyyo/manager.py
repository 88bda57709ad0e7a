"""Keyyo's manager API: an account's lines, their profiles, calls, messages and plugins as HAL JSON.

Source: the Manager documentation, the official PHP client and the fields that ssbx/ocaml-keyyo lists
(dialects.md 5d). Names of resources that none of them shows are our choice, listed in docs/our-choices.md.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from chappe.dialects import reading
from chappe.dialects.contract import Dialect, Operation, WireCall
from chappe.dialects.keyyo import resources
from chappe.dialects.keyyo.notices import notice
from chappe.model.commands import (
    BlockNumber,
    ChangeLine,
    FindLine,
    Key,
    ListLines,
    UnblockNumber,
)
from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpRequest, HttpResponse
from chappe.services import inbox, lines, profiles, programs, voicemails

BASE = "/manager/1.0/"
_SERVICE = "services/{csi}"
_PROFILES, _CTI = "voip_profiles_admin", "cti_admin"
_BEARER = re.compile("Bearer +([!-~]+) *", re.IGNORECASE)
_SOURCE = "Keyyo's Manager documentation and its PHP client (dialects.md 5d)"

# Published: 403, 404 and 500. What is wrong with a request has no status of its own there: our choice.
STATUS_OF_FAULT: Mapping[Fault, int] = {fault: 500 for fault in Fault} | {
    Fault.BAD_CREDENTIALS: 403,
    Fault.NOT_ALLOWED: 403,
    Fault.ACCOUNT_SUSPENDED: 403,
    Fault.DESTINATION_FORBIDDEN: 403,
    Fault.RATE_LIMITED: 403,
    Fault.NOT_FOUND: 404,
    Fault.UNKNOWN_OPERATION: 404,
}


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))


def read(request: HttpRequest) -> WireCall:
    """Read the resource, the token, and the fields of query and form. Raises Refusal `bad_credentials`."""
    path = request.path[len(BASE) :].strip("/")
    found = _BEARER.fullmatch(request.headers.get("authorization", ""))
    fields = dict(reading.fields_of(reading.read_parameters(request, "cp1252")))
    verb, places = f"{request.method} {path}", {}
    for known, pattern in _PATTERNS:
        if (match := pattern.fullmatch(verb)) is not None:
            verb, places = known, match.groupdict()
            break
    return WireCall(
        verb,
        fields,
        data={name: unquote(value) for name, value in places.items()},
        credentials=(Key(found[1]),) if found else (),
        secrets=(found[1].encode(),) if found else (),
        request=request,
    )


def _place(call: WireCall, name: str) -> str:
    return str(call.data[name])


def refuse(refusal: Refusal, call: WireCall | None) -> HttpResponse:
    """The status, and why in `X-Status-Reason`."""
    text = refusal.detail.replace("\n", " ").encode("ascii", "replace").decode()[:300]
    headers = (("cache-control", "no-store"), ("X-Status-Reason", text))
    return HttpResponse(STATUS_OF_FAULT[refusal.fault], b"", "application/hal+json", headers)


def _decode_profile(call: WireCall) -> profiles.ChangeProfile:
    values, named, forced = resources.forwarding_of(call.fields)
    csi, name = _place(call, "csi"), _place(call, "profile")
    return profiles.ChangeProfile(csi, name, values, named, forced, resources.ends_voicemail(call.fields))


def _decode_new_profile(call: WireCall) -> profiles.AddProfile:
    values, _, forced = resources.forwarding_of(call.fields)
    name = reading.scalar(call.fields, "name")
    return profiles.AddProfile(_place(call, "csi"), name, values, forced)


def _decode_plugin(call: WireCall) -> ChangeLine | FindLine:
    """`enabled` 0 forgets the URL; 1 says nothing more than that there is one."""
    _check_plugin(call)
    if reading.read_boolean(reading.scalar(call.fields, "enabled")) is False:
        return ChangeLine(_place(call, "csi"), notification_url="")
    return ChangeLine(_place(call, "csi"))


def _decode_parameter(call: WireCall) -> ChangeLine:
    _check_plugin(call)
    return ChangeLine(_place(call, "csi"), notification_url=reading.first(call.fields, "value"))


def _check_plugin(call: WireCall) -> None:
    if _place(call, "plugin") != resources.PLUGIN:
        raise Refusal(Fault.NOT_FOUND, f"the only plugin is {resources.PLUGIN}")
    if "parameter" in call.data and _place(call, "parameter") != resources.PARAMETER:
        raise Refusal(Fault.NOT_FOUND, f"the only parameter is {resources.PARAMETER}")


def _line_of_plugin(call: WireCall) -> FindLine:
    _check_plugin(call)
    return FindLine(_place(call, "csi"))


def _decode_message(call: WireCall) -> voicemails.FindVoicemail:
    return voicemails.FindVoicemail(_place(call, "csi"), _number(call))


def _decode_mark(call: WireCall) -> voicemails.MarkVoicemail:
    heard = reading.read_boolean(reading.scalar(call.fields, "read"))
    if heard is None:
        raise Refusal(Fault.MISSING_PARAMETER, "say read=1 or read=0")
    return voicemails.MarkVoicemail(_place(call, "csi"), _number(call), heard)


def _number(call: WireCall) -> int:
    written = _place(call, "message")
    if not re.fullmatch("[0-9]{1,18}", written):
        raise Refusal(Fault.NOT_FOUND, f"there is no message {written[:30]!r}")
    return int(written)


def _line(
    decode: Callable[[WireCall], Any],
    run: programs.Run,
    encode: Callable[[Any, WireCall], HttpResponse],
    summary: str,
    *scopes: str,
    writes: bool = False,
) -> Operation:
    return Operation(decode, programs.within(run, *scopes, writes=writes), encode, summary, _SOURCE)


def _csi(command: Callable[..., Any]) -> Callable[[WireCall], Any]:
    return lambda call: command(_place(call, "csi"))


_PROFILE = f"{_SERVICE}/profiles/{{profile}}"
_PLUGIN = f"{_SERVICE}/cti_plugins/{{plugin}}"
_PARAMETER = f"{_PLUGIN}/parameters/{{parameter}}"
_MESSAGE = f"{_SERVICE}/voicemails/{{message}}"

OPERATIONS: Mapping[str, Operation] = {
    "GET services": _line(
        lambda _: ListLines(), lines.list_lines, resources.services, "List lines", _PROFILES, _CTI
    ),
    f"GET {_SERVICE}": _line(
        _csi(FindLine), lines.find_line, resources.service, "Read a line", _PROFILES, _CTI
    ),
    f"GET {_SERVICE}/profiles": _line(
        _csi(FindLine), lines.find_line, resources.profiles_of, "List a line's profiles", _PROFILES
    ),
    f"POST {_SERVICE}/profiles": _line(
        _decode_new_profile, profiles.add, resources.profile, "Add a profile", _PROFILES, writes=True
    ),
    f"DELETE {_SERVICE}/profiles": _line(
        _csi(profiles.RemoveProfiles),
        profiles.remove,
        resources.profiles_of,
        "Take all profiles away but the first",
        _PROFILES,
        writes=True,
    ),
    f"GET {_PROFILE}": _line(
        lambda call: profiles.FindProfile(_place(call, "csi"), _place(call, "profile")),
        profiles.find,
        resources.profile,
        "Read a profile",
        _PROFILES,
    ),
    f"POST {_PROFILE}": _line(
        _decode_profile, profiles.change, resources.profile, "Change a profile", _PROFILES, writes=True
    ),
    f"DELETE {_PROFILE}": _line(
        lambda call: profiles.RemoveProfiles(_place(call, "csi"), _place(call, "profile")),
        profiles.remove,
        resources.nothing,
        "Take a profile away",
        _PROFILES,
        writes=True,
    ),
    f"GET {_SERVICE}/call_details": _line(
        resources.decode_calls, lines.list_calls, resources.call_details, "List a line's calls"
    ),
    f"GET {_SERVICE}/voicemails": _line(
        resources.decode_messages, voicemails.list_messages, resources.messages, "List a line's messages"
    ),
    f"GET {_MESSAGE}": _line(
        _decode_message, voicemails.find, resources.message, "Read a message with its sound"
    ),
    f"POST {_MESSAGE}": _line(
        _decode_mark, voicemails.mark, resources.message, "Mark a message", writes=True
    ),
    f"DELETE {_MESSAGE}": _line(
        lambda call: voicemails.DeleteVoicemail(_place(call, "csi"), _number(call)),
        voicemails.delete,
        resources.nothing,
        "Delete a message",
        writes=True,
    ),
    "GET blacklist": _line(
        resources.decode_blacklist, inbox.list_blacklist, resources.blacklist, "List blocked numbers"
    ),
    "POST blacklist": _line(
        lambda call: BlockNumber(reading.scalar(call.fields, "number")),
        inbox.block_number,
        resources.blocked,
        "Block a number",
        writes=True,
    ),
    "DELETE blacklist/{number}": _line(
        lambda call: UnblockNumber(_place(call, "number")),
        inbox.unblock_number,
        resources.nothing,
        "Lift a block",
        writes=True,
    ),
    f"GET {_SERVICE}/cti_plugins": _line(
        _csi(FindLine), lines.find_line, resources.plugins, "List a line's plugins", _CTI
    ),
    f"GET {_PLUGIN}": _line(_line_of_plugin, lines.find_line, resources.plugin, "Read a plugin", _CTI),
    f"POST {_PLUGIN}": _line(
        _decode_plugin, lines.change_line, resources.plugin, "Turn a plugin on or off", _CTI, writes=True
    ),
    f"GET {_PLUGIN}/parameters": _line(
        _line_of_plugin, lines.find_line, resources.parameters, "List what a plugin is told", _CTI
    ),
    f"GET {_PARAMETER}": _line(
        _line_of_plugin, lines.find_line, resources.parameter, "Read what a plugin is told", _CTI
    ),
    f"POST {_PARAMETER}": _line(
        _decode_parameter, lines.change_line, resources.parameter, "Set a plugin's URL", _CTI, writes=True
    ),
    f"POST {_SERVICE}/csi_token": _line(
        lambda call: programs.MakeLineToken(_place(call, "csi"), resources.masks(call.fields)),
        programs.make_line_token,
        resources.line_token,
        "Make a token for a page",
        _CTI,
        writes=True,
    ),
}
# Fixed parts first: `services/{csi}` is no match for what goes on behind a slash.
_PATTERNS = tuple((verb, _pattern(verb)) for verb in OPERATIONS)

MANAGER = Dialect(name="keyyo", paths=(BASE,), read=read, operations=OPERATIONS, refuse=refuse, notice=notice)
