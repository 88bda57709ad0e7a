"""Calls at virtual telephones, both sides of which speak all the time: what their sound costs, and how evenly
it comes. In one process, as the server has it, without HTTP: `python -m bench.voice.sandbox --calls 100`."""

import argparse
import asyncio
import time
from dataclasses import dataclass
from itertools import pairwise
from tempfile import TemporaryDirectory

import uvloop

from chappe.app import Chappe, assemble
from chappe.carriers.sandbox.sounding import FRAME
from chappe.carriers.sandbox.voice import SandboxVoice
from chappe.model.commands import Caller, PlaceCall, SetBehaviour
from chappe.services import accounts, calls, directory, sandbox
from chappe.settings import Settings

_OF_ONE_ACCOUNT = 20
_TEXT = "Bonjour, je parle sans reprendre mon souffle, afin que mon voisin ait toujours à entendre. " * 11
_EARS = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """`set_up` is seconds from the first call to the last one joined; `cpu` the share of one core while all
    speak; gaps between frames at one ear in milliseconds, `late` how many of `frames` came 40 ms apart or
    more."""

    calls: int
    set_up: float
    cpu: float
    frames: int
    p50: float
    p99: float
    longest: float
    late: int


async def _callers(chappe: Chappe, number: int) -> list[Caller]:
    made = []
    for place in range(-(-number // _OF_ONE_ACCOUNT)):
        new = await accounts.create_account(chappe.platform, f"bench {place}", credits=10_000_000)
        made.append(directory.caller_of(new.account, new.user, "rest", "FR"))
    return made


async def measure(chappe: Chappe, number: int, seconds: float) -> Figures:
    """Let so many calls be joined and speak for so long."""
    platform, voice = chappe.platform, chappe.switchboard.carriers["sandbox"]
    assert isinstance(voice, SandboxVoice)
    callers = await _callers(chappe, number)
    pairs = [
        (callers[place // _OF_ONE_ACCOUNT], f"+3363998{2 * place:04d}", f"+3363998{2 * place + 1:04d}")
        for place in range(number)
    ]
    behaviour = {"call": "answer", "say": _TEXT[:1000]}
    for caller, *numbers in pairs:
        for one in numbers:
            await sandbox.set_behaviour(platform, caller, SetBehaviour(one, dict(behaviour)))
    began = time.perf_counter()
    for caller, first, second in pairs:
        await calls.place(platform, caller, PlaceCall(first, second, shows_parties=True))
    legs: list[int] = []
    while len(legs) < 2 * number or not all(_speaks(voice, leg) for leg in legs):
        await asyncio.sleep(0.05)
        legs = [
            leg.id
            for call in chappe.switchboard.live_calls()
            for leg in chappe.switchboard.live_legs(call.id).values()
        ]
    set_up = time.perf_counter() - began
    heard: list[list[float]] = []
    for leg in legs[:_EARS]:
        times: list[float] = []
        voice.listen(leg, lambda frame, times=times: times.append(time.perf_counter()))  # type: ignore[misc]
        heard.append(times)
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await chappe.switchboard.stop()
    gaps = sorted(1000 * (after - before) for times in heard for before, after in pairwise(times))
    return Figures(
        number,
        set_up,
        cpu / wall,
        len(gaps) + len(heard),
        gaps[len(gaps) // 2],
        gaps[len(gaps) * 99 // 100],
        gaps[-1],
        sum(gap >= 2000 * FRAME.total_seconds() for gap in gaps),
    )


def _speaks(voice: SandboxVoice, leg_id: int) -> bool:
    moment = voice.moment(leg_id)
    return moment is not None and bool(moment.speaks_with)


async def _run(number: int, seconds: float) -> Figures:
    with TemporaryDirectory() as folder:
        async with assemble(Settings(), folder) as chappe:
            return await measure(chappe, number, seconds)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=100)
    options.add_argument("--seconds", type=float, default=20)
    given = options.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(_run(given.calls, given.seconds))
    print(
        f"{found.calls} calls were joined within {found.set_up:.1f} s; while both sides of each speak they"
        f" take {100 * found.cpu:.1f} % of a core. At {_EARS} ears: {found.frames} frames, gap"
        f" p50 {found.p50:.1f}, p99 {found.p99:.1f}, longest {found.longest:.1f} ms, {found.late} of 40 ms"
        " or more."
    )


if __name__ == "__main__":
    main()
