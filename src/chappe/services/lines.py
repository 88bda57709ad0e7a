"""Telephone lines: whose they are, who may act for them from where, what they send."""

from dataclasses import replace

from chappe.model.calls import CallStory
from chappe.model.changes import Changes, Update
from chappe.model.commands import Caller, CallFromLine, ChangeLine, ListLines, SendFromLine, SendOutcome
from chappe.model.directory import Line
from chappe.model.errors import Fault, Refusal
from chappe.model.numbers import NumberError, read_msisdn
from chappe.model.sources import check_sources
from chappe.services import calls, messages, subscriptions
from chappe.services.ports import Platform


async def list_lines(platform: Platform, caller: Caller, command: ListLines) -> tuple[Line, ...]:
    """The account's lines, oldest first."""
    return await platform.store.queries.lines(caller.account_id)


async def change_line(platform: Platform, caller: Caller, command: ChangeLine) -> Line:
    """Set where a line's calls are told and from where programs may act for it. Raises Refusal `not_found`,
    and `invalid_parameter` with the field."""
    line = await _own(platform, caller, command.number)
    if command.notification_url:
        subscriptions.check_url(command.notification_url)
    if command.allowed_sources is not None:
        try:
            check_sources(command.allowed_sources)
        except ValueError as error:
            detail = (
                f"{command.allowed_sources!r} cannot be used: {error}; write for instance 192.0.2.1|192.0.2.7"
            )
            raise Refusal(Fault.INVALID_PARAMETER, detail, "allowed_sources") from error
    wanted = {"notification_url": command.notification_url, "allowed_sources": command.allowed_sources}
    values = {name: value for name, value in wanted.items() if value is not None}
    if values:
        await platform.store.commit(Changes(update=[Update(Line, line.id, caller.account_id, values)]))
        platform.door.forget()  # whom the old expression let in
    return await _own(platform, caller, line.number)


async def send_message(platform: Platform, caller: Caller, command: SendFromLine) -> SendOutcome:
    """Send as a line; its number is the sender. Raises Refusal: `rate_limited` for a second request of a line
    within a second (dialects.md 5b; each process counts for itself), and all that `messages.send` raises."""
    line = await _own(platform, caller, command.line)
    platform.door.check_pace(f"line {line.number}", platform.clock.now())
    return await messages.send(platform, caller, replace(command.message, sender=line.number))


async def make_call(platform: Platform, caller: Caller, command: CallFromLine) -> CallStory:
    """Place a call as a line. Raises Refusal: `rate_limited` as above, and all that `calls.place` raises."""
    line = await _own(platform, caller, command.line)
    platform.door.check_pace(f"line {line.number}", platform.clock.now())
    return await calls.place(platform, caller, replace(command.call, line=line.number))


async def _own(platform: Platform, caller: Caller, written: str) -> Line:
    try:
        number = str(read_msisdn(written, caller.region))
    except NumberError:
        number = written
    line = await platform.store.queries.line_by_number(number)
    if line is None or line.account_id != caller.account_id:
        raise Refusal(Fault.NOT_FOUND, f"{written} is none of this account's lines", "number")
    return line
