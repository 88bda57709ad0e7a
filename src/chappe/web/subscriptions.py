"""Pages of subscriptions: who is told, what was told, and telling it again."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.commands import (
    ChangeSubscription,
    ListDeliveries,
    ListKeywords,
    ListLines,
    ListNumbers,
    ListSubscriptions,
    ReplayDelivery,
    Subscribe,
    Unsubscribe,
)
from chappe.model.directory import Keyword, OwnNumber
from chappe.model.errors import Fault, Refusal
from chappe.model.jobs import Job, JobState
from chappe.services import inbox, lines, subscriptions, waiting
from chappe.services.ports import Platform
from chappe.web.visits import Visit, for_members

Targets = Mapping[tuple[str, object, str], str]
"""Where notices go, by kind and id of what asked for them and the way they take."""


def routes(platform: Platform) -> list[BaseRoute]:
    return [
        Route("/subscriptions", for_members(platform, subscriptions_page), methods=["GET"]),
        Route("/subscriptions", for_members(platform, subscribe), methods=["POST"]),
        Route("/subscriptions/{ref}", for_members(platform, change), methods=["POST"]),
        Route("/subscriptions/{ref}/remove", for_members(platform, remove), methods=["POST"]),
        Route("/deliveries/replay", for_members(platform, replay_all), methods=["POST"]),
        Route("/deliveries/{id:int}/replay", for_members(platform, replay), methods=["POST"]),
    ]


async def targets(platform: Platform, visit: Visit) -> Targets:
    """Everything of the account that notices may go to."""
    caller = visit.caller
    own, _ = await inbox.list_numbers(platform, caller, ListNumbers())
    known: dict[tuple[str, object, str], str] = {}
    for subscription in await subscriptions.list_subscriptions(platform, caller, ListSubscriptions()):
        known["Subscription", subscription.id, "url"] = subscription.url
    keywords = await inbox.list_keywords(platform, caller, ListKeywords())
    owners: list[OwnNumber | Keyword] = [*own, *keywords]
    for owner in owners:
        known[type(owner).__name__, owner.id, "url"] = owner.url
        known[type(owner).__name__, owner.id, "email"] = owner.email
    for line in await lines.list_lines(platform, caller, ListLines()):
        known["Line", line.id, "url"] = line.notification_url
    return known


def target_of(job: Job, known: Targets) -> str:
    """Where a notice goes now; empty when it was removed."""
    payload = job.payload
    return known.get((str(payload.get("target")), payload.get("target_id"), str(payload.get("way"))), "")


async def subscriptions_page(platform: Platform, visit: Visit) -> Response:
    return await _page(platform, visit)


async def _page(
    platform: Platform, visit: Visit, refusal: Refusal | None = None, open: str = "", draft_url: str = ""
) -> Response:
    chosen, cursor = visit.request.query_params.get("state", ""), visit.cursor()
    if chosen not in [str(state) for state in JobState]:
        chosen = ""
    known = await targets(platform, visit)
    return visit.page(
        "subscriptions.html",
        422 if refusal else 200,
        here="subscriptions",
        subscriptions=await subscriptions.list_subscriptions(platform, visit.caller, ListSubscriptions()),
        deliveries=await subscriptions.list_deliveries(
            platform, visit.caller, ListDeliveries(chosen, cursor, 30)
        ),
        target_of=lambda job: target_of(job, known),
        dead=await waiting.count_own_dead(platform, visit.caller) if chosen == JobState.DEAD else 0,
        chosen=chosen,
        cursor=cursor,
        open=open,
        draft_url=draft_url,
        trouble=visit.trouble(refusal) if refusal else None,
    )


async def subscribe(platform: Platform, visit: Visit) -> Response:
    url = visit.field("url")
    try:
        await subscriptions.subscribe(platform, visit.caller, Subscribe(url, visit.form.get("events", ())))
    except Refusal as refusal:
        return await _page(platform, visit, refusal, draft_url=url)
    return visit.go("/subscriptions", "subscribed")


async def change(platform: Platform, visit: Visit) -> Response:
    ref = visit.request.path_params["ref"]
    command = ChangeSubscription(
        ref, visit.field("url"), visit.form.get("events", ()), True if visit.field("enabled") else None
    )
    try:
        await subscriptions.change_subscription(platform, visit.caller, command)
    except Refusal as refusal:
        if refusal.fault is Fault.NOT_FOUND:
            raise
        return await _page(platform, visit, refusal, open=ref)
    return visit.go(f"/subscriptions#subscription-{ref}", "saved")


async def remove(platform: Platform, visit: Visit) -> Response:
    await subscriptions.unsubscribe(platform, visit.caller, Unsubscribe(visit.request.path_params["ref"]))
    return visit.go("/subscriptions", "removed")


async def replay_all(platform: Platform, visit: Visit) -> Response:
    await waiting.replay_all_dead(platform, visit.caller)
    return visit.go("/subscriptions?state=waiting", "replayed-all")


async def replay(platform: Platform, visit: Visit) -> Response:
    await subscriptions.replay_delivery(
        platform, visit.caller, ReplayDelivery(visit.request.path_params["id"])
    )
    return visit.go(visit.field("back", "/subscriptions"), "replayed")
