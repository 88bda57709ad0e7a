"""Calls of lines as conversations: what happens, and what is to be done about it."""

from collections.abc import Sequence
from typing import Any

import pytest

from chappe.flows.answerphone import LONGEST_SECONDS, MESSAGE
from chappe.flows.line import CALLED, CALLER, FORWARDED, LineCall
from chappe.flows.parties import RING_SECONDS
from chappe.flows.program import (
    CREDIT_USED_UP,
    Action,
    Alert,
    Answer,
    AskedToHangUp,
    AskedToPickUp,
    AskedToTransfer,
    Bridge,
    CallEvent,
    Connect,
    Dial,
    Finish,
    HangUp,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegRinging,
    Part,
    Play,
    PlayDone,
    Record,
    RecordDone,
    Release,
    Setup,
    Started,
    StartTimer,
    Stop,
    TimerFired,
)
from chappe.model.calls import CallOutcome, HangUpCause
from chappe.model.directory import ANSWERPHONE, Forwarding
from chappe.model.sounds import Speech, Tone

X, LINE, OTHER, OUTSIDE = "33612345678", "33990000001", "33990000002", "33639980003"


def a_call(**more: Any) -> LineCall:
    """Somebody outside calls a line."""
    known: dict[str, Any] = {"is_line": True, "shown_forwarded": LINE, "greeting": "Bonjour"}
    return LineCall(X, LINE, X, 600, **(known | more))


def say(flow: LineCall, *conversation: tuple[CallEvent, Sequence[Action]]) -> None:
    """Tell each event, and compare what is to be done."""
    for number, (event, expected) in enumerate(conversation, 1):
        assert list(flow.step(event)) == list(expected), f"event {number}, {event}"


ARRIVED = LegArrived(CALLER, X, LINE)
NOBODY = Setup(CALLER, "", X, LINE)
RINGS = (
    ARRIVED,
    [
        Alert(CALLER),
        NOBODY,
        Setup(CALLED, LINE, X, LINE),
        Dial(CALLED, LINE, X, RING_SECONDS, is_own=True),
    ],
)
ANSWERED = (LegAnswered(CALLED), [Answer(CALLER)])
JOINED = (LegAnswered(CALLER), [Bridge((CALLER, CALLED)), StartTimer("longest", 600)])
TALK = ((Started(), []), RINGS, (LegRinging(CALLED), []), ANSWERED, JOINED)


def test_the_line_answers_and_the_caller_hangs_up() -> None:
    say(
        a_call(),
        *TALK,
        (LegEnded(CALLER, HangUpCause.NORMAL), [HangUp(CALLED), Finish(CallOutcome.ANSWERED)]),
    )


def test_the_caller_gives_up() -> None:
    ended = [HangUp(CALLED, HangUpCause.CANCELLED), Finish(CallOutcome.CANCELLED)]
    say(a_call(), RINGS, (LegEnded(CALLER, HangUpCause.CANCELLED), ended))


def test_the_line_hangs_up_before_the_caller_is_through() -> None:
    ended = [
        HangUp(CALLER),
        HangUp(CALLED),
        Finish(CallOutcome.CANCELLED),
    ]
    say(a_call(), RINGS, ANSWERED, (LegEnded(CALLED, HangUpCause.NORMAL), ended))


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (HangUpCause.BUSY, CallOutcome.BUSY),
        (HangUpCause.NO_ANSWER, CallOutcome.NO_ANSWER),
        (HangUpCause.REJECTED, CallOutcome.REFUSED),
        (HangUpCause.UNREACHABLE, CallOutcome.UNREACHABLE),
    ],
)
def test_nobody_answers(cause: HangUpCause, outcome: CallOutcome) -> None:
    say(a_call(), RINGS, (LegEnded(CALLED, cause), [HangUp(CALLER, cause), Finish(outcome)]))


FORWARDS = [
    Setup(FORWARDED, LINE, X, OUTSIDE, redirecting=LINE),
    Setup(FORWARDED, OUTSIDE, X, OUTSIDE, redirecting=LINE),
    Dial(FORWARDED, OUTSIDE, LINE, RING_SECONDS),
]


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        (HangUpCause.BUSY, "busy"),
        (HangUpCause.REJECTED, "busy"),
        (HangUpCause.NO_ANSWER, "no_answer"),
        (HangUpCause.UNREACHABLE, "unreachable"),
        (HangUpCause.FAILED, "unreachable"),
    ],
)
def test_a_call_is_forwarded_when_it_cannot_be_taken(cause: HangUpCause, why: str) -> None:
    say(
        a_call(forwarding=Forwarding(**{why: OUTSIDE}, no_answer_after=RING_SECONDS)),
        RINGS,
        (LegEnded(CALLED, cause), FORWARDS),
        (LegAnswered(FORWARDED), [Answer(CALLER)]),
        (LegAnswered(CALLER), [Bridge((CALLER, FORWARDED)), StartTimer("longest", 600)]),
        (LegEnded(FORWARDED, HangUpCause.NORMAL), [HangUp(CALLER), Finish(CallOutcome.ANSWERED)]),
    )


def test_a_call_is_forwarded_at_once_and_only_once() -> None:
    say(
        a_call(forwarding=Forwarding(always=OUTSIDE, no_answer=OTHER)),
        (ARRIVED, [Alert(CALLER), NOBODY, *FORWARDS]),
        (
            LegEnded(FORWARDED, HangUpCause.NO_ANSWER),
            [HangUp(CALLER, HangUpCause.NO_ANSWER), Finish(CallOutcome.NO_ANSWER)],
        ),
    )


def test_the_line_rings_as_long_as_its_forwarding_says() -> None:
    flow = a_call(forwarding=Forwarding(no_answer=OUTSIDE, no_answer_after=7))
    assert Dial(CALLED, LINE, X, 7, is_own=True) in flow.step(ARRIVED)


def test_the_answerphone_takes_a_message() -> None:
    say(
        a_call(forwarding=Forwarding(always=ANSWERPHONE)),
        (ARRIVED, [Alert(CALLER), NOBODY, Answer(CALLER)]),
        (LegAnswered(CALLER), [Connect(CALLER, LINE * 2), Play(CALLER, Speech("Bonjour", "fr"))]),
        (PlayDone(CALLER), [Play(CALLER, Tone.BEEP)]),
        (PlayDone(CALLER), [Record(MESSAGE, CALLER, LONGEST_SECONDS, "message")]),
        (RecordDone(MESSAGE, 12.5), [HangUp(CALLER), Finish(CallOutcome.MACHINE)]),
    )


def test_the_caller_hangs_up_on_the_answerphone() -> None:
    flow = a_call(forwarding=Forwarding(always=ANSWERPHONE))
    flow.step(ARRIVED)
    flow.step(LegAnswered(CALLER))
    assert list(flow.step(LegEnded(CALLER, HangUpCause.NORMAL))) == [Finish(CallOutcome.MACHINE)]


def test_another_line_picks_the_call_up() -> None:
    say(
        a_call(),
        RINGS,
        (
            AskedToPickUp(OTHER),
            [
                Setup("called-picker-1", OTHER, OTHER, X, replaces=CALLED),
                Dial("called-picker-1", OTHER, X, RING_SECONDS, is_own=True),
            ],
        ),
        (LegAnswered("called-picker-1"), [HangUp(CALLED, HangUpCause.ANSWERED_ELSEWHERE), Answer(CALLER)]),
        (LegEnded(CALLED, HangUpCause.ANSWERED_ELSEWHERE), []),
        (LegAnswered(CALLER), [Bridge((CALLER, "called-picker-1")), StartTimer("longest", 600)]),
        (LegEnded("called-picker-1", HangUpCause.NORMAL), [HangUp(CALLER), Finish(CallOutcome.ANSWERED)]),
    )


def test_a_telephone_that_dialled_the_code_picks_the_call_up() -> None:
    say(
        a_call(),
        RINGS,
        (
            LegArrived("picker 7", OTHER, "*8" + LINE, is_up=True),
            [
                Setup("picker 7", OTHER, OTHER, X, replaces=CALLED),
                HangUp(CALLED, HangUpCause.ANSWERED_ELSEWHERE),
                Answer(CALLER),
            ],
        ),
        (LegAnswered(CALLER), [Bridge((CALLER, "picker 7")), StartTimer("longest", 600)]),
    )


def test_who_comes_too_late_to_pick_up_is_hung_up() -> None:
    say(a_call(), *TALK, (LegArrived("picker 7", OTHER, "*8", is_up=True), [HangUp("picker 7")]))


def test_who_was_asked_to_pick_up_does_not_answer() -> None:
    flow = a_call()
    flow.step(ARRIVED)
    flow.step(AskedToPickUp(OTHER))
    say(
        flow,
        (LegEnded(CALLED, HangUpCause.NO_ANSWER), []),
        (
            LegEnded("called-picker-1", HangUpCause.NO_ANSWER),
            [HangUp(CALLER, HangUpCause.NO_ANSWER), Finish(CallOutcome.NO_ANSWER)],
        ),
    )


def test_the_line_answers_though_another_was_asked_to_pick_up() -> None:
    flow = a_call()
    flow.step(ARRIVED)
    flow.step(AskedToPickUp(OTHER))
    say(
        flow,
        (LegAnswered(CALLED), [HangUp("called-picker-1", HangUpCause.CANCELLED), Answer(CALLER)]),
        JOINED,
    )


BLIND = (
    AskedToTransfer(CALLED, OUTSIDE, LINE),
    [
        HangUp(CALLED, HangUpCause.TRANSFERRED),
        Part(CALLER),
        Play(CALLER, Tone.RINGBACK),
        Setup(CALLER, "", X, OUTSIDE),
        Setup("third-1", OUTSIDE, X, OUTSIDE),
        Dial("third-1", OUTSIDE, LINE, RING_SECONDS),
    ],
)
GONE = (LegEnded(CALLED, HangUpCause.TRANSFERRED), [])


def test_a_blind_transfer() -> None:
    say(
        a_call(),
        *TALK,
        BLIND,
        GONE,
        (LegRinging("third-1"), []),
        (LegAnswered("third-1"), [Stop(CALLER), Bridge((CALLER, "third-1"))]),
        (LegEnded("third-1", HangUpCause.NORMAL), [HangUp(CALLER), Finish(CallOutcome.ANSWERED)]),
    )


def test_nobody_answers_a_blind_transfer() -> None:
    ended = [HangUp(CALLER), Finish(CallOutcome.ANSWERED)]
    say(a_call(), *TALK, BLIND, GONE, (LegEnded("third-1", HangUpCause.BUSY), ended))


def test_a_blind_transfer_is_picked_up() -> None:
    say(
        a_call(),
        *TALK,
        BLIND,
        GONE,
        (
            LegArrived("picker 7", OTHER, "*8", is_up=True),
            [
                Setup("picker 7", OTHER, OTHER, X, replaces="third-1"),
                HangUp("third-1", HangUpCause.ANSWERED_ELSEWHERE),
                Stop(CALLER),
                Bridge((CALLER, "picker 7")),
            ],
        ),
    )


ATTENDED = (
    AskedToTransfer(CALLED, OTHER, LINE, attended=True),
    [
        Part(CALLER),
        Part(CALLED),
        Play(CALLED, Tone.RINGBACK),
        Setup("third-1", LINE, LINE, OTHER),
        Setup("third-1", OTHER, LINE, OTHER),
        Dial("third-1", OTHER, LINE, RING_SECONDS),
    ],
)
CONSULTING = (LegAnswered("third-1"), [Stop(CALLED), Bridge((CALLED, "third-1"))])
TAKES_OVER = [
    Release("third-1", LINE),
    Setup("third-1", OTHER, X, OTHER, replaces="third-1"),
    Setup(CALLER, "", X, OTHER, replaces=CALLER),
]


def test_an_attended_transfer_is_done_when_the_giver_hangs_up() -> None:
    say(
        a_call(),
        *TALK,
        ATTENDED,
        CONSULTING,
        (LegEnded(CALLED, HangUpCause.NORMAL), [*TAKES_OVER, Bridge((CALLER, "third-1"))]),
        (LegEnded(CALLER, HangUpCause.NORMAL), [HangUp("third-1"), Finish(CallOutcome.ANSWERED)]),
    )


def test_an_attended_transfer_is_done_when_it_is_asked_for_again() -> None:
    say(
        a_call(),
        *TALK,
        ATTENDED,
        CONSULTING,
        (AskedToTransfer(CALLED, OTHER, LINE), [HangUp(CALLED, HangUpCause.TRANSFERRED)]),
        (LegEnded(CALLED, HangUpCause.TRANSFERRED), [*TAKES_OVER, Bridge((CALLER, "third-1"))]),
    )


def test_the_giver_hangs_up_while_the_third_still_rings() -> None:
    say(
        a_call(),
        *TALK,
        ATTENDED,
        (LegEnded(CALLED, HangUpCause.NORMAL), [Play(CALLER, Tone.RINGBACK), *TAKES_OVER]),
        (LegAnswered("third-1"), [Stop(CALLER), Bridge((CALLER, "third-1"))]),
    )


@pytest.mark.parametrize("cause", [HangUpCause.BUSY, HangUpCause.NO_ANSWER])
def test_the_third_does_not_answer_and_the_first_two_speak_again(cause: HangUpCause) -> None:
    back = [Stop(CALLED), Bridge((CALLED, CALLER))]
    say(a_call(), *TALK, ATTENDED, (LegEnded("third-1", cause), back))


def test_the_third_hangs_up_and_the_first_two_speak_again() -> None:
    flow = a_call()
    say(flow, *TALK, ATTENDED, CONSULTING)
    say(flow, (LegEnded("third-1", HangUpCause.NORMAL), [Bridge((CALLED, CALLER))]))
    ended = [HangUp(CALLED), Finish(CallOutcome.ANSWERED)]
    say(flow, (LegEnded(CALLER, HangUpCause.NORMAL), ended))


def test_who_waits_for_an_attended_transfer_hangs_up() -> None:
    say(
        a_call(),
        *TALK,
        ATTENDED,
        CONSULTING,
        (LegEnded(CALLER, HangUpCause.NORMAL), []),
        (LegEnded(CALLED, HangUpCause.NORMAL), [HangUp("third-1"), Finish(CallOutcome.ANSWERED)]),
    )


def test_who_waits_hangs_up_before_the_third_answers() -> None:
    ended = [
        HangUp("third-1", HangUpCause.CANCELLED),
        HangUp(CALLED),
        Finish(CallOutcome.ANSWERED),
    ]
    say(a_call(), *TALK, ATTENDED, (LegEnded(CALLER, HangUpCause.NORMAL), ended))


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        (AskedToHangUp(), HangUpCause.NORMAL),
        (TimerFired(CREDIT_USED_UP), HangUpCause.CREDIT),
        (TimerFired("longest"), HangUpCause.TIME_LIMIT),
    ],
)
def test_all_are_hung_up(event: CallEvent, cause: HangUpCause) -> None:
    both = [HangUp(CALLER, cause), HangUp(CALLED, cause), Finish(CallOutcome.ANSWERED)]
    say(a_call(), *TALK, (event, both))
    three = [HangUp(CALLED, cause), HangUp(CALLER, cause), HangUp("third-1", cause)]
    say(a_call(), *TALK, ATTENDED, (event, [*three, Finish(CallOutcome.ANSWERED)]))
    say(a_call(), *TALK, ATTENDED, CONSULTING, (event, [*three, Finish(CallOutcome.ANSWERED)]))
