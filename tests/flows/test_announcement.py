"""Announcements as conversations: who answers, what is played and when, which keys are heard; and whatever
happens, the call comes to its end."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.flows.announcement import LEG, MOST_REPEATS, Announcement
from chappe.flows.program import (
    CREDIT_USED_UP,
    Action,
    AskedToHangUp,
    CallEvent,
    Dial,
    Digit,
    Finish,
    HangUp,
    LegAnswered,
    LegEnded,
    LegJudged,
    LegRinging,
    MachineReady,
    Note,
    Play,
    PlayDone,
    Started,
    StartTimer,
    Stop,
    StopTimer,
    TimerFired,
)
from chappe.model.announcements import Fact, OnMachine, OnPerson
from chappe.model.calls import CallOutcome, HangUpCause
from chappe.model.sounds import Speech

NUMBER, SHOWN = "33639980001", "33639980009"
MESSAGE = Speech("Votre colis est arrivé.")
PLAY, BEGUN, ENDED = Play(LEG, MESSAGE), Note(Fact.BEGUN), Note(Fact.ENDED)
GOODBYE, HEARD = HangUp(LEG), Finish(CallOutcome.ANSWERED)
LONGEST = StartTimer("longest", 120)


def announce(**more: Any) -> Announcement:
    return Announcement(NUMBER, SHOWN, MESSAGE, 30, 120, **more)


def goes(flow: Announcement, *steps: tuple[CallEvent, Sequence[Action]]) -> None:
    """The conversation: what happens, and what is asked then."""
    for event, actions in steps:
        assert list(flow.step(event)) == list(actions), event


def judged(machine: bool) -> tuple[tuple[CallEvent, Sequence[Action]], ...]:
    """As far as everybody comes whose answer is listened to, but for what is done then."""
    return (
        (Started(), [Dial(LEG, NUMBER, SHOWN, 30, judges=True)]),
        (LegRinging(LEG), []),
        (LegAnswered(LEG), [LONGEST, StartTimer("judge", 10)]),
    )


def test_a_person_hears_the_message() -> None:
    goes(
        announce(),
        *judged(False),
        (LegJudged(LEG, False), [StopTimer("judge"), Note(Fact.PERSON), BEGUN, PLAY]),
        (PlayDone(LEG), [ENDED, GOODBYE, HEARD]),
    )


def test_the_message_is_left_after_the_tone_of_a_machine() -> None:
    goes(
        announce(times=3, answer_keys="1"),
        *judged(True),
        (LegJudged(LEG, True), [StopTimer("judge"), Note(Fact.MACHINE), StartTimer("greeting", 60)]),
        (Digit(LEG, "1"), []),  # a greeting that sounds like one
        (MachineReady(LEG), [StopTimer("greeting"), BEGUN, PLAY]),
        (Digit(LEG, "1"), []),
        (PlayDone(LEG), [ENDED, GOODBYE, HEARD]),
    )


def test_a_machine_that_never_stops_greeting_is_given_up() -> None:
    goes(
        announce(),
        *judged(True),
        (LegJudged(LEG, True), [StopTimer("judge"), Note(Fact.MACHINE), StartTimer("greeting", 60)]),
        (TimerFired("greeting"), [GOODBYE, Finish(CallOutcome.MACHINE)]),
        (MachineReady(LEG), []),
    )


def test_nobody_listens_where_it_does_not_matter_who_answers() -> None:
    goes(
        announce(on_machine=OnMachine.PLAY),
        (Started(), [Dial(LEG, NUMBER, SHOWN, 30)]),
        (LegAnswered(LEG), [LONGEST, BEGUN, PLAY]),
        (PlayDone(LEG), [ENDED, GOODBYE, HEARD]),
    )


@pytest.mark.parametrize(
    ("setting", "machine", "outcome"),
    [
        ({"on_machine": OnMachine.HANG_UP}, True, CallOutcome.MACHINE),
        ({"on_person": OnPerson.HANG_UP}, False, CallOutcome.CANCELLED),
    ],
)
def test_it_is_not_for_everybody(setting: dict[str, Any], machine: bool, outcome: CallOutcome) -> None:
    note = Note(Fact.MACHINE if machine else Fact.PERSON)
    goes(
        announce(**setting),
        *judged(machine),
        (LegJudged(LEG, machine), [StopTimer("judge"), note, GOODBYE, Finish(outcome)]),
    )


def test_a_network_that_knows_who_answers_is_believed() -> None:
    goes(
        announce(),
        (Started(), [Dial(LEG, NUMBER, SHOWN, 30, judges=True)]),
        (LegAnswered(LEG, machine=True), [LONGEST, Note(Fact.MACHINE), StartTimer("greeting", 60)]),
        (LegJudged(LEG, True), []),
        (MachineReady(LEG), [StopTimer("greeting"), BEGUN, PLAY]),
    )


def test_who_is_not_told_from_a_machine_counts_as_a_person() -> None:
    goes(
        announce(),
        *judged(False),
        (TimerFired("judge"), [Note(Fact.PERSON), BEGUN, PLAY]),
        (LegJudged(LEG, True), []),
    )


def test_it_is_told_several_times() -> None:
    goes(
        announce(times=2),
        *judged(False),
        (LegJudged(LEG, False), [StopTimer("judge"), Note(Fact.PERSON), BEGUN, PLAY]),
        (PlayDone(LEG), [StartTimer("again", 1)]),
        (TimerFired("again"), [PLAY]),
        (PlayDone(LEG), [ENDED, GOODBYE, HEARD]),
    )


def test_a_key_repeats_it_and_another_one_answers() -> None:
    flow = announce(repeat_key="*", answer_keys="12")
    goes(
        flow,
        *judged(False),
        (LegJudged(LEG, False), [StopTimer("judge"), Note(Fact.PERSON), BEGUN, PLAY]),
        (Digit(LEG, "5"), []),
        (PlayDone(LEG), [ENDED, StartTimer("answer", 10)]),
        (Digit(LEG, "*"), [StopTimer("again"), StopTimer("answer"), BEGUN, PLAY]),
        (Digit(LEG, "*"), [StopTimer("again"), StopTimer("answer"), ENDED, BEGUN, PLAY]),
        (Digit(LEG, "2"), [Note(Fact.KEY, "2"), Stop(LEG), ENDED, GOODBYE, HEARD]),
        (Digit(LEG, "1"), []),
    )


def test_nobody_hears_it_without_end() -> None:
    flow = announce(repeat_key="*")
    goes(flow, *judged(False))
    flow.step(LegJudged(LEG, False))
    played = [PLAY in flow.step(Digit(LEG, "*")) for _ in range(MOST_REPEATS + 2)]
    assert played == [True] * MOST_REPEATS + [False, False]


def test_who_presses_nothing_is_hung_up_on_after_a_while() -> None:
    flow = announce(answer_keys="1")
    goes(flow, *judged(False))
    flow.step(LegJudged(LEG, False))
    goes(flow, (PlayDone(LEG), [ENDED, StartTimer("answer", 10)]), (TimerFired("answer"), [GOODBYE, HEARD]))


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (HangUpCause.BUSY, CallOutcome.BUSY),
        (HangUpCause.NO_ANSWER, CallOutcome.NO_ANSWER),
        (HangUpCause.UNREACHABLE, CallOutcome.UNREACHABLE),
        (HangUpCause.REJECTED, CallOutcome.REFUSED),
    ],
)
def test_nobody_answers(cause: HangUpCause, outcome: CallOutcome) -> None:
    flow = announce()
    goes(flow, *judged(False)[:2], (LegEnded(LEG, cause), [Finish(outcome)]))


def test_who_hangs_up_in_the_middle_has_heard_some_of_it() -> None:
    flow = announce()
    goes(flow, *judged(False))
    flow.step(LegJudged(LEG, False))
    goes(flow, (LegEnded(LEG, HangUpCause.NORMAL), [HEARD]))


def test_who_hangs_up_before_has_heard_nothing() -> None:
    gone = [Finish(CallOutcome.CANCELLED)]
    goes(announce(), *judged(False), (LegEnded(LEG, HangUpCause.NORMAL), gone))


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        (TimerFired("longest"), HangUpCause.TIME_LIMIT),
        (TimerFired(CREDIT_USED_UP), HangUpCause.CREDIT),
        (AskedToHangUp(), HangUpCause.NORMAL),
    ],
)
def test_it_is_cut_off(event: CallEvent, cause: HangUpCause) -> None:
    flow = announce()
    goes(flow, *judged(False))
    flow.step(LegJudged(LEG, False))
    goes(flow, (event, [ENDED, HangUp(LEG, cause), HEARD]))


EVENTS: st.SearchStrategy[CallEvent] = st.one_of(
    st.builds(LegRinging, st.just(LEG)),
    st.builds(LegAnswered, st.just(LEG), st.booleans()),
    st.builds(LegJudged, st.just(LEG), st.booleans()),
    st.builds(MachineReady, st.just(LEG)),
    st.builds(LegEnded, st.just(LEG), st.sampled_from(HangUpCause)),
    st.builds(Digit, st.just(LEG), st.sampled_from("12*#")),
    st.builds(PlayDone, st.just(LEG)),
    st.builds(
        TimerFired, st.sampled_from(["longest", "judge", "greeting", "again", "answer", CREDIT_USED_UP])
    ),
)
FLOWS = st.builds(
    announce,
    times=st.integers(1, 3),
    repeat_key=st.sampled_from(["", "*"]),
    answer_keys=st.sampled_from(["", "1", "12"]),
    on_machine=st.sampled_from(OnMachine),
    on_person=st.sampled_from(OnPerson),
)


@given(FLOWS, st.lists(EVENTS, max_size=30))
def test_whatever_happens_it_ends_and_nobody_who_is_gone_is_played_to(
    flow: Announcement, happened: list[CallEvent]
) -> None:
    state, finished, played, begun, asked_down = "", False, 0, 0, False

    def tell(event: CallEvent) -> None:
        nonlocal state, finished, played, begun, asked_down
        match event:
            case LegAnswered() if state == "dialling":
                state = "up"
            case LegEnded():
                state = "down"
        for action in flow.step(event):
            assert not finished, f"{action} after the end"
            match action:
                case Dial():
                    assert state == ""
                    state = "dialling"
                case Play():
                    assert state == "up" and not asked_down
                    played += 1
                case Stop():
                    assert state == "up"
                case HangUp():
                    asked_down = True
                case StartTimer(_, seconds):
                    assert seconds > 0
                case Note(what):
                    begun += {Fact.BEGUN: 1, Fact.ENDED: -1}.get(Fact(what), 0)
                    assert begun in (0, 1), "a message ends once for each time that it begins"
                case Finish(outcome):
                    finished = True
                    assert (outcome is CallOutcome.ANSWERED) == (played > 0)

    tell(Started())
    for event in happened:
        # What the switchboard tells of a leg: nothing of what it does not do, and nothing after its end.
        is_up = state == "up" and not asked_down
        if isinstance(event, LegAnswered) and state != "dialling":
            continue
        if isinstance(event, LegJudged | MachineReady | Digit | PlayDone) and not is_up:
            continue
        if state != "down" and not finished:
            tell(event)
    if not finished:
        tell(AskedToHangUp())
    assert finished
    assert state == "down" or asked_down
    assert played <= 3 + MOST_REPEATS
