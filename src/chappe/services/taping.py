"""The recordings of live calls while they are made."""

from collections.abc import Mapping
from datetime import timedelta

from chappe.flows import program
from chappe.flows.program import CallEvent
from chappe.model.calls import CallKind, LegState, Recorded, Recording, RecordingPurpose
from chappe.services import recordings
from chappe.services.live import Index, Live
from chappe.services.ports import Platform, RecordWanted, VoiceCarrier

LATE, LATEST = "recording", timedelta(seconds=5)
"""The timer of a call whose legs are down, and how long it waits for its recordings (our choice)."""

_SILENCE = timedelta(seconds=5)
"""Which silence ends a message (our choice)."""


class Taping:
    """For one switchboard and its carriers by name."""

    def __init__(self, platform: Platform, index: Index, carriers: Mapping[str, VoiceCarrier]) -> None:
        self._platform = platform
        self._index = index
        self._carriers = carriers

    async def begin(self, live: Live, record: program.Record) -> None:
        """Begin what a flow asks for; nothing where it goes on already, or nobody is there to be recorded."""
        platform, leg = self._platform, live.legs.get(record.leg)
        up = [one for one in live.legs.values() if one.state is LegState.UP]
        carrier = leg.carrier if leg is not None else up[0].carrier if up else ""
        network = self._carriers.get(carrier)
        if network is None or record.recording in live.recordings:
            return
        purpose = RecordingPurpose(record.purpose)
        is_message = purpose is RecordingPurpose.MESSAGE
        recording = Recording(
            id=platform.ids.new_id(),
            ref=platform.ids.new_ref(),
            account_id=live.call.account_id,
            call_id=live.call.id,
            leg_id=None if leg is None else leg.id,
            purpose=purpose,
            started_at=platform.clock.now(),
            line=live.call.second if is_message and live.call.kind is CallKind.LINE else "",
        )
        wanted = RecordWanted(
            leg_id=recording.leg_id,
            room=live.call.id,
            longest_seconds=record.longest_seconds,
            ends_on_key=is_message,
            silence_seconds=int(_SILENCE.total_seconds()) if is_message else 0,
        )
        live.recordings[record.recording] = recording
        self._index.recordings[recording.id] = (live, record.recording)
        await recordings.begin(platform, live.call, recording)
        await network.record(recording.id, wanted)

    async def end(self, live: Live, name: str) -> None:
        """End the one that the flow calls `name`; it is told as recorded."""
        if (running := live.recordings.get(name)) is not None:
            for network in self._carriers.values():
                await network.stop_record(running.id)

    async def keep(self, live: Live, recorded: Recorded) -> CallEvent:
        """One has come to its end; returns what the flow is told."""
        name = self._index.recordings.pop(recorded.recording_id)[1]
        recording = live.recordings[name]
        try:
            await recordings.keep(self._platform, live.call, recording, recorded)
        finally:
            del live.recordings[name]
        return program.RecordDone(name, recorded.seconds, recorded.key)

    async def rescue(self, live: Live) -> None:
        """Wait no longer for the ends of recordings: what there is of them is kept."""
        if not live.recordings:
            return
        for recording in live.recordings.values():
            self._index.recordings.pop(recording.id, None)
        live.recordings.clear()
        await recordings.rescue(self._platform, live.call)
