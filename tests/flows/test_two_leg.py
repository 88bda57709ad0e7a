"""The course of a two-leg call as conversations: what happens, and what is to be done about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.flows.program import (
    CREDIT_USED_UP,
    Action,
    AskedToHangUp,
    Bridge,
    CallEvent,
    Dial,
    Digit,
    Finish,
    HangUp,
    LegAnswered,
    LegEnded,
    LegRinging,
    Play,
    PlayDone,
    Setup,
    Started,
    StartTimer,
    Stop,
    StopTimer,
    TimerFired,
)
from chappe.flows.two_leg import FIRST, SECOND, TwoLeg
from chappe.model.calls import OUTCOME_OF_CAUSE, CallOutcome, HangUpCause
from chappe.model.sounds import Speech, Tone


def a_flow(confirm: bool = False, language: str = "fr") -> TwoLeg:
    return TwoLeg("33639980001", "33639980002", "33639980009", "", 30, 600, confirm, language)


def say(flow: TwoLeg, *conversation: tuple[CallEvent, Sequence[Action]]) -> None:
    """Tell each event, and compare what is to be done."""
    for number, (event, expected) in enumerate(conversation, 1):
        assert list(flow.step(event)) == list(expected), f"event {number}, {event}"


RINGS_FIRST = (
    Started(),
    [
        Setup(FIRST, "33639980001", "33639980001", "33639980002"),
        Dial(FIRST, "33639980001", "33639980009", 30),
    ],
)
RINGS_SECOND = (
    LegAnswered(FIRST),
    [
        Play(FIRST, Tone.RINGBACK),
        Setup(SECOND, "33639980002", "", "33639980002"),
        Dial(SECOND, "33639980002", "", 30),
    ],
)
JOIN: list[Action] = [Stop(FIRST), Bridge((FIRST, SECOND)), StartTimer("longest", 600)]
JOINED = (LegAnswered(SECOND), JOIN)
PROMPT = Speech("Vous avez un appel. Pour l'accepter, appuyez sur une touche.", "fr")
ASKED_FOR_A_KEY = (LegAnswered(SECOND), [Play(SECOND, PROMPT), StartTimer("confirm", 15)])
CONFIRMED = (Digit(SECOND, "5"), [StopTimer("confirm"), Stop(SECOND), *JOIN])


def both(cause: HangUpCause, outcome: CallOutcome) -> list[Action]:
    return [HangUp(FIRST, cause), HangUp(SECOND, cause), Finish(outcome)]


def test_both_answer_and_the_second_hangs_up() -> None:
    say(
        a_flow(),
        RINGS_FIRST,
        (LegRinging(FIRST), []),
        RINGS_SECOND,
        (LegRinging(SECOND), []),
        JOINED,
        (LegEnded(SECOND, HangUpCause.NORMAL), [HangUp(FIRST), Finish(CallOutcome.ANSWERED)]),
    )


def test_both_answer_and_the_first_hangs_up() -> None:
    say(
        a_flow(),
        RINGS_FIRST,
        RINGS_SECOND,
        JOINED,
        (LegEnded(FIRST, HangUpCause.NORMAL), [HangUp(SECOND), Finish(CallOutcome.ANSWERED)]),
    )


@pytest.mark.parametrize("cause", HangUpCause)
def test_the_first_does_not_answer_and_the_second_is_never_rung(cause: HangUpCause) -> None:
    say(a_flow(), RINGS_FIRST, (LegEnded(FIRST, cause), [Finish(OUTCOME_OF_CAUSE[cause])]))


@pytest.mark.parametrize("cause", HangUpCause)
def test_the_second_does_not_answer_and_the_first_is_hung_up(cause: HangUpCause) -> None:
    over = [HangUp(FIRST), Finish(OUTCOME_OF_CAUSE[cause])]
    say(a_flow(), RINGS_FIRST, RINGS_SECOND, (LegEnded(SECOND, cause), over))


def test_the_first_gives_up_while_the_second_rings() -> None:
    over = [HangUp(SECOND), Finish(CallOutcome.CANCELLED)]
    say(a_flow(), RINGS_FIRST, RINGS_SECOND, (LegEnded(FIRST, HangUpCause.NORMAL), over))


def test_the_second_confirms_with_a_key() -> None:
    say(
        a_flow(confirm=True),
        RINGS_FIRST,
        RINGS_SECOND,
        ASKED_FOR_A_KEY,
        (Digit(FIRST, "1"), []),  # the first party's keys confirm nothing
        (PlayDone(SECOND), []),
        CONFIRMED,
        (Digit(SECOND, "6"), []),
    )


def test_the_prompt_is_spoken_in_the_language_asked_for() -> None:
    flow = a_flow(confirm=True, language="en")
    say(flow, RINGS_FIRST, RINGS_SECOND)
    prompt = Speech("You have a call. To take it, press any key.", "en")
    say(flow, (LegAnswered(SECOND), [Play(SECOND, prompt), StartTimer("confirm", 15)]))


@pytest.mark.parametrize("machine", [False, True])
def test_nobody_confirms(machine: bool) -> None:
    say(
        a_flow(confirm=True),
        RINGS_FIRST,
        RINGS_SECOND,
        (LegAnswered(SECOND, machine), ASKED_FOR_A_KEY[1]),
        (TimerFired("confirm"), both(HangUpCause.NOT_CONFIRMED, CallOutcome.NO_ANSWER)),
    )


def test_the_second_hangs_up_instead_of_confirming() -> None:
    over = [HangUp(FIRST), Finish(CallOutcome.CANCELLED)]
    say(
        a_flow(confirm=True),
        RINGS_FIRST,
        RINGS_SECOND,
        ASKED_FOR_A_KEY,
        (LegEnded(SECOND, HangUpCause.NORMAL), over),
    )


def test_the_key_counts_though_the_time_to_press_it_ran_out_meanwhile() -> None:
    say(
        a_flow(confirm=True),
        RINGS_FIRST,
        RINGS_SECOND,
        ASKED_FOR_A_KEY,
        CONFIRMED,
        (TimerFired("confirm"), []),
        (LegEnded(FIRST, HangUpCause.NORMAL), [HangUp(SECOND), Finish(CallOutcome.ANSWERED)]),
    )


def test_the_longest_talk_is_over() -> None:
    over = both(HangUpCause.TIME_LIMIT, CallOutcome.ANSWERED)
    say(a_flow(), RINGS_FIRST, RINGS_SECOND, JOINED, (TimerFired("longest"), over))


def test_the_credits_are_used_up_while_they_speak() -> None:
    over = both(HangUpCause.CREDIT, CallOutcome.ANSWERED)
    say(a_flow(), RINGS_FIRST, RINGS_SECOND, JOINED, (TimerFired(CREDIT_USED_UP), over))


def test_the_credits_are_used_up_while_the_first_one_waits() -> None:
    over = both(HangUpCause.CREDIT, CallOutcome.CANCELLED)
    say(a_flow(), RINGS_FIRST, RINGS_SECOND, (TimerFired(CREDIT_USED_UP), over))


def test_its_owner_ends_it_at_any_time() -> None:
    cancelled = HangUpCause.CANCELLED
    over: list[Action] = [HangUp(FIRST, cancelled), Finish(CallOutcome.CANCELLED)]
    say(a_flow(), RINGS_FIRST, (AskedToHangUp(), over))
    over = both(cancelled, CallOutcome.CANCELLED)
    say(a_flow(), RINGS_FIRST, RINGS_SECOND, (AskedToHangUp(), over))
    say(a_flow(confirm=True), RINGS_FIRST, RINGS_SECOND, ASKED_FOR_A_KEY, (AskedToHangUp(), over))
    over = both(HangUpCause.NORMAL, CallOutcome.ANSWERED)
    say(a_flow(), RINGS_FIRST, RINGS_SECOND, JOINED, (AskedToHangUp(), over))


# --- whatever happens


@dataclass
class Network:
    """The switchboard's promises: what can happen after what was asked."""

    legs: dict[str, str] = field(default_factory=dict)
    hung_up: set[str] = field(default_factory=set)
    timers: set[str] = field(default_factory=set)
    is_joined: bool = False
    finished: list[CallOutcome] = field(default_factory=list)

    def possible(self) -> list[CallEvent]:
        # A timer may have run out just before it was stopped.
        events: list[CallEvent] = [AskedToHangUp(), *map(TimerFired, sorted(self.timers))]
        if "up" in self.legs.values():
            events.append(TimerFired(CREDIT_USED_UP))
        for leg, state in self.legs.items():
            if state == "dialling":
                events.append(LegRinging(leg))
            if state in ("dialling", "ringing"):
                events += [LegAnswered(leg), LegAnswered(leg, machine=True)]
            if state == "up":
                events += [Digit(leg, "1"), PlayDone(leg)]
            if state != "down":
                events += [LegEnded(leg, cause) for cause in HangUpCause]
        return events

    def happens(self, event: CallEvent) -> None:
        match event:
            case LegRinging(leg):
                self.legs[leg] = "ringing"
            case LegAnswered(leg):
                self.legs[leg] = "up"
            case LegEnded(leg):
                self.legs[leg] = "down"

    def does(self, action: Action) -> None:
        assert not self.finished, f"{action} after the end"
        match action:
            case Dial(leg):
                assert leg not in self.legs, f"{leg} is rung twice"
                self.legs[leg] = "dialling"
            case Play(leg) | Stop(leg):
                assert self.legs[leg] == "up"
            case Bridge(legs):
                assert [self.legs[leg] for leg in legs] == ["up", "up"]
                self.is_joined = True
            case HangUp(leg):
                assert self.legs[leg] != "down"
                self.hung_up.add(leg)
            case StartTimer(name, seconds):
                assert seconds > 0
                self.timers.add(name)
            case Finish(outcome):
                self.finished.append(outcome)


@given(st.data(), st.booleans())
def test_whatever_happens_no_leg_is_left_and_the_end_comes_once(data: st.DataObject, confirm: bool) -> None:
    network, flow = Network(), a_flow(confirm)

    def tell(event: CallEvent) -> None:
        network.happens(event)
        for action in flow.step(event):
            network.does(action)

    tell(Started())
    for _ in range(data.draw(st.integers(0, 20))):
        if not network.finished:
            tell(data.draw(st.sampled_from(network.possible())))
    if not network.finished:
        tell(AskedToHangUp())
    assert len(network.finished) == 1
    left = {leg for leg, state in network.legs.items() if state != "down"}
    assert left == network.hung_up
    assert (network.finished[0] is CallOutcome.ANSWERED) is network.is_joined
