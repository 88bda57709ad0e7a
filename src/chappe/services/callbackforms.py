"""Callback forms of an account: what they are called, whom they ring, where they may call."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chappe.model.callbacks import (
    LABEL_LENGTH,
    LABELS,
    AllowDestinations,
    CallbackForm,
    ChangeForm,
    CreateForm,
    Destination,
    FindForm,
    FirstRung,
    ListDestinations,
    ListForms,
    RemoveForm,
)
from chappe.model.changes import Changes, Update
from chappe.model.commands import Caller
from chappe.model.destinations import closed_prefix, is_opened
from chappe.model.errors import Fault, Refusal
from chappe.model.numberkinds import all_kinds
from chappe.model.ringgroups import RING_RANGE
from chappe.services import callbackends, calling
from chappe.services.accounts import looks_like_mail
from chappe.services.ports import Platform

MOST_FORMS = 200
LONGEST_NAME = 100
LONGEST_MESSAGE = 1_000
_LONGEST_NUMBER = 18
"""Our choice: how many forms an account may have, how many letters names and messages, digits of a number."""

_TEXTS = {
    "hours": LONGEST_NAME,
    "open_group": LONGEST_NAME,
    "closed_group": LONGEST_NAME,
    "open_message": LONGEST_MESSAGE,
    "closed_message": LONGEST_MESSAGE,
}
_FLAGS = ("immediate", "asks_name", "recorded", "confirms")
_COUNTS = {
    "operator_seconds": RING_RANGE,
    "visitor_seconds": RING_RANGE,
    "repeat_seconds": (0, 86_400),
    "per_address": (0, 10_000),
    "per_hour": (0, 100_000),
}
_CHOICES: Mapping[str, Sequence[str]] = {
    "language": ("fr", "en"),
    "voice": ("female", "male"),
    "first_rung": tuple(FirstRung),
}
SETTINGS = frozenset(
    (
        *(*_TEXTS, *_FLAGS, *_COUNTS, *_CHOICES, "name", "zone", "mailbox", "labels", "allowed"),
        *("shown_to_operator", "shown_to_visitor"),
    )
)
"""What can be set of a form."""


async def create(platform: Platform, caller: Caller, command: CreateForm) -> CallbackForm:
    """A new form. Raises Refusal with the setting at fault, before anything is written."""
    platform.store.admit()
    forms = await platform.store.queries.callback_forms(caller.account_id)
    if len(forms) >= MOST_FORMS:
        raise Refusal(
            Fault.NOT_ALLOWED, f"an account may have {MOST_FORMS} callback forms: remove one that is not used"
        )
    usual = CallbackForm(
        id=platform.ids.new_id(),
        ref=platform.ids.new_ref(),
        account_id=caller.account_id,
        number=0,
        name=_name(command.name),
        first_rung=FirstRung.OPERATOR,
        language="fr",
        voice="female",
        operator_seconds=60,
        visitor_seconds=60,
        created_at=platform.clock.now(),
    )
    form = replace(usual, **await _settings(platform, caller, usual, command.settings))  # type: ignore[arg-type]
    number = await platform.store.count_up(f"callback forms {caller.account_id}")
    form = replace(form, number=number)
    await platform.store.commit(Changes(insert=[form]))
    _tell(platform, caller)
    return form


async def change(platform: Platform, caller: Caller, command: ChangeForm) -> CallbackForm:
    """Change what is given of a form. Raises Refusal `not_found`, or with the setting at fault."""
    form = await find(platform, caller, FindForm(command.form))
    values = await _settings(platform, caller, form, command.settings)
    if values:
        update = Update(CallbackForm, form.id, caller.account_id, values, {"removed_at": None})
        await platform.store.commit(Changes(update=[update]))
        _tell(platform, caller)
    return replace(form, **values)  # type: ignore[arg-type]


async def list_forms(platform: Platform, caller: Caller, command: ListForms) -> tuple[CallbackForm, ...]:
    """The account's forms, by number."""
    return await platform.store.queries.callback_forms(caller.account_id)


async def find(platform: Platform, caller: Caller, command: FindForm) -> CallbackForm:
    """One form by its number or ref. Raises Refusal `not_found`, also where it was removed."""
    form = await form_of(platform, caller.account_id, command.form)
    if form is None or form.removed_at is not None:
        raise Refusal(Fault.NOT_FOUND, f"there is no callback form {command.form}", "form")
    return form


async def form_of(platform: Platform, account_id: int, written: str) -> CallbackForm | None:
    """The account's form with a number or a ref, removed or not."""
    if len(written) == 26 and written.isascii() and written.isalnum():
        return await platform.store.queries.callback_form_by_ref(account_id, written)
    if written.isascii() and written.isdigit() and len(written) <= _LONGEST_NUMBER:
        return await platform.store.queries.callback_form_numbered(account_id, int(written))
    return None


async def public_form(platform: Platform, ref: str) -> CallbackForm | None:
    """The form that the widget's address names, whosever it is; None where there is none, or it was
    removed."""
    if len(ref) != 26 or not ref.isascii() or not ref.isalnum():
        return None
    return await platform.store.queries.public_callback_form(ref)


async def remove(platform: Platform, caller: Caller, command: RemoveForm) -> None:
    """Remove a form: what waits of it is cancelled. Raises Refusal `not_found`."""
    form = await find(platform, caller, FindForm(command.form))
    removed = {"removed_at": platform.clock.now()}
    gone = Update(CallbackForm, form.id, caller.account_id, removed, {"removed_at": None})
    await platform.store.commit(Changes(update=[gone]))
    while waiting := await platform.store.queries.waiting_callbacks(caller.account_id, form.id, 100):
        for request in waiting:
            await callbackends.cancel(platform, request, "form removed")
    _tell(platform, caller)


# --- settings


async def _settings(
    platform: Platform, caller: Caller, form: CallbackForm, given: Mapping[str, object]
) -> dict[str, object]:
    """What a form's fields become. Raises Refusal with the setting at fault."""
    values: dict[str, object] = {}
    for name, value in given.items():
        if name in _TEXTS:
            values[name] = _text(name, value, _TEXTS[name])
        elif name in _FLAGS:
            values[name] = bool(value)
        elif name in _COUNTS:
            values[name] = _count(name, value, *_COUNTS[name])
        elif name in _CHOICES:
            values[name] = _choice(name, value, _CHOICES[name])
        elif name == "name":
            values[name] = _name(str(value))
        elif name == "zone":
            values[name] = _zone(str(value))
        elif name == "mailbox":
            values[name] = _mailbox(str(value or "").strip())
        elif name == "labels":
            values[name] = _labels(value, form.labels)
        elif name == "allowed":
            values[name] = _allowed(value)
        elif name in ("shown_to_operator", "shown_to_visitor"):
            written = str(value or "").strip()
            shown = await calling.shown_number(platform, caller, written, field=name) if written else ""
            values[name] = shown
        else:
            raise Refusal(Fault.INVALID_PARAMETER, f"a callback form has no setting {name!r}", name)
    for name in ("open_group", "closed_group"):
        group = str(values.get(name, ""))
        if group and await platform.store.queries.ring_group_named(caller.account_id, group) is None:
            detail = f"there is no ring group {group!r}: create it, or give its name as it is listed"
            raise Refusal(Fault.NOT_FOUND, detail, name)
    hours = str(values.get("hours", ""))
    if hours and await platform.store.queries.hours_named(caller.account_id, hours) is None:
        detail = f"there are no opening hours {hours!r}: create them, or give their name as it is listed"
        raise Refusal(Fault.NOT_FOUND, detail, "hours")
    if "first_rung" in values:
        values["first_rung"] = FirstRung(str(values["first_rung"]))
    assert values.keys() <= {one.name for one in fields(CallbackForm)}
    return values


def _name(written: str) -> str:
    name = written.strip()
    if not name:
        raise Refusal(Fault.MISSING_PARAMETER, "give the callback form a name", "name")
    return _text("name", name, LONGEST_NAME)


def _text(name: str, value: object, longest: int) -> str:
    text = str(value or "").strip()
    if len(text) > longest:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"it has {len(text)} letters, at most {longest} are taken", name
        )
    return text


def _count(name: str, value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or not least <= value <= most:
        raise Refusal(Fault.INVALID_PARAMETER, f"{value!r} is not accepted; write {least} to {most}", name)
    return value


def _choice(name: str, value: object, choices: Sequence[str]) -> str:
    written = str(value.value if isinstance(value, StrEnum) else value)
    if written not in choices:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{written!r} is not accepted; write one of {', '.join(choices)}", name
        )
    return written


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{name!r} is no time zone; write one like Europe/Paris", "zone"
        ) from None
    return name


def _mailbox(address: str) -> str:
    if address and not looks_like_mail(address):
        detail = f"{address!r} is no mail address; write one like name@example.com"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "mailbox")
    return address


def _labels(value: object, before: Sequence[str]) -> tuple[str, ...]:
    given = list(value) if isinstance(value, list | tuple) else None
    if given is None or len(given) > LABELS:
        raise Refusal(Fault.INVALID_PARAMETER, f"give up to {LABELS} labels", "labels")
    given += [""] * (LABELS - len(given))
    return tuple(
        was if one is None else _text("labels", one, LABEL_LENGTH)
        for one, was in zip(given, before, strict=True)
    )


# --- where it may call


def _allowed(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    given = [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]
    return tuple(sorted(_codes(given)))


def _codes(written: Sequence[str]) -> set[str]:
    """Codes from codes in any case, or numbers. Raises Refusal `invalid_parameter`."""
    known = {kind.code.casefold(): kind.code for kind in all_kinds()}
    known |= {str(kind.number): kind.code for kind in all_kinds()}
    for one in written:
        if one.strip().casefold() not in known:
            raise Refusal(
                Fault.INVALID_PARAMETER,
                f"{one!r} is no destination; write a country and a kind, such as FR_Mobile or CH_Fixed",
                "destinations",
            )
    return {known[one.strip().casefold()] for one in written}


async def list_destinations(
    platform: Platform, caller: Caller, command: ListDestinations
) -> tuple[Destination, ...]:
    """Every country and kind with its price, and whether the form may call there. Raises Refusal
    `not_found`."""
    form = await find(platform, caller, FindForm(command.form))
    return _destinations(platform, caller, form)


async def allow_destinations(
    platform: Platform, caller: Caller, command: AllowDestinations
) -> tuple[Destination, ...]:
    """Let a form call more or fewer destinations. Raises Refusal `not_found`, `invalid_parameter`."""
    form = await find(platform, caller, FindForm(command.form))
    codes = _codes(command.destinations)
    before = {kind.code for kind in all_kinds()} if form.allowed is None else set(form.allowed)
    after = before | codes if command.allowed else before - codes
    if after != before:
        allowed = tuple(sorted(after))
        form = await change(platform, caller, ChangeForm(command.form, {"allowed": allowed}))
    return _destinations(platform, caller, form)


def _destinations(platform: Platform, caller: Caller, form: CallbackForm) -> tuple[Destination, ...]:
    found = []
    for kind in all_kinds():
        try:
            price = platform.router.way("call", kind.example).price
            may = not closed_prefix(kind.example) or is_opened(kind.example, caller.open_destinations)
        except Refusal:
            price, may = 0, False  # no route goes there
        allowed = may and (form.allowed is None or kind.code in form.allowed)
        found.append(Destination(kind.number, kind.code, price, allowed))
    return tuple(found)


def _tell(platform: Platform, caller: Caller) -> None:
    platform.topics.publish(f"account.{caller.account_id}")
