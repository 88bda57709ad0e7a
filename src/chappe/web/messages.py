"""Pages of messages: the list with its filter, one message with its course, and writing one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.commands import Accepted, CancelMessages, QuoteMessages, Refused, SendMessages
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Exchange, MessageStory
from chappe.model.jobs import Job, JobState
from chappe.model.messages import Direction, Message, MessageState, Purpose
from chappe.model.network import Held, Reason
from chappe.services import history, messages, waiting
from chappe.services.ports import Platform
from chappe.web import curl, outcomes, search, stories, subscriptions, words
from chappe.web.accounts import SAMPLE_NUMBER
from chappe.web.visits import Visit, for_members


def routes(platform: Platform) -> list[BaseRoute]:
    return [
        Route("/messages", for_members(platform, list_page), methods=["GET"]),
        Route("/messages", for_members(platform, send), methods=["POST"]),
        Route("/messages/new", for_members(platform, compose)),
        Route("/messages/quote", for_members(platform, quote), methods=["POST"]),
        Route("/messages/{id:int}", for_members(platform, by_id)),
        Route("/messages/{ref}", for_members(platform, message_page)),
        Route("/messages/{ref}/cancel", for_members(platform, cancel), methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Draft:
    """A message being written, as typed."""

    to: str = ""
    text: str = ""
    sender: str = ""
    flash: bool = False
    advertising: bool = False

    @property
    def purpose(self) -> Purpose:
        """What it is sent for."""
        return Purpose.MARKETING if self.advertising else Purpose.TRANSACTIONAL


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a message's course. `until` bounds a wait, `due` is the next try, `replay` a notice that
    can be sent again. `rule` is why it waits, or `code` the network's word and `down` since when that is
    away."""

    tone: str
    title: str
    at: datetime | None = None
    means: str = ""
    until: datetime | None = None
    due: datetime | None = None
    exchanges: tuple[Exchange, ...] = ()
    replay: int | None = None
    rule: stories.Told | None = None
    code: str = ""
    down: datetime | None = None


async def list_page(platform: Platform, visit: Visit) -> Response:
    typed, cursor = visit.request.query_params.get("q", "")[:200], visit.cursor()
    found = search.read(typed, cursor, visit.caller.region, visit.say)
    text = visit.say(words.N_("Hello from an old program"))
    misread = visit.say(words.N_("“%(term)s” says nothing to the filter and was left out."))
    return visit.page(
        "messages.html",
        query=typed,
        misread=misread % {"term": found.misread} if found.misread else "",
        page=await history.list_messages(platform, visit.caller, found.search),
        cursor=cursor,
        curl=curl.rest(curl.Sample(visit.base_url, SAMPLE_NUMBER, text)),
    )


async def by_id(platform: Platform, visit: Visit) -> Response:
    """The page of a message that is known by its number."""
    ref = await history.ref_of(platform, visit.caller, visit.request.path_params["id"])
    return visit.sorry(404) if ref is None else visit.go(f"/messages/{ref}")


async def message_page(platform: Platform, visit: Visit) -> Response:
    story = await history.read_story(platform, visit.caller, visit.request.path_params["ref"])
    if story is None:
        return visit.sorry(404)
    return await _story_page(platform, visit, story)


async def _story_page(
    platform: Platform, visit: Visit, story: MessageStory, status: int = 200, **values: object
) -> Response:
    message = story.message
    copies: Sequence[tuple[str, str]] = ()
    if message.direction is Direction.MT:
        sample = curl.Sample(
            visit.base_url,
            message.peer,
            message.text,
            message.address,
            message.flash,
            message.purpose is Purpose.MARKETING,
        )
        copies = [(words.DIALECT[dialect], line) for dialect, line in curl.lines(sample)]
    targets = await subscriptions.targets(platform, visit) if story.notices else {}
    return visit.page(
        "message.html",
        status,
        m=message,
        moments=moments(visit, story, targets, await waiting.why_own(platform, message)),
        warnings=[
            stories.tell(rule, visit.reader.language)
            for rule in (message.warned_by or "").split()
            if rule != message.held_by  # its course tells that
        ],
        copies=copies,
        **values,
    )


def moments(
    visit: Visit, story: MessageStory, targets: subscriptions.Targets, held: Held | None
) -> list[Moment]:
    """The course of a message: its states, its notices among them by time, and what it waits for."""
    asked = tuple(one for one in story.exchanges if not one.outgoing)
    course = [
        _step(visit, story.message, name, at, asked if position == 0 else (), held)
        for position, (name, at) in enumerate(story.timeline)
    ]
    course += [_notice(visit, job, story.exchanges, targets) for job in story.notices]
    course.sort(key=lambda moment: moment.at.timestamp() if moment.at else 0)
    if story.message.state is MessageState.SENT and story.message.receipt_wanted:
        title = visit.say(words.N_("Waiting for the receipt"))
        course.append(Moment("next", title, until=_until(story.message)))
    return course


def _step(
    visit: Visit, message: Message, name: str, at: datetime, asked: tuple[Exchange, ...], held: Held | None
) -> Moment:
    """One state on the way, or the present one; `held` says what that waits for."""
    language = visit.reader.language
    rule = stories.tell(message.held_by, language) if message.held_by and name == "scheduled" else None
    if name != message.state:
        # A message that has gone on is not waiting any more: its first state only says that it was taken.
        name = "accepted" if name == MessageState.QUEUED and at == message.created_at else name
        passed = name in ("accepted", MessageState.SCHEDULED, MessageState.SENT)
        means = visit.say(words.STATE_MEANS[name]) if passed else ""
        if rule is not None:
            means = visit.say(words.N_("A rule held it until the next allowed time."))
        return Moment("past", visit.say(words.STATE[name]), at, means, exchanges=asked, rule=rule)
    moment = Moment(
        words.TONE[name],
        visit.say(words.STATE[name]),
        at,
        stories.ended(message, language),
        None if name == MessageState.SENT else _until(message),
        exchanges=asked,
    )
    if rule is not None:
        means = visit.say(words.N_("A rule allows it no earlier."))
        return replace(moment, title=visit.say(words.N_("Held by a rule")), means=means, rule=rule)
    if held is None or held.reason not in stories.WAITS:
        return moment
    means = visit.say(stories.WAITS[held.reason])
    due = held.until if held.reason is Reason.LATER else None
    return replace(moment, means=means, code=held.code, down=held.since, due=due)


def _until(message: Message) -> datetime | None:
    """Until when a message stays in its present state at most."""
    match message.state:
        case MessageState.SCHEDULED:
            return message.send_at
        case MessageState.QUEUED | MessageState.SENDING | MessageState.SENT:
            return message.expires_at
        case _:
            return None


def _notice(visit: Visit, job: Job, exchanges: Sequence[Exchange], targets: subscriptions.Targets) -> Moment:
    event = str(job.payload.get("event", ""))
    title = visit.say(words.N_("Notice “%(event)s” to %(target)s")) % {
        "event": visit.say(words.EVENT.get(event, event)),
        "target": subscriptions.target_of(job, targets) or visit.say(words.N_("somebody no longer told")),
    }
    name = words.delivery_state(job)
    state, outcome = visit.say(words.JOB_STATE[name]), outcomes.outcome(job.outcome, visit.say)
    return Moment(
        tone=words.TONE.get(name, "past"),
        title=title,
        at=job.done_at or job.created_at,
        means=f"{state} · {outcome}" if outcome else state,
        due=job.due_at if job.state is JobState.WAITING and job.attempts else None,
        exchanges=tuple(one for one in exchanges if one.job_id == job.id),
        replay=job.id if job.state in (JobState.DEAD, JobState.DONE) else None,
    )


async def compose(platform: Platform, visit: Visit) -> Response:
    """An empty form, or one filled from a message to send again or to answer."""
    params, draft = visit.request.query_params, Draft(to=visit.request.query_params.get("to", "")[:200])
    ref = params.get("again") or params.get("answer")
    if ref:
        story = await history.read_story(platform, visit.caller, ref)
        if story is None:
            return visit.sorry(404)
        old = story.message
        again = bool(params.get("again"))
        advertising = again and old.purpose is Purpose.MARKETING
        draft = Draft(f"+{old.peer}", old.text if again else "", old.address, old.flash, advertising)
    return visit.page("compose.html", draft=draft, quote=None)


def _draft(visit: Visit) -> Draft:
    text = visit.form.get("text", ("",))[0]
    flash, advertising = bool(visit.field("flash")), bool(visit.field("advertising"))
    return Draft(visit.field("to"), text, visit.field("sender"), flash, advertising)


def _recipients(draft: Draft) -> tuple[str, ...]:
    parts = draft.to.replace(";", ",").replace("\n", ",").split(",")
    return tuple(part.strip() for part in parts if part.strip())


async def quote(platform: Platform, visit: Visit) -> Response:
    draft = _draft(visit)
    try:
        found = await messages.quote(
            platform,
            visit.caller,
            QuoteMessages(_recipients(draft), draft.text, sender=draft.sender, purpose=draft.purpose),
        )
    except Refusal as refusal:
        return _compose_trouble(visit, draft, refusal)
    told = [(one, stories.tell(one.rule, visit.reader.language)) for one in found.warnings]
    return visit.page("compose.html", draft=draft, quote=found, told=told)


async def send(platform: Platform, visit: Visit) -> Response:
    draft = _draft(visit)
    command = SendMessages(
        _recipients(draft), draft.text, draft.sender, flash=draft.flash, purpose=draft.purpose
    )
    try:
        outcome = await messages.send(platform, visit.caller, command)
    except Refusal as refusal:
        return _compose_trouble(visit, draft, refusal)
    taken = [result.message for result in outcome.results if isinstance(result, Accepted)]
    if len(taken) == 1:
        return visit.go(f"/messages/{taken[0].ref}", "sent")
    return visit.go("/messages", "sent-many")


def _compose_trouble(visit: Visit, draft: Draft, refusal: Refusal) -> Response:
    trouble = visit.trouble(refusal, {"from": "sender"})
    at = (refusal.field or "").removeprefix("to[").rstrip("]")
    if at.isdigit() and len(_recipients(draft)) > 1:
        trouble = replace(trouble, text=f"{_recipients(draft)[int(at)]} · {trouble.text}")
    return visit.page("compose.html", 422, draft=draft, quote=None, trouble=trouble)


async def cancel(platform: Platform, visit: Visit) -> Response:
    ref = visit.request.path_params["ref"]
    (result,) = await messages.cancel(platform, visit.caller, CancelMessages((ref,)))
    if not isinstance(result, Refused):
        return visit.go(f"/messages/{ref}", "cancelled")
    story = await history.read_story(platform, visit.caller, ref)
    if story is None or result.fault is Fault.NOT_FOUND:
        return visit.sorry(404)
    trouble = visit.trouble(Refusal(result.fault, result.detail))
    return await _story_page(platform, visit, story, 409, trouble=trouble)
