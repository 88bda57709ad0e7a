"""What the owner of a live call does with it: plays, presses keys, mutes, records, ends one leg."""

from collections.abc import Mapping

from chappe.flows import program
from chappe.flows.program import Action
from chappe.model.calls import Call, CallState, CallStory, Leg, LegState
from chappe.model.commands import (
    Caller,
    FindCall,
    HangUpLeg,
    MuteLeg,
    PlayToCall,
    RecordCall,
    SendKeys,
    StopSound,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.recordings import FindSound
from chappe.model.sounds import LONGEST_TEXT, Speech, Uploaded
from chappe.services import calls, sounds
from chappe.services.ports import Platform

RECORDING = "asked"
"""The name of the recording that the owner of a call begins and ends."""

_KEYS = frozenset("0123456789*#ABCD")


async def play(platform: Platform, caller: Caller, command: PlayToCall) -> CallStory:
    """Play to one leg in place of what it hears, or over the talk of all. Raises Refusal: `not_found`,
    `too_late`, `missing_parameter` for no text, `invalid_parameter` for one that is too long."""
    sound = command.sound
    if isinstance(sound, Speech) and not sound.text.strip():
        raise Refusal(Fault.MISSING_PARAMETER, "there is nothing to say; write a text", "say")
    if isinstance(sound, Speech) and len(sound.text) > LONGEST_TEXT:
        detail = f"a text of {len(sound.text)} letters is too long; say at most {LONGEST_TEXT} at once"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "say")
    if isinstance(sound, Uploaded):
        await sounds.find(platform, caller, FindSound(sound.ref))
    story, legs = await _live(platform, caller, command.ref)
    if command.leg:
        return _do(platform, story, program.Play(_up(legs, command.leg), sound))
    if story.call.joined_at is None:
        raise Refusal(Fault.TOO_LATE, "nobody is joined in this call yet; name one leg to play to", "leg")
    return _do(platform, story, program.Announce(sound))


async def stop(platform: Platform, caller: Caller, command: StopSound) -> CallStory:
    """Stop what is played to a leg. Raises Refusal `not_found`, `too_late`."""
    story, legs = await _live(platform, caller, command.ref)
    return _do(platform, story, program.Stop(_up(legs, command.leg)))


async def send_keys(platform: Platform, caller: Caller, command: SendKeys) -> CallStory:
    """Press keys towards a leg. Raises Refusal: `not_found`, `too_late`, `invalid_parameter`."""
    keys = command.keys.upper()
    if not 0 < len(keys) <= 64 or not set(keys) <= _KEYS:
        detail = f"{command.keys[:80]!r} are no keys; write 1 to 64 of 0 to 9, *, # and A to D"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "keys")
    story, legs = await _live(platform, caller, command.ref)
    return _do(platform, story, program.SendKeys(_up(legs, command.leg), keys))


async def mute(platform: Platform, caller: Caller, command: MuteLeg) -> CallStory:
    """Let nobody hear a leg, or everybody again. Raises Refusal `not_found`, `too_late`."""
    story, legs = await _live(platform, caller, command.ref)
    return _do(platform, story, program.Mute(_up(legs, command.leg), command.muted))


async def record(platform: Platform, caller: Caller, command: RecordCall) -> CallStory:
    """Begin or end the recording of all that are joined. Raises Refusal `not_found`, `too_late`."""
    story, _ = await _live(platform, caller, command.ref)
    if story.call.joined_at is None:
        raise Refusal(
            Fault.TOO_LATE, "nobody is joined in this call yet, so there is nothing to record", "id"
        )
    action = program.Record(RECORDING) if command.recording else program.StopRecord(RECORDING)
    return _do(platform, story, action)


async def hang_up_leg(platform: Platform, caller: Caller, command: HangUpLeg) -> CallStory:
    """End one leg; the call goes its way as if the party had hung up. Raises Refusal `not_found`,
    `too_late`."""
    story, legs = await _live(platform, caller, command.ref)
    name = _named(legs, command.leg)
    if legs[name].ended_at is not None:
        raise Refusal(Fault.TOO_LATE, f"the leg {command.leg} is down already", "leg")
    return _do(platform, story, program.HangUp(name))


async def _live(platform: Platform, caller: Caller, ref: str) -> tuple[CallStory, Mapping[str, Leg]]:
    story = await calls.find(platform, caller, FindCall(ref))
    check_live(story.call)
    return story, platform.live_calls.board.live_legs(story.call.id)


def check_live(call: Call) -> None:
    """Raises Refusal `too_late` where a call is over."""
    if call.state is CallState.OVER:
        raise Refusal(
            Fault.TOO_LATE, f"call {call.ref} is over since {call.over_at:%Y-%m-%d %H:%M:%S} UTC", "id"
        )


def _named(legs: Mapping[str, Leg], written: str) -> str:
    """The flow's name of a leg that is asked for by this name, or by its id."""
    for name, leg in legs.items():
        if written in (name, str(leg.id)):
            return name
    detail = f"this call has no leg {written[:40]!r}; it has {', '.join(legs) or 'none'}"
    raise Refusal(Fault.NOT_FOUND, detail, "leg")


def _up(legs: Mapping[str, Leg], written: str) -> str:
    name = _named(legs, written)
    if legs[name].state is not LegState.UP:
        raise Refusal(Fault.TOO_LATE, f"the leg {name} is {legs[name].state.value}: nobody hears it", "leg")
    return name


def _do(platform: Platform, story: CallStory, action: Action) -> CallStory:
    if not platform.live_calls.board.ask(story.call.id, action):
        detail = f"call {story.call.ref} is worked by another node, which cannot be asked yet"
        raise Refusal(Fault.TOO_LATE, detail, "id")
    return story
