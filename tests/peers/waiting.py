"""Waiting for what another program does, which tells nobody when."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], T | Awaitable[T | None] | None], seconds: float = 20) -> T:
    """The first true answer of `look`, asked again and again."""
    async with asyncio.timeout(seconds):
        while True:
            seen = look()
            if isinstance(seen, Awaitable):
                seen = await seen
            if seen:
                return seen
            await asyncio.sleep(0.02)
