"""What lines are told of the calls they take part in: each part begins, is joined, ends, in this order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chappe.flows import program
from chappe.model.calls import Call, Dialogue, LineNews
from chappe.model.changes import Changes, Update
from chappe.model.directory import Line
from chappe.model.events import LineHappened
from chappe.model.jobs import Job, JobState
from chappe.services import subscriptions
from chappe.services.ports import Platform

DELIVER = "deliver_line"
"""The kind of job that tells a line's notification URL of one thing."""


async def tell(
    platform: Platform, call: Call, dialogues: list[Dialogue], action: program.Setup | program.Connect
) -> Changes:
    """What is to be written, and told, of what a flow says of a line's part; `dialogues` are those of the
    call that are open. A number that is no line of the call's account takes no part."""
    now = platform.clock.now()
    match action:
        case program.Setup():
            return await _begin(platform, call, dialogues, action, now)
        case program.Connect(leg, callee):
            updates: list[Update] = []
            jobs: list[Job] = []
            for place, one in enumerate(dialogues):
                if one.leg != leg or one.connected_at is not None:
                    continue
                values: dict[str, object] = {"connected_at": now, "callee": callee or one.callee}
                dialogues[place] = one = replace(one, connected_at=now, callee=callee or one.callee)
                updates.append(Update(Dialogue, one.id, one.account_id, values))
                jobs += await _told(platform, call, one, LineNews.CONNECT, now)
            return Changes(update=updates, enqueue=jobs)


async def end(
    platform: Platform, call: Call, dialogues: list[Dialogue], leg: str, line: str | None = None
) -> Changes:
    """The same, when the part of a line in a leg is over, with `line` None that of all lines in it."""
    over = [one for one in dialogues if one.leg == leg and line in (None, one.line)]
    dialogues[:] = [one for one in dialogues if one not in over]
    return await ended(platform, call, over, platform.clock.now())


async def ended(platform: Platform, call: Call, over: Sequence[Dialogue], at: datetime) -> Changes:
    """What is to be written when these parts are over."""
    updates = [Update(Dialogue, one.id, one.account_id, {"ended_at": at}, {"ended_at": None}) for one in over]
    jobs = [job for one in over for job in await _told(platform, call, one, LineNews.RELEASE, at)]
    return Changes(update=updates, enqueue=jobs)


async def _begin(
    platform: Platform, call: Call, dialogues: list[Dialogue], setup: program.Setup, now: datetime
) -> Changes:
    line = await _line(platform, call, setup.line)
    if line is None:
        return Changes()
    before = [one for one in dialogues if one.leg == setup.leg and one.line == line.number]
    # Of several parts in the leg that it replaces, the newest one is that of whoever is called there.
    replaced = [one.ref for one in dialogues if one.leg == setup.replaces]
    begun = Dialogue(
        id=platform.ids.new_id(),
        account_id=call.account_id,
        call_id=call.id,
        line_id=line.id,
        line=line.number,
        leg=setup.leg,
        caller=setup.caller,
        callee=setup.callee,
        ref=platform.ids.secret(16).hex(),
        replaces=replaced[-1] if replaced else "",
        redirecting=setup.redirecting,
        created_at=now,
    )
    jobs = await _told(platform, call, begun, LineNews.SETUP, now)
    over = await ended(platform, call, before, now)
    dialogues[:] = [*(one for one in dialogues if one not in before), begun]
    return Changes(insert=[begun], update=over.update, enqueue=[*jobs, *over.enqueue])


async def _line(platform: Platform, call: Call, number: str) -> Line | None:
    """The line of the call's account that has a number."""
    lines = await platform.store.queries.lines(call.account_id) if number else ()
    return next((line for line in lines if line.number == number), None)


async def _told(
    platform: Platform, call: Call, dialogue: Dialogue, news: LineNews, at: datetime
) -> Sequence[Job]:
    """The delivery of one piece of news; none where the line has no URL at this moment."""
    line = await _line(platform, call, dialogue.line)
    if line is None or not line.notification_url:
        return ()
    return [
        Job(
            id=platform.ids.new_id(),
            kind=DELIVER,
            account_id=call.account_id,
            subject=call.id,
            payload={
                "event": news.value,
                "at": at.isoformat(),
                "target": "Line",
                "target_id": line.id,
                "way": "url",
                "call": call.ref,
                "dialogue": dialogue.id,
                "callee": dialogue.callee,
            },
            state=JobState.WAITING,
            due_at=at,
            created_at=at,
        )
    ]


async def deliver(platform: Platform, job: Job) -> str:
    """Tell a line of one thing; see subscriptions.deliver."""
    known = await platform.store.queries.dialogues_of(job.account_id, job.subject)
    found = next((one for one in known if one.id == job.payload["dialogue"]), None)
    event = None
    if found is not None:
        event = LineHappened(
            f"evt_{job.id}",
            LineNews(str(job.payload["event"])),
            datetime.fromisoformat(str(job.payload["at"])),
            str(job.payload["call"]),
            replace(found, callee=str(job.payload["callee"])),
        )
    return await subscriptions.tell(platform, job, event)
