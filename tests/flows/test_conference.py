"""The flows of conferences: whatever happens in whatever order, nobody is lost and nothing is left open."""

from hypothesis import given
from hypothesis import strategies as st

from chappe.flows import program
from chappe.flows.conference import Conference
from chappe.flows.program import CallEvent, Door
from chappe.flows.reception import TRIES, Reception
from chappe.model.calls import HangUpCause
from chappe.model.sounds import Speech

LEGS = ("a/1", "b/2", "c/3")
legs = st.sampled_from(LEGS)
events: st.SearchStrategy[CallEvent] = st.one_of(
    st.builds(program.LegAnswered, legs, st.booleans()),
    st.builds(program.LegEnded, legs, st.sampled_from(HangUpCause)),
    st.builds(program.Digit, legs, st.sampled_from("0#*")),
    st.builds(program.PlayDone, legs),
    st.builds(program.LegArrived, legs, st.just("1"), st.just("2"), st.just(True)),
    st.builds(
        program.AskedToAdd,
        st.just("33639980001"),
        st.just(""),
        st.just(1000),
        st.builds(lambda leg, confirms: {"leg": leg, "confirms": confirms}, legs, st.booleans()),
    ),
    st.builds(program.AskedToLock, st.booleans()),
    st.builds(program.AskedToRecord, st.booleans()),
    st.builds(program.RecordDone, st.just("conference 1"), st.just(1.0)),
    st.builds(
        program.TimerFired, st.sampled_from(["last minute", "confirm a/1", "paid b/2", "leave c/3", "credit"])
    ),
)


@given(
    st.lists(events, max_size=40),
    st.booleans(),
    st.sampled_from([program.AskedToHangUp(), program.TimerFired("end")]),
)
def test_its_end_hangs_up_whoever_is_there_and_stops_what_records(
    happened: list[CallEvent], recorded: bool, end: CallEvent
) -> None:
    flow = Conference(600, recorded=recorded)
    flow.step(program.Started())
    there: set[str] = set()
    recording: str | None = None
    for event in happened:
        match event:
            case program.LegArrived(leg):
                there.add(leg)
            case program.AskedToAdd():
                there.add(str(event.options["leg"]))
            case program.LegEnded(leg):
                there.discard(leg)
            case program.RecordDone():
                recording = None
        for action in flow.step(event):
            match action:
                case program.Bridge(names) | program.Admit(names):
                    assert set([names] if isinstance(names, str) else names) <= there
                case program.Record(name):
                    assert recording is None
                    recording = name
    asked = list(flow.step(end))
    assert {one.leg for one in asked if isinstance(one, program.HangUp)} == there
    assert ({one.recording for one in asked if isinstance(one, program.StopRecord)}) >= ({recording} - {None})
    assert isinstance(asked[-1], program.Finish)


def test_only_the_hash_key_lets_in() -> None:
    flow = Conference(600)
    flow.step(program.AskedToAdd("33639980001", "", 0, {"leg": "a/1", "confirms": True}))
    flow.step(program.LegAnswered("a/1"))
    assert flow.step(program.Digit("a/1", "1")) == ()
    assert program.Admit("a/1") in flow.step(program.Digit("a/1", "#"))
    assert flow.step(program.TimerFired("confirm a/1")) == ()


@given(st.lists(st.text("0123456789*#AB", max_size=8), max_size=8))
def test_a_caller_is_asked_three_times_at_most(keys: list[str]) -> None:
    flow = Reception()
    flow.step(program.LegArrived("caller", "1", "2"))
    flow.step(program.LegAnswered("caller"))
    flow.step(program.RoomFound("caller", Door.UNKNOWN))
    looked = 0
    for key in "".join(keys):
        for action in flow.step(program.Digit("caller", key)):
            if isinstance(action, program.FindRoom):
                assert len(action.code) == 6
                looked += 1
                flow.step(program.RoomFound("caller", Door.UNKNOWN))
    assert looked <= TRIES


def test_both_languages_are_spoken_until_the_conference_is_known() -> None:
    flow = Reception()
    flow.step(program.LegArrived("caller", "1", "2"))
    flow.step(program.LegAnswered("caller"))
    (first, _) = flow.step(program.RoomFound("caller", Door.UNKNOWN))
    (second,) = flow.step(program.PlayDone("caller"))
    spoken = [
        one.sound.language
        for one in (first, second)
        if isinstance(one, program.Play) and isinstance(one.sound, Speech)
    ]
    assert spoken == ["fr", "en"]
    assert flow.step(program.PlayDone("caller")) == []
