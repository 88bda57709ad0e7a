"""Whether this node can do its work, in words for whoever shares out requests and for people."""

import asyncio
from dataclasses import dataclass

from chappe.model.errors import Unavailable
from chappe.services.ports import Platform

_PATIENCE = 2.0
"""Seconds in which a database answers that is not out of order (our choice)."""


@dataclass(frozen=True, slots=True)
class Health:
    """`troubles` are reasons, in words, why nothing can be accepted; `carriers` counts those that this node
    knows, works itself (another node may have their leases), and has a link of up."""

    troubles: tuple[str, ...]
    carriers: dict[str, int]


async def look(platform: Platform) -> Health:
    """Ask disk, queue of writes, database and carriers at this moment."""
    troubles: list[str] = []
    try:
        platform.store.admit()
        async with asyncio.timeout(_PATIENCE):
            await platform.store.answers()
    except Unavailable as trouble:
        troubles.append(trouble.detail)
    except TimeoutError:
        troubles.append(f"the platform's database has not answered for {_PATIENCE:g} seconds")
    return Health(tuple(troubles), platform.carriers.counts())
