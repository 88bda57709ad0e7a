"""Programs that do one thing with bytes and end: apart from ours, where old C cannot hurt it."""

import asyncio
from collections.abc import Sequence

_PATIENCE = 30.0


class ProgramFailed(Exception):
    """It could not be started, took too long, or said that it failed; the text says which and why."""


async def run(command: Sequence[str], given: bytes, patience: float = _PATIENCE) -> bytes:
    """What a program writes when it is given bytes. Raises ProgramFailed; it is ended after `patience`
    seconds."""
    name = command[0].rpartition("/")[2]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise ProgramFailed(f"{name} cannot be started: {error}") from error
    try:
        async with asyncio.timeout(patience):
            said, complaint = await process.communicate(given)
    except TimeoutError as error:
        raise ProgramFailed(f"{name} was not done after {patience:g} seconds") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        raise ProgramFailed(last or f"{name} ended with {process.returncode}")
    return said
