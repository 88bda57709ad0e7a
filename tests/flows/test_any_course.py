"""Whatever happens in a call between two parties, and whoever is asked for: no leg is left when it ends."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from chappe.flows.line import CALLER, LineCall
from chappe.flows.program import (
    Action,
    Answer,
    AskedToHandOver,
    AskedToHangUp,
    AskedToPickUp,
    AskedToTransfer,
    Bridge,
    CallEvent,
    Dial,
    Digit,
    Finish,
    Flow,
    HandOver,
    HangUp,
    LegAnswered,
    LegArrived,
    LegEnded,
    Part,
    Play,
    PlayDone,
    Record,
    RecordDone,
    Started,
    StartTimer,
    Stop,
    TimerFired,
)
from chappe.flows.two_leg import TwoLeg
from chappe.model.calls import HangUpCause
from chappe.model.directory import ANSWERPHONE, HANG_UP, Forwarding
from chappe.model.sounds import has_end

NUMBERS = ("33990000001", "33990000002", "33639980003")


@dataclass
class Network:
    """A network in which anything may happen that can, and which refuses what cannot be done."""

    legs: dict[str, str] = field(default_factory=dict)
    answering: set[str] = field(default_factory=set)
    hung_up: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)
    playing: set[str] = field(default_factory=set)
    timers: set[str] = field(default_factory=set)
    recordings: set[str] = field(default_factory=set)
    pickers: int = 0
    finished: bool = False

    def possible(self) -> Iterator[CallEvent]:
        for leg, state in self.legs.items():
            if state == "down":
                continue
            for cause in (HangUpCause.NORMAL, HangUpCause.BUSY, HangUpCause.UNREACHABLE):
                yield LegEnded(leg, cause)
            if leg in self.hung_up:
                continue
            if state == "dialling" or leg in self.answering:
                yield LegAnswered(leg)
            if state == "up":
                yield Digit(leg, "1")
                for number in NUMBERS:
                    yield AskedToTransfer(leg, number, "")
                    yield AskedToTransfer(leg, number, "", attended=True)
                yield AskedToHandOver(leg, 5, "given", "caller")
                yield LegArrived(f"came {self.pickers}", NUMBERS[2], "", True, leg, NUMBERS[2])
            if leg in self.playing:
                yield PlayDone(leg)
        yield LegArrived(f"came {self.pickers}", NUMBERS[1], "*8", is_up=True)
        yield AskedToPickUp(NUMBERS[1])
        yield from (TimerFired(timer) for timer in sorted(self.timers))
        yield from (RecordDone(recording, 1.0) for recording in sorted(self.recordings))

    def happens(self, event: CallEvent) -> None:
        match event:
            case LegArrived(leg, is_up=True):
                self.pickers += 1
                self.legs[leg] = "up"
            case LegArrived(leg):
                self.legs[leg] = "ringing"
            case LegAnswered(leg):
                self.answering.discard(leg)
                self.legs[leg] = "up"
            case LegEnded(leg):
                self.legs[leg] = "down"
                self.joined.discard(leg)
                self.playing.discard(leg)
            case PlayDone(leg):
                self.playing.discard(leg)
            case RecordDone(recording):
                self.recordings.discard(recording)

    def does(self, action: Action) -> None:
        assert not self.finished, f"{action} after the end"
        match action:
            case HandOver(leg):
                assert self.legs[leg] == "up", f"{leg} cannot be handed over"
                self.legs[leg] = "down"
                self.joined.discard(leg)
            case Dial(leg):
                assert leg not in self.legs, f"{leg} is rung twice"
                self.legs[leg] = "dialling"
            case Answer(leg):
                assert self.legs[leg] == "ringing"
                self.answering.add(leg)
            case Play(leg, sound):
                assert self.legs[leg] == "up" and leg not in self.joined, f"{leg} speaks, or is not there"
                if has_end(sound):
                    self.playing.add(leg)
            case Stop(leg) | Part(leg):
                assert self.legs[leg] == "up"
                self.joined.discard(leg)
            case Bridge(legs):
                assert [self.legs[leg] for leg in legs] == ["up", "up"]
                self.joined |= set(legs)
                # Whoever was given away, or gives away, hears the others no more.
                assert self.joined - self.hung_up <= set(legs), f"{self.joined} hear one another"
            case HangUp(leg):
                assert leg in self.legs
                if self.legs[leg] != "down":
                    self.hung_up.add(leg)
            case StartTimer(name, seconds):
                assert seconds > 0
                self.timers.add(name)
            case Record(recording):
                self.recordings.add(recording)
            case Finish():
                self.finished = True


FORWARDINGS = st.builds(
    Forwarding,
    *[st.sampled_from(("", ANSWERPHONE, HANG_UP, NUMBERS[1], NUMBERS[2]))] * 4,
    st.just(20),
    *[st.booleans()] * 4,
)
LINE_CALLS = st.builds(
    LineCall,
    st.just("33612345678"),
    st.just(NUMBERS[0]),
    st.just(""),
    st.just(600),
    is_line=st.just(True),
    forwarding=FORWARDINGS,
    is_busy=st.booleans(),
    message=st.sampled_from(("", "Bienvenue.")),
    recorded=st.booleans(),
)
TWO_LEGS = st.builds(
    TwoLeg,
    st.just(NUMBERS[0]),
    st.just(NUMBERS[2]),
    st.just(""),
    st.just(""),
    st.just(30),
    st.just(600),
    st.booleans(),
)


@given(st.data(), st.one_of(LINE_CALLS, TWO_LEGS))
def test_no_leg_is_left_and_nobody_overhears(data: st.DataObject, flow: Flow) -> None:
    network = Network()

    def tell(event: CallEvent) -> None:
        network.happens(event)
        for action in flow.step(event):
            network.does(action)

    tell(Started())
    if isinstance(flow, LineCall):
        tell(LegArrived(CALLER, "33612345678", NUMBERS[0]))
    for _ in range(data.draw(st.integers(0, 25))):
        if not network.finished:
            tell(data.draw(st.sampled_from(list(network.possible()))))
    if not network.finished:
        tell(AskedToHangUp())
    assert network.finished
    left = {leg for leg, state in network.legs.items() if state != "down"}
    assert left <= network.hung_up, f"{left - network.hung_up} are left"
