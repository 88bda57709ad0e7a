"""One attempt of a callback: who is to be rung in which order, what it may cost, and the call that it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from chappe.flows.ring_group import RingGroupCall, Rung
from chappe.flows.two_leg import CONFIRMING
from chappe.model.callbacks import CallbackForm, CallbackRequest, CallbackState, FirstRung, FormFile
from chappe.model.calls import Call, CallKind, CallState
from chappe.model.changes import Changes, Update
from chappe.model.commands import Caller
from chappe.model.directory import Account, AccountState
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal, Unavailable
from chappe.model.events import EventName
from chappe.model.jobs import Job
from chappe.model.ledger import Hold
from chappe.model.numbers import display
from chappe.model.ringgroups import Operator, RingOrder, Roster
from chappe.model.sounds import Sound, Speech, Uploaded
from chappe.services import (
    callbackends,
    callbacknotices,
    calling,
    callnotices,
    openinghours,
    ringgroups,
    sandbox,
)
from chappe.services.callbackends import START
from chappe.services.ports import Platform
from chappe.services.recordings import CALLED_AS, MESSAGES_TO
from chappe.services.routing import Way

__all__ = ["START", "start"]

PAUSES = (timedelta(seconds=5),) * 11
"""How often an attempt is put off that the account's limits of calls do not let begin (our choice): a
minute."""

_SOUNDS = timedelta(minutes=1)
_SHORTEST_PAID = timedelta(seconds=10)
"""How long the sounds of both sides are thought to be at most, which somebody pays for; and the talk that the
balance must at least pay for."""

_TOLD = {
    "fr": "Demande de rappel sur {form}, de la part de {who}.",
    "en": "A callback asked for on {form}, by {who}.",
}
_WELCOME = {
    "fr": "Vous avez demandé à être rappelé par {form}. Nous vous mettons en relation.",
    "en": "You asked to be called back by {form}. We are connecting you.",
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """Who is rung, and over which ways; `takes_messages` where nobody can be had. `shut`: it is closed, and
    no group is called then."""

    operators: Sequence[tuple[Operator, Way]]
    visitor: Way
    takes_messages: bool
    shut: bool


async def start(platform: Platform, job: Job) -> str:
    """Make the attempt that a job is for. Whatever keeps it from being begun is written into the request, but
    for what passes in a moment: then the job comes back."""
    request = await platform.store.queries.callback(job.account_id, job.subject)
    if request is None or request.state is not CallbackState.WAITING:
        return "dropped: it was called off, or is being called"
    if request.attempt != job.payload["attempt"]:
        return "dropped: a later attempt waits"
    try:
        if job.attempts > len(PAUSES):
            raise Refusal(Fault.INTERNAL, "it could not be begun")
        return await _begin(platform, request)
    except Unavailable:
        raise
    except Refusal as refusal:
        if refusal.fault is Fault.TOO_LATE:
            return "dropped: somebody else was quicker"
        if refusal.fault is Fault.TOO_MANY_CALLS and job.attempts < len(PAUSES):
            raise CarrierError(CarrierErrorKind.TEMPORARY, refusal.fault, refusal.detail) from refusal
        again = refusal.fault in (Fault.TOO_MANY_CALLS, Fault.NO_ROUTE)
        await callbackends.not_begun(
            platform, request, CallbackState.FAILED, refusal.fault.value, again=again
        )
        return f"not begun: {refusal.detail}"


async def _begin(platform: Platform, request: CallbackRequest) -> str:
    queries = platform.store.queries
    form = await queries.callback_form(request.account_id, request.form_id)
    account = await queries.account(request.account_id)
    if form is None or form.removed_at is not None:
        raise Refusal(Fault.NOT_FOUND, "its form was removed")
    if account is None or account.state is not AccountState.OPEN:
        raise Refusal(Fault.ACCOUNT_SUSPENDED, "its account is suspended")
    caller = _caller(account, request)
    plan = await _plan(platform, caller, form, request)
    if not plan.operators and not plan.takes_messages:
        cause = "closed" if plan.shut else "nobody_free"
        again = not plan.shut
        await callbackends.not_begun(platform, request, CallbackState.MISSED, cause, again=again)
        return f"not begun: {cause}"
    flow = await _flow(platform, caller, form, request, plan)
    return await _write(platform, caller, form, request, plan, flow)


def _caller(account: Account, request: CallbackRequest) -> Caller:
    """On whose behalf a request is called."""
    return Caller(
        account_id=account.id,
        guid=account.guid,
        kind=account.kind,
        default_sender=account.default_sender,
        user_id=None,
        user_name="",
        dialect=request.dialect,
        region=account.region,
        daily_cap=account.daily_cap,
        open_destinations=tuple(account.open_destinations.split()),
        calls_a_day=account.calls_a_day,
        calls_cap=account.calls_cap,
    )


# --- who is rung


async def _plan(platform: Platform, caller: Caller, form: CallbackForm, request: CallbackRequest) -> _Plan:
    visitor = calling.callable_number(platform, caller, request.visitor, "visitor")
    way = await calling.way(platform, visitor)
    name = form.open_group if await _is_open(platform, form) else form.closed_group
    roster = await ringgroups.roster_of(platform, request.account_id, name) if name else None
    operators = () if roster is None else await _in_turn(platform, roster)
    numbers = [one.number for one in operators]
    busy = await platform.store.queries.busy_numbers(request.account_id, numbers) if numbers else frozenset()
    found = []
    for operator in operators:
        if operator.number in busy or operator.number == visitor:
            continue
        try:
            calling.callable_number(platform, caller, operator.number, "operator")
            its = await calling.way(platform, operator.number)
            calling.check_joinable((way.carrier, its.carrier))
        except Refusal:
            continue  # its destination was closed, or its route taken away, meanwhile
        found.append((operator, its))
    is_last = request.attempt + 1 >= request.tries
    takes = bool(form.mailbox) and (is_last or not operators)
    return _Plan(found, way, takes, roster is None)


async def _is_open(platform: Platform, form: CallbackForm) -> bool:
    """Whether the form's opening hours let it be called now; hours that were deleted close nobody out."""
    table = await openinghours.hours(platform, form.account_id, form.hours) if form.hours else None
    return table is None or table.is_open(platform.clock.now(), form.zone)


async def _in_turn(platform: Platform, roster: Roster) -> Sequence[Operator]:
    """The operators of a group in the order in which this attempt rings them."""
    operators = list(roster.operators)
    if roster.group.order is RingOrder.RANDOM:
        Random(platform.ids.secret(16)).shuffle(operators)
    elif roster.group.order is RingOrder.ROUND_ROBIN and operators:
        turn = await platform.store.take_turn(roster.group.account_id, roster.group.id) or 0
        first = turn % len(operators)
        operators = operators[first:] + operators[:first]
    return operators


# --- what they hear


async def _flow(
    platform: Platform, caller: Caller, form: CallbackForm, request: CallbackRequest, plan: _Plan
) -> RingGroupCall:
    files = await platform.store.queries.callback_form_files(form.account_id, form.id)
    sounds = {one.file: Uploaded(one.ref) for one in files}
    ways = [plan.visitor, *(way for _, way in plan.operators)]
    is_virtual = all(way.carrier == sandbox.CARRIER for way in ways)
    first = plan.operators[0][0].number if plan.operators else ""
    to_operator = await _shown(platform, caller, form.shown_to_operator, request.visitor, is_virtual)
    to_visitor = await _shown(platform, caller, form.shown_to_visitor, first, is_virtual)
    who = request.name or display(request.visitor, caller.region)
    told = _spoken(form, _TOLD[form.language].format(form=form.name, who=who))
    welcome = _spoken(form, _WELCOME[form.language].format(form=form.name))
    return RingGroupCall(
        visitor=request.visitor,
        visitor_seconds=form.visitor_seconds,
        operators=[
            Rung(one.number, min(one.ring_seconds, form.operator_seconds)) for one, _ in plan.operators
        ],
        shown_to_operator=to_operator,
        shown_to_visitor=to_visitor,
        longest_seconds=request.longest_seconds,
        # Who has to press a key does so before anybody else is called.
        visitor_first=form.confirms or form.first_rung is FirstRung.VISITOR,
        told=[sounds.get(FormFile.OPERATOR_SOUND, told)],
        welcome=[sounds.get(FormFile.VISITOR_SOUND, welcome)],
        greeting=sounds.get(FormFile.GREETING),
        takes_messages=plan.takes_messages,
        tries_again=request.attempt + 1 < request.tries,
        confirms=form.confirms,
        recorded=request.recorded,
        language=form.language,
        voice=form.voice,
    )


async def _shown(platform: Platform, caller: Caller, chosen: str, other: str, is_virtual: bool) -> str:
    """The number that a side sees: the form's where the account still has a right to it."""
    if chosen:
        try:
            return await calling.shown_number(platform, caller, chosen, other, is_virtual=is_virtual)
        except Refusal:
            pass  # the account has given it back: as if the form had none
    return await calling.shown_number(platform, caller, None, other, is_virtual=is_virtual, shows_other=True)


def _spoken(form: CallbackForm, text: str) -> Sound:
    return Speech(text, form.language, form.voice)


# --- the call


async def _write(
    platform: Platform,
    caller: Caller,
    form: CallbackForm,
    request: CallbackRequest,
    plan: _Plan,
    flow: RingGroupCall,
) -> str:
    board = platform.live_calls.board
    ways = [plan.visitor, *(way for _, way in plan.operators)]
    is_inside = calling.stays_inside(ways)
    rate = plan.visitor.price + max((way.price for _, way in plan.operators), default=0)
    ringing = max(flow.visitor_seconds, sum(one.seconds for one in flow.operators))
    wanted = timedelta(seconds=flow.longest_seconds + ringing) + CONFIRMING + _SOUNDS
    async with platform.live_calls.turn(caller.account_id):
        cap = platform.rules.daily_cap if caller.daily_cap is None else caller.daily_cap
        reserve, payable = calling.longest_affordable(
            await calling.free(platform, caller.account_id, cap), rate, wanted
        )
        if payable < _SHORTEST_PAID:
            seconds = int(payable.total_seconds())
            detail = f"the credits that are left pay {seconds} seconds of this call; buy some"
            raise Refusal(Fault.INSUFFICIENT_CREDITS, detail)
        now = platform.clock.now()
        call = Call(
            id=platform.ids.new_id(),
            ref=platform.ids.new_ref(),
            account_id=caller.account_id,
            kind=CallKind.CALLBACK,
            state=CallState.LIVE,
            first=request.visitor,
            second=flow.operators[0].number if flow.operators else "",
            plan={
                "rate": rate,
                "longest": flow.longest_seconds,
                "confirm": flow.confirms,
                "recorded": flow.recorded,
                "callback": request.ref,
                MESSAGES_TO: form.mailbox,
                CALLED_AS: form.name,
            },
            dialect=request.dialect,
            created_at=now,
            seen_at=now,
            node=platform.node,
            reserved=reserve,
            is_virtual=is_inside,
        )
        began = replace(
            request, state=CallbackState.CALLING, attempt=request.attempt + 1, call_id=call.id, cause=""
        )
        values = {"state": began.state, "attempt": began.attempt, "call_id": call.id, "cause": ""}
        waits = {"state": CallbackState.WAITING, "attempt": request.attempt}
        update = Update(CallbackRequest, request.id, request.account_id, values, waits)
        jobs = await callnotices.notices(platform, call, EventName.CALL_STARTED, now)
        jobs += await callbacknotices.notices(platform, began, EventName.CALLBACK_STARTED, now)
        changes = Changes(
            insert=[call, *await board.prepare(call, flow)],
            update=[update],
            reach=[(caller.account_id, request.visitor)],
            hold=[Hold(caller.account_id, reserve, cap)] if reserve else [],
            enqueue=jobs,
            limits=[await calling.limits(platform, caller, is_virtual=is_inside)],
        )
        try:
            await platform.store.commit(changes)
        except BaseException:
            board.forget(call.id)
            raise
    callbacknotices.ring(platform, began, jobs)
    board.begin(call, flow)
    return "begun"
