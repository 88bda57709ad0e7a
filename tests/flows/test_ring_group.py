"""A callback's course: as conversations, and whatever operators and visitor do, as a property."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

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
    LegArrived,
    LegEnded,
    Play,
    PlayDone,
    Record,
    RecordDone,
    Setup,
    Started,
    StartTimer,
    Stop,
    StopTimer,
    TimerFired,
)
from chappe.flows.ring_group import VISITOR, RingGroupCall, Rung
from chappe.model.calls import CallOutcome, HangUpCause
from chappe.model.sounds import Speech, Tone, Uploaded, has_end

ANNE, BOB, JADE = "33639980001", "33639980002", "33639980100"
TOLD, WELCOME = Speech("A callback."), Uploaded("welcome")
NOT_REACHED = Speech("Le visiteur n'a pas pu être joint.")
NOBODY = Speech("Aucun conseiller n'est disponible pour le moment. Merci de votre appel, au revoir.")
KEY = Speech("Vous avez demandé à être rappelé. Pour être mis en relation, appuyez sur une touche.")
RECORDED = Speech("Cet appel est enregistré.")
GREETING = Speech("Votre correspondant n'est pas disponible. Laissez un message après le bip sonore.")

Turn = tuple[CallEvent, Sequence[Action]]


def a_flow(*operators: str, **more: object) -> RingGroupCall:
    rungs = [Rung(number, 20) for number in operators or (ANNE, BOB)]
    sounds = {"told": [TOLD], "welcome": [WELCOME]}
    return RingGroupCall(JADE, 30, rungs, JADE, ANNE, 600, **(sounds | more))  # type: ignore[arg-type]


def say(flow: RingGroupCall, *conversation: Turn) -> None:
    """Tell each event, and compare what is to be done."""
    for number, (event, expected) in enumerate(conversation, 1):
        assert list(flow.step(event)) == list(expected), f"event {number}, {event}"


def rings(leg: int, number: str) -> list[Action]:
    name = f"operator-{leg}"
    return [Setup(name, number, JADE, number), Dial(name, number, JADE, 20)]


def gone(leg: str, cause: HangUpCause = HangUpCause.NORMAL) -> LegEnded:
    return LegEnded(leg, cause)


ONE, TWO = "operator-1", "operator-2"
RINGS_JADE: list[Action] = [Dial(VISITOR, JADE, ANNE, 30)]


def joins(operator: str) -> list[Action]:
    return [Stop(operator), Stop(VISITOR), Bridge((operator, VISITOR)), StartTimer("longest", 600)]


ANNE_WAITS: Sequence[Turn] = (
    (Started(), rings(1, ANNE)),
    (LegAnswered(ONE), [Play(ONE, TOLD)]),
    (PlayDone(ONE), [Play(ONE, Tone.RINGBACK), *RINGS_JADE]),
)
JADE_COMES: Sequence[Turn] = ((LegAnswered(VISITOR), [Play(VISITOR, WELCOME)]),)


def test_operator_first() -> None:
    say(
        a_flow(),
        *ANNE_WAITS,
        *JADE_COMES,
        (PlayDone(VISITOR), joins(ONE)),
        (gone(VISITOR), [HangUp(ONE), Finish(CallOutcome.ANSWERED)]),
    )


def test_visitor_first() -> None:
    say(
        a_flow(visitor_first=True),
        (Started(), RINGS_JADE),
        *JADE_COMES,
        (PlayDone(VISITOR), [Play(VISITOR, Tone.RINGBACK), *rings(1, ANNE)]),
        (LegAnswered(ONE), [Play(ONE, TOLD)]),
        (PlayDone(ONE), joins(ONE)),
        (gone(ONE), [HangUp(VISITOR), Finish(CallOutcome.ANSWERED)]),
    )


def test_the_next_operator_is_rung() -> None:
    say(
        a_flow(),
        (Started(), rings(1, ANNE)),
        (gone(ONE, HangUpCause.BUSY), rings(2, BOB)),
        (LegAnswered(TWO), [Play(TWO, TOLD)]),
        (PlayDone(TWO), [Play(TWO, Tone.RINGBACK), *RINGS_JADE]),
        *JADE_COMES,
        (PlayDone(VISITOR), joins(TWO)),
    )


def test_nobody_is_free_and_the_visitor_is_not_rung() -> None:
    say(
        a_flow(ANNE),
        (Started(), rings(1, ANNE)),
        (gone(ONE, HangUpCause.NO_ANSWER), [Finish(CallOutcome.NO_ANSWER)]),
    )


def test_nobody_is_free_and_the_visitor_leaves_a_message() -> None:
    say(
        a_flow(ANNE, takes_messages=True),
        (Started(), rings(1, ANNE)),
        (gone(ONE, HangUpCause.NO_ANSWER), RINGS_JADE),
        (LegAnswered(VISITOR), [Play(VISITOR, GREETING)]),
        (PlayDone(VISITOR), [Play(VISITOR, Tone.BEEP)]),
        (PlayDone(VISITOR), [Record("message", VISITOR, 180, "message")]),
        (RecordDone("message", 4.0), [HangUp(VISITOR), Finish(CallOutcome.MACHINE)]),
    )


def test_the_form_has_a_greeting_of_its_own_and_the_visitor_hangs_up() -> None:
    say(
        a_flow(ANNE, takes_messages=True, visitor_first=True, greeting=Uploaded("own")),
        (Started(), RINGS_JADE),
        *JADE_COMES,
        (PlayDone(VISITOR), [Play(VISITOR, Tone.RINGBACK), *rings(1, ANNE)]),
        (gone(ONE, HangUpCause.BUSY), [Stop(VISITOR), Play(VISITOR, Uploaded("own"))]),
        (PlayDone(VISITOR), [Play(VISITOR, Tone.BEEP)]),
        (gone(VISITOR), [Finish(CallOutcome.MACHINE)]),
    )


def test_the_operator_hangs_up_between_and_the_visitor_hears_that_nobody_comes() -> None:
    say(
        a_flow(ANNE),
        *ANNE_WAITS,
        *JADE_COMES,
        (gone(ONE), [Stop(VISITOR), Play(VISITOR, NOBODY)]),
        (PlayDone(VISITOR), [HangUp(VISITOR), Finish(CallOutcome.NO_ANSWER)]),
    )


def test_the_operator_hangs_up_between_and_the_next_one_comes() -> None:
    say(
        a_flow(),
        *ANNE_WAITS,
        *JADE_COMES,
        (gone(ONE), rings(2, BOB)),
        (PlayDone(VISITOR), [Play(VISITOR, Tone.RINGBACK)]),
        (LegAnswered(TWO), [Play(TWO, TOLD)]),
        (PlayDone(TWO), joins(TWO)),
    )


def test_the_operator_hangs_up_while_the_visitor_is_rung() -> None:
    say(
        a_flow(ANNE),
        *ANNE_WAITS,
        (gone(ONE), [HangUp(VISITOR, HangUpCause.CANCELLED), Finish(CallOutcome.NO_ANSWER)]),
    )


def test_the_visitor_does_not_answer_and_the_operator_hears_it() -> None:
    say(
        a_flow(),
        *ANNE_WAITS,
        (gone(VISITOR, HangUpCause.BUSY), [Play(ONE, NOT_REACHED)]),
        (PlayDone(ONE), [HangUp(ONE), Finish(CallOutcome.BUSY)]),
    )


def test_the_visitor_presses_a_key() -> None:
    say(
        a_flow(visitor_first=True, confirms=True),
        (Started(), RINGS_JADE),
        (LegAnswered(VISITOR), [Play(VISITOR, KEY), StartTimer("confirm", 15)]),
        (Digit(VISITOR, "5"), [StopTimer("confirm"), Stop(VISITOR), Play(VISITOR, WELCOME)]),
        (PlayDone(VISITOR), [Play(VISITOR, Tone.RINGBACK), *rings(1, ANNE)]),
    )


def test_the_visitor_presses_no_key() -> None:
    say(
        a_flow(visitor_first=True, confirms=True),
        (Started(), RINGS_JADE),
        (LegAnswered(VISITOR), [Play(VISITOR, KEY), StartTimer("confirm", 15)]),
        (
            TimerFired("confirm"),
            [HangUp(VISITOR, HangUpCause.NOT_CONFIRMED), Finish(CallOutcome.REFUSED)],
        ),
    )


def test_both_hear_that_they_are_recorded() -> None:
    say(
        a_flow(recorded=True),
        (Started(), rings(1, ANNE)),
        (LegAnswered(ONE), [Play(ONE, TOLD)]),
        (PlayDone(ONE), [Play(ONE, RECORDED)]),
        (PlayDone(ONE), [Play(ONE, Tone.RINGBACK), *RINGS_JADE]),
        *JADE_COMES,
        (PlayDone(VISITOR), [Play(VISITOR, RECORDED)]),
        (PlayDone(VISITOR), [*joins(ONE), Record("call")]),
    )


def test_the_longest_talk() -> None:
    both = [HangUp(ONE, HangUpCause.TIME_LIMIT), HangUp(VISITOR, HangUpCause.TIME_LIMIT)]
    say(
        a_flow(),
        *ANNE_WAITS,
        *JADE_COMES,
        (PlayDone(VISITOR), joins(ONE)),
        (TimerFired("longest"), [*both, Finish(CallOutcome.ANSWERED)]),
    )


# --- whatever happens


@dataclass
class Network:
    """Telephones that do whatever telephones can."""

    flow: RingGroupCall
    legs: dict[str, str] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    hung_up: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)
    hears: dict[str, bool] = field(default_factory=dict)  # what is played, and whether it has an end
    timers: set[str] = field(default_factory=set)
    recordings: set[str] = field(default_factory=set)
    came: int = 0
    outcome: CallOutcome | None = None

    def possible(self) -> Iterator[CallEvent]:
        for leg, state in self.legs.items():
            if state == "down":
                continue
            for cause in (HangUpCause.NORMAL, HangUpCause.BUSY, HangUpCause.REJECTED, HangUpCause.NO_ANSWER):
                yield LegEnded(leg, cause)
            if leg in self.hung_up:
                continue
            if state == "dialling":
                yield LegAnswered(leg)
            else:
                yield Digit(leg, "1")
            if self.hears.get(leg):
                yield PlayDone(leg)
        yield LegArrived(f"came {self.came}", BOB, "*8", is_up=True)
        yield from (TimerFired(timer) for timer in sorted(self.timers))
        yield from (RecordDone(recording, 1.0) for recording in sorted(self.recordings))

    def tell(self, event: CallEvent) -> None:
        self._happens(event)
        for action in self.flow.step(event):
            self._does(action)
        self._check()

    def _happens(self, event: CallEvent) -> None:
        match event:
            case LegArrived(leg) | LegAnswered(leg):
                self.came += isinstance(event, LegArrived)
                self.legs[leg] = "up"
            case LegEnded(leg):
                self.legs[leg] = "down"
                self.joined.discard(leg)
                self.hears.pop(leg, None)
            case PlayDone(leg):
                self.hears.pop(leg)
            case TimerFired(name):
                self.timers.discard(name)
            case RecordDone(recording):
                self.recordings.discard(recording)

    def _does(self, action: Action) -> None:
        assert self.outcome is None, f"{action} after the end"
        match action:
            case Dial(leg, number):
                assert leg not in self.legs and number not in self.numbers, f"{number} is rung twice"
                self.legs[leg] = "dialling"
                self.numbers.append(number)
            case Play(leg, sound):
                assert self.legs[leg] == "up" and leg not in self.joined
                self.hears[leg] = has_end(sound)
            case Stop(leg):
                assert self.legs[leg] == "up"
                self.hears.pop(leg, None)
            case Bridge(legs):
                assert [self.legs[leg] for leg in legs] == ["up", "up"]
                self.joined |= set(legs)
            case HangUp(leg):
                assert leg in self.legs
                if self.legs[leg] != "down":
                    self.hung_up.add(leg)
            case StartTimer(name):
                self.timers.add(name)
            case StopTimer(name):
                self.timers.discard(name)
            case Record(recording, leg):
                assert leg == "" or self.legs[leg] == "up"
                self.recordings.add(recording)
            case Finish(outcome):
                self.outcome = outcome

    def _check(self) -> None:
        """The visitor who is up hears something, speaks with somebody, or is heard; what goes on for ever
        only while somebody is on the way."""
        if self.legs.get(VISITOR) != "up" or VISITOR in self.hung_up or VISITOR in self.joined:
            return
        if "message" in self.recordings or self.outcome is not None:
            return
        assert VISITOR in self.hears or "confirm" in self.timers, "the visitor hears nothing"
        if self.hears.get(VISITOR) is False:
            others = [leg for leg, state in self.legs.items() if leg != VISITOR and state != "down"]
            assert set(others) - self.hung_up, "the visitor is left alone"


FLOWS = st.builds(
    a_flow,
    *[st.sampled_from((ANNE, BOB))],
    st.just("33639980003"),
    visitor_first=st.booleans(),
    takes_messages=st.booleans(),
    tries_again=st.booleans(),
    confirms=st.booleans(),
    recorded=st.booleans(),
    greeting=st.sampled_from((None, Uploaded("own"))),
)


@given(st.data(), FLOWS)
def test_nobody_is_rung_twice_and_the_visitor_is_never_left_alone(
    data: st.DataObject, flow: RingGroupCall
) -> None:
    network = Network(flow)
    network.tell(Started())
    for _ in range(data.draw(st.integers(0, 30))):
        if network.outcome is None:
            network.tell(data.draw(st.sampled_from(list(network.possible()))))
    if network.outcome is None:
        network.tell(data.draw(st.sampled_from((AskedToHangUp(), TimerFired(CREDIT_USED_UP)))))
    assert network.outcome is not None
    left = {leg for leg, state in network.legs.items() if state != "down"}
    assert left <= network.hung_up, f"{left - network.hung_up} are left"


@given(st.data(), FLOWS)
def test_it_comes_to_an_end_by_itself(data: st.DataObject, flow: RingGroupCall) -> None:
    """Where telephones only ever end, answer, and hear sounds out, a call is over after a few steps."""
    network, steps = Network(flow), 0
    network.tell(Started())
    while network.outcome is None:
        ways = [one for one in network.possible() if not isinstance(one, LegArrived | Digit)]
        assert ways, "nothing can happen any more"
        network.tell(data.draw(st.sampled_from(ways)))
        steps += 1
        assert steps < 40
